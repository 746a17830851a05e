"""The rolling-year file and the Home Office open data by force: long tables, one row a figure."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from etl.cells import name_key
from etl.offences import find_offence
from samples.force_tables import read_counts
from samples.tables import APPORTIONED, Counts, apportion, read_figures, sum_areas
from samples.writing import Cell, write_csv, write_ods

_MIX_END = date(2018, 3, 31)
_SCALE = 1_000_000
_LIKE = {"domestic_burglary": "residential_burglary", "non_domestic_burglary": "non_residential_burglary"}
"""Where the classification changed, the mix of the new offence stands for the old."""


def write_rolling_years(path: Path) -> None:
    """Write the rolling-year file: real totals and fraud of every force, the West Midlands wholly real.

    The split of the other forces is modelled: the national split of the period, tilted by how much more or
    less of an offence the force had than England and Wales in the year ending March 2018.
    """
    carried = {(line["twelve_months_ending"], line["area"]): line for line in read_figures("rolling_year_offences")}
    rows: list[list[Cell]] = [["12 months ending", "PFA", "Region", "Offence", "Rolling year total number of offences"]]
    for line in read_figures("rolling_year_totals"):
        period, area, region = line["twelve_months_ending"], line["area"], line["region"]
        counts = carried.get((period, area)) or _split_total(line, carried[period, "England and Wales"])
        figures = {name: int(text) for name, text in counts.items() if name in _offence_ids() and text != ""}
        if line["fraud_offences"]:
            figures[area if region.startswith("Fraud: ") else "Fraud offences"] = int(line["fraud_offences"])
        rows += [[period, area, region, offence, figures[offence]] for offence in sorted(figures)]
    write_csv(path, APPORTIONED, rows)


@cache
def _offence_ids() -> dict[str, str]:
    """Published offence names of the file → offence_id."""
    names = [name for name in read_figures("rolling_year_offences")[0] if name not in ("twelve_months_ending", "area")]
    found = {name: find_offence("recorded_crime_ons", name, _MIX_END) for name in names}
    return {name: _LIKE.get(offence, offence) for name, offence in found.items() if offence}


@cache
def _mixes() -> dict[str, Counts]:
    """Real counts of the year ending March 2018 by the key of an area's name."""
    counts = sum_areas(read_counts("force_counts", _MIX_END.isoformat()))
    names = {area["area_code"]: name_key(area["name"]) for area in read_figures("force_table_areas")}
    regions = {code for code in counts if code.startswith("E12")}
    return {names[code]: figures for code, figures in counts.items() if code not in regions}


def _split_total(line: dict[str, str], national: dict[str, str]) -> dict[str, str]:
    """A force's real total without fraud, apportioned to offences."""
    if not line["offences_excluding_fraud"]:
        return {}
    own, whole = _mixes()[name_key(line["area"])], _mixes()["england and wales"]
    names = [name for name in _offence_ids() if national[name] != ""]
    weights = []
    for name in names:
        offence = _offence_ids()[name]
        weights.append(int(national[name]) * own[offence] * _SCALE // whole[offence])
    parts = apportion(int(line["offences_excluding_fraud"]), weights)
    return {name: str(part) for name, part in zip(names, parts, strict=True)}


def write_open_data_by_force(path: Path) -> None:
    """Write the Home Office table of 2017/18.

    Subgroups are real by force and quarter; the codes within them are apportioned by the national counts of
    the quarter. As published, homicide stands in four rows a force and quarter, and 0 reads `-00 `.
    """
    title = "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards"
    cover: list[list[Cell]] = [[title], [APPORTIONED], ["The Home Office publishes the real one."]]
    notes: list[list[Cell]] = [
        ["Notes"],
        [APPORTIONED],
        ["Counts of subgroups by force and quarter are real; offence codes within them are apportioned."],
        ["The published table has negative counts (corrections of earlier quarters); apportioning gives none."],
    ]
    header: list[Cell] = ["Financial Year", "Financial Quarter", "Force Name", "Offence Description"]
    header += ["Offence Group", "Offence Subgroup", "Offence Code", "Number of Offences"]
    rows = [header]
    for quarter in "1234":
        rows += _split_quarter(quarter)
    write_ods(path, title, {"Cover_sheet": cover, "Notes": notes, "2017_18": rows})


def _split_quarter(quarter: str) -> list[list[Cell]]:
    """The rows of one quarter: by force, then by description, as published."""
    lines: dict[str, list[dict[str, str]]] = {}
    for line in read_figures("home_office_2017_18_offences"):
        lines.setdefault(line["offence_subgroup"], []).append(line)
    rows: list[list[Cell]] = []
    for figure in read_figures("home_office_2017_18_subgroups"):
        if figure[f"quarter_{quarter}"] == "":
            continue
        offences = lines[figure["offence_subgroup"]]
        weights = [max(0, int(line[f"quarter_{quarter}"] or 1)) for line in offences]
        for line, count in zip(offences, apportion(int(figure[f"quarter_{quarter}"]), weights), strict=True):
            what = ("offence_description", "offence_group", "offence_subgroup", "offence_code")
            printed = f" {count} " if count else "-00 "
            rows.append(["2017/18", quarter, figure["force"], *(line[name] for name in what), printed])
    return sorted(rows, key=lambda row: (str(row[2]).casefold(), str(row[3]).casefold()))
