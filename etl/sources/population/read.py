"""Mid-year population estimates: one figure an area and year."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from etl.cells import UNREADABLE, name_key, parse_gss_code, parse_number, split_notes
from etl.layouts import Fit, find_tables
from etl.sources import Source
from etl.sources.readers import cell_error
from etl.spreadsheets import Workbook


def read(workbook: Workbook, source: Source) -> Iterator[pa.Table]:
    """Tidy `population`, one table a sheet.

    `mid_year` is null where the sheet does not say its year (one sheet saved as CSV): then the release does.
    `geography` is empty where every line is a local authority (Nomis).

    Raises:
        LayoutError: a sheet fits no layout, or a figure cannot be read.
    """
    for fit in find_tables(source, workbook):
        yield _read_sheet(fit)


def _read_sheet(fit: Fit) -> pa.Table:
    lines: list[dict[str, object]] = []
    for index in range(fit.body.num_rows):
        row = fit.first_row + index
        code, _ = parse_gss_code(fit.sheet.text(fit.columns["area_code"], row))
        if code is None:
            continue
        name = split_notes(fit.sheet.text(fit.columns["area_name"], row)).text
        for letter, heading in fit.figures.items():
            year = (fit.sheet.text(fit.columns["year"], row) or "").strip() if "year" in fit.columns else heading
            value, marker = parse_number(fit.sheet.text(letter, row))
            if marker == UNREADABLE or (value is not None and not (value.is_integer() and value > 0)):
                raise cell_error(
                    fit,
                    row,
                    letter,
                    "expected a whole number of people above 0",
                    "compare the published sheet",
                )
            lines.append(
                {
                    "table_id": fit.layout.table_id,
                    "area_code": code,
                    "area_name": name,
                    "area_key": name_key(name),
                    "geography": fit.sheet.text(fit.columns["geography"], row) if "geography" in fit.columns else "",
                    "mid_year": int(year) if year.isdigit() else None,
                    "value": value,
                    "marker": marker,
                    "sheet": fit.sheet.name,
                    "row": row,
                    "column": letter,
                }
            )
    return pa.Table.from_pylist(lines)
