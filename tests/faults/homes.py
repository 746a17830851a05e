"""What a data home holds and serves, and a run to disturb."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

LAND, BUILD, PUBLISH = range(3)
"""The steps of a scenario."""

KEEP_ONE = {"JUSTICE_KEEP_VERSIONS": "1"}
"""Publishing then prunes the version that served before."""


@dataclass(frozen=True)
class Serving:
    """What `current` serves, asked of the warehouse itself."""

    version: str
    releases: list[str]
    figures: int


def serving(home: Path) -> Serving:
    path = (home / "current").resolve()
    with duckdb.connect(str(path / "warehouse.duckdb"), read_only=True) as connection:
        releases = connection.execute("SELECT release_id FROM meta.release ORDER BY release_id").fetchall()
        figures = connection.execute("SELECT count(*) FROM mart.crime_trend").fetchone()
    assert figures is not None
    return Serving(path.name, [release for (release,) in releases], figures[0])


def list_home(home: Path) -> dict[str, str]:
    """Every path of a home with its permissions; what a link leads to."""
    return {
        str(path.relative_to(home)): str(path.readlink()) if path.is_symlink() else oct(path.stat().st_mode)
        for path in sorted(home.rglob("*"))
    }


def list_state(home: Path) -> list[tuple[str, str, int]]:
    """Every path of a home with its permissions and size; names of temporary files are of no account."""
    return sorted(
        (re.sub(r"\.writing-\w+", ".writing", name), mode, (home / name).lstat().st_size)
        for name, mode in list_home(home).items()
    )


def read_tables(home: Path) -> dict[str, Any]:
    """Rows and hashes of every table of the version that serves."""
    tables: dict[str, Any] = json.loads((home / "current" / "manifest.json").read_text(encoding="utf-8"))["tables"]
    return tables


def copy_home(home: Path, target: Path) -> Path:
    return Path(shutil.copytree(home, target, symlinks=True))


@dataclass(frozen=True)
class Scenario:
    """A home that serves `old`, three commands, and the home that they make when nothing disturbs them.

    `before` is the home before each of them, and `changes` are the changes of files that each of them makes.
    """

    old: Serving
    steps: list[list[str]]
    before: list[Path]
    changes: list[list[str]]
    undisturbed: Path
    new: Serving

    def start(self, folder: Path, step: int = LAND) -> Path:
        """A copy of the home before a step, to disturb it."""
        return copy_home(self.before[step], folder / "home")

    def assert_finished(self, home: Path) -> None:
        """The home is what an undisturbed run makes of it, with nothing beside it."""
        assert serving(home) == self.new
        assert read_tables(home) == read_tables(self.undisturbed)
        assert list_home(home) == list_home(self.undisturbed)
