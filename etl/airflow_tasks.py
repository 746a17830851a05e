"""What our Airflow tasks have in common: who owns them, when they are tried again, and whom they alert.

Imported by `dags/` only: the library and the command line know nothing of Airflow.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from airflow.sdk import Asset, ExceptionRetryPolicy, RetryAction, RetryRule

from etl.alerts import describe_failure, send_alert
from etl.errors import AlreadyToldError, JusticeError, LeaseHeldError, UnreachableError
from etl.logs import extra_fields
from etl.settings import Settings

OWNER = "justice-etl"
WAREHOUSE = Asset("justice://warehouse", group="justice-etl")
"""Fires when `warehouse` let another version serve: what others' DAGs are scheduled on. `extra` names the version."""

_RETRY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=[UnreachableError, LeaseHeldError], action=RetryAction.DEFAULT),
        RetryRule(exception=JusticeError, action=RetryAction.FAIL, reason="another try would find the same"),
    ]
)


class _ToAirflow(logging.Handler):
    """Hands our records on with their fields, which Airflow leaves out of records of the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger(record.name).log(record.levelno, record.getMessage(), **extra_fields(record))


def log_through_airflow() -> None:
    """Let the log of a task show what our records say, file and reason included."""
    ours = logging.getLogger("etl")
    ours.handlers[:] = [_ToAirflow()]
    ours.propagate = False


log_through_airflow()


def landed_asset(source: str) -> Asset:
    """The asset that fires when something new of a source was landed, read and judged."""
    return Asset(f"justice://landing/{source}", group="justice-etl")


def alert(context: Any) -> None:
    """Tell of a task that failed for good: what, where, what was expected, what still serves.

    Args:
        context: as Airflow calls back with it.
    """
    error = context.get("exception") or JusticeError("the task ended without saying why", "see its log")
    if isinstance(error, AlreadyToldError):
        return
    task = context["ti"]
    where = f"Airflow task {task.dag_id}.{task.task_id}, run {task.run_id}, try {task.try_number}"
    settings = Settings()
    send_alert(settings, describe_failure(settings.home, error, where, getattr(task, "log_url", None)))


DEFAULT_ARGS: dict[str, Any] = {
    "owner": OWNER,
    "start_date": datetime(2026, 11, 1, tzinfo=UTC),
    "retries": 3,
    # The first after five minutes, unless Airflow's `default_task_retry_delay` says otherwise.
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(hours=1),
    "retry_policy": _RETRY,
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": alert,
}
"""What every task has, unless it says otherwise."""
