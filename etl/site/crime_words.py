"""What is said of figures of recorded crime: counts, rates and changes, with why there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from etl.site.words import MARKERS, format_count, format_rate, format_signed, tell_reason

Row = Mapping[str, Any]

ACTIONS = {"null": "no change is given across it", "annotate": "changes are given, and name it"}
"""What a break does to changes on year."""

EFFECTS = {
    "up": "more is counted since",
    "down": "less is counted since",
    "split": "counted apart since",
    "missing": "figures are missing",
    "estimated": "figures are estimated",
    "none": "none on the count",
}
"""What a break does to the count."""

PREVIOUS = {
    "implied_by_P2": "The count of the year before is worked out from the percentage that the release prints.",
    "other_release": "The count of the year before is from another release, so that revisions are part of the change.",
}
"""Where the year before is from, if not from the same release."""


def name_year(row: Row) -> str:
    """The year of a line by its last month: `March 2019`."""
    return f"{row['period_end']:%B %Y}"


def count_digits(rows: Iterable[Row]) -> int:
    """Decimal places that tell rates of this size apart, as in rankings."""
    highest = max((row["rate_per_1000"] for row in rows if row["rate_per_1000"] is not None), default=0.0)
    return 1 if highest >= 10 else 2 if highest >= 1 else 3


def tell_count(row: Row) -> str:
    """The count, or its marker with what that means."""
    if row["offences"] is not None:
        return format_count(row["offences"])
    marker = row["offences_marker"]
    return f"{marker} {MARKERS.get(marker, '')}".strip() if marker else "none held"


def tell_rate(row: Row, digits: int) -> str:
    """The rate per 1,000 residents with its interval, or why there is none."""
    if row["rate_per_1000"] is None:
        return tell_reason(row["rate_reason"])
    rate = format_rate(row["rate_per_1000"], digits)
    if row["rate_low_per_1000"] is None or row["rate_high_per_1000"] is None:
        return rate
    low, high = (format_rate(row[name], digits) for name in ("rate_low_per_1000", "rate_high_per_1000"))
    return f"{rate} ({low} to {high})"


def tell_change(row: Row) -> str:
    """The change on the year before in percent with its interval, or why there is none."""
    if row["change_percent"] is None:
        counted = "" if row["change"] is None else f"{format_signed(row['change'], 0)} offences; "
        return counted + tell_reason(row["reason"])
    change = f"{format_signed(row['change_percent'])}%"
    if row["change_low_percent"] is None or row["change_high_percent"] is None:
        return change
    return f"{change} ({format_signed(row['change_low_percent'])} to {format_signed(row['change_high_percent'])})"


def tell_newest(area: str, row: Row, digits: int) -> list[str]:
    """Sentences on the newest year of an area: the count, the rate, and the change or why there is none.

    Args:
        area: its name.
        row: a line of mart.crime_trend with a count.
        digits: decimal places of rates.
    """
    were = "offence was" if row["offences"] == 1 else "offences were"
    first = f"In the year ending {name_year(row)}, {format_count(row['offences'])} {were} recorded in {area}."
    sentences = [f"{first} {tell_rate_in_full(row, digits)}", tell_change_in_full(row)]
    if row["change"] is not None and row["previous_source"] in PREVIOUS:
        sentences.append(PREVIOUS[row["previous_source"]])
    return sentences


def tell_rate_in_full(row: Row, digits: int = 1) -> str:
    """A sentence on the rate of a year with its interval, or why there is none."""
    reason = tell_reason(row["rate_reason"] or row["reason"])
    if row["rate_per_1000"] is None:
        return f"No rate is given: {reason}."
    residents = f", on the residents of mid-{row['population_mid_year']}" if row["population_mid_year"] else ""
    rate = f"That is {format_rate(row['rate_per_1000'], digits)} per 1,000 residents"
    if row["rate_low_per_1000"] is None or row["rate_high_per_1000"] is None:
        return f"{rate}{residents}; no interval is given: {reason}."
    low, high = (format_rate(row[name], digits) for name in ("rate_low_per_1000", "rate_high_per_1000"))
    return f"{rate} (95% interval {low} to {high}, chance only){residents}."


def tell_change_in_full(row: Row) -> str:
    """A sentence on the change of a count on the year before with its interval, or why there is none."""
    if row["change"] is None:
        return f"No change on the year before is given: {tell_reason(row['reason'])}."
    size = f"{format_count(abs(row['change']))} {'more' if row['change'] > 0 else 'fewer'} than in the year before"
    if row["change"] == 0:
        size = "as many as in the year before"
    if row["change_percent"] is None:
        return f"That is {size}; no percentage is given: {tell_reason(row['reason'])}."
    percent = f"{format_signed(row['change_percent'])}%"
    if row["change_low_percent"] is None or row["change_high_percent"] is None:
        return f"That is {size} ({percent})."
    low, high = format_signed(row["change_low_percent"]), format_signed(row["change_high_percent"])
    return f"That is {size} ({percent}; 95% interval {low}% to {high}%, chance only)."


def tell_cost(area: str, row: Row) -> str:
    """One careful sentence on what offences of a year come to at the average cost of a reoffence.

    Args:
        area: its name.
        row: a line of mart.crime_cost with a cost.
    """
    text = (
        f"An order of magnitude only: {format_count(row['offences'])} offences of the year ending {name_year(row)} in "
        f"{area}, times the published average cost of a reoffence of this group "
        f"(£{row['unit_cost_pounds']:,.0f}, cohort of {row['cohort_year']}, prices of {row['price_base']}), come to "
        f"about {_round_pounds(row['cost_pounds'])}. That average is of England and Wales and of reoffences, and what "
        "is not recorded is left out: it is no cost of this area's crime, no spending and no saving."
    )
    return text if row["is_whole"] is not False else f"{text} The count leaves out a force that could supply no data."


def _round_pounds(pounds: float) -> str:
    """Pounds to two figures: an order of magnitude has no more."""
    if pounds < 1:
        return f"£{pounds:.2f}"
    places = 1 - math.floor(math.log10(pounds))
    rounded = round(pounds, places)
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if rounded >= size:
            return f"£{rounded / size:,.1f}".removesuffix(".0") + f" {name}"
    return f"£{rounded:,.0f}"
