"""The release calendar: what is late depends on the hour and on London."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from etl.publishers import Expected, Listing
from etl.publishers.ons import parse_expected
from etl.release_calendar import CalendarEntry, open_keys, read_calendar, update_calendar

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
    ("text", "expected"),
    [
        ("22 October 2026", "2026-10-22T00:00:00+01:00"),
        ("28 January 2027", "2027-01-28T00:00:00+00:00"),
        ("October 2026", "2026-10-31T00:00:00+00:00"),
        ("February 2028", "2028-02-29T00:00:00+00:00"),
        ("2026-07-22T23:00:00.000Z", "2026-07-23T00:00:00+01:00"),
        ("To be announced", None),
        ("Autumn 2026", None),
    ],
)
def test_what_ons_writes_for_the_next_release(text: str, expected: str | None) -> None:
    assert parse_expected(text) == expected


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
