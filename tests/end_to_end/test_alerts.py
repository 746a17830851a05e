"""Alerts from the command line: sent where a night fails or newly keeps something out, and only there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.publish import current_version
from tests.end_to_end.builders import force_tables
from tests.end_to_end.nights import MARCH, Night, make_night
from tests.faults.commands import DONE, FAILED, KEPT_OUT, WRONG_USE, Commands, assert_readable
from tests.inbox import Inbox
from tests.publishers.support import ONS

CRIME = ("--source", "recorded_crime_ons")
TOKEN = "s3cr3t-t0ken"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as running:
        yield running


@pytest.fixture
def told(inbox: Inbox) -> dict[str, str]:
    return {"JUSTICE_ALERT_URLS": inbox.url}


@pytest.fixture
def night(tmp_path: Path, commands: Commands) -> Iterator[Night]:
    with make_night(tmp_path, commands) as made:
        yield made


@pytest.fixture
def dead() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"json://127.0.0.1:{server.getsockname()[1]}/{TOKEN}"


def test_a_night_that_newly_keeps_a_file_out_tells_of_it_once(
    night: Night, inbox: Inbox, told: dict[str, str], tmp_path: Path
) -> None:
    night.put_workbook(night.workbook)
    outcome = night.run(*CRIME, **told)
    assert outcome.status == DONE, outcome.text
    assert inbox.received == []
    (tmp_path / "third").mkdir()
    night.put_workbook(force_tables(tmp_path / "third", cells={"E8": "1,2x4"}).files[0])
    assert night.run(*CRIME, "--dry-run", **told).status == DONE
    assert inbox.received == []
    outcome = night.run(*CRIME, **told)
    assert outcome.status == KEPT_OUT, outcome.text
    [received] = inbox.received
    assert received["title"] == "justice-etl refresh --source recorded_crime_ons: kept something out"
    [said] = [line for line in outcome.err.splitlines() if line.startswith("Kept out: ")]
    assert received["message"].splitlines()[0] == said
    for part in (
        "p1.xlsx (recorded_crime_ons/year-ending-march-2018), rule cell: ",
        "sheet 'Table P1', cell E8 ('1,2x4')",
        "expected a number or a marker",
        "\nWhat to do: `justice-etl quarantine`",
        f"\nVersion {current_version(night.home)}, built at ",
    ):
        assert part in received["message"]
    outcome = night.run(*CRIME, **told)
    assert outcome.status == DONE
    assert "Still kept out: " in outcome.err
    assert len(inbox.received) == 1


def test_what_is_refused_or_missed_is_told_with_its_address(night: Night, inbox: Inbox, told: dict[str, str]) -> None:
    outcome = night.run(*CRIME, **told)
    assert outcome.status == FAILED
    night.archive.put(f"{ONS}/file?uri={MARCH}/p1.xlsx", b"<html>Sorry</html>")
    outcome = night.run(*CRIME, **told)
    assert outcome.status == KEPT_OUT
    missed, refused = inbox.received
    assert (missed["type"], refused["type"]) == ("failure", "warning")
    assert missed["message"].startswith("1 of 1 files and pages could not be had, the first https://www.ons.gov.uk/")
    assert "unreachable: p1.xlsx (Year ending March 2018), https://www.ons.gov.uk/file" in missed["message"]
    assert "the next run asks again" in missed["message"]
    assert "refused: p1.xlsx (Year ending March 2018), https://www.ons.gov.uk/file" in refused["message"]
    assert "p1.xlsx is a page of HTML" in refused["message"]
    assert f"No version serves yet in {night.home}." in refused["message"]


def test_a_failed_command_tells_what_it_says_and_says_it_wherever_nobody_listens(
    commands: Commands, tmp_path: Path, inbox: Inbox, told: dict[str, str], dead: str
) -> None:
    home = tmp_path / "home"
    env = {"JUSTICE_ALERT_URLS": f"{dead}, {told['JUSTICE_ALERT_URLS']}", "JUSTICE_LOG_LEVEL": "DEBUG"}
    outcome = commands.run(home, ["publish"], env=env)
    assert outcome.status == FAILED
    assert outcome.err.startswith(f"error: nothing was landed in {home}")
    assert f"alert not sent address='address 1 ({dead.removesuffix(f'/{TOKEN}')})'" in outcome.err
    assert TOKEN not in outcome.text
    assert "Traceback" not in outcome.text
    [received] = inbox.received
    assert received["title"] == "justice-etl publish: failed"
    assert received["message"].startswith(f"nothing was landed in {home}\n\nWhat to do: land files first")


def test_a_landing_zone_that_does_not_match_is_told_file_by_file(
    commands: Commands, tmp_path: Path, inbox: Inbox, told: dict[str, str]
) -> None:
    home = tmp_path / "home"
    commands.succeed(home, force_tables(tmp_path).command)
    commands.succeed(home, ["verify"], env=told)
    [blob] = [path for path in (home / "landing" / "sha256").rglob("*") if path.is_file()]
    blob.unlink()
    assert commands.run(home, ["verify", "--json"], env=told).status == FAILED
    [received] = inbox.received
    assert received["title"] == "justice-etl verify --json: failed"
    assert "is gone: land it again" in received["message"]


def test_wrong_use_and_commands_that_somebody_watches_tell_nobody(
    commands: Commands, tmp_path: Path, inbox: Inbox, told: dict[str, str]
) -> None:
    home = tmp_path / "home"
    assert commands.run(home, ["refresh", "--since", "yesterday"], env=told).status == WRONG_USE
    assert commands.run(home, ["refresh", "--nonsense"], env=told).status == WRONG_USE
    assert commands.run(home, ["sql", "SELECT 1"], env=told).status == FAILED
    assert inbox.received == []


def test_a_test_alert_says_where_it_arrived(
    commands: Commands, tmp_path: Path, inbox: Inbox, told: dict[str, str], dead: str
) -> None:
    home = tmp_path / "home"
    outcome = commands.succeed(home, ["alert", "Hello, night shift."], env=told)
    assert outcome.out == f"✓ address 1 ({inbox.url}): it arrived\n"
    [received] = inbox.received
    assert (received["title"], received["type"]) == ("justice-etl: a test", "info")
    assert received["message"].startswith("Hello, night shift.\n\nNo version serves yet")
    outcome = commands.run(home, ["alert"], env={"JUSTICE_ALERT_URLS": f"{inbox.url} {dead}"})
    assert_readable(outcome, "did not arrive at 1 of 2 addresses")
    assert "✗ address 2 (json://127.0.0.1:" in outcome.out
    assert TOKEN not in outcome.text
    assert len(inbox.received) == 2
    assert_readable(commands.run(home, ["alert"]), "JUSTICE_ALERT_URLS", status=WRONG_USE)
    assert not home.exists()
