"""Ingest: ask publishers at night what is new, land and read it; and look again on the days of confirmed releases.

Each source goes its own way through discover → fetch → finish → read → validate → announce, so that one that
fails keeps no other from going on. `report` tells once a night what an operator must know.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import (
    DAG,
    BaseSensorOperator,
    Context,
    CronTriggerTimetable,
    Metadata,
    Param,
    TriggerRule,
    dag,
    task,
    task_group,
)
from airflow.sdk.exceptions import AirflowSkipException

from etl import nightly
from etl.airflow_tasks import DEFAULT_ARGS, landed_asset
from etl.settings import Settings

LONDON = "Europe/London"
KEY, SHA256 = "{{ task.op_kwargs['key'] }}", "{{ task.op_kwargs['sha256'][:12] }}"
"""What the grid calls a mapped task."""
GROUPS = {
    "crime": ("7 2 * * *", ("recorded_crime_home_office", "recorded_crime_ons")),
    "reoffending": ("17 2 * * *", ("local_adult_reoffending", "proven_reoffending")),
    "reference": ("27 2 * * *", ("geography", "population")),
}
"""Source groups: when they are asked at night, London time, and their sources. A source is in one of them."""

PARAMS: dict[str, Any] = {
    "edition": Param(None, type=["null", "string"], description="Only the edition of this title, key or page."),
    "since": Param(None, type=["null", "string"], format="date", description="Leave alone what was put out before."),
}


def choose_source(sources: tuple[str, ...]) -> Param:
    """The parameter that leaves out all sources of a group but one."""
    return Param(None, type=["null", "string"], enum=[None, *sources], description="Only this source.")


DOC = """
Asks what the publishers of **{sources}** list, fetches what is new or was swapped, keeps it byte for byte, reads and
judges it. The asset `justice://landing/<source>` fires where something new awaits publication: then `warehouse` runs.

**When it fails**
- `report`: files were refused, could not be had, or a release is late; each is named with its address. The rest was
  taken. Nothing need be run again: the next night asks again.
- `discover`: an edition that was asked for is not listed, or another run holds the source. (A publisher that does not
  answer is asked again in some minutes; then the rest goes on and `report` tells of it.)
- `fetch`: no answer after several tries; `report` says which file. Clear it to try once more.
- `read`: landed bytes are damaged: `justice-etl verify`. A file that fits no layout does not fail here: the build keeps
  it out and `warehouse` tells of it.

**To take a past release** trigger it with `source` and `edition` (title, key or page); `since` leaves older ones alone.
See `docs/operating.md`.
"""


def skip_left_out(source: str, params: Any) -> None:
    """Skip what belongs to another source than the one that was asked for."""
    if params["source"] not in (None, source):
        raise AirflowSkipException(f"only {params['source']} was asked for")


@task(pool="publishers")
def discover(source: str, run_id: Any = None, params: Any = None, ti: Any = None) -> list[str]:
    """Ask what is listed; → the keys of the editions to take."""
    skip_left_out(source, params)
    return nightly.discover_source(
        Settings(),
        source,
        run_id,
        edition=params["edition"],
        since=date.fromisoformat(params["since"]) if params["since"] else None,
        is_last_try=ti.try_number > ti.max_tries,
    )


# `report` tells of an edition that was not taken: one alert a source and night, however many files are missing.
@task(pool="publishers", max_active_tis_per_dagrun=1, on_failure_callback=None, map_index_template=KEY)
def fetch(source: str, key: str, run_id: Any = None) -> list[str]:
    """Fetch and land one edition; → the releases that were made."""
    return nightly.fetch_edition(Settings(), source, run_id, key)


@task(pool="publishers", trigger_rule=TriggerRule.ALL_DONE)
def finish(source: str, run_id: Any = None) -> list[str]:
    """Note what was taken away; → the hashes of what is to be read."""
    return nightly.finish_source(Settings(), source, run_id)


@task(map_index_template=SHA256)
def read(source: str, sha256: str) -> int | str:
    """Read one landed file; → its lines, or the rule that keeps it out."""
    return nightly.read_file(Settings(), source, sha256)


@task(trigger_rule=TriggerRule.NONE_FAILED)
def validate(source: str) -> dict[str, int]:
    """Judge what was read, file by file."""
    return nightly.check_source(Settings(), source)


@task
def announce(source: str) -> Any:
    """Let the asset fire, where the version that serves does not rest on what was landed."""
    state = nightly.find_news(Settings(), source)
    if state is None:
        raise AirflowSkipException(f"nothing of {source} awaits publication")
    yield Metadata(landed_asset(source), extra={"state": state})


@task(trigger_rule=TriggerRule.ALL_DONE)
def report(source: str, run_id: Any = None, params: Any = None) -> None:
    """Tell what was newly refused or missed, was taken back, or is late."""
    skip_left_out(source, params)
    nightly.report_source(Settings(), source, run_id)


def take_source(source: str) -> None:
    """The steps of one source."""

    @task_group(group_id=source)
    def steps() -> None:
        keys = discover(source)
        fetched = fetch.partial(source=source).expand(key=keys)
        unread = finish(source)
        lines = read.partial(source=source).expand(sha256=unread)
        checked = validate(source)
        announced = announce.override(outlets=[landed_asset(source)])(source)
        fetched >> unread
        lines >> checked >> announced
        [keys, fetched, unread] >> report(source)

    steps()


for group, (cron, sources) in GROUPS.items():
    with DAG(
        dag_id=f"ingest_{group}",
        schedule=CronTriggerTimetable(cron, timezone=LONDON),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        params=PARAMS | {"source": choose_source(sources)},
        tags=["justice-etl", "ingest"],
        doc_md=DOC.format(sources=", ".join(sources)),
    ):
        for source in sources:
            take_source(source)


RELEASE_DAY_DOC = """
On the day of a release that its publisher has **confirmed**, looks for it from a minute after its time (normally 09:31)
until it is in or an hour has passed, then starts the ingest of its group. On other days everything is skipped.

**When it fails** the release named is late: look at the publisher's page. The next night takes it when it is there.
A release that is cancelled is skipped and no failure.
"""


class ReleaseSensor(BaseSensorOperator):
    """Looks for a release that is confirmed for today, until it is in."""

    def __init__(self, *, source: str, **more: Any) -> None:
        super().__init__(**more)
        self.source = source

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - as Airflow calls it
        """Ask once; what is not to be waited for is skipped."""
        state = nightly.poll_release(Settings(), self.source)
        if state in ("none", "cancelled"):
            raise AirflowSkipException(f"{self.source}: {state}")
        return state == "published"


@dag(
    schedule=CronTriggerTimetable("31 9 * * *", timezone=LONDON),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["justice-etl", "ingest"],
    doc_md=RELEASE_DAY_DOC,
)
def release_day() -> None:
    """Poll for confirmed releases."""
    for group, (_, sources) in GROUPS.items():
        for source in sources:
            start = TriggerDagRunOperator(task_id=f"ingest_{source}", trigger_dag_id=f"ingest_{group}")
            wait = ReleaseSensor(
                task_id=f"wait_for_{source}",
                source=source,
                pool="publishers",
                mode="reschedule",
                poke_interval=180,
                timeout=timedelta(hours=14),
                execution_timeout=timedelta(minutes=20),
            )
            wait >> start


release_day()
