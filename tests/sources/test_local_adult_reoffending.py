"""The source `local_adult_reoffending`: figures found by meaning, in layouts that nobody has seen yet.

Places in these tables are made up, so that no figure here can be taken for one of a real authority.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from etl.archives import MODELLED_MARK, is_modelled, sniff
from etl.landing import claim_home
from etl.publishers import ListedFile, choose_files
from etl.reading import KeptOut
from etl.replica import Archive, Replica
from etl.sources import load_source
from etl.sources.places import GovUkPlace
from etl.spreadsheets import open_workbook
from samples.local_adult import LOCAL_ADULT_PLANS
from samples.tables import read_figures
from tests.publishers.support import SEARCH, Publishers, asset, attachment, collection, item, table
from tests.support import Rows, read_file, write_csv, write_ods, write_xls, write_xlsx
from tests.support import read_lines as read_lines_of

LAR = "local_adult_reoffending"
TITLE = "Table 3: Reoffending by local authority, 1 October 2011 - 30 September 2012, England and Wales"
HEADER = ["Local authority", "Cohort size", "Actual rate of reoffending", "Predicted rate of reoffending"]


def sheet(*rows: list[Any], header: list[str] = HEADER, title: str = TITLE) -> Rows:
    """A table whose header stands in row 3 and its first figures in row 4."""
    return [[title], [], list(header), *rows]


def new_path(folder: Path) -> Path:
    """Where no workbook lies yet."""
    return folder / f"{len(list(folder.glob('*.xlsx')))}.xlsx"


@pytest.fixture
def lines(home: Path, tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Reads a table from a workbook of one sheet."""

    def read(rows: Rows, name: str = "Table 3") -> list[dict[str, Any]]:
        return read_lines_of(home, write_xlsx(new_path(tmp_path), {name: rows}), LAR)

    return read


@pytest.fixture
def refused(home: Path, tmp_path: Path) -> Callable[..., str]:
    """Why a table, or several by the names of their sheets, keeps its file out."""

    def read(rows: Rows | dict[str, Rows], name: str = "Table 3") -> str:
        sheets = rows if isinstance(rows, dict) else {name: rows}
        result = read_file(home, write_xlsx(new_path(tmp_path), sheets), LAR)
        assert isinstance(result, KeptOut), result
        return result.message

    return read


def values(line: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(line[name] for name in names)


def rates(line: dict[str, Any]) -> tuple[Any, ...]:
    return values(line, "offenders", "actual_percent", "predicted_percent")


# --- two layouts ---------------------------------------------------------------------------------------

BY_AUTHORITY: Rows = [
    ["Table 3: Local adult reoffending by local authority, 1 October 2011 - 30 September 2012"],
    ["Ministry of Justice"],
    [],
    [
        "Local authority",
        "Region",
        "Cohort size (combining four quarters of probation caseload data)1",
        "Actual rate of reoffending",
        "Predicted rate of reoffending",
        "Statistically significant difference",
    ],
    ["Northshire", "East Midlands", 5120, 0.0705, 0.0812, "Yes"],
    ["Eastham, City of", "East Midlands", 640, 0.09, 0.0875, "No"],
    ["East Midlands", None, 5760, 0.0727, 0.0819, "Yes"],
    ["Unknown", None, 41, "..", "..", None],
    ["England and Wales", None, 600000, 0.08, 0.0795, "No"],
    [],
    ["1. A person can stand in all four snapshots."],
    ["Source: Ministry of Justice"],
]

BY_TRUST: Rows = [
    ["Local adult reoffending by probation trust and local authority"],
    ["Year ending 30 June 2013"],
    [
        "Probation Trust",
        "Predicted reoffending rate (%)",
        "Actual reoffending rate (%)",
        "% difference between actual and predicted rate",
        "Upper-tier local authority",
        "Number of offenders (caseload)",
    ],
    ["North Trust", "8.00%", "6.00%", "-25.0%", "Northshire1", "5,000"],
    ["North Trust", "7.95%", "5.50%", "-30.8%", "Southborough (2)", "1,000 "],
    ["North Trust", "8.00%", "6.05%", "-24.4%", None, "6,100"],
    ["South Trust", "*", "*", "..", "Isle of Westey*", "12"],
    ["Unknown", "5.00%", "5.00%", "0.0%", "Unknown", "100"],
    ["England and Wales", "7.90%", "6.95%", "-12.0%", None, "610,000"],
]


def test_fractions_with_a_significance_and_a_region(home: Path, tmp_path: Path) -> None:
    read = read_lines_of(home, write_xlsx(tmp_path / "a.xlsx", {"Table 3": BY_AUTHORITY}), LAR)
    assert read[0] == {
        "table_id": "local_authority",
        "level": "upper_tier",
        "area_code": None,
        "area_name": "Northshire",
        "area_key": "northshire",
        "period_start": date(2011, 10, 1),
        "period_end": date(2012, 9, 30),
        "offenders": 5120,
        "offenders_marker": None,
        "offenders_column": "C",
        "actual_percent": 7.05,
        "actual_percent_marker": None,
        "actual_percent_column": "D",
        "predicted_percent": 8.12,
        "predicted_percent_marker": None,
        "predicted_percent_column": "E",
        "printed_difference": None,
        "printed_significant": True,
        "sheet": "Table 3",
        "row": 5,
    }
    assert [values(line, "row", "level", "area_code", "area_key", "printed_significant") for line in read[1:]] == [
        (6, "upper_tier", None, "city of eastham", False),
        (7, "region", "E12000004", "east midlands", True),
        (8, "upper_tier", "x-unknown-upper-tier", "unknown", None),
        (9, "country", "K04000001", "england and wales", False),
    ]
    assert [rates(line) for line in read[1:]] == [
        (640, 9.0, 8.75),
        (5760, 7.27, 8.19),
        (41, None, None),
        (600_000, 8.0, 7.95),
    ]
    assert values(read[3], "actual_percent_marker", "predicted_percent_marker") == ("[x]", "[x]")


@pytest.mark.parametrize("write", [write_ods, write_xls])
def test_percentages_as_text_by_trust(home: Path, tmp_path: Path, write: Callable[..., Path]) -> None:
    read = read_lines_of(home, write(tmp_path / "tables", {"LAs": BY_TRUST}), LAR)
    assert {values(line, "period_start", "period_end") for line in read} == {(date(2012, 7, 1), date(2013, 6, 30))}
    # The row of the trust as a whole is left out: part of it has the name of an authority elsewhere.
    found = [
        (*values(line, "row", "level", "area_code", "area_name", "printed_difference"), *rates(line)) for line in read
    ]
    assert found == [
        (4, "upper_tier", None, "Northshire", -25.0, 5000, 6.0, 8.0),
        (5, "upper_tier", None, "Southborough", -30.8, 1000, 5.5, 7.95),
        (7, "upper_tier", None, "Isle of Westey", None, 12, None, None),
        (8, "upper_tier", "x-unknown-upper-tier", "Unknown", 0.0, 100, 5.0, 5.0),
        (9, "country", "K04000001", "England and Wales", -12.0, 610_000, 6.95, 7.9),
    ]
    assert {line["area_key"] for line in read[:3]} == {"northshire", "southborough", "isle of westey"}
    assert values(read[2], "actual_percent_marker", "predicted_percent_marker") == ("[c]", "[c]")
    assert {line["printed_significant"] for line in read} == {None}
    assert values(read[0], "offenders_column", "actual_percent_column", "predicted_percent_column") == ("F", "C", "B")


# --- headers -------------------------------------------------------------------------------------------

ROW = ["Northshire", 5120, 7.05, 8.12]
FOUND = (5120, 7.05, 8.12)


@pytest.mark.parametrize(
    "header",
    [
        ["Local Authority1", "Number of offenders", "Actual reoffending rate (%)", "Predicted reoffending rate (%)"],
        ["Upper tier local authority", "Size of cohort", "Actual rate", "Predicted rate"],
        ["County / unitary authority", "Caseload", "Actual", "Predicted"],
        ["UTLA name", "Number of offenders (caseload)2", "Rate of re-offending", "Expected rate of re-offending"],
        ["Area", "Offenders", "Percentage reoffending (actual)", "Percentage reoffending (predicted)"],
        ["Area\nname", "Cohort\nsize (1)", "Actual  rate of\nreoffending", "Predicted rate of reoffending3"],
        ["AREA", "NUMBER OF OFFENDERS IN COHORT", "ACTUAL RATE OF REOFFENDING", "PREDICTED RATE OF REOFFENDING"],
    ],
)
def test_a_header_means_what_its_words_say(lines: Callable[..., Any], header: list[str]) -> None:
    (line,) = lines(sheet(ROW, header=header))
    assert (line["area_name"], line["level"], *rates(line)) == ("Northshire", "upper_tier", *FOUND)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_columns_stand_in_any_order(lines: Callable[..., Any], order: tuple[int, ...]) -> None:
    (line,) = lines(sheet([ROW[i] for i in order], header=[HEADER[i] for i in order]))
    assert rates(line) == FOUND
    assert line["actual_percent_column"] == "ABCD"[order.index(2)]


def test_a_header_of_two_rows(lines: Callable[..., Any]) -> None:
    upper, lower = ["Local authority", "Cohort size", "Reoffending", None], [None, None, "Actual (%)", "Predicted (%)"]
    (line,) = lines([[TITLE], upper, lower, [None, "Number", "%", "%"], ROW])
    assert (line["row"], *rates(line)) == (5, *FOUND)


@pytest.mark.parametrize(
    "extra", ["Rank", "Notes", "Actual rate 2010/11", "Predicted rate, Oct 2010 to Sep 2011", "Previous actual rate"]
)
def test_a_column_that_nobody_declared_stops_the_file(refused: Callable[..., str], extra: str) -> None:
    message = refused(sheet([*ROW, 1], header=[*HEADER, extra]))
    assert "sheet 'Table 3' fits no layout of local_adult_reoffending" in message
    assert f"row 3 comes nearest; not expected {extra.casefold()!r}" in message


def test_a_missing_column_is_named(refused: Callable[..., str]) -> None:
    message = refused(sheet(ROW[:3], header=HEADER[:3]))
    assert "by_authority: row 3 comes nearest; missing 'predicted rate of reoffending'" in message


def test_two_columns_of_one_meaning_stop_the_file(refused: Callable[..., str]) -> None:
    message = refused(sheet([*ROW, 7.1], header=[*HEADER, "Actual reoffending rate (%)"]))
    assert "with ['actual rate of reoffending'] twice" in message


@pytest.mark.parametrize(
    "beside", ["Number of reoffenders", "Lower 95% confidence limit", "Baseline rate", "Ratio of actual to predicted"]
)
def test_what_follows_from_other_columns_is_left_out(lines: Callable[..., Any], beside: str) -> None:
    (line,) = lines(sheet([*ROW, 361], header=[*HEADER, beside]))
    assert rates(line) == FOUND


def test_a_mark_without_a_header_stops_the_file(refused: Callable[..., str]) -> None:
    message = refused(sheet(["Southborough", 10, 5, 5], [*ROW, "*"]))
    assert "cell E5 ('*'): expected nothing, since no header stands over it in row 3" in message


# --- rates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "percent"),
    [
        ([(7.05, 8.12), (5, 100)], [(7.05, 8.12), (5.0, 100.0)]),
        ([("7.05", "8.12"), (" 5 ", "6.0 [r]")], [(7.05, 8.12), (5.0, 6.0)]),
        ([("7.05%", "8.12 %"), ("0.50%", "1%")], [(7.05, 8.12), (0.5, 1.0)]),
        ([(0.0705, 0.0812), (0.057, 1)], [(7.05, 8.12), (5.7, 100.0)]),
        ([("0.0705", "0.0812"), (0.29, 0.07)], [(7.05, 8.12), (29.0, 7.0)]),
        # 0 is 0 in either
        ([(0, 8.12), (7.05, 0)], [(0.0, 8.12), (7.05, 0.0)]),
        ([(0, 0.0812), (0.0705, 0)], [(0.0, 8.12), (7.05, 0.0)]),
        ([(0, 0), ("0%", "..")], [(0.0, 0.0), (0.0, None)]),
    ],
)
def test_percentages_and_fractions(lines: Callable[..., Any], printed: Rows, percent: list[tuple[Any, ...]]) -> None:
    read = lines(sheet(["Northshire", 100, *printed[0]], ["Southborough", 100, *printed[1]]))
    assert [values(line, "actual_percent", "predicted_percent") for line in read] == percent


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ((7.05, 8.12), (0.0705, 8.5), r"cell C5 ('0.0705'): reads as a fraction of 1; expected a percentage, as C4 is"),
        ((0.0705, 0.08), (0.09, 8.5), r"cell D5 ('8.5'): reads as a percentage; expected a fraction of 1, as C4 is"),
        ((0.0705, 8.12), (0.07, 8.5), r"cell D4 ('8.12'): reads as a percentage; expected a fraction of 1, as C4 is"),
        (("7.05%", "8.12%"), (0.0705, "8%"), r"cell C5 ('0.0705'): reads as a fraction of 1; expected a percentage"),
        ((0.0705, 0.0812), ("0.9%", 0.08), r"cell C5 ('0.9%'): reads as a percentage; expected a fraction of 1"),
    ],
)
def test_a_mixture_of_both_stops_the_file(
    refused: Callable[..., str], first: tuple[Any, ...], second: tuple[Any, ...], message: str
) -> None:
    assert message in refused(sheet(["Northshire", 100, *first], ["Southborough", 100, *second]))


@pytest.mark.parametrize("text", [100.5, -0.5, "7,05", "about 7", "7.05*"])
def test_what_is_no_rate_is_named_by_its_cell(refused: Callable[..., str], text: object) -> None:
    message = refused(sheet(["Northshire", 100, 7.05, 8.12], ["Southborough", 100, 7.05, text]))
    assert f"sheet 'Table 3', cell D5 ({str(text)!r}): expected a rate from 0 to 100% or a marker" in message


def test_markers_are_no_values(lines: Callable[..., Any]) -> None:
    read = lines(sheet(["Northshire", "*", "..", "-"], ["Southborough", "1,204 [r]", None, "8.12 [p]"]))
    assert [rates(line) for line in read] == [(None, None, None), (1204, None, 8.12)]
    markers = [f"{name}_marker" for name in ("offenders", "actual_percent", "predicted_percent")]
    assert [values(line, *markers) for line in read] == [("[c]", "[x]", "[z]"), ("[r]", "[blank]", "[p]")]


# --- offenders -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "number"), [(5120, 5120), ("5,120", 5120), (" 5 120 ", 5120), ("12", 12), (0, 0)])
def test_offenders_are_whole_numbers(lines: Callable[..., Any], text: object, number: int) -> None:
    (line,) = lines(sheet(["Northshire", text, 7.05, 8.12]))
    assert line["offenders"] == number


@pytest.mark.parametrize("text", ["some", 12.5, -3, "5120 approx"])
def test_what_is_no_number_of_offenders_is_named_by_its_cell(refused: Callable[..., str], text: object) -> None:
    message = refused(sheet(["Northshire", text, 7.05, 8.12]))
    assert f"sheet 'Table 3', cell B4 ({str(text)!r}): expected a whole number of offenders or a marker" in message


# --- differences ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "printed", "actual", "expected"),
    [
        ("% difference from predicted", "-25.0%", 6.0, -25.0),
        ("% difference from baseline", -25, 6.0, -25.0),
        ("Difference (percentage points)", -2.0, 6.0, -2.0),
        ("Difference", "..", 6.0, None),
        ("% difference", None, 6.0, None),
        # a workbook keeps what it shows as -25% as a fraction, as it does rates
        ("% difference", -0.25, 0.06, -25.0),
        ("% difference", -25.0, 0.06, -25.0),
    ],
)
def test_a_difference_stays_as_printed(
    lines: Callable[..., Any], header: str, printed: object, actual: float, expected: float | None
) -> None:
    (line,) = lines(sheet(["Northshire", 100, actual, actual, printed], header=[*HEADER, header]))
    assert line["printed_difference"] == expected


def test_of_several_differences_the_one_in_percent_of_the_prediction(lines: Callable[..., Any]) -> None:
    header = [*HEADER, "Difference (percentage points)", "% difference from baseline", "% difference from predicted"]
    (line,) = lines(sheet(["Northshire", 100, 6, 8, -2, -10, -25], header=header))
    assert line["printed_difference"] == -25.0


def test_words_for_a_difference_stop_the_file(refused: Callable[..., str]) -> None:
    message = refused(sheet([*ROW, "much lower"], header=[*HEADER, "% difference"]))
    assert "cell E4 ('much lower'): expected a number or a marker" in message


# --- significance --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *((word, True) for word in ("Yes", "Y", "y ", "*", "**", "Significant", "Statistically significant", "Lower")),
        *((word, True) for word in ("Higher", "Significantly lower", "lower than predicted", "↓", "▲", True)),
        *((word, False) for word in ("No", "N", "Not significant", "Non-significant", "No change", "↔", False)),
        *((word, False) for word in ("Not statistically significant", "no significant difference", "n/s")),
        *((word, None) for word in ("..", "-", "n/a", "[x]")),
    ],
)
def test_words_of_significance(lines: Callable[..., Any], word: object, expected: bool | None) -> None:
    header = [*HEADER, "Significance"]
    read = lines(sheet(["Northshire", 100, 6, 8, word], ["Southborough", 100, 6, 8, "No"], header=header))
    assert read[0]["printed_significant"] is expected


@pytest.mark.parametrize("word", ["maybe", "0.03", "c"])
def test_a_word_that_nobody_knows_stops_the_file(refused: Callable[..., str], word: str) -> None:
    message = refused(sheet([*ROW, word], header=[*HEADER, "Statistically significant?"]))
    assert f"sheet 'Table 3', cell E4 ({word!r}): expected a word that says whether" in message


def test_where_only_what_is_significant_is_marked_an_empty_cell_says_no(lines: Callable[..., Any]) -> None:
    header = [*HEADER, "Significance"]
    rows = (["Northshire", 100, 6, 8, "*"], ["Southborough", 100, 8, 8, None], ["Westey", 5, "..", "..", None])
    assert [line["printed_significant"] for line in lines(sheet(*rows, header=header))] == [True, False, None]
    # Where somebody says no, an empty cell says nothing.
    rows = (["Northshire", 100, 6, 8, "Yes"], ["Southborough", 100, 8, 8, None], ["Eastham", 100, 8, 8, "No"])
    assert [line["printed_significant"] for line in lines(sheet(*rows, header=header))] == [True, None, False]
    rows = (["Northshire", 100, 6, 8, None], ["Southborough", 100, 8, 8, None])
    assert [line["printed_significant"] for line in lines(sheet(*rows, header=header))] == [None, None]


# --- places --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "printed",
    [
        "Rutshire1",
        "Rutshire1,2",
        "Rutshire (2)",
        "Rutshire*",
        "Rutshire²",
        "Rutshire [note 4]",
        " Rutshire ",
    ],
)
def test_footnotes_on_places_are_dropped(lines: Callable[..., Any], printed: str) -> None:
    (line,) = lines(sheet([printed, 100, 6, 8]))
    assert values(line, "area_name", "area_key") == ("Rutshire", "rutshire")


@pytest.mark.parametrize(
    ("printed", "level", "code"),
    [
        ("Unknown", "upper_tier", "x-unknown-upper-tier"),
        ("Unknown local authority", "upper_tier", "x-unknown-upper-tier"),
        ("Not known", "upper_tier", "x-unknown-upper-tier"),
        ("Other", "upper_tier", "x-other-upper-tier"),
        ("Other areas1", "upper_tier", "x-other-upper-tier"),
        ("England & Wales", "country", "K04000001"),
        ("Total", "country", "K04000001"),
        ("England", "country", "E92000001"),
        ("Wales", "country", "W92000004"),
        ("Yorkshire and the Humber", "region", "E12000003"),
        ("London", "region", "E12000007"),
        ("West Midlands", "region", "E12000005"),
        ("City of London", "upper_tier", None),
        ("Otherton", "upper_tier", None),
    ],
)
def test_what_names_say_of_their_level(lines: Callable[..., Any], printed: str, level: str, code: str | None) -> None:
    (line,) = lines(sheet([printed, 100, 6, 8]))
    assert values(line, "level", "area_code") == (level, code)


def test_a_printed_code_counts_and_an_older_one_is_left_to_the_name(lines: Callable[..., Any]) -> None:
    header = ["ONS code", *HEADER]
    read = lines(sheet(["E10000021 ", *ROW], ["00AB", "Southborough", 100, 6, 8], header=header))
    assert [values(line, "area_code", "area_key") for line in read] == [
        ("E10000021", "northshire"),
        (None, "southborough"),
    ]


def test_rows_that_sum_up_what_stands_beside_them(lines: Callable[..., Any]) -> None:
    header = ["Region", "Probation trust", *HEADER]
    read = lines(
        sheet(
            ["East Midlands", "North Trust", "Northshire", 100, 6, 8],
            ["East Midlands", "North Trust", "Total", 110, 6.1, 8],
            ["East Midlands", "North Trust", None, 110, 6.1, 8],
            ["East Midlands", None, "Total", 120, 6.2, 8],
            ["Midshires", None, None, 130, 6.3, 8],
            ["Total", None, None, 140, 6.4, 8],
            header=header,
        )
    )
    assert [values(line, "row", "level", "area_code", "area_name") for line in read] == [
        (4, "upper_tier", None, "Northshire"),
        (7, "region", "E12000004", "East Midlands"),
        (8, "region", None, "Midshires"),
        (9, "country", "K04000001", "Total"),
    ]


def test_a_trust_without_an_authority_may_be_one_itself(refused: Callable[..., str]) -> None:
    header = ["Probation trust", *HEADER]
    rows = (["North Trust", *ROW], ["Westey", None, 100, 6, 8])
    message = refused(sheet(*rows, header=header))
    assert "cell A5 ('Westey'): expected an authority: the row names a probation trust only" in message


def test_a_trust_may_be_named_beside_its_total_alone(lines: Callable[..., Any]) -> None:
    header = ["Probation trust", *HEADER]
    rows = (["North Trust", None, 5120, 7.05, 8.12], [None, *ROW])
    assert [line["area_name"] for line in lines(sheet(*rows, header=header))] == ["Northshire"]


def test_headings_units_and_notes_are_no_lines(lines: Callable[..., Any]) -> None:
    rows = sheet(
        [None, "Number", "(%)", "per cent"],
        ["NORTH EAST"],
        ROW,
        ["Southborough", None, None, None],  # states nothing: no figure, not 0
        ["Source: Ministry of Justice"],
    )
    (line,) = lines(rows)
    assert (line["row"], *rates(line)) == (6, *FOUND)


def test_figures_without_a_name_stop_the_file(refused: Callable[..., str]) -> None:
    message = refused(sheet(ROW, [None, 100, 6, 8]))
    assert "sheet 'Table 3', cell A5 (None): expected the name of an area, since the row states figures" in message


def test_a_place_that_stands_twice_stops_the_file(refused: Callable[..., str]) -> None:
    message = refused(sheet(ROW, ["Southborough", 100, 6, 8], ["Northshire2", *ROW[1:]]))
    assert "cell A6 ('Northshire2'): row 6 states again what row 4 states" in message
    assert "northshire" in message
    assert "x-unknown-upper-tier" in refused(sheet(["Unknown", 1, 6, 8], ROW, ["Not known", 2, 6, 8]))


# --- periods -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Reoffending, 1 October 2011 - 30 September 2012", "Table 3"),
        ("Reoffending, 1 October 2011 – 30 September 20121,2", "Table 3"),
        ("Reoffending between 1st October 2011 and 30th September 2012", "Table 3"),
        ("Reoffending: October 2011 to September 2012", "Table 3"),
        ("Reoffending, Oct 2011-Sept 2012", "Table 3"),
        ("Reoffending, October to September 2012", "Table 3"),
        ("Year ending September 2012", "Table 3"),
        ("12 months ending 30 September 20121", "Table 3"),
        ("Reoffending, published 21 May 2013", "Oct 2011 to Sep 2012"),
        ("Reoffending", "LA_Oct11-Sep12"),
        ("Reoffending, October 2011 to September 2012", "Year to Sept 2012"),
    ],
)
def test_the_period_stands_above_the_header_or_in_the_name_of_the_sheet(
    lines: Callable[..., Any], title: str, name: str
) -> None:
    (line,) = lines(sheet(ROW, title=title), name)
    assert values(line, "period_start", "period_end") == (date(2011, 10, 1), date(2012, 9, 30))


def test_a_calendar_year(lines: Callable[..., Any]) -> None:
    (line,) = lines(sheet(ROW, title="Reoffending, 1 January - 31 December 2012"))
    assert values(line, "period_start", "period_end") == (date(2012, 1, 1), date(2012, 12, 31))


@pytest.mark.parametrize(
    ("title", "name", "found"),
    [
        ("Reoffending by local authority", "Table 3", "none"),
        ("Reoffending, published 21 May 2013", "Table 3", "none"),
        ("Reoffending, 2011/12", "Table 3", "none"),
        ("Reoffending, October 2011 to December 2011", "Table 3", "2011-10-01 to 2011-12-31"),
        ("Reoffending, 15 October 2011 - 14 October 2012", "Table 3", "2011-10-15 to 2012-10-14"),
        ("Reoffending, 31 September 2011 - 30 September 2012", "Table 3", "none"),
        (
            "Reoffending, October 2011 to September 2012, against October 2007 to September 2008",
            "Table 3",
            "2007-10-01 to 2008-09-30; 2011-10-01 to 2012-09-30",
        ),
        ("Year ending September 2012", "Jan 2012 to Dec 2012", "2011-10-01 to 2012-09-30; 2012-01-01 to 2012-12-31"),
    ],
)
def test_a_period_that_cannot_be_read_says_where_it_was_looked_for(
    refused: Callable[..., str], title: str, name: str, found: str
) -> None:
    message = refused(sheet(ROW, title=title), name)
    assert f"sheet {name!r}: expected one period of a year" in message
    assert f"in the lines above the header in row 3 ({title!r}) or in the name of the sheet; found {found}" in message


def test_a_text_table_with_its_title(home: Path, tmp_path: Path) -> None:
    (line,) = read_lines_of(home, write_csv(tmp_path / "a.csv", sheet(ROW)), LAR)
    assert (line["sheet"], *rates(line)) == ("csv", *FOUND)


# --- several sheets ------------------------------------------------------------------------------------

REGIONS = sheet(["East Midlands", 900, 6, 8], ["Wales", 800, 7, 8], header=["Region", *HEADER[1:]])
TRUSTS = sheet(["Northshire", 910, 6, 8], header=["Probation Trust", *HEADER[1:]])


def test_regions_have_a_table_of_their_own_and_trusts_have_none(home: Path, tmp_path: Path) -> None:
    prose: Rows = [["Local adult reoffending"], ["Definitions"]]
    sheets = {"Contents": prose, "Table 1": REGIONS, "Table 2": TRUSTS, "Table 3": sheet(ROW), "Notes": prose}
    read = read_lines_of(home, write_xlsx(tmp_path / "a.xlsx", sheets), LAR)
    assert [values(line, "sheet", "table_id", "level", "area_code", "area_key") for line in read] == [
        ("Table 1", "region", "region", "E12000004", "east midlands"),
        ("Table 1", "region", "country", "W92000004", "wales"),
        ("Table 3", "local_authority", "upper_tier", None, "northshire"),
    ]


def test_what_a_column_of_areas_holds_is_in_the_title(home: Path, tmp_path: Path) -> None:
    header = ["Area", *HEADER[1:]]
    when = "October 2011 to September 2012"
    sheets = {
        "Table 1": sheet(["Midshires", 900, 6, 8], header=header, title=f"Reoffending by region, {when}"),
        "Table 2": sheet(["Northshire", 910, 6, 8], header=header, title=f"Reoffending by probation trust, {when}"),
        "Table 3": sheet(ROW, header=header, title=f"Reoffending by local authority in each region, {when}"),
    }
    read = read_lines_of(home, write_xlsx(tmp_path / "a.xlsx", sheets), LAR)
    assert [values(line, "sheet", "table_id", "level", "area_key") for line in read] == [
        ("Table 1", "region", "region", "midshires"),
        ("Table 3", "local_authority", "upper_tier", "northshire"),
    ]


def test_a_file_of_trusts_alone_holds_no_figure(refused: Callable[..., str]) -> None:
    assert "no figure was found in it" in refused(TRUSTS)


def test_two_sheets_may_state_a_figure_alike(home: Path, tmp_path: Path) -> None:
    sheets = {"Table 3": sheet(ROW), "Table 4": sheet(["Southborough", 100, 6, 8], ROW)}
    read = read_lines_of(home, write_xlsx(tmp_path / "a.xlsx", sheets), LAR)
    assert [values(line, "sheet", "area_key") for line in read] == [
        ("Table 3", "northshire"),
        ("Table 4", "southborough"),
        ("Table 4", "northshire"),
    ]


def test_a_sheet_of_other_offenders_is_not_taken_for_all_of_them(refused: Callable[..., str]) -> None:
    message = refused({"Table 3": sheet(ROW), "Table 4": sheet(["Northshire", 512, 17.05, 18.12])})
    assert "sheet 'Table 4', cell A4 ('Northshire')" in message
    assert "expected the figures of sheet 'Table 3', row 4, [5120, 7.05, 8.12]; found [512, 17.05, 18.12]" in message


def test_a_sheet_that_nobody_knows_stops_the_file(refused: Callable[..., str]) -> None:
    assert "sheet 'Chapter' fits no layout" in refused({"Table 3": sheet(ROW), "Chapter": [["Offence", "Number"]]})


# --- where it is published -----------------------------------------------------------------------------


def place() -> GovUkPlace:
    (declared,) = load_source(LAR).places
    assert isinstance(declared, GovUkPlace)
    return declared


def choose(*titles: str) -> tuple[list[str], list[str], list[str]]:
    """Titles of the files that are taken, those that no rule knows, and what is wrong."""
    listed = [ListedFile(asset(f"{number}.xls", number), f"{number}.xls", title) for number, title in enumerate(titles)]
    choice = choose_files(listed, place().files, place().ignore_files, "page")
    return [file.title for file in choice.files], choice.unknown, [str(problem.error) for problem in choice.problems]


@pytest.mark.parametrize(
    "title",
    [
        "Local adult reoffending: tables October 2011 to September 2012",
        "Local adult reoffending tables (Excel)",
        "Local adult reoffending bulletin tables",
        "Local Adult Reoffending data, January to December 2013",
        "Table 3: Reoffending by local authority",
        "Reoffending by region, probation trust and local authority",
        "lar-tables-jul12-jun13.xls",
        "lar_oct11_sep12.ods",
        "CSV",
    ],
)
def test_titles_that_speak_of_tables(title: str) -> None:
    assert choose(title) == ([title], [], [])


@pytest.mark.parametrize(
    "title",
    [
        "Local adult reoffending bulletin",
        "Local adult reoffending - 1 July 2012 - 30 June 2013",
        "Local adult reoffending: January 2013 to December 2013",
        "Local adult reoffending tables (PDF)",
        "Statistical bulletin: local adult reoffending data",
        "Pre-release access list",
        "Data quality statement",
        "Guide to local adult reoffending data",
        "Publication timetable",
        "Probation trust tables",
        "PPO tables by local authority",
    ],
)
def test_titles_that_speak_of_something_else(title: str) -> None:
    tables = "Local adult reoffending tables"
    assert choose(title, tables) == ([tables], [], [])


def test_several_tables_are_all_taken_and_a_new_title_is_reported() -> None:
    titles = ["Local authority tables", "Regional tables", "Something new"]
    assert choose(*titles) == (titles[:2], ["Something new"], [])


def test_an_edition_without_a_table_says_what_it_has() -> None:
    files, unknown, problems = choose("Local adult reoffending: January 2013 to December 2013", "Annex")
    assert (files, unknown) == ([], ["Annex"])
    assert "no file is the table 'authorities'" in problems[0]
    assert "found 'Local adult reoffending: January 2013 to December 2013', 'Annex'" in problems[0]


@pytest.fixture
def govuk(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publishers]:
    """A replica of GOV.UK that is asked for this source where it is declared to be."""
    archive = Archive(tmp_path / "archive")
    archive.put(SEARCH, b'{"results": []}')
    with Replica(archive) as replica:
        yield Publishers(home, archive, replica, monkeypatch, LAR)


def put_edition(publishers: Publishers, number: int, path: str, title: str, **more: Any) -> dict[str, Any]:
    """A publication with a bulletin, a table and a list of names."""
    url = asset(f"lar-{number}.csv", number)
    files = [
        attachment(asset(f"{number}.pdf", number + 50), title),
        attachment(url, f"{title}: tables"),
        attachment(asset(f"names-{number}.pdf", number + 100), "Pre-release access list"),
    ]
    content = item(path, title, *files, **more)
    publishers.put(content)
    publishers.archive.put(url, table(number), modified="2013-05-20T16:00:00+00:00")
    return content


def test_a_collection_with_another_content_id_is_not_it(govuk: Publishers) -> None:
    edition = put_edition(govuk, 1, "/government/statistics/local-adult-reoffending", "Local adult reoffending")
    govuk.put(collection(place().paths[0], edition))
    assert govuk.night().states == ["refused"]
    govuk.put(collection(place().paths[0], edition) | {"content_id": place().content_ids[0]})
    assert govuk.night().states == ["new"]


@pytest.mark.real
def test_the_six_editions_of_the_recorded_collection(govuk: Publishers, publications: Path) -> None:
    path = publications / "gov-uk-api" / "govuk_content_api__collections__local-adult-reoffending.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for number, link in enumerate(content["links"]["documents"], start=1):
        more = {name: link[name] for name in ("content_id", "public_updated_at")}
        put_edition(govuk, number, link["base_path"], link["title"], **more)
    govuk.put(content)
    night = govuk.night()
    assert night.states == ["new"] * 6
    assert (night.listing.unknown, night.listing.problems) == ([], [])
    assert sorted(outcome.edition for outcome in night.outcomes) == [
        "Local adult reoffending - 1 January 2012 - 31 December 2012",
        "Local adult reoffending - 1 July 2012 - 30 June 2013",
        "Local adult reoffending - April 2012 - March 2013",
        "Local adult reoffending - October 2012 - September 2013",
        "Local adult reoffending: 1 October 2011 - 30 September 2012",
        "Local adult reoffending: January 2013 to December 2013",
    ]
    assert govuk.night().states == ["unchanged"] * 6


# --- the modelled samples ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the modelled samples by the titles of their editions."""
    folder = tmp_path_factory.mktemp("samples")
    for filename, _, _, _, write in LOCAL_ADULT_PLANS:
        write(folder / filename)
    return {title: folder / filename for filename, title, _, _, _ in LOCAL_ADULT_PLANS}


@pytest.fixture
def demo(home: Path) -> Path:
    """A home that takes modelled samples."""
    claim_home(home, "demo")
    return home


FIRST, SECOND, THIRD = (title for _, title, _, _, _ in LOCAL_ADULT_PLANS)


@pytest.mark.parametrize(
    ("title", "end", "levels"),
    [
        (FIRST, date(2012, 9, 30), {"region": 9, "country": 2, "upper_tier": 175}),
        (SECOND, date(2013, 6, 30), {"country": 1, "upper_tier": 175}),
        (THIRD, date(2013, 12, 31), {"region": 9, "country": 2, "upper_tier": 175}),
    ],
)
def test_the_modelled_samples_are_read_whole(
    samples: dict[str, Path], demo: Path, title: str, end: date, levels: dict[str, int]
) -> None:
    read = read_lines_of(demo, samples[title], LAR, title)
    assert {line["period_end"] for line in read} == {end}
    counted = {level: sum(line["level"] == level for line in read) for level in levels}
    assert (counted, len(read)) == (levels, sum(levels.values()))
    authorities = {line["area_name"] for line in read if line["level"] == "upper_tier"}
    named = {line["name"] for line in read_figures("local_adult_authorities")}
    assert len(named) == 174
    assert authorities == named | {"Unknown"}
    assert {"Northamptonshire", "Cumbria", "Dorset", "Buckinghamshire", "Bournemouth", "Poole"} <= named
    whole = [line["offenders"] for line in read if line["area_code"] == "K04000001"]
    parts = sum(line["offenders"] for line in read if line["level"] == "upper_tier")
    assert whole == [parts]
    stated = [line for line in read if line["actual_percent"] is not None]
    assert len(stated) >= len(read) - 1
    assert all(5 <= line["predicted_percent"] <= 9 for line in stated)
    assert all(2 < line["actual_percent"] < 12 for line in stated if line["offenders"] >= 1000)


def test_one_sample_prints_a_significance_and_one_a_difference(samples: dict[str, Path], demo: Path) -> None:
    first, second = (read_lines_of(demo, samples[title], LAR, title) for title in (FIRST, SECOND))
    assert {line["printed_significant"] for line in first} == {True, False}
    assert {line["printed_difference"] for line in first} == {None}
    assert {line["printed_significant"] for line in second} == {None}
    for line in second:
        if line["actual_percent"] is not None:
            difference = 100 * (line["actual_percent"] - line["predicted_percent"]) / line["predicted_percent"]
            assert line["printed_difference"] == pytest.approx(difference, abs=0.0501)


def test_samples_hold_the_same_bytes_on_every_run_and_say_what_they_are(
    samples: dict[str, Path], tmp_path: Path
) -> None:
    for filename, title, _, description, write in LOCAL_ADULT_PLANS:
        write(tmp_path / filename)
        assert (tmp_path / filename).read_bytes() == samples[title].read_bytes()
        assert is_modelled(samples[title], sniff(samples[title]))
        assert "modelled" in description


def test_a_sample_carries_its_mark_in_every_sheet(samples: dict[str, Path]) -> None:
    for path in samples.values():
        with open_workbook(path) as workbook:
            for name in workbook.sheet_names:
                assert MODELLED_MARK in " ".join(workbook.sheet(name).row(1)), (path.name, name)
