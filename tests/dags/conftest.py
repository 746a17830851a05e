"""Airflow and what it may rest on, started for the tests and gone after them. Nothing is imported of Airflow here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etl.local_airflow import HOST, free_port
from tests.faults.commands import Commands, shared_commands, wait_until

_UNPRIVILEGED = "postgres"
_STOP_SECONDS = 20


@pytest.fixture(scope="session")
def commands(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return shared_commands(request.config, tmp_path_factory.mktemp)


def find_program(name: str, package: str) -> Path:
    """A program of a Debian package; without it the test is skipped, which in CI is a failure."""
    # Debian's are not on the path, but for wrappers that look for a cluster of the system.
    places = [*sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True), shutil.which(name)]
    for place in filter(None, places):
        return Path(place)
    pytest.skip(f"{name} is missing: apt-get install {package}")


@contextmanager
def running(command: list[str | Path], folder: Path, user: str | None, is_ready: list[str | Path]) -> Iterator[None]:
    """A server that runs for the block, and whose log lies in `folder`; `is_ready` succeeds once it serves."""
    log = folder / "server.log"
    with log.open("wb") as file:
        server = subprocess.Popen(command, cwd=folder, user=user, group=user, stdout=file, stderr=subprocess.STDOUT)
    try:

        def serves() -> bool:
            assert server.poll() is None, log.read_text(encoding="utf-8")
            return subprocess.run(is_ready, capture_output=True).returncode == 0

        wait_until(serves, f"{command[0]} serving")
        yield
    finally:
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own, without a password on loopback; → the address of its databases, less their names."""
    initdb, server, is_ready = (find_program(name, "postgresql") for name in ("initdb", "postgres", "pg_isready"))
    # PostgreSQL does not run as root, and nobody else may enter pytest's folders.
    user = _UNPRIVILEGED if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="justice-etl-postgres-"))
    try:
        if user:
            shutil.chown(folder, user, user)
        options = ["--auth=trust", "--username=airflow", "--encoding=UTF8", "--locale=C", "--no-sync"]
        subprocess.run(
            [initdb, folder / "data", *options], user=user, group=user, cwd=folder, check=True, capture_output=True
        )
        port = str(free_port())
        command = [server, "-D", folder / "data", "-h", HOST, "-p", port, "-k", folder, "-F"]
        with running(command, folder, user, [is_ready, "-q", "-h", HOST, "-p", port]):
            yield f"postgresql+psycopg2://airflow@{HOST}:{port}"
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres_database(postgres: str, request: pytest.FixtureRequest) -> str:
    """An empty database of the test's own."""
    name = request.node.name
    port = postgres.rpartition(":")[2]
    createdb = find_program("createdb", "postgresql")
    subprocess.run([createdb, "-h", HOST, "-p", port, "-U", "airflow", "-w", name], check=True)
    return f"{postgres}/{name}"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """A Redis of our own on loopback; → its address."""
    server, client = (find_program(name, "redis-server") for name in ("redis-server", "redis-cli"))
    port = str(free_port())
    folder = tmp_path / "redis"
    folder.mkdir()
    command = [server, "--bind", HOST, "--port", port, "--save", "", "--dir", folder]
    with running(command, folder, None, [client, "-h", HOST, "-p", port, "-e", "ping"]):
        yield f"redis://{HOST}:{port}/0"
