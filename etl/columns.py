"""Functions of one text, done for whole columns: each distinct text once, however long the column."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from etl.cells import parse_number


def map_distinct(
    column: pa.ChunkedArray, function: Callable[[str | None], object], type_: pa.DataType
) -> pa.ChunkedArray:
    """Apply `function` to every text of a column; nulls are given to it as None.

    Args:
        column: texts.
        function: one text → a value that fits `type_`, or None.
        type_: the type of the result.
    """
    chunks = []
    for chunk in column.dictionary_encode().chunks:
        values = [function(text) for text in chunk.dictionary.to_pylist()]
        values.append(function(None) if chunk.null_count else None)
        chunks.append(pa.array(values, type_).take(chunk.indices.fill_null(len(values) - 1)))
    return pa.chunked_array(chunks, type_)


def read_numbers(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """A column of published texts as values (double) and markers (text); see `cells.parse_number`."""
    values = map_distinct(column, lambda text: parse_number(text)[0], pa.float64())
    markers = map_distinct(column, lambda text: parse_number(text)[1], pa.string())
    return values, markers


def constant(value: object, type_: pa.DataType, length: int) -> pa.Array:
    """A column of one value; None gives nulls."""
    return pa.nulls(length, type_) if value is None else pa.repeat(pa.scalar(value, type_), length)


def join_texts(*columns: pa.ChunkedArray) -> pa.ChunkedArray:
    """Columns joined row by row by `|`, nulls as empty text: a key for `map_distinct` over several columns."""
    filled = [pc.fill_null(pc.cast(column, pa.string()), "") for column in columns]
    return pc.binary_join_element_wise(*filled, "|")
