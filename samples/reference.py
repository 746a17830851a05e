"""Population estimates and area lookups in the published layouts."""

from __future__ import annotations

from pathlib import Path

from samples.tables import AGES, CARRIED, apportion, read_figures
from samples.writing import Cell, write_csv, write_xlsx

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


def write_lookup(path: Path, figures: str, columns: dict[str, str]) -> None:
    """Write a lookup of areas.

    Args:
        path: the file.
        figures: our table of its codes.
        columns: every published column → the column of our table whose codes it holds; where their names
            differ the column holds the names of those codes; `FID` numbers the rows.
    """
    names = {line["area_code"]: line["name"] for line in read_figures("area_names")}
    rows: list[list[Cell]] = [list(columns)]
    for number, line in enumerate(read_figures(figures), start=1):
        cells: list[Cell] = []
        for published, code in columns.items():
            if published == "FID":
                cells.append(number)
            else:
                cells.append(line[code] if published == code else names[line[code]])
        rows.append(cells)
    write_csv(path, CARRIED, rows)
