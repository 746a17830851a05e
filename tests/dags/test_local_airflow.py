"""The supervisor of a local Airflow: up in time, on loopback only, and nothing of it left however it ends."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from etl.errors import LeaseHeldError
from etl.files import hold_lease
from etl.local_airflow import LocalAirflow, LocalAirflowError, find_marked
from tests.faults.commands import DONE, FAILED, wait_until

MARK = "TESTS_MARK"
TWO_MINUTES = 120


@dataclass
class Started:
    """A supervisor in a process of its own; whatever it starts inherits a mark that the test chose."""

    process: subprocess.Popen[str]
    mark: str
    folder: Path

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text(encoding="utf-8")

    @property
    def pids(self) -> list[int]:
        """The supervisor and all that came of it."""
        wanted = f"{MARK}={self.mark}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if wanted in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return found

    def find(self, words: str) -> int:
        """The oldest of its processes whose command line holds these words."""
        return min(pid for pid in self.pids if words in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))

    def wait_for(self, text: str, seconds: float = TWO_MINUTES) -> None:
        """Wait until it says something."""

        def is_said() -> bool:
            said = text in self.out + self.err
            assert said or self.process.poll() is None, self.out + self.err
            return said

        wait_until(is_said, text, seconds)


class Supervisors:
    """Starts supervisors."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[Started] = []

    def start(self, *words: str | Path, **env: str) -> Started:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUSTICE_")}
        mark = secrets.token_hex(8)
        with (self.folder / "out").open("w") as out, (self.folder / "err").open("w") as err:
            process = subprocess.Popen(
                [sys.executable, *words],
                env=kept | env | {MARK: mark, "PYTHONDONTWRITEBYTECODE": ""},
                stdout=out,
                stderr=err,
                text=True,
            )
        self.started.append(Started(process, mark, self.folder))
        return self.started[-1]


@pytest.fixture
def supervisors(tmp_path: Path) -> Iterator[Supervisors]:
    made = Supervisors(tmp_path)
    yield made
    for started in made.started:
        for pid in started.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        started.process.wait()


def listening(pids: list[int]) -> set[str]:
    """The addresses on which processes listen."""
    inodes = set()
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").glob("*"):
            with suppress(OSError):
                inodes.add(str(file.readlink()).removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            is_listening = fields[3] == "0A"
            if is_listening and fields[9] in inodes:
                words = [int(word, 16) for word in re.findall(".{8}", fields[1].partition(":")[0])]
                family = socket.AF_INET if table == "tcp" else socket.AF_INET6
                found.add(socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)))
    return found


def test_make_airflow_over_the_demo(supervisors: Supervisors, tmp_path: Path) -> None:
    home = tmp_path / "home"
    started = supervisors.start("-m", "etl.local_airflow", JUSTICE_HOME=str(home))
    started.wait_for("Ctrl-C ends all of it")
    address = re.search(r"Airflow runs at (http://127\.0\.0\.1:\d+)\n  user (\w+), password (\w+)\n", started.out)
    assert address, started.out
    url, user, password = address.groups()
    login = requests.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=30)
    assert login.status_code == 201
    headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
    dags = requests.get(f"{url}/api/v2/dags", headers=headers, timeout=30).json()["dags"]
    assert {dag["dag_id"] for dag in dags} >= {"ingest_crime", "ingest_reoffending", "ingest_reference", "warehouse"}
    assert [dag["dag_id"] for dag in dags if not dag["is_paused"]] == ["warehouse"]
    assert "cannot be read" not in started.err
    assert listening(started.pids) == {"127.0.0.1"}
    assert {path.name for path in home.iterdir()} == {"airflow", "archive", "home.json", "landing", "samples"}

    # All is there: eight workers of the scheduler beside the components, the supervisor and its guard.
    assert len(started.pids) >= 8 + len(("server", "scheduler", "processor", "triggerer", "supervisor", "guard"))
    started.process.kill()
    started.process.wait()
    wait_until(lambda: started.pids == [], "the end of what a killed supervisor started", 20)


def test_a_component_that_ends_ends_all(supervisors: Supervisors, tmp_path: Path) -> None:
    home = tmp_path / "home"
    started = supervisors.start("-m", "etl.local_airflow", JUSTICE_HOME=str(home))
    started.wait_for("waiting until Airflow is healthy")
    os.kill(started.find("triggerer"), signal.SIGKILL)
    assert started.process.wait(TWO_MINUTES) == FAILED
    assert started.pids == []
    message = started.err[started.err.index("error: ") :].splitlines()
    assert message[0].startswith("error: Airflow's triggerer was ended by SIGKILL"), started.err
    assert message[-1].startswith("  → ")
    assert "Traceback" not in started.err
    assert started.out == ""


def test_it_ends_when_told_to(supervisors: Supervisors, tmp_path: Path) -> None:
    started = supervisors.start("-m", "etl.local_airflow", JUSTICE_HOME=str(tmp_path / "home"))
    started.wait_for("preparing the metadata database")
    started.process.terminate()
    assert started.process.wait(TWO_MINUTES) == DONE
    # A guard that was only just started ends by itself.
    wait_until(lambda: started.pids == [], "the end of all processes", 10)
    assert started.err.endswith("Airflow has ended.\n")


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    airflow = LocalAirflow(tmp_path, database_url="postgresql+psycopg2://nobody@127.0.0.1:1/none")
    with pytest.raises(LocalAirflowError) as caught, airflow:
        pass
    assert f"metadata database cannot be set up: {tmp_path}/set-up.log ends with" in caught.value.what
    assert "Connection refused" in caught.value.what
    assert find_marked(airflow.mark) == []


def test_two_in_one_folder_are_refused(tmp_path: Path) -> None:
    with hold_lease(tmp_path, "airflow", 0), pytest.raises(LeaseHeldError, match="is being used by process"):
        LocalAirflow(tmp_path).start()
