"""What the page of an area says in sentences: no figure without its interval, no gap without its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from etl.rank_words import KINDS, count_by_chance, describe_area
from etl.rank_words import LEVELS as AREAS
from etl.revisions import AGE_GROUPS, describe_revision, format_day
from etl.site.area_data import Held
from etl.site.area_places import Place, Turn
from etl.site.crime_words import tell_change_in_full, tell_rate_in_full
from etl.site.frame import Row
from etl.site.series import tell_days
from etl.site.words import LEVELS, LEVELS_PLURAL, MARKERS, format_count, format_rate, format_signed, tell_reason

AGE_NAMES = {"all": "Adults and children", "adult": "Adults", "child": "Children"}
"""Age groups as the first word of a cell or a heading."""

MEASURE_NAMES = {"three_month_cohort": "Three-month cohorts", "twelve_month_cohort": "Twelve-month cohorts"}

TOTALS = {
    "total_excluding_fraud": "total recorded crime, excluding fraud",
    "total_including_fraud": "total recorded crime, including fraud",
}

FUNNEL = {
    "below_99_8": "lies below the 99.8% limits",
    "below_95": "lies below the 95% limits, but within those of 99.8%",
    "inside": "lies inside the 95% limits",
    "above_95": "lies above the 95% limits, but within those of 99.8%",
    "above_99_8": "lies above the 99.8% limits",
}
"""Where a rate lies against the average of all that are ranked, given its size."""


def tell_marker(marker: str | None) -> str:
    """A marker with its meaning: `[x] (not available)`."""
    if marker is None:
        return "no number"
    return f"{marker} ({MARKERS[marker]})" if marker in MARKERS else marker


def list_markers(rows: Iterable[Row], names: Iterable[str]) -> list[str]:
    """The markers that stand in some columns of lines, each once with its meaning."""
    found = {row[name] for row in rows for name in names if row[name] is not None}
    return [tell_marker(marker) for marker in sorted(found)]


def describe_year(end: date | None) -> str:
    """A year by its last day: `year to 31 March 2018`."""
    return f"year to {format_day(end)}" if end else "a year that is not named"


def describe_cohort(row: Row) -> str:
    """The cohort of a line by its months: `April 2023 to March 2024`."""
    start, end = row["cohort_start"], row["cohort_end"]
    return f"{start:%B %Y} to {end:%B %Y}" if start else describe_year(end)


# --- Recorded crime


def find_newest(rows: list[Row], name: str) -> Row | None:
    """The newest line that has a number in a column."""
    return next((row for row in reversed(rows) if row[name] is not None), None)


def tell_crime(rows: list[Row]) -> list[str]:
    """The newest year of the total of an area: count, rate and change, each with its interval or why there is none.

    Args:
        rows: lines of mart.crime_trend of one area and total, oldest first.
    """
    newest, told = rows[-1], find_newest(rows, "offences")
    sentences = []
    if newest["offences"] is None:
        missing = newest["offences_marker"]
        why = tell_marker(missing) if missing else tell_reason(newest["reason"])
        sentences.append(f"For the {describe_year(newest['period_end'])} no total is held: {why}.")
    if told is None:
        return sentences
    lead = "The newest year with a total is the" if sentences else "In the"
    name = TOTALS.get(told["offence_id"], told["offence_name"])
    were = "offence was" if told["offences"] == 1 else "offences were"
    sentences.append(
        f"{lead} {describe_year(told['period_end'])}{':' if sentences else ','} {format_count(told['offences'])} "
        f"{were} recorded ({name}). {tell_rate_in_full(told)}"
    )
    sentences.append(tell_change_in_full(told))
    return sentences


def tell_break(row: Mapping[str, Any]) -> str:
    """A break of the series: since when, and what it was."""
    return f"{tell_days(row)}: {row['note'] or row['effect'] or row['break_id']}"


# --- Reoffending


def tell_reoffending(row: Row) -> str:
    """An annual cohort: rate with interval, and change in points with interval or why there is none."""
    ages = AGE_GROUPS.get(row["age_group"], row["age_group"])
    if row["rate_percent"] is None:
        markers = [row[name] for name in ("offenders_marker", "reoffenders_marker") if row[name]]
        why = tell_marker(markers[0]) if markers else tell_reason(row["reason"])
        return f"Of {ages} in the cohort {describe_cohort(row)} no rate is held: {why}."
    interval = ""
    if row["rate_low_percent"] is not None:
        low, high = format_rate(row["rate_low_percent"]), format_rate(row["rate_high_percent"])
        interval = f" (95% interval {low}% to {high}%, chance only)"
    return (
        f"Of {format_count(row['offenders'])} offenders ({ages}) in the cohort {describe_cohort(row)}, "
        f"{format_rate(row['rate_percent'])}% had a proven reoffence within a year{interval}. {tell_points(row)}"
    )


def tell_points(row: Row) -> str:
    """The change of a rate on the year before in percentage points, or why there is none."""
    if row["change_points"] is None:
        return f"No change on the year before is given: {tell_reason(row['reason'])}."
    points = f"{format_signed(row['change_points'])} percentage points"
    if row["change_low_points"] is None or row["change_high_points"] is None:
        return f"Against the cohort a year before that is {points}."
    low, high = format_signed(row["change_low_points"]), format_signed(row["change_high_points"])
    return f"Against the cohort a year before that is {points} (95% interval {low} to {high}, chance only)."


# --- Ranks


def tell_rank(kind: str, row: Row) -> str:
    """A rank in one honest sentence (`etl.rank_words`); that nothing is held where a line lacks what it needs."""
    of = KINDS[kind]
    needed = [of.value, *(of.interval or ())]
    if row[of.rank] is not None:
        needed += ["ranked_areas", "rank_bound_low", "rank_bound_high", "indistinguishable_areas"]
    if row["eligible"] and any(row[name] is None for name in needed):
        return f"{row['area_name']} has no rank: {tell_reason(row['reason'])}."
    return describe_area(kind, row)


def tell_funnel(row: Row) -> str | None:
    """Where a ranked rate lies in the funnel, and how many would lie outside by chance; None of what has no class."""
    where = FUNNEL.get(row["funnel_class"] or "")
    if where is None or not row["ranked_areas"]:
        return None
    areas = row["ranked_areas"]
    widened = FUNNEL.get(row["funnel_class_overdispersed"] or "")
    told = f"In a funnel plot around the average of all {areas}, its rate {where}"
    if widened and row["funnel_class_overdispersed"] != row["funnel_class"]:
        told += f" (with limits that allow for the spread between areas it {widened})"
    return f"{told}; {count_by_chance(areas)} of {areas} would lie outside the 95% limits by chance alone."


def name_areas(level: str) -> str:
    """What the areas of a level are called in a sentence: `police forces`."""
    return AREAS.get(level, LEVELS_PLURAL.get(level, level))


def tell_local_adult(row: Row) -> str:
    """Local adult reoffending of one year: actual and predicted rate, and the rank by how far they lie apart."""
    period = describe_year(row["period_end"])
    if row["period_start"]:
        period = f"{row['period_start']:%B %Y} to {row['period_end']:%B %Y}"
    if row["actual_percent"] is None or row["predicted_percent"] is None:
        return f"{period}: no actual and predicted rate is held. {tell_rank('local-adult', row)}"
    actual, predicted = format_rate(row["actual_percent"], 2), format_rate(row["predicted_percent"], 2)
    return (
        f"{period}: {actual}% reoffended within three months, where {predicted}% were predicted. "
        f"{tell_rank('local-adult', row)}"
    )


# --- Revisions


def tell_revisions(of: Held) -> str:
    """How often figures of an area were revised, and by how much at the most."""
    figures = (
        "1 figure of it was" if of.revised_figures == 1 else f"{format_count(of.revised_figures)} figures of it were"
    )
    told = f"{figures} revised by later releases"
    if of.revised_times > of.revised_figures:
        told += f", {format_count(of.revised_times)} times in all"
    if of.largest is None:
        return f"{told}. None of them is a number that became another one."
    return f"{told}. The largest revision: {describe_revision(of.largest)}."


# --- Places


def describe_levels(levels: Iterable[str]) -> str:
    """What an area is: `Police force`; `Upper-tier authority and lower-tier authority`."""
    text = " and ".join(LEVELS.get(level, level) for level in levels)
    return f"{text[:1].upper()}{text[1:]}"


_BEGAN = {
    "recode": "Its code changed on {day}; before, it was",
    "merge": "It was made on {day} by a merger of",
    "split": "It was made on {day} by splitting",
    "boundary": "Its boundary moved on {day}; before, it was",
}
_ENDED = {
    "recode": "Its code ended on {day}; the same area goes on as",
    "merge": "It ended on {day}, merged into",
    "split": "It ended on {day}, split into",
    "boundary": "It ended on {day}, when its boundary moved; in its place came",
}
_OTHERWISE = {False: "It began on {day}; before it was", True: "It ended on {day}; after it came"}

CARRIED = {
    "recode": "Only the code changed: a comparison across that day holds.",
    "merge": "Figures from before that day stand with the former areas.",
    "split": "Figures of the area before and of those after are not compared: a split cannot be reckoned back.",
    "boundary": "Figures of before and after are not compared: it is not the same area.",
}
"""What a change means for the figures."""


def tell_turn(turn: Turn) -> str:
    """How an area began or ended, up to the names of the others."""
    text = (_ENDED if turn.is_end else _BEGAN).get(turn.kind, _OTHERWISE[turn.is_end])
    told = text.format(day=format_day(turn.changed_on))
    if turn.level:
        told = f"As {_add_article(LEVELS.get(turn.level, turn.level))}: {told[0].lower()}{told[1:]}"
    return told


def tell_late(of: Held) -> str | None:
    """That figures are held of an area for periods after its end, and what they are of; None where there are none."""
    ends = [turn.changed_on for turn in of.turns if turn.is_end and turn.kind != "recode"]
    periods = [row["period_end"] for row in of.crime if row["offences"] is not None]
    periods += [row["cohort_end"] for row in of.reoffending if row["rate_percent"] is not None]
    if not ends or not periods or max(periods) <= max(ends):
        return None
    return (
        "Releases went on stating figures of it for periods after that day. They are of the area as it was, and are "
        "compared with each other only."
    )


def _add_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def group_places(places: Iterable[Place]) -> list[tuple[str, list[Place]]]:
    """Places by level, from the largest areas to the smallest: what each level is called, and its areas."""
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(place.level or "other", []).append(place)
    return [(name, groups[level]) for level, name in LEVELS_PLURAL.items() if level in groups]


# --- Comparators


def tell_comparison(rows: Iterable[Mapping[str, Any]]) -> str:
    """What the table of comparators cannot say."""
    told = "Raw rates ignore who lives in an area, and who its offenders are: two rates can differ for that alone."
    lines = list(rows)
    for name, what in (("rate_per_1000", "A crime rate"), ("rate_percent", "A reoffending rate")):
        missing = [row["place"].area_name for row in lines if row[name] is None]
        if missing and len(missing) < len(lines) and lines[0][name] is not None:
            told += f" {what} for the same period is not held of: {', '.join(missing)}."
    return told
