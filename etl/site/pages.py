"""The site of a version: every part of it, written from the tables of one warehouse."""

from __future__ import annotations

from pathlib import Path

import duckdb

from etl.site.areas import write_areas
from etl.site.charts import Charts
from etl.site.claims import write_claims
from etl.site.crime import write_crime
from etl.site.data_pages import write_data
from etl.site.dictionary import write_dictionary
from etl.site.directory import read_directory
from etl.site.frame import Site
from etl.site.overview import write_overview
from etl.site.quality import write_quality
from etl.site.rankings import write_rankings
from etl.site.releases import write_releases
from etl.site.summaries import read_summaries
from etl.site.tile_map import write_map


def write_site(
    connection: duckdb.DuckDBPyConnection, folder: Path, version: str, charts_cache: Path | None = None
) -> None:
    """Write the pages and JSON of a version.

    Args:
        connection: its warehouse, open; it is only read.
        folder: where to write, `site/` of the version; it is made.
        version: the version's name, for the page on its data.
        charts_cache: the Parquet file that keeps what was drawn; None keeps nothing.
    """
    from etl.claim_words import tell_claims

    summaries = read_summaries(connection)
    claims = tell_claims(connection)
    directory = read_directory(connection)
    with Charts(charts_cache) as charts:
        site = Site(folder, version, any(summary.is_modelled for summary in summaries), directory, charts)
        site.write_assets()
        write_overview(connection, site, summaries, claims)
        write_areas(connection, site, summaries)
        write_rankings(connection, site)
        write_crime(connection, site)
        write_map(connection, site)
        write_releases(site, summaries)
        write_claims(site, claims, summaries)
        write_data(connection, site, summaries)
        write_dictionary(site)
        write_quality(connection, site)
