"""Cohorts of England and Wales as far as they are known, and a model of the rest.

What is known stays as it is; what is not is shared out in whole numbers that add to it. A cohort year is named by
the year in which it starts, in April.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from samples.tables import apportion, read_figures

WHOLE = "England and Wales"
AGES = ("adult", "child")

_REVISED = 2013
"""The cohort year that a later release revised, in its last quarter alone."""
_SETTLED = 2021
"""The last cohort year of which adults are known; later ones are split like it."""


class Cohort(NamedTuple):
    """Counts of a cohort."""

    offenders: int
    reoffenders: int
    reoffences: int

    def less(self, other: Cohort) -> Cohort:
        """What is left without the other."""
        return Cohort(*(one - part for one, part in zip(self, other, strict=True)))


def sum_cohorts(cohorts: list[Cohort]) -> Cohort:
    """All together."""
    return Cohort(*(sum(counts) for counts in zip(*cohorts, strict=True)))


def to_cohort(line: dict[str, str]) -> Cohort:
    """The counts of a line of our figure tables."""
    return Cohort(int(line["offenders"]), int(line["reoffenders"]), int(line.get("reoffences") or 0))


def name_quarters(year: int) -> list[str]:
    """First days of the four quarters of a cohort year."""
    return [f"{year}-04-01", f"{year}-07-01", f"{year}-10-01", f"{year + 1}-01-01"]


@cache
def _printed_quarters() -> dict[tuple[str, str], Cohort]:
    lines = read_figures("reoffending_three_month_cohorts")
    return {(line["cohort_start"], line["age_group"]): to_cohort(line) for line in lines}


@cache
def _whole_years() -> dict[int, Cohort]:
    return {int(line["cohort_start"][:4]): to_cohort(line) for line in read_figures("reoffending_years")}


@cache
def _adults_by_quarter() -> dict[str, int]:
    return {line["cohort_start"]: int(line["offenders"]) for line in read_figures("reoffending_adult_offenders")}


@cache
def known_areas() -> dict[tuple[int, str], Cohort]:
    """Adults of England and Wales, London and Lambeth by cohort year; their reoffences are not known."""
    lines = read_figures("reoffending_areas")
    return {(int(line["cohort_start"][:4]), line["area"]): to_cohort(line) for line in lines}


def first_year(year: int, age: str) -> Cohort:
    """A cohort year as it was first published: its four quarters."""
    return sum_cohorts([_printed_quarters()[quarter, age] for quarter in name_quarters(year)])


@cache
def year_counts(year: int) -> dict[str, Cohort]:
    """A cohort year by age group, in its newest edition."""
    if year < _REVISED:
        return {age: first_year(year, age) for age in AGES}
    whole = _whole_years()[year]
    adults = _adult_offenders(year, whole)
    children = whole.offenders - adults
    young = _child_reoffenders(year, whole, children)
    reoffenders = (whole.reoffenders - young, young)
    reoffences = _split_reoffences(year, whole, reoffenders)
    lines = zip((adults, children), reoffenders, reoffences, strict=True)
    return {age: Cohort(*line) for age, line in zip(AGES, lines, strict=True)}


def _adult_offenders(year: int, whole: Cohort) -> int:
    quarters = [_adults_by_quarter().get(quarter) for quarter in name_quarters(year)]
    known = [count for count in quarters if count is not None]
    if len(known) == len(quarters):
        return sum(known)
    if year <= _SETTLED:
        return known_areas()[year, WHOLE].offenders
    return apportion(whole.offenders, [year_counts(_SETTLED)[age].offenders for age in AGES])[0]


def _child_reoffenders(year: int, whole: Cohort, children: int) -> int:
    """Known for three years; between two of them the rate of children falls evenly, after the last it stays."""
    if year == _REVISED:
        return first_year(year, "child").reoffenders + _revision(whole)["child"].reoffenders
    if adults := known_areas().get((year, WHOLE)):
        return whole.reoffenders - adults.reoffenders
    if year > _SETTLED:
        return apportion(whole.reoffenders, [year_counts(_SETTLED)[age].reoffenders for age in AGES])[1]
    first, last = (year_counts(known)["child"] for known in (_REVISED, 2020))
    high, low = (cohort.reoffenders / cohort.offenders for cohort in (first, last))
    return round(children * (high + (low - high) * (year - _REVISED) / (2020 - _REVISED)))


def _split_reoffences(year: int, whole: Cohort, reoffenders: tuple[int, int]) -> list[int]:
    """By reoffenders, each age group with as many reoffences a reoffender as in the last year that is known."""
    printed = [first_year(_REVISED, age) for age in AGES]
    if year == _REVISED:
        revision = _revision(whole)
        return [cohort.reoffences + revision[age].reoffences for age, cohort in zip(AGES, printed, strict=True)]
    per_million = [cohort.reoffences * 1_000_000 // cohort.reoffenders for cohort in printed]
    return apportion(whole.reoffences, [n * rate for n, rate in zip(reoffenders, per_million, strict=True)])


def _revision(whole: Cohort) -> dict[str, Cohort]:
    """By how much the revised year is larger: known in all, and for adult offenders, whose share the rest takes."""
    printed = {age: first_year(_REVISED, age) for age in AGES}
    more = whole.less(sum_cohorts(list(printed.values())))
    adults = _adult_offenders(_REVISED, whole) - printed["adult"].offenders
    weights = [adults, more.offenders - adults]
    parts = [weights, apportion(more.reoffenders, weights), apportion(more.reoffences, weights)]
    return {age: Cohort(*line) for age, line in zip(AGES, zip(*parts, strict=True), strict=True)}


def first_quarter(quarter: str, age: str) -> Cohort:
    """A quarterly cohort as the release of October 2017 has it."""
    return _printed_quarters().get((quarter, age)) or quarter_counts(quarter, age)


def quarter_counts(quarter: str, age: str) -> Cohort:
    """A quarterly cohort in its newest edition; offenders of quarters are known of adults to June 2021."""
    year = int(quarter[:4]) - (quarter[5:7] == "01")
    return _split_year(year, age)[quarter]


@cache
def _split_year(year: int, age: str) -> dict[str, Cohort]:
    quarters, whole = name_quarters(year), year_counts(year)[age]
    printed = [_printed_quarters().get((quarter, age)) for quarter in quarters]
    known = [cohort for cohort in printed if cohort]
    if year == _REVISED:
        known[3] = whole.less(sum_cohorts(known[:3]))
    if not known:
        adults = [_adults_by_quarter()[quarter] for quarter in quarters]
        offenders = apportion(whole.offenders, adults)
        reoffenders = apportion(whole.reoffenders, offenders)
        reoffences = apportion(whole.reoffences, reoffenders)
        known = [Cohort(*counts) for counts in zip(offenders, reoffenders, reoffences, strict=True)]
    return dict(zip(quarters, known, strict=True))
