"""The warehouse is a pure function of what was landed: not of order, day, folder, time zone or machine."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.end_to_end.builders import Edition, force_tables, rolling_year
from tests.faults.commands import Commands
from tests.faults.homes import read_tables, serving
from tests.memo import FOLDER


def _read_manifest(home: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((home / "current" / "manifest.json").read_text(encoding="utf-8"))
    return manifest


@pytest.fixture(scope="module")
def swapped(editions: list[Edition], tmp_path_factory: pytest.TempPathFactory) -> list[Edition]:
    """Every source, with an edition that was swapped twice and a release of two files."""
    folder = tmp_path_factory.mktemp("swapped")
    swaps = [
        force_tables(folder, name="p1-corrected.xlsx", published="2018-08-01", cells={"C7": "212,842"}),
        force_tables(folder, name="p1-corrected-again.xlsx", published="2018-08-01T12:00", cells={"C7": "212,843"}),
    ]
    return [*editions, *swaps, rolling_year(folder, 5, files=2)]


def test_order_day_folder_time_zone_and_processors_do_not_matter(
    commands: Commands, swapped: list[Edition], tmp_path: Path
) -> None:
    here = tmp_path / "home"
    steps = [edition.command for edition in swapped]
    commands.succeed(here, *steps, ["build"], ["publish"], day="2026-03-29T00:30:00+00:00")

    there = tmp_path / "elsewhere" / "daten 'für' morgen\""
    # It finds out everything for itself: charts are drawn, and areas ranked, once more.
    (tmp_path / "memo").mkdir()
    own = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", FOLDER: str(tmp_path / "memo")}
    elsewhere = Commands(tmp_path / "commands", own)
    try:
        copies = [
            Edition(edition.source, edition.title, edition.published, _copy(edition.files, tmp_path / f"copy-{number}"))
            for number, edition in enumerate(swapped)
        ]
        # Backwards; each file of a release by itself; some twice; built in between.
        singly = [
            Edition(edition.source, edition.title, edition.published, (file,)).command
            for edition in reversed(copies)
            for file in reversed(edition.files)
        ]
        cpus = {"cpus": sorted(os.sched_getaffinity(0))}
        first, rest = singly[:4], singly[4:]
        elsewhere.succeed(there, *first, ["publish"], day="2031-12-31T23:59:59+00:00", **cpus)
        elsewhere.succeed(there, *rest, *first, ["publish"], day="2032-02-29T12:00:00+00:00", folder=tmp_path, **cpus)
    finally:
        elsewhere.close()

    assert serving(there) == serving(here)
    assert read_tables(there) == read_tables(here)
    assert len(read_tables(here)) > 15
    mine, other = _read_manifest(here), _read_manifest(there)
    assert mine["built_at"] != other["built_at"]
    assert {**mine, "built_at": ""} == {**other, "built_at": ""}
    assert _read_files(there) == _read_files(here)
    # The clock was another, and what it says stands in the warehouse, outside of the hashes.
    assert _landed_at(here) == {"2026-03-29"}
    assert _landed_at(there) == {"2031-12-31", "2032-02-29"}


def _read_files(home: Path) -> dict[str, bytes]:
    """Feeds and pages, but for what says when they were made."""
    current = home / "current"
    files = [path for name in ("feeds", "site") for path in (current / name).rglob("*") if path.is_file()]
    found = {str(path.relative_to(current)): path.read_bytes() for path in files}
    assert len(found) > 200
    assert found.pop("feeds/last_updated.json")
    return found


def _copy(files: tuple[Path, ...], folder: Path) -> tuple[Path, ...]:
    folder.mkdir()
    return tuple(Path(shutil.copyfile(file, folder / file.name)) for file in files)


def _landed_at(home: Path) -> set[str]:
    with duckdb.connect(str((home / "current" / "warehouse.duckdb").resolve()), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute("SELECT DISTINCT CAST(CAST(landed_at AS DATE) AS VARCHAR) FROM meta.file")
        return {day for (day,) in rows.fetchall()}


def test_building_again_from_nothing_makes_the_same_tables(commands: Commands, served: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("landing", "home.json"):
        copy = shutil.copytree if (served / name).is_dir() else shutil.copy2
        home.mkdir(exist_ok=True)
        copy(served / name, home / name)
    commands.succeed(home, ["publish"])
    assert serving(home) == serving(served)
    assert read_tables(home) == read_tables(served)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"published": "2018-07-20"}, id="another day of publication"),
        pytest.param({"cells": {"C7": "212,842"}}, id="another figure"),
        pytest.param({"name": "p1-renamed.xlsx"}, id="another name of the file"),
    ],
)
def test_another_input_makes_another_version(change: dict[str, Any], commands: Commands, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder, changes in zip(folders, ({}, change), strict=True):
        folder.mkdir()
        commands.succeed(folder / "home", force_tables(folder, **changes).command)
    # Its files build to another version than the one that serves: so `status` says.
    one, other = folders
    commands.succeed(one / "home", ["publish"])
    assert commands.succeed(one / "home", ["status", "--json"]).json["is_up_to_date"]
    shutil.copytree(one / "home" / "versions", other / "home" / "versions")
    (other / "home" / "current").symlink_to((one / "home" / "current").readlink())
    assert not commands.succeed(other / "home", ["status", "--json"]).json["is_up_to_date"]


def test_nothing_new_is_built_or_published_twice(commands: Commands, served: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(served, tmp_path / "home", symlinks=True))
    version = serving(home).version
    manifest = (home / "current" / "manifest.json").read_bytes()
    assert commands.succeed(home, ["build"]).out == f"Nothing new: version {version} was already built.\n"
    assert commands.succeed(home, ["publish"]).out == f"Nothing new: version {version} already serves.\n"
    assert commands.succeed(home, ["build", "--json"]).json["is_new"] is False
    assert commands.succeed(home, ["publish", "--json"]).json == {"version": version, "is_new": False, "pruned": []}
    assert (home / "current" / "manifest.json").read_bytes() == manifest
