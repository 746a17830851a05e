"""The benchmark of serving runs; what it measures is for `make bench`."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.serve import Home, measure_serving


def test_servers_are_measured_without_an_error(tmp_path: Path) -> None:
    rows = measure_serving(tmp_path, seconds=1)
    if not shutil.which("wrk"):
        assert rows == [["serving: wrk is not at hand", "", "", ""]]
        return
    ours = [row for row in rows if "justice-etl serve" in row[0]]
    assert [row[0].split(", ")[1].split(":")[0] for row in ours] == ["plain", "gzip", "If-None-Match"]
    assert all(row[0].endswith(" 0 errors") and row[2] == "1.00" for row in ours)
    assert all(len(row) == 4 for row in rows)


def test_versions_follow_one_another_and_the_oldest_go(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for _ in range(4):
        home.add()
    assert (home.home / "current").readlink().name == f"{5:012x}"
    assert len(list((home.home / "versions").glob("0*"))) == 3
