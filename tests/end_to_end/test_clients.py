"""What docs/using.md tells analysts to type is typed: commands, Python, and SQL over two versions, in real programs.

A program or package that is not on this machine is not tried: the guide names those that never were.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from etl.files import remove_tree
from etl.publish import list_versions
from etl.settings import project_root
from tests.end_to_end.builders import force_tables
from tests.faults.commands import Commands
from tests.serve.servers import running_serve

GUIDE = (project_root() / "docs" / "using.md").read_text(encoding="utf-8")
SERVER = "http://127.0.0.1:8000"
OLDER = re.findall(r"^## An older version\n.*?(?=^## )", GUIDE, re.DOTALL | re.MULTILINE)[0]
SCRIPT = "".join(re.findall(r"```sql\n(.*?)```", OLDER, re.DOTALL))

BIN = Path(sys.executable).parent
PATH = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
CLI = shutil.which("duckdb", path=PATH)

Rows = list[dict[str, str]]
Ask = Callable[[Path, str], list[Rows]]
"""From a folder and SQL to the rows of each of its statements that has some; values as text."""


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUSTICE_")}
    return kept | {
        "HOME": str(folder),  # nobody's .duckdbrc
        "JUSTICE_HOME": "data",
        "NO_PROXY": "127.0.0.1",
        "PATH": PATH,
    }


def _run(command: list[str], folder: Path, text: str = "") -> str:
    done = subprocess.run(
        command, input=text, cwd=folder, env=_environment(folder), capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, ""), f"{command} {text}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def desk(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an analyst works in: the demo is its `data`, as the project's home is that of the guide."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "data").symlink_to(demo_home)
    return folder


@pytest.fixture(scope="module")
def server(demo_home: Path) -> Iterator[str]:
    with running_serve(demo_home) as url:
        yield url


# --- commands ------------------------------------------------------------------------------------------


COMMANDS = [
    line.strip() for line in re.findall(r"^ {4}(?! )(.+)$", re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL), re.M)
]


@pytest.mark.parametrize("command", [line for line in COMMANDS if shutil.which(line.split()[0], path=PATH)])
def test_commands_do_what_the_guide_says(desk: Path, server: str, command: str) -> None:
    # Twice: what was fetched before must not be in the way.
    for _ in range(2 if command.startswith("curl") else 1):
        _run(["bash", "-c", command.replace("curl ", "curl --silent ").replace(SERVER, server)], desk)


def test_the_guide_has_commands_of_each_program() -> None:
    assert {line.split()[0] for line in COMMANDS} == {"curl", "duckdb", "justice-etl"}


# --- Python --------------------------------------------------------------------------------------------


def _list_packages(snippet: str) -> list[str]:
    nodes = list(ast.walk(ast.parse(snippet)))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]


SNIPPETS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
RUNNABLE = [snippet for snippet in SNIPPETS if all(map(find_spec, _list_packages(snippet)))]


@pytest.mark.parametrize("snippet", RUNNABLE, ids=lambda snippet: "-".join(_list_packages(snippet)))
def test_python_reads_the_same_figures(desk: Path, server: str, snippet: str) -> None:
    with duckdb.connect(str(desk / "data" / "current" / "warehouse.duckdb"), read_only=True) as connection:
        whole, years = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE span = 'year') FROM mart.crime_trend"
        ).fetchall()[0]
    lines = int(
        _run([sys.executable, "-W", "error", "-"], desk, f"{snippet.replace(SERVER, server)}\nprint(len(trend))\n")
    )
    assert lines == (years if "span = 'year'" in snippet else whole) > 0


def test_the_guide_has_snippets_for_duckdb_and_pandas() -> None:
    assert {package for snippet in RUNNABLE for package in _list_packages(snippet)} >= {"duckdb", "pandas"}


# --- SQL in the clients --------------------------------------------------------------------------------


def _split(script: str) -> list[str]:
    return [statement for statement in map(str.strip, script.split(";")) if statement]


def _ask_python(folder: Path, script: str) -> list[Rows]:
    answers = []
    with duckdb.connect() as connection:
        for statement in _split(script):
            connection.execute(re.sub(r"'(?=data/)", f"'{folder}/", statement))
            names = [column[0] for column in connection.description or []]
            rows = [dict(zip(names, map(str, row), strict=True)) for row in connection.fetchall()]
            answers += [rows] if rows else []
    return answers


def _ask_cli(folder: Path, script: str) -> list[Rows]:
    assert CLI
    left, answers = _run([CLI, "-json"], folder, script).strip(), []
    while left:
        rows, end = json.JSONDecoder().raw_decode(left)
        answers += [[{name: str(value) for name, value in row.items()} for row in rows]] if rows else []
        left = left[end:].strip()
    return answers


CLIENTS: dict[str, Ask] = {"python": _ask_python, "duckdb": _ask_cli}
AT_HAND = [client for client in CLIENTS if client == "python" or CLI]


@pytest.fixture(scope="module")
def corrected(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a home that published Table P1, and then a correction of one of its cells."""
    folder = tmp_path_factory.mktemp("corrected")
    correction = force_tables(folder, name="corrected.xlsx", published="2018-08-16", cells={"C7": "212,999 "})
    commands.succeed(folder / "data", force_tables(folder).command, ["publish"], correction.command, ["publish"])
    yield folder
    remove_tree(folder)


def _name_versions(script: str, folder: Path) -> str:
    older, newer = list_versions(folder / "data")
    assert (older.is_current, newer.is_current) == (False, True)
    assert "0123456789ab" in script
    return script.replace("0123456789ab", older.version)


@pytest.mark.parametrize("client", AT_HAND)
def test_an_older_version_is_set_beside_the_one_that_serves(corrected: Path, client: str) -> None:
    changed, releases, as_it_stood = CLIENTS[client](corrected, _name_versions(SCRIPT, corrected))
    release = "recorded_crime_ons/year-ending-march-2018"
    assert changed == [
        {
            "area_code": "E23000014",
            "offence_id": "total_excluding_fraud",
            "span": "year",
            "period_end": "2018-03-31",
            "offences_before": "212841",
            "offences_now": "212999",
            "release_before": f"{release}@1",
            "release_now": f"{release}@2",
        }
    ]
    assert [row["release_id"] for row in releases] == [f"{release}@2"]
    assert [set(row) for row in as_it_stood] == [{"lines"}]
    assert int(as_it_stood[0]["lines"]) > 0


@pytest.mark.parametrize("client", AT_HAND)
def test_a_macro_speaks_of_the_catalogue_in_use(corrected: Path, client: str) -> None:
    attach = ";".join(_split(_name_versions(SCRIPT, corrected))[:2])
    total = (
        "SELECT offences FROM {}mart.crime_trend_as_of('2018-12-31') "
        "WHERE area_code = 'E23000014' AND offence_id = 'total_excluding_fraud'"
    )
    asked = ["USE newer", total.format(""), total.format("older."), "USE older", total.format("")]
    answers = CLIENTS[client](corrected, ";".join([attach, *asked]) + ";")
    assert [rows[0]["offences"] for rows in answers] == ["212999", "212999", "212841"]


@pytest.mark.parametrize("client", AT_HAND)
def test_clients_answer_the_ten_questions(desk: Path, client: str) -> None:
    questions = re.findall(r"^\*\*\d+\. .*?```sql\n(.*?)```", GUIDE, re.DOTALL | re.MULTILINE)
    attach = "ATTACH 'data/current/warehouse.duckdb' AS justice (READ_ONLY);\nUSE justice;\n"
    answers = CLIENTS[client](desk, attach + ";\n".join(questions) + ";")
    with duckdb.connect(str(desk / "data" / "current" / "warehouse.duckdb"), read_only=True) as connection:
        counts = [len(connection.execute(question).fetchall()) for question in questions]
    assert [len(rows) for rows in answers] == counts
    assert len(counts) == 10
