"""Landed files → tidy Parquet, one file each; a cache keyed by the bytes and by what reads them."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from etl.contracts import arrow_schema
from etl.corrections import CORRECTIONS, Correction, correct, find_corrections
from etl.errors import JusticeError, LayoutError
from etl.files import hash_parts, remove_abandoned, write_beside
from etl.landing import Record, blob_path, hash_file, list_releases
from etl.lineage import add_read, record_lineage
from etl.settings import project_root
from etl.sources import Source, load_source
from etl.spreadsheets import open_workbook

logger = logging.getLogger(__name__)

_READING_CODE = (
    "cells.py",
    "columns.py",
    "corrections.py",
    "files.py",
    "layouts.py",
    "offences.py",
    "reading.py",
    "spreadsheets.py",
    "archives.py",
)
_NOT_OF_THE_READER = ("source.yml", "accepted.yml", CORRECTIONS)
"""Declarations of a source that no reader's hash takes up as files: of `source.yml` it takes the layouts; what is
accepted changes nothing that is read; and a correction counts for its own file alone (see `tidy_path`)."""

Reader = Callable[[Path, str, Source, Sequence[Correction]], Iterator[pa.Table]]
"""Reads a file of a media type and source, with its corrections, into tables."""

_READING_LIBRARIES = ("fastexcel", "python-calamine", "pyarrow")


@dataclass(frozen=True)
class TidyFile:
    """A landed file that was read: its tidy Parquet, the tidy table that it belongs to, and its lines."""

    sha256: str
    source: str
    tidy_table: str
    path: Path
    rows: int


@dataclass(frozen=True)
class KeptOut:
    """A landed file that was not read, whole: the rule that it broke and the message for the operator."""

    sha256: str
    source: str
    filename: str
    rule: str
    message: str


@cache
def reader_hash(source: str) -> str:
    """A hash of everything that decides what a source's reader makes of a file: code, declarations, libraries."""
    root = project_root()
    declaration = load_source(source)
    files = [
        *(root / "etl" / name for name in _READING_CODE),
        root / "etl" / "sources" / "__init__.py",
        root / "etl" / "sources" / "readers.py",
        *(
            path
            for path in declaration.folder.iterdir()
            if path.suffix in (".py", ".yml") and path.name not in _NOT_OF_THE_READER
        ),
        root / "warehouse" / "ref" / "offence_alias.csv",
        root / "schemas" / "fields.yml",
        *(root / "schemas" / "tidy" / f"{table}.yml" for table in declaration.tidy),
    ]
    libraries = [f"{name}={version(name)}".encode() for name in _READING_LIBRARIES]
    # Where a file is published has no part in how it is read.
    layouts = declaration.model_dump_json(exclude={"places"}).encode()
    return hash_parts([*(path.read_bytes() for path in sorted(files)), layouts, *libraries])


def tidy_schema(table: str) -> pa.Schema:
    """The Arrow schema of a tidy table, from its contract."""
    return arrow_schema(f"tidy.{table}")


def tidy_path(home: Path, record: Record, tidy_table: str) -> Path:
    """Where the tidy Parquet of a landed file lies.

    Corrections are part of its name: the same bytes may be corrected in one edition and not in another.

    Raises:
        JusticeError: the corrections of its source are not what they must be.
    """
    parts = [record.sha256, reader_hash(record.source)[:12]]
    if corrections := _corrections_of(record):
        parts.append(hash_parts(correction.model_dump_json().encode() for correction in corrections)[:12])
    return home / "tidy" / tidy_table / record.source / f"{'-'.join(parts)}.parquet"


def _corrections_of(record: Record) -> list[Correction]:
    return find_corrections(record.source, record.edition, record.filename)


def read_tables(
    path: Path, media_type: str, source: Source, corrections: Sequence[Correction] = ()
) -> Iterator[pa.Table]:
    """What a source's reader makes of a file: tables in the columns of its tidy table.

    Args:
        path: the file.
        media_type: as it was landed.
        source: whose file it is.
        corrections: those of this file, made before anything is read.

    Raises:
        LayoutError: the file fits no layout, a figure cannot be read, or a correction does not fit.
    """
    with (
        open_workbook(path, media_type) as published,
        correct(published, source.source, corrections) as workbook,
    ):
        yield from reader_of(source)(workbook, source)


def find_tidy(home: Path, record: Record) -> TidyFile | None:
    """The tidy Parquet of a landed file, if it was read before by what reads it now."""
    source = load_source(record.source)
    for tidy_table in source.tidy:
        path = tidy_path(home, record, tidy_table)
        if path.exists():
            return TidyFile(record.sha256, source.source, tidy_table, path, pq.read_metadata(path).num_rows)
    return None


def read_landed(home: Path, record: Record, read: Reader = read_tables) -> TidyFile | KeptOut:
    """Read one landed file into tidy Parquet, or take it from the cache.

    Args:
        home: the data home.
        record: the file.
        read: what reads it: here, or in a process of its own (`etl.reading_process`).

    Returns:
        The tidy file; or why the whole file is kept out, when it fits no layout, a figure is unreadable, or a cell
        that is corrected no longer says what was reported.

    Raises:
        JusticeError: the landed bytes are gone or have changed; what they hold now is not what was published.
            Or the corrections of the source are not what they must be.
    """
    source = load_source(record.source)
    if found := find_tidy(home, record):
        return found
    blob = blob_path(home, record.sha256)
    if not blob.exists() or hash_file(blob) != record.sha256:
        raise JusticeError(
            f"{record.filename} of {record.source}/{record.edition} ({record.sha256[:12]}) is "
            f"{'damaged' if blob.exists() else 'gone'} in the landing zone",
            "land the original again; `justice-etl verify` lists all that does not match",
        )
    tables = read(blob, record.media_type, source, _corrections_of(record))
    try:
        with record_lineage("read") as run:
            tidy_table, rows = _write_tidy(home, record, source, tables)
            tidy = TidyFile(record.sha256, source.source, tidy_table, tidy_path(home, record, tidy_table), rows)
            if run.is_recording:
                add_read(run, list_releases(home), [tidy])
    except LayoutError as error:
        message = f"{record.filename} ({record.source}/{record.edition}), rule {error.rule}: {error}"
        logger.warning("kept out", extra={"file": record.filename, "rule": error.rule, "reason": error.what})
        return KeptOut(record.sha256, source.source, record.filename, error.rule, message)
    logger.info("read", extra={"file": record.filename, "table": tidy_table, "rows": rows})
    return tidy


def reader_of(source: Source) -> Callable[..., Iterator[pa.Table]]:
    """The `read(workbook, source)` of a source: an iterator of tables in the columns of its tidy table."""
    reader: Callable[..., Iterator[pa.Table]] = importlib.import_module(f"etl.sources.{source.source}.read").read
    return reader


def _write_tidy(home: Path, record: Record, source: Source, tables: Iterator[pa.Table]) -> tuple[str, int]:
    """Write the tables of one file as they come; all belong to one tidy table."""
    table = next(tables, None)
    if table is None or not table.num_columns:
        raise LayoutError("no figure was found in it", "check that the file belongs to this source")
    tidy_table = next(name for name in source.tidy if set(table.column_names) <= set(tidy_schema(name).names))
    schema = tidy_schema(tidy_table)
    rows = 0
    with (
        write_beside(tidy_path(home, record, tidy_table)) as file,
        pq.ParquetWriter(file, schema, compression="zstd", compression_level=1) as writer,
    ):
        while table is not None:
            rows += table.num_rows
            writer.write_table(_conform(table, schema))
            table = None  # let go before the next is read: memory is bounded by one sheet
            pa.default_memory_pool().release_unused()
            table = next(tables, None)
        if not rows:
            raise LayoutError("its tables hold no figure", "check that the file is complete")
    return tidy_table, rows


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with the columns of its contract, in their order and types.

    Raises:
        LayoutError: a line lacks what every line must have.
    """
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    for field, column in zip(schema, columns, strict=True):
        if not field.nullable and column.null_count:
            line = table.filter(column.is_null()).slice(0, 1).to_pylist()[0]
            raise LayoutError(
                f"sheet {line.get('sheet')!r}, row {line.get('row')}: there is no {field.name}",
                "compare the published row",
                rule="cell",
            )
    return pa.table(columns, schema=schema)


def remove_stale(home: Path, in_use: Iterable[Path], since: float = float("inf")) -> None:
    """Remove tidy files that no landed file, read by today's readers, needs, and what killed runs left.

    Args:
        home: the data home.
        in_use: the tidy files that are needed.
        since: what was written from this time on (seconds) is left alone: it is of files landed meanwhile.
    """
    remove_abandoned(home / "tidy")
    keep = set(in_use)
    for path in sorted((home / "tidy").rglob("*.parquet")):
        if path not in keep and path.stat().st_mtime < since:
            path.unlink()
