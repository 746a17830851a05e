"""`make bench`: measure what the README's table states, and print it as Markdown.

Every job runs in a process of its own, so that times and peak memory are its own. Times are the best of a few
runs; memory is the largest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.figures import make_home
from benchmarks.generate import AREAS, write_workbook
from benchmarks.history import EDITIONS, time_queries
from benchmarks.history import make_home as make_history
from benchmarks.nights import measure_nights
from benchmarks.ranks import measure_ranks
from benchmarks.serve import measure_serving
from benchmarks.site import measure_site
from benchmarks.validation import measure_validation
from etl.landing import land

SMALL_AREAS = 8


@dataclass(frozen=True)
class Measured:
    """What a process took: seconds on the wall, peak memory in MiB, and what it printed."""

    seconds: float
    peak_mib: float
    result: dict[str, Any]


def run(command: list[str], *, is_job: bool = True) -> Measured:
    """Run a command to its end and measure it; a job prints its result as JSON."""
    # Byte code is cached, as it is for whoever installs us: the first of several runs may write it.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    output = subprocess.PIPE if is_job else subprocess.DEVNULL
    with subprocess.Popen(command, stdout=output, env=environment) as process:
        printed = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Measured(seconds, used.ru_maxrss / 1024, json.loads(printed) if is_job else {})


def job(name: str, path: Path) -> Measured:
    """Run one of `benchmarks.jobs` in a process of its own."""
    return run([sys.executable, "-m", "benchmarks.jobs", name, str(path)])


def best(runs: list[Measured]) -> Measured:
    """The fastest run, with the largest peak memory of all."""
    fastest = min(runs, key=lambda one: one.seconds)
    return Measured(fastest.seconds, max(one.peak_mib for one in runs), fastest.result)


def read_afresh(home: Path) -> Measured:
    """Read the landed file of a home with a cold cache."""
    shutil.rmtree(home / "tidy", ignore_errors=True)
    return job("read", home)


def unpack(workbook: Path) -> Measured:
    """`unzip -p` to nowhere; Python's zipfile where there is no unzip."""
    if shutil.which("unzip"):
        return run(["unzip", "-p", str(workbook), "content.xml"], is_job=False)
    return job("unpack", workbook)


def describe_machine() -> str:
    """Processor, cores, memory and versions, in one line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0] if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "fastexcel", "pyarrow", "pandas"))
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB; Python {platform.python_version()}, {libraries}"


def measure_reading(folder: Path, areas: int, repeats: int) -> list[list[str]]:
    """A full-size workbook against `unzip -p`, and a small one against pandas with odfpy."""
    rows = []
    workbook, home = folder / "large.ods", folder / "large"
    tell(f"writing {workbook.name}")
    count = write_workbook(workbook, areas)
    land(home, source="recorded_crime_home_office", title="Large", published="2026-07-23", files=[workbook])
    tell("unpacking and reading it")
    plain = best([unpack(workbook) for _ in range(repeats)])
    ours = best([read_afresh(home) for _ in range(repeats)])
    rows.append([f"`unzip -p` of an ods of {count:,} rows", f"{plain.seconds:.1f} s", "1", ""])
    ratio = f"{ours.seconds / plain.seconds:.1f}"
    rows.append(["the same read to typed tidy Parquet with cells", f"{ours.seconds:.1f} s", ratio, mib(ours)])
    small, small_home = folder / "small.ods", folder / "small"
    count = write_workbook(small, min(areas, SMALL_AREAS))
    land(small_home, source="recorded_crime_home_office", title="Small", published="2026-07-23", files=[small])
    tell("reading a small one with pandas")
    pandas = job("read_with_pandas", small)
    ours = best([read_afresh(small_home) for _ in range(repeats)])
    rows.append([f"an ods of {count:,} rows, pandas with odfpy", f"{pandas.seconds:.1f} s", "1", mib(pandas)])
    ratio = f"{ours.seconds / pandas.seconds:.2f}"
    rows.append(["the same, our reader, to tidy Parquet", f"{ours.seconds:.1f} s", ratio, mib(ours)])
    return rows


def measure_building(folder: Path, areas: int | None) -> list[list[str]]:
    """A build from five million tidy figures, against DuckDB scanning the same Parquet once."""
    tell("making figures")
    home = folder / "build"
    count = make_home(home, areas)
    tell("scanning and building")
    scan = job("scan", home)
    built = job("build", home)
    made = f"{sum(built.result['rows'].values()):,} rows in all tables"
    scanned = scan.result["seconds"]
    seconds = built.result["seconds"]
    return [
        [f"DuckDB scans the Parquet of {count:,} tidy figures", f"{scanned:.1f} s", "1", mib(scan)],
        [f"a build from them ({made})", f"{seconds:.0f} s", f"{seconds / scanned:.0f}", mib(built)],
    ]


def measure_history(folder: Path, editions: int | None = None) -> list[list[str]]:
    """A build from many editions that revise one another, and what questions to its newest figures then take."""
    from etl.publish import publish
    from etl.settings import Settings

    tell("making a history")
    home = folder / "history"
    count = make_history(home, editions) if editions else make_history(home)
    tell("building it")
    built = job("build", home)
    publish(home, Settings(home=home), built.result["version"])
    rows = built.result["rows"]
    made = f"{rows['mart.crime_trend_history']:,} lines of crime_trend_history, {rows['mart.crime_trend']:,} hold now"
    tell("asking it")
    slowest = time_queries(home)
    name = max(slowest, key=lambda each: slowest[each])
    return [
        [
            f"a build from {count:,} tidy figures of {editions or EDITIONS} editions that revise one another ({made})",
            f"{built.seconds:.0f} s",
            "",
            mib(built),
        ],
        [f"the slowest of {len(slowest)} questions to it ({name})", f"{slowest[name]:.2f} s", "", ""],
    ]


def measure_demo(folder: Path, repeats: int) -> list[list[str]]:
    """A refresh of the demo that finds nothing new."""
    from etl.demo import run_demo
    from etl.settings import Settings

    tell("refreshing the demo")
    home = folder / "demo"
    run_demo(Settings(home=home))
    os.environ["JUSTICE_HOME"] = str(home)
    command = str(Path(sys.executable).parent / "justice-etl")
    again = best([run([command, "refresh"], is_job=False) for _ in range(repeats)])
    del os.environ["JUSTICE_HOME"]
    return [["`justice-etl refresh` in the demo, nothing new", f"{again.seconds:.1f} s", "", mib(again)]]


def measure_answers(repeats: int) -> list[list[str]]:
    """How fast the command line answers."""
    command = str(Path(sys.executable).parent / "justice-etl")
    return [
        [
            f"`justice-etl {word}`",
            f"{best([run([command, word], is_job=False) for _ in range(repeats)]).seconds:.2f} s",
            "",
            "",
        ]
        for word in ("--help", "status")
    ]


def mib(measured: Measured) -> str:
    """Peak memory for the table."""
    return f"{measured.peak_mib:,.0f} MiB"


def tell(what: str) -> None:
    """Say what is going on."""
    print(f"… {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the size: does it run?")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    options = parser.parse_args()
    repeats = 1 if options.quick else 3
    with tempfile.TemporaryDirectory(prefix="justice-etl-benchmarks-", dir=options.folder) as name:
        folder = Path(name)
        rows = measure_reading(folder, AREAS // 50 if options.quick else AREAS, repeats)
        rows += measure_building(folder, 6 if options.quick else None)
        rows += measure_history(folder, 3 if options.quick else None)
        tell("validating tidy lines")
        rows += measure_validation(options.quick)
        tell("ranking authorities")
        rows += measure_ranks(options.quick)
        tell("asking publishers politely")
        rows += measure_nights(folder / "nights", 2 if options.quick else 45)
        tell("serving while versions change")
        rows += measure_serving(folder / "serving", 1 if options.quick else 10)
        rows += measure_demo(folder, repeats)
        tell("writing the site")
        rows += measure_site(folder / "demo", folder / "site")
        rows += measure_answers(repeats)
    print("| what | time | ratio | peak memory |\n|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"\n{describe_machine()}")


if __name__ == "__main__":
    main()
