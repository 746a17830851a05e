"""Contracts name defined fields only, and DuckDB takes what they declare."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from etl import contracts as module
from etl.contracts import Contract, contracts, fields, literal, quote
from etl.errors import JusticeError
from etl.reading import tidy_schema
from etl.settings import project_root
from etl.sources import declared_sources

CONTRACTS = pytest.mark.parametrize("name", sorted(contracts()))


@pytest.fixture
def schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a contract of its own."""
    folder = tmp_path / "schemas"
    (folder / "core").mkdir(parents=True)
    (folder / "fields.yml").write_text(
        'area_code: {title: Area, type: VARCHAR, description: "The area\'s code."}\n'
        "offences: {title: Offences, type: BIGINT, description: Counts.}\n"
        "period_end: {title: End, type: DATE, description: Last day.}\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    fields.cache_clear()
    contracts.cache_clear()
    yield folder
    fields.cache_clear()
    contracts.cache_clear()


def _declare(folder: Path, text: str) -> Contract:
    (folder / "core" / "thing.yml").write_text(text, encoding="utf-8")
    contracts.cache_clear()
    return contracts()["core.thing"]


# --- the project's own ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(name for name in contracts() if not name.startswith("check.")))
def test_duckdb_takes_every_table_with_its_types_and_comments(name: str) -> None:
    contract = contracts()[name]
    connection = duckdb.connect()
    connection.execute(f"CREATE SCHEMA {contract.schema}")
    if contract.view:
        selected = ", ".join(f"NULL::{field.type} AS {quote(column)}" for column, field in contract.columns.items())
        connection.execute(f"CREATE VIEW {contract.name} AS SELECT {selected}")
    else:
        connection.execute(contract.create())
    for comment in contract.comments():
        connection.execute(comment)
    found = connection.execute(
        "SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns() "
        "WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
        [contract.schema, contract.table],
    ).fetchall()
    assert [row[0] for row in found] == list(contract.columns)
    for column, type_, is_nullable, comment in found:
        field = contract.columns[column]
        wanted = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(field.type, field.type)
        assert (type_, comment) == (wanted, field.description)
        if not contract.view:
            assert is_nullable == (column in contract.nullable and column not in contract.key)
    connection.close()


@CONTRACTS
def test_keys_are_columns_that_are_never_null(name: str) -> None:
    contract = contracts()[name]
    assert set(contract.key) <= set(contract.columns)
    assert not set(contract.key) & contract.nullable
    assert len(contract.key) == len(set(contract.key))
    assert contract.description.endswith(".")


def test_types_follow_from_names() -> None:
    """Codes and ids are text, days are dates, counts are whole, shares and rates are doubles."""
    for name, field in fields().items():
        if name.endswith(("_code", "_id", "_marker", "_key", "_column")):
            assert field.type == "VARCHAR", name
        elif name.endswith(("_on", "_start", "_end")):
            assert field.type == "DATE", name
        elif name.endswith("_at"):
            assert field.type == "TIMESTAMPTZ", name
        elif name.endswith(("_percent", "_points", "_per_1000")):
            assert field.type == "DOUBLE", name


def test_every_field_is_described() -> None:
    for name, field in fields().items():
        assert field.title and field.description.endswith("."), name
        assert name == name.casefold()


@pytest.mark.parametrize("source", sorted(declared_sources()))
def test_every_tidy_table_of_a_source_has_a_contract(source: str) -> None:
    for table in declared_sources()[source].tidy:
        schema = tidy_schema(table)
        # A line of several figures has a column for each.
        columns = [name for name in schema.names if name == "column" or name.endswith("_column")]
        assert {"sheet", "row"} <= set(schema.names)
        assert columns
        assert schema.field("row").type == pa.int32()
        # An edition may lack a figure altogether: then it has no column either.
        missable = {"reoffences_column"}
        assert not any(schema.field(name).nullable for name in {"sheet", "row", *columns} - missable)


def test_contracts_lie_where_their_schema_is() -> None:
    known = {"tidy", "ref", "core", "mart", "meta", "check"}
    assert {contract.schema for contract in contracts().values()} <= known
    for contract in contracts().values():
        assert (project_root() / "schemas" / contract.schema / f"{contract.table}.yml").is_file()


def test_a_field_refers_to_the_key_of_a_published_table() -> None:
    for name, field in fields().items():
        if field.references:
            table, _, column = field.references.rpartition(".")
            target = contracts()[table]
            assert target.key == (column,), name
            assert target.is_feed and "csv" in target.formats, name


def test_reference_data_and_marts_are_published_and_figures_and_times_are_not() -> None:
    published = {name for name, contract in contracts().items() if contract.is_feed}
    assert {"ref.area", "mart.crime_trend", "mart.crime_trend_history", "meta.release", "meta.field"} <= published
    assert {name.split(".")[0] for name in published} == {"mart", "meta", "ref"}
    assert not {"meta.run", "meta.observation", "meta.release_calendar"} & published
    assert not [contract.name for contract in contracts().values() if contract.view and contract.is_feed]


def test_a_history_is_published_in_one_format_and_a_small_table_in_three() -> None:
    assert contracts()["mart.crime_trend_history"].formats == ("parquet",)
    assert contracts()["mart.crime_trend"].formats == ("parquet", "csv")
    assert contracts()["ref.area"].formats == ("parquet", "csv", "json")
    assert contracts()["core.recorded_crime"].formats == ()
    for contract in contracts().values():
        assert not contract.small or (contract.is_feed and not contract.is_history), contract.name


def test_times_of_runs_are_not_published() -> None:
    file = contracts()["meta.file"]
    assert set(file.columns) - set(file.feed_columns) == {"landed_at", "landed_by"}
    assert file.title == "File"
    assert contracts()["mart.crime_trend"].title == "Crime trend"


def test_offences_have_levels_of_their_own() -> None:
    level = contracts()["ref.offence"].columns["level"]
    assert level.allowed == ("total", "group", "subgroup", "offence")
    assert level.description.startswith("Level of the offence: ")
    levels = {
        name: contract.columns["level"].allowed for name, contract in contracts().items() if "level" in contract.columns
    }
    assert [name for name, allowed in levels.items() if "total" in allowed] == ["ref.offence"]


# --- what a contract does ------------------------------------------------------------------------------


def test_a_contract_becomes_a_table(schemas: Path) -> None:
    contract = _declare(
        schemas,
        "description: Things.\ncolumns: [area_code, period_end, offences]\nkey: [area_code, period_end]\n"
        "nullable: [offences]\n",
    )
    assert contract.order == '"area_code", "period_end"'
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA core")
    connection.execute(contract.create())
    for comment in contract.comments():
        connection.execute(comment)
    connection.execute("INSERT INTO core.thing VALUES ('E23000014', DATE '2018-03-31', NULL)")
    with pytest.raises(duckdb.ConstraintException):
        connection.execute("INSERT INTO core.thing VALUES ('E23000014', DATE '2018-03-31', 5)")
    with pytest.raises(duckdb.ConstraintException):
        connection.execute("INSERT INTO core.thing VALUES (NULL, DATE '2018-03-31', 5)")
    [(comment,)] = connection.execute(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'thing' AND column_name = 'area_code'"
    ).fetchall()
    assert comment == "The area's code."
    connection.close()


def test_a_contract_refers_to_keys_of_others_and_not_to_its_own(schemas: Path) -> None:
    path = schemas / "fields.yml"
    text = path.read_text(encoding="utf-8").replace("VARCHAR,", "VARCHAR, references: core.area.area_code,")
    path.write_text(text, encoding="utf-8")
    fields.cache_clear()
    (schemas / "core" / "area.yml").write_text("description: x.\ncolumns: [area_code]\n", encoding="utf-8")
    columns = "description: x.\ncolumns: [area_code, offences]\n"
    assert _declare(schemas, columns).references == {"area_code": ("core.area", "area_code")}
    assert contracts()["core.area"].references == {}
    assert _declare(schemas, f"{columns}unreferenced: [area_code]\n").references == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("description: x.\ncolumns: [area_code, offence]\n", "offence"),
        ("description: x.\ncolumns: [area_code]\nkey: [period_end]\n", "period_end"),
        ("description: x.\ncolumns: [area_code]\nnullable: [offences]\n", "offences"),
        ("description: x.\ncolumns: [area_code]\nrun_times: [offences]\n", "offences"),
        ("description: x.\ncolumns: [area_code]\nunreferenced: [offences]\n", "offences"),
    ],
)
def test_an_undefined_field_is_named_with_its_file(schemas: Path, text: str, named: str) -> None:
    with pytest.raises(JusticeError) as caught:
        _declare(schemas, text)
    assert f"{named} is not defined" in caught.value.what
    assert "thing.yml" in caught.value.what
    assert "fields.yml" in caught.value.next_step


def test_a_misspelt_key_of_a_contract_is_refused(schemas: Path) -> None:
    with pytest.raises(ValueError, match="nulable"):
        _declare(schemas, "description: x.\ncolumns: [area_code]\nnulable: [area_code]\n")


@pytest.mark.parametrize("text", ["plain", "it's", "''", 'a"b', "; DROP TABLE x; --", "é\n"])
def test_texts_and_names_are_safe_in_sql(text: str) -> None:
    connection = duckdb.connect()
    assert connection.execute(f"SELECT {literal(text)} AS {quote(text)}").fetchall() == [(text,)]
    assert connection.execute(f"SELECT 1 AS {quote(text)}").description[0][0] == text  # type: ignore[index]
    connection.close()


def test_a_column_can_be_defined_by_a_field_of_another_name(schemas: Path) -> None:
    contract = _declare(schemas, "description: Things.\ncolumns: [area_code]\ndefined_as: {area_code: offences}\n")
    assert (list(contract.columns), contract.columns["area_code"].title) == (["area_code"], "Offences")


@pytest.mark.parametrize(
    ("defined_as", "named"), [("{area_code: nothing}", "nothing"), ("{period_end: offences}", "period_end")]
)
def test_a_definition_that_is_not_there_or_of_no_column_is_refused(schemas: Path, defined_as: str, named: str) -> None:
    with pytest.raises(JusticeError, match=f"{named} is not defined"):
        _declare(schemas, f"description: Things.\ncolumns: [area_code]\ndefined_as: {defined_as}\n")
