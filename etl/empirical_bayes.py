"""Ranks of areas given the data, by empirical Bayes: pure functions on arrays. Definitions: docs/methods.md.

The true rates of all areas are taken as draws from one distribution, which is fitted to the data. Given that and its
own data each area's true rate has a distribution; drawing all rates many times and ranking every draw gives the
distribution of its rank.

Sources: H. Goldstein and D. J. Spiegelhalter (1996), Journal of the Royal Statistical Society A 159, 385-443 (ranks
with their intervals); B. Efron and C. Morris (1975), Journal of the American Statistical Association 70, 311-319
(empirical Bayes).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from etl.arrays import Bools, Floats, Ints, complete_columns, complete_proportions

DRAWS = 10_000
_TAILS = (0.025, 0.975)
"""Ends of the 95% interval, as shares of the draws."""
_TOP = 10
_LEAST_AREAS = 10
_LEAST_AREAS_FOR_TEN = 30
_LARGEST_PRIOR_TRIALS = 1e6
"""From so many trials on, the prior holds more than all data of an area: there is no spread to speak of."""


@dataclass(frozen=True)
class BayesRanks:
    """What the data say about the rank of each area, in the order in which the areas were given.

    Attributes:
        shrunken: the estimate drawn towards the average of all, on the scale that was given.
        expected_rank: mean rank, 1 for the lowest.
        rank_low: lower end of the 95% interval of the rank; None where reason is `too_few`.
        rank_high: upper end; None likewise.
        lowest_10_percent: probability, in whole percents, of being among the 10 lowest; NaN under 30 areas.
        highest_10_percent: among the 10 highest.
        rankability: share of the variance between areas that is not chance, 0 to 1.
        reason: None; `no_spread` where the areas differ no more than by chance, so that each rank is as likely as
            any other; `too_few` under 10 areas or without an event (or without a trial that is none), where all
            arrays hold NaN and so does rankability.
    """

    shrunken: Floats
    expected_rank: Floats
    rank_low: Ints | None
    rank_high: Ints | None
    lowest_10_percent: Floats
    highest_10_percent: Floats
    rankability: float
    reason: str | None


def rank_proportions(keys: Sequence[str], events: npt.ArrayLike, trials: npt.ArrayLike, seed: str) -> BayesRanks:
    """Rank areas by a proportion: binomial data, a beta distribution of true rates between areas.

    Args:
        keys: area codes, each once. Rows are sorted by them, so that the order of rows changes nothing.
        events: from 0 to the trials; need not be whole.
        trials: above 0.
        seed: names the table; its hash seeds the draws.

    Returns:
        Ranks; shrunken proportions (events + a)/(trials + a + b). No spread where Tarone's statistic
        Σ(y - np)²/(p(1 - p)), p = Σy/Σn, does not exceed Σn, or where the fitted a + b exceeds a million.

    Source of the test of spread: R. E. Tarone (1979), Biometrika 66, 585-590.
    """
    y, n = complete_proportions(events, trials)
    order = _order_by_key(keys, len(y))
    y, n = y[order], n[order]
    if len(y) < _LEAST_AREAS or y.sum() in (0, n.sum()):
        return _too_few(len(y))
    average = y.sum() / n.sum()
    if _spread_of_counts(y, n) <= n.sum():
        return _no_spread(len(y), average)
    a, b = fit_beta_binomial(y, n)
    if a + b > _LARGEST_PRIOR_TRIALS:
        return _no_spread(len(y), average)
    mean = a / (a + b)
    between = mean * (1 - mean) / (a + b + 1)
    p = y / n
    return summarise_draws(
        _generator(seed).beta(y + a, n - y + b, size=(DRAWS, len(y))),
        shrunken=(y + a) / (n + a + b),
        rankability=between / (between + float(np.median(p * (1 - p) / n))),
        order=order,
    )


def rank_estimates(keys: Sequence[str], estimates: npt.ArrayLike, variances: npt.ArrayLike, seed: str) -> BayesRanks:
    """Rank areas by an estimate with a known variance: normal data, normal true values between areas.

    Args:
        keys: area codes, each once. Rows are sorted by them, so that the order of rows changes nothing.
        estimates: such as log rates or ratios of actual to predicted.
        variances: theirs, above 0.
        seed: names the table; its hash seeds the draws.

    Returns:
        Ranks; shrunken estimates on the scale of the estimates. No spread where the variance between areas is
        estimated as 0.
    """
    x, v = complete_columns(estimates, variances)
    order = _order_by_key(keys, len(x))
    x, v = x[order], v[order]
    if (v <= 0).any():
        raise ValueError("every estimate needs a variance above 0")
    if len(x) < _LEAST_AREAS:
        return _too_few(len(x))
    between = fit_between_variance(x, v)
    mean = np.average(x, weights=1 / (v + between))
    if between == 0:
        return _no_spread(len(x), mean)
    own_weight = between / (between + v)
    shrunken = mean + own_weight * (x - mean)
    return summarise_draws(
        shrunken + np.sqrt(own_weight * v) * _generator(seed).standard_normal((DRAWS, len(x))),
        shrunken=shrunken,
        rankability=between / (between + float(np.median(v))),
        order=order,
    )


def fit_beta_binomial(events: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[float, float]:
    """Beta distribution of true proportions, by maximum likelihood of the beta-binomial.

    The search is over the logit of the mean and the logarithm of a + b, from an estimate of moments, within bounds:
    a + b ends near 10^7 where the areas differ by no more than chance.

    Args:
        events: from 0 to the trials, neither none at all nor as many as there are trials; need not be whole.
        trials: above 0.

    Returns:
        a and b of the beta distribution, in events and in trials without one.
    """
    y, n = complete_proportions(events, trials)
    if not 0 < y.sum() < n.sum():
        raise ValueError("without both outcomes there is nothing to fit")

    def loss(place: Floats) -> tuple[float, Floats]:
        mean, size = special.expit(place[0]), np.exp(place[1])
        a, b = mean * size, special.expit(-place[0]) * size
        likelihood = np.sum(special.betaln(y + a, n - y + b) - special.betaln(a, b))
        common = np.sum(special.psi(size) - special.psi(n + size))
        by_a = np.sum(special.psi(y + a) - special.psi(a)) + common
        by_b = np.sum(special.psi(n - y + b) - special.psi(b)) + common
        return -likelihood, -np.array([a * (1 - mean) * (by_a - by_b), a * by_a + b * by_b])

    found = optimize.minimize(
        loss,
        x0=[special.logit(y.sum() / n.sum()), np.log(_prior_trials_by_moments(y, n))],
        jac=True,
        method="L-BFGS-B",
        bounds=[(-20, 20), (np.log(1e-3), np.log(1e7))],
        options={"ftol": 1e-15, "gtol": 1e-7, "maxiter": 1000},
    )
    size = float(np.exp(found.x[1]))
    return float(special.expit(found.x[0])) * size, float(special.expit(-found.x[0])) * size


def _spread_of_counts(y: Floats, n: Floats) -> float:
    """Tarone's statistic: about the sum of trials where areas differ only by chance."""
    average = y.sum() / n.sum()
    return float(np.sum((y - n * average) ** 2) / (average * (1 - average)))


def _prior_trials_by_moments(y: Floats, n: Floats) -> float:
    """A start for a + b: from the share of the variance that is between areas, 1/(a + b + 1)."""
    share = (_spread_of_counts(y, n) - n.sum()) / max(float(np.sum(n * (n - 1))), 1.0)
    return float(np.clip(1 / max(share, 1e-9) - 1, 1.0, 1e6))


def fit_between_variance(estimates: Floats, variances: Floats) -> float:
    """Variance between areas beyond the known variances, by restricted maximum likelihood.

    A grid over the logarithm of the variance finds the neighbourhood of the best, a bounded search the best in it;
    0 where nothing else is more likely.

    Source: H. D. Patterson and R. Thompson (1971), Biometrika 58, 545-554.
    """
    x, v = estimates, variances

    def loss(between: npt.ArrayLike) -> Floats:
        weights = 1 / (v + np.atleast_1d(between)[:, np.newaxis])
        total = weights.sum(axis=1)
        mean = (weights * x).sum(axis=1) / total
        squares = (weights * (x - mean[:, np.newaxis]) ** 2).sum(axis=1)
        restricted: Floats = squares - np.log(weights).sum(axis=1) + np.log(total)
        return restricted

    spread = float(np.ptp(x)) ** 2
    if spread == 0:
        return 0.0
    # More than the squared range cannot be the best, and less than a millionth of the variances tells no area apart.
    grid = np.linspace(np.log(min(spread, float(np.median(v))) * 1e-6), np.log(spread), 80)
    best = int(np.argmin(loss(np.exp(grid))))
    found = optimize.minimize_scalar(
        lambda place: loss(np.exp(place)).item(),
        bounds=(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    between = float(np.exp(found.x))
    return between if loss(between).item() < loss(0.0).item() and best > 0 else 0.0


def _order_by_key(keys: Sequence[str], areas: int) -> Ints:
    """Rows in the order of their keys, or a ValueError unless each row has a key of its own."""
    if len(keys) != areas:
        raise ValueError("every column needs one value for each area")
    if len(set(keys)) < areas:
        raise ValueError("an area stands twice in one ranking")
    return np.array(sorted(range(len(keys)), key=lambda row: keys[row]), dtype=np.int64)


def _generator(seed: str) -> np.random.Generator:
    """Random numbers that depend on the text alone."""
    digest = hashlib.sha256(seed.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def _count_ranks(draws: Floats) -> Ints:
    """How often each area (row) has each rank (column), of draws of all areas (one a row)."""
    areas = draws.shape[1]
    area_at_rank = draws.argsort(axis=1)
    cells = area_at_rank * areas + np.arange(areas)
    return np.bincount(cells.ravel(), minlength=areas * areas).reshape(areas, areas)


def summarise_draws(draws: Floats, shrunken: Floats, rankability: float, order: Ints) -> BayesRanks:
    """What draws say of the ranks.

    Args:
        draws: of all areas, one draw a row, areas sorted by key.
        shrunken: estimates, sorted by key.
        rankability: as it is handed on.
        order: which row each sorted area came from.
    """
    counts = _count_ranks(draws)
    areas = len(shrunken)
    up_to = counts.cumsum(axis=1)
    back = np.empty(areas, dtype=np.int64)
    back[order] = np.arange(areas)
    lowest, highest = counts[:, :_TOP].sum(axis=1), counts[:, -_TOP:].sum(axis=1)
    is_enough = areas >= _LEAST_AREAS_FOR_TEN
    return BayesRanks(
        shrunken=shrunken[back],
        expected_rank=(counts @ np.arange(1, areas + 1) / len(draws))[back],
        rank_low=_first_rank(up_to >= _TAILS[0] * len(draws))[back],
        rank_high=_first_rank(up_to >= _TAILS[1] * len(draws))[back],
        lowest_10_percent=_whole_percents(lowest / len(draws), is_enough)[back],
        highest_10_percent=_whole_percents(highest / len(draws), is_enough)[back],
        rankability=rankability,
        reason=None,
    )


def _first_rank(reached: Bools) -> Ints:
    """First rank at which a share of the draws is reached: the quantile by the inverted distribution function."""
    first: Ints = 1 + reached.argmax(axis=1)
    return first


def _whole_percents(shares: Floats, is_enough: bool) -> Floats:
    """Shares in whole percents, since the draws give no more; NaN where there are too few areas."""
    percents: Floats = np.rint(100 * shares)
    return percents if is_enough else np.full(len(shares), np.nan)


def _no_spread(areas: int, average: float) -> BayesRanks:
    ten = _whole_percents(np.full(areas, _TOP / areas), areas >= _LEAST_AREAS_FOR_TEN)
    return BayesRanks(
        shrunken=np.full(areas, average),
        expected_rank=np.full(areas, (areas + 1) / 2),
        rank_low=np.ones(areas, dtype=np.int64),
        rank_high=np.full(areas, areas, dtype=np.int64),
        lowest_10_percent=ten,
        highest_10_percent=ten.copy(),
        rankability=0.0,
        reason="no_spread",
    )


def _too_few(areas: int) -> BayesRanks:
    nothing = np.full(areas, np.nan)
    return BayesRanks(nothing, nothing, None, None, nothing, nothing, float("nan"), "too_few")
