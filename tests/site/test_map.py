"""The map of police forces: its grid, its classes, and what it says where figures are missing."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.settings import project_root
from etl.site.charts import COLOURS, Charts
from etl.site.directory import read_directory
from etl.site.frame import Site
from etl.site.tile_map import ABOVE, BELOW, UNTOLD, find_bin, find_edges, judge, name_bins, read_places, write_map
from etl.site.tile_map_charts import COLUMNS, ROWS, TILE_WIDTH, Class, Tile, place_hatching, place_tiles
from tests.site.made import FORCE, HOSTILE, KENT, NEXT, Row, fill
from tests.site.page import Page
from tests.site.rules import check_page

CITY = {"area_code": "E23000034", "area_name": "London, City of", "level": "police_force"}
NORTH = {"area_code": "E23000009", "area_name": "North Yorkshire", "level": "police_force"}
MARCH_19, JUNE_25 = date(2019, 3, 31), date(2025, 6, 30)

# Forces that border on each other, by name as in ref.
NEIGHBOURS = [
    ("Northumbria", "Durham"), ("Northumbria", "Cumbria"), ("Durham", "Cleveland"), ("Cumbria", "Lancashire"),
    ("Lancashire", "Merseyside"), ("Lancashire", "Greater Manchester"), ("Lancashire", "West Yorkshire"),
    ("Cleveland", "North Yorkshire"), ("North Yorkshire", "West Yorkshire"), ("North Yorkshire", "Humberside"),
    ("South Yorkshire", "West Yorkshire"), ("South Yorkshire", "Derbyshire"), ("Humberside", "Lincolnshire"),
    ("Merseyside", "Cheshire"), ("Greater Manchester", "Cheshire"), ("Cheshire", "North Wales"),
    ("Cheshire", "Staffordshire"), ("North Wales", "Dyfed-Powys"), ("Dyfed-Powys", "South Wales"),
    ("Dyfed-Powys", "West Mercia"), ("South Wales", "Gwent"), ("Gwent", "Gloucestershire"), ("Gwent", "West Mercia"),
    ("Staffordshire", "Derbyshire"), ("Staffordshire", "West Midlands"), ("West Midlands", "Warwickshire"),
    ("West Midlands", "West Mercia"), ("Derbyshire", "Nottinghamshire"), ("Derbyshire", "Leicestershire"),
    ("Nottinghamshire", "Lincolnshire"), ("Leicestershire", "Northamptonshire"), ("Lincolnshire", "Cambridgeshire"),
    ("Cambridgeshire", "Norfolk"), ("Cambridgeshire", "Bedfordshire"), ("Norfolk", "Suffolk"), ("Suffolk", "Essex"),
    ("Northamptonshire", "Warwickshire"), ("Bedfordshire", "Hertfordshire"), ("Warwickshire", "Thames Valley"),
    ("Gloucestershire", "Thames Valley"), ("Gloucestershire", "Avon and Somerset"), ("Thames Valley", "Hertfordshire"),
    ("Thames Valley", "Wiltshire"), ("Thames Valley", "Surrey"), ("Metropolitan Police", "London, City of"),
    ("Metropolitan Police", "Essex"), ("Metropolitan Police", "Kent"), ("Metropolitan Police", "Surrey"),
    ("Metropolitan Police", "Hertfordshire"), ("Avon and Somerset", "Wiltshire"), ("Avon and Somerset", "Dorset"),
    ("Avon and Somerset", "Devon & Cornwall"), ("Devon & Cornwall", "Dorset"), ("Dorset", "Hampshire"),
    ("Wiltshire", "Hampshire"), ("Hampshire", "Sussex"), ("Hampshire", "Surrey"), ("Surrey", "Sussex"),
    ("Sussex", "Kent"), ("Surrey", "Kent"),
]  # fmt: skip


def read_forces() -> dict[str, str]:
    """Code → name of the police force areas that the warehouse knows."""
    with (project_root() / "warehouse" / "ref" / "fixed_area.csv").open(encoding="utf-8", newline="") as file:
        rows = [line for line in csv.reader(file) if len(line) > 2 and line[2] == "police_force_area"]
    return {row[0]: row[1] for row in rows}


def test_every_force_has_a_tile_of_its_own() -> None:
    places = read_places()
    assert len(places) == len({(place.row, place.column) for place in places}) == 43
    assert {place.area_code for place in places} == set(read_forces())
    assert len({place.name for place in places}) == 43
    assert {place.row for place in places} == set(range(1, ROWS + 1))
    assert {place.column for place in places} == set(range(1, COLUMNS + 1))
    assert not [place for place in places if place.row <= 4 and place.column == 1], "where the legend is"
    assert not [place for place in places if place.row <= 3 and place.column == 2], "where the legend is"


def test_neighbours_lie_beside_each_other() -> None:
    names = read_forces()
    at = {names[place.area_code]: (place.row, place.column) for place in read_places()}
    far = [
        (one, other)
        for one, other in NEIGHBOURS
        if max(abs(at[one][0] - at[other][0]), abs(at[one][1] - at[other][1])) > 1
    ]
    assert far == []
    assert {name for pair in NEIGHBOURS for name in pair} == set(names.values())


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([53.1, 117.5], [45, 60, 75, 90, 105, 120]),  # a width of 12.9 or more: 15
        ([0.0, 1.0], [0, 0.25, 0.5, 0.75, 1.0, 1.25]),  # five times 0.2 do not hold 1 itself
        ([0.12, 0.19], [0.12, 0.135, 0.15, 0.165, 0.18, 0.195]),
    ],
)
def test_bins_are_round_and_hold_all_values(values: list[float], edges: list[float]) -> None:
    assert find_edges(values) == pytest.approx(edges)
    assert find_bin(edges, values[0]) >= 0
    assert edges[find_bin(edges, values[-1])] <= values[-1] < edges[find_bin(edges, values[-1]) + 1]


def test_bins_of_one_value_or_of_negative_ones() -> None:
    for values in ([5.0], [0.0], [-3.0, 2.0]):
        edges = find_edges(values)
        assert len(edges) == 6
        assert edges[0] <= min(values) <= max(values) < edges[-1]


def test_an_edge_belongs_to_the_bin_above_it() -> None:
    edges = [45.0, 60.0, 75.0, 90.0, 105.0, 120.0]
    assert [find_bin(edges, value) for value in (45, 59.9, 60, 104.9, 105, 120)] == [0, 0, 1, 3, 4, 4]
    assert [found.label for found in name_bins(edges)][:2] == ["45 to under 60", "60 to under 75"]
    assert [found.fill for found in name_bins(edges)] == ["seq_1", "seq_2", "seq_3", "seq_4", "seq_5"]


def test_below_and_above_only_where_the_interval_leaves_out_the_rate() -> None:
    ends = [(20.0, 24.9), (20.0, 25.0), (24.0, 26.0), (25.0, 30.0), (25.1, 30.0), (None, None)]
    assert [judge(low, high, 25.0) for low, high in ends] == [BELOW, UNTOLD, UNTOLD, UNTOLD, ABOVE, UNTOLD]
    assert judge(20.0, 21.0, None) is UNTOLD


def test_tiles_and_hatching_stay_in_their_boxes() -> None:
    hatched = Class("none", "paper", is_hatched=True)
    tile = Tile(2, 3, "Kent", "–", hatched)
    box = place_tiles([tile])[0]
    assert (box["x"], box["y"]) == (2 * TILE_WIDTH, 52)
    for line in place_hatching([tile], []):
        assert box["x"] <= line["x"] < line["x2"] <= box["x2"]
        assert box["y"] <= line["y2"] < line["y"] <= box["y2"]


def read_colours() -> tuple[dict[str, str], dict[str, str]]:
    """What each colour is in the light and in the dark."""
    style = (project_root() / "etl" / "site" / "assets" / "style.css").read_text(encoding="utf-8")
    dark_root = dict(re.findall(r"--([a-z]+): (#[0-9a-fA-F]{6});", style.split("prefers-color-scheme: dark")[1]))
    filled = dict(re.findall(r'\.chart \[fill="(#[0-9a-zA-Z]{6})"\] \{ fill: ([^;]+); \}', style))
    dark = {
        name: re.sub(r"var\(--([a-z]+)\)", lambda found: dark_root[found[1]], filled.get(colour, colour))
        for name, colour in COLOURS.items()
    }
    return COLOURS, dark


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_texts_in_tiles_can_be_read_in_the_light_and_in_the_dark() -> None:
    for colours in read_colours():
        for colour in ("paper", "seq_1", "seq_2", "seq_3", "seq_4", "seq_5"):
            ink = next(
                name for name in ("ink", "paper")
                if COLOURS[name] == place_tiles([Tile(1, 1, "", "", Class("", colour))])[0]["ink"]
            )  # fmt: skip
            dark, light = sorted((luminance(colours[colour]), luminance(colours[ink])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (colour, ink)


def crime(area: Row, end: date, **more: Any) -> Row:
    row = {"offence_id": "total_excluding_fraud", "span": "year", "period_end": end, "release_id": NEXT}
    row |= {"period_start": date(end.year - 1, 4, 1), "offences": 1_000, "is_modelled": False, "reason": "no_previous"}
    return area | row | {"rate_reason": None if "rate_per_1000" in more else "population_missing"} | more


def rated(rate: float) -> Row:
    return {"rate_per_1000": rate, "rate_low_per_1000": rate - 0.5, "rate_high_per_1000": rate + 0.5}


def changed(percent: float, low: float, high: float) -> Row:
    ends = {"change_percent": percent, "change_low_percent": low, "change_high_percent": high}
    return ends | {"reason": None}


CRIME = [
    crime(FORCE, JUNE_25, **rated(99.9)),
    crime(KENT, JUNE_25, **rated(83.0)),
    crime(NORTH, JUNE_25, **rated(53.1)),
    crime(CITY, JUNE_25, rate_reason="no_resident_population"),
    crime(FORCE, MARCH_19, **changed(4.4, 3.0, 5.8)),
    crime(KENT, MARCH_19, **changed(-3.1, -4.0, -2.2)),
    crime(NORTH, MARCH_19, **changed(0.6, -0.2, 1.4)),
    crime(CITY, MARCH_19, reason="base_under_50", change=3),
]
COHORT = {"measure": "three_month_cohort", "span": "year", "age_group": "adult", "is_modelled": False}
COHORT |= {"cohort_start": date(2023, 4, 1), "cohort_end": date(2024, 3, 31), "release_id": NEXT}
RATES = ((FORCE, 26.1, 25.6, 26.6), (KENT, 29.4, 28.7, 30.1), (NORTH, 28.9, 27.7, 30.1), (CITY, None, None, None))
REOFFENDING = [
    area
    | COHORT
    | {"rate_percent": rate, "wilson_low_percent": low, "wilson_high_percent": high}
    | {"eligible": rate is not None, "exclusion_reason": None if rate else "too_few"}
    for area, rate, low, high in RATES
]
NATIONAL = [COHORT | {"area_code": "K04000001", "area_name": "England and Wales", "level": "country"}]
NATIONAL[0] |= {"rate_percent": 27.9}


def write(folder: Path, **tables: Iterable[Row]) -> Page:
    """Write the page of maps, of what is given by table; the rest is as above."""
    rows: dict[str, Iterable[Row]] = {"mart__crime_trend": CRIME, "mart__reoffending_rank": REOFFENDING}
    rows |= {"mart__reoffending_trend": NATIONAL} | tables
    with duckdb.connect() as connection, Charts(None) as charts:
        fill(connection, **rows)
        site = Site(folder, "0123456789ab", False, read_directory(connection), charts)
        write_map(connection, site)
    page = Page(folder / "map/index.html")
    check_page(page)
    return page


def test_three_maps_with_their_tables_and_links(tmp_path: Path) -> None:
    page = write(tmp_path)
    assert [text for level, text in page.headings if level == 2] == [
        "Recorded crime per 1,000 residents, year ending June 2025",
        "Change of recorded crime on the year before, year ending March 2019",
        "Adult proven reoffending by police force area, cohort of April 2023 to March 2024",
        "How far to trust it",
    ]
    assert page.tables["rate-table"][1:] == [
        ["Kent", "1,000", "83.0 (82.5 to 83.5)"],
        ["London, City of", "1,000", "it has no residents to speak of, so that a rate means nothing"],
        ["North Yorkshire", "1,000", "53.1 (52.6 to 53.6)"],
        ["West Midlands", "1,000", "99.9 (99.4 to 100.4)"],
    ]
    assert page.tables["change-table"][1:] == [
        ["Kent", "−3.1% (−4.0 to −2.2)"],
        ["London, City of", "+3 offences; the year before has fewer than 50, so that no percentage is given"],
        ["North Yorkshire", "+0.6% (−0.2 to +1.4)"],
        ["West Midlands", "+4.4% (+3.0 to +5.8)"],
    ]
    assert page.tables["reoffending-table"][1:] == [
        ["Kent", "29.4 (28.7 to 30.1)", "above"],
        ["London, City of", "too few for a ranking", "no figure"],
        ["North Yorkshire", "28.9 (27.7 to 30.1)", "cannot be told"],
        ["West Midlands", "26.1 (25.6 to 26.6)", "below"],
    ]
    links = [link["href"] for link in page.named("a") if "areas/E" in str(link["href"])]
    assert links == [f"../areas/{code}.html" for code in ("E23000032", "E23000034", "E23000009", "E23000014")] * 3


def test_texts_say_what_can_be_seen(tmp_path: Path) -> None:
    text = write(tmp_path).text
    assert "From 53.1 in North Yorkshire to 99.9 in West Midlands per 1,000 residents, in steps of 10." in text
    assert "Tiles by class: fell: 1; within chance: 1; rose: 1; no figure: 40." in text
    assert (
        "set against that of England and Wales (27.9%). Tiles by class: below: 1; cannot be told: 1; above: 1; no "
        "figure: 40." in text
    )
    for tile in ("West Mids", "▲ +4.4%", "▼ −3.1%", "○ +0.6%", "▼ 26.1%", "no residents"):
        assert tile in text
    assert text.count("City of Lon.") == 3


def test_every_tile_is_counted_and_what_has_none_is_no_force(tmp_path: Path) -> None:
    """Offenders whose area is not known stand among the forces in the warehouse; they are the lowest here."""
    [lowest, *_] = REOFFENDING
    unknown = {"area_code": "x-unknown-police-force", "area_name": "Unknown", "eligible": False}
    unknown |= {"rate_percent": 5.0, "wilson_low_percent": 4.0, "wilson_high_percent": 6.0, "reason": "unknown_area"}
    newer = {"cohort_start": date(2024, 4, 1), "cohort_end": date(2025, 3, 31)}
    rows = [*REOFFENDING, lowest | unknown, lowest | unknown | newer]
    page = write(tmp_path, mart__reoffending_rank=rows)
    assert "Unknown" not in page.text
    assert "From 26.1% in West Midlands to 29.4% in Kent" in page.text
    assert "by chance alone fewer than one of 3 would" in page.text
    for counted in re.findall(r"Tiles by class: ([^.]+)\.", page.text):
        assert sum(int(part.rpartition(" ")[2]) for part in counted.split("; ")) == 43


def test_without_a_national_rate_nothing_is_told_apart(tmp_path: Path) -> None:
    page = write(tmp_path, mart__reoffending_trend=[])
    assert "England and Wales, which is not held for this cohort: nothing is told apart" in page.text
    assert {row[2] for row in page.tables["reoffending-table"][1:]} == {"cannot be told", "no figure"}


def test_a_map_without_figures_is_left_out(tmp_path: Path) -> None:
    page = write(tmp_path, mart__crime_trend=[crime(KENT, JUNE_25)])
    assert set(page.tables) == {"reoffending-table"}


def test_without_any_figures_the_page_says_so(tmp_path: Path) -> None:
    page = write(tmp_path, mart__crime_trend=[], mart__reoffending_rank=[], mart__reoffending_trend=[])
    assert "No figures of police forces are held that a map could show." in page.text


def test_modelled_figures_wear_a_banner_and_hostile_names_are_text(tmp_path: Path) -> None:
    assert "Modelled sample." not in write(tmp_path / "published").text
    rows = [row | {"area_name": HOSTILE, "is_modelled": True} for row in CRIME]
    page = write(tmp_path / "modelled", mart__crime_trend=rows)
    assert "Modelled sample." in page.text
    assert "<script>" not in page.html
    national = [row | {"is_modelled": True} for row in NATIONAL]
    assert "Modelled sample." in write(tmp_path / "national", mart__reoffending_trend=national).text


def test_the_same_lines_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    one = write(tmp_path / "one")
    other = write(tmp_path / "other", mart__crime_trend=CRIME[::-1], mart__reoffending_rank=REOFFENDING[::-1])
    assert one.html == other.html
