"""What tests ask a running Airflow over its REST API."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.local_airflow import LocalAirflow

Json = dict[str, Any]

ENDED = ("success", "failed")
RUN_SECONDS = 120


@dataclass(frozen=True)
class Run:
    """A run of a DAG that has ended: its state, how it was started, and its tasks."""

    run_id: str
    state: str
    run_type: str
    tasks: list[Json]

    @property
    def states(self) -> dict[str, str]:
        """The state of each task; of a mapped one, those of its instances, counted."""
        by_task: dict[str, Counter[str]] = {}
        for task in self.tasks:
            by_task.setdefault(task["task_id"], Counter())[task["state"]] += 1
        return {
            task: " ".join(f"{state}×{count}" if count > 1 else state for state, count in sorted(states.items()))
            for task, states in by_task.items()
        }

    @property
    def failed(self) -> list[str]:
        """The tasks that did not come to a good end."""
        return sorted(task for task, state in self.states.items() if "failed" in state)


class Rest:
    """Talks to one Airflow; every waiting ends when a component of it does."""

    def __init__(self, airflow: LocalAirflow) -> None:
        self.airflow = airflow

    def switch_on(self, *dags: str) -> None:
        """Let DAGs run; those with a schedule take the last slot that they missed at once."""
        for dag in dags:
            self.airflow.ask("PATCH", f"dags/{dag}", {"is_paused": False})

    def switch_off(self, *dags: str) -> None:
        for dag in dags:
            self.airflow.ask("PATCH", f"dags/{dag}", {"is_paused": True})

    def trigger(self, dag: str, *, in_slot: bool = False, conf: Json | None = None) -> str:
        """Start a run; `in_slot` takes the slot that the schedule has next, which then has no run of its own."""
        slot = self.airflow.ask("GET", f"dags/{dag}")["next_dagrun_logical_date"] if in_slot else None
        started = self.airflow.ask("POST", f"dags/{dag}/dagRuns", {"logical_date": slot, "conf": conf or {}})
        return str(started["dag_run_id"])

    def list_runs(self, dag: str) -> list[Json]:
        """The runs of a DAG, the oldest first."""
        runs: list[Json] = self.airflow.ask("GET", f"dags/{dag}/dagRuns", order_by="id")["dag_runs"]
        return runs

    def wait(self, dag: str, run_id: str, seconds: float = RUN_SECONDS) -> Run:
        """Wait until a run has ended."""
        path = f"dags/{dag}/dagRuns/{run_id}"

        def has_ended() -> bool:
            return self.airflow.ask("GET", path)["state"] in ENDED

        self.airflow.wait_until(has_ended, f"{dag} had not ended", seconds)
        found = self.airflow.ask("GET", path)
        tasks = self.airflow.ask("GET", f"{path}/taskInstances", limit=100)["task_instances"]
        return Run(run_id, found["state"], found["run_type"], tasks)

    def wait_for_all(self, dag: str, count: int, seconds: float = RUN_SECONDS) -> list[Run]:
        """Wait until a DAG has so many runs, and all have ended."""

        def have_ended() -> bool:
            runs = self.list_runs(dag)
            return len(runs) >= count and all(run["state"] in ENDED for run in runs)

        self.airflow.wait_until(have_ended, f"{dag} had not ended {count} times", seconds)
        return [self.wait(dag, run["dag_run_id"]) for run in self.list_runs(dag)]

    def list_asset_events(self, name: str | None = None) -> list[Json]:
        """What assets, or one of them, told of; the oldest first."""
        events = self.airflow.ask("GET", "assets/events", order_by="timestamp", limit=100)["asset_events"]
        return [event for event in events if name in (None, event["name"])]

    def log_of(self, dag: str, run_id: str, task: str) -> str:
        """What the tries of a task logged."""
        folder = self.airflow.folder / "logs" / f"dag_id={dag}" / f"run_id={run_id}" / f"task_id={task}"
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(Path(folder).rglob("*.log")))
