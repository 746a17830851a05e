"""The demo: modelled samples made, landed in a home of their own, built and published."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from etl.build import Built, Progress, build, no_progress
from etl.errors import JusticeError
from etl.files import hold_lease
from etl.landing import claim_home, land
from etl.publish import Published, publish
from etl.settings import Settings, project_root

DEMO_HOME = "demo-data"


@dataclass(frozen=True)
class Demo:
    """What the demo did: how many sample files were new, and the version that serves now."""

    home: Path
    new_files: int
    built: Built
    published: Published


def demo_settings(settings: Settings) -> Settings:
    """The settings with the demo's own home, unless JUSTICE_HOME names one."""
    named = "home" in settings.model_fields_set
    return settings if named else settings.model_copy(update={"home": project_root() / DEMO_HOME})


def run_demo(settings: Settings, progress: Progress = no_progress) -> Demo:
    """Make the samples, land, build and publish; run again, there is nothing new.

    Raises:
        JusticeError: the home is a real one, or a step failed.
    """
    home = settings.home
    claim_home(home, "demo")
    progress("making samples", 0, 1)
    samples = _samples_module().make_samples(home / "samples")
    new_files = 0
    for done, sample in enumerate(samples):
        progress(f"landing {sample.path.name}", done, len(samples))
        landed = land(
            home, source=sample.source, title=sample.title, published=sample.published_on, files=[sample.path]
        )
        new_files += sum(item.is_new for item in landed)
    with hold_lease(home, "demo", settings.lease_wait_seconds):
        built = build(home, settings, progress)
        published = publish(home, settings, built.version)
    return Demo(home, new_files, built, published)


def _samples_module() -> ModuleType:
    """`samples.make`, which is no part of the installed package."""
    path = project_root() / "samples" / "make.py"
    if not path.exists():
        raise JusticeError(f"{path} is missing", "the demo needs a checkout of the project")
    if str(project_root()) not in sys.path:
        sys.path.insert(0, str(project_root()))
    return importlib.import_module("samples.make")
