"""Gates: which part of a verdict a finding lands in, and which findings are looked for again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl import gates
from etl.contracts import arrow_schema, contracts
from etl.errors import JusticeError
from etl.expectations import Expectation, Gate, Severity, Suite, Written, derive_basics
from etl.gates import (
    CHECKS,
    Broken,
    Verdict,
    check_file,
    check_files,
    check_references,
    check_rule,
    check_table,
    keep_out_causes,
    remove_stale_checks,
    split_models,
)
from etl.landing import Record, Release
from etl.models import Model
from etl.reading import TidyFile
from etl.validation import KEPT
from etl.violations import load_accepted

SHA = "0123456789ab" + "f" * 52
OTHER = "fedcba987654" + "0" * 52
FIRST, SECOND = "recorded_crime_ons/year-ending-march-2018@1", "recorded_crime_ons/year-ending-march-2018@2"


def expect(what: str, severity: Severity = "critical", **kwargs: Any) -> Expectation:
    return Expectation(type=f"expect_{what}", kwargs=kwargs, severity=severity, meta=Written(reason="A reason."))


VALUE = expect("column_values_to_be_between", column="value", min_value=0)
ROBBERY = expect("column_values_to_be_in_set", "warning", column="offence_id", value_set=["robbery"])
NO_ROW = expect("table_row_count_to_equal", value=0)
BETWEEN = "expect_column_values_to_be_between(value, min_value 0)"


class Suites:
    """The only suites that there are."""

    def __init__(self) -> None:
        self.known: dict[str, Suite] = {}

    def put(self, name: str, gate: Gate, *expectations: Expectation) -> Suite:
        self.known[name] = Suite(name, gate, expectations)
        gates._hash_check.cache_clear()
        return self.known[name]


@pytest.fixture
def suites(monkeypatch: pytest.MonkeyPatch) -> Iterator[Suites]:
    given = Suites()
    given.put("tidy.recorded_crime", "file", VALUE, ROBBERY)
    monkeypatch.setattr(gates, "load_suites", lambda: given.known)
    yield given
    gates._hash_check.cache_clear()


@pytest.fixture
def accept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Lets one violation through: the rule, figure, and what was expected and found."""
    folder = tmp_path / "source"
    folder.mkdir()
    monkeypatch.setattr(
        "etl.violations.declared_sources", lambda: {"recorded_crime_ons": SimpleNamespace(folder=folder)}
    )

    def write(*entries: tuple[str, str, str | None, str | None]) -> None:
        names = ("rule", "figure", "expected", "found")
        more = {"edition": "year-ending-march-2018", "reason": "So it is.", "accepted_on": "2026-11-24"}
        lines = [dict(zip(names, entry, strict=True)) | more for entry in entries]
        (folder / "accepted.yml").write_text(json.dumps(lines), encoding="utf-8")
        load_accepted.cache_clear()

    load_accepted.cache_clear()
    yield write
    load_accepted.cache_clear()


# --- tidy files ----------------------------------------------------------------------------------------


def make_line(row: int, **more: Any) -> dict[str, Any]:
    return {
        "table_id": "P1",
        "measure": "offences",
        "level": "police_force",
        "area_code": "E23000014",
        "area_name": "West Midlands",
        "area_key": "west midlands",
        "parent_name": None,
        "offence_id": "robbery",
        "span": "year",
        "period_start": date(2017, 4, 1),
        "period_end": date(2018, 3, 31),
        "value": 7.0,
        "marker": None,
        "sheet": "Table P1",
        "row": row,
        "column": "C",
    } | more


def make_file(home: Path, *lines: dict[str, Any], sha256: str = SHA, table: str = "recorded_crime") -> TidyFile:
    path = home / "tidy" / table / "recorded_crime_ons" / f"{sha256}-0123456789ab.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(lines), schema=arrow_schema(f"tidy.{table}")), path)
    return TidyFile(sha256, "recorded_crime_ons", table, path, len(lines))


def make_release(release_id: str, *hashes: str) -> Release:
    fields = dict.fromkeys(Record.__annotations__, "x") | {"source": "recorded_crime_ons", "bytes": 1}
    records = tuple(Record(**fields | {"sha256": sha256, "is_modelled": False}) for sha256 in hashes)
    return Release(release_id, "recorded_crime_ons", "year-ending-march-2018", "2018-07-19", "current", records)


def test_a_file_that_is_as_expected_passes(suites: Suites, tmp_path: Path) -> None:
    verdict = check_files(tmp_path, [make_release(FIRST, SHA)], [make_file(tmp_path, make_line(7))])
    assert (dict(verdict.kept_out), verdict.stopped, verdict.warned, verdict.accepted) == ({}, [], [], [])
    assert [line["success"] for line in verdict.list_results()] == [True, True]


def test_a_fail_keeps_the_file_out_of_each_release_that_holds_it_and_a_warning_does_not(
    suites: Suites, tmp_path: Path
) -> None:
    bad = make_file(tmp_path, make_line(7, value=-1.0), make_line(8), make_line(9, value=-2.0))
    odd = make_file(tmp_path, make_line(7, offence_id="theft"), sha256=OTHER)
    verdict = check_files(tmp_path, [make_release(FIRST, SHA, OTHER), make_release(SECOND, SHA)], [bad, odd])
    assert set(verdict.kept_out) == {(FIRST, SHA), (SECOND, SHA)}
    (broken,) = verdict.kept_out[SECOND, SHA]
    assert (broken.suite.name, broken.expectation, broken.count, broken.is_fail) == (
        "tidy.recorded_crime",
        VALUE,
        2,
        True,
    )
    assert [(v.rule, v.cell, v.figure, v.expected, v.found) for v in broken.violations] == [
        (BETWEEN, "0123456789ab!Table P1!C7", "0123456789ab!Table P1!C7", None, "value -1"),
        (BETWEEN, "0123456789ab!Table P1!C9", "0123456789ab!Table P1!C9", None, "value -2"),
    ]
    (warned,) = verdict.warned
    assert (warned.expectation, warned.is_fail, warned.violations[0].release_id) == (ROBBERY, False, FIRST)
    assert verdict.stopped == []
    # All files together make the outcome of the table.
    assert [line["unexpected_count"] for line in verdict.list_results()] == [2, 1]


def test_a_finding_in_a_wide_table_names_the_cell_of_the_figure_it_speaks_of(suites: Suites, tmp_path: Path) -> None:
    line = dict.fromkeys(contracts()["tidy.reoffending"].columns, "x") | {
        "cohort_start": date(2017, 4, 1),
        "cohort_end": date(2018, 3, 31),
        **{"offenders": 100, "reoffenders": 40, "reoffences": -1, "reoffenders_marker": None},
        **{"offenders_column": "E", "reoffenders_column": "F", "reoffences_column": "G", "sheet": "Data", "row": 12},
    }
    cases = {
        "G12": expect("column_values_to_be_between", column="reoffences", min_value=0),
        "F12": expect("column_values_to_not_be_null", column="reoffenders_marker"),
        "E12": expect("column_values_to_be_in_set", column="span", value_set=["year"]),
    }
    suites.put("tidy.reoffending", "file", *cases.values())
    outcome = check_file(tmp_path, make_file(tmp_path, line, table="reoffending"))
    assert [finding.place for found in outcome.outcomes for finding in found.findings] == [
        f"0123456789ab!Data!{cell}" for cell in cases
    ]


def test_a_pair_is_placed_at_the_first_figure_it_names(suites: Suites, tmp_path: Path) -> None:
    line = dict.fromkeys(contracts()["tidy.reoffending"].columns, "x") | {
        "cohort_start": date(2017, 4, 1),
        "cohort_end": date(2018, 3, 31),
        **{"offenders": 100, "reoffenders": 40, "reoffences": 30, "sheet": "Data", "row": 12},
        **{"offenders_column": "E", "reoffenders_column": "F", "reoffences_column": None},
    }
    pair = expect("column_pair_values_a_to_be_greater_than_b", column_A="reoffences", column_B="reoffenders")
    suites.put("tidy.reoffending", "file", pair)
    (found,) = check_file(tmp_path, make_file(tmp_path, line, table="reoffending")).outcomes
    # The edition has no column of reoffences: the other figure of the pair has a cell.
    assert found.examples == "0123456789ab!Data!F12: reoffences 30, reoffenders 40"


def test_what_is_accepted_of_a_file_counts_for_nothing(suites: Suites, tmp_path: Path, accept: Any) -> None:
    file = make_file(tmp_path, make_line(7, value=-1.0), make_line(8, value=-2.0))
    place = "0123456789ab!Table P1!C7"
    releases = [make_release(FIRST, SHA)]
    accept((BETWEEN, place, None, "value -1"))
    verdict = check_files(tmp_path, releases, [file])
    assert [violation.figure for violation in verdict.accepted] == [place]
    assert [broken.count for broken in verdict.kept_out[FIRST, SHA]] == [1]
    accept((BETWEEN, place, None, "value -1"), (BETWEEN, "0123456789ab!Table P1!C8", None, "value -2"))
    verdict = check_files(tmp_path, releases, [file])
    assert (dict(verdict.kept_out), len(verdict.accepted)) == ({}, 2)
    accept((BETWEEN, place, None, "value -3"))
    assert [b.count for b in check_files(tmp_path, releases, [file]).kept_out[FIRST, SHA]] == [2]


def test_a_suite_has_its_lines_where_no_file_was_read(suites: Suites, tmp_path: Path) -> None:
    lines = check_files(tmp_path, [], []).list_results()
    assert [(line["suite"], line["success"]) for line in lines] == [("tidy.recorded_crime", True)] * 2


# --- findings that are kept ----------------------------------------------------------------------------


def test_a_file_is_looked_at_once(suites: Suites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make_file(tmp_path, make_line(7, value=-1.0))
    first = check_file(tmp_path, file)
    monkeypatch.setattr(gates, "validate", lambda *_: pytest.fail("looked at again"))
    assert check_file(tmp_path, file) == first
    assert first.outcomes[0].examples == "0123456789ab!Table P1!C7: value -1"


def test_a_changed_suite_or_library_looks_again(
    suites: Suites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file(tmp_path, make_line(7, value=-1.0))
    assert not check_file(tmp_path, file).outcomes[0].success
    suites.put("tidy.recorded_crime", "file", expect("column_values_to_be_between", column="value", min_value=-1))
    assert check_file(tmp_path, file).outcomes[0].success
    monkeypatch.setattr(gates, "version", lambda _: "9.9.9")
    gates._hash_check.cache_clear()
    monkeypatch.setattr(gates, "validate", lambda *_: (_ for _ in ()).throw(LookupError("looked at again")))
    with pytest.raises(LookupError):
        check_file(tmp_path, file)


def test_findings_that_were_damaged_are_made_again(suites: Suites, tmp_path: Path) -> None:
    file = make_file(tmp_path, make_line(7))
    found = check_file(tmp_path, file)
    (kept,) = (tmp_path / CHECKS).glob("*.json")
    whole = kept.read_bytes()
    for damaged in ("{}", '{"outcomes": []}', json.dumps({"outcomes": json.loads(whole)["outcomes"][1:]})):
        kept.write_text(damaged, encoding="utf-8")
        assert check_file(tmp_path, file) == found
        assert kept.read_bytes() == whole


def test_findings_in_files_that_are_no_more_are_removed(suites: Suites, tmp_path: Path) -> None:
    remove_stale_checks(tmp_path, [])  # nothing was kept yet
    files = [make_file(tmp_path, make_line(7)), make_file(tmp_path, make_line(7), sha256=OTHER)]
    for file in files:
        check_file(tmp_path, file)
    remove_stale_checks(tmp_path, files)
    assert len(list((tmp_path / CHECKS).iterdir())) == 2
    remove_stale_checks(tmp_path, files[:1])
    (kept,) = (tmp_path / CHECKS).iterdir()
    assert kept.name.startswith(SHA)


# --- rules ---------------------------------------------------------------------------------------------


def make_rule(folder: Path, *rows: tuple[str | None, ...]) -> Model:
    """A rule that these rows break: release, file, cell, figure, expected, found."""

    def say(value: str | None) -> str:
        return "CAST(NULL AS VARCHAR)" if value is None else f"'{value}'"

    names = ("release_id", "sha256", "cell", "figure", "expected", "found")
    columns = [", ".join(f"{say(v)} AS {name}" for v, name in zip(row, names, strict=True)) for row in rows]
    nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in names)
    path = folder / "crime_jump.sql"
    path.write_text("\nUNION ALL\n".join(f"SELECT {c}" for c in columns) or f"SELECT {nothing} WHERE FALSE", "utf-8")
    return Model("check.crime_jump", path, frozenset())


def judge(rule: Model, verdict: Verdict | None = None) -> Verdict:
    verdict = verdict or Verdict()
    with duckdb.connect() as connection:
        check_rule(connection, rule, verdict)
    return verdict


ROW = (FIRST, SHA, "0123456789ab!Table P1!C7", "P1|E23000014", "7", "70")


def test_a_rule_that_nothing_breaks_passes(suites: Suites, tmp_path: Path) -> None:
    suites.put("check.crime_jump", "publication", NO_ROW)
    verdict = judge(make_rule(tmp_path))
    assert (verdict.stopped, verdict.warned, dict(verdict.kept_out)) == ([], [], {})
    (line,) = verdict.list_results()
    assert (line["suite"], line["success"], line["examples"]) == ("check.crime_jump", True, None)


@pytest.mark.parametrize(
    ("severity", "gate", "part"),
    [
        ("critical", "file", "kept_out"),
        ("critical", "publication", "stopped"),
        ("warning", "file", "warned"),
        ("warning", "publication", "warned"),
    ],
)
def test_what_breaks_a_rule_lands_in_one_part_of_the_verdict(
    suites: Suites, tmp_path: Path, severity: Severity, gate: Gate, part: str
) -> None:
    suites.put("check.crime_jump", gate, expect("table_row_count_to_equal", severity, value=0))
    verdict = judge(make_rule(tmp_path, ROW))
    found = {
        "kept_out": verdict.kept_out.get((FIRST, SHA), []),
        "stopped": verdict.stopped,
        "warned": verdict.warned,
    }
    assert {name: len(broken) for name, broken in found.items()} == dict.fromkeys(found, 0) | {part: 1}
    (broken,) = found[part]
    assert (broken.count, broken.violations[0].rule, broken.violations[0].found) == (1, "crime_jump", "70")
    (line,) = verdict.list_results()
    assert line["examples"] == "0123456789ab!Table P1!C7 (P1|E23000014): expected 7, found 70"
    assert (line["gate"], line["unexpected_count"], line["success"]) == (gate, 1, False)


def test_a_rule_keeps_out_each_file_that_breaks_it(suites: Suites, tmp_path: Path) -> None:
    suites.put("check.crime_jump", "file", NO_ROW)
    rows = [ROW, (FIRST, OTHER, None, "P1|E23000015", "7", None), (SECOND, SHA, *ROW[2:]), (*ROW[:3], "P1|X", "1", "2")]
    verdict = judge(make_rule(tmp_path, *rows))
    counts = {key: [broken.count for broken in brokens] for key, brokens in verdict.kept_out.items()}
    assert counts == {(FIRST, SHA): [2], (FIRST, OTHER): [1], (SECOND, SHA): [1]}
    (line,) = verdict.list_results()
    assert "P1|E23000015: expected 7, found (nothing)" in str(line["examples"])


@pytest.mark.parametrize("row", [(None, SHA, *ROW[2:]), (FIRST, None, *ROW[2:])])
def test_a_rule_of_files_that_names_none_is_an_error(
    suites: Suites, tmp_path: Path, row: tuple[str | None, ...]
) -> None:
    suites.put("check.crime_jump", "file", NO_ROW)
    with pytest.raises(
        JusticeError, match=r"rule crime_jump keeps files out, but names none for P1\|E23000014"
    ) as refused:
        judge(make_rule(tmp_path, row))
    assert "crime_jump.sql" in refused.value.next_step


def test_a_warning_or_a_rule_of_publications_need_not_name_a_file(suites: Suites, tmp_path: Path) -> None:
    rule = make_rule(tmp_path, (None, None, None, "P1|E23000014", "7", "70"))
    suites.put("check.crime_jump", "publication", NO_ROW)
    assert len(judge(rule).stopped) == 1
    suites.put("check.crime_jump", "file", expect("table_row_count_to_equal", "warning", value=0))
    assert len(judge(rule).warned) == 1


def test_what_is_accepted_of_a_rule_counts_for_nothing(suites: Suites, tmp_path: Path, accept: Any) -> None:
    suites.put("check.crime_jump", "publication", NO_ROW)
    accept(("crime_jump", "P1|E23000014", "7", "70"))
    verdict = judge(make_rule(tmp_path, ROW))
    assert (verdict.stopped, len(verdict.accepted)) == ([], 1)
    assert [line["success"] for line in verdict.list_results()] == [True]
    other = judge(make_rule(tmp_path, (*ROW[:5], "71")))
    assert (len(other.stopped), other.accepted) == (1, [])


def test_what_broke_a_rule_in_files_that_are_out_by_now_is_counted_still(suites: Suites, tmp_path: Path) -> None:
    suites.put("check.crime_jump", "file", NO_ROW)
    first = judge(make_rule(tmp_path, ROW))
    again = judge(make_rule(tmp_path), Verdict().copy(first.kept_out))
    assert {key: [b.count for b in brokens] for key, brokens in again.kept_out.items()} == {(FIRST, SHA): [1]}
    (line,) = again.list_results()
    assert (line["unexpected_count"], line["success"]) == (1, False)


def test_the_first_published_is_kept_out_before_those_that_are_judged_by_it() -> None:
    """Nothing is known yet of the later ones: they were compared with what is wrong."""

    def published(release_id: str, day: str) -> Release:
        return Release(release_id, release_id.partition("/")[0], "e", f"{day}T09:30:00+00:00", "current", ())

    releases = [
        published("recorded_crime_ons/a@1", "2018-07-19"),
        published("recorded_crime_ons/b@1", "2019-07-18"),
        published("recorded_crime_ons/c@1", "2019-07-18"),
        published("proven_reoffending/d@1", "2024-01-25"),
        published("geography/e@1", "2025-01-01"),
    ]
    found = {(release.release_id, SHA): [] for release in releases}
    known: dict[Any, Any] = {}
    passes = []
    while known.keys() != found.keys():
        known = keep_out_causes(Verdict(kept_out=found), known, releases)
        passes.append(len(known))
    # Geography; then the first of each source; then what was published on one day.
    assert passes == [1, 3, 5]
    first = keep_out_causes(Verdict(kept_out=found), {}, releases)
    assert list(first) == [("geography/e@1", SHA)]
    second = keep_out_causes(Verdict(kept_out=found), first, releases)
    assert sorted(second.keys() - first.keys()) == [("proven_reoffending/d@1", SHA), ("recorded_crime_ons/a@1", SHA)]


def test_what_is_published_first_goes_by_the_moment_and_not_by_the_text() -> None:
    """Half past midnight of a British summer day is before a quarter to midnight of the day before in Greenwich."""
    summer = Release("a/1@1", "a", "1", "2018-07-19T00:30:00+01:00", "current", ())
    winter = Release("a/2@1", "a", "2", "2018-07-18T23:45:00+00:00", "current", ())
    found = Verdict(kept_out={("a/1@1", SHA): [], ("a/2@1", SHA): []})
    assert list(keep_out_causes(found, {}, [summer, winter])) == [("a/1@1", SHA)]


def test_models_that_rules_of_files_rest_on_come_first(suites: Suites, tmp_path: Path) -> None:
    suites.put("check.of_file", "file", NO_ROW)
    suites.put("check.of_mart", "publication", NO_ROW)

    def make(name: str, *inputs: str) -> Model:
        return Model(name, tmp_path / f"{name}.sql", frozenset(inputs))

    models = [
        make("work.a", "tidy.x"),
        make("core.b", "work.a"),
        make("mart.c", "core.b"),
        make("check.of_file", "core.b"),
        make("check.of_mart", "mart.c", "core.b"),
    ]
    deciding, rest = split_models(models)
    assert [model.name for model in deciding] == ["work.a", "core.b", "check.of_file"]
    assert [model.name for model in rest] == ["mart.c", "check.of_mart"]


# --- tables of the warehouse ---------------------------------------------------------------------------


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA ref; CREATE SCHEMA core;")
        yield connection


def fill_population(connection: duckdb.DuckDBPyConnection, *rows: tuple[str, int, int]) -> None:
    connection.execute(contracts()["ref.population"].create())
    for code, year, population in rows:
        connection.execute(
            "INSERT INTO ref.population VALUES (?, ?, ?, 'population/mid-2016@1', false)", [code, year, population]
        )


@pytest.mark.parametrize(("severity", "part"), [("critical", "stopped"), ("warning", "warned")])
def test_what_a_published_table_says_wrong_is_named_by_its_key(
    suites: Suites, warehouse: duckdb.DuckDBPyConnection, severity: Severity, part: str
) -> None:
    contract = contracts()["ref.population"]
    positive = expect("column_values_to_be_between", severity, column="population", min_value=1)
    suites.put("ref.population", "publication", *derive_basics(contract), positive)
    fill_population(warehouse, ("E23000014", 2016, 2_800_000), ("E23000015", 2017, 0))
    verdict = Verdict()
    check_table(warehouse, contract, verdict)
    (broken,) = getattr(verdict, part)
    assert (broken.count, broken.expectation) == (1, positive)
    (violation,) = broken.violations
    assert (violation.figure, violation.found) == ("ref.population E23000015|2017", "population 0")
    assert (violation.release_id, violation.sha256, violation.cell) == (None, None, None)
    assert len(verdict.stopped) + len(verdict.warned) + len(verdict.kept_out) == 1


def test_a_table_that_is_as_expected_passes_its_basics(suites: Suites, warehouse: duckdb.DuckDBPyConnection) -> None:
    contract = contracts()["ref.population"]
    suites.put("ref.population", "publication", *derive_basics(contract))
    fill_population(warehouse, ("E23000014", 2016, 2_800_000))
    verdict = Verdict()
    check_table(warehouse, contract, verdict)
    assert (verdict.stopped, {line["success"] for line in verdict.list_results()}) == ([], {True})


def test_columns_of_a_view_are_looked_at_but_no_row(suites: Suites, warehouse: duckdb.DuckDBPyConnection) -> None:
    contract = contracts()["core.recorded_crime_cell"]
    suites.put(contract.name, "publication", *derive_basics(contract))
    columns = ", ".join(f"CAST(NULL AS {field.type}) AS {name}" for name, field in contract.columns.items())
    warehouse.execute(f"CREATE VIEW {contract.name} AS SELECT {columns}")
    verdict = Verdict()
    check_table(warehouse, contract, verdict)
    assert [(line["success"], line["unexpected_count"]) for line in verdict.list_results()] == [(True, 0)]


def test_all_that_a_large_table_says_wrong_is_counted_and_some_of_it_kept(
    suites: Suites, warehouse: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "ROWS_AT_ONCE", 700)
    contract = contracts()["ref.population"]
    suites.put(contract.name, "publication", expect("column_values_to_be_between", column="population", min_value=1))
    warehouse.execute(contract.create())
    warehouse.execute(
        "INSERT INTO ref.population SELECT concat('E', i), 2016, 0, 'r', false FROM range(1, 1501) AS numbers(i)"
    )
    verdict = Verdict()
    check_table(warehouse, contract, verdict)
    (broken,) = verdict.stopped
    assert (broken.count, len(broken.violations)) == (1500, KEPT)


def test_values_without_their_key_are_warned_of_and_stop_nothing(
    suites: Suites, warehouse: duckdb.DuckDBPyConnection
) -> None:
    contract = contracts()["ref.offence"]
    suites.put(contract.name, "publication", *derive_basics(contract))
    warehouse.execute(contract.create())
    warehouse.execute(
        "INSERT INTO ref.offence VALUES ('total', 'total', 'All', NULL, NULL), ('rape', 'group', 'R', 'total', NULL), "
        "('arson', 'group', 'A', 'lost', NULL), ('theft', 'group', 'T', 'lost', NULL)"
    )
    verdict = Verdict()
    check_references(warehouse, contract, verdict)
    (broken,) = verdict.warned
    assert (broken.count, broken.is_fail, verdict.stopped) == (2, False, [])
    (violation,) = broken.violations
    found = (violation.rule, violation.figure, violation.found)
    assert found == ("refers_to_key(parent_id)", "ref.offence parent_id", "parent_id lost")
    assert "ref.offence.offence_id" in broken.expectation.meta.reason


# --- verdicts ------------------------------------------------------------------------------------------


def test_a_copy_goes_on_by_itself(suites: Suites, tmp_path: Path) -> None:
    file = make_file(tmp_path, make_line(7, value=-1.0, offence_id="theft"))
    first = check_files(tmp_path, [make_release(FIRST, SHA)], [file])
    (broken,) = first.kept_out[FIRST, SHA]
    copy = first.copy({(SECOND, OTHER): [broken]})
    assert set(copy.kept_out) == {(SECOND, OTHER)}
    assert (copy.warned, copy.outcomes) == (first.warned, first.outcomes)
    copy.kept_out[FIRST, SHA].append(broken)
    copy.kept_out[SECOND, OTHER].append(broken)
    copy.stopped.append(broken)
    copy.warned.clear()
    copy.outcomes.clear()
    assert [len(first.kept_out[FIRST, SHA]), len(first.stopped), len(first.warned), len(first.outcomes)] == [1, 0, 1, 1]
    assert (SECOND, OTHER) not in first.kept_out


def test_results_come_in_the_order_of_suites(suites: Suites, tmp_path: Path) -> None:
    suites.put("check.crime_jump", "publication", NO_ROW)
    verdict = check_files(tmp_path, [], [])
    judge(make_rule(tmp_path), verdict)
    assert [line["suite"] for line in verdict.list_results()] == ["check.crime_jump", *["tidy.recorded_crime"] * 2]


def test_whether_something_is_kept_back_is_said_by_the_severity(suites: Suites) -> None:
    suite = suites.known["tidy.recorded_crime"]
    assert Broken(suite, VALUE, (), 1).is_fail
    assert not Broken(suite, replace_severity(VALUE, "warning"), (), 1).is_fail


def replace_severity(expectation: Expectation, severity: Severity) -> Expectation:
    return expectation.model_copy(update={"severity": severity})
