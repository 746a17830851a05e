"""One part of a site by itself, written from a warehouse made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb

from etl.site.charts import Charts
from etl.site.directory import read_directory
from etl.site.frame import Site
from etl.site.summaries import ReleaseSummary, read_summaries
from tests.site.made import Row, fill

VERSION = "0123456789ab"

WritePart = Callable[[duckdb.DuckDBPyConnection, Site, list[ReleaseSummary]], None]


def write_part(folder: Path, write: WritePart, **rows: Iterable[Row]) -> Path:
    """Write one part of the site of a warehouse; `rows` as `made.fill` takes them.

    Links to other parts lead nowhere: that they do lead somewhere is tested on whole sites.
    """
    with duckdb.connect() as connection, Charts(None) as charts:
        fill(connection, **rows)
        summaries = read_summaries(connection)
        holds_modelled = any(summary.is_modelled for summary in summaries)
        site = Site(folder, VERSION, holds_modelled, read_directory(connection), charts)
        write(connection, site, summaries)
    return folder
