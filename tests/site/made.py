"""A small warehouse made by hand: six releases, what they revised, and two claims."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from etl.claim_words import ToldClaim
from etl.contracts import contracts, quote
from etl.files import write_json

Row = dict[str, Any]

MARCH_1 = "recorded_crime_ons/year-ending-march-2018@1"
MARCH_2 = "recorded_crime_ons/year-ending-march-2018@2"
NEXT = "recorded_crime_ons/year-ending-march-2019@1"
LOOKUPS = "geography/lookups@1"
REOFFENDING_1 = "proven_reoffending/april-to-june-2020@1"
REOFFENDING_2 = "proven_reoffending/july-to-september-2020@1"

HOSTILE = '<script>alert(1)</script> & "Sons" \''

MARCH = date(2018, 3, 31)
FORCE = {"area_code": "E23000014", "area_name": "West Midlands", "level": "police_force"}
KENT = {"area_code": "E23000032", "area_name": "Kent", "level": "police_force"}
DUDLEY = {"area_code": "E08000027", "area_name": "Dudley", "level": "upper_tier"}


def release(release_id: str, title: str, published_at: datetime, published_on: date, **more: Any) -> Row:
    source, _, edition = release_id.partition("@")[0].partition("/")
    return {
        "release_id": release_id,
        "source": source,
        "edition": edition,
        "title": title,
        "publisher": "Office for National Statistics",
        "published_at": published_at,
        "published_on": published_on,
        "landing_page": "https://www.ons.gov.uk/tables",
        "licence": "Open Government Licence v3.0",
        "state": "current",
        "withdrawn_at": None,
        "is_modelled": False,
    } | more


# Midnight of a summer's day in London is the evening before in UTC.
RELEASES = [
    release(MARCH_1, "Year ending March 2018", datetime(2018, 7, 18, 23, tzinfo=UTC), date(2018, 7, 19))
    | {"state": "superseded"},
    release(MARCH_2, "Year ending March 2018", datetime(2018, 9, 1, 8, 30, tzinfo=UTC), date(2018, 9, 1))
    | {"state": "withdrawn", "withdrawn_at": datetime(2021, 5, 3, 23, 30, tzinfo=UTC)},
    release(NEXT, "Year ending March 2019", datetime(2019, 7, 17, 23, tzinfo=UTC), date(2019, 7, 18)),
    release(LOOKUPS, "Lookups", datetime(2017, 1, 10, tzinfo=UTC), date(2017, 1, 10)),
    release(REOFFENDING_1, "April to June 2020", datetime(2022, 4, 28, 8, 30, tzinfo=UTC), date(2022, 4, 28)),
    release(REOFFENDING_2, "July to September 2020", datetime(2022, 7, 28, 8, 30, tzinfo=UTC), date(2022, 7, 28)),
]


def revision(release_id: str, previous: str, before: float | None, after: float | None, **more: Any) -> Row:
    """A line of recorded crime, if `more` does not say otherwise; the year to March 2018."""
    both = before is not None and after is not None
    row = {
        "table_name": "recorded_crime",
        "offence_id": None,
        "offence_name": None,
        "measure": None,
        "age_group": None,
        "span": "year",
        "period_end": MARCH,
        "figure": "offences",
        "release_id": release_id,
        "previous_release_id": previous,
        "published_on": next(row["published_on"] for row in RELEASES if row["release_id"] == release_id),
        "value": after,
        "marker": None,
        "previous_value": before,
        "previous_marker": None,
        "revised_by": after - before if both else None,
        "revised_by_percent": 100 * (after - before) / before if both and before else None,
        "is_modelled": False,
    } | more
    names = ("area_code", "offence_id", "measure", "age_group", "span", "period_end")
    return row | {"key": "|".join(str(row[name]) for name in names if row[name] is not None)}


def offence(offence_id: str, name: str) -> Row:
    return {"offence_id": offence_id, "offence_name": name}


TOTAL = offence("total_excluding_fraud", "Total recorded crime (excluding fraud)")
ROBBERY = offence("robbery", "Robbery")
HOMICIDE = offence("homicide", "Homicide")
DRUGS = offence("drug_offences", "Drug offences")
ADULTS = {"table_name": "reoffending", "measure": "three_month_cohort", "age_group": "adult"}
PROBATION = {"table_name": "local_adult_reoffending", "figure": "actual_percent"}

REVISIONS = [
    revision(MARCH_2, MARCH_1, 212_841, 212_842, **FORCE, **TOTAL),
    revision(NEXT, MARCH_2, 212_842, 200_000, **FORCE, **TOTAL),
    revision(NEXT, MARCH_2, 1_000, 1_100, **FORCE, **ROBBERY),
    revision(NEXT, MARCH_2, 2, 3, **KENT, **HOMICIDE),
    revision(NEXT, MARCH_2, 500, None, marker="[c]", **KENT, **ROBBERY),
    revision(NEXT, MARCH_2, None, 40, previous_marker="[x]", **KENT, **DRUGS),
    revision(REOFFENDING_2, REOFFENDING_1, 50, 45, figure="reoffenders", **DUDLEY, **ADULTS),
    revision(REOFFENDING_2, REOFFENDING_1, 9.5, 9.1, **DUDLEY, **PROBATION),
]


def summary(release_id: str, table_name: str, previous: str | None, *counts: int) -> Row:
    """Counts: figures, new, revised, gone; the rest is unchanged."""
    figures, new, revised, gone = counts
    of = next(row for row in RELEASES if row["release_id"] == release_id)
    names = ("source", "edition", "title", "published_at", "published_on", "state", "withdrawn_at", "is_modelled")
    return {name: of[name] for name in names} | {
        "release_id": release_id,
        "table_name": table_name,
        "previous_release_id": previous,
        "figures": figures,
        "new_figures": new,
        "revised_figures": revised,
        "unchanged_figures": figures - new - revised,
        "gone_figures": gone,
    }


SUMMARIES = [
    summary(MARCH_1, "recorded_crime", None, 1_200, 1_200, 0, 0),
    summary(MARCH_2, "recorded_crime", MARCH_1, 1_200, 0, 1, 0),
    summary(NEXT, "recorded_crime", MARCH_2, 2_500, 1_300, 5, 7),
    summary(REOFFENDING_1, "reoffending", None, 300, 300, 0, 0),
    summary(REOFFENDING_2, "reoffending", REOFFENDING_1, 310, 20, 1, 10),
    summary(REOFFENDING_2, "local_adult_reoffending", REOFFENDING_1, 60, 30, 1, 0),
]

AREAS = [FORCE, KENT, DUDLEY, {"area_code": "E12000005", "area_name": "West Midlands", "level": "region"}]
AREAS += [{"area_code": "E23000009", "area_name": "Surrey", "level": "police_force"}]
# One code at two levels, as a unitary authority has.
AREAS += [{"area_code": "E06000014", "area_name": "York", "level": level} for level in ("upper_tier", "lower_tier")]

OFFENCES = [
    {"level": "offence", "name": row["offence_name"], "offence_id": row["offence_id"]} for row in (TOTAL, DRUGS)
]
OFFENCES += [
    {"level": "group", "name": row["offence_name"], "offence_id": row["offence_id"]} for row in (ROBBERY, HOMICIDE)
]
OFFENCES += [{"level": "offence", "name": "Shoplifting", "offence_id": name} for name in ("shoplifting", "46")]


def claim(claim_id: str, **more: Any) -> ToldClaim:
    claimed = "UK News Media on 8 March 2013 put Dudley first of 222 in the table of local adult reoffending."
    return ToldClaim(
        **{
            "claim_id": claim_id,
            "source": "UK News Media",
            "published_on": date(2013, 3, 8),
            "area_code": "E08000027",
            "area_name": "Dudley",
            "claimed": claimed,
            "verdict": "cannot be told apart",
            "reason": "Dudley is given rank 1 to 88.",
            "sentences": [claimed, "Verdict: cannot be told apart.", "Dudley is given rank 1 to 88."],
            "observed": 1.0,
            "claimed_value": 1.0,
            "unit": "rank",
            "publication_needed": None,
            "release_id": REOFFENDING_2,
            "base_release_id": None,
            "is_modelled": False,
        }
        | more
    )


CLAIMS = [
    claim("lar-2013-dudley"),
    claim(
        "wm-2020-crime",
        area_name="West Midlands",
        verdict="not checkable",
        published_on=None,
        observed=None,
        release_id=None,
        publication_needed="a table of 2020",
    ),
]


def fill(
    connection: duckdb.DuckDBPyConnection,
    releases: Iterable[Row] = RELEASES,
    revisions: Iterable[Row] = REVISIONS,
    summaries: Iterable[Row] = SUMMARIES,
    **more: Iterable[Row],
) -> None:
    """Make every published table, and fill some.

    `more` gives lines by table, as `mart__crime_trend`; a line names the columns that a test is about, others are null.
    """
    connection.execute("SET TimeZone = 'UTC'")
    for schema in ("core", "mart", "meta", "ref"):
        connection.execute(f"CREATE SCHEMA {schema}")
    for contract in contracts().values():
        if contract.schema in ("mart", "meta", "ref"):
            columns = ", ".join(f"{quote(name)} {field.type}" for name, field in contract.columns.items())
            connection.execute(f"CREATE TABLE {contract.name} ({columns})")
    tables = {
        "meta.release": releases,
        "mart.revision": revisions,
        "mart.release_summary": summaries,
        "ref.offence": OFFENCES,
        "mart.crime_trend": AREAS,
    }
    for table, rows in (tables | {name.replace("__", "."): rows for name, rows in more.items()}).items():
        insert(connection, table, rows)


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row]) -> None:
    """Add lines to a table."""
    for row in rows:
        names, marks = ", ".join(map(quote, row)), ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def make_home(home: Path, **rows: Iterable[Row]) -> Path:
    """A home that serves the warehouse."""
    folder = home / "versions" / "made"
    folder.mkdir(parents=True)
    write_json(home / "home.json", {"kind": "real"})
    (home / "current").symlink_to("versions/made")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        fill(connection, **rows)
    return home
