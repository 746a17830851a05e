"""`justice-etl quarantine` shows what a build keeps out, stops or warns of, and prints the entry that settles it.

The rules are of these tests alone, in a copy of the project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.builders import force_tables, geography, partnerships, rolling_year
from tests.end_to_end.own_project import OwnProject, fill_in
from tests.faults.commands import DONE, FAILED, KEPT_OUT, WRONG_USE, Commands, assert_readable
from tests.faults.homes import serving

MARCH = "recorded_crime_ons/year-ending-march-2018"
KENT_TOTAL = "P1|E23000032|total_excluding_fraud|year|2018-03-31"
ASKED = {"reason": "a small force; it's so", "accepted_on": "2026-07-01"}

_TOTALS = """
SELECT
    crime.release_id, {sha256} AS sha256,
    concat(substr(crime.sha256, 1, 12), '!', crime.sheet, '!', crime.offences_column, CAST(crime.row AS VARCHAR))
        AS cell,
    concat_ws('|', crime.table_id, crime.area_code, crime.offence_id, crime.span, CAST(crime.period_end AS VARCHAR))
        {more} AS figure,
    '{expected}' AS expected, CAST(crime.offences AS VARCHAR) AS found
FROM core.recorded_crime AS crime
WHERE crime.offence_id = 'total_excluding_fraud' AND {broken}
"""
_TRENDS = """
SELECT
    CAST(NULL AS VARCHAR) AS release_id, CAST(NULL AS VARCHAR) AS sha256, CAST(NULL AS VARCHAR) AS cell,
    trend.area_code AS figure, CAST(NULL AS VARCHAR) AS expected, CAST(trend.offences AS VARCHAR) AS found
FROM mart.crime_trend AS trend
WHERE trend.offences = 777777
"""


def _totals(broken: str, expected: str, *, sha256: str = "crime.sha256", more: str = "") -> str:
    return _TOTALS.format(broken=broken, expected=expected, sha256=sha256, more=more)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> OwnProject:
    """A total below 1,000 keeps its file out; 666,666 and, in the mart, 777,777 stop a version; 555,555 is odd."""
    made = OwnProject(tmp_path_factory.mktemp("project"))
    small = _totals("crime.offences < 1000", "at least 1000")
    made.add_rule("small_total", small, gate="file", severity="critical", reason="no force is so small")
    beast = _totals("crime.offences = 666666", "another number", sha256="CAST(NULL AS VARCHAR)")
    made.add_rule("no_beast", beast, gate="publication", severity="critical", reason="nobody would believe it")
    made.add_rule("no_sevens", _TRENDS, gate="publication", severity="critical", reason="the model must be wrong")
    odd = _totals("crime.offences = 555555", "[green]not so", more="|| '|[red]odd' || chr(10) || ':a:'")
    made.add_rule("odd_total", odd, gate="publication", severity="warning", reason="looks made up")
    return made


@pytest.fixture(scope="module")
def own(project: OwnProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Commands of that project."""
    commands = Commands(tmp_path_factory.mktemp("own"), root=project.root)
    yield commands
    commands.close()


@pytest.fixture(autouse=True)
def _nothing_declared(project: OwnProject) -> Iterator[None]:
    yield
    for name in ("accepted.yml", "corrections.yml"):
        project.declare(name, "")


def _items(own: Commands, home: Path) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = own.succeed(home, ["quarantine", "--json"]).json
    return items


def _show(own: Commands, home: Path, item: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """An item by the first half of its id: as data, and as people see it."""
    words = ["quarantine", item["item_id"][:4]]
    return own.succeed(home, [*words, "--json"]).json, own.succeed(home, words).out


def _entries(shown: dict[str, Any], name: str) -> list[str]:
    return [entry for s in shown["suggestions"] if (s["file"] or "").endswith(name) for entry in s["entries"]]


def _kent(own: Commands, home: Path) -> list[int]:
    key = "concat_ws('|', table_id, area_code, offence_id, span, period_end)"
    query = f"SELECT offences FROM mart.crime_trend WHERE {key} = '{KENT_TOTAL}'"
    return [row["offences"] for row in own.succeed(home, ["sql", "--json", query]).json]


# --- kept out by a rule ----------------------------------------------------------------------------------


def test_a_file_that_breaks_a_rule_is_kept_out_until_it_is_accepted(
    own: Commands, project: OwnProject, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    own.succeed(home, rolling_year(tmp_path, 3).command, ["publish"])
    own.succeed(home, force_tables(tmp_path, cells={"C8": "999 "}).command)
    for command in (["build"], ["publish"]):
        outcome = own.run(home, command)
        assert outcome.status == KEPT_OUT, outcome.text
        [message] = outcome.err.splitlines()
        assert message.startswith(f"Kept out: p1.xlsx ({MARCH}@1), rule small_total: 1 violation: ")
        assert "Table P1!C8" in message
        assert f"{KENT_TOTAL}, expected at least 1000, found 999 (no force is so small) → " in message
    assert _kent(own, home) == []
    assert own.succeed(home, ["publish"]).err.startswith("Still kept out: p1.xlsx ")

    [item] = _items(own, home)
    assert message.endswith(f"justice-etl quarantine {item['item_id']}")
    assert (item["state"], item["kind"], item["rule"], item["count"]) == ("kept_out", "rule", "small_total", 1)
    listed = own.succeed(home, ["quarantine"]).out
    [line] = [line for line in listed.splitlines() if item["item_id"] in line]
    assert [cell.strip() for cell in line.split("│")[:5]] == [
        item["item_id"],
        "kept out",
        "p1.xlsx",
        "small_total",
        "1",
    ]
    assert "justice-etl quarantine lists them" in own.succeed(home, ["status"]).out

    shown, printed = _show(own, home, item)
    [figure] = shown["figures"]
    assert {name: figure[name] for name in ("release_id", "filename", "sheet", "address", "text", "corrected")} == {
        "release_id": f"{MARCH}@1",
        "filename": "p1.xlsx",
        "sheet": "Table P1",
        "address": "C8",
        "text": "999 ",
        "corrected": None,
    }
    assert (figure["figure"], figure["expected"], figure["found"]) == (KENT_TOTAL, "at least 1000", "999")
    assert "Why the rule is there: no force is so small\n" in printed
    assert "'999 '" in printed
    [entry] = _entries(shown, "accepted.yml")
    [correction] = _entries(shown, "corrections.yml")
    for text in (entry, correction, "etl/sources/recorded_crime_ons/accepted.yml: add", "corrections.yml: add"):
        assert text in printed

    project.declare("accepted.yml", fill_in(entry, **ASKED))
    outcome = own.succeed(home, ["publish"])
    assert outcome.err == ""
    assert _kent(own, home) == [999]
    assert _items(own, home) == []
    assert own.succeed(home, ["quarantine"]).out == "Nothing is kept out, stopped or warned of.\n"

    # The publisher swaps the file: what was accepted is not what it says now.
    own.succeed(home, force_tables(tmp_path, name="p1.xlsx", published="2018-08-01", cells={"C8": "998 "}).command)
    outcome = own.run(home, ["publish"])
    assert outcome.status == KEPT_OUT, outcome.text
    assert f"({MARCH}@2), rule small_total" in outcome.err


def test_a_cell_that_breaks_a_rule_can_be_corrected(own: Commands, project: OwnProject, tmp_path: Path) -> None:
    home = tmp_path / "home"
    own.succeed(home, rolling_year(tmp_path, 3).command)
    own.run(home, force_tables(tmp_path, name="p1 (new).xlsx", cells={"C8": 999}).command, ["build"])
    [item] = _items(own, home)
    [entry] = _entries(_show(own, home, item)[0], "corrections.yml")
    answers = {"corrected": "171,508", "reason": "digits were lost", "reported_on": "2026-07-01"}
    project.declare("corrections.yml", fill_in(entry, **answers))
    assert own.succeed(home, ["publish"]).err == ""
    assert _kent(own, home) == [171_508]


# --- files that cannot be read ---------------------------------------------------------------------------


def test_a_cell_that_cannot_be_read_is_shown_and_corrected(own: Commands, project: OwnProject, tmp_path: Path) -> None:
    """It is read again out of the file, line break and all, whatever file and cell are called."""
    home = tmp_path / "home"
    edition = force_tables(tmp_path, name="[red]p1|a.xlsx", cells={"C8": "[bold]1|2\n:a: "})
    own.run(home, rolling_year(tmp_path, 3).command, edition.command, ["build"])
    [item] = _items(own, home)
    assert (item["kind"], item["rule"], item["filename"]) == ("file", "cell", "[red]p1|a.xlsx")
    shown, printed = _show(own, home, item)
    [figure] = shown["figures"]
    assert (figure["sheet"], figure["address"], figure["text"]) == ("Table P1", "C8", "[bold]1|2\n:a: ")
    assert "[red]p1|a.xlsx" in printed
    assert "[red]p1|a.xlsx" in own.succeed(home, ["quarantine"]).out
    assert "'[bold]1|2\\n:a: '" in printed
    [entry] = _entries(shown, "corrections.yml")
    assert entry in printed
    answers = {"corrected": "171,508", "reason": "a note fell into the cell", "reported_on": "2026-07-01"}
    project.declare("corrections.yml", fill_in(entry, **answers))
    assert own.succeed(home, ["publish"]).err == ""
    assert _kent(own, home) == [171_508]

    # The publisher corrects it, too: the entry is to go.
    swap = force_tables(tmp_path, name="[red]p1|a.xlsx", published="2018-08-01")
    outcome = own.run(home, swap.command, ["build"])
    assert outcome.status == KEPT_OUT, outcome.text
    [item] = _items(own, home)
    assert item["rule"] == "correction"
    shown, printed = _show(own, home, item)
    [suggestion] = shown["suggestions"]
    assert suggestion["file"] == "etl/sources/recorded_crime_ons/corrections.yml"
    assert "remove the entry" in suggestion["do"]
    [left] = suggestion["entries"]
    assert "reason: a note fell into the cell" in left


def test_a_file_that_fits_no_layout_is_compared_with_the_nearest(own: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    own.run(home, force_tables(tmp_path, cells={"E5": "Violense"}).command, ["build"])
    [item] = _items(own, home)
    shown, printed = _show(own, home, item)
    [suggestion] = shown["suggestions"]
    assert suggestion["file"] == "etl/sources/recorded_crime_ons/source.yml"
    assert f"justice-etl inspect {item['sha256'][:12]}" in suggestion["do"]
    assert "docs/new-release.md" in printed
    assert "Sheet 'Table P1' against force_table_2018_counts:" in printed
    assert "violense" in printed
    inspected = own.run(home, ["inspect", item["sha256"][:12], "--json"])
    assert inspected.status == FAILED
    assert shown["inspection"] == inspected.json


# --- names -----------------------------------------------------------------------------------------------


def test_a_name_is_settled_by_a_line_of_the_list(own: Commands, project: OwnProject, tmp_path: Path) -> None:
    home = tmp_path / "home"
    names = ("Birmingham", "Coventry City", "[red]No, where\n|at all")
    own.run(home, geography(tmp_path).command, partnerships(tmp_path, names).command, ["publish"])
    items = {item["lines"][0]["figure"]: item for item in _items(own, home)}
    assert len(items) == 2
    shown, printed = _show(own, home, items["Coventry City"])
    [line] = _entries(shown, "warehouse/ref/fixed_area_name.csv")
    assert line == "Coventry City,csp,E22000336,,,no,?"
    assert line in printed
    assert "nearest are Coventry (E22000336)" in printed
    assert shown["figures"][0]["text"] == " 21 "

    nowhere = next(name for name in items if name != "Coventry City")
    assert nowhere.startswith("[red]No, where")
    shown, printed = _show(own, home, items[nowhere])
    [line] = _entries(shown, "warehouse/ref/fixed_area_name.csv")
    assert line == f'"{nowhere}",csp,?,,,no,?'
    assert "nearest" not in printed
    assert line in printed

    path = project.root / "warehouse" / "ref" / "fixed_area_name.csv"
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(f"{before}Coventry City,csp,E22000336,,,no,as the open data call it\n", encoding="utf-8")
        own.succeed(home, ["publish"])
    finally:
        path.write_text(before, encoding="utf-8")
    assert [item["lines"][0]["figure"] for item in _items(own, home)] == [nowhere]
    query = "SELECT offences FROM core.recorded_crime WHERE area_code = 'E22000336'"
    assert own.succeed(home, ["sql", "--json", query]).json == [{"offences": 21}]


# --- stopped ---------------------------------------------------------------------------------------------


def test_a_version_that_is_stopped_is_built_and_not_served(own: Commands, project: OwnProject, tmp_path: Path) -> None:
    home = tmp_path / "home"
    own.succeed(home, rolling_year(tmp_path, 3).command, ["publish"])
    old = serving(home)
    own.succeed(home, force_tables(tmp_path, cells={"C8": 666_666}).command)
    outcome = own.run(home, ["build"])
    assert outcome.status == KEPT_OUT, outcome.text
    [message] = outcome.err.splitlines()
    assert message.startswith("Not to be published: rule no_beast: 1 violation: ")
    outcome = own.run(home, ["publish"])
    assert_readable(outcome, "is not published: rule no_beast", "justice-etl quarantine", status=KEPT_OUT)
    assert serving(home) == old

    # It is there to look at, with its report.
    [staged] = (home / "staging").iterdir()
    assert f"{staged.name} is not published" in outcome.err
    assert {path.name for path in staged.iterdir()} == {
        "warehouse.duckdb",
        "manifest.json",
        "items.json",
        "lines.parquet",
        "data-docs",
        "feeds",
        "site",
    }
    assert list((staged / "data-docs").glob("*.html"))
    status = own.succeed(home, ["status", "--json"]).json
    assert (status["current"], status["is_up_to_date"], status["kept_out"]) == (old.version, False, [])
    assert status["stopped"] == [message.removeprefix("Not to be published: ")]
    assert "Stopped    rule no_beast" in own.succeed(home, ["status"]).out

    [item] = _items(own, home)
    shown, printed = _show(own, home, item)
    assert "stops publication" in printed
    assert shown["figures"][0]["text"] == "666666"
    [entry] = _entries(shown, "accepted.yml")
    project.declare("accepted.yml", fill_in(entry, **ASKED))
    own.succeed(home, ["publish"])
    assert _kent(own, home) == [666_666]
    assert own.succeed(home, ["status", "--json"]).json["stopped"] == []


def test_a_mart_that_breaks_a_rule_points_to_its_model(own: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    outcome = own.run(home, force_tables(tmp_path, cells={"C8": 777_777}).command, ["publish"])
    assert_readable(outcome, "rule no_sevens", status=KEPT_OUT)
    assert not (home / "current").exists()
    [item] = _items(own, home)
    shown, printed = _show(own, home, item)
    assert [suggestion["file"] for suggestion in shown["suggestions"]] == [None]
    assert "warehouse/check/no_sevens" in printed
    assert "expectations/check/no_sevens.json" in printed
    assert [(figure["figure"], figure["address"]) for figure in shown["figures"]] == [("E23000032", None)]


# --- warned ----------------------------------------------------------------------------------------------


def test_a_warning_is_said_and_holds_nothing_back(own: Commands, project: OwnProject, tmp_path: Path) -> None:
    """And what a rule says of a figure is printed as it is, and accepted as it is."""
    home = tmp_path / "home"
    own.succeed(home, force_tables(tmp_path, cells={"C8": 555_555}).command)
    outcome = own.succeed(home, ["publish"])
    assert outcome.err.startswith("Warning: rule odd_total: 1 violation: ")
    assert "|[red]odd\n:a:, expected [green]not so, found 555555" in outcome.err
    assert _kent(own, home) == [555_555]
    status = own.succeed(home, ["status", "--json"]).json
    assert (len(status["warned"]), status["kept_out"], status["stopped"]) == (1, [], [])
    assert "Warning    rule odd_total" in own.succeed(home, ["status"]).out

    [item] = _items(own, home)
    shown, printed = _show(own, home, item)
    assert "is warned of" in printed
    assert "[green]not so" in printed
    [entry] = _entries(shown, "accepted.yml")
    assert "\\n:a:" in entry
    assert entry in printed
    project.declare("accepted.yml", fill_in(entry, **ASKED))
    assert own.succeed(home, ["publish"]).err == ""


def test_an_entry_that_matches_nothing_any_more_is_a_warning(
    own: Commands, project: OwnProject, tmp_path: Path
) -> None:
    """One that might match what is not landed here is none."""
    home = tmp_path / "home"
    entry = {"rule": "small_total", "edition": "year-ending-march-2018", "figure": KENT_TOTAL} | ASKED
    entry |= {"expected": "at least 1000", "found": "[b]999"}
    changes = [{}, {"rule": "tiny_total"}, {"edition": "never-landed"}, {"figure": "P1|E23000033"}]
    project.declare("accepted.yml", json.dumps([entry | change for change in changes]))
    fix = {"edition": "year-ending-march-2018", "sheet": "Table P1", "cell": "C8"}
    fix |= {
        "published": "999",
        "corrected": "2",
        "reason": "digits were lost",
        "reported_on": "2026-07-01",
        "status": "reported",
    }
    fixes = [fix | {"filename": r"old\.xlsx"}, fix | {"filename": r"p1\.xlsx", "cell": "E8", "published": "7"}]
    project.declare("corrections.yml", json.dumps(fixes))
    outcome = own.run(home, force_tables(tmp_path, cells={"C8": 999}).command, ["build"])
    assert outcome.status == KEPT_OUT, outcome.text
    kept_out, *warnings = outcome.err.splitlines()
    assert kept_out.startswith("Kept out: p1.xlsx")
    folder, of = "etl/sources/recorded_crime_ons", "the entry of year-ending-march-2018"
    assert sorted(warning.rpartition(" → ")[0] for warning in warnings) == [
        f"Warning: {folder}/accepted.yml, rule stale_entry: {of}, rule small_total, {KENT_TOTAL}, matches nothing any "
        "more: the figure breaks the rule otherwise, expected at least 1000, found 999",
        f"Warning: {folder}/accepted.yml, rule stale_entry: {of}, rule tiny_total, {KENT_TOTAL}, matches nothing any "
        "more: there is no such rule",
        f"Warning: {folder}/corrections.yml, rule stale_entry: {of}, sheet 'Table P1', cell C8 of old\\.xlsx, matches "
        "nothing any more: no landed file of the edition is called so",
    ]
    items = [item for item in _items(own, home) if item["rule"] == "stale_entry"]
    found = {}
    for item in items:
        shown, printed = _show(own, home, item)
        [suggestion] = shown["suggestions"]
        assert (suggestion["file"], suggestion["do"]) == (item["filename"], "change or remove the entry")
        [written] = suggestion["entries"]
        assert written in printed
        [content] = yaml.safe_load(written)
        found[content.get("rule") or content["filename"]] = content
    assert found == {"small_total": entry, "tiny_total": entry | {"rule": "tiny_total"}, r"old\.xlsx": fixes[0]}


# --- the command itself ----------------------------------------------------------------------------------


def test_before_the_first_build(own: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert own.succeed(home, ["quarantine"]).out == f"Nothing was built yet in {home}.\n"
    assert _items(own, home) == []
    assert_readable(own.run(home, ["quarantine", "abc"]), "no item 'abc'", "there are: none", status=WRONG_USE)
    assert not home.exists()


def test_an_id_must_be_of_one_item(own: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    own.run(home, partnerships(tmp_path, ("Nowhere", "Elsewhere")).command, ["build"])
    ids = [item["item_id"] for item in _items(own, home)]
    assert len(ids) == 2
    for word, what in (("zz", "there is no item 'zz'"), ("", "several items begin with ''")):
        outcome = own.run(home, ["quarantine", word])
        assert_readable(outcome, what, *ids, status=WRONG_USE)
    path = home / "quarantine" / "items.json"
    path.write_text("{}", encoding="utf-8")
    assert_readable(own.run(home, ["quarantine"]), str(path), "damaged")


@pytest.mark.parametrize("name", ["accepted.yml", "corrections.yml"])
@pytest.mark.parametrize(
    "text",
    ["- rule: [", "- rule: a\n", "5", "- 5\n", "rule: a\nrule: b\n", "word"],
    ids=["no YAML", "a field missing", "a number", "a list of numbers", "a key twice", "a word"],
)
def test_a_declaration_that_is_wrong_is_one_message(
    name: str, text: str, own: Commands, project: OwnProject, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    path = project.declare(name, text)
    outcome = own.run(home, rolling_year(tmp_path, 3).command, ["build"])
    assert_readable(outcome, f"{path} is not a valid list", "mend the file")
    assert re.search(r"\n  → mend the file\n$", outcome.err)
    assert not list((home / "staging").glob("[!.]*[!g]"))


def test_a_declaration_that_is_mended_stands_in_the_way_no_more(
    own: Commands, project: OwnProject, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    project.declare("accepted.yml", "word")
    assert own.run(home, rolling_year(tmp_path, 3).command, ["build"]).status == FAILED
    project.declare("accepted.yml", "[]\n")
    assert own.run(home, ["build"]).status == DONE
