"""The source `proven_reoffending`: figures found by meaning, in every layout and header that is known.

Places in the small files are made up, so that no figure here can be taken for one of a real authority.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from etl.reading import KeptOut
from etl.sources import load_source
from etl.sources.proven_reoffending.read import read
from etl.spreadsheets import open_workbook
from samples.reoffending import REOFFENDING_PLANS
from tests.support import Cell, Rows, read_file, write_csv, write_ods, write_xlsx, write_zip
from tests.support import read_lines as read_lines_of

SOURCE = "proven_reoffending"
YEAR = "Apr 2020 to Mar 2021"
HEADER = ["Adult / Juvenile", "Cohort", "Category", "Geography", "offenders", "reoffenders"]
ROW: list[Cell] = ["Adult", YEAR, "UTLA total", "Northshire", 400, 100]
OVERALL_HEADER = ["adult_child", "cohort", "region", "category", "subcat1", "subcat2"]
OLD_HEADER = ["cohort", "category", "subcategory1", "subcategory2", "adult_juvenile"]
COUNTS = ["offenders", "reoffenders", "reoffences"]


def tool(*rows: list[Cell], header: list[str] = HEADER) -> Rows:
    """The long table of the geographic tool; its header stands in row 1."""
    return [list(header), *rows]


def row(place: Cell = "Northshire", **more: Cell) -> list[Cell]:
    """A row of the geographic tool: 400 adults and 100 reoffenders, unless it is said otherwise."""
    cells: dict[str, Cell] = dict(
        zip(["age", "cohort", "category", "place", "offenders", "reoffenders"], ROW, strict=True)
    )
    return list((cells | {"place": place} | more).values())


def new_path(folder: Path, suffix: str = "xlsx") -> Path:
    """Where no file lies yet."""
    return folder / f"{len(list(folder.iterdir()))}.{suffix}"


@pytest.fixture
def lines(home: Path, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Reads a table from a workbook whose only sheet is `Data`."""

    def read_rows(rows: Rows) -> list[dict[str, Any]]:
        return read_lines_of(home, write_xlsx(new_path(tmp_path), {"Data": rows}), SOURCE)

    return read_rows


@pytest.fixture
def refused(home: Path, tmp_path: Path) -> Callable[..., str]:
    """Why a table, or a file, is kept out whole."""

    def read_rows(rows: Rows | Path) -> str:
        path = rows if isinstance(rows, Path) else write_xlsx(new_path(tmp_path), {"Data": rows})
        result = read_file(home, path, SOURCE)
        assert isinstance(result, KeptOut), result
        assert " → " in result.message
        return result.message

    return read_rows


def values(line: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(line[name] for name in names)


def as_csv(rows: Rows, folder: Path) -> bytes:
    return write_csv(new_path(folder, "csv"), rows, end="\r\n").read_bytes()


# --- five layouts --------------------------------------------------------------------------------------

GEOGRAPHIC: Rows = [
    HEADER,
    ["Adult", YEAR, "England and Wales total", "England and Wales", "1,000 ", "300"],
    ["Adult", YEAR, "Region total", "East of Nowhere", 600, 200],
    ["Adult", YEAR, "PFA total", "North Force", 500, 150],
    ["Adult", YEAR, "UTLA total", "Isle of Westey [note 3]", 400, 100],
    ["Juvenile", YEAR, "UTLA total", "Isle of Westey [note 3]", 20, "*"],
    ["Adult", YEAR, "UTLA total", "Unknown", 22, 9],
]


def test_the_geographic_tool(home: Path, tmp_path: Path) -> None:
    prose: Rows = [["Proven reoffending: geographic data tool"], ["Ministry of Justice"]]
    sheets = {"Cover": prose, "Geographic data tool": prose, "Data": GEOGRAPHIC, "Notes": prose}
    found = read_lines_of(home, write_xlsx(tmp_path / "a.xlsx", sheets), SOURCE)
    assert found[3] == {
        "table_id": "geographic",
        "measure": "three_month_cohort",
        "span": "year",
        "cohort_start": date(2020, 4, 1),
        "cohort_end": date(2021, 3, 31),
        "age_group": "adult",
        "level": "upper_tier",
        "area_code": None,
        "area_name": "Isle of Westey",
        "area_key": "isle of westey",
        "role": "total",
        "category": "UTLA total",
        "subcategory": None,
        "offenders": 400,
        "offenders_marker": None,
        "offenders_column": "E",
        "reoffenders": 100,
        "reoffenders_marker": None,
        "reoffenders_column": "F",
        "reoffences": None,
        "reoffences_marker": None,
        "reoffences_column": None,
        "sheet": "Data",
        "row": 5,
    }
    names = ("row", "level", "area_code", "area_key", "age_group", "offenders", "reoffenders")
    assert [values(line, *names) for line in found] == [
        (2, "country", "K04000001", "england and wales", "adult", 1000, 300),
        (3, "region", None, "east of nowhere", "adult", 600, 200),
        (4, "police_force", None, "north force", "adult", 500, 150),
        (5, "upper_tier", None, "isle of westey", "adult", 400, 100),
        (6, "upper_tier", None, "isle of westey", "child", 20, None),
        (7, "upper_tier", "x-unknown-upper-tier", "unknown", "adult", 22, 9),
    ]
    assert found[4]["reoffenders_marker"] == "[c]"


@pytest.mark.parametrize("order", list(permutations(["Cover", "Data", "Notes"])))
def test_sheets_stand_in_any_order(home: Path, tmp_path: Path, order: tuple[str, ...]) -> None:
    prose: Rows = [["Proven reoffending"], ["Ministry of Justice"]]
    sheets = {name: tool(ROW) if name == "Data" else prose for name in order}
    (line,) = read_lines_of(home, write_xlsx(tmp_path / "a.xlsx", sheets), SOURCE)
    assert values(line, "sheet", "row", "offenders") == ("Data", 2, 400)


@pytest.mark.parametrize("name", ["data", "DATA ", "Data"])
def test_the_name_of_the_sheet_drifts(home: Path, tmp_path: Path, name: str) -> None:
    (line,) = read_lines_of(home, write_ods(tmp_path / "a.ods", {name: tool(ROW)}), SOURCE)
    assert (line["sheet"].strip(), line["offenders"]) == (name.strip(), 400)


def test_both_tools_as_text_in_an_archive(home: Path, tmp_path: Path) -> None:
    overall: Rows = [
        [*OVERALL_HEADER, *COUNTS],
        ["Juvenile", "Apr - Jun 2021", "England and Wales", "Total", "Total", "Total", 50, 20, 61],
    ]
    kinds = ("Geographic", "Overall", "Prison")
    geographic, other, prison = (f"PRSQ_{kind}_data_April 2011 to March 2022.csv" for kind in kinds)
    members = {geographic: as_csv(tool(row("Northamptonshire")), tmp_path), other: as_csv(overall, tmp_path)}
    members[prison] = as_csv([["prison", "cohort"], ["Westgate", "x"]], tmp_path)
    found = read_lines_of(home, write_zip(tmp_path / "tools.zip", members), SOURCE)
    names = ("sheet", "table_id", "level", "area_key", "span", "offenders", "reoffences", "row")
    assert [values(line, *names) for line in found] == [
        (geographic, "geographic_csv", "upper_tier", "northamptonshire", "year", 400, None, 2),
        (other, "overall_csv", "country", "england and wales", "quarter", 50, 61, 2),
    ]


def test_the_overall_tool(home: Path, tmp_path: Path) -> None:
    rows: Rows = [
        [*OVERALL_HEADER, *COUNTS],
        ["Adult", YEAR, "England and Wales", "Total", "Total", "Total", 1000, 300, "1,200"],
        ["Adult", YEAR, "England and Wales", "Index offence total", "Theft", "Total", 600, 200, 900],
        ["Adult", YEAR, "England and Wales", "Index offence total", "Robbery", "Total", 400, 100, "[c]"],
        ["Child", YEAR, "East of Nowhere", "Total", "Total", "Total", 30, 12, 40],
    ]
    found = read_lines_of(home, write_xlsx(tmp_path / "a.xlsx", {"Data": rows, "Tool": [["x"]]}), SOURCE)
    assert {line["table_id"] for line in found} == {"overall"}
    names = ("row", "age_group", "level", "area_code", "role", "category", "subcategory", *COUNTS)
    assert [values(line, *names) for line in found] == [
        (2, "adult", "country", "K04000001", "total", "Total", None, 1000, 300, 1200),
        (3, "adult", "country", "K04000001", "repeat", "Index offence total", "Theft|Total", 600, 200, 900),
        (4, "adult", "country", "K04000001", "repeat", "Index offence total", "Robbery|Total", 400, 100, None),
        (5, "child", "region", None, "total", "Total", None, 30, 12, 40),
    ]
    assert values(found[2], "reoffences_marker", "reoffences_column") == ("[c]", "I")


def test_the_old_tables_repeat_the_population_and_print_no_total(home: Path, tmp_path: Path) -> None:
    overview: Rows = [
        [*OLD_HEADER, *COUNTS],
        ["Apr 2013 to Mar 2014", "a. Ethnicity and sex", "a. White", "a. Female", "Adult", 100, 20, 60],
        ["Apr 2013 to Mar 2014", "b. Index offence by age", "b. Theft", "b. 18 to 20", "Adult", 70, 30, 99],
        ["Jan 2003 to Dec 2003", "a. Ethnicity and sex", "a. White", "a. Male", "Juvenile", 40, "..", 50],
    ]
    disposals: Rows = [
        ["cohort", "index_disposal", "subcategory1", "subcategory2", "adult_juvenile", *COUNTS],
        ["Apr 2013 to Mar 2014", "a. Custody", None, "a. Less than 12 months", "Adult", 11, 6, "*"],
    ]
    names = ("proven_re-offending_overview_apr13-mar14.csv", "IndexDisposal_apr13-mar14.csv")
    members = dict(zip(names, (as_csv(rows, tmp_path) for rows in (overview, disposals)), strict=True))
    found = read_lines_of(home, write_zip(tmp_path / "old.zip", members), SOURCE)
    shown = ("sheet", "row", "role", "subcategory", "age_group", *COUNTS)
    assert sorted(values(line, *shown) for line in found) == [
        (names[1], 2, "repeat", "a. Less than 12 months", "adult", 11, 6, None),
        (names[0], 2, "part", "a. White|a. Female", "adult", 100, 20, 60),
        (names[0], 3, "repeat", "b. Theft|b. 18 to 20", "adult", 70, 30, 99),
        (names[0], 4, "part", "a. White|a. Male", "child", 40, None, 50),
    ]
    assert {values(line, "table_id", "category", "cohort_end") for line in found} == {
        ("overview", "a. Ethnicity and sex", date(2014, 3, 31)),
        ("overview", "b. Index offence by age", date(2014, 3, 31)),
        ("overview", "a. Ethnicity and sex", date(2003, 12, 31)),
        ("index_disposal", "a. Custody", date(2014, 3, 31)),
    }
    whole = ("measure", "span", "level", "area_code", "area_name")
    assert {values(line, *whole) for line in found} == {
        ("twelve_month_cohort", "year", "country", "K04000001", "England and Wales")
    }


def test_index_disposals_need_no_parts_and_no_age(home: Path, tmp_path: Path) -> None:
    rows: Rows = [["cohort", "Index disposal", *COUNTS], ["Apr 2013 to Mar 2014", "Caution", 90, 20, 44]]
    (line,) = read_lines_of(home, write_csv(tmp_path / "a.csv", rows), SOURCE)
    assert values(line, "table_id", "age_group", "category", "subcategory") == ("index_disposal", "all", "Caution", "")
    assert values(line, *COUNTS) == (90, 20, 44)


# --- headers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["adult_juvenile", "Adult / Juvenile", "Adult/Juvenile", "adult_child", "Adult / Child1", "Age group (2)"]
)
@pytest.mark.parametrize(
    ("label", "group"),
    [
        ("Adult", "adult"),
        ("ADULTS", "adult"),
        ("Juvenile", "child"),
        ("Juveniles (1)", "child"),
        ("Child", "child"),
        ("Children", "child"),
        ("All", "all"),
        ("Adult and child", "all"),
    ],
)
def test_the_age_group_has_had_many_names(lines: Callable[..., Any], header: str, label: str, group: str) -> None:
    (line,) = lines(tool(row(age=label), header=[header, *HEADER[1:]]))
    assert values(line, "age_group", "offenders") == (group, 400)


@pytest.mark.parametrize(
    "counts",
    [
        ["offenders", "reoffenders", "reoffences"],
        ["Offenders", "Re-offenders", "Re-offences"],
        ["Number of offenders", "Number of reoffenders", "Number of reoffences"],
        ["Number of offenders in cohort(1)", "Number of re-offenders (2)", "Number of\nre-offences3"],
    ],
)
def test_reoffend_was_re_offend(lines: Callable[..., Any], counts: list[str]) -> None:
    (line,) = lines(tool([*ROW, 320], header=[*HEADER[:4], *counts]))
    assert values(line, *COUNTS, "reoffences_column") == (400, 100, 320, "G")


@pytest.mark.parametrize("order", [(5, 4, 3, 2, 1, 0), (3, 0, 5, 1, 4, 2), (2, 5, 0, 4, 3, 1)])
def test_columns_stand_in_any_order(lines: Callable[..., Any], order: tuple[int, ...]) -> None:
    (line,) = lines(tool([ROW[i] for i in order], header=[HEADER[i] for i in order]))
    assert values(line, "area_name", "offenders", "reoffenders") == ("Northshire", 400, 100)
    assert line["offenders_column"] == "ABCDEF"[order.index(4)]


def test_lines_above_and_below_the_table(lines: Callable[..., Any]) -> None:
    rows = [["Proven reoffending"], [], *tool(ROW, [], ["Source: Police National Computer"], [None, None, "[note 1]"])]
    (line,) = lines(rows)
    assert values(line, "row", "offenders") == (4, 400)


@pytest.mark.parametrize("beside", ["Reoffending rate (%)", "Proportion reoffending", "Average number of reoffences"])
def test_what_follows_from_the_counts_is_left_out(lines: Callable[..., Any], beside: str) -> None:
    (line,) = lines(tool([*ROW, 25], header=[*HEADER, beside]))
    assert values(line, *COUNTS) == (400, 100, None)


def test_a_renamed_header_is_named(refused: Callable[..., str]) -> None:
    message = refused(tool(ROW, header=[*HEADER[:5], "Persons who reoffended"]))
    assert "sheet 'Data' fits no layout of proven_reoffending" in message
    nearest = "row 1 comes nearest; missing 'reoffenders'; not expected 'persons who reoffended'"
    assert f"nearest is geographic_data_tool: {nearest}" in message
    assert "source.yml" in message


def test_a_column_that_nobody_declared_stops_the_file(refused: Callable[..., str]) -> None:
    message = refused(tool([*ROW, 7], header=[*HEADER, "Frequent reoffenders"]))
    assert "not expected 'frequent reoffenders'" in message


def test_two_columns_of_one_meaning_stop_the_file(refused: Callable[..., str]) -> None:
    assert "with ['offenders'] twice" in refused(tool([*ROW, 7], header=[*HEADER, "Number of offenders"]))


def test_a_sheet_or_member_that_nobody_knows_stops_the_file(refused: Callable[..., str], tmp_path: Path) -> None:
    book = write_xlsx(tmp_path / "a.xlsx", {"Data": tool(ROW), "Chapter": [["Offence", "Number"], ["Theft", 1]]})
    assert "sheet 'Chapter' fits no layout" in refused(book)
    members = {"geographic.csv": as_csv(tool(ROW), tmp_path), "by court.csv": as_csv([["Court", "Number"]], tmp_path)}
    assert "sheet 'by court.csv' fits no layout" in refused(write_zip(tmp_path / "a.zip", members))


# --- cohorts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "span", "start", "end"),
    [
        ("Apr 2012 to Mar 2013", "year", date(2012, 4, 1), date(2013, 3, 31)),
        ("Jan 2019 to Dec 2019", "year", date(2019, 1, 1), date(2019, 12, 31)),
        ("Apr 2009-Mar 2010", "year", date(2009, 4, 1), date(2010, 3, 31)),
        ("April 2011 – March 2012", "year", date(2011, 4, 1), date(2012, 3, 31)),
        ("Apr - Jun 2019", "quarter", date(2019, 4, 1), date(2019, 6, 30)),
        ("Oct 2015 to Dec 2015", "quarter", date(2015, 10, 1), date(2015, 12, 31)),
        ("Jan to Mar 2020 [note 2]", "quarter", date(2020, 1, 1), date(2020, 3, 31)),
    ],
)
def test_cohorts_are_quarters_or_years(lines: Callable[..., Any], text: str, span: str, start: date, end: date) -> None:
    found = lines(tool(row(cohort=text), row("Southborough")))
    assert values(found[0], "span", "cohort_start", "cohort_end") == (span, start, end)


@pytest.mark.parametrize(
    "text", ["Apr 2019 to Sep 2019", "2012/13", "Apr 2014 to Mar 2013", "Apr 2012 to Mar 2014", None]
)
def test_any_other_cohort_stops_the_file(refused: Callable[..., str], text: str | None) -> None:
    message = refused(tool(ROW, row("Southborough", cohort=text)))
    assert f"sheet 'Data', cell B3 ({text!r}): expected a cohort of a quarter or a year like Apr 2012 to" in message


def test_an_old_edition_of_a_tool_states_the_old_measure(lines: Callable[..., Any]) -> None:
    """To September 2015 they held twelve-month cohorts under the same headers: never one series with the newer."""
    found = lines(tool(row(cohort="Oct 2013 to Sep 2014"), row(cohort="Oct 2014 to Sep 2015")))
    assert {values(line, "table_id", "measure") for line in found} == {("geographic", "twelve_month_cohort")}
    for newer in ("Jan 2015 to Dec 2015", "Oct 2014 to Dec 2014"):
        found = lines(tool(row(cohort="Oct 2013 to Sep 2014"), row(cohort=newer)))
        assert {line["measure"] for line in found} == {"three_month_cohort"}


@pytest.mark.parametrize("newer", ["Jan 2015 to Dec 2015", "Oct 2014 to Dec 2014"])
def test_an_old_table_does_not_go_beyond_the_old_measure(
    refused: Callable[..., str], tmp_path: Path, newer: str
) -> None:
    part: list[Cell] = ["a. Ethnicity and sex", "a. White", "a. Male", "Adult", 100, 20, 60]
    rows: Rows = [[*OLD_HEADER, *COUNTS], ["Oct 2014 to Sep 2015", *part], [newer, *part]]
    message = refused(write_csv(tmp_path / "a.csv", rows))
    assert f"cell A3 ({newer!r}): the twelve-month measure has cohorts of a year, which end by 2015-09-30" in message


# --- age groups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["18 to 20", "Adlut", "Adult/Child", None])
def test_an_unknown_age_group_stops_the_file(refused: Callable[..., str], label: str | None) -> None:
    message = refused(tool(ROW, row("Southborough", age=label)))
    assert f"sheet 'Data', cell A3 ({label!r}): expected one of adult, adults, juvenile" in message


# --- categories ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "level"),
    [
        *((text, "upper_tier") for text in ("UTLA total", "utla Total1", "Upper-tier local authority total (2)")),
        *((text, "lower_tier") for text in ("LA total", "LAD total", "LTLA total", "Local authority total")),
        *((text, "police_force") for text in ("PFA total", "Police force area total")),
        *((text, "region") for text in ("Region total", "GOR total", "Total", "Overall total")),
    ],
)
def test_a_category_says_what_kind_of_area_it_is(lines: Callable[..., Any], category: str, level: str) -> None:
    (line,) = lines(tool(row(category=category)))
    assert values(line, "level", "role", "subcategory") == (level, "total", None)


@pytest.mark.parametrize("category", ["Constituency total", "Total by ward", "UTLA", "Local authority", "Region", None])
def test_a_category_that_is_not_declared_stops_the_file(refused: Callable[..., str], category: str | None) -> None:
    message = refused(tool(ROW, row("Southborough", category=category)))
    assert f"sheet 'Data', cell C3 ({category!r}): this category is not declared; known are (utla|" in message
    assert "`categories` of source.yml" in message


@pytest.mark.parametrize("category", ["PCC total", "Prison total", "18 to 20", "UTLA by sex", "Index offence: theft"])
def test_a_category_to_ignore_is_left_out_with_all_that_it_holds(lines: Callable[..., Any], category: str) -> None:
    ignored: list[Cell] = ["18+", "whenever", category, None, "many", -3]
    found = lines(tool(ignored, ROW, row("Northshire", category=category, offenders=9, reoffenders=4)))
    assert [values(line, "row", "category") for line in found] == [(3, "UTLA total")]


def test_a_file_of_categories_to_ignore_holds_nothing(refused: Callable[..., str]) -> None:
    assert "its tables hold no figure" in refused(tool(row(category="PCC total")))


# --- places --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "name", "key"),
    [
        ("Isle of Westey [note 3]", "Isle of Westey", "isle of westey"),
        ("Eastham, City of (1)", "Eastham, City of", "city of eastham"),
        ("Rutshire (2)", "Rutshire", "rutshire"),
        ("Rutshire1,2", "Rutshire", "rutshire"),
        (" Stoke  & Trent ", "Stoke & Trent", "stoke and trent"),
        ("Ynys Fôr", "Ynys Fôr", "ynys for"),
    ],
)
def test_footnotes_on_places_are_dropped(lines: Callable[..., Any], printed: str, name: str, key: str) -> None:
    (line,) = lines(tool(row(printed)))
    assert values(line, "area_name", "area_key", "area_code") == (name, key, None)


@pytest.mark.parametrize(
    ("printed", "category", "level", "code"),
    [
        ("Unknown", "UTLA total", "upper_tier", "x-unknown-upper-tier"),
        ("Unknown", "LA total", "lower_tier", "x-unknown-lower-tier"),
        ("Not known", "Region total", "region", "x-unknown-region"),
        ("Unknown police force area1", "PFA total", "police_force", "x-unknown-police-force"),
        ("Other", "UTLA total", "upper_tier", "x-other-upper-tier"),
        ("Other areas", "PFA total", "police_force", "x-other-police-force"),
        ("Scotland", "Region total", "region", "x-scotland-region"),
        ("British Transport Police", "PFA total", "police_force", "x-british-transport-police"),
        ("England & Wales", "UTLA total", "country", "K04000001"),
        ("Total", "Region total", "country", "K04000001"),
        ("Wales", "Region total", "country", "W92000004"),
        ("England", "Total", "country", "E92000001"),
        ("Otherton", "UTLA total", "upper_tier", None),
        ("London", "Region total", "region", None),
    ],
)
def test_what_names_without_a_code_mean(
    lines: Callable[..., Any], printed: str, category: str, level: str, code: str | None
) -> None:
    (line,) = lines(tool(row(printed, category=category)))
    assert values(line, "level", "area_code") == (level, code)


def test_a_figure_without_a_place_stops_the_file(refused: Callable[..., str]) -> None:
    assert "sheet 'Data', cell D3 (None): expected the name of an area" in refused(tool(ROW, row(None)))


def test_an_authority_that_is_not_listed_has_no_line(lines: Callable[..., Any]) -> None:
    """Nothing is made up for it: no 0, no missing value."""
    found = lines(tool(ROW, row("Southborough"), row("Southborough", cohort="Apr 2021 to Mar 2022")))
    assert [values(line, "area_name", "cohort_end") for line in found] == [
        ("Northshire", date(2021, 3, 31)),
        ("Southborough", date(2021, 3, 31)),
        ("Southborough", date(2022, 3, 31)),
    ]


# --- counts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"), [(400, 400), ("400", 400), (" 1,400 ", 1400), ("1 400", 1400), ("-00 ", 0), ("400.0", 400)]
)
def test_counts_are_whole_numbers_also_as_text(lines: Callable[..., Any], text: Cell, number: int) -> None:
    (line,) = lines(tool(row(offenders=text, reoffenders=0)))
    assert values(line, "offenders", "offenders_marker", "reoffenders") == (number, None, 0)


@pytest.mark.parametrize(
    ("text", "number", "marker"),
    [
        ("*", None, "[c]"),
        ("..", None, "[x]"),
        ("[c]", None, "[c]"),
        ("-", None, "[z]"),
        (None, None, "[blank]"),
        ("N/A - data not provided", None, "[x]"),
        ("1,204 [r]", 1204, "[r]"),
    ],
)
def test_a_marker_is_no_0(lines: Callable[..., Any], text: Cell, number: int | None, marker: str) -> None:
    (line,) = lines(tool(row(offenders=5000, reoffenders=text)))
    assert values(line, "offenders", "reoffenders", "reoffenders_marker") == (5000, number, marker)


@pytest.mark.parametrize("text", ["some", "100 approx", 100.5, "#N/A", "[q]"])
def test_what_is_no_count_is_named_by_its_cell(refused: Callable[..., str], text: Cell) -> None:
    message = refused(tool(ROW, row("Southborough", reoffenders=text)))
    assert f"sheet 'Data', cell F3 ({str(text)!r}): expected a whole number or a marker" in message
    assert "MARKERS in etl/cells.py" in message


def test_a_negative_count_stops_the_file(refused: Callable[..., str]) -> None:
    message = refused(tool(ROW, row("Southborough", offenders=-400)))
    assert "sheet 'Data', cell E3 ('-400'): expected 0 or more" in message


def test_more_reoffenders_than_offenders_stop_the_file(refused: Callable[..., str]) -> None:
    message = refused(tool(ROW, row("Southborough", offenders="1,400", reoffenders="1,401")))
    assert "sheet 'Data', cell F3 ('1,401'): expected no more than the 1,400 offenders in E3" in message
    assert "cell F2 ('100')" in refused(tool(row(offenders=99)))


def test_all_may_have_reoffended_and_nobody_may_be_there(lines: Callable[..., Any]) -> None:
    found = lines(tool(row(offenders=100), row("Southborough", offenders=0, reoffenders=0)))
    assert [values(line, "offenders", "reoffenders") for line in found] == [(100, 100), (0, 0)]


# --- what stands twice ---------------------------------------------------------------------------------


def test_a_row_that_stands_twice_stops_the_file(refused: Callable[..., str]) -> None:
    message = refused(tool(ROW, row("Southborough"), row("Northshire [note 1]")))
    assert "sheet 'Data', cell E4 ('400'): row 4 states again what row 2 states" in message
    assert "upper_tier, northshire, UTLA total, None, year, 2021-03-31, adult" in message


def test_two_names_of_one_area_are_one(refused: Callable[..., str]) -> None:
    message = refused(tool(row("Unknown", offenders=200), ROW, row("Not known", offenders=300)))
    assert "row 4 states again what row 2 states (upper_tier, x-unknown-upper-tier" in message


def test_other_cohorts_ages_and_parts_are_no_repetition(lines: Callable[..., Any]) -> None:
    found = lines(
        tool(ROW, row(age="Juvenile"), row(cohort="Jan 2021 to Mar 2021"), row(cohort="Jan 2020 to Dec 2020"))
    )
    assert [line["row"] for line in found] == [2, 3, 4, 5]


def test_an_authority_of_both_tiers_may_stand_in_both(lines: Callable[..., Any]) -> None:
    found = lines(
        tool(ROW, row(category="LA total"), row("Eastham", category="LA total"), row(category="Region total"))
    )
    assert [values(line, "level", "area_key", "offenders") for line in found] == [
        ("upper_tier", "northshire", 400),
        ("lower_tier", "northshire", 400),
        ("lower_tier", "eastham", 400),
        ("region", "northshire", 400),
    ]


@pytest.mark.parametrize(
    ("other", "cell", "stated"),
    [
        ({"offenders": "1,410"}, "E5 ('1,410')", "400 in row 3 (UTLA total) and 1,410 in row 5 (LA total)"),
        ({"reoffenders": 99}, "F5 ('99')", "100 in row 3 (UTLA total) and 99 in row 5 (LA total)"),
    ],
)
def test_an_authority_of_both_tiers_has_the_same_figures_in_both(
    refused: Callable[..., str], other: dict[str, Cell], cell: str, stated: str
) -> None:
    rows = tool(row("Eastham"), ROW, row("Eastham", category="LA total"), row(category="LA total", **other))
    message = refused(rows)
    assert f"sheet 'Data', cell {cell}: Northshire has {stated}; both should be all" in message


def test_a_country_has_the_same_figures_in_every_category(
    refused: Callable[..., str], lines: Callable[..., Any]
) -> None:
    whole = row("England and Wales", category="England and Wales total")
    message = refused(tool(whole, row("Total", category="Region total", offenders=401)))
    assert "England and Wales has 400 in row 2 (England and Wales total) and 401 in row 3 (Region total)" in message
    assert len(lines(tool(whole, row("Total", category="Region total")))) == 2


def test_figures_that_need_not_agree(lines: Callable[..., Any]) -> None:
    """A region and an authority of one name; homes unknown to each tier; a figure and a marker."""
    found = lines(
        tool(
            row("Westey", category="Region total", offenders=900),
            row("Westey"),
            row("Unknown", offenders=200),
            row("Unknown", category="LA total", offenders=300),
            row("Eastham"),
            row("Eastham", category="LA total", reoffenders="*"),
        )
    )
    assert [line["offenders"] for line in found] == [900, 400, 200, 300, 400, 400]


# --- the modelled samples, read whole ------------------------------------------------------------------

Samples = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Lines of every modelled sample by the name of its file."""
    folder = tmp_path_factory.mktemp("samples")
    found: Samples = {}
    for name, *_, write in REOFFENDING_PLANS:
        write(folder / name)
        with open_workbook(folder / name) as workbook:
            found[name] = [line for table in read(workbook, load_source(SOURCE)) for line in table.to_pylist()]
    return found


def total(lines: list[dict[str, Any]], end: str, **where: str) -> tuple[int, ...]:
    """Offenders, reoffenders and reoffences of the lines that match, added up; reoffences that are not there are 0."""
    match = {"cohort_end": date.fromisoformat(end), "span": "year", "role": "total"} | where
    own = [line for line in lines if all(line[name] == value for name, value in match.items())]
    assert own
    return tuple(sum(line[name] or 0 for line in own) for name in COUNTS)


def test_the_two_measures_of_2013_14(samples: Samples) -> None:
    old = samples["proven-reoffending-apr13-mar14-csv.zip"]
    parts = {"role": "part", "category": "a. Ethnicity and sex"}
    assert total(old, "2014-03-31", **parts)[:2] == (510_433, 133_947)
    assert total(old, "2014-03-31", age_group="adult", **parts) == (468_134, 117_864, 367_605)
    assert total(old, "2014-03-31", age_group="child", **parts) == (42_299, 16_083, 50_184)
    repeated = {"role": "repeat", "category": "b. Age and sex"}
    assert total(old, "2014-03-31", **repeated)[:2] == (510_433, 133_947)
    assert {line["measure"] for line in old} == {"twelve_month_cohort"}
    first = samples["PRSQ_overall_data_tool_apr02_dec15.xlsx"]
    assert total(first, "2014-03-31")[:2] == (598_848, 186_406)
    later = samples["PRSQ_overall_data_tool_apr12_mar21.xlsx"]
    assert total(later, "2014-03-31") == (599_297, 186_582, 663_973)
    newer = [line for name in samples if "csv.zip" not in name for line in samples[name]]
    assert {line["measure"] for line in newer} == {"three_month_cohort"}


def test_four_quarters_of_adults_are_the_year(samples: Samples) -> None:
    lines = samples["PRSQ_overall_data_tool_apr12_mar21.xlsx"]
    ends = ("2020-06-30", "2020-09-30", "2020-12-31", "2021-03-31")
    quarters = [total(lines, end, span="quarter", age_group="adult")[0] for end in ends]
    assert quarters == [39_697, 81_752, 87_150, 80_278]
    assert sum(quarters) == 288_877 == total(lines, "2021-03-31", age_group="adult")[0]


def test_lambeth_and_london(samples: Samples) -> None:
    for end, name, lambeth, london in (
        ("2021-03-31", "Geographical_data_tool_Apr09_Mar21.xlsx", (2_006, 517), (43_156, 10_242)),
        ("2022-03-31", "PRSQ_CSV_format_of_data_tools.zip", (2_217, 511), (45_381, 10_285)),
        ("2022-03-31", "Geographical_data_tool_Apr12_Mar24.xlsx", (2_217, 511), (45_381, 10_285)),
    ):
        lines = samples[name]
        adults = {"end": end, "age_group": "adult"}
        assert total(lines, **adults, level="upper_tier", area_key="lambeth")[:2] == lambeth
        assert total(lines, **adults, level="region", area_key="london")[:2] == london


def test_every_kind_of_area_adds_up_to_the_whole(samples: Samples) -> None:
    lines = samples["Geographical_data_tool_Apr12_Mar24.xlsx"]
    whole = total(lines, "2024-03-31", area_code="K04000001")
    for category in ("Region total", "PFA total", "UTLA total"):
        assert total(lines, "2024-03-31", category=category) == whole
    codes = {line["area_code"] for line in lines if line["category"] == "UTLA total"}
    assert codes == {None, "x-unknown-upper-tier", "x-other-upper-tier"}
