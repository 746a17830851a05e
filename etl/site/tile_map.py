"""The map of police forces: how much crime, its change on year, and adult proven reoffending, on tiles of one size."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import duckdb

from etl.rank_words import count_by_chance
from etl.site.charts import Figure, Table
from etl.site.crime_words import count_digits, name_year, tell_change, tell_count, tell_rate
from etl.site.directory import AreaEntry
from etl.site.frame import Row, Site, fetch
from etl.site.tile_map_charts import Class, Tile, draw_tiles, place_hatching, place_legend, place_tiles
from etl.site.words import ENGLAND_AND_WALES, REASONS, format_rate, format_signed

BINS = 5

NO_FIGURE = Class("no figure", "paper", is_hatched=True)
NO_RESIDENTS = Class("no residents", "paper", is_hatched=True)
BELOW = Class("▼ below", "seq_2")
UNTOLD = Class("○ cannot be told", "paper")
ABOVE = Class("▲ above", "seq_4")
FELL = Class("▼ fell", "seq_2")
UNCLEAR = Class("○ within chance", "paper")
ROSE = Class("▲ rose", "seq_4")

_CRIME = """
    SELECT *
    FROM mart.crime_trend
    WHERE offence_id = 'total_excluding_fraud' AND span = 'year' AND level = 'police_force'
        AND area_code IN (SELECT unnest($forces))
    QUALIFY period_end = max(period_end) FILTER (WHERE {figure} IS NOT NULL) OVER ()
    ORDER BY area_name, area_code
"""

_REOFFENDING = f"""
    WITH newest AS (
        SELECT *
        FROM mart.reoffending_rank
        WHERE level = 'police_force' AND age_group = 'adult' AND span = 'year' AND measure = 'three_month_cohort'
            AND area_code IN (SELECT unnest($forces))
        QUALIFY cohort_end = max(cohort_end) FILTER (WHERE rate_percent IS NOT NULL) OVER ()
    )
    SELECT newest.*, national.rate_percent AS national_percent, national.is_modelled AS is_national_modelled
    FROM newest
    LEFT JOIN mart.reoffending_trend AS national
        ON national.area_code = '{ENGLAND_AND_WALES}' AND national.measure = newest.measure
        AND national.span = newest.span AND national.age_group = newest.age_group
        AND national.cohort_end = newest.cohort_end
    ORDER BY newest.area_name, newest.area_code
"""


@dataclass(frozen=True)
class Place:
    """A tile of the grid: whose it is, its short name, and where it lies (from 1, from north and west)."""

    area_code: str
    name: str
    row: int
    column: int


@dataclass(frozen=True)
class Map:
    """A map as the page shows it: its picture, and a line an area with its link."""

    figure: Figure
    heading: str
    intro: str
    head: tuple[str, ...]
    rows: list[tuple[AreaEntry | None, tuple[str, ...]]]


@cache
def read_places() -> tuple[Place, ...]:
    """The grid of `force_tiles.csv`, one tile a police force."""
    with (Path(__file__).parent / "force_tiles.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Place(line["area_code"], line["name"], int(line["row"]), int(line["column"]))
            for line in csv.DictReader(file)
        )


def write_map(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write the page of maps.

    Args:
        connection: the warehouse; it is only read.
        site: where to.
    """
    # What has no tile is no force: offenders of whom no area is known stand at this level too.
    forces: dict[str, object] = {"forces": [place.area_code for place in read_places()]}
    rates = fetch(connection, _CRIME.format(figure="rate_per_1000"), forces)
    changes = fetch(connection, _CRIME.format(figure="change_percent"), forces)
    reoffending = fetch(connection, _REOFFENDING, forces)
    maps = [
        make(site, rows)
        for make, rows in ((_map_rates, rates), (_map_changes, changes), (_map_reoffending, reoffending))
        if rows
    ]
    modelled = any(row["is_modelled"] or row.get("is_national_modelled") for row in (*rates, *changes, *reoffending))
    site.write_page("map/index.html", "map.html", maps=maps, is_modelled=modelled)


def _map_rates(site: Site, rows: Sequence[Row]) -> Map:
    """Crime per 1,000 residents in steps of one size."""
    digits = count_digits(rows)
    edges = find_edges([row["rate_per_1000"] for row in rows if row["rate_per_1000"] is not None])
    bins = name_bins(edges)
    classes = [*bins, NO_RESIDENTS, NO_FIGURE]

    def tell(row: Row) -> tuple[Class, str]:
        if row["rate_per_1000"] is not None:
            return bins[find_bin(edges, row["rate_per_1000"])], format_rate(row["rate_per_1000"], digits)
        return (NO_RESIDENTS, "no residents") if row["rate_reason"] == "no_resident_population" else (NO_FIGURE, "–")

    extremes = _tell_extremes(rows, "rate_per_1000", lambda rate: format_rate(rate, digits))
    text = f"{extremes} per 1,000 residents, in steps of {_trim(edges[1] - edges[0])}."
    return _make_map(
        site,
        rows,
        tell,
        classes,
        slug="rate",
        title="Tiles by offences per 1,000 residents",
        heading=f"Recorded crime per 1,000 residents, year ending {name_year(rows[0])}",
        text=text,
        intro="All offences without fraud, by those who live in the area. Residents are not all: who works, shops or "
        "goes out in a city adds to its crime and not to its residents.",
        head=("Offences", "Per 1,000 residents (95% interval)"),
        cells=lambda row: (tell_count(row), tell_rate(row, digits)),
    )


def _map_changes(site: Site, rows: Sequence[Row]) -> Map:
    """The change on year: fell, rose, or within what chance does."""
    classes = [FELL, UNCLEAR, ROSE, NO_FIGURE]

    def tell(row: Row) -> tuple[Class, str]:
        if row["change_percent"] is None:
            return NO_FIGURE, "–"
        low, high = row["change_low_percent"], row["change_high_percent"]
        found = FELL if high is not None and high < 0 else ROSE if low is not None and low > 0 else UNCLEAR
        return found, f"{found.label[0]} {format_signed(row['change_percent'])}%"

    text = f"{_tell_extremes(rows, 'change_percent', lambda change: f'{format_signed(change)}%')}."
    return _make_map(
        site,
        rows,
        tell,
        classes,
        slug="change",
        title="Tiles by whether recorded crime fell or rose",
        heading=f"Change of recorded crime on the year before, year ending {name_year(rows[0])}",
        text=text,
        intro="All offences without fraud, in percent of the year before: the newest year for which changes are given. "
        "“Within chance” means that the 95% interval holds zero. The interval knows of chance only: counts are so "
        "large that changes in recording and revisions weigh more.",
        head=("Change on the year before (95% interval), or why none",),
        cells=lambda row: (tell_change(row),),
    )


def _map_reoffending(site: Site, rows: Sequence[Row]) -> Map:
    """The adult reoffending rate: below that of England and Wales, above it, or not to be told from it."""
    classes = [BELOW, UNTOLD, ABOVE, NO_FIGURE]
    national = rows[0]["national_percent"]
    against = (
        f"that of England and Wales ({format_rate(national)}%)"
        if national is not None
        else "that of England and Wales, which is not held for this cohort: nothing is told apart"
    )

    def tell(row: Row) -> tuple[Class, str]:
        if row["rate_percent"] is None:
            return NO_FIGURE, "–"
        found = judge(row["wilson_low_percent"], row["wilson_high_percent"], national)
        return found, f"{found.label[0]} {format_rate(row['rate_percent'])}%"

    known = sum(row["rate_percent"] is not None for row in rows)
    extremes = _tell_extremes(rows, "rate_percent", lambda rate: f"{format_rate(rate)}%")
    text = f"{extremes}, set against {against}."
    start, end = rows[0]["cohort_start"], rows[0]["cohort_end"]
    span = f"{start:%B %Y} to {end:%B %Y}" if start else f"the year ending {end:%B %Y}"
    return _make_map(
        site,
        rows,
        tell,
        classes,
        slug="reoffending",
        title="Tiles by adult reoffending against England and Wales",
        heading=f"Adult proven reoffending by police force area, cohort of {span}",
        text=text,
        intro="The share of adult offenders who are proven to have reoffended within a year, by the area in which they "
        "live. An area is called below or above only where its 95% interval leaves out the rate of England and Wales; "
        f"by chance alone {count_by_chance(known)} of {known} would. Raw rates ignore who the offenders are.",
        head=("Reoffending rate, percent (95% interval)", "Against England and Wales"),
        cells=lambda row: (_tell_reoffending(row), _name_class(tell(row)[0])),
    )


def judge(low: float | None, high: float | None, national: float | None) -> Class:
    """Whether an interval lies below a rate or above it; a rate at its very end cannot be told apart."""
    if low is None or high is None or national is None:
        return UNTOLD
    return BELOW if high < national else ABOVE if low > national else UNTOLD


def _name_class(found: Class) -> str:
    """The words of a class without the sign before them."""
    return found.label.partition(" ")[2] if found.label[0] in "▼○▲" else found.label


def _tell_reoffending(row: Row) -> str:
    if row["rate_percent"] is None:
        reason = row["exclusion_reason"] or row["reason"] or "no_data"
        return REASONS.get(reason, reason)
    rate = format_rate(row["rate_percent"])
    if row["wilson_low_percent"] is None or row["wilson_high_percent"] is None:
        return rate
    return f"{rate} ({format_rate(row['wilson_low_percent'])} to {format_rate(row['wilson_high_percent'])})"


def _tell_extremes(rows: Sequence[Row], value: str, write: Callable[[float], str]) -> str:
    """The lowest and the highest figure with their areas; at least one line has a figure."""
    known = sorted((row for row in rows if row[value] is not None), key=lambda row: (row[value], row["area_name"]))
    lowest, highest = (f"{write(row[value])} in {row['area_name']}" for row in (known[0], known[-1]))
    return f"From {lowest} to {highest}"


def _make_map(
    site: Site,
    rows: Sequence[Row],
    tell: Callable[[Row], tuple[Class, str]],
    classes: Sequence[Class],
    *,
    slug: str,
    title: str,
    heading: str,
    text: str,
    intro: str,
    head: tuple[str, ...],
    cells: Callable[[Row], tuple[str, ...]],
) -> Map:
    """Draw a map and make its table.

    Args:
        site: where to.
        rows: the areas, by name.
        tell: gives the class of an area and the text of its tile.
        classes: of the legend, in order; hatched ones that no tile has are left out.
        slug, heading, intro: of the map.
        title, text: of its picture; how many tiles there are of each class is added.
        head: the columns of the table after the area.
        cells: their texts.
    """
    by_code: Mapping[str, Row] = {row["area_code"]: row for row in rows}
    tiles = []
    for place in read_places():
        row = by_code.get(place.area_code)
        found, value = tell(row) if row else (NO_FIGURE, "–")
        tiles.append(Tile(place.row, place.column, place.name, value, found))
    used = [found for found in classes if not found.is_hatched or any(tile.of == found for tile in tiles)]
    lines: list[tuple[AreaEntry | None, tuple[str, ...]]] = [
        (site.directory.areas.get(row["area_code"]), (row["area_name"], *cells(row))) for row in rows
    ]
    figure = site.charts.draw(
        draw_tiles,
        place_tiles(tiles),
        slug=slug,
        title=title,
        text=f"{text} {_count_classes(classes, tiles)}",
        table=Table(("Police force", *head), tuple(cells for _, cells in lines)),
        more={"legend": place_legend(used), "hatch": place_hatching(tiles, used)},
    )
    return Map(figure, heading, intro, head, lines)


def find_edges(values: Sequence[float]) -> list[float]:
    """The edges of five bins of one round width that hold all values: the lowest first, six in all.

    Args:
        values: at least one.
    """
    low, high = min(values), max(values)
    width = next(
        step for step in _list_steps((high - low) / BINS) if math.floor(low / step) * step + BINS * step > high
    )
    first = math.floor(low / width) * width
    return [round(first + width * place, 6) for place in range(BINS + 1)]


def _list_steps(least: float) -> list[float]:
    """Round numbers from a little below `least` on."""
    power = math.floor(math.log10(least)) if least > 0 else -1
    return [step * 10.0**exponent for exponent in range(power, power + 3) for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8)]


def find_bin(edges: Sequence[float], value: float) -> int:
    """The bin that a value lies in: its lower edge belongs to it, its upper to the next."""
    return min(sum(value >= edge for edge in edges[1:]), BINS - 1)


def name_bins(edges: Sequence[float]) -> list[Class]:
    """The classes of bins, from low to high."""
    return [
        Class(f"{_trim(low)} to under {_trim(high)}", f"seq_{place}")
        for place, (low, high) in enumerate(pairwise(edges), 1)
    ]


def _trim(number: float) -> str:
    return f"{number:,.6f}".rstrip("0").rstrip(".")


def _count_classes(classes: Sequence[Class], tiles: Sequence[Tile]) -> str:
    """How many tiles each class has, in the order of the legend."""
    shown = [tile.of for tile in tiles]
    counts = {_name_class(found): shown.count(found) for found in classes if found in shown}
    return "Tiles by class: " + "; ".join(f"{label}: {count}" for label, count in counts.items()) + "."
