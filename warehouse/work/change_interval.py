"""Interval of every percentage change that is shown (exact conditional binomial)."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from etl.ranking import change_interval

INPUTS = ["work.explained_comparison"]


def build(connection: duckdb.DuckDBPyConnection, _cache: Path | None) -> pa.Table:
    """Columns: offences, previous_offences, low, high (percent); one line a distinct pair."""
    pairs = connection.sql(
        """
        SELECT DISTINCT offences, previous_offences
        FROM work.explained_comparison
        WHERE blocked IS NULL AND NOT is_base_under_50 AND offences >= 0
        ORDER BY offences, previous_offences
        """
    ).fetchnumpy()
    low, high = change_interval(pairs["offences"], pairs["previous_offences"])
    return pa.table(
        {
            "offences": pa.array(pairs["offences"], pa.int64()),
            "previous_offences": pa.array(pairs["previous_offences"], pa.int64()),
            "low": low,
            "high": high,
        }
    )
