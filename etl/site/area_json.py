"""An area's page for machines: `areas/<area_code>.json`, schemas/site/area.schema.json."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from etl.site.area_data import Held
from etl.site.area_places import Place, Turn
from etl.site.directory import AreaEntry
from etl.site.frame import Row
from etl.site.series import list_break_ids

_CRIME = (
    *("offence_id", "offence_name", "period_start", "period_end", "offences", "offences_marker", "population"),
    *("population_mid_year", "rate_per_1000", "rate_low_per_1000", "rate_high_per_1000", "rate_reason"),
    *("previous_offences", "previous_source", "change", "change_percent", "change_low_percent", "change_high_percent"),
    *("reason", "release_id", "is_modelled"),
)
_REOFFENDING = (
    *("measure", "age_group", "cohort_start", "cohort_end", "offenders", "offenders_marker", "reoffenders"),
    *("reoffenders_marker", "rate_percent", "rate_low_percent", "rate_high_percent", "previous_rate_percent"),
    *("change_points", "change_low_points", "change_high_points", "reason", "release_id", "is_modelled"),
)
_RANK = (
    *("level", "rank", "tied", "ranked_areas", "rank_low", "rank_high", "rank_bound_low", "rank_bound_high"),
    *("indistinguishable_areas", "funnel_class", "funnel_class_overdispersed", "eligible", "exclusion_reason"),
    *("reason", "release_id", "is_modelled"),
)
_CRIME_RANK = ("offence_id", "period_end", "rate_per_1000", "rate_low_per_1000", "rate_high_per_1000", *_RANK)
_REOFFENDING_RANK = (
    *("measure", "age_group", "cohort_end", "rate_percent", "wilson_low_percent", "wilson_high_percent"),
    *_RANK,
)
_LOCAL_ADULT = (
    *("level", "period_start", "period_end", "offenders", "actual_percent", "predicted_percent"),
    *("difference_percent", "significant", "rank_all", "ranked_areas", "rank_low", "rank_high", "rank_bound_low"),
    *("rank_bound_high", "eligible", "exclusion_reason", "reason", "release_id", "is_modelled"),
)


def make_area_json(
    area: AreaEntry, of: Held, crime_ranks: list[Row], comparators: list[Row], *, is_modelled: bool
) -> dict[str, Any]:
    """What the page of an area shows, as its JSON file holds it.

    Args:
        area: the area.
        of: what is held of it.
        crime_ranks: its lines of the newest rankings by crime rate.
        comparators: the lines of its table beside larger areas.
        is_modelled: whether any of all that is a modelled sample.
    """
    return {
        "area_code": area.area_code,
        "area_name": area.area_name,
        "levels": list(area.levels),
        "ended_on": area.ends_on,
        "page": f"{area.area_code}.html",
        "is_modelled": is_modelled,
        "changes": [_describe_turn(turn) for turn in of.turns],
        "lies_in": _list_places(of.parents),
        "holds": _list_places(of.children),
        "recorded_crime": {
            "years": [_pick(row, _CRIME) | _pick_breaks(row) for row in of.crime],
            "groups": [_pick(row, _CRIME) | _pick_breaks(row) for row in of.groups],
            "ranks": [_pick(row, _CRIME_RANK) for row in crime_ranks],
        },
        "proven_reoffending": {
            "cohorts": [_pick(row, _REOFFENDING) | _pick_breaks(row) for row in of.reoffending],
            "ranks": [_pick(row, _REOFFENDING_RANK) for row in of.reoffending_ranks],
        },
        "local_adult_reoffending": [_pick(row, _LOCAL_ADULT) for row in of.local_adult],
        "comparators": [_describe_comparator(row) for row in comparators],
        "revisions": _describe_revisions(of),
    }


def _describe_turn(turn: Turn) -> Row:
    told = {name: getattr(turn, name) for name in ("changed_on", "kind", "is_end", "level")}
    return told | {"areas": _list_places(turn.others)}


def _describe_comparator(row: Row) -> Row:
    line = {name: value for name, value in row.items() if name != "place"}
    return line | {"area_code": row["place"].area_code, "area_name": row["place"].area_name}


def _describe_revisions(of: Held) -> Row:
    return {
        "figures": of.revised_figures,
        "times": of.revised_times,
        "largest": asdict(of.largest) if of.largest else None,
        "latest": [asdict(revision) for revision in of.latest],
    }


def _pick(row: Row, names: Iterable[str]) -> Row:
    return {name: row[name] for name in names}


def _pick_breaks(row: Row) -> Row:
    return {"break_ids": list_break_ids([row])}


def _list_places(places: Iterable[Place]) -> list[Row]:
    return [{"area_code": place.area_code, "area_name": place.area_name} for place in places]
