"""Lineage: explicit events of our steps, through the transport that OpenLineage's own settings name."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openlineage.client.generated import base

from etl import lineage
from etl.editions import Outcome
from etl.files import read_json
from etl.landing import Record, Release
from etl.lineage import LineageRun, ParentRun, record_lineage
from etl.reading import TidyFile
from etl.settings import own_version, project_root

OLD, NEW, LOOKUP = "a" * 64, "b" * 64, "c" * 64
CONTENT = {"mart.crime_trend": "d" * 64, "core.recorded_crime": "e" * 64}
EDITION = "recorded_crime_ons/year-ending-march-2018"
MANIFEST = {
    "version": "065b082d3eba",
    "built_at": "2026-11-24T08:03:09+00:00",
    "releases": [f"{EDITION}@2", f"{EDITION}@1", "geography/lookup@1"],
    "tables": {
        "mart.crime_trend": {"rows": 12, "sha256": CONTENT["mart.crime_trend"]},
        "core.recorded_crime": {"rows": 34, "sha256": CONTENT["core.recorded_crime"]},
    },
}
FACETS = "urn:justice-etl:schemas/lineage/facets.schema.json"

# The required members and formats of OpenLineage 2-0-2, https://openlineage.io/spec/2-0-2/OpenLineage.json.
FACET = {
    "type": "object",
    "required": ["_producer", "_schemaURL"],
    "properties": {"_producer": {"pattern": "^[a-z]+:"}, "_schemaURL": {"pattern": "^[a-z]+:.+#/\\$defs/[A-Za-z]+$"}},
}
NAMED = {"namespace": {"type": "string", "minLength": 1}, "name": {"type": "string", "minLength": 1}}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
FACETS_OF = {"type": "object", "additionalProperties": FACET}


def _datasets(own_facets: str) -> dict[str, Any]:
    members = NAMED | {"facets": FACETS_OF, own_facets: FACETS_OF}
    item = {"type": "object", "required": ["namespace", "name"], "properties": members, "additionalProperties": False}
    return {"type": "array", "items": item}


RUN_EVENT = Draft202012Validator(
    {
        "type": "object",
        "required": ["eventTime", "producer", "schemaURL", "run", "job", "eventType"],
        "properties": {
            "eventTime": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+(Z|[+-]\\d\\d:\\d\\d)$"},
            "producer": {"type": "string", "pattern": "^[a-z]+:"},
            "schemaURL": {"const": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"},
            "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
            "run": {"type": "object", "required": ["runId"], "properties": {"runId": UUID, "facets": FACETS_OF}},
            "job": {"type": "object", "required": ["namespace", "name"], "properties": NAMED | {"facets": FACETS_OF}},
            "inputs": _datasets("inputFacets"),
            "outputs": _datasets("outputFacets"),
        },
        "additionalProperties": False,
    }
)


def record(sha256: str, filename: str = "tables.xlsx", **changes: Any) -> Record:
    values: dict[str, Any] = {
        "source": "recorded_crime_ons",
        "edition": "year-ending-march-2018",
        "title": "Year ending March 2018",
        "published_at": "2018-07-18T23:00:00+00:00",
        "filename": filename,
        "sha256": sha256,
        "bytes": 1000,
        "media_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "is_modelled": False,
        "publisher": "Office for National Statistics",
        "licence": "Open Government Licence v3.0",
        "landing_page": "https://www.ons.gov.uk/",
        "url": None,
        "landed_at": "2026-11-24T08:00:00+00:00",
        "landed_by": "justice-etl",
    }
    return Record(**values | changes)


def release(release_id: str, *records: Record) -> Release:
    first = records[0]
    return Release(release_id, first.source, first.edition, first.published_at, "current", records)


RELEASES = [
    release(f"{EDITION}@2", record(NEW, published_at="2018-08-01T08:30:00+00:00")),
    release(f"{EDITION}@1", record(OLD)),
    release("geography/lookup@1", record(LOOKUP, "lookup.json", source="geography", edition="lookup")),
]


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("OPENLINEAGE", "AIRFLOW__OPENLINEAGE")):
            monkeypatch.delenv(name)
    for name in [name for name in sys.modules if name.startswith("airflow.providers.openlineage")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(lineage, "_silence", lineage._Silence())


@pytest.fixture
def events_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", transport_to(path))
    return path


def transport_to(path: Path) -> str:
    return json.dumps({"type": "file", "log_file_path": str(path), "append": True})


def read_events(path: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for event in events:
        RUN_EVENT.validate(event)
    return events


def names(datasets: list[dict[str, Any]]) -> list[str]:
    return [dataset["name"] for dataset in datasets]


def version(dataset: dict[str, Any]) -> str:
    found: str = dataset["facets"]["version"]["datasetVersion"]
    return found


# --- when ----------------------------------------------------------------------------------------------


def test_a_run_that_ends_well_starts_and_completes(events_file: Path) -> None:
    with record_lineage("build") as run:
        started = read_events(events_file)
        lineage.add_build(run, RELEASES, MANIFEST)
    start, complete = read_events(events_file)
    assert [start] == started
    assert [start["eventType"], complete["eventType"]] == ["START", "COMPLETE"]
    assert start["run"]["runId"] == complete["run"]["runId"] == run.run_id
    assert start["job"] == complete["job"]
    assert (start["job"]["namespace"], start["job"]["name"]) == ("justice", "justice-etl/build")
    assert (start["inputs"], start["outputs"]) == ([], [])
    assert start["eventTime"] <= complete["eventTime"]


def test_a_run_that_fails_says_why_and_what_was_done_until_then(events_file: Path) -> None:
    with pytest.raises(ValueError, match="no such sheet"), record_lineage("read") as run:
        run.add_input(lineage.landed_file(record(OLD), f"{EDITION}@1"))
        raise ValueError("no such sheet")
    _, failed = read_events(events_file)
    assert failed["eventType"] == "FAIL"
    assert failed["run"]["runId"] == run.run_id
    error = failed["run"]["facets"]["errorMessage"]
    assert (error["message"], error["programmingLanguage"]) == ("ValueError: no such sheet", "python")
    assert [version(dataset) for dataset in failed["inputs"]] == [OLD]
    assert failed["outputs"] == []


def test_a_run_that_is_interrupted_has_failed_too(events_file: Path) -> None:
    with pytest.raises(KeyboardInterrupt), record_lineage("build"):
        raise KeyboardInterrupt
    assert [event["eventType"] for event in read_events(events_file)] == ["START", "FAIL"]


def test_each_run_has_its_own_id(events_file: Path) -> None:
    for _ in range(2):
        with record_lineage("publish"):
            pass
    assert len({event["run"]["runId"] for event in read_events(events_file)}) == 2


# --- what ----------------------------------------------------------------------------------------------


def test_fetching_takes_published_files_and_gives_landed_ones(events_file: Path) -> None:
    url = "https://www.ons.gov.uk/file?uri=/tables.xlsx"
    outcomes = [
        Outcome(
            "recorded_crime_ons", "Year ending March 2018", "tables.xlsx", url, "revised", release_id=f"{EDITION}@2"
        ),
        Outcome("geography", "Lookup", "lookup.json", "https://services1.arcgis.com/l", "unchanged"),
        Outcome("geography", "Lookup", "gone.json", "https://services1.arcgis.com/gone", "unreachable"),
    ]
    with record_lineage("fetch") as run:
        lineage.add_outcomes(run, outcomes, RELEASES)
    complete = read_events(events_file)[-1]
    [taken], [given] = complete["inputs"], complete["outputs"]
    assert (taken["namespace"], taken["name"]) == ("https://www.ons.gov.uk", "/file?uri=/tables.xlsx")
    assert (given["namespace"], given["name"]) == ("justice", f"landing/{EDITION}@2/tables.xlsx")
    assert version(taken) == version(given) == NEW
    source = taken["facets"]["dataSource"]
    assert (source["name"], source["uri"]) == ("www.ons.gov.uk", "https://www.ons.gov.uk")
    assert given["outputFacets"]["outputStatistics"]["size"] == 1000
    for dataset in (taken, given):
        facet = dataset["facets"]["justice_release"]
        assert {name: facet[name] for name in facet if not name.startswith("_")} == {
            "release_id": f"{EDITION}@2",
            "source": "recorded_crime_ons",
            "edition": "year-ending-march-2018",
            "published_at": "2018-08-01T08:30:00+00:00",
            "sha256": NEW,
            "filename": "tables.xlsx",
        }


def test_reading_takes_landed_files_and_gives_tidy_ones_in_each_release_of_the_same_bytes(events_file: Path) -> None:
    releases = [*RELEASES, release(f"{EDITION}@3", record(OLD), record(NEW, "added.xlsx"))]
    tidy = TidyFile(OLD, "recorded_crime_ons", "recorded_crime", Path(f"{OLD}-c7a28e70043d.parquet"), 56)
    with record_lineage("read") as run:
        lineage.add_read(run, releases, [tidy])
    complete = read_events(events_file)[-1]
    assert names(complete["inputs"]) == [f"landing/{EDITION}@{n}/tables.xlsx" for n in (1, 3)]
    assert names(complete["outputs"]) == [f"tidy/recorded_crime/{EDITION}@{n}/tables.xlsx" for n in (1, 3)]
    given = complete["outputs"][0]
    assert version(given) == f"{OLD}-c7a28e70043d"
    assert given["facets"]["justice_release"]["sha256"] == OLD
    assert given["outputFacets"]["outputStatistics"]["rowCount"] == 56


def test_building_takes_every_landed_file_and_gives_tables_by_their_content(events_file: Path) -> None:
    with record_lineage("build") as run:
        lineage.add_build(run, RELEASES, MANIFEST)
    complete = read_events(events_file)[-1]
    assert [(dataset["name"], version(dataset)) for dataset in complete["inputs"]] == [
        ("landing/geography/lookup@1/lookup.json", LOOKUP),
        (f"landing/{EDITION}@1/tables.xlsx", OLD),
        (f"landing/{EDITION}@2/tables.xlsx", NEW),
    ]
    assert [(dataset["name"], version(dataset)) for dataset in complete["outputs"]] == [
        ("staging/core.recorded_crime", CONTENT["core.recorded_crime"]),
        ("staging/mart.crime_trend", CONTENT["mart.crime_trend"]),
    ]
    trend = complete["outputs"][1]
    table = trend["facets"]["justice_table"]
    assert (table["version"], table["rows"], table["sha256"]) == ("065b082d3eba", 12, CONTENT["mart.crime_trend"])
    assert trend["outputFacets"]["outputStatistics"]["rowCount"] == 12
    assert trend["facets"]["datasetType"]["datasetType"] == "TABLE"
    columns = {column["name"]: column for column in trend["facets"]["schema"]["fields"]}
    assert columns["offences"]["type"] == "BIGINT"
    built = complete["run"]["facets"]["justice_version"]
    assert built["version"] == "065b082d3eba"
    assert built["releases"] == ["geography/lookup@1", f"{EDITION}@1", f"{EDITION}@2"]


def test_publishing_takes_the_built_tables_and_gives_those_that_serve(events_file: Path) -> None:
    with record_lineage("publish") as run:
        lineage.add_publish(run, MANIFEST)
    complete = read_events(events_file)[-1]
    assert names(complete["inputs"]) == ["staging/core.recorded_crime", "staging/mart.crime_trend"]
    assert names(complete["outputs"]) == ["current/core.recorded_crime", "current/mart.crime_trend"]
    assert [version(d) for d in complete["inputs"]] == [version(d) for d in complete["outputs"]]
    assert complete["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"] == 34
    assert complete["run"]["facets"]["justice_version"]["version"] == "065b082d3eba"


def test_the_order_of_adding_does_not_matter(events_file: Path) -> None:
    found = []
    for releases in (RELEASES, RELEASES[::-1]):
        with record_lineage("build") as run:
            lineage.add_build(run, releases, MANIFEST | {"releases": [r.release_id for r in releases]})
        complete = read_events(events_file)[-1]
        found.append((complete["inputs"], complete["outputs"], complete["run"]["facets"]))
    assert found[0] == found[1]


def test_a_dataset_counts_once(events_file: Path) -> None:
    with record_lineage("build") as run:
        for _ in range(2):
            lineage.add_build(run, RELEASES, MANIFEST)
    complete = read_events(events_file)[-1]
    assert (len(complete["inputs"]), len(complete["outputs"])) == (3, 2)


def test_our_facets_are_what_their_schema_says(events_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "PRODUCER", "https://example.org/the-provider")  # as Airflow's provider does
    schema = read_json(project_root() / "schemas" / "lineage" / "facets.schema.json")
    assert schema["$id"] == FACETS
    with record_lineage("build") as run:
        lineage.add_build(run, RELEASES, MANIFEST)
    complete = read_events(events_file)[-1]
    holders = [complete["run"], *complete["inputs"], *complete["outputs"]]
    facets = [facet for holder in holders for name, facet in holder["facets"].items() if name != "tags"]
    assert {facet["_producer"] for facet in facets} == {complete["producer"]} == {f"urn:justice-etl:{own_version()}"}
    ours = [facet for facet in facets if facet["_schemaURL"].startswith(FACETS)]
    assert len(ours) == 3 + 2 + 1  # files, tables, the version
    for facet in ours:
        pointer = facet["_schemaURL"].removeprefix(FACETS)
        Draft202012Validator(schema | {"$ref": pointer}).validate(facet)


def test_a_run_names_its_parent_and_the_run_above_all(events_file: Path) -> None:
    task, dag_run = "01a20dfa-e275-7a84-926d-ee50334289b8", "01a20dfa-e275-787d-a495-ba61971f3b67"
    parent = ParentRun("airflow", "nightly.build", task, ParentRun("airflow", "nightly", dag_run))
    with record_lineage("build", parent=parent):
        pass
    for event in read_events(events_file):
        facet = event["run"]["facets"]["parent"]
        assert facet["run"]["runId"] == task
        assert (facet["job"]["namespace"], facet["job"]["name"]) == ("airflow", "nightly.build")
        assert facet["root"]["run"]["runId"] == dag_run
        assert facet["root"]["job"]["name"] == "nightly"


# --- where to ------------------------------------------------------------------------------------------


def test_the_namespace_is_openlineages_own_setting(events_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "justice-staging")
    with record_lineage("build") as run:
        lineage.add_build(run, RELEASES, MANIFEST)
    complete = read_events(events_file)[-1]
    found = {holder["namespace"] for holder in [complete["job"], *complete["inputs"], *complete["outputs"]]}
    assert found == {"justice-staging"}


def test_a_configuration_file_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    config = tmp_path / "openlineage.yml"
    config.write_text(f"transport: {transport_to(path)}\n", encoding="utf-8")
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(config))
    with record_lineage("build"):
        pass
    assert len(read_events(path)) == 2


@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_it_can_be_switched_off(events_file: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OPENLINEAGE_DISABLED", value)
    with record_lineage("build") as run:
        lineage.add_build(run, RELEASES, MANIFEST)
    assert not events_file.exists()
    assert not run.is_recording


def test_nothing_is_recorded_where_nothing_is_configured() -> None:
    run = LineageRun("justice-etl/build", is_recording=False)
    lineage.add_build(run, RELEASES, MANIFEST)
    lineage.add_publish(run, MANIFEST)
    lineage.add_read(run, RELEASES, [])
    lineage.add_outcomes(run, [], RELEASES)
    run.add_input(lineage.landed_file(record(OLD), f"{EDITION}@1"))
    assert (run.inputs, run.outputs, run.version) == ([], [], None)


def run_script(script: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENLINEAGE", "AIRFLOW"))}
    return subprocess.run(
        [sys.executable, "-c", script],
        env=kept | {"PYTHONPATH": str(project_root()), "HOME": str(folder)} | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_nothing_is_imported_where_nothing_is_configured(tmp_path: Path) -> None:
    script = """
import sys
from etl.lineage import record_lineage
with record_lineage("build") as run:
    assert not run.is_recording
assert not [name for name in sys.modules if name.split(".")[0] in ("openlineage", "airflow")]
"""
    done = run_script(script, {}, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("is_listening", [False, True], ids=["refused", "never answers"])
def test_a_server_that_is_not_there_neither_fails_nor_holds_up_a_step(tmp_path: Path, is_listening: bool) -> None:
    script = """
import time
from etl import lineage
lineage._PATIENCE_SECONDS = 1.0
started = time.monotonic()
for _ in range(20):
    with lineage.record_lineage("read"):
        pass
print(time.monotonic() - started)
"""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if is_listening:
            server.listen()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        started = time.monotonic()
        done = run_script(script, {"OPENLINEAGE_URL": url}, tmp_path)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 10  # it waited once for all forty events, not a second for each
    assert time.monotonic() - started < 30  # and nothing held up the end of the process
    assert done.stderr.count("lineage was not delivered") == 1


def test_what_cannot_be_delivered_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", transport_to(tmp_path / "no such folder" / "events.jsonl"))
    with record_lineage("build"):
        pass
    [warning] = [item for item in caplog.records if item.name == "etl.lineage"]
    assert (warning.levelname, warning.message) == ("WARNING", "lineage was not delivered")
    assert "no such folder" in vars(warning)["reason"]


def test_after_a_while_it_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "later" / "events.jsonl"
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", transport_to(path))
    with record_lineage("build"):
        path.parent.mkdir()
        lineage._silence.until -= lineage._SILENCE_SECONDS
    assert [event["eventType"] for event in read_events(path)] == ["COMPLETE"]


def test_a_configuration_file_that_is_not_there_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(tmp_path / "openlineage.yml"))
    with record_lineage("build"):
        pass
    [warning] = [item for item in caplog.records if item.name == "etl.lineage"]
    assert "OpenLineage's settings name no transport" in vars(warning)["reason"]


@pytest.mark.parametrize("transport", ["{", '{"type": "no_such_transport"}', '{"type": "file"}', "[]"])
def test_a_setting_that_is_wrong_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, transport: str
) -> None:
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", transport)
    with record_lineage("build"):
        pass
    assert [item.message for item in caplog.records if item.name == "etl.lineage"] == ["lineage was not delivered"]


# --- in Airflow ----------------------------------------------------------------------------------------

DAG = """
from airflow.sdk import dag, task
from etl.lineage import parent_of_airflow_task, record_lineage

@dag(schedule=None)
def tiny():
    @task
    def step(ti=None):
        with record_lineage("build", parent=parent_of_airflow_task(ti)):
            pass
    step()

tiny = tiny()
"""

RUN_DAG = """
from airflow.utils.db import initdb
initdb()
from tiny import tiny
assert tiny.test().state == "success"
"""


@pytest.fixture(scope="module")
def airflow_events(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What comes out of a DAG whose task runs a step of ours, by the provider's own setting."""
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "dags").mkdir()
    (folder / "dags" / "tiny.py").write_text(DAG, encoding="utf-8")
    path = folder / "events.jsonl"
    settings = {
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": transport_to(path),
        "PYTHONPATH": f"{project_root()}{os.pathsep}{folder / 'dags'}",
    }
    done = run_script(RUN_DAG, settings, folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_in_airflow_our_events_come_out_with_those_of_the_task(airflow_events: list[dict[str, Any]]) -> None:
    jobs = [(event["job"]["name"], event["eventType"]) for event in airflow_events]
    assert [state for name, state in jobs if name == "tiny.step"] == ["START", "COMPLETE"]
    assert [state for name, state in jobs if name == "justice-etl/build"] == ["START", "COMPLETE"]


def test_in_airflow_our_run_hangs_below_that_of_the_task(airflow_events: list[dict[str, Any]]) -> None:
    runs = {event["job"]["name"]: event["run"]["runId"] for event in airflow_events}
    ours = [event for event in airflow_events if event["job"]["name"] == "justice-etl/build"]
    for event in ours:
        RUN_EVENT.validate(event)
        facet = event["run"]["facets"]["parent"]
        assert facet["run"]["runId"] == runs["tiny.step"]
        assert (facet["job"]["namespace"], facet["job"]["name"]) == ("default", "tiny.step")
        assert facet["root"]["run"]["runId"] == runs["tiny"]
        assert event["producer"] == event["job"]["facets"]["jobType"]["_producer"] == f"urn:justice-etl:{own_version()}"
