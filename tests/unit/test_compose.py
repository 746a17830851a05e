"""The files for docker compose, as far as they can be judged without an engine; `make test-compose` tries them."""

from __future__ import annotations

import http.server
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from etl.settings import project_root

ROOT = project_root()
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"airflow-init"}
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("justice-etl")}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
MAKE_ENV = ROOT / "docker" / "make_env.py"
PICK = ROOT / "docker" / "pick_requirements.py"
PROBE = ROOT / "docker" / "probe.py"
SECRETS = (
    "AIRFLOW_ADMIN_PASSWORD",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_SECRET_KEY",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
)


def _run(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    # Isolated, with nothing that is installed: as it runs before anything is.
    command = [sys.executable, "-I", "-S", script, *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)


# --- docker-compose.yml --------------------------------------------------------------------------------


def test_the_services_are_those_that_operating_md_speaks_of():
    assert set(SERVICES) == {
        "postgres",
        "airflow-init",
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "web",
        "redis",
        "worker",
    }
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["celery"]} == {"redis", "worker"}


@pytest.mark.parametrize("name", SERVICES)
class TestService:
    def test_is_watched_and_restarted_or_runs_once(self, name):
        service = SERVICES[name]
        if name in ONE_SHOT:
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped"
            assert service["healthcheck"].keys() >= {"test", "interval", "timeout", "retries", "start_period"}

    def test_has_limits(self, name):
        service = SERVICES[name]
        assert service["mem_limit"]
        assert 0 < service["cpus"] <= 2
        assert service["pids_limit"]
        assert service["logging"]["options"].keys() >= {"max-size", "max-file"}

    def test_has_no_more_rights_than_it_needs(self, name):
        service = SERVICES[name]
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        assert service.get("network_mode") is None
        if name in OURS:
            assert service["read_only"] is True
            assert not service.get("cap_add")
            assert not service.get("user"), "the image says who runs it"

    def test_is_reached_from_this_machine_alone(self, name):
        for port in SERVICES[name].get("ports", []):
            assert port.startswith("127.0.0.1:")

    def test_has_a_pinned_image(self, name):
        image = SERVICES[name]["image"]
        if name in OURS:
            assert re.fullmatch(r"justice-etl(-web)?:\$\{IMAGE_TAG:-local\}", image)
            assert "build" in SERVICES[name] or SERVICES[name]["pull_policy"] == "never"
        else:
            assert re.fullmatch(r"[a-z]+:\d+(\.\d+)*-bookworm", image)

    def test_waits_for_what_it_needs_to_be_healthy(self, name):
        conditions = {other: wait["condition"] for other, wait in SERVICES[name].get("depends_on", {}).items()}
        for other, condition in conditions.items():
            assert condition == ("service_completed_successfully" if other in ONE_SHOT else "service_healthy")
        if name in OURS - {"web", "airflow-init"}:
            assert conditions.keys() >= {"postgres", "airflow-init"}


def test_only_airflow_reaches_the_database_and_only_web_is_apart():
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]
    assert SERVICES["web"]["networks"] == ["front"]


def test_web_cannot_write_to_the_data():
    [volume] = SERVICES["web"]["volumes"]
    assert volume == {
        "type": "volume",
        "source": "data",
        "target": "/data",
        "read_only": True,
        "volume": {"nocopy": True},
    }


def test_no_secret_has_a_default_or_stands_in_the_file():
    for line in TEXT.splitlines():
        name, _, value = line.strip().partition(": ")
        if re.search(r"PASSWORD|SECRET|FERNET|AUTH$", name):
            assert re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value) or name.endswith("AUTH_MANAGER"), line
    for name in SECRETS:
        found = re.findall(rf"\$\{{{name}(.)", TEXT)
        assert found, name
        assert set(found) == {":"}
        assert re.findall(rf"\$\{{{name}:(.)", TEXT) == ["?"] * len(found)
    # A password in an address comes from a variable too.
    assert not re.search(r"//[^/\s]*:(?!\$\{)[^/\s]*@", TEXT)


def test_every_value_that_must_be_given_is_made_or_asked_for(tmp_path):
    assert _run(MAKE_ENV, "--contact", "us@example.org", tmp_path / ".env").returncode == 0
    values = _read_env(tmp_path / ".env")
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", TEXT))
    assert wanted <= values.keys()
    assert all(values[name] for name in wanted)


def test_every_value_that_can_be_given_is_in_env_or_explained(tmp_path):
    _run(MAKE_ENV, tmp_path / ".env")
    text = (tmp_path / ".env").read_text() + (ROOT / "docs" / "operating.md").read_text()
    for name in set(re.findall(r"\$\{([A-Z_]+)", TEXT)):
        assert name in text, name


# --- .env ----------------------------------------------------------------------------------------------


def _read_env(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_make_env_makes_a_file_for_its_owner_alone(tmp_path):
    made = _run(MAKE_ENV, tmp_path / ".env")
    assert made.returncode == 0
    assert "give JUSTICE_CONTACT a value" in made.stderr
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    for secret in SECRETS:
        assert _read_env(tmp_path / ".env")[secret] not in made.stdout + made.stderr


def test_make_env_never_touches_one_that_is_there(tmp_path):
    (tmp_path / ".env").write_text("MINE=1\n")
    again = _run(MAKE_ENV, tmp_path / ".env")
    assert again.returncode == 0
    assert "stays as it is" in again.stderr
    assert (tmp_path / ".env").read_text() == "MINE=1\n"


def test_make_env_makes_other_secrets_each_time(tmp_path):
    for name in ("one", "two"):
        _run(MAKE_ENV, tmp_path / name)
    one, two = _read_env(tmp_path / "one"), _read_env(tmp_path / "two")
    made = [values[name] for values in (one, two) for name in SECRETS]
    assert len(set(made)) == 2 * len(SECRETS)
    assert all(len(value) >= 24 for value in made)
    assert {name for name in one if one[name] != two[name]} == set(SECRETS)


def test_a_fernet_key_is_one(tmp_path):
    from cryptography.fernet import Fernet

    _run(MAKE_ENV, tmp_path / ".env")
    Fernet(_read_env(tmp_path / ".env")["AIRFLOW_FERNET_KEY"])


@pytest.mark.parametrize(
    ("executor", "expected"),
    [("local", ("LocalExecutor", "")), ("celery", ("CeleryExecutor", "celery"))],
)
def test_make_env_chooses_where_tasks_run(tmp_path, executor, expected):
    _run(MAKE_ENV, "--executor", executor, tmp_path / ".env")
    values = _read_env(tmp_path / ".env")
    assert (values["AIRFLOW_EXECUTOR"], values["COMPOSE_PROFILES"]) == expected


def test_env_is_kept_out_of_git_and_of_the_image():
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    # Nothing is let in but by name, and nothing of these names is taken back.
    assert next(line for line in ignored if line and not line.startswith("#")) == "*"
    assert not [line for line in ignored if line.startswith("!") and (".env" in line or "*" in line)]


# --- images --------------------------------------------------------------------------------------------


def _stages() -> dict[str, str]:
    parts = re.split(r"(?m)^FROM \S+ AS (\S+)$", DOCKERFILE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("target", ["app", "web"])
def test_images_run_as_nobody_of_consequence(target):
    [user] = re.findall(r"(?m)^USER (.+)$", _stages()[target])
    assert user == "10001:10001"


def test_images_rest_on_a_pinned_one():
    assert re.search(r"(?m)^ARG BASE=debian:bookworm-slim$", DOCKERFILE)
    assert re.findall(r"(?m)^FROM (\S+) AS", DOCKERFILE)[0] == "${BASE}"


def test_packages_of_the_image_are_hash_locked():
    installs = re.findall(r"pip install [^\\&]*", DOCKERFILE)
    assert len(installs) == 4
    assert all("--require-hashes" in install or "--no-deps --offline" in install for install in installs)


def test_the_image_holds_all_that_the_library_finds_beside_it():
    taken = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert taken >= {"dags", "etl", "expectations", "samples", "schemas", "warehouse", "requirements.lock"}
    assert all((ROOT / name).exists() for name in taken)


def test_commands_of_the_services_are_in_the_image():
    for name in OURS - {"web"}:
        for part in SERVICES[name]["command"] + SERVICES[name].get("healthcheck", {}).get("test", []):
            if part.endswith(".py"):
                assert (ROOT / part).is_file()


# --- what the image is made with -----------------------------------------------------------------------


LOCK = """\
a[more]==1 \\
    --hash=sha256:aa
    # via our-own (pyproject.toml)
b==1 ; python_full_version < '3.12' \\
    --hash=sha256:b1
    # via
    #   a
    #   tool
b==2 ; python_full_version >= '3.12' \\
    --hash=sha256:b2
    # via
    #   a
    #   tool
c==1 \\
    --hash=sha256:cc
    # via b
only-for-the-tool==1 \\
    --hash=sha256:dd
    # via tool
tool==1 \\
    --hash=sha256:ee
    # via our-own (pyproject.toml:dev)
"""


def test_what_is_needed_is_picked_with_its_hashes(tmp_path):
    (tmp_path / "lock").write_text(LOCK)
    picked = _run(PICK, tmp_path / "lock", "our-own (pyproject.toml)").stdout
    assert picked == LOCK[: LOCK.index("only-for-the-tool")]
    assert re.findall(r"^\S+==", _run(PICK, tmp_path / "lock", "tool").stdout, re.MULTILINE) == [
        "b==",
        "b==",
        "c==",
        "only-for-the-tool==",
        "tool==",
    ]


def test_a_package_that_the_lock_does_not_know_is_an_error(tmp_path):
    (tmp_path / "lock").write_text(LOCK)
    missing = _run(PICK, tmp_path / "lock", "tools")
    assert missing.returncode == 1
    assert "the lock knows nothing of tools" in missing.stderr


def test_the_image_has_what_the_project_needs_and_no_tools_for_development():
    picked = _run(PICK, ROOT / "requirements.lock", "justice-etl (pyproject.toml)").stdout
    names = set(re.findall(r"(?m)^([a-z0-9._-]+)", picked))
    assert names >= {"apache-airflow", "duckdb", "great-expectations", "celery", "psycopg2-binary", "typer"}
    assert not names & {"pytest", "ruff", "mypy", "hypothesis", "hatchling", "uv"}


# --- health checks -------------------------------------------------------------------------------------


@pytest.fixture
def monitor() -> Iterator[str]:
    """Answers as Airflow's monitor, of a triggerer that is not well."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 503)
            self.end_headers()
            self.wfile.write(b'{"dag_processor": {"status": "healthy"}, "triggerer": {"status": null}}')

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("what", "path", "more", "wrong"),
    [
        ("url", "/health", [], ""),
        ("url", "/elsewhere", [], "503"),
        ("component", "/health", ["dag_processor"], ""),
        ("component", "/health", ["triggerer"], "triggerer is None"),
        ("component", "/health", ["scheduler"], "KeyError"),
    ],
)
def test_a_probe_says_what_is_wrong(monitor, what, path, more, wrong):
    probed = _run(PROBE, what, monitor + path, *more)
    assert (probed.returncode == 0) == (not wrong)
    assert wrong in probed.stderr


def test_a_probe_of_nothing_fails():
    assert _run(PROBE, "url", "http://127.0.0.1:9/health").returncode == 1
    assert _run(PROBE, "liveness").returncode == 1
