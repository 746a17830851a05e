"""What later publications changed, and how it is put in words: `justice-etl revisions` and the release pages."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl.cells import name_key
from etl.contracts import literal
from etl.errors import JusticeError, WrongUseError
from etl.query import find_area, open_warehouse

TABLE = "mart.revision"

FIGURES = {
    "offences": "offences",
    "offenders": "offenders",
    "reoffenders": "reoffenders",
    "reoffences": "reoffences",
    "actual_percent": "actual reoffending rate",
    "predicted_percent": "predicted reoffending rate",
}
"""Every figure that can be revised, and what it is called."""

PERCENTS = ("actual_percent", "predicted_percent")
"""Figures that are percentages themselves: revised by points, which are not put beside counts."""

AGE_GROUPS = {"all": "adults and children", "adult": "adults", "child": "children"}
MEASURES = {"three_month_cohort": "three-month cohorts", "twelve_month_cohort": "twelve-month cohorts"}
SPANS = {"year": "year to", "quarter": "quarter to"}

KEY = ("table_name", "area_code", "offence_id", "measure", "age_group", "span", "period_end", "figure")
"""What makes a figure the same figure in two releases."""

IN_POINTS = f"figure IN ({', '.join(map(repr, PERCENTS))})"
"""SQL: the figure is a percentage."""

KEY_ORDER = ", ".join(f"{name} NULLS FIRST" for name in KEY)
"""SQL: the order of lines that are alike otherwise."""

_FIGURE_KEY = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in KEY)

# An area that no release revised is known all the same: by its figures.
_TABLES_OF_AREAS = (
    "mart.crime_trend",
    "mart.reoffending_trend",
    "mart.local_adult_reoffending_rank",
    TABLE,
)


@dataclass(frozen=True)
class Revision:
    """A line of `mart.revision`: a figure that a release states otherwise than the one before it that stated it.

    `revised_by` is in units of the figure (percentage points of a percentage), `revised_by_percent` in percent of the
    value before; both are None where a value is missing.
    """

    table_name: str
    area_code: str
    area_name: str
    level: str | None
    offence_id: str | None
    offence_name: str | None
    measure: str | None
    age_group: str | None
    span: str
    period_end: date
    figure: str
    value: float | None
    marker: str | None
    previous_value: float | None
    previous_marker: str | None
    revised_by: float | None
    revised_by_percent: float | None
    published_on: date
    release_id: str
    previous_release_id: str
    is_modelled: bool


COLUMNS = ", ".join(field.name for field in fields(Revision))
"""SQL: the columns of a `Revision`, in its order."""


@dataclass(frozen=True)
class Revisions:
    """Revisions that were asked for.

    Attributes:
        sentence: how many there are, and the largest, in plain words.
        figures: how many figures were revised.
        revisions_in_all: how many lines there are: more than figures, where one was revised again.
        revisions: the newest publication first, then the largest; at most as many as asked for.
    """

    sentence: str
    figures: int
    revisions_in_all: int
    revisions: list[Revision]


def read_revisions(
    home: Path,
    *,
    area: str | None = None,
    since: date | None = None,
    until: date | None = None,
    figure: str | None = None,
    offence: str | None = None,
    release: str | None = None,
    level: str | None = None,
    limit: int | None = None,
) -> Revisions:
    """The revisions in the warehouse that serves.

    Args:
        home: the data home.
        area: name or code of one area.
        since: first day of publication (London) of the release that revised.
        until: last such day.
        figure: one of FIGURES.
        offence: an offence_id or the name of an offence.
        release: the release that revised.
        level: of areas.
        limit: how many to give at the most; None for all. The sentence speaks of all.

    Raises:
        WrongUseError: no such area, figure, offence, release or level, or no day lies between since and until.
        JusticeError: nothing was published, or it was built before there was `mart.revision`.
    """
    if figure is not None and figure not in FIGURES:
        raise WrongUseError(f"there is no figure {figure!r}", f"name one of: {', '.join(FIGURES)}")
    if since and until and since > until:
        raise WrongUseError(f"no day is both since {since} and until {until}", "swap them")
    with open_warehouse(home) as connection:
        _refuse_older(connection)
        of_level = _check_level(connection, level) if level else None
        area_code, area_name = _find_area(connection, area, of_level) if area else (None, None)
        offence_id, offence_name = _find_offence(connection, offence) if offence else (None, None)
        chosen: dict[str, Any] = {
            "since": since,
            "until": until,
            "figure": figure,
            # Which area is meant is settled; a line gives one level of it.
            "level": None if area else of_level,
            "area_code": area_code,
            "offence_id": offence_id,
            "release_id": _check_release(connection, release) if release else None,
        }
        where, values = _make_condition(chosen)
        found = _fetch(connection, f"WHERE {where} ORDER BY {_NEWEST_FIRST}", values, limit)
        largest = _fetch(connection, f"WHERE {where} ORDER BY {_LARGEST_FIRST}", values, 1)
        counted = connection.execute(
            f"SELECT count(DISTINCT concat_ws(chr(31), {_FIGURE_KEY})), count(*) FROM {TABLE} WHERE {where}", values
        ).fetchone()
    figures, in_all = counted or (0, 0)
    sentence = _summarise(_name_subject(chosen, offence_name, area_name), _name_time(chosen), figures, in_all, largest)
    return Revisions(sentence, figures, in_all, found)


_NEWEST_FIRST = f"published_on DESC, abs(revised_by) DESC NULLS LAST, {KEY_ORDER}, release_id"
# Counts before percentages: 400 offences and 4 points are not of one size.
_LARGEST_FIRST = f"{IN_POINTS}, abs(revised_by) DESC NULLS LAST, published_on DESC, {KEY_ORDER}, release_id"

_CONDITIONS = {"since": "published_on >= $since", "until": "published_on <= $until"}


def _make_condition(chosen: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """SQL of what was chosen, and its parameters."""
    values = {name: value for name, value in chosen.items() if value is not None}
    return " AND ".join(_CONDITIONS.get(name, f"{name} = ${name}") for name in values) or "TRUE", values


def _fetch(
    connection: duckdb.DuckDBPyConnection, rest: str, values: dict[str, Any], limit: int | None
) -> list[Revision]:
    cut = "" if limit is None else f" LIMIT {limit}"
    return fetch_revisions(connection, f"SELECT {COLUMNS} FROM {TABLE} {rest}{cut}", values)


def fetch_revisions(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any] | None = None
) -> list[Revision]:
    """The lines of a query that gives COLUMNS."""
    return [Revision(*row) for row in connection.execute(query, values or {}).fetchall()]


def _has_table(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    schema, name = table.split(".")
    query = "SELECT count(*) FROM information_schema.tables WHERE table_schema = $schema AND table_name = $name"
    row = connection.execute(query, {"schema": schema, "name": name}).fetchone()
    return bool(row and row[0])


def _refuse_older(connection: duckdb.DuckDBPyConnection) -> None:
    if not _has_table(connection, TABLE):
        raise JusticeError(f"the warehouse that serves holds no {TABLE}", "make one that does: justice-etl publish")


def _list_areas(connection: duckdb.DuckDBPyConnection) -> str:
    """SQL of every area that has figures, with its levels."""
    held = [table for table in _TABLES_OF_AREAS if _has_table(connection, table)]
    selects = (f"SELECT area_code, area_name, level FROM {table}" for table in held)
    return f"({' UNION '.join(selects)})"


def _check_level(connection: duckdb.DuckDBPyConnection, level: str) -> str:
    query = f"SELECT DISTINCT level FROM {_list_areas(connection)} WHERE level IS NOT NULL ORDER BY level"
    levels = [row[0] for row in connection.execute(query).fetchall()]
    if level not in levels:
        raise WrongUseError(f"there is no level {level!r}", f"name one of: {', '.join(levels)}")
    return level


def _find_area(connection: duckdb.DuckDBPyConnection, area: str, level: str | None) -> tuple[str, str]:
    """Code and name of an area, each code once: one code may be of two levels."""
    of_level = "TRUE" if level is None else f"level = {literal(level)}"
    areas = (
        "(SELECT area_code, min(area_name) AS area_name, min(level) AS level "
        f"FROM {_list_areas(connection)} WHERE {of_level} GROUP BY area_code)"
    )
    code = find_area(connection, area, None, areas)
    row = connection.execute(f"SELECT area_name FROM {areas} WHERE area_code = $code", {"code": code}).fetchone()
    return code, str(row[0]) if row else code


def _find_offence(connection: duckdb.DuckDBPyConnection, offence: str) -> tuple[str, str]:
    """Id and name of an offence that is given by either."""
    rows = connection.execute("SELECT offence_id, name FROM ref.offence ORDER BY offence_id").fetchall()
    found = [row for row in rows if row[0] == offence] or [row for row in rows if name_key(row[1]) == name_key(offence)]
    if len(found) == 1:
        return str(found[0][0]), str(found[0][1])
    if found:
        ids = ", ".join(row[0] for row in found)
        raise WrongUseError(f"several offences are called {offence!r}", f"name one of: {ids}")
    near = [row[0] for row in rows if name_key(offence) in name_key(row[1])][:5]
    near = near or difflib.get_close_matches(offence, [row[0] for row in rows], 5)
    raise WrongUseError(
        f"there is no offence {offence!r}", f"near it: {', '.join(near)}" if near else "SELECT * FROM ref.offence"
    )


def _check_release(connection: duckdb.DuckDBPyConnection, release: str) -> str:
    held = [row[0] for row in connection.execute("SELECT release_id FROM meta.release ORDER BY release_id").fetchall()]
    if release not in held:
        near = [name for name in held if release in name][:5] or difflib.get_close_matches(release, held, 5)
        raise WrongUseError(
            f"there is no release {release!r}", f"near it: {', '.join(near)}" if near else "SELECT * FROM meta.release"
        )
    return release


# --- In words


def format_day(day: date) -> str:
    """A day as people write it: `19 July 2018`."""
    return f"{day.day} {day:%B %Y}"


def describe_figure(revision: Revision) -> str:
    """What is counted, without area and period: an offence, or reoffenders of an age and a measure."""
    if revision.table_name == "recorded_crime":
        return revision.offence_name or revision.offence_id or FIGURES["offences"]
    name = FIGURES[revision.figure]
    if revision.table_name == "reoffending":
        ages = AGE_GROUPS.get(revision.age_group or "", revision.age_group)
        return f"{name}, {ages}, {MEASURES.get(revision.measure or '', revision.measure)}"
    return f"{name}, local adult reoffending"


def describe_period(revision: Revision) -> str:
    """The period or cohort: `year to 31 March 2018`."""
    return f"{SPANS.get(revision.span, f'{revision.span} to')} {format_day(revision.period_end)}"


def format_figure(value: float | None, marker: str | None, figure: str) -> str:
    """A figure as it was stated: its number, its marker, or both: `1,204`, `[c]`, `31.2% [r]`."""
    number = "" if value is None else f"{_format_number(value)}{'%' if figure in PERCENTS else ''}"
    return " ".join(filter(None, [number, marker])) or "–"


def format_before(revision: Revision) -> str:
    """What the release before stated."""
    return format_figure(revision.previous_value, revision.previous_marker, revision.figure)


def format_after(revision: Revision) -> str:
    """What the release that revised states."""
    return format_figure(revision.value, revision.marker, revision.figure)


def format_change(revision: Revision) -> str:
    """By how much, with its sign; what became of it, where one of the two is no number."""
    if revision.revised_by is None:
        return "lost its number" if revision.value is None else "gained its number"
    return f"{_sign(revision.revised_by)}{' points' if revision.figure in PERCENTS else ''}"


def format_percent(revision: Revision) -> str:
    """By how much, in percent of the value before, with its sign; a dash where there is none."""
    percent = revision.revised_by_percent
    if percent is None or percent == 0:
        return "–"
    if abs(percent) < 0.01:
        return f"under {'+' if percent > 0 else '−'}0.01%"
    return f"{_sign(percent)}%"


def _sign(number: float) -> str:
    return f"{'+' if number > 0 else '−'}{_format_number(abs(number))}"


def _format_number(number: float) -> str:
    """Thousands separated, at most two decimal places."""
    text = f"{number:,.2f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


def describe_revision(revision: Revision) -> str:
    """One revision in words, with its area."""
    change = format_change(revision)
    percent = format_percent(revision)
    size = f"{change}, {percent}" if percent != "–" else change
    return (
        f"{describe_figure(revision)}, {revision.area_name}, {describe_period(revision)}: "
        f"{format_before(revision)} became {format_after(revision)} ({size}), "
        f"published on {format_day(revision.published_on)}"
    )


def _name_subject(chosen: dict[str, Any], offence: str | None, area: str | None) -> str:
    """Figures of what were asked for."""
    parts = [
        f"called {chosen['figure']}" if chosen["figure"] else "",
        f"of {offence}" if offence else "",
        f"{'in' if offence else 'of'} {area}" if area else "",
        f"at level {chosen['level']}" if chosen["level"] else "",
    ]
    return " ".join(filter(None, parts))


def _name_time(chosen: dict[str, Any]) -> str:
    """By which release, or when, they were revised."""
    parts = [
        f"by {chosen['release_id']}" if chosen["release_id"] else "",
        f"since {format_day(chosen['since'])}" if chosen["since"] else "",
        f"until {format_day(chosen['until'])}" if chosen["until"] else "",
    ]
    return " ".join(filter(None, parts))


def _summarise(subject: str, time: str, figures: int, in_all: int, largest: list[Revision]) -> str:
    """How many figures were revised, and the largest revision."""
    if not largest:
        return " ".join(filter(None, ["No figure", subject, "was revised", time])) + "."
    count, were = (f"{figures:,} figures", "were") if figures > 1 else ("1 figure", "was")
    told = " ".join(filter(None, [count, subject, were, "revised", time]))
    again = f", {in_all:,} times in all" if in_all > figures else ""
    only = "it is" if in_all == 1 else "the largest is"
    return f"{told}{again}; {only} {describe_revision(largest[0])}."
