"""From a figure of the warehouse back to the cells that state it: file, sheet, cell, published text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.cells import parse_number
from etl.errors import JusticeError, WrongUseError
from etl.landing import blob_path
from etl.query import find_area, open_warehouse
from etl.spreadsheets import Sheet, open_workbook

MAX_CELLS = 20
_FIGURE_FIELDS = (
    *("area_code", "area_name", "offence_id", "span", "period_end", "offences", "marker"),
    *("release_id", "table_id", "is_derived", "is_modelled"),
)


@dataclass(frozen=True)
class Cell:
    """One published cell. `text` is read again from the landed file."""

    release_id: str
    filename: str
    sha256: str
    sheet: str
    address: str
    text: str | None
    value: int | None
    marker: str | None
    area_code: str
    offence_id: str
    period_end: date


@dataclass(frozen=True)
class Trace:
    """A figure of mart.crime_trend and the cells that it comes from; `cell_count` counts all, `cells` some."""

    area_code: str
    area_name: str
    offence_id: str
    span: str
    period_end: date
    offences: int | None
    marker: str | None
    release_id: str
    table_id: str
    is_derived: bool
    is_modelled: bool
    cell_count: int
    cells: list[Cell]


def trace(
    home: Path, area: str, offence: str, period_end: date, *, span: str = "year", level: str | None = None
) -> Trace:
    """Trace one figure of mart.crime_trend to its published cells.

    Args:
        home: the data home.
        area: code or name.
        offence: `offence_id` or name.
        period_end: last day of the period.
        span: `year` or `quarter`.
        level: needed where several areas bear the name.

    Raises:
        WrongUseError: there is no such figure; says what there is instead.
        JusticeError: a landed file that the figure rests on is gone.
    """
    with open_warehouse(home) as connection:
        area_code = find_area(connection, area, level)
        figure = connection.execute(
            """
            SELECT area_code, area_name, offence_id, span, period_end, offences, offences_marker, release_id,
                table_id, is_derived, is_modelled, period_start
            FROM mart.crime_trend
            WHERE area_code = $1 AND $2 IN (offence_id, lower(offence_name)) AND period_end = $3 AND span = $4
            """,
            [area_code, offence.lower(), period_end, span],
        ).fetchone()
        if figure is None:
            raise _describe_absence(connection, area_code, offence, period_end, span)
        lines = _find_lines(connection, figure)
    texts = _Texts(home)
    cells = [cell for line in lines[:MAX_CELLS] for cell in texts.cells(line)]
    cell_count = sum(int(str(line["published_rows"])) for line in lines)
    fields: dict[str, Any] = dict(zip(_FIGURE_FIELDS, figure[:11], strict=True))
    return Trace(**fields, cell_count=cell_count, cells=cells)


def _describe_absence(
    connection: duckdb.DuckDBPyConnection, area_code: str, offence: str, period_end: date, span: str
) -> WrongUseError:
    known = connection.execute(
        "SELECT count(*) FROM ref.offence WHERE $1 IN (offence_id, lower(name))", [offence.lower()]
    ).fetchone()
    if not known or not known[0]:
        return WrongUseError(f"there is no offence {offence!r}", "see SELECT offence_id, name FROM ref.offence")
    periods = connection.execute(
        "SELECT DISTINCT span, period_end FROM mart.crime_trend WHERE area_code = $1 ORDER BY ALL",
        [area_code],
    ).fetchall()
    shown = ", ".join(f"{end} ({kind})" for kind, end in periods[-8:])
    return WrongUseError(
        f"there is no figure of {area_code} for {offence} in the {span} to {period_end}", f"held are: {shown}"
    )


def _find_lines(connection: duckdb.DuckDBPyConnection, figure: tuple[object, ...]) -> list[dict[str, object]]:
    """The published lines that a figure is, or adds up: its offences, its members, its quarters."""
    result = connection.execute(
        """
        SELECT crime.release_id, file.filename, crime.sha256, crime.sheet, crime.row, crime.offences_column,
            crime.offences, crime.offences_marker, crime.area_code, crime.offence_id, crime.period_end,
            crime.published_rows, file.media_type
        FROM core.recorded_crime AS crime
        INNER JOIN meta.file AS file
            ON file.release_id = crime.release_id AND file.sha256 = crime.sha256
        WHERE crime.release_id = $release AND crime.table_id = $table
            AND (crime.area_code = $area OR ($derived AND crime.area_code IN (
                SELECT member_code FROM ref.area_member WHERE aggregate_code = $area)))
            AND (crime.offence_id = $offence OR ($derived AND crime.offence_id IN (
                SELECT offence_id FROM ref.offence_ancestor WHERE ancestor_id = $offence)))
            AND crime.period_end <= $end AND crime.period_start >= $start
            AND ($derived OR crime.span = $span)
        ORDER BY crime.area_code, crime.offence_id, crime.period_end
        """,
        {
            "release": figure[7],
            "table": figure[8],
            "area": figure[0],
            "offence": figure[2],
            "derived": figure[9],
            "span": figure[3],
            "end": figure[4],
            "start": figure[11],
        },
    )
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


class _Texts:
    """Published texts out of landed files; each sheet is read once."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._sheets: dict[tuple[str, str], Sheet] = {}

    def cells(self, line: dict[str, object]) -> list[Cell]:
        sha256, sheet_name = str(line["sha256"]), str(line["sheet"])
        column = str(line["offences_column"])
        rows = [int(str(line["row"]))]
        if int(str(line["published_rows"])) > 1:
            rows = self._rows_of_one_figure(sha256, sheet_name, rows[0])
        sheet = self._sheet(sha256, sheet_name, str(line["media_type"]))
        return [self._cell(line, sheet, column, row) for row in rows]

    def _cell(self, line: dict[str, object], sheet: Sheet, column: str, row: int) -> Cell:
        """One cell with its own value: a figure of several rows is their sum."""
        text = sheet.text(column, row)
        value, marker = parse_number(text)
        return Cell(
            release_id=str(line["release_id"]),
            filename=str(line["filename"]),
            sha256=str(line["sha256"]),
            sheet=sheet.name,
            address=f"{column}{row}",
            text=text,
            value=None if value is None else int(value),
            marker=marker,
            area_code=str(line["area_code"]),
            offence_id=str(line["offence_id"]),
            period_end=line["period_end"],  # type: ignore[arg-type]
        )

    def _sheet(self, sha256: str, name: str, media_type: str) -> Sheet:
        if (sha256, name) not in self._sheets:
            path = blob_path(self.home, sha256)
            if not path.exists():
                raise JusticeError(f"the landed file {sha256[:12]} is gone", "run `justice-etl verify`")
            with open_workbook(path, media_type) as workbook:
                self._sheets[sha256, name] = workbook.sheet(name)
        return self._sheets[sha256, name]

    def _rows_of_one_figure(self, sha256: str, sheet: str, first: int) -> list[int]:
        """Published rows that state one figure together, from the tidy cache; the first alone where it is cold."""
        path = next(iter(sorted((self.home / "tidy").rglob(f"{sha256}-*.parquet"))), None)
        if path is None:
            return [first]
        table = pq.read_table(path, filters=[("sheet", "=", sheet)])
        key = ["area_key", "offence_id", "period_end", "measure"]
        line = table.filter(pc.equal(table["row"], first)).slice(0, 1)
        same = [pc.equal(table[name], line[name][0]) for name in key]
        mask = same[0]
        for condition in same[1:]:
            mask = pc.and_(mask, condition)
        return sorted(table.filter(mask)["row"].to_pylist())
