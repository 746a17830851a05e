"""The page of every group of offences: its trend, the newest year in every police force, and what it can carry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from etl.revisions import format_day
from etl.site.crime_charts import make_changes, make_panels, make_series, number_breaks
from etl.site.crime_words import (
    ACTIONS,
    EFFECTS,
    count_digits,
    name_year,
    tell_change,
    tell_cost,
    tell_count,
    tell_newest,
    tell_rate,
)
from etl.site.directory import REPLACED, AreaEntry, Directory, OffenceEntry
from etl.site.frame import Figure, Row, Site, fetch
from etl.site.series import list_break_ids, tell_days
from etl.site.tile_map import read_places
from etl.site.words import ENGLAND_AND_WALES, REASONS

TABLE_LEVELS = ("country", "region", "police_force")
FOUND_BY_POLICE = frozenset({"drug_offences", "possession_of_weapons_offences"})
"""Groups whose counts depend on what the police do; with their subgroups they are not ranked."""

COLUMNS = (
    "area_code", "area_name", "level", "period_start", "period_end", "offences", "offences_marker", "population",
    "population_mid_year", "rate_per_1000", "rate_low_per_1000", "rate_high_per_1000", "rate_reason",
    "previous_offences", "previous_source", "change", "change_percent", "change_low_percent", "change_high_percent",
    "break_ids", "reason", "release_id", "is_modelled",
)  # fmt: skip
"""What the JSON of a page holds of each line of mart.crime_trend."""

_SHOWN = """
    span = 'year' AND trend.offence_id IN (
        SELECT offence.offence_id FROM ref.offence AS offence WHERE offence.level IN ('total', 'group', 'subgroup'))
"""
_SELECTED = ", ".join(f"trend.{name}" for name in ("offence_id", *COLUMNS))

_SERIES = f"""
    WITH held AS (
        SELECT trend.offence_id, trend.area_code, min(trend.level) AS level,
            arg_max(trend.offences, trend.period_end) AS offences
        FROM mart.crime_trend AS trend
        WHERE {_SHOWN} AND trend.offences IS NOT NULL
        GROUP BY trend.offence_id, trend.area_code
    ), chosen AS (
        SELECT offence_id, area_code FROM held
        QUALIFY 1 = row_number() OVER (
            PARTITION BY offence_id
            ORDER BY area_code = '{ENGLAND_AND_WALES}' DESC,
                list_position(['country', 'region', 'police_force', 'upper_tier', 'lower_tier', 'csp'], level)
                    NULLS LAST,
                offences DESC, area_code)
    )
    SELECT {_SELECTED}
    FROM mart.crime_trend AS trend
    INNER JOIN chosen ON chosen.offence_id = trend.offence_id AND chosen.area_code = trend.area_code
    WHERE {_SHOWN}
    ORDER BY trend.offence_id, trend.period_end
"""
"""Every year of England and Wales; of an offence that is not held of it, of the largest area."""

_NEWEST = f"""
    WITH replaced AS ({REPLACED})
    SELECT {_SELECTED}
    FROM mart.crime_trend AS trend
    LEFT JOIN replaced ON replaced.offence_id = trend.offence_id
    WHERE {_SHOWN} AND trend.level IN {TABLE_LEVELS}
        AND coalesce(trend.period_end < replaced.replaced_on, TRUE)
    QUALIFY trend.period_end = max(trend.period_end) FILTER (WHERE trend.offences IS NOT NULL)
        OVER (PARTITION BY trend.offence_id, trend.level)
    ORDER BY trend.offence_id, trend.area_name, trend.area_code
"""
"""Of each level the newest year in which any area has a count; of an offence that others replaced, before they did."""

_CHANGES = f"""
    SELECT {_SELECTED}
    FROM mart.crime_trend AS trend
    WHERE {_SHOWN} AND trend.level = 'police_force' AND trend.change_percent IS NOT NULL
    QUALIFY trend.period_end = max(trend.period_end) OVER (PARTITION BY trend.offence_id)
    ORDER BY trend.offence_id, trend.area_name, trend.area_code
"""

_COSTS = f"""
    SELECT *
    FROM mart.crime_cost
    WHERE area_code = '{ENGLAND_AND_WALES}' AND cost_pounds IS NOT NULL
    QUALIFY 1 = row_number() OVER (PARTITION BY offence_id ORDER BY period_end DESC)
    ORDER BY offence_id
"""

_BREAKS = "SELECT * FROM ref.series_break WHERE series = 'recorded_crime' ORDER BY start_date, break_id"


@dataclass(frozen=True)
class Lines:
    """The lines of one offence: its trend, the newest year by level, the newest changes of forces, its cost.

    `replaced_on` is the day since which others are counted in its place, if there is one.
    """

    replaced_on: date | None
    series: list[Row]
    newest: list[Row]
    changes: list[Row]
    cost: Row | None

    @property
    def last(self) -> Row | None:
        """The newest year of the trend that has a count; of an offence that others replaced, before they did."""
        counted = [row for row in self.series if row["offences"] is not None]
        whole = [row for row in counted if self.replaced_on is None or row["period_end"] < self.replaced_on]
        return next(reversed(whole or counted), None)

    @property
    def is_modelled(self) -> bool:
        """Whether any figure is a modelled sample."""
        rows = [*self.series, *self.newest, *self.changes, *([self.cost] if self.cost else [])]
        return any(row["is_modelled"] for row in rows)


def write_crime(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write the list of offences, and a page and JSON of each total, group and subgroup.

    Args:
        connection: the warehouse; it is only read.
        site: where to.
    """
    breaks = {row["break_id"]: row for row in fetch(connection, _BREAKS)}
    lines = _read_lines(connection, site.directory)
    figures = {name: _draw(site, site.directory.offences[name], found, breaks) for name, found in lines.items()}
    panels = _draw_panels(site, lines, breaks)
    for offence_id, found in lines.items():
        offence = site.directory.offences[offence_id]
        site.write_json(f"crime/{offence_id}.json", make_offence_json(offence, found, breaks))
        content = _make_content(site.directory, offence, found, breaks)
        site.write_page(f"crime/{offence_id}.html", "offence.html", figures=figures[offence_id], **content)
    site.write_page(
        "crime/index.html",
        "crime.html",
        rows=[_make_line(depth, offence, lines[offence.offence_id]) for depth, offence in list_tree(site.directory)],
        panels=panels,
        breaks=_name_breaks(connection, breaks.values()),
    )


def _read_lines(connection: duckdb.DuckDBPyConnection, directory: Directory) -> dict[str, Lines]:
    series, newest, changes = (_group(fetch(connection, query)) for query in (_SERIES, _NEWEST, _CHANGES))
    costs = {row["offence_id"]: row for row in fetch(connection, _COSTS)}
    return {
        name: Lines(
            offence.replaced_on, series.get(name, []), newest.get(name, []), changes.get(name, []), costs.get(name)
        )
        for name, offence in directory.offences.items()
    }


def _group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["offence_id"]].append(row)
    return found


def _draw(site: Site, offence: OffenceEntry, lines: Lines, breaks: Mapping[str, Row]) -> dict[str, Figure | None]:
    figures: dict[str, Figure | None] = {"series": None, "changes": None}
    if lines.last:
        digits = count_digits(lines.series)
        area = lines.last["area_name"]
        figures["series"] = make_series(site.charts, offence.name, area, lines.series, breaks, digits)
    if lines.changes:
        figures["changes"] = make_changes(site.charts, offence.name, lines.changes)
    return figures


def _draw_panels(site: Site, lines: Mapping[str, Lines], breaks: Mapping[str, Row]) -> Figure | None:
    """All groups of England and Wales."""
    shown = [
        (site.directory.offences[name].name, found.series)
        for name, found in lines.items()
        if site.directory.offences[name].level == "group"
        and found.last
        and found.last["area_code"] == ENGLAND_AND_WALES
    ]
    return make_panels(site.charts, "England and Wales", shown, breaks) if shown else None


def list_tree(directory: Directory) -> list[tuple[int, OffenceEntry]]:
    """Every offence below what it is part of, with its depth (0 of what is part of nothing that has a page)."""
    below: dict[str | None, list[OffenceEntry]] = defaultdict(list)
    for offence in directory.offences.values():
        below[offence.parent_id if offence.parent_id in directory.offences else None].append(offence)

    def walk(parent: str | None, depth: int) -> list[tuple[int, OffenceEntry]]:
        return [
            found for offence in below[parent] for found in ((depth, offence), *walk(offence.offence_id, depth + 1))
        ]

    return walk(None, 0)


def _list_parents(directory: Directory, offence: OffenceEntry) -> list[OffenceEntry]:
    """What it is part of, the widest first."""
    parents: list[OffenceEntry] = []
    parent = directory.offences.get(offence.parent_id or "")
    while parent is not None:
        parents.insert(0, parent)
        parent = directory.offences.get(parent.parent_id or "")
    return parents


def _make_line(depth: int, offence: OffenceEntry, lines: Lines) -> dict[str, Any]:
    last = lines.last
    line: dict[str, Any] = {"depth": depth, "offence": offence, "year": None}
    if last:
        line |= {"year": name_year(last), "area": last["area_name"], "count": tell_count(last)}
        line["change"] = tell_change(last)
    return line


def _make_content(
    directory: Directory, offence: OffenceEntry, lines: Lines, breaks: Mapping[str, Row]
) -> dict[str, Any]:
    """What the template of an offence is given besides its figures."""
    parents = _list_parents(directory, offence)
    return {
        "offence": offence,
        "parents": parents,
        "parts": [other for other in directory.offences.values() if other.parent_id == offence.offence_id],
        "is_modelled": lines.is_modelled,
        "area": lines.last["area_name"] if lines.last else None,
        "is_national": lines.last is not None and lines.last["area_code"] == ENGLAND_AND_WALES,
        "sentences": _tell_trend(lines, breaks),
        "breaks": [_tell_break(row) for row in number_breaks(lines.series, breaks)],
        "tables": [table for level in reversed(TABLE_LEVELS) if (table := _make_table(directory, level, lines))],
        "changes_year": name_year(lines.changes[0]) if lines.changes else None,
        "cost": tell_cost("England and Wales", lines.cost) if lines.cost else None,
        "rankings": [
            found for found in directory.rankings if found.kind == "crime" and found.offence_id == offence.offence_id
        ],
        "is_found_by_police": not FOUND_BY_POLICE.isdisjoint(found.offence_id for found in (*parents, offence)),
        "query": "SELECT area_name, level, period_end, offences, rate_per_1000, change_percent, reason\n"
        f"FROM mart.crime_trend\nWHERE offence_id = '{offence.offence_id}' AND span = 'year'\n"
        "ORDER BY area_code, period_end",
    }


def _tell_trend(lines: Lines, breaks: Mapping[str, Row]) -> list[str]:
    if not lines.last:
        return []
    sentences = tell_newest(lines.last["area_name"], lines.last, count_digits(lines.series))
    touching = [breaks[name] for name in list_break_ids([lines.last]) if name in breaks]
    sentences += [f"Mind this break: {row['note']} ({tell_days(row)})." for row in touching if row["note"]]
    newest = lines.series[-1]
    if lines.replaced_on:
        sentences += _tell_replaced(lines.replaced_on, number_breaks(lines.series, breaks))
    elif newest["offences"] is None:
        sentences.append(
            f"For the year ending {name_year(newest)} no figure of this area is held ({tell_count(newest)})."
        )
    return sentences


def _tell_replaced(replaced_on: date, breaks: Iterable[Row]) -> list[str]:
    """That others took the place of an offence, and what the breaks of that day say of it."""
    told = (
        f"That is the newest year before {format_day(replaced_on)}, the day since which other offences have taken the "
        "place of this one: next to nothing has been counted as it since."
    )
    return [told, *(f"{row['note']}." for row in breaks if row["start_date"] == replaced_on and row["note"])]


def _tell_break(row: Row) -> dict[str, str]:
    return {
        "label": str(row.get("label", "")),
        "days": tell_days(row),
        "note": row["note"] or row["break_id"],
        "effect": EFFECTS.get(row["effect"], row["effect"]),
        "action": ACTIONS.get(row["action"], row["action"]),
        "source": f"{row['source']}" + ("" if row["verified"] else " (not verified)"),
    }


def _make_table(directory: Directory, level: str, lines: Lines) -> dict[str, Any] | None:
    """The newest year of a level, a line an area; None where nothing is held."""
    rows = [row for row in lines.newest if row["level"] == level]
    if not rows:
        return None
    digits = count_digits(rows)
    missing = {place.area_code for place in read_places()} - {row["area_code"] for row in rows}
    absent = [area.area_name for area in directory.list_level(level) if area.area_code in missing]
    return {
        "level": level,
        "year": name_year(rows[0]),
        "absent": absent,
        "rows": [_tell_area(directory.areas.get(row["area_code"]), row, digits) for row in rows],
    }


def _tell_area(area: AreaEntry | None, row: Row, digits: int) -> dict[str, Any]:
    return {
        "area": area,
        "name": row["area_name"],
        "count": tell_count(row),
        "rate": tell_rate(row, digits),
        "change": tell_change(row),
    }


def _name_breaks(connection: duckdb.DuckDBPyConnection, breaks: Iterable[Row]) -> list[dict[str, str]]:
    """All breaks, with the names of the areas and offences that they touch."""
    offences = dict(connection.execute("SELECT offence_id, name FROM ref.offence").fetchall())
    areas = dict(connection.execute("SELECT area_code, area_name FROM ref.area").fetchall())
    return [
        _tell_break(row)
        | {
            "offences": _name_all(row["offence_ids"], offences, "all offences"),
            "areas": _name_all(row["area_codes"], areas, "everywhere"),
        }
        for row in breaks
    ]


def _name_all(codes: str | None, names: Mapping[str, str], everything: str) -> str:
    if not codes or codes == "*":
        return everything
    return ", ".join(names.get(code.strip(), code.strip()) for code in codes.split(";"))


def make_offence_json(offence: OffenceEntry, lines: Lines, breaks: Mapping[str, Row]) -> dict[str, Any]:
    """The figures of an offence's page as its JSON file holds them: schemas/site/offence.schema.json."""
    return {
        "offence_id": offence.offence_id,
        "offence_name": offence.name,
        "level": offence.level,
        "parent_id": offence.parent_id,
        "is_modelled": lines.is_modelled,
        "trend": [_pick(row) for row in lines.series],
        "newest": [_pick(row) for row in lines.newest],
        "newest_changes": [_pick(row) for row in lines.changes],
        "breaks": [
            {name: row[name] for name in ("break_id", "kind", "action", "start_date", "end_date", "effect", "note")}
            for row in number_breaks(lines.series, breaks)
        ],
        "cost": _pick_cost(lines.cost),
        "reasons": {
            reason: REASONS.get(reason, reason)
            for row in (*lines.series, *lines.newest)
            for reason in (row["reason"], row["rate_reason"])
            if reason
        },
    }


def _pick(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in COLUMNS}


def _pick_cost(row: Row | None) -> dict[str, Any] | None:
    names = ("area_code", "period_end", "offences", "unit_cost_pounds", "cost_pounds", "price_base", "cohort_year")
    return {name: row[name] for name in (*names, "is_whole", "release_id")} if row else None
