"""Interval of every count that occurs (Byar; exact below 10), in counts."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from etl.ranking import count_interval

INPUTS = ["work.figure_history"]


def build(connection: duckdb.DuckDBPyConnection, _cache: Path | None) -> pa.Table:
    """Columns: offences, low, high; one line a distinct count of 0 and more."""
    counts = connection.sql(
        "SELECT DISTINCT offences FROM work.figure_history WHERE offences >= 0 ORDER BY offences"
    ).fetchnumpy()["offences"]
    low, high = count_interval(counts)
    return pa.table({"offences": pa.array(counts, pa.int64()), "low": low, "high": high})
