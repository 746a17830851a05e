"""Which published lines a figure of reoffending was added up from."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from etl.trace import _choose_lines

YEAR = date(2021, 3, 31)
QUARTERS = (date(2020, 6, 30), date(2020, 9, 30), date(2020, 12, 31), YEAR)


def _line(span: str, end: date, age_group: str) -> dict[str, Any]:
    return {"span": span, "period_end": end, "age_group": age_group}


def _quarters(*ages: str) -> list[dict[str, Any]]:
    return [_line("quarter", end, age) for end in QUARTERS for age in ages]


@pytest.mark.parametrize(
    ("lines", "chosen"),
    [
        pytest.param([_line("year", YEAR, "all")], [("year", "all")], id="printed"),
        pytest.param(
            [_line("year", YEAR, "adult"), _line("year", YEAR, "child"), *_quarters("adult", "child")],
            [("year", "adult"), ("year", "child")],
            id="both ages of the year",
        ),
        pytest.param(
            [_line("year", YEAR, "adult"), *_quarters("adult", "child")],
            [("quarter", "adult"), ("quarter", "child")] * 4,
            id="a year of adults alone hides no quarter",
        ),
        pytest.param(
            _quarters("adult", "all", "child"), [("quarter", "all")] * 4, id="all ages come before their parts"
        ),
    ],
)
def test_lines_that_were_added_up(lines: list[dict[str, Any]], chosen: list[tuple[str, str]]) -> None:
    figure = {"span": "year", "period_end": YEAR, "age_group": "all"}
    assert [(line["span"], line["age_group"]) for line in _choose_lines(lines, figure)] == chosen
