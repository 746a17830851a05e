"""How fast published feeds are served while versions are switched: `python -m benchmarks.serve` prints a table.

`justice-etl serve` with two workers, nginx with our configuration, and Starlette's StaticFiles on the same server are
asked for the same small feeds by wrk. Once a second another version takes over and the oldest is pruned.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.files import make_read_only, replace_link
from tests.serve.made import Client, prune_version
from tests.serve.servers import running_nginx, running_serve

WORKERS = 2
CONNECTIONS = 48
SECONDS = 10
KEPT = 3
LINES = 60
MADE_AT = 1_760_000_000
FEED = "/data/latest/feeds/mart/crime_trend.json"
SAME = "/data/latest/feeds/mart/unchanged.json"
"""A feed that a new version has not changed: whoever has it is told so."""


@dataclass(frozen=True)
class Measured:
    """What wrk says: requests a second, answers that were no answers, latency."""

    rate: float
    errors: int
    median: str
    slow: str

    def row(self, what: str, of: Measured) -> list[str]:
        """A row of the table; the ratio is to `of`."""
        label = f"{what}: half of the answers within {self.median}, 99% within {self.slow}, {self.errors} errors"
        return [label, f"{self.rate:,.0f} /s", f"{self.rate / of.rate:.2f}", ""]


class Home:
    """A home whose versions follow one another."""

    def __init__(self, home: Path) -> None:
        self.home, self.number = home, 0
        (home / "versions").mkdir(parents=True)
        self.add()

    def add(self) -> None:
        """Another version takes over; the oldest is pruned."""
        self.number += 1
        version = f"{self.number:012x}"
        feeds = self.home / "versions" / version / "feeds" / "mart"
        feeds.mkdir(parents=True)
        for name, told, at in (("crime_trend", version, self.number), ("unchanged", "", 0)):
            line = {"area_code": "E23000014", "period_end": "2018-03-31", "offences": 212841, "version": told}
            path = feeds / f"{name}.json"
            path.write_text(json.dumps([line | {"row": row} for row in range(LINES)]))
            os.utime(path, (MADE_AT + at, MADE_AT + at))
        make_read_only(self.home / "versions" / version)
        replace_link(self.home / "current", f"versions/{version}")
        if self.number > KEPT:
            prune_version(self.home, f"{self.number - KEPT:012x}")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Another version once a second."""
        stop = threading.Event()

        def change() -> None:
            while not stop.wait(1):
                self.add()

        thread = threading.Thread(target=change)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def make_static(home: Path) -> Any:
    """The same addresses by Starlette's StaticFiles: what one has without writing anything."""
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    return Starlette(routes=[Mount("/data/latest", StaticFiles(directory=home / "current", follow_symlink=True))])


def make_static_by_environment() -> Any:
    """What uvicorn calls in each worker."""
    return make_static(Path(os.environ["BENCHMARK_HOME"]))


@contextmanager
def running_static(home: Path) -> Iterator[str]:
    """StaticFiles on uvicorn, set up as ours is."""
    import socket
    import sys

    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.serve:make_static_by_environment"]
    command += ["--port", str(port), "--workers", str(WORKERS), "--no-access-log", "--log-level", "error"]
    command += ["--loop", "uvloop", "--http", "httptools", "--lifespan", "off"]
    with subprocess.Popen(command, env=os.environ | {"BENCHMARK_HOME": str(home)}) as process:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def wait_for(port: int, tries: int = 300) -> None:
    """Until somebody listens."""
    import time

    for _ in range(tries):
        client = Client(f"http://127.0.0.1:{port}")
        try:
            client.ask(FEED)
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            client.close()
    raise SystemExit(f"nobody listens at port {port}")


def ask_often(url: str, seconds: int, **headers: str) -> Measured:
    """Let wrk ask for an address."""
    command = ["wrk", "--threads", "2", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", "--latency"]
    for name, value in headers.items():
        command += ["--header", f"{name.replace('_', '-')}: {value}"]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout

    def find(pattern: str) -> list[str]:
        found = re.search(pattern, said)
        return list(found.groups()) if found else []

    failed = find(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)") + find(r"Non-2xx or 3xx responses: (\d+)")
    [rate], [median], [slow] = find(r"Requests/sec:\s+([\d.]+)"), find(r"\n\s+50%\s+(\S+)"), find(r"\n\s+99%\s+(\S+)")
    return Measured(float(rate), sum(map(int, failed)), median, slow)


def measure_server(url: str, home: Home, seconds: int) -> dict[str, Measured]:
    """The kinds of request that a server knows, while versions change."""
    client = Client(url)
    kinds = {"plain": (FEED, {"Accept_Encoding": "identity"})}
    if "content-encoding" in client.ask(FEED, Accept_Encoding="gzip").headers:
        kinds["gzip"] = (FEED, {"Accept_Encoding": "gzip"})
    kinds["If-None-Match"] = (SAME, {"If_None_Match": client.ask(SAME).headers["etag"]})
    client.close()
    with home.changing():
        return {kind: ask_often(url + path, seconds, **headers) for kind, (path, headers) in kinds.items()}


def measure_serving(folder: Path, seconds: int = SECONDS) -> list[list[str]]:
    """Rows of the table; ratios are to `justice-etl serve`, asked for the same.

    Args:
        folder: where homes are made.
        seconds: how long each kind of request is asked for.
    """
    if not shutil.which("wrk"):
        return [["serving: wrk is not at hand", "", "", ""]]
    servers: dict[str, Any] = {"`justice-etl serve`": lambda home: running_serve(home, WORKERS)}
    if shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        servers["nginx"] = lambda home: running_nginx(home, folder / "nginx")
    servers["Starlette's StaticFiles"] = running_static
    found: dict[str, dict[str, Measured]] = {}
    for number, (name, running) in enumerate(servers.items()):
        home = Home(folder / f"serving-{number}")
        size = (home.home / "current" / "feeds" / "mart" / "crime_trend.json").stat().st_size
        with running(home.home) as url:
            wait_for(int(url.rpartition(":")[2]))
            found[name] = measure_server(url, home, seconds)
    first = next(iter(found.values()))  # it knows all kinds
    return [
        each.row(f"JSON of {size / 1024:.1f} KiB from {name}, {kind}", first[kind])
        for name, kinds in found.items()
        for kind, each in kinds.items()
    ]


def main() -> None:
    """Measure serving alone, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long each kind of request is asked for")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="justice-etl-serving-") as name:
        rows = measure_serving(Path(name), options.seconds)
    print(f"load before: {load:.1f}\n\n| what | rate | ratio | |\n|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
