"""Rankings as tables, on frames made by hand: rates, intervals, ranks, bounds, classes, and who is not ranked."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.rank_tables import rank_crime, rank_local_adult, rank_reoffending

Z = 1.959964
BAYES = ["expected_rank", "rank_low", "rank_high", "lowest_10_percent", "highest_10_percent", "rankability"]
BOUNDS = [
    *("rank_bound_low", "rank_bound_high", "rank_bound_simultaneous_low", "rank_bound_simultaneous_high"),
    "indistinguishable_areas",
]


def _column(values: list[object], type_: str) -> pd.Series:
    """A column as `fetch_lines` gives it: whole numbers stay whole where some are missing."""
    return pd.Series(values, dtype=type_)


def _codes(areas: int) -> list[str]:
    return [f"E{number:08}" for number in range(areas)]


def _is_null(frame: pd.DataFrame, *columns: str) -> bool:
    return all(frame[column].isna().all() for column in columns if column in frame)


# --- Proven reoffending


def _cohort(*areas: tuple[int | None, int | None, str | None], effect: float = 1.0) -> pd.DataFrame:
    """Areas as (reoffenders, offenders, exclusion_reason)."""
    reoffenders, offenders, reasons = zip(*areas, strict=True)
    return pd.DataFrame(
        {
            "area_code": _codes(len(areas)),
            "offenders": _column(list(offenders), "Int64"),
            "reoffenders": _column(list(reoffenders), "Int64"),
            "design_effect": effect,
            "exclusion_reason": _column(list(reasons), "str"),
        }
    )


def _rates(*areas: tuple[int, int], effect: float = 1.0) -> pd.DataFrame:
    return _cohort(*((y, n, None) for y, n in areas), effect=effect)


def test_rates_ranks_and_ties() -> None:
    ranked = rank_reoffending(_rates((30, 100), (60, 200), (10, 50), (45, 100), effect=1.3), "a")
    assert ranked["rate_percent"].tolist() == [30, 30, 20, 45]
    assert ranked["rank"].tolist() == [2, 2, 1, 4]
    assert ranked["tied"].tolist() == [True, True, False, False]
    assert ranked["ranked_areas"].tolist() == [4] * 4
    assert ranked["eligible"].all()


def test_equal_rates_are_tied_whatever_the_design_effect_does_to_their_last_digit() -> None:
    # One in three: 1/1.3 of 3/1.3 is no exact third.
    ranked = rank_reoffending(_rates(*((k, 3 * k) for k in range(10, 60)), effect=1.3), "a")
    assert ranked["rank"].tolist() == [1] * 50
    assert ranked["tied"].all()


def test_wilson_at_a_design_effect_of_1_3() -> None:
    ranked = rank_reoffending(_rates((0, 39), (39, 39), (500, 1000), effect=1.3), "a")
    low, high = ranked["wilson_low_percent"], ranked["wilson_high_percent"]
    # 39 offenders count as 30: the reference rows 0/30 and 30/30.
    assert (low[0], high[0]) == (0, pytest.approx(11.3513, abs=6e-5))
    assert (low[1], high[1]) == (pytest.approx(88.6487, abs=6e-5), 100)
    # For a rate of a half the half width is z / (2 sqrt(n + z²)), with n = 1000/1.3.
    half = 100 * Z / (2 * math.sqrt(1000 / 1.3 + Z**2))
    assert (low[2], high[2]) == (pytest.approx(50 - half, abs=1e-4), pytest.approx(50 + half, abs=1e-4))


def test_wilson_of_a_single_cohort_has_no_design_effect() -> None:
    ranked = rank_reoffending(_rates((65, 100)), "a")
    assert ranked["wilson_low_percent"][0] == pytest.approx(55.2544, abs=6e-5)
    assert ranked["wilson_high_percent"][0] == pytest.approx(73.6358, abs=6e-5)


def test_who_is_not_ranked_keeps_the_rate_and_takes_no_place() -> None:
    areas = _cohort(
        *((20, 80, None), (2, 20, "too_few"), (500, 1000, "unknown_area"), (10, 80, None)),
        *((None, 50, "no_data"), (0, 0, "too_few")),
    )
    ranked = rank_reoffending(areas, "a")
    assert ranked["rate_percent"].tolist()[:4] == [25, 10, 50, 12.5]
    assert ranked["rate_percent"].isna().tolist() == [False] * 4 + [True] * 2
    assert ranked["wilson_low_percent"].notna().tolist() == [True] * 4 + [False] * 2
    assert ranked["rank"].tolist()[:4:3] == [2, 1]
    assert ranked["eligible"].tolist() == [True, False, False, True, False, False]
    out = ranked[~ranked["eligible"]]
    assert out["reason"].tolist() == ["too_few", "unknown_area", "no_data", "too_few"]
    assert _is_null(out, "rank", "tied", "ranked_areas", "funnel_class", "shrunken_rate_percent", *BAYES, *BOUNDS)
    # Two are ranked, as if there were nobody else.
    alone = rank_reoffending(areas[areas["exclusion_reason"].isna()], "a")
    pd.testing.assert_frame_equal(ranked[ranked["eligible"]], alone, check_dtype=False)


def test_under_ten_areas_bounds_hold_and_empirical_bayes_is_silent() -> None:
    # 10% against 50%: z = -.4 / sqrt(.00009 + .00025) = -22. 50% against 51%: z = -.01 / sqrt(2 · .00025) = -.45.
    ranked = rank_reoffending(_rates((100, 1000), (500, 1000), (510, 1000)), "a")
    for prefix in ("rank_bound", "rank_bound_simultaneous"):
        assert ranked[f"{prefix}_low"].tolist() == [1, 2, 2]
        assert ranked[f"{prefix}_high"].tolist() == [1, 3, 3]
    assert ranked["indistinguishable_areas"].tolist() == [0, 1, 1]
    assert ranked["reason"].tolist() == ["too_few"] * 3
    assert _is_null(ranked, "shrunken_rate_percent", *BAYES)


def test_bounds_of_all_areas_at_once_are_wider() -> None:
    # 200 and 242 of 1,000: p̃ = .2012 and .2430, v = .0001607 and .0001840, z = −.042 / .01857 = −2.26, p = .0119. Holm
    # asks for .05/4 of one area, and for .05/6 of three. 221 is told apart from neither: z = 1.1.
    ranked = rank_reoffending(_rates((200, 1000), (221, 1000), (242, 1000)), "a")
    assert ranked["rank_bound_low"].tolist() == [1, 1, 2]
    assert ranked["rank_bound_high"].tolist() == [2, 3, 3]
    assert ranked["rank_bound_simultaneous_low"].tolist() == [1] * 3
    assert ranked["rank_bound_simultaneous_high"].tolist() == [3] * 3


def test_funnel_classes() -> None:
    # 2,400 of 12,000: 20%, standard error sqrt(.16/1000) = 1.2649 points, so 95% from 17.521 to 22.479 and 99.8% from
    # 16.091 to 23.909.
    counts = [200, 200, 200, 200, 200, 200, 224, 176, 226, 174, 240, 160]
    ranked = rank_reoffending(_rates(*((count, 1000) for count in counts)), "a")
    inside = ["inside"] * 8
    assert ranked["funnel_class"].tolist() == [*inside, "above_95", "below_95", "above_99_8", "below_99_8"]
    # With 1,000/1.3 offenders the limits are sqrt(1.3) wider: 17.173 to 22.827 and 15.543 to 24.457.
    ranked = rank_reoffending(_rates(*((count, 1000) for count in counts), effect=1.3), "a")
    assert ranked["funnel_class"].tolist() == [*inside, "inside", "inside", "above_95", "below_95"]


def test_spread_between_areas_widens_the_funnel() -> None:
    ranked = rank_reoffending(_rates(*((100 + 20 * step, 1000) for step in range(12))), "a")
    plain, widened = ranked["funnel_class"], ranked["funnel_class_overdispersed"]
    assert (plain != "inside").sum() == 10  # all but 20% and 22%: 21 ± 2.52
    assert set(widened) == {"inside"}


@pytest.mark.parametrize(("areas", "ten"), [(12, None), (30, 33), (40, 25)])
def test_areas_that_do_not_differ_have_no_spread(areas: int, ten: int | None) -> None:
    ranked = rank_reoffending(_rates(*[(200, 1000)] * areas), "a")
    assert ranked["reason"].tolist() == ["no_spread"] * areas
    assert ranked["shrunken_rate_percent"].tolist() == [20] * areas
    assert ranked["expected_rank"].tolist() == [(areas + 1) / 2] * areas
    for prefix in ("rank", "rank_bound", "rank_bound_simultaneous"):
        assert ranked[f"{prefix}_low"].tolist() == [1] * areas
        assert ranked[f"{prefix}_high"].tolist() == [areas] * areas
    assert ranked["rankability"].tolist() == [0] * areas
    assert ranked["indistinguishable_areas"].tolist() == [areas - 1] * areas
    # Ten of K places, in whole percents; under 30 areas null.
    tens = ranked["lowest_10_percent"]
    assert tens.isna().all() if ten is None else tens.tolist() == [ten] * areas


def test_empirical_bayes_draws_a_small_area_to_the_average() -> None:
    sizes = [100, *[5000] * 29]
    rates = [0.1, *(0.15 + 0.005 * step for step in range(29))]
    ranked = rank_reoffending(_rates(*((round(p * n), n) for p, n in zip(rates, sizes, strict=True))), "a")
    assert ranked["reason"].isna().all()
    assert ranked["rank"][0] == 1
    shrunken = ranked["shrunken_rate_percent"]
    assert 12 < shrunken[0] < 22
    assert (shrunken - ranked["rate_percent"]).abs()[1:].max() < 0.6
    assert ranked["expected_rank"][0] > 2
    assert ranked["rank_high"][0] > ranked["rank_high"][1]
    assert ranked["lowest_10_percent"].between(0, 100).all()
    assert ranked["lowest_10_percent"].sum() == pytest.approx(1000, abs=15)


def test_nobody_is_ranked() -> None:
    ranked = rank_reoffending(_cohort((5, 20, "too_few"), (9, 10, "unknown_area")), "a")
    assert ranked["rate_percent"].tolist() == [25, 90]
    assert ranked["reason"].tolist() == ["too_few", "unknown_area"]
    assert not ranked["eligible"].any()
    assert _is_null(ranked, "rank", "ranked_areas", "funnel_class", *BAYES, *BOUNDS)


def test_one_area_alone() -> None:
    [ranked] = rank_reoffending(_rates((25, 100)), "a").to_dict("records")
    assert (ranked["rank"], ranked["ranked_areas"], ranked["tied"]) == (1, 1, False)
    assert [ranked[name] for name in BOUNDS] == [1, 1, 1, 1, 0]
    assert (ranked["reason"], ranked["funnel_class"]) == ("too_few", "inside")


def test_nobody_reoffends() -> None:
    ranked = rank_reoffending(_rates(*[(0, 100)] * 12), "a")
    assert ranked["reason"].tolist() == ["too_few"] * 12
    assert ranked["rank"].tolist() == [1] * 12
    assert ranked["rank_bound_high"].tolist() == [12] * 12


# --- Recorded crime


def _counts(*areas: tuple[int | None, int | None, str | None]) -> pd.DataFrame:
    """Areas as (offences, population, exclusion_reason)."""
    offences, population, reasons = zip(*areas, strict=True)
    return pd.DataFrame(
        {
            "area_code": _codes(len(areas)),
            "offences": _column(list(offences), "Int64"),
            "population": _column(list(population), "Int64"),
            "exclusion_reason": _column(list(reasons), "str"),
        }
    )


def _changes(*counts: tuple[int, int], years: int = 3) -> pd.DataFrame:
    """The same (offences, previous_offences) of the areas in each of some years."""
    rows = [(year, *pair) for year in range(years) for pair in counts]
    return pd.DataFrame(rows, columns=["years_before", "offences", "previous_offences"]).astype("Int64")


STEADY = _changes((1_000_000, 1_000_000), (1_000_000, 1_000_000))
"""No area moved but by chance: σ is 0."""
UNSTEADY = _changes((904_837, 1_000_000), (1_000_000, 1_000_000), (1_105_171, 1_000_000))
"""Log changes of -.1, 0 and .1: σ² = ((1.4826 · .1)² − 2e-6)/2."""
THREE = _counts((10_000_000, 10**9, None), (10_100_000, 10**9, None), (40_000_000, 10**9, None))


def test_yearly_noise_stands_beside_chance() -> None:
    ranked = rank_crime(THREE, UNSTEADY, "a")
    noise = math.sqrt((0.14826**2 - 2e-6) / 2)
    assert ranked["yearly_noise_percent"].tolist() == [pytest.approx(100 * noise, abs=1e-3)] * 3
    # 10 against 10.1 per 1,000: z = -ln 1.01 / (noise · sqrt 2) = -.07; against 40: -ln 4 / .148 = -9.4.
    assert ranked["rank"].tolist() == [1, 2, 3]
    assert ranked["rank_bound_low"].tolist() == [1, 1, 3]
    assert ranked["rank_bound_high"].tolist() == [2, 2, 3]
    assert ranked["indistinguishable_areas"].tolist() == [1, 1, 0]
    assert ranked["reason"].tolist() == ["too_few"] * 3


def test_without_yearly_noise_chance_alone_tells_large_counts_apart() -> None:
    # Variance 1e-7 each: z = -ln 1.01 / sqrt(1.99e-7) = -22.
    ranked = rank_crime(THREE, STEADY, "a")
    assert ranked["yearly_noise_percent"].tolist() == [0] * 3
    assert ranked["rank_bound_low"].tolist() == ranked["rank_bound_high"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("pairs", [_changes((10, 10), years=2), _changes((0, 10), (10, 0)), _changes((1, 1), years=0)])
def test_under_three_pairs_of_years_the_noise_is_not_known(pairs: pd.DataFrame) -> None:
    ranked = rank_crime(THREE, pairs, "a")
    assert ranked["reason"].tolist() == ["no_previous"] * 3
    assert ranked["eligible"].all()
    assert ranked["funnel_class"].tolist() == ["below_99_8", "below_99_8", "above_99_8"]
    # No rank without its uncertainty.
    assert not {"rank", "tied", "ranked_areas", *BAYES, *BOUNDS, "yearly_noise_percent"} & set(ranked.columns)


def test_crime_that_is_not_ranked_takes_no_place() -> None:
    areas = _counts(
        *((300, 1000, None), (-1, 1000, "negative_count"), (9, None, "population_missing"), (100, 1000, None)),
        *((None, 1000, "no_data"), (700, 9, "no_resident_population")),
    )
    ranked = rank_crime(areas, STEADY, "a")
    assert ranked["rank"].tolist()[:4:3] == [2, 1]
    out = ranked[~ranked["eligible"]]
    assert out["reason"].tolist() == ["negative_count", "population_missing", "no_data", "no_resident_population"]
    assert _is_null(out, "rank", "ranked_areas", "funnel_class", *BAYES, *BOUNDS)


def test_no_crime_ranking_where_nobody_can_be_ranked() -> None:
    ranked = rank_crime(_counts((-5, 100, "negative_count")), STEADY, "a")
    assert ranked["reason"].tolist() == ["negative_count"]
    assert not ranked["eligible"].any()


def test_one_force_alone() -> None:
    [ranked] = rank_crime(_counts((25, 1000, None)), STEADY, "a").to_dict("records")
    assert (ranked["rank"], ranked["ranked_areas"], ranked["tied"]) == (1, 1, False)
    assert [ranked[name] for name in BOUNDS] == [1, 1, 1, 1, 0]


def test_equal_crime_rates_have_no_spread() -> None:
    ranked = rank_crime(_counts(*((10 * k, 1000 * k, None) for k in range(1, 13))), STEADY, "a")
    assert ranked["rank"].tolist() == [1] * 12
    assert ranked["tied"].all()
    assert ranked["reason"].tolist() == ["no_spread"] * 12
    assert ranked["shrunken_rate_per_1000"].tolist() == [pytest.approx(10)] * 12
    assert ranked["expected_rank"].tolist() == [6.5] * 12


def test_no_offence_at_all_is_the_lowest_rate_however_few_live_there() -> None:
    """Half an offence of 100 residents is 5 per 1,000, far above the .01 of the others: no logarithm may say so."""
    areas = _counts((0, 100, None), (0, 10_000_000, None), *((90 + k, 10_000_000, None) for k in range(10)))
    ranked = rank_crime(areas, STEADY, "a")
    assert ranked["rank"].tolist() == [1, 1, *range(3, 13)]
    assert ranked["tied"].tolist() == [True, True, *[False] * 10]
    for prefix in ("rank_bound", "rank_bound_simultaneous"):
        assert (ranked[f"{prefix}_low"] <= ranked["rank"]).all()
        assert (ranked["rank"] <= ranked[f"{prefix}_high"]).all()
    # Both are the same to the eye of a logarithm, and nothing is significantly lower than either.
    for column in ("rank_bound_low", "rank_bound_high", "shrunken_rate_per_1000"):
        assert ranked[column][0] == ranked[column][1]
    assert ranked["shrunken_rate_per_1000"].idxmin() == 0


def test_no_area_has_an_offence() -> None:
    ranked = rank_crime(_counts(*((0, 1000 * k, None) for k in range(1, 13))), STEADY, "a")
    assert ranked["rank"].tolist() == [1] * 12
    assert ranked["tied"].all()
    assert ranked["reason"].tolist() == ["no_spread"] * 12
    assert ranked["rank_bound_low"].tolist() == [1] * 12
    assert ranked["rank_bound_high"].tolist() == [12] * 12


# --- Local adult reoffending

Adult = tuple[int | None, float | None, float | None, bool | None, str | None]


def _caseload(*areas: Adult) -> pd.DataFrame:
    """Areas as (offenders, actual_percent, predicted_percent, printed_significant, exclusion_reason)."""
    offenders, actual, predicted, printed, reasons = zip(*areas, strict=True)
    return pd.DataFrame(
        {
            "area_code": _codes(len(areas)),
            "offenders": _column(list(offenders), "Int64"),
            "actual_percent": _column(list(actual), "float64"),
            "predicted_percent": _column(list(predicted), "float64"),
            "printed_significant": _column(list(printed), "boolean"),
            "exclusion_reason": _column(list(reasons), "str"),
        }
    )


def test_dudley_stands_above_sandwell_as_in_november_2013() -> None:
    sandwell = (4000, 5.46, 7.0, None, None)
    dudley = (3000, 5.5, 7.35, None, None)
    ranked = rank_local_adult(_caseload(sandwell, dudley), "a")
    assert ranked["difference_percent"].tolist() == [-22, pytest.approx(-25.17007, abs=1e-5)]
    assert ranked["rank_all"].tolist() == [2, 1]
    # (.0546 − .07) / sqrt(.07 · .93 / 4000)
    assert ranked["z"][0] == pytest.approx(-0.0154 / math.sqrt(0.0651 / 4000))
    assert ranked["significant"].tolist() == [True, True]
    assert ranked["rank_significant"].tolist() == [2, 1]


def test_the_publishers_flag_wins_over_z() -> None:
    # 900 offenders against 10%: one standard error is sqrt(.09 / 900) = 1 point.
    ranked = rank_local_adult(
        _caseload(
            (900, 8.0, 10.0, None, None),  # z = -2
            (900, 8.05, 10.0, None, None),  # z = -1.95
            (900, 7.0, 10.0, False, None),  # z = -3, not marked
            (900, 9.0, 10.0, True, None),  # z = -1, marked
            (900, 12.0, 10.0, None, None),  # z = 2
            (900, 10.0, 10.0, None, None),  # z = 0
        ),
        "a",
    )
    assert ranked["z"].tolist() == pytest.approx([-2, -1.95, -3, -1, 2, 0])
    assert ranked["difference_percent"].tolist() == [-20, -19.5, -30, -10, 20, 0]
    assert ranked["significant"].tolist() == [True, False, False, True, True, False]
    assert ranked["rank_all"].tolist() == [2, 3, 1, 4, 6, 5]
    assert ranked["rank_significant"].isna().tolist() == [False, True, True, False, False, True]
    assert ranked["rank_significant"].dropna().tolist() == [1, 2, 3]


def test_equal_ratios_are_tied_whatever_doubles_make_of_them() -> None:
    """All are 22% below: 5.46 of 7, 3.9 of 5 and so on, which as doubles part at the last digit."""
    predicted = [7.0, 5.0, 10.0, 3.0, 8.0, 9.0, 6.0, 4.0, 5.5, 6.5, 7.5, 9.5]
    caseload = _caseload(*((1000, round(0.78 * p, 2), p, None, None) for p in predicted))
    assert (caseload["actual_percent"] / caseload["predicted_percent"]).nunique() > 1
    ranked = rank_local_adult(caseload, "a")
    assert ranked["difference_percent"].tolist() == [-22] * 12
    assert ranked["rank_all"].tolist() == [1] * 12
    assert ranked["reason"].tolist() == ["no_spread"] * 12
    assert ranked["rank_bound_low"].tolist() == [1] * 12
    assert ranked["rank_bound_high"].tolist() == [12] * 12


def test_bounds_of_the_ratio_by_hand() -> None:
    # p̃ = (y + 2)/(n + 4), v = p̃(1 − p̃)/(n P²) with n = 1,000 and P = .1. Ratios .3, 1 and 1.2: p̃ = .0319, .1016 and
    # .1215, v = .0031, .0091 and .0107; z = −.7 / .1105 = −6.3 and −.2 / .1407 = −1.4.
    caseload = _caseload(*((1000, actual, 10.0, None, None) for actual in (3.0, 10.0, 12.0)))
    ranked = rank_local_adult(caseload, "a")
    assert ranked["rank_bound_low"].tolist() == [1, 2, 2]
    assert ranked["rank_bound_high"].tolist() == [1, 3, 3]
    # The same ratios of a prediction four times as high, on as many: v = .00066, .0015 and .0016, z = −15 and −3.6.
    fourfold = _caseload(*((1000, actual, 40.0, None, None) for actual in (12.0, 40.0, 48.0)))
    assert rank_local_adult(fourfold, "a")["rank_bound_high"].tolist() == [1, 2, 3]


def test_adults_that_are_not_ranked_keep_their_difference() -> None:
    ranked = rank_local_adult(
        _caseload(
            (900, 8.0, 10.0, None, None),
            (25, 4.0, 10.0, True, "too_few"),
            (None, 4.0, 8.0, None, "no_data"),
            (900, 9.0, 0.0, None, "no_data"),
            (900, None, 10.0, None, "no_data"),
            (15_000, 5.0, 10.0, None, "unknown_area"),
        ),
        "a",
    )
    assert ranked["difference_percent"].tolist()[:3] == [-20, -60, -50]
    assert ranked["difference_percent"].isna().tolist() == [False, False, False, True, True, False]
    assert ranked["z"].isna().tolist() == [False, False, True, True, True, False]
    assert ranked["significant"].isna().tolist() == [False, False, True, True, True, False]
    assert ranked["rank_all"].tolist()[0] == ranked["rank_significant"].tolist()[0] == 1
    assert _is_null(ranked[1:], "rank_all", "rank_significant", "ranked_areas", *BAYES, *BOUNDS)
    assert ranked["reason"].tolist()[1:] == ["too_few", "no_data", "no_data", "no_data", "unknown_area"]


def test_a_certain_prediction_has_no_standard_error() -> None:
    ranked = rank_local_adult(_caseload((900, 50.0, 100.0, None, None), (900, 100.0, 100.0, None, None)), "a")
    assert ranked["difference_percent"].tolist() == [-50, 0]
    assert _is_null(ranked, "z", "significant", "rank_significant")
    assert ranked["rank_all"].tolist() == [1, 2]


def test_nobody_and_one_on_the_caseload() -> None:
    ranked = rank_local_adult(_caseload((10, 4.0, 10.0, None, "too_few")), "a")
    assert (ranked["difference_percent"].tolist(), ranked["reason"].tolist()) == ([-60], ["too_few"])
    [ranked] = rank_local_adult(_caseload((100, 4.0, 10.0, None, None)), "a").to_dict("records")
    assert (ranked["rank_all"], ranked["ranked_areas"]) == (1, 1)
    assert [ranked[name] for name in BOUNDS] == [1, 1, 1, 1, 0]


def test_nothing_is_significant() -> None:
    ranked = rank_local_adult(_caseload((100, 9.9, 10.0, None, None), (100, 10.1, 10.0, None, None)), "a")
    assert ranked["significant"].tolist() == [False, False]
    assert ranked["rank_significant"].isna().all()


# --- The order of rows


Ranker = Callable[[pd.DataFrame], pd.DataFrame]
MADE: dict[str, tuple[Ranker, pd.DataFrame]] = {
    "reoffending": (
        lambda areas: rank_reoffending(areas, "a"),
        _cohort(*((20 + 7 * k, 100 + 13 * k, "too_few" if k % 9 == 4 else None) for k in range(40)), effect=1.3),
    ),
    "crime": (
        lambda areas: rank_crime(areas, UNSTEADY, "a"),
        _counts(*((0 if k < 3 else 7 * k * k, 1000 + 31 * k, "no_data" if k % 9 == 4 else None) for k in range(40))),
    ),
    "local adult": (
        lambda areas: rank_local_adult(areas, "a"),
        _caseload(*((100 + 9 * k, 4 + k % 7, 5 + k % 4, None, "no_data" if k % 9 == 4 else None) for k in range(40))),
    ),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_nothing(kind: str, seed: int) -> None:
    rank, areas = MADE[kind]
    shuffled = areas.sample(frac=1, random_state=seed)
    assert shuffled.index.tolist() != areas.index.tolist()
    pd.testing.assert_frame_equal(rank(shuffled).loc[areas.index], rank(areas), check_exact=True)


@pytest.mark.parametrize("kind", MADE)
def test_the_index_is_that_of_the_areas(kind: str) -> None:
    rank, areas = MADE[kind]
    elsewhere = areas.set_index(pd.Index(range(100, 140)))
    ranked = rank(elsewhere)
    assert ranked.index.tolist() == elsewhere.index.tolist()
    pd.testing.assert_frame_equal(ranked.reset_index(drop=True), rank(areas), check_exact=True)


def test_the_order_of_years_changes_nothing() -> None:
    _, areas = MADE["crime"]
    years = pd.concat([UNSTEADY, _changes((10, 12), (9, 7), (30, 31), (5, 9), years=2).assign(years_before=7)])
    mixed = years.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(rank_crime(areas, mixed, "a"), rank_crime(areas, years, "a"), check_exact=True)


# --- Properties


def _assert_consistent(ranked: pd.DataFrame, rank: str) -> None:
    """What holds of every ranking, whatever the figures."""
    size = len(ranked)
    assert ranked[rank].between(1, size).all()
    assert (ranked["rank_bound_simultaneous_low"] <= ranked["rank_bound_low"]).all()
    assert (ranked["rank_bound_low"] <= ranked[rank]).all()
    assert (ranked[rank] <= ranked["rank_bound_high"]).all()
    assert (ranked["rank_bound_high"] <= ranked["rank_bound_simultaneous_high"]).all()
    assert ranked["rank_bound_simultaneous_low"].ge(1).all()
    assert ranked["rank_bound_simultaneous_high"].le(size).all()
    if ranked["reason"].ne("too_few").all():
        assert ranked["expected_rank"].between(1, size).all()
        assert (ranked["rank_low"] <= ranked["rank_high"]).all()


def _assert_ranks_follow(ranked: pd.DataFrame, rank: str, values: list[float]) -> None:
    expected = [1 + sum(other < value for other in values) for value in values]
    assert ranked[rank].tolist() == expected
    assert ranked["tied"].tolist() == [values.count(value) > 1 for value in values]


COHORTS = st.lists(st.tuples(st.integers(0, 60), st.integers(30, 60)), min_size=1, max_size=14)


@settings(max_examples=40)
@given(COHORTS, st.sampled_from([1.0, 1.3]))
def test_every_ranking_of_reoffending_is_consistent(areas: list[tuple[int, int]], effect: float) -> None:
    pairs = [(min(y, n), n) for y, n in areas]
    ranked = rank_reoffending(_rates(*pairs, effect=effect), "a")
    _assert_consistent(ranked, "rank")
    _assert_ranks_follow(ranked, "rank", [y / n for y, n in pairs])
    assert (ranked["wilson_low_percent"] <= ranked["rate_percent"] + 1e-9).all()
    assert (ranked["rate_percent"] <= ranked["wilson_high_percent"] + 1e-9).all()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 10**7)), min_size=1, max_size=14))
def test_every_ranking_of_crime_is_consistent(areas: list[tuple[int, int]]) -> None:
    ranked = rank_crime(_counts(*((y, n, None) for y, n in areas)), STEADY, "a")
    _assert_consistent(ranked, "rank")
    _assert_ranks_follow(ranked, "rank", [y / n for y, n in areas])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(30, 900), st.integers(0, 999), st.integers(1, 999)), min_size=1, max_size=14))
def test_every_ranking_of_adults_is_consistent(areas: list[tuple[int, int, int]]) -> None:
    ranked = rank_local_adult(_caseload(*((n, a / 10, p / 10, None, None) for n, a, p in areas)), "a")
    _assert_consistent(ranked, "rank_all")
    _assert_ranks_follow(ranked, "rank_all", [a / p for _, a, p in areas])
