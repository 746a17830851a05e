"""Airflow on this machine: its components as children of one supervisor, which leaves none of them behind.

`python -m etl.local_airflow` runs it over the demo home. `airflow standalone` would listen on every address and leave
workers behind. Here every process, however deeply forked, carries a mark in its environment, and whatever bears it
when the supervisor stops is ended. Where the supervisor itself is killed, a guard does the same: it waits for the end
of a pipe that the supervisor alone holds. (The kernel's parent-death signal reaches direct children only; tasks are
children of forked workers.)
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.errors import ExitStatus, JusticeError, WrongUseError
from etl.files import hold_lease
from etl.settings import Settings, project_root

if TYPE_CHECKING:
    from etl.build import Progress

logger = logging.getLogger("etl.local_airflow")  # also where it is run as __main__

MARK = "JUSTICE_LOCAL_AIRFLOW"
"""The variable by which the processes of one run are known."""

HOST = "127.0.0.1"
USER = "admin"
PASSWORDS = "simple_auth_manager_passwords.json.generated"

_COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    # A log server would listen on every address; the server reads the logs of this folder without one.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
_WORKER = ("celery", "worker", "--skip-serve-logs", "--without-mingle", "--concurrency", "2", "--celery-hostname")
_HEALTH = ("metadatabase", "scheduler", "dag_processor", "triggerer")
_GUARD = "guard"
_SET_UP = "set-up"
_SET_UP_SECONDS = 180
_HEALTHY_SECONDS = 120
_TASKS_END_SECONDS = 20
_REST_ENDS_SECONDS = 3
_KILL_SECONDS = 10
_POLL_SECONDS = 0.25
_TAIL_LINES = 12
_PROC = Path("/proc")
_MEND = "mend what the log says, and start again"

# One interpreter for several commands: importing Airflow takes longer than any of them.
_RUN_COMMANDS = """
import json, sys
from airflow.__main__ import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["airflow", *words]
    main()
"""
_RUN_GUARD = "import sys; from etl.local_airflow import guard; guard(sys.argv[1])"


class LocalAirflowError(JusticeError):
    """Airflow cannot be started, a part of it ended, or it refuses what it is asked."""


# --- processes that carry the mark -----------------------------------------------------------------------------------


def find_marked(mark: str) -> list[int]:
    """The processes of a run."""
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid, environment in _environments() if wanted in environment]


def _environments() -> Iterator[tuple[int, list[bytes]]]:
    for process in _PROC.iterdir():
        if process.name.isdigit():
            with suppress(OSError):  # it ended meanwhile, or is somebody else's
                yield int(process.name), (process / "environ").read_bytes().split(b"\0")


def kill_marked(mark: str) -> bool:
    """Kill the processes of a run, and those that they start meanwhile; False where one will not go."""
    deadline = time.monotonic() + _KILL_SECONDS
    while pids := find_marked(mark):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def guard(mark: str) -> None:
    """Wait until nobody holds the other end of standard input any more, and end what is left of the run."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    kill_marked(mark)


# --- the supervisor --------------------------------------------------------------------------------------------------


class LocalAirflow:
    """A running Airflow, bound to loopback; use it as a context.

    Args:
        folder: AIRFLOW_HOME: Airflow writes nothing outside of it and of the database.
        dags: the folder of DAGs, and of `pools.json` where there are pools; None takes the project's own.
        database_url: where the metadata are; None keeps them in an SQLite file of the folder.
        executor: LocalExecutor, or CeleryExecutor with a broker and workers.
        broker_url: a Redis, for CeleryExecutor.
        workers: how many Celery workers.
        port: where the server listens; None takes any port that is free.
        env: more environment of every process; it wins over ours.
        progress: told of each step.
    """

    def __init__(
        self,
        folder: Path,
        *,
        dags: Path | None = None,
        database_url: str | None = None,
        executor: str = "LocalExecutor",
        broker_url: str | None = None,
        workers: int = 0,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.dags = (dags or project_root() / "dags").absolute()
        self.mark = secrets.token_hex(16)
        self.url = f"http://{HOST}:{port or free_port()}"
        self._workers = workers
        self._progress = progress
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lease = ExitStack()
        self._token: str | None = None
        own = self._own_environment(executor, database_url or f"sqlite:///{self.folder / 'airflow.db'}", broker_url)
        # Nothing of another Airflow's settings, and all of JUSTICE_*.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self._environment = kept | own | dict(env or {})

    def _own_environment(self, executor: str, database_url: str, broker_url: str | None) -> dict[str, str]:
        celery = {"BROKER_URL": broker_url, "RESULT_BACKEND": broker_url} if broker_url else {}
        return {f"AIRFLOW__CELERY__{name}": value for name, value in celery.items() if value} | {
            MARK: self.mark,
            "SPT_NOENV": "1",  # a process that sets its title keeps its environment readable, and with it the mark
            "NO_PROXY": HOST,
            "no_proxy": HOST,
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTOR": executor,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",  # the default asks the name service
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url,
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": self.url.rpartition(":")[2],
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(self.folder / "bundles"),
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            "AIRFLOW__LOGGING__NAMESPACE_LEVELS": "great_expectations=WARNING",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # what waits for a task looks this often whether it ended
        }

    def __enter__(self) -> LocalAirflow:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def password(self) -> str:
        """That of the one user, as Airflow made it up."""
        return str(json.loads((self.folder / PASSWORDS).read_text(encoding="utf-8"))[USER])

    @property
    def pids(self) -> dict[str, int]:
        """The process of each component, and of the guard."""
        return {name: child.pid for name, child in self._children.items()}

    def log_of(self, name: str) -> Path:
        """What a component prints."""
        return self.folder / f"{name}.log"

    # --- start and stop

    def start(self) -> None:
        """Start everything, and wait until it is healthy and has read the DAGs.

        Raises:
            LeaseHeldError: another one runs in the folder.
            LocalAirflowError: a component ended, or something took too long; says where, with the end of its log.
        """
        if not _PROC.is_dir():
            raise WrongUseError("there is no /proc, by which processes are found again", "run it on Linux")
        self._lease.enter_context(hold_lease(self.folder, "airflow", 0, "used"))
        self.folder.chmod(0o700)
        steps: list[tuple[str, Callable[[], None]]] = [
            ("preparing the metadata database", self._set_up),
            ("starting Airflow", self._start_components),
            ("waiting until Airflow is healthy", self._wait_healthy),
            ("waiting for the DAGs", self._wait_for_dags),
        ]
        for number, (what, step) in enumerate(steps):
            logger.info(what, extra={"folder": str(self.folder)})
            if self._progress:
                self._progress(what, number, len(steps))
            step()

    def stop(self) -> None:
        """End every process: those that run tasks first, and by SIGKILL what takes no notice of SIGTERM.

        Raises:
            LocalAirflowError: a process is still there.
        """
        children = {name: child for name, child in self._children.items() if name != _GUARD}
        # A task that is told to end has to tell the server that it did.
        running = [child for name, child in children.items() if name.startswith(("scheduler", "worker"))]
        _ask_to_end(running)
        _wait_for(running, _TASKS_END_SECONDS)
        _ask_to_end(children.values())
        _wait_for(children.values(), _REST_ENDS_SECONDS)
        is_gone = kill_marked(self.mark)
        _wait_for(children.values(), _KILL_SECONDS)
        if watching := self._children.get(_GUARD):
            watching.communicate()
        self._children.clear()
        self._lease.close()
        if not is_gone:
            pids = ", ".join(map(str, find_marked(self.mark)))
            raise LocalAirflowError(f"processes of Airflow will not end: {pids}", "look at them with ps, and kill them")

    def check(self) -> None:
        """See that every component runs.

        Raises:
            LocalAirflowError: one has ended; says how, with the end of its log.
        """
        for name, child in self._children.items():
            if (status := child.poll()) is not None:
                how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
                raise LocalAirflowError(f"Airflow's {name} {how}{self._tail(name)}", _MEND)

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = float("inf")) -> None:
        """Wait for a condition, as long as all components run.

        Args:
            holds: the condition.
            what: what has not happened when the time is up.
            seconds: how long.

        Raises:
            LocalAirflowError: the time is up, or a component ended.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            self.check()
            if time.monotonic() > deadline:
                raise LocalAirflowError(f"{what} within {seconds:g} seconds", f"see the logs in {self.folder}")
            time.sleep(_POLL_SECONDS)

    def _set_up(self) -> None:
        self._children[_GUARD] = subprocess.Popen(
            [sys.executable, "-c", _RUN_GUARD, self.mark], stdin=subprocess.PIPE, start_new_session=True
        )
        commands = [["db", "migrate"]]
        if (pools := self.dags / "pools.json").exists():
            commands.append(["pools", "import", str(pools)])
        child = self._spawn(_SET_UP, ["-c", _RUN_COMMANDS, json.dumps(commands)])
        try:
            status: int | None = child.wait(_SET_UP_SECONDS)
        except subprocess.TimeoutExpired:
            status = None
        if status != 0:
            why = "cannot be set up" if status else f"was not ready within {_SET_UP_SECONDS} seconds"
            raise LocalAirflowError(f"Airflow's metadata database {why}{self._tail(_SET_UP)}", _MEND)

    def _start_components(self) -> None:
        commands = dict(_COMPONENTS)
        for number in range(1, self._workers + 1):
            commands[f"worker-{number}"] = (*_WORKER, f"worker-{number}@localhost")
        for name, words in commands.items():
            self._children[name] = self._spawn(name, ["-m", "airflow", *words])

    def _spawn(self, name: str, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a component in a session of its own: Ctrl-C on a terminal is for the supervisor alone."""
        with self.log_of(name).open("wb") as log:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_healthy(self) -> None:
        import requests

        def is_healthy() -> bool:
            try:
                answer = self._request("GET", "/api/v2/monitor/health", timeout=10)
                return all(answer.json()[name]["status"] == "healthy" for name in _HEALTH)
            except requests.RequestException:
                return False

        self.wait_until(is_healthy, "Airflow was not healthy", _HEALTHY_SECONDS)

    def _wait_for_dags(self) -> None:
        """Wait until every file that declares DAGs was read, or proved to be no good."""
        files = {str(path.relative_to(self.dags)) for path in self.dags.rglob("*.py") if _declares_dags(path)}

        def are_read() -> bool:
            read = {dag["relative_fileloc"] for dag in self.ask("GET", "dags", limit=100)["dags"]}
            return files <= read | self.find_import_errors().keys()

        self.wait_until(are_read, "Airflow had not read the DAGs", _HEALTHY_SECONDS)

    def _tail(self, name: str) -> str:
        """Where the log of a component is, and its last lines."""
        log = self.log_of(name)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        return f": {log} ends with" + "".join(f"\n  {line}" for line in lines[-_TAIL_LINES:] or ["(nothing)"])

    # --- the REST API

    def find_import_errors(self) -> dict[str, str]:
        """Files of DAGs that cannot be imported, each with its traceback."""
        errors = self.ask("GET", "importErrors", limit=100)["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in errors}

    def ask(self, method: str, path: str, content: Any = None, **query: Any) -> Any:
        """Ask the REST API as the one user.

        Args:
            method: GET, POST, PATCH.
            path: what comes after `/api/v2/`.
            content: sent as JSON.
            query: put into the address.

        Returns:
            The answer, read from JSON.

        Raises:
            LocalAirflowError: it refuses; says what it answers.
        """
        if self._token is None:
            login = {"username": USER, "password": self.password}
            self._token = self._request("POST", "/auth/token", json=login).json()["access_token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = self._request(method, f"/api/v2/{path}", json=content, params=query, headers=headers)
        if not answer.ok:
            raise LocalAirflowError(f"{method} {path} is answered with {answer.status_code}: {answer.text}")
        return answer.json()

    def _request(self, method: str, path: str, *, timeout: float = 60, **more: Any) -> Any:
        import requests

        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between us and this machine
            return session.request(method, f"{self.url}{path}", timeout=timeout, **more)


def free_port(wanted: int = 0) -> int:
    """A port of loopback that nobody listens on: the one that is wanted, where it is free."""
    for port in (wanted, 0):
        with socket.socket() as listener, suppress(OSError):
            listener.bind((HOST, port))
            return int(listener.getsockname()[1])
    raise LocalAirflowError("no port of this machine is free", "end what listens on them")


def _declares_dags(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return "DAG(" in text or "@dag" in text


def _ask_to_end(children: Iterable[subprocess.Popen[bytes]]) -> None:
    """SIGTERM to children and to what they forked."""
    for child in children:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)


def _wait_for(children: Iterable[subprocess.Popen[bytes]], seconds: float) -> None:
    """Wait for children, for all of them together so long."""
    deadline = time.monotonic() + seconds
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(max(0, deadline - time.monotonic()))


# --- over the demo home ----------------------------------------------------------------------------------------------

_EVENT_DRIVEN = "warehouse"


def serve_demo(settings: Settings, port: int) -> None:
    """Run Airflow over the demo home, against a replica of its publishers, until interrupted.

    Raises:
        JusticeError: the home is a real one, Airflow cannot be started, or a part of it ended.
    """
    from etl.console import show_progress
    from etl.demo import prepare_demo
    from etl.replica import Archive, Replica

    home = settings.home
    with ExitStack() as stack:
        with show_progress() as progress:
            prepare_demo(settings, progress)
            replica = stack.enter_context(Replica(Archive.load(home / "archive")))
            env = {"JUSTICE_HOME": str(home), "JUSTICE_REPLICA_URL": replica.url}
            airflow = LocalAirflow(home / "airflow", port=free_port(port), env=env, progress=progress)
            stack.enter_context(airflow)
            # It waits for assets, so that it does nothing by itself; the others start at once when switched on.
            airflow.ask("PATCH", f"dags/{_EVENT_DRIVEN}", {"is_paused": False})
        _say_what_runs(airflow, replica.url, home)
        airflow.wait_until(lambda: False, "")


def _say_what_runs(airflow: LocalAirflow, replica_url: str, home: Path) -> None:
    from etl.console import err, out

    for file, why in airflow.find_import_errors().items():
        err.print(f"dags/{file} cannot be read: {why}", highlight=False, soft_wrap=True, markup=False)
    dags = sorted(dag["dag_id"] for dag in airflow.ask("GET", "dags", limit=100)["dags"])
    shown = os.path.relpath(home)
    out.print(
        f"Airflow runs at {airflow.url}\n"
        f"  user {USER}, password {airflow.password}\n"
        f"  DAGs: {', '.join(dags)}\n"
        f"  publishers: a replica of modelled samples at {replica_url}\n"
        "Next:\n"
        "  log in and switch on ingest_reference and ingest_crime: each takes its last night at once, and warehouse\n"
        "  follows when something was landed\n"
        f"  JUSTICE_HOME={shown} .venv/bin/justice-etl status\n"
        f"Ctrl-C ends all of it. Logs: {shown}/airflow",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def main(port: int = 8080) -> None:
    """Run Airflow over the demo home, against a replica of the publishers, until Ctrl-C."""
    from etl.cli import fail
    from etl.console import err
    from etl.demo import demo_settings
    from etl.logs import set_up_logging

    settings = demo_settings(Settings())
    set_up_logging("ERROR" if err.is_terminal else settings.log_level, settings.log_format)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve_demo(settings, port)
    except KeyboardInterrupt:
        err.print("Airflow has ended.")
        sys.exit(ExitStatus.DONE)
    except JusticeError as error:
        fail(error.what, error.next_step, error.exit_status)


if __name__ == "__main__":
    import typer

    typer.run(main)
