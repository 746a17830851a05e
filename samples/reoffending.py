"""Proven reoffending in the layouts of five releases: real totals of England and Wales, the rest modelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path

from etl.archives import MODELLED_MARK
from samples.reoffending_areas import OTHER, UNKNOWN, sum_places
from samples.reoffending_cohorts import (
    AGES,
    WHOLE,
    Cohort,
    first_quarter,
    first_year,
    name_quarters,
    quarter_counts,
    to_cohort,
    year_counts,
)
from samples.tables import apportion, read_figures
from samples.writing import Cell, format_csv, write_xlsx, write_zip

MODELLED = f"{MODELLED_MARK}: real totals of England and Wales, the rest is modelled; not published figures"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_JUVENILE = {"adult": "Adult", "child": "Juvenile"}
_CHILD = {"adult": "Adult", "child": "Child"}

_OVERVIEW_HEADER = ("cohort", "category", "subcategory1", "subcategory2", "adult_juvenile")
_DISPOSAL_HEADER = ("cohort", "index_disposal", "adult_juvenile")
_OVERALL_HEADER = ("adult_child", "cohort", "region", "category", "subcat1", "subcat2")
_COUNTS = ("offenders", "reoffenders", "reoffences")
_OVERVIEW = {
    "a. Ethnicity and sex": "ethnicity and sex",
    "b. Age and sex": "age and sex",
    "c. Number of previous offences": "previous offences",
}
"""Published categories of the old measure → our breakdowns; each repeats the population."""

_NOTES = (
    "Offenders are counted in every quarterly cohort that they enter; a year is the sum of four quarters.",
    "Areas are those of the home address. Unknown and Other have none in England and Wales.",
    "Modelled, as is every area but London and Lambeth (adults, cohorts ending in March 2021 and March 2022).",
)

Line = tuple[str, Cohort]


def name_cohort(start: str, months: int) -> str:
    """A cohort as MoJ writes it, `Apr 2013 to Mar 2014`, from its first day and length."""
    year, month = int(start[:4]), int(start[5:7])
    end = month + months - 2
    return f"{_MONTHS[month - 1]} {year} to {_MONTHS[end % 12]} {year + end // 12}"


@cache
def _read_parts(breakdown: str, age: str) -> list[dict[str, str]]:
    lines = [line for line in read_figures("reoffending_breakdowns") if line["breakdown"] == breakdown]
    return [line for line in lines if line["age_group"] in ("", age)]


def split_cohort(cohort: Cohort, breakdown: str, age: str) -> list[tuple[str, str, Cohort]]:
    """The parts of a cohort under one breakdown: they add to it exactly."""
    lines = _read_parts(breakdown, age)
    shares = [to_cohort(line) for line in lines]
    offenders = apportion(cohort.offenders, [share.offenders for share in shares])
    expected = [n * share.reoffenders * 1000 // share.offenders for n, share in zip(offenders, shares, strict=True)]
    reoffenders = apportion(cohort.reoffenders, expected)
    reoffences = apportion(cohort.reoffences, reoffenders)
    counts = zip(lines, offenders, reoffenders, reoffences, strict=True)
    return [(line["part"], line["part_of_part"], Cohort(*figures)) for line, *figures in counts]


# --- the old measure --------------------------------------------------------------------------------------


def write_old_tables(path: Path) -> None:
    """Write the tables of the twelve-month measure: a zip of two text tables, each breakdown with the real totals."""
    overview: list[list[Cell]] = [[*_OVERVIEW_HEADER, *_COUNTS]]
    disposals: list[list[Cell]] = [[*_DISPOSAL_HEADER, *_COUNTS]]
    for line in read_figures("reoffending_twelve_month_cohorts"):
        name, age, cohort = name_cohort(line["cohort_start"], 12), line["age_group"], to_cohort(line)
        for category, breakdown in _OVERVIEW.items():
            for part, other, counts in split_cohort(cohort, breakdown, age):
                overview.append([name, category, part, other, _JUVENILE[age], *counts])
        for part, _, counts in split_cohort(cohort, "index disposal", age):
            disposals.append([name, part, _JUVENILE[age], *counts])
    tables = {"overview": overview, "index_disposal": disposals}
    write_zip(
        path,
        [
            (f"proven_re-offending_{table}_apr13-mar14.csv", format_csv(MODELLED, rows).encode())
            for table, rows in tables.items()
        ],
    )


# --- the overall data tool --------------------------------------------------------------------------------


def list_first_edition(age: str) -> list[Line]:
    """Cohorts of the release of October 2017, quarters and years as they were first published."""
    quarters = [quarter for year in range(2002, 2016) for quarter in name_quarters(year)][:-1]
    lines = [(name_cohort(quarter, 3), first_quarter(quarter, age)) for quarter in quarters]
    for year in range(2002, 2015):
        cohort = first_year(year, age) if year < 2014 else year_counts(year)[age]
        lines.append((name_cohort(f"{year}-04-01", 12), cohort))
    return lines


def list_years(age: str, first: int, last: int) -> list[Line]:
    """Cohort years in their newest edition."""
    return [(name_cohort(f"{year}-04-01", 12), year_counts(year)[age]) for year in range(first, last + 1)]


def list_quarters_and_years(age: str, first: int, last: int) -> list[Line]:
    """Quarterly cohorts and cohort years in their newest edition."""
    quarters = [quarter for year in range(first, last + 1) for quarter in name_quarters(year)]
    lines = [(name_cohort(quarter, 3), quarter_counts(quarter, age)) for quarter in quarters]
    return lines + list_years(age, first, last)


def make_overall(cohorts: Callable[[str], Iterable[Line]], labels: Mapping[str, str]) -> list[list[Cell]]:
    """The long table of the overall data tool: a total and one breakdown of every cohort."""
    rows: list[list[Cell]] = [[*_OVERALL_HEADER, *_COUNTS]]
    for age in AGES:
        for name, cohort in cohorts(age):
            place = [labels[age], name, WHOLE]
            rows.append([*place, "Total", "Total", "Total", *cohort])
            for part, other, counts in split_cohort(cohort, "index offence", age):
                rows.append([*place, "Index offence total", part, other, *counts])
    return rows


def write_overall(path: Path, cohorts: Callable[[str], Iterable[Line]], labels: Mapping[str, str]) -> None:
    """Write the overall data tool: a cover, notes, and the long table."""
    _write_tool(path, "Proven reoffending: overall data tool", make_overall(cohorts, labels))


# --- the geographic data tool -----------------------------------------------------------------------------


def make_geographic(
    years: range,
    labels: Mapping[str, str],
    *,
    as_of: str = "9999-12-31",
    figures: int = 2,
    printed: Mapping[str, str] | None = None,
) -> list[list[Cell]]:
    """The long table of the geographic data tool; every category repeats the population.

    Args:
        years: cohort years, by the one in which they start.
        labels: what the age groups are called.
        as_of: areas that split later than this day, or later than the cohort, are printed as they were.
        figures: how many of offenders, reoffenders and reoffences there are.
        printed: names that the release spells otherwise.
    """
    rows: list[list[Cell]] = [[" / ".join(labels.values()), "Cohort", "Category", "Geography", *_COUNTS[:figures]]]
    for age in AGES:
        for year in years:
            start = (labels[age], name_cohort(f"{year}-04-01", 12))
            for category, places in sum_places(year, age, min(as_of, f"{year + 1}-03-31")).items():
                for name in sorted(places, key=lambda name: (name == OTHER, name == UNKNOWN, name)):
                    spelt = (printed or {}).get(name, name)
                    rows.append([*start, category, spelt, *places[name][:figures]])
    return rows


def write_geographic(path: Path, rows: list[list[Cell]]) -> None:
    """Write the geographic data tool: a cover, notes, and the long table."""
    _write_tool(path, "Proven reoffending: geographic data tool", rows)


def _write_tool(path: Path, title: str, rows: list[list[Cell]]) -> None:
    cover: list[list[Cell]] = [[title], [MODELLED], ["The Ministry of Justice publishes the real one."]]
    notes: list[list[Cell]] = [["Notes"], [MODELLED], ["Note number", "Note text"]]
    notes += [[f"[note {number}]", text] for number, text in enumerate(_NOTES, start=1)]
    write_xlsx(path, title, {"Cover": cover, "Notes": notes, "Data": rows})


_OF_2023 = {
    "Isle of Anglesey": "Isle of Anglesey [note 3]",
    "Rhondda Cynon Taf": "Rhondda Cynon Taff",
    "Yorkshire and The Humber": "Yorkshire and the Humber",
}


def write_geographic_2023(path: Path) -> None:
    """Write the tool of January 2023: with reoffences, on the geography of 2020."""
    years = range(2009, 2021)
    write_geographic(path, make_geographic(years, _JUVENILE, as_of="2020-04-01", figures=3, printed=_OF_2023))


def write_geographic_2026(path: Path) -> None:
    """Write the tool of January 2026: every cohort on the geography of its end."""
    write_geographic(path, make_geographic(range(2012, 2024), _CHILD))


def write_tools_as_text(path: Path) -> None:
    """Write the zip of January 2024: both tools as text, on the geography of 2020, as published."""
    years = range(2011, 2022)
    tables = {
        "Geographic": make_geographic(years, _JUVENILE, as_of="2020-04-01"),
        "Overall": make_overall(partial(list_years, first=years[0], last=years[-1]), _JUVENILE),
    }
    write_zip(
        path,
        [
            (f"PRSQ_{table}_data_April 2011 to March 2022.csv", format_csv(MODELLED, rows, "\r\n").encode())
            for table, rows in tables.items()
        ],
    )


# --- the releases -----------------------------------------------------------------------------------------

_AREAS = "totals, and adults of London and Lambeth in the years that are known, are real; other areas are modelled"
_TOTALS = "offenders of most cohorts, and reoffenders of adults and children together, are real; the rest is modelled"

Plan = tuple[str, str, str, str, str, Callable[[Path], None]]

REOFFENDING_PLANS: tuple[Plan, ...] = (
    (
        "proven-reoffending-apr13-mar14-csv.zip",
        "Proven reoffending statistics: April 2013 to March 2014",
        "Proven reoffending tables in CSV format",
        "2016-01-28",
        "twelve-month cohorts of adults and juveniles are real, their breakdowns are modelled",
        write_old_tables,
    ),
    (
        "PRSQ_overall_data_tool_apr02_dec15.xlsx",
        "Proven reoffending statistics: October 2015 to December 2015",
        "Overall data tool",
        "2017-10-26",
        "quarters to March 2014 are real; later ones are modelled, but for offenders of adults",
        partial(write_overall, cohorts=list_first_edition, labels=_JUVENILE),
    ),
    (
        "Geographical_data_tool_Apr09_Mar21.xlsx",
        "Proven reoffending statistics: January to March 2021",
        "Geographic data tool",
        "2023-01-26",
        _AREAS,
        write_geographic_2023,
    ),
    (
        "PRSQ_overall_data_tool_apr12_mar21.xlsx",
        "Proven reoffending statistics: January to March 2021",
        "Overall data tool",
        "2023-01-26",
        _TOTALS,
        partial(write_overall, cohorts=partial(list_quarters_and_years, first=2012, last=2020), labels=_JUVENILE),
    ),
    (
        "PRSQ_CSV_format_of_data_tools.zip",
        "Proven reoffending statistics: January to March 2022",
        "CSV format of data tools",
        "2024-01-25",
        _AREAS,
        write_tools_as_text,
    ),
    (
        "Geographical_data_tool_Apr12_Mar24.xlsx",
        "Proven reoffending statistics: January to March 2024",
        "Geographic data tool",
        "2026-01-29",
        _AREAS,
        write_geographic_2026,
    ),
    (
        "PRSQ_overall_data_tool_apr12_mar24.xlsx",
        "Proven reoffending statistics: January to March 2024",
        "Overall data tool",
        "2026-01-29",
        _TOTALS,
        partial(write_overall, cohorts=partial(list_years, first=2012, last=2023), labels=_CHILD),
    ),
)
"""File, title of the edition, title of the file on its page, London day, what is real, and how it is written."""
