"""Intervals of counts, rates and changes: pure functions on arrays. Definitions: docs/methods.md."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

_EXACT_BELOW = 10


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
