"""Intervals against the reference values of facts/statistics.md."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.ranking import change_interval, count_interval


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        (65, 50.163188, 82.849139),
        (1045, 982.593202, 1110.331213),
        (222, 6.026575 * 32.15, 7.875729 * 32.15),  # 222 of 3,215, printed per 100
        (5, 1.623486, 11.668332),
        (1, 0.025318, 5.571643),
    ],
)
def test_counts_of_the_reference_table(count: int, low: float, high: float) -> None:
    found_low, found_high = count_interval([count])
    assert found_low[0] == pytest.approx(low, abs=2e-5)
    assert found_high[0] == pytest.approx(high, abs=2e-5)


def test_no_offence_has_a_lower_end_of_none() -> None:
    low, high = count_interval([0])
    assert low[0] == 0
    # Exact: chi-squared(.975, 2)/2 = -ln(.025).
    assert high[0] == pytest.approx(-np.log(0.025))


def test_negative_and_missing_counts_have_no_interval() -> None:
    low, high = count_interval([-1, np.nan])
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_change_of_the_reference_table() -> None:
    low, high = change_interval([193_530], [215_350])
    assert low[0] == pytest.approx(-10.683, abs=5e-4)
    assert high[0] == pytest.approx(-9.579, abs=5e-4)


def test_change_without_a_base_has_no_interval() -> None:
    low, high = change_interval([10, -1, 10], [0, 10, np.nan])
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_change_to_none_ends_at_minus_a_hundred() -> None:
    low, high = change_interval([0], [60])
    assert low[0] == -100
    # Share of 0 in 60: upper end 1 - .025^(1/60) = .059615, as odds .063394, so −93.66%.
    share = 1 - 0.025 ** (1 / 60)
    assert high[0] == pytest.approx(100 * (share / (1 - share) - 1))


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=20))
def test_intervals_hold_their_count_and_widen_with_confidence(counts: list[int]) -> None:
    low, high = count_interval(counts)
    wide_low, wide_high = count_interval(counts, confidence=0.998)
    assert (low <= counts).all()
    assert (high >= counts).all()
    assert (wide_low <= low).all()
    assert (wide_high >= high).all()


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_interval_of_a_change_holds_the_change(current: int, previous: int) -> None:
    low, high = change_interval([current], [previous])
    change = 100 * (current / previous - 1)
    assert low[0] <= change + 1e-6
    assert high[0] >= change - 1e-6
