"""Intervals against the reference values of facts/statistics.md."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.ranking import change_interval, count_interval, difference_interval, wilson_interval


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


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [
        (65, 100, 0.552544, 0.736358),
        (1045, 5000, 0.197955, 0.220491),
        (1, 100, 0.00176743, 0.0544862),
        (222, 3215, 0.06079169, 0.07833957),
        (0, 30, 0, 0.113513),
        (30, 30, 0.886487, 1),
        (8, 30, 0.141827, 0.444480),
    ],
)
def test_wilson_of_the_reference_table(events: int, trials: int, low: float, high: float) -> None:
    found_low, found_high = wilson_interval([events], [trials])
    assert found_low[0] == pytest.approx(low, abs=6e-7)
    assert found_high[0] == pytest.approx(high, abs=6e-7)


def test_wilson_at_99_8_percent_of_the_reference_table() -> None:
    low, high = wilson_interval([65], [100], confidence=0.998)
    assert low[0] == pytest.approx(0.495495, abs=6e-7)
    assert high[0] == pytest.approx(0.778354, abs=6e-7)


def test_wilson_by_hand() -> None:
    # x = 2 of n = 4 and z = 1.959964, z² = 3.841459: (2x ∓ z sqrt(z² + 4x(1 − x/n)) + z²) / (2(n + z²))
    # = (7.841459 ∓ 1.959964 · sqrt(7.841459)) / 15.682918 = 0.5 ∓ 5.488398 / 15.682918.
    low, high = wilson_interval([2], [4])
    assert low[0] == pytest.approx(0.5 - 5.488398 / 15.682918, abs=1e-6)
    assert high[0] == pytest.approx(0.5 + 5.488398 / 15.682918, abs=1e-6)


def test_no_proportion_has_no_interval() -> None:
    low, high = wilson_interval([0, 1, np.nan, 3, -1, 4], [0, np.nan, 5, 2, 10, 8])
    assert np.isnan(low[:5]).all()
    assert np.isnan(high[:5]).all()
    assert low[5] < 0.5 < high[5]


def test_effective_numbers_widen_an_interval_about_the_same_rate() -> None:
    low, high = wilson_interval([30 / 1.3], [100 / 1.3])
    plain_low, plain_high = wilson_interval([30], [100])
    assert low[0] < plain_low[0] < 0.3 < plain_high[0] < high[0]
    # For a rate of a half the half width is z / (2 sqrt(n + z²)), here with n = 100/1.3.
    low, high = wilson_interval([50 / 1.3], [100 / 1.3])
    assert high[0] - 0.5 == pytest.approx(1.959964 / (2 * np.sqrt(100 / 1.3 + 1.959964**2)), abs=1e-6)


@given(st.integers(0, 5000), st.integers(1, 5000), st.sampled_from([1.0, 1.3, 1.6]))
def test_wilson_holds_the_rate_within_0_and_1(events: int, trials: int, effect: float) -> None:
    y, n = min(events, trials) / effect, trials / effect
    low, high = wilson_interval([y], [n])
    wide_low, wide_high = wilson_interval([y], [n], confidence=0.998)
    assert 0 <= wide_low[0] <= low[0] <= y / n <= high[0] <= wide_high[0] <= 1


@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1),
    ],
)
def test_newcombe_of_the_reference_table(
    now: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    found_low, found_high = difference_interval([now[0]], [now[1]], [before[0]], [before[1]])
    assert found_low[0] == pytest.approx(low, abs=6e-5)
    assert found_high[0] == pytest.approx(high, abs=6e-5)


def test_a_difference_needs_both_rates() -> None:
    low, high = difference_interval([1, 1, 1, np.nan], [4, 0, 4, 4], [1, 1, 1, 1], [4, 4, np.nan, 4])
    assert np.isnan(low).tolist() == [False, True, True, True]
    assert np.isnan(high).tolist() == [False, True, True, True]


@given(
    st.tuples(st.integers(0, 300), st.integers(1, 300)),
    st.tuples(st.integers(0, 300), st.integers(1, 300)),
    st.sampled_from([1.0, 1.3]),
)
def test_a_difference_the_other_way_round_is_its_mirror(
    first: tuple[int, int], second: tuple[int, int], effect: float
) -> None:
    y, n = min(first) / effect, first[1] / effect
    y0, n0 = min(second) / effect, second[1] / effect
    low, high = difference_interval([y], [n], [y0], [n0])
    mirrored_low, mirrored_high = difference_interval([y0], [n0], [y], [n])
    assert -1 <= low[0] <= high[0] <= 1
    assert low[0] - 1e-12 <= y / n - y0 / n0 <= high[0] + 1e-12
    assert low[0] == pytest.approx(-mirrored_high[0], abs=1e-12)
    assert high[0] == pytest.approx(-mirrored_low[0], abs=1e-12)
