"""What holds for every test: nothing reaches outside, nothing is skipped in CI, nothing stays behind."""

from __future__ import annotations

import fcntl
import ipaddress
import logging
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from etl.settings import project_root
from tests.memo import FOLDER, remembering

settings.register_profile("local", deadline=None, database=None)
settings.register_profile("ci", deadline=None, database=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")

_hypothesis_home = tempfile.mkdtemp(prefix="justice-etl-hypothesis-")
set_hypothesis_home_dir(_hypothesis_home)


# Workers are started by the process that made it, and share it.
_memo_is_ours = FOLDER not in os.environ
if _memo_is_ours:
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="justice-etl-memo-")


def pytest_unconfigure() -> None:
    shutil.rmtree(_hypothesis_home, ignore_errors=True)
    if _memo_is_ours:
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


_BUILDING = {"damage", "dags", "end_to_end", "faults", "sql"}
"""The folders of tests that build homes, but do not test how rows are validated, and pages and charts are drawn."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """Around a test and the fixtures that are made for it: what any build of the run found out, no other finds out."""
    with remembering() if _BUILDING & set(item.path.parts) else nullcontext():
        return (yield)


# --- nothing reaches outside ---------------------------------------------------------------------------


class OutsideConnectionError(RuntimeError):
    """A test tried to reach something that is not this machine."""


_attempts: list[str] = []


def _is_here(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host in {"", "localhost", socket.gethostname()}:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _watch_connections(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook sees what code does however it imported `socket`, and cannot be patched away."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path is a socket of this machine
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if not _is_here(host):
        _attempts.append(f"{event} {host!r}")
        raise OutsideConnectionError(f"tests stay on this machine: {event} {host!r}")


sys.addaudithook(_watch_connections)


@pytest.fixture(autouse=True)
def _no_outside_connection() -> Iterator[None]:
    """Fails a test that tried to reach outside, even one that swallowed the error."""
    yield
    if _attempts:
        tried = ", ".join(_attempts)
        _attempts.clear()
        pytest.fail(f"tried to reach outside this machine: {tried}")


# --- a skip is a failure in CI -------------------------------------------------------------------------


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} may not be skipped in CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _forbid_skip(report)
    return report


# --- nothing stays behind ------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Gives `caplog` our records, whatever an earlier test set up for the command line."""
    ours = logging.getLogger("etl")
    kept = ours.handlers[:], ours.level, ours.propagate
    ours.propagate = True
    yield
    ours.handlers[:], ours.propagate = kept[0], kept[2]
    ours.setLevel(kept[1])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data home of the test's own, not made yet; settings of the person who runs the tests do not count."""
    for name in [name for name in os.environ if name.startswith("JUSTICE_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "home"
    monkeypatch.setenv("JUSTICE_HOME", str(path))
    return path


@pytest.fixture(scope="session")
def publications() -> Path:
    """The real published files that lie beside the project."""
    folder = project_root().parent / "shared" / "publications"
    if not folder.is_dir():
        reason = f"the published files are not at hand: {folder} is no folder"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def demo_home(run_folder: Path) -> Path:
    """The demo's home, made once a test run by whichever worker comes first; whoever changes it works on a copy."""
    from etl.demo import run_demo
    from etl.settings import Settings

    home = run_folder / "demo"
    with (run_folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "current").exists():
            with remembering():  # tests build it again
                found = run_demo(Settings(home=home)).refreshed
            assert {outcome.state for outcome in found.outcomes} == {"new"}
            assert (found.exit_status, found.unknown) == (0, [])
    return home
