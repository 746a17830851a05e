"""`justice-etl serve` as a process: how it starts, what it says, how it ends."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.serve.made import FIRST, Client, add_version, serve_version
from tests.serve.servers import COMMAND, read_url, start_serve


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    add_version(path, FIRST)
    serve_version(path, FIRST)
    return path


@pytest.fixture
def process(home: Path) -> Iterator[subprocess.Popen[str]]:
    with start_serve(home, "--workers", "2", errors=subprocess.PIPE) as started:
        yield started
        started.kill()


def list_children(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def list_workers(process: subprocess.Popen[str]) -> list[int]:
    return [pid for pid in list_children(process) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_it_says_where_it_listens_and_answers(process: subprocess.Popen[str], home: Path) -> None:
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith(f"Serving {home} at http://127.0.0.1:")
    client = Client(line.split()[-1])
    reply = client.ask("/data/latest/manifest.json")
    assert json.loads(reply.body)["version"] == FIRST
    assert "server" not in reply.headers
    client.close()
    assert len(list_workers(process)) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_says_nothing(process: subprocess.Popen[str], number: signal.Signals) -> None:
    client = Client(read_url(process))
    assert client.ask("/health").status == 200
    workers = [os.pidfd_open(pid) for pid in list_workers(process)]
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert len(workers) == 2
    for worker in workers:
        assert select.select([worker], [], [], 30)[0], "a worker was left behind"
        os.close(worker)
    client.close()


def test_a_request_that_runs_is_answered_before_the_end(home: Path, process: subprocess.Popen[str]) -> None:
    content = os.urandom(2**20) * 24
    folder = home / "versions" / ("a" * 12)
    folder.mkdir()
    (folder / "warehouse.duckdb").write_bytes(content)
    parts = urlsplit(read_url(process))
    address = (parts.hostname or "", parts.port or 0)
    with socket.create_connection(address, timeout=30) as connection, connection.makefile("rb") as answer:
        connection.sendall(f"GET /data/{'a' * 12}/warehouse.duckdb HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while answer.readline() != b"\r\n":
            pass
        process.terminate()
        assert answer.read(len(content)) == content
    assert process.wait(30) == 0


def test_a_port_that_is_taken_is_one_readable_error(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = _run(home, "--port", str(port))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        f"error: cannot listen at 127.0.0.1, port {port}: Address already in use\n"
        "  → choose another with --port (0 takes any that is free) or --host\n"
    )


def test_an_address_that_is_not_ours_is_one_too(home: Path) -> None:
    ended = _run(home, "--host", "192.0.2.1", "--port", "0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: cannot listen at 192.0.2.1, port 0: Cannot assign requested address\n")


@pytest.mark.parametrize("options", [("--port", "65536"), ("--workers", "0"), ("--port", "x")])
def test_what_cannot_work_is_wrong_use(home: Path, options: tuple[str, ...]) -> None:
    assert _run(home, *options).returncode == 2


def _run(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"JUSTICE_HOME": str(home)}
    return subprocess.run(
        [str(COMMAND), "serve", *options], env=environment, capture_output=True, text=True, timeout=60
    )


def test_an_empty_home_is_served_too(tmp_path: Path) -> None:
    with start_serve(tmp_path / "nowhere") as started:
        client = Client(read_url(started))
        assert client.ask("/").status == 302
        assert client.ask("/data/latest/site/").status == 503
        client.close()
        started.terminate()
    assert started.returncode == 0
    assert not (tmp_path / "nowhere").exists()


def test_a_worker_opens_as_many_files_as_it_may(home: Path) -> None:
    limits = ["sh", "-c", 'ulimit -S -n 200 && ulimit -H -n 300 && exec "$0" "$@"', str(COMMAND)]
    with subprocess.Popen(
        [*limits, "serve", "--port", "0", "--workers", "1"],
        env=os.environ | {"JUSTICE_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        client = Client(read_url(started))
        assert client.ask("/health").status == 200
        client.close()
        [worker] = list_workers(started)
        assert resource.prlimit(worker, resource.RLIMIT_NOFILE) == (300, 300)
        started.terminate()
    assert started.returncode == 0


def test_workers_do_not_outlive_their_supervisor(process: subprocess.Popen[str]) -> None:
    client = Client(read_url(process))
    assert client.ask("/health").status == 200
    workers = [os.pidfd_open(pid) for pid in list_workers(process)]
    process.kill()
    process.wait()
    client.close()
    for worker in workers:
        assert select.select([worker], [], [], 30)[0], "a worker was left behind"
        os.close(worker)


def test_only_what_is_wrong_is_logged_in_lines_that_machines_read(process: subprocess.Popen[str]) -> None:
    url = read_url(process)
    client = Client(url)
    assert client.ask("/nothing").status == 404
    assert client.ask("/data/latest/manifest.json").status == 200
    client.close()
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall(b"this is not HTTP\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    process.terminate()
    _, errors = process.communicate(timeout=30)
    [line] = [json.loads(line) for line in errors.splitlines()]
    assert (line["level"], line["message"]) == ("WARNING", "Invalid HTTP request received.")
