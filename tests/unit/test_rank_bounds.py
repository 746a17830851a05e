"""Ranks, Holm's procedure and the bounds of ranks: by hand, against statsmodels, and their properties."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from etl.ranking import holm_cut, proportion_variances, rank_bounds, rank_values

PROPORTIONS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 400)).map(lambda pair: (min(pair), pair[1])), min_size=1, max_size=25
)


def _parts(pairs: Sequence[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rates and their variances."""
    y, n = np.array(pairs, dtype=float).T
    return y / n, proportion_variances(y, n)


def test_ranks_count_what_is_strictly_lower() -> None:
    ranks, tied = rank_values([0.3, 0.1, 0.2, 0.2, 0.5])
    assert ranks.tolist() == [4, 1, 2, 2, 5]
    assert tied.tolist() == [False, False, True, True, False]


def test_equal_fractions_are_tied_whatever_their_size() -> None:
    trials = np.array([3, 30, 300, 3000])
    ranks, tied = rank_values(np.array([1, 10, 100, 1000]) / trials)
    assert ranks.tolist() == [1, 1, 1, 1]
    assert tied.all()


def test_ranks_of_none_and_of_one() -> None:
    assert [column.tolist() for column in rank_values([])] == [[], []]
    assert [column.tolist() for column in rank_values([7])] == [[1], [False]]


def test_what_is_missing_cannot_be_ranked() -> None:
    with pytest.raises(ValueError, match="missing"):
        rank_values([1, np.nan])
    with pytest.raises(ValueError, match="missing"):
        rank_bounds([1, 2], [1, np.inf])
    with pytest.raises(ValueError, match="one value for each area"):
        rank_bounds([1, 2], [1])


def test_variance_of_a_proportion_by_hand() -> None:
    # (8 + 2)/(36 + 4) = 1/4, and 1/4 · 3/4 / 36 = 1/192; without events (0 + 2)/(4 + 4) = 1/4, and 3/16 / 4.
    assert proportion_variances([8, 0], [36, 4]) == pytest.approx([1 / 192, 3 / 64])


@pytest.mark.parametrize("pair", [(1, 0), (-1, 4), (5, 4)])
def test_what_is_no_proportion_has_no_variance(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="trials"):
        proportion_variances([pair[0]], [pair[1]])


def test_holm_against_bonferroni_of_the_reference_table() -> None:
    p = np.array([1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3])
    assert (p <= 0.05 / 10).sum() == 6
    assert (p < holm_cut(p, 0.05)).sum() == 7


def test_holm_stops_at_the_first_that_fails() -> None:
    # .017 > .05/3 stops; .02 <= .05/2 would pass by itself.
    p = np.array([0.1, 0.02, 1e-5, 0.017])
    assert (p < holm_cut(p, 0.05)).tolist() == [False, False, True, False]


def test_holm_can_reject_all_and_treats_equal_values_alike() -> None:
    assert holm_cut(np.array([0.01, 0.01, 0.05]), 0.05) == np.inf
    assert holm_cut(np.array([0.025, 0.025]), 0.05) == np.inf
    assert holm_cut(np.array([0.03, 0.03]), 0.05) == 0.03


@settings(max_examples=40)
@given(st.lists(st.floats(0, 1) | st.floats(0, 0.02), min_size=1, max_size=30), st.sampled_from([0.002, 0.05]))
def test_holm_as_statsmodels(p_values: list[float], alpha: float) -> None:
    p = np.array(p_values)
    # Next to a bar, rounding decides: statsmodels multiplies where we divide.
    bars = alpha / np.arange(1, len(p) + 1)
    assume(np.abs(p[:, np.newaxis] - bars).min() > 1e-9)
    assert (p < holm_cut(p, alpha)).tolist() == multipletests(p, alpha, method="holm")[0].tolist()


def test_bounds_of_three_areas_by_hand() -> None:
    # Standard errors of all differences are 1. Differences: A-B 2, A-C 5, B-C 3, so z = 2, 5 and 3, and the
    # one-sided p-values of the true order are .02275, 2.9e-7 and .00135; of the wrong order more than .97.
    estimates, variances = [0.0, 2.0, 5.0], [0.5, 0.5, 0.5]
    # Each area, bars .05/4, .05/3 …: A: 2.9e-7 passes, .02275 > .05/3 fails: A lies below C only.
    # B: .00135 passes, .02275 fails: B lies below C only. C: 2.9e-7 and .00135 pass: C lies above both.
    low, high = rank_bounds(estimates, variances)
    assert low.tolist() == [1, 1, 3]
    assert high.tolist() == [2, 2, 3]
    # All at once, bars .05/6, .05/5, .05/4: 2.9e-7 and .00135 pass, .02275 > .0125 fails: the same.
    assert [bound.tolist() for bound in rank_bounds(estimates, variances, simultaneous=True)] == [[1, 1, 3], [2, 2, 3]]
    # At 90%: each area has bars .1/4, .1/3: .02275 passes; all at once .1/6, .1/5, .1/4 = .025: passes too.
    assert [bound.tolist() for bound in rank_bounds(estimates, variances, 0.9)] == [[1, 2, 3], [1, 2, 3]]


def test_simultaneous_bounds_are_wider_where_only_they_fail() -> None:
    # Standard errors 1, p-values of the true order: z = 2.2: .0139, z = 2.3: .0107, z = 4.5: 3.4e-6.
    # B against A and C: bars .05/4 = .0125 and .05/3 = .0167: .0107 and .0139 pass, so B is second by itself.
    # All at once: 3.4e-6 passes .05/6, then .0107 > .05/5 = .0100 fails: B is told from neither.
    estimates, variances = [0.0, 2.2, 4.5], [0.5, 0.5, 0.5]
    each = rank_bounds(estimates, variances)
    together = rank_bounds(estimates, variances, simultaneous=True)
    assert (each[0][1], each[1][1]) == (2, 2)
    assert (together[0][1], together[1][1]) == (1, 3)
    assert (together[0][2], together[1][0]) == (2, 2)


@pytest.mark.parametrize("simultaneous", [False, True])
def test_bounds_of_none_and_of_one(simultaneous: bool) -> None:
    assert [bound.tolist() for bound in rank_bounds([], [], simultaneous=simultaneous)] == [[], []]
    assert [bound.tolist() for bound in rank_bounds([0.2], [0.1], simultaneous=simultaneous)] == [[1], [1]]


def test_without_error_only_equal_estimates_are_not_told_apart() -> None:
    low, high = rank_bounds([1.0, 2.0, 2.0, 3.0], [0, 0, 0, 0])
    assert low.tolist() == [1, 2, 2, 4]
    assert high.tolist() == [1, 3, 3, 4]


def test_a_confidence_of_a_half_is_refused() -> None:
    with pytest.raises(ValueError, match="confidence"):
        rank_bounds([1, 2], [1, 1], confidence=0.5)


@given(PROPORTIONS, st.booleans())
def test_bounds_hold_the_rank(pairs: list[tuple[int, int]], simultaneous: bool) -> None:
    rates, variances = _parts(pairs)
    ranks, _ = rank_values(rates)
    low, high = rank_bounds(rates, variances, simultaneous=simultaneous)
    assert (low >= 1).all()
    assert (low <= ranks).all()
    assert (ranks <= high).all()
    assert (high <= len(rates)).all()


@given(PROPORTIONS)
def test_bounds_of_each_area_lie_within_the_simultaneous(pairs: list[tuple[int, int]]) -> None:
    rates, variances = _parts(pairs)
    low, high = rank_bounds(rates, variances)
    wide_low, wide_high = rank_bounds(rates, variances, simultaneous=True)
    assert (wide_low <= low).all()
    assert (high <= wide_high).all()


@given(PROPORTIONS, st.booleans(), st.lists(st.floats(0.55, 0.9999), min_size=2, max_size=2))
def test_a_higher_confidence_never_narrows(
    pairs: list[tuple[int, int]], simultaneous: bool, confidences: list[float]
) -> None:
    rates, variances = _parts(pairs)
    less, more = sorted(confidences)
    low, high = rank_bounds(rates, variances, less, simultaneous)
    wide_low, wide_high = rank_bounds(rates, variances, more, simultaneous)
    assert (wide_low <= low).all()
    assert (high <= wide_high).all()


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20), st.integers(0, 4), st.booleans())
def test_equal_rates_are_never_told_apart(sizes: list[int], fifths: int, simultaneous: bool) -> None:
    trials = 5 * np.array(sizes)
    rates, variances = _parts(list(zip(trials // 5 * fifths, trials, strict=True)))
    low, high = rank_bounds(rates, variances, simultaneous=simultaneous)
    assert (low == 1).all()
    assert (high == len(rates)).all()


@given(st.lists(st.integers(1, 999), min_size=1, max_size=20, unique=True), st.booleans())
def test_very_many_trials_leave_no_doubt(thousandths: list[int], simultaneous: bool) -> None:
    trials = 10**9
    events = np.array(thousandths) * (trials // 1000)
    rates, variances = _parts([(y, trials) for y in events])
    ranks, _ = rank_values(rates)
    low, high = rank_bounds(rates, variances, simultaneous=simultaneous)
    assert low.tolist() == high.tolist() == ranks.tolist()


@given(PROPORTIONS, st.booleans(), st.randoms())
def test_bounds_do_not_depend_on_the_order(pairs: list[tuple[int, int]], simultaneous: bool, random: Random) -> None:
    rates, variances = _parts(pairs)
    order = list(range(len(pairs)))
    random.shuffle(order)
    expected = [bound[order].tolist() for bound in rank_bounds(rates, variances, simultaneous=simultaneous)]
    found = rank_bounds(rates[order], variances[order], simultaneous=simultaneous)
    assert [bound.tolist() for bound in found] == expected
    assert rank_values(rates[order])[0].tolist() == rank_values(rates)[0][order].tolist()
