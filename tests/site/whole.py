"""A few lines for every table that pages are made of, so that a made site has every kind of page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from tests.site.made import (
    CLAIMS,
    DUDLEY,
    FORCE,
    HOMICIDE,
    KENT,
    LOOKUPS,
    NEXT,
    OFFENCES,
    RELEASES,
    REOFFENDING_2,
    REVISIONS,
    ROBBERY,
    SUMMARIES,
    TOTAL,
)

Row = dict[str, Any]

SURREY = {"area_code": "E23000009", "area_name": "Surrey", "level": "police_force"}
YORK = {"area_code": "E06000014", "area_name": "York", "level": "upper_tier"}
REGION = {"area_code": "E12000005", "area_name": "West Midlands", "level": "region"}
ENGLAND = {"area_code": "E92000001", "area_name": "England", "level": "country"}
POLICE = {"area_code": "x-british-transport-police", "area_name": "British Transport Police", "level": None}

PUBLISHED_CRIME = {"release_id": NEXT, "table_id": "P1", "is_derived": False, "is_modelled": False}
PUBLISHED_REOFFENDING = {
    "release_id": REOFFENDING_2,
    "table_id": "geographic",
    "is_derived": False,
    "is_modelled": False,
}
COHORT = {"measure": "three_month_cohort", "span": "year", "age_group": "adult"}


def crime(area: Row, offence: Row, year: int, offences: int | None, before: int | None) -> Row:
    """Crime in the year to March in an area of 100,000 residents; the change where both years have a figure."""
    row = area | offence | PUBLISHED_CRIME
    row |= {"span": "year", "period_start": date(year - 1, 4, 1), "period_end": date(year, 3, 31)}
    row |= {"offences": offences, "offences_marker": "[x]" if offences is None else None}
    if offences is None:
        return row | {"reason": "no_data", "rate_reason": "no_data"}
    if area["level"] is None:
        row |= {"rate_reason": "no_resident_population"}
    else:
        rate = offences / 100
        row |= {"population": 100_000, "population_mid_year": year - 2, "rate_per_1000": rate}
        row |= {"rate_low_per_1000": rate * 0.9, "rate_high_per_1000": rate * 1.1}
    if before is None:
        return row | {"reason": "no_previous"}
    row |= {"previous_offences": before, "previous_source": "same_release", "previous_release_id": NEXT}
    row |= {"change": offences - before}
    if before < 50:
        return row | {"reason": "base_under_50"}
    percent = 100 * (offences - before) / before
    return row | {"change_percent": percent, "change_low_percent": percent - 2, "change_high_percent": percent + 2}


def crimes(area: Row, offence: Row, counts: dict[int, int | None]) -> list[Row]:
    return [crime(area, offence, year, count, counts.get(year - 1)) for year, count in counts.items()]


CRIME = [
    *crimes(ENGLAND, TOTAL, {2017: 9_000, 2018: 9_100, 2019: 9_500}),
    *crimes(REGION, TOTAL, {2018: 8_500, 2019: 8_900}),
    *crimes(FORCE, TOTAL, {2017: 8_000, 2018: 8_400, 2019: 8_800}),
    *crimes(KENT, TOTAL, {2017: 7_000, 2018: None, 2019: 7_700}),
    *crimes(SURREY, TOTAL, {2018: 4_000, 2019: 4_100}),
    *crimes(POLICE, TOTAL, {2018: 600, 2019: 640}),
    *crimes(FORCE, ROBBERY, {2018: 300, 2019: 330}),
    *crimes(KENT, ROBBERY, {2018: 30, 2019: 33}),
    *crimes(SURREY, HOMICIDE, {2019: 2}),
]


def ranks(offsets: Iterable[int], ranked: int) -> list[Row]:
    """What rankings of either kind say of each of some areas, the one with the lowest rate first."""
    return [
        {"rank": rank, "tied": False, "ranked_areas": ranked, "expected_rank": float(rank), "eligible": True}
        | {"rank_low": 1, "rank_high": ranked, "rank_bound_low": 1, "rank_bound_high": ranked}
        | {"rank_bound_simultaneous_low": 1, "rank_bound_simultaneous_high": ranked, "rankability": 0.5}
        | {"indistinguishable_areas": ranked - 1, "funnel_class": "inside", "funnel_class_overdispersed": "inside"}
        for rank in offsets
    ]


CRIME_RANKS = [
    area
    | TOTAL
    | PUBLISHED_CRIME
    | {"period_start": date(2018, 4, 1), "period_end": date(2019, 3, 31), "offences": offences, "population": 100_000}
    | {"population_mid_year": 2017, "rate_per_1000": offences / 100, "shrunken_rate_per_1000": offences / 100}
    | {"rate_low_per_1000": offences / 110, "rate_high_per_1000": offences / 90, "yearly_noise_percent": 2.5}
    | rank
    for area, offences, rank in zip((SURREY, KENT, FORCE), (4_100, 7_700, 8_800), ranks((1, 2, 3), 3), strict=True)
]


def reoffending(area: Row, year: int, offenders: int, reoffenders: int, before: float | None) -> Row:
    rate = 100 * reoffenders / offenders
    row = area | COHORT | PUBLISHED_REOFFENDING | {"offenders": offenders, "reoffenders": reoffenders}
    row |= {"cohort_start": date(year - 1, 10, 1), "cohort_end": date(year, 9, 30), "rate_percent": rate}
    row |= {"design_effect": 1.3}
    if before is None:
        return row | {"reason": "no_previous"}
    row |= {"previous_rate_percent": before, "previous_source": "same_release", "change_points": rate - before}
    return row | {"change_low_points": rate - before - 3, "change_high_points": rate - before + 3}


REOFFENDING = [
    reoffending(DUDLEY, 2019, 1_000, 250, None),
    reoffending(DUDLEY, 2020, 1_100, 297, 25.0),
    reoffending(YORK, 2019, 800, 240, None),
    reoffending(YORK, 2020, 40, 10, 30.0),
]

REOFFENDING_RANKS = [
    area
    | COHORT
    | PUBLISHED_REOFFENDING
    | {"cohort_start": date(2019, 10, 1), "cohort_end": date(2020, 9, 30), "design_effect": 1.3}
    | {"offenders": offenders, "reoffenders": reoffenders, "rate_percent": 100 * reoffenders / offenders}
    | {"wilson_low_percent": low, "wilson_high_percent": high, "shrunken_rate_percent": 26.0}
    | {"lowest_10_percent": 60.0, "highest_10_percent": 10.0}
    | rank
    for area, offenders, reoffenders, low, high, rank in (
        (YORK, 40, 10, 13.0, 42.0, ranks((1,), 2)[0]),
        (DUDLEY, 1_100, 297, 24.0, 30.0, ranks((2,), 2)[0]),
    )
]

LOCAL_ADULT_RANKS = [
    area
    | {"period_start": date(2012, 7, 1), "period_end": date(2013, 6, 30), "release_id": REOFFENDING_2}
    | {"table_id": "local_authority", "is_modelled": False, "offenders": offenders, "actual_percent": actual}
    | {"predicted_percent": 7.0, "difference_percent": 100 * (actual - 7) / 7, "z": actual - 7, "significant": False}
    | {"rank_all": rank, "tied": False, "ranked_areas": 2, "expected_rank": 1.5, "rank_low": 1, "rank_high": 2}
    | {"rank_bound_low": 1, "rank_bound_high": 2, "indistinguishable_areas": 1, "rankability": 0.2, "eligible": True}
    for rank, area, offenders, actual in ((1, DUDLEY, 3_215, 5.5), (2, YORK, 900, 7.7))
]

CHECKS = [
    {"suite": "mart.crime_trend", "expectation": "expect_column_values_to_not_be_null(column area_code)"}
    | {"table_name": "mart.crime_trend", "gate": "publication", "severity": "fail", "success": True}
    | {"unexpected_count": 0, "reason": "A figure belongs to an area."},
    {"suite": "mart.crime_trend", "expectation": "expect_column_values_to_be_between(column change_percent)"}
    | {"table_name": "mart.crime_trend", "gate": "publication", "severity": "warning", "success": False}
    | {"unexpected_count": 2, "examples": "[120.0, 130.0]", "reason": "So large a change is looked at."},
]

FILES = [
    {"sha256": f"{number:064x}", "release_id": release["release_id"], "filename": f"{number}.ods", "bytes": 1_000}
    | {"url": f"https://www.ons.gov.uk/{number}.ods", "rows_read": 100, "rows_quarantined": 0, "accepted": True}
    | {"media_type": "application/vnd.oasis.opendocument.spreadsheet"}
    for number, release in enumerate(RELEASES)
]

CALENDAR = [
    {"source": "recorded_crime_ons", "edition": "year-ending-march-2020", "status": "announced"}
    | {"expected_text": "To be announced", "announced_url": "https://www.ons.gov.uk/next"}
]

BACK_TESTS = [
    {"table_name": "P2", "key": f"{NEXT}|E23000014|robbery|2019-03-31", "derived": 10.0, "printed": 10.0}
    | {"difference": 0.0, "within_tolerance": True}
]

SOURCE_TABLES = [
    {"source": release["source"], "table_id": "P1", "title": "Table P1", "position": 1, "fineness": 0, "sums": ""}
    for release in RELEASES
    if release["release_id"] in (NEXT, LOOKUPS, REOFFENDING_2)
]

WHOLE: dict[str, list[Any]] = {
    "claims": CLAIMS,
    "releases": RELEASES,
    "revisions": REVISIONS,
    "summaries": SUMMARIES,
    "ref__offence": [row | {"level": "total"} if row["name"] == TOTAL["offence_name"] else row for row in OFFENCES],
    "mart__crime_trend": CRIME,
    "mart__crime_rank": CRIME_RANKS,
    "mart__reoffending_trend": REOFFENDING,
    "mart__reoffending_rank": REOFFENDING_RANKS,
    "mart__local_adult_reoffending_rank": LOCAL_ADULT_RANKS,
    "meta__check_result": CHECKS,
    "meta__file": FILES,
    "meta__release_calendar": CALENDAR,
    "meta__back_test": BACK_TESTS,
    "meta__source_table": SOURCE_TABLES,
}
"""The small warehouse with all that pages are made of; keys as `made.fill` takes them."""


def set_everywhere(rows: dict[str, list[Any]], values: Row) -> dict[str, list[Any]]:
    """The same with other values wherever a line of a table names such a column."""
    return {table: [_set(line, values) for line in lines] for table, lines in rows.items()}


def _set(line: Any, values: Row) -> Any:
    return line | {name: values[name] for name in line.keys() & values.keys()} if isinstance(line, dict) else line


def model(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The same where every line is one of a modelled sample."""
    return set_everywhere(rows, {"is_modelled": True})
