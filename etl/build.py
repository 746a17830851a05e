"""The warehouse, built afresh from what was landed: a pure function of files, reference data, code and lock file.

`staging/<version>/` holds a finished build: `warehouse.duckdb` and `manifest.json`. `etl.publish` takes it
from there. What was read and what was kept out stands in the manifest.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from etl.cells import name_key
from etl.contracts import Contract, literal, quote
from etl.corrections import find_corrections, load_corrections
from etl.data_docs import write_data_docs
from etl.errors import JusticeError
from etl.feeds import FEEDS, write_feeds
from etl.files import name_place, remove_tree, sync_folder, write_json
from etl.gates import (
    Verdict,
    check_files,
    check_references,
    check_rule,
    check_table,
    keep_out_causes,
    remove_stale_checks,
    split_models,
)
from etl.history import create_as_of
from etl.inputs import load_contract_rows, load_inputs, load_rows, load_seen
from etl.landing import Record, Release, home_kind, list_releases
from etl.lineage import add_build, record_lineage
from etl.manifest import MANIFEST, WAREHOUSE, compute_source_states, compute_version
from etl.models import PUBLISHED_SCHEMAS, WORK_SCHEMA, Model, find_models, published_contracts, run_model
from etl.quarantine import LINES, make_items, show_items, summarise, write_items
from etl.reading import KeptOut, TidyFile, read_landed, remove_stale
from etl.reading_process import ReadingProcess
from etl.settings import Settings, own_version
from etl.site.pages import write_site
from etl.sources import declared_sources
from etl.violations import load_accepted

logger = logging.getLogger(__name__)

RANKS = "ranks"
"""The folder of a home where rankings are kept, so that none is made twice."""
CHARTS = "charts"
"""The folder of a home where charts are kept, so that none is drawn twice."""
DRAWN = "drawn.parquet"
CHECK_RESULT = "meta.check_result"
"""The table of what the gates found: made when all others are."""

DATA_DOCS = "data-docs"
"""The folder of a version with Great Expectations' pages."""

SITE = "site"
"""The folder of a version with the pages for readers."""

_BUILT_BY = f"justice-etl {own_version()}"
_SCRATCH = ("tidy", "seed", "input", WORK_SCHEMA)
_HASHED_ROWS_AT_ONCE = 100_000

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


@dataclass(frozen=True)
class Landed:
    """What a build rests on: a home, its releases, and those of their files that were read."""

    home: Path
    releases: list[Release]
    files: list[TidyFile]


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
    started = time.time()
    releases = list_releases(home)
    if not releases:
        raise JusticeError(f"nothing was landed in {home}", "land files first: justice-etl land --help")
    version = compute_version(releases)
    for folder in (home / "staging").glob("*"):
        if folder.name != version:
            remove_tree(folder)
    for folder in (home / "versions" / version, home / "staging" / version):
        if (folder / MANIFEST).exists():
            show_items(home, folder)
            return Built(version, folder, is_new=False)
    for source in declared_sources():  # before hours of reading, not after
        load_accepted(source)
        load_corrections(source)
    remove_tree(home / "staging")
    files, unread = read_all(home, releases, progress)
    with record_lineage("build") as run:
        manifest = _build_staged(version, settings, Landed(home, releases, files), unread, progress)
        add_build(run, releases, manifest)
    remove_stale(home, (file.path for file in files), started)
    remove_stale_checks(home, files)
    counts = dict(Counter(str(item["state"]) for item in manifest["items"]))
    logger.info("built", extra={"version": version, "tables": len(manifest["tables"])} | counts)
    return Built(version, home / "staging" / version, is_new=True)


def _build_staged(
    version: str, settings: Settings, landed: Landed, unread: list[KeptOut], progress: Progress
) -> dict[str, Any]:
    """Build into `staging/` and give it its name once it is whole; → its manifest."""
    home = landed.home
    building = home / "staging" / f"{version}.building"
    building.mkdir(parents=True)
    try:
        with name_place(building):  # feeds, pages and Data Docs are plain files, whose errors name no place
            manifest = _build_whole(building, version, settings, landed, unread, progress)
    except (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException) as error:
        remove_tree(building)
        found = " ".join(str(error).split())
        mend = "check the disk and the rights: justice-etl doctor"
        raise JusticeError(f"the warehouse could not be written: {found}", mend) from error
    except OSError:
        remove_tree(building)  # half a version would keep the disk full
        raise
    staged = home / "staging" / version
    building.rename(staged)
    sync_folder(staged.parent)
    return manifest


def _build_whole(
    building: Path, version: str, settings: Settings, landed: Landed, unread: list[KeptOut], progress: Progress
) -> dict[str, Any]:
    """Build all that a version holds; → its manifest, which is written last."""
    home = landed.home
    verdict, quarantined, tables = _build_warehouse(building, version, settings, landed, progress)
    write_data_docs(building / DATA_DOCS, verdict.to_pages())
    items = make_items(landed.releases, unread, quarantined, verdict)
    write_items(building, items)
    show_items(home, building)
    manifest = {
        "version": version,
        "built_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "built_by": _BUILT_BY,
        "home": home_kind(home),
        "releases": [release.release_id for release in landed.releases],
        "sources": compute_source_states(landed.releases),
        "items": list(summarise(items)),
        "tables": tables,
    }
    write_json(building / MANIFEST, manifest)
    return manifest


def read_all(home: Path, releases: list[Release], progress: Progress) -> tuple[list[TidyFile], list[KeptOut]]:
    """Read every landed file once, however many releases it belongs to.

    Returns:
        What was read, and what is kept out since it could not be.

    Raises:
        JusticeError: landed bytes are gone or damaged, or one file is corrected in two ways.
    """
    records = list_distinct(releases)
    files, kept_out = [], []
    with ReadingProcess() as process:
        for done, record in enumerate(records):
            progress(f"reading {record.filename}", done, len(records))
            read = read_landed(home, record, process.read)
            if isinstance(read, TidyFile):
                files.append(read)
            else:
                kept_out.append(read)
    progress("read", len(records), len(records))
    return files, kept_out


def list_distinct(releases: Iterable[Release]) -> list[Record]:
    """The files of releases, each once, by hash; of those that are corrected, under the edition that says so.

    Raises:
        JusticeError: one file is corrected in two ways.
    """
    records: dict[str, Record] = {}
    for record in (record for release in releases for record in release.records):
        held = records.setdefault(record.sha256, record)
        own, others = _corrections_of(record), _corrections_of(held)
        if own and not others:
            records[record.sha256] = record  # the same mistake of the same bytes, wherever it is declared
        elif own != others and own:
            raise JusticeError(
                f"{record.filename} is the same file in {held.edition} and {record.edition} of {record.source}, and "
                "corrections.yml corrects it in two ways",
                "correct it alike in both editions, or in one of them",
            )
    return [records[sha256] for sha256 in sorted(records)]


def _corrections_of(record: Record) -> list[tuple[str, str, str]]:
    found = find_corrections(record.source, record.edition, record.filename)
    return [(correction.sheet, correction.cell, correction.corrected) for correction in found]


def _build_warehouse(
    folder: Path, version: str, settings: Settings, landed: Landed, progress: Progress
) -> tuple[Verdict, list[dict[str, Any]], dict[str, dict[str, object]]]:
    """Build until no rule keeps another file out: what is built then rests on none that is."""
    path = folder / WAREHOUSE
    of_files = check_files(landed.home, landed.releases, landed.files)
    kept_out = of_files.kept_out
    deciding, rest = split_models(find_models())
    while True:
        verdict = of_files.copy(kept_out)
        with open_for_building(path, settings.memory_limit) as connection:
            load_inputs(connection, landed.releases, landed.files, kept_out)
            run_models(connection, deciding, verdict, landed.home, progress)
            if verdict.kept_out.keys() == kept_out.keys():
                load_seen(connection, landed.home)
                built_at = datetime.now(UTC)
                run = {"run_id": f"build-{version}", "built_at": built_at, "built_by": _BUILT_BY}
                load_rows(connection, "input.run", [run])
                run_models(connection, rest, verdict, landed.home, progress)
                create_as_of(connection)
                _check_tables(connection, verdict, progress)
                quarantined = _write_quarantine(folder, connection)
                tables = _hash_tables(connection)
                write_feeds(connection, folder / FEEDS, version, built_at)
                write_site(connection, folder / SITE, version, landed.home / CHARTS / DRAWN)
                break
        kept_out = keep_out_causes(verdict, kept_out, landed.releases)
        path.unlink()
    if (leftover := path.with_name(f"{path.name}.wal")).exists():
        raise JusticeError(f"{leftover} was left beside the warehouse", "build again; if it stays, report it")
    return verdict, quarantined, tables


def run_models(
    connection: duckdb.DuckDBPyConnection, models: list[Model], verdict: Verdict, home: Path, progress: Progress
) -> None:
    """Make the tables of models, and judge by rules, in their order."""
    for done, model in enumerate(models):
        progress(f"{'checking' if model.is_check else 'building'} {model.name}", done, len(models))
        if model.is_check:
            check_rule(connection, model, verdict)
        elif model.name != CHECK_RESULT:
            run_model(connection, model, home / RANKS)
    progress("built", len(models), len(models))


def _check_tables(connection: duckdb.DuckDBPyConnection, verdict: Verdict, progress: Progress) -> None:
    """Check every published table but the one of what was found, which is made last."""
    checked = [contract for contract in published_contracts() if contract.name != CHECK_RESULT]
    for done, contract in enumerate(checked):
        progress(f"checking {contract.name}", done, len(checked))
        check_table(connection, contract, verdict)
        check_references(connection, contract, verdict)
    progress("checked", len(checked), len(checked))
    load_contract_rows(connection, "check_result", verdict.list_results())
    run_model(connection, next(model for model in find_models() if model.name == CHECK_RESULT))


def _hash_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, object]]:
    return {
        contract.name: hash_table(connection, contract)
        for contract in published_contracts()
        if not contract.unhashed and not contract.view
    }


@contextmanager
def open_for_building(path: Path, memory_limit: str = "3GB") -> Iterator[duckdb.DuckDBPyConnection]:
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


def _write_quarantine(folder: Path, connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Write every line that was kept out to `lines.parquet`; → one summary a file and name."""
    connection.execute(
        'COPY (SELECT * FROM work.unplaced_line ORDER BY sha256, sheet, row, "column", release_id) '
        f"TO {literal(str(folder / LINES))} (FORMAT parquet)"
    )
    rows = connection.execute(
        """
        SELECT
            line.sha256, min(file.filename), line.rule, line.level, line.published_name,
            count(DISTINCT concat_ws('!', line.sheet, line.row, line.column)),
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
