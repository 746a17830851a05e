"""Our DAGs under a real scheduler, against a replica of the publishers: REST in, a version out.

One test for each way to run Airflow, as starting it takes longer than most of what it is asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from etl.files import remove_tree
from etl.landing import read_records
from etl.local_airflow import LocalAirflow, LocalAirflowError
from etl.publish import current_version, list_versions
from etl.replica import Archive, Replica
from tests.dags.preloaded.sitecustomize import KILL_FILE
from tests.dags.publishers import make_publishers
from tests.dags.rest import ENDED, RUN_SECONDS, Rest, Run
from tests.end_to_end.nights import DATA_SET
from tests.faults.commands import DONE, KEPT_OUT, Commands
from tests.publishers.support import API

CRIME = ("recorded_crime_home_office", "recorded_crime_ons")
INGEST = ("ingest_crime", "ingest_reference", "ingest_reoffending")
SCHEDULED = ("housekeeping", "release_day")
PAGE_OF_CRIME = f"{API}{DATA_SET}"
PRELOADED = Path(__file__).parent / "preloaded"


@dataclass
class Site:
    """An Airflow over a home of its own, publishers, and a second home that only the command line knows."""

    folder: Path
    archive: Archive
    replica: Replica
    commands: Commands
    rest: Rest

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def kill_file(self) -> Path:
        return self.folder / "kill"

    def refresh_by_hand(self, *sources: str, status: int = DONE) -> str | None:
        """The version that the command line makes of the same publishers."""
        home = self.folder / "by-hand"
        commands = [["refresh", "--source", source] for source in sources] or [["refresh"]]
        outcome = self.commands.run(home, *commands, env={"JUSTICE_REPLICA_URL": self.replica.url})
        assert outcome.status == status, outcome.text
        return current_version(home)

    def ingest(self, *dags: str) -> dict[str, Run]:
        """Run ingests side by side, each in the slot that its schedule has next; → how they ended."""
        started = {dag: self.rest.trigger(dag, in_slot=True) for dag in dags}
        self.rest.switch_on(*dags)
        return {dag: self.rest.wait(dag, run_id) for dag, run_id in started.items()}

    def wait_for_version(self, version: str | None) -> None:
        """Wait until a version serves and no run of the warehouse is left."""

        def serves() -> bool:
            is_quiet = all(run["state"] in ENDED for run in self.rest.list_runs("warehouse"))
            return is_quiet and current_version(self.home) == version

        try:
            self.rest.airflow.wait_until(serves, f"version {version} did not serve", RUN_SECONDS)
        except LocalAirflowError as error:
            runs = [(run["run_type"], run["state"]) for run in self.rest.list_runs("warehouse")]
            raise AssertionError(f"{current_version(self.home)} serves; runs of the warehouse: {runs}") from error

    @property
    def told_versions(self) -> list[str]:
        """The versions that the asset of the warehouse told of."""
        return [event["extra"]["version"] for event in self.rest.list_asset_events("justice://warehouse")]


@contextmanager
def make_site(folder: Path, commands: Commands, **airflow: Any) -> Iterator[Site]:
    archive = make_publishers(folder / "publishers")
    env = {
        "JUSTICE_HOME": str(folder / "home"),
        "PYTHONDONTWRITEBYTECODE": "",  # some of the many processes compile what all of them import
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "PYTHONPATH": os.pathsep.join([str(PRELOADED), *filter(None, [os.environ.get("PYTHONPATH")])]),
        KILL_FILE: str(folder / "kill"),
    }
    with pytest.MonkeyPatch.context() as patch, Replica(archive) as replica:
        # Settings of the person who runs the tests do not count.
        for name in [name for name in os.environ if name.startswith("JUSTICE_")]:
            patch.delenv(name)
        env["JUSTICE_REPLICA_URL"] = replica.url
        with LocalAirflow(folder / "airflow", env=env, **airflow) as running:
            assert running.find_import_errors() == {}
            yield Site(folder, archive, replica, commands, Rest(running))
    remove_tree(folder)


# --- the whole job, on SQLite with LocalExecutor ---------------------------------------------------------------------


@pytest.mark.timeout(600)
def test_nights_on_sqlite(commands: Commands, tmp_path: Path) -> None:
    with make_site(tmp_path, commands) as site:
        a_failing_source_does_not_stop_the_others(site)
        a_killed_build_is_retried_and_two_triggers_publish_once(site)
        nothing_new_fires_nothing(site)
        what_is_due_runs_by_schedule(site)


def a_failing_source_does_not_stop_the_others(site: Site) -> None:
    page = site.archive.reply(PAGE_OF_CRIME)
    site.archive.put(PAGE_OF_CRIME, b"<html>We are sorry</html>")
    site.rest.switch_on("warehouse")
    runs = site.ingest(*INGEST)
    failed = {dag: run.failed for dag, run in runs.items() if run.state != "success"}
    assert failed == {"ingest_crime": ["recorded_crime_home_office.report"]}
    assert runs["ingest_crime"].states["recorded_crime_ons.announce"] == "success"
    assert runs["ingest_reoffending"].states["proven_reoffending.announce"] == "skipped"
    by_hand = site.refresh_by_hand(status=KEPT_OUT)
    site.wait_for_version(by_hand)
    assert site.told_versions[-1] == by_hand
    assert {run["run_type"] for run in site.rest.list_runs("warehouse")} == {"asset_triggered"}
    site.archive.put(PAGE_OF_CRIME, site.archive.folder / str(page.body), headers=page.headers)


def a_killed_build_is_retried_and_two_triggers_publish_once(site: Site) -> None:
    earlier = {run["dag_run_id"] for run in site.rest.list_runs("warehouse")}
    for run_id in sorted(earlier):
        site.rest.wait("warehouse", run_id)  # one that still waits its turn would be killed in place of those below
    before, told = list_versions(site.home), site.told_versions
    site.rest.switch_off("warehouse")
    taken = site.rest.wait("ingest_crime", site.rest.trigger("ingest_crime"))
    assert taken.state == "success", taken.states
    assert taken.states["recorded_crime_home_office.announce"] == "success"
    assert taken.states["recorded_crime_ons.announce"] == "skipped"
    site.kill_file.touch()
    both = [site.rest.trigger("warehouse") for _ in range(2)]
    site.rest.switch_on("warehouse")
    for run_id in both:
        site.rest.wait("warehouse", run_id)
    # What the ingest announced may wake it too, between those two or after them.
    since = [run["dag_run_id"] for run in site.rest.list_runs("warehouse") if run["dag_run_id"] not in earlier]
    assert set(both) <= set(since)
    runs = [site.rest.wait("warehouse", run_id) for run_id in since]
    assert {run.state for run in runs} == {"success"}, runs
    assert not site.kill_file.exists()
    # A run that had built before builds what was landed meanwhile when it publishes.
    again = [(task["task_id"], task["try_number"]) for run in runs for task in run.tasks if task["try_number"] > 1]
    assert again in ([("build", 2)], [("publish", 2)])
    assert sorted(run.states["publish"] for run in runs) == [*["skipped"] * (len(runs) - 1), "success"]
    by_hand = site.refresh_by_hand()
    assert current_version(site.home) == by_hand
    assert site.told_versions == [*told, by_hand]
    assert len(list_versions(site.home)) == len(before) + 1
    assert not list((site.home / "staging").iterdir())
    ours, others = ({record.key for record in read_records(home)} for home in (site.home, site.folder / "by-hand"))
    assert ours == others


def nothing_new_fires_nothing(site: Site) -> None:
    events, warehouse = site.rest.list_asset_events(), site.rest.list_runs("warehouse")
    run = site.rest.wait("ingest_crime", site.rest.trigger("ingest_crime"))
    assert run.state == "success", run.states
    assert [run.states[f"{source}.announce"] for source in CRIME] == ["skipped", "skipped"]
    assert site.rest.list_asset_events() == events
    assert site.rest.list_runs("warehouse") == warehouse


def what_is_due_runs_by_schedule(site: Site) -> None:
    site.rest.switch_on(*SCHEDULED)
    for dag in SCHEDULED:
        (run,) = site.rest.wait_for_all(dag, 1)
        assert (run.run_type, run.state) == ("scheduled", "success"), run.states
    assert set(run.states.values()) == {"skipped"}, "no release is confirmed for today"


# --- the main path, elsewhere ----------------------------------------------------------------------------------------


def a_night_gives_the_version_of_the_command_line(site: Site) -> None:
    site.rest.switch_on("warehouse")
    run = site.ingest("ingest_crime")["ingest_crime"]
    assert run.state == "success", run.states
    by_hand = site.refresh_by_hand(*CRIME)
    site.wait_for_version(by_hand)
    assert site.told_versions[-1] == by_hand


@pytest.mark.timeout(600)
def test_a_night_on_postgres(commands: Commands, postgres_database: str, tmp_path: Path) -> None:
    with make_site(tmp_path, commands, database_url=postgres_database) as site:
        a_night_gives_the_version_of_the_command_line(site)


@pytest.mark.timeout(600)
def test_a_night_on_celery(commands: Commands, postgres_database: str, redis: str, tmp_path: Path) -> None:
    options = {"executor": "CeleryExecutor", "database_url": postgres_database, "broker_url": redis, "workers": 2}
    with make_site(tmp_path, commands, **options) as site:
        a_night_gives_the_version_of_the_command_line(site)
        for worker in ("worker-1", "worker-2"):
            log = site.rest.airflow.log_of(worker).read_text(encoding="utf-8")
            assert "succeeded in" in log, f"{worker} ran no task"
