"""Small inputs in the published layouts, made by hand, as editions that the command line can land."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import (
    CSP_HEADER,
    FORCE_HEADER,
    P1_HEADERS,
    Cell,
    csp_row,
    p1_sheet,
    rolling_years,
    write_csv,
    write_xlsx,
)

WEST_MIDLANDS = ("E23000014", "West Midlands")
KENT = ("E23000032", "Kent")
HOMICIDE = ["Homicide", "Violence against the person", "Homicide", "1/4.1/4.10/4.2"]
ROBBERY = ["Robbery of business property", "Robbery", "Robbery", "34A"]


@dataclass(frozen=True)
class Edition:
    """Files that a publisher stated together."""

    source: str
    title: str
    published: str
    files: tuple[Path, ...]

    @property
    def command(self) -> list[str]:
        """What lands it."""
        options = ["--source", self.source, "--release", self.title, "--published-on", self.published]
        return ["land", *options, *map(str, self.files)]


def force_tables(
    folder: Path, *, name: str = "p1.xlsx", published: str = "2018-07-19", cells: Mapping[str, Cell] | None = None
) -> Edition:
    """Table P1 of March 2018 for two forces (rows 7 and 8); `cells` are put over what is there, by address."""
    rows = p1_sheet((*WEST_MIDLANDS, "212,841 "), (*KENT, "171,508 "))
    for address, value in (cells or {}).items():
        rows[int(address[1:]) - 1][ord(address[0]) - ord("A")] = value
    file = write_xlsx(folder / name, {"Table P1": rows})
    return Edition("recorded_crime_ons", "Year ending March 2018", published, (file,))


def rolling_year(
    folder: Path,
    number: int = 1,
    *rows: Sequence[Cell],
    files: int = 1,
    published: str = "2019-04-25",
) -> Edition:
    """The rolling-year file in as many editions as one likes; edition `number` holds as many lines."""
    offences = ("Robbery", "Burglary", "Sexual offences", "Drug offences")
    lines = [
        [f"31/03/{2004 + line // 4}", "Kent", "South East", offences[line % 4], f"{1000 * number + line:,} "]
        for line in range(number)
    ]
    made = tuple(
        write_csv(folder / f"rolling-{number}-{file}.csv", [*rolling_years(*(rows or lines)), [""] * file])
        for file in range(1, files + 1)
    )
    return Edition("recorded_crime_ons", f"Rolling years {number}", published, made)


def open_data(folder: Path) -> Edition:
    """Home Office open data by force: four quarters of robbery, and of homicide in four rows each."""
    rows = [
        ["2017/18", str(quarter), force, *offence, count]
        for quarter in range(1, 5)
        for force in ("Kent", "Surrey", "West Midlands")
        for offence, counts in ((HOMICIDE, ("-00 ", "-00 ", " 1 ", " 2 ")), (ROBBERY, (f" {100 + quarter} ",)))
        for count in counts
    ]
    file = write_csv(folder / "open-data.csv", [FORCE_HEADER, *rows], end="\r\n")
    return Edition("recorded_crime_home_office", "Open data 2017/18", "2018-04-26", (file,))


def partnerships(folder: Path, names: Iterable[str] = ("Birmingham", "Coventry")) -> Edition:
    """Home Office open data by Community Safety Partnership, without their codes."""
    without = CSP_HEADER.index("ONS Code")
    rows = [CSP_HEADER, *(csp_row(f" {20 + number} ", csp=name) for number, name in enumerate(names))]
    file = write_csv(folder / "csp.csv", [[*row[:without], *row[without + 1 :]] for row in rows])
    return Edition("recorded_crime_home_office", "Open data by CSP 2020/21", "2021-07-22", (file,))


def partnership_table(folder: Path) -> Edition:
    """Table C2 in the layout of 2025: a force and one of its partnerships."""
    code, name = KENT
    header = [
        "Police Force\nArea code",
        "Police Force\nArea name",
        "Community Safety\nPartnership code",
        "Community Safety\nPartnership name",
        "Local Authority code",
        "Local Authority name",
        "Total recorded crime\n (excluding fraud)",
        *(" ".join(text.rstrip("567,").split()) for text in P1_HEADERS if text),
    ]
    title = "Table C2: Police recorded crime by Community Safety Partnership area, year ending June 2025"
    counts = ["7 "] * (len(header) - 7)
    rows: list[list[Cell]] = [
        [title],
        ["Some shorthand is used in this table.  [x] indicates data are unavailable."],
        header,
        [code, f"{name} ", "", "", "", "", "170,002 ", *counts],
        [code, f"{name} ", "E22000140", "Ashford", "E07000105", "Ashford", "10,021 ", *counts],
    ]
    file = write_csv(folder / "c2.csv", rows)
    return Edition("recorded_crime_ons", "Year ending June 2025", "2025-10-23", (file,))


def population(folder: Path) -> Edition:
    """Mid-year estimates, those that the year to March 2018 is divided by."""
    header = ["Code", "Name", "Geography", "Area (sq km)", "Estimated Population mid-2016", "2016 people per sq. km"]
    rows: list[list[Cell]] = [
        [*WEST_MIDLANDS, "Police Force Area", 902, 2_870_551, 3182],
        [*KENT, "Police Force Area", 3739, 1_832_287, 490],
    ]
    file = write_xlsx(folder / "mye.xlsx", {"MYE 5": [["Table MYE5"], [], header, *rows]})
    return Edition("population", "Mid-2016", "2017-06-22", (file,))


def geography(folder: Path) -> Edition:
    """A lookup from authorities to partnerships to forces."""
    header = ["LAD24CD", "LAD24NM", "CSP24CD", "CSP24NM", "PFA24CD", "PFA24NM"]
    rows = [
        ["E08000025", "Birmingham", "E22000335", "Birmingham", *WEST_MIDLANDS],
        ["E08000026", "Coventry", "E22000336", "Coventry", *WEST_MIDLANDS],
        ["E07000105", "Ashford", "E22000140", "Ashford", *KENT],
    ]
    file = write_csv(folder / "lookup.csv", [header, *rows], encoding="utf-8-sig")
    return Edition("geography", "Lookup 2024", "2024-08-01", (file,))


def everything(folder: Path) -> list[Edition]:
    """One edition of each source and layout."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        force_tables(folder),
        rolling_year(folder, 3),
        open_data(folder),
        partnerships(folder),
        population(folder),
        geography(folder),
    ]
