"""Running suites: what is found, where it stands, and that nothing that was not looked at passes."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.validation import TABLES, check
from etl import validation
from etl.errors import JusticeError
from etl.expectations import Expectation, Severity, Suite, Written, load_suites
from etl.validation import (
    EXAMPLES,
    KEPT,
    Finding,
    Outcome,
    SuiteOutcome,
    empty_outcome,
    frames_of,
    import_great_expectations,
    show,
    to_frame,
    validate,
)


def expect(what: str, severity: Severity = "critical", **kwargs: Any) -> Expectation:
    return Expectation(type=f"expect_{what}", kwargs=kwargs, severity=severity, meta=Written(reason="A reason."))


def suite_of(*expectations: Expectation) -> Suite:
    return Suite("core.small", "publication", expectations)


def place(row: dict[str, Any], _: Expectation) -> str:
    return str(row["name"])


def make_table(*counts: int | None) -> pa.Table:
    names = [f"n{number}" for number in range(len(counts))]
    return pa.table({"name": pa.array(names, pa.string()), "count": pa.array(counts, pa.int64())})


BETWEEN = expect("column_values_to_be_between", column="count", min_value=0)
FILLED = expect("column_values_to_not_be_null", column="count")
ORDER = expect("table_columns_to_match_ordered_list", column_list=["name", "count"])
NO_ROW = expect("table_row_count_to_equal", value=0)


def run(*expectations: Expectation, tables: list[pa.Table]) -> list[Outcome]:
    frames = (to_frame(table) for table in tables)
    return list(validate(suite_of(*expectations), frames, place).outcomes)


# --- frames --------------------------------------------------------------------------------------------


def test_types_outlive_nulls_and_empty_tables() -> None:
    schema = pa.schema(
        [
            ("text", pa.string()),
            ("long", pa.int64()),
            ("short", pa.int32()),
            ("part", pa.float64()),
            ("truth", pa.bool_()),
            ("day", pa.date32()),
            ("time", pa.timestamp("us", tz="UTC")),
        ]
    )
    kinds = ["str", "Int64", "Int32", "float64", "boolean", "datetime64[ms]", "datetime64[us, UTC]"]
    for table in (schema.empty_table(), pa.Table.from_pylist([{}, {}], schema=schema)):
        assert [str(kind) for kind in to_frame(table).dtypes] == kinds


def test_batches_come_as_frames_that_count_on_and_empty_ones_are_left_out() -> None:
    table = make_table(1, 2, 3)
    batches = [*make_table().to_batches(), *table.to_batches(max_chunksize=2), make_table().to_batches()[:0]]
    frames = list(frames_of((batch for batch in batches if batch), table.schema))
    assert [list(frame.index) for frame in frames] == [[0, 1], [2]]


def test_a_table_without_rows_is_one_empty_frame() -> None:
    (frame,) = frames_of([], make_table().schema)
    assert (len(frame), list(frame.columns)) == (0, ["name", "count"])


# --- what is found -------------------------------------------------------------------------------------


def test_rows_that_are_not_as_expected_are_named_and_told() -> None:
    (outcome,) = run(BETWEEN, tables=[make_table(1, -2, None, -4)])
    assert (outcome.rows, outcome.unexpected, outcome.success) == (4, 2, False)
    assert outcome.findings == (Finding("n1", "count -2"), Finding("n3", "count -4"))
    assert outcome.examples == "n1: count -2; n3: count -4"


def test_outcomes_stand_in_the_order_of_the_suite() -> None:
    # Great Expectations gives results back in another order.
    suite = [BETWEEN, ORDER, FILLED, expect("column_values_to_be_unique", column="name")]
    outcomes = run(*suite, tables=[make_table(-1, None)])
    assert [outcome.expectation for outcome in outcomes] == suite
    assert [outcome.unexpected for outcome in outcomes] == [1, 0, 1, 0]


def test_two_columns_are_told_together() -> None:
    table = pa.table({"name": ["a"], "low": pa.array([3], pa.int64()), "high": pa.array([2], pa.int64())})
    greater = expect("column_pair_values_a_to_be_greater_than_b", column_A="high", column_B="low", or_equal=True)
    (outcome,) = run(greater, tables=[table])
    assert outcome.examples == "a: high 2, low 3"


def test_a_key_that_comes_twice_counts_both_rows() -> None:
    table = pa.table({"name": ["a", "b", "a"], "other": ["x", "x", "x"]})
    (outcome,) = run(expect("compound_columns_to_be_unique", column_list=["name", "other"]), tables=[table])
    assert outcome.findings == (Finding("a", "name a, other x"), Finding("a", "name a, other x"))


def test_a_condition_leaves_rows_out() -> None:
    condition = {"type": "pass_through", "pass_through_filter": 'name != "n1" and count < 0'}
    (outcome,) = run(
        expect("column_values_to_be_null", column="count", row_condition=condition),
        tables=[make_table(1, -2, -3, None)],
    )
    assert outcome.findings == (Finding("n2", "count -3"),)


def test_days_are_compared_with_days() -> None:
    table = pa.table({"name": ["a", "b"], "day": [date(2018, 3, 31), date(1018, 3, 31)]})
    (outcome,) = run(expect("column_values_to_be_between", column="day", min_value="2002-04-01"), tables=[table])
    assert outcome.examples == "b: day 1018-03-31"


def test_other_columns_are_one_finding_about_the_table() -> None:
    (outcome,) = run(
        expect("table_columns_to_match_ordered_list", column_list=["count", "name"]), tables=[make_table(1, 2)]
    )
    assert (outcome.unexpected, outcome.examples) == (1, "the table: ['name', 'count']")


def test_another_type_is_one_finding_about_the_table() -> None:
    (outcome,) = run(expect("column_values_to_be_of_type", column="count", type_="str"), tables=[make_table(1, 2)])
    assert (outcome.unexpected, outcome.examples) == (1, "the table: int64")


def test_every_row_of_a_table_that_should_have_none_is_found() -> None:
    rows = [("n1", "7", "8"), ("n2", None, "9")]
    frame = pd.DataFrame(rows, columns=["name", "expected", "found"], dtype="str")
    (outcome,) = validate(suite_of(NO_ROW), [frame], place).outcomes
    assert outcome.findings == (
        Finding("n1", "expected 7, found 8"),
        Finding("n2", "expected (nothing), found 9"),
    )
    (nothing,) = validate(suite_of(NO_ROW), [frame.iloc[:0]], place).outcomes
    assert nothing.success


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(nothing)"),
        (pd.NA, "(nothing)"),
        (pd.NaT, "(nothing)"),
        (float("nan"), "(nothing)"),
        (date(2018, 3, 31), "2018-03-31"),
        (pd.Timestamp("2018-03-31"), "2018-03-31"),
        (datetime(2018, 3, 31, 9, 30, tzinfo=UTC), "2018-03-31T09:30:00+00:00"),
        (0.1 + 0.2, "0.3"),
        (7.0, "7"),
        (7, "7"),
        ("", ""),
        (True, "True"),
    ],
)
def test_values_are_shown_as_people_write_them(value: Any, text: str) -> None:
    assert show(value) == text


# --- parts of a table ----------------------------------------------------------------------------------


def test_a_table_in_parts_is_found_as_one() -> None:
    table = make_table(1, -2, None, -4, 5, -6)
    suite = suite_of(ORDER, BETWEEN, FILLED)
    whole = validate(suite, frames_of(table.to_batches(), table.schema), place)
    assert [outcome.unexpected for outcome in whole.outcomes] == [0, 3, 1]
    for size in (1, 2, 4, 6):
        parts = validate(suite, frames_of(table.to_batches(max_chunksize=size), table.schema), place)
        assert parts == whole, size


def test_kept_findings_and_examples_are_few_but_all_are_counted() -> None:
    count = KEPT + 30
    (outcome,) = run(BETWEEN, tables=[make_table(*[-1] * count)])
    assert (outcome.unexpected, len(outcome.findings)) == (count, KEPT)
    assert outcome.findings[-1].place == f"n{KEPT - 1}"
    assert outcome.examples.count(";") == EXAMPLES - 1
    (both,) = run(BETWEEN, tables=[make_table(*[-1] * (KEPT - 1)), make_table(-1, -1, -1)])
    assert (both.unexpected, len(both.findings)) == (KEPT + 2, KEPT)


def test_of_an_empty_table_only_its_columns_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    evaluate = validation._evaluate

    def watch(suite: Suite, due: list[Expectation], *more: Any) -> list[Outcome]:
        looked_at.extend(due)
        return evaluate(suite, due, *more)

    monkeypatch.setattr(validation, "_evaluate", watch)
    outcomes = run(ORDER, BETWEEN, tables=[make_table()])
    assert looked_at == [ORDER]
    assert [(outcome.rows, outcome.success) for outcome in outcomes] == [(0, True), (0, True)]


def test_nothing_is_found_in_nothing() -> None:
    assert empty_outcome(suite_of(ORDER, BETWEEN)).outcomes == (Outcome(ORDER), Outcome(BETWEEN))


# --- what was not looked at does not pass ---------------------------------------------------------------


def refuse(*expectations: Expectation) -> str:
    with pytest.raises(JusticeError) as refused:
        run(*expectations, tables=[make_table(1, None)])
    assert refused.value.next_step
    return refused.value.what


def test_a_column_that_is_not_there_is_an_error() -> None:
    message = refuse(BETWEEN, expect("column_values_to_not_be_null", column="absent"))
    assert message.startswith("core.small: expect_column_values_to_not_be_null(absent) could not be evaluated: ")
    assert "absent" in message


def test_a_condition_that_means_nothing_is_an_error() -> None:
    condition = {"type": "pass_through", "pass_through_filter": "absent > 3"}
    message = refuse(expect("column_values_to_be_null", column="count", row_condition=condition))
    assert "absent > 3) could not be evaluated" in message


def test_a_pair_with_nothing_in_it_is_an_error_where_that_is_not_foreseen() -> None:
    table = pa.table({"name": ["a"], "low": pa.array([None], pa.int64()), "high": pa.array([2], pa.int64())})
    greater = expect("column_pair_values_a_to_be_greater_than_b", column_A="high", column_B="low")
    with pytest.raises(JusticeError, match="could not be evaluated"):
        run(greater, tables=[table])


def test_a_day_that_cannot_be_compared_is_an_error() -> None:
    table = pa.table({"name": ["a"], "day": [date(2018, 3, 31)]})
    with pytest.raises(JusticeError, match="could not be evaluated"):
        run(expect("column_values_to_be_between", column="day", min_value="2002"), tables=[table])


def test_an_unknown_setting_is_an_error() -> None:
    message = refuse(expect("column_values_to_be_between", column="count", min_valu=0))
    assert message.startswith("core.small: Great Expectations does not take an expectation: ")
    assert "min_valu" in message


def test_an_unknown_type_is_an_error() -> None:
    unknown = expect("the_unexpected", column="count")
    assert refuse(BETWEEN, unknown) == "core.small: Great Expectations does not take expect_the_unexpected(count)"


@pytest.mark.parametrize("known", [[BETWEEN, FILLED], [BETWEEN]])
def test_what_great_expectations_drops_without_a_word_is_an_error(
    monkeypatch: pytest.MonkeyPatch, known: list[Expectation]
) -> None:
    gx = import_great_expectations()
    make = gx.ExpectationSuite

    def drop_one(name: str, expectations: list[dict[str, Any]]) -> Any:
        return make(name=name, expectations=expectations[1:])

    monkeypatch.setattr(gx, "ExpectationSuite", drop_one)
    assert "Great Expectations does not take" in refuse(*known)


def test_a_result_that_is_missing_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = validation._engine()

    class Forgetful:
        def get_batch(self, options: dict[str, Any]) -> Any:
            batch = engine.get_batch(options)
            return type("Batch", (), {"validate": lambda _, *a, **k: forget(batch.validate(*a, **k))})()

    def forget(result: Any) -> Any:
        result.results.pop()
        return result

    monkeypatch.setattr(validation, "_engine", Forgetful)
    assert "could not be evaluated: it has no result" in refuse(BETWEEN, FILLED)


# --- reports -------------------------------------------------------------------------------------------


def test_lines_of_what_was_found_are_in_our_words() -> None:
    warning = expect("column_values_to_not_be_null", "warning", column="count")
    suite = suite_of(BETWEEN, warning)
    outcome = validate(suite, [to_frame(make_table(1, None))], place)
    assert outcome.list_results() == [
        {
            "suite": "core.small",
            "expectation": "expect_column_values_to_be_between(count, min_value 0)",
            "table_name": "core.small",
            "gate": "publication",
            "severity": "fail",
            "success": True,
            "unexpected_count": 0,
            "examples": None,
            "reason": "A reason.",
        },
        {
            "suite": "core.small",
            "expectation": "expect_column_values_to_not_be_null(count)",
            "table_name": "core.small",
            "gate": "publication",
            "severity": "warn",
            "success": False,
            "unexpected_count": 1,
            "examples": "n1: count (nothing)",
            "reason": "A reason.",
        },
    ]


def test_an_outcome_takes_the_shape_of_the_librarys_own() -> None:
    outcome = Outcome(BETWEEN, rows=8, unexpected=2, findings=(Finding("n1", "count -2"), Finding("n3", "count -4")))
    (result,) = SuiteOutcome(suite_of(BETWEEN), (outcome,)).to_result()["results"]
    assert result["success"] is False
    assert result["expectation_config"]["kwargs"] == {"column": "count", "min_value": 0}
    assert result["expectation_config"]["severity"] == "critical"
    assert result["result"] == {
        "element_count": 8,
        "unexpected_count": 2,
        "unexpected_percent": 25.0,
        "partial_unexpected_list": ["n1: count -2", "n3: count -4"],
    }
    (nothing,) = empty_outcome(suite_of(BETWEEN)).to_result()["results"]
    assert nothing["result"]["unexpected_percent"] == 0.0


def test_outcomes_of_other_suites_are_not_added() -> None:
    with pytest.raises(ValueError, match="zip"):
        empty_outcome(suite_of(BETWEEN)) + empty_outcome(suite_of(BETWEEN, FILLED))


# --- what it costs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["etl.cli", "etl.gates", "etl.expectations", "etl.status"])
def test_who_validates_nothing_does_not_wait_for_great_expectations(module: str) -> None:
    code = f"import {module}, sys; print('great_expectations' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_library_neither_reports_to_its_makers_nor_hashes_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import os; from etl.validation import import_great_expectations as load; load()\n"
        "from great_expectations.execution_engine import pandas_execution_engine as engine\n"
        "print(os.environ['GX_ANALYTICS_ENABLED'], engine.HASH_THRESHOLD)"
    )
    monkeypatch.delenv("GX_ANALYTICS_ENABLED", raising=False)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "false 0"


@pytest.mark.parametrize("table", TABLES)
def test_made_lines_of_the_benchmark_are_as_expected(table: str) -> None:
    taken = check(table, 2_000)
    assert (taken["unexpected"], taken["seconds"] > 0) == (0, True)
    assert taken["expectations"] == len(load_suites()[f"tidy.{table}"].expectations)
