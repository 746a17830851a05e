"""What the health checks ask; standard library only where that is enough, since every check starts it afresh.

    probe.py url URL              the address answers with 200
    probe.py component URL NAME   Airflow's monitor calls this component healthy
    probe.py worker               this container's Celery worker answers a ping

Exits with 1 and says why otherwise. `airflow jobs check` tells the same of a component for four seconds of CPU each.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request

_SECONDS = 5


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
        return bytes(answer.read())


def probe(what: str, *arguments: str) -> str | None:
    """What is wrong; None where nothing is."""
    if what == "url":
        _get(arguments[0])
        return None
    if what == "component":
        url, name = arguments
        status = json.loads(_get(url))[name]["status"]
        return None if status == "healthy" else f"{name} is {status}"
    if what == "worker":
        from celery import Celery

        name = f"celery@{socket.gethostname()}"
        app = Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"])
        return None if app.control.ping([name], timeout=_SECONDS) else f"{name} gives no answer"
    return f"nothing is called {what!r}"


if __name__ == "__main__":
    try:
        wrong = probe(*sys.argv[1:])
    except (OSError, KeyError, ValueError, TypeError) as error:
        wrong = f"{type(error).__name__}: {error}"
    sys.exit(wrong)
