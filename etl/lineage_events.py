"""Runs of `etl.lineage` as events of the OpenLineage client: imported only where lineage is configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import attr
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    RunFacet,
    dataset_type_dataset,
    dataset_version_dataset,
    datasource_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)
from openlineage.client.utils import deep_merge_dicts

from etl.errors import JusticeError
from etl.lineage import Dataset, LineageRun, ParentRun, State, lineage_namespace
from etl.settings import own_version

PRODUCER = f"urn:justice-etl:{own_version()}"
"""Who says so. Each facet is told, since Airflow's provider sets the client's default to itself."""

_FACETS = "urn:justice-etl:schemas/lineage/facets.schema.json#/$defs"

_CONFIG = {"facets": {"source_code_location": {"disabled": True}}}
"""The client would tell of the Git repository it is called in: not always ours, and its address may hold a password."""


@attr.define
class ReleaseDatasetFacet(DatasetFacet):
    """The release that a file belongs to, and the bytes that it has there."""

    release_id: str
    source: str
    edition: str
    published_at: str
    sha256: str
    filename: str

    @staticmethod
    def _get_schema() -> str:
        return f"{_FACETS}/ReleaseDatasetFacet"


@attr.define
class TableDatasetFacet(DatasetFacet):
    """A table of the warehouse as one version holds it."""

    version: str
    rows: int
    sha256: str

    @staticmethod
    def _get_schema() -> str:
        return f"{_FACETS}/TableDatasetFacet"


@attr.define
class VersionRunFacet(RunFacet):
    """The version that a run built or published, and the releases that it rests on."""

    version: str
    releases: list[str]

    @staticmethod
    def _get_schema() -> str:
        return f"{_FACETS}/VersionRunFacet"


def make_event(run: LineageRun, state: State, error: BaseException | None = None) -> RunEvent:
    """The event that a run is in a state now, with all that it took in and gave out so far.

    Args:
        run: the run.
        state: what it is in.
        error: what ended it.
    """
    job_type = job_type_job.JobTypeJobFacet("BATCH", "JUSTICE-ETL", "JOB", producer=PRODUCER)
    return RunEvent(
        eventTime=datetime.now(UTC).isoformat(),
        eventType=RunState[state],
        run=Run(run.run_id, _run_facets(run, error)),
        job=Job(lineage_namespace(), run.job, {"jobType": job_type}),
        inputs=[_input(dataset) for dataset in run.inputs],
        outputs=[_output(dataset) for dataset in run.outputs],
        producer=PRODUCER,
    )


def deliver(event: RunEvent, config: Mapping[str, Any], patience_seconds: float) -> None:
    """Send an event to where OpenLineage's settings say.

    Args:
        event: the event.
        config: the client's configuration, beside its own variables and file.
        patience_seconds: how long a transport that sends later has to do so.

    Raises:
        Exception: whatever the transport raises where it cannot.
        JusticeError: the settings name no transport; the client would print events.
        TimeoutError: it was not sent in time.
    """
    client = OpenLineageClient(config=deep_merge_dicts(_CONFIG, dict(config)))
    if client.transport.kind == "console" and not client.config.transport:
        raise JusticeError("OpenLineage's settings name no transport", "see docs/lineage.md")
    client.emit(event)
    if not client.close(patience_seconds):
        raise TimeoutError(f"not sent within {patience_seconds:g} seconds")


def _run_facets(run: LineageRun, error: BaseException | None) -> dict[str, RunFacet]:
    facets: dict[str, RunFacet] = {}
    if run.parent:
        facets["parent"] = _parent_facet(run.parent)
    if run.version:
        version, releases = run.version
        facets["justice_version"] = VersionRunFacet(version, list(releases), producer=PRODUCER)
    if error:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            f"{type(error).__name__}: {error}", "python", producer=PRODUCER
        )
    return facets


def _parent_facet(parent: ParentRun) -> parent_run.ParentRunFacet:
    root = parent.root
    return parent_run.ParentRunFacet(
        run=parent_run.Run(parent.run_id),
        job=parent_run.Job(parent.namespace, parent.job),
        root=parent_run.Root(parent_run.RootRun(root.run_id), parent_run.RootJob(root.namespace, root.job))
        if root
        else None,
        producer=PRODUCER,
    )


def _input(dataset: Dataset) -> InputDataset:
    facets: dict[str, InputDatasetFacet] = {}
    if _is_counted(dataset):
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            dataset.rows, dataset.bytes, producer=PRODUCER
        )
    return InputDataset(dataset.namespace, dataset.name, facets, facets=_dataset_facets(dataset))


def _output(dataset: Dataset) -> OutputDataset:
    facets: dict[str, OutputDatasetFacet] = {}
    if _is_counted(dataset):
        facets["outputStatistics"] = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            dataset.rows, dataset.bytes, producer=PRODUCER
        )
    return OutputDataset(dataset.namespace, dataset.name, facets, facets=_dataset_facets(dataset))


def _is_counted(dataset: Dataset) -> bool:
    return dataset.rows is not None or dataset.bytes is not None


def _dataset_facets(dataset: Dataset) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {
        "version": dataset_version_dataset.DatasetVersionDatasetFacet(dataset.version, producer=PRODUCER),
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(dataset.kind, producer=PRODUCER),
    }
    if "://" in dataset.namespace:
        facets["dataSource"] = datasource_dataset.DatasourceDatasetFacet(
            dataset.namespace.partition("://")[2], dataset.namespace, producer=PRODUCER
        )
    if dataset.release:
        facets["justice_release"] = ReleaseDatasetFacet(**asdict(dataset.release), producer=PRODUCER)
    if dataset.built is not None and dataset.rows is not None:
        facets["justice_table"] = TableDatasetFacet(dataset.built, dataset.rows, dataset.version, producer=PRODUCER)
    if dataset.columns:
        facets["schema"] = schema_dataset.SchemaDatasetFacet(
            [
                schema_dataset.SchemaDatasetFacetFields(column.name, column.type, column.description, position, None)
                for position, column in enumerate(dataset.columns, start=1)
            ],
            producer=PRODUCER,
        )
    return facets
