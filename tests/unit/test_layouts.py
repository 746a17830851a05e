"""Tables are found by meaning; what does not fit is named, with the sheet it stands in."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.cells import header_meaning
from etl.errors import LayoutError
from etl.layouts import HEADER_SEARCH_ROWS, Fit, _read_header, find_tables, fit_sheet
from etl.offences import find_offence, offence_aliases
from etl.sources import Layout, Source, declared_sources, load_source
from etl.spreadsheets import Sheet, column_letters, open_workbook
from tests.support import (
    CSP_HEADER,
    FORCE_HEADER,
    P1_HEADERS,
    ROLLING_YEAR_HEADER,
    Rows,
    csp_row,
    force_row,
    p1_sheet,
    rolling_years,
    write_csv,
    write_ods,
    write_xlsx,
    write_zip,
)

ONS = "recorded_crime_ons"
HOME_OFFICE = "recorded_crime_home_office"
WEST_MIDLANDS = ("E23000014", "West Midlands", 233_393)


def _find(path: Path, source: str = ONS) -> list[Fit]:
    with open_workbook(path) as workbook:
        return list(find_tables(load_source(source), workbook))


def _refusal(path: Path, source: str = ONS) -> str:
    with pytest.raises(LayoutError) as caught:
        _find(path, source)
    assert caught.value.next_step
    assert caught.value.rule == "layout"
    return caught.value.what


def _workbook(folder: Path, rows: Rows, sheet: str = "Table P1") -> Path:
    return write_xlsx(folder / "a.xlsx", {sheet: rows})


# --- what fits -----------------------------------------------------------------------------------------


def test_a_table_is_found_with_its_header_columns_and_title(tmp_path: Path) -> None:
    [fit] = _find(_workbook(tmp_path, p1_sheet(WEST_MIDLANDS)))
    assert (fit.layout.layout, fit.layout.table_id) == ("force_table_2018_counts", "P1")
    assert fit.header_row == 4  # published row 5
    assert fit.first_row == 6
    assert fit.columns == {"area_code": "A", "area_name": "B"}
    assert fit.figures["C"] == "total_excluding_fraud"  # from the upper header row
    assert fit.figures["E"] == "violence_against_the_person"
    assert fit.figures["O"] == "residential_burglary"
    assert len(fit.figures) == 23
    assert "D" not in fit.figures  # a spacer
    assert "year ending March 181,2,3" in fit.title
    assert fit.body.num_rows == 4  # units, one area, source, note


@pytest.mark.parametrize("name", ["Table P1", "Table P1 ", "table p1", "TABLE P1  "])
def test_sheet_names_drift(tmp_path: Path, name: str) -> None:
    assert len(_find(_workbook(tmp_path, p1_sheet(WEST_MIDLANDS), name))) == 1


@pytest.mark.parametrize(
    ("published", "as_it_was"),
    [
        ("Miscellaneous crimes against society", "Miscellaneous crimes"),
        ("Stalking\nand harassment", "Stalking and harassment5"),
        ("Stalking and harassment6,7", "Stalking and harassment5"),
        ("All other theft offences", "Other theft offences"),
        ("Residental burglary5", "Residential burglary6,7"),
        ("Non-residential burglary [note 6]", "Non-residential  burglary6,7"),
        ("  ROBBERY ", "Robbery"),
    ],
)
def test_headers_drift(tmp_path: Path, published: str, as_it_was: str) -> None:
    headers = [published if header == as_it_was else header for header in P1_HEADERS]
    assert headers != P1_HEADERS
    [fit] = _find(_workbook(tmp_path, p1_sheet(WEST_MIDLANDS, headers=headers)))
    assert len(fit.figures) == 23


def test_columns_are_found_wherever_they_stand(tmp_path: Path) -> None:
    turned = [list(reversed(row)) for row in rolling_years()]
    [fit] = _find(write_csv(tmp_path / "a.csv", turned))
    assert fit.columns == {"value": "A", "offence": "B", "region": "C", "area_name": "D", "period": "E"}


def test_a_header_may_stand_well_below_the_top(tmp_path: Path) -> None:
    preamble = [["line of a preamble"]] * (HEADER_SEARCH_ROWS - 1)
    [fit] = _find(write_csv(tmp_path / "a.csv", [*preamble, *rolling_years()]))
    assert fit.first_row == HEADER_SEARCH_ROWS + 1
    assert "holds" not in fit.title
    assert "no row carries its headers" in _refusal(
        write_csv(tmp_path / "b.csv", [*preamble, ["one more"], *rolling_years()])
    )


def test_an_optional_column_may_be_missing(tmp_path: Path) -> None:
    without = [
        [cell for cell, header in zip(row, CSP_HEADER, strict=True) if header != "ONS Code"]
        for row in (CSP_HEADER, csp_row(5))
    ]
    [fit] = _find(write_ods(tmp_path / "a.ods", {"2020_21": without}), HOME_OFFICE)
    assert fit.layout.table_id == "csp"
    assert "area_code" not in fit.columns
    assert fit.column("area_code").to_pylist() == [None]
    [fit] = _find(write_ods(tmp_path / "b.ods", {"2020_21": [CSP_HEADER, csp_row(5)]}), HOME_OFFICE)
    assert fit.column("area_code").to_pylist() == ["E22000335"]


def test_the_same_headers_mean_force_or_partnership_by_what_else_is_there(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "a.xlsx",
        {"2012-13": [FORCE_HEADER, force_row(1)], "2024_25": [CSP_HEADER, csp_row(1)]},
    )
    assert [fit.layout.layout for fit in _find(path, HOME_OFFICE)] == ["open_data_by_force", "open_data_by_csp"]


def test_sheets_that_are_left_out_by_rule_are_not_read(tmp_path: Path) -> None:
    rows: Rows = [["nothing", "that", "fits"]]
    sheets: dict[str, Rows] = {"Correction": rows, "Table P1": p1_sheet(WEST_MIDLANDS), "Table P4  ": rows}
    sheets |= {"Notes ": rows, "Cover_sheet": rows, "Table P10": rows}
    assert [fit.sheet.name for fit in _find(write_xlsx(tmp_path / "a.xlsx", sheets))] == ["Table P1"]


def test_a_member_of_a_zip_fits_by_the_end_of_its_name(tmp_path: Path) -> None:
    workbook = _workbook(tmp_path, p1_sheet(WEST_MIDLANDS)).read_bytes()
    text = write_csv(tmp_path / "a.csv", rolling_years()).read_bytes()
    path = write_zip(tmp_path / "a.zip", {"folder/a b.xlsx": workbook, "rec crime.csv": text})
    assert [fit.layout.table_id for fit in _find(path)] == ["P1", "rolling_year"]


# --- what does not -------------------------------------------------------------------------------------


def test_missing_and_extra_headers_are_named_together_with_the_sheet(tmp_path: Path) -> None:
    headers = [{"Robbery": "Cyber crime", "Shoplifting": "Vagrancy8"}.get(h, h) for h in P1_HEADERS]
    what = _refusal(_workbook(tmp_path, p1_sheet(WEST_MIDLANDS, headers=headers), "Table P1 "))
    assert "'Table P1 '" in what
    assert "force_table_2018_counts" in what
    assert "row 5" in what
    missing, extra = re.search(r"missing (.*); not expected (.*)", what).groups()  # type: ignore[union-attr]
    assert set(re.findall(r"'(\w+)'", missing)) == {"robbery", "shoplifting"}
    assert extra == "'cyber crime', 'vagrancy'"


def test_a_missing_column_is_named_by_its_header(tmp_path: Path) -> None:
    rows = [[row[i] for i in (0, 1, 3, 4)] for row in rolling_years()]
    what = _refusal(write_csv(tmp_path / "a.csv", rows))
    assert "missing 'region'" in what
    assert "'csv'" in what


def test_an_extra_column_stops_the_file(tmp_path: Path) -> None:
    rows = [[*row, cell] for row, cell in zip(rolling_years(), ["Of which online", "12"], strict=True)]
    what = _refusal(write_csv(tmp_path / "a.csv", rows))
    assert "not expected 'of which online'" in what
    assert "missing" not in what


@pytest.mark.parametrize("header", ["Offence", "12 months ending", "Rolling year total number of offences"])
def test_a_header_that_stands_twice_is_named(tmp_path: Path, header: str) -> None:
    what = _refusal(write_csv(tmp_path / "a.csv", [[*ROLLING_YEAR_HEADER, header], ["x"] * 6]))
    assert f"{header.casefold()!r}] twice" in what


def test_one_offence_under_two_headers_is_named(tmp_path: Path) -> None:
    headers = [*P1_HEADERS, "Miscellaneous crimes against society"]
    assert "['miscellaneous_crimes'] twice" in _refusal(_workbook(tmp_path, p1_sheet(WEST_MIDLANDS, headers=headers)))


def test_an_unknown_sheet_stops_the_file(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"Table P1": p1_sheet(WEST_MIDLANDS), "Table Q1": [["Code", "Name"]]})
    what = _refusal(path)
    assert "sheet 'Table Q1' fits no layout of recorded_crime_ons" in what


def test_a_sheet_with_another_title_is_another_table(tmp_path: Path) -> None:
    rows = p1_sheet(WEST_MIDLANDS)
    rows[0] = ["Table P1: Offences involving knives, year ending March 2018"]
    what = _refusal(_workbook(tmp_path, rows))
    assert "no line above row 5 reads" in what
    assert "number of offences" in what


def test_a_file_of_another_source_is_named(tmp_path: Path) -> None:
    what = _refusal(write_csv(tmp_path / "a.csv", [FORCE_HEADER, force_row(1)]))
    assert "fits no layout of recorded_crime_ons" in what


def test_a_file_without_any_table_says_what_was_left_out(tmp_path: Path) -> None:
    assert "holds no table" in _refusal(write_xlsx(tmp_path / "a.xlsx", {"Notes": [["a"]]}))
    what = _refusal(write_zip(tmp_path / "a.zip", {"page.csv": b"<html>", "guide.pdf": b"%PDF-1.7"}))
    assert "page.csv" in what
    assert "guide.pdf" in what


def test_an_empty_sheet_fits_nothing(tmp_path: Path) -> None:
    assert "no row carries its headers" in _refusal(write_xlsx(tmp_path / "a.xlsx", {"Table P1": []}))


# --- declarations --------------------------------------------------------------------------------------


@given(st.data())
def test_any_wrong_header_is_found_out(data: st.DataObject) -> None:
    """Whichever header is changed, the sheet fits nothing, and both sides are named."""
    source = load_source(ONS)
    place = data.draw(st.sampled_from([i for i, header in enumerate(P1_HEADERS) if header]))
    headers = [*P1_HEADERS[:place], "Something else", *P1_HEADERS[place + 1 :]]
    rows = p1_sheet(WEST_MIDLANDS, headers=headers)
    width = max(map(len, rows))
    columns = {
        column_letters(i): [str(row[i]) if i < len(row) and row[i] is not None else None for row in rows]
        for i in range(width)
    }
    misfits = fit_sheet(source, Sheet("Table P1", pa.table(columns)), is_named=True)
    assert isinstance(misfits, list)
    assert len(misfits[0].missing) == 1
    assert misfits[0].extra == ["something else"]
    assert misfits[0].header_row == 4


def _layouts() -> list[tuple[Source, Layout]]:
    return [(source, layout) for source in declared_sources().values() for layout in source.layouts]


@pytest.mark.parametrize(("source", "layout"), _layouts(), ids=lambda value: getattr(value, "layout", ""))
def test_every_declared_layout_can_be_met(source: Source, layout: Layout) -> None:
    """Its offences have a name in this source, its table is declared, its headers are written as compared."""
    assert layout.table_id in {table.table_id for table in source.tables} or not layout.measure
    published = {alias.offence_id for alias in offence_aliases(source.source)}
    assert set(layout.figures) <= published
    assert set(layout.optional_figures) <= published
    for column in layout.columns.values():
        for header in column.headers:
            # As compared: a digit at the end is a note, but for a column that is declared by it.
            assert header_meaning(header) in (header, header.rstrip("0123456789"))
            assert _read_header(layout, header.upper()) == header
    categories = [category.match for category in layout.categories]
    for pattern in [layout.sheet, layout.title or "", layout.figure_pattern or "", *categories]:
        re.compile(pattern)
    assert all(category.why for category in layout.categories if category.role == "ignore")


def test_every_ignored_thing_says_why() -> None:
    for source in declared_sources().values():
        rules = [*source.ignore_sheets, *(rule for layout in source.layouts for rule in layout.ignore_columns)]
        for rule in rules:
            assert len(rule.why) > 3, rule
            re.compile(rule.match)


def test_offences_are_found_by_name_code_and_day() -> None:
    day = date(2018, 3, 31)
    assert find_offence(ONS, "Residental burglary5", day) == "residential_burglary"
    assert find_offence(ONS, "THEFT OFFENCES", day) == "theft_offences"
    assert find_offence(HOME_OFFICE, "34A", day) == "offence_34a"
    assert find_offence(HOME_OFFICE, " 34a ", day) == "offence_34a"
    assert find_offence(HOME_OFFICE, "4.10", day) != find_offence(HOME_OFFICE, "4.1", day)
    assert find_offence(ONS, "34A", day) is None
    assert find_offence(HOME_OFFICE, "", day) is None
    assert find_offence(HOME_OFFICE, None, day) is None


def test_no_name_of_a_source_means_two_offences_on_one_day() -> None:
    for source in declared_sources():
        by_key: dict[str, list[tuple[date, date]]] = {}
        for alias in offence_aliases(source):
            for start, end in by_key.get(alias.key, []):
                assert alias.ends_on < start or end < alias.starts_on, alias
            by_key.setdefault(alias.key, []).append((alias.starts_on, alias.ends_on))
