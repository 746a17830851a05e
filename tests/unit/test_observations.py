"""Observations only grow and survive a kill; what was seen last may be lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from etl.http import Validators
from etl.observations import Observation, ObservationLog, Seen, SeenAddresses, last_asked, new_run_id, read_observations

FIRST = Observation(
    run_id="2026-11-23T010000-1",
    observed_at="2026-11-23T01:00:01+00:00",
    source="population",
    edition="mid-2024",
    title="Mid-2024",
    what="file",
    state="new",
    requested_url="https://www.ons.gov.uk/file?uri=/a.xlsx",
    redirects=("https://www.ons.gov.uk/file?uri=/b.xlsx",),
    status=200,
    sha256="ab" * 32,
)
URL = "https://www.ons.gov.uk/a/data"


def test_observations_come_back_as_they_were_run_after_run(home: Path) -> None:
    later = replace(FIRST, run_id="2026-12-01T010000-1", state="unchanged", status=304)
    ObservationLog(home, later.run_id).add(later)
    log = ObservationLog(home, FIRST.run_id)
    log.add(FIRST)
    log.add(replace(FIRST, title="Zweitens – “2”"))
    assert [each.title for each in read_observations(home)] == ["Mid-2024", "Zweitens – “2”", "Mid-2024"]
    assert next(read_observations(home)) == FIRST
    assert list(read_observations(home))[2] == later


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\n"])
def test_a_title_with_an_odd_line_break_is_no_torn_line(home: Path, caplog: pytest.LogCaptureFixture, odd: str) -> None:
    kept = replace(FIRST, title=f"Mid{odd}2024")
    ObservationLog(home, FIRST.run_id).add(kept)
    assert list(read_observations(home)) == [kept]
    assert "torn" not in caplog.text


def test_the_torn_line_of_a_killed_run_is_left_out(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = ObservationLog(home, FIRST.run_id)
    log.add(FIRST)
    (path,) = (home / "landing" / "observations").rglob("*.jsonl")
    with path.open("a", encoding="utf-8") as file:
        file.write('{"run_id": "2026-11-')
    assert list(read_observations(home)) == [FIRST]
    assert "torn" in caplog.text


def test_a_field_that_came_later_may_be_missing_and_one_that_went_may_be_there(home: Path) -> None:
    log = ObservationLog(home, FIRST.run_id)
    log.add(FIRST)
    (path,) = (home / "landing" / "observations").rglob("*.jsonl")
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["attempts"]
    path.write_text(json.dumps(content | {"formerly": 1}) + "\n", encoding="utf-8")
    assert list(read_observations(home)) == [FIRST]


def test_runs_are_kept_by_month_and_in_order_of_time(home: Path) -> None:
    assert last_asked(home) is None
    run_id = new_run_id()
    ObservationLog(home, run_id).add(FIRST)
    assert (home / "landing" / "observations" / run_id[:7] / f"{run_id}.jsonl").exists()
    assert last_asked(home) is not None


def test_what_was_seen_is_kept_address_by_address(home: Path) -> None:
    seen = SeenAddresses(home, "population")
    assert seen.get(URL) == Seen(URL)
    assert not seen.get(URL).validators
    seen.update(URL, etag='"1"')
    seen.update(URL, sha256="cd")
    seen.update("https://www.ons.gov.uk/b/data", refused="a page")
    again = SeenAddresses(home, "population")
    assert again.get(URL) == Seen(URL, etag='"1"', sha256="cd")
    assert again.get(URL).validators == Validators('"1"', None)
    assert [each.url[-6:] for each in again] == ["a/data", "b/data"]
    assert list(SeenAddresses(home, "geography")) == []


def test_what_did_not_change_is_not_written_again(home: Path) -> None:
    seen = SeenAddresses(home, "population")
    seen.update(URL, etag='"1"')
    (path,) = (home / "landing" / "seen" / "population").glob("*.json")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    seen.update(URL, etag='"1"')
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize("content", ["{", "[]", "", '{"etag": null}'])
def test_a_damaged_address_was_never_asked(home: Path, caplog: pytest.LogCaptureFixture, content: str) -> None:
    seen = SeenAddresses(home, "population")
    seen.update(URL, etag='"1"')
    (path,) = (home / "landing" / "seen" / "population").glob("*.json")
    path.write_text(content, encoding="utf-8")
    seen.update("https://www.ons.gov.uk/b/data", etag='"2"')
    again = SeenAddresses(home, "population")
    assert again.get(URL) == Seen(URL)
    assert again.get("https://www.ons.gov.uk/b/data").etag == '"2"'
    assert "a seen address is damaged" in caplog.text
    again.update(URL, etag='"3"')
    assert SeenAddresses(home, "population").get(URL).etag == '"3"'
