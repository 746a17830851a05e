"""One module opens connections: no other imports what could."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from etl.settings import project_root

WAYS_OUT = {
    "requests",
    "urllib3",
    "http.client",
    "urllib.request",
    "ftplib",
    "smtplib",
    "httpx",
    "aiohttp",
    "telnetlib",
}
MAY = {
    "etl/http.py": {"requests", "requests.adapters", "urllib3", "socket"},
    "etl/files.py": {"socket"},  # the name of the host, for the lease
    "etl/alerts.py": {"socket"},  # the same, for whoever reads the alert
    "etl/local_airflow.py": {"requests", "socket"},  # the Airflow that it starts, on loopback
}


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=str(path.relative_to(project_root())))
        for folder in ("etl", "warehouse", "samples", "dags")
        for path in sorted((project_root() / folder).rglob("*.py"))
    ],
)
def test_no_other_module_can_reach_outside(path: Path) -> None:
    name = str(path.relative_to(project_root()))
    found = {module for module in imports(path) if module.split(".")[0] in WAYS_OUT or module in WAYS_OUT | {"socket"}}
    allowed = MAY.get(name, set())
    assert {module for module in found if module not in allowed and module.split(".")[0] not in allowed} == set()


def test_the_rule_would_see_one() -> None:
    assert {"requests", "socket"} <= imports(project_root() / "etl" / "http.py")
