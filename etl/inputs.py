"""What models rest on that no model makes: `tidy.*`, `seed.*` (reference CSVs) and `input.*` (what is known of files).

Nothing here decides anything: rows come from what was landed, read, seen and declared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.contracts import Contract, contracts, literal, quote
from etl.landing import Release, published_on
from etl.models import published_contracts
from etl.observations import read_observations
from etl.reading import TidyFile
from etl.release_calendar import read_calendar
from etl.settings import project_root
from etl.sources import declared_sources

FileKey = tuple[str, str]
"""A file of a release: release_id and SHA-256."""


def load_inputs(
    connection: duckdb.DuckDBPyConnection,
    releases: list[Release],
    files: Iterable[TidyFile],
    kept_out: Collection[FileKey] = (),
) -> None:
    """Give models what they rest on: `seed.*`, `tidy.*`, and `input.*` (releases, files, sources, fields).

    Args:
        connection: the warehouse that is built.
        releases: all that are landed.
        files: those of their files that were read.
        kept_out: files that were read, but are kept out of these releases.
    """
    for path in sorted((project_root() / "warehouse" / "ref").glob("*.csv")):
        connection.execute(
            f"CREATE TABLE seed.{path.stem} AS SELECT * FROM read_csv({literal(str(path))}, all_varchar = true, "
            "header = true, delim = ',', quote = '\"', nullstr = '')"
        )
    keys = {(release.release_id, record.sha256) for release in releases for record in release.records}
    wanted = {sha256 for _, sha256 in keys.difference(kept_out)}
    files = [file for file in files if file.sha256 in wanted]
    for contract in contracts().values():
        if contract.schema == "tidy":
            _create_tidy_view(connection, contract, [f for f in files if f.tidy_table == contract.table])
    load_rows(connection, "input.release", _release_rows(releases))
    load_rows(connection, "input.file", _file_rows(releases, {file.sha256: file for file in files}, kept_out))
    load_rows(connection, "input.source_table", _source_table_rows())
    load_rows(connection, "input.field", _field_rows())


def _create_tidy_view(connection: duckdb.DuckDBPyConnection, contract: Contract, files: list[TidyFile]) -> None:
    if files:
        paths = ", ".join(literal(str(file.path)) for file in sorted(files, key=lambda f: f.sha256))
        source = (
            f"SELECT * EXCLUDE (filename), regexp_extract(filename, '([0-9a-f]{{64}})[^/]*$', 1) AS sha256 "
            f"FROM read_parquet([{paths}], filename = true)"
        )
    else:
        columns = ", ".join(f"CAST(NULL AS {f.type}) AS {quote(n)}" for n, f in contract.columns.items())
        source = f"SELECT {columns}, CAST(NULL AS VARCHAR) AS sha256 WHERE FALSE"
    connection.execute(f"CREATE VIEW tidy.{contract.table} AS {source}")


def load_rows(connection: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]]) -> None:
    """Make a table of rows, of which there is at least one."""
    connection.register("rows", pa.Table.from_pylist(rows))
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
    connection.unregister("rows")


def load_seen(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Give `meta` models what was seen of publishers: `input.observation` and `input.release_calendar`."""
    load_contract_rows(connection, "observation", _observation_rows(home))
    load_contract_rows(connection, "release_calendar", _calendar_rows(home))


def load_contract_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Rows in the columns of a `meta` table, of which there may be none."""
    columns = ", ".join(f"{quote(name)} {field.type}" for name, field in contracts()[f"meta.{table}"].columns.items())
    connection.execute(f"CREATE TABLE input.{table} ({columns})")
    if rows:
        connection.register("rows", pa.Table.from_pylist(rows))
        connection.execute(f"INSERT INTO input.{table} BY NAME SELECT * FROM rows")
        connection.unregister("rows")


def _observation_rows(home: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, observation in enumerate(read_observations(home), start=1):
        row = asdict(observation) | {"observation_number": number, "redirects": " ".join(observation.redirects)}
        row["observed_kind"] = row.pop("what")
        row["observed_state"] = row.pop("state")
        row["observed_reason"] = row.pop("reason")
        row["http_status"] = row.pop("status")
        rows.append(row)
    return rows


def _calendar_rows(home: Path) -> list[dict[str, Any]]:
    return [
        {
            "source": entry.source,
            "edition": entry.title,
            "expected_at": entry.expected_at,
            "status": entry.status,
            "expected_text": entry.text,
            "announced_url": entry.url,
        }
        for entry in read_calendar(home)
    ]


def _release_rows(releases: list[Release]) -> list[dict[str, Any]]:
    return [
        {
            "release_id": release.release_id,
            "source": release.source,
            "edition": release.edition,
            "title": min(record.title for record in release.records),
            "publisher": release.records[0].publisher,
            "published_at": datetime.fromisoformat(release.published_at),
            "published_on": published_on(release.published_at),
            "landing_page": release.records[0].landing_page,
            "licence": release.records[0].licence,
            "state": release.state,
            "withdrawn_at": release.withdrawn_at or "",
            "is_modelled": any(record.is_modelled for record in release.records),
        }
        for release in releases
    ]


def _file_rows(
    releases: list[Release], read: dict[str, TidyFile], kept_out: Collection[FileKey]
) -> list[dict[str, Any]]:
    return [
        {
            "sha256": record.sha256,
            "release_id": release.release_id,
            "url": record.url or "",
            "filename": record.filename,
            "bytes": record.bytes,
            "media_type": record.media_type,
            "rows_read": read[record.sha256].rows if record.sha256 in read else 0,
            "accepted": record.sha256 in read and (release.release_id, record.sha256) not in kept_out,
            "landed_at": datetime.fromisoformat(record.landed_at),
            "landed_by": record.landed_by,
        }
        for release in releases
        for record in release.records
    ]


def _source_table_rows() -> list[dict[str, Any]]:
    return [
        {
            "source": source.source,
            "table_id": table.table_id,
            "title": table.title,
            "position": position,
            "fineness": source.fineness,
            "sums": ";".join(table.sums),
        }
        for source in declared_sources().values()
        for position, table in enumerate(source.tables, start=1)
    ]


def _field_rows() -> list[dict[str, Any]]:
    return [
        {
            "table_name": contract.name,
            "field_name": name,
            "position": position,
            "type": field.type,
            "title": field.title,
            "description": field.description,
        }
        for contract in published_contracts()
        for position, (name, field) in enumerate(contract.columns.items(), start=1)
    ]
