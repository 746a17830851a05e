"""Whole columns mean what their texts mean one by one, however the column is cut into chunks."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.cells import parse_number, split_notes
from etl.columns import constant, join_texts, map_distinct, read_numbers

_TEXTS = st.one_of(st.none(), st.sampled_from(["", "1", "170,002 ", "-00 ", "..", "[x]", "Kent8", "x"]), st.text())
_CHUNKS = st.lists(st.lists(_TEXTS, max_size=6), max_size=5)


def _column(chunks: list[list[str | None]]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(chunk, pa.string()) for chunk in chunks], pa.string())


def _flat(chunks: list[list[str | None]]) -> list[str | None]:
    return [text for chunk in chunks for text in chunk]


@pytest.mark.parametrize(
    ("function", "type_"),
    [
        (lambda text: parse_number(text)[0], pa.float64()),
        (lambda text: parse_number(text)[1], pa.string()),
        (lambda text: split_notes(text).text, pa.string()),
        (lambda text: None if text is None else len(text), pa.int32()),
        (lambda text: text is None, pa.bool_()),
        (lambda text: None, pa.date32()),
    ],
)
@given(chunks=_CHUNKS)
def test_a_column_is_its_texts_one_by_one(
    function: Callable[[str | None], object], type_: pa.DataType, chunks: list[list[str | None]]
) -> None:
    mapped = map_distinct(_column(chunks), function, type_)
    assert mapped.type == type_
    assert mapped.to_pylist() == [function(text) for text in _flat(chunks)]


@given(_CHUNKS, st.data())
def test_a_part_of_a_column_is_a_part_of_the_result(chunks: list[list[str | None]], data: st.DataObject) -> None:
    """A slice keeps its parent's dictionary and null mask: offsets must not get lost."""
    column = _column(chunks)
    start = data.draw(st.integers(0, len(column)))
    keep = data.draw(st.lists(st.booleans(), min_size=len(column), max_size=len(column)))

    def length(text: str | None) -> int | None:
        return None if text is None else len(text)

    whole = [length(text) for text in _flat(chunks)]
    part = map_distinct(column.slice(start), length, pa.int64())
    assert part.to_pylist() == whole[start:]
    kept = map_distinct(column.filter(pa.array(keep, pa.bool_())), length, pa.int64())
    assert kept.to_pylist() == [value for value, wanted in zip(whole, keep, strict=True) if wanted]


def test_each_distinct_text_is_read_once() -> None:
    asked: list[str | None] = []

    def note(text: str | None) -> int:
        asked.append(text)
        return 0

    map_distinct(_column([["a", "b", None] * 1000]), note, pa.int8())
    assert sorted(asked, key=str) == [None, "a", "b"]


@given(_CHUNKS)
def test_numbers_and_markers_line_up(chunks: list[list[str | None]]) -> None:
    values, markers = read_numbers(_column(chunks))
    assert list(zip(values.to_pylist(), markers.to_pylist(), strict=True)) == [
        parse_number(text) for text in _flat(chunks)
    ]


def test_columns_joined_row_by_row() -> None:
    years = _column([["2017/18"], ["2018/19", None]])
    quarters = pa.chunked_array([pa.array([1, None, 3], pa.int32())])
    assert join_texts(years, quarters).to_pylist() == ["2017/18|1", "2018/19|", "|3"]


def test_a_constant_column() -> None:
    assert constant("year", pa.string(), 3).to_pylist() == ["year"] * 3
    assert constant(None, pa.string(), 2).to_pylist() == [None, None]
    assert constant("year", pa.string(), 0).to_pylist() == []
