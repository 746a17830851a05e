"""The feeds as a whole: which files, which sums, in which order, and the same bytes from the same warehouse."""

from __future__ import annotations

import errno
import hashlib
import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from etl import feeds
from etl.contracts import contracts
from etl.feeds import LAST_UPDATED, SUMS, fed_contracts, write_feeds
from etl.files import read_json
from etl.settings import project_root
from tests.feeds.made import BUILT_AT, COHORTS, HISTORY_ROWS, JUNE, VERSION

SCHEMA = project_root() / "schemas" / "feeds" / "last_updated.schema.json"


def list_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def read_last(folder: Path) -> dict[str, Any]:
    return dict(read_json(folder / LAST_UPDATED))


def problems(content: Any) -> list[str]:
    validator = Draft202012Validator(read_json(SCHEMA), format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]


# --- which files -----------------------------------------------------------------------------------------


def test_every_published_table_is_there_in_its_formats_and_nothing_else(made_feeds: Path) -> None:
    tables = {contract.feed_path(suffix) for contract in fed_contracts() for suffix in contract.formats}
    described = {f"{path}-metadata.json" for path in tables if path.endswith(".csv")}
    others = {"SHA256SUMS", "csvw-metadata.json", "datapackage.json", "last_updated.json"}
    # Nothing is ranked by crime or against a prediction in this warehouse.
    ranked = {"spreadsheets/proven-reoffending-ranking.xlsx"}
    assert set(list_files(made_feeds)) == tables | described | others | ranked


def test_of_what_was_seen_and_when_there_are_no_files(made_feeds: Path) -> None:
    names = {path.split(".")[0] for path in list_files(made_feeds)}
    assert {"meta/release", "meta/field", "meta/check_result", "meta/back_test", "meta/file", "ref/area"} <= names
    assert not names & {"meta/run", "meta/observation", "meta/release_calendar", "core/recorded_crime"}


# --- sums --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["made_feeds", "demo_feeds"])
def test_sha256sum_agrees(which: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(which)
    done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    named = [line.removesuffix(": OK") for line in done.stdout.splitlines()]
    assert sorted(named) == [path for path in list_files(folder) if path not in (SUMS, LAST_UPDATED)]


def test_sums_are_sorted_by_path(made_feeds: Path) -> None:
    paths = [line.split("  ")[1] for line in (made_feeds / SUMS).read_text(encoding="utf-8").splitlines()]
    assert paths == sorted(paths)


# --- last_updated.json ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["made_feeds", "demo_feeds"])
def test_last_updated_is_valid_and_its_files_are_those_that_lie_there(
    which: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(which)
    content = read_last(folder)
    Draft202012Validator.check_schema(read_json(SCHEMA))
    assert problems(content) == []
    files = [file for table in content["tables"] for file in table["files"]] + content["spreadsheets"]
    for file in files:
        held = (folder / file["path"]).read_bytes()
        assert (len(held), hashlib.sha256(held).hexdigest()) == (file["bytes"], file["sha256"])
    for table in content["tables"]:
        found = pq.read_metadata(folder / f"{table['table'].replace('.', '/')}.parquet")
        assert (found.num_rows, found.schema.names) == (table["rows"], table["columns"])


def test_last_updated_says_what_it_stands_for(made_feeds: Path) -> None:
    content = read_last(made_feeds)
    assert (content["version"], content["built_at"]) == (VERSION, "2026-03-01T04:05:06Z")
    assert content["is_modelled"]
    assert content["sha256sums"] == hashlib.sha256((made_feeds / SUMS).read_bytes()).hexdigest()
    crime = {
        "source": "recorded_crime_ons",
        "release_id": JUNE,
        "title": "Year ending june 2018",
        "published_at": "2018-10-18T08:30:00Z",
        "state": "current",
        "is_modelled": True,
    }
    assert [source["release_id"] for source in content["sources"]] == [COHORTS, JUNE]
    assert content["sources"][1] == crime
    rows = {table["table"]: table["rows"] for table in content["tables"]}
    assert (rows["ref.area"], rows["mart.crime_trend_history"], rows["ref.claim"]) == (3, HISTORY_ROWS, 0)


def test_a_file_without_its_hash_is_not_valid(made_feeds: Path) -> None:
    content = read_last(made_feeds)
    del content["tables"][0]["files"][0]["sha256"]
    assert problems(content) == ["$.tables[0].files[0]: 'sha256' is a required property"]


# --- the same bytes, and the order of writing ----------------------------------------------------------------


def test_another_version_of_the_same_warehouse_has_the_same_files(
    made: duckdb.DuckDBPyConnection, made_feeds: Path, tmp_path: Path
) -> None:
    write_feeds(made, tmp_path / "feeds", "ba9876543210", BUILT_AT + timedelta(days=40))
    assert list_files(tmp_path / "feeds") == list_files(made_feeds)
    differ = [
        path
        for path in list_files(made_feeds)
        if (made_feeds / path).read_bytes() != (tmp_path / "feeds" / path).read_bytes()
    ]
    assert differ == [LAST_UPDATED]


def test_what_fails_on_its_way_leaves_nothing_that_says_it_is_whole(
    made: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("etl.feed_spreadsheets.write_spreadsheets", fail)
    with pytest.raises(OSError, match="full"):
        write_feeds(made, tmp_path, VERSION, BUILT_AT)
    assert (tmp_path / "datapackage.json").exists()
    assert not (tmp_path / SUMS).exists()
    assert not (tmp_path / LAST_UPDATED).exists()


@pytest.mark.parametrize(("write", "named"), [("write_parquet", ".parquet"), ("write_json", ".json")])
def test_a_full_disk_is_said_with_the_file(
    made: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str, named: str
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(feeds, write, fail)
    with pytest.raises(OSError, match="No space left") as caught:
        write_feeds(made, tmp_path, VERSION, BUILT_AT)
    assert str(caught.value.filename).startswith(f"{tmp_path}/") and str(caught.value.filename).endswith(named)


def test_last_updated_is_written_last(
    made: duckdb.DuckDBPyConnection, made_feeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[str] = []
    monkeypatch.setattr(feeds, "write_json_file", lambda *_: there.extend(list_files(tmp_path)))
    write_feeds(made, tmp_path, VERSION, BUILT_AT)
    assert [*there, LAST_UPDATED] == [path for path in list_files(made_feeds) if path != LAST_UPDATED] + [LAST_UPDATED]


def test_the_version_stands_in_one_file_alone(demo_home: Path, demo_feeds: Path) -> None:
    version = (demo_home / "current").readlink().name.encode()
    assert [path for path in list_files(demo_feeds) if version in (demo_feeds / path).read_bytes()] == [LAST_UPDATED]


def test_the_dictionary_has_every_column_that_is_published(demo_feeds: Path) -> None:
    described = {
        (entry["table_name"], entry["field_name"])
        for entry in json.loads((demo_feeds / "meta" / "field.json").read_bytes())
    }
    for contract in fed_contracts():
        assert {(contract.name, name) for name in contract.feed_columns} <= described
    assert contracts()["meta.field"].formats == ("parquet", "csv", "json")
