"""Runs the command line in processes that are killed, or wait, at a chosen point.

`python -m tests.faults.kill_at` answers requests, one line of JSON each. It imports everything once and forks
for each run, so that a run takes no longer than its work. A point is a file operation (an audit event of
Python) or a call of a named function; the code under test knows nothing of either.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib
import json
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import suppress
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NoReturn

from tests.memo import FOLDER, remembering

CHANGES = ("os.rename", "os.symlink", "os.link", "os.remove", "os.truncate", "os.fsync")
"""Events that change what lies in a folder, or bring it to disk. "change" stands for any of them."""

_MANY = re.compile(r"/(?:staging/[^/]+|\.pruned-[^/]+)/(?:data-docs|feeds|site)(?=/|$)")
"""Folders of hundreds of files that are written, synced and removed as one."""

_OF_MANY = 2

_DEADLINE_SECONDS = 120
_UNCAUGHT = 70


# --- points --------------------------------------------------------------------------------------------


class Point:
    """Where a run ends or waits: the n-th event, or call, whose arguments match; each of them where `nth` is None."""

    def __init__(self, *, nth: int | None = 1, match: str = "*", pause: str | None = None, **_: object) -> None:
        self.nth = nth
        self.match = match
        self.pause = pause
        self.seen = 0

    def see(self, arguments: str) -> None:
        if fnmatchcase(arguments, self.match):
            self.seen += 1
            if self.nth in (None, self.seen):
                self.reach()

    def reach(self) -> None:
        if self.pause is None:
            os.kill(os.getpid(), signal.SIGKILL)
            return
        reached = Path(self.pause)
        reached.touch()
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while reached.exists():
            if time.monotonic() > deadline:
                os._exit(_UNCAUGHT)
            time.sleep(0.01)


def watch_events(event: str | None, point: Point, trace: int | None) -> None:
    """Let `point` see every `event` and write all changes to `trace`.

    Of the files of a folder that nobody reads yet, or any more, the first ones that are synced or removed stand for
    all: what a run leaves after the third differs from what it leaves after the second in nothing that the next run
    looks at, and there are hundreds.
    """
    sync = os.fsync
    busy = False
    of_many: Counter[tuple[str, str]] = Counter()

    def audited_sync(descriptor: int) -> None:
        sys.audit("os.fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        is_change = name in CHANGES
        if busy or not (is_change or name == event):
            return
        busy = True
        described = " ".join(map(str, arguments))
        if is_change and (found := _MANY.search(_find_place(name, arguments))):
            of_many[name, found[0]] += 1
            is_change = of_many[name, found[0]] <= _OF_MANY
        if trace is not None and is_change:
            os.write(trace, f"{name} {described}\n".encode())
        if event == name or (event == "change" and is_change):
            point.see(described)
        busy = False

    os.fsync = audited_sync
    sys.addaudithook(hook)


def _find_place(event: str, arguments: tuple[Any, ...]) -> str:
    """Where a file that is synced or removed lies; nothing for other events."""
    if event == "os.fsync":
        return str(arguments[0])
    if event != "os.remove":
        return ""
    path, folder = arguments  # a tree is removed by names within folders that are open
    return str(path) if folder == -1 else f"{Path(f'/proc/self/fd/{folder}').readlink()}/{path}"


def watch_calls(name: str, point: Point, *, after: bool) -> None:
    """Let `point` see every call of a function, under whichever name a module of ours holds it."""
    owner, attribute = _find(name)
    original = getattr(owner, attribute)

    @functools.wraps(original)
    def watched(*arguments: Any, **named: Any) -> Any:
        described = " ".join(map(str, arguments))
        if not after:
            point.see(described)
        result = original(*arguments, **named)
        if after:
            point.see(described)
        return result

    setattr(owner, attribute, watched)
    for module in [module for module_name, module in sys.modules.items() if module_name.startswith("etl.")]:
        for held, value in list(vars(module).items()):
            if value is original:
                setattr(module, held, watched)


def _find(name: str) -> tuple[Any, str]:
    """`pyarrow.parquet.ParquetWriter.write_table` → the class, and the name of its method."""
    *path, attribute = name.split(".")
    for length in range(len(path), 0, -1):
        try:
            owner = importlib.import_module(".".join(path[:length]))
        except ModuleNotFoundError:
            continue
        return functools.reduce(getattr, path[length:], owner), attribute
    raise LookupError(name)


# --- one run -------------------------------------------------------------------------------------------


def set_day(day: str) -> None:
    """Let our modules live on another day."""

    class Elsewhen(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Elsewhen:
            return cls.fromisoformat(day).astimezone(tz)

    for name in ("etl.landing", "etl.build", "etl.files"):
        sys.modules[name].datetime = Elsewhen  # type: ignore[attr-defined]


def stay_here() -> None:
    """End a run that asks for another machine, whatever the code would make of the error."""

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "socket.connect" and isinstance(arguments[1], tuple):
            host = str(arguments[1][0])
        elif name == "socket.getaddrinfo":
            host = str(arguments[0])
        else:
            return
        if not host.startswith(("127.", "::1")) and host not in ("localhost", "None"):
            os.write(2, f"tests stay on this machine: {name} {host}\n".encode())
            os._exit(_UNCAUGHT)

    sys.addaudithook(hook)


def drop_capabilities() -> None:
    """Make root subject to the permissions of files, as everybody else is."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")


def run(request: dict[str, Any]) -> NoReturn:
    """In the child: set up what the request says, run its commands one after the other, and exit."""
    status = _UNCAUGHT
    try:
        for target, path in ((1, request["out"]), (2, request["err"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), target)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
        os.environ.clear()
        os.environ.update(request["env"])
        time.tzset()
        os.chdir(request["folder"])
        warnings.simplefilter("error")
        if request.get("cpus"):
            os.sched_setaffinity(0, request["cpus"])
        if request.get("day"):
            set_day(request["day"])
        if request.get("file_size_limit") is not None:
            limit = request["file_size_limit"]
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if request.get("as_anybody"):
            drop_capabilities()
        stay_here()
        _watch(request)
        status = _run_all(request["commands"], set(request["go_on"]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _watch(request: dict[str, Any]) -> None:
    wanted = request.get("point") or {}
    point = Point(**wanted)
    if "call" in wanted:
        watch_calls(wanted["call"], point, after=wanted.get("after", False))
    if "event" in wanted or request.get("trace"):
        trace = request.get("trace")
        descriptor = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) if trace else None
        watch_events(wanted.get("event"), point, descriptor)


def _run_all(commands: list[list[str]], go_on: set[int]) -> int:
    from etl.cli import main

    status = 0
    for arguments in commands:
        sys.argv = ["justice-etl", *arguments]
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if status not in go_on:
            break
    return status


# --- the server ----------------------------------------------------------------------------------------


def warm_up() -> None:
    """Import and parse, before any fork, what every run needs."""
    for name in ("cli", "build", "demo", "inspection", "landing", "publish", "query", "status", "trace"):
        importlib.import_module(f"etl.{name}")
    for name in (
        "altair",
        "fastexcel",
        "gptables",
        "pandas",
        "python_calamine",
        "pyarrow.dataset",
        "rich.progress",
        "scipy.stats",
        "sqlglot",
        "vl_convert",
    ):
        importlib.import_module(name)
    from etl import models
    from etl.contracts import contracts
    from etl.reading import reader_of
    from etl.sources import declared_sources

    contracts()
    for source in declared_sources().values():
        reader_of(source)
    models.find_models()
    _warm_up_build()
    gc.collect()
    gc.freeze()  # what forks share stays shared


def _warm_up_build() -> None:
    """Great Expectations, Jinja2 and Altair take seconds to import and to make ready: do so once.

    No chart is drawn: V8 starts threads at its first call, and a fork has none of them, so that a run would wait for
    ever. Runs draw for themselves what none has drawn yet.
    """
    from etl import build, corrections, landing, violations
    from etl.errors import JusticeError
    from etl.settings import Settings
    from etl.site import charts

    draw = charts._render
    charts._render = lambda specification, slug: "<svg/>"
    with tempfile.TemporaryDirectory() as scratch:
        home, file = Path(scratch) / "home", Path(scratch) / "rolling.csv"
        header = "12 months ending,PFA,Region,Offence,Rolling year total number of offences"
        file.write_text(f"{header}\n31/03/2018,Kent,South East,Robbery,1\n")
        landing.land(home, source="recorded_crime_ons", title="Rolling years", published="2019-04-25", files=[file])
        with suppress(JusticeError):  # a test's own project may be wrong already
            build.build(home, Settings(home=home))
    charts._render = draw
    # Tests declare these while the server runs.
    corrections.load_corrections.cache_clear()
    violations.load_accepted.cache_clear()


def serve() -> None:
    warm_up()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    running: set[int] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            pid = request["wait"]
            answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            running.discard(pid)
        else:
            answer = os.fork()
            if not answer:
                run(request)
            running.add(answer)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="justice-etl-memo-") as own:
        os.environ.setdefault(FOLDER, own)
        with remembering():
            serve()
