"""What is measured, each in a process of its own: `python -m benchmarks.jobs <job> <path>` prints JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def read(home: Path) -> dict[str, Any]:
    """Read the one landed file of a home into tidy Parquet with cells."""
    from etl.landing import read_records
    from etl.reading import TidyFile, read_landed

    found = read_landed(home, read_records(home)[0])
    if not isinstance(found, TidyFile):
        raise SystemExit(f"the file was kept out: {found.message}")
    return {"rows": found.rows, "bytes": found.path.stat().st_size}


def read_with_pandas(workbook: Path) -> dict[str, Any]:
    """Read every sheet with pandas and odfpy, as text."""
    import pandas as pd

    sheets = pd.read_excel(workbook, sheet_name=None, engine="odf", dtype=str)
    return {"rows": sum(len(sheet) for name, sheet in sheets.items() if name[0].isdigit())}


def unpack(workbook: Path) -> dict[str, Any]:
    """What `unzip -p` does, where there is no unzip."""
    import zipfile

    unpacked = 0
    with zipfile.ZipFile(workbook) as archive, archive.open("content.xml") as stream:
        while chunk := stream.read(1 << 20):
            unpacked += len(chunk)
    return {"bytes": unpacked}


def build(home: Path) -> dict[str, Any]:
    """Build a version from what a home holds, timing each step."""
    from etl.build import build as build_version
    from etl.manifest import read_manifest
    from etl.settings import Settings

    steps: dict[str, float] = {}
    last = ("start", time.perf_counter())

    def tell(what: str, _done: int, _total: int) -> None:
        nonlocal last
        now = time.perf_counter()
        steps[last[0]] = now - last[1]
        last = (what, now)

    start = time.perf_counter()
    built = build_version(home, Settings(home=home), tell)
    tell("end", 0, 0)
    steps["hashing and closing"] = steps.pop("built", 0.0)
    tables = read_manifest(built.folder)["tables"]
    return {
        "version": built.version,
        "seconds": time.perf_counter() - start,
        "steps": steps,
        "rows": {name: table["rows"] for name, table in tables.items()},
        "bytes": (built.folder / "warehouse.duckdb").stat().st_size,
    }


def scan(home: Path) -> dict[str, Any]:
    """Let DuckDB alone read every column of the same tidy Parquet once."""
    import duckdb

    files = [str(path) for path in sorted((home / "tidy" / "recorded_crime").rglob("*.parquet"))]
    start = time.perf_counter()
    row = duckdb.execute(
        """
        SELECT
            count(*), sum(line.value), count(DISTINCT line.area_code), count(DISTINCT line.offence_id),
            count(DISTINCT line.period_end), bit_xor(hash(line))
        FROM read_parquet(?) AS line
        """,
        [files],
    ).fetchone()
    return {"seconds": time.perf_counter() - start, "rows": row[0] if row else 0}


JOBS = {job.__name__: job for job in (read, read_with_pandas, unpack, build, scan)}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](Path(sys.argv[2]))))
