"""ONS police force area tables in the layout of 2018 and 2019: Tables P1, P2 and P3."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from samples.tables import APPORTIONED, Counts, read_figures, sum_areas
from samples.writing import Cell, write_xlsx

TRANSPORT_POLICE = "x-british-transport-police"
CITY_OF_LONDON = "E23000034"
SMALL_BASE = 50

_CONTENTS = "Table P1: number of offences. Table P2: percentage change. Table P3: rate per 1,000 population."

_VICTIMS = (
    *("violence_against_the_person", "homicide", "violence_with_injury", "violence_without_injury"),
    *("stalking_and_harassment", "death_or_serious_injury_unlawful_driving", "sexual_offences", "robbery"),
    *("theft_offences", "burglary", "residential_burglary", "non_residential_burglary", "vehicle_offences"),
    *("theft_from_the_person", "bicycle_theft", "shoplifting", "other_theft_offences"),
    "criminal_damage_and_arson",
)
SOCIETY = (
    "drug_offences",
    "possession_of_weapons_offences",
    "public_order_offences",
    "miscellaneous_crimes",
)
_SPACER = ""
_COLUMNS = ("total_excluding_fraud", _SPACER, *_VICTIMS, _SPACER, *SOCIETY)


@cache
def _texts() -> dict[tuple[str, str, str, str], str]:
    lines = read_figures("force_table_text")
    return {(line["part"], line["key"], line["period_end"], line["table"]): line["text"] for line in lines}


def find_text(part: str, key: str, period_end: str, table: str, default: str = "") -> str:
    """A text of one table of an edition, or else of the table, of the edition, or of all; `default` if none."""
    for place in ((period_end, table), ("", table), (period_end, ""), ("", "")):
        if (part, key, *place) in _texts():
            return _texts()[part, key, *place]
    return default


def read_counts(name: str, period_end: str) -> dict[str, Counts]:
    """The counts of `force_counts` or `force_bases` for one edition, by area; nothing where none is carried."""
    return {
        line["area_code"]: {offence: int(line[offence]) for offence in _COLUMNS if line.get(offence)}
        for line in read_figures(name)
        if line["period_end"] == period_end
    }


def write_force_tables(path: Path, period_end: str, mid_year: str) -> None:
    """Write one workbook in the layout of 2018 and 2019.

    Args:
        path: the file.
        period_end: the last day of the year that it covers.
        mid_year: the year of the population estimates that its rates rest on.
    """
    title = find_text("cover", "", period_end, "")
    counts = sum_areas(read_counts("force_counts", period_end))
    bases = read_counts("force_bases", period_end)
    people = {line["area_code"]: line for line in read_figures("force_populations") if line["mid_year"] == mid_year}
    sheets: dict[str, list[list[Cell]]] = {"Notes": [[title], [None], [APPORTIONED], [None], [_CONTENTS]]}
    for table in ("P1", "P2", "P3"):
        rows = _head(period_end, table)
        for area in read_figures("force_table_areas"):
            code = area["area_code"]
            if table == "P3" and code == TRANSPORT_POLICE:
                continue
            printed = "" if code == TRANSPORT_POLICE else find_text("code", code, period_end, table, code)
            name = find_text("name", code, period_end, table, area["name"])
            if table == "P1":
                cells = _print_counts(counts.get(code))
            elif table == "P2":
                cells = _print_changes(counts.get(code), bases.get(code, {}))
            else:
                cells = _print_rates(code, counts.get(code), people.get(code))
            rows.append([printed or None, name, *cells])
        rows += [[line] for line in _foot(period_end, table)]
        sheets[find_text("sheet", table, period_end, "")] = rows
    write_xlsx(path, title, sheets)


def _head(period_end: str, table: str) -> list[list[Cell]]:
    """Title, mark, place, the two header rows and the units row."""

    def header(offence: str) -> str:
        return find_text("header", offence, period_end, table)

    people: list[Cell] = [header("population"), header("households"), None] if table == "P3" else []
    upper: list[Cell] = [None, None, *(None for _ in people), header("total_excluding_fraud")]
    lower: list[Cell] = ["Area Code", "Area Name", *people, None]
    unit: list[Cell] = [None, None, *(None for _ in people), find_text("unit", "", period_end, table)]
    for offence in _COLUMNS[1:]:
        bands = {_VICTIMS[0]: "Victim-based crime", SOCIETY[0]: "Other crimes against society"}
        upper.append(bands.get(offence))
        lower.append(header(offence) if offence else None)
        if table == "P3" and offence == "residential_burglary":
            upper.append(None)
            lower.append(header("residential_burglary_households"))
    if table == "P3":
        upper[5], lower[5] = None, upper[5]
    title = find_text("title", "", period_end, table)
    return [[title], [APPORTIONED], [find_text("place", "", period_end, table)], upper, lower, unit]


def _foot(period_end: str, table: str) -> list[str]:
    """The source line and the numbered notes, right below the figures."""
    lines = [find_text("source", "", period_end, table)]
    number = 1
    while note := find_text("note", str(number), period_end, table):
        lines.append(f"{number}. {note}")
        number += 1
    return lines


def _print_counts(counts: Counts | None) -> list[Cell]:
    return [None if not offence else counts[offence] if counts else ".." for offence in _COLUMNS]


def _print_changes(counts: Counts | None, bases: Counts) -> list[Cell]:
    """Percentages; `-` where the base is under 50 or none is carried (classification changed)."""
    cells: list[Cell] = []
    for offence in _COLUMNS:
        base = bases.get(offence, 0)
        if not offence:
            cells.append(None)
        elif counts is None:
            cells.append("..")
        else:
            cells.append("-" if base < SMALL_BASE else (counts[offence] / base - 1) * 100)
    return cells


def _print_rates(code: str, counts: Counts | None, people: dict[str, str] | None) -> list[Cell]:
    """Population and households rounded to 100, and rates on the unrounded ones."""
    if counts is None or people is None:
        lead: list[Cell] = ["..", "..", None]
    else:
        lead = [round(int(people[kind]), -2) for kind in ("population", "households")] + [None]
    cells = lead
    for offence in _COLUMNS:
        kinds = ("population", "households") if offence == "residential_burglary" else ("population",)
        for kind in kinds:
            if not offence:
                cells.append(None)
            elif counts is None or people is None:
                cells.append("..")
            else:
                cells.append("+" if code == CITY_OF_LONDON else counts[offence] * 1000 / int(people[kind]))
    return cells
