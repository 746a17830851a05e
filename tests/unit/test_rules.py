"""The rules of tests/conftest.py hold: no way out, no skip in CI, nothing left behind."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from etl.settings import Settings, project_root

TESTS = {
    # 192.0.2.1 is nobody's address (TEST-NET-1). Every error is swallowed: the rule must not rest on it.
    "test_ways_out.py": """
import socket
def quietly(do):
    try: do()
    except BaseException: pass
def test_connect():
    with socket.socket() as out:
        quietly(lambda: out.connect(("192.0.2.1", 80)))
def test_look_up(): quietly(lambda: socket.getaddrinfo("www.gov.uk", 443))
def test_send():
    with socket.socket(type=socket.SOCK_DGRAM) as out:
        quietly(lambda: out.sendto(b"x", ("192.0.2.1", 53)))
def test_stay(): quietly(lambda: socket.create_connection(("127.0.0.1", 1), timeout=1))
""",
    "test_skips.py": """
import pytest
@pytest.mark.skip(reason="by mark")
def test_mark(): pass
def test_call(): pytest.skip("by call")
@pytest.fixture
def broken(): pytest.skip("by fixture")
def test_fixture(broken): pass
@pytest.mark.xfail(reason="known", strict=True)
def test_known(): assert False
""",
    "test_module.py": """
import pytest
pytest.importorskip("no_such_library")
def test_it(): pass
""",
    "test_publications.py": """
import tests.conftest
from pathlib import Path
tests.conftest.project_root = lambda: Path("/nowhere/main")
def test_it(publications): pass
""",
    "test_leftovers.py": """
from hypothesis import given, strategies as st
@given(st.text())
def test_text(text): assert text == text
def test_home(home): assert not home.exists()
""",
}


@dataclass(frozen=True)
class Ran:
    """What came of the tests above, run under our conftest in another process."""

    folder: Path
    outcomes: dict[str, str]
    output: str


def _run(folder: Path, *, ci: bool) -> Ran:
    for name, text in TESTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "scratch").mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_ADDOPTS"}}
    environment |= {
        "PYTHONPATH": str(project_root()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TMPDIR": str(folder / "scratch"),
    }
    options = ["-rA", "--continue-on-collection-errors", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(folder), "-c", os.devnull, str(folder)],
        cwd=folder,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    words = re.findall(r"^(PASSED|FAILED|ERROR|XFAIL) \S*?(test_\w+\.py\S*)", ran.stdout, re.MULTILINE)
    outcomes: dict[str, str] = {}
    for word, name in words:  # a test that passes and fails at its end has both
        outcomes[name] = word if outcomes.get(name) != "ERROR" else "ERROR"
    return Ran(folder, outcomes, ran.stdout + ran.stderr)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return _run(tmp_path_factory.mktemp("here"), ci=False)


@pytest.fixture(scope="module")
def in_ci(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return _run(tmp_path_factory.mktemp("ci"), ci=True)


@pytest.mark.parametrize(
    ("way", "attempt"),
    [
        ("connect", "socket.connect '192.0.2.1'"),
        ("look_up", "socket.getaddrinfo 'www.gov.uk'"),
        ("send", "socket.sendto '192.0.2.1'"),
    ],
)
def test_a_test_that_reaches_outside_fails_even_if_it_swallows_the_error(here: Ran, way: str, attempt: str) -> None:
    assert here.outcomes[f"test_ways_out.py::test_{way}"] == "ERROR", here.output
    assert f"Failed: tried to reach outside this machine: {attempt}\n" in here.output


def test_a_test_may_reach_this_machine(here: Ran) -> None:
    assert here.outcomes["test_ways_out.py::test_stay"] == "PASSED", here.output
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            with socket.create_connection((host, server.getsockname()[1]), timeout=5):
                pass


def test_skips_are_skips_here(here: Ran) -> None:
    assert not [name for name in here.outcomes if name.startswith(("test_module", "test_publications"))]
    assert here.outcomes["test_skips.py::test_known"] == "XFAIL"
    assert "5 skipped" in here.output, here.output
    assert "the published files are not at hand" in here.output


def test_skips_are_failures_in_ci(in_ci: Ran) -> None:
    assert in_ci.outcomes["test_skips.py::test_known"] == "XFAIL"
    for name, reason in (("mark", "by mark"), ("call", "by call"), ("fixture", "by fixture")):
        assert in_ci.outcomes[f"test_skips.py::test_{name}"] in {"FAILED", "ERROR"}, in_ci.output
        assert f"may not be skipped in CI: Skipped: {reason}" in in_ci.output
    assert in_ci.outcomes["test_module.py"] == "ERROR"
    assert " skipped" not in in_ci.output.splitlines()[-1]


def test_missing_publications_are_a_failure_in_ci(in_ci: Ran) -> None:
    assert in_ci.outcomes["test_publications.py::test_it"] == "ERROR"
    assert "/nowhere/shared/publications is no folder" in in_ci.output


def test_a_run_leaves_nothing_behind(here: Ran) -> None:
    assert here.outcomes["test_leftovers.py::test_text"] == "PASSED", here.output
    assert here.outcomes["test_leftovers.py::test_home"] == "PASSED", here.output
    assert {path.name for path in here.folder.iterdir()} == {*TESTS, "scratch"}
    scratch = [path.name for path in (here.folder / "scratch").iterdir()]
    assert [name for name in scratch if not name.startswith("pytest-of-")] == []


def test_the_home_of_a_test_is_its_own(home: Path, tmp_path: Path) -> None:
    assert Settings().home == home
    assert home.parent == tmp_path
