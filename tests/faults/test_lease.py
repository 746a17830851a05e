"""Two runs at once: the second waits and finds nothing new, or says who holds the lease."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.end_to_end.builders import rolling_year
from tests.faults.commands import KILLED, Commands, Running, assert_readable, wait_until
from tests.faults.homes import BUILD, KEEP_ONE, Scenario, serving

IMPATIENT = KEEP_ONE | {"JUSTICE_LEASE_WAIT_SECONDS": "0"}


def _pause_in_build(commands: Commands, scenario: Scenario, home: Path, *steps: list[str]) -> tuple[Running, Path]:
    """A run that waits in the middle of its build until the file is removed."""
    waits = home.parent / "waits"
    point = {"call": "etl.models.run_model", "nth": 10, "pause": str(waits)}
    running = commands.start(home, *steps, env=KEEP_ONE, point=point)
    wait_until(waits.exists, "the build")
    return running, waits


def test_the_second_run_waits_and_finds_nothing_new(commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path, BUILD)
    first, waits = _pause_in_build(commands, scenario, home, ["publish"])
    second = commands.start(home, ["publish"], env=KEEP_ONE | {"JUSTICE_LOG_LEVEL": "INFO"})
    wait_until(lambda: "waiting for the lease" in second.err.read_text(encoding="utf-8"), "the waiting")
    assert f"process {first.pid} on {socket.gethostname()}" in second.err.read_text(encoding="utf-8")
    assert serving(home) == scenario.old
    waits.unlink()
    assert "Published version" in first.wait().out
    outcome = second.wait()
    assert outcome.status == 0
    assert f"Nothing new: version {scenario.new.version} already serves" in outcome.out
    scenario.assert_finished(home)


@pytest.mark.parametrize("command", [["build"], ["publish"], ["rollback"], ["pin", "0"]], ids=lambda words: words[0])
def test_an_impatient_run_names_the_holder(
    command: list[str], commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path, BUILD)
    first, waits = _pause_in_build(commands, scenario, home, ["build"], ["publish"])
    assert_readable(
        commands.run(home, command, env=IMPATIENT),
        f"process {first.pid} on {socket.gethostname()} (build, since ",
        str(home),
        "JUSTICE_LEASE_WAIT_SECONDS",
    )
    # Reading and landing need no lease.
    commands.succeed(home, ["sql", "SELECT 1"], ["status"], scenario.steps[0], env=IMPATIENT)
    waits.unlink()
    assert first.wait().status == 0
    scenario.assert_finished(home)


def test_a_file_landed_during_a_build_is_for_the_next_one(
    commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    home = scenario.start(tmp_path, BUILD)
    running, waits = _pause_in_build(commands, scenario, home, ["build", "--json"])
    later = rolling_year(tmp_path, 3, published="2019-07-25")
    commands.succeed(home, later.command)
    waits.unlink()
    assert running.wait().json["version"] == scenario.new.version
    commands.succeed(home, ["publish"])
    assert serving(home).releases == sorted([*scenario.new.releases, "recorded_crime_ons/rolling-years-3@1"])
    assert commands.succeed(home, ["status", "--json"]).json["is_up_to_date"]


@pytest.mark.parametrize("match", ["*/incoming/*", "*/records/*"], ids=["before the bytes", "before the records"])
def test_two_landings_of_the_same_files_at_once(
    match: str, commands: Commands, scenario: Scenario, tmp_path: Path
) -> None:
    """Landing takes no lease: whoever comes second finds the same bytes under the same name."""
    home = scenario.start(tmp_path)
    waits = tmp_path / "waits"
    point = {"event": "os.rename", "match": match, "pause": str(waits)}
    first = commands.start(home, scenario.steps[0], point=point)
    wait_until(waits.exists, "the landing")
    commands.succeed(home, scenario.steps[0])
    waits.unlink()
    assert first.wait().status == 0
    commands.succeed(home, ["verify"], *scenario.steps[1:], env=KEEP_ONE)
    scenario.assert_finished(home)


def test_the_lease_of_a_killed_run_is_free(commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    home = scenario.start(tmp_path, BUILD)
    point = {"call": "etl.models.run_model", "nth": 10}
    assert commands.run(home, ["publish"], point=point, env=KEEP_ONE).status == KILLED
    commands.succeed(home, *scenario.steps[1:], env=IMPATIENT)
    scenario.assert_finished(home)
