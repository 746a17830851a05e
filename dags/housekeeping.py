"""Housekeeping: once a week, what need not be looked at every night."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, dag, task

from etl import nightly
from etl.airflow_tasks import DEFAULT_ARGS
from etl.settings import Settings
from etl.sources import declared_sources

DOC = """
Re-hashes all that was landed, asks publishers for all bytes again (files are swapped in silence, under the same
address), looks for publications that no page lists, removes versions beyond those kept, and examines the set-up.

**When it fails**
- `verify`: landed bytes do not match their records. Restore them from the backup, or land the originals again.
- `sweep`: a file could not be had or was refused, or a publication was found that no page lists (an orphan): land it by
  hand, or add it to `ignore_pages`. What was swapped is landed; the next night publishes it.
- `prune`, `examine`: as the message says; `justice-etl doctor` shows the same.
"""


@task(execution_timeout=timedelta(hours=4))
def verify() -> None:
    """Re-hash all that was landed."""
    nightly.verify_landing(Settings())


@task(pool="publishers", max_active_tis_per_dagrun=1, execution_timeout=timedelta(hours=4))
def sweep(source: str) -> list[str]:
    """Ask for all bytes of a source again; → the releases that were made."""
    return nightly.sweep_source(Settings(), source)


@task
def prune() -> list[str]:
    """Remove what is kept no longer; → the versions."""
    return nightly.prune_home(Settings())


@task
def examine() -> None:
    """Look for what commonly goes wrong."""
    nightly.examine_home(Settings())


@dag(
    schedule=CronTriggerTimetable("5 5 * * 0", timezone="Europe/London"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["justice-etl", "housekeeping"],
    doc_md=DOC,
)
def housekeeping() -> None:
    """Verify, sweep, prune, examine: each by itself."""
    verify()
    sweep.expand(source=[source.source for source in declared_sources().values() if source.places])
    prune()
    examine()


housekeeping()
