"""Lineage: what each step took in and gave out, as OpenLineage events.

Nothing happens, and nothing of OpenLineage is imported, unless OpenLineage's own settings say where events go: the
standard variables, or in an Airflow task whatever its provider goes by. That an event cannot be delivered is a
warning in the log; it never fails a step, and never holds one up for long.

Files and tables are named as people know them (`landing/<release id>/<filename>`, `current/mart.crime_trend`); which
bytes they are is said by their version.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit
from uuid import uuid4

from etl.contracts import contracts
from etl.landing import Record, Release

if TYPE_CHECKING:
    from etl.editions import Outcome
    from etl.reading import TidyFile

logger = logging.getLogger(__name__)

_NAMES = ("OPENLINEAGE_CONFIG", "OPENLINEAGE_URL")
_PREFIX = "OPENLINEAGE__TRANSPORT"
_TRUE = ("true", "1", "t")
_PROVIDER = "airflow.providers.openlineage"

_PATIENCE_SECONDS = 5.0
"""How long a step waits for an event to be delivered."""
_SILENCE_SECONDS = 300.0
"""How long nothing is sent after an event could not be delivered: a step of many runs waits once, not once a run."""

Kind = Literal["FILE", "TABLE"]
State = Literal["START", "COMPLETE", "FAIL"]


@dataclass(frozen=True)
class Membership:
    """The release that a file belongs to, and the bytes that it has there."""

    release_id: str
    source: str
    edition: str
    published_at: str
    sha256: str
    filename: str


@dataclass(frozen=True)
class Column:
    """A column of a table, from its contract."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class Dataset:
    """A file or table that a step takes in or gives out.

    Attributes:
        namespace: what its name is unique within.
        name: its name.
        kind: `FILE` or `TABLE`.
        version: what tells one content of it from another: a hash, or what the content follows from.
        rows: how many it holds, where that is known.
        bytes: its size, where that is known.
        release: of a file: the release that it belongs to.
        built: of a table: the version of the warehouse that holds it.
        columns: of a table, where they are known to be those of this version.
    """

    namespace: str
    name: str
    kind: Kind
    version: str
    rows: int | None = None
    bytes: int | None = None
    release: Membership | None = None
    built: str | None = None
    columns: tuple[Column, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What makes a dataset the same dataset, and the order in which they are listed."""
        return self.namespace, self.name


@dataclass(frozen=True)
class ParentRun:
    """The run below which a run of ours hangs, and the one at the top of all, where there is another."""

    namespace: str
    job: str
    run_id: str
    root: ParentRun | None = None


@dataclass
class LineageRun:
    """One run of a step. Where lineage is not configured `is_recording` is False, and what is added is let go.

    Attributes:
        job: `justice-etl/<step>`.
        parent: the run below which it hangs.
        run_id: a UUID of its own.
        version: the version of the warehouse that it builds or publishes, and the releases that this rests on.
    """

    job: str
    parent: ParentRun | None = None
    is_recording: bool = True
    run_id: str = field(default_factory=lambda: str(uuid4()))
    version: tuple[str, tuple[str, ...]] | None = None
    _inputs: dict[tuple[str, str], Dataset] = field(default_factory=dict)
    _outputs: dict[tuple[str, str], Dataset] = field(default_factory=dict)

    def add_input(self, dataset: Dataset) -> None:
        """Say that the step took this in; a dataset counts once."""
        if self.is_recording:
            self._inputs[dataset.key] = dataset

    def add_output(self, dataset: Dataset) -> None:
        """Say that the step gave this out; a dataset counts once."""
        if self.is_recording:
            self._outputs[dataset.key] = dataset

    @property
    def inputs(self) -> list[Dataset]:
        """What was taken in, by namespace and name."""
        return [self._inputs[key] for key in sorted(self._inputs)]

    @property
    def outputs(self) -> list[Dataset]:
        """What was given out, by namespace and name."""
        return [self._outputs[key] for key in sorted(self._outputs)]


@contextmanager
def record_lineage(job: str, *, parent: ParentRun | None = None) -> Iterator[LineageRun]:
    """Record a run of the job `justice-etl/<job>`: START now, COMPLETE at the end, FAIL where an exception leaves.

    Args:
        job: the step: `fetch`, `read`, `build`, `publish`.
        parent: the run below which this one hangs; None takes that of the Airflow task that runs, if one does.

    Yields:
        The run, to which the step adds what it takes in and gives out.

    Raises:
        Nothing of its own; what the block raises passes on.
    """
    run = LineageRun(f"justice-etl/{job}", parent, is_recording=_is_configured())
    if run.is_recording and parent is None:
        run.parent = _parent_of_running_task()
    _emit(run, "START")
    try:
        yield run
    except BaseException as error:
        _emit(run, "FAIL", error)
        raise
    _emit(run, "COMPLETE")


def lineage_namespace() -> str:
    """The namespace of our jobs, landed files and tables: OPENLINEAGE_NAMESPACE, or `justice`."""
    return os.environ.get("OPENLINEAGE_NAMESPACE") or "justice"


def _parent_of_running_task() -> ParentRun | None:
    if f"{_PROVIDER}.conf" not in sys.modules:
        return None
    try:
        return parent_of_airflow_task(import_module("airflow.sdk").get_current_context()["ti"])
    except RuntimeError:  # no task runs: Airflow is only loaded
        return None


def parent_of_airflow_task(ti: Any) -> ParentRun | None:
    """The run that Airflow's OpenLineage provider records for a task instance, below the run of its DAG.

    Args:
        ti: the task instance in a running task's context.

    Returns:
        None where the provider is switched off, or cannot say.
    """
    try:
        if import_module(f"{_PROVIDER}.conf").is_disabled():
            return None
        macros = import_module(f"{_PROVIDER}.plugins.macros")
        return ParentRun(
            namespace=macros.lineage_job_namespace(),
            job=macros.lineage_job_name(ti),
            run_id=macros.lineage_run_id(ti),
            root=ParentRun(
                namespace=macros.lineage_root_job_namespace(ti),
                job=macros.lineage_root_job_name(ti),
                run_id=macros.lineage_root_run_id(ti),
            ),
        )
    except Exception as error:  # whatever it is, it is no reason for a step to fail
        logger.warning("lineage without a parent", extra={"reason": _describe(error)})
        return None


# --- datasets ------------------------------------------------------------------------------------------


def published_file(url: str, record: Record, release_id: str) -> Dataset:
    """A file where its publisher keeps it: host as namespace, path and query as name."""
    parts = urlsplit(url)
    return Dataset(
        namespace=f"{parts.scheme}://{parts.netloc}",
        name=f"{parts.path}?{parts.query}" if parts.query else parts.path,
        kind="FILE",
        version=record.sha256,
        bytes=record.bytes,
        release=_membership(record, release_id),
    )


def landed_file(record: Record, release_id: str) -> Dataset:
    """A file as it was landed in a release: `landing/<release id>/<filename>`."""
    return Dataset(
        namespace=lineage_namespace(),
        name=f"landing/{release_id}/{record.filename}",
        kind="FILE",
        version=record.sha256,
        bytes=record.bytes,
        release=_membership(record, release_id),
    )


def tidy_file(tidy: TidyFile, record: Record, release_id: str) -> Dataset:
    """The tidy Parquet of a landed file: `tidy/<table>/<release id>/<filename>`.

    Its version is what its content follows from: the bytes that were read, the reader, and corrections.
    """
    return Dataset(
        namespace=lineage_namespace(),
        name=f"tidy/{tidy.tidy_table}/{release_id}/{record.filename}",
        kind="FILE",
        version=tidy.path.stem,
        rows=tidy.rows,
        release=_membership(record, release_id),
    )


def warehouse_table(
    version: str,
    name: str,
    rows: int,
    content_sha256: str,
    *,
    is_published: bool = False,
    columns: tuple[Column, ...] = (),
) -> Dataset:
    """A table of the warehouse, `staging/<schema>.<table>` as built, `current/<schema>.<table>` as published.

    Args:
        version: the version of the warehouse.
        name: `schema.table`.
        rows: how many it has.
        content_sha256: the hash of its ordered content, from the manifest.
        is_published: whether it is that which serves.
        columns: its columns, if they are those of this version.
    """
    return Dataset(
        namespace=lineage_namespace(),
        name=f"{'current' if is_published else 'staging'}/{name}",
        kind="TABLE",
        version=content_sha256,
        rows=rows,
        built=version,
        columns=columns,
    )


def _membership(record: Record, release_id: str) -> Membership:
    return Membership(
        release_id=release_id,
        source=record.source,
        edition=record.edition,
        published_at=record.published_at,
        sha256=record.sha256,
        filename=record.filename,
    )


# --- what each step takes in and gives out -------------------------------------------------------------


def add_outcomes(run: LineageRun, outcomes: Iterable[Outcome], releases: Iterable[Release]) -> None:
    """Add what was fetched: published files in, landed files out.

    Args:
        run: the run of the step.
        outcomes: what became of each file; those of which nothing was landed are left out.
        releases: the releases as they are after landing.
    """
    if not run.is_recording:
        return
    landed = {(release.release_id, r.filename): r for release in releases for r in release.records}
    for outcome in outcomes:
        record = landed.get((outcome.release_id or "", outcome.filename))
        if record and outcome.release_id:
            run.add_input(published_file(outcome.url, record, outcome.release_id))
            run.add_output(landed_file(record, outcome.release_id))


def add_read(run: LineageRun, releases: Iterable[Release], files: Iterable[TidyFile]) -> None:
    """Add what was read: landed files in, tidy files out, in every release that the same bytes belong to."""
    if not run.is_recording:
        return
    tidy = {file.sha256: file for file in files}
    for release_id, record in _records(releases):
        if file := tidy.get(record.sha256):
            run.add_input(landed_file(record, release_id))
            run.add_output(tidy_file(file, record, release_id))


def add_build(run: LineageRun, releases: Iterable[Release], manifest: dict[str, Any]) -> None:
    """Add what was built: every landed file of the releases in, the tables of the version out.

    Args:
        run: the run of the step.
        releases: what the version rests on.
        manifest: of the version that today's code built.
    """
    if not run.is_recording:
        return
    for release_id, record in _records(releases):
        run.add_input(landed_file(record, release_id))
    for name, table in manifest["tables"].items():
        columns = _columns_of(name)
        run.add_output(warehouse_table(manifest["version"], name, table["rows"], table["sha256"], columns=columns))
    run.version = _version_of(manifest)


def add_publish(run: LineageRun, manifest: dict[str, Any]) -> None:
    """Add what was published: the tables as they were built in, the tables that serve out."""
    if not run.is_recording:
        return
    for name, table in manifest["tables"].items():
        describe = partial(warehouse_table, manifest["version"], name, table["rows"], table["sha256"])
        run.add_input(describe())
        run.add_output(describe(is_published=True))
    run.version = _version_of(manifest)


def _records(releases: Iterable[Release]) -> Iterator[tuple[str, Record]]:
    return ((release.release_id, record) for release in releases for record in release.records)


def _version_of(manifest: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    return manifest["version"], tuple(sorted(manifest["releases"]))


def _columns_of(name: str) -> tuple[Column, ...]:
    contract = contracts().get(name)
    columns = contract.columns.items() if contract else ()
    return tuple(Column(column, known.type, known.description) for column, known in columns)


# --- delivery ------------------------------------------------------------------------------------------


@dataclass
class _Silence:
    """Until when (monotonic seconds) nothing is sent."""

    until: float = 0.0


_silence = _Silence()


def _is_configured() -> bool:
    """Whether OpenLineage is told where events go; in an Airflow task its provider decides."""
    if provider := sys.modules.get(f"{_PROVIDER}.conf"):
        try:
            return not provider.is_disabled()
        except Exception as error:  # a setting that cannot be read
            logger.warning("lineage is not configured", extra={"reason": _describe(error)})
            return False
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() in _TRUE:
        return False
    return any(value and (name in _NAMES or name.startswith(_PREFIX)) for name, value in os.environ.items())


def _provider_config() -> dict[str, Any]:
    """The client's configuration as Airflow's provider makes it, connections included; empty outside of Airflow."""
    if f"{_PROVIDER}.conf" not in sys.modules:
        return {}
    adapter = import_module(f"{_PROVIDER}.plugins.adapter").OpenLineageAdapter()
    return adapter.get_openlineage_config() or {}


def _emit(run: LineageRun, state: State, error: BaseException | None = None) -> None:
    """Send an event, unless none could be delivered a moment ago; that this one cannot be is a warning."""
    if not run.is_recording or time.monotonic() < _silence.until:
        return
    try:
        from etl.lineage_events import deliver, make_event

        event = make_event(run, state, error)
        _wait_for(partial(deliver, event, _provider_config(), _PATIENCE_SECONDS))
    except Exception as trouble:  # whatever it is, it is no reason for a step to fail
        _silence.until = time.monotonic() + _SILENCE_SECONDS
        details = {"job": run.job, "state": state, "reason": _describe(trouble)}
        logger.warning("lineage was not delivered", extra=details)


def _wait_for(delivery: Callable[[], None]) -> None:
    """Run a delivery, and wait for it no longer than our patience lasts: a client's own retries may take minutes."""
    raised: list[Exception] = []

    def run() -> None:
        try:
            delivery()
        except Exception as error:
            raised.append(error)

    thread = Thread(target=run, name="lineage", daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECONDS)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {_PATIENCE_SECONDS:g} seconds")
    if raised:
        raise raised[0]


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
