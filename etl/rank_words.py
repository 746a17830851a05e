"""A published ranking as a table and in one honest sentence: `justice-etl rank`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl.cells import month_end, name_key, parse_cohort, parse_day, parse_financial_year, parse_period_end, year_to
from etl.errors import JusticeError, WrongUseError
from etl.query import open_warehouse

Row = dict[str, Any]

LEVELS = {
    "upper_tier": "upper-tier authorities",
    "lower_tier": "lower-tier authorities",
    "police_force": "police forces",
    "region": "regions",
    "csp": "Community Safety Partnerships",
}


@dataclass(frozen=True)
class Kind:
    """A kind of ranking: its table, its period and rank columns, and what the value is called.

    `level` and `options` (column → value) are what is meant where nothing is named. `interval` names the ends of the
    value's own interval, if it has one; `beside` what is shown in its place, where it has none. `lowest` says what
    rank 1 is.
    """

    table: str
    level: str
    options: dict[str, str]
    period: str
    rank: str
    value: str
    unit: str
    interval: tuple[str, str] | None
    beside: tuple[str, ...]
    lowest: str
    about: str
    caveat: str

    @property
    def is_ranking(self) -> str:
        """SQL, of the lines of one period: whether they make a ranking that is worth a look.

        Ranks are given and, where rates are ranked, that of most areas is above 0: of an offence that is no longer
        counted by its old name nearly every area has none.
        """
        given = f"count({self.rank}) > 0"
        if self.interval is None:
            return given
        return f"({given} AND coalesce(median({self.value}) FILTER (WHERE {self.rank} IS NOT NULL), 1) > 0)"


KINDS = {
    "reoffending": Kind(
        table="mart.reoffending_rank",
        level="upper_tier",
        options={"age_group": "all", "measure": "three_month_cohort", "span": "year"},
        period="cohort_end",
        rank="rank",
        value="rate_percent",
        unit="%",
        interval=("wilson_low_percent", "wilson_high_percent"),
        beside=(),
        lowest="the lowest rate",
        about="proven reoffending rate",
        caveat="Raw rates ignore who the offenders are: areas with other offenders have other rates.",
    ),
    "crime": Kind(
        table="mart.crime_rank",
        level="police_force",
        options={"offence_id": "total_excluding_fraud"},
        period="period_end",
        rank="rank",
        value="rate_per_1000",
        unit=" per 1,000 residents",
        interval=("rate_low_per_1000", "rate_high_per_1000"),
        beside=(),
        lowest="the lowest rate",
        about="recorded crime rate",
        caveat="Police recorded crime has not been an accredited official statistic since 15 January 2014: it says as "
        "much about recording as about crime.",
    ),
    "local-adult": Kind(
        table="mart.local_adult_reoffending_rank",
        level="upper_tier",
        options={},
        period="period_end",
        rank="rank_all",
        value="difference_percent",
        unit="% against its prediction",
        interval=None,
        beside=("actual_percent", "predicted_percent", "significant", "rank_significant"),
        lowest="the furthest below its prediction",
        about="local adult reoffending against its prediction",
        caveat="Three-month reoffending of the probation caseload, never comparable with proven reoffending; it ended "
        "in 2014. The four snapshots share people, so that significance is overstated.",
    ),
}


@dataclass(frozen=True)
class Ranking:
    """One ranking: its rows by rank, those that are not ranked last; and one row in words.

    Attributes:
        title: what is ranked, where and when.
        rows: every area with the columns of its table.
        area_code: the area that was asked for, if one was.
        sentence: what can be said of that area.
        notes: what every reader must know.
        digits: how many decimal places its values are printed with.
    """

    kind: str
    title: str
    rows: list[Row]
    area_code: str | None
    sentence: str | None
    notes: list[str]
    digits: int


def read_ranking(
    home: Path,
    kind: str,
    *,
    level: str | None = None,
    year: str | None = None,
    area: str | None = None,
    **options: str | None,
) -> Ranking:
    """A ranking of the warehouse that serves.

    Args:
        home: the data home.
        kind: one of KINDS.
        level: one of LEVELS; None takes that of the kind.
        year: `2020/21`, the last day of a year, or a cohort; None takes the newest.
        area: name or code of one area to speak of.
        options: what else tells rankings of the kind apart, by the columns of its `options`; None takes the usual one.

    Raises:
        WrongUseError: no such kind, level, year, area or option; names what there is.
        JusticeError: the warehouse that serves holds no such rankings.
    """
    if kind not in KINDS:
        raise WrongUseError(f"there is no ranking {kind!r}", f"name one of: {', '.join(KINDS)}")
    of = KINDS[kind]
    level = level or of.level
    if level not in LEVELS:
        raise WrongUseError(f"there is no level {level!r}", f"name one of: {', '.join(LEVELS)}")
    chosen: dict[str, object] = {"level": level}
    for name, value in options.items():
        if value is not None and name not in of.options:
            raise WrongUseError(
                f"rankings of {kind} have no {name}", f"leave it out; they have: {', '.join(of.options) or 'none'}"
            )
    chosen |= {name: options.get(name) or usual for name, usual in of.options.items()}
    rows = _read_rows(home, of, chosen, parse_year(year) if year else None)
    found = _find_row(rows, area) if area else None
    digits = count_digits(of, rows)
    return Ranking(
        kind=kind,
        title=name_ranking(of, rows[0], chosen),
        rows=rows,
        area_code=found["area_code"] if found else None,
        sentence=describe_area(kind, found, digits) if found else None,
        notes=list_notes(of, rows),
        digits=digits,
    )


def parse_year(text: str) -> date:
    """The last day of a year: `2020/21` → 31 March 2021; a day, a cohort or `year ending June 2025` are read too.

    Raises:
        WrongUseError: it is none of these, or a cohort of another length.
    """
    if (first := parse_financial_year(text)) is not None:
        return month_end(first + 1, 3)
    cohort = parse_cohort(text)
    end = parse_day(text) or (cohort.end if cohort else parse_period_end(text))
    if end is None or (cohort and cohort != year_to(end)):
        raise WrongUseError(f"{text!r} is no year", "write it as 2020/21, or as its last day: 2021-03-31")
    return end


def _read_rows(home: Path, of: Kind, chosen: dict[str, object], end: date | None) -> list[Row]:
    where = " AND ".join(f"{name} = ${name}" for name in chosen)
    with open_warehouse(home) as connection:
        _refuse_unknown(connection, of, chosen)
        ends = connection.execute(
            f"SELECT {of.period}, {of.is_ranking} FROM {of.table} WHERE {where} GROUP BY ALL ORDER BY {of.period}",
            chosen,
        ).fetchall()
        wanted = end or next((last for last, is_ranking in reversed(ends) if is_ranking), ends[-1][0])
        result = connection.execute(
            f"SELECT * FROM {of.table} WHERE {where} AND {of.period} = $wanted "
            f"ORDER BY {of.rank} NULLS LAST, area_name, area_code",
            chosen | {"wanted": wanted},
        )
        names = [column[0] for column in result.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    if not rows:
        held = ", ".join(str(row[0]) for row in ends)
        raise WrongUseError(f"nothing is ranked for the year to {wanted}", f"held are the years to: {held}")
    return rows


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, of: Kind, chosen: dict[str, object]) -> None:
    """Stop at the first choice that leaves nothing, and name those that would leave something."""
    given: dict[str, object] = {}
    for name, value in chosen.items():
        where = " AND ".join(f"{known} = ${known}" for known in given) or "TRUE"
        query = f"SELECT DISTINCT {name} FROM {of.table} WHERE {where} ORDER BY {name}"
        try:
            held = [row[0] for row in connection.execute(query, given).fetchall()]
        except duckdb.CatalogException:
            held = []  # built before there were rankings
        if not held:
            raise JusticeError(
                f"the warehouse that serves holds no {of.table}", "land its figures, then: justice-etl publish"
            )
        if value not in held:
            what = name.removesuffix("_id").replace("_", " ")
            raise WrongUseError(f"nothing is ranked for the {what} {value!r}", f"there is: {', '.join(held)}")
        given[name] = value


def _find_row(rows: list[Row], area: str) -> Row:
    found = [row for row in rows if row["area_code"] == area or name_key(row["area_name"]) == name_key(area)]
    if len(found) == 1:
        return found[0]
    if found:
        codes = ", ".join(row["area_code"] for row in found)
        raise WrongUseError(f"several areas are called {area!r}: {codes}", "give the code")
    names = [row["area_name"] for row in rows]
    keys = {name_key(name): name for name in names}
    near = [keys[key] for key in difflib.get_close_matches(name_key(area), list(keys), 5)]
    raise WrongUseError(
        f"{area!r} is not in this ranking", f"near it: {', '.join(near)}" if near else "try another --level"
    )


def describe_area(kind: str, row: Row, digits: int = 1) -> str:
    """One honest sentence about an area of a ranking: its rank, of how many, and how sure that is.

    Args:
        kind: one of KINDS.
        row: a line of its table.
        digits: decimal places of its value.
    """
    of = KINDS[kind]
    name = row["area_name"]
    if not row["eligible"]:
        return f"{name} is not ranked: {EXCLUSIONS.get(row['exclusion_reason'], row['exclusion_reason'])}."
    areas = row["ranked_areas"]
    value = _describe_value(of, row, digits)
    if row[of.rank] is None:
        unsure = "fewer than three earlier years can be compared, so that nobody could say how sure a rank is"
        return f"{name} has no rank ({value}): {unsure}."
    if areas == 1:
        return f"{name} is the only area that is ranked ({value}): there is nothing to compare it with."
    rank = f"{name} has rank {row[of.rank]}{' (shared)' if row.get('tied') else ''} of {areas} ({value}), 1 being "
    rank += of.lowest
    given = ""
    if row["rank_low"] is not None:
        given = f"; given the data its rank lies between {row['rank_low']} and {row['rank_high']} (95%)"
    elif row["rank_bound_low"] is not None:
        low, high = row["rank_bound_low"], row["rank_bound_high"]
        given = f"; its rank is guaranteed to {f'be {low}' if low == high else f'lie between {low} and {high}'} (95%)"
    apart = row["indistinguishable_areas"]
    told = "it stands apart from all others"
    if apart:
        told = f"it cannot be told apart from {'any' if apart == areas - 1 else apart} of the other {areas - 1}"
    return f"{rank}{given}, and {told}: {_judge_number_one(of, row)}."


EXCLUSIONS = {
    "no_data": "there are no figures that make a rate",
    "too_few": "it has fewer than 30 offenders",
    "unknown_area": "it is no area but offenders of other areas, or of none that is known",
    "no_resident_population": "it has no residents to speak of, so that a rate means nothing",
    "population_missing": "its population is not known",
    "negative_count": "its count is a correction",
}
"""Why an area is not ranked, by its reason code: the rest of a sentence."""


def _describe_value(of: Kind, row: Row, digits: int) -> str:
    if of.interval is None:
        return f"{_format_signed(row[of.value], digits)}{of.unit}"
    low, high = (row[name] for name in of.interval)
    return f"{row[of.value]:.{digits}f}{of.unit}, 95% interval {low:.{digits}f} to {high:.{digits}f}"


def _format_signed(value: float, digits: int) -> str:
    """A difference with its sign, a real minus; none where it rounds to 0."""
    sign = "" if round(value, digits) == 0 else "−" if value < 0 else "+"
    return f"{sign}{abs(value):.{digits}f}"


def count_digits(of: Kind, rows: list[Row]) -> int:
    """Decimal places that tell values of this size apart: homicides per 1,000 residents need more than burglaries."""
    highest = max((abs(row[of.value]) for row in rows if row[of.value] is not None), default=0.0)
    return 1 if highest >= 10 or of.interval is None else 2 if highest >= 1 else 3


def _judge_number_one(of: Kind, row: Row) -> str:
    if row["rank_bound_high"] == 1:
        return f'"number one" ({of.lowest}) holds'
    if row[of.rank] == 1:
        return f'"number one" ({of.lowest}) does not hold, since its rank could be as high as {row["rank_bound_high"]}'
    if row["rank_bound_low"] == 1:
        return f'"number one" ({of.lowest}) can neither be said of it nor ruled out'
    return f'"number one" ({of.lowest}) can be ruled out'


def name_ranking(of: Kind, row: Row, chosen: dict[str, object]) -> str:
    """What is ranked, where and when.

    Args:
        of: the kind of ranking.
        row: any line of the ranking.
        chosen: what tells it apart from others of its kind, by column.
    """
    start = row.get("cohort_start") or row.get("period_start")
    end: date = row[of.period]
    span = f"{start:%B %Y} to {end:%B %Y}" if start else f"year ending {end:%B %Y}"
    what = ", ".join(
        text
        for text in (
            str(row.get("offence_name") or ""),
            {"adult": "adults", "child": "children", "all": "adults and children"}.get(
                str(chosen.get("age_group")), ""
            ),
            {"twelve_month_cohort": "twelve-month cohort"}.get(str(chosen.get("measure")), ""),
        )
        if text
    )
    areas = LEVELS.get(str(row["level"])) or f"areas of level {row['level']}"
    return f"{areas[0].upper()}{areas[1:]} by {of.about}{', ' + what if what else ''}, {span}"


_REASONS = {
    "no_previous": "No rank is given: fewer than three years of changes are held, so nobody could say how sure it is.",
    "too_few": "Fewer than ten areas: the rank given the data is not worked out; the guaranteed one is.",
    "no_spread": "The areas differ no more than by chance: any rank is as likely as any other.",
}
"""What the reason of a ranking means for all of it."""


MODELLED_NOTE = "MODELLED SAMPLE: no judgement on any area follows from these figures."


def count_by_chance(areas: int) -> str:
    """How many of so many areas lie outside 95% limits by chance alone: the subject of a sentence."""
    return f"about {round(areas / 20)}" if areas >= 20 else "fewer than one"


def list_notes(of: Kind, rows: list[Row]) -> list[str]:
    """What every reader of a ranking must know, given all its lines; that it is modelled comes first."""
    notes = [of.caveat]
    ranked = [row for row in rows if row["eligible"]]
    if ranked and "funnel_class" in ranked[0]:
        outside = sum(row["funnel_class"] not in (None, "inside") for row in ranked)
        expected = count_by_chance(len(ranked))
        notes.append(f"{outside} of {len(ranked)} lie outside the 95% funnel; {expected} would by chance alone.")
    noise = ranked[0].get("yearly_noise_percent") if ranked else None
    if noise is not None:
        notes.append(
            f"From one year to the next the rate of one area moves by some {noise:.1f}% beyond chance and beyond what "
            "moves all areas: ranks allow for that, intervals of rates for chance only."
        )
    reasons = {row["reason"] for row in ranked}
    notes += [note for reason, note in _REASONS.items() if reason in reasons]
    if rows[0]["is_modelled"]:
        notes.insert(0, MODELLED_NOTE)
    return notes
