"""A home with a long history: forty editions that restate and revise one another, three million tidy figures in all.

Areas, populations and lookups are those of the samples; the counts are made up. Every quarter an edition states the
last fourteen quarters by police force, so that a figure is stated up to fourteen times; each time one in fifty is
revised. As in `benchmarks.figures` the files are placeholders whose tidy Parquet is written as their reader would have
left it, so that only the build is measured, and after it queries on what it made.
"""

from __future__ import annotations

import time
from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.figures import OFFENCES, SOURCE, TIDY_TABLE, land_reference, list_forces, make_year
from benchmarks.generate import list_offences
from etl.archives import MODELLED_MARK
from etl.landing import land
from etl.publish import warehouse_path
from etl.reading import tidy_path, tidy_schema

EDITIONS = 40
QUARTERS_AN_EDITION = 14
FIRST_END = date(2016, 6, 30)
"""Last day that the first edition states."""
_DAYS_TO_PUBLICATION = 110
_QUERIES = {
    "all of one area": "SELECT * FROM mart.crime_trend WHERE area_code = 'E23000014'",
    "one year of all areas": """
        SELECT area_name, offence_name, offences, rate_per_1000, change_percent, reason, release_id
        FROM mart.crime_trend WHERE span = 'year' AND period_end = DATE '2025-12-31'
    """,
    "the change of a total everywhere": """
        SELECT area_name, period_end, change_percent, reason FROM mart.crime_trend
        WHERE offence_id = 'total_excluding_fraud' AND span = 'year' ORDER BY area_name, period_end
    """,
    "sums by level and year": """
        SELECT level, year(period_end), sum(offences) FROM mart.crime_trend
        WHERE span = 'year' GROUP BY ALL ORDER BY ALL
    """,
    "one area as it stood": "SELECT * FROM mart.crime_trend_as_of('2020-01-31') WHERE area_code = 'E23000014'",
}


def make_home(home: Path, editions: int = EDITIONS, areas: int | None = None) -> int:
    """Land reference files and editions.

    Args:
        home: the folder to make it in.
        editions: how many.
        areas: how many forces; all when None.

    Returns:
        The rows of figures.
    """
    land_reference(home)
    places = dict(list(list_forces().items())[:areas])
    first_end = _add_quarters(FIRST_END, 1 - QUARTERS_AN_EDITION)
    last_end = _add_quarters(FIRST_END, editions - 1)
    years = range(first_end.year - 1, last_end.year + 1)
    offences = list_offences(OFFENCES)
    whole = pa.concat_tables([make_year(year, "police_force", places, offences) for year in years])
    return sum(_land_edition(home, _add_quarters(FIRST_END, number), number, whole) for number in range(editions))


def _add_quarters(end: date, quarters: int) -> date:
    months = end.year * 12 + end.month - 1 + 3 * quarters
    year, month = divmod(months, 12)
    return date(year, month + 1, monthrange(year, month + 1)[1])


def _land_edition(home: Path, end: date, number: int, whole: pa.Table) -> int:
    path = home / f"open-data-police-force-{end}.csv"
    path.write_text(f"{MODELLED_MARK}: placeholder of a benchmark, {end}\n", encoding="utf-8")
    title = f"Benchmark by police force, quarters to {end:%B %Y}"
    published = end + timedelta(days=_DAYS_TO_PUBLICATION)
    record = land(home, source=SOURCE, title=title, published=published.isoformat(), files=[path])[0].record
    start = _add_quarters(end, 1 - QUARTERS_AN_EDITION)
    stated = whole.filter((pc.field("period_end") >= start) & (pc.field("period_end") <= end))
    rows = np.arange(stated.num_rows)
    revised = np.where((rows * 7_919 + number * 104_729) % 50 == 0, 1 + rows % 7, 0)
    values = pa.array(stated["value"].to_numpy() + revised)
    stated = stated.set_column(stated.schema.get_field_index("value"), "value", values)
    tidy = tidy_path(home, record, TIDY_TABLE)
    tidy.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(stated.cast(tidy_schema(TIDY_TABLE)), tidy, compression="zstd", compression_level=1)
    return stated.num_rows


def time_queries(home: Path, repeats: int = 5) -> dict[str, Any]:
    """Seconds that each of some questions takes on the warehouse that serves: the slowest of a few runs, each on a
    connection of its own."""
    slowest = {}
    for name, query in _QUERIES.items():
        seconds = []
        for _ in range(repeats):
            with duckdb.connect(str(warehouse_path(home).resolve()), read_only=True) as connection:
                start = time.perf_counter()
                connection.execute(query).to_arrow_table()
                seconds.append(time.perf_counter() - start)
        slowest[name] = max(seconds)
    return slowest
