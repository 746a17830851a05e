"""Files of ours that somebody damaged or left: an error that names the file, and a next step that mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.files import remove_tree
from tests.faults.commands import FAILED, Commands, assert_readable
from tests.faults.homes import BUILD, LAND, PUBLISH, Scenario, read_tables, serving

DAMAGE = pytest.mark.parametrize("content", [b"", b"{}", b"\xff["], ids=repr)


def _damage(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def _assert_mended(commands: Commands, scenario: Scenario, home: Path) -> None:
    commands.succeed(home, ["publish"], ["status"], ["versions"], ["doctor"])
    assert serving(home) == scenario.old
    assert read_tables(home) == read_tables(scenario.before[LAND])


@DAMAGE
def test_a_damaged_manifest(content: bytes, commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path)
    manifest = home / "versions" / scenario.old.version / "manifest.json"
    _damage(manifest, content)
    for command in ("status", "versions", "build", "publish", "rollback"):
        assert_readable(commands.run(home, [command]), "/manifest.json is damaged", "remove it and run again")
        assert serving(home) == scenario.old
    commands.succeed(home, ["sql", "SELECT * FROM mart.crime_trend"])
    manifest.unlink()
    _assert_mended(commands, scenario, home)


@DAMAGE
def test_a_damaged_state(content: bytes, commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path)
    state = home / "versions" / "state.json"
    _damage(state, content)
    for command in (["versions"], ["publish"], ["rollback"], ["pin", scenario.old.version]):
        assert_readable(commands.run(home, command), f"{state} is damaged", "remove it and run again")
        assert serving(home) == scenario.old
    state.unlink()
    _assert_mended(commands, scenario, home)


@DAMAGE
def test_a_damaged_home_file(content: bytes, commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path, BUILD)
    _damage(home / "home.json", content)
    for command in (scenario.steps[0], ["status"], ["build"], ["publish"]):
        outcome = commands.run(home, command)
        assert_readable(outcome, f"{home / 'home.json'} is damaged", "remove it and run again")
    outcome = commands.run(home, ["doctor", "--json"])
    assert outcome.status == FAILED
    assert [item["name"] for item in outcome.json if not item["is_well"]] == ["Data home"]
    assert serving(home) == scenario.old
    (home / "home.json").unlink()
    commands.succeed(home, *scenario.steps)
    assert serving(home) == scenario.new


@DAMAGE
def test_a_damaged_record(content: bytes, commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path, BUILD)
    record = max((home / "landing" / "records").glob("*/rolling-years-2/*.json"))
    _damage(record, content)
    for command in (scenario.steps[0], ["status"], ["build"], ["publish"], ["verify"]):
        assert_readable(commands.run(home, command), f"{record} is damaged", "remove it and run again")
    outcome = commands.run(home, ["doctor", "--json"])
    [finding] = [item for item in outcome.json if not item["is_well"]]
    assert finding["name"] == "Landing zone"
    assert str(record) in finding["found"]
    assert serving(home) == scenario.old
    record.unlink()
    commands.succeed(home, *scenario.steps)
    assert serving(home) == scenario.new


def test_damaged_bytes_are_named_and_mended_by_landing_them_again(
    commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path, BUILD)
    blobs = {path.name: path for path in (home / "landing" / "sha256").rglob("*") if path.is_file()}
    known = {path.name for path in (scenario.before[LAND] / "landing" / "sha256").rglob("*")}
    damaged, gone = sorted(blobs.keys() - known)
    _damage(blobs[damaged], b"other bytes")
    blobs[gone].unlink()
    outcome = commands.run(home, ["verify"])
    assert outcome.status == FAILED
    assert damaged in outcome.err
    assert gone[:12] in outcome.err
    outcome = commands.run(home, ["build"])
    assert_readable(outcome, min(damaged, gone)[:12], "in the landing zone", "justice-etl verify")
    assert serving(home) == scenario.old
    commands.succeed(home, scenario.steps[0], ["verify"], ["build"], ["publish"])
    assert serving(home) == scenario.new


# --- a stray write-ahead log ---------------------------------------------------------------------------


def test_a_log_beside_the_published_warehouse(commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path)
    stray = home / "versions" / scenario.old.version / "warehouse.duckdb.wal"
    stray.write_bytes(b"\x00" * 64)
    trace = ["trace", "Kent", "homicide", "2018-03-31"]
    for command in (["sql", "SELECT 1"], trace, ["publish"]):
        assert_readable(commands.run(home, command), f"{stray} lies beside the warehouse", "remove it")
    outcome = commands.run(home, ["doctor", "--json"])
    [finding] = [item for item in outcome.json if not item["is_well"]]
    assert (finding["name"], finding["mend"]) == ("Published warehouse", "remove it")
    assert "warehouse.duckdb.wal" in finding["found"]
    stray.unlink()
    commands.succeed(home, ["sql", "SELECT 1"], trace, ["publish"], ["doctor"])


def test_a_log_beside_the_staged_warehouse(commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path, PUBLISH)
    stray = home / "staging" / scenario.new.version / "warehouse.duckdb.wal"
    stray.write_bytes(b"\x00" * 64)
    assert_readable(commands.run(home, ["publish"]), f"{stray} lies beside the warehouse", "remove it")
    assert serving(home) == scenario.old
    stray.unlink()
    commands.succeed(home, ["publish"])
    assert serving(home) == scenario.new


# --- a version that is gone ----------------------------------------------------------------------------


def test_a_link_that_leads_nowhere_is_mended_by_publishing(
    commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path)
    remove_tree(home / "versions" / scenario.old.version)
    for command in (["sql", "SELECT 1"], ["sql"], ["status"], ["trace", "Kent", "homicide", "2018-03-31"]):
        assert_readable(commands.run(home, command), str(home / "current"), "justice-etl publish")
    outcome = commands.run(home, ["doctor", "--json"])
    [finding] = [item for item in outcome.json if not item["is_well"]]
    assert finding["found"] == f"{home / 'current'} leads nowhere"
    assert "justice-etl publish" in finding["mend"]
    commands.succeed(home, ["versions"])
    _assert_mended(commands, scenario, home)


def test_a_link_that_leads_nowhere_is_mended_by_rolling_back(
    commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path, PUBLISH)
    commands.succeed(home, ["publish"])
    remove_tree(home / "versions" / scenario.new.version)
    commands.succeed(home, ["rollback"], ["status"], ["doctor"])
    assert serving(home) == scenario.old
    commands.succeed(home, ["publish"])
    assert serving(home) == scenario.new


def test_a_warehouse_that_is_gone_is_mended_by_removing_its_version(
    commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path)
    version = home / "versions" / scenario.old.version
    (version / "warehouse.duckdb").unlink()
    assert_readable(commands.run(home, ["publish"]), f"{version / 'warehouse.duckdb'} is missing", f"remove {version}")
    remove_tree(version)
    _assert_mended(commands, scenario, home)


def test_a_warehouse_that_does_not_open_is_found(commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path)
    version = home / "versions" / scenario.old.version
    _damage(version / "warehouse.duckdb", b"no database")
    outcome = commands.run(home, ["doctor", "--json"])
    [finding] = [item for item in outcome.json if not item["is_well"]]
    assert finding["name"] == "Published warehouse"
    assert f"remove {version}" in finding["mend"]
    assert_readable(commands.run(home, ["sql", "SELECT 1"]), str(version / "warehouse.duckdb"), "justice-etl doctor")
    remove_tree(version)
    _assert_mended(commands, scenario, home)
