"""A reader in a process of its own: `python -m tests.end_to_end.reader HOW WAREHOUSE UNTIL`.

It queries until the file UNTIL is there, and prints what it found, one line of JSON a time.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb

QUERIES = (
    "SELECT count(*) FROM meta.release",
    "SELECT count(*) FROM core.recorded_crime",
    "SELECT count(*) FROM mart.crime_trend",
    "SELECT CAST(sum(offences) AS BIGINT) FROM mart.crime_trend",
)


def look(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """Numbers that belong together."""
    return [connection.execute(query).fetchall()[0][0] for query in QUERIES]


def anew(warehouse: str) -> Iterator[list[int]]:
    """Open the file for each look."""
    while True:
        with closing(duckdb.connect(warehouse, read_only=True)) as connection:
            yield look(connection)


def hold(warehouse: str) -> Iterator[list[int]]:
    """Keep the file open."""
    with closing(duckdb.connect(warehouse, read_only=True)) as connection:
        while True:
            yield look(connection)


def attach(warehouse: str) -> Iterator[list[int]]:
    """Attach the file, as a notebook does, for each look."""
    with closing(duckdb.connect(":memory:")) as connection:
        while True:
            connection.execute(f"ATTACH '{warehouse}' AS warehouse (READ_ONLY)")
            connection.execute("USE warehouse")
            yield look(connection)
            connection.execute("USE memory")
            connection.execute("DETACH warehouse")


def main(how: str, warehouse: str, until: str) -> None:
    os.nice(10)
    for found in {"anew": anew, "hold": hold, "attach": attach}[how](warehouse):
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        if Path(until).exists():
            break


if __name__ == "__main__":
    main(*sys.argv[1:])
