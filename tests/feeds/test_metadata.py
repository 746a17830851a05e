"""What feeds say of themselves holds: other people's validators read it, and refuse what is broken."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from csvw import CSVW, TableGroup
from frictionless import validate

from etl.contracts import Contract, contracts, quote
from etl.feed_metadata import CSVW_OF_ALL, DATA_PACKAGE, make_table_schema
from etl.feeds import fed_contracts, write_feeds
from etl.files import read_json
from etl.models import published_contracts
from tests.feeds.made import BUILT_AT, VERSION, fill

SMALL = [contract.name for contract in fed_contracts() if contract.small]
REFERRING = [contract for contract in published_contracts() if contract.references]


def check_package(folder: Path, limit: int | None = None) -> list[str]:
    """What Frictionless finds wrong: types, constraints, keys, bytes and hashes."""
    report = validate(str(folder / DATA_PACKAGE), limit_rows=limit)
    errors = [*report.errors, *(error for task in report.tasks for error in task.errors)]
    return [f"{error.type}: {error.message}" for error in errors]


def check_group(folder: Path, tables: list[str] | None = None) -> bool:
    """Whether CSV on the Web's reader takes every cell and key of the tables (all when None)."""
    group = TableGroup.from_file(folder / CSVW_OF_ALL)
    if tables is not None:
        paths = {f"{name.replace('.', '/')}.csv" for name in tables}
        group.tables = [table for table in group.tables if str(table.url) in paths]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keys = [table.check_primary_key() for table in group.tables]
        return all(keys) and bool(group.check_referential_integrity())


@pytest.fixture
def own_feeds(made_feeds: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return shutil.copytree(made_feeds, tmp_path / "feeds")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode("utf-8")
    assert text.count(old) == 1
    path.write_bytes(text.replace(old, new).encode("utf-8"))


# --- validators ----------------------------------------------------------------------------------------------


def test_the_package_is_valid(made_feeds: Path) -> None:
    assert check_package(made_feeds) == []


def test_the_demo_s_package_is_valid(demo_feeds: Path) -> None:
    """The first thousand lines of each table; the test of pandas reads all of them."""
    assert check_package(demo_feeds, limit=1_000) == []


def test_csv_on_the_web_takes_every_table(made_feeds: Path) -> None:
    assert check_group(made_feeds)


def test_csv_on_the_web_takes_the_demo_s_small_tables(demo_feeds: Path) -> None:
    """Those that others refer to among them; the keys of large ones are asked of the warehouse below."""
    assert {"ref.area", "ref.offence", "meta.release", "ref.claim"} <= set(SMALL)
    assert check_group(demo_feeds, SMALL)


@pytest.mark.parametrize("which", ["made_feeds", "demo_feeds"])
def test_a_csv_is_described_beside_it(which: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(which)
    for path in ("ref/area.csv", "meta/release.csv"):
        read = CSVW(str(folder / f"{path}-metadata.json"), validate=True)
        assert read.is_valid
        assert [str(warning.message) for warning in read.warnings] == []


@pytest.mark.parametrize(
    ("path", "old", "new", "found"),
    [
        ("ref/area.csv", "31,E23000014", "31,E23000099", "foreign-key"),
        ("ref/area.csv", "2009-04-01", "1 April 2009", "type-error"),
        ("ref/area.csv", "E23000014,West", ",West", "constraint-error"),
        ("mart/crime_trend.csv", "[x]", "[?]", "constraint-error"),
    ],
)
def test_a_broken_table_is_found(own_feeds: Path, path: str, old: str, new: str, found: str) -> None:
    _replace(own_feeds / path, old, new)
    kinds = {problem.split(":")[0] for problem in check_package(own_feeds)}
    assert found in kinds
    assert "hash-count" in kinds


def test_csv_on_the_web_finds_a_broken_key(own_feeds: Path) -> None:
    _replace(own_feeds / "ref" / "area.csv", "31,E23000014", "31,E23000099")
    with pytest.raises(ValueError, match="E23000099"):
        check_group(own_feeds)


# --- what they say ---------------------------------------------------------------------------------------------


def test_a_table_schema_says_types_what_is_required_and_keys() -> None:
    schema = make_table_schema(contracts()["ref.area"])
    fields = {field["name"]: field for field in schema["fields"]}
    assert fields["starts_on"]["type"] == "date"
    assert fields["starts_on"]["constraints"] == {"required": False}
    assert fields["has_resident_rate"]["constraints"] == {"required": True}
    assert schema["primaryKey"] == ["area_code"]
    assert schema["foreignKeys"] == [
        {"fields": ["successor_code"], "reference": {"resource": "", "fields": ["area_code"]}}
    ]
    level = next(
        field for field in make_table_schema(contracts()["ref.area_level"])["fields"] if field["name"] == "level"
    )
    assert level["constraints"]["enum"][:3] == ["country", "region", "police_force"]


def test_the_package_names_sources_licence_and_that_it_is_modelled(made_feeds: Path) -> None:
    package: dict[str, Any] = read_json(made_feeds / DATA_PACKAGE)
    assert package["description"].startswith("MODELLED SAMPLE: ")
    assert [licence["name"] for licence in package["licenses"]] == ["OGL-UK-3.0"]
    assert package["sources"] == [
        {"title": "Ministry of Justice", "path": "https://www.gov.uk/government/statistics/cohorts"},
        {"title": "Office for National Statistics", "path": "https://www.ons.gov.uk/tables"},
    ]
    names = [resource["name"] for resource in package["resources"]]
    assert len(names) == len(set(names))
    assert {"ref.area", "ref.area.parquet", "ref.area.json", "mart.crime_trend_history.parquet"} <= set(names)


@pytest.mark.parametrize("is_modelled", [True, False])
def test_a_table_that_stands_alone_says_whether_it_is_modelled(tmp_path: Path, is_modelled: bool) -> None:
    """A table that marks its rows by those; any other (ref.area) by the releases of the version."""
    with duckdb.connect() as connection:
        fill(connection, history_rows=2)
        connection.execute(f"UPDATE mart.crime_trend SET is_modelled = {is_modelled} WHERE offences = 8")
        connection.execute(f"UPDATE meta.release SET is_modelled = {is_modelled} WHERE source = 'recorded_crime_ons'")
        write_feeds(connection, tmp_path, VERSION, BUILT_AT)
    package = {resource["path"]: resource for resource in read_json(tmp_path / DATA_PACKAGE)["resources"]}
    for name in ("mart.crime_trend", "meta.release", "ref.area"):
        path = contracts()[name].feed_path("csv")
        said = [
            read_json(tmp_path / f"{path}-metadata.json")["dc:description"],
            pq.read_schema(tmp_path / contracts()[name].feed_path("parquet")).metadata[b"description"].decode(),
            package[path]["description"],
        ]
        assert [text.startswith("MODELLED SAMPLE: ") for text in said] == [is_modelled] * 3, name
        assert all(text.endswith(contracts()[name].description) for text in said)
    # Its rows say that they are published, whatever else the version holds.
    ranked = read_json(tmp_path / "mart" / "reoffending_rank.csv-metadata.json")
    assert ranked["dc:description"] == contracts()["mart.reoffending_rank"].description


def test_csv_on_the_web_names_keys_and_licence(made_feeds: Path) -> None:
    group: dict[str, Any] = read_json(made_feeds / CSVW_OF_ALL)
    table = next(table for table in group["tables"] if table["url"] == "mart/crime_trend.csv")
    keys = [(key["columnReference"], key["reference"]["resource"]) for key in table["tableSchema"]["foreignKeys"]]
    assert keys == [
        ("area_code", "ref/area.csv"),
        ("offence_id", "ref/offence.csv"),
        ("previous_release_id", "meta/release.csv"),
        ("release_id", "meta/release.csv"),
    ]
    assert group["dc:license"]["@id"].endswith("/open-government-licence/version/3/")
    assert table["tableSchema"]["primaryKey"] == ["area_code", "offence_id", "span", "period_end"]
    beside = json.loads((made_feeds / "mart" / "crime_trend.csv-metadata.json").read_bytes())
    assert beside["url"] == "crime_trend.csv"
    assert "foreignKeys" not in beside["tableSchema"]


# --- keys of other tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize("contract", REFERRING, ids=lambda contract: contract.name)
def test_every_value_is_one_of_the_key_that_it_refers_to(demo: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    for name, (table, column) in contract.references.items():
        lost = demo.sql(
            f"SELECT DISTINCT {quote(name)} FROM {contract.name} AS line WHERE {quote(name)} IS NOT NULL "
            f"AND NOT EXISTS (SELECT 1 FROM {table} AS one WHERE one.{quote(column)} = line.{quote(name)})"
        ).fetchall()
        assert lost == [], (name, table)


def test_what_is_left_unreferenced_does_not_hold(demo: duckdb.DuckDBPyConnection) -> None:
    """Else the exception could go."""
    lost = demo.sql("SELECT DISTINCT area_code FROM ref.population ANTI JOIN ref.area USING (area_code)").fetchall()
    assert lost
    # Claims are lines of ours: they speak of areas too that are not held, where no geography was landed.
    exceptions = {name for name, contract in contracts().items() if contract.unreferenced}
    assert exceptions == {"ref.population", "ref.claim", "mart.claim_check"}
