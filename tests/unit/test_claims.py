"""Verdicts on claims: every kind, their boundaries, modelled data, breaks, and lines that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from etl.claim_terms import (
    BREAKS,
    Check,
    Claim,
    Count,
    Facts,
    RankLine,
    UnitCost,
    Verdict,
    format_number,
    name_months,
    parse_tolerance,
)
from etl.claims import KINDS, evaluate, judge
from etl.errors import JusticeError

ONS = "recorded_crime_ons/rolling-years@1"
MOJ = "local_adult_reoffending/march-2014@1"
WITH_FRAUD, WITHOUT_FRAUD = "total_including_fraud", "total_excluding_fraud"


def end_of(year: int) -> date:
    return date(year, 3, 31)


def make_claim(claim_check: str, claimed: float, **more: Any) -> Claim:
    given: dict[str, Any] = {"unit": "offences", "measure": "recorded_crime", "offence_id": WITH_FRAUD}
    if claim_check.startswith("rank"):
        given = {"unit": "rank", "measure": "local_adult_reoffending", "period_end": date(2012, 9, 30)}
    if claim_check == "arithmetic":
        given = {"unit": "offences", "measure": "1 + 1"}
    return Claim(
        **{
            "claim_id": "a-claim",
            "area_code": "E23000014",
            "area_name": "West Midlands Police",
            "claim_check": claim_check,
            "claimed_value": claimed,
            **given,
            **more,
        }
    )


def make_facts(counts: dict[int, int | None], offence: str = WITH_FRAUD, **more: Any) -> Facts:
    return Facts(
        counts={(offence, end_of(year)): Count(offences, ONS, "Total") for year, offences in counts.items()}, **more
    )


# --- Totals


@pytest.mark.parametrize(
    ("observed", "tolerance", "verdict"),
    [
        (215_354, "0.5%", Verdict.SUPPORTED),
        (215_350, "0.5%", Verdict.WITHIN_REVISIONS),  # West Midlands 2010/11
        (215_354 - 1_076, "0.5%", Verdict.WITHIN_REVISIONS),  # 0.5% of 215,354 is 1,076.77
        (215_354 - 1_077, "0.5%", Verdict.DIFFERS),
        (215_354 + 1_076, "0.5%", Verdict.WITHIN_REVISIONS),
        (215_354 + 1_077, "0.5%", Verdict.DIFFERS),
        (215_355, "0", Verdict.DIFFERS),
        (215_355, "0%", Verdict.DIFFERS),
        (215_355, None, Verdict.DIFFERS),
        (215_354, None, Verdict.SUPPORTED),
        (215_364, "10", Verdict.SUPPORTED),  # the claim's own rounding: no allowance for revisions
        (215_365, "10", Verdict.DIFFERS),
    ],
)
def test_a_total(observed: int, tolerance: str | None, verdict: Verdict) -> None:
    claim = make_claim("total", 215_354, period_end=end_of(2011), tolerance=tolerance)
    check = judge(claim, make_facts({2011: observed}))
    assert check.verdict == verdict
    assert (check.observed, check.difference) == (observed, observed - 215_354)
    assert check.release_id == ONS
    assert f"{observed:,} offences" in check.reason
    assert (check.is_modelled, check.publication_needed, check.reading) == (False, None, None)


def test_how_far_it_is_from_the_claim_is_told() -> None:
    claim = make_claim("total", 215_354, period_end=end_of(2011), tolerance="0.5%")
    told = judge(claim, make_facts({2011: 215_350})).reason
    assert "that is 4 below the 215,354 claimed, within the 0.5% allowed for revisions." in told
    told = judge(claim, make_facts({2011: 220_000})).reason
    assert "that is 4,646 above the 215,354 claimed, more than the 0.5% allowed for revisions." in told
    assert "that is the 215,354 claimed." in judge(claim, make_facts({2011: 215_354})).reason


@pytest.mark.parametrize("counts", [{}, {2012: 5}, {2011: None}])
def test_a_total_that_is_not_held(counts: dict[int, int | None]) -> None:
    check = judge(make_claim("total", 215_354, period_end=end_of(2011)), make_facts(counts))
    assert (check.verdict, check.observed, check.difference) == (Verdict.NOT_CHECKABLE, None, None)
    assert check.publication_needed == (
        "Police recorded crime by police force area, year ending March 2011 (Home Office)"
    )


# --- Changes, ratios


def test_a_change() -> None:
    claim = make_claim("change", -21_809, period_end=end_of(2012), base_period_end=end_of(2011), tolerance="0.5%")
    check = judge(claim, make_facts({2011: 215_350, 2012: 193_530}))
    # 193,530 − 215,350 = −21,820, 11 more than claimed; 0.5% of 21,809 is 109.
    assert (check.verdict, check.observed, check.difference) == (Verdict.WITHIN_REVISIONS, -21_820, -11)
    check = judge(claim, make_facts({2011: 215_350, 2012: 193_540 + 110}))
    assert check.verdict == Verdict.WITHIN_REVISIONS  # −21,700 is 109 off
    assert judge(claim, make_facts({2011: 215_350, 2012: 193_651})).verdict == Verdict.DIFFERS


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (600, Verdict.SUPPORTED),
        (595, Verdict.SUPPORTED),  # −40.5 rounds to it
        (620, Verdict.SUPPORTED),  # −38, 2 points off
        (580, Verdict.SUPPORTED),
        (621, Verdict.DIFFERS),
        (579, Verdict.DIFFERS),
    ],
)
def test_a_change_in_percent(now: int, verdict: Verdict) -> None:
    claim = make_claim(
        "change_percent", -40, unit="percent", period_end=end_of(2013), base_period_end=end_of(2011), tolerance="2"
    )
    check = judge(claim, make_facts({2011: 1_000, 2013: now}))
    assert check.verdict == verdict
    assert check.observed == pytest.approx(now / 10 - 100)


def test_no_percentage_of_a_small_base_and_no_ratio_to_nothing() -> None:
    claim = make_claim("change_percent", -40, period_end=end_of(2013), base_period_end=end_of(2011))
    assert judge(claim, make_facts({2011: 50, 2013: 30})).verdict == Verdict.SUPPORTED
    check = judge(claim, make_facts({2011: 49, 2013: 30}))
    assert (check.verdict, check.observed) == (Verdict.NOT_CHECKABLE, None)
    assert "fewer than 50" in check.reason
    ratio = replace(claim, claim_check="ratio", claimed_value=0.5)
    for base in (0, -3):
        assert judge(ratio, make_facts({2011: base, 2013: 30})).verdict == Verdict.NOT_CHECKABLE


def test_half_of_the_crime_of_a_decade_ago() -> None:
    """West Midlands: 174,524 of 350,242 is .4983; 174,524 of 337,061 without fraud is .5178."""
    claim = make_claim("ratio", 0.5, unit="ratio", period_end=end_of(2014), base_period_end=end_of(2003))
    claim = replace(claim, tolerance="0.02")
    counts = make_facts({2003: 350_242, 2014: 174_524}).counts
    without = make_facts({2003: 337_061, 2014: 174_524}, WITHOUT_FRAUD).counts
    check = judge(claim, Facts(counts={**counts, **without}))
    assert check.verdict == Verdict.SUPPORTED
    assert check.observed == pytest.approx(0.498296, abs=1e-6)
    assert "a ratio of 0.498" in check.reason
    assert (
        "There are no offences of fraud in the count of the year ending March 2014 and 13,181 offences of fraud in "
        in (check.reason)
    )
    assert "in that of the year ending March 2003: the coverage changed." in check.reason
    assert "Without fraud in both years 337,061 became 174,524, a change of -162,537 and a ratio of 0.518." in (
        check.reason
    )


def test_fraud_is_told_of_wherever_the_years_hold_different_fraud() -> None:
    claim = make_claim("change", 0, period_end=end_of(2012), base_period_end=end_of(2011))

    def tell(with_fraud: dict[int, int | None], without: dict[int, int | None], claim: Claim = claim) -> str:
        both = {**make_facts(with_fraud).counts, **make_facts(without, WITHOUT_FRAUD).counts}
        return judge(claim, Facts(counts=both)).reason

    assert "fraud" not in tell({2011: 100, 2012: 110}, {2011: 90, 2012: 100})  # 10 in either
    told = tell({2011: 100, 2012: 100}, {2011: 90, 2012: 80})
    assert "There are 20 offences of fraud in the count of the year ending March 2012 and 10 offences of fraud" in told
    assert "can have ended in the middle of a year" in told
    assert "Without fraud in both years 90 became 80, a change of -10." in told
    assert "No fraud is in the counts" in tell({2011: 100, 2012: 100}, {2011: 100, 2012: 100})
    assert "the coverage changed" in tell({2011: 100, 2012: 90}, {2011: 80, 2012: 90})
    assert "fraud" not in tell({2011: 100, 2012: 90}, {2012: 90})
    one = replace(claim, claim_check="total", base_period_end=None)
    assert "No fraud is in the count:" in tell({2012: 90}, {2012: 90}, one)
    assert "fraud" not in tell({2012: 90}, {2012: 80}, one)


def test_fraud_recorded_for_part_of_a_year() -> None:
    """West Midlands left in January to March 2013: 100,000 − 2,712 = 97,288 and 95,000 − 1,943 = 93,057; −4,231 is
    −4.3% of 97,288, and −5,000 is −5% of 100,000."""
    counts = {
        **make_facts({2012: 100_000, 2013: 95_000}).counts,
        **make_facts({2012: 97_288, 2013: 93_057}, WITHOUT_FRAUD).counts,
    }
    claim = make_claim("change_percent", -5, unit="percent", period_end=end_of(2013), base_period_end=end_of(2012))
    told = judge(claim, Facts(counts=counts)).reason
    assert "1,943 offences of fraud in the count of the year ending March 2013" in told
    assert "2,712 offences of fraud in that of the year ending March 2012" in told
    assert "Without fraud in both years 97,288 became 93,057, a change of -4,231 (-4.3 percent)." in told


# --- Two releases

LATER, EARLIER = "recorded_crime_ons/year-ending-march-2018@1", "recorded_crime_ons/year-ending-march-2017@1"
YEARLY = make_claim("change", -10, period_end=end_of(2018), base_period_end=end_of(2017))


@pytest.mark.parametrize(
    ("kind", "observed"),
    [("change", -10), ("change_percent", -5), ("ratio", 0.95), ("lowest_since", 1)],
)
def test_the_year_before_is_that_of_the_same_release(kind: str, observed: float) -> None:
    """One release gives 190 after 200; another one has the 200 as 180, which makes no rise of 10."""
    counts = {
        (WITH_FRAUD, end_of(2018)): Count(190, LATER, "Total", False, None, 200, LATER, "same_release"),
        (WITH_FRAUD, end_of(2017)): Count(180, EARLIER, "Total"),
    }
    check = judge(replace(YEARLY, claim_check=kind, claimed_value=observed), Facts(counts=counts))
    assert (check.verdict, check.observed) == (Verdict.SUPPORTED, pytest.approx(observed))
    assert (check.release_id, check.base_release_id) == (LATER, LATER)
    assert "releases are involved" not in check.reason


def test_the_year_before_can_be_that_of_another_release_or_implied_by_a_percentage() -> None:
    now = Count(190, LATER, "Total", False, None, 200, EARLIER, "other_release")
    key, before = (WITH_FRAUD, end_of(2018)), (WITH_FRAUD, end_of(2017))
    check = judge(YEARLY, Facts(counts={key: now, before: Count(200, EARLIER)}))
    assert (check.observed, check.release_id, check.base_release_id) == (-10, LATER, EARLIER)
    assert f"Two releases are involved, {LATER} for the later year and {EARLIER} for the earlier" in check.reason
    modelled = {key: now, before: Count(200, EARLIER, is_modelled=True)}
    assert judge(YEARLY, Facts(counts=modelled)).verdict == Verdict.MODELLED
    implied = replace(now, previous_release_id=LATER, previous_source="implied_by_P2")
    check = judge(YEARLY, Facts(counts={key: implied}))
    assert (check.verdict, check.observed, check.base_release_id) == (Verdict.SUPPORTED, -10, LATER)
    assert "the percentage printed" in check.reason


def test_years_of_two_releases_say_so() -> None:
    """Two years apart no release is known to state both: 190 − 300 = −110."""
    counts = {
        (WITH_FRAUD, end_of(2018)): Count(190, LATER, "Total", False, None, 200, LATER, "same_release"),
        (WITH_FRAUD, end_of(2017)): Count(180, EARLIER, "Total"),
        (WITH_FRAUD, end_of(2016)): Count(300, ONS, "Total"),
    }
    check = judge(replace(YEARLY, base_period_end=end_of(2016), claimed_value=-110), Facts(counts=counts))
    assert (check.verdict, check.observed) == (Verdict.SUPPORTED, -110)
    assert (check.release_id, check.base_release_id) == (LATER, ONS)
    assert f"Two releases are involved, {LATER} for the later year and {ONS} for the earlier" in check.reason
    since = replace(YEARLY, claim_check="lowest_since", claimed_value=1, base_period_end=end_of(2016))
    check = judge(since, Facts(counts=counts))
    assert (check.observed, check.base_release_id) == (1, ONS)  # 200 and 300; not the 180 of another release
    assert f"2 releases are involved ({LATER}, {ONS})" in check.reason
    total = judge(make_claim("total", 190, period_end=end_of(2018)), Facts(counts=counts))
    assert (total.release_id, total.base_release_id) == (LATER, None)


# --- Breaks


@pytest.mark.parametrize("reason", BREAKS)
def test_nothing_is_compared_across_a_break(reason: str) -> None:
    claim = make_claim("change", -20, offence_id="burglary", period_end=end_of(2013), base_period_end=end_of(2011))
    counts = dict(make_facts({2011: 100, 2012: 90, 2013: 80}, "burglary").counts)

    def judge_with_break_in(year: int) -> Check:
        key = ("burglary", end_of(year))
        return judge(claim, Facts(counts={**counts, key: replace(counts[key], reason=reason)}))

    for year in (2012, 2013):
        check = judge_with_break_in(year)
        assert (check.verdict, check.observed) == (Verdict.NOT_CHECKABLE, None)
        assert f"{BREAKS[reason]} in the year to March {year}" in check.reason
        assert check.publication_needed
    assert judge_with_break_in(2011).verdict == Verdict.SUPPORTED  # between 2010 and 2011: not in between


def test_the_end_of_fraud_recording_is_no_break_of_the_total_without_it() -> None:
    claim = make_claim("change", -20, period_end=end_of(2014), base_period_end=end_of(2013))
    counts: dict[tuple[str, date], Count] = {
        (WITH_FRAUD, end_of(2013)): Count(100, ONS),
        (WITH_FRAUD, end_of(2014)): Count(80, ONS, reason="coverage_changed"),
        (WITHOUT_FRAUD, end_of(2013)): Count(95, ONS),
        (WITHOUT_FRAUD, end_of(2014)): Count(80, ONS),
    }
    check = judge(claim, Facts(counts=counts))
    assert check.verdict == Verdict.SUPPORTED
    assert "Without fraud in both years 95 became 80, a change of -15" in check.reason
    counts[WITHOUT_FRAUD, end_of(2014)] = Count(80, ONS, reason="coverage_changed")
    assert judge(claim, Facts(counts=counts)).verdict == Verdict.NOT_CHECKABLE


@pytest.mark.parametrize("without", [None, Count(None, ONS, reason="no_data")])
@pytest.mark.parametrize("reason", BREAKS)
def test_a_break_of_a_total_that_is_held_with_fraud_only(reason: str, without: Count | None) -> None:
    claim = make_claim("change", -20, period_end=end_of(2013), base_period_end=end_of(2011))
    counts = dict(make_facts({2011: 100, 2012: 90, 2013: 80}).counts)
    counts[WITH_FRAUD, end_of(2012)] = Count(90, ONS, reason=reason)
    if without:
        counts[WITHOUT_FRAUD, end_of(2012)] = without
    expected = Verdict.SUPPORTED if reason == "coverage_changed" else Verdict.NOT_CHECKABLE
    assert judge(claim, Facts(counts=counts)).verdict == expected


# --- The lowest since

LOWEST = make_claim("lowest_since", 1, unit="rank", period_end=end_of(2012), base_period_end=end_of(2009))


@pytest.mark.parametrize(
    ("counts", "observed", "verdict"),
    [
        ({2009: 50, 2010: 40, 2011: 45, 2012: 30}, 1, Verdict.SUPPORTED),
        ({2009: 50, 2010: 40, 2011: 45, 2012: 40}, 1, Verdict.SUPPORTED),  # shared with 2010
        ({2009: 50, 2010: 40, 2011: 45, 2012: 41}, 2, Verdict.DIFFERS),
        ({2008: 10, 2009: 50, 2010: 40, 2011: 45, 2012: 30, 2013: 1}, 1, Verdict.SUPPORTED),  # others do not matter
    ],
)
def test_the_lowest_since(counts: dict[int, int | None], observed: int, verdict: Verdict) -> None:
    check = judge(LOWEST, make_facts(counts))
    assert (check.verdict, check.observed, check.observed_of) == (verdict, observed, 4)
    assert check.difference == observed - 1


@pytest.mark.parametrize(
    ("counts", "tolerance", "verdict", "told"),
    [
        # .5% of 1,000 is 5, of 1,004 5.02
        ({2011: 999, 2012: 1_004}, "0.5%", Verdict.WITHIN_REVISIONS, "The lowest is {2011} with 999, 5 fewer."),
        ({2011: 998, 2012: 1_004}, "0.5%", Verdict.DIFFERS, "The lowest is {2011} with 998, 6 fewer."),
        ({2011: 1_005, 2012: 1_000}, "0.5%", Verdict.SUPPORTED, "The next lowest is {2011} with 1,005, 5 more."),
        ({2011: 1_006, 2012: 1_000}, "0.5%", Verdict.SUPPORTED, "The next lowest is {2011} with 1,006, 6 more."),
        ({2011: 1_000, 2012: 1_000}, "0.5%", Verdict.SUPPORTED, "The next lowest is {2011} with 1,000, as few."),
        ({2011: 999, 2012: 1_000}, "0", Verdict.DIFFERS, "The lowest is {2011} with 999, 1 fewer."),
        ({2011: 999, 2012: 1_000}, None, Verdict.DIFFERS, "The lowest is {2011} with 999, 1 fewer."),
        ({2011: 999, 2012: 1_000}, "1", Verdict.SUPPORTED, "The lowest is {2011} with 999, 1 fewer."),  # a place off
    ],
)
def test_how_sure_the_lowest_is(
    counts: dict[int, int | None], tolerance: str | None, verdict: Verdict, told: str
) -> None:
    check = judge(replace(LOWEST, tolerance=tolerance), make_facts({2009: 2_000, 2010: 2_000, **counts}))
    assert check.verdict == verdict
    assert told.replace("{2011}", "the year ending March 2011") in check.reason
    near = f"Within the 0.5% allowed for revisions (5) of {counts[2012]:,}: the year ending March 2011."
    away = abs((counts[2012] or 0) - (counts[2011] or 0))
    assert (near in check.reason) == (tolerance == "0.5%" and away <= 5)


def test_the_lowest_since_needs_every_year() -> None:
    check = judge(LOWEST, make_facts({2009: 50, 2011: 45, 2012: 30}))
    assert check.verdict == Verdict.NOT_CHECKABLE
    assert check.publication_needed
    assert "March 2010" in check.publication_needed
    check = judge(LOWEST, make_facts({2012: 30}))
    assert check.publication_needed == (
        "Police recorded crime by police force area, the 3 years ending March 2009 to March 2011 that are not held "
        "(Home Office)"
    )


def test_the_lowest_since_without_fraud_where_its_recording_ended() -> None:
    """Without fraud 2012 is the second lowest of 40, 25, 35 and 30."""
    both = {
        **make_facts({2009: 50, 2010: 40, 2011: 45, 2012: 30}).counts,
        **make_facts({2009: 40, 2010: 25, 2011: 35, 2012: 30}, WITHOUT_FRAUD).counts,
    }
    check = judge(LOWEST, Facts(counts=both))
    assert check.verdict == Verdict.SUPPORTED
    assert "Without fraud the year is number 2 from below." in check.reason


@pytest.mark.parametrize("kind", ["change", "change_percent", "ratio", "lowest_since"])
@pytest.mark.parametrize(
    ("end", "base"),
    [
        (end_of(2012), end_of(2012)),
        (end_of(2012), end_of(2013)),
        (end_of(2012), date(2011, 6, 30)),
        (end_of(2012), date(2011, 3, 30)),
        (end_of(2012), date(2012, 1, 31)),
        (date(2012, 2, 29), date(2011, 2, 27)),
    ],
)
def test_a_year_to_compare_with_that_is_none(kind: str, end: date, base: date) -> None:
    claim = make_claim(kind, 1, period_end=end, base_period_end=base)
    with pytest.raises(JusticeError, match=f"claim a-claim, column base_period_end: '{base}'") as refused:
        judge(claim, make_facts({2011: 60, 2012: 70, 2013: 80}))
    assert "an earlier year" in refused.value.next_step


@pytest.mark.parametrize(
    ("end", "base"), [(date(2012, 2, 29), date(2011, 2, 28)), (date(2011, 2, 28), date(2008, 2, 29))]
)
def test_years_to_the_last_of_february(end: date, base: date) -> None:
    counts = {(WITH_FRAUD, day): Count(100, ONS) for day in (end, base)}
    claim = make_claim("change", 0, period_end=end, base_period_end=base)
    assert judge(claim, Facts(counts=counts)).verdict == Verdict.SUPPORTED


# --- Ranks

DUDLEY = make_claim("rank", 1, area_code="E08000027", area_name="Dudley", claimed_of=173)


def make_rank(rank_all: int | None, rank_significant: int | None = None, **more: Any) -> RankLine:
    given: dict[str, Any] = {
        "area_code": "E08000027",
        "period_end": date(2012, 9, 30),
        "ranked_areas": 173,
        "significant_areas": 20,
        "areas": 174,
        "bound_low": 1,
        "bound_high": 90,
        "release_id": MOJ,
    }
    return RankLine(**given | {"rank_all": rank_all, "rank_significant": rank_significant} | more)


@pytest.mark.parametrize(
    ("claimed", "line", "verdict", "reading"),
    [
        (1, make_rank(1, bound_high=1), Verdict.SUPPORTED, "all"),
        (1, make_rank(1, bound_high=2), Verdict.NOT_TOLD_APART, "all"),
        (1, make_rank(1, 1, bound_high=1), Verdict.SUPPORTED, "both"),
        (1, make_rank(4, 1, bound_high=40), Verdict.NOT_TOLD_APART, "significant"),
        (4, make_rank(4, 1, bound_high=4), Verdict.SUPPORTED, "all"),
        (4, make_rank(4, 1, bound_high=5), Verdict.NOT_TOLD_APART, "all"),
        (1, make_rank(1, bound_low=None, bound_high=None), Verdict.NOT_TOLD_APART, "all"),
        (2, make_rank(4, 1), Verdict.DIFFERS, None),
        (2, make_rank(4), Verdict.DIFFERS, None),
    ],
)
def test_a_rank_by_both_readings(claimed: int, line: RankLine, verdict: Verdict, reading: str | None) -> None:
    check = judge(replace(DUDLEY, claimed_value=claimed), Facts(ranks=[line]))
    assert (check.verdict, check.reading) == (verdict, reading)
    expected = line.rank_significant if reading == "significant" else line.rank_all
    assert (check.observed, check.observed_of) == (expected, 20 if reading == "significant" else 173)
    assert (check.bound_low, check.bound_high) == (line.bound_low, line.bound_high)
    assert check.release_id == MOJ
    assert "October 2011 to September 2012" in check.reason


def test_bounds_are_those_of_the_rank_among_all() -> None:
    """Tenth of all and sixth of the significant: the bounds are of the tenth."""
    line = make_rank(10, 6, bound_low=8, bound_high=30)
    check = judge(replace(DUDLEY, claimed_value=6), Facts(ranks=[line]))
    assert "has rank 6 of the 20 that differ significantly" in check.reason
    assert "Chance alone leaves its rank among all areas (10 of 173) anywhere from 8 to 30 (" in check.reason
    check = judge(replace(DUDLEY, claimed_value=10), Facts(ranks=[line]))
    assert "has rank 10 of 173" in check.reason
    assert "Chance alone leaves that rank anywhere from 8 to 30 (" in check.reason


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(1, 90, "2 is not ruled out."), (3, 90, "2 is ruled out."), (2, 90, "2 is not ruled out.")],
)
def test_of_a_rank_that_differs_the_bounds_say_whether_it_could_be(low: int, high: int, told: str) -> None:
    check = judge(replace(DUDLEY, claimed_value=2), Facts(ranks=[make_rank(4, bound_low=low, bound_high=high)]))
    assert told in check.reason


@pytest.mark.parametrize(
    ("claimed_of", "told"),
    [
        (222, '"Of 222" cannot count upper-tier authorities: there were 174.'),
        (171, "The claim is out of 171; 173 were ranked."),
        (174, "The claim is out of 174; 173 were ranked."),
        (173, None),
        (20, None),  # by the reading that reproduces it
        (None, None),
    ],
)
def test_how_many_the_claim_ranks_out_of(claimed_of: int | None, told: str | None) -> None:
    check = judge(replace(DUDLEY, claimed_of=claimed_of), Facts(ranks=[make_rank(4, 1)]))
    assert (told in check.reason) if told else ("claim is out of" not in check.reason)


def test_a_table_that_is_not_held() -> None:
    other = make_rank(1, period_end=date(2013, 6, 30))
    for facts in (Facts(), Facts(ranks=[other])):
        check = judge(replace(DUDLEY, claimed_of=222), facts)
        assert (check.verdict, check.observed) == (Verdict.NOT_CHECKABLE, None)
        needed = "Local adult reoffending, October 2011 to September 2012 (Ministry of Justice)"
        assert check.publication_needed == needed
        assert "there were 174" in check.reason


def test_an_area_without_a_rank() -> None:
    check = judge(DUDLEY, Facts(ranks=[make_rank(None, reason="too_few")]))
    assert (check.verdict, check.observed) == (Verdict.NOT_CHECKABLE, None)
    assert "has no rank" in check.reason
    assert "too_few" in check.reason
    assert check.publication_needed


def test_a_claim_without_a_period_is_tried_on_all() -> None:
    claim = replace(DUDLEY, period_end=None, claimed_value=2)
    older = make_rank(2, period_end=date(2013, 6, 30), release_id="local_adult_reoffending/older@1")
    newer = make_rank(7, 3, period_end=date(2013, 12, 31))
    check = judge(claim, Facts(ranks=[older, newer]))
    assert (check.verdict, check.reading, check.observed) == (Verdict.NOT_TOLD_APART, "all", 2)
    assert check.release_id == older.release_id
    assert "both readings of 2 were tried, and 1 of the periods fits: of so many, one can by chance." in check.reason
    check = judge(replace(claim, claimed_value=1), Facts(ranks=[older, newer]))
    assert (check.verdict, check.observed, check.release_id) == (Verdict.DIFFERS, 7, MOJ)  # the newest is shown
    assert "and none fits" in check.reason
    check = judge(claim, Facts())
    assert check.publication_needed is not None
    assert "the claim names none" in check.publication_needed


ALL_WITHIN = make_claim("rank_all_within", 24, claimed_of=222)
TWO = frozenset({"E08000027", "E08000028"})


@pytest.mark.parametrize(
    ("ranks", "verdict", "reading", "observed", "bound_high"),
    [
        ([make_rank(1, bound_high=9), make_rank(24, bound_high=24)], Verdict.SUPPORTED, "all", 24, 24),
        ([make_rank(1, bound_high=25), make_rank(24, bound_high=24)], Verdict.NOT_TOLD_APART, "all", 24, 25),
        ([make_rank(1), make_rank(25)], Verdict.DIFFERS, None, 25, 90),
        ([make_rank(1, 1), make_rank(25, 9)], Verdict.NOT_TOLD_APART, "significant", 9, 90),
        ([make_rank(1, 1), make_rank(20, 9)], Verdict.NOT_TOLD_APART, "both", 20, 90),
        ([make_rank(30), make_rank(25, 9)], Verdict.DIFFERS, None, 30, 90),  # one of them is not significant
        ([make_rank(1, bound_high=None), make_rank(24, bound_high=24)], Verdict.NOT_TOLD_APART, "all", 24, None),
        ([make_rank(1, bound_high=9), make_rank(24, bound_high=None)], Verdict.NOT_TOLD_APART, "all", 24, None),
    ],
)
def test_all_authorities_of_a_force_within_the_first(
    ranks: list[RankLine], verdict: Verdict, reading: str | None, observed: int, bound_high: int | None
) -> None:
    lines = [replace(line, area_code=code) for line, code in zip(ranks, sorted(TWO), strict=True)]
    check = judge(ALL_WITHIN, Facts(ranks=lines, members=TWO))
    assert (check.verdict, check.reading) == (verdict, reading)
    assert (check.observed, check.bound_high) == (observed, bound_high)
    assert check.difference == observed - 24
    assert (check.bound_low is None) == (bound_high is None) == ("is not known" in check.reason)


def judge_two(first: RankLine, second: RankLine) -> str:
    lines = [
        replace(first, area_code="E08000027", area_name="Dudley"),
        replace(second, area_code="E08000028", area_name="Sandwell"),
    ]
    return judge(ALL_WITHIN, Facts(ranks=lines, members=TWO)).reason


def test_all_within_tells_who_is_outside() -> None:
    told = judge_two(make_rank(1, bound_high=9), make_rank(14, bound_high=20))
    assert "The last of the authorities of West Midlands Police has rank 14 of 173" in told
    assert "which is within the 24 claimed, by all areas." in told
    assert "is what is claimed" not in told
    told = judge_two(make_rank(1), make_rank(25))
    assert "and no reading puts all within the 24 claimed: outside is Sandwell (25)." in told
    told = judge_two(make_rank(40), make_rank(25))
    assert "outside are Sandwell (25), Dudley (40)." in told
    told = judge_two(make_rank(1, 1), make_rank(30, 9, bound_low=2, bound_high=40))
    assert "which is within the 24 claimed, by significant differences only." in told
    assert "leaves the last of their ranks among all areas (30 of 173) anywhere from 2 to 90" in told


def test_all_of_a_force_needs_every_authority_and_which_they_are() -> None:
    lines = [make_rank(1, area_name="Dudley")]
    check = judge(ALL_WITHIN, Facts(ranks=lines, members=TWO))
    assert check.verdict == Verdict.NOT_CHECKABLE
    assert check.reason == (
        "Not every authority of West Midlands Police has a rank in October 2011 to September 2012: without one is "
        "E08000028 (not in the table)."
    )
    lines = [make_rank(None, area_code="E08000028", area_name="Sandwell", reason="too_few")]
    check = judge(ALL_WITHIN, Facts(ranks=lines, members=TWO))
    assert "without one are E08000027 (not in the table), Sandwell (too_few)." in check.reason
    check = judge(ALL_WITHIN, Facts(ranks=[make_rank(1)]))
    assert check.verdict == Verdict.NOT_CHECKABLE
    assert "consists of" in check.reason


# --- Modelled data


@pytest.mark.parametrize(
    ("claim", "facts"),
    [
        (
            make_claim("total", 5, period_end=end_of(2011)),
            Facts(counts={(WITH_FRAUD, end_of(2011)): Count(5, ONS, is_modelled=True)}),
        ),
        (
            make_claim("change", 0, period_end=end_of(2012), base_period_end=end_of(2011)),
            Facts(
                counts={
                    (WITH_FRAUD, end_of(2012)): Count(5, ONS),
                    (WITH_FRAUD, end_of(2011)): Count(5, ONS, is_modelled=True),
                }
            ),
        ),
        (make_claim("total", 5, period_end=end_of(2011)), Facts(crime_is_modelled=True)),
        (DUDLEY, Facts(ranks=[make_rank(1, 1, bound_high=1, is_modelled=True)])),
        (DUDLEY, Facts(ranks_are_modelled=True)),
        (ALL_WITHIN, Facts(ranks_are_modelled=True)),
        (replace(DUDLEY, period_end=None), Facts(ranks=[make_rank(1, is_modelled=True)])),
    ],
)
def test_no_judgement_comes_out_of_modelled_figures(claim: Claim, facts: Facts) -> None:
    check = judge(claim, facts)
    assert check.verdict == Verdict.MODELLED
    assert check.is_modelled
    for name in ("observed", "difference", "reading", "observed_of", "bound_low", "bound_high", "release_id"):
        assert getattr(check, name) is None, name


def test_a_published_ranking_decides_beside_a_modelled_one() -> None:
    claim = replace(DUDLEY, period_end=None)
    ranks = [make_rank(9, period_end=date(2013, 6, 30)), make_rank(1, period_end=date(2013, 12, 31), is_modelled=True)]
    check = judge(claim, Facts(ranks=ranks))
    assert (check.verdict, check.observed, check.is_modelled) == (Verdict.DIFFERS, 9, False)


def test_sums_and_operational_figures_need_no_data_of_any_kind() -> None:
    facts = Facts(crime_is_modelled=True, ranks_are_modelled=True)
    assert judge(make_claim("arithmetic", 2, tolerance="0"), facts).verdict == Verdict.SUPPORTED
    check = judge(make_claim("not_published", 3_670, measure=None), facts)
    assert check.verdict == Verdict.NOT_CHECKABLE
    assert check.publication_needed == "Own records of West Midlands Police"


# --- Arithmetic


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("21633 - 13431", 8202),
        ("100 * (21633 - 13431) / 21633", 37.9143),
        ("30000000 / 8202", 3657.6445),
        ("-2 + 3 * -(1.5 - .5)", -5),
        (" 7 ", 7),
        ("(" * 90 + "7" + ")" * 90, 7),
        ("-" * 198 + "7", 7),
        ("2*3-4/2", 4),
        ("+3", 3),
        ("8 / 2 / 2", 2),
    ],
)
def test_an_expression(text: str, value: float) -> None:
    assert evaluate(make_claim("arithmetic", 0, measure=text)) == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(
    "text",
    [
        *("__import__('os')", "__import__('os').system('true')", "9**9**9", "9 ** 2", "7 // 2", "7 % 2", "1e309"),
        *("a + 1", "(1).real", "[1]", "(1, 2)", "()", "", "   ", "1 +", "(1", "1)", "1 2", "01", "1_000", "0x10"),
        *("1 if 1 else 2", "lambda: 1", "1 < 2", "'1'", "True", "1j", "~1", "1 & 1", "1\n+1", "1\0", "１ + １", "²"),
        *("1..2", "1/0", "1 / (2 - 2)", "(" * 100 + "1" + ")" * 101, "-" * 201 + "1", "9" * 201, ". + 1"),
    ],
)
def test_an_expression_that_is_refused(text: str) -> None:
    claim = make_claim("arithmetic", 0, measure=text)
    with pytest.raises(JusticeError) as refused:
        evaluate(claim)
    assert "warehouse/ref/claim.csv, claim a-claim, column measure" in refused.value.what
    assert refused.value.next_step
    assert len(str(refused.value)) < 600


def test_the_sum_of_a_claim() -> None:
    """8,202 of 21,633 is 37.9%: 1.1 points from the 39 claimed, beyond a rounding of half a point."""
    claim = make_claim("arithmetic", 39, measure="100 * (21633 - 13431) / 21633", unit="percent", tolerance="0.5")
    check = judge(claim, Facts())
    assert check.verdict == Verdict.DIFFERS
    assert check.observed == pytest.approx(37.9143, abs=1e-4)
    assert check.difference == pytest.approx(-1.0857, abs=1e-4)
    assert "gives 37.91 percent" in check.reason
    assert judge(replace(claim, claimed_value=38), Facts()).verdict == Verdict.SUPPORTED
    assert judge(replace(claim, claimed_value=37.9), Facts()).verdict == Verdict.SUPPORTED
    assert judge(replace(claim, claimed_value=37.8, tolerance="0.1"), Facts()).verdict == Verdict.DIFFERS


def test_what_a_claim_implies_is_set_beside_published_unit_costs() -> None:
    """(100 · 3 + 1000 · 1)/4 = 325 on average."""
    claim = make_claim("arithmetic", 30_000_000, measure="30000000 / 8202", unit="pounds")
    costs = [UnitCost("Motoring", 100, 3, 2016, "2017/18"), UnitCost("Robbery", 1_000, 1, 2016, "2017/18")]
    check = judge(claim, Facts(unit_costs=costs))
    assert check.verdict == Verdict.NOT_CHECKABLE
    assert (check.observed, check.difference) == (None, None)  # pounds an offence are no pounds
    for part in (
        "3,657.64 pounds each",
        "100 pounds (Motoring)",
        "1,000 (Robbery)",
        "325 on average",
        "2017/18 prices",
    ):
        assert part in check.reason
    assert "mix of the offences" in check.reason
    assert check.publication_needed
    assert "unit costs" not in judge(claim, Facts()).reason
    assert "unit costs" not in judge(replace(claim, unit="offences"), Facts(unit_costs=costs)).reason


def test_what_rounds_to_the_claim_is_told_as_that() -> None:
    """1/3 = .333…, .0033… from the .33 printed: the same to two decimals, whatever the tolerance."""
    for tolerance in ("0", "0.1", "5%"):
        check = judge(make_claim("arithmetic", 0.33, measure="1 / 3", unit="ratio", tolerance=tolerance), Facts())
        assert check.verdict == Verdict.SUPPORTED
        assert check.reason == "1 / 3 gives 0.33 ratio: that rounds to the 0.33 claimed."
    check = judge(make_claim("arithmetic", 0.33, measure="1 / 4", unit="ratio", tolerance="0.1"), Facts())
    assert "that is 0.08 below the 0.33 claimed, within the rounding of the claim (0.1 either way)." in check.reason


# --- Lines that cannot be read


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_figure_that_is_none(kind: str, value: float) -> None:
    with pytest.raises(JusticeError, match="claim a-claim, column claimed_value") as refused:
        judge(make_claim(kind, value, period_end=end_of(2011)), Facts())
    assert "write a number" in refused.value.next_step


@pytest.mark.parametrize("text", ["", "x", "-1", "0,5", "5 %", "1e3", "%", "0.5%%", "nan", "inf", ".5", "0.5 points"])
def test_a_tolerance_that_is_none(text: str) -> None:
    with pytest.raises(JusticeError, match="claim a-claim, column tolerance") as refused:
        judge(make_claim("not_published", 1, tolerance=text), Facts())
    assert "0.5%" in refused.value.next_step


def test_tolerances() -> None:
    percent = parse_tolerance(make_claim("total", -200, tolerance="0.5%"))
    assert percent is not None
    assert (percent.allowed, percent.is_for_revisions) == (1, True)
    plain = parse_tolerance(make_claim("total", -200, tolerance="0.5"))
    assert plain is not None
    assert (plain.allowed, plain.is_for_revisions) == (0.5, False)
    assert parse_tolerance(make_claim("total", -200)) is None


def test_a_kind_that_is_none() -> None:
    with pytest.raises(JusticeError, match="claim a-claim, column claim_check: 'guess'") as refused:
        judge(make_claim("guess", 1), Facts())
    assert all(kind in refused.value.next_step for kind in KINDS)


@pytest.mark.parametrize(
    ("claim", "column"),
    [
        (make_claim("total", 1, period_end=None), "period_end"),
        (make_claim("total", 1, period_end=end_of(2011), offence_id=None), "offence_id"),
        (make_claim("total", 1, period_end=end_of(2011), measure="reoffending"), "measure"),
        (make_claim("change", 1, period_end=end_of(2011)), "base_period_end"),
        (make_claim("change_percent", 1, period_end=end_of(2011)), "base_period_end"),
        (make_claim("ratio", 1, period_end=end_of(2011)), "base_period_end"),
        (make_claim("lowest_since", 1, period_end=end_of(2011)), "base_period_end"),
        (make_claim("rank", 1, measure="recorded_crime"), "measure"),
        (make_claim("rank", 1, measure=None), "measure"),
        (make_claim("arithmetic", 1, measure=None), "measure"),
    ],
)
def test_a_column_that_its_check_needs(claim: Claim, column: str) -> None:
    with pytest.raises(JusticeError, match=f"claim.csv, claim a-claim, column {column}: ") as refused:
        judge(claim, Facts())
    assert refused.value.next_step


def test_words() -> None:
    assert name_months(date(2012, 9, 30)) == "October 2011 to September 2012"
    assert name_months(date(2013, 12, 31)) == "January 2013 to December 2013"
    assert [format_number(v) for v in (215_354.0, 0.5, -40, 1_234.25)] == ["215,354", "0.5", "-40", "1,234.25"]
