"""The suites of `expectations/`: what is expected of each table and rule, with severity, reason and date.

`expectations/<schema>/<table>.json` is a Great Expectations suite beside the contract of the same stem; what follows
from the contract (columns, types, nulls, key, allowed values) is added here and never written by hand.
`expectations/check/<rule>.json` expects no row of `warehouse/check/<rule>.sql`. `etl.validation` runs them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Setting

from etl.contracts import Contract, contracts
from etl.errors import JusticeError
from etl.files import read_json
from etl.models import CHECK_SCHEMA
from etl.settings import project_root

Gate = Literal["file", "publication"]
Severity = Literal["critical", "warning"]

FAIL_OR_WARN = {"critical": "fail", "warning": "warn"}
"""Great Expectations' words for a severity, and ours."""

ROW_WISE = (
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_null",
    "expect_column_values_to_be_unique",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_be_between",
    "expect_column_values_to_match_regex",
    "expect_column_value_lengths_to_be_between",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_compound_columns_to_be_unique",
)
"""What is expected of each row, so that a table can be looked at in parts."""

WHOLE = ("expect_table_columns_to_match_ordered_list", "expect_table_row_count_to_equal")
"""What is expected of a table as a whole."""

_BASIC_TYPES = {
    "VARCHAR": "str",
    "BIGINT": "int64",
    "INTEGER": "int32",
    "DOUBLE": "float64",
    "BOOLEAN": "bool",
    "DATE": "datetime64",
    "TIMESTAMPTZ": "Timestamp",
}
"""DuckDB's types, and what Great Expectations calls those of the frames of `etl.validation`."""

_COLUMNS = ("column", "column_A", "column_B")
_DETAILS = ("column_list", "min_value", "max_value", "regex", "row_condition", "value")


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Written(_Declared):
    """Why an expectation is there, and since when; `set_on` is None for what follows from a contract."""

    reason: str = Setting(min_length=1)
    set_on: date | None = None


class Expectation(_Declared):
    """One expectation, as Great Expectations takes it. `critical` fails, `warning` warns."""

    type: str
    kwargs: dict[str, Any]
    severity: Severity
    meta: Written

    @property
    def name(self) -> str:
        """What reports call it: its type and what it names, short."""
        named = [f"{key} {_shorten(self.kwargs[key])}" for key in _DETAILS if key in self.kwargs]
        columns = [str(self.kwargs[key]) for key in _COLUMNS if key in self.kwargs]
        return f"{self.type}({', '.join([*columns, *named])})"

    @property
    def is_row_wise(self) -> bool:
        """Whether it speaks of each row; else of the table as a whole."""
        return self.type in ROW_WISE

    @property
    def columns(self) -> list[str]:
        """The columns whose values it speaks of."""
        single = [self.kwargs[key] for key in _COLUMNS if key in self.kwargs]
        return [*single, *(self.kwargs.get("column_list", []) if self.is_row_wise else [])]


class _SuiteMeta(_Declared):
    gate: Gate


class SuiteFile(_Declared):
    """A suite as its file says it. `meta.gate` is what a failure of a rule keeps back."""

    name: str
    meta: _SuiteMeta | None = None
    expectations: list[Expectation] = Setting(min_length=1)


@dataclass(frozen=True)
class Suite:
    """All that is expected of one table, or of the violations of one rule.

    Attributes:
        name: `schema.table`, or `check.<rule>`.
        gate: what a failure keeps back: the file at fault, or the publication.
        expectations: those that follow from the contract first.
    """

    name: str
    gate: Gate
    expectations: tuple[Expectation, ...]

    @property
    def is_rule(self) -> bool:
        """Whether it is about what breaks a rule, not about a table."""
        return self.name.startswith(f"{CHECK_SCHEMA}.")

    @property
    def rule(self) -> str:
        """The rule, or the table within its schema."""
        return self.name.partition(".")[2]


def _shorten(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value)) if len(value) <= 8 else f"{len(value)} columns"
    if isinstance(value, dict):
        return " ".join(_leaves(value))
    return str(value)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "type":
                yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield str(value)


def derive_basics(contract: Contract) -> list[Expectation]:
    """What follows from a contract: columns in their order and, but for what repeats another table, the rest of it.

    The rest are types, nulls, key and allowed values.
    """
    written = Written(reason=f"follows from schemas/{contract.schema}/{contract.table}.yml")

    def expect(what: str, **kwargs: Any) -> Expectation:
        return Expectation(type=what, kwargs=kwargs, severity="critical", meta=written)

    found = [expect("expect_table_columns_to_match_ordered_list", column_list=list(contract.columns))]
    if contract.repeats:
        return found  # its rows are those of the table that it shows
    for name, field in contract.columns.items():
        found.append(expect("expect_column_values_to_be_of_type", column=name, type_=_BASIC_TYPES[field.type]))
        if name not in contract.nullable:
            found.append(expect("expect_column_values_to_not_be_null", column=name))
        if field.allowed:
            found.append(expect("expect_column_values_to_be_in_set", column=name, value_set=list(field.allowed)))
    if len(contract.key) == 1:
        found.append(expect("expect_column_values_to_be_unique", column=contract.key[0]))
    elif contract.key:
        found.append(expect("expect_compound_columns_to_be_unique", column_list=list(contract.key)))
    return found


@cache
def load_suites() -> dict[str, Suite]:
    """Every suite by name: one a contract, and one a rule of `warehouse/check/`.

    Raises:
        JusticeError: a file is not what it must be, names no table or rule, or repeats what follows from the
            contract; or a rule has no suite.
    """
    root = project_root()
    files = {f"{path.parent.name}.{path.stem}": path for path in sorted((root / "expectations").glob("*/*.json"))}
    tables = {name: contract for name, contract in contracts().items() if contract.schema != CHECK_SCHEMA}
    rules = [f"{CHECK_SCHEMA}.{path.stem}" for path in sorted((root / "warehouse" / CHECK_SCHEMA).glob("*.sql"))]
    strangers = sorted(set(files) - set(tables) - set(rules))
    if strangers:
        raise JusticeError(f"{files[strangers[0]]} belongs to no table and no rule", "its stem is that of its contract")
    if missing := [rule for rule in rules if rule not in files]:
        rule = missing[0].partition(".")[2]
        raise JusticeError(f"rule {rule} has no suite", f"write expectations/check/{rule}.json: severity, reason, date")
    suites = [_load_table(contract, files.get(name)) for name, contract in sorted(tables.items())]
    suites += [_load_rule(rule, files[rule]) for rule in rules]
    return {suite.name: suite for suite in suites}


def _load_table(contract: Contract, path: Path | None) -> Suite:
    basics = derive_basics(contract)
    written = _read(path, contract.name).expectations if path else []
    for expectation in written:
        if why := _find_fault(contract, basics, expectation):
            raise JusticeError(f"{path}: {expectation.name}: {why}", "mend or remove it")
    gate: Gate = "file" if contract.schema == "tidy" else "publication"
    return Suite(contract.name, gate, (*basics, *written))


def _find_fault(contract: Contract, basics: list[Expectation], expectation: Expectation) -> str | None:
    """Why an expectation may not be written of a table; None if it may."""
    if contract.repeats:
        return f"{contract.name} repeats another table: expect it of the table that it shows, whose rows are looked at"
    if not expectation.is_row_wise:
        return "what is expected of a table as a whole follows from its contract"
    if absent := [name for name in expectation.columns if name not in contract.columns]:
        return f"{contract.name} has no {', '.join(absent)}"
    known = [(basic.type, basic.columns) for basic in basics]
    return "its contract says so already" if (expectation.type, expectation.columns) in known else None


def _load_rule(name: str, path: Path) -> Suite:
    file = _read(path, name)
    if file.meta is None:
        raise JusticeError(f"{path} does not say its gate", 'add "meta": {"gate": "file"} or "publication"')
    return Suite(name, file.meta.gate, tuple(file.expectations))


def _read(path: Path, name: str) -> SuiteFile:
    try:
        file = SuiteFile.model_validate(read_json(path))
    except ValidationError as error:
        raise JusticeError(f"{path} is not a valid suite: {error}", "mend the file") from error
    names = Counter(expectation.name for expectation in file.expectations)
    problems = [
        *(f"{e.type} is not known" for e in file.expectations if e.type not in (*ROW_WISE, *WHOLE)),
        *(f"{e.name} has no date" for e in file.expectations if e.meta.set_on is None),
        *(f"{e.name} lets a share of the rows off" for e in file.expectations if "mostly" in e.kwargs),
        *(f"{e} stands twice" for e, count in names.items() if count > 1),
        *([f"it is called {file.name!r}"] if file.name != name else []),
    ]
    if problems:
        raise JusticeError(f"{path}: {problems[0]}", f"expected a suite called {name} of expectations that we know")
    return file


def describe_suite(suite: Suite) -> str:
    """A text that changes with anything that the suite says."""
    return json.dumps([expectation.model_dump(mode="json") for expectation in suite.expectations], sort_keys=True)
