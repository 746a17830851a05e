"""Claims that are judged by recorded crime: a total, a change, a ratio, the lowest since.

`etl.claims` calls one function of these for each kind of claim. None compares across a break in the counts; a total
that includes fraud is told without it too where the years hold different fraud; and what comes of a comparison of two
releases says so.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date

from etl.claim_terms import (
    BREAKS,
    EXCLUDING_FRAUD,
    INCLUDING_FRAUD,
    RECORDED_CRIME,
    SMALL_BASE,
    CannotJudgeError,
    Check,
    Claim,
    Count,
    Facts,
    Verdict,
    check_value,
    compare,
    name_year,
    need,
    need_measure,
    parse_tolerance,
    say_modelled,
    unreadable,
)

_LARGER_COUNTS = "Counts that are large enough to be compared (none are published)"


def judge_total(claim: Claim, facts: Facts) -> Check:
    """Offences of one year."""
    (end,) = ends = _find_years(claim)
    (count,) = _fetch_counts(claim, facts, ends)
    observed = _offences(count)
    told = f"{claim.area_name} recorded {observed:,} offences ({count.offence_name}) in {name_year(end)}"
    return check_value(claim, observed, told, [count], _tell_fraud(claim, facts, ends))


def judge_change(claim: Claim, facts: Facts) -> Check:
    """Offences of one year less those of an earlier one."""
    ends = _find_years(claim)
    now, before = counts = _fetch_counts(claim, facts, ends)
    observed = _offences(now) - _offences(before)
    told = f"{_tell_two(claim, ends, counts)}, a change of {observed:+,}"
    return check_value(claim, observed, told, counts, _tell_more(claim, facts, ends, counts))


def judge_change_percent(claim: Claim, facts: Facts) -> Check:
    """That change in percent of the earlier year; none on fewer than 50 offences, as in the published tables."""
    ends = _find_years(claim)
    now, before = counts = _fetch_counts(claim, facts, ends)
    base = _offences(before)
    if base < SMALL_BASE:
        why = f"no percentage is taken of fewer than {SMALL_BASE} offences"
        raise CannotJudgeError(_say_too_few(f"{_tell_two(claim, ends, counts)}: {why}.", counts))
    observed = 100 * (_offences(now) - base) / base
    told = f"{_tell_two(claim, ends, counts)}, a change of {observed:+.1f} percent"
    return check_value(claim, observed, told, counts, _tell_more(claim, facts, ends, counts))


def judge_ratio(claim: Claim, facts: Facts) -> Check:
    """Offences of one year over those of an earlier one."""
    ends = _find_years(claim)
    now, before = counts = _fetch_counts(claim, facts, ends)
    base = _offences(before)
    if base <= 0:
        raise CannotJudgeError(
            _say_too_few(f"{_tell_two(claim, ends, counts)}: nothing can be divided by that.", counts)
        )
    observed = _offences(now) / base
    told = f"{_tell_two(claim, ends, counts)}, a ratio of {observed:.3f}"
    return check_value(claim, observed, told, counts, _tell_more(claim, facts, ends, counts))


def judge_lowest_since(claim: Claim, facts: Facts) -> Check:
    """The place of a year among the years since an earlier one, 1 being the lowest.

    A tolerance in percent allows for revisions of the counts: of each year by that much of the claim's own.
    """
    ends = _find_years(claim)
    counts = _fetch_counts(claim, facts, ends)
    now, *earlier = (_offences(count) for count in counts)
    observed = 1 + sum(count < now for count in earlier)
    tolerance = parse_tolerance(claim)
    allowed = float(tolerance.text.rstrip("%")) / 100 * now if tolerance and tolerance.is_for_revisions else 0.0
    verdict = compare(claim, observed)
    first, last = (1 + sum(count < now + moved for count in earlier) for moved in (-allowed, allowed))
    if verdict is Verdict.DIFFERS and first <= claim.claimed_value <= last:
        verdict = Verdict.WITHIN_REVISIONS
    told = (
        f"{claim.area_name} recorded {now:,} offences ({counts[0].offence_name}) in {name_year(ends[0])}, "
        f"number {observed} from below among the {len(counts)} years since {name_year(ends[-1])}."
    )
    near = sorted(end for end, count in zip(ends[1:], earlier, strict=True) if abs(count - now) <= allowed)
    within = [f"Within the {claim.tolerance} allowed for revisions ({allowed:,.0f}) of {now:,}: {_list_years(near)}."]
    more = _tell_more(claim, facts, ends, counts)
    return Check(
        verdict,
        " ".join([told, _tell_margin(ends, now, earlier), *(within if allowed and near else []), *more]),
        observed=observed,
        difference=observed - claim.claimed_value,
        observed_of=len(counts),
        release_id=counts[0].release_id,
        base_release_id=counts[-1].release_id,
    )


def _tell_margin(ends: Sequence[date], now: int, earlier: Sequence[int]) -> str:
    """How far the lowest of the other years is from the claim's own."""
    lowest = min(earlier)
    year = name_year(ends[1 + earlier.index(lowest)])
    if lowest < now:
        return f"The lowest is {year} with {lowest:,}, {now - lowest:,} fewer."
    return f"The next lowest is {year} with {lowest:,}, " + (f"{lowest - now:,} more." if lowest > now else "as few.")


def _list_years(ends: Sequence[date]) -> str:
    return f"the year{'s' if len(ends) > 1 else ''} ending {' and '.join(f'{end:%B %Y}' for end in ends)}"


def _find_years(claim: Claim) -> list[date]:
    """The last days of the years of a claim, its own first, the earliest last.

    Raises:
        JusticeError: a column is empty, or the year compared with is no earlier year to the same day.
    """
    end = need(claim, "period_end", claim.period_end)
    if claim.claim_check == "total":
        return [end]
    base = need(claim, "base_period_end", claim.base_period_end)
    years = end.year - base.year
    if years < 1 or base != _years_before(end, years):
        what = f"write the last day of an earlier year to the same day, as {_years_before(end, 1)} is to {end}"
        raise unreadable(claim, "base_period_end", str(base), what)
    if claim.claim_check == "lowest_since":
        return [_years_before(end, before) for before in range(years + 1)]
    return [end, base]


def _fetch_counts(claim: Claim, facts: Facts, ends: Sequence[date]) -> list[Count]:
    """The counts of the years of a claim; ends the judgement where one is missing or modelled, or a break lies
    between them."""
    need_measure(claim, RECORDED_CRIME)
    found = _find_counts(facts, need(claim, "offence_id", claim.offence_id), ends)
    if facts.crime_is_modelled or any(count is not None and count.is_modelled for count in found):
        raise CannotJudgeError(say_modelled())
    missing = sorted(day for day, count in zip(ends, found, strict=True) if count is None or count.offences is None)
    if missing:
        raise CannotJudgeError(_say_missing_counts(claim, missing))
    _refuse_break(claim, facts, min(ends), ends[0])
    return [count for count in found if count is not None]


def _find_counts(facts: Facts, offence: str, ends: Sequence[date]) -> list[Count | None]:
    """The counts of an offence in some years. That of the year before the first is the one which `mart.crime_trend`
    compares the first with, so that what was only revised in another release never passes for a change."""
    found = [facts.counts.get((offence, day)) for day in ends]
    now = found[0]
    if now is None or now.previous_offences is None or _years_before(ends[0], 1) not in ends:
        return found
    place = ends.index(_years_before(ends[0], 1))
    held, release_id = found[place], now.previous_release_id or now.release_id
    found[place] = Count(
        now.previous_offences,
        release_id,
        now.offence_name,
        now.is_modelled or (held is not None and held.is_modelled and held.release_id == release_id),
    )
    return found


def _offences(count: Count) -> int:
    if count.offences is None:
        raise ValueError("a count without a figure is no count")  # _fetch_counts lets none through
    return count.offences


def _say_missing_counts(claim: Claim, missing: Sequence[date]) -> Check:
    years = " and ".join(f"{day:%B %Y}" for day in (missing if len(missing) < 3 else (missing[0], missing[-1])))
    what = f"year{'s' if len(missing) > 1 else ''} ending {years}"
    if len(missing) > 2:
        what = f"the {len(missing)} years ending {years.replace(' and ', ' to ')} that are not held"
    table = "Police recorded crime by police force area"
    if not claim.area_code.startswith(("E23", "W15")):
        table = "Police recorded crime open data by Community Safety Partnership"
    return Check(
        Verdict.NOT_CHECKABLE,
        f"No count of {claim.offence_id} is held for {claim.area_name}: {what}.",
        publication_needed=f"{table}, {what} (Home Office)",
    )


def _say_too_few(told: str, counts: Sequence[Count]) -> Check:
    return Check(
        Verdict.NOT_CHECKABLE,
        told,
        publication_needed=_LARGER_COUNTS,
        release_id=counts[0].release_id,
        base_release_id=counts[-1].release_id,
    )


def _refuse_break(claim: Claim, facts: Facts, base: date, end: date) -> None:
    """No comparison across a break. The end of fraud recording by forces is told beside the figures instead, so that
    a total including fraud is looked at without it, where that is held."""
    for day in sorted({day for _, day in facts.counts if base < day <= end}):
        count, reasons = facts.counts.get((claim.offence_id or "", day)), set(BREAKS)
        if claim.offence_id == INCLUDING_FRAUD:
            without = facts.counts.get((EXCLUDING_FRAUD, day))
            if without is not None and without.offences is not None:
                count = without
            else:
                reasons -= {"coverage_changed"}
        if count is not None and count.reason in reasons:
            raise CannotJudgeError(
                Check(
                    Verdict.NOT_CHECKABLE,
                    f"The two years cannot be compared: {BREAKS[count.reason]} in the year to {day:%B %Y}.",
                    publication_needed="Counts of both years made in one way (none are published)",
                    release_id=count.release_id,
                )
            )


def _tell_two(claim: Claim, ends: Sequence[date], counts: Sequence[Count]) -> str:
    now, before = counts
    return (
        f"{claim.area_name} recorded {_offences(now):,} offences ({now.offence_name}) in {name_year(ends[0])} and "
        f"{_offences(before):,} in {name_year(ends[1])}"
    )


def _tell_more(claim: Claim, facts: Facts, ends: Sequence[date], counts: Sequence[Count]) -> list[str]:
    """What is to say of a comparison of years: the releases that they come from, and what fraud does to it."""
    told = []
    now = facts.counts.get((claim.offence_id or "", ends[0]))
    if now is not None and now.previous_source == "implied_by_P2" and _years_before(ends[0], 1) in ends:
        told.append("The count of the year before is the only one that the percentage printed with the later allows.")
    releases = list(dict.fromkeys(count.release_id for count in counts))
    if len(counts) == 2 and len(releases) == 2:
        told.append(
            f"Two releases are involved, {releases[0]} for the later year and {releases[1]} for the earlier: what was "
            "revised between them is part of the difference."
        )
    elif len(releases) > 1:
        told.append(
            f"{len(releases)} releases are involved ({', '.join(releases)}): what was revised between them is part of "
            "the differences."
        )
    return told + _tell_fraud(claim, facts, ends)


def _tell_fraud(claim: Claim, facts: Facts, ends: Sequence[date]) -> list[str]:
    """What fraud does to a total that includes it: forces left its recording to Action Fraud at different times, some
    in the middle of a year."""
    if claim.offence_id != INCLUDING_FRAUD:
        return []
    totals = [_find_counts(facts, total, ends) for total in (INCLUDING_FRAUD, EXCLUDING_FRAUD)]
    including, excluding = ([c.offences for c in counts if c and c.offences is not None] for counts in totals)
    if not len(including) == len(excluding) == len(ends):
        return []
    fraud = [with_it - without for with_it, without in zip(including, excluding, strict=True)]
    if not any(fraud):
        return [f"No fraud is in the count{'s' if len(ends) > 1 else ''}: the force records none then."]
    if len(set(fraud)) == 1:
        return []
    told = f"{_say_fraud(fraud[0])} in the count of {name_year(ends[0])} and {_say_fraud(fraud[-1])} in that of "
    told = f"There are {told}{name_year(ends[-1])}"
    if len(ends) > 2:
        told = f"There are {_say_fraud(min(fraud))} to {_say_fraud(max(fraud))} in the counts of these years"
    why = "the coverage changed" if 0 in fraud else "its recording can have ended in the middle of a year"
    return [f"{told}: {why}. {_tell_without_fraud(claim, excluding)}"]


def _say_fraud(offences: int) -> str:
    return f"{offences:,} offences of fraud" if offences else "no offences of fraud"


def _tell_without_fraud(claim: Claim, counts: Sequence[int]) -> str:
    now, *_, before = counts
    if claim.claim_check == "lowest_since":
        return f"Without fraud the year is number {1 + sum(count < now for count in counts)} from below."
    beside = ""
    if claim.claim_check == "change_percent" and before >= SMALL_BASE:
        beside = f" ({100 * (now - before) / before:+.1f} percent)"
    if claim.claim_check == "ratio" and before > 0:
        beside = f" and a ratio of {now / before:.3f}"
    return f"Without fraud in both years {before:,} became {now:,}, a change of {now - before:+,}{beside}."


def _years_before(day: date, years: int) -> date:
    """The same day some years before; of the last of a month the last."""
    year = day.year - years
    last = calendar.monthrange(year, day.month)[1]
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return date(year, day.month, last if is_last else min(day.day, last))
