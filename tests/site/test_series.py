"""Where a line is cut, what is marked on it, and what is said of it: nothing across a cut."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from etl.site.series import (
    CRIME,
    REOFFENDING,
    list_break_ids,
    make_segments,
    mark_breaks,
    tell_days,
    tell_line,
    tell_marks,
)
from etl.site.words import format_count

Row = dict[str, Any]


def year(end: date, offences: int | None, break_ids: str | None = None, reason: str | None = None) -> Row:
    start = date(end.year - 1, end.month % 12 + 1, 1)
    return {"period_start": start, "period_end": end, "offences": offences, "break_ids": break_ids, "reason": reason}


def found(break_id: str, start: date, end: date | None = None, **more: Any) -> Row:
    row: Row = {"break_id": break_id, "kind": "missing", "action": "null", "start_date": start, "end_date": end}
    return row | {"effect": "missing"} | more


GMP = {"gmp": found("gmp", date(2019, 7, 1), date(2020, 3, 31))}
NORTH_WEST = [
    year(date(2017, 3, 31), 600),
    year(date(2018, 3, 31), 700),
    year(date(2019, 3, 31), 650),
    year(date(2019, 9, 30), 400, "gmp"),
]


def tell(rows: list[Row], breaks: dict[str, Row]) -> str:
    return tell_line(rows, breaks, CRIME, format_count, lambda row: f"year to {row['period_end']:%B %Y}")


def find_segments(rows: list[Row], breaks: dict[str, Row]) -> list[int]:
    return [point["segment"] for point in make_segments(rows, breaks)]


def test_a_year_without_a_force_is_not_called_the_lowest() -> None:
    """400 is less than 600 only because Greater Manchester is not in it."""
    assert tell(NORTH_WEST, GMP) == (
        "From 600 in the year to March 2017 to 650 in the year to March 2019; highest 700 (year to March 2018), lowest "
        "600 (year to March 2017). 400 in the year to September 2019, the newest, is not compared with any before it. "
        "The line is cut once, where figures are missing or may not be compared."
    )


def test_each_part_has_its_own_first_and_lowest() -> None:
    rows = [*NORTH_WEST, year(date(2022, 3, 31), 500), year(date(2023, 3, 31), 550)]
    assert tell(rows, GMP) == (
        "From 600 in the year to March 2017 to 650 in the year to March 2019; highest 700 (year to March 2018), lowest "
        "600 (year to March 2017). After that, from 500 in the year to March 2022 to 550 in the year to March 2023; "
        "highest 550 (year to March 2023), lowest 500 (year to March 2022): not compared with what was before. The "
        "line is cut twice, where figures are missing or may not be compared."
    )
    assert tell(rows[2:], GMP) == (
        "From 500 in the year to March 2022 to 550 in the year to March 2023; highest 550 (year to March 2023), lowest "
        "500 (year to March 2022). No figure before that is compared with these. The line is cut twice, where figures "
        "are missing or may not be compared."
    )


def test_a_line_that_is_not_cut_does_not_say_that_it_is() -> None:
    assert tell(NORTH_WEST[:3], {}) == (
        "From 600 in the year to March 2017 to 650 in the year to March 2019; highest 700 (year to March 2018), lowest "
        "600 (year to March 2017)."
    )


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], ""),
        ([year(date(2017, 3, 31), None)], ""),
        ([year(date(2017, 3, 31), 0)], "0 in the year to March 2017."),
        (
            [year(date(2014, 3, 31), 9), year(date(2017, 3, 31), 5)],
            "5 in the year to March 2017. No figure before that is compared with it. The line is cut once, where "
            "figures are missing or may not be compared.",
        ),
    ],
)
def test_a_line_of_few_figures(rows: list[Row], told: str) -> None:
    assert tell(rows, {}) == told


def test_years_that_leave_out_a_force_for_nobody_knows_how_long_are_joined_to_nothing() -> None:
    breaks = {"devon": found("devon", date(2022, 11, 1))}
    rows = [year(date(end, 3, 31), 5, "devon") for end in (2021, 2022, 2023, 2024)]
    assert find_segments(rows, breaks) == [1, 1, 2, 3]


def test_a_reason_that_names_a_break_nobody_knows_cuts_by_itself() -> None:
    rows = [year(date(end, 3, 31), 5, "known" if end > 2020 else None) for end in (2020, 2021, 2022)]
    rows[1]["reason"] = rows[2]["reason"] = "classification"
    assert find_segments(rows, {}) == [1, 2, 3]
    # Its day says that it lies before the second: the third is like the second.
    known = found("known", date(2020, 4, 1), kind="classification")
    assert find_segments(rows, {"known": known}) == [1, 2, 2]


def test_what_has_no_effect_is_not_marked() -> None:
    breaks = {
        "status": found("status", date(2018, 1, 15), action="annotate", effect="none"),
        "gmp": GMP["gmp"],
        "later": found("later", date(2019, 10, 1)),
    }
    rows = [row | {"break_ids": "gmp;status;later"} for row in NORTH_WEST]
    marked = mark_breaks(rows, breaks)
    assert [of["break_id"] for of in marked] == ["gmp"]
    assert tell_marks(marked) == " A dashed line marks what must be known of the series: 1 July 2019."
    assert tell_marks([]) == ""


def test_the_day_of_three_month_cohorts_is_not_marked_on_their_own_series() -> None:
    breaks = {"change": found("change", date(2015, 10, 1), kind="measure", action="annotate", effect="new series")}
    rows: list[Row] = [
        {"cohort_end": date(end, 3, 31), "rate_percent": 30.0, "break_ids": "change", "reason": None}
        for end in (2015, 2016)
    ]
    of_three_months = [row | {"measure": "three_month_cohort"} for row in rows]
    assert mark_breaks(of_three_months, breaks, REOFFENDING) == []
    assert len(mark_breaks(rows, breaks, REOFFENDING)) == 1


def test_breaks_are_listed_once_and_dated() -> None:
    rows = [{"break_ids": "b; a"}, {"break_ids": None}, {"break_ids": "a;"}]
    assert list_break_ids(rows) == ["a", "b"]
    assert tell_days(GMP["gmp"]) == "1 July 2019 to 31 March 2020"
    assert tell_days(found("x", date(2017, 4, 1))) == "from 1 April 2017"
