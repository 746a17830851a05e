"""The command line: help, JSON for machines, exit statuses, one readable message and no traceback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from etl.cli import app
from etl.files import write_json
from etl.settings import project_root
from tests.end_to_end.builders import Edition, force_tables, geography, rolling_year
from tests.faults.commands import DONE, FAILED, WRONG_USE, Commands, assert_readable
from tests.faults.homes import serving
from tests.support import P1_HEADERS, mark_modelled, p1_sheet, write_xlsx

TWO_PUBLICATIONS = "rule crime_two_publications: 4 violations, "
"""What the small inputs are warned of: Table P1 counts 7 of everything, the open data count otherwise."""

NAMES = [str(command.name or getattr(command.callback, "__name__", "")) for command in app.registered_commands]


@pytest.fixture
def copied(served: Path, tmp_path: Path) -> Path:
    """A copy of the home that serves everything."""
    return Path(shutil.copytree(served, tmp_path / "home", symlinks=True))


# --- help and use --------------------------------------------------------------------------------------


def test_every_command_of_the_design_is_there() -> None:
    assert set(NAMES) >= {
        *("demo", "land", "build", "publish", "status", "sql", "trace"),
        *("inspect", "quarantine", "versions", "rollback", "pin", "verify", "doctor"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(name: str, commands: Commands, tmp_path: Path) -> None:
    outcome = commands.succeed(tmp_path / "home", [name, "--help"])
    assert f"justice-etl {name}" in outcome.out
    assert app.info.name == "justice-etl"
    assert not (tmp_path / "home").exists()


def test_help_names_every_command(commands: Commands, tmp_path: Path) -> None:
    outcome = commands.succeed(tmp_path / "home", ["--help"])
    for name in NAMES:
        assert f" {name} " in outcome.out
    assert commands.run(tmp_path / "home", []).status == WRONG_USE
    assert commands.succeed(tmp_path / "home", ["--version"]).out.strip()


def test_the_console_script_is_installed() -> None:
    script = Path(sys.executable).with_name("justice-etl")
    outcome = subprocess.run([script, "--version"], capture_output=True, text=True, cwd="/", timeout=60)
    assert (outcome.returncode, outcome.stderr) == (DONE, "")


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["land"],
        ["land", "p1.xlsx", "--source", "recorded_crime_ons"],
        ["sql", "SELECT 1", "--limit", "0"],
        ["trace", "Kent"],
        ["status", "--nonsense"],
    ],
    ids=" ".join,
)
def test_words_that_do_not_fit_are_wrong_use(words: list[str], commands: Commands, tmp_path: Path) -> None:
    outcome = commands.run(tmp_path / "home", words)
    assert outcome.status == WRONG_USE, outcome.text
    assert "Usage: justice-etl" in outcome.err
    assert "Traceback" not in outcome.text


@pytest.mark.parametrize(
    ("change", "part"),
    [
        pytest.param({"--source": "weather"}, "there is no source 'weather'", id="source"),
        pytest.param({"--published-on": "soon"}, "'soon' is no publication date", id="date"),
        pytest.param({"--release": "–––"}, "holds no letters", id="title"),
        pytest.param({"FILE": "missing.xlsx"}, "there is no file", id="file"),
    ],
)
def test_landing_something_that_cannot_be_is_wrong_use(
    change: dict[str, str], part: str, commands: Commands, tmp_path: Path
) -> None:
    words = force_tables(tmp_path).command
    for option, value in change.items():
        words[-1 if option == "FILE" else words.index(option) + 1] = value
    assert_readable(commands.run(tmp_path / "home", words), part, status=WRONG_USE)
    assert not (tmp_path / "home" / "landing" / "records").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("JUSTICE_KEEP_VERSIONS", "many"), ("JUSTICE_KEEP_VERSIONS", "0"), ("JUSTICE_LOG_LEVEL", "LOUD")],
)
def test_a_setting_that_does_not_fit_is_named(name: str, value: str, commands: Commands, tmp_path: Path) -> None:
    outcome = commands.run(tmp_path / "home", ["status"], env={name: value})
    assert_readable(outcome, name, repr(value), status=WRONG_USE)
    assert len(outcome.err.splitlines()) == 2


def test_a_traceback_is_shown_when_asked_for(commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    plain = commands.run(home, ["build"])
    assert_readable(plain, f"nothing was landed in {home}")
    verbose = commands.run(home, ["--verbose", "build"])
    assert verbose.status == FAILED
    assert "Traceback" in verbose.err
    assert "JusticeError" in verbose.err
    assert plain.err.splitlines()[0] in verbose.err


def test_an_unforeseen_error_is_one_message_too(commands: Commands, served: Path, tmp_path: Path) -> None:
    """A record of a day that no run of ours writes."""
    home = Path(shutil.copytree(served, tmp_path / "home", symlinks=True))
    [record] = (home / "landing" / "records" / "population").rglob("*.json")
    write_json(record, json.loads(record.read_text(encoding="utf-8")) | {"published_at": "one day"})
    outcome = commands.run(home, ["build"])
    assert_readable(outcome, "--verbose")
    assert len(outcome.err.splitlines()) == 2


# --- JSON ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["status"], dict),
        (["build"], dict),
        (["publish"], dict),
        (["versions"], list),
        (["verify"], dict),
        (["doctor"], list),
        (["sql", "SELECT * FROM mart.crime_trend"], list),
        (["sql", "SELECT * FROM meta.release"], list),
        (["trace", "Kent", "homicide", "2018-03-31"], dict),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_json_is_json(words: list[str], kind: type, commands: Commands, served: Path) -> None:
    outcome = commands.run(served, [*words, "--json"])
    assert outcome.status == DONE, outcome.text
    assert isinstance(outcome.json, kind)
    assert not re.sub(rf"Warning: {TWO_PUBLICATIONS}.*\n", "", outcome.err)
    assert outcome.json


def test_json_of_values(commands: Commands, served: Path) -> None:
    query = "SELECT NULL AS nothing, 1.5 AS number, DATE '2018-03-31' AS day, 'Ynys Môn' AS name, TRUE AS truth"
    found = commands.succeed(served, ["sql", "--json", query])
    assert found.json == [{"nothing": None, "number": 1.5, "day": "2018-03-31", "name": "Ynys Môn", "truth": True}]
    assert "Ynys Môn" in found.out
    [row] = commands.succeed(served, ["sql", "--json", "SELECT max(published_at) AS moment FROM meta.release"]).json
    assert datetime.fromisoformat(row["moment"]).tzinfo is not None


def test_json_of_landing(commands: Commands, tmp_path: Path) -> None:
    edition = rolling_year(tmp_path, 1, files=2)
    first = commands.succeed(tmp_path / "home", [*edition.command, "--json"]).json
    again = commands.succeed(tmp_path / "home", [*edition.command, "--json"]).json
    assert [item["is_new"] for item in (*first, *again)] == [True, True, False, False]
    assert [item["record"] for item in first] == [item["record"] for item in again]
    assert {item["release_id"] for item in first} == {"recorded_crime_ons/rolling-years-1@1"}
    shown = commands.succeed(tmp_path / "home", edition.command).out.splitlines()
    assert [line.partition(" → ")[0] for line in shown] == [
        "Already there: rolling-1-1.csv",
        "Already there: rolling-1-2.csv",
    ]


# --- sql -----------------------------------------------------------------------------------------------


def test_sql_without_a_query_says_how_to_open_the_file(commands: Commands, served: Path) -> None:
    shown = commands.succeed(served, ["sql"]).out
    path = served / "current" / "warehouse.duckdb"
    assert f"duckdb -readonly {path}" in shown
    [python] = [line.partition("Python")[2].strip() for line in shown.splitlines() if line.startswith("Python")]
    code = f"{python}; print(connection.execute('SELECT count(*) FROM mart.crime_trend').fetchone()[0])"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(outcome.stdout) == serving(served).figures


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO ref.offence SELECT * FROM ref.offence",
        "CREATE TABLE mart.mine (i INTEGER)",
        "CREATE OR REPLACE VIEW mart.crime_trend AS SELECT 1",
        "DELETE FROM mart.crime_trend",
        "DROP TABLE mart.crime_trend",
        "UPDATE ref.offence SET name = 'x'",
    ],
)
def test_sql_cannot_write(query: str, commands: Commands, served: Path) -> None:
    before = serving(served)
    assert_readable(commands.run(served, ["sql", query]), "read-only")
    assert serving(served) == before
    assert not list((served / "current").glob("*.wal"))


@pytest.mark.parametrize("query", ["SELEKT 1", "SELECT * FROM mart.nothing", "SELECT 1/'a'", "", "  "])
def test_sql_that_fails_says_where(query: str, commands: Commands, served: Path) -> None:
    assert_readable(commands.run(served, ["sql", query]), "query", "meta.field")


def test_sql_prints_as_many_rows_as_asked_for(commands: Commands, served: Path) -> None:
    outcome = commands.succeed(served, ["sql", "SELECT i FROM range(100) AS t(i)", "--limit", "3"])
    assert outcome.err == "The first 3 rows; --limit gives more.\n"
    outcome = commands.succeed(served, ["sql", "SELECT i FROM range(3) AS t(i)", "--limit", "3"])
    assert outcome.err == ""
    assert len(commands.succeed(served, ["sql", "--json", "SELECT i FROM range(100) AS t(i)"]).json) == 100


def test_sql_shows_markers_and_thousands_as_people_read_them(commands: Commands, served: Path) -> None:
    shown = commands.succeed(served, ["sql", "SELECT '[x]' AS marker, 1204 AS n, NULL AS nothing, TRUE AS truth"]).out
    assert [word.strip() for word in shown.splitlines()[-1].split("│")] == ["[x]", "1,204", "–", "yes"]


def test_before_anything_is_published(commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for words in (["sql"], ["sql", "SELECT 1"], ["trace", "Kent", "homicide", "2018-03-31"]):
        assert_readable(commands.run(home, words), f"nothing is published in {home}", "justice-etl build")
    found = commands.succeed(home, ["status", "--json"]).json
    assert (found["releases"], found["current"], found["kind"]) == (0, None, None)
    assert "nothing landed yet" in commands.succeed(home, ["status"]).out
    assert commands.succeed(home, ["verify", "--json"]).json == {"files": 0, "problems": []}
    assert not home.exists()


# --- inspect -------------------------------------------------------------------------------------------


def _inspect(commands: Commands, path: Path, status: int) -> tuple[dict[str, Any], str]:
    home = path.parent / "no-home"
    outcome = commands.run(home, ["inspect", path, "--json"])
    assert outcome.status == status, outcome.text
    shown = commands.run(home, ["inspect", path])
    assert shown.status == status, shown.text
    assert not home.exists()
    return outcome.json, shown.out


@pytest.mark.parametrize("number", range(6))
def test_inspect_knows_every_layout(number: int, commands: Commands, editions: list[Edition]) -> None:
    edition = editions[number]
    found, shown = _inspect(commands, edition.files[0], DONE)
    assert found["source"] == edition.source
    [sheet] = found["sheets"]
    assert sheet["layout"]
    assert sheet["missing"] == sheet["extra"] == []
    assert f"Source: {edition.source}\n" in shown
    assert f"{sheet['layout']} (table {sheet['table_id']}), header in row {sheet['header_row']}" in shown


def test_inspect_names_what_is_missing_and_what_is_extra(commands: Commands, tmp_path: Path) -> None:
    headers = ["Sexual crimes" if header == "Sexual offences" else header for header in P1_HEADERS]
    path = write_xlsx(tmp_path / "renamed.xlsx", {"Table P1": p1_sheet(("E23000032", "Kent", 1), headers=headers)})
    found, shown = _inspect(commands, path, FAILED)
    assert found["source"] is None
    [sheet] = found["sheets"]
    assert (sheet["layout"], sheet["missing"], sheet["extra"]) == (None, ["sexual_offences"], ["sexual crimes"])
    assert sheet["header_row"] == 5
    assert "Sexual crimes" in sheet["headers"]
    assert "Source: none of the declared ones\n" in shown
    assert "fits no layout; nearest is force_table_2018_counts" in shown
    assert "missing 'sexual_offences'; not expected 'sexual crimes'" in shown
    assert "'Sexual crimes'" in shown


def test_inspect_says_which_sheets_are_left_out(commands: Commands, tmp_path: Path) -> None:
    sheets = {"Contents": [["Contents"]], "Table P1": p1_sheet(("E23000032", "Kent", 1)), "Table P9": [["Fraud"]]}
    path = write_xlsx(tmp_path / "p.xlsx", sheets)
    found, shown = _inspect(commands, path, DONE)
    assert [(sheet["sheet"], bool(sheet["layout"]), bool(sheet["ignored"])) for sheet in found["sheets"]] == [
        ("Contents", False, True),
        ("Table P1", True, False),
        ("Table P9", False, True),
    ]
    assert "'Contents' (1 × 1): left out: prose" in shown


def test_inspect_sees_a_modelled_sample(commands: Commands, tmp_path: Path) -> None:
    path = mark_modelled(force_tables(tmp_path).files[0])
    found, shown = _inspect(commands, path, DONE)
    assert found["is_modelled"]
    assert "a modelled sample" in shown


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("p1.xlsx", b"<!DOCTYPE html><html><body>Not found</body></html>", "p1.xlsx is a page of HTML"),
        ("p1.csv", b"", "p1.csv is empty"),
        ("p1.xlsx", b"PK\x03\x04cut off", "p1.xlsx is a damaged archive"),
        ("p1.pdf", b"%PDF-1.7", "unknown binary type"),
    ],
    ids=["html", "empty", "cut off", "pdf"],
)
def test_what_is_no_table_is_refused(name: str, content: bytes, part: str, commands: Commands, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert_readable(commands.run(tmp_path / "home", ["inspect", path]), part)
    edition = Edition("recorded_crime_ons", "Year ending March 2018", "2018-07-19", (path,))
    assert_readable(commands.run(tmp_path / "home", edition.command), part)
    assert not (tmp_path / "home" / "landing" / "records").exists()


def test_inspect_of_no_file_is_wrong_use(commands: Commands, tmp_path: Path) -> None:
    assert_readable(commands.run(tmp_path / "home", ["inspect", tmp_path / "a"]), "there is no file", status=WRONG_USE)


# --- status, verify, doctor ----------------------------------------------------------------------------


def test_status_says_what_is_held_and_what_to_do(commands: Commands, copied: Path, tmp_path: Path) -> None:
    found = commands.succeed(copied, ["status", "--json"]).json
    assert (found["kind"], found["releases"], found["files"]) == ("real", 6, 6)
    assert found["current"] == serving(copied).version
    assert found["is_up_to_date"]
    assert (found["kept_out"], found["quarantined_lines"], found["stopped"]) == ([], 0, [])
    [warned] = found["warned"]
    assert warned.startswith(TWO_PUBLICATIONS)
    [item] = commands.succeed(copied, ["quarantine", "--json"]).json
    assert (item["message"], item["state"]) == (warned, "warned")
    shown = commands.succeed(copied, ["status"]).out
    assert f"Home       {copied} (real)" in shown
    assert "6 releases, 6 files" in shown
    assert found["current"] in shown
    assert f"Warning    {warned}\n" in shown
    assert "justice-etl publish" not in shown
    commands.succeed(copied, rolling_year(tmp_path, 4).command)
    assert not commands.succeed(copied, ["status", "--json"]).json["is_up_to_date"]
    assert "not of all that was landed" in commands.succeed(copied, ["status"]).out


def test_verify_finds_what_does_not_match(commands: Commands, copied: Path) -> None:
    assert commands.succeed(copied, ["verify"]).out == "All 6 landed files match.\n"
    blobs = sorted(path for path in (copied / "landing" / "sha256").rglob("*") if path.is_file())
    blobs[0].chmod(0o644)
    blobs[0].write_bytes(b"something else")
    blobs[1].unlink()
    outcome = commands.run(copied, ["verify", "--json"])
    assert outcome.status == FAILED
    assert outcome.json["files"] == 6
    assert len(outcome.json["problems"]) == 2
    assert "Traceback" not in outcome.text
    shown = commands.run(copied, ["verify"]).err
    assert all(problem in shown for problem in outcome.json["problems"])


def test_doctor_finds_nothing_wrong_with_a_good_set_up(commands: Commands, served: Path) -> None:
    findings = commands.succeed(served, ["doctor", "--json"]).json
    assert [item["name"] for item in findings] == [
        *("Python", "Project files", "Data home", "Disk", "Published warehouse", "Landing zone", "Publishers")
    ]
    shown = commands.succeed(served, ["doctor"]).out
    assert shown.count("✓") == len(findings)
    assert commands.run(served.parent / "new-home", ["doctor"]).status == DONE


def test_doctor_says_how_to_mend_what_is_wrong(commands: Commands, copied: Path) -> None:
    (copied / "current").unlink()
    (copied / "current").symlink_to("versions/gone")
    (copied / "home.json").chmod(0o644)
    (copied / "home.json").write_text("{")
    [record] = (copied / "landing" / "records" / "population").rglob("*.json")
    record.write_text("")
    outcome = commands.run(copied, ["doctor", "--json"])
    assert outcome.status == FAILED
    mends = {item["name"]: item["mend"] for item in outcome.json if not item["is_well"]}
    assert mends.keys() == {"Data home", "Published warehouse", "Landing zone"}
    assert all(mends.values())
    shown = commands.run(copied, ["doctor"]).out
    assert shown.count("✗") == 3
    assert all(mend in shown for mend in mends.values())


# --- homes ---------------------------------------------------------------------------------------------


def test_modelled_samples_and_real_files_do_not_mix(commands: Commands, tmp_path: Path) -> None:
    real, modelled = force_tables(tmp_path), force_tables(tmp_path, name="sample.xlsx")
    sample = Edition(modelled.source, modelled.title, modelled.published, (mark_modelled(modelled.files[0]),))
    home = tmp_path / "home"
    commands.succeed(home, real.command)
    assert_readable(commands.run(home, sample.command), "modelled-sample.xlsx is a modelled sample", "a real home")
    assert_readable(commands.run(home, ["demo"]), f"{home} is a real home, not a demo one", "JUSTICE_HOME")
    demo = tmp_path / "demo"
    write_json(demo / "home.json", {"kind": "demo"})
    assert_readable(commands.run(demo, real.command), "p1.xlsx is a real file", "a demo home")
    commands.succeed(demo, sample.command, ["publish"])
    assert commands.succeed(demo, ["sql", "--json", "SELECT DISTINCT is_modelled FROM mart.crime_trend"]).json == [
        {"is_modelled": True}
    ]
    assert "MODELLED SAMPLE" in commands.succeed(demo, ["trace", "Kent", "homicide", "2018-03-31"]).out


def test_a_relative_home_is_where_the_command_was_called(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    commands.succeed(Path("data"), geography(tmp_path).command, folder=tmp_path / "here")
    found = commands.succeed(Path("data"), ["status", "--json"], folder=tmp_path / "here").json
    assert found["home"] == str(tmp_path / "here" / "data")
    assert found["releases"] == 1


def test_nothing_is_written_beside_the_home(commands: Commands, tmp_path: Path) -> None:
    before = {path for path in project_root().iterdir() if path.name != ".pytest_cache"}
    folder = tmp_path / "here"
    folder.mkdir()
    commands.succeed(tmp_path / "home", geography(tmp_path).command, ["publish"], folder=folder)
    assert list(folder.iterdir()) == []
    assert {path for path in project_root().iterdir() if path.name != ".pytest_cache"} == before
