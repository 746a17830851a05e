"""Runs DAGs by `dag.test()` in one process, told what to do line by line: `python -m tests.dags.dag_runs REPLIES`.

Airflow is imported once, in a process of its own: what it sets up stays there. `dag.test()` never tries a mapped task
again (it waits for ever): that a retry mends is shown with a scheduler.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.settings import project_root

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class DagRun:
    """What became of a run: its state, that of each task (mapped ones by index), and the assets that fired."""

    state: str
    tasks: dict[str, list[str]]
    assets: dict[str, dict[str, Any]]

    def states(self, *tasks: str) -> set[str]:
        """The states of these tasks."""
        return {state for task in tasks for state in self.tasks[task]}


@dataclass
class DagRunner:
    """A process that runs DAGs, one after the other."""

    process: subprocess.Popen[str]
    replies: Path
    log: Path
    count: int = 0

    def run(self, dag_id: str, **conf: Any) -> DagRun:
        """Run a DAG to its end."""
        assert self.process.stdin
        self.count += 1
        self.process.stdin.write(json.dumps({"dag_id": dag_id, "conf": conf, "reply": self.count}) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout
        for line in self.process.stdout:
            if line.strip() == f"<{self.count}>":
                return DagRun(**json.loads((self.replies / f"{self.count}.json").read_text()))
        raise AssertionError(f"the process ended: {self.log.read_text()[-3000:]}")


@contextmanager
def start_runner(folder: Path, **env: str) -> Iterator[DagRunner]:
    """A runner whose Airflow lives in `folder`; `env` is added to what its tasks see."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("JUSTICE_", "AIRFLOW"))}
    own |= {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project_root() / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "0",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        **env,
    }
    replies, log = folder / "replies", folder / "runner.log"
    replies.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.dags.dag_runs", str(replies)]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            env=own,
            cwd=project_root(),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        try:
            yield DagRunner(process, replies, log)
        finally:
            assert process.stdin and process.stdout
            process.stdin.close()
            os.killpg(process.pid, signal.SIGKILL)  # its work is done, or hangs; what it forked goes with it
            process.wait()
            process.stdout.close()


def main(replies: Path) -> None:
    """Answer each line of standard input with a file, and with its number in a line of standard output."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, stdout=sys.stderr)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Airflow logs on standard output
    from airflow.dag_processing.dagbag import DagBag

    dags = DagBag().dags
    seen = 0
    for line in sys.stdin:
        asked = json.loads(line)
        run = dags[asked["dag_id"]].test(run_conf=asked["conf"] or None)
        tasks: dict[str, dict[int, str]] = {}
        for instance in run.get_task_instances():
            tasks.setdefault(instance.task_id, {})[instance.map_index] = str(instance.state)
        assets, seen = _list_assets(seen)
        content = {
            "state": str(run.state),
            "tasks": {task: [states[index] for index in sorted(states)] for task, states in sorted(tasks.items())},
            "assets": assets,
        }
        (replies / f"{asked['reply']}.json").write_text(json.dumps(content))
        out.write(f"<{asked['reply']}>\n")
        out.flush()


def _list_assets(seen: int) -> tuple[dict[str, Any], int]:
    """What fired since: uri → extra."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(AssetEvent.id, AssetModel.uri, AssetEvent.extra).where(
            AssetModel.id == AssetEvent.asset_id, AssetEvent.id > seen
        )
        rows = session.execute(query.order_by(AssetEvent.id)).all()
    return {uri: extra for _, uri, extra in rows}, max((row[0] for row in rows), default=seen)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
