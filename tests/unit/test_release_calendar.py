"""The release calendar: what is late depends on the hour and on London."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from etl.errors import JusticeError
from etl.publishers import Expected, Listing, london_day
from etl.publishers.ons import parse_expected
from etl.release_calendar import CalendarEntry, read_calendar, update_calendar

CONFIRMED = CalendarEntry(
    source="proven_reoffending",
    key="/government/statistics/announcements/proven",
    title="Proven reoffending statistics: October to December 2024",
    status="confirmed",
    expected_at="2026-10-29T09:30:00+00:00",
    text="29 October 2026 9:30am",
    url="https://www.gov.uk/government/statistics/announcements/proven",
)
PAGE = "https://www.ons.gov.uk/a/datasets/b"


@pytest.mark.parametrize(
    ("status", "expected_at", "now", "is_late"),
    [
        ("confirmed", "2026-10-29T09:30:00+00:00", "2026-10-29T10:30:00+00:00", False),
        ("confirmed", "2026-10-29T09:30:00+00:00", "2026-10-29T10:30:01+00:00", True),
        # half past nine in a London summer is half past eight in UTC
        ("confirmed", "2026-07-30T09:30:00+01:00", "2026-07-30T09:29:00+00:00", False),
        ("confirmed", "2026-07-30T09:30:00+01:00", "2026-07-30T09:31:00+00:00", True),
        ("announced", "2026-07-30T00:00:00+01:00", "2026-07-30T22:59:00+00:00", False),
        ("announced", "2026-07-30T00:00:00+01:00", "2026-07-30T23:01:00+00:00", True),
        ("announced", None, "2030-01-01T00:00:00+00:00", False),
        ("cancelled", "2026-07-30T00:00:00+01:00", "2030-01-01T00:00:00+00:00", False),
        ("published", "2026-07-30T00:00:00+01:00", "2030-01-01T00:00:00+00:00", False),
    ],
)
def test_late(status: str, expected_at: str | None, now: str, is_late: bool) -> None:
    entry = replace(CONFIRMED, status=status, expected_at=expected_at)
    assert entry.is_late(datetime.fromisoformat(now)) == is_late


@pytest.mark.parametrize(
    ("text", "status", "now", "is_late"),
    [
        ("October 2026", "announced", "2026-10-02T12:00:00+01:00", False),
        ("October 2026", "announced", "2026-10-31T23:59:00+00:00", False),
        ("October 2026", "announced", "2026-11-01T00:01:00+00:00", True),
        ("October 2026 to January 2027", "announced", "2027-01-31T12:00:00+00:00", False),
        ("October 2026 to January 2027", "announced", "2027-02-01T12:00:00+00:00", True),
        ("October to November 2026", "announced", "2026-11-30T12:00:00+00:00", False),
        ("1 October 2026 9:30am", "announced", "2026-10-02T12:00:00+01:00", True),
        ("1 October 2026", "announced", "2026-10-02T12:00:00+01:00", True),
        ("September 2026", "announced", "2026-10-01T12:00:00+01:00", False),  # no sooner than its day is over
        ("October 2026", "confirmed", "2026-10-02T12:00:00+01:00", True),  # a confirmed time is a real one
        ("", "announced", "2026-10-02T12:00:00+01:00", True),
    ],
)
def test_months_are_late_when_they_are_over(text: str, status: str, now: str, is_late: bool) -> None:
    entry = replace(CONFIRMED, status=status, expected_at="2026-10-01T08:30:00+00:00", text=text)
    assert entry.is_late(datetime.fromisoformat(now)) == is_late


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Another time zone of the machine."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"], indirect=True)
def test_times_without_a_zone_are_londons_wherever_the_machine_stands() -> None:
    assert parse_expected("2026-07-22") == "2026-07-22T00:00:00+01:00"
    assert parse_expected("2026-10-22T09:30") == "2026-10-22T09:30:00+01:00"
    assert london_day("2026-07-22T00:30:00") == date(2026, 7, 22)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22 October 2026", "2026-10-22T00:00:00+01:00"),
        ("28 January 2027", "2027-01-28T00:00:00+00:00"),
        ("October 2026", "2026-10-31T00:00:00+00:00"),
        ("February 2028", "2028-02-29T00:00:00+00:00"),
        ("2026-07-22T23:00:00.000Z", "2026-07-23T00:00:00+01:00"),
        ("To be announced", None),
        ("Autumn 2026", None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+01:00", None),
    ],
)
def test_what_ons_writes_for_the_next_release(text: str, expected: str | None) -> None:
    assert parse_expected(text) == expected


def open_keys(home: Path, source: str) -> list[str]:
    return [entry.key for entry in read_calendar(home, source) if entry.is_open]


def expect(key: str, status: str = "announced", **more: str | None) -> Expected:
    given = {"title": "T", "expected_at": "2026-10-22T00:00:00+01:00", "text": "22 October 2026", "url": PAGE}
    return Expected(key=key, status=status, **given | more)


def states(home: Path) -> dict[str, str]:
    return {entry.key: entry.status for entry in read_calendar(home)}


def test_an_announcement_goes_its_way(home: Path) -> None:
    update_calendar(home, "s", Listing(expected=[expect("/a")]))
    assert open_keys(home, "s") == ["/a"]
    assert open_keys(home, "other") == []
    update_calendar(home, "s", Listing(expected=[expect("/a", "confirmed", expected_at="2026-10-22T09:30:00+01:00")]))
    update_calendar(home, "s", Listing())  # not asked this time: nothing is concluded
    assert states(home) == {"/a": "confirmed"}
    settled = expect("/a", "published", title="", expected_at=None, text="", url="https://www.gov.uk/x")
    update_calendar(home, "s", Listing(expected=[settled]))
    (entry,) = read_calendar(home)
    assert (entry.status, entry.title, entry.expected_at) == ("published", "T", "2026-10-22T09:30:00+01:00")
    assert entry.url == "https://www.gov.uk/x"
    assert open_keys(home, "s") == []


def test_a_dataset_page_speaks_of_one_release_to_come(home: Path) -> None:
    update_calendar(home, "s", Listing(expected=[expect(f"{PAGE}#1")], announcers={PAGE: f"{PAGE}#1"}))
    update_calendar(
        home, "s", Listing(expected=[expect(f"{PAGE}#1", text="29 October 2026")], announcers={PAGE: f"{PAGE}#1"})
    )
    assert [(entry.text, entry.status) for entry in read_calendar(home)] == [("29 October 2026", "announced")]
    update_calendar(home, "s", Listing(expected=[expect(f"{PAGE}#2")], announcers={PAGE: f"{PAGE}#2"}))
    assert states(home) == {f"{PAGE}#1": "published", f"{PAGE}#2": "announced"}
    update_calendar(home, "s", Listing(announcers={PAGE: f"{PAGE}#2"}))  # discontinued
    assert states(home) == {f"{PAGE}#1": "published", f"{PAGE}#2": "cancelled"}


def test_the_damaged_calendar_of_one_source_is_no_business_of_another(home: Path) -> None:
    update_calendar(home, "a", Listing(expected=[expect("/a")]))
    update_calendar(home, "b", Listing(expected=[expect("/b")]))
    (home / "landing" / "calendar" / "a.json").write_text("{", encoding="utf-8")
    assert open_keys(home, "b") == ["/b"]
    update_calendar(home, "b", Listing(expected=[expect("/b", "confirmed")]))
    with pytest.raises(JusticeError, match=r"a\.json"):
        open_keys(home, "a")
