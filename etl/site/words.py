"""The words of the pages: what levels, states, reasons and markers are called, and how numbers are written."""

from __future__ import annotations

ENGLAND_AND_WALES = "K04000001"
"""The code of both together, of which national figures are."""

PAGES = (
    ("Areas", "areas/index.html"),
    ("Rankings", "rankings/index.html"),
    ("Crime trends", "crime/index.html"),
    ("Map", "map/index.html"),
    ("Claims", "claims/index.html"),
    ("Releases", "releases/index.html"),
    ("Data", "data/index.html"),
    ("Dictionary", "dictionary/index.html"),
    ("Quality", "quality/index.html"),
)
"""The parts of the site, as every page leads to them."""

TABLES = {
    "recorded_crime": "Recorded crime",
    "reoffending": "Proven reoffending",
    "local_adult_reoffending": "Local adult reoffending",
}
"""What the tables of figures are called on a page."""

LEVELS = {
    "country": "country",
    "region": "region",
    "police_force": "police force",
    "upper_tier": "upper-tier authority",
    "lower_tier": "lower-tier authority",
    "csp": "Community Safety Partnership",
    "other": "body without residents",
}
"""What one area of each level is called on a page."""

LEVELS_PLURAL = {
    "country": "Countries",
    "region": "Regions",
    "police_force": "Police forces",
    "upper_tier": "Upper-tier authorities",
    "lower_tier": "Lower-tier authorities",
    "csp": "Community Safety Partnerships",
    "other": "Others, without residents",
}
"""What the areas of each level are called on a page, in the order in which levels are shown."""

STATES = {"current": "Current", "superseded": "Replaced", "withdrawn": "Withdrawn"}
"""The states of a release, on a page."""

REASONS = {
    "no_data": "the figure itself is missing",
    "no_previous": "nothing is held of the same period a year before",
    "base_under_50": "the year before has fewer than 50, so that no percentage is given",
    "measure_break": "how it is measured changed in between",
    "classification": "what counts as this offence changed in between",
    "missing_period": "a force could supply no data for part of the time",
    "coverage_changed": "the two years are not made of the same forces, or a force no longer records fraud",
    "boundary": "its boundary moved in between",
    "split": "it was made by splitting an area",
    "negative_count": "the count is a correction below zero",
    "population_missing": "its population is not known",
    "no_resident_population": "it has no residents to speak of, so that a rate means nothing",
    "too_few": "too few for a ranking",
    "no_spread": "the areas differ no more than by chance",
    "unknown_area": "it is no area but offenders of other areas, or of none that is known",
}
"""Reason codes in words: why there is no figure. They go on after "because" or a colon."""

MARKERS = {
    "[b]": "break in the series",
    "[c]": "confidential",
    "[e]": "estimated",
    "[low]": "low, but not zero",
    "[p]": "provisional",
    "[r]": "revised",
    "[u]": "low reliability",
    "[w]": "none recorded in the period",
    "[x]": "not available",
    "[z]": "not applicable, or not shown",
    "[blank]": "an empty cell in the publication",
}
"""Markers in words."""


def tell_reason(reason: str | None) -> str:
    """Why there is no figure; a plain statement where no reason is held."""
    return REASONS.get(reason or "", reason or "no reason is held")


def format_count(count: float | None) -> str:
    """A count with commas; a dash where there is none."""
    return "–" if count is None else f"{count:,.0f}"


def format_rate(value: float | None, digits: int = 1) -> str:
    """A rate or percentage with its decimal places, without a sign where it rounds to 0; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    return text if text.strip("-0.") else text.removeprefix("-")


def format_signed(value: float | None, digits: int = 1) -> str:
    """A change with its sign, but `0.0` of what rounds to nothing; a dash where there is none.

    A minus is a real one, as in print.
    """
    if value is None:
        return "–"
    text = f"{value:+,.{digits}f}"
    return text.replace("-", "−") if text.strip("+-0.") else text[1:]
