"""The release calendar: what publishers announce, and what became of it. `landing/calendar/<source>.json`.

What is late depends on the hour: it is worked out when asked, never stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from etl.cells import parse_cohort, parse_day, parse_period_end
from etl.files import read_object, write_json
from etl.landing import LONDON
from etl.publishers import CalendarStatus, Expected, Listing

_OPEN = ("announced", "confirmed")
_GRACE = timedelta(hours=1)
"""How long after a confirmed time a release may take to appear."""


@dataclass(frozen=True)
class CalendarEntry:
    """A release that was announced. `expected_at` is ISO 8601; only a confirmed one is a real time of day."""

    source: str
    key: str
    title: str
    status: CalendarStatus
    expected_at: str | None
    text: str
    url: str

    @property
    def is_open(self) -> bool:
        """Whether it is still to come."""
        return self.status in _OPEN

    @property
    def london_day(self) -> date:
        """The London day on which it is expected; the last of all where none is named."""
        return datetime.fromisoformat(self.expected_at).astimezone(LONDON).date() if self.expected_at else date.max

    @property
    def late_sentence(self) -> str:
        """What to say where it is late."""
        return f"late: {self.title} ({self.source}), expected {self.text or self.expected_at}: {self.url}"

    def is_late(self, now: datetime) -> bool:
        """Whether it should have appeared: an hour after a confirmed time, or when what was announced is over.

        What is announced may be a day, a month (`October 2026`) or several (`January to March 2027`).
        """
        if not self.is_open or self.expected_at is None:
            return False
        expected = datetime.fromisoformat(self.expected_at).astimezone(LONDON)
        if self.status == "confirmed":
            return now > expected + _GRACE
        return now.astimezone(LONDON).date() > max(expected.date(), _last_day(self.text) or expected.date())


def _last_day(text: str) -> date | None:
    """The last day of the month or months that a text names; None where it names a day, or neither."""
    if parse_day(text):
        return None
    months = parse_cohort(text)
    return months.end if months else parse_period_end(text)


def read_calendar(home: Path, source: str = "*") -> list[CalendarEntry]:
    """The calendar of all sources, or of one, by source, day and key."""
    paths = sorted((home / "landing" / "calendar").glob(f"{source}.json"))
    entries = [CalendarEntry(**entry) for path in paths for entry in read_object(path, "entries")["entries"]]
    return sorted(entries, key=lambda entry: (entry.source, entry.expected_at or "9999", entry.key))


def update_calendar(home: Path, source: str, listing: Listing) -> None:
    """Take over what a source's publishers announce now."""
    before = {entry.key: entry for entry in read_calendar(home, source)}
    after = before | dict(_merge(source, before, listing.expected))
    for key, entry in before.items():
        if entry.is_open and key not in {e.key for e in listing.expected} and entry.url in listing.announcers:
            # A dataset page speaks of one release to come. It is out where the page is past it.
            is_past = listing.announcers[entry.url] != key
            after[key] = replace(entry, status="published" if is_past else "cancelled")
    if after != before:
        entries = [asdict(after[key]) for key in sorted(after)]
        write_json(home / "landing" / "calendar" / f"{source}.json", {"entries": entries})


def _merge(
    source: str, before: dict[str, CalendarEntry], expected: list[Expected]
) -> Iterator[tuple[str, CalendarEntry]]:
    for each in expected:
        known = before.get(each.key)
        yield (
            each.key,
            CalendarEntry(
                source=source,
                key=each.key,
                # What settles an announcement says only how it ended.
                title=each.title or (known.title if known else each.key),
                status=each.status,
                expected_at=each.expected_at or (known.expected_at if known else None),
                text=each.text or (known.text if known else ""),
                url=each.url,
            ),
        )
