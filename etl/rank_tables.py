"""Rankings as tables: the columns of `mart.*_rank` for areas that are ranked together. Definitions: docs/methods.md.

Each function takes one ranking as a frame, one row an area, and gives a frame of rank columns with the same index.
Rows with an `exclusion_reason` are not ranked: they keep their rate and have no rank.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from etl.empirical_bayes import BayesRanks, rank_estimates, rank_proportions
from etl.ranking import (
    classify_funnel,
    classify_rate_funnel,
    proportion_variances,
    rank_bounds,
    rank_values,
    wilson_interval,
    yearly_variance,
)

YEAR_PAIRS = 5
"""How many changes on the year the noise of a rate is taken from."""
_SIGNIFICANT = 1.959964
_WHOLE = 1e11
"""Billionths of a percent in the whole."""


def rank_reoffending(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
    """Rank areas by their reoffending rate.

    Args:
        areas: area_code, offenders, reoffenders, design_effect, exclusion_reason (null for what is ranked).
        seed: names the ranking.

    Returns:
        The rank columns of `mart.reoffending_rank`, rates in percent.
    """
    events = areas["reoffenders"].astype(float) / areas["design_effect"]
    trials = areas["offenders"].astype(float) / areas["design_effect"]
    rates = areas["reoffenders"].astype(float) / areas["offenders"].astype(float).where(lambda n: n > 0)
    low, high = wilson_interval(events, trials)
    columns = pd.DataFrame(
        {"rate_percent": 100 * rates, "wilson_low_percent": 100 * low, "wilson_high_percent": 100 * high},
        index=areas.index,
    )
    chosen = areas["exclusion_reason"].isna()
    if not chosen.any():
        return _combine(areas, columns, pd.DataFrame(index=areas.index[chosen]))
    keys, y, n = list(areas.loc[chosen, "area_code"]), events[chosen].to_numpy(), trials[chosen].to_numpy()
    bayes = rank_proportions(keys, y, n, seed)
    ranks = _rank(rates[chosen].to_numpy(), y / n, proportion_variances(y, n), bayes)
    ranks["shrunken_rate_percent"] = 100 * bayes.shrunken
    ranks["funnel_class"], ranks["funnel_class_overdispersed"] = classify_funnel(y, n)
    return _combine(areas, columns, pd.DataFrame(ranks, index=areas.index[chosen]))


def rank_crime(areas: pd.DataFrame, pairs: pd.DataFrame, seed: str) -> pd.DataFrame:
    """Rank areas by their crime rate, on the logarithm of rates, with the noise of years beside chance.

    Args:
        areas: area_code, offences, population, exclusion_reason (null for what is ranked).
        pairs: years_before (0 to 4), offences, previous_offences: changes on the year of these areas.
        seed: names the ranking.

    Returns:
        The rank columns of `mart.crime_rank`, rates per 1,000 residents. Under three years of changes the noise is
        not known: no rank is given then, since nobody could say how sure it is; the reason is `no_previous`.
    """
    counts, people = areas["offences"].astype(float), areas["population"].astype(float)
    chosen = areas["exclusion_reason"].isna()
    nothing = pd.DataFrame(index=areas.index)
    if not chosen.any():
        return _combine(areas, nothing, pd.DataFrame(index=areas.index[chosen]))
    keys, y, n = list(areas.loc[chosen, "area_code"]), counts[chosen].to_numpy(), people[chosen].to_numpy()
    noise = yearly_variance(
        [
            (year["offences"].to_numpy(dtype=float), year["previous_offences"].to_numpy(dtype=float))
            for _, year in pairs.groupby("years_before")
        ]
    )
    # A rate of nothing has no logarithm. Half an offence, as in its variance, stands for none, and at the most what is
    # the lowest of all: half an offence of few residents would be a high rate.
    estimates, chance = np.log(np.maximum(y, 0.5) / n), 1 / np.maximum(y, 0.5)
    estimates[y == 0] = estimates.min()
    if noise is None:
        ranks: dict[str, object] = {"reason": "no_previous"}
    else:
        variances = chance + noise
        bayes = rank_estimates(keys, estimates, variances, seed)
        ranks = _rank(y / n, estimates, variances, bayes)
        ranks["shrunken_rate_per_1000"] = 1000 * np.exp(bayes.shrunken)
        ranks["yearly_noise_percent"] = 100 * np.sqrt(noise)
    ranks["funnel_class"], ranks["funnel_class_overdispersed"] = classify_rate_funnel(y, n)
    return _combine(areas, nothing, pd.DataFrame(ranks, index=areas.index[chosen]))


def rank_local_adult(areas: pd.DataFrame, seed: str) -> pd.DataFrame:
    """Rank authorities by how far their reoffending lay from its prediction.

    Args:
        areas: area_code, offenders, actual_percent, predicted_percent, printed_significant, exclusion_reason.
        seed: names the ranking.

    Returns:
        The rank columns of `mart.local_adult_reoffending_rank`; ranks with their bounds rest on actual / predicted,
        the prediction taken as known.
    """
    n = areas["offenders"].astype(float)
    # In whole billionths, which is how rates are read: whole numbers divide alike, so that equal ratios are tied.
    actual, predicted = ((1e9 * areas[f"{name}_percent"].astype(float)).round() for name in ("actual", "predicted"))
    base = predicted.where(predicted > 0)
    difference, ratio = 100 * (actual - predicted) / base, actual / base
    a, p = actual / _WHOLE, predicted / _WHOLE
    error = (p * (1 - p) / n.where(n > 0)) ** 0.5
    z: pd.Series[float] = (a - p) / error.where(error > 0)
    printed = areas["printed_significant"].astype("boolean")
    computed = z.abs().gt(_SIGNIFICANT).astype("boolean").mask(z.isna())
    columns = pd.DataFrame(
        {"difference_percent": difference, "z": z, "significant": printed.fillna(computed)}, index=areas.index
    )
    chosen = areas["exclusion_reason"].isna()
    if not chosen.any():
        return _combine(areas, columns, pd.DataFrame(index=areas.index[chosen]))
    keys, size, ratios = list(areas.loc[chosen, "area_code"]), n[chosen].to_numpy(), ratio[chosen].to_numpy()
    variances = proportion_variances(a[chosen].to_numpy() * size, size) / p[chosen].to_numpy() ** 2
    ranks = _rank(difference[chosen].to_numpy(), ratios, variances, rank_estimates(keys, ratios, variances, seed))
    ranks["rank_all"] = ranks.pop("rank")
    frame = pd.DataFrame(ranks, index=areas.index[chosen])
    significant = difference[chosen & columns["significant"].fillna(False)]
    frame["rank_significant"] = pd.Series(rank_values(significant)[0], index=significant.index, dtype="Int64")
    return _combine(areas, columns, frame)


def _rank(values: np.ndarray, estimates: np.ndarray, variances: np.ndarray, bayes: BayesRanks) -> dict[str, object]:
    """Rank by `values`, with bounds and intervals from estimates on a scale that keeps their order."""
    rank, tied = rank_values(values)
    low, high = rank_bounds(estimates, variances)
    all_low, all_high = rank_bounds(estimates, variances, simultaneous=True)
    return {
        "rank": rank,
        "tied": tied,
        "ranked_areas": len(rank),
        "expected_rank": bayes.expected_rank,
        "rank_low": bayes.rank_low,
        "rank_high": bayes.rank_high,
        "rank_bound_low": low,
        "rank_bound_high": high,
        "rank_bound_simultaneous_low": all_low,
        "rank_bound_simultaneous_high": all_high,
        "lowest_10_percent": bayes.lowest_10_percent,
        "highest_10_percent": bayes.highest_10_percent,
        "indistinguishable_areas": high - low,
        "rankability": bayes.rankability,
        "reason": bayes.reason,
    }


def _combine(areas: pd.DataFrame, columns: pd.DataFrame, ranks: pd.DataFrame) -> pd.DataFrame:
    """Columns of all areas with those of the ranked ones; who is not ranked has the reason for it."""
    both = columns.join(ranks)
    both["eligible"] = areas["exclusion_reason"].isna()
    both["reason"] = areas["exclusion_reason"].fillna(both.get("reason", pd.Series(index=areas.index, dtype=object)))
    return both
