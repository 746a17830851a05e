"""ONS force area tables (P1, P2, P3), Table C2 and the rolling-year file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pyarrow as pa

from etl.cells import (
    UNREADABLE,
    Period,
    name_key,
    parse_gss_code,
    parse_number,
    parse_period_end,
    parse_years_ending,
    split_notes,
    year_to,
)
from etl.columns import join_texts, map_distinct
from etl.errors import LayoutError
from etl.layouts import Fit, find_tables
from etl.offences import find_offence
from etl.sources import Source
from etl.sources.readers import (
    cell_error,
    code_without_gss,
    keep_data_rows,
    long_table,
    map_periods,
    number_rows,
    read_area_columns,
    read_counts,
    refuse_repeats,
    require,
)
from etl.spreadsheets import Workbook


def read(workbook: Workbook, source: Source) -> Iterator[pa.Table]:
    """Tidy `recorded_crime`, one table a sheet.

    Raises:
        LayoutError: a sheet fits no layout, or a period, area or figure cannot be read.
    """
    for fit in find_tables(source, workbook):
        table = _read_wide(fit, source) if fit.layout.figures else _read_rolling_years(fit, source)
        yield refuse_repeats(fit, source, table) if table.num_rows else table


def _read_period(fit: Fit) -> Period:
    """The year that a title names; a title of changes names the year before it too."""
    ends = sorted(set(parse_years_ending(fit.title)))
    expected = 2 if fit.layout.measure == "change_percent" else 1
    if len(ends) != expected or (expected == 2 and ends[0] != _year_before(ends[1])):
        wanted = "2 (the year, and the year before it)" if expected == 2 else "1, as in 'year ending March 2018'"
        raise LayoutError(
            f"sheet {fit.sheet.name!r}: the lines above row {fit.header_row + 1} name {len(ends)} years ending "
            f"({', '.join(map(str, ends)) or 'none'}), expected {wanted}; found {fit.title[:200]!r}",
            "look at the title; if it names the year in a new way, parse_years_ending in etl/cells.py must know it",
        )
    return year_to(ends[-1])


def _year_before(end: date) -> date:
    return date.fromordinal(year_to(end).start.toordinal() - 1)


def _read_wide(fit: Fit, source: Source) -> pa.Table:
    """A table of areas by offences: every cell with an offence above it and an area beside it."""
    period = _read_period(fit)
    lines: list[dict[str, object]] = []
    for index in range(fit.body.num_rows):
        row = fit.first_row + index
        texts = {letter: fit.sheet.text(letter, row) for letter in fit.figures}
        area = _read_area(fit, source, row, any(parse_number(text)[0] is not None for text in texts.values()))
        if area is None:
            continue
        for letter, offence in fit.figures.items():
            value, marker = parse_number(texts[letter])
            whole = fit.layout.measure != "offences" or value is None or value.is_integer()
            if marker == UNREADABLE or not whole:
                raise cell_error(
                    fit,
                    row,
                    letter,
                    "expected a number or a marker",
                    "a new marker belongs in MARKERS in etl/cells.py",
                )
            lines.append(
                area
                | {
                    "table_id": fit.layout.table_id,
                    "measure": fit.layout.measure,
                    "offence_id": offence,
                    "span": fit.layout.span,
                    "period_start": period.start,
                    "period_end": period.end,
                    "value": value,
                    "marker": marker,
                    "sheet": fit.sheet.name,
                    "row": row,
                    "column": letter,
                }
            )
    return pa.Table.from_pylist(lines)


def _read_area(fit: Fit, source: Source, row: int, has_figures: bool) -> dict[str, object] | None:
    """The area of a row, or None for a line of units, a source or a note."""

    def text(name: str) -> str | None:
        return fit.sheet.text(fit.columns[name], row) if name in fit.columns else None

    force_code, _ = parse_gss_code(text("area_code"))
    force_name = split_notes(text("area_name")).text
    code, name, parent = force_code, force_name, None
    if text("csp_name"):
        code, _ = parse_gss_code(text("csp_code"))
        name, parent = split_notes(text("csp_name")).text, force_name
    code = code or code_without_gss(source, name_key(name))
    if code is None:
        if not has_figures:
            return None
        raise cell_error(
            fit,
            row,
            fit.columns["area_code"],
            f"the row holds figures, but its area {name!r} has no code",
            f"if it is an area of its own, declare it under codeless_areas in etl/sources/{source.source}/source.yml",
        )
    return {
        "level": _level(code, parent),
        "area_code": code,
        "area_name": name,
        "area_key": name_key(name),
        "parent_name": parent,
    }


def _level(code: str, parent: str | None) -> str | None:
    if parent is not None:
        return "csp"
    return {"K04": "country", "E92": "country", "W92": "country", "E12": "region"}.get(code[:3], "police_force")


def _read_rolling_years(fit: Fit, source: Source) -> pa.Table:
    keep = keep_data_rows(fit)

    def column(name: str) -> pa.ChunkedArray:
        return fit.column(name).filter(keep)

    rows = pa.chunked_array([number_rows(fit)]).filter(keep)
    starts, ends = map_periods(column("period"), _parse_year)
    require(fit, rows, "period", ends, "expected a day such as 31/03/2018", "a new form belongs in etl/cells.py")
    offences = map_distinct(join_texts(column("offence"), ends), _find_offence, pa.string())
    require(
        fit,
        rows,
        "offence",
        offences,
        "this offence is not known",
        "add it to warehouse/ref/offence_alias.csv",
    )
    values, markers = read_counts(fit, rows, column("value"))
    no_codes = pa.chunked_array([pa.nulls(len(rows), pa.string())])
    return long_table(
        fit,
        len(rows),
        read_area_columns(fit, source, rows, column("area_name"), no_codes)
        | {
            "parent_name": no_codes,
            "offence_id": offences,
            "period_start": starts,
            "period_end": ends,
            "value": values,
            "marker": markers,
            "row": rows,
        },
    )


def _parse_year(text: str | None) -> Period | None:
    end = parse_period_end(text)
    return year_to(end) if end else None


def _find_offence(key: str | None) -> str | None:
    name, _, end = (key or "|").rpartition("|")
    return find_offence("recorded_crime_ons", name, date.fromisoformat(end)) if end else None
