"""The demo: modelled samples, put where their publishers would, fetched, built and published in a home of its own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.build import Progress, no_progress
from etl.errors import JusticeError
from etl.landing import claim_home, home_kind, land
from etl.refresh import Refreshed, refresh
from etl.replica import ANSWERS, Archive, Replica
from etl.settings import Settings, project_root

DEMO_HOME = "demo-data"


@dataclass(frozen=True)
class Demo:
    """What the demo did: where, and what the refresh found."""

    home: Path
    refreshed: Refreshed


def demo_settings(settings: Settings) -> Settings:
    """The settings with the demo's own home, unless JUSTICE_HOME names one."""
    named = "home" in settings.model_fields_set
    return settings if named else settings.model_copy(update={"home": project_root() / DEMO_HOME})


@contextmanager
def demo_publishers(settings: Settings) -> Iterator[Settings]:
    """Settings for asking publishers: in a demo home, of a replica of its own, which runs for the block."""
    archive = settings.home / "archive"
    is_demo = home_kind(settings.home) == "demo" and (archive / ANSWERS).exists()
    if settings.replica_url or not is_demo:
        yield settings
        return
    with Replica(Archive.load(archive)) as replica:
        yield settings.model_copy(update={"replica_url": replica.url})


def prepare_demo(settings: Settings, progress: Progress = no_progress) -> None:
    """Make the home a demo one: the samples, an archive of them, and landed what no publisher lists.

    Raises:
        JusticeError: the home is a real one.
    """
    home = settings.home
    claim_home(home, "demo")
    progress("making samples", 0, 1)
    samples = _samples("make").make_samples(home / "samples")
    archive = _samples("archive")
    archive.make_archive(home / "archive", samples)
    for sample in archive.unlisted(samples):
        land(home, source=sample.source, title=sample.title, published=sample.published_on, files=[sample.path])


def run_demo(settings: Settings, progress: Progress = no_progress) -> Demo:
    """Make the samples and an archive of them, and refresh from it; run again, there is nothing new.

    Raises:
        JusticeError: the home is a real one, or a step failed.
    """
    prepare_demo(settings, progress)
    with demo_publishers(settings) as asking:
        return Demo(settings.home, refresh(asking, progress=progress))


def _samples(name: str) -> Any:
    """A module of `samples/`, which is no part of the installed package."""
    path = project_root() / "samples" / f"{name}.py"
    if not path.exists():
        raise JusticeError(f"{path} is missing", "the demo needs a checkout of the project")
    if str(project_root()) not in sys.path:
        sys.path.insert(0, str(project_root()))
    return importlib.import_module(f"samples.{name}")
