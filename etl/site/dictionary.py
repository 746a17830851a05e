"""The dictionary: a page for every table, and all of it as JSON.

It is made from contracts and models alone: no figure is in it, so that it changes only where a table does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from etl.contracts import HISTORY, Contract, Field, contracts
from etl.files import read_yaml
from etl.models import published_contracts
from etl.site.column_lineage import Origin, Source, read_lineage
from etl.site.frame import Site
from etl.site.words import MARKERS, REASONS

SCHEMAS = {
    "mart": "What analysts and dashboards ask for: trends, rankings, series, revisions and claims.",
    "core": "Figures as they were published, of every release; each knows its file, sheet, row and column.",
    "ref": "What figures are told apart by: areas, offences, populations, breaks of series.",
    "meta": "What is known of this version itself: releases, files, checks, columns.",
}
"""The schemas of the warehouse in the order in which people want them, and what each holds."""

_EXAMPLES = Path(__file__).with_name("examples.yml")

_UNITS = (
    ("_percent", "percent"),
    ("_points", "percentage points"),
    ("_per_1000", "per 1,000 residents"),
    ("_pounds", "pounds"),
    ("_seconds", "seconds"),
)
_UNITS_OF_NAMES = {
    "bytes": "bytes",
    "mid_year": "calendar year",
    "population_mid_year": "calendar year",
    "vintage": "calendar year",
    "cohort_year": "calendar year",
    "row": "row, counted from 1",
    "position": "place, 1 first",
    "fineness": "order, higher is finer",
    "http_status": "HTTP status",
    "observation_number": "number of the observation",
    "population": "residents",
    "z": "standard errors",
    "design_effect": "factor on the variance",
    "rankability": "share, 0 to 1",
    "bound_low": "rank, 1 is the first",
    "bound_high": "rank, 1 is the first",
    "expected_rank": "rank, 1 is the first",
    "ranked_areas": "areas",
    "indistinguishable_areas": "areas",
}
_UNITS_OF_TYPES = {
    "BIGINT": "count",
    "DATE": "day",
    "TIMESTAMPTZ": "moment, with its offset",
    "BOOLEAN": "true or false",
    "DOUBLE": "see the definition",
    "INTEGER": "see the definition",
    "VARCHAR": "text",
}


class Example(BaseModel):
    """A question that a table answers, and the query that asks it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    sql: str


@dataclass(frozen=True)
class ColumnEntry:
    """A column as the dictionary tells of it.

    Attributes:
        name, title, type, unit, description: what it is.
        nullable: whether it may be null.
        allowed: all values that it may have, each with its meaning ("" where the value says it itself).
        refers_to: the column of a key that its values are from; None where there is none.
        also_in: the other published tables that have a column of this name, where it means the same.
        origin: what it is made from.
    """

    name: str
    title: str
    type: str
    unit: str
    description: str
    nullable: bool
    allowed: dict[str, str]
    refers_to: Source | None
    also_in: tuple[str, ...]
    origin: Origin

    @property
    def is_reason(self) -> bool:
        """Whether it says by a code why something is null."""
        return self.name.endswith("reason") and any(code in self.description for code in REASONS)


@dataclass(frozen=True)
class TableEntry:
    """A table as the dictionary tells of it.

    Attributes:
        contract: what it holds.
        model: the file that makes it, as `warehouse/<schema>/<file>`.
        columns: in order.
        inputs: the tables that it is made from.
        users: the published tables that are made from it.
        history: the table of the same lines as they stood at any time; None where there is none.
        examples: queries.
    """

    contract: Contract
    model: str
    columns: tuple[ColumnEntry, ...]
    inputs: tuple[str, ...]
    users: tuple[str, ...]
    history: str | None
    examples: tuple[Example, ...]

    @property
    def name(self) -> str:
        """`schema.table`."""
        return self.contract.name

    @property
    def kind(self) -> str:
        """`table`, `view` or `history`."""
        if self.contract.is_history:
            return "history"
        return "view" if self.contract.view else "table"

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"dictionary/{self.contract.schema}/{self.contract.table}.html"


def write_dictionary(site: Site) -> None:
    """Write the list of tables, a page of each, and all of it as JSON.

    Args:
        site: where to.
    """
    entries = list_entries()
    by_schema = {schema: [entry for entry in entries if entry.contract.schema == schema] for schema in SCHEMAS}
    read = [contract for contract in contracts().values() if contract.schema == "tidy"]
    site.write_page(
        "dictionary/index.html", "dictionary.html", by_schema=by_schema, about=SCHEMAS, read=sorted_by_name(read)
    )
    for entry in entries:
        site.write_page(entry.path, "dictionary_table.html", table=entry, group_sources=group_sources)
    site.write_json("dictionary/index.json", make_json(entries))


@cache
def list_entries() -> tuple[TableEntry, ...]:
    """Every published table, by schema as people want them and by name; made once a process."""
    lineage = read_lineage()
    published = published_contracts()
    inputs = {contract.name: tuple(lineage.list_inputs(contract.name)) for contract in published}
    tables_with = _find_tables_by_column(published)
    examples = read_examples()
    entries = [
        TableEntry(
            contract=contract,
            model=lineage.locate(contract.name),
            columns=tuple(_describe_column(contract, name, tables_with[name]) for name in contract.columns),
            inputs=inputs[contract.name],
            users=tuple(name for name, used in inputs.items() if contract.name in used),
            history=_find_history(contract),
            examples=tuple(examples.get(contract.name, ())),
        )
        for contract in published
    ]
    return tuple(sorted(entries, key=lambda entry: (list(SCHEMAS).index(entry.contract.schema), entry.name)))


def read_examples() -> dict[str, list[Example]]:
    """The example queries by table."""
    return TypeAdapter(dict[str, list[Example]]).validate_python(read_yaml(_EXAMPLES))


def sorted_by_name(found: Iterable[Contract]) -> list[Contract]:
    """Contracts in the order of their names."""
    return sorted(found, key=lambda contract: contract.name)


def _find_tables_by_column(published: list[Contract]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for contract in published:
        for name in contract.columns:
            found.setdefault(name, []).append(contract.name)
    return found


def _find_history(contract: Contract) -> str | None:
    name = contract.name + HISTORY
    return name if name in contracts() else None


def _describe_column(contract: Contract, name: str, tables: list[str]) -> ColumnEntry:
    field = contract.columns[name]
    refers_to = contract.references.get(name)
    return ColumnEntry(
        name=name,
        title=field.title,
        type=field.type,
        unit=describe_unit(name, field),
        description=field.description,
        nullable=name in contract.nullable,
        allowed={value: MARKERS.get(value) or REASONS.get(value) or "" for value in field.allowed},
        refers_to=Source(*refers_to) if refers_to else None,
        also_in=tuple(table for table in tables if table != contract.name),
        origin=read_lineage().trace(contract.name, name),
    )


def describe_unit(name: str, field: Field) -> str:
    """The unit of a column, which its name and type tell."""
    if name in _UNITS_OF_NAMES:
        return _UNITS_OF_NAMES[name]
    if field.type == "VARCHAR":
        return "code" if field.allowed or name.endswith(("_code", "_id", "_marker")) else "text"
    for end, unit in _UNITS:
        if name.endswith(end):
            return unit
    if name.startswith("rank"):
        return "rank, 1 is the first"
    return _UNITS_OF_TYPES[field.type]


def group_sources(sources: Iterable[Source]) -> dict[str, list[str]]:
    """Sources by table: table → columns; no column where the table stands as a whole."""
    found: dict[str, list[str]] = {}
    for source in sources:
        columns = found.setdefault(source.table, [])
        if source.column:
            columns.append(source.column)
    return found


def make_json(entries: Iterable[TableEntry]) -> dict[str, Any]:
    """The dictionary as its JSON file holds it: schemas/site/dictionary.schema.json."""
    return {
        "schemas": [{"schema": schema, "description": about} for schema, about in SCHEMAS.items()],
        "markers": MARKERS,
        "reasons": REASONS,
        "tables": [_make_table_json(entry) for entry in entries],
    }


def _make_table_json(entry: TableEntry) -> dict[str, Any]:
    contract = entry.contract
    return {
        "table": entry.name,
        "title": contract.title,
        "kind": entry.kind,
        "description": contract.description,
        "page": entry.path.removeprefix("dictionary/"),
        "key": list(contract.key),
        "formats": list(contract.formats),
        "history": entry.history,
        "model": entry.model,
        "made_from": list(entry.inputs),
        "used_by": list(entry.users),
        "columns": [_make_column_json(column) for column in entry.columns],
        "examples": [example.model_dump() for example in entry.examples],
    }


def _make_column_json(column: ColumnEntry) -> dict[str, Any]:
    return {
        "name": column.name,
        "title": column.title,
        "type": column.type,
        "unit": column.unit,
        "description": column.description,
        "nullable": column.nullable,
        "allowed": list(column.allowed),
        "refers_to": column.refers_to.name if column.refers_to else None,
        "made_from": [source.name for source in column.origin.nearest],
        "first_from": [source.name for source in column.origin.first],
        "computed_by": list(column.origin.programs),
    }
