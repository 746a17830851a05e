"""Pruning leaves a mark, whenever it is killed, and publishing again takes it away."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from etl import publish as publishing
from etl.errors import WrongUseError
from etl.files import write_json
from etl.publish import current_version, gone_mark, list_versions, pin, publish, rollback
from etl.settings import Settings

NAMES = [f"{number:012x}" for number in range(4)]


class Killed(BaseException):
    """Ends a run where a kill would."""


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, keep_versions=2)


def put(settings: Settings, version: str) -> list[str]:
    """Publish a version of no content; → what was pruned."""
    home = settings.home
    if not (home / "versions" / version).exists():
        staged = home / "staging" / version
        staged.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(staged / "warehouse.duckdb")) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (i INTEGER)")
        empty = {"releases": [], "kept_out": [], "quarantined": [], "tables": {}}
        write_json(staged / "manifest.json", {"version": version, "built_at": "2026-01-01T00:00:00+00:00", **empty})
    return publish(home, settings, version).pruned


def list_marks(home: Path) -> list[str]:
    return sorted(path.name for path in gone_mark(home, "").glob("*"))


def kept(home: Path) -> list[str]:
    return [version.version for version in list_versions(home)]


def test_what_is_pruned_is_marked_and_what_is_kept_is_not(home: Path, settings: Settings) -> None:
    pruned = [name for version in NAMES for name in put(settings, version)]
    assert pruned == NAMES[:2] == list_marks(home)
    assert gone_mark(home, NAMES[0]).read_bytes() == b""
    assert kept(home) == NAMES[2:]


def test_a_version_that_is_published_again_is_not_gone(home: Path, settings: Settings) -> None:
    for version in NAMES[:3]:
        put(settings, version)
    assert list_marks(home) == NAMES[:1]
    put(settings, NAMES[0])
    assert current_version(home) == NAMES[0]
    assert list_marks(home) == [NAMES[1]]


@pytest.mark.parametrize("killed_in", ["_remove_version", "remove_tree"])
def test_a_killed_run_leaves_what_the_next_one_mends(
    home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    for version in NAMES[:2]:
        put(settings, version)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, killed_in, _kill_at(killed_in))
        with pytest.raises(Killed):
            put(settings, NAMES[2])
    # Whoever asks is told that it is gone, whether its folder is still there or not.
    assert list_marks(home) == NAMES[:1]
    assert current_version(home) == NAMES[2]
    put(settings, NAMES[2])
    assert list_marks(home) == NAMES[:1]
    assert sorted(path.name for path in (home / "versions").iterdir()) == [".gone", *NAMES[1:3], "state.json"]


def test_a_version_that_was_marked_and_not_removed_can_be_rolled_back_to(
    home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in NAMES[:2]:
        put(settings, version)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_remove_version", _kill_at("_remove_version"))
        with pytest.raises(Killed):
            put(settings, NAMES[2])
    assert list_marks(home) == NAMES[:1]
    assert rollback(home, NAMES[0]) == NAMES[0]
    assert list_marks(home) == []


def test_a_version_that_was_marked_and_not_removed_can_be_pinned(
    home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in NAMES[:2]:
        put(settings, version)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_remove_version", _kill_at("_remove_version"))
        with pytest.raises(Killed):
            put(settings, NAMES[2])
    assert list_marks(home) == NAMES[:1]
    pin(home, NAMES[0])
    assert list_marks(home) == []
    assert NAMES[0] in kept(home)


def test_whoever_serves_may_look_at_versions_and_marks_whatever_the_umask(home: Path, settings: Settings) -> None:
    before = os.umask(0o077)
    try:
        for version in NAMES[:3]:
            put(settings, version)
    finally:
        os.umask(before)
    folder = home / "versions"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / ".gone")] == [0o755, 0o755]
    assert stat.S_IMODE((folder / NAMES[2]).stat().st_mode) == 0o555
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / NAMES[2]).iterdir()} == {0o444}


def test_killed_before_the_mark_is_taken_away(home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in NAMES[:3]:
        put(settings, version)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "sync_folder", _kill_at("sync_folder"))
        with pytest.raises(Killed):
            put(settings, NAMES[0])
    assert list_marks(home) == NAMES[:1]
    put(settings, NAMES[0])
    assert current_version(home) == NAMES[0]
    assert list_marks(home) == [NAMES[1]]


def test_a_mark_is_no_version(home: Path, settings: Settings) -> None:
    for version in NAMES[:3]:
        put(settings, version)
    with pytest.raises(WrongUseError, match=f"there is no version '{NAMES[0]}'"):
        rollback(home, NAMES[0])


def _kill_at(name: str) -> Callable[[Path], None]:
    """Ends the run where it comes to the first version or to the folder of all; elsewhere it does its work."""
    real = getattr(publishing, name)

    def kill(path: Path) -> None:
        if path.name in (NAMES[0], f".pruned-{NAMES[0]}", "versions"):
            raise Killed
        real(path)

    return kill
