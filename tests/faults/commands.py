"""Commands of `justice-etl`, each in a process of its own: `tests.faults.kill_at` runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from etl.settings import project_root

KILLED = -signal.SIGKILL
DONE, FAILED, WRONG_USE, KEPT_OUT = 0, 1, 2, 3


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its exit status (or minus the signal), and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Running:
    """A run that was started; `wait` ends it."""

    commands: Commands
    pid: int
    out: Path
    err: Path

    def wait(self) -> Outcome:
        status = self.commands.ask({"wait": self.pid})
        return Outcome(status, self.out.read_text(encoding="utf-8"), self.err.read_text(encoding="utf-8"))


@dataclass
class Commands:
    """A server that forks for each run; `env` is set before Python starts, `root` holds the project's files."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    root: Path = field(default_factory=project_root)
    _server: subprocess.Popen[str] | None = None
    _runs: int = 0

    def ask(self, request: dict[str, Any]) -> int:
        server = self._server or self._start_server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        assert answer, (self.folder / "server.err").read_text(encoding="utf-8")
        return int(answer)

    def _start_server(self) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUSTICE_")}
        with (self.folder / "server.err").open("w") as err:
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.kill_at"],
                cwd=self.root,
                env=kept | {"PYTHONDONTWRITEBYTECODE": "1"} | dict(self.env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        self._server = server
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n", (self.folder / "server.err").read_text(encoding="utf-8")
        return server

    def close(self) -> None:
        if self._server is not None:
            self._server.communicate(timeout=60)
            self._server = None

    def start(
        self,
        home: Path,
        *commands: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        go_on: Sequence[int] = (DONE,),
        folder: Path | None = None,
        **more: Any,
    ) -> Running:
        """Start commands in `home`, one after the other as long as their exit status is in `go_on`.

        `more`: `point`, `trace`, `day`, `cpus`, `file_size_limit`, `as_anybody` as `kill_at` knows them.
        """
        self._runs += 1
        out, err = (self.folder / f"{self._runs}.{name}" for name in ("out", "err"))
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in (out, err):
            file.touch()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUSTICE_")}
        request = {
            "commands": [[str(word) for word in command] for command in commands],
            "env": kept | self._own(home) | dict(env or {}),
            "folder": str(folder or self.folder),
            "go_on": list(go_on),
            "cpus": [own_cpu()],
            "out": str(out),
            "err": str(err),
        }
        return Running(self, self.ask(request | more), out, err)

    def _own(self, home: Path) -> dict[str, str]:
        # What a run starts itself must find the same project.
        return {"JUSTICE_HOME": str(home), "JUSTICE_LOG_LEVEL": "ERROR", "PYTHONPATH": str(self.root)}

    def run(self, home: Path, *commands: Sequence[str | Path], **more: Any) -> Outcome:
        """Run commands to their end; see `start`."""
        return self.start(home, *commands, **more).wait()

    def succeed(self, home: Path, *commands: Sequence[str | Path], **more: Any) -> Outcome:
        """Run commands that must exit with 0."""
        outcome = self.run(home, *commands, **more)
        assert outcome.status == DONE, outcome.text
        return outcome


def own_cpu() -> int:
    """The processor of this worker: a small build is faster on one than on all, beside other workers."""
    allowed = sorted(os.sched_getaffinity(0))
    number = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or "0"
    return allowed[int(number) % len(allowed)]


_shared: dict[pytest.Config, Commands] = {}


def shared_commands(config: pytest.Config, folder: Callable[[str], Path]) -> Commands:
    """One server for all tests of a worker."""
    if config not in _shared:
        _shared[config] = Commands(folder("commands"))
        config.add_cleanup(_shared[config].close)
    return _shared[config]


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for a condition; fails when it does not come true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} seconds"
        time.sleep(0.01)


def assert_readable(outcome: Outcome, *parts: str, status: int = FAILED) -> None:
    """One message and a next step, and nothing else: no traceback, no second error."""
    assert outcome.status == status, outcome.text
    assert "Traceback" not in outcome.text, outcome.text
    lines = outcome.err.splitlines()
    assert lines[0].startswith("error: "), outcome.err
    assert sum(line.startswith("error: ") for line in lines) == 1, outcome.err
    assert lines[-1].startswith("  → "), outcome.err
    for part in parts:
        assert part in outcome.err, outcome.err
