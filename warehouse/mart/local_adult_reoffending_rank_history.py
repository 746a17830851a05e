"""Authorities ranked by how far local adult reoffending lay from its prediction: one ranking a period and release."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from etl.contracts import arrow_schema
from etl.history import KNOWN
from etl.rank_cache import fetch_lines, rank_all
from etl.rank_tables import rank_local_adult

INPUTS = ["work.ranked_local_adult"]
_RANKING = ["level", "period_end"]
_STATED_BY = ["release_id", "table_id", "is_modelled", *KNOWN]


def build(connection: duckdb.DuckDBPyConnection, cache: Path | None) -> pa.Table:
    """Columns: those of `mart.local_adult_reoffending_rank_history`."""
    lines = fetch_lines(connection, "SELECT * FROM work.ranked_local_adult")
    return rank_all(
        lines, _RANKING, _rank, arrow_schema("mart.local_adult_reoffending_rank_history"), cache, _STATED_BY
    )


def _rank(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
    return areas.join(rank_local_adult(areas, seed))
