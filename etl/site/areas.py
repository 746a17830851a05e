"""The page of every area with its JSON, and the list of them: what is held of it, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from etl.site import area_words
from etl.site.area_data import AGES, MEASURES, Held, read_held
from etl.site.area_figures import draw_crime, draw_reoffending, format_span
from etl.site.area_json import make_area_json
from etl.site.area_list import list_levels, read_other_names
from etl.site.area_places import Place
from etl.site.charts import Figure
from etl.site.directory import AreaEntry, RankingEntry
from etl.site.frame import Row, Site, fetch
from etl.site.series import Breaks, list_break_ids
from etl.site.summaries import ReleaseSummary

_WIDER = ("police_force", "region", "country")
"""Levels whose figures stand beside those of an area."""


_RankingKey = tuple[str, str, str | None, str | None, str | None]
Rankings = dict[_RankingKey, RankingEntry]
"""The rankings of years that have pages, by kind, level, measure, age group and offence."""


@dataclass(frozen=True)
class RankTold:
    """A rank in words.

    Attributes:
        heading: of what ranking: its areas, age group and period.
        sentence: the rank and how sure it is.
        funnel: where the rate lies in the funnel, if it has a place there.
        ranking: the ranking with a page; None where there is none.
        link: what the link to it says.
        row: the line of its table.
    """

    heading: str
    sentence: str
    funnel: str | None
    ranking: RankingEntry | None
    link: str
    row: Row


@dataclass(frozen=True)
class Series:
    """The cohorts of one measure of reoffending: in sentences, as a chart, and line by line (newest first).

    `breaks` says what touches changes of these cohorts.
    """

    measure: str
    sentences: tuple[str, ...]
    figure: Figure | None
    rows: tuple[Row, ...]
    breaks: tuple[str, ...]
    is_present: bool


def write_areas(connection: duckdb.DuckDBPyConnection, site: Site, summaries: list[ReleaseSummary]) -> None:
    """Write the page and JSON of each area, and the list of all.

    Args:
        connection: the warehouse, open for reading.
        site: where to.
        summaries: the releases that figures rest on.
    """
    breaks = read_breaks(connection)
    held = read_held(connection, site.directory)
    areas = sorted(site.directory.areas.values(), key=lambda area: area.area_code)
    # Every chart is asked for before the first page is written: both cores draw meanwhile.
    charts = {
        area.area_code: draw_crime(site.charts, held[area.area_code].crime, breaks, area.area_name) for area in areas
    }
    series = {area.area_code: _make_series(site, area, held[area.area_code], breaks) for area in areas}
    by_id = {summary.release_id: summary for summary in summaries}
    rankings = {_key_ranking(of): of for of in site.directory.rankings if of.span in (None, "year")}
    for area in areas:
        of = held[area.area_code]
        content = _gather(rankings, of, breaks) | {"offences": site.directory.offences}
        comparators = compare(area, of, held)
        is_modelled = of.is_modelled or any(line["is_modelled"] for line in comparators)
        site.write_page(
            f"areas/{area.area_code}.html",
            "area.html",
            area=area,
            of=of,
            words=area_words,
            span=format_span,
            by_id=by_id,
            crime_figure=charts[area.area_code],
            series=series[area.area_code],
            elsewhere=find_elsewhere(of, held),
            comparators=comparators,
            is_modelled=is_modelled,
            **content,
        )
        ranks = [told.row for told in content["crime_ranks"]]
        site.write_json(
            f"areas/{area.area_code}.json", make_area_json(area, of, ranks, comparators, is_modelled=is_modelled)
        )
    names = read_other_names(connection, site.directory)
    site.write_page("areas/index.html", "areas.html", levels=list_levels(site.directory), other_names=names)


def _gather(rankings: Rankings, of: Held, breaks: Breaks) -> dict[str, Any]:
    """What the page of an area tells of its ranks, and what touches its figures."""
    newest = area_words.find_newest(of.crime, "offences")
    return {
        "breaks": list_breaks(of.crime, breaks),
        "newest_breaks": list_breaks([newest] if newest else [], breaks),
        "crime_ranks": _tell_crime_ranks(rankings, of),
        "reoffending_ranks": _tell_reoffending_ranks(rankings, of),
        "earlier_ranks": _list_earlier(rankings, of),
        "local_ranking": rankings.get(("local-adult", "upper_tier", None, None, None)),
    }


def read_breaks(connection: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    """The breaks of all series by their id."""
    rows = fetch(connection, "SELECT * FROM ref.series_break ORDER BY start_date, break_id")
    return {row["break_id"]: row for row in rows}


def list_breaks(rows: list[Row], breaks: Breaks) -> list[str]:
    """What touches the changes of a series, in words, the oldest first."""
    found = [breaks[name] for name in list_break_ids(rows) if name in breaks]
    found.sort(key=lambda row: (row["start_date"] or date.min, row["break_id"]))
    return [area_words.tell_break(row) for row in found if row["start_date"]]


def find_elsewhere(of: Held, held: dict[str, Held]) -> list[tuple[str, list[Place]]]:
    """What is not held of an area, and the areas around it of which it is: authorities and partnerships part so."""
    found = []
    if of.reoffending and not of.crime:
        around = [place for place in of.parents if place.level in ("csp", "police_force") and place.entry]
        found.append(("Recorded crime", [place for place in around if held[place.area_code].crime]))
    if of.crime and not of.reoffending:
        around = [place for place in of.children if place.level == "upper_tier" and place.entry] + of.parents
        around = [place for place in around if place.level in ("upper_tier", "police_force") and place.entry]
        found.append(("Proven reoffending", [place for place in around if held[place.area_code].reoffending]))
    return [(what, places) for what, places in found if places]


def _make_series(site: Site, area: AreaEntry, of: Held, breaks: Breaks) -> list[Series]:
    return [
        made
        for measure in MEASURES
        if (made := make_series(site, of.reoffending, measure, breaks, area.area_name)) is not None
    ]


def make_series(site: Site, rows: list[Row], measure: str, breaks: Breaks, area_name: str) -> Series | None:
    """The cohorts of one measure; None where none is held. The chart shows all ages, or what is held instead.

    Args:
        site: draws.
        rows: lines of mart.reoffending_trend with intervals, of one area.
        measure: one of MEASURES.
        breaks: all breaks.
        area_name: for the chart.
    """
    by_age = {age: [row for row in rows if (row["measure"], row["age_group"]) == (measure, age)] for age in AGES}
    by_age = {age: of for age, of in by_age.items() if of}
    if not by_age:
        return None
    shown = next(iter(by_age.values()))
    slug = "reoffending-trend" if measure == MEASURES[0] else "twelve-month-trend"
    of_age = [row for of in by_age.values() for row in of]
    order = {age: place for place, age in enumerate(AGES)}
    return Series(
        measure=measure,
        sentences=tuple(area_words.tell_reoffending(of[-1]) for of in by_age.values()),
        figure=draw_reoffending(site.charts, shown, breaks, area_name, slug),
        rows=tuple(sorted(of_age, key=lambda row: (-row["cohort_end"].toordinal(), order[row["age_group"]]))),
        breaks=tuple(list_breaks(of_age, breaks)),
        is_present=measure == MEASURES[0],
    )


# --- Ranks


def _tell_crime_ranks(rankings: Rankings, of: Held) -> list[RankTold]:
    total = of.crime[0]["offence_id"] if of.crime else None
    rows = [row for row in of.crime_ranks if row["offence_id"] == total] or of.crime_ranks
    told = []
    for level in sorted({row["level"] for row in rows}):
        of_level = [row for row in rows if row["level"] == level]
        offence_id = of_level[0]["offence_id"]
        ranking = rankings.get(("crime", level, None, None, offence_id))
        end = ranking.period_end if ranking else of_level[-1]["period_end"]
        areas = area_words.name_areas(level)
        told += [
            RankTold(
                f"Among {areas}, {area_words.describe_year(end)}",
                area_words.tell_rank("crime", row),
                None,
                ranking,
                f"The ranking of {areas} by recorded crime, and what it cannot say",
                row,
            )
            for row in of_level
            if (row["period_end"], row["offence_id"]) == (end, offence_id)
        ]
    return told


def _tell_reoffending_ranks(rankings: Rankings, of: Held) -> list[RankTold]:
    told = []
    for row in _order_ranks(of.reoffending_ranks):
        if _is_newest(rankings, row):
            areas, ages = area_words.name_areas(row["level"]), area_words.AGE_NAMES[row["age_group"]].lower()
            measure = "" if row["measure"] == MEASURES[0] else ", twelve-month cohorts"
            told.append(
                RankTold(
                    f"Among {areas}: {ages}{measure}, cohort {area_words.describe_cohort(row)}",
                    area_words.tell_rank("reoffending", row),
                    area_words.tell_funnel(row),
                    _find_reoffending(rankings, row),
                    f"The ranking of {areas} by proven reoffending of {ages}{measure}, and what it cannot say",
                    row,
                )
            )
    return told


def _list_earlier(rankings: Rankings, of: Held) -> list[Row]:
    """Ranks of years before the newest ranking, the newest first."""
    earlier = [
        row for row in _order_ranks(of.reoffending_ranks) if row["rank"] is not None and not _is_newest(rankings, row)
    ]
    return sorted(earlier, key=lambda row: -row["cohort_end"].toordinal())


def _order_ranks(rows: list[Row]) -> list[Row]:
    known = [row for row in rows if row["measure"] in MEASURES and row["age_group"] in AGES]
    return sorted(
        known,
        key=lambda row: (MEASURES.index(row["measure"]), row["level"], AGES.index(row["age_group"]), row["cohort_end"]),
    )


def _is_newest(rankings: Rankings, row: Row) -> bool:
    ranking = _find_reoffending(rankings, row)
    return ranking is not None and ranking.period_end == row["cohort_end"]


def _find_reoffending(rankings: Rankings, row: Row) -> RankingEntry | None:
    return rankings.get(("reoffending", row["level"], row["measure"], row["age_group"], None))


def _key_ranking(of: RankingEntry) -> _RankingKey:
    return (of.kind, of.level, of.measure, of.age_group, of.offence_id)


# --- Beside larger areas


def compare(area: AreaEntry, of: Held, held: dict[str, Held]) -> list[Row]:
    """The rates of an area and of the larger ones that it lies in, for the same year and cohort; empty without any.

    Each line names its `place`, `period_end` and `cohort_end` with both rates and their intervals; what is not held of
    a larger area for that very year is None, and the line stays, so that the page can say so.
    """
    crime = area_words.find_newest(of.crime, "rate_per_1000")
    everybody = [row for row in of.reoffending if (row["measure"], row["age_group"]) == (MEASURES[0], "all")]
    cohort = area_words.find_newest(everybody, "rate_percent")
    wider = [
        place
        for place in of.parents
        if place.entry
        and place.level in _WIDER
        and ((crime and held[place.area_code].crime) or (cohort and held[place.area_code].reoffending))
    ]
    own = Place(area.area_code, area.area_name, area.levels[0], area)
    lines = [_compare_one(place, held, crime, cohort) for place in [own, *wider]]
    found = [line for line in lines if line["rate_per_1000"] is not None or line["rate_percent"] is not None]
    return lines if len(found) > 1 else []


def _compare_one(place: Place, held: dict[str, Held], crime: Row | None, cohort: Row | None) -> Row:
    of = held[place.area_code]
    same_year = next(
        (row for row in of.crime if crime and all(row[name] == crime[name] for name in ("offence_id", "period_end"))),
        None,
    )
    keys = ("measure", "age_group", "cohort_end")
    same_cohort = next((row for row in of.reoffending if cohort and all(row[key] == cohort[key] for key in keys)), None)
    shown = [row for row in (same_year, same_cohort) if row]
    line: Row = {
        "place": place,
        "is_modelled": any(row["is_modelled"] for row in shown),
        "offence_id": crime["offence_id"] if crime else None,
        "period_end": crime["period_end"] if crime else None,
        "cohort_end": cohort["cohort_end"] if cohort else None,
    }
    for name in ("rate_per_1000", "rate_low_per_1000", "rate_high_per_1000"):
        line[name] = same_year[name] if same_year else None
    for name in ("rate_percent", "rate_low_percent", "rate_high_percent"):
        line[name] = same_cohort[name] if same_cohort else None
    return line
