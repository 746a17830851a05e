"""The DAGs: how they are declared, and what each does against a replica, without a scheduler."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from etl.files import remove_tree
from etl.landing import LONDON
from etl.publish import current_version
from etl.settings import project_root
from etl.sources import declared_sources, load_source
from tests.dags.dag_runs import DagRun, DagRunner, start_runner
from tests.dags.publishers import put_place
from tests.end_to_end.nights import BY_FORCE, DATA_SET, Night, make_night, put_page
from tests.faults.commands import FAILED, Commands, shared_commands
from tests.inbox import Inbox
from tests.publishers.support import SITE, asset, attachment, item, redirect_item

FILES = sorted((project_root() / "dags").glob("*.py"))
SOURCES = {source.source for source in declared_sources().values() if source.places}
DAGS = ("housekeeping", "ingest_crime", "ingest_reference", "ingest_reoffending", "release_day", "warehouse")

# --- how they are declared -------------------------------------------------------------------------------

_DESCRIBE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag()
def names(callbacks):  # a mapped task holds what it was given, another one a list
    return [each.__name__ for each in ([callbacks] if callable(callbacks) else callbacks or [])]
json.dump({
    "errors": bag.import_errors,
    "warnings": {str(path): list(found) for path, found in bag.captured_warnings.items()},
    "seconds": {stat.file: stat.duration.total_seconds() for stat in bag.dagbag_stats},
    "dags": {dag.dag_id: {
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "doc": dag.doc_md or "",
        "tags": sorted(dag.tags),
        "timezone": str(getattr(dag.timetable, "_timezone", getattr(dag.timetable, "timezone", ""))),
        "assets": sorted(getattr(dag.timetable.asset_condition, "objects", []) and
            [asset.uri for asset in dag.timetable.asset_condition.objects]),
        "params": sorted(dag.params),
        "tasks": {task.task_id: {
            "owner": task.owner,
            "retries": task.retries,
            "backoff": task.retry_exponential_backoff,
            "policy": type(task.retry_policy).__name__,
            "alerts": names(task.on_failure_callback),
            "timeout": task.execution_timeout.total_seconds(),
            "pool": task.pool,
            "outlets": [outlet.uri for outlet in task.outlets],
            "downstream": sorted(task.downstream_task_ids),
        } for task in dag.tasks},
    } for dag in bag.dags.values()},
}, open(sys.argv[1], "w"))
"""


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow makes of the files, in a process of its own."""
    folder = tmp_path_factory.mktemp("declared")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "JUSTICE_"))}
    env |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project_root() / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    command = [sys.executable, "-c", _DESCRIBE, str(folder / "found.json")]
    subprocess.run(command, env=env, check=True, capture_output=True, cwd=project_root())
    found: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return found


def test_every_file_parses_without_a_warning_and_fast(declared: dict[str, Any]) -> None:
    assert declared["errors"] == {}
    assert declared["warnings"] == {}
    assert set(declared["seconds"]) == {path.name for path in FILES}
    assert all(seconds < 5 for seconds in declared["seconds"].values()), declared["seconds"]
    assert sorted(declared["dags"]) == sorted(DAGS)


@pytest.mark.parametrize("dag_id", DAGS)
def test_every_dag_is_boring(declared: dict[str, Any], dag_id: str) -> None:
    dag = declared["dags"][dag_id]
    assert (dag["catchup"], dag["max_active_runs"]) == (False, 1)
    assert "**When it fails**" in dag["doc"]
    assert "justice-etl" in dag["tags"]
    assert len(dag["tags"]) > 1
    # At night and at half past nine in London, summer and winter; the warehouse goes by assets.
    assert dag["timezone"].endswith("Europe/London')") or dag["timezone"] == "Europe/London" or dag["assets"]
    for name, task in dag["tasks"].items():
        assert task["owner"] == "justice-etl", name
        assert (task["retries"], task["backoff"], task["policy"]) == (3, 2.0, "ExceptionRetryPolicy"), name
        assert 0 < task["timeout"] <= 4 * 3600, name
        # Of what `fetch` could not have `report` tells, once for all its files.
        assert task["alerts"] == ([] if name.endswith(".fetch") else ["alert"]), name
        if name.endswith(".fetch"):
            assert any(each.endswith(".report") for each in task["downstream"]), name


def test_every_source_is_taken_by_one_dag_and_wakes_the_warehouse(declared: dict[str, Any]) -> None:
    fired = [
        outlet
        for dag_id, dag in declared["dags"].items()
        if dag_id.startswith("ingest_")
        for task in dag["tasks"].values()
        for outlet in task["outlets"]
    ]
    assert sorted(fired) == sorted(f"justice://landing/{source}" for source in SOURCES)
    assert declared["dags"]["warehouse"]["assets"] == sorted(fired)
    # Airflow ends the name of a host with a slash, in the DAG of another team too.
    assert declared["dags"]["warehouse"]["tasks"]["publish"]["outlets"] == ["justice://warehouse/"]
    polled = {name.removeprefix("wait_for_") for name in declared["dags"]["release_day"]["tasks"] if "wait" in name}
    assert polled == SOURCES


def test_build_and_publish_have_pools_of_one_slot(declared: dict[str, Any]) -> None:
    pools = json.loads((project_root() / "dags" / "pools.json").read_text())
    assert {name: pool["slots"] for name, pool in pools.items()} == {"build": 1, "publish": 1, "publishers": 2}
    tasks = declared["dags"]["warehouse"]["tasks"]
    assert [tasks[name]["pool"] for name in ("build", "publish")] == ["build", "publish"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_dag_file_is_thin(path: Path) -> None:
    """It imports Airflow, our steps and little else; it holds no SQL and no loop over data."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {module.split(".")[0] for module in modules} <= {"__future__", "airflow", "datetime", "etl", "typing"}
    ours = {module for module in modules if module.startswith("etl")}
    assert ours <= {"etl", "etl.airflow_tasks", "etl.errors", "etl.settings", "etl.sources"}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in texts if "SELECT " in text]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert max(len(function.body) for function in functions) <= 12


# --- what they do ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def commands(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return shared_commands(request.config, tmp_path_factory.mktemp)


@pytest.fixture(scope="module")
def inbox() -> Iterator[Inbox]:
    with Inbox() as inbox:
        yield inbox


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory, commands: Commands) -> Iterator[Night]:
    """Two sources that are listed; what the other sources ask for answers 404."""
    folder = tmp_path_factory.mktemp("night")
    with make_night(folder, commands) as night:
        yield night
    remove_tree(folder)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, night: Night, inbox: Inbox) -> Iterator[DagRunner]:
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "events").mkdir()
    env = {
        "JUSTICE_HOME": str(night.home),
        "JUSTICE_REPLICA_URL": night.replica.url,
        "JUSTICE_ALERT_URLS": inbox.url,
        "OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(folder / "events" / "event")}),
        "OPENLINEAGE_NAMESPACE": "justice",
    }
    with start_runner(folder, **env) as runner:
        yield runner
    remove_tree(folder)


@pytest.fixture(scope="module")
def first(runner: DagRunner, night: Night) -> tuple[DagRun, DagRun]:
    """The first night: ingest, and the warehouse that its assets wake."""
    night.put_workbook(night.workbook)
    return runner.run("ingest_crime"), runner.run("warehouse")


@pytest.fixture
def alerts(inbox: Inbox) -> list[dict[str, Any]]:
    """The alerts that this test receives."""
    inbox.received.clear()
    return inbox.received


def test_a_night_lands_reads_builds_and_publishes(first: tuple[DagRun, DagRun], night: Night) -> None:
    ingest, warehouse = first
    # The page of the Home Office lacks a table that we want, and that is told; it keeps nothing else from being taken.
    assert ingest.states("recorded_crime_home_office.report") == {"failed"}
    others = set(ingest.tasks) - {"recorded_crime_home_office.report"}
    assert ingest.states(*others) == {"success"}
    assert (ingest.state, warehouse.state) == ("failed", "success")
    assert sorted(ingest.assets) == [
        "justice://landing/recorded_crime_home_office",
        "justice://landing/recorded_crime_ons",
    ]
    version = current_version(night.home)
    assert warehouse.assets == {"justice://warehouse/": {"version": version}}


def test_the_command_line_makes_the_same_version(first: tuple[DagRun, DagRun], night: Night, tmp_path: Path) -> None:
    env = {"JUSTICE_REPLICA_URL": night.replica.url}
    found = night.commands.run(tmp_path / "home", ["refresh"], env=env)
    assert found.status == FAILED  # it asks the sources that are not there too
    assert current_version(tmp_path / "home") == current_version(night.home)


def test_a_night_without_news_skips_and_wakes_nobody(
    first: tuple[DagRun, DagRun], runner: DagRunner, alerts: list[dict[str, Any]]
) -> None:
    ingest = runner.run("ingest_crime")
    assert ingest.state == "success"
    assert ingest.states("recorded_crime_ons.announce", "recorded_crime_home_office.announce") == {"skipped"}
    assert ingest.states("recorded_crime_ons.read", "recorded_crime_home_office.read") == {"skipped"}
    again = runner.run("warehouse")  # triggered by hand
    assert again.states("build", "validate") == {"success"}
    assert again.states("publish", "report") == {"skipped"}
    assert {**ingest.assets, **again.assets} == {}
    assert alerts == []


def test_a_source_that_fails_is_told_of_and_keeps_no_other_from_going_on(
    first: tuple[DagRun, DagRun], night: Night, runner: DagRunner, alerts: list[dict[str, Any]]
) -> None:
    serving = current_version(night.home)
    url = asset("prc-pfa.csv")
    night.archive.put(url, b"<html>We are down for maintenance</html>")
    night.put_workbook(night.corrected)
    found = runner.run("ingest_crime")
    assert found.state == "failed"
    assert found.states("recorded_crime_home_office.report") == {"failed"}
    assert found.states("recorded_crime_home_office.announce") == {"skipped"}
    assert found.states("recorded_crime_ons.report", "recorded_crime_ons.announce") == {"success"}
    assert sorted(found.assets) == ["justice://landing/recorded_crime_ons"]
    (alert,) = alerts
    text = f"{alert['title']}\n{alert['message']}"
    for said in ("recorded_crime_home_office.report", "prc-pfa.csv", str(serving), "refused"):
        assert said in text
    # It is news once; the warehouse goes on with what was landed.
    assert runner.run("ingest_crime").states("recorded_crime_home_office.report") == {"success"}
    assert runner.run("warehouse").states("publish") == {"success"}
    assert current_version(night.home) != serving
    assert len(alerts) == 1


def test_a_past_release_can_be_taken_alone(
    first: tuple[DagRun, DagRun], night: Night, runner: DagRunner, alerts: list[dict[str, Any]]
) -> None:
    before = len(night.replica.asked)
    found = runner.run("ingest_crime", source="recorded_crime_ons", edition="Year ending March 2018")
    assert (found.state, alerts) == ("success", [])
    assert found.states("recorded_crime_ons.fetch", "recorded_crime_ons.report") == {"success"}
    assert found.states("recorded_crime_home_office.discover", "recorded_crime_home_office.report") == {"skipped"}
    asked = [each.url for each in night.replica.asked[before:]]
    assert any("p1.xlsx" in url for url in asked)
    assert not any("prc-pfa" in url for url in asked)


def test_a_release_that_is_in_starts_its_ingest(first: tuple[DagRun, DagRun], night: Night, runner: DagRunner) -> None:
    today = datetime.now(LONDON).replace(hour=0, minute=0, second=0, microsecond=0)
    key = "/government/statistics/announcements/open-data-tables"
    entry = {
        "source": "recorded_crime_home_office",
        "key": key,
        "title": "Open data tables",
        "status": "confirmed",
        "expected_at": today.isoformat(),
        "text": "today",
        "url": f"{SITE}{key}",
    }
    path = night.home / "landing" / "calendar" / "recorded_crime_home_office.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"entries": [entry]}))
    put_page(night.archive, redirect_item(key, DATA_SET))
    put_page(night.archive, item(DATA_SET, "Open data tables", attachment(asset("prc-pfa.csv"), BY_FORCE)))
    found = runner.run("release_day")
    assert found.states("wait_for_recorded_crime_home_office") == {"success"}
    assert found.states("ingest_recorded_crime_home_office") == {"success"}
    others = {task for task in found.tasks if not task.endswith("recorded_crime_home_office")}
    assert found.states(*others) == {"skipped"}


def test_housekeeping_tells_of_damage(
    first: tuple[DagRun, DagRun], night: Night, runner: DagRunner, alerts: list[dict[str, Any]]
) -> None:
    blob = next(path for path in sorted((night.home / "landing" / "sha256").rglob("*")) if path.is_file())
    kept = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(b"rotten")
    found = runner.run("housekeeping")
    blob.write_bytes(kept)
    assert found.states("verify") == {"failed"}
    assert found.states("prune") == {"success"}
    assert any(blob.name in alert["message"] for alert in alerts)


def test_each_step_tells_what_it_took_in_and_gave_out_below_its_task(
    first: tuple[DagRun, DagRun], runner: DagRunner
) -> None:
    events = [json.loads(path.read_text()) for path in sorted((runner.replies.parent / "events").iterdir())]
    done = [event for event in events if event["eventType"] == "COMPLETE"]
    ours = [event for event in done if event["job"]["name"].startswith("justice-etl/")]
    tasks = {event["run"]["runId"]: event["job"]["name"].rpartition(".")[2] for event in events}
    below = {(each["job"]["name"], tasks[each["run"]["facets"]["parent"]["run"]["runId"]]) for each in ours}
    steps = ("build", "fetch", "publish", "read")
    assert {(f"justice-etl/{step}", step) for step in steps} <= below
    telling = {event["job"]["name"] for event in ours if event["inputs"] and event["outputs"]}
    assert telling == {f"justice-etl/{step}" for step in steps}


def test_every_other_source_goes_its_way(
    first: tuple[DagRun, DagRun], night: Night, runner: DagRunner, tmp_path: Path
) -> None:
    for source in SOURCES - {"recorded_crime_ons", "recorded_crime_home_office"}:
        for place in load_source(source).places:
            put_place(night.archive, source, place, tmp_path)
    reference, reoffending = runner.run("ingest_reference"), runner.run("ingest_reoffending")
    assert (reference.state, reoffending.state) == ("success", "success")
    assert sorted(reference.assets) == ["justice://landing/geography", "justice://landing/population"]
    # Of reoffending nothing is out yet.
    assert reoffending.assets == {}
    assert reoffending.states("proven_reoffending.announce", "local_adult_reoffending.announce") == {"skipped"}
