"""Versions are kept, pruned, pinned and rolled back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from etl.errors import JusticeError, WrongUseError
from etl.files import make_read_only, write_json
from etl.publish import Published, current_version, list_versions, pin, publish, rollback, warehouse_path
from etl.settings import Settings
from tests.end_to_end.builders import force_tables, rolling_year
from tests.faults.commands import DONE, FAILED, WRONG_USE, Commands, assert_readable
from tests.faults.homes import serving

Put = Callable[[str], Published]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stub") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t (i INTEGER)")
    return path


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home)


@pytest.fixture
def put(home: Path, settings: Settings, warehouse: Path) -> Put:
    """Publishes a version of no content under a name."""

    def put_version(name: str) -> Published:
        if not (home / "versions" / name).exists():
            staged = home / "staging" / name
            staged.mkdir(parents=True)
            shutil.copy(warehouse, staged / "warehouse.duckdb")
            empty = {"releases": [], "kept_out": [], "quarantined": [], "tables": {}}
            write_json(staged / "manifest.json", {"version": name, "built_at": "2026-01-01T00:00:00+00:00", **empty})
        return publish(home, settings, name)

    return put_version


def _names(home: Path) -> list[str]:
    return [version.version for version in list_versions(home)]


def test_the_last_ten_are_kept_in_the_order_of_publication(home: Path, put: Put) -> None:
    # Neither names nor times of building decide.
    names = [f"{number * 7 % 13:x}" for number in range(13)]
    pruned = [name for new in names for name in put(new).pruned]
    assert pruned == names[:3]
    assert _names(home) == names[3:]
    assert sorted(path.name for path in (home / "versions").iterdir()) == sorted([".gone", *names[3:], "state.json"])
    assert sorted(path.name for path in (home / "versions" / ".gone").iterdir()) == sorted(names[:3])


def test_publishing_the_version_that_serves_changes_nothing(home: Path, put: Put) -> None:
    put("a")
    before = (home / "versions" / "state.json").stat().st_mtime_ns
    assert put("a") == Published("a", is_new=False, pruned=[])
    assert (home / "versions" / "state.json").stat().st_mtime_ns == before


def test_pinned_versions_are_kept_beside_the_ten(home: Path, put: Put) -> None:
    for number in range(3):
        put(f"v{number}")
    pin(home, "v1")
    for number in range(3, 14):
        put(f"v{number}")
    assert _names(home) == ["v1", *(f"v{number}" for number in range(4, 14))]
    pin(home, "v1", is_pinned=False)
    assert put("v14").pruned == ["v1", "v4"]


def test_the_current_version_is_never_pruned(home: Path, settings: Settings, put: Put) -> None:
    for name in "abc":
        put(name)
    rollback(home, "a")
    few = settings.model_copy(update={"keep_versions": 1})
    assert publish(home, few, "a").pruned == ["b", "c"]
    assert current_version(home) == "a"
    assert _names(home) == ["a"]


def test_a_lower_limit_prunes_at_once(home: Path, settings: Settings, put: Put) -> None:
    for name in "abcd":
        put(name)
    assert publish(home, settings.model_copy(update={"keep_versions": 2}), "d").pruned == ["a", "b"]


def test_rolling_back_goes_one_version_a_time_and_never_to_one_rolled_back(home: Path, put: Put) -> None:
    for name in "abc":
        put(name)
    assert rollback(home) == "b"
    assert rollback(home) == "a"
    with pytest.raises(WrongUseError, match="no version before"):
        rollback(home)
    put("d")
    assert rollback(home) == "a"  # b and c were found wanting
    assert [version.version for version in list_versions(home) if version.is_held] == ["b", "c", "d"]


def test_a_version_rolled_back_is_not_published_again(home: Path, put: Put) -> None:
    put("a")
    put("b")
    rollback(home)
    with pytest.raises(JusticeError, match="version b was rolled back") as caught:
        put("b")
    assert "justice-etl rollback b" in caught.value.next_step
    assert current_version(home) == "a"
    assert rollback(home, "b") == "b"
    assert put("b") == Published("b", is_new=False, pruned=[])
    assert not any(version.is_held for version in list_versions(home))


def test_rolling_back_to_the_current_version_changes_nothing(home: Path, put: Put) -> None:
    put("a")
    put("b")
    assert rollback(home, "b") == "b"
    assert not any(version.is_held for version in list_versions(home))


def test_versions_that_are_not_there_are_wrong_use(home: Path, put: Put) -> None:
    with pytest.raises(WrongUseError, match="no version before"):
        rollback(home)
    put("a")
    for act in (rollback, pin):
        with pytest.raises(WrongUseError, match="no version 'z'") as caught:
            act(home, "z")
        assert caught.value.next_step == "kept are: a"


def test_a_version_that_was_never_built_is_not_published(home: Path, settings: Settings) -> None:
    with pytest.raises(JusticeError, match=r"manifest\.json is missing"):
        publish(home, settings, "a")
    assert current_version(home) is None
    with pytest.raises(JusticeError, match="nothing is published"):
        warehouse_path(home)


def test_versions_are_read_only_and_the_file_keeps_its_name(home: Path, put: Put) -> None:
    put("a")
    for path in (home / "versions" / "a", *(home / "versions" / "a").iterdir()):
        assert not path.stat().st_mode & 0o222, path
        assert path.stat().st_mode & 0o044 == 0o044, path  # others may read it
    assert warehouse_path(home) == home / "current" / "warehouse.duckdb"
    assert (home / "current").readlink() == Path("versions/a")  # a home can be moved


def test_what_lies_in_the_folder_of_versions_is_no_version(home: Path, put: Put) -> None:
    put("a")
    (home / "versions" / "notes").mkdir()
    (home / "versions" / ".pruned-b").mkdir()
    write_json(home / "versions" / ".pruned-b" / "manifest.json", {})
    make_read_only(home / "versions" / ".pruned-b")
    assert _names(home) == ["a"]
    put("c")
    assert {path.name for path in (home / "versions").iterdir()} == {"a", "c", "notes", "state.json"}


# --- on the command line -------------------------------------------------------------------------------


def test_a_rollback_holds_until_the_input_changes(commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    commands.succeed(home, force_tables(tmp_path).command, ["publish"], rolling_year(tmp_path, 1).command, ["publish"])
    first, second = (version["version"] for version in commands.succeed(home, ["versions", "--json"]).json)

    outcome = commands.succeed(home, ["rollback"])
    assert outcome.out == f"Version {first} serves.\n"
    assert serving(home).version == first
    assert not commands.succeed(home, ["status", "--json"]).json["is_up_to_date"]
    shown = commands.succeed(home, ["versions"]).out.splitlines()
    assert "serves" in next(line for line in shown if first in line)
    assert "rolled back" in next(line for line in shown if second in line)

    outcome = commands.run(home, ["publish"])
    assert_readable(outcome, f"version {second} was rolled back", f"justice-etl rollback {second}", status=3)
    assert serving(home).version == first

    commands.succeed(home, rolling_year(tmp_path, 2).command, ["publish"])
    third = serving(home).version
    assert third not in (first, second)
    assert [(v["version"], v["is_held"]) for v in commands.succeed(home, ["versions", "--json"]).json] == [
        (first, False),
        (second, True),
        (third, False),
    ]
    assert commands.succeed(home, ["rollback", second]).out == f"Version {second} serves.\n"
    assert serving(home).version == second
    assert commands.run(home, ["rollback", "nonsense"]).status == WRONG_USE


def test_pins_are_shown(commands: Commands, served: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(served, tmp_path / "home", symlinks=True))
    version = serving(home).version
    assert commands.succeed(home, ["pin", version]).out == f"Version {version} is pinned.\n"
    assert [item["is_pinned"] for item in commands.succeed(home, ["versions", "--json"]).json] == [True]
    assert "serves, pinned" in commands.succeed(home, ["versions"]).out
    commands.succeed(home, ["pin", version, "--remove"])
    assert [item["is_pinned"] for item in commands.succeed(home, ["versions", "--json"]).json] == [False]
    outcome = commands.run(home, ["pin", "nonsense"])
    assert_readable(outcome, "there is no version 'nonsense'", f"kept are: {version}", status=WRONG_USE)


def test_an_empty_home_has_no_versions(commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert commands.succeed(home, ["versions", "--json"]).json == []
    assert commands.run(home, ["versions"]).status == DONE
    assert commands.run(home, ["rollback"]).status == WRONG_USE
    for command in (["build"], ["publish"]):
        assert_readable(commands.run(home, command), f"nothing was landed in {home}", status=FAILED)
