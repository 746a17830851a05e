"""How long the site takes: `python -m benchmarks.site <job> <home> <folder>` runs one job and prints JSON.

Each job runs in a process of its own, so that its peak memory is its own. The goal is 400 pages and more in under a
minute on two cores, with no chart drawn before.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from etl.site.pages import write_site

GOAL_PAGES = 400
GOAL_SECONDS = 60


def write(home: Path, folder: Path) -> dict[str, Any]:
    """The site of a home's newest version with the charts of `folder`: seconds, pages, and bytes of all files."""
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    start = time.perf_counter()
    with duckdb.connect(str(home / "current" / "warehouse.duckdb"), read_only=True) as connection:
        write_site(connection, site, "0123456789ab", folder / "charts.parquet")
    seconds = time.perf_counter() - start
    files = [path for path in site.rglob("*") if path.is_file()]
    return {
        "seconds": seconds,
        "pages": sum(path.suffix == ".html" for path in files),
        "bytes": sum(path.stat().st_size for path in files),
    }


def afresh(home: Path, folder: Path) -> dict[str, Any]:
    """With nothing drawn."""
    with suppress(FileNotFoundError):
        (folder / "charts.parquet").unlink()
    return write(home, folder)


def on_one_core(home: Path, folder: Path) -> dict[str, Any]:
    """With nothing drawn, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return afresh(home, folder)


JOBS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {job.__name__: job for job in (on_one_core, afresh, write)}


def run_job(name: str, home: Path, folder: Path) -> dict[str, Any]:
    """What a job printed, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.site", name, str(home), str(folder)]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


def measure_site(home: Path, folder: Path) -> list[list[str]]:
    """Table rows: the site of a home that has published, on one core, on all, and with every chart drawn before."""
    folder.mkdir(parents=True, exist_ok=True)
    alone, first, again = (run_job(name, home, folder) for name in ("on_one_core", "afresh", "write"))
    what = f"the site of the demo, {first['pages']:,} pages and {first['bytes'] / 2**20:.0f} MiB"
    goal = f"goal: {GOAL_PAGES} pages and more in under {GOAL_SECONDS} s"
    return [
        [f"{what}, nothing drawn before, on one core", f"{alone['seconds']:.1f} s", "1", _mib(alone)],
        [f"the same on all cores: {_speed(first)} ({goal})", *_compare(first, alone)],
        [f"the same where every chart was drawn before: {_speed(again)}", *_compare(again, alone)],
    ]


def _speed(found: dict[str, Any]) -> str:
    return f"{found['pages'] / found['seconds']:.0f} pages a second"


def _compare(found: dict[str, Any], to: dict[str, Any]) -> list[str]:
    return [f"{found['seconds']:.1f} s", f"{found['seconds'] / to['seconds']:.2f}", _mib(found)]


def _mib(found: dict[str, Any]) -> str:
    return f"{found['peak_mib']:,.0f} MiB"


if __name__ == "__main__":
    taken = JOBS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    print(json.dumps(taken | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
