"""`justice-etl serve` and nginx with our configuration, as processes of the test's own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from etl.settings import project_root

COMMAND = Path(sys.executable).parent / "justice-etl"
KINDS = ("serve", "nginx")


def find_nginx() -> str:
    """Debian keeps it off the path of people; the package is nginx-light."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip("nginx is not at hand: apt-get install nginx-light")
    return found


def start_serve(home: Path, *options: str, errors: int | None = None) -> subprocess.Popen[str]:
    """The command, which has not said yet that it listens."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUSTICE_")}
    return subprocess.Popen(
        [str(COMMAND), "serve", "--port", "0", *options],
        env=environment | {"JUSTICE_HOME": str(home), "JUSTICE_LOG_FORMAT": "json"},
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )


def read_url(process: subprocess.Popen[str]) -> str:
    """Where it says that it listens."""
    assert process.stdout
    return process.stdout.readline().strip().rpartition(" ")[2]


@contextmanager
def running_serve(home: Path, workers: int = 1) -> Iterator[str]:
    with start_serve(home, "--workers", str(workers)) as process:
        try:
            yield read_url(process)
        finally:
            process.terminate()
            assert process.wait(30) == 0


def write_conf(home: Path, folder: Path, port: int) -> Path:
    """Our configuration with the test's places in it."""
    text = (project_root() / "docker" / "nginx.conf").read_text()
    for ours, its in (
        ("listen 8081;", f"listen 127.0.0.1:{port};"),
        (" /tmp/", f" {folder}/"),
        ("set $home /data;", f"set $home {home};"),
        ("error_log /dev/stderr warn;", f"error_log {folder}/errors.log warn;"),
        ("access_log /dev/stdout short;", f"access_log {folder}/access.log short;"),
    ):
        assert ours in text, ours
        text = text.replace(ours, its)
    conf = folder / "nginx.conf"
    conf.write_text(text)
    return conf


@contextmanager
def running_nginx(home: Path, folder: Path) -> Iterator[str]:
    """It is handed the socket that it listens at, so that nobody waits for it, or takes the port before."""
    program = find_nginx()
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)  # two workers would wait in turn for what the other took
        port = listening.getsockname()[1]
        conf = write_conf(home, folder, port)
        me = pwd.getpwuid(os.geteuid()).pw_name
        # Who is root and says nothing becomes nobody, who cannot look into a test's folder.
        user = f" user {me};" if os.geteuid() == 0 else ""
        with (
            (folder / "start.log").open("w") as log,
            subprocess.Popen(
                [program, "-p", str(folder), "-e", "stderr", "-c", str(conf), "-g", f"daemon off;{user}"],
                env={"NGINX": f"{listening.fileno()};"},
                pass_fds=[listening.fileno()],
                stderr=log,
            ) as process,
        ):
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait(30)
    found = (folder / "errors.log").read_text()
    assert "[crit]" not in found, found
    assert "[alert]" not in found, found


@contextmanager
def running(kind: str, home: Path, folder: Path) -> Iterator[str]:
    with running_serve(home) if kind == "serve" else running_nginx(home, folder) as url:
        yield url
