"""The terms that claims are judged in: what a claim, the figures beside it and what came of it are, how a line of the
claims is read, and how a figure is compared with what was claimed and told.

`etl.claim_counts` and `etl.claim_ranks` judge in them, `etl.claims` chooses who does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from etl.errors import JusticeError

Bound = TypeVar("Bound")

CLAIMS_FILE = "warehouse/ref/claim.csv"
INCLUDING_FRAUD, EXCLUDING_FRAUD = "total_including_fraud", "total_excluding_fraud"
RECORDED_CRIME, LOCAL_ADULT = "recorded_crime", "local_adult_reoffending"
UPPER_TIER_AUTHORITIES = 174
"""Upper-tier and unitary authorities of England and Wales to March 2019 (Open Geography), over all of these tables."""
SMALL_BASE = 50
"""Under it the publisher prints no percentage change, and none is judged."""
LONGEST_EXPRESSION = 200
"""Characters of an expression: no number beyond 10^200, which a double holds, can be made of them."""
BREAKS = {
    "measure_break": "the way of counting changed",
    "classification": "the classification changed",
    "missing_period": "part of the figures is missing",
    "coverage_changed": "the figures are not made of the same forces",
    "boundary": "a boundary changed",
    "split": "the area was split",
}
"""Reason codes of `mart.crime_trend` across which nothing is compared."""


class Verdict(StrEnum):
    """What the figures say of a claim; the words are those of `mart.claim_check.verdict`."""

    SUPPORTED = "supported"
    WITHIN_REVISIONS = "supported within revisions"
    DIFFERS = "differs"
    NOT_TOLD_APART = "cannot be told apart"
    NOT_CHECKABLE = "not checkable"
    MODELLED = "not checkable (modelled data)"


@dataclass(frozen=True)
class Claim:
    """A line of `ref.claim`; a tolerance of `0.5%` allows for revisions, `0.5` (in its unit) is its own rounding."""

    claim_id: str
    area_code: str
    area_name: str
    claim_check: str
    claimed_value: float
    unit: str
    measure: str | None = None
    offence_id: str | None = None
    period_end: date | None = None
    base_period_end: date | None = None
    claimed_of: int | None = None
    tolerance: str | None = None


@dataclass(frozen=True)
class Count:
    """Offences of a year, as `mart.crime_trend` states them, with what they are compared with there: the year before,
    of the same release where that states it. `reason` says what breaks the series into this year."""

    offences: int | None
    release_id: str
    offence_name: str = "recorded crime"
    is_modelled: bool = False
    reason: str | None = None
    previous_offences: int | None = None
    previous_release_id: str | None = None
    previous_source: str | None = None


@dataclass(frozen=True)
class RankLine:
    """A line of `mart.local_adult_reoffending_rank`, with how many lines its ranking has, and significant ones."""

    area_code: str
    period_end: date
    rank_all: int | None
    rank_significant: int | None
    ranked_areas: int | None
    significant_areas: int
    areas: int
    bound_low: int | None
    bound_high: int | None
    release_id: str
    is_modelled: bool = False
    reason: str | None = None
    area_name: str | None = None


@dataclass(frozen=True)
class UnitCost:
    """A line of `ref.unit_cost`: pounds a reoffence, and how many reoffences the publisher costed with it."""

    offence_group: str
    pounds: float
    reoffences: float
    cohort_year: int
    price_base: str


@dataclass(frozen=True)
class Facts:
    """The figures that concern a claim.

    Attributes:
        counts: of the claim's area, by offence and last day of the year.
        ranks: lines of the claim's area, or of its members.
        members: upper-tier authorities of the area, where that is a police force.
        unit_costs: all published unit costs.
        crime_is_modelled: whether all recorded crime that is held is modelled.
        ranks_are_modelled: whether all rankings that are held are modelled.
    """

    counts: Mapping[tuple[str, date], Count] = field(default_factory=dict)
    ranks: Sequence[RankLine] = ()
    members: frozenset[str] = frozenset()
    unit_costs: Sequence[UnitCost] = ()
    crime_is_modelled: bool = False
    ranks_are_modelled: bool = False


@dataclass(frozen=True)
class Check:
    """What came of a claim: the columns of `mart.claim_check` beside those of the claim itself."""

    verdict: Verdict
    reason: str
    observed: float | None = None
    difference: float | None = None
    reading: str | None = None
    observed_of: int | None = None
    bound_low: int | None = None
    bound_high: int | None = None
    publication_needed: str | None = None
    release_id: str | None = None
    base_release_id: str | None = None
    is_modelled: bool = False


class CannotJudgeError(Exception):
    """Ends a judgement for want of figures; `check` is what is said instead."""

    def __init__(self, check: Check) -> None:
        super().__init__(check.reason)
        self.check = check


# --- Reading a claim


@dataclass(frozen=True)
class Tolerance:
    """How far a figure may lie from the claim, in its unit, and as it was written."""

    allowed: float
    is_for_revisions: bool
    text: str


def parse_tolerance(claim: Claim) -> Tolerance | None:
    """The tolerance of a claim; None where it names none.

    Raises:
        JusticeError: it is neither a number nor a percentage of 0 and more.
    """
    if claim.tolerance is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", claim.tolerance)
    if match is None:
        raise unreadable(
            claim, "tolerance", claim.tolerance, "write 0.5% (allowed for revisions) or 0.5 (the claim's own rounding)"
        )
    number, percent = float(match[1]), bool(match[2])
    return Tolerance(number / 100 * abs(claim.claimed_value) if percent else number, percent, claim.tolerance)


def unreadable(claim: Claim, column: str, found: object, what_to_do: str) -> JusticeError:
    """The error of a column of a claim that cannot be read: names file, claim and column; the caller raises it."""
    shown = repr(found) if len(repr(found)) <= LONGEST_EXPRESSION else f"{repr(found)[:LONGEST_EXPRESSION]}…"
    return JusticeError(f"{CLAIMS_FILE}, claim {claim.claim_id}, column {column}: {shown} cannot be read", what_to_do)


def need(claim: Claim, column: str, value: Bound | None) -> Bound:
    """The value of a column of a claim.

    Raises:
        JusticeError: it is empty.
    """
    if value is None:
        raise unreadable(claim, column, value, f"fill it in: a claim of the kind {claim.claim_check} needs it")
    return value


def need_measure(claim: Claim, measure: str) -> None:
    """A check of one kind is judged by one measure.

    Raises:
        JusticeError: the claim names another one.
    """
    if claim.measure != measure:
        raise unreadable(claim, "measure", claim.measure, f"write {measure}: {claim.claim_check} is judged by it")


# --- Comparing


def compare(claim: Claim, observed: float) -> Verdict:
    """How a figure stands to the claim: equal to its precision, within its tolerance, or different."""
    if _rounds_to_claim(claim, observed):
        return Verdict.SUPPORTED
    tolerance = parse_tolerance(claim)
    if tolerance is None or abs(observed - claim.claimed_value) > tolerance.allowed + _slack(claim):
        return Verdict.DIFFERS
    return Verdict.WITHIN_REVISIONS if tolerance.is_for_revisions else Verdict.SUPPORTED


def _rounds_to_claim(claim: Claim, observed: float) -> bool:
    """Whether a figure is the claim to the precision in which that was printed."""
    half = 0.5 * 10.0 ** -_count_decimals(claim.claimed_value)
    return abs(observed - claim.claimed_value) <= half + _slack(claim)


def _slack(claim: Claim) -> float:
    return 1e-9 * max(1.0, abs(claim.claimed_value))


def _count_decimals(value: float) -> int:
    return len(f"{value:.10f}".rstrip("0").partition(".")[2])


def check_value(claim: Claim, observed: float, told: str, counts: Sequence[Count], more: Sequence[str] = ()) -> Check:
    """What comes of a figure beside the claim.

    Args:
        claim: what is claimed.
        observed: the figure.
        told: what it is, as a sentence without its end.
        counts: what it was made of: the claim's own year, then the earlier year if there is one.
        more: sentences to say after it.
    """
    verdict = compare(claim, observed)
    return Check(
        verdict,
        " ".join([f"{told}: {_say_difference(claim, observed, verdict)}.", *more]),
        observed=observed,
        difference=observed - claim.claimed_value,
        release_id=counts[0].release_id if counts else None,
        base_release_id=counts[-1].release_id if len(counts) > 1 else None,
    )


def _say_difference(claim: Claim, observed: float, verdict: Verdict) -> str:
    difference = observed - claim.claimed_value
    claimed = format_number(claim.claimed_value)
    if abs(difference) <= _slack(claim):
        return f"that is the {claimed} claimed"
    if _rounds_to_claim(claim, observed):
        return f"that rounds to the {claimed} claimed"
    decimals = max(_count_decimals(claim.claimed_value), 0 if float(observed).is_integer() else 1)
    side = "above" if difference > 0 else "below"
    decimals = max(decimals, 3) if abs(difference) < 0.1 else decimals
    away = f"{format_number(abs(difference), decimals)} {side} the {claimed} claimed"
    tolerance = parse_tolerance(claim)
    if tolerance is None:
        return f"that is {away}"
    limit = f"the {tolerance.text} allowed for revisions"
    if not tolerance.is_for_revisions:
        limit = f"the rounding of the claim ({format_number(tolerance.allowed)} either way)"
    return f"that is {away}, {'more than' if verdict is Verdict.DIFFERS else 'within'} {limit}"


def format_number(value: float, decimals: int = 10) -> str:
    """A number as people read it: thousands separated, at most so many decimals, none at the end that are 0."""
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def name_year(end: date) -> str:
    """A year by its end: `the year ending March 2011`."""
    return f"the year ending {end:%B %Y}"


def name_months(end: date) -> str:
    """A year by its months: `October 2011 to September 2012`."""
    start = date(end.year, 1, 1) if end.month == 12 else date(end.year - 1, end.month + 1, 1)
    return f"{start:%B %Y} to {end:%B %Y}"


def say_modelled() -> Check:
    """What comes of a claim where only modelled samples are held."""
    return Check(
        Verdict.MODELLED,
        "Only modelled samples are held of the figures that would decide: no judgement on a named area comes out of "
        "them.",
        is_modelled=True,
    )
