"""Reference models of areas on tidy lines: made by hand, or read from the real files."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from etl.cells import name_key
from etl.contracts import literal
from etl.models import Model, run_model
from etl.reading import tidy_schema
from etl.settings import project_root
from etl.sources import load_source
from etl.spreadsheets import open_workbook

MODELS = (
    "ref.area_change",
    "ref.area",
    "ref.area_level",
    "ref.area_name",
    "ref.area_parent",
    "work.area_step",
    "ref.authority_life",
)
"""In the order in which they rest on each other."""

BY_HAND = "by hand"
"""The file of lines that name none."""

Lines = Iterable[Mapping[str, Any]]
Build = Callable[..., duckdb.DuckDBPyConnection]


def build_areas(
    links: Lines = (),
    lives: Lines = (),
    changes: Lines = (),
    crime: Lines = (),
    files: Mapping[str, tuple[str, date]] | None = None,
) -> duckdb.DuckDBPyConnection:
    """The reference models of areas over these tidy lines and the project's own reference CSVs.

    Args:
        links: lines of `tidy.area_link`; as of the others, `sha256` names the file of a line.
        lives: lines of `tidy.area_life`.
        changes: lines of `tidy.area_change`.
        crime: lines of `tidy.recorded_crime`.
        files: the release and day of publication of each file; one release for all lines that name no file.
    """
    connection = duckdb.connect()
    connection.create_function("name_key", name_key, ["VARCHAR"], "VARCHAR", null_handling="special")  # type: ignore[arg-type]
    for schema in ("tidy", "seed", "input", "ref", "work"):
        connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute("CREATE TABLE input.file (sha256 VARCHAR, release_id VARCHAR, accepted BOOLEAN)")
    connection.execute("CREATE TABLE input.release (release_id VARCHAR, published_at TIMESTAMPTZ)")
    releases = {BY_HAND: ("geography/by-hand@1", date(2024, 8, 1)), **(files or {})}
    for sha256, (release_id, _) in releases.items():
        connection.execute("INSERT INTO input.file VALUES (?, ?, TRUE)", [sha256, release_id])
    for release in sorted(set(releases.values())):
        connection.execute("INSERT INTO input.release VALUES (?, ?)", list(release))
    folder = project_root() / "warehouse" / "ref"
    for path in sorted(folder.glob("*.csv")):
        connection.execute(
            f"CREATE TABLE seed.{path.stem} AS SELECT * FROM read_csv({literal(str(path))}, all_varchar = true, "
            "header = true, delim = ',', quote = '\"', nullstr = '')"
        )
    tidy: dict[str, Lines] = {
        "area_link": links,
        "area_life": lives,
        "area_change": changes,
        "recorded_crime": crime,
        "reoffending": (),
        "local_adult_reoffending": (),
    }
    for name, lines in tidy.items():
        schema = tidy_schema(name).append(pa.field("sha256", pa.string()))
        rows = [{"sha256": BY_HAND, **line} for line in lines]
        connection.register("lines", pa.Table.from_pylist(rows, pa.schema([f.with_nullable(True) for f in schema])))
        connection.execute(f"CREATE TABLE tidy.{name} AS SELECT * FROM lines")
        connection.unregister("lines")
    for name in MODELS:
        path = folder.parent / f"{name.replace('.', '/')}.sql"
        run_model(connection, Model(name, path, frozenset()))
    return connection


@pytest.fixture
def build() -> Iterator[Build]:
    """Builds the models; what it opened is closed afterwards."""
    opened: list[duckdb.DuckDBPyConnection] = []

    def build_and_keep(**tidy: Any) -> duckdb.DuckDBPyConnection:
        opened.append(build_areas(**tidy))
        return opened[-1]

    yield build_and_keep
    for connection in opened:
        connection.close()


def read_real(path: Path, source: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tidy lines of a real file, with the tidy table that they belong to."""
    declared = load_source(source)
    reader = importlib.import_module(f"etl.sources.{source}.read")
    with open_workbook(path) as workbook:
        for table in reader.read(workbook, declared):
            name = next(n for n in declared.tidy if set(table.column_names) <= set(tidy_schema(n).names))
            yield name, table.to_pylist()


@pytest.fixture(scope="session")
def real_areas(publications: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The models on the real geography and the areas of Table C2 of June 2025."""
    tidy: dict[str, list[dict[str, Any]]] = {"area_link": [], "area_life": [], "area_change": []}
    geography = publications / "ons-geography"
    files = [
        *geography.glob("LAD*.csv"),
        *geography.glob("lookup_ltla*.csv"),
        *geography.glob("*lad_code*.csv"),
        *geography.glob("CSP19_names.csv"),
        *geography.glob("code-history-database-2024-07/*.json"),
    ]
    for path in sorted(files):
        for name, lines in read_real(path, "geography"):
            tidy[name] += lines
    c2 = publications / "ons-police-force-area-tables" / "policeforceareatablesyejune25final--table-c2.csv"
    crime = [line for _, lines in read_real(c2, "recorded_crime_ons") for line in lines]
    connection = build_areas(tidy["area_link"], tidy["area_life"], tidy["area_change"], crime)
    yield connection
    connection.close()
