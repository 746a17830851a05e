"""Contracts: what each table holds, from `schemas/`, turned into types, DDL, keys and comments.

`schemas/fields.yml` defines every field once. `schemas/<schema>/<table>.yml` names the fields of a table in
their order, its key, which may be null, and which hold times of runs (left out of content hashes); `defined_as`
(column → field) says by which field a column is defined whose name means something else in most tables. The feeds of
a version (`etl.feeds`) are made from contracts alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from etl.errors import JusticeError
from etl.files import read_yaml
from etl.settings import project_root

if TYPE_CHECKING:
    import pyarrow as pa


HISTORY = "_history"
"""What the name of a history ends in, after that of its table."""

_FED_SCHEMAS = ("mart", "meta", "ref")
_OWN_SCHEMAS = ("check", "tidy")
"""Schemas of what is not in the warehouse: nothing there refers to a table of it."""


class Field(BaseModel):
    """One field: a column of this name means the same in every table, but where its contract says `defined_as`.

    Attributes:
        title: what a heading calls it.
        type: its type in DuckDB.
        description: what it means, in which unit.
        allowed: all values of a text, if listed.
        references: the column of a key that its values are from, as `schema.table.column`; a table where they are
            not always names the field under `unreferenced`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    type: str
    description: str
    allowed: tuple[str, ...] = ()
    references: str | None = None


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    columns: list[str]
    key: list[str] = []
    nullable: list[str] = []
    run_times: list[str] = []
    unhashed: bool = False
    unindexed: bool = False
    view: bool = False
    small: bool = False
    unreferenced: list[str] = []
    defined_as: dict[str, str] = {}


@dataclass(frozen=True)
class Contract:
    """What a table holds.

    Attributes:
        schema: `tidy`, `ref`, `core`, `mart` or `meta`.
        table: its name within the schema.
        columns: the fields by name, in order.
        key: the columns that are unique together; rows are stored in this order.
        nullable: columns that may be null.
        run_times: columns that hold times of runs, which content hashes leave out.
        unhashed: a table of what was seen and when, left out of content hashes altogether.
        unindexed: a table of millions of lines whose key is checked once and not kept as an index.
        view: whether it is a view, not a table.
        small: a table of a few thousand lines at most, which is published as JSON too; declared, so that an address
            never comes and goes with the number of lines.
        unreferenced: columns whose values are not always in the table that their field refers to.
    """

    schema: str
    table: str
    description: str
    columns: dict[str, Field]
    key: tuple[str, ...]
    nullable: frozenset[str]
    run_times: frozenset[str]
    unhashed: bool
    unindexed: bool
    view: bool
    small: bool
    unreferenced: frozenset[str]

    @property
    def name(self) -> str:
        """`schema.table`."""
        return f"{self.schema}.{self.table}"

    @property
    def is_history(self) -> bool:
        """Whether it holds every line that its table ever held, with the time for which it did."""
        return self.table.endswith(HISTORY)

    @property
    def repeats(self) -> bool:
        """Whether its lines are those of another table, where those that hold now are judged."""
        return self.view or self.is_history

    @property
    def title(self) -> str:
        """What a heading calls it: its name in words."""
        return self.table.replace("_", " ").capitalize()

    @property
    def is_feed(self) -> bool:
        """Whether it is published as files: reference data, marts, and what is known of the version but its times."""
        return self.schema in _FED_SCHEMAS and not self.unhashed and not self.view

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats in which it is published, by their suffix; of a history, with its millions of lines, one."""
        if not self.is_feed:
            return ()
        return ("parquet", *(() if self.is_history else ("csv",)), *(("json",) if self.small else ()))

    def feed_path(self, suffix: str) -> str:
        """Where it lies in `feeds/` of a version in one of its formats."""
        return f"{self.schema}/{self.table}.{suffix}"

    @property
    def feed_columns(self) -> dict[str, Field]:
        """The columns that are published as files: all but times of runs, which would change unchanged files."""
        return {name: field for name, field in self.columns.items() if name not in self.run_times}

    @property
    def references(self) -> dict[str, tuple[str, str]]:
        """Column → the table (`schema.table`) and the column of its key that each value which is not null is from."""
        if self.schema in _OWN_SCHEMAS:
            return {}
        found = {}
        for name, field in self.columns.items():
            table, _, column = (field.references or "").rpartition(".")
            if table and name not in self.unreferenced and (table, column) != (self.name, name):
                found[name] = (table, column)
        return found

    def create(self) -> str:
        """The statement that creates the table with types, key and not-null."""
        lines = [
            f"{quote(name)} {field.type}{'' if name in self.nullable else ' NOT NULL'}"
            for name, field in self.columns.items()
        ]
        if self.key and not self.unindexed:
            lines.append(f"PRIMARY KEY ({self.order})")
        return f"CREATE TABLE {self.name} ({', '.join(lines)})"

    def comments(self) -> list[str]:
        """The statements that comment the table, or view, and its columns."""
        kind = "VIEW" if self.view else "TABLE"
        return [
            f"COMMENT ON {kind} {self.name} IS {literal(self.description)}",
            *(
                f"COMMENT ON COLUMN {self.name}.{quote(name)} IS {literal(field.description)}"
                for name, field in self.columns.items()
            ),
        ]

    @property
    def order(self) -> str:
        """The key as a list of SQL identifiers: the order in which rows are stored and hashed."""
        return ", ".join(quote(name) for name in self.key)


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@cache
def fields() -> dict[str, Field]:
    """Every field by name."""
    content = read_yaml(project_root() / "schemas" / "fields.yml")
    return {name: Field.model_validate(field) for name, field in content.items()}


@cache
def contracts() -> dict[str, Contract]:
    """Every contract by `schema.table`.

    Raises:
        JusticeError: a contract names a field that `schemas/fields.yml` does not define.
    """
    paths = sorted((project_root() / "schemas").glob("*/*.yml"))
    loaded = [_load(path) for path in paths]
    return {contract.name: contract for contract in loaded}


def _load(path: Path) -> Contract:
    declared = _Declared.model_validate(read_yaml(path))
    known = fields()
    # Offences have levels as areas have: one name, two meanings, and queries of both call it `level`.
    definitions = {name: declared.defined_as.get(name, name) for name in declared.columns}
    unknown = [name for name in definitions.values() if name not in known]
    named = {*declared.key, *declared.nullable, *declared.run_times, *declared.unreferenced, *declared.defined_as}
    if unknown or not named <= set(declared.columns):
        raise JusticeError(
            f"{path}: {', '.join(unknown or sorted(named - set(declared.columns)))} is not defined",
            "define the field in schemas/fields.yml and name it under columns",
        )
    return Contract(
        schema=path.parent.name,
        table=path.stem,
        description=declared.description,
        columns={name: known[definition] for name, definition in definitions.items()},
        key=tuple(declared.key),
        nullable=frozenset(declared.nullable),
        run_times=frozenset(declared.run_times),
        unhashed=declared.unhashed,
        unindexed=declared.unindexed,
        view=declared.view,
        small=declared.small,
        unreferenced=frozenset(declared.unreferenced),
    )


def arrow_schema(name: str) -> pa.Schema:
    """The Arrow schema of a table, from its contract.

    Args:
        name: `schema.table`.
    """
    import pyarrow as pa

    types = {
        "VARCHAR": pa.string(),
        "DOUBLE": pa.float64(),
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "DATE": pa.date32(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    }
    contract = contracts()[name]
    return pa.schema(
        [
            pa.field(name, types[field.type], nullable=name in contract.nullable)
            for name, field in contract.columns.items()
        ]
    )
