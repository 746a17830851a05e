"""The warehouse, built afresh from what was landed: a pure function of files, reference data, code and lock file.

`staging/<version>/` holds a finished build: `warehouse.duckdb` and `manifest.json`. `etl.publish` takes it
from there. What was read and what was kept out stands in the manifest.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.cells import name_key
from etl.contracts import Contract, contracts, literal, quote
from etl.errors import JusticeError
from etl.files import remove_tree, sync_folder, write_json
from etl.landing import Release, home_kind, list_releases, published_on
from etl.manifest import MANIFEST, WAREHOUSE, compute_version
from etl.models import PUBLISHED_SCHEMAS, WORK_SCHEMA, find_models, published_contracts, run_model
from etl.observations import read_observations
from etl.reading import KeptOut, TidyFile, read_landed, remove_stale
from etl.reading_process import ReadingProcess
from etl.release_calendar import read_calendar
from etl.settings import Settings, own_version, project_root
from etl.sources import declared_sources

logger = logging.getLogger(__name__)

RANKS = "ranks"
"""The folder of a home where rankings are kept, so that none is made twice."""
_SCRATCH = ("tidy", "seed", "input", WORK_SCHEMA)
_HASHED_ROWS_AT_ONCE = 100_000

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


@dataclass(frozen=True)
class Built:
    """A finished build. `is_new` is False where this version was already there."""

    version: str
    folder: Path
    is_new: bool


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


def build(home: Path, settings: Settings, progress: Progress = no_progress) -> Built:
    """Build the version that the landed files make; the caller holds the lease.

    Args:
        home: the data home.
        settings: memory limit.
        progress: told of each step.

    Raises:
        JusticeError: nothing was landed, a model failed, or the disk is full; nothing is staged then.
    """
    releases = list_releases(home)
    if not releases:
        raise JusticeError(f"nothing was landed in {home}", "land files first: justice-etl land --help")
    version = compute_version(releases)
    for folder in (home / "staging").glob("*"):
        if folder.name != version:
            remove_tree(folder)
    for folder in (home / "versions" / version, home / "staging" / version):
        if (folder / MANIFEST).exists():
            return Built(version, folder, is_new=False)
    remove_tree(home / "staging")
    files, kept_out = _read_all(home, releases, progress)
    building = home / "staging" / f"{version}.building"
    building.mkdir(parents=True)
    try:
        tables, quarantined = _build_warehouse(home, building, version, settings, releases, files, progress)
    except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
        found = " ".join(str(error).split())
        mend = "check the disk and the rights: justice-etl doctor"
        raise JusticeError(f"the warehouse could not be written: {found}", mend) from error
    manifest = {
        "version": version,
        "built_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "built_by": f"justice-etl {own_version()}",
        "home": home_kind(home),
        "releases": [release.release_id for release in releases],
        "kept_out": [asdict(item) for item in kept_out],
        "quarantined": quarantined,
        "tables": tables,
    }
    write_json(building / MANIFEST, manifest)
    staged = home / "staging" / version
    building.rename(staged)
    sync_folder(staged.parent)
    remove_stale(home, (file.path for file in files))
    logger.info("built", extra={"version": version, "tables": len(tables), "kept_out": len(kept_out)})
    return Built(version, staged, is_new=True)


def _read_all(home: Path, releases: list[Release], progress: Progress) -> tuple[list[TidyFile], list[KeptOut]]:
    records = {record.sha256: record for release in releases for record in release.records}
    files, kept_out = [], []
    with ReadingProcess() as process:
        for done, record in enumerate(records[sha256] for sha256 in sorted(records)):
            progress(f"reading {record.filename}", done, len(records))
            read = read_landed(home, record, process.read)
            if isinstance(read, TidyFile):
                files.append(read)
            else:
                kept_out.append(read)
    progress("read", len(records), len(records))
    return files, kept_out


def _build_warehouse(
    home: Path,
    folder: Path,
    version: str,
    settings: Settings,
    releases: list[Release],
    files: list[TidyFile],
    progress: Progress,
) -> tuple[dict[str, dict[str, object]], list[dict[str, object]]]:
    path = folder / WAREHOUSE
    models = find_models()
    with open_for_building(path, settings.memory_limit) as connection:
        load_inputs(connection, releases, files)
        load_seen(connection, home)
        run = {"run_id": f"build-{version}", "built_at": datetime.now(UTC), "built_by": f"justice-etl {own_version()}"}
        _load_rows(connection, "input.run", [run])
        for done, model in enumerate(models):
            progress(f"building {model.name}", done, len(models))
            run_model(connection, model, home / RANKS)
        progress("built", len(models), len(models))
        quarantined = _write_quarantine(home, connection)
        tables = {
            contract.name: hash_table(connection, contract)
            for contract in published_contracts()
            if not contract.unhashed and not contract.view
        }
    if (leftover := path.with_name(f"{path.name}.wal")).exists():
        raise JusticeError(f"{leftover} was left beside the warehouse", "build again; if it stays, report it")
    return tables, quarantined


@contextmanager
def open_for_building(path: Path, memory_limit: str = "4GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """A new DuckDB file with the published schemas, and scratch databases beside it that are gone afterwards."""
    scratch = {name: path.with_name(f"{name}.scratch") for name in _SCRATCH}
    connection = duckdb.connect(
        str(path), config={"memory_limit": memory_limit, "autoinstall_known_extensions": "false"}
    )
    try:
        connection.execute(f"SET temp_directory = {literal(str(path.parent / 'spill'))}")
        connection.execute("SET TimeZone = 'UTC'")
        connection.create_function("name_key", name_key, ["varchar"], "varchar")
        for schema in PUBLISHED_SCHEMAS:
            connection.execute(f"CREATE SCHEMA {schema}")
        for name, file in scratch.items():
            connection.execute(f"ATTACH {literal(str(file))} AS {name}")
        yield connection
        for name in scratch:
            connection.execute(f"DETACH {name}")
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
        for file in scratch.values():
            file.unlink(missing_ok=True)
            file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
        remove_tree(path.parent / "spill")


def load_inputs(connection: duckdb.DuckDBPyConnection, releases: list[Release], files: Iterable[TidyFile]) -> None:
    """Give models what they rest on: `seed.*` (reference CSVs), `tidy.*`, and `input.*` (releases, files, sources)."""
    for path in sorted((project_root() / "warehouse" / "ref").glob("*.csv")):
        connection.execute(
            f"CREATE TABLE seed.{path.stem} AS SELECT * FROM read_csv({literal(str(path))}, all_varchar = true, "
            "header = true, delim = ',', quote = '\"', nullstr = '')"
        )
    files = list(files)
    for contract in contracts().values():
        if contract.schema == "tidy":
            _create_tidy_view(connection, contract, [f for f in files if f.tidy_table == contract.table])
    _load_rows(connection, "input.release", _release_rows(releases))
    _load_rows(connection, "input.file", _file_rows(releases, {file.sha256: file for file in files}))
    _load_rows(connection, "input.source_table", _source_table_rows())
    _load_rows(connection, "input.field", _field_rows())


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


def _load_rows(connection: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]]) -> None:
    connection.register("rows", pa.Table.from_pylist(rows))
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
    connection.unregister("rows")


def load_seen(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Give `meta` models what was seen of publishers: `input.observation` and `input.release_calendar`."""
    _load_contract_rows(connection, "observation", _observation_rows(home))
    _load_contract_rows(connection, "release_calendar", _calendar_rows(home))


def _load_contract_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
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
            "is_modelled": any(record.is_modelled for record in release.records),
        }
        for release in releases
    ]


def _file_rows(releases: list[Release], read: dict[str, TidyFile]) -> list[dict[str, Any]]:
    return [
        {
            "sha256": record.sha256,
            "release_id": release.release_id,
            "url": record.url or "",
            "filename": record.filename,
            "bytes": record.bytes,
            "media_type": record.media_type,
            "rows_read": read[record.sha256].rows if record.sha256 in read else 0,
            "accepted": record.sha256 in read,
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


def _write_quarantine(home: Path, connection: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    """Write every line that was kept out to `quarantine/lines.parquet`; → one summary a file and name."""
    target = home / "quarantine" / "lines.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(".lines.parquet")
    connection.execute(
        'COPY (SELECT * FROM work.unplaced_line ORDER BY sha256, sheet, row, "column", release_id) '
        f"TO {literal(str(temporary))} (FORMAT parquet)"
    )
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
    sync_folder(target.parent)
    rows = connection.execute(
        """
        SELECT
            line.sha256, min(file.filename), line.rule, line.level, line.published_name, count(*),
            first(concat(line.sheet, '!', line.column, line.row) ORDER BY line.sheet, line.row, line.column),
            coalesce(min(line.nearest_names), '')
        FROM work.unplaced_line AS line
        INNER JOIN input.file AS file ON file.sha256 = line.sha256 AND file.release_id = line.release_id
        GROUP BY line.sha256, line.rule, line.level, line.published_name
        ORDER BY line.sha256, line.rule, line.level, line.published_name
        """
    ).fetchall()
    names = ("sha256", "filename", "rule", "level", "published_name", "lines", "first_cell", "nearest_names")
    return [dict(zip(names, row, strict=True)) for row in rows]


def hash_table(connection: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, object]:
    """Rows and ordered content hash of a table; times of runs are left out.

    Equal hashes mean equal tables, whatever the file, the machine or the day.
    """
    columns = [quote(name) for name in contract.columns if name not in contract.run_times]
    texts = ", ".join(f"coalesce(CAST({column} AS VARCHAR), chr(30))" for column in columns)
    result = connection.execute(
        f"SELECT md5(concat_ws(chr(31), {texts})) AS line FROM {contract.name} ORDER BY {contract.order}"
    )
    digest = hashlib.sha256(" ".join(columns).encode())
    rows = 0
    for batch in result.to_arrow_reader(_HASHED_ROWS_AT_ONCE):
        rows += batch.num_rows
        digest.update("".join(batch.column(0).to_pylist()).encode())
    return {"rows": rows, "sha256": digest.hexdigest()}
