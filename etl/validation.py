"""Runs the suites of `etl.expectations` with Great Expectations, on pandas frames.

Great Expectations takes seconds to import: nothing here is imported by a command that validates nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa

from etl.errors import JusticeError
from etl.expectations import FAIL_OR_WARN, Expectation, Suite

logger = logging.getLogger(__name__)

EXAMPLES = 10
"""How many rows that are not as expected a report names."""

KEPT = 1_000
"""How many of them are kept, so that those that were accepted can be told from the others."""

ROWS_AT_ONCE = 500_000
"""How many rows of a large table are looked at together: memory is bounded by them."""

_MASKED = {
    pa.int64(): pd.Int64Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
"""Types that keep nulls without turning whole numbers into fractions, or truth into objects."""


Locate = Callable[[dict[str, Any], Expectation], str]
"""Says where a row of a frame stands, given its values."""


@dataclass(frozen=True)
class Finding:
    """A row that is not as expected: where it stands, and what it says there."""

    place: str
    found: str


@dataclass(frozen=True)
class Outcome:
    """What one expectation found: how many rows it looked at, how many were not as expected, and the first of those."""

    expectation: Expectation
    rows: int = 0
    unexpected: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def success(self) -> bool:
        """Whether it was met."""
        return self.unexpected == 0

    @property
    def examples(self) -> str:
        """The first rows that were not as expected, as reports show them."""
        return "; ".join(f"{finding.place}: {finding.found}" for finding in self.findings[:EXAMPLES])

    def __add__(self, other: Outcome) -> Outcome:
        return replace(
            self,
            rows=self.rows + other.rows,
            unexpected=self.unexpected + other.unexpected,
            findings=(*self.findings, *other.findings)[:KEPT],
        )


@dataclass(frozen=True)
class SuiteOutcome:
    """What a suite found: one outcome an expectation, in the order of the suite."""

    suite: Suite
    outcomes: tuple[Outcome, ...]

    def __add__(self, other: SuiteOutcome) -> SuiteOutcome:
        return SuiteOutcome(self.suite, tuple(a + b for a, b in zip(self.outcomes, other.outcomes, strict=True)))

    def to_result(self) -> dict[str, Any]:
        """The outcome in the shape of Great Expectations' own results, for its pages."""
        return {"results": [_to_result(outcome, self.suite) for outcome in self.outcomes]}

    def list_results(self) -> list[dict[str, object]]:
        """Its lines of `meta.check_result`."""
        return [
            {
                "suite": self.suite.name,
                "expectation": outcome.expectation.name,
                "table_name": self.suite.name,
                "gate": self.suite.gate,
                "severity": FAIL_OR_WARN[outcome.expectation.severity],
                "success": outcome.success,
                "unexpected_count": outcome.unexpected,
                "examples": outcome.examples or None,
                "reason": outcome.expectation.meta.reason,
            }
            for outcome in self.outcomes
        ]


def _to_result(outcome: Outcome, suite: Suite) -> dict[str, Any]:
    expectation = outcome.expectation
    rule = {"rule": suite.rule} if suite.is_rule else {}
    percent = 100 * outcome.unexpected / outcome.rows if outcome.rows else 0.0
    return {
        "success": outcome.success,
        "expectation_config": {
            "type": expectation.type,
            "kwargs": expectation.kwargs,
            "severity": expectation.severity,
            "meta": expectation.meta.model_dump(mode="json") | rule,
        },
        "result": {
            "element_count": outcome.rows,
            "unexpected_count": outcome.unexpected,
            "unexpected_percent": percent,
            "partial_unexpected_list": [f"{f.place}: {f.found}" for f in outcome.findings[:EXAMPLES]],
        },
        "exception_info": None,
    }


def import_great_expectations() -> Any:
    """Great Expectations, which must not report to its makers, nor draw progress bars of its own."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations
    from great_expectations.execution_engine import pandas_execution_engine

    # It would hash every frame twice, which nothing here makes use of.
    pandas_execution_engine.HASH_THRESHOLD = 0
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return great_expectations


@cache
def _engine() -> Any:
    """The one batch definition that every frame is given to."""
    context = import_great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_pandas("frames")
    return source.add_dataframe_asset(name="frame").add_batch_definition_whole_dataframe("whole")


def to_frame(table: pa.Table, first_row: int = 0) -> pd.DataFrame:
    """An Arrow table as a frame of types that Great Expectations tells apart; its index counts from `first_row`."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_MASKED.get, date_as_object=False)
    frame.index = pd.RangeIndex(first_row, first_row + len(frame))
    return frame


def frames_of(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pd.DataFrame]:
    """Batches as frames, in turn; at least one, which may be empty."""
    first_row = 0
    for batch in batches:
        if batch.num_rows:
            yield to_frame(pa.Table.from_batches([batch]), first_row)
            first_row += batch.num_rows
    if not first_row:
        yield to_frame(schema.empty_table())


def validate(suite: Suite, frames: Iterable[pd.DataFrame], locate: Locate) -> SuiteOutcome:
    """Run a suite on a table that comes in parts, of which there is at least one.

    Args:
        suite: what is expected.
        frames: the parts, as `frames_of` gives them.
        locate: says where a row stands.

    Raises:
        JusticeError: an expectation could not be evaluated, or was not run.
    """
    found = empty_outcome(suite)
    for frame in frames:
        found += _validate_frame(suite, frame, locate)
    return found


def empty_outcome(suite: Suite) -> SuiteOutcome:
    """What a suite finds in nothing."""
    return SuiteOutcome(suite, tuple(Outcome(expectation) for expectation in suite.expectations))


def _validate_frame(suite: Suite, frame: pd.DataFrame, locate: Locate) -> SuiteOutcome:
    # No row, nothing that could be wrong in one: most tables of a small home are empty, and most conditions name the
    # rows that there must not be. Great Expectations would look for them ten times.
    due = [e for e in suite.expectations if not e.is_row_wise or _has_rows(suite, e, frame)]
    outcomes = dict(zip([e.name for e in due], _evaluate(suite, due, frame, locate), strict=True))
    return SuiteOutcome(suite, tuple(outcomes.get(e.name, Outcome(e)) for e in suite.expectations))


def _has_rows(suite: Suite, expectation: Expectation, frame: pd.DataFrame) -> bool:
    """Whether there is a row that a row-wise expectation speaks of."""
    condition = expectation.kwargs.get("row_condition", {}).get("pass_through_filter")
    if not len(frame) or condition is None:
        return len(frame) > 0
    try:
        return len(frame.query(condition)) > 0
    except Exception as error:  # whatever a wrong condition makes pandas raise
        what = f"{suite.name}: {expectation.name} could not be evaluated: {error}"
        raise JusticeError(what, "mend its condition in expectations/") from error


def _evaluate(suite: Suite, due: list[Expectation], frame: pd.DataFrame, locate: Locate) -> list[Outcome]:
    """Run expectations on one frame: counts for all of them, rows for those that were not met."""
    results = _run(suite, due, frame, "BASIC")
    failed = [e for e, result in zip(due, results, strict=True) if not result.success]
    complete = iter(_run(suite, failed, frame, "COMPLETE"))
    outcomes = []
    for expectation, result in zip(due, results, strict=True):
        rows = int(result.result.get("element_count", len(frame)))
        if result.success:
            outcomes.append(Outcome(expectation, rows))
            continue
        found = next(complete).result
        if "unexpected_index_list" in found:
            places = sorted(found["unexpected_index_list"])
            if not places:
                what = f"{suite.name}: {expectation.name} is not met, but by no row"
                raise JusticeError(what, "report it: Great Expectations contradicts itself")
            outcomes.append(Outcome(expectation, rows, len(places), _find(expectation, frame.loc[places], locate)))
        else:
            outcomes.append(_judge_whole(expectation, found, frame, locate))
    return outcomes


def _judge_whole(expectation: Expectation, result: Any, frame: pd.DataFrame, locate: Locate) -> Outcome:
    """A table that should have no row counts each; one that is not as expected otherwise, a type say, counts once."""
    if expectation.kwargs.get("value") == 0:
        return Outcome(expectation, len(frame), len(frame), _find(expectation, frame, locate))
    found = Finding("the table", show(result.get("observed_value")))
    return Outcome(expectation, len(frame), 1, (found,))


def _find(expectation: Expectation, rows: pd.DataFrame, locate: Locate) -> tuple[Finding, ...]:
    names = list(rows.columns)
    records = [dict(zip(names, row, strict=True)) for row in rows[:KEPT].itertuples(index=False, name=None)]
    return tuple(Finding(locate(record, expectation), _say(record, expectation)) for record in records)


def _say(record: dict[str, Any], expectation: Expectation) -> str:
    names = expectation.columns or ["expected", "found"]
    return ", ".join(f"{name} {show(record[name])}" for name in names)


def _run(suite: Suite, expectations: list[Expectation], frame: pd.DataFrame, result_format: str) -> list[Any]:
    """Results in the order of the expectations.

    Great Expectations leaves out what it does not know and calls it a success: whatever is not there, or could not
    be evaluated, is an error here.
    """
    if not expectations:
        return []
    gx = import_great_expectations()
    described = [_describe(number, expectation) for number, expectation in enumerate(expectations)]
    try:
        made = gx.ExpectationSuite(name=suite.name, expectations=described)
    except (TypeError, ValueError) as error:
        what = f"{suite.name}: Great Expectations does not take an expectation: {error}"
        raise JusticeError(what, "mend the suite in expectations/") from error
    if len(made.expectations) != len(expectations):
        known = {expectation.expectation_type for expectation in made.expectations}
        lost = next((e.name for e in expectations if e.type not in known), suite.name)
        raise JusticeError(f"{suite.name}: Great Expectations does not take {lost}", "mend the suite in expectations/")
    validated = _engine().get_batch({"dataframe": frame}).validate(made, result_format=result_format)
    results = {result.expectation_config.meta["number"]: result for result in validated.results}
    for number, expectation in enumerate(expectations):
        trouble = _find_trouble(results[number].exception_info) if number in results else "it has no result"
        if trouble:
            what = f"{suite.name}: {expectation.name} could not be evaluated: {trouble}"
            raise JusticeError(what, "mend the suite in expectations/, or the contract that it follows from")
    return [results[number] for number in range(len(expectations))]


def _find_trouble(info: Any) -> str | None:
    entries = info.values() if info and "raised_exception" not in info else [info or {}]
    return next((str(e["exception_message"]) for e in entries if e.get("raised_exception")), None)


def _describe(number: int, expectation: Expectation) -> dict[str, Any]:
    kwargs = {key: _to_time(value) for key, value in expectation.kwargs.items()}
    return {
        "type": expectation.type,
        "kwargs": kwargs,
        "severity": expectation.severity,
        "meta": {"number": number},
    }


def _to_time(value: Any) -> Any:
    """A day in a suite as what a frame's days are compared with."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and len(value) == len("2018-03-31") else value
    except ValueError:
        return value


def show(value: Any) -> str:
    """A value of a frame as reports show it."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return "(nothing)"
    if isinstance(value, datetime | date):
        return str(value.isoformat()).removesuffix("T00:00:00")
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)
