"""Suites: what their files may say, what follows from contracts, and that every single expectation can fail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from etl.contracts import Contract, Field, contracts
from etl.errors import JusticeError
from etl.expectations import ROW_WISE, Expectation, Suite, derive_basics, describe_suite, load_suites
from etl.settings import project_root
from etl.validation import frames_of, show, to_frame, validate

# --- what follows from a contract ----------------------------------------------------------------------


def make_contract(**more: Any) -> Contract:
    columns = {
        "area_code": Field(title="Area", type="VARCHAR", description="Code."),
        "span": Field(title="Span", type="VARCHAR", description="Length.", allowed=("quarter", "year")),
        "offences": Field(title="Offences", type="BIGINT", description="Count."),
    }
    given: dict[str, Any] = {
        "schema": "core",
        "table": "small",
        "description": "A small table.",
        "columns": columns,
        "key": ("area_code", "span"),
        "nullable": frozenset({"offences"}),
        "run_times": frozenset(),
        "unhashed": False,
        "unindexed": False,
        "view": False,
        "small": False,
        "unreferenced": frozenset(),
    }
    return Contract(**given | more)


def say(expectations: list[Expectation]) -> list[tuple[str, dict[str, Any]]]:
    return [(e.type.removeprefix("expect_"), e.kwargs) for e in expectations]


COLUMNS = ("table_columns_to_match_ordered_list", {"column_list": ["area_code", "span", "offences"]})


def test_columns_types_nulls_allowed_values_and_key_follow_from_a_contract() -> None:
    basics = derive_basics(make_contract())
    assert say(basics) == [
        COLUMNS,
        ("column_values_to_be_of_type", {"column": "area_code", "type_": "str"}),
        ("column_values_to_not_be_null", {"column": "area_code"}),
        ("column_values_to_be_of_type", {"column": "span", "type_": "str"}),
        ("column_values_to_not_be_null", {"column": "span"}),
        ("column_values_to_be_in_set", {"column": "span", "value_set": ["quarter", "year"]}),
        ("column_values_to_be_of_type", {"column": "offences", "type_": "int64"}),
        ("compound_columns_to_be_unique", {"column_list": ["area_code", "span"]}),
    ]
    assert {basic.severity for basic in basics} == {"critical"}
    assert {basic.meta.reason for basic in basics} == {"follows from schemas/core/small.yml"}


def test_a_key_of_one_column_is_unique_and_of_none_is_not_expected() -> None:
    assert say(derive_basics(make_contract(key=("area_code",))))[-1] == (
        "column_values_to_be_unique",
        {"column": "area_code"},
    )
    assert say(derive_basics(make_contract(key=())))[-1][0] == "column_values_to_be_of_type"


def test_of_a_view_or_a_history_only_the_columns_are_expected() -> None:
    assert say(derive_basics(make_contract(view=True))) == [COLUMNS]
    assert say(derive_basics(make_contract(table="small_history"))) == [COLUMNS]


# --- what a suite's file may say -----------------------------------------------------------------------

BETWEEN: dict[str, Any] = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "value", "min_value": 0},
    "severity": "critical",
    "meta": {"reason": "A count.", "set_on": "2026-11-24"},
}
NO_ROW: dict[str, Any] = {
    "type": "expect_table_row_count_to_equal",
    "kwargs": {"value": 0},
    "severity": "warning",
    "meta": {"reason": "No row breaks the rule.", "set_on": "2026-11-24"},
}


class Project:
    """A project with the contracts of ours, whose only suites and rules are those that are written here."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, /, *expectations: dict[str, Any], **more: Any) -> Path:
        path = self.root / "expectations" / f"{name.replace('.', '/')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"name": name, "expectations": expectations} | more
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def add_rule(self, rule: str) -> None:
        path = self.root / "warehouse" / "check" / f"{rule}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("SELECT 1", encoding="utf-8")

    def load(self) -> dict[str, Suite]:
        return load_suites.__wrapped__()

    def refuse(self) -> str:
        with pytest.raises(JusticeError) as refused:
            self.load()
        assert refused.value.next_step
        return refused.value.what


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr("etl.expectations.project_root", lambda: tmp_path)
    return Project(tmp_path)


def test_a_table_without_a_file_has_the_suite_of_its_contract(project: Project) -> None:
    suites = project.load()
    assert set(suites) == {name for name in contracts() if not name.startswith("check.")}
    assert list(suites["core.recorded_crime"].expectations) == derive_basics(contracts()["core.recorded_crime"])


def test_what_is_written_comes_after_what_follows_from_the_contract(project: Project) -> None:
    project.write("tidy.recorded_crime", BETWEEN)
    suite = project.load()["tidy.recorded_crime"]
    assert suite.expectations[:-1] == tuple(derive_basics(contracts()["tidy.recorded_crime"]))
    assert suite.expectations[-1].name == "expect_column_values_to_be_between(value, min_value 0)"
    assert suite.expectations[-1].meta.set_on == date(2026, 11, 24)
    assert (suite.gate, suite.rule) == ("file", "recorded_crime")


def test_tables_of_the_warehouse_keep_the_publication_back(project: Project) -> None:
    gates = {name.split(".")[0]: suite.gate for name, suite in project.load().items()}
    assert gates == {"tidy": "file", "ref": "publication", "core": "publication", "mart": "publication"} | {
        "meta": "publication"
    }


def test_a_rule_has_the_gate_that_its_suite_says(project: Project) -> None:
    project.add_rule("crime_jump")
    project.write("check.crime_jump", NO_ROW, meta={"gate": "file"})
    suite = project.load()["check.crime_jump"]
    assert (suite.gate, suite.rule, suite.expectations[0].severity) == ("file", "crime_jump", "warning")


def change(**more: Any) -> dict[str, Any]:
    return BETWEEN | more


def on(**kwargs: Any) -> dict[str, Any]:
    return change(kwargs=BETWEEN["kwargs"] | kwargs)


NOT_NULL = "expect_column_values_to_not_be_null"
FAULTS = {
    "a basic again": (change(type=NOT_NULL, kwargs={"column": "span"}), "its contract says so already"),
    "a basic again, of some rows": (
        change(
            type="expect_column_values_to_be_in_set", kwargs={"column": "span", "value_set": [], "row_condition": {}}
        ),
        "its contract says so already",
    ),
    "an unknown column": (on(column="offences"), "tidy.recorded_crime has no offences"),
    "an unknown column of a pair": (
        change(
            type="expect_column_pair_values_a_to_be_greater_than_b", kwargs={"column_A": "value", "column_B": "worth"}
        ),
        "tidy.recorded_crime has no worth",
    ),
    "the table as a whole": (NO_ROW, "what is expected of a table as a whole follows from its contract"),
    "an unknown type": (change(type="expect_the_unexpected"), "expect_the_unexpected is not known"),
    "an aggregate": (change(type="expect_column_mean_to_be_between"), "expect_column_mean_to_be_between is not known"),
    "no date": (change(meta={"reason": "A count."}), "has no date"),
    "no reason": (change(meta={"set_on": "2026-11-24"}), "meta.reason"),
    "an empty reason": (change(meta={"reason": "", "set_on": "2026-11-24"}), "meta.reason"),
    "no severity": ({key: value for key, value in BETWEEN.items() if key != "severity"}, "severity"),
    "an unknown severity": (change(severity="banana"), "severity"),
    "another key": (change(notes="?"), "notes"),
    "a share of rows let off": (on(mostly=0.9), "lets a share of the rows off"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_suite_is_named(project: Project, fault: str) -> None:
    expectation, why = FAULTS[fault]
    path = project.write("tidy.recorded_crime", expectation)
    message = project.refuse()
    assert str(path) in message
    assert why in message


def test_two_alike_are_refused(project: Project) -> None:
    path = project.write("tidy.recorded_crime", BETWEEN, change(severity="warning"))
    assert project.refuse() == f"{path}: expect_column_values_to_be_between(value, min_value 0) stands twice"


def test_other_bounds_of_one_column_are_not_alike(project: Project) -> None:
    project.write("tidy.recorded_crime", BETWEEN, on(min_value=1), on(row_condition={"pass_through_filter": "row > 1"}))
    names = [e.name for e in project.load()["tidy.recorded_crime"].expectations[-3:]]
    assert len(set(names)) == 3
    assert names[2] == "expect_column_values_to_be_between(value, min_value 0, row_condition row > 1)"


def test_a_suite_without_expectations_is_refused(project: Project) -> None:
    path = project.write("tidy.recorded_crime")
    assert str(path) in project.refuse()


@pytest.mark.parametrize("name", ["tidy.crime", "nowhere.recorded_crime", "check.crime_jump", "check.violation"])
def test_a_suite_of_no_table_and_no_rule_is_named(project: Project, name: str) -> None:
    path = project.write(name, BETWEEN)
    assert project.refuse() == f"{path} belongs to no table and no rule"


@pytest.mark.parametrize("table", ["core.recorded_crime_cell", "mart.crime_trend_history"])
def test_a_suite_of_a_view_or_a_history_is_refused_since_none_of_its_rows_is_looked_at(
    project: Project, table: str
) -> None:
    path = project.write(table, on(column="offences"))
    message = project.refuse()
    assert str(path) in message
    assert f"{table} repeats another table" in message


def test_a_suite_is_called_as_its_file(project: Project) -> None:
    path = project.write("tidy.recorded_crime", BETWEEN, name="tidy.reoffending")
    assert project.refuse() == f"{path}: it is called 'tidy.reoffending'"


def test_a_damaged_suite_is_named(project: Project) -> None:
    path = project.write("tidy.recorded_crime", BETWEEN)
    path.write_text("{", encoding="utf-8")
    assert str(path) in project.refuse()


def test_a_rule_without_a_suite_is_named(project: Project) -> None:
    project.add_rule("crime_jump")
    assert project.refuse() == "rule crime_jump has no suite"


def test_a_rule_without_a_gate_is_named(project: Project) -> None:
    project.add_rule("crime_jump")
    path = project.write("check.crime_jump", NO_ROW)
    assert project.refuse() == f"{path} does not say its gate"


@pytest.mark.parametrize("part", ["severity", "kwargs", "meta"])
def test_a_description_changes_with_all_that_a_suite_says(project: Project, part: str) -> None:
    project.write("tidy.recorded_crime", BETWEEN)
    before = describe_suite(project.load()["tidy.recorded_crime"])
    other = {"severity": "warning", "kwargs": {"column": "value", "min_value": 1}}
    other["meta"] = BETWEEN["meta"] | {"reason": "Another."}
    project.write("tidy.recorded_crime", change(**{part: other[part]}))
    assert describe_suite(project.load()["tidy.recorded_crime"]) != before


# --- the suites of this project ------------------------------------------------------------------------

TABLES = sorted(name for name, c in contracts().items() if c.schema != "check" and not c.repeats)


def load_table(name: str) -> Suite:
    return load_suites()[name]


def test_every_table_and_rule_has_a_suite_that_loads() -> None:
    rules = {f"check.{path.stem}" for path in (project_root() / "warehouse" / "check").glob("*.sql")}
    assert set(load_suites()) == {name for name in contracts() if not name.startswith("check.")} | rules


def test_every_tidy_table_and_mart_says_more_than_its_contract() -> None:
    for name in TABLES:
        if name.split(".")[0] in ("tidy", "core", "mart"):
            assert len(load_table(name).expectations) > len(derive_basics(contracts()[name])), name


def test_conditions_are_of_the_kind_that_great_expectations_takes_without_a_warning() -> None:
    for name in TABLES:
        for expectation in load_table(name).expectations:
            condition = expectation.kwargs.get("row_condition")
            assert condition is None or set(condition) == {"type", "pass_through_filter"}, expectation.name
            assert "condition_parser" not in expectation.kwargs


# --- every expectation can fail ------------------------------------------------------------------------
# One row that is as it should be for every table, and for every expectation rows that differ from it in what the
# expectation is about. The first breaks nothing; each of the others is found by its expectation.

BY_TYPE: dict[str, tuple[pa.DataType, Any]] = {
    "VARCHAR": (pa.string(), "something"),
    "BIGINT": (pa.int64(), 40),
    "INTEGER": (pa.int32(), 2017),
    "DOUBLE": (pa.float64(), 40.0),
    "BOOLEAN": (pa.bool_(), True),
    "DATE": (pa.date32(), date(2018, 3, 31)),
    "TIMESTAMPTZ": (pa.timestamp("us", tz="UTC"), datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
}
RELEASE = "recorded_crime_ons/year-ending-march-2018@1"
OF_FIELD: dict[str, Any] = {
    **dict.fromkeys(("area_code", "parent_code", "child_code", "member_code", "previous_area_code"), "E23000014"),
    **{"aggregate_code": "E12000005", "from_code": "E08000016", "to_code": "E08000038", "successor_code": "E08000039"},
    **{"entity": "E23", "level": "police_force", "kind": "recode", "area_codes": "E23000003; E23000005"},
    **{"child_level": "lower_tier", "parent_level": "csp", "vintage": 2024, "status": "live"},
    **{"offence_id": "robbery", "ancestor_id": "total_excluding_fraud", "parent_id": "total_excluding_fraud"},
    **{"offence_ids": "*", "span": "year", "mid_year": 2016, "population_mid_year": 2016},
    **dict.fromkeys(("period_start", "cohort_start", "starts_on"), date(2017, 4, 1)),
    **{"base_period_end": date(2017, 3, 31), "start_date": date(2017, 4, 1)},
    **dict.fromkeys(("release_id", "previous_release_id", "base_release_id"), RELEASE),
    **{"source": "recorded_crime_ons", "edition": "year-ending-march-2018", "table_name": "core.recorded_crime"},
    **dict.fromkeys(("sha256", "previous_sha256"), "0123456789abcdef" * 4),
    **dict.fromkeys(("claim_id", "break_id", "break_ids"), "ncrs-2002"),
    **dict.fromkeys(("landing_page", "announced_url", "requested_url"), "https://www.ons.gov.uk/page"),
    **{"licence": "Open Government Licence v3.0", "media_type": "text/csv", "sums": "offences;quarters"},
    **{"tolerance": "0.5%", "claim_check": "rank", "role": "part", "http_status": 200, "row": 7, "published_rows": 4},
    **{"population": 1_000_000, "bytes": 1_000, "rows_quarantined": 3},
    **{"offenders": 100, "reoffenders": 40, "reoffences": 160, "previous_offenders": 100, "previous_reoffenders": 30},
    **{"previous_offences": 80, "change": -40, "change_percent": -50.0, "rankability": 0.5, "design_effect": 1.3},
    **{"change_low_percent": -60.0, "change_high_percent": -40.0, "change_points": 2.0, "change_low_points": 1.0},
    **{"change_high_points": 3.0, "rate_low_per_1000": 30.0, "rate_high_per_1000": 50.0, "z": 1.0},
    **{"wilson_low_percent": 30.0, "wilson_high_percent": 50.0, "actual_percent": 7.0, "predicted_percent": 8.0},
    **{"rank": 5, "rank_all": 5, "rank_significant": 2, "ranked_areas": 42, "expected_rank": 5.5},
    **{"rank_low": 4, "rank_high": 8, "rank_bound_low": 3, "rank_bound_high": 9, "indistinguishable_areas": 6},
    **{"rank_bound_simultaneous_low": 2, "rank_bound_simultaneous_high": 10},
    **dict.fromkeys(("marker", "rate_reason", "exclusion_reason", "reason"), None),
    **{"measure": "three_month_cohort", "action": "annotate", "observed_state": "new"},
}
LOCAL_ADULT = {"level": "upper_tier", "period_start": date(2012, 10, 1), "period_end": date(2013, 9, 30)}
OF_TABLE: dict[str, dict[str, Any]] = {
    "tidy.recorded_crime": {"measure": "offences"},
    "tidy.local_adult_reoffending": LOCAL_ADULT,
    "tidy.population": {"value": 1_000_000.0},
    "core.recorded_crime_printed": {"measure": "rate_per_1000"},
    "core.local_adult_reoffending": LOCAL_ADULT,
    "mart.crime_rank": {"level": "police_force"},
    "mart.local_adult_reoffending_rank": LOCAL_ADULT | {"difference_percent": -12.5},
    "mart.claim_check": {"reason": "A count."},
    "mart.release_summary": {"table_name": "recorded_crime"},
    "mart.revision": {"table_name": "recorded_crime", "figure": "offences"},
    "meta.check_result": {"reason": "A count."},
    "meta.release_calendar": {"status": "announced"},
    "ref.area": {"kind": "police_force_area"},
    "ref.area_member": {"kind": "police_force_area"},
    "ref.area_name": {"reason": "code history"},
    "ref.offence": {"level": "offence"},
    "ref.series_break": {"kind": "coverage"},
}


def make_row(name: str) -> dict[str, Any]:
    """A row that breaks nothing: what holds for its table, else for the field, else the first allowed, else any."""
    row = {}
    for column, field in contracts()[name].columns.items():
        _, value = BY_TYPE[field.type]
        value = (field.allowed or (value,))[0]
        if column.endswith("_column") or column == "column":
            value = "AB"
        if column.endswith("_marker"):
            value = None
        row[column] = OF_TABLE.get(name, {}).get(column, OF_FIELD.get(column, value))
    return row


def make_frame(name: str, rows: list[dict[str, Any]]) -> Any:
    columns = contracts()[name].columns
    return to_frame(
        pa.table({c: pa.array([row[c] for row in rows], BY_TYPE[field.type][0]) for c, field in columns.items()})
    )


def beyond(bound: Any, step: int) -> Any:
    """A value on the far side of a bound."""
    if isinstance(bound, str):
        moment = datetime.fromisoformat(bound) + timedelta(days=step)
        return moment if moment.tzinfo else moment.date()
    return bound + step


BREAKING: dict[str, Callable[[dict[str, Any], dict[str, Any]], list[dict[str, Any]]]] = {
    "not_be_null": lambda k, row: [{k["column"]: None}],
    "be_null": lambda k, row: [{}],
    "be_in_set": lambda k, row: [{k["column"]: different(row[k["column"]])}],
    "not_be_in_set": lambda k, row: [{k["column"]: value} for value in k["value_set"]],
    "be_between": lambda k, row: [
        {k["column"]: beyond(k[side], step)} for side, step in (("min_value", -1), ("max_value", 1)) if side in k
    ],
    "match_regex": lambda k, row: [
        {k["column"]: text} for text in ("?", "", f"{row[k['column']]} ?") if not re.search(k["regex"], text)
    ],
}


def different(value: Any) -> Any:
    """A value that no set allows."""
    if isinstance(value, bool):
        return not value
    return 77.0 if isinstance(value, float) else "something else"


def break_expectation(expectation: Expectation, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows that differ from one that is as it should be, each of which breaks the expectation."""
    k = expectation.kwargs
    short = expectation.type.removeprefix("expect_").removeprefix("column_").removeprefix("values_to_")
    if short == "value_lengths_to_be_between":
        changes = [{k["column"]: ""}]
    elif short == "pair_values_a_to_be_greater_than_b":
        above = row[k["column_A"]]
        after = timedelta(days=1) if isinstance(above, date) else 1
        changes = [{k["column_B"]: above + after}, *([] if k.get("or_equal") else [{k["column_B"]: above}])]
    else:
        changes = BREAKING[short](k, row)
    for changed in changes:
        condition = k.get("row_condition", {}).get("pass_through_filter")
        for fulfilled in fulfil(condition, row | changed) if condition else [{}]:
            yield row | changed | fulfilled


BY_HAND: dict[str, list[dict[str, Any]]] = {
    "not period_end.dt.is_month_end": [{"period_end": date(2018, 3, 30)}],
    "not cohort_end.dt.is_month_end": [{"cohort_end": date(2018, 3, 30)}],
    # One day short and one day long: 364 and 367 days, 89 and 93 days.
    "not (period_end - period_start).dt.days.between(364, 365)": [
        {"period_start": date(2017, 4, 2), "period_end": date(2018, 3, 31)},
        {"period_start": date(2015, 3, 31), "period_end": date(2016, 3, 31)},
    ],
    "not (cohort_end - cohort_start).dt.days.between(364, 365)": [
        {"cohort_start": date(2017, 4, 2), "cohort_end": date(2018, 3, 31)},
        {"cohort_start": date(2015, 3, 31), "cohort_end": date(2016, 3, 31)},
    ],
    "not (period_end - period_start).dt.days.between(89, 91)": [
        {"period_start": date(2018, 1, 2), "period_end": date(2018, 3, 31)},
        {"period_start": date(2017, 6, 30), "period_end": date(2017, 9, 30)},
    ],
    "not (cohort_end - cohort_start).dt.days.between(89, 91)": [
        {"cohort_start": date(2018, 1, 2), "cohort_end": date(2018, 3, 31)},
        {"cohort_start": date(2017, 6, 30), "cohort_end": date(2017, 9, 30)},
    ],
    "value % 1 != 0": [{"value": 0.5}],
    "population_mid_year > period_start.dt.year": [{"population_mid_year": 2018}],
    "expected_rank < rank_low - 1": [{"expected_rank": 2.9}],
    "expected_rank > rank_high + 1": [{"expected_rank": 9.1}],
    "indistinguishable_areas != rank_bound_high - rank_bound_low": [{"indistinguishable_areas": 5}],
    "change != offences - previous_offences": [{"change": -41}],
    "reoffences > 15 * reoffenders": [{"reoffenders": 30, "reoffences": 451}],
    "entity != area_code.str[:3]": [{"entity": "E22"}],
    '(kind == "rename") != (from_code == to_code)': [
        {"kind": "rename"},
        {"from_code": "E08000038", "to_code": "E08000038"},
    ],
    '(design_effect > 1) != (span == "year" and measure == "three_month_cohort")': [
        {"design_effect": 1.0},
        {"span": "quarter"},
        {"measure": "twelve_month_cohort"},
    ],
    'release_id.str.split("/").str[0] != source': [{"source": "population"}],
    'release_id.str.split("@").str[0].str.split("/").str[1] != edition': [{"edition": "year-ending-march-2019"}],
}


def split_outside(text: str, word: str) -> list[str]:
    """Parts of a condition that a word joins outside its brackets and quotes."""
    parts, start, depth, quoted = [], 0, 0, False
    for i, letter in enumerate(text):
        quoted ^= letter == '"'
        if not quoted:
            depth += (letter == "(") - (letter == ")")
            if depth == 0 and text.startswith(f" {word} ", i):
                parts.append(text[start:i])
                start = i + len(word) + 2
    return [*parts, text[start:]]


def fulfil(condition: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Changes to a row, each of which makes a condition true."""
    if condition in BY_HAND:
        return BY_HAND[condition]
    if len(either := split_outside(condition, "or")) > 1:
        return [change for part in either for change in fulfil(part, row)]
    if len(both := split_outside(condition, "and")) > 1:
        changes: list[dict[str, Any]] = [{}]
        for part in both:
            changes = [change | more for change in changes for more in fulfil(part, row | change)]
        return changes
    if condition.startswith("("):
        return fulfil(condition[1:-1], row)
    return fulfil_clause(condition, row)


def fulfil_clause(clause: str, row: dict[str, Any]) -> list[dict[str, Any]]:
    if match := re.fullmatch(r"not (\w+)\.between\((\S+), (\S+)\)", clause):
        column, low, high = match.groups()
        return [{column: beyond(read(low), -1)}, {column: beyond(read(high), 1)}]
    if match := re.fullmatch(r"(\w+)\.(is|not)null\(\)", clause):
        column, what = match.groups()
        return [{column: None if what == "is" else row[column] if row[column] is not None else "something"}]
    if match := re.fullmatch(r"(not )?(\w+)", clause):
        return [{match[2]: not match[1]}]
    if match := re.fullmatch(r"(\w+) (in|not in) (\[.*\])", clause):
        values = json.loads(match[3])
        return [{match[1]: value} for value in values] if match[2] == "in" else [{match[1]: "something else"}]
    match = re.fullmatch(r"(\w+) (<|<=|>|>=|==|!=) (\S+|\".*\")", clause)
    assert match, f"no row is known that breaks {clause!r}: add one to BY_HAND"
    column, operator, text = match.groups()
    value = row[text] if text in row else read(text)
    if operator == "!=":
        return [{column: "something else"}]
    step = {"<": -1, ">": 1}.get(operator, 0)
    if isinstance(value, date):
        return [{column: value + timedelta(days=step)}]
    return [{column: beyond(value, step) if step else value}]


def read(text: str) -> Any:
    return json.loads(text)


def locate(record: dict[str, Any], _: Expectation | None = None) -> str:
    """A row as a text, by which it is known again."""
    return repr([show(value) for value in record.values()])


def locate_all(frame: Any) -> list[str]:
    names = list(frame.columns)
    return [locate(dict(zip(names, row, strict=True))) for row in frame.itertuples(index=False, name=None)]


def of_rows(suite: Suite) -> list[Expectation]:
    """What is expected of single rows, apart from their types."""
    return [e for e in suite.expectations if e.is_row_wise and not e.type.endswith(("of_type", "be_unique"))]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_right_columns_and_types_is_as_expected(name: str) -> None:
    suite = load_table(name)
    due = tuple(e for e in suite.expectations if e not in of_rows(suite))  # those are tried below
    outcome = validate(Suite(name, suite.gate, due), [make_frame(name, [make_row(name)])], locate)
    assert [(o.expectation.name, o.examples) for o in outcome.outcomes if not o.success] == []


@pytest.mark.parametrize("name", TABLES)
def test_every_expectation_of_a_row_finds_the_row_that_breaks_it(name: str) -> None:
    suite, row = load_table(name), make_row(name)
    due = of_rows(suite)
    broken = [(e, changed) for e in due for changed in break_expectation(e, row)]
    assert {e.name for e, _ in broken} == {e.name for e in due}
    frame = make_frame(name, [row, *(changed for _, changed in broken)])
    good, *bad = locate_all(frame)
    outcome = validate(Suite(name, suite.gate, tuple(due)), [frame], locate)
    found = {o.expectation.name: {finding.place for finding in o.findings} for o in outcome.outcomes}
    missed = [(e.name, place) for (e, _), place in zip(broken, bad, strict=True) if place not in found[e.name]]
    assert missed == []
    assert [name for name, places in found.items() if good in places] == []


@pytest.mark.parametrize("name", TABLES)
def test_a_key_that_comes_twice_is_found(name: str) -> None:
    suite, row = load_table(name), make_row(name)
    unique = tuple(e for e in suite.expectations if e.type.endswith("be_unique"))
    assert len(unique) == (1 if contracts()[name].key else 0)
    if unique:
        outcome = validate(Suite(name, suite.gate, unique), [make_frame(name, [row, row])], locate)
        assert [o.unexpected for o in outcome.outcomes] == [2]


@pytest.mark.parametrize("name", TABLES)
def test_columns_of_another_type_or_order_are_found(name: str) -> None:
    suite = load_table(name)
    frame = make_frame(name, [make_row(name)])
    wrong = {
        column: [1] if field.type == "VARCHAR" else ["one"]
        for column, field in reversed(contracts()[name].columns.items())
    }
    due = tuple(e for e in suite.expectations if e.type.endswith(("of_type", "ordered_list")))
    assert len(due) == len(frame.columns) + 1
    outcome = validate(Suite(name, suite.gate, due), [to_frame(pa.table(wrong))], locate)
    assert [o.expectation.name for o in outcome.outcomes if o.success] == []


def test_an_empty_table_breaks_no_expectation_of_a_row_but_those_of_its_columns() -> None:
    name = "tidy.recorded_crime"
    nothing = pa.table({"value": pa.array([], pa.float64())})
    outcome = validate(load_table(name), frames_of([], nothing.schema), locate)
    assert [o.expectation.type for o in outcome.outcomes if not o.success] == [
        "expect_table_columns_to_match_ordered_list"
    ]


def test_every_known_type_is_tried_by_these_tests() -> None:
    used = {e.type for name in TABLES for e in load_table(name).expectations}
    # What no suite says yet needs no row that breaks it.
    assert set(ROW_WISE) - used == {"expect_column_pair_values_to_be_equal"}
