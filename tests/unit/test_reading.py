"""Landed files become tidy lines that know their cells, or stay out whole with the reason."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl import reading, sources
from etl.contracts import contracts
from etl.errors import JusticeError
from etl.files import TEMPORARY_PREFIX
from etl.landing import blob_path
from etl.reading import KeptOut, TidyFile, read_landed, reader_hash, remove_stale, tidy_path, tidy_schema
from etl.settings import project_root
from etl.sources import declared_sources, load_source
from tests.support import (
    CSP_HEADER,
    FORCE_HEADER,
    Cell,
    Rows,
    csp_row,
    force_row,
    land_one,
    list_files,
    p1_sheet,
    read_file,
    read_lines,
    rolling_years,
    write_csv,
    write_ods,
    write_xls,
    write_xlsx,
    write_zip,
)

HOME_OFFICE = "recorded_crime_home_office"
WEST_MIDLANDS = ("E23000014", "West Midlands", 233_393)


def _kept_out(home: Path, path: Path, source: str = "recorded_crime_ons") -> KeptOut:
    result = read_file(home, path, source)
    assert isinstance(result, KeptOut), result
    assert result.filename == path.name
    assert path.name in result.message
    assert f"({source}/year-ending-march-2018)" in result.message
    assert " → " in result.message  # what to do next
    assert not any(name.startswith("tidy/") for name in list_files(home))
    return result


def _pick(lines: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(line[name] for name in names) for line in lines]


# --- a figure knows its cell ---------------------------------------------------------------------------


def test_a_figure_has_value_marker_sheet_row_and_column(home: Path, tmp_path: Path) -> None:
    rows = p1_sheet(
        ("K04000001", "ENGLAND AND WALES8", "4,876,282 "),
        ("E12000005", "West Midlands ", 443_165),
        WEST_MIDLANDS,
        ("E23000005", "Greater Manchester", ".."),
        (None, "British Transport Police", 60_867),
    )
    lines = read_lines(home, write_xlsx(tmp_path / "a.xlsx", {"Table P1 ": rows}))
    assert len(lines) == 5 * 23
    totals = [line for line in lines if line["offence_id"] == "total_excluding_fraud"]
    assert _pick(totals, "area_code", "level", "value", "marker", "row") == [
        ("K04000001", "country", 4_876_282, None, 7),
        ("E12000005", "region", 443_165, None, 8),
        ("E23000014", "police_force", 233_393, None, 9),
        ("E23000005", "police_force", None, "[x]", 10),
        ("x-british-transport-police", "police_force", 60_867, None, 11),
    ]
    assert totals[0] == {
        "table_id": "P1",
        "measure": "offences",
        "level": "country",
        "area_code": "K04000001",
        "area_name": "ENGLAND AND WALES",
        "area_key": "england and wales",
        "parent_name": None,
        "offence_id": "total_excluding_fraud",
        "span": "year",
        "period_start": date(2017, 4, 1),
        "period_end": date(2018, 3, 31),
        "value": 4_876_282.0,
        "marker": None,
        "sheet": "Table P1 ",
        "row": 7,
        "column": "C",
    }
    robbery = [line for line in lines if line["offence_id"] == "robbery"]
    assert {(line["column"], line["value"]) for line in robbery} == {("L", 7.0)}


def test_the_parquet_is_in_the_columns_and_types_of_its_contract(home: Path, tmp_path: Path) -> None:
    result = read_file(home, write_csv(tmp_path / "a.csv", rolling_years()))
    assert isinstance(result, TidyFile)
    schema = pq.read_schema(result.path)
    assert schema.names == list(contracts()["tidy.recorded_crime"].columns)
    assert schema.equals(tidy_schema("recorded_crime"))
    assert schema.field("value").type == pa.float64()
    assert schema.field("period_end").type == pa.date32()
    assert not schema.field("offence_id").nullable
    assert result.rows == 1


def test_rolling_years_in_both_forms_of_date(home: Path, tmp_path: Path) -> None:
    rows = rolling_years(
        ["31/03/2018", "Kent", "South East", "Robbery", "1,204"],
        ["31-03-2018", "Kent", "South East", "Homicide", "12"],
        ["30/12/2017", "Devon & Cornwall", "South West", "Robbery", "-2"],  # one year is dated a day early
        ["30/06/2012", "Action Fraud", "Fraud: Action Fraud", "Action Fraud", "4"],
    )
    lines = read_lines(home, write_csv(tmp_path / "a.csv", rows))
    assert _pick(lines, "area_key", "offence_id", "period_start", "period_end", "value", "row") == [
        ("kent", "robbery", date(2017, 4, 1), date(2018, 3, 31), 1_204, 2),
        ("kent", "homicide", date(2017, 4, 1), date(2018, 3, 31), 12, 3),
        ("devon and cornwall", "robbery", date(2017, 1, 1), date(2017, 12, 31), -2, 4),
        ("action fraud", "offence_action_fraud", date(2011, 7, 1), date(2012, 6, 30), 4, 5),
    ]
    assert [line["area_code"] for line in lines] == [None, None, None, "x-action-fraud"]


C2_HEADER = [
    "Police Force\nArea code",
    "Police Force\nArea name",
    "Community Safety\nPartnership code",
    "Community Safety\nPartnership name",
    "Local Authority code",
    "Local Authority name",
    "Total recorded crime\n (excluding fraud)",
    "Violence against the person",
    "Homicide",
    "Death or serious injury caused by illegal driving",
    "Violence with injury",
    "Violence without injury",
    "Stalking and harassment",
    "Sexual offences",
    "Robbery",
    "Theft offences",
    "Burglary",
    "Residential burglary",
    "Non-residential burglary",
    "Vehicle offences",
    "Theft from the person",
    "Bicycle theft",
    "Shoplifting",
    "All other theft offences",
    "Criminal damage and arson",
    "Drug offences",
    "Possession of weapons offences",
    "Public order offences",
    "Miscellaneous crimes against society",
]


def test_partnerships_forces_and_unassigned_stay_apart(home: Path, tmp_path: Path) -> None:
    def area(*names: str, figures: Cell) -> list[Cell]:
        return [*names, *([figures] * 23)]

    rows = [
        ["Table C2: Number of police recorded crimes for headline offences by Community Safety Partnership "
         "area, England and Wales, year ending June 2025 [note 1][note 2][note 3]"],
        ["Some shorthand is used in this table.  [x] indicates data are unavailable."],
        C2_HEADER,
        area("E23000012", "Humberside [note 4]", "", "", "", "", figures="96,019 "),
        area("E23000014", "West Midlands", "E22000335", "Birmingham", "E08000025", "Birmingham", figures="135,101 "),
        area("E23000025", "Suffolk", "", "Unassigned Suffolk", "", "Unassigned Suffolk", figures="677 "),
        area("E23000031", "Surrey", "", "unassigned Surrey", "", "", figures=""),
        area("E23000005", "Greater Manchester", "", "Manchester Airport", "", "", figures="1,516 "),
    ]  # fmt: skip
    lines = read_lines(home, write_csv(tmp_path / "a.csv", rows))
    assert len(lines) == 5 * 23
    totals = [line for line in lines if line["column"] == "G"]
    assert _pick(totals, "level", "area_code", "area_name", "parent_name", "value", "marker", "row") == [
        ("police_force", "E23000012", "Humberside", None, 96_019, None, 4),
        ("csp", "E22000335", "Birmingham", "West Midlands", 135_101, None, 5),
        ("csp", "x-unassigned-suffolk", "Unassigned Suffolk", "Suffolk", 677, None, 6),
        ("csp", "x-unassigned-surrey", "unassigned Surrey", "Surrey", None, "[blank]", 7),
        ("csp", "x-manchester-airport", "Manchester Airport", "Greater Manchester", 1_516, None, 8),
    ]
    assert {line["period_end"] for line in lines} == {date(2025, 6, 30)}


# --- Home Office open data -----------------------------------------------------------------------------

_YEARS: dict[str, Rows] = {
    "Cover_sheet": [["Police recorded crime and outcomes open data tables"]],
    "Notes": [["Force Notes"], ["Kent", "Some offences are under Unassigned"]],
    "2016-17": [
        FORCE_HEADER,
        force_row(41, year="2016/17", quarter=1, code="34A"),
        force_row(3, year="2016/17", quarter=4, code=80),
    ],
    "2017-18": [
        FORCE_HEADER,
        force_row(-2, quarter=2, code="4.10", force="Avon & Somerset"),
        force_row("-00 ", quarter="Q3", code="8N"),
        force_row(" 66776 ", quarter="3", code="AF", force="Action Fraud"),
        force_row("N/A - data not provided", quarter="1", code="105A", force="Greater Manchester"),
    ],
}


@pytest.mark.parametrize(("ending", "write"), [("xlsx", write_xlsx), ("ods", write_ods), ("xls", write_xls)])
def test_one_sheet_a_year_in_every_kind_of_workbook(home: Path, tmp_path: Path, ending: str, write: object) -> None:
    path = write(tmp_path / f"a.{ending}", _YEARS)  # type: ignore[operator]
    lines = read_lines(home, path, HOME_OFFICE)
    names = ("sheet", "row", "area_key", "offence_id", "period_start", "period_end", "value", "marker")
    assert _pick(lines, *names) == [
        ("2016-17", 2, "west midlands", "offence_34a", date(2016, 4, 1), date(2016, 6, 30), 41, None),
        ("2016-17", 3, "west midlands", "offence_80", date(2017, 1, 1), date(2017, 3, 31), 3, None),
        ("2017-18", 2, "avon and somerset", "offence_4_10", date(2017, 7, 1), date(2017, 9, 30), -2, None),
        ("2017-18", 3, "west midlands", "offence_8n", date(2017, 10, 1), date(2017, 12, 31), 0, None),
        ("2017-18", 4, "action fraud", "offence_action_fraud", date(2017, 10, 1), date(2017, 12, 31), 66_776, None),
        ("2017-18", 5, "greater manchester", "offence_105a", date(2017, 4, 1), date(2017, 6, 30), None, "[x]"),
    ]
    assert {(x["table_id"], x["level"], x["span"], x["measure"], x["column"]) for x in lines} == {
        ("force", "police_force", "quarter", "offences", "H")
    }


@pytest.mark.parametrize("with_code", [True, False])
@pytest.mark.parametrize("force_header", ["Police Force", "Force Name"])
def test_partnerships_with_and_without_codes(home: Path, tmp_path: Path, with_code: bool, force_header: str) -> None:
    rows: list[list[Cell]] = [
        [force_header if header == "Police Force" else header for header in CSP_HEADER],
        csp_row("1,204 ", quarter="Q1"),
        csp_row("N/A - data not provided", force="Surrey", csp="Unassigned Surrey", ons_code=None),
        csp_row("-00 ", force="Greater Manchester", csp="Manchester Airport", ons_code=None, quarter=4),
    ]
    if not with_code:
        rows = [[*row[:4], *row[5:]] for row in rows]
    lines = read_lines(home, write_ods(tmp_path / "a.ods", {"Cover_sheet": [["x"]], "2020_21": rows}), HOME_OFFICE)
    assert _pick(lines, "area_code", "area_name", "parent_name", "value", "marker") == [
        ("E22000335" if with_code else None, "Birmingham", "West Midlands", 1_204, None),
        ("x-unassigned-surrey", "Unassigned Surrey", "Surrey", None, "[x]"),
        ("x-manchester-airport", "Manchester Airport", "Greater Manchester", 0, None),
    ]
    assert {x["level"] for x in lines} == {"csp"}
    assert {x["table_id"] for x in lines} == {"csp"}
    assert [x["period_end"] for x in lines] == [date(2020, 6, 30), date(2020, 6, 30), date(2021, 3, 31)]
    assert {x["column"] for x in lines} == {"J" if with_code else "I"}


def test_padding_and_notes_below_a_long_table_are_no_figures(home: Path, tmp_path: Path) -> None:
    rows: Rows = [
        ["Police recorded crime open data"],
        [],
        FORCE_HEADER,
        force_row(1),
        [],
        [None, "  ", "\u00a0"],
        force_row(2, code="34B"),
        [],
        ["Source: Home Office"],
        ["1. Figures are subject to revision."],
    ]
    lines = read_lines(home, write_xlsx(tmp_path / "a.xlsx", {"2017-18": rows}), HOME_OFFICE)
    assert [(line["row"], line["value"]) for line in lines] == [(4, 1), (7, 2)]


def test_rows_of_one_code_are_all_kept(home: Path, tmp_path: Path) -> None:
    """Homicide stands in four rows a force and quarter."""
    rows: Rows = [FORCE_HEADER, *(force_row(n, code="1/4.1/4.10/4.2") for n in (1, 0, 2, 0))]
    lines = read_lines(home, write_csv(tmp_path / "a.csv", rows), HOME_OFFICE)
    assert [(line["offence_id"], line["value"]) for line in lines] == [
        ("homicide", 1),
        ("homicide", 0),
        ("homicide", 2),
        ("homicide", 0),
    ]


def test_a_zip_of_a_file_gives_the_same_lines(home: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rec crime 2018.csv", rolling_years())
    zipped = write_zip(tmp_path / "a.zip", {"folder/rec crime 2018.csv": path.read_bytes()})
    [alone] = read_lines(home, path)
    [member] = read_lines(home, zipped, title="Year ending June 2018")
    assert member == alone | {"sheet": "folder/rec crime 2018.csv"}


# --- what stops a file ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["about 5", "1,20", "[q]", "12.5", "5 [note 3]", "#VALUE!"])
def test_an_unreadable_figure_stops_the_file_and_names_its_cell(home: Path, tmp_path: Path, text: str) -> None:
    rows = p1_sheet(WEST_MIDLANDS, ("E23000005", "Greater Manchester", text))
    kept_out = _kept_out(home, write_xlsx(tmp_path / "a.xlsx", {"Table P1 ": rows}))
    assert kept_out.rule == "cell"
    assert f"sheet 'Table P1 ', cell C8 ({text!r})" in kept_out.message


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        (force_row("some"), "H3 ('some')"),
        (force_row("1.5"), "H3 ('1.5')"),
        (force_row(1, code="999Z"), "G3 ('999Z')"),
        (force_row(1, code=None), "G3 (None)"),
        (force_row(1, code="34A|x"), "G3 ('34A|x')"),
        (force_row(1, quarter="5"), "B3 ('5')"),
        (force_row(1, year="2017"), "B3 ('1')"),
        (force_row(1, year="2017/18|x"), "B3 ('1')"),
        (force_row(1, force=None), "C3 (None)"),
        (force_row(1, force=" [note 1] "), "C3 (' [note 1] ')"),
    ],
)
def test_a_bad_row_of_open_data_stops_the_file(home: Path, tmp_path: Path, row: list[Cell], cell: str) -> None:
    rows: Rows = [FORCE_HEADER, force_row(1), row, force_row(2), row]
    kept_out = _kept_out(home, write_xlsx(tmp_path / "a.xlsx", {"2017-18": rows}), HOME_OFFICE)
    assert kept_out.rule == "cell"
    assert f"sheet '2017-18', cell {cell}" in kept_out.message


def test_an_unknown_offence_code_says_where_to_add_it(home: Path, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [FORCE_HEADER, force_row(1, code="999Z")])
    assert "offence_alias.csv" in _kept_out(home, path, HOME_OFFICE).message


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        (["31/02/2018", "Kent", "South East", "Robbery", 1], "A2 ('31/02/2018')"),
        (["31/03/0018", "Kent", "South East", "Robbery", 1], "A2 ('31/03/0018')"),
        (["31/03/2018", "Kent", "South East", "Piracy", 1], "D2 ('Piracy')"),
        (["31/03/2018", "", "South East", "Robbery", 1], "B2 (None)"),
        (["31/03/2018", "Kent", "South East", "Robbery", "many"], "E2 ('many')"),
    ],
)
def test_a_bad_row_of_rolling_years_stops_the_file(home: Path, tmp_path: Path, row: list[Cell], cell: str) -> None:
    kept_out = _kept_out(home, write_csv(tmp_path / "a.csv", rolling_years(row)))
    assert f"cell {cell}" in kept_out.message


def test_a_bad_sheet_keeps_out_the_good_ones_before_it(home: Path, tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", _YEARS | {"2018-19": [FORCE_HEADER, force_row("x", year="2018/19")]})
    assert "sheet '2018-19', cell H2" in _kept_out(home, path, HOME_OFFICE).message


def test_an_area_that_is_not_known_is_not_dropped_with_its_figures(home: Path, tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"Table P1": p1_sheet(WEST_MIDLANDS, (None, "Civil Nuclear Police", 12))})
    message = _kept_out(home, path).message
    assert "cell A8" in message
    assert "'Civil Nuclear Police'" in message
    assert "codeless_areas" in message


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("Table P1: number of offences", "0 years ending"),
        ("number of offences, year ending March 2018 and year ending June 2018", "2 years ending"),
    ],
)
def test_a_title_must_name_one_year(home: Path, tmp_path: Path, title: str, found: str) -> None:
    rows = p1_sheet(WEST_MIDLANDS)
    rows[0] = [title]
    kept_out = _kept_out(home, write_xlsx(tmp_path / "a.xlsx", {"Table P1": rows}))
    assert found in kept_out.message
    assert "'Table P1'" in kept_out.message


@pytest.mark.parametrize(
    ("years", "fits"),
    [
        ("year ending March 2017 compared with year ending March 20181,2", True),
        ("year ending March 2018 compared with year ending March 2017", True),
        ("year ending March 2016 compared with year ending March 2018", False),
        ("year ending March 2018", False),
    ],
)
def test_a_title_of_changes_names_two_years_that_follow(home: Path, tmp_path: Path, years: str, fits: bool) -> None:
    rows = p1_sheet(("E23000014", "West Midlands", 12.857409346), ("E23000034", "City of London", "-"))
    rows[0] = [f"Table P2: percentage change, {years}"]
    path = write_xlsx(tmp_path / "a.xlsx", {"Table P2": rows})
    if not fits:
        assert "expected 2" in _kept_out(home, path).message
        return
    lines = read_lines(home, path)
    assert {(line["measure"], line["period_end"]) for line in lines} == {("change_percent", date(2018, 3, 31))}
    assert [(line["value"], line["marker"]) for line in lines if line["column"] == "C"] == [
        (12.857409346, None),
        (None, "[z]"),
    ]


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: write_csv(folder / "a.csv", [FORCE_HEADER]),
        lambda folder: write_xlsx(folder / "a.xlsx", {"2017-18": [FORCE_HEADER, [], ["Source: Home Office"]]}),
        lambda folder: write_xlsx(folder / "b.xlsx", {"2016-17": [FORCE_HEADER], "2017-18": [FORCE_HEADER]}),
    ],
)
def test_a_file_of_headers_alone_is_kept_out(home: Path, tmp_path: Path, write: object) -> None:
    assert "no figure" in _kept_out(home, write(tmp_path), HOME_OFFICE).message  # type: ignore[operator]


def test_a_wide_table_of_headers_alone_is_kept_out(home: Path, tmp_path: Path) -> None:
    assert "no figure" in _kept_out(home, write_xlsx(tmp_path / "a.xlsx", {"Table P1": p1_sheet()})).message


def test_a_json_file_is_kept_out(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"offences": 1}', encoding="utf-8")
    assert "holds no table" in _kept_out(home, path).message


def test_a_workbook_that_cannot_be_opened_is_kept_out(home: Path, tmp_path: Path) -> None:
    members = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook><sheets>"}
    path = write_zip(tmp_path / "a.xlsx", members)
    assert _kept_out(home, path).rule == "unreadable"


# --- population ----------------------------------------------------------------------------------------

MYE5_HEADER = [
    "Code",
    "Name",
    "Geography",
    "Area (sq km)",
    "Estimated population mid-2020",
    "2020 people per sq. km",
    "Estimated Population mid-2019",
    "2019 people per sq. km",
]


def _mye5(*rows: list[Cell]) -> dict[str, Rows]:
    return {
        "Contents": [["MYE 5", "Population estimates"]],
        "MYE2 - Persons": [["Code", "Name"], ["E06000061 ", "x"]],
        "MYE 5": [["MYE5: Population estimates"], *([[]] * 6), MYE5_HEADER, *rows],
    }


def test_every_year_of_an_area_is_a_line(home: Path, tmp_path: Path) -> None:
    sheets = _mye5(
        ["E06000061 ", "North Northamptonshire", "Unitary Authority", 987, 350_448, 355, 348_221, 353],
        ["K02000001", "UNITED KINGDOM", "Country", 242_741, 67_081_234, 276, 66_796_807, 275],
        [None, "Footnotes"],
    )
    lines = read_lines(home, write_xls(tmp_path / "a.xls", sheets), "population")
    assert _pick(lines, "area_code", "mid_year", "value", "sheet", "row", "column") == [
        ("E06000061", 2020, 350_448, "MYE 5", 9, "E"),
        ("E06000061", 2019, 348_221, "MYE 5", 9, "G"),
        ("K02000001", 2020, 67_081_234, "MYE 5", 10, "E"),
        ("K02000001", 2019, 66_796_807, "MYE 5", 10, "G"),
    ]
    assert lines[0]["area_key"] == "north northamptonshire"
    assert lines[0]["geography"] == "Unitary Authority"


@pytest.mark.parametrize("value", [0, -5, 12.5, "unknown"])
def test_a_population_is_a_whole_number_above_zero(home: Path, tmp_path: Path, value: Cell) -> None:
    sheets = _mye5(["E06000061", "North Northamptonshire", "Unitary Authority", 987, 5, 1, value, 1])
    kept_out = _kept_out(home, write_xls(tmp_path / "a.xls", sheets), "population")
    assert "sheet 'MYE 5', cell G9" in kept_out.message


def test_a_missing_population_is_missing(home: Path, tmp_path: Path) -> None:
    sheets = _mye5(["E06000061", "North Northamptonshire", "Unitary Authority", 987, 350_448, 355, "..", None])
    lines = read_lines(home, write_xls(tmp_path / "a.xls", sheets), "population")
    assert [(line["value"], line["marker"]) for line in lines] == [(350_448, None), (None, "[x]")]


def test_a_line_that_lacks_what_it_must_have_is_named(home: Path, tmp_path: Path) -> None:
    sheets = _mye5(["E06000061", "North Northamptonshire", None, 987, 350_448, 355, 348_221, 353])
    kept_out = _kept_out(home, write_xls(tmp_path / "a.xls", sheets), "population")
    assert "sheet 'MYE 5', row 9: there is no geography" in kept_out.message


def test_a_sheet_saved_as_text_leaves_its_year_to_the_release(home: Path, tmp_path: Path) -> None:
    rows: Rows = [
        ["Code", "Name", "Geography", "All ages", "0", "1", "90+"],
        ["K04000001", "ENGLAND AND WALES", "Country", "61806682", "601329", "622020", "5"],
    ]
    path = write_csv(tmp_path / "a.csv", rows, encoding="utf-8-sig")
    [line] = read_lines(home, path, "population")
    assert (line["mid_year"], line["value"], line["column"]) == (None, 61_806_682, "D")


# --- the cache -----------------------------------------------------------------------------------------


def _must_not_read(*_: object) -> None:
    raise AssertionError("the file was read again")


def test_a_cached_file_is_not_read_again(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = land_one(home, write_csv(tmp_path / "a.csv", rolling_years()))
    first = read_landed(home, record)
    assert isinstance(first, TidyFile)
    written = first.path.stat().st_mtime_ns
    monkeypatch.setattr(reading, "open_workbook", _must_not_read)
    assert read_landed(home, record) == first
    assert first.path.stat().st_mtime_ns == written


def test_a_file_that_was_kept_out_is_tried_again(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = land_one(home, write_csv(tmp_path / "a.csv", [["nothing", "known"]]))
    assert isinstance(read_landed(home, record), KeptOut)
    monkeypatch.setattr(reading, "open_workbook", _must_not_read)
    with pytest.raises(AssertionError, match="read again"):
        read_landed(home, record)


@pytest.mark.parametrize("content", [None, b"12 months ending,PFA\n"])
def test_damaged_bytes_are_never_read(home: Path, tmp_path: Path, content: bytes | None) -> None:
    record = land_one(home, write_csv(tmp_path / "a.csv", rolling_years()))
    blob = blob_path(home, record.sha256)
    blob.unlink()
    if content:
        blob.write_bytes(content)
    with pytest.raises(JusticeError, match="damaged" if content else "gone") as caught:
        read_landed(home, record)
    assert record.filename in caught.value.what
    assert "land the original again" in caught.value.next_step


@contextmanager
def _copied_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of all that decides how files are read, in which a test may change things."""
    root = folder / "project"
    for part in ("etl", "schemas", "warehouse/ref"):
        shutil.copytree(project_root() / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    with monkeypatch.context() as patched:
        patched.setattr(reading, "project_root", lambda: root)
        patched.setattr(sources, "FOLDER", root / "etl" / "sources")
        yield root
    reader_hash.cache_clear()


def _hash_now(source: str) -> str:
    reader_hash.cache_clear()
    return reader_hash(source)


@pytest.mark.parametrize(
    "changed",
    [
        "etl/cells.py",
        "etl/spreadsheets.py",
        "etl/layouts.py",
        "etl/offences.py",
        "etl/columns.py",
        "etl/reading.py",
        "etl/archives.py",
        "etl/sources/__init__.py",
        "etl/sources/readers.py",
        "etl/sources/recorded_crime_ons/read.py",
        "warehouse/ref/offence_alias.csv",
        "schemas/fields.yml",
        "schemas/tidy/recorded_crime.yml",
    ],
)
def test_the_cache_key_follows_whatever_decides_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    original = _hash_now("recorded_crime_ons")
    with _copied_project(tmp_path, monkeypatch) as root:
        assert _hash_now("recorded_crime_ons") == original  # wherever the project lies
        with (root / changed).open("a", encoding="utf-8") as file:
            file.write("\n")
        assert _hash_now("recorded_crime_ons") != original
    assert _hash_now("recorded_crime_ons") == original


def test_the_cache_key_follows_layouts_and_not_where_files_are_published(monkeypatch: pytest.MonkeyPatch) -> None:
    source = load_source("recorded_crime_ons")
    original = _hash_now(source.source)
    for change, is_other in (({"places": []}, False), ({"layouts": source.layouts[1:]}, True)):
        monkeypatch.setattr(reading, "load_source", lambda _, change=change: source.model_copy(update=change))
        assert (_hash_now(source.source) != original) == is_other
    monkeypatch.undo()
    assert _hash_now(source.source) == original


@pytest.mark.parametrize("changed", ["etl/sources/population/source.yml", "etl/ranking.py", "etl/cli.py"])
def test_the_cache_key_leaves_out_what_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    original = _hash_now("recorded_crime_ons")
    with _copied_project(tmp_path, monkeypatch) as root:
        with (root / changed).open("a", encoding="utf-8") as file:
            file.write("\n")
        assert _hash_now("recorded_crime_ons") == original


def test_the_cache_key_follows_the_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    original = _hash_now("population")
    monkeypatch.setattr(reading, "version", lambda name: "99.0")
    assert _hash_now("population") != original
    monkeypatch.undo()
    assert _hash_now("population") == original


def test_a_new_key_is_a_new_file_and_the_old_one_is_stale(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = land_one(home, write_csv(tmp_path / "a.csv", rolling_years()))
    old = read_landed(home, record)
    monkeypatch.setattr(reading, "reader_hash", lambda source: "f" * 64)
    new = read_landed(home, record)
    assert isinstance(old, TidyFile)
    assert isinstance(new, TidyFile)
    assert old.path != new.path
    assert pq.read_table(old.path) == pq.read_table(new.path)
    remove_stale(home, [new.path])
    assert not old.path.exists()
    assert new.path.exists()


def test_what_killed_readers_left_is_removed(home: Path, tmp_path: Path) -> None:
    record = land_one(home, write_csv(tmp_path / "a.csv", rolling_years()))
    result = read_landed(home, record)
    assert isinstance(result, TidyFile)
    left = result.path.with_name(f"{TEMPORARY_PREFIX}killed")
    left.write_bytes(b"PAR1")
    remove_stale(home, [result.path])
    assert [path.name for path in result.path.parent.iterdir()] == [result.path.name]
    remove_stale(home / "missing", [])


def test_the_path_of_a_tidy_file_says_what_it_is(home: Path, tmp_path: Path) -> None:
    record = land_one(home, write_csv(tmp_path / "a.csv", rolling_years()))
    result = read_landed(home, record)
    assert isinstance(result, TidyFile)
    assert result.path == tidy_path(home, record, "recorded_crime")
    assert result.path.parent == home / "tidy" / "recorded_crime" / "recorded_crime_ons"
    assert result.path.name.startswith(record.sha256)


def _imports(path: Path) -> set[str]:
    """The modules of ours that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("etl"):
            found.add(str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("etl.")}
    return found


@pytest.mark.parametrize("source", sorted(declared_sources()))
def test_no_module_that_a_reader_rests_on_is_left_out_of_the_key(source: str) -> None:
    root = project_root()
    hashed = {f"etl.{name.removesuffix('.py')}" for name in reading._READING_CODE}
    hashed |= {"etl.sources", "etl.sources.readers"}
    no_part_in_it = {"etl.errors", "etl.likeness", "etl.settings", "etl.sources.places"}
    seen, ahead = set(), {f"etl.sources.{source}.read"}
    while ahead:
        module = ahead.pop()
        seen.add(module)
        path = root / Path(*module.split("."))
        ahead |= _imports(path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py") - seen
    own = {module for module in seen if module.startswith(f"etl.sources.{source}")}
    assert seen - own <= hashed | no_part_in_it


def test_a_figure_that_a_sheet_states_twice_stops_the_file(home: Path, tmp_path: Path) -> None:
    rows: Rows = [FORCE_HEADER, force_row(1), force_row(2)]
    result = read_file(home, write_csv(tmp_path / "a.csv", rows), HOME_OFFICE)
    assert isinstance(result, KeptOut)
    assert "row 3 states the figure of row 2 again" in result.message
