"""The models and checks of `warehouse/`: which there are, what each rests on, and how one is run.

A model is one table: `<schema>/<stem>.sql` (one SELECT) or, where statistics need Python, `<stem>.py` with
`INPUTS` and `build(connection, cache) -> pyarrow.Table`, where `cache` is a file of the model's own to keep what is
dear to compute. What an SQL model rests on is read from its SQL. A check is `check/<rule>.sql`: one SELECT of what
breaks the rule, in the columns of `schemas/check/violation.yml`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import ModuleType

import duckdb

from etl.contracts import Contract, contracts, quote
from etl.errors import JusticeError
from etl.settings import project_root
from etl.violations import Violation

PUBLISHED_SCHEMAS = ("ref", "core", "mart", "meta")
WORK_SCHEMA = "work"
CHECK_SCHEMA = "check"


@dataclass(frozen=True)
class Model:
    """A model: its name (`schema.stem`), its file and the models that it rests on."""

    name: str
    path: Path
    inputs: frozenset[str]

    @property
    def contract(self) -> Contract | None:
        """What the published table must hold; None for a work table."""
        return contracts().get(self.name)

    @property
    def is_check(self) -> bool:
        """Whether it gives violations of a rule instead of a table."""
        return self.name.startswith(f"{CHECK_SCHEMA}.")


def find_models(root: Path | None = None) -> list[Model]:
    """All models and checks in an order in which each comes after what it rests on; ties by name.

    Args:
        root: the folder that holds the schemas' folders; the project's `warehouse/` when None.

    Raises:
        JusticeError: two models rest on each other.
    """
    root = root or project_root() / "warehouse"
    paths = {
        f"{path.parent.name}.{path.stem}": path
        for schema in (*PUBLISHED_SCHEMAS, WORK_SCHEMA, CHECK_SCHEMA)
        for path in sorted((root / schema).glob("*"))
        if path.suffix in (".sql", ".py")
    }
    inputs = {name: _read_inputs(path) & set(paths) for name, path in paths.items()}
    sorter = TopologicalSorter({name: sorted(inputs[name]) for name in sorted(inputs)})
    try:
        order = list(sorter.static_order())
    except CycleError as error:
        raise JusticeError(f"models rest on each other: {' → '.join(error.args[1])}", "cut the circle") from error
    return [Model(name, paths[name], frozenset(inputs[name])) for name in order]


def _read_inputs(path: Path) -> set[str]:
    if path.suffix == ".py":
        return set(load_module(path).INPUTS)
    import sqlglot

    try:
        return set(_list_joined(path.read_text(encoding="utf-8")))
    except sqlglot.errors.SqlglotError as error:
        raise JusticeError(f"{path} is not SQL: {error}", "mend the model") from error


@cache
def _list_joined(sql: str) -> frozenset[str]:
    """The tables that SQL names after FROM and JOIN; a build asks for them four times."""
    import sqlglot

    # Tokens are enough, and a hundred times faster than a syntax tree: models join by FROM and JOIN alone.
    tokens = [token.text for token in sqlglot.tokenize(sql, dialect="duckdb")]
    return frozenset(
        f"{schema}.{name}"
        for word, schema, dot, name in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False)
        if word.upper() in ("FROM", "JOIN") and dot == "."
    )


def load_module(path: Path) -> ModuleType:
    """A Python model, loaded from its file."""
    spec = importlib.util.spec_from_file_location(f"warehouse_{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise JusticeError(f"{path} cannot be loaded", "is it a Python file?")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_model(connection: duckdb.DuckDBPyConnection, model: Model, cache: Path | None = None) -> None:
    """Make the table of one model; a published one with the types, key and order of its contract.

    Args:
        connection: the warehouse that is built.
        model: the model.
        cache: the folder in which Python models may keep what is dear to compute.

    Raises:
        JusticeError: the model's columns are not those of its contract, a key is not unique, a value that
            must not be null is, or the SQL fails.
    """
    try:
        if model.path.suffix == ".py":
            own = cache / f"{model.name}.parquet" if cache else None
            connection.register("built", load_module(model.path).build(connection, own))
            _store(connection, model, "SELECT * FROM built")
            connection.unregister("built")
        else:
            _store(connection, model, model.path.read_text(encoding="utf-8"))
    except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException):
        raise  # the disk, not the model
    except duckdb.Error as error:
        place = f"{model.path.parent.name}/{model.path.name}"
        raise JusticeError(
            f"model {model.name} failed: {error}",
            f"look at warehouse/{place} and schemas/{model.name.replace('.', '/')}.yml",
        ) from error


def run_check(connection: duckdb.DuckDBPyConnection, model: Model) -> list[Violation]:
    """What breaks a rule, in a total order.

    Args:
        connection: the warehouse that is built; what the rule rests on is there.
        model: the check.

    Raises:
        JusticeError: the check does not give the columns of a violation, or its SQL fails.
    """
    rule = model.path.stem
    names = [field.name for field in fields(Violation) if field.name != "rule"]
    columns = ", ".join(quote(name) for name in names)
    try:
        result = connection.execute(f"SELECT {columns} FROM ({model.path.read_text(encoding='utf-8')}) ORDER BY ALL")
    except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException):
        raise  # the disk, not the check
    except duckdb.Error as error:
        what = f"check {rule} failed: {error}"
        raise JusticeError(
            what, f"look at warehouse/check/{model.path.name} and schemas/check/violation.yml"
        ) from error
    return [Violation(rule, *row) for row in result.fetchall()]


def _store(connection: duckdb.DuckDBPyConnection, model: Model, query: str) -> None:
    contract = model.contract
    schema = model.name.split(".")[0]
    if contract is None and schema == WORK_SCHEMA:
        connection.execute(f"CREATE TABLE {model.name} AS {query}")
        return
    if contract is None:
        raise JusticeError(f"{model.name} has no contract", f"write schemas/{model.name.replace('.', '/')}.yml")
    found = [row[0] for row in connection.execute(f"DESCRIBE {query}").fetchall()]
    if sorted(found) != sorted(contract.columns):
        missing = sorted(set(contract.columns) - set(found))
        extra = sorted(set(found) - set(contract.columns))
        raise JusticeError(
            f"{model.name} does not give the columns of its contract: missing {missing}, not expected {extra}",
            f"change warehouse/{model.name.replace('.', '/')} or its contract",
        )
    columns = ", ".join(quote(name) for name in contract.columns)
    if contract.view:
        connection.execute(f"CREATE VIEW {contract.name} AS SELECT {columns} FROM ({query})")
    else:
        connection.execute(contract.create())
        rows = f"SELECT {columns} FROM ({query}) AS model ORDER BY {contract.order}"
        connection.execute(f"INSERT INTO {contract.name} ({columns}) {rows}")
        if contract.unindexed and not contract.is_history:  # check.history_consistent finds doubles of those
            _refuse_doubles(connection, contract)
    for comment in contract.comments():
        connection.execute(comment)


def _refuse_doubles(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """The check of a key that is not kept as an index."""
    double = connection.execute(
        f"SELECT {contract.order} FROM {contract.name} GROUP BY {contract.order} HAVING count(*) > 1 "
        f"ORDER BY {contract.order} LIMIT 1"
    ).fetchone()
    if double:
        key = "|".join(str(value) for value in double)
        raise JusticeError(
            f"{contract.name} holds {key} more than once", f"mend warehouse/{contract.name.replace('.', '/')}"
        )


def published_contracts() -> list[Contract]:
    """The contracts of what is published, in the order of their names."""
    found: Iterable[Contract] = (c for c in contracts().values() if c.schema in PUBLISHED_SCHEMAS)
    return sorted(found, key=lambda contract: contract.name)
