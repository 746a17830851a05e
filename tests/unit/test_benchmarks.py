"""The benchmarks run and print their table; what they measure is for `make bench` and the README."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.__main__ import best, describe_machine, job, measure_reading, run
from benchmarks.figures import make_home
from benchmarks.nights import measure_nights


def test_a_small_run_of_reading_prints_ratios(tmp_path: Path) -> None:
    rows = measure_reading(tmp_path, areas=2, repeats=1)
    assert [row[0] for row in rows][1] == "the same read to typed tidy Parquet with cells"
    assert all(len(row) == 4 for row in rows)


def test_made_figures_build(tmp_path: Path) -> None:
    count = make_home(tmp_path / "home", areas=1)
    built = job("build", tmp_path / "home").result
    assert built["rows"]["core.recorded_crime"] > 0
    assert job("scan", tmp_path / "home").result["rows"] == count


def test_nights_are_paced_and_measured(tmp_path: Path) -> None:
    least, first, again = measure_nights(tmp_path, publications=1)
    assert least[:1] == ["5 requests at 5 a second"]
    assert "fetched the first time (5 requests, 0 of them conditional)" in first[0]
    assert "nothing new (5 requests, 5 of them conditional)" in again[0]


def test_the_best_run_carries_the_largest_memory() -> None:
    runs = [run([sys.executable, "-c", "print('{}')"]) for _ in range(2)]
    assert best(runs).peak_mib == max(one.peak_mib for one in runs)


def test_the_machine_is_described() -> None:
    assert "cores" in describe_machine()


def test_help_is_given() -> None:
    shown = subprocess.run([sys.executable, "-m", "benchmarks", "--help"], capture_output=True, text=True, check=True)
    assert "--quick" in shown.stdout
