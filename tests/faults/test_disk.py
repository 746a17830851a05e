"""A full disk and a home that cannot be written: a readable error, the old version serves, and a way on."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.builders import rolling_year
from tests.faults.commands import Commands, assert_readable, wait_until
from tests.faults.homes import BUILD, KEEP_ONE, LAND, Scenario, copy_home, list_home, serving

# --- no space ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Disk:
    """A small file system of its own; without the right to mount one, a limit on the size of files."""

    path: Path
    is_mounted: bool

    @property
    def filler(self) -> Path:
        return self.path / "filler"

    def fill(self, leaving: int) -> dict[str, Any]:
        """Leave so many bytes free; what a run must be started with."""
        if not self.is_mounted:
            return {"file_size_limit": leaving}
        free = shutil.disk_usage(self.path).free
        with self.filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, free - leaving))
        return {}

    def make_space(self) -> None:
        self.filler.unlink(missing_ok=True)


def _may_mount() -> bool:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return os.geteuid() == 0 and bool(int(effective, 16) >> 21 & 1)  # CAP_SYS_ADMIN


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    if request.param == "limited":
        yield Disk(path, is_mounted=False)
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)], check=True)
    try:
        yield Disk(path, is_mounted=True)
    finally:
        subprocess.run(["umount", str(path)], check=True)


FULL = {"land": (0, 16 << 10), "read": (1, 0), "build": (1, 1 << 20), "checkpoint": (1, 5 << 20), "publish": (2, 0)}
LIMITED = {"land": (0, 16 << 10), "read": (1, 2 << 10), "build": (1, 1 << 20), "checkpoint": (1, 5 << 20)}


@pytest.mark.parametrize(
    ("disk", "steps_before", "leaving"),
    [
        pytest.param(how, *where, id=f"{how}-{stage}")
        for how, stages in (("full", FULL if _may_mount() else {}), ("limited", LIMITED))
        for stage, where in stages.items()
    ],
    indirect=["disk"],
)
def test_a_full_disk_leaves_the_old_version_and_the_next_run_finishes(
    steps_before: int, leaving: int, commands: Commands, scenario: Scenario, disk: Disk, tmp_path: Path
) -> None:
    home = copy_home(scenario.before[LAND], disk.path / "home")
    lines = [[f"31/03/{year}", "Kent", "South East", "Robbery", "1,204" + " " * 4_000] for year in range(2003, 2018)]
    steps = [rolling_year(tmp_path, 2, *lines).command, ["build"], ["publish"]]
    if steps_before:
        commands.succeed(home, *steps[:steps_before])
    outcome = commands.run(home, steps[steps_before], **disk.fill(leaving))
    assert_readable(outcome, str(home), "No space left" if disk.is_mounted else "File too large", "justice-etl doctor")
    assert len(outcome.err.splitlines()) == 2
    assert serving(home) == scenario.old
    commands.succeed(home, ["sql", "SELECT * FROM mart.crime_trend"], ["status"])
    disk.make_space()
    commands.succeed(home, *steps)
    assert serving(home).releases == ["recorded_crime_ons/rolling-years-2@1", *scenario.old.releases]
    assert not [name for name in list_home(home) if Path(name).name.startswith(".") or "staging/" in name]


WRITTEN = {
    "parquet": "etl.feeds.write_parquet",
    "csv": "etl.feeds.write_csv",
    "json": "etl.feeds.write_json",
    "a spreadsheet": "etl.feed_spreadsheets.write_spreadsheets",
    "that feeds are whole": "etl.feeds.write_json_file",
    "pages": "etl.site.areas.write_areas",
    "charts": "etl.site.charts._write",
    "data docs": "etl.data_docs.write_data_docs",
}
"""What a version holds beside its warehouse: each is written by another library, with errors of its own."""


@pytest.mark.parametrize("disk", ["full" if _may_mount() else "limited"], indirect=True)
@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in WRITTEN.items()])
def test_a_disk_that_fills_up_while_feeds_and_pages_are_written(
    call: str, commands: Commands, scenario: Scenario, disk: Disk, tmp_path: Path
) -> None:
    home = scenario.start(disk.path, BUILD)
    waits = tmp_path / "waits"
    running = commands.start(home, ["build"], point={"call": call, "pause": str(waits)})
    wait_until(waits.exists, call)
    limit = disk.fill(0 if disk.is_mounted else 2 << 10).get("file_size_limit")
    if limit is not None:
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (limit, limit))
    waits.unlink()
    outcome = running.wait()
    assert_readable(outcome, str(home), "No space left" if disk.is_mounted else "File too large", "justice-etl doctor")
    assert len(outcome.err.splitlines()) == 2
    assert list((home / "staging").iterdir()) == []  # half a version would keep the disk full
    assert serving(home) == scenario.old
    disk.make_space()
    commands.succeed(home, *scenario.steps, env=KEEP_ONE)
    scenario.assert_finished(home)


@pytest.mark.parametrize("fault", [*(["No space left"] if _may_mount() else []), "Permission denied"])
def test_no_place_to_keep_ranks(fault: str, commands: Commands, scenario: Scenario, tmp_path: Path) -> None:
    """The disk fills up just when ranks are written, or their folder is somebody else's."""
    home = scenario.start(tmp_path, BUILD)
    ranks = home / "ranks"
    is_full = fault == "No space left"
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(ranks)]
    subprocess.run(mount if is_full else ["chmod", "a-w", str(ranks)], check=True)
    try:
        outcome = commands.run(home, ["build"], as_anybody=not is_full)
        left = list(ranks.iterdir()) if is_full else []
    finally:
        subprocess.run(["umount", str(ranks)] if is_full else ["chmod", "u+w", str(ranks)], check=True)
    assert_readable(outcome, fault, str(ranks), "justice-etl doctor")
    assert len(outcome.err.splitlines()) == 2
    assert left == []
    assert serving(home) == scenario.old
    commands.succeed(home, *scenario.steps, env=KEEP_ONE)
    scenario.assert_finished(home)


# --- no right to write ---------------------------------------------------------------------------------


@pytest.fixture
def read_only_home(scenario: Scenario, tmp_path: Path) -> Iterator[Path]:
    home = scenario.start(tmp_path)
    folders = [home, *(path for path in home.rglob("*") if path.is_dir() and not path.is_symlink())]
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    modes = {path: path.stat().st_mode for path in [*folders, *files]}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield home
    for path, mode in modes.items():
        path.chmod(mode)


@pytest.mark.parametrize(
    "command",
    [["land"], ["build"], ["publish"], ["rollback"], ["pin", "0"]],
    ids=lambda command: command[0],
)
def test_a_home_that_cannot_be_written_is_named(
    command: list[str], commands: Commands, scenario: Scenario, read_only_home: Path
) -> None:
    words = scenario.steps[0] if command == ["land"] else command
    outcome = commands.run(read_only_home, words, as_anybody=True)
    assert_readable(outcome, "Permission denied", str(read_only_home), "justice-etl doctor")
    assert serving(read_only_home) == scenario.old


def test_a_home_that_cannot_be_written_can_still_be_read(
    commands: Commands, scenario: Scenario, read_only_home: Path
) -> None:
    commands.succeed(
        read_only_home,
        ["sql", "SELECT * FROM mart.crime_trend"],
        ["status"],
        ["versions"],
        ["verify"],
        ["trace", "Kent", "homicide", "2018-03-31"],
        as_anybody=True,
    )
    outcome = commands.run(read_only_home, ["doctor", "--json"], as_anybody=True)
    assert outcome.status == 1
    [finding] = [item for item in outcome.json if not item["is_well"]]
    assert finding["found"] == f"{read_only_home} cannot be written"
    assert "JUSTICE_HOME" in finding["mend"]
