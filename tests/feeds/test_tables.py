"""One table as Parquet, CSV and JSON: the bytes, and that others read from them what the warehouse holds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest

from etl.contracts import Contract, arrow_schema, contracts, quote
from etl.feed_tables import LICENCE, ROWS_OF_A_GROUP, warn_modelled, write_csv, write_json, write_parquet
from etl.feeds import fed_contracts
from tests.feeds.made import FORCE, HISTORY_ROWS, fill, insert

FED = [contract.name for contract in fed_contracts()]
WITH_CSV = [contract.name for contract in fed_contracts() if "csv" in contract.formats]
LARGEST = "mart.crime_trend_history"

AREAS_CSV = (
    "area_code,area_name,kind,starts_on,ends_on,successor_code,has_resident_rate\r\n"
    "E23000014,West Midlands,police_force_area,,,,true\r\n"
    'W06000001,"Ynys Môn, ""Anglesey""",unitary_authority,2009-04-01,,,true\r\n'
    'x-unassigned-surrey,"Unassigned\nSurrey",unassigned,,2013-12-31,E23000014,false\r\n'
)
AREAS_JSON = """\
[
{"area_code": "E23000014", "area_name": "West Midlands", "kind": "police_force_area", "starts_on": null, \
"ends_on": null, "successor_code": null, "has_resident_rate": true},
{"area_code": "W06000001", "area_name": "Ynys Môn, \\"Anglesey\\"", "kind": "unitary_authority", \
"starts_on": "2009-04-01", "ends_on": null, "successor_code": null, "has_resident_rate": true},
{"area_code": "x-unassigned-surrey", "area_name": "Unassigned\\nSurrey", "kind": "unassigned", "starts_on": null, \
"ends_on": "2013-12-31", "successor_code": "E23000014", "has_resident_rate": false}
]
"""


# --- bytes -----------------------------------------------------------------------------------------------


def test_csv_quotes_what_it_must_and_keeps_every_letter(made_feeds: Path) -> None:
    assert (made_feeds / "ref" / "area.csv").read_bytes().decode("utf-8") == AREAS_CSV


def test_json_has_one_object_a_line_in_the_order_of_the_contract(made_feeds: Path) -> None:
    assert (made_feeds / "ref" / "area.json").read_bytes().decode("utf-8") == AREAS_JSON


def test_csv_writes_negative_numbers_markers_and_nulls_apart(made_feeds: Path) -> None:
    lines = (made_feeds / "mart" / "crime_trend.csv").read_bytes().decode("utf-8").split("\r\n")
    place = lines[0].split(",").index("offences")
    cells = [line.split(",")[place : place + 2] for line in lines[1:3]]
    assert cells == [["8", ""], ["-3", "[r]"]]
    assert ",,[x]," in lines[3]
    assert lines[4:] == [""]


def test_moments_are_utc_and_keep_their_fraction(made_feeds: Path) -> None:
    text = (made_feeds / "meta" / "release.csv").read_text(encoding="utf-8")
    for moment in ("2022-04-28T08:30:00Z", "2018-07-19T08:30:00.250000Z", "2021-05-03T23:30:00Z"):
        assert text.count(f",{moment},") == 1
        assert (made_feeds / "meta" / "release.json").read_text(encoding="utf-8").count(f'"{moment}"') == 1


def test_an_empty_text_is_not_null(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA ref")
        contract = contracts()["ref.area_member"]
        connection.execute(contract.create())
        insert(connection, "ref.area_member", [{"aggregate_code": FORCE, "member_code": FORCE, "kind": ""}])
        write_csv(connection, contract, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes().endswith(b',E23000014,""\r\n')


def test_a_table_without_lines_has_its_header_and_an_empty_array(made_feeds: Path) -> None:
    header = b"aggregate_code,member_code,kind\r\n"
    assert (made_feeds / "ref" / "area_member.csv").read_bytes() == header
    assert (made_feeds / "ref" / "area_member.json").read_bytes() == b"[]\n"
    assert pq.read_table(made_feeds / "ref" / "area_member.parquet").num_rows == 0


def test_what_has_no_json_is_refused(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA ref")
        contract = contracts()["ref.unit_cost"]
        connection.execute(contract.create())
        insert(connection, "ref.unit_cost", [{"unit_cost_pounds": float("inf")}])
        with pytest.raises(ValueError, match="JSON"):
            write_json(connection, contract, tmp_path / "table.json")


def test_times_of_runs_are_left_out(made_feeds: Path) -> None:
    header = (made_feeds / "meta" / "file.csv").read_text(encoding="utf-8")
    assert header.startswith("sha256,release_id,url,filename,bytes,")
    assert "landed" not in header
    assert "landed_at" not in pq.read_schema(made_feeds / "meta" / "file.parquet").names


# --- Parquet -----------------------------------------------------------------------------------------------


def test_parquet_is_cut_sorted_packed_and_indexed(made_feeds: Path) -> None:
    found = pq.read_metadata(made_feeds / contracts()[LARGEST].feed_path("parquet"))
    sizes = [found.row_group(number).num_rows for number in range(found.num_row_groups)]
    assert sizes == [50_000, 50_000, 20_001]
    assert ROWS_OF_A_GROUP == 50_000
    group = found.row_group(1)
    key = [0, 1, 2, 3, found.schema.names.index("known_from")]
    assert [(one.column_index, one.descending) for one in group.sorting_columns] == [(place, False) for place in key]
    column = group.column(0)
    assert (column.compression, column.has_column_index, column.has_offset_index) == ("ZSTD", True, True)


def test_parquet_says_what_it_holds_and_never_which_version(made_feeds: Path) -> None:
    schema = pq.read_schema(made_feeds / "ref" / "area.parquet")
    texts = {name.decode(): text.decode() for name, text in schema.metadata.items()}
    assert texts["title"] == "Area"
    # A release of this warehouse is modelled, and areas do not say which rows rest on it.
    assert texts["description"] == warn_modelled(contracts()["ref.area"].description, is_modelled=True)
    assert (texts["licence"], LICENCE) == ("Open Government Licence v3.0",) * 2
    field = schema.field("starts_on")
    assert field.metadata[b"title"] == b"Starts on"
    assert field.metadata[b"description"] == b"First day on which this holds; null where it is not known."
    assert (field.nullable, schema.field("area_code").nullable) == (True, False)


def test_neither_threads_nor_settings_of_duckdb_show_in_the_order(tmp_path: Path) -> None:
    """DuckDB works on parts of 122,880 rows: of fewer than two parts nothing could come in another order."""
    contract, days = contracts()[LARGEST], 400_000
    written = []
    with duckdb.connect() as connection:
        fill(connection, history_rows=days)
        for threads, keeps in ((1, True), (4, True), (4, False), (8, False)):
            connection.execute(f"SET threads = {threads}; SET preserve_insertion_order = {keeps}")
            if not keeps:
                assert any(_comes_mixed(connection) for _ in range(50))  # else this test could not fail
            assert write_parquet(connection, contract, tmp_path / "table.parquet") == days
            written.append(hashlib.sha256((tmp_path / "table.parquet").read_bytes()).hexdigest())
    assert len(set(written)) == 1


def _comes_mixed(connection: duckdb.DuckDBPyConnection) -> bool:
    days = connection.execute(f"SELECT known_from FROM {LARGEST}").to_arrow_table()["known_from"].to_numpy()
    return bool((days[1:] < days[:-1]).any())


@pytest.mark.parametrize(("write", "suffix"), [(write_csv, "csv"), (write_json, "json")])
def test_texts_come_in_the_order_of_the_key_whatever_is_set(
    write: Callable[[duckdb.DuckDBPyConnection, Contract, Path], None], suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"table.{suffix}"
    with duckdb.connect() as connection:
        fill(connection, history_rows=3)
        connection.execute("SET preserve_insertion_order = false")
        write(connection, contracts()[LARGEST], path)
        assert connection.execute("SELECT current_setting('preserve_insertion_order')").fetchone() == (True,)
    found = re.findall(r"\b1700-01-0\dT", path.read_text(encoding="utf-8"))
    assert found == ["1700-01-01T", "1700-01-02T", "1700-01-03T"]


def test_no_line_is_lost_between_row_groups(made_feeds: Path) -> None:
    held = pq.read_table(made_feeds / contracts()[LARGEST].feed_path("parquet"), columns=["offences", "known_from"])
    # The first line is the trend itself, with its 8 offences.
    assert held["offences"].to_pylist() == [8, *range(1, HISTORY_ROWS)]
    assert held["known_from"][0].as_py() == datetime(1700, 1, 1, tzinfo=UTC)


# --- what others read --------------------------------------------------------------------------------------


def _read_warehouse(connection: duckdb.DuckDBPyConnection, contract: Contract) -> duckdb.DuckDBPyRelation:
    columns = ", ".join(map(quote, contract.feed_columns))
    return connection.sql(f"SELECT {columns} FROM {contract.name} ORDER BY {contract.order}")


@pytest.mark.parametrize("name", FED)
def test_pyarrow_reads_what_the_warehouse_holds_in_the_order_of_the_key(
    demo: duckdb.DuckDBPyConnection, demo_feeds: Path, name: str
) -> None:
    contract = contracts()[name]
    wanted = arrow_schema(name)
    held = pq.read_table(demo_feeds / contract.feed_path("parquet"))
    assert held.schema.names == list(contract.feed_columns)
    assert [held.schema.field(column).type for column in held.schema.names] == [
        wanted.field(column).type for column in contract.feed_columns
    ]
    assert held.equals(_read_warehouse(demo, contract).to_arrow_table().cast(held.schema))


def _read_csv(path: Path, contract: Contract) -> pd.DataFrame:
    """A CSV as docs tell pandas to read it: nothing but nothing is null, and types are those of the contract."""
    types = {"VARCHAR": "str", "DOUBLE": "float64", "BIGINT": "Int64", "INTEGER": "Int64", "BOOLEAN": "boolean"}
    days = [name for name, field in contract.feed_columns.items() if field.type in ("DATE", "TIMESTAMPTZ")]
    return pd.read_csv(
        path,
        dtype={name: types[field.type] for name, field in contract.feed_columns.items() if name not in days},
        parse_dates=days,
        keep_default_na=False,
        na_values=[""],
    )


@pytest.mark.parametrize("name", WITH_CSV)
def test_pandas_reads_what_the_warehouse_holds(demo: duckdb.DuckDBPyConnection, demo_feeds: Path, name: str) -> None:
    contract = contracts()[name]
    held = _read_csv(demo_feeds / contract.feed_path("csv"), contract)
    assert list(held.columns) == list(contract.feed_columns)
    with demo.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.register("held", held)
        columns = ", ".join(
            f"CAST({quote(name)} AS {field.type}) AS {quote(name)}" for name, field in contract.feed_columns.items()
        )
        read = cursor.sql(f"SELECT {columns} FROM held").to_arrow_table()
        assert read.equals(_read_warehouse(cursor, contract).to_arrow_table())


@pytest.mark.parametrize("name", WITH_CSV)
def test_no_text_is_empty_so_that_null_cannot_be_mistaken(demo: duckdb.DuckDBPyConnection, name: str) -> None:
    texts = [quote(column) for column, field in contracts()[name].feed_columns.items() if field.type == "VARCHAR"]
    empty = demo.sql(f"SELECT count(*) FROM {name} WHERE {' OR '.join(f'{text} = {chr(39) * 2}' for text in texts)}")
    assert empty.fetchone() == (0,)


def test_json_holds_the_lines_of_the_csv(demo_feeds: Path) -> None:
    contract = contracts()["mart.local_adult_reoffending_rank"]
    lines = (demo_feeds / contract.feed_path("json")).read_text(encoding="utf-8").splitlines()
    held = _read_csv(demo_feeds / contract.feed_path("csv"), contract)
    read = pd.read_json(demo_feeds / contract.feed_path("json"), precise_float=True)
    assert len(lines) - 2 == len(held) == len(read)
    assert list(read.columns) == list(contract.feed_columns)
    assert read["rank_all"].sum() == held["rank_all"].sum()
    assert held["period_end"].max().date() == date(2013, 12, 31)
