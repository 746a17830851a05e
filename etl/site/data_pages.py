"""The page on the data: what can be taken away, at which addresses, how it is opened, checked and cited.

It alone names the version, so that it alone changes with every version.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from etl.contracts import contracts
from etl.feed_spreadsheets import BOOKS
from etl.feed_tables import LICENCE, LICENCE_URL
from etl.feeds import SPREADSHEETS, fed_contracts
from etl.rank_words import KINDS
from etl.site.dictionary import sorted_by_name
from etl.site.frame import Site, fetch
from etl.site.summaries import ReleaseSummary, name_source

HOST = "https://HOST"
"""Stands in examples for the address of the site, which its pages do not know."""

LATEST = f"{HOST}/data/latest/feeds"

FORMATS = {
    "parquet": "Parquet, with types: what to take if your tool reads it",
    "csv": "CSV, UTF-8, one header line; nothing between two commas is null",
    "json": "JSON, an array of lines; of short tables only",
}
"""The formats of the feeds, by suffix."""


@dataclass(frozen=True)
class Recipe:
    """How a table is opened with a tool: what the tool is, the language of the lines, and the lines."""

    tool: str
    slug: str
    lines: str


_ATTACH = f"ATTACH '{HOST}/data/latest/warehouse.duckdb' AS justice (READ_ONLY);"

RECIPES = (
    Recipe(
        "DuckDB, one table",
        "duckdb",
        "SELECT area_name, period_end, offences, change_percent, reason\n"
        f"FROM '{LATEST}/mart/crime_trend.parquet'\n"
        "WHERE area_code = 'E23000014' AND offence_id = 'robbery' AND span = 'year' ORDER BY period_end;",
    ),
    Recipe(
        "DuckDB, the whole warehouse",
        "warehouse",
        f"{_ATTACH}\n"
        "USE justice;\n"
        "SELECT * FROM mart.crime_trend_as_of(DATE '2019-02-06') WHERE area_code = 'E23000014';",
    ),
    Recipe(
        "Python with DuckDB",
        "python-duckdb",
        "import duckdb\n"
        f"ranks = duckdb.sql(\"FROM '{LATEST}/mart/reoffending_rank.parquet'\")\n"
        'print(ranks.filter("rank <= 10").select("cohort_end, area_name, rank, ranked_areas, rank_low, rank_high"))',
    ),
    Recipe(
        "Python with pandas",
        "python-pandas",
        "import pandas as pd\n"
        f'trend = pd.read_parquet("{LATEST}/mart/crime_trend.parquet")\n'
        "print(trend[trend.offence_id == 'robbery'].groupby('span').size())",
    ),
    Recipe(
        "R",
        "r",
        f'download.file("{LATEST}/mart/crime_trend.parquet", "crime_trend.parquet", mode = "wb")\n'
        'trend <- arrow::read_parquet("crime_trend.parquet")\n'
        'subset(trend, offence_id == "robbery" & span == "year")',
    ),
    Recipe(
        "Is a file whole?",
        "check",
        f"curl --fail --remote-name {LATEST}/SHA256SUMS\n"
        f"curl --fail --create-dirs --output mart/crime_trend.csv {LATEST}/mart/crime_trend.csv\n"
        "sha256sum --check --ignore-missing SHA256SUMS",
    ),
)
"""Ways to open the data, three lines each."""


@dataclass(frozen=True)
class FedSource:
    """A source of the data: its title and the newest release of it that is held."""

    title: str
    newest: ReleaseSummary


@dataclass(frozen=True)
class Spreadsheet:
    """A spreadsheet of the feeds: its path below `feeds/`, and what it ranks areas by."""

    path: str
    about: str


def write_data(connection: duckdb.DuckDBPyConnection, site: Site, summaries: list[ReleaseSummary]) -> None:
    """Write the page on the data.

    Args:
        connection: the warehouse, open; it is only read.
        site: where to.
        summaries: every release, the newest first.
    """
    fed = fed_contracts()
    views = [contract for contract in contracts().values() if contract.schema == "core"]
    site.write_page(
        "data/index.html",
        "data.html",
        by_schema={schema: [c for c in fed if c.schema == schema] for schema in ("mart", "ref", "meta")},
        unfed=[contract.name for contract in sorted_by_name(views)],
        spreadsheets=_list_spreadsheets(connection),
        sources=_list_sources(summaries),
        cited=next((summary for summary in summaries if summary.source.startswith("recorded_crime")), None),
        recipes=RECIPES,
        formats=FORMATS,
        host=HOST,
        licence=LICENCE,
        licence_address=LICENCE_URL,
    )


def _list_spreadsheets(connection: duckdb.DuckDBPyConnection) -> list[Spreadsheet]:
    """Those that are written: of rankings that have lines."""
    tables = {book.filename: KINDS[book.kind].table for book in BOOKS}
    parts = [f"SELECT '{name}' AS filename WHERE EXISTS (SELECT 1 FROM {table})" for name, table in tables.items()]
    written = {row["filename"] for row in fetch(connection, " UNION ALL ".join(parts))}
    return [
        Spreadsheet(f"{SPREADSHEETS}/{book.filename}", KINDS[book.kind].about)
        for book in BOOKS
        if book.filename in written
    ]


def _list_sources(summaries: list[ReleaseSummary]) -> list[FedSource]:
    newest: dict[str, ReleaseSummary] = {}
    for summary in summaries:
        newest.setdefault(summary.source, summary)
    return [FedSource(name_source(name), newest[name]) for name in sorted(newest)]
