"""What suites cost: `python -m benchmarks.validation` prints a table; with a tidy table and a number, JSON of one.

Each suite runs in a process of its own on made lines of one landed file, as a build runs it the first time: the
Parquet is read, every expectation looks at every line, and the findings are kept. To import the library is not in
the times.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etl.cells import month_end
from etl.reading import TidyFile, tidy_schema

ROWS = 1_000_000
GOAL_SECONDS = 30
"""What all suites on a million tidy lines may take."""

AREAS = 175
YEARS = range(2004, 2024)


def make_crime(rows: int) -> pa.Table:
    """Lines of recorded crime by area, offence and quarter; one in 200 is withheld."""
    number = np.arange(rows)
    codes = [f"E22{area:06}" for area in range(AREAS)]
    starts = [date(year, month, 1) for year in YEARS for month in (1, 4, 7, 10)]
    ends = [month_end(start.year, start.month + 2) for start in starts]
    withheld = number % 200 == 0
    columns = {
        "table_id": _repeat("csp", rows),
        "measure": _repeat("offences", rows),
        "level": _repeat("csp", rows),
        "area_code": _pick(codes, number % AREAS),
        "area_name": _pick([f"Area {area}" for area in range(AREAS)], number % AREAS),
        "area_key": _pick([f"area {area}" for area in range(AREAS)], number % AREAS),
        "parent_name": _repeat("West Midlands", rows),
        "offence_id": _pick([f"offence_{offence}" for offence in range(126)], number % 126),
        "span": _repeat("quarter", rows),
        "period_start": _pick(starts, number % len(starts)),
        "period_end": _pick(ends, number % len(starts)),
        "value": pa.array(number % 1_009, pa.float64(), mask=withheld),
        "marker": pa.array(np.full(rows, "[x]"), pa.string(), mask=~withheld),
        "sheet": _repeat("2023_24", rows),
        "row": pa.array(number + 2, pa.int32()),
        "column": _repeat("I", rows),
    }
    return _arrange(columns, "recorded_crime")


def make_reoffending(rows: int) -> pa.Table:
    """Lines of proven reoffending by area, category and cohort; one in 200 is withheld."""
    number = np.arange(rows)
    starts = [date(year, 4, 1) for year in YEARS]
    ends = [date(year + 1, 3, 31) for year in YEARS]
    withheld = number % 200 == 0
    offenders = 30 + number % 5_003
    columns: dict[str, pa.Array] = {
        "table_id": _repeat("geographic", rows),
        "measure": _repeat("three_month_cohort", rows),
        "span": _repeat("year", rows),
        "cohort_start": _pick(starts, number % len(starts)),
        "cohort_end": _pick(ends, number % len(starts)),
        "age_group": _pick(["adult", "child"], number % 2),
        "level": _repeat("upper_tier", rows),
        "area_code": pa.nulls(rows, pa.string()),
        "area_name": _pick([f"Area {area}" for area in range(AREAS)], number % AREAS),
        "area_key": _pick([f"area {area}" for area in range(AREAS)], number % AREAS),
        "role": _repeat("part", rows),
        "category": _repeat("Index offence", rows),
        "subcategory": _pick([f"Offence {offence}" for offence in range(20)], number % 20),
        "sheet": _repeat("Data", rows),
        "row": pa.array(number + 2, pa.int32()),
    }
    counts = {"offenders": offenders, "reoffenders": offenders // 4, "reoffences": offenders}
    for letter, (name, values) in zip("EFG", counts.items(), strict=True):
        columns[name] = pa.array(values, pa.int64(), mask=withheld)
        columns[f"{name}_marker"] = pa.array(np.full(rows, "[c]"), pa.string(), mask=~withheld)
        columns[f"{name}_column"] = _repeat(letter, rows)
    return _arrange(columns, "reoffending")


def _arrange(columns: dict[str, pa.Array], table: str) -> pa.Table:
    schema = tidy_schema(table)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _repeat(text: str, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), length)


def _pick(values: list[str] | list[date], indices: np.ndarray) -> pa.Array:
    return pa.array(values).take(pa.array(indices))


TABLES: dict[str, Callable[[int], pa.Table]] = {"recorded_crime": make_crime, "reoffending": make_reoffending}


def check(table: str, rows: int) -> dict[str, float]:
    """Run the suite of a tidy table on made lines; seconds, peak MiB, its expectations and what was unexpected."""
    from etl.gates import check_file
    from etl.validation import import_great_expectations

    with tempfile.TemporaryDirectory(prefix="justice-etl-validation-") as name:
        home = Path(name)
        path = home / f"{'0' * 64}-made.parquet"
        pq.write_table(TABLES[table](rows), path)
        import_great_expectations().get_context(mode="ephemeral")
        start = time.perf_counter()
        found = check_file(home, TidyFile("0" * 64, "made", table, path, rows))
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    unexpected = sum(outcome.unexpected for outcome in found.outcomes)
    return {"seconds": seconds, "peak_mib": peak, "expectations": len(found.outcomes), "unexpected": unexpected}


def run_job(table: str, rows: int) -> dict[str, float]:
    """`check` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.validation", table, str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure_validation(quick: bool) -> list[list[str]]:
    """Rows of the README's table: each suite, and all of them against the goal."""
    count = ROWS // 50 if quick else ROWS
    found = {table: run_job(table, count) for table in TABLES}
    rows = [
        [
            f"the {taken['expectations']:.0f} expectations of `tidy.{table}` on {count:,} lines of it",
            f"{taken['seconds']:.1f} s",
            "",
            f"{taken['peak_mib']:,.0f} MiB",
        ]
        for table, taken in found.items()
    ]
    total = sum(taken["seconds"] for taken in found.values())
    ratio = f"{total / GOAL_SECONDS:.2f}"
    return [*rows, [f"both, against the goal of {GOAL_SECONDS} s for a million lines", f"{total:.1f} s", ratio, ""]]


def main() -> None:
    """Print the table, or JSON of one suite where it and a number of lines are named."""
    if len(sys.argv) == 3:
        print(json.dumps(check(sys.argv[1], int(sys.argv[2]))))
        return
    print("| what | time | ratio | peak memory |\n|---|---|---|---|")
    for row in measure_validation(quick="--quick" in sys.argv):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
