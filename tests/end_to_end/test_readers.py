"""Readers in other processes query through `current` while versions are published."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from etl.settings import project_root
from tests.end_to_end.builders import force_tables, rolling_year
from tests.end_to_end.reader import look
from tests.faults.commands import Commands, wait_until

VERSIONS = 5
"""So many are published, and kept: the last prunes the one that served before the first."""


@dataclass(frozen=True)
class Reader:
    process: subprocess.Popen[str]
    out: Path
    err: Path

    @property
    def found(self) -> list[list[int]]:
        """What it found, without the line that it is writing."""
        lines = self.out.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def wait_for(self, looks: int) -> None:
        def has_looked() -> bool:
            assert self.process.poll() is None, self.err.read_text(encoding="utf-8")
            return len(self.found) >= looks

        wait_until(has_looked, "a query")


def _start_reader(how: str, home: Path, folder: Path) -> Reader:
    out, err = folder / f"{how}.out", folder / f"{how}.err"
    words = ["-m", "tests.end_to_end.reader", how, str(home / "current" / "warehouse.duckdb"), str(folder / "until")]
    with out.open("w") as out_file, err.open("w") as err_file:
        process = subprocess.Popen([sys.executable, *words], cwd=project_root(), stdout=out_file, stderr=err_file)
    return Reader(process, out, err)


@pytest.fixture
def home(commands: Commands, tmp_path: Path) -> Path:
    path = tmp_path / "home"
    commands.succeed(path, force_tables(tmp_path).command, ["publish"])
    return path


def test_readers_see_whole_versions_while_others_are_published_and_pruned(
    home: Path, commands: Commands, tmp_path: Path
) -> None:
    keep = {"JUSTICE_KEEP_VERSIONS": str(VERSIONS)}
    readers = {how: _start_reader(how, home, tmp_path) for how in ("anew", "hold", "attach")}
    try:
        published = [_look(home)]
        for number in range(1, VERSIONS + 1):
            for reader in readers.values():
                reader.wait_for(len(reader.found) + 2)  # the second look began after the last version appeared
            commands.succeed(home, rolling_year(tmp_path, number).command, ["publish"], env=keep)
            published.append(_look(home))
        for reader in readers.values():
            reader.wait_for(len(reader.found) + 2)
        (tmp_path / "until").touch()
        for reader in readers.values():
            assert reader.process.wait(timeout=60) == 0, reader.err.read_text(encoding="utf-8")
    finally:
        for reader in readers.values():
            reader.process.kill()
            reader.process.wait()
    assert len({tuple(numbers) for numbers in published}) == VERSIONS + 1
    # One who holds the file keeps what it opened, pruned by now; the others see every version, each whole, in turn.
    assert set(map(tuple, readers["hold"].found)) == {tuple(published[0])}
    for how in ("anew", "attach"):
        order = [published.index(numbers) for numbers in readers[how].found]
        assert order == sorted(order)
        assert set(order) == set(range(VERSIONS + 1))
    kept = commands.succeed(home, ["versions", "--json"]).json
    assert [version["releases"] for version in kept] == list(range(2, VERSIONS + 2))


def _look(home: Path) -> list[int]:
    with duckdb.connect(str((home / "current" / "warehouse.duckdb").resolve()), read_only=True) as connection:
        return look(connection)
