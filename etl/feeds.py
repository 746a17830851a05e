"""The feeds of a version: every published table as files, with what they are, how long and which bytes.

`feeds/` of a version holds

    <schema>/<table>.parquet, .csv, .json    the tables, in the formats that their contracts give (`Contract.formats`)
    <schema>/<table>.csv-metadata.json       what a CSV holds, as the W3C's CSV on the Web has it
    csvw-metadata.json, datapackage.json     all of them together, as CSV on the Web and as a Frictionless data package
    spreadsheets/*.xlsx                      the newest rankings, for people (`etl.feed_spreadsheets`)
    SHA256SUMS                               the hash of each of these, for `sha256sum -c`
    last_updated.json                        written last: where it stands, everything else does

No name of a version and no clock is in any of them but `last_updated.json`: a table that did not change is the same
file, byte for byte, in every version.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from etl.contracts import Contract
from etl.feed_tables import write_csv, write_json, write_parquet
from etl.files import name_place
from etl.files import write_json as write_json_file
from etl.models import published_contracts

FEEDS = "feeds"
"""The folder of a version with its tables as files."""

LAST_UPDATED = "last_updated.json"
"""Written last: what the feeds hold, as of which version."""

SUMS = "SHA256SUMS"
SPREADSHEETS = "spreadsheets"


@dataclass(frozen=True)
class FeedFile:
    """A file of the feeds: its place in `feeds/`, size in bytes and SHA-256 in hexadecimal digits."""

    path: str
    bytes: int
    sha256: str

    @property
    def format(self) -> str:
        """Its suffix: parquet, csv, json or xlsx."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class FedTable:
    """A table that is published, as it was written.

    Attributes:
        contract: what it holds.
        rows: its number of rows.
        files: its files in the order of its formats.
        is_modelled: whether it must say that figures are made up, wherever it stands alone.
    """

    contract: Contract
    rows: int
    files: tuple[FeedFile, ...]
    is_modelled: bool


@dataclass(frozen=True)
class FedRelease:
    """What the feeds say of a release that they rest on; `published_on` is the day in London."""

    release_id: str
    source: str
    title: str
    publisher: str
    published_at: datetime
    published_on: date
    landing_page: str
    state: str
    is_modelled: bool


def fed_contracts() -> list[Contract]:
    """The contracts of the tables that are published as files, in the order of their names."""
    return [contract for contract in published_contracts() if contract.is_feed]


def write_feeds(connection: duckdb.DuckDBPyConnection, folder: Path, version: str, built_at: datetime) -> None:
    """Write the feeds of a version.

    Args:
        connection: its warehouse, open; it is only read.
        folder: where to write, `feeds/` of the version; it is made.
        version: the version's name, for `last_updated.json`.
        built_at: when the version was built, for the same file alone.
    """
    from etl.feed_metadata import write_metadata
    from etl.feed_spreadsheets import write_spreadsheets

    releases = read_releases(connection)
    tables = [
        _write_table(connection, contract, folder, _is_modelled(connection, contract, releases))
        for contract in fed_contracts()
    ]
    write_metadata(folder, tables, releases)
    spreadsheets = [look_at(folder, path) for path in write_spreadsheets(connection, folder / SPREADSHEETS, releases)]
    sums = _write_sums(folder)
    content = {
        "version": version,
        "built_at": _format_moment(built_at),
        "sha256sums": sums.sha256,
        "is_modelled": any(release.is_modelled for release in releases),
        "sources": _list_newest(releases),
        "tables": [_list_table(table) for table in tables],
        "spreadsheets": [_list_file(file) for file in spreadsheets],
    }
    write_json_file(folder / LAST_UPDATED, content)


def _is_modelled(connection: duckdb.DuckDBPyConnection, contract: Contract, releases: list[FedRelease]) -> bool:
    """Whether any row says so; of a table that does not say, whether anything is that the version rests on."""
    if "is_modelled" not in contract.columns:
        return any(release.is_modelled for release in releases)
    return bool(connection.execute(f"SELECT 1 FROM {contract.name} WHERE is_modelled LIMIT 1").fetchone())


def _write_table(
    connection: duckdb.DuckDBPyConnection, contract: Contract, folder: Path, is_modelled: bool
) -> FedTable:
    paths = {suffix: folder / contract.feed_path(suffix) for suffix in contract.formats}
    (folder / contract.schema).mkdir(parents=True, exist_ok=True)
    with name_place(paths["parquet"]):
        rows = write_parquet(connection, contract, paths["parquet"], is_modelled=is_modelled)
    if "csv" in paths:
        write_csv(connection, contract, paths["csv"])  # DuckDB names the file itself
    if "json" in paths:
        with name_place(paths["json"]):
            write_json(connection, contract, paths["json"])
    return FedTable(contract, rows, tuple(look_at(folder, path) for path in paths.values()), is_modelled)


def look_at(folder: Path, path: Path) -> FeedFile:
    """The size and hash of a file below `folder`."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return FeedFile(path.relative_to(folder).as_posix(), path.stat().st_size, sha256)


def read_releases(connection: duckdb.DuckDBPyConnection) -> list[FedRelease]:
    """The releases that a warehouse rests on, the newest first."""
    rows = connection.execute(
        """
        SELECT release_id, source, title, publisher, published_at, published_on, landing_page, state, is_modelled
        FROM meta.release ORDER BY published_at DESC, release_id DESC
        """
    ).fetchall()
    return [FedRelease(*row) for row in rows]


def _write_sums(folder: Path) -> FeedFile:
    """Write the hashes of all files that are there, sorted by path; → that file itself."""
    files = [look_at(folder, path) for path in folder.rglob("*") if path.is_file()]
    files.sort(key=lambda file: file.path)
    # Two spaces, as sha256sum itself writes them.
    lines = [f"{file.sha256}  {file.path}\n" for file in files]
    with name_place(folder / SUMS):
        (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    return look_at(folder, folder / SUMS)


def _list_newest(releases: list[FedRelease]) -> list[dict[str, Any]]:
    newest: dict[str, FedRelease] = {}
    for release in releases:
        newest.setdefault(release.source, release)
    return [
        {
            "source": source,
            "release_id": newest[source].release_id,
            "title": newest[source].title,
            "published_at": _format_moment(newest[source].published_at),
            "state": newest[source].state,
            "is_modelled": newest[source].is_modelled,
        }
        for source in sorted(newest)
    ]


def _format_moment(moment: datetime) -> str:
    """A moment as all feeds have it: 2018-07-19T08:30:00Z, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _list_table(table: FedTable) -> dict[str, Any]:
    return {
        "table": table.contract.name,
        "title": table.contract.title,
        "rows": table.rows,
        "columns": list(table.contract.feed_columns),
        "files": [_list_file(file) for file in table.files],
    }


def _list_file(file: FeedFile) -> dict[str, Any]:
    return {"path": file.path, "format": file.format, "bytes": file.bytes, "sha256": file.sha256}
