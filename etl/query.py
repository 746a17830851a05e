"""Reading the published warehouse: read-only connections, and places named by people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl.cells import name_key
from etl.errors import JusticeError, WrongUseError
from etl.publish import refuse_stray_log, warehouse_path


@contextmanager
def open_warehouse(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse that serves, read-only; it stays the same version for as long as the block lasts.

    Raises:
        JusticeError: nothing was published, it does not open, or a write-ahead log lies beside it.
    """
    path = warehouse_path(home).resolve()
    refuse_stray_log(path.parent)
    try:
        connection = duckdb.connect(str(path), read_only=True, config={"autoinstall_known_extensions": "false"})
    except duckdb.Error as error:
        raise JusticeError(f"{path} does not open: {error}", "justice-etl doctor says what to do") from error
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


@dataclass(frozen=True)
class Answer:
    """The result of a query: column names and rows; `is_cut` where more rows were there."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_cut: bool


def run_query(home: Path, query: str, limit: int | None = None) -> Answer:
    """Run one statement on the warehouse that serves.

    Args:
        home: the data home.
        query: SQL; the warehouse is read-only.
        limit: how many rows at the most; None for all.

    Raises:
        JusticeError: the query fails; DuckDB's message says where.
    """
    with open_warehouse(home) as connection:
        try:
            result = connection.execute(query)
            if result is None:
                raise JusticeError("the query holds no statement", "tables: SELECT * FROM meta.field")
            if result.description is None:
                return Answer([], [], is_cut=False)
            rows = result.fetchall() if limit is None else result.fetchmany(limit + 1)
        except duckdb.Error as error:
            raise JusticeError(f"the query failed: {error}", "tables: SELECT * FROM meta.field") from error
        columns = [column[0] for column in result.description]
        is_cut = limit is not None and len(rows) > limit
        return Answer(columns, rows[:limit], is_cut)


def find_area(
    connection: duckdb.DuckDBPyConnection,
    area: str,
    level: str | None = None,
    table: str = "mart.crime_trend",
    on: tuple[str, date] | None = None,
) -> str:
    """The code of an area given by code or name, among the areas of a table.

    Args:
        connection: the warehouse.
        area: code or name.
        level: of areas of several levels, the one that is meant.
        table: with area_code, area_name and level.
        on: a column and its day: of several areas of one name, the one that has a line then (a name stays when a
            code changes).

    Raises:
        WrongUseError: no area, or more than one, bears the name; names them with their levels.
    """
    has_line = "TRUE" if on is None else f"bool_or({on[0]} = $day)"
    rows = connection.execute(
        f"SELECT area_code, area_name, level, {has_line} FROM {table} GROUP BY ALL ORDER BY area_code, level",
        {"day": on[1]} if on else {},
    ).fetchall()
    found = [
        row
        for row in rows
        if (row[0] == area or name_key(row[1]) == name_key(area)) and (level is None or row[2] == level)
    ]
    if len({row[2] for row in found}) == 1 < len(found):
        found = [row for row in found if row[3]] or found
    if len(found) == 1:
        return str(found[0][0])
    if not found:
        near = [f"{row[1]} ({row[2]})" for row in rows if name_key(area) in name_key(row[1])][:5]
        raise WrongUseError(
            f"no area with such figures is called {area!r}",
            f"near it: {', '.join(near)}" if near else "give its GSS code",
        )
    choices = ", ".join(f"{row[0]} ({row[2]})" for row in found)
    raise WrongUseError(f"several areas are called {area!r}: {choices}", "give the code, or --level")
