"""Funnels, and how far rates move from year to year: reference values, small cases by hand, properties."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.ranking import classify_funnel, classify_rate_funnel, funnel_limits, variance_between, yearly_variance


@pytest.mark.parametrize(
    ("trials", "confidence", "low", "high"),
    [
        (395, 0.95, 76.74611, 84.538786),
        (395, 0.998, 74.499177, 86.785719),
        (5348, 0.95, 79.583537, 81.701359),
        (5348, 0.998, 78.972886, 82.31201),
    ],
)
def test_limits_of_the_reference_table(trials: int, confidence: float, low: float, high: float) -> None:
    found_low, found_high = funnel_limits(0.80642448, [trials], confidence)
    assert 100 * found_low[0] == pytest.approx(low, abs=2e-6)
    assert 100 * found_high[0] == pytest.approx(high, abs=2e-6)


def test_a_lower_limit_does_not_turn_back_at_none() -> None:
    low, _ = funnel_limits(0.05, [30], 0.998, tau2_arcsine=0.0)
    assert low[0] == 0
    # The mirror image: an upper limit does not turn back at all.
    _, high = funnel_limits(0.95, [30], 0.998, tau2_arcsine=0.0)
    assert high[0] == 1


def test_plain_limits_are_clipped() -> None:
    low, high = funnel_limits(0.1, [4], 0.95)
    assert low[0] == 0
    # .1 + 1.959964 · sqrt(.09/4) = .1 + 1.959964 · .15
    assert high[0] == pytest.approx(0.1 + 1.959964 * 0.15, abs=1e-6)


def test_spread_widens_limits_by_hand() -> None:
    # asin(sqrt(.5)) = π/4; s² = 1/(4 · 100) = .0025; with tau² = .0075 the root is .1, and sin²(π/4 ± d) is
    # (1 ± sin 2d)/2 with d = .1959964.
    low, high = funnel_limits(0.5, [100], 0.95, tau2_arcsine=0.0075)
    assert low[0] == pytest.approx((1 - np.sin(0.3919928)) / 2, abs=1e-6)
    assert high[0] == pytest.approx((1 + np.sin(0.3919928)) / 2, abs=1e-6)


def test_classes_by_hand() -> None:
    # All of 100 trials, average .5: limits .5 ± 1.959964 · .05 = .402, .598 and .5 ± 3.090232 · .05 = .345, .655.
    plain, _ = classify_funnel([50, 41, 40, 35, 34, 59, 60, 65, 66, 50], [100] * 10)
    expected = ["inside", "inside", "below_95", "below_95", "below_99_8"]
    expected += ["inside", "above_95", "above_95", "above_99_8", "inside"]
    assert plain.tolist() == expected


def test_spread_between_areas_explains_what_chance_does_not() -> None:
    # Five areas at .4 and five at .6 of 10,000: each 20 standard errors out, and none by the spread of all.
    plain, widened = classify_funnel([4000] * 5 + [6000] * 5, [10_000] * 10)
    assert plain.tolist() == ["below_99_8"] * 5 + ["above_99_8"] * 5
    assert widened.tolist() == ["inside"] * 10


def test_variance_between_areas_by_hand() -> None:
    # z = −5 … 5 of eleven areas; type-7 quantiles at a tenth are −4 and 4, so that Σz² = 2(16 + 16 + 9 + 4 + 1) = 92.
    z = np.arange(-5.0, 6.0)
    # Weights 1: Σw − Σw²/Σw = 11 − 1, and (92 − 10)/10.
    assert variance_between(z, np.ones(11)) == pytest.approx(8.2)
    # Six weights of 1 and five of 1/4: Σw = 7.25, Σw² = 6.3125.
    by_chance = np.array([1.0, 4.0] * 5 + [1.0])
    assert variance_between(z * np.sqrt(by_chance), by_chance) == pytest.approx(82 / (7.25 - 6.3125 / 7.25))
    # Σz² = 9.2 is less than the ten that chance makes.
    assert variance_between(z / np.sqrt(10), np.ones(11)) == 0


def test_variance_between_areas_does_not_depend_on_their_order() -> None:
    random = np.random.default_rng(4)
    by_chance = random.uniform(0.001, 0.1, 174)
    deviation = random.normal(0, 1, 174)
    order = random.permutation(174)
    assert variance_between(deviation[order], by_chance[order]) == variance_between(deviation, by_chance)


def test_winsorising_keeps_one_outlier_from_excusing_itself() -> None:
    # Nineteen alike and one far out: its z is cut to the 90th percentile, so no spread is seen.
    plain, widened = classify_funnel([500] * 19 + [700], [1000] * 20)
    assert plain.tolist() == widened.tolist() == ["inside"] * 19 + ["above_99_8"]


@pytest.mark.parametrize("events", [0, 100])
def test_all_or_none_everywhere_is_inside(events: int) -> None:
    plain, widened = classify_funnel([events] * 12, range(100, 112) if events == 0 else [100] * 12)
    assert set(plain) == set(widened) == {"inside"}


def test_funnels_of_none_and_of_one() -> None:
    for classify in (classify_funnel, classify_rate_funnel):
        assert [classes.tolist() for classes in classify([], [])] == [[], []]
        assert [classes.tolist() for classes in classify([3], [10])] == [["inside"], ["inside"]]


def test_what_is_no_proportion_has_no_class() -> None:
    with pytest.raises(ValueError, match="trials"):
        classify_funnel([1], [0])
    with pytest.raises(ValueError, match="residents"):
        classify_rate_funnel([1], [0])
    with pytest.raises(ValueError, match="residents"):
        classify_rate_funnel([-1], [10])


def test_rate_classes_by_hand() -> None:
    # 100 expected in each. Of a Poisson count of 100 (scipy.stats.poisson): P(<= 80) = .0226 and P(<= 81) = .0290,
    # P(<= 70) = .00097 and P(<= 71) = .0014; P(>= 120) = .0282 and P(>= 121) = .0227, P(>= 132) = .0013 and
    # P(>= 133) = .0009. The counts add up to 1,000, as expected.
    counts = [81, 80, 71, 70, 120, 121, 132, 133, 96, 96]
    plain, _ = classify_rate_funnel(counts, [5000] * 10)
    expected = ["inside", "below_95", "below_95", "below_99_8"]
    expected += ["inside", "above_95", "above_95", "above_99_8", "inside", "inside"]
    assert sum(counts) == 1000
    assert plain.tolist() == expected


def test_spread_between_rates_explains_what_chance_does_not() -> None:
    plain, widened = classify_rate_funnel([8000] * 5 + [12_000] * 5, [10**6] * 10)
    assert plain.tolist() == ["below_99_8"] * 5 + ["above_99_8"] * 5
    assert widened.tolist() == ["inside"] * 10


def test_no_offence_counts_as_half_a_one() -> None:
    # 4 expected: P(0) = exp(-4) = .0183; P(>= 8) = .0511.
    plain, widened = classify_rate_funnel([0, 8, 4, 4], [10] * 4)
    assert plain.tolist() == ["below_95", "inside", "inside", "inside"]
    assert widened.tolist()[1:] == ["inside"] * 3  # chance alone explains them
    plain, widened = classify_rate_funnel([0, 0, 0], [10, 10, 10])
    assert plain.tolist() == widened.tolist() == ["inside"] * 3


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 500)), min_size=1, max_size=25),
    st.sampled_from([1.0, 1.3]),
    st.randoms(),
)
def test_funnels_do_not_depend_on_the_order(pairs: list[tuple[int, int]], effect: float, random: Random) -> None:
    y, n = np.array([(min(pair), pair[1]) for pair in pairs]).T / effect
    order = list(range(len(pairs)))
    random.shuffle(order)
    for classify in (classify_funnel, classify_rate_funnel):
        expected = [classes[order].tolist() for classes in classify(y, n)]
        assert [classes.tolist() for classes in classify(y[order], n[order])] == expected


@given(st.floats(0, 1), st.integers(1, 10**6), st.floats(0, 0.1))
def test_limits_hold_the_average_and_widen(average: float, trials: int, tau2: float) -> None:
    plain = (funnel_limits(average, [trials], 0.95), funnel_limits(average, [trials], 0.998))
    spread = (funnel_limits(average, [trials], 0.95, 0.0), funnel_limits(average, [trials], 0.95, tau2))
    for (low, high), (wide_low, wide_high) in (plain, spread):
        assert 0 <= wide_low[0] <= low[0] <= average + 1e-12
        assert average - 1e-12 <= high[0] <= wide_high[0] <= 1


def test_yearly_variance_by_hand() -> None:
    # Log changes −.2, 0, .2 (and a common .5, which the median takes out): median|d| = .2 in all three pairs.
    # (1.4826 · .2)² = .08792…; chance is 1/y + 1/y0, nearly nothing for such counts.
    before = np.array([1e12, 1e12, 1e12])
    pair = (before * np.exp(0.5 + np.array([-0.2, 0.0, 0.2])), before)
    assert yearly_variance([pair] * 3) == pytest.approx((1.4826 * 0.2) ** 2 / 2)
    # Twice the change in one of four pairs: four times the variance there, 7/4 of it on average.
    double = (before * np.exp(np.array([-0.4, 0.0, 0.4])), before)
    assert yearly_variance([pair, pair, pair, double]) == pytest.approx(7 / 4 * (1.4826 * 0.2) ** 2 / 2)


def test_yearly_variance_takes_chance_off_by_hand() -> None:
    # Counts 100 → 50, 100 → 100, 100 → 200: d = −log 2, 0, log 2. Chance: 1/50 + 1/100, 2/100, 1/200 + 1/100;
    # their median is .02.
    pair = ([50, 100, 200], [100, 100, 100])
    expected = ((1.4826 * np.log(2)) ** 2 - 0.02) / 2
    assert yearly_variance([pair] * 5) == pytest.approx(expected)


def test_no_more_than_chance_is_no_yearly_variance() -> None:
    # All change alike: nothing is left of the spread, and chance alone would make it negative.
    still = ([10, 20, 40], [20, 40, 80])
    assert yearly_variance([still] * 3) == 0
    # A pair below chance counts as 0, not as less.
    moved = ([50, 100, 200], [100, 100, 100])
    assert yearly_variance([still, moved, still]) == pytest.approx(((1.4826 * np.log(2)) ** 2 - 0.02) / 6)


def test_under_three_pairs_there_is_no_yearly_variance() -> None:
    moved = ([50, 100, 200], [100, 100, 100])
    assert yearly_variance([moved] * 2) is None
    assert yearly_variance([moved, moved, ([0, 5], [5, 0])]) is None


def test_an_area_without_offences_in_a_year_is_left_out_of_the_pair() -> None:
    moved = ([50, 100, 200], [100, 100, 100])
    with_none = ([50, 0, 100, 200, 7, np.nan, -1], [100, 5, 100, 100, 0, 9, 9])
    assert yearly_variance([with_none] * 3) == yearly_variance([moved] * 3)
