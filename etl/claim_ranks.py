"""Claims that are judged by ranks of local adult reoffending: of one area, or of all authorities of a police force.

`etl.claims` calls one function of these for each kind of claim. A claim is tried on both readings of a table (all
areas, significant differences only) and holds only where the guaranteed bounds let it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from etl.claim_terms import (
    LOCAL_ADULT,
    UPPER_TIER_AUTHORITIES,
    CannotJudgeError,
    Check,
    Claim,
    Facts,
    RankLine,
    Verdict,
    format_number,
    name_months,
    need_measure,
    say_modelled,
)


def judge_rank(claim: Claim, facts: Facts) -> Check:
    """The rank of an area among all, and among those that differ significantly from their prediction.

    A rank that a reading reproduces holds only where the guaranteed bound is no higher than it; `rank 1` is the
    furthest below the prediction.
    """
    return _judge_ranks(claim, facts, frozenset({claim.area_code}))


def judge_rank_all_within(claim: Claim, facts: Facts) -> Check:
    """The last of the ranks of a police force's upper-tier authorities: all of them within the first so many."""
    if not facts.members and not facts.ranks_are_modelled:
        raise CannotJudgeError(
            Check(
                Verdict.NOT_CHECKABLE,
                f"Which authorities {claim.area_name} consists of is not held.",
                publication_needed="Lookup from local authorities to police force areas (Open Geography Portal)",
            )
        )
    return _judge_ranks(claim, facts, facts.members)


@dataclass(frozen=True)
class _Reading:
    """A ranking by one reading: the last rank of the areas in question, and of how many."""

    name: str
    rank: int
    of: int


def _judge_ranks(claim: Claim, facts: Facts, areas: frozenset[str]) -> Check:
    need_measure(claim, LOCAL_ADULT)
    rankings = _find_rankings(claim, facts, areas)
    tried = [(lines, _find_reading(claim, lines)) for lines in rankings]
    matching = [(lines, reading) for lines, reading in tried if reading is not None]
    lines, reading = matching[0] if matching else tried[0]
    last = max(lines, key=lambda line: line.rank_all or 0)
    highs = [line.bound_high for line in lines if line.bound_high is not None]
    highest = max(highs) if len(highs) == len(lines) else None
    lowest = last.bound_low if highest is not None else None
    shown = reading or _read_all(lines)
    if reading is None:
        verdict = Verdict.DIFFERS
    elif highest is not None and highest <= claim.claimed_value:
        verdict = Verdict.SUPPORTED
    else:
        verdict = Verdict.NOT_TOLD_APART
    told = [
        _tell_rank(claim, lines, shown, reading),
        _tell_bounds(claim, verdict, _name_bounded(claim, lines, shown), lowest, highest),
        *_tell_tries(claim, rankings, len(matching)),
        *_tell_of(claim, shown, last),
    ]
    return Check(
        verdict,
        " ".join(told),
        observed=shown.rank,
        difference=shown.rank - claim.claimed_value,
        reading=reading.name if reading else None,
        observed_of=shown.of,
        bound_low=lowest,
        bound_high=highest,
        release_id=last.release_id,
    )


def _find_rankings(claim: Claim, facts: Facts, areas: frozenset[str]) -> list[list[RankLine]]:
    """The rankings that a claim can mean, newest first: of its period, or of every period where it names none."""
    named = [line for line in facts.ranks if claim.period_end in (None, line.period_end) and line.area_code in areas]
    real = [line for line in named if not line.is_modelled]
    if facts.ranks_are_modelled or (named and not real):
        raise CannotJudgeError(say_modelled())
    ends = sorted({line.period_end for line in real}, reverse=True)
    if not ends:
        raise CannotJudgeError(_say_missing_ranking(claim))
    rankings = [[line for line in real if line.period_end == end] for end in ends]
    ranked = [lines for lines in rankings if len(lines) == len(areas) and all(line.rank_all for line in lines)]
    if not ranked:
        raise CannotJudgeError(
            Check(
                Verdict.NOT_CHECKABLE,
                _tell_unranked(claim, rankings, areas),
                publication_needed=_name_ranking(claim),
                release_id=real[0].release_id,
            )
        )
    return ranked


def _tell_unranked(claim: Claim, rankings: Sequence[Sequence[RankLine]], areas: frozenset[str]) -> str:
    """That an area has no rank, or which of a force's authorities have none in the newest ranking."""
    if claim.claim_check == "rank":
        reasons = sorted({line.reason for lines in rankings for line in lines if line.reason})
        why = f" ({', '.join(reasons)})" if reasons else ""
        return f"{claim.area_name} has no rank in the tables that are held{why}."
    newest, names = rankings[0], {line.area_code: _name(line) for lines in rankings for line in lines}
    stated = {line.area_code: line for line in newest}
    unranked = []
    for code in sorted(areas):
        line = stated.get(code)
        if line is None or not line.rank_all:
            why = "not in the table" if line is None else line.reason or "not ranked"
            unranked.append(f"{names.get(code, code)} ({why})")
    return (
        f"Not every authority of {claim.area_name} has a rank in {name_months(newest[0].period_end)}: without one "
        f"{'is' if len(unranked) == 1 else 'are'} {', '.join(unranked)}."
    )


def _name(line: RankLine) -> str:
    return line.area_name or line.area_code


def _say_missing_ranking(claim: Claim) -> Check:
    reason = "The table that the claim rests on is not held."
    if claim.period_end is None:
        reason = "No table of local adult reoffending is held, and the claim does not say which it rests on."
    if claim.claimed_of is not None and claim.claimed_of > UPPER_TIER_AUTHORITIES:
        reason += f" {_say_too_many(claim.claimed_of, UPPER_TIER_AUTHORITIES)}"
    return Check(Verdict.NOT_CHECKABLE, reason, publication_needed=_name_ranking(claim))


def _name_ranking(claim: Claim) -> str:
    what = "every edition, since the claim names none" if claim.period_end is None else name_months(claim.period_end)
    return f"Local adult reoffending, {what} (Ministry of Justice)"


def _find_reading(claim: Claim, lines: Sequence[RankLine]) -> _Reading | None:
    """The reading of a ranking that gives what is claimed; `both` where both do."""
    readings = [reading for reading in (_read_all(lines), _read_significant(lines)) if reading is not None]
    fitting = [reading for reading in readings if _fits(claim, reading.rank)]
    if len(fitting) == 2:
        return _Reading("both", fitting[0].rank, fitting[0].of)
    return fitting[0] if fitting else None


def _fits(claim: Claim, rank: int) -> bool:
    if claim.claim_check == "rank_all_within":
        return rank <= claim.claimed_value
    return rank == claim.claimed_value


def _read_all(lines: Sequence[RankLine]) -> _Reading:
    return _Reading("all", max(line.rank_all or 0 for line in lines), lines[0].ranked_areas or 0)


def _read_significant(lines: Sequence[RankLine]) -> _Reading | None:
    ranks = [line.rank_significant for line in lines if line.rank_significant is not None]
    return _Reading("significant", max(ranks), lines[0].significant_areas) if len(ranks) == len(lines) else None


def _tell_rank(claim: Claim, lines: Sequence[RankLine], shown: _Reading, reading: _Reading | None) -> str:
    who = claim.area_name if claim.claim_check == "rank" else f"The last of the authorities of {claim.area_name}"
    significant = _read_significant(lines)
    if shown.name == "significant":
        told = f"has rank {shown.rank} of the {shown.of} that differ significantly from their prediction (all: "
        told += f"{_read_all(lines).rank} of {_read_all(lines).of})"
    else:
        beside = "not all of them significant" if len(lines) > 1 else "not significant"
        if significant:
            beside = f"significant only: {significant.rank} of {significant.of}"
        told = f"has rank {shown.rank} of {shown.of} ({beside})"
    return f"{who} {told} in {name_months(lines[0].period_end)}, {_tell_fit(claim, lines, reading)}."


def _tell_fit(claim: Claim, lines: Sequence[RankLine], reading: _Reading | None) -> str:
    words = {"all": "all areas", "significant": "significant differences only", "both": "either reading"}
    claimed = format_number(claim.claimed_value)
    if claim.claim_check == "rank":
        return (
            f"which is what is claimed, by {words[reading.name]}"
            if reading
            else "and no reading gives the claimed rank"
        )
    if reading:
        return f"which is within the {claimed} claimed, by {words[reading.name]}"
    outside = [line for line in lines if (line.rank_all or 0) > claim.claimed_value]
    named = ", ".join(
        f"{_name(line)} ({line.rank_all})" for line in sorted(outside, key=lambda line: line.rank_all or 0)
    )
    return (
        f"and no reading puts all within the {claimed} claimed: outside {'is' if len(outside) == 1 else 'are'} {named}"
    )


def _name_bounded(claim: Claim, lines: Sequence[RankLine], shown: _Reading) -> str:
    """The rank that bounds are of: always that among all areas, whichever reading is shown."""
    if shown.name != "significant":
        return "that rank"
    every = _read_all(lines)
    whose = "its rank" if claim.claim_check == "rank" else "the last of their ranks"
    return f"{whose} among all areas ({every.rank} of {every.of})"


def _tell_bounds(claim: Claim, verdict: Verdict, bounded: str, low: int | None, high: int | None) -> str:
    claimed = format_number(claim.claimed_value)
    if low is None or high is None:
        unsure = "How sure that rank is, is not known"
        return (
            f"{unsure}."
            if verdict is Verdict.DIFFERS
            else f"{unsure}, so that no later one than {claimed} is ruled out."
        )
    bounds = f"Chance alone leaves {bounded} anywhere from {low} to {high} (guaranteed bounds, 95%)"
    if verdict is Verdict.SUPPORTED:
        return f"{bounds}: {claimed} holds."
    if verdict is Verdict.NOT_TOLD_APART:
        return f"{bounds}: it cannot be told apart from later ranks than {claimed}."
    inside = (
        claim.claimed_value >= low if claim.claim_check == "rank_all_within" else low <= claim.claimed_value <= high
    )
    return f"{bounds}: {claimed} {'is not ruled out' if inside else 'is ruled out'}."


def _tell_tries(claim: Claim, rankings: Sequence[Sequence[RankLine]], matching: int) -> list[str]:
    """A claim that names no period is tried on all: the more, the likelier that one fits by chance."""
    if claim.period_end is not None:
        return []
    tried = f"The claim names no period; both readings of {len(rankings)} were tried"
    if not matching:
        return [f"{tried}, and none fits."]
    return [f"{tried}, and {matching} of the periods fit{'s' if matching == 1 else ''}: of so many, one can by chance."]


def _tell_of(claim: Claim, shown: _Reading, line: RankLine) -> list[str]:
    """What the claim ranks out of, where that is neither how many were ranked nor how many by its reading."""
    if claim.claimed_of in (None, shown.of, line.ranked_areas):
        return []
    if claim.claimed_of is not None and claim.claimed_of > line.areas:
        return [_say_too_many(claim.claimed_of, line.areas)]
    return [f"The claim is out of {claim.claimed_of}; {line.ranked_areas} were ranked."]


def _say_too_many(claimed: int, areas: int) -> str:
    return f'"Of {claimed}" cannot count upper-tier authorities: there were {areas}.'
