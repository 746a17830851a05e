"""Areas ranked by their reoffending rate: one ranking a level, measure, span, cohort, age group and release."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from etl.contracts import arrow_schema
from etl.history import KNOWN
from etl.rank_cache import fetch_lines, rank_all
from etl.rank_tables import rank_reoffending

INPUTS = ["work.ranked_reoffending"]
_RANKING = ["level", "measure", "span", "cohort_end", "age_group"]
_STATED_BY = ["release_id", "table_id", "is_derived", "is_modelled", *KNOWN]


def build(connection: duckdb.DuckDBPyConnection, cache: Path | None) -> pa.Table:
    """Columns: those of `mart.reoffending_rank_history`."""
    lines = fetch_lines(connection, "SELECT * FROM work.ranked_reoffending")
    return rank_all(lines, _RANKING, _rank, arrow_schema("mart.reoffending_rank_history"), cache, _STATED_BY)


def _rank(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
    return areas.join(rank_reoffending(areas, seed))
