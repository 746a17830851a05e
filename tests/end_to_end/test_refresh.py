"""The nightly job through the command line, against a replica: what it lands, publishes, says, and exits with."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from etl.landing import land, list_releases
from etl.publish import current_version, list_versions
from etl.refresh import refresh
from etl.replica import Archive, Replica
from etl.settings import Settings
from tests.end_to_end.archives import put_real_files
from tests.end_to_end.builders import Edition
from tests.end_to_end.nights import FORCE_PAGE, MARCH, Night, list_force_tables, make_night
from tests.faults.commands import DONE, FAILED, KEPT_OUT, WRONG_USE, Commands, assert_readable
from tests.faults.homes import read_tables
from tests.publishers.support import (
    API,
    ONS,
)
from tests.support import list_files, warehouse_alone

# --- the real files --------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.timeout(600)
def test_a_refresh_makes_the_same_warehouse_as_landing_by_hand(publications: Path, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    published = put_real_files(archive, publications, tmp_path / "made")
    rolling = publications / "ons-rolling-year-crime" / "rec-crime-pfa.csv"
    changes = publications / "ons-geography" / "lad_code_changes.csv"
    homes = tmp_path / "refreshed", tmp_path / "by-hand"
    for home in homes:  # what no publisher lists
        land(home, source="recorded_crime_ons", title="Rolling years", published="2019-04-25", files=[rolling])
        land(home, source="geography", title="Code changes", published="2023-09-01", files=[changes])
    with Replica(archive) as replica:
        settings = Settings(home=homes[0], replica_url=replica.url)
        first = refresh(settings)
        again = refresh(settings)
    assert (first.failure, first.unknown) == (None, [])
    # There is no real file by Community Safety Partnership at hand, so the page of the Home Office lacks it.
    missed, *taken = sorted(first.outcomes, key=lambda outcome: outcome.state == "new")
    assert "no file is the table 'csp'" in missed.why
    assert [(outcome.state, outcome.why) for outcome in taken] == [("new", "")] * len(published)
    for edition in published:
        edition.land(homes[1])
    # What is read of a file is kept under the hash of its bytes: were those of the other home others, it is read again.
    for name in ("tidy", "checks"):
        shutil.copytree(homes[0] / name, homes[1] / name)
    with warehouse_alone():  # it is the tables that are compared
        by_hand = refresh_nothing(homes[1])
    assert first.published is not None
    assert by_hand == first.published.version
    assert read_tables(homes[0]) == read_tables(homes[1])  # every table, row for row
    assert sorted(outcome.state for outcome in again.outcomes) == ["refused"] + ["unchanged"] * len(published)
    assert again.exit_status == DONE
    assert again.published is not None
    assert not again.published.is_new


def refresh_nothing(home: Path) -> str:
    """Build and publish what is landed."""
    from etl.build import build
    from etl.publish import publish

    settings = Settings(home=home)
    return publish(home, settings, build(home, settings).version).version


# --- the command line ------------------------------------------------------------------------------------


@pytest.fixture
def night(tmp_path: Path, commands: Commands) -> Iterator[Night]:
    with make_night(tmp_path, commands) as made:
        yield made


CRIME = ("--source", "recorded_crime_ons")


def test_from_nothing_and_again(night: Night) -> None:
    night.put_workbook(night.workbook)
    outcome = night.run(*CRIME)
    assert outcome.status == DONE, outcome.text
    assert "new: recorded_crime_ons/year-ending-march-2018@1" in outcome.out
    version = current_version(night.home)
    assert f"Published version {version}." in outcome.out
    before = len(night.replica.asked)
    outcome = night.run(*CRIME)
    assert outcome.status == DONE
    assert f"Nothing new: version {version} already serves." in outcome.out
    assert [asked.status for asked in night.replica.asked[before:]] == [304] * 3
    assert all(asked.is_conditional for asked in night.replica.asked[before:])
    assert len(list_versions(night.home)) == 1


def test_json_for_machines_and_a_dry_run(night: Night) -> None:
    night.put_workbook(night.workbook)
    outcome = night.run(*CRIME, "--dry-run", "--json")
    assert outcome.status == DONE
    assert [found["state"] for found in outcome.json["outcomes"]] == ["new"]
    assert outcome.json["published"] is None
    assert not night.home.exists()
    outcome = night.run(*CRIME, "--json")
    assert outcome.json["outcomes"][0]["release_id"] == "recorded_crime_ons/year-ending-march-2018@1"
    assert outcome.json["published"]["version"] == current_version(night.home)
    before = list_files(night.home)
    assert night.run(*CRIME, "--dry-run").status == DONE
    assert list_files(night.home) == before


def test_a_corrected_workbook_serves_and_the_first_one_stays(night: Night) -> None:
    night.put_workbook(night.workbook)
    night.run(*CRIME)
    night.put_workbook(night.corrected)
    outcome = night.run(*CRIME)
    assert outcome.status == DONE, outcome.text
    assert "revised: recorded_crime_ons/year-ending-march-2018@2" in outcome.out
    assert [release.state for release in list_releases(night.home)] == ["superseded", "current"]
    query = (
        "SELECT release_id, offences FROM core.recorded_crime WHERE area_code = 'E23000014' "
        "AND offence_id = 'total_excluding_fraud' ORDER BY release_id"
    )
    answer = night.commands.succeed(night.home, ["sql", query, "--json"]).json
    assert [row["offences"] for row in answer] == [212_841, 212_842]


def test_a_page_where_a_workbook_was_is_kept_out_once_and_a_warning_then(night: Night) -> None:
    night.put_workbook(night.workbook)
    night.run(*CRIME)
    version = current_version(night.home)
    night.archive.put(f"{ONS}/file?uri={MARCH}/p1.xlsx", b"<html>Sorry</html>")
    outcome = night.run(*CRIME)
    assert outcome.status == KEPT_OUT
    assert "refused: recorded_crime_ons, Year ending March 2018 p1.xlsx: p1.xlsx is a page of HTML" in outcome.out
    assert "Traceback" not in outcome.text
    outcome = night.run(*CRIME)
    assert outcome.status == DONE
    assert "refused (as before)" in outcome.out
    assert current_version(night.home) == version
    status = night.commands.succeed(night.home, ["status"]).out
    assert f"Refused    {ONS}/file?uri={MARCH}/p1.xlsx: p1.xlsx is a page of HTML" in status


def test_a_workbook_that_fits_no_layout_lands_and_is_kept_out(night: Night, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    night.put_workbook(other)
    outcome = night.run(*CRIME)
    assert outcome.status == KEPT_OUT
    assert "Kept out: p1.xlsx (recorded_crime_ons/year-ending-march-2018), rule layout" in outcome.err
    outcome = night.run(*CRIME)
    assert outcome.status == DONE
    assert "Still kept out" in outcome.err


def test_a_publisher_that_is_down(night: Night) -> None:
    night.put_workbook(night.workbook)
    night.run(*CRIME)
    version = current_version(night.home)
    night.archive.answer(f"{ONS}{FORCE_PAGE}/data", 429, {"Retry-After": "3600"})
    outcome = night.run()
    # Robbery is 7 in the workbook and 410 in the open data: that is said, and then the one error.
    warning, _, rest = outcome.err.partition("\n")
    assert warning.startswith("Warning: rule crime_two_publications: "), outcome.err
    failed = replace(outcome, err=rest)
    assert_readable(failed, "files and pages could not be had", "the next run asks again", status=FAILED)
    assert f"unreachable: recorded_crime_ons, https://www.ons.gov.uk{FORCE_PAGE}" in outcome.out
    assert "new: recorded_crime_home_office/" in outcome.out  # the others went on
    assert current_version(night.home) not in (version, None)
    assert len(list_releases(night.home)) == 2


def test_status_says_what_is_expected_and_what_is_late(night: Night) -> None:
    night.put_workbook(night.workbook)
    list_force_tables(night.archive, following="17 July 2019")
    first, second = night.run(*CRIME), night.run(*CRIME)
    assert (first.status, second.status) == (FAILED, DONE)  # it is told once
    assert ["late: Police force area tables" in each.out for each in (first, second)] == [True, False]
    outcome = night.commands.succeed(night.home, ["status"])
    late = "Late       Police force area tables, the one after 2018-07-19: 17 July 2019 (announced)"
    assert late in outcome.out
    found = night.commands.succeed(night.home, ["status", "--json"]).json
    assert [entry["text"] for entry in found["late"]] == ["17 July 2019"]
    query = "SELECT edition, status, expected_text FROM meta.release_calendar"
    assert night.commands.succeed(night.home, ["sql", query, "--json"]).json == [
        {
            "edition": "Police force area tables, the one after 2018-07-19",
            "status": "announced",
            "expected_text": "17 July 2019",
        }
    ]
    query = (
        "SELECT observed_kind, observed_state, count(*) AS n FROM meta.observation GROUP BY ALL ORDER BY observed_kind"
    )
    assert night.commands.succeed(night.home, ["sql", query, "--json"]).json == [
        {"observed_kind": "file", "observed_state": "new", "n": 1},
        {"observed_kind": "page", "observed_state": "new", "n": 2},
    ]


@pytest.mark.parametrize(
    ("options", "env", "parts"),
    [
        (["--since", "yesterday"], {}, ["'yesterday' is no day"]),
        (["--source", "nonsense"], {}, ["there is no source 'nonsense'"]),
        ([], {"JUSTICE_REPLICA_URL": "http://192.168.0.1:80"}, ["JUSTICE_REPLICA_URL", "no address on this machine"]),
        ([], {"JUSTICE_REPLICA_URL": "http://localhost:80"}, ["JUSTICE_REPLICA_URL"]),
    ],
)
def test_wrong_use(night: Night, options: list[str], env: dict[str, str], parts: list[str]) -> None:
    assert_readable(night.run(*options, **env), *parts, status=WRONG_USE)
    assert list_releases(night.home) == []


def test_publishers_are_not_asked_without_a_contact(tmp_path: Path, commands: Commands) -> None:
    outcome = commands.run(tmp_path / "home", ["refresh"])
    assert_readable(outcome, "JUSTICE_CONTACT", status=WRONG_USE)


def test_a_run_that_asks_a_real_publisher_is_ended(tmp_path: Path, commands: Commands) -> None:
    """The rule that tests stay on this machine holds for the processes that they start."""
    outcome = commands.run(tmp_path / "home", ["refresh", *CRIME], env={"JUSTICE_CONTACT": "us@example.org"})
    assert outcome.status not in (DONE, FAILED, WRONG_USE, KEPT_OUT)
    assert "tests stay on this machine: socket.getaddrinfo www.ons.gov.uk" in outcome.err


def test_a_rolled_back_version_is_not_brought_back(night: Night) -> None:
    night.put_workbook(night.workbook)
    night.run(*CRIME)
    first = current_version(night.home)
    night.put_workbook(night.corrected)
    night.run(*CRIME)
    night.commands.succeed(night.home, ["rollback"])
    outcome = night.run(*CRIME)
    assert outcome.status == KEPT_OUT
    assert "was rolled back" in outcome.err
    assert "recorded_crime_ons │" in outcome.out  # what was found is told all the same
    assert current_version(night.home) == first


def test_a_home_that_was_filled_by_hand_is_refreshed(night: Night, commands: Commands) -> None:
    by_hand = Edition("recorded_crime_ons", "Year ending March 2018", "2018-07-19", (night.workbook,))
    commands.succeed(night.home, by_hand.command, ["build"], ["publish"])
    version = current_version(night.home)
    night.put_workbook(night.workbook)
    outcome = night.run(*CRIME)
    assert f"Nothing new: version {version} already serves." in outcome.out, outcome.text


# --- the demo --------------------------------------------------------------------------------------------


@pytest.fixture
def own_demo_home(demo_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_home, tmp_path / "demo", symlinks=True))


def test_the_demo_finds_nothing_new_the_second_time(own_demo_home: Path) -> None:
    settings = Settings(home=own_demo_home)
    with Replica(Archive.load(settings.home / "archive")) as replica:
        again = refresh(settings.model_copy(update={"replica_url": replica.url}))
    assert {outcome.state for outcome in again.outcomes} == {"unchanged"}
    assert again.published is not None
    assert not again.published.is_new
    without_validators = [asked.url for asked in replica.asked if not asked.is_conditional]
    assert {url.split("?")[0] for url in without_validators} == {"https://www.gov.uk/api/search.json"}
    assert len(without_validators) == len(set(without_validators))


def test_a_demo_home_is_refreshed_from_its_own_archive(own_demo_home: Path, commands: Commands) -> None:
    outcome = commands.run(own_demo_home, ["refresh"])
    assert outcome.status == DONE, outcome.text
    assert "Nothing new" in outcome.out


# --- the replica as a program ----------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_replica_serves_until_it_is_stopped(tmp_path: Path, stop: signal.Signals) -> None:
    archive = Archive(tmp_path / "archive")
    archive.put(f"{API}/a", b'{"a": 1}')
    archive.save()
    script = Path(sys.executable).with_name("justice-etl")
    with subprocess.Popen(
        [script, "replica", archive.folder],
        stdout=subprocess.PIPE,
        text=True,
        # A shell that starts tests in the background lets them ignore interrupts, and children with them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        match = re.fullmatch(r"JUSTICE_REPLICA_URL=(http://127\.0\.0\.1:\d+)\n", line)
        assert match, line
        answer = requests.get(f"{match[1]}/www.gov.uk/api/content/a", timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"a": 1})
        process.send_signal(stop)
        assert process.wait(timeout=30) == DONE


def test_a_folder_that_is_no_archive(tmp_path: Path, commands: Commands) -> None:
    outcome = commands.run(tmp_path / "home", ["replica", str(tmp_path)])
    assert_readable(outcome, "answers.json", status=WRONG_USE)
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
