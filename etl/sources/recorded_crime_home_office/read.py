"""Home Office open data: one row a force (or Community Safety Partnership), quarter and offence code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from etl.cells import Period, parse_financial_quarter, split_notes
from etl.columns import join_texts, map_distinct
from etl.layouts import Fit, find_tables
from etl.offences import find_offence
from etl.sources import Source
from etl.sources.readers import (
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

    Homicide stands in four rows of one code a force and quarter; each keeps its row here.

    Raises:
        LayoutError: a sheet fits no layout, or a year, quarter, code or count cannot be read.
    """
    for fit in find_tables(source, workbook):
        yield refuse_repeats(fit, source, _read_sheet(fit, source))
        del fit  # a sheet of a full-size file is let go before the next is read


def _read_sheet(fit: Fit, source: Source) -> pa.Table:
    keep = keep_data_rows(fit)

    def column(name: str) -> pa.ChunkedArray:
        return fit.column(name).filter(keep)

    rows = pa.chunked_array([number_rows(fit)]).filter(keep)
    quarters = join_texts(column("year"), column("quarter"))
    starts, ends = map_periods(quarters, _parse_quarter)
    require(
        fit,
        rows,
        "quarter",
        ends,
        "expected a financial year and quarter like 2017/18 and 1",
        "compare the row",
    )
    offences = map_distinct(join_texts(column("offence"), ends), _find_offence, pa.string())
    require(
        fit,
        rows,
        "offence",
        offences,
        "this offence code is not known",
        "add it to warehouse/ref/offence.csv and offence_alias.csv, with the group that the row prints",
    )
    values, markers = read_counts(fit, rows, column("value"))
    areas = read_area_columns(fit, source, rows, column("area_name"), column("area_code"))
    parents = (
        column("force_name") if "force_name" in fit.columns else pa.chunked_array([pa.nulls(len(rows), pa.string())])
    )
    return long_table(
        fit,
        len(rows),
        areas
        | {
            "parent_name": map_distinct(parents, lambda text: split_notes(text).text or None, pa.string()),
            "offence_id": offences,
            "period_start": starts,
            "period_end": ends,
            "value": values,
            "marker": markers,
            "row": pc.cast(rows, pa.int32()),
        },
    )


def _parse_quarter(key: str | None) -> Period | None:
    year, _, quarter = (key or "|").rpartition("|")
    return parse_financial_quarter(year, quarter)


def _find_offence(key: str | None) -> str | None:
    code, _, end = (key or "|").rpartition("|")
    return find_offence("recorded_crime_home_office", code, date.fromisoformat(end)) if end else None
