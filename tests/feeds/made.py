"""A small warehouse made by hand: a few lines of what feeds are made of, and a history of three row groups."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from etl.contracts import Field, contracts, quote
from etl.feeds import fed_contracts

Row = dict[str, Any]

BUILT_AT = datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)
VERSION = "0123456789ab"
HISTORY_ROWS = 120_001

MARCH = "recorded_crime_ons/year-ending-march-2018@1"
JUNE = "recorded_crime_ons/year-ending-june-2018@1"
COHORTS = "proven_reoffending/april-to-june-2020@1"

FORCE, ANGLESEY, NOBODY = "E23000014", "W06000001", "x-unassigned-surrey"

AREAS = [
    {"area_code": FORCE, "area_name": "West Midlands", "kind": "police_force_area", "has_resident_rate": True},
    {
        "area_code": ANGLESEY,
        "area_name": 'Ynys Môn, "Anglesey"',
        "kind": "unitary_authority",
        "starts_on": date(2009, 4, 1),
        "has_resident_rate": True,
    },
    {
        "area_code": NOBODY,
        "area_name": "Unassigned\nSurrey",
        "kind": "unassigned",
        "ends_on": date(2013, 12, 31),
        "successor_code": FORCE,
        "has_resident_rate": False,
    },
]


def release(release_id: str, published_at: datetime, **more: Any) -> Row:
    source, _, edition = release_id.partition("@")[0].partition("/")
    return {
        "release_id": release_id,
        "source": source,
        "edition": edition,
        "title": edition.replace("-", " ").capitalize(),
        "publisher": "Office for National Statistics",
        "published_at": published_at,
        "published_on": published_at.date(),
        "landing_page": "https://www.ons.gov.uk/tables",
        "licence": "Open Government Licence v3.0",
        "state": "current",
        "is_modelled": False,
    } | more


RELEASES = [
    release(
        COHORTS,
        datetime(2022, 4, 28, 8, 30, tzinfo=UTC),
        publisher="Ministry of Justice",
        landing_page="https://www.gov.uk/government/statistics/cohorts",
    ),
    release(JUNE, datetime(2018, 10, 18, 8, 30, tzinfo=UTC), is_modelled=True),
    release(
        MARCH,
        datetime(2018, 7, 19, 8, 30, 0, 250_000, tzinfo=UTC),
        state="withdrawn",
        withdrawn_at=datetime(2021, 5, 3, 23, 30, tzinfo=UTC),
    ),
]

OFFENCES = [
    {"offence_id": "robbery", "level": "group", "name": "Robbery", "parent_id": "total_excluding_fraud"},
    {"offence_id": "total_excluding_fraud", "level": "total", "name": "Total recorded crime (excluding fraud)"},
]


def trend(area_code: str, end: date, offences: int | None, marker: str | None, **more: Any) -> Row:
    return {
        "area_code": area_code,
        "offence_id": "robbery",
        "span": "year",
        "period_end": end,
        "period_start": date(end.year - 1, end.month + 1, 1),
        "area_name": next(area["area_name"] for area in AREAS if area["area_code"] == area_code),
        "offence_name": "Robbery",
        "offences": offences,
        "offences_marker": marker,
        "population_mid_year": end.year - 1,
        "release_id": MARCH,
        "table_id": "P1",
    } | more


TRENDS = [
    trend(FORCE, date(2017, 3, 31), 8, None, rate_per_1000=0.1, previous_release_id=MARCH),
    trend(FORCE, date(2018, 3, 31), -3, "[r]", rate_reason="negative_count", change=-11, release_id=JUNE),
    trend(ANGLESEY, date(2018, 3, 31), None, "[x]", reason="no_data"),
]


def ranked(area_code: str, age_group: str, end: date, rank: int | None, rate: float | None, **more: Any) -> Row:
    return {
        "area_code": area_code,
        "level": "upper_tier",
        "measure": "three_month_cohort",
        "span": "year",
        "cohort_end": end,
        "age_group": age_group,
        "cohort_start": date(end.year - 1, 4, 1),
        "area_name": next(area["area_name"] for area in AREAS if area["area_code"] == area_code),
        "design_effect": 1.3,
        "rate_percent": rate,
        "rank": rank,
        "eligible": rank is not None,
        "release_id": COHORTS,
        "table_id": "C2",
    } | more


OLD, NEW = date(2019, 3, 31), date(2020, 3, 31)
SURE = {"rank_bound_low": 1, "rank_bound_high": 2, "indistinguishable_areas": 1, "ranked_areas": 2}
HIGH = {"offenders": 400, "reoffenders": 101, "wilson_low_percent": 20.7849, "wilson_high_percent": 30.2151}
LOW = {"offenders": 200, "reoffenders": 40, "wilson_low_percent": 14.5, "wilson_high_percent": 26.5}
NONE = {"exclusion_reason": "no_resident_population"}

# In the order of their key, as a build stores them.
RANKS = [
    ranked(FORCE, "adult", NEW, 1, 20.0, funnel_class="inside", **LOW, **SURE),
    ranked(FORCE, "all", OLD, 1, 19.0, funnel_class="inside", **LOW, **SURE),
    ranked(FORCE, "all", NEW, 2, 25.25, funnel_class="above_95", **HIGH, **SURE),
    ranked(ANGLESEY, "all", NEW, 1, 20.0, funnel_class="inside", **LOW, **SURE),
    ranked(NOBODY, "all", NEW, None, None, **NONE),
]

_OF_TYPE = {
    "VARCHAR": "text",
    "DOUBLE": 0.5,
    "BIGINT": 1,
    "INTEGER": 1,
    "DATE": date(2018, 3, 31),
    "BOOLEAN": False,
    "TIMESTAMPTZ": datetime(2018, 7, 19, 8, 30, tzinfo=UTC),
}


def _fill(field: Field) -> object:
    """What stands in a column that a line does not name and that may not be null."""
    return field.allowed[0] if field.allowed else _OF_TYPE[field.type]


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row]) -> None:
    """Store lines; what they leave out is null, or anything where it may not be."""
    contract = contracts()[table]
    for row in rows:
        full = {
            name: row.get(name, None if name in contract.nullable else _fill(field))
            for name, field in contract.columns.items()
        }
        names, marks = ", ".join(map(quote, full)), ", ".join("?" * len(full))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(full.values()))


def fill(connection: duckdb.DuckDBPyConnection, history_rows: int = HISTORY_ROWS) -> None:
    """Make every table that is published, and store the lines; the history has so many."""
    connection.execute("SET TimeZone = 'UTC'")
    for schema in ("mart", "meta", "ref"):
        connection.execute(f"CREATE SCHEMA {schema}")
    for contract in fed_contracts():
        connection.execute(contract.create())
    tables = {
        "ref.area": AREAS,
        "ref.offence": OFFENCES,
        "meta.release": RELEASES,
        "mart.crime_trend": TRENDS,
        "mart.reoffending_rank": RANKS,
    }
    for table, rows in tables.items():
        insert(connection, table, rows)
    _fill_history(connection, history_rows)


def _fill_history(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """The first trend, as it stood on each of many days: the n-th has n offences."""
    insert(connection, "mart.crime_trend_history", [TRENDS[0] | {"known_from": datetime(1700, 1, 1, tzinfo=UTC)}])
    connection.execute(
        f"""
        INSERT INTO mart.crime_trend_history BY NAME
        SELECT line.* REPLACE (line.known_from + to_days(CAST(day AS INTEGER)) AS known_from, day AS offences)
        FROM mart.crime_trend_history AS line, range(1, {rows}) AS days(day)
        ORDER BY day
        """
    )
