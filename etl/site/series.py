"""The line of a chart: where it is cut, what is marked on it, and what can be said of it.

A line joins only what may be compared, and what is said of it compares nothing else: its highest and lowest figures,
and where it begins and ends, are those of one part that is not cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from etl.revisions import format_day

Row = Mapping[str, Any]

Breaks = Mapping[str, Row]
"""Lines of ref.series_break by their id."""


@dataclass(frozen=True)
class Columns:
    """The columns of a series: the first and last day of a period, and the figure."""

    start: str
    end: str
    value: str


CRIME = Columns("period_start", "period_end", "offences")
REOFFENDING = Columns("cohort_start", "cohort_end", "rate_percent")

_LONGEST_GAP = timedelta(days=366)
_YEAR = timedelta(days=365)

_APART = frozenset({"coverage_changed", "boundary", "split"})
"""Reasons that part a figure from the one before it."""

_OF_BREAKS = frozenset({"measure_break", "classification", "missing_period"})
"""Reasons that name a break: where it is known, its days say between which figures it lies."""


def list_break_ids(rows: Iterable[Row]) -> list[str]:
    """The breaks that touch any of the lines, each once, sorted."""
    return sorted({name.strip() for row in rows for name in (row["break_ids"] or "").split(";") if name.strip()})


def tell_days(found: Row) -> str:
    """When a break was: `from 1 April 2017`, or from one day to another."""
    first = format_day(found["start_date"])
    return f"{first} to {format_day(found['end_date'])}" if found["end_date"] else f"from {first}"


# --- Where a line is cut


def make_segments(rows: Sequence[Row], breaks: Breaks, columns: Columns = CRIME) -> list[dict[str, Any]]:
    """The figures of one series as a chart joins them: `end` (ISO day), `value` and `segment`, counted from 1.

    A line is cut where a figure is missing, where two years lie more than a year apart, at a break across which nothing
    is compared, and where what is counted became another area or the forces that record fraud changed.

    Args:
        rows: years of one series, in order of time.
        breaks: breaks by id.
        columns: of the series.
    """
    found = _part(rows, breaks, columns)
    return [
        {"end": row[columns.end].isoformat(), "value": row[columns.value], "segment": segment}
        for segment, part in enumerate(found, 1)
        for row in part
    ]


def _part(rows: Sequence[Row], breaks: Breaks, columns: Columns) -> list[list[Row]]:
    """The lines that have a figure, in parts that hold nothing but what may be compared."""
    cutting = [found for found in _find_breaks(rows, breaks) if found["action"] == "null"]
    parts: list[list[Row]] = []
    before: Row | None = None
    for row in rows:
        if row[columns.value] is None:
            before = None
            continue
        if before is None or _is_cut(before, row, cutting, columns):
            parts.append([])
        parts[-1].append(row)
        before = row
    return parts


def _find_breaks(rows: Iterable[Row], breaks: Breaks) -> list[Row]:
    return [breaks[name] for name in list_break_ids(rows) if name in breaks and breaks[name]["start_date"]]


def _is_cut(before: Row, row: Row, cutting: Sequence[Row], columns: Columns) -> bool:
    if row[columns.end] - before[columns.end] > _LONGEST_GAP or row["reason"] in _APART:
        return True
    if row["reason"] in _OF_BREAKS and not {found["break_id"] for found in cutting} & set(list_break_ids([row])):
        return True
    return any(_are_apart(before, row, found, columns) for found in cutting)


def _are_apart(before: Row, row: Row, found: Row, columns: Columns) -> bool:
    """Whether a break lies between two years; one that holds the break is apart from both of its neighbours.

    Years that all leave out the same force may be joined; not where nobody knows when it came back.
    """
    sides = _find_side(before, found, columns), _find_side(row, found, columns)
    are_alike = found["kind"] == "missing" and found["end_date"] is not None
    return sides[0] != sides[1] or (sides[0] == 1 and not are_alike)


def _find_side(row: Row, found: Row, columns: Columns) -> int:
    """0 of a year before a break, 1 of one that it lies in, 2 of one after it."""
    last: date = row[columns.end]
    first: date = row.get(columns.start) or last - _YEAR
    if last < found["start_date"]:
        return 0
    if found["kind"] == "missing":
        return 2 if found["end_date"] is not None and first > found["end_date"] else 1
    return 2 if first >= found["start_date"] else 1


# --- What is marked on it


def mark_breaks(rows: Sequence[Row], breaks: Breaks, columns: Columns = CRIME) -> list[Row]:
    """The breaks that begin between the first and the last figure of a series and change what it says, oldest first.

    Left out is what has no effect on figures, and the day on which three-month cohorts took the place of others: their
    own series reaches back before it.
    """
    ends = [row[columns.end] for row in rows if row[columns.value] is not None]
    is_three_month = any(row.get("measure") == "three_month_cohort" for row in rows)
    marked = [
        found
        for found in _find_breaks(rows, breaks)
        if ends
        and ends[0] < found["start_date"] <= ends[-1]
        and found["effect"] != "none"
        and not (is_three_month and (found["kind"], found["action"]) == ("measure", "annotate"))
    ]
    return sorted(marked, key=lambda found: (found["start_date"], found["break_id"]))


def tell_marks(marked: Sequence[Row]) -> str:
    """What the dashed lines of a chart stand for, after a blank; empty without any."""
    days = list(dict.fromkeys(format_day(found["start_date"]) for found in marked))
    if not days:
        return ""
    lines = "A dashed line marks" if len(days) == 1 else f"{len(days)} dashed lines mark"
    return f" {lines} what must be known of the series: {', '.join(days)}."


# --- What can be said of it


def tell_line(
    rows: Sequence[Row],
    breaks: Breaks,
    columns: Columns,
    write: Callable[[float], str],
    name: Callable[[Row], str],
) -> str:
    """What can be seen in a line, comparing only what may be compared; empty without a figure.

    Told are the part that has the most figures and, where that is another one, the newest.

    Args:
        rows: years of one series, in order of time.
        breaks: breaks by id.
        columns: of the series.
        write: a figure with its unit.
        name: the period of a line, which goes on after "in the".
    """
    parts = _part(rows, breaks, columns)
    if not parts:
        return ""
    longest, newest = max(reversed(parts), key=len), parts[-1]
    told = f"{_tell_part(longest, columns, write, name)}."
    told = f"{told[0].upper()}{told[1:]}"
    if len(parts) == 1:
        return told
    if longest is not newest and len(newest) == 1:
        told += f" {_tell_part(newest, columns, write, name)}, the newest, is not compared with any before it."
    elif longest is not newest:
        told += f" After that, {_tell_part(newest, columns, write, name)}: not compared with what was before."
    else:
        told += f" No figure before that is compared with {'these' if len(newest) > 1 else 'it'}."
    cuts = {2: "once", 3: "twice"}.get(len(parts), f"{len(parts) - 1} times")
    return f"{told} The line is cut {cuts}, where figures are missing or may not be compared."


def _tell_part(part: Sequence[Row], columns: Columns, write: Callable[[float], str], name: Callable[[Row], str]) -> str:
    """A part that is not cut: where it begins and ends, its height and depth; of a single figure only that."""
    first, last = (f"{write(row[columns.value])} in the {name(row)}" for row in (part[0], part[-1]))
    if len(part) == 1:
        return last
    by_size = sorted(part, key=lambda row: (row[columns.value], row[columns.end]))
    lowest, highest = (f"{write(row[columns.value])} ({name(row)})" for row in (by_size[0], by_size[-1]))
    return f"from {first} to {last}; highest {highest}, lowest {lowest}"
