"""Structured logging: plain key=value lines, or JSON lines, on standard error."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def extra_fields(record: logging.LogRecord) -> dict[str, object]:
    """What was given as `extra`, by name, in the order in which it was given."""
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class Formatter(logging.Formatter):
    """One line a record: time, level, module, message, then the `extra` fields by name."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line for one record; `extra` fields keep the order in which they were given."""
        fields = extra_fields(record)
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        if self.as_json:
            head = {"time": time, "level": record.levelname, "module": record.name}
            return json.dumps(head | {"message": record.getMessage()} | fields, default=str)
        details = " ".join(f"{key}={str(value)!r}" for key, value in fields.items())
        return f"{time} {record.levelname:<7} {record.name} {record.getMessage()} {details}".rstrip()


def set_up_logging(level: str, log_format: str) -> None:
    """Send our own log records to standard error at `level`, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter(as_json=log_format == "json"))
    ours = logging.getLogger("etl")
    ours.handlers[:] = [handler]
    ours.setLevel(level)
    ours.propagate = False
