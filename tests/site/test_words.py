"""How numbers and reasons are written on pages."""

from __future__ import annotations

import pytest

from etl.site.summaries import find_stem, name_source
from etl.site.words import format_rate, format_signed, tell_reason


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (None, 1, "–"),
        (1.26, 1, "+1.3"),
        (-1_234.5, 1, "−1,234.5"),
        (0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (0.04, 1, "0.0"),
        (-0.4, 0, "0"),
        (-0.05, 2, "−0.05"),
        (10.0, 0, "+10"),
    ],
)
def test_a_change_has_a_real_minus_and_none_where_it_rounds_to_nothing(
    value: float | None, digits: int, written: str
) -> None:
    assert format_signed(value, digits) == written


def test_a_rate_that_rounds_to_nothing_has_no_sign() -> None:
    assert [format_rate(value) for value in (None, -0.04, 0.0, -0.06, 1_234.5)] == [
        "–",
        "0.0",
        "0.0",
        "-0.1",
        "1,234.5",
    ]


def test_a_reason_is_told_in_words_as_it_is_or_not_at_all() -> None:
    assert tell_reason("split") == "it was made by splitting an area"
    assert tell_reason("some new code") == "some new code"
    assert tell_reason(None) == "no reason is held"


def test_a_release_has_its_path_and_a_source_its_name() -> None:
    assert find_stem("recorded_crime_ons/year-ending-march-2018@2") == "recorded_crime_ons/year-ending-march-2018-2"
    assert name_source("a source of long ago") == "a source of long ago"
    assert name_source("proven_reoffending") != "proven_reoffending"
