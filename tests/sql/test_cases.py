"""SQL cases as folders: `tests/sql/<schema>/<table>/<case>/` holds what a model rests on, and what must come out.

`<schema>.<table>.csv` files are inputs: `tidy.*` lines and `input.release`; those of a model take its place, with
null in columns that they do not name. `expected.csv` holds the lines and columns that the model must give, worked
out by hand; `why.md` says how. Lines of the model that share no key with `expected.csv` do not matter; `absent.csv`,
if there is one, says which there must not be. `tests/sql/check/<rule>/<case>/` is a case of a check: what is in
`expected.csv`, in its columns, are all the violations; a header alone says that the rule is kept.

`input.release.csv` has a line a file; without `published_at` a release came out at half past nine. Its edition
names the release and the file, and a tidy line says in `edition` which file it is of; where an edition has several
releases, or a release several files, `release_id` and `file` say so.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pytest

from etl.build import open_for_building
from etl.contracts import contracts, literal, quote
from etl.errors import JusticeError
from etl.inputs import load_seen
from etl.models import CHECK_SCHEMA, Model, find_models, run_check, run_model
from etl.settings import project_root
from etl.sources import declared_sources

FOLDER = Path(__file__).parent
_ALL = sorted(path.parent for path in FOLDER.glob("*/*/*/expected.csv"))
CASES = [case for case in _ALL if case.parts[-3] != CHECK_SCHEMA]
CHECK_CASES = [case for case in _ALL if case.parts[-3] == CHECK_SCHEMA]
FILE = "f" * 64


def load_case(connection: duckdb.DuckDBPyConnection, case: Path) -> None:
    """Give a warehouse what a case holds: its tidy lines and releases, and the project's reference CSVs."""
    for path in sorted((project_root() / "warehouse" / "ref").glob("*.csv")):
        connection.execute(f"CREATE TABLE seed.{path.stem} AS SELECT * FROM {_read(path)}")
    for contract in contracts().values():
        if contract.schema == "tidy":
            columns = ", ".join(f"{quote(name)} {field.type}" for name, field in contract.columns.items())
            connection.execute(f"CREATE TABLE tidy.{contract.table} ({columns}, sha256 VARCHAR)")
    for path in sorted(case.glob("tidy.*.csv")):
        _fill(connection, path)
    releases = _read(case / "input.release.csv")
    given = _names(connection, releases)
    title = "title" if "title" in given else "edition"
    release_id = "release_id" if "release_id" in given else "source || '/' || edition"
    file = "file" if "file" in given else "edition"
    published_at = "published_at" if "published_at" in given else "published_on || ' 09:30:00+00'"
    connection.execute(
        f"CREATE TABLE input.release AS SELECT DISTINCT {release_id} AS release_id, source, edition, "
        f"{title} AS title, 'publisher' AS publisher, "
        f"CAST({published_at} AS TIMESTAMPTZ) AS published_at, "
        "CAST(published_on AS DATE) AS published_on, 'page' AS landing_page, 'licence' AS licence, 'current' AS state, "
        f"'' AS withdrawn_at, FALSE AS is_modelled FROM {releases}"
    )
    connection.execute(
        f"CREATE TABLE input.file AS SELECT {file} AS sha256, {release_id} AS release_id, '' AS url, "
        "'file' AS filename, "
        "CAST(1 AS BIGINT) AS bytes, 'text/csv' AS media_type, CAST(1 AS BIGINT) AS rows_read, TRUE AS accepted, "
        "CAST(published_on || ' 09:30:00+00' AS TIMESTAMPTZ) AS landed_at, 'test' AS landed_by "
        f"FROM {releases}"
    )
    connection.execute(
        "CREATE TABLE input.field (table_name VARCHAR, field_name VARCHAR, position INTEGER, "
        "type VARCHAR, title VARCHAR, description VARCHAR)"
    )
    load_seen(connection, case)
    connection.execute("CREATE TABLE input.run (run_id VARCHAR, built_at TIMESTAMPTZ, built_by VARCHAR)")
    connection.execute(
        "CREATE TABLE input.source_table (source VARCHAR, table_id VARCHAR, title VARCHAR, "
        "position INTEGER, fineness INTEGER, sums VARCHAR)"
    )
    for source in declared_sources().values():
        for position, table in enumerate(source.tables, start=1):
            row = [source.source, table.table_id, table.title, position, source.fineness, ";".join(table.sums)]
            connection.execute("INSERT INTO input.source_table VALUES (?, ?, ?, ?, ?, ?)", row)


def _read(path: Path) -> str:
    return f"read_csv({literal(str(path))}, all_varchar = true, header = true, delim = ',', quote = '\"', nullstr = '')"


def _names(connection: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    return [column[0] for column in connection.execute(f"SELECT * FROM {source} LIMIT 0").description or []]


def _fill(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Lines of a tidy table; a case names the file of a line in `edition`."""
    with path.open(encoding="utf-8") as file:
        given = csv.DictReader(file).fieldnames or []
    table = path.name.removesuffix(".csv")
    columns = contracts()[table].columns
    values = {name: f"CAST({quote(name)} AS {columns[name].type})" for name in given if name in columns}
    values["sha256"] = "edition"
    constants = {"sheet": "'sheet'", "row": "1", "column": "'A'", "measure": "'offences'", "span": "'year'"}
    constants |= {"offenders_column": "'E'", "reoffenders_column": "'F'", "role": "'total'", "category": "'Total'"}
    values |= {name: value for name, value in constants.items() if name not in values and name in columns}
    for period in ("period", "cohort"):
        if f"{period}_end" in columns and f"{period}_start" not in values:
            months = "CASE span WHEN 'quarter' THEN 2 ELSE 11 END" if "span" in given else "11"
            start = f"date_trunc('month', CAST({period}_end AS DATE)) - to_months({months})"
            values[f"{period}_start"] = f"CAST({start} AS DATE)"
    if "area_name" in columns and "area_name" not in values:
        values |= {"area_name": "area_code", "area_key": "area_code"}
    names = ", ".join(quote(name) for name in values)
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())} FROM {_read(path)}")


def run_to(connection: duckdb.DuckDBPyConnection, case: Path, table: str) -> None:
    """Make what a model rests on, and the model itself; of a check only what it rests on."""
    models = {model.name: model for model in find_models()}
    needed = {table}
    for model in reversed(models.values()):
        if model.name in needed and not (case / f"{model.name}.csv").exists():
            needed |= model.inputs
    for model in models.values():
        if model.name not in needed or model.is_check:
            continue
        given = case / f"{model.name}.csv"
        if given.exists():
            types = {name: field.type for name, field in contracts()[model.name].columns.items()}
            columns = ", ".join(f"{quote(name)} {type_}" for name, type_ in types.items())
            connection.execute(f"CREATE TABLE {model.name} ({columns})")
            names = _names(connection, _read(given))
            values = ", ".join(f"CAST({quote(name)} AS {types[name]}) AS {quote(name)}" for name in names)
            connection.execute(f"INSERT INTO {model.name} BY NAME SELECT {values} FROM {_read(given)}")
        else:
            run_model(connection, model)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_for_building(tmp_path / "case.duckdb") as opened:
        yield opened


def _read_lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "/".join(case.parts[-3:]))
def test_case(connection: duckdb.DuckDBPyConnection, case: Path) -> None:
    schema, table = case.parts[-3:-1]
    load_case(connection, case)
    run_to(connection, case, f"{schema}.{table}")
    expected = _read_lines(case / "expected.csv")
    columns = contracts()[f"{schema}.{table}"].columns

    def match(line: dict[str, str], names: Iterable[str]) -> str:
        return " AND ".join(f"{quote(name)} = CAST({literal(line[name])} AS {columns[name].type})" for name in names)

    key = [name for name in contracts()[f"{schema}.{table}"].key if name in expected[0]]
    for line in expected:
        shown = ", ".join(
            f"round({quote(name)}, 4)" if columns[name].type == "DOUBLE" else quote(name) for name in line
        )
        rows = connection.execute(f"SELECT {shown} FROM {schema}.{table} WHERE {match(line, key)}").fetchall()
        wanted = connection.execute(
            "SELECT " + ", ".join(f"CAST(nullif({literal(v)}, '') AS {columns[n].type})" for n, v in line.items())
        ).fetchall()
        assert rows == wanted, f"{line} in {case}"
    for line in _read_lines(case / "absent.csv") if (case / "absent.csv").exists() else []:
        rows = connection.execute(f"SELECT * FROM {schema}.{table} WHERE {match(line, line)}").fetchall()
        assert rows == [], f"{line} in {case}"


@pytest.mark.parametrize("case", CHECK_CASES, ids=lambda case: "/".join(case.parts[-3:]))
def test_check(connection: duckdb.DuckDBPyConnection, case: Path) -> None:
    model = next(model for model in find_models() if model.name == f"{CHECK_SCHEMA}.{case.parts[-2]}")
    load_case(connection, case)
    run_to(connection, case, model.name)
    with (case / "expected.csv").open(encoding="utf-8") as file:
        reader = csv.DictReader(file)
        expected = [tuple(line[name] for name in reader.fieldnames or []) for line in reader]
    found = [
        tuple(str(getattr(violation, name) or "") for name in reader.fieldnames or [])
        for violation in run_check(connection, model)
    ]
    assert sorted(found) == sorted(expected)


def test_there_are_cases() -> None:
    assert len(CASES) >= 10 and len(CHECK_CASES) >= 10
    checks = {path.stem for path in (project_root() / "warehouse" / CHECK_SCHEMA).glob("*.sql")}
    assert checks - {case.parts[-2] for case in CHECK_CASES} == set(), "each check has cases"


def test_a_key_that_is_no_index_is_checked_all_the_same(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Two lines of one key in a table of millions: refused, naming the first."""
    columns = contracts()["core.recorded_crime_total"].columns
    values = {name: f"CAST(NULL AS {field.type}) AS {quote(name)}" for name, field in columns.items()}
    known = {"release_id": "a/b@1", "table_id": "force", "area_code": "E23000014", "offence_id": "robbery"}
    known |= {"span": "year", "period_end": "2018-03-31", "period_start": "2017-04-01", "is_derived": "true"}
    values |= {name: f"CAST('{text}' AS {columns[name].type}) AS {quote(name)}" for name, text in known.items()}
    path = tmp_path / "recorded_crime_total.sql"
    line = f"SELECT {', '.join(values.values())}"
    path.write_text(f"{line} UNION ALL {line}", encoding="utf-8")
    with pytest.raises(JusticeError, match=r"core.recorded_crime_total holds a/b@1\|force\|E23000014\|robbery\|year"):
        run_model(connection, Model("core.recorded_crime_total", path, frozenset()))
