"""Intervals, ranks, bounds of ranks and funnels: pure functions on arrays. Definitions: docs/methods.md."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from etl.arrays import Bools, Classes, Floats, Ints, complete_columns, complete_proportions, to_floats
from etl.empirical_bayes import BayesRanks, fit_beta_binomial, rank_estimates, rank_proportions

__all__ = [
    "BayesRanks",
    "change_interval",
    "classify_funnel",
    "classify_rate_funnel",
    "count_interval",
    "difference_interval",
    "fit_beta_binomial",
    "funnel_limits",
    "holm_cut",
    "proportion_variances",
    "rank_bounds",
    "rank_estimates",
    "rank_proportions",
    "rank_values",
    "variance_between",
    "wilson_interval",
    "yearly_variance",
]

_EXACT_BELOW = 10
_LEAST_COUNT = 0.5
"""Stands for a count of 0 where its logarithm is needed."""
_FUNNEL = (0.95, 0.998)
_LEAST_PAIRS = 3
_NORMAL_MAD = 1.4826
"""Standard deviation of a normal variable over its median absolute deviation."""


def count_interval(counts: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of a Poisson count: Byar's approximation, exact (chi-squared) below 10.

    Args:
        counts: counts of 0 and more; a negative or missing one gives NaN.
        confidence: two-sided.

    Returns:
        Lower and upper ends, in counts.

    Source: OHID, PHEIndicatormethods (Byar; exact for small counts).
    """
    x = np.asarray(counts, dtype=np.float64)
    valid = x >= 0
    safe = np.where(valid, x, 1.0)
    z = special.ndtri(0.5 + confidence / 2)
    tail = (1 - confidence) / 2
    positive = np.maximum(safe, 1.0)
    low = positive * (1 - 1 / (9 * positive) - z / (3 * np.sqrt(positive))) ** 3
    high = (safe + 1) * (1 - 1 / (9 * (safe + 1)) + z / (3 * np.sqrt(safe + 1))) ** 3
    # Half a chi-squared quantile of 2k degrees of freedom is the quantile of a gamma of shape k.
    exact_low = np.where(safe > 0, special.gammaincinv(positive, tail), 0.0)
    exact_high = special.gammaincinv(safe + 1, 1 - tail)
    exact = safe < _EXACT_BELOW
    low, high = np.where(exact, exact_low, low), np.where(exact, exact_high, high)
    return np.where(valid, low, np.nan), np.where(valid, high, np.nan)


def change_interval(current: npt.ArrayLike, previous: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of the percentage change between two Poisson counts: exact, conditional on their sum.

    Given the sum, the current count is binomial with odds equal to the ratio of the rates; the
    Clopper–Pearson limits of its share give those of the ratio.

    Args:
        current: counts now, 0 and more.
        previous: counts before, above 0. Where either is not so, the result is NaN.
        confidence: two-sided.

    Returns:
        Lower and upper ends, in percent.
    """
    x = np.asarray(current, dtype=np.float64)
    y = np.asarray(previous, dtype=np.float64)
    valid = (x >= 0) & (y > 0)
    a, b = np.where(valid, x, 1.0), np.where(valid, y, 1.0)
    tail = (1 - confidence) / 2
    low_share = np.where(a > 0, special.betaincinv(np.maximum(a, 1), b + 1, tail), 0.0)
    high_share = special.betaincinv(a + 1, b, 1 - tail)
    low = 100 * (low_share / (1 - low_share) - 1)
    high = 100 * (high_share / (1 - high_share) - 1)
    return np.where(valid, low, np.nan), np.where(valid, high, np.nan)


def wilson_interval(events: npt.ArrayLike, trials: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson's score interval of a proportion.

    Args:
        events: such as reoffenders; need not be whole (an effective number).
        trials: such as offenders. Where they are 0 or missing, or fewer than the events, the result is NaN.
        confidence: two-sided.

    Returns:
        Lower and upper ends, as proportions from 0 to 1.

    Source: E. B. Wilson (1927), Journal of the American Statistical Association 22; the code is statsmodels'.
    """
    from statsmodels.stats.proportion import proportion_confint

    y, n, valid = _proportion_parts(events, trials)
    low, high = proportion_confint(y, n, alpha=1 - confidence, method="wilson")
    # Rounding alone must not leave a rate of 0 or 1 just outside its own interval.
    low, high = np.minimum(low, y / n), np.maximum(high, y / n)
    return np.where(valid, low, np.nan), np.where(valid, high, np.nan)


def difference_interval(
    events: npt.ArrayLike,
    trials: npt.ArrayLike,
    previous_events: npt.ArrayLike,
    previous_trials: npt.ArrayLike,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """Newcombe's hybrid score interval of the difference of two proportions, now less before.

    Args:
        events: now; need not be whole.
        trials: now. Where these or the previous ones are 0 or missing, the result is NaN.
        previous_events: before.
        previous_trials: before.
        confidence: two-sided.

    Returns:
        Lower and upper ends, as proportions from -1 to 1.

    Source: R. G. Newcombe (1998), Statistics in Medicine 17, 873-890, method 10; the code is statsmodels'.
    """
    from statsmodels.stats.proportion import (
        confint_proportions_2indep,
    )

    y, n, valid = _proportion_parts(events, trials)
    y0, n0, valid0 = _proportion_parts(previous_events, previous_trials)
    low, high = confint_proportions_2indep(y, n, y0, n0, method="newcomb", compare="diff", alpha=1 - confidence)
    both = valid & valid0
    return np.where(both, np.maximum(low, -1), np.nan), np.where(both, np.minimum(high, 1), np.nan)


def _proportion_parts(events: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[Floats, Floats, Bools]:
    """Events and trials, with 0 of 1 in place of what is no proportion, and where they are one."""
    y, n = (np.atleast_1d(part) for part in to_floats(events, trials))
    valid = (n > 0) & (y >= 0) & (y <= n)
    return np.where(valid, y, 0.0), np.where(valid, n, 1.0), valid


# --- Ranks


def rank_values(values: npt.ArrayLike) -> tuple[Ints, Bools]:
    """Rank of each value, 1 for the lowest, and whether it is tied.

    Equality is exact, so rates should be whole events over whole trials: after division by a design effect,
    equal rates can differ in their last digit.

    Args:
        values: one for each ranked area, none missing.

    Returns:
        1 + the number of strictly lower values; whether another value is exactly equal.
    """
    (x,) = complete_columns(values)
    ordered = np.sort(x)
    lower = np.searchsorted(ordered, x, side="left").astype(np.int64)
    not_higher = np.searchsorted(ordered, x, side="right")
    return 1 + lower, not_higher - lower > 1


def proportion_variances(events: npt.ArrayLike, trials: npt.ArrayLike) -> Floats:
    """Variance of each proportion, above 0 even without events: p(1 - p)/n with p = (events + 2)/(trials + 4).

    Source of p: A. Agresti and B. A. Coull (1998), The American Statistician 52, 119-126.
    """
    y, n = complete_proportions(events, trials)
    p = (y + 2) / (n + 4)
    return p * (1 - p) / n


def rank_bounds(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, confidence: float = 0.95, simultaneous: bool = False
) -> tuple[Ints, Ints]:
    """Lowest and highest rank that each area can have, by tests of all pairs.

    Each ordered pair gets a one-sided z test that the one is lower than the other; Holm's procedure keeps the
    probability of any false finding under 1 - confidence. Areas with equal estimates are never told apart.

    Args:
        estimates: one for each ranked area, none missing (rates by whole events and trials, see `rank_values`).
        variances: theirs, 0 and more.
        confidence: above 0.5.
        simultaneous: False, Holm over the 2(K - 1) pairs of each area: each area's bounds hold with the confidence.
            True, over all K(K - 1): all bounds hold together.

    Returns:
        1 + the number of areas significantly lower; K less the number significantly higher.

    Source: M. Mogstad, J. P. Romano, A. M. Shaikh and D. Wilhelm, Inference for Ranks (their package csranks);
    S. Holm (1979), Scandinavian Journal of Statistics 6, 65-70.
    """
    x, v = complete_columns(estimates, variances)
    if confidence <= 0.5:
        raise ValueError("a confidence of 0.5 or less would tell equal areas apart")
    size = len(x)
    others = ~np.eye(size, dtype=bool)
    p = special.ndtr(_z_scores(x, v))
    # Row i: against each other area, that i is lower, and that i is higher.
    is_lower = p[others].reshape(size, max(size - 1, 0))
    is_higher = p.T[others].reshape(size, max(size - 1, 0))
    family = is_lower.ravel() if simultaneous else np.concatenate([is_lower, is_higher], axis=1)
    cut = holm_cut(family, 1 - confidence)[..., np.newaxis]
    return 1 + (is_higher < cut).sum(axis=1), size - (is_lower < cut).sum(axis=1)


def _z_scores(x: Floats, v: Floats) -> Floats:
    """Difference of each pair over its standard error: 0 for equal estimates, infinite without any error."""
    difference = x[:, np.newaxis] - x
    with np.errstate(divide="ignore"):
        error = np.sqrt(v[:, np.newaxis] + v)
        return np.divide(difference, error, out=np.zeros_like(difference), where=difference != 0)


def holm_cut(p_values: Floats, alpha: float) -> Floats:
    """The smallest p-value, along the last axis, that Holm's procedure does not reject: it rejects all below.

    Equal p-values share their fate, since the bar rises from one to the next. Infinite where all are rejected.
    """
    ordered = np.sort(p_values, axis=-1)
    tests = ordered.shape[-1]
    fails = ordered > alpha / (tests - np.arange(tests))
    cut: Floats = np.min(ordered, axis=-1, initial=np.inf, where=fails)
    return cut


# --- Funnels


def funnel_limits(
    average: float, trials: npt.ArrayLike, confidence: float, tau2_arcsine: float | None = None
) -> tuple[Floats, Floats]:
    """Limits between which a proportion lies by chance, if its area is like the average.

    Args:
        average: proportion over all areas.
        trials: above 0.
        confidence: two-sided, 0.95 or 0.998.
        tau2_arcsine: variance between areas beyond chance, on the scale of asin(sqrt(p)); None for the plain
            limits without any, p ± z sqrt(p(1 - p)/n).

    Returns:
        Lower and upper limits, as proportions from 0 to 1.

    Source: D. J. Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202; OHID, PHEIndicatormethods.
    """
    (n,) = to_floats(trials)
    z = special.ndtri(0.5 + confidence / 2)
    if tau2_arcsine is None:
        half = z * np.sqrt(average * (1 - average) / n)
        return np.maximum(average - half, 0.0), np.minimum(average + half, 1.0)
    centre = np.arcsin(np.sqrt(average))
    half = z * np.sqrt(1 / (4 * n) + tau2_arcsine)
    # Beyond 0 and a right angle sin² would turn back.
    low, high = np.maximum(centre - half, 0.0), np.minimum(centre + half, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2


def classify_funnel(events: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[Classes, Classes]:
    """Where each proportion lies against the limits around the average of all.

    Args:
        events: one for each ranked area; need not be whole.
        trials: above 0.

    Returns:
        By limits of chance, and by limits widened by the spread between areas: `below_99_8`, `below_95`, `inside`,
        `above_95` or `above_99_8`. A proportion on a limit is inside it.
    """
    y, n = complete_proportions(events, trials)
    if not len(y):
        return _no_classes(), _no_classes()
    p = y / n
    average = math.fsum(y) / math.fsum(n)
    tau2 = variance_between(np.arcsin(np.sqrt(p)) - np.arcsin(np.sqrt(average)), 1 / (4 * n))
    plain, widened = (
        _classify(p, *(funnel_limits(average, n, confidence, spread) for confidence in _FUNNEL))
        for spread in (None, tau2)
    )
    return plain, widened


def classify_rate_funnel(counts: npt.ArrayLike, populations: npt.ArrayLike) -> tuple[Classes, Classes]:
    """Where each rate of a count per resident lies against the limits around the average, on log rates.

    Args:
        counts: one for each ranked area, 0 and more; 0 counts as 0.5, since it has no logarithm.
        populations: above 0.

    Returns:
        As `classify_funnel`. By chance alone: by the exact tails of the Poisson distribution about the count expected
        at the average rate, half of what lies outside in each. Allowing for spread: by limits of the log rate with the
        variance 1 over the expected count and that between areas, and never outside where chance alone explains it.

    Source: as `funnel_limits`.
    """
    y, n = complete_columns(counts, populations)
    if not ((n > 0) & (y >= 0)).all():
        raise ValueError("counts must be 0 or more, and there must be some residents")
    if not len(y):
        return _no_classes(), _no_classes()
    expected = n * (max(math.fsum(y), _LEAST_COUNT) / math.fsum(n))
    deviation = np.log(np.maximum(y, _LEAST_COUNT) / expected)
    by_chance = 1 / expected
    tau2 = variance_between(deviation, by_chance)
    plain = _classify_counts(y, expected)
    widened = _classify(deviation, *_limits_around_none(by_chance + tau2))
    return plain, np.where(plain == "inside", plain, widened)


def _classify_counts(counts: Floats, expected: Floats) -> Classes:
    """Classes by the probability of so few, or so many, where so many are expected."""
    # P(Y <= y) and P(Y >= y) of a Poisson count, as incomplete gamma functions.
    so_few = special.gammaincc(np.floor(counts) + 1, expected)
    so_many = np.where(counts > 0, special.gammainc(np.maximum(counts, 1), expected), 1.0)
    classes = np.full(len(counts), "inside", dtype=object)
    for confidence, name in zip(_FUNNEL, ("95", "99_8"), strict=True):
        tail = (1 - confidence) / 2
        classes[so_few < tail] = f"below_{name}"
        classes[so_many < tail] = f"above_{name}"
    return classes


def _limits_around_none(variance: Floats) -> list[tuple[Floats, Floats]]:
    halves = [special.ndtri(0.5 + confidence / 2) * np.sqrt(variance) for confidence in _FUNNEL]
    return [(-half, half) for half in halves]


def variance_between(deviation: Floats, by_chance: Floats) -> float:
    """Variance between areas beyond chance, at least 0, from deviations winsorised at a tenth in each tail.

    Args:
        deviation: of each area from the average, on the scale of the funnel.
        by_chance: variance of each by chance.

    Source: the estimate of moments of R. DerSimonian and N. Laird (1986), Controlled Clinical Trials 7, 177-188, as
    in Spiegelhalter (2005). Sums are exact, so that the order of the areas does not matter.
    """
    z = deviation / np.sqrt(by_chance)
    z = np.clip(z, *np.quantile(z, [0.1, 0.9]))
    weights = 1 / by_chance
    total = math.fsum(weights)
    information = total - math.fsum(weights**2) / total
    areas = len(z)
    return max(0.0, (math.fsum(z**2) - (areas - 1)) / information) if areas > 1 else 0.0


def _classify(values: Floats, inner: tuple[Floats, Floats], outer: tuple[Floats, Floats]) -> Classes:
    classes = np.full(len(values), "inside", dtype=object)
    classes[values < inner[0]] = "below_95"
    classes[values > inner[1]] = "above_95"
    classes[values < outer[0]] = "below_99_8"
    classes[values > outer[1]] = "above_99_8"
    return classes


def _no_classes() -> Classes:
    return np.empty(0, dtype=object)


def yearly_variance(pairs: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]) -> float | None:
    """Variance by which the log rate of one area moves in a year beyond chance and beyond what moves all areas.

    From each pair of years the robust variance of the log change about its median, (1.4826 median|d|)², less the
    median variance of chance, 1/y + 1/y0, halved since both years move; at least 0.

    Args:
        pairs: counts of the same areas in a year and in the year before, for the last five such pairs. An area
            without an offence in either year has no log change and is left out of the pair.

    Returns:
        The mean of the pairs; None under three pairs.
    """
    found = [variance for current, previous in pairs if (variance := _pair_variance(current, previous)) is not None]
    return math.fsum(found) / len(found) if len(found) >= _LEAST_PAIRS else None


def _pair_variance(current: npt.ArrayLike, previous: npt.ArrayLike) -> float | None:
    """The variance of `yearly_variance` from one pair of years; None without an area to tell it from."""
    y, y0 = to_floats(current, previous)
    both = (y > 0) & (y0 > 0)
    if not both.any():
        return None
    y, y0 = y[both], y0[both]
    change = np.log(y / y0)
    spread = _NORMAL_MAD * np.median(np.abs(change - np.median(change)))
    return max(0.0, float(spread**2 - np.median(1 / y + 1 / y0)) / 2)
