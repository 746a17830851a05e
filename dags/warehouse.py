"""The warehouse: built and published whenever something new of any source was landed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import AssetAny, Metadata, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from etl import nightly
from etl.airflow_tasks import DEFAULT_ARGS, WAREHOUSE, landed_asset
from etl.errors import HeldVersionError
from etl.settings import Settings
from etl.sources import declared_sources

DOC = """
Builds the warehouse from all that was landed, in `staging/`, judges it, and publishes it in one step. The asset
`justice://warehouse` fires when another version serves; its `extra` names it. Until then, and whatever fails here, the
version before serves on.

**When it fails**
- `build`: a model failed or the disk is full; nothing was staged. The message says which. Mend, then clear the task.
- `validate`: the version breaks a rule that every published one meets. `justice-etl quarantine` lists what, with what
  would settle it. `housekeeping` says it again each week until it is.
- `report`: the version **is** published and newly keeps out files or names, each with rule, cell and figures.

A version that was rolled back is not published again: then `publish` skips. See `docs/operating.md`.
"""


@task(pool="build", execution_timeout=timedelta(hours=4))
def build() -> str:
    """Build what was landed; → the version."""
    return nightly.build_version(Settings()).version


@task
def validate(version: Any) -> None:
    """Refuse a version that breaks a rule of every published one."""
    nightly.check_version(Settings(), version)


@task(pool="publish", execution_timeout=timedelta(hours=4), inlets=[WAREHOUSE], outlets=[WAREHOUSE])
def publish(inlet_events: Any = None) -> Any:
    """Let the version serve; the asset fires where it has not been told of that version."""
    try:
        version = nightly.publish_version(Settings()).version
    except HeldVersionError as error:
        raise AirflowSkipException(str(error)) from error
    told = inlet_events[WAREHOUSE]
    # Not whether this try published it: the try before may have been killed after it did.
    if told and told[-1].extra.get("version") == version:
        raise AirflowSkipException(f"nothing new: version {version} serves already")
    yield Metadata(WAREHOUSE, extra={"version": version})


@task
def report() -> None:
    """Tell what is newly kept out."""
    nightly.report_version(Settings())


@dag(
    schedule=AssetAny(*(landed_asset(source.source) for source in declared_sources().values() if source.places)),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["justice-etl", "warehouse"],
    doc_md=DOC,
)
def warehouse() -> None:
    """Build, validate, publish, report."""
    validate(build()) >> publish() >> report()


warehouse()
