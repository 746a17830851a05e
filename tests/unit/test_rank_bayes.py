"""Empirical Bayes ranks: reference values, what can be said exactly, degenerate cases, properties."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from etl.empirical_bayes import DRAWS, fit_between_variance, summarise_draws
from etl.ranking import BayesRanks, fit_beta_binomial, rank_estimates, rank_proportions, rank_values

HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
"""Of 45 at bat: Efron and Morris (1975)."""
AT_BAT = np.full(18, 45)


def _keys(areas: int) -> list[str]:
    return [f"E{number:08}" for number in range(areas)]


def _authorities(areas: int, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Reoffenders and offenders of made authorities."""
    random = np.random.default_rng(areas)
    trials = random.integers(100, 2000, areas)
    return random.binomial(trials, np.clip(random.normal(0.24, spread, areas), 0.01, 0.99)), trials


def _equal(one: BayesRanks, other: BayesRanks, order: list[int] | slice = slice(None)) -> bool:
    """Whether the first, taken in an order, is the other bit for bit."""
    return all(
        np.array_equal(value[order] if isinstance(value, np.ndarray) else value, getattr(other, field.name), True)
        if isinstance(value := getattr(one, field.name), np.ndarray | float)
        else value == getattr(other, field.name)
        for field in fields(BayesRanks)
    )


# --- Reference values


def test_baseball_by_james_and_stein() -> None:
    # The row of the reference table, and our own normal estimate on the same data: with equal variances restricted
    # likelihood has the closed form S/(k - 1) - σ², so it shrinks with k - 1 where James and Stein have k - 3.
    p, k = HITS / 45, len(HITS)
    mean = p.mean()
    variance = mean * (1 - mean) / 45
    squares = ((p - mean) ** 2).sum()
    james_stein = 1 - (k - 3) * variance / squares
    assert james_stein == pytest.approx(0.212, abs=5e-4)
    assert mean + james_stein * (0.4 - mean) == pytest.approx(0.294, abs=5e-4)
    ours = 1 - (k - 1) * variance / squares
    ranks = rank_estimates(_keys(k), p, np.full(k, variance), "baseball")
    assert ranks.shrunken == pytest.approx(mean + ours * (p - mean), abs=1e-6)
    assert ranks.rankability == pytest.approx(ours, abs=1e-5)


def test_baseball_by_the_beta_binomial() -> None:
    a, b = fit_beta_binomial(HITS, AT_BAT)
    assert a / (a + b) == pytest.approx(0.265432, abs=6e-7)
    assert a + b == pytest.approx(793.2, abs=0.06)
    assert 45 / (45 + a + b) == pytest.approx(0.0537, abs=6e-5)
    ranks = rank_proportions(_keys(18), HITS, AT_BAT, "baseball")
    assert ranks.shrunken[0] == pytest.approx(0.27266, abs=6e-6)


# --- Fits


def test_the_fit_is_the_most_likely_by_scipys_own_distribution() -> None:
    y, n = _authorities(60)

    def loss(place: np.ndarray) -> float:
        return -stats.betabinom.logpmf(y, n, *np.exp(place)).sum()

    found = optimize.minimize(loss, [1.0, 2.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    assert fit_beta_binomial(y, n) == pytest.approx(np.exp(found.x), rel=1e-4)


def test_a_fit_finds_what_data_were_made_with() -> None:
    random = np.random.default_rng(7)
    trials = random.integers(200, 2000, 4000)
    a, b = fit_beta_binomial(random.binomial(trials, random.beta(12, 38, 4000)), trials)
    # The standard error of log(a + b) is about sqrt(2/4000) = .022.
    assert a + b == pytest.approx(50, rel=0.09)
    assert a / (a + b) == pytest.approx(0.24, abs=0.004)


def test_a_fit_needs_both_outcomes() -> None:
    for events in ([0, 0], [5, 6]):
        with pytest.raises(ValueError, match="both outcomes"):
            fit_beta_binomial(events, [5, 6])


def test_a_fit_ends_far_out_without_spread_and_near_none_with_all_of_it() -> None:
    assert sum(fit_beta_binomial([24] * 20, [100] * 20)) > 1e6
    assert sum(fit_beta_binomial([0, 100] * 10, [100] * 20)) < 0.2


def test_the_variance_between_areas_solves_its_equation() -> None:
    random = np.random.default_rng(3)
    v = random.uniform(0.5, 2, 40)
    x = random.normal(0, np.sqrt(1 + v))
    between = fit_between_variance(x, v)
    # The derivative of the restricted likelihood is 0 where Σw²(x - μ)² = Σw - Σw²/Σw, w = 1/(v + τ²).
    w = 1 / (v + between)
    mean = (w * x).sum() / w.sum()
    assert 0.1 < between < 4
    assert (w**2 * (x - mean) ** 2).sum() == pytest.approx(w.sum() - (w**2).sum() / w.sum(), rel=1e-5)


def test_no_variance_between_areas_that_differ_less_than_by_chance() -> None:
    assert fit_between_variance(np.linspace(-1, 1, 12), np.ones(12)) == 0
    assert fit_between_variance(np.zeros(12), np.ones(12)) == 0


# --- Ranks


def test_ranks_are_those_of_the_draws() -> None:
    y, n = _authorities(31)
    found = rank_proportions(_keys(31), y, n, "seed")
    a, b = fit_beta_binomial(y, n)
    seeded = np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(b"seed").digest(), "big")))
    ranks = stats.rankdata(seeded.beta(y + a, n - y + b, size=(DRAWS, 31)), method="min", axis=1)
    low, high = np.quantile(ranks, [0.025, 0.975], axis=0, method="inverted_cdf")
    assert found.expected_rank == pytest.approx(ranks.mean(axis=0))
    assert found.rank_low is not None
    assert found.rank_high is not None
    assert found.rank_low.tolist() == low.tolist()
    assert found.rank_high.tolist() == high.tolist()
    assert found.lowest_10_percent.tolist() == np.rint(100 * (ranks <= 10).mean(axis=0)).tolist()
    assert found.highest_10_percent.tolist() == np.rint(100 * (ranks > 21).mean(axis=0)).tolist()
    assert found.rankability == pytest.approx(
        stats.beta(a, b).var() / (stats.beta(a, b).var() + np.median(y / n * (1 - y / n) / n))
    )
    assert found.reason is None
    assert DRAWS >= 10_000


def test_ends_of_the_interval_by_hand() -> None:
    # Of 40 draws the first area is lowest in one, highest in one, and second in all others: 2.5% and 97.5% are
    # reached by the first and by the 39th draw in order.
    draws = np.tile(np.arange(12.0), (40, 1))
    draws[:, [0, 1]] = draws[:, [1, 0]]
    draws[0, [0, 1]] = draws[0, [1, 0]]
    draws[1, 0] = 99
    ranks = summarise_draws(draws, np.zeros(12), 0.5, np.arange(12))
    assert ranks.rank_low is not None
    assert ranks.rank_high is not None
    assert (ranks.rank_low[0], ranks.rank_high[0]) == (1, 2)
    assert ranks.expected_rank[0] == pytest.approx((1 + 12 + 38 * 2) / 40)


def test_expected_ranks_of_normal_estimates_are_the_exact_ones() -> None:
    random = np.random.default_rng(5)
    v = random.uniform(0.2, 2, 25)
    x = random.normal(0, np.sqrt(1 + v))
    between = fit_between_variance(x, v)
    w = 1 / (v + between)
    mean = (w * x).sum() / w.sum()
    centre, variance = mean + between * w * (x - mean), between * w * v
    # 1 + the sum of P(another is lower), for independent normal values.
    z = (centre[:, np.newaxis] - centre) / np.sqrt(variance[:, np.newaxis] + variance)
    exact = 1 + stats.norm.cdf(z).sum(axis=1) - 0.5
    ranks = rank_estimates(_keys(25), x, v, "exact")
    assert ranks.shrunken == pytest.approx(centre)
    # A rank of 25 has a standard deviation under 7.5, so the mean of 10,000 draws one under .075.
    assert ranks.expected_rank == pytest.approx(exact, abs=0.3)


def test_expected_ranks_of_proportions_are_the_exact_ones() -> None:
    y, n = _authorities(12)
    a, b = fit_beta_binomial(y, n)
    grid = np.linspace(0.05, 0.6, 20_001)
    below = stats.beta.cdf(grid[:, np.newaxis], y + a, n - y + b)
    density = stats.beta.pdf(grid[:, np.newaxis], y + a, n - y + b)
    # P(j < i) = ∫ F_j f_i; of an area with itself a half, which is 1 too few.
    exact = 0.5 + (density[:, :, np.newaxis] * below[:, np.newaxis, :]).sum(axis=(0, 2)) * (grid[1] - grid[0])
    ranks = rank_proportions(_keys(12), y, n, "exact")
    assert ranks.expected_rank == pytest.approx(exact, abs=0.15)


def test_what_is_far_apart_has_one_rank() -> None:
    trials = np.full(40, 10**9)
    events = trials // 100 * np.random.default_rng(2).permutation(np.arange(20, 60))
    ranks, _ = rank_values(events / trials)
    for found in (
        rank_proportions(_keys(40), events, trials, "far"),
        rank_estimates(_keys(40), events / trials, np.full(40, 1e-12), "far"),
    ):
        assert found.rank_low is not None
        assert found.rank_high is not None
        assert found.rank_low.tolist() == found.rank_high.tolist() == found.expected_rank.tolist() == ranks.tolist()
        assert found.lowest_10_percent.tolist() == (100 * (ranks <= 10)).tolist()
        assert found.highest_10_percent.tolist() == (100 * (ranks > 30)).tolist()
        assert found.rankability > 0.999


def test_rankability_by_hand() -> None:
    # Equal variances: between/(between + v) with between = S/(K - 1) - v. Half at -2, half at 2: S/(K - 1) = 48/11.
    ranks = rank_estimates(_keys(12), [-2.0, 2.0] * 6, [1.0] * 12, "hand")
    assert ranks.rankability == pytest.approx(1 - 11 / 48, abs=1e-6)
    assert ranks.shrunken == pytest.approx(np.array([-2, 2] * 6) * (1 - 11 / 48), abs=1e-6)


def test_fewer_trials_know_less() -> None:
    y, n = _authorities(40)
    whole = rank_proportions(_keys(40), y, n, "same")
    effective = rank_proportions(_keys(40), y / 1.6, n / 1.6, "same")
    assert whole.rank_low is not None
    assert whole.rank_high is not None
    assert effective.rank_low is not None
    assert effective.rank_high is not None
    assert (effective.rank_high - effective.rank_low).mean() > (whole.rank_high - whole.rank_low).mean()
    assert effective.rankability < whole.rankability


# --- Degenerate cases


@pytest.mark.parametrize(("areas", "ten"), [(10, None), (29, None), (30, 33), (40, 25)])
def test_without_spread_every_rank_is_as_likely(areas: int, ten: float | None) -> None:
    trials = np.arange(100, 100 * (areas + 1), 100)
    for ranks in (
        rank_proportions(_keys(areas), trials // 4, trials, "equal"),
        rank_estimates(_keys(areas), np.full(areas, 0.25), 1 / trials, "equal"),
    ):
        assert ranks.reason == "no_spread"
        assert ranks.shrunken == pytest.approx(np.full(areas, 0.25))
        assert (ranks.expected_rank == (areas + 1) / 2).all()
        assert ranks.rank_low is not None
        assert ranks.rank_high is not None
        assert (ranks.rank_low == 1).all()
        assert (ranks.rank_high == areas).all()
        assert ranks.rankability == 0
        for percent in (ranks.lowest_10_percent, ranks.highest_10_percent):
            assert np.isnan(percent).all() if ten is None else (percent == ten).all()


def test_less_spread_than_chance_is_none() -> None:
    # 60 ± 2 of 200 each: the variance between areas is 4 and that of chance 42.
    ranks = rank_proportions(_keys(12), [58, 62] * 6, [200] * 12, "less")
    assert ranks.reason == "no_spread"
    assert (ranks.shrunken == 0.3).all()


def test_spread_of_small_areas_alone_is_none_by_tarones_statistic() -> None:
    # 1,000 from the small ones, each 5 off: 25/(1/4); the trials are 120,100.
    ranks = rank_proportions(_keys(22), [0, 10] * 5 + [5000] * 12, [10] * 10 + [10_000] * 12, "small")
    assert ranks.reason == "no_spread"


def test_hardly_more_spread_than_chance_is_none() -> None:
    # Tarone's statistic 12 · 42.003/.21 = 2,400.2 exceeds 2,400 by a hair: 1/(a + b + 1) is about .2/(2400 · 199).
    ranks = rank_proportions(_keys(12), [60 - 42.003**0.5, 60 + 42.003**0.5] * 6, [200] * 12, "hair")
    assert ranks.reason == "no_spread"


@pytest.mark.parametrize(
    ("events", "trials"), [([3, 4] * 4 + [5], [10] * 9), ([0] * 12, [10] * 12), ([10] * 12, [10] * 12), ([], [])]
)
@pytest.mark.parametrize("effect", [1.0, 1.3])
def test_too_few_have_no_ranks(events: list[int], trials: list[int], effect: float) -> None:
    ranks = rank_proportions(_keys(len(events)), np.array(events) / effect, np.array(trials) / effect, "few")
    assert ranks.reason == "too_few"
    assert ranks.rank_low is None
    assert ranks.rank_high is None
    assert np.isnan(ranks.rankability)
    for column in (ranks.shrunken, ranks.expected_rank, ranks.lowest_10_percent, ranks.highest_10_percent):
        assert column.shape == (len(events),)
        assert np.isnan(column).all()


def test_too_few_estimates_have_no_ranks() -> None:
    assert rank_estimates(_keys(9), range(9), [0.1] * 9, "few").reason == "too_few"
    assert rank_estimates(_keys(10), range(10), [0.1] * 10, "enough").reason is None


def test_under_thirty_areas_ten_are_no_top() -> None:
    assert np.isnan(rank_proportions(_keys(29), *_authorities(29), "29").lowest_10_percent).all()
    assert not np.isnan(rank_proportions(_keys(30), *_authorities(30), "30").lowest_10_percent).any()


@pytest.mark.parametrize(
    ("keys", "events", "trials", "message"),
    [
        (["a", "b", "a"], [1, 2, 3], [9, 9, 9], "twice"),
        (["a", "b", "c"], [1, np.nan, 3], [9, 9, 9], "missing"),
        (["a", "b", "c"], [1, 10, 3], [9, 9, 9], "trials"),
        (["a", "b", "c"], [0, 0, 0], [0, 9, 9], "trials"),
        (["a", "b"], [1, 2, 3], [9, 9, 9], "one value for each area"),
    ],
)
def test_what_cannot_be_ranked_is_refused(
    keys: list[str], events: list[float], trials: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        rank_proportions(keys, events, trials, "no")


def test_an_estimate_without_error_is_refused() -> None:
    with pytest.raises(ValueError, match="variance above 0"):
        rank_estimates(_keys(12), range(12), [0.0] + [1.0] * 11, "no")


# --- Properties


@given(st.integers(10, 40), st.sampled_from([1.0, 1.3]), st.randoms())
@settings(max_examples=25, deadline=None)
def test_ranks_do_not_depend_on_the_order(areas: int, effect: float, random: Random) -> None:
    y, n = (column / effect for column in _authorities(areas))
    order = list(range(areas))
    random.shuffle(order)
    keys = _keys(areas)
    shuffled = [keys[place] for place in order]
    assert _equal(rank_proportions(keys, y, n, "x"), rank_proportions(shuffled, y[order], n[order], "x"), order)
    p, v = y / n, 0.2 / n
    assert _equal(rank_estimates(keys, p, v, "x"), rank_estimates(shuffled, p[order], v[order], "x"), order)


def test_the_seed_decides_the_draws() -> None:
    y, n = _authorities(40)
    once = rank_proportions(_keys(40), y, n, "2013/14 adult")
    assert _equal(once, rank_proportions(_keys(40), y, n, "2013/14 adult"))
    other = rank_proportions(_keys(40), y, n, "2014/15 adult")
    assert not np.array_equal(once.expected_rank, other.expected_rank)
    assert once.expected_rank == pytest.approx(other.expected_rank, abs=1)


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(1, 300)).map(lambda pair: (min(pair), pair[1])),
        min_size=10,
        max_size=35,
    ),
    st.sampled_from([1.0, 1.3, 1.6]),
)
@settings(max_examples=60, deadline=None)
def test_ranks_of_any_proportions_are_sound(pairs: list[tuple[int, int]], effect: float) -> None:
    y, n = np.array(pairs).T / effect
    areas = len(pairs)
    ranks = rank_proportions(_keys(areas), y, n, "any")
    if y.sum() in (0, n.sum()):
        assert ranks.reason == "too_few"
        return
    assert ranks.reason in (None, "no_spread")
    assert ranks.rank_low is not None
    assert ranks.rank_high is not None
    assert (ranks.rank_low >= 1).all()
    assert (ranks.rank_low <= ranks.rank_high).all()
    assert (ranks.rank_high <= areas).all()
    # Ranks add up to 1 + 2 + … + K in every draw.
    assert ranks.expected_rank.sum() == pytest.approx(areas * (areas + 1) / 2)
    assert 0 <= ranks.rankability <= 1
    assert ((ranks.shrunken > 0) & (ranks.shrunken < 1)).all()
    if ranks.reason is None:
        a, b = fit_beta_binomial(y, n)
        mean = a / (a + b)
        rate = y / n
        assert (ranks.shrunken >= np.minimum(rate, mean) - 1e-9).all()
        assert (ranks.shrunken <= np.maximum(rate, mean) + 1e-9).all()
    if areas >= 30:
        for percent in (ranks.lowest_10_percent, ranks.highest_10_percent):
            assert ((percent >= 0) & (percent <= 100) & (percent == np.rint(percent))).all()
            assert percent.sum() == pytest.approx(1000, abs=areas / 2)
    else:
        assert np.isnan(ranks.lowest_10_percent).all()
