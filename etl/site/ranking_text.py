"""What a ranking can tell and what it cannot, in plain words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from etl.rank_words import KINDS, LEVELS, describe_area
from etl.site.frame import Row
from etl.site.words import format_rate, format_signed

SURE_PERCENT = 95
"""From this probability on an area is named as one of the ten lowest, or highest."""

_NAMED = 3
"""Of how many areas that share the first rank a sentence of their own is given."""

OUTSIDE = {
    "below_99_8": "below 99.8%",
    "below_95": "below 95%",
    "inside": "inside",
    "above_95": "above 95%",
    "above_99_8": "above 99.8%",
}
"""Where a rate lies against the limits of a funnel, in a table."""


@dataclass(frozen=True)
class Tellable:
    """How much of a ranking can be told apart.

    Attributes:
        ranked_areas: how many are ranked.
        is_simultaneous: whether the guaranteed ranks that the next three counts rest on hold with 95% for all areas at
            once; else each holds for its area, which a count over areas can go beyond by chance.
        lower_half, upper_half: areas whose guaranteed ranks all lie in that half.
        could_be_first: areas whose guaranteed ranks begin with 1.
        number_one: the area whose guaranteed rank is 1 and nothing else, if there is one.
        rank_width: median number of places that the rank given the data can be; None where there are no intervals.
        bound_width: median number of places that the guaranteed rank can be; None likewise.
        lowest_ten, highest_ten: names of the areas that are among them with a probability of SURE_PERCENT and more;
            None where fewer than 30 areas are ranked, so that the probability is not worked out.
        rankability: share of the variance between areas that is not chance, 0 to 1; None where it is not worked out.
        tied_areas: areas that share their value with another one.
    """

    ranked_areas: int
    is_simultaneous: bool
    lower_half: int
    upper_half: int
    could_be_first: int
    number_one: str | None
    rank_width: float | None
    bound_width: float | None
    lowest_ten: tuple[str, ...] | None
    highest_ten: tuple[str, ...] | None
    rankability: float | None
    tied_areas: int


def measure_ranking(ranked: Sequence[Row]) -> Tellable:
    """How much of a ranking can be told apart, from the lines of its ranked areas (one at least)."""
    areas = len(ranked)
    bounded = [row for row in ranked if row["rank_bound_low"] is not None]
    middle = (areas + 1) / 2
    firsts = [row["area_name"] for row in bounded if row["rank_bound_high"] == 1 and areas > 1]
    bound_widths = [row["rank_bound_high"] - row["rank_bound_low"] + 1 for row in bounded]
    widths = [row["rank_high"] - row["rank_low"] + 1 for row in ranked if row["rank_low"] is not None]
    is_simultaneous = bool(bounded) and all(row.get("rank_bound_simultaneous_low") is not None for row in bounded)
    bound = "rank_bound_simultaneous" if is_simultaneous else "rank_bound"
    return Tellable(
        ranked_areas=areas,
        is_simultaneous=is_simultaneous,
        lower_half=sum(row[f"{bound}_high"] < middle for row in bounded),
        upper_half=sum(row[f"{bound}_low"] > middle for row in bounded),
        could_be_first=sum(row[f"{bound}_low"] == 1 for row in bounded),
        number_one=firsts[0] if firsts else None,
        rank_width=median(widths) if widths else None,
        bound_width=median(bound_widths) if bound_widths else None,
        lowest_ten=_list_sure(ranked, "lowest_10_percent"),
        highest_ten=_list_sure(ranked, "highest_10_percent"),
        rankability=ranked[0]["rankability"],
        tied_areas=sum(bool(row["tied"]) for row in ranked),
    )


def _list_sure(ranked: Sequence[Row], column: str) -> tuple[str, ...] | None:
    known = [row for row in ranked if row.get(column) is not None]
    return tuple(row["area_name"] for row in known if row[column] >= SURE_PERCENT) if known else None


def describe_ranking(kind: str, level: str, found: Tellable) -> list[str]:
    """How much can be told apart, in sentences: halves, widths, number one, the ten lowest and highest, rankability."""
    if found.ranked_areas == 1:
        return ["Only one area is ranked: there is nothing to compare it with."]
    told = [
        _describe_halves(LEVELS[level], found),
        _describe_widths(found),
        _describe_first(KINDS[kind].lowest, found),
        _describe_tens(found),
        _describe_rankability(kind, found),
        _describe_ties(found),
    ]
    return [sentence for sentence in told if sentence]


def describe_first(kind: str, ranked: Sequence[Row], digits: int) -> list[str]:
    """The sentences of the areas of rank 1; none where more than a few share it, or one alone is ranked."""
    of = KINDS[kind]
    firsts = [row for row in ranked if row[of.rank] == 1 and row["eligible"] and row["rank_bound_low"] is not None]
    return [describe_area(kind, row, digits) for row in firsts] if len(firsts) <= _NAMED and len(ranked) > 1 else []


def _describe_halves(areas: str, found: Tellable) -> str:
    rest = found.ranked_areas - found.lower_half - found.upper_half
    sure = "with 95% for all of them at once" if found.is_simultaneous else "with 95% for each of them"
    if rest == found.ranked_areas:
        return (
            f"Of {rest} {areas} none is guaranteed ({sure}) a place in the lower or in the upper half of this ranking."
        )
    placed = (
        f"Of {found.ranked_areas} {areas} {_count(found.lower_half)} guaranteed ({sure}) a place in the lower half of "
        f"this ranking and {found.upper_half or 'none'} in the upper half"
    )
    others = "one" if rest == 1 else f"the other {rest}"
    return f"{placed}; of {others} not even that can be said." if rest else f"{placed}."


def _count(areas: int) -> str:
    return {0: "none is", 1: "1 is"}.get(areas, f"{areas} are")


def _describe_widths(found: Tellable) -> str:
    if found.bound_width is None:
        return "How sure these ranks are is not known."
    bound = f"{found.bound_width:.0f} of {found.ranked_areas} places"
    if found.rank_width is None:
        return f"The guaranteed rank of a typical area spans {bound}."
    return (
        f"Given the data, the rank of a typical area is known to within {found.rank_width:.0f} places; what is "
        f"guaranteed spans {bound}."
    )


def _describe_first(lowest: str, found: Tellable) -> str:
    if found.number_one:
        return f"{found.number_one} stands apart from all others: “number one” ({lowest}) holds."
    count = found.could_be_first
    if not count:
        return ""
    if count == found.ranked_areas:
        return f"By the same measure each of them could be number one ({lowest}): nobody can be called that."
    areas = "area" if count == 1 else "areas"
    return f"By the same measure {count} {areas} could be number one ({lowest}): nobody can be called that for sure."


def _describe_tens(found: Tellable) -> str:
    if found.lowest_ten is None or found.highest_ten is None:
        return ""
    if not found.lowest_ten and not found.highest_ten:
        return f"No area is among the ten lowest, or the ten highest, with a probability of {SURE_PERCENT}% or more."
    lowest, highest = (join_names(names) or "none" for names in (found.lowest_ten, found.highest_ten))
    return (
        f"With a probability of {SURE_PERCENT}% or more these are among the ten lowest: {lowest}; and these among the "
        f"ten highest: {highest}."
    )


def join_names(names: Sequence[str]) -> str:
    """Names as a list in a sentence; semicolons, since names hold commas."""
    if len(names) < 2:
        return "".join(names)
    return f"{'; '.join(names[:-1])} and {names[-1]}"


def _describe_rankability(kind: str, found: Tellable) -> str:
    if found.rankability is None:
        return ""
    share = 100 * found.rankability
    noise = "chance and what moves the rate of an area from year to year" if kind == "crime" else "chance"
    if share < 0.5:
        return f"Nothing of how the areas differ is more than {noise} (rankability {found.rankability:.2f})."
    return (
        f"Of how the areas differ (the variance of their rates) some {share:.0f}% is more than {noise} "
        f"(rankability {found.rankability:.2f})."
    )


def _describe_ties(found: Tellable) -> str:
    if found.tied_areas * 2 <= found.ranked_areas:
        return ""
    return (
        f"{found.tied_areas} of the {found.ranked_areas} areas share their rate with another one: look at the numbers "
        "behind the rates before anything is read into this order."
    )


def describe_intervals(kind: str, ranked: Sequence[Row], digits: int) -> str:
    """What can be seen in the chart of intervals."""
    of = KINDS[kind]

    def tell(row: Row) -> str:
        shown = format_rate(row[of.value], digits) if of.interval else format_signed(row[of.value], digits)
        value = f"{shown}{of.unit}"
        if of.interval is None or row[of.interval[0]] is None:
            return f"{row['area_name']} ({value})"
        low, high = (format_rate(row[name], digits) for name in of.interval)
        return f"{row['area_name']} ({value}, 95% interval {low} to {high})"

    if len(ranked) == 1:
        return f"One area: {tell(ranked[0])}."
    told = f"{len(ranked)} areas by rank, from {tell(ranked[0])} to {tell(ranked[-1])}."
    middle = ranked[(len(ranked) - 1) // 2]
    if middle["rank_bound_low"] is None:
        return told
    given = ""
    if middle["rank_low"] is not None:
        given = f"given the data between {middle['rank_low']} and {middle['rank_high']}, "
    return (
        f"{told} The rank of the area in the middle, {middle['area_name']}, lies {given}guaranteed between "
        f"{middle['rank_bound_low']} and {middle['rank_bound_high']}."
    )
