"""Areas ranked by their crime rate, one ranking a level, offence and year."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from etl.contracts import arrow_schema
from etl.rank_cache import fetch_lines, rank_all
from etl.rank_tables import YEAR_PAIRS, rank_crime

INPUTS = ["work.ranked_crime"]
_RANKING = ["level", "offence_id", "period_end"]

# The areas of a ranking with their changes on the year, of that year (0) and the four before it.
_LINES = f"""
    SELECT area.*, 0 AS years_before
    FROM work.ranked_crime AS area
    UNION ALL
    SELECT
        area.* REPLACE (earlier.offences AS offences, earlier.previous_offences AS previous_offences),
        years.years_before
    FROM work.ranked_crime AS area
    CROSS JOIN range(1, {YEAR_PAIRS}) AS years(years_before)
    INNER JOIN work.ranked_crime AS earlier
        ON earlier.area_code = area.area_code
        AND earlier.level = area.level
        AND earlier.offence_id = area.offence_id
        AND earlier.period_end = last_day(CAST(area.period_end - to_years(CAST(years.years_before AS INTEGER)) AS DATE))
    WHERE earlier.previous_offences IS NOT NULL
"""


def build(connection: duckdb.DuckDBPyConnection, cache: Path | None) -> pa.Table:
    """Columns: those of `mart.crime_rank`."""
    lines = fetch_lines(connection, _LINES)
    return rank_all(lines, _RANKING, _rank, arrow_schema("mart.crime_rank"), cache)


def _rank(lines: pd.DataFrame, seed: str) -> pd.DataFrame:
    areas = lines[lines["years_before"] == 0]
    pairs = lines[lines["previous_offences"].notna() & lines["exclusion_reason"].isna()]
    return areas.join(rank_crime(areas, pairs, seed))
