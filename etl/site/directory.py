"""Which areas, offences and rankings have a page, so that any page can lead to theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from etl.rank_words import KINDS

LEVEL_ORDER = ("country", "region", "police_force", "upper_tier", "lower_tier", "csp", "other")


@dataclass(frozen=True)
class AreaEntry:
    """An area with a page.

    Attributes:
        area_code: its code; the page is `areas/<area_code>.html`.
        area_name: its name.
        levels: the levels at which figures of it are held, from the largest areas to the smallest.
        ends_on: the day on which it ended; None of one that stands.
    """

    area_code: str
    area_name: str
    levels: tuple[str, ...]
    ends_on: date | None


@dataclass(frozen=True)
class OffenceEntry:
    """A total, group or subgroup of offences with a page: `crime/<offence_id>.html`.

    Attributes:
        offence_id, name, level: as in ref.offence.
        parent_id: what it is part of.
        replaced_on: the day since which next to nothing is counted as it, since others took its place; else None.
    """

    offence_id: str
    name: str
    level: str
    parent_id: str | None
    replaced_on: date | None = None


@dataclass(frozen=True)
class RankingEntry:
    """A ranking with a page: the newest period in which areas of a level were ranked by one measure.

    Of an offence that others replaced it is the newest period before they did.

    Attributes:
        kind: `reoffending`, `crime` or `local-adult`, as `justice-etl rank` knows them.
        level: of the areas ranked.
        period_end: last day of the period, or of the cohort.
        measure, span, age_group: of a ranking of reoffending, else None.
        offence_id, offence_name: of a ranking of crime, else None.
        is_modelled: whether any of its figures is a modelled sample.
    """

    kind: str
    level: str
    period_end: date
    measure: str | None
    span: str | None
    age_group: str | None
    offence_id: str | None
    offence_name: str | None
    is_modelled: bool

    @property
    def path(self) -> str:
        """Where its page is; it stays where it is when a newer period comes."""
        parts = (self.level, self.measure, self.span, self.age_group, self.offence_id)
        return f"rankings/{self.kind}/{'-'.join(part for part in parts if part)}.html"


@dataclass(frozen=True)
class Directory:
    """The areas by code, offences by id (in the order in which they are shown) and rankings that have pages."""

    areas: dict[str, AreaEntry]
    offences: dict[str, OffenceEntry]
    rankings: tuple[RankingEntry, ...]

    def list_level(self, level: str) -> list[AreaEntry]:
        """The areas of a level, by name."""
        found = [area for area in self.areas.values() if level in area.levels]
        return sorted(found, key=lambda area: (area.area_name, area.area_code))


_AREAS = """
    WITH seen AS (
        SELECT area_code, area_name, coalesce(level, 'other') AS level FROM mart.crime_trend
        UNION
        SELECT area_code, area_name, coalesce(level, 'other') FROM mart.reoffending_trend
        UNION
        SELECT area_code, area_name, level FROM mart.reoffending_rank
        UNION
        SELECT area_code, area_name, level FROM mart.local_adult_reoffending_rank
    )
    SELECT seen.area_code, min(seen.area_name), list(DISTINCT seen.level), max(area.ends_on)
    FROM seen
    LEFT JOIN ref.area AS area ON area.area_code = seen.area_code
    GROUP BY seen.area_code
    ORDER BY seen.area_code
"""

REPLACED = """
    WITH broken AS (
        SELECT offence.offence_id, series_break.start_date
        FROM ref.series_break AS series_break
        INNER JOIN ref.offence AS offence
            ON list_contains(string_split(replace(series_break.offence_ids, ' ', ''), ';'), offence.offence_id)
        WHERE series_break.series = 'recorded_crime' AND series_break.kind = 'classification'
            AND series_break.action = 'null' AND coalesce(series_break.area_codes, '*') = '*'
    ), counted AS (
        SELECT trend.offence_id, broken.start_date,
            arg_max(trend.offences, trend.period_end) FILTER (WHERE trend.period_end < broken.start_date) AS before,
            arg_max(trend.offences, trend.period_end) FILTER (WHERE trend.period_start >= broken.start_date) AS since
        FROM mart.crime_trend AS trend
        INNER JOIN broken ON broken.offence_id = trend.offence_id
        WHERE trend.span = 'year' AND trend.offences IS NOT NULL
        GROUP BY trend.offence_id, broken.start_date, trend.area_code
    ), compared AS (
        SELECT offence_id, start_date
        FROM counted
        WHERE before IS NOT NULL AND since IS NOT NULL
        GROUP BY offence_id, start_date
        HAVING sum(since) < 0.01 * sum(before)
    )
    SELECT offence_id, min(start_date) AS replaced_on FROM compared GROUP BY offence_id
"""
"""Offences that others took the place of, and since when: since a change of what counts as them, the newest year of
the areas has under a hundredth of the last year before it."""

_OFFENCES = f"""
    SELECT offence.offence_id, offence.name, offence.level, offence.parent_id, replaced.replaced_on
    FROM ref.offence AS offence
    LEFT JOIN ({REPLACED}) AS replaced ON replaced.offence_id = offence.offence_id
    WHERE offence.level IN ('total', 'group', 'subgroup')
        AND offence.offence_id IN (SELECT offence_id FROM mart.crime_trend)
    ORDER BY CASE offence.level WHEN 'total' THEN 1 WHEN 'group' THEN 2 ELSE 3 END, offence.name, offence.offence_id
"""

_RANKINGS = f"""
    WITH replaced AS ({REPLACED}), period AS (
        SELECT 'reoffending' AS kind, level, cohort_end AS period_end, measure, span, age_group,
            NULL AS offence_id, NULL AS offence_name, bool_or(is_modelled) AS is_modelled,
            {KINDS["reoffending"].is_ranking} AS is_ranking
        FROM mart.reoffending_rank
        GROUP BY level, cohort_end, measure, span, age_group
        UNION ALL
        SELECT 'crime', ranked.level, ranked.period_end, NULL, NULL, NULL,
            ranked.offence_id, min(ranked.offence_name), bool_or(ranked.is_modelled),
            {KINDS["crime"].is_ranking} AND coalesce(ranked.period_end < any_value(replaced.replaced_on), TRUE)
        FROM mart.crime_rank AS ranked
        LEFT JOIN replaced ON replaced.offence_id = ranked.offence_id
        GROUP BY ranked.level, ranked.period_end, ranked.offence_id
        UNION ALL
        SELECT 'local-adult', level, period_end, NULL, NULL, NULL,
            NULL, NULL, bool_or(is_modelled), {KINDS["local-adult"].is_ranking}
        FROM mart.local_adult_reoffending_rank
        GROUP BY level, period_end
    )
    SELECT kind, level, max(period_end) FILTER (WHERE is_ranking), measure, span, age_group,
        offence_id, min(offence_name), bool_or(is_modelled)
    FROM period
    GROUP BY kind, level, measure, span, age_group, offence_id
    HAVING bool_or(is_ranking)
    ORDER BY ALL
"""


def read_directory(connection: duckdb.DuckDBPyConnection) -> Directory:
    """What has a page in the site of a built warehouse.

    Args:
        connection: the warehouse, open for reading.
    """
    areas = [_make_area(*row) for row in connection.execute(_AREAS).fetchall()]
    offences = [OffenceEntry(*row) for row in connection.execute(_OFFENCES).fetchall()]
    rankings = [RankingEntry(*row) for row in connection.execute(_RANKINGS).fetchall()]
    return Directory(
        areas={area.area_code: area for area in areas},
        offences={offence.offence_id: offence for offence in offences},
        rankings=tuple(rankings),
    )


def _make_area(code: str, name: str, levels: list[str], ends_on: Any) -> AreaEntry:
    return AreaEntry(code, name, tuple(sorted(levels, key=LEVEL_ORDER.index)), ends_on)
