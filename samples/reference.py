"""Population estimates and area lookups in the published layouts."""

from __future__ import annotations

import json
from pathlib import Path

from etl.archives import MODELLED_MARK
from samples.tables import AGES, CARRIED, apportion, read_figures
from samples.writing import Cell, write_csv, write_text, write_xlsx

_AUTHORITIES = ("E06", "E07", "E08", "E09", "W06")
_YEARS = tuple(str(year) for year in range(2020, 2000, -1))


def write_population_of_all_years(path: Path) -> None:
    """Write table MYE 5: population and density of England and Wales, mid-2001 to mid-2020, newest first."""
    title = "MYE5: Population density for local authorities in England and Wales, mid-2001 to mid-2020"
    cover: list[list[Cell]] = [["Mid-Year Population Estimates, June 2020"], [CARRIED]]
    header: list[Cell] = ["Code", "Name", "Geography", "Area (sq km)"]
    for year in _YEARS:
        word = "population" if year == "2020" else "Population"  # capitals vary, as published
        header += [f"Estimated {word} mid-{year}", f"{year} people per sq. km"]
    rows: list[list[Cell]] = [
        [title],
        [CARRIED],
        ["This worksheet contains one table."],
        ["The United Kingdom, Great Britain, Scotland and Northern Ireland are left out."],
        [None],
        [None],
        [None],
        header,
    ]
    for line in read_figures("population_2001_to_2020"):
        area = float(line["area_sq_km"])
        row: list[Cell] = [line["code"], line["name"], line["geography"], area]
        for year in _YEARS:
            row += [int(line[year]), round(int(line[year]) / area, 9)]
        rows.append(row)
    write_xlsx(path, title, {"Cover sheet": cover, "MYE 5": rows})


def write_population_of_2024(path: Path) -> None:
    """Write the sheet of persons of mid-2024; single years of age are apportioned as in England and Wales."""
    ages = read_figures("population_2024_ages")
    weights = [int(age["england_and_wales"]) for age in ages]
    rows: list[list[Cell]] = [["Code", "Name", "Geography", "All ages", *(age["age"] for age in ages)]]
    for line in read_figures("population_2024"):
        people = int(line["population"])
        rows.append([line["code"], line["name"], line["geography"], people, *apportion(people, weights)])
    write_csv(path, AGES, rows, byte_order_mark=True, newline="\r\n")


def write_population_by_nomis(path: Path) -> None:
    """Write what Nomis answers for mid-2024: one line a local authority; the mark names a column of its own."""
    header: list[Cell] = ["DATE_NAME", "GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "OBS_VALUE", "RECORD_COUNT", MODELLED_MARK]
    lines = [line for line in read_figures("population_2024") if line["code"][:3] in _AUTHORITIES]
    rows: list[list[Cell]] = [
        ["2024", line["code"], line["name"], int(line["population"]), len(lines), None] for line in lines
    ]
    write_text(path, [header, *rows])


def write_lookup(path: Path, figures: str, columns: dict[str, str]) -> None:
    """Write a lookup of areas as the service of ONS Open Geography answers it.

    Args:
        path: the file.
        figures: our table of its codes.
        columns: every published column → the column of our table whose codes it holds; where their names
            differ the column holds the names of those codes; `ObjectId` numbers the rows.
    """
    names = {line["area_code"]: line["name"] for line in read_figures("area_names")}
    features = []
    for number, line in enumerate(read_figures(figures), start=1):
        attributes: dict[str, str | int] = {"ObjectId": number}
        for published, code in columns.items():
            attributes[published] = line[code] if published.endswith("CD") else names[line[code]]
        features.append({"attributes": attributes})
    path.write_text(json.dumps({"sample": CARRIED, "features": features}, ensure_ascii=False), encoding="utf-8")
