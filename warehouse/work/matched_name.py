"""Published names → codes, and for a name that is not known the known ones that come nearest."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from etl.areas import Names

INPUTS = ["ref.area_name", "work.printed_name"]


def build(connection: duckdb.DuckDBPyConnection, _cache: Path | None) -> pa.Table:
    """Columns: level, area_key, period_end, area_code (null where no one area bears the name), nearest_names."""
    known = connection.execute(
        "SELECT level, area_key, area_code, published_name, starts_on, ends_on FROM ref.area_name"
    ).fetchall()
    names = Names(known)
    printed = connection.execute("SELECT level, area_key, period_end FROM work.printed_name ORDER BY ALL").fetchall()
    codes = [names.match(level, key, day) for level, key, day in printed]
    unknown = {(level, key) for (level, key, _), code in zip(printed, codes, strict=True) if code is None}
    nearest = {name: "; ".join(names.find_nearest(*name)) for name in unknown}
    return pa.table(
        {
            "level": pa.array([line[0] for line in printed], pa.string()),
            "area_key": pa.array([line[1] for line in printed], pa.string()),
            "period_end": pa.array([line[2] for line in printed], pa.date32()),
            "area_code": pa.array(codes, pa.string()),
            "nearest_names": pa.array([nearest.get((line[0], line[1])) for line in printed], pa.string()),
        }
    )
