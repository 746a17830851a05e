"""From a figure of the warehouse back to the cells that state it: file, sheet, cell, published text."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.cells import parse_number
from etl.errors import WrongUseError
from etl.landed_texts import LandedTexts, find_made_correction
from etl.query import find_area, open_warehouse

MAX_CELLS = 20
REOFFENDING = ("offenders", "reoffenders", "reoffences")
LOCAL_ADULT = ("caseload_offenders", "actual_percent", "predicted_percent")
_LOCAL_ADULT_AREAS = (
    "(SELECT line.area_code, area.area_name, line.level, line.period_end FROM core.local_adult_reoffending AS line "
    "INNER JOIN ref.area AS area ON area.area_code = line.area_code)"
)


@dataclass(frozen=True)
class Cell:
    """One published cell. `text` is read again from the landed file; `figure` as in Trace.

    `corrected` is what a correction makes of the text, with its reason; None where there is none. `value` and
    `marker` are of the corrected text then.
    """

    release_id: str
    filename: str
    sha256: str
    sheet: str
    address: str
    text: str | None
    value: float | None
    marker: str | None
    area_code: str
    figure: str
    period_end: date
    corrected: str | None = None
    correction_reason: str | None = None


@dataclass(frozen=True)
class Trace:
    """A figure of a mart and the cells that it comes from; `cell_count` counts all, `cells` some.

    `figure` is an `offence_id`, or one of REOFFENDING or LOCAL_ADULT.
    """

    area_code: str
    area_name: str
    figure: str
    span: str
    period_end: date
    value: float | None
    marker: str | None
    release_id: str
    table_id: str
    is_derived: bool
    is_modelled: bool
    cell_count: int
    cells: list[Cell]


Row = dict[str, Any]


def trace(
    home: Path,
    area: str,
    figure: str,
    period_end: date,
    *,
    span: str = "year",
    level: str | None = None,
    age_group: str = "all",
    measure: str = "three_month_cohort",
) -> Trace:
    """Trace one figure of a mart to its published cells.

    Args:
        home: the data home.
        area: code or name.
        figure: `offence_id` or name of an offence; or one of REOFFENDING or LOCAL_ADULT.
        period_end: last day of the period or cohort.
        span: `year` or `quarter`.
        level: needed where several areas bear the name.
        age_group: of reoffending.
        measure: of reoffending.

    Raises:
        WrongUseError: there is no such figure; says what there is instead.
        JusticeError: a landed file that the figure rests on is gone.
    """
    with open_warehouse(home) as connection:
        if figure in REOFFENDING:
            found = _find_reoffending(connection, area, level, figure, period_end, span, age_group, measure)
            lines = _find_reoffending_lines(connection, found, measure)
        elif figure in LOCAL_ADULT:
            found = _find_local_adult(connection, area, level, figure, period_end)
            lines = [found]
        else:
            found = _find_offences(connection, area, level, figure, period_end, span)
            lines = _find_offence_lines(connection, found)
    texts = _Texts(home)
    cells = [cell for line in lines[:MAX_CELLS] for cell in texts.cells(line)]
    cell_count = sum(line["published_rows"] for line in lines)
    names = [field.name for field in fields(Trace) if field.name not in ("cells", "cell_count")]
    return Trace(**{name: found[name] for name in names}, cell_count=cell_count, cells=cells)


def _query(connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, object]) -> list[Row]:
    result = connection.execute(query, parameters)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


# --- recorded crime --------------------------------------------------------------------------------------


def _find_offences(
    connection: duckdb.DuckDBPyConnection, area: str, level: str | None, offence: str, period_end: date, span: str
) -> Row:
    area_code = find_area(connection, area, level, on=("period_end", period_end))
    found = _query(
        connection,
        """
        SELECT area_code, area_name, offence_id AS figure, span, period_end, offences AS value,
            offences_marker AS marker, release_id, table_id, is_derived, is_modelled, period_start
        FROM mart.crime_trend
        WHERE area_code = $area AND $offence IN (offence_id, lower(offence_name))
            AND period_end = $period_end AND span = $span
        """,
        {"area": area_code, "offence": offence.lower(), "period_end": period_end, "span": span},
    )
    if found:
        return found[0]
    known = _query(
        connection,
        "SELECT 1 FROM ref.offence WHERE $offence IN (offence_id, lower(name))",
        {"offence": offence.lower()},
    )
    if not known:
        raise WrongUseError(f"there is no offence {offence!r}", "see SELECT offence_id, name FROM ref.offence")
    query = "SELECT DISTINCT span, period_end FROM mart.crime_trend WHERE area_code = $area ORDER BY ALL"
    raise _say_absence(
        f"{area_code} for {offence} in the {span} to {period_end}", _query(connection, query, {"area": area_code})
    )


def _say_absence(what: str, periods: list[Row]) -> WrongUseError:
    shown = ", ".join(f"{period['period_end']} ({period['span']})" for period in periods[-8:])
    return WrongUseError(f"there is no figure of {what}", f"held are: {shown}")


def _find_offence_lines(connection: duckdb.DuckDBPyConnection, figure: Row) -> list[Row]:
    """The published lines that a figure is, or adds up: its offences, its members, its quarters."""
    return _query(
        connection,
        """
        SELECT crime.release_id, file.filename, crime.sha256, crime.sheet, crime.row, crime.offences_column AS column,
            crime.area_code, crime.offence_id AS figure, crime.period_end, crime.published_rows, file.media_type
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
            "release": figure["release_id"],
            "table": figure["table_id"],
            "area": figure["area_code"],
            "offence": figure["figure"],
            "derived": figure["is_derived"],
            "span": figure["span"],
            "end": figure["period_end"],
            "start": figure["period_start"],
        },
    )


# --- reoffending -----------------------------------------------------------------------------------------


def _find_reoffending(
    connection: duckdb.DuckDBPyConnection,
    area: str,
    level: str | None,
    figure: str,
    cohort_end: date,
    span: str,
    age_group: str,
    measure: str,
) -> Row:
    area_code = find_area(connection, area, level, "mart.reoffending_trend", on=("cohort_end", cohort_end))
    found = _query(
        connection,
        f"""
        SELECT area_code, area_name, '{figure}' AS figure, span, cohort_end AS period_end, {figure} AS value,
            {figure}_marker AS marker, release_id, table_id, is_derived, is_modelled, cohort_start, age_group
        FROM mart.reoffending_trend
        WHERE area_code = $area AND cohort_end = $cohort_end AND span = $span AND age_group = $age_group
            AND measure = $measure
        """,
        {"area": area_code, "cohort_end": cohort_end, "span": span, "age_group": age_group, "measure": measure},
    )
    if found:
        return found[0]
    query = """
        SELECT DISTINCT span, cohort_end AS period_end FROM mart.reoffending_trend
        WHERE area_code = $area AND age_group = $age_group AND measure = $measure ORDER BY ALL
    """
    periods = _query(connection, query, {"area": area_code, "age_group": age_group, "measure": measure})
    raise _say_absence(f"{area_code} for {figure} ({age_group}) in the {span} to {cohort_end}", periods)


def _find_reoffending_lines(connection: duckdb.DuckDBPyConnection, figure: Row, measure: str) -> list[Row]:
    """The published lines that a figure is, or adds up: parts of a breakdown, adults and children, quarters."""
    column = figure["figure"]
    lines = _query(
        connection,
        f"""
        WITH line AS (
            SELECT release_id, table_id, measure, span, cohort_start, cohort_end, age_group, area_code,
                {column}_column AS column, sha256, sheet, row
            FROM core.reoffending
            UNION ALL
            SELECT release_id, table_id, measure, span, cohort_start, cohort_end, age_group, area_code,
                {column}_column AS column, sha256, sheet, row
            FROM core.reoffending_breakdown
            WHERE role = 'part'
        )
        SELECT line.release_id, file.filename, line.sha256, line.sheet, line.row, line.column, line.area_code,
            '{column}' AS figure, line.cohort_end AS period_end, 1 AS published_rows, file.media_type,
            line.span, line.age_group
        FROM line
        INNER JOIN meta.file AS file ON file.release_id = line.release_id AND file.sha256 = line.sha256
        WHERE line.release_id = $release AND line.table_id = $table AND line.measure = $measure
            AND line.area_code = $area AND line.cohort_end <= $end AND line.cohort_start >= $start
            AND (line.age_group = $age_group OR ($derived AND $age_group = 'all'))
        ORDER BY line.cohort_end, line.age_group, line.sheet, line.row
        """,
        {
            "release": figure["release_id"],
            "table": figure["table_id"],
            "measure": measure,
            "area": figure["area_code"],
            "end": figure["period_end"],
            "start": figure["cohort_start"],
            "age_group": figure["age_group"],
            "derived": figure["is_derived"],
        },
    )
    return [line for line in _choose_lines(lines, figure) if line["column"] is not None]


def _choose_lines(lines: list[Row], figure: Row) -> list[Row]:
    """The lines that were added up: those of the whole span where they are all there, else those of its quarters.

    Of a period, all ages as printed come before adults and children.
    """
    periods: dict[tuple[str, date], list[Row]] = {}
    for line in lines:
        periods.setdefault((line["span"], line["period_end"]), []).append(line)
    chosen: dict[tuple[str, date], list[Row]] = {}
    for period, of_period in periods.items():
        exact = [line for line in of_period if line["age_group"] == figure["age_group"]]
        both = of_period if {"adult", "child"} <= {line["age_group"] for line in of_period} else []
        if exact or both:
            chosen[period] = exact or both
    whole = chosen.get((figure["span"], figure["period_end"]))
    return whole or [line for period in sorted(chosen) for line in chosen[period]]


def _find_local_adult(
    connection: duckdb.DuckDBPyConnection, area: str, level: str | None, figure: str, period_end: date
) -> Row:
    area_code = find_area(connection, area, level, _LOCAL_ADULT_AREAS, on=("period_end", period_end))
    column = figure.removeprefix("caseload_")
    found = _query(
        connection,
        f"""
        SELECT line.area_code, area.area_name, '{figure}' AS figure, 'year' AS span, line.period_end,
            line.{column} AS value, line.{column}_marker AS marker, line.release_id, line.table_id,
            FALSE AS is_derived, release.is_modelled, file.filename, file.media_type, line.sha256, line.sheet, line.row,
            line.{column}_column AS column, 1 AS published_rows
        FROM core.local_adult_reoffending AS line
        INNER JOIN meta.release AS release ON release.release_id = line.release_id
        INNER JOIN meta.file AS file ON file.release_id = line.release_id AND file.sha256 = line.sha256
        INNER JOIN meta.source_table AS source_table
            ON source_table.source = release.source AND source_table.table_id = line.table_id
        LEFT JOIN ref.area AS area ON area.area_code = line.area_code
        WHERE line.area_code = $area AND line.period_end = $period_end
        ORDER BY release.published_at DESC, line.release_id DESC, source_table.position, line.table_id
        LIMIT 1
        """,
        {"area": area_code, "period_end": period_end},
    )
    if found:
        return found[0]
    query = """
        SELECT DISTINCT 'year' AS span, period_end FROM core.local_adult_reoffending
        WHERE area_code = $area ORDER BY ALL
    """
    periods = _query(connection, query, {"area": area_code})
    raise _say_absence(f"{area_code} for {figure} in the year to {period_end}", periods)


# --- published texts -------------------------------------------------------------------------------------


class _Texts:
    """The published cells of lines of the warehouse."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._landed = LandedTexts(home)

    def cells(self, line: Row) -> list[Cell]:
        rows = [line["row"]]
        if line["published_rows"] > 1:
            rows = self._rows_of_one_figure(line["sha256"], line["sheet"], rows[0])
        return [self._cell(line, line["column"], row) for row in rows]

    def _cell(self, line: Row, column: str, row: int) -> Cell:
        """One cell with its own value: a figure of several rows is their sum."""
        address = f"{column}{row}"
        text = self._landed.find(line["sha256"], line["media_type"], line["sheet"], address)
        correction = find_made_correction(line["release_id"], line["filename"], line["sheet"], address, text)
        value, marker = parse_number(correction.corrected if correction else text)
        return Cell(
            release_id=line["release_id"],
            filename=line["filename"],
            sha256=line["sha256"],
            sheet=line["sheet"],
            address=address,
            text=text,
            value=int(value) if value is not None and value.is_integer() else value,
            marker=marker,
            area_code=line["area_code"],
            figure=line["figure"],
            period_end=line["period_end"],
            corrected=correction.corrected if correction else None,
            correction_reason=correction.reason if correction else None,
        )

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
