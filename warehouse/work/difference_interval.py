"""Interval of every change of a reoffending rate that is shown (Newcombe's hybrid score)."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from etl.ranking import difference_interval

INPUTS = ["work.reoffending_comparison"]
_COUNTS = ("reoffenders", "offenders", "previous_reoffenders", "previous_offenders")


def build(connection: duckdb.DuckDBPyConnection, _cache: Path | None) -> pa.Table:
    """Columns: the four counts, design_effect, low and high (percentage points); one line a distinct five."""
    keys = f"{', '.join(_COUNTS)}, design_effect"
    lines = connection.sql(
        f"SELECT DISTINCT {keys} FROM work.reoffending_comparison WHERE reason IS NULL ORDER BY {keys}"
    ).fetchnumpy()
    effect = np.asarray(lines["design_effect"])
    y, n, previous_y, previous_n = (np.asarray(lines[name]) / effect for name in _COUNTS)
    low, high = difference_interval(y, n, previous_y, previous_n)
    counts = {name: pa.array(lines[name], pa.int64()) for name in _COUNTS}
    return pa.table(counts | {"design_effect": effect, "low": 100 * low, "high": 100 * high})
