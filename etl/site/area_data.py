"""What is held of every area, read at once: figures, ranks, places and what later releases revised.

Each table is read by one query and told apart by area here, so that a page costs no query.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from etl import revisions
from etl.revisions import Revision
from etl.site.area_places import Place, Turn, read_whereabouts
from etl.site.directory import Directory
from etl.site.frame import Row, fetch

AGES = ("all", "adult", "child")
"""The age groups, in the order in which they are shown."""

MEASURES = ("three_month_cohort", "twelve_month_cohort")
"""The measures of reoffending, the present one first; they never share a series."""

LATEST = 5
"""How many of the latest revisions are shown of an area."""


@dataclass
class Held:
    """Everything held of one area; lines are those of their tables, oldest first.

    Attributes:
        crime: the years of the total, excluding fraud where that is held.
        groups: the groups of offences in the newest year that has any number of them.
        reoffending: annual cohorts, with `rate_low_percent` and `rate_high_percent`.
        parents, children: where it lies, the nearest first, and what lies in it.
        revised_figures, revised_times: how many figures later releases revised, and how often in all.
        largest: the largest revision of a count, else of a percentage.
        latest: the last revisions, the newest first.
    """

    crime: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    reoffending: list[Row] = field(default_factory=list)
    crime_ranks: list[Row] = field(default_factory=list)
    reoffending_ranks: list[Row] = field(default_factory=list)
    local_adult: list[Row] = field(default_factory=list)
    parents: list[Place] = field(default_factory=list)
    children: list[Place] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    revised_figures: int = 0
    revised_times: int = 0
    largest: Revision | None = None
    latest: list[Revision] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether it is told how the area ended."""
        return any(turn.is_end for turn in self.turns)

    @property
    def is_modelled(self) -> bool:
        """Whether any figure of it is a modelled sample."""
        lists = (self.crime, self.groups, self.reoffending, self.crime_ranks, self.reoffending_ranks, self.local_adult)
        is_revised = any(revision.is_modelled for revision in (*self.latest, *filter(None, [self.largest])))
        return is_revised or any(row["is_modelled"] for rows in lists for row in rows)


_TOTALS = """
    SELECT * FROM mart.crime_trend
    WHERE span = 'year' AND period_end IS NOT NULL
        AND offence_id IN ('total_excluding_fraud', 'total_including_fraud')
    ORDER BY area_code, offence_id, period_end
"""

_GROUPS = """
    SELECT trend.*
    FROM mart.crime_trend AS trend
    JOIN ref.offence AS offence ON offence.offence_id = trend.offence_id AND offence.level = 'group'
    WHERE trend.span = 'year'
    QUALIFY trend.period_end = coalesce(
        max(trend.period_end) FILTER (WHERE trend.offences IS NOT NULL) OVER (PARTITION BY trend.area_code),
        max(trend.period_end) OVER (PARTITION BY trend.area_code)
    )
    ORDER BY trend.area_code, trend.offence_name, trend.offence_id
"""

_REOFFENDING = """
    SELECT * FROM mart.reoffending_trend
    WHERE span = 'year' AND cohort_end IS NOT NULL
    ORDER BY area_code, measure, age_group, cohort_end
"""

_REOFFENDING_RANKS = """
    SELECT * FROM mart.reoffending_rank
    WHERE span = 'year'
    ORDER BY area_code, level, measure, age_group, cohort_end
"""

_CRIME_RANKS = """
    SELECT * FROM mart.crime_rank
    WHERE offence_id IN ('total_excluding_fraud', 'total_including_fraud')
    ORDER BY area_code, level, offence_id, period_end
"""

_LOCAL_ADULT = "SELECT * FROM mart.local_adult_reoffending_rank ORDER BY area_code, period_end"

_REVISED = f"""
    SELECT area_code, count(DISTINCT ({", ".join(revisions.KEY)})) AS figures, count(*) AS times
    FROM {revisions.TABLE} GROUP BY area_code ORDER BY area_code
"""

_LARGEST = f"""
    SELECT {revisions.COLUMNS} FROM {revisions.TABLE} WHERE revised_by IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY area_code
        ORDER BY {revisions.IN_POINTS}, abs(revised_by) DESC, published_on DESC, {revisions.KEY_ORDER}, release_id
    ) = 1
    ORDER BY area_code
"""

_LATEST_PLACE = f"""
    row_number() OVER (
        PARTITION BY area_code
        ORDER BY published_on DESC, abs(revised_by) DESC NULLS LAST, {revisions.KEY_ORDER}, release_id
    )
"""

_LATEST = f"""
    SELECT {revisions.COLUMNS} FROM {revisions.TABLE}
    QUALIFY {_LATEST_PLACE} <= {LATEST}
    ORDER BY area_code, {_LATEST_PLACE}
"""


def read_held(connection: duckdb.DuckDBPyConnection, directory: Directory) -> dict[str, Held]:
    """What is held of each area that has a page, by its code.

    Args:
        connection: the warehouse, open for reading.
        directory: the areas that have pages.
    """
    held = {code: Held() for code in directory.areas}
    for code, rows in _by_area(fetch(connection, _TOTALS)).items():
        held[code].crime = choose_total(rows)
    for code, rows in _by_area(fetch(connection, _GROUPS)).items():
        held[code].groups = rows
    for code, rows in _by_area(add_intervals(fetch(connection, _REOFFENDING))).items():
        held[code].reoffending = rows
    ranks = {"crime_ranks": _CRIME_RANKS, "reoffending_ranks": _REOFFENDING_RANKS, "local_adult": _LOCAL_ADULT}
    for name, query in ranks.items():
        for code, rows in _by_area(fetch(connection, query)).items():
            if code in held:
                setattr(held[code], name, rows)
    where = read_whereabouts(connection, directory)
    for code, of in held.items():
        of.parents, of.children = where.parents.get(code, []), where.children.get(code, [])
        of.turns = where.turns.get(code, [])
    _add_revisions(connection, held)
    return held


def _by_area(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["area_code"]].append(row)
    return found


def choose_total(rows: list[Row]) -> list[Row]:
    """The years of the total of an area: excluding fraud where any such number is held, else including it."""
    for offence_id in ("total_excluding_fraud", "total_including_fraud"):
        of = [row for row in rows if row["offence_id"] == offence_id]
        if any(row["offences"] is not None for row in of):
            return of
    return [row for row in rows if row["offence_id"] == rows[0]["offence_id"]]


def add_intervals(rows: list[Row]) -> list[Row]:
    """Reoffending with Wilson's 95% interval of each rate, as rankings have it: on offenders / design_effect."""
    if not rows:
        return rows
    # Imported where it is needed: statsmodels takes longer to load than a small site to write.
    from etl.ranking import wilson_interval

    effects = [row["design_effect"] or 1.0 for row in rows]
    events = [_divide(row["reoffenders"], effect) for row, effect in zip(rows, effects, strict=True)]
    trials = [_divide(row["offenders"], effect) for row, effect in zip(rows, effects, strict=True)]
    lows, highs = wilson_interval(events, trials)
    return [
        row | {"rate_low_percent": _as_percent(low), "rate_high_percent": _as_percent(high)}
        for row, low, high in zip(rows, lows.tolist(), highs.tolist(), strict=True)
    ]


def _divide(count: int | None, effect: float) -> float:
    return math.nan if count is None else count / effect


def _as_percent(share: float) -> float | None:
    return None if math.isnan(share) else 100 * share


def _add_revisions(connection: duckdb.DuckDBPyConnection, held: dict[str, Held]) -> None:
    for row in fetch(connection, _REVISED):
        if of := held.get(row["area_code"]):
            of.revised_figures, of.revised_times = row["figures"], row["times"]
    for revision in revisions.fetch_revisions(connection, _LARGEST):
        if of := held.get(revision.area_code):
            of.largest = revision
    for revision in revisions.fetch_revisions(connection, _LATEST):
        if of := held.get(revision.area_code):
            of.latest.append(revision)
