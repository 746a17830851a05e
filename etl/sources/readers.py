"""What the readers of several sources share: rows of a fitted table as columns of the tidy table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.cells import UNREADABLE, Period, name_key, parse_gss_code, split_notes
from etl.columns import constant, map_distinct, read_numbers
from etl.errors import LayoutError
from etl.layouts import Fit
from etl.sources import Source


def code_without_gss(source: Source, key: str, level: str = "") -> str | None:
    """The declared code of an area that is printed without one, by its `name_key`; None if none is declared."""
    for pattern, code in source.codeless_areas.items():
        if match := re.fullmatch(pattern, key):
            return code.format(*(_slug(group) for group in match.groups()), level=_slug(level))
    return None


def _slug(text: str) -> str:
    return text.replace(" ", "-").replace("_", "-")


def cell_error(fit: Fit, row: int, column: str, what: str, next_step: str) -> LayoutError:
    """An error that names a published cell by sheet and address, with its text."""
    text = fit.sheet.text(column, row)
    place = f"sheet {fit.sheet.name!r}, cell {column}{row} ({text!r})"
    return LayoutError(f"{place}: {what}", next_step, rule="cell")


def keep_data_rows(fit: Fit) -> pa.ChunkedArray:
    """Which rows of a long table hold figures: those with anything in at least two declared columns.

    Padding rows hold nothing, and sources and notes below a table stand in one column.
    """
    body = fit.body
    filled = pa.chunked_array([pa.array(np.zeros(body.num_rows, np.int8))])
    for letter in fit.columns.values():
        texts = body[letter]
        empty = pc.fill_null(pc.or_(pc.equal(texts, ""), pc.utf8_is_space(texts)), True)
        filled = pc.add(filled, pc.cast(pc.invert(empty), pa.int8()))
    return pc.greater_equal(filled, 2)


def number_rows(fit: Fit) -> pa.Array:
    """The published row number of every row below the header."""
    return pa.array(np.arange(fit.first_row, fit.first_row + fit.body.num_rows, dtype=np.int32))


def require(
    fit: Fit,
    rows: pa.ChunkedArray,
    column: str,
    values: pa.ChunkedArray,
    what: str,
    next_step: str,
) -> None:
    """Stop the file at the first row in which a value that must be there could not be read.

    Args:
        fit: the table.
        rows: published row numbers.
        column: the declared column whose text could not be read.
        values: what was read, null where it could not be.
        what: what was expected.
        next_step: what to do.
    """
    if values.null_count:
        row = rows.filter(pc.is_null(values))[0].as_py()
        raise cell_error(fit, row, fit.columns[column], what, next_step)


def read_counts(
    fit: Fit, rows: pa.ChunkedArray, texts: pa.ChunkedArray, column: str = "value"
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """A declared column as whole numbers (as doubles) and markers.

    Raises:
        LayoutError: a cell is neither a whole number nor a known marker.
    """
    values, markers = read_numbers(texts)
    unreadable = pc.fill_null(pc.equal(markers, UNREADABLE), False)
    broken = pc.fill_null(pc.not_equal(pc.floor(values), values), False)
    bad = rows.filter(pc.or_(unreadable, broken))
    if len(bad):
        raise cell_error(
            fit,
            bad[0].as_py(),
            fit.columns[column],
            "expected a whole number or a marker",
            "if the publisher means something by it, add it to MARKERS in etl/cells.py",
        )
    return values, markers


def read_area_columns(
    fit: Fit, source: Source, rows: pa.ChunkedArray, names: pa.ChunkedArray, codes: pa.ChunkedArray
) -> dict[str, pa.ChunkedArray]:
    """`area_code` (GSS, ours, or null), `area_name` and `area_key` of a column of names, with codes if printed.

    Raises:
        LayoutError: a row names no area.
    """
    keys = map_distinct(names, lambda text: name_key(text) or None, pa.string())
    require(fit, rows, "area_name", keys, "expected the name of an area", "compare the row")
    printed = map_distinct(codes, lambda text: parse_gss_code(text)[0], pa.string())
    ours = map_distinct(keys, lambda key: code_without_gss(source, key or ""), pa.string())
    return {
        "area_code": pc.coalesce(printed, ours),
        "area_name": map_distinct(names, lambda text: split_notes(text).text, pa.string()),
        "area_key": keys,
    }


def map_periods(
    keys: pa.ChunkedArray, parse: Callable[[str | None], Period | None]
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Start and end of the period that each text means; null where `parse` gives None."""

    def start(text: str | None) -> date | None:
        period = parse(text)
        return period.start if period else None

    def end(text: str | None) -> date | None:
        period = parse(text)
        return period.end if period else None

    return map_distinct(keys, start, pa.date32()), map_distinct(keys, end, pa.date32())


def long_table(fit: Fit, length: int, columns: dict[str, pa.ChunkedArray]) -> pa.Table:
    """A tidy table of recorded crime from columns and what the layout says of all its rows."""
    layout = fit.layout
    same = {
        "table_id": layout.table_id,
        "measure": layout.measure,
        "level": layout.level,
        "span": layout.span,
        "sheet": fit.sheet.name,
        "column": fit.columns["value"],
    }
    return pa.table(columns | {name: constant(value, pa.string(), length) for name, value in same.items()})


def refuse_repeats(fit: Fit, source: Source, table: pa.Table) -> pa.Table:
    """The table as it came, if no figure stands in it twice; but for offences that the source declares.

    Args:
        fit: where it was read.
        source: its `repeated_offences` may stand in several rows.
        table: lines of tidy `recorded_crime`.

    Raises:
        LayoutError: two rows state one figure: they would be added up.
    """
    key = ["area_code", "area_key", "parent_name", "offence_id", "period_end", "measure"]
    once = table.filter(pc.invert(pc.is_in(table["offence_id"], pa.array(source.repeated_offences, pa.string()))))
    if (repeat := _find_repeat(once, key)) is None:
        return table
    first, last = repeat["row_min"], repeat["row_max"]
    column = once.filter(pc.equal(once["row"], last))["column"][0].as_py()
    raise cell_error(
        fit,
        last,
        column,
        f"row {last} states the figure of row {first} again ({repeat['area_key']}, {repeat['offence_id']})",
        "if rows belong together, declare the offence under repeated_offences; else ask the publisher",
    )


def refuse_repeated_rows(fit: Fit, table: pa.Table, key: list[str], column: str) -> pa.Table:
    """The table as it came, if no two of its rows state the same.

    Args:
        fit: where it was read.
        table: lines of a tidy table, one a published row.
        key: the columns that must differ.
        column: the declared column to point at.

    Raises:
        LayoutError: two rows have the same key; names both.
    """
    if (repeat := _find_repeat(table, key)) is None:
        return table
    first, last = repeat["row_min"], repeat["row_max"]
    raise cell_error(
        fit,
        last,
        fit.columns[column],
        f"row {last} states again what row {first} states ({', '.join(str(repeat[name]) for name in key)})",
        "compare the two rows, and ask the publisher which one holds",
    )


def _find_repeat(table: pa.Table, key: list[str]) -> dict[str, Any] | None:
    """The first key that more than one line has, with its first and last row; None where there is none."""
    if _are_unique([table[name] for name in key]):
        return None
    groups = table.group_by(key, use_threads=False).aggregate([("row", "count"), ("row", "min"), ("row", "max")])
    repeats: list[dict[str, Any]] = groups.filter(pc.greater(groups["row_count"], 1)).slice(0, 1).to_pylist()
    return repeats[0] if repeats else None


def _are_unique(columns: list[pa.ChunkedArray]) -> bool:
    """Whether no row of these columns comes twice: each row as one whole number, since texts take seconds to group."""
    # Equal rows give equal numbers even where they overflow; a clash by chance only sends us the slow, exact way.
    rows = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        encoded = column.combine_chunks().dictionary_encode()
        codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
        rows = rows * (len(encoded.dictionary) + 1) + codes
    return len(np.unique(rows)) == len(rows)
