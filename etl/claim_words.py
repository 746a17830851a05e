"""Claims in plain words: what was claimed, what the figures say, the verdict, and what it does not say.

`justice-etl claim` and the page of claims tell the same sentences.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl.claim_terms import Verdict, format_number, name_months, name_year
from etl.errors import JusticeError, WrongUseError
from etl.query import open_warehouse

Row = dict[str, Any]


@dataclass(frozen=True)
class ToldClaim:
    """A claim and what came of it.

    Attributes:
        claim_id: names the claim.
        source: who claimed it.
        published_on: when; None where that is not known.
        area_code: the area that it is about.
        area_name: its name, as the claim gives it.
        claimed: what was claimed, by whom and when: one sentence.
        verdict: one of `etl.claim_terms.Verdict`.
        reason: what the figures say and what the verdict rests on.
        sentences: all there is to say, from the claim to what the verdict does not say, in reading order; holds
            `claimed` and `reason`.
        observed: what the figures give, in `unit`; None where it cannot be checked.
        claimed_value: the figure that was claimed, in `unit`.
        unit: its unit.
        publication_needed: what would have to be published or landed; None where nothing is missing.
        release_id: the release that the verdict rests on; None where it rests on none.
        base_release_id: the release of the earlier year; None where no two years are compared.
        is_modelled: whether only modelled samples are held of what would decide.
    """

    claim_id: str
    source: str
    published_on: date | None
    area_code: str
    area_name: str
    claimed: str
    verdict: str
    reason: str
    sentences: list[str]
    observed: float | None
    claimed_value: float
    unit: str
    publication_needed: str | None
    release_id: str | None
    base_release_id: str | None
    is_modelled: bool


_CLAIMS = """
    SELECT
        claim_check.*, claim.source, claim.published_on, claim.measure, claim.offence_id, claim.period_end,
        claim.base_period_end, claim.claimed_of, claim.tolerance, claim.note, offence.name AS offence_name,
        release.title AS release_title, release.publisher AS release_publisher,
        base_release.title AS base_release_title, base_release.publisher AS base_release_publisher
    FROM mart.claim_check AS claim_check
    INNER JOIN ref.claim AS claim ON claim.claim_id = claim_check.claim_id
    LEFT JOIN ref.offence AS offence ON offence.offence_id = claim.offence_id
    LEFT JOIN meta.release AS release ON release.release_id = claim_check.release_id
    LEFT JOIN meta.release AS base_release ON base_release.release_id = claim_check.base_release_id
    ORDER BY claim_check.claim_id
"""


def tell_claims(connection: duckdb.DuckDBPyConnection) -> list[ToldClaim]:
    """All claims of a warehouse in words, in the order of their ids.

    Args:
        connection: a built warehouse: `mart.claim_check`, `ref.claim`, `ref.offence` and `meta.release`.

    Raises:
        JusticeError: the warehouse was built before there were claims.
    """
    try:
        result = connection.execute(_CLAIMS)
    except duckdb.CatalogException as error:
        raise JusticeError("the warehouse holds no mart.claim_check", "build it again: justice-etl publish") from error
    names = [column[0] for column in result.description or []]
    return [_tell(dict(zip(names, row, strict=True))) for row in result.fetchall()]


def list_claims(home: Path) -> list[ToldClaim]:
    """All claims of the warehouse that serves, in the order of their ids.

    Raises:
        JusticeError: nothing was published, or before there were claims.
    """
    with open_warehouse(home) as connection:
        return tell_claims(connection)


def read_claim(home: Path, claim_id: str) -> ToldClaim:
    """One claim of the warehouse that serves.

    Raises:
        WrongUseError: there is no such claim; names those that are near.
        JusticeError: nothing was published, or before there were claims.
    """
    claims = {told.claim_id: told for told in list_claims(home)}
    if claim_id in claims:
        return claims[claim_id]
    near = difflib.get_close_matches(claim_id.strip().lower(), list(claims), 5, 0.5)
    next_step = f"near it: {', '.join(near)}" if near else "justice-etl claim lists them"
    raise WrongUseError(f"there is no claim {claim_id!r}", next_step)


def _tell(row: Row) -> ToldClaim:
    sentences = tell_claim(row)
    return ToldClaim(
        claimed=sentences[0],
        sentences=sentences,
        **{name: row[name] for name in ToldClaim.__dataclass_fields__ if name not in ("claimed", "sentences")},
    )


def tell_claim(row: Row) -> list[str]:
    """Plain sentences on a claim: who claimed what and when, the verdict, what the figures say and from which release,
    what is missing, and what the verdict does not say.

    Args:
        row: the columns of `mart.claim_check` and `ref.claim`, with offence_name, and title and publisher of both
            releases (`release_title`, `base_release_title`, …).
    """
    told = [_say_claimed(row), f"Verdict: {row['verdict']}."]
    told += [row["reason"]] if row["reason"] else []
    if row["release_id"]:
        told.append(f"It rests on {_name_releases(row)}.")
    if row["publication_needed"]:
        told.append(f"Needed to check it: {row['publication_needed']}.")
    told += _list_caveats(row)
    if row["note"]:
        told.append(f"Note on the claim: {row['note'].rstrip('.')}.")
    return told


def _name_releases(row: Row) -> str:
    release = f"{row['release_publisher']}, {row['release_title']} ({row['release_id']})"
    if row["base_release_id"] in (None, row["release_id"]):
        return release
    base = f"{row['base_release_publisher']}, {row['base_release_title']} ({row['base_release_id']})"
    return f"{release} and, for the earlier year, {base}"


def _say_claimed(row: Row) -> str:
    day: date | None = row["published_on"]
    when = f" on {day.day} {day:%B %Y}" if day else " (no date)"
    source = row["source"][:1].upper() + row["source"][1:]
    return f"{source}{when} {_CLAIMED[row['claim_check']](row)}."


def _say_rank(row: Row) -> str:
    return f"put {row['area_name']} {_say_place(row['claimed_value'])}{_say_of(row)} in {_say_ranking(row)}"


def _say_rank_all_within(row: Row) -> str:
    first = format_number(row["claimed_value"])
    return f"put all authorities of {row['area_name']} among the first {first}{_say_of(row)} in {_say_ranking(row)}"


def _say_ranking(row: Row) -> str:
    period = f", {name_months(row['period_end'])}" if row["period_end"] else ", without saying of which period"
    return f"the table of local adult reoffending{period}"


def _say_of(row: Row) -> str:
    return f" of {row['claimed_of']}" if row["claimed_of"] else ""


def _say_place(value: float) -> str:
    number = int(value)
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return "first" if number == 1 else f"{number}{ending}"


def _say_total(row: Row) -> str:
    value = format_number(row["claimed_value"])
    return f"said that {row['area_name']} recorded {value} {row['unit']} in {name_year(row['period_end'])}"


def _say_change(row: Row) -> str:
    moved = "fell" if row["claimed_value"] < 0 else "rose"
    by = f"{format_number(abs(row['claimed_value']))} {row['unit']}"
    return f"said that {_say_subject(row)} {moved} by {by} from {_say_years(row)}"


def _say_ratio(row: Row) -> str:
    end, base = name_year(row["period_end"]), name_year(row["base_period_end"])
    return f"said that {_say_subject(row)} in {end} was {format_number(row['claimed_value'])} of that in {base}"


def _say_lowest(row: Row) -> str:
    place = "the lowest" if row["claimed_value"] == 1 else f"the {_say_place(row['claimed_value'])} lowest"
    base = name_year(row["base_period_end"])
    return f"said that {_say_subject(row)} in {name_year(row['period_end'])} was {place} since {base}"


def _say_subject(row: Row) -> str:
    return f"{(row['offence_name'] or 'recorded crime').lower()} of {row['area_name']}"


def _say_years(row: Row) -> str:
    return f"{name_year(row['base_period_end'])} to {name_year(row['period_end'])}"


def _say_stated(row: Row) -> str:
    return f"stated {format_number(row['claimed_value'])} {row['unit']} for {row['area_name']}"


_CLAIMED = {
    "rank": _say_rank,
    "rank_all_within": _say_rank_all_within,
    "total": _say_total,
    "change": _say_change,
    "change_percent": _say_change,
    "ratio": _say_ratio,
    "lowest_since": _say_lowest,
    "arithmetic": _say_stated,
    "not_published": _say_stated,
}

_NOT_SAID = {
    "local_adult_reoffending": [
        "Rank 1 is the furthest below its prediction. The prediction rests on the records of the offenders and not on "
        "all that tells areas apart; ranks say nothing of who is the cause.",
        "It is three-month reoffending of the probation caseload, never comparable with proven reoffending.",
    ],
    "recorded_crime": [
        "Counts are revised for years after they are first printed: small differences are no errors.",
        "Police recorded crime has not been an accredited official statistic since 15 January 2014: it says as much "
        "about recording as about crime.",
    ],
}
_NOT_SAID_OF_CHANGES = "Neither chance nor a cause is told by it: years differ from each other without any."
_NOT_SAID_OF_SUMS = "Only the sum is checked, not the figures in it: they are those of the claim."
_NOT_SAID_OF_COSTS = (
    "Unit costs are averages over England and Wales of harm, precaution and the criminal justice system together, in "
    "the prices of one year: no money that anybody would save."
)


def _list_caveats(row: Row) -> list[str]:
    if row["verdict"] == Verdict.MODELLED:
        return ["MODELLED SAMPLE: no judgement on any area follows from these figures."]
    kind = row["claim_check"]
    caveats = list(_NOT_SAID.get(row["measure"] or "", [])) if row["observed"] is not None else []
    if kind in ("change", "change_percent", "ratio", "lowest_since") and caveats:
        caveats.append(_NOT_SAID_OF_CHANGES)
    if kind == "arithmetic":
        caveats.append(_NOT_SAID_OF_SUMS)
        caveats += [_NOT_SAID_OF_COSTS] if row["unit"] == "pounds" else []
    return caveats
