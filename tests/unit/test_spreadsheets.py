"""Every kind of file gives the same published texts at the same addresses."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import fastexcel
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import spreadsheets
from etl.archives import CSV, JSON, ODS, XLS, XLSM, XLSX, ZIP
from etl.cells import parse_day, parse_number
from etl.errors import LayoutError, RefusedFileError
from etl.spreadsheets import CSV_SHEET, Sheet, column_letters, decode, detect_delimiter, open_workbook, supports
from tests.support import Rows, write_csv, write_ods, write_xls, write_xlsx, write_zip, zip_bytes

Writer = Callable[[Path, dict[str, Rows]], Path]

WORKBOOKS = pytest.mark.parametrize("write", [write_xlsx, write_ods, write_xls])


def _sheet(path: Path, name: str | None = None) -> Sheet:
    with open_workbook(path) as workbook:
        return workbook.sheet(name or workbook.sheet_names[0])


def _texts(sheet: Sheet) -> dict[str, str]:
    """Every cell that holds something, by address."""
    return {
        f"{letter}{row}": text
        for letter in sheet.cells.column_names
        for row in range(1, sheet.cells.num_rows + 1)
        if (text := sheet.text(letter, row)) is not None
    }


# --- workbooks -----------------------------------------------------------------------------------------


@WORKBOOKS
def test_every_kind_of_cell_gives_one_text(tmp_path: Path, write: Writer) -> None:
    row = ["text", "0012", 12, -5, 1_234_567_890_123, 0.1, 1 / 3, True, False, "170,002 ", "a\nb", "..", 4_881_043.0]
    assert _texts(_sheet(write(tmp_path / "a.ods", {"Data": [row]}))) == {
        "A1": "text",
        "B1": "0012",  # a number kept as text keeps its zeros
        "C1": "12",
        "D1": "-5",
        "E1": "1234567890123",
        "F1": "0.1",
        "G1": "0.333333333",
        "H1": "true",
        "I1": "false",
        "J1": "170,002 ",
        "K1": "a\nb",
        "L1": "..",
        "M1": "4881043",
    }


@WORKBOOKS
def test_a_day_reads_as_that_day(tmp_path: Path, write: Writer) -> None:
    text = _sheet(write(tmp_path / "a.ods", {"Data": [["12 months ending"], [date(2018, 3, 31)]]})).text("A", 2)
    assert parse_day(text) == date(2018, 3, 31)


@WORKBOOKS
def test_leading_empty_rows_and_columns_keep_addresses(tmp_path: Path, write: Writer) -> None:
    rows: Rows = [[], [], [None, "at B3", None, "at D3"], [], [None, None, None, None, "at E5"]]
    sheet = _sheet(write(tmp_path / "a.ods", {"Data": rows}))
    assert _texts(sheet) == {"B3": "at B3", "D3": "at D3", "E5": "at E5"}
    assert sheet.cells.column_names == ["A", "B", "C", "D", "E"]
    assert sheet.row(2) == ["", "at B3", "", "at D3", ""]
    assert sheet.cells.num_rows == 5


@WORKBOOKS
def test_sheets_keep_their_names_and_order(tmp_path: Path, write: Writer) -> None:
    names = ["Cover sheet", "Table P4  ", "2017-18", "Ynys Môn", "A"]
    path = write(tmp_path / "a.ods", {name: [[f"in {name}"]] for name in names})
    with open_workbook(path) as workbook:
        assert workbook.sheet_names == names
        assert all(workbook.is_named(name) for name in names)
        for name in reversed(names):
            assert workbook.sheet(name).row(0) == [f"in {name}"]


@WORKBOOKS
def test_an_empty_sheet_has_no_cells(tmp_path: Path, write: Writer) -> None:
    path = write(tmp_path / "a.ods", {"Data": [["a"]], "Empty": []})
    sheet = _sheet(path, "Empty")
    assert _texts(sheet) == {}
    assert sheet.text("A", 1) is None


@WORKBOOKS
def test_columns_beyond_z(tmp_path: Path, write: Writer) -> None:
    row = [None] * 26 + ["at AA1"] + [None] * 25 + ["at BA1"]
    assert _texts(_sheet(write(tmp_path / "a.ods", {"Data": [row]}))) == {"AA1": "at AA1", "BA1": "at BA1"}


@pytest.fixture
def no_fastexcel(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: object) -> None:
        raise fastexcel.FastExcelError("cannot load this one")

    monkeypatch.setattr(fastexcel, "read_excel", fail)


@WORKBOOKS
def test_what_fastexcel_cannot_load_calamine_reads_alike(
    tmp_path: Path, write: Writer, request: pytest.FixtureRequest
) -> None:
    rows: Rows = [[], [None, "text", "0012", 12, -5, 0.1, 1 / 3, True, "a\nb"], [None, None, 1_234_567_890_123]]
    path = write(tmp_path / "a", {"Data": rows, "Other": [["a"]]})
    with open_workbook(path) as workbook:
        names, texts = workbook.sheet_names, _texts(workbook.sheet("Data"))
    request.getfixturevalue("no_fastexcel")
    with open_workbook(path) as workbook:
        assert (workbook.sheet_names, _texts(workbook.sheet("Data"))) == (names, texts)


@WORKBOOKS
@pytest.mark.usefixtures("no_fastexcel")
def test_a_day_reads_as_that_day_from_calamine(tmp_path: Path, write: Writer) -> None:
    sheet = _sheet(write(tmp_path / "a", {"Data": [["a"], [date(2018, 3, 31)]]}))
    assert sheet.text("A", 2) == "2018-03-31 00:00:00"


def test_only_the_first_cell_of_merged_ones_holds_the_text(tmp_path: Path) -> None:
    rows: Rows = [["band", None, None], ["a", "b", "c"]]
    path = write_xlsx(tmp_path / "a.xlsx", {"Data": rows}, merged=["A1:C1"])
    assert _texts(_sheet(path)) == {"A1": "band", "A2": "a", "B2": "b", "C2": "c"}


def test_spans_and_repeats_of_an_ods_keep_addresses(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "a.ods", {"Data": [["x"]]})
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = members["content.xml"]
    start, end = content.index(b"<table:table-row"), content.index(b"</table:table>")
    text = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'
    padding = '<table:table-cell table:number-columns-repeated="16300"/>'
    rows = [
        '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>',
        "<table:table-row>",
        '<table:table-cell table:number-columns-repeated="2"/>',
        text.format(' table:number-columns-spanned="2"', "at C4"),
        "<table:covered-table-cell/>",
        text.format(' table:number-columns-repeated="2"', "at E4 and F4"),
        padding,
        "</table:table-row>",
        '<table:table-row table:number-rows-repeated="2">',
        text.format("", "at A5 and A6"),
        "</table:table-row>",
        f'<table:table-row table:number-rows-repeated="1048000">{padding}</table:table-row>',
    ]
    members["content.xml"] = content[:start] + "".join(rows).encode() + content[end:]
    assert _texts(_sheet(write_zip(tmp_path / "b.ods", members))) == {
        "C4": "at C4",
        "E4": "at E4 and F4",
        "F4": "at E4 and F4",
        "A5": "at A5 and A6",
        "A6": "at A5 and A6",
    }


def test_an_error_of_a_formula_is_not_an_empty_cell(tmp_path: Path) -> None:
    rows: Rows = [[], [None, "a", "#DIV/0!", 1], [None, "#N/A", "b", None], [None, "#REF!", "#VALUE!", "#NAME?"]]
    texts = _texts(_sheet(write_xlsx(tmp_path / "a.xlsx", {"Data": rows})))
    assert texts == {
        "B2": "a",
        "C2": "#DIV/0!",
        "D2": "1",
        "B3": "#N/A",
        "C3": "b",
        "B4": "#REF!",
        "C4": "#VALUE!",
        "D4": "#NAME?",
    }
    assert parse_number(texts["B3"]) == (None, "[unreadable]")


def test_an_error_in_an_old_workbook_is_not_an_empty_cell(tmp_path: Path) -> None:
    import xlwt

    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Data")
    sheet.write(0, 1, "a")
    sheet.row(1).set_cell_error(1, 0x2A)
    workbook.save(str(tmp_path / "a.xls"))
    assert _texts(_sheet(tmp_path / "a.xls")) == {"B1": "a", "B2": "#N/A"}


@WORKBOOKS
@pytest.mark.parametrize("height", [1, 2_000])
def test_no_row_is_lost_in_a_tall_sheet(tmp_path: Path, write: Writer, height: int) -> None:
    rows = [[f"row {number}", number] for number in range(1, height + 1)]
    sheet = _sheet(write(tmp_path / "a.ods", {"Data": rows}))
    assert sheet.cells["A"].to_pylist() == [f"row {number}" for number in range(1, height + 1)]
    assert sheet.cells["B"].to_pylist() == [str(number) for number in range(1, height + 1)]


def test_a_workbook_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.xlsx", [["a"]])
    with open_workbook(path, XLSX) as workbook, pytest.raises(LayoutError) as caught:
        assert workbook.sheet_names
    assert caught.value.rule == "unreadable"


def test_a_reader_that_panics_keeps_out_one_file(tmp_path: Path) -> None:
    """calamine panics on a directory sector that is cut short."""
    content = write_xls(tmp_path / "a.xls", {"Data": [["a"]]}).read_bytes()
    path = tmp_path / "b.xls"
    path.write_bytes(content[: int(len(content) - 20)])
    with pytest.raises(LayoutError) as caught, open_workbook(path, XLS) as workbook:
        assert workbook.sheet_names
    assert caught.value.rule == "unreadable"


def test_opening_sniffs_what_was_not_sniffed(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"<html>")
    with pytest.raises(RefusedFileError, match="HTML"), open_workbook(path):
        pass


@pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ")])
def test_column_letters(index: int, letters: str) -> None:
    assert column_letters(index) == letters


@given(st.integers(0, 20_000))
def test_letters_count_in_base_26_without_zero(index: int) -> None:
    number = 0
    for letter in column_letters(index):
        number = number * 26 + ord(letter) - ord("A") + 1
    assert number == index + 1


# --- text ----------------------------------------------------------------------------------------------

TABLE: list[list[str | None]] = [
    ["Area code", "Area name", "Offences"],
    ["E23000014", "West Midlands", "170,002 "],
    ["W06000001", "Ynys Môn", "-00 "],
]
TABLE_TEXTS = {
    "A1": "Area code",
    "B1": "Area name",
    "C1": "Offences",
    "A2": "E23000014",
    "B2": "West Midlands",
    "C2": "170,002 ",
    "A3": "W06000001",
    "B3": "Ynys Môn",
    "C3": "-00 ",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_in_every_published_form(tmp_path: Path, encoding: str, end: str, delimiter: str) -> None:
    path = write_csv(tmp_path / "a.csv", TABLE, encoding=encoding, end=end, delimiter=delimiter)
    with open_workbook(path) as workbook:
        assert workbook.media_type == CSV
        assert workbook.sheet_names == [CSV_SHEET]
        assert not workbook.is_named(CSV_SHEET)
        assert _texts(workbook.sheet(CSV_SHEET)) == TABLE_TEXTS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_blank_lines_keep_row_numbers(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(["", "", "a,b", "", "c,d", ""]).encode())
    assert _texts(_sheet(path)) == {"A3": "a", "B3": "b", "A5": "c", "B5": "d"}


def test_a_quoted_line_break_stays_in_its_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'"Police Force\nArea code","Police Force\r\nArea name",Total\n"E23000036","a ""b""",1\n')
    assert _texts(_sheet(path)) == {
        "A1": "Police Force\nArea code",
        "B1": "Police Force\r\nArea name",
        "C1": "Total",
        "A2": "E23000036",
        "B2": 'a "b"',
        "C2": "1",
    }


def test_ragged_rows_are_filled_up(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a preamble\na,b,c\nd\ne,,f,g\n")
    sheet = _sheet(path)
    assert sheet.cells.column_names == ["A", "B", "C", "D"]
    assert sheet.row(2) == ["d", "", "", ""]
    assert sheet.row(3) == ["e", "", "f", "g"]
    assert sheet.text("B", 4) is None


def test_a_file_longer_than_a_block_is_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "_CSV_ROWS_AT_ONCE", 2)
    path = tmp_path / "a.csv"
    path.write_bytes(b"\n\n\n\na,b\nc\n\nd,e,f\ng\n")  # two blocks of nothing, then wider and wider rows
    assert _texts(_sheet(path)) == {"A5": "a", "B5": "b", "A6": "c", "A8": "d", "B8": "e", "C8": "f", "A9": "g"}


def test_text_in_no_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,\x81\x8d\n")
    with pytest.raises(LayoutError, match="no known encoding") as caught:
        _sheet(path)
    assert caught.value.rule == "unreadable"


def test_a_quote_that_is_never_closed_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,"b\n' + b"x,y\n" * 50_000)
    with pytest.raises(LayoutError, match="damaged"):
        _sheet(path)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1;2\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a;b;c\n1,5;2,5;3,5\n1,0;2,0;3,0\n", ";"),  # decimal commas
        ('"a, b";c\n"d, e";f\n', ";"),
        ("A title, with a comma\nA note\n\na;b;c\n1;2;3\n", ";"),
        ("only\none\ncolumn\n", ","),
        ("", ","),
    ],
)
def test_delimiters(text: str, delimiter: str) -> None:
    assert detect_delimiter(text) == delimiter


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_text_decodes_as_it_was_encoded(text: str, encoding: str) -> None:
    text = text.lstrip("\ufeff")
    assert decode(text.encode(encoding)) == text


@given(
    st.lists(
        st.lists(st.text("ab1 ,;\"'\n\r\té£.", max_size=5), min_size=2, max_size=4),
        min_size=1,
        max_size=6,
    )
)
def test_any_table_of_text_reads_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    """A header of plain words leaves no doubt about the delimiter."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    header = [["code", "name", "group", "offences"]] * 40
    write_csv(path, [*header, *rows], quote_all=True)
    sheet = _sheet(path)
    for number, row in enumerate(rows, start=40):
        assert sheet.row(number) == [*row, "", "", ""][:4]


# --- archives ------------------------------------------------------------------------------------------


def test_members_of_a_zip_are_sheets(tmp_path: Path) -> None:
    workbook = write_xlsx(tmp_path / "a.xlsx", {"Data": [["in Data"]], "Notes": [["in Notes"]]}).read_bytes()
    path = write_zip(
        tmp_path / "a.zip",
        {
            "PRSQ_Geographic_data_April 2011 to March 2022.csv": b"cohort,offenders\n",
            "folder/tables 2022.xlsx": workbook,
            "folder/": b"",
        },
    )
    with open_workbook(path) as opened:
        assert opened.media_type == ZIP
        assert opened.sheet_names == [
            "PRSQ_Geographic_data_April 2011 to March 2022.csv",
            "folder/tables 2022.xlsx/Data",
            "folder/tables 2022.xlsx/Notes",
        ]
        assert opened.sheet(opened.sheet_names[0]).row(0) == ["cohort", "offenders"]
        assert opened.sheet(opened.sheet_names[2]).row(0) == ["in Notes"]
        assert [opened.is_named(name) for name in opened.sheet_names] == [False, True, True]
        assert opened.skipped == {}


def test_members_that_are_no_tables_are_named(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "a.zip",
        {
            "a.csv": b"a,b\n",
            "guide.pdf": b"%PDF-1.7\n",
            "page.xlsx": b"<html>",
            "data.json": b"{}",
            "more.zip": zip_bytes({"b.csv": b"a,b\n"}),
        },
    )
    with open_workbook(path) as opened:
        assert opened.sheet_names == ["a.csv"]
        assert set(opened.skipped) == {"guide.pdf", "page.xlsx", "data.json", "more.zip"}
        assert "HTML" in opened.skipped["page.xlsx"]


def test_unpacked_members_are_gone_with_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(spreadsheets.tempfile, "tempdir", str(scratch))
    path = write_zip(tmp_path / "a.zip", {"a.csv": b"a,b\n"})
    with open_workbook(path) as opened:
        assert opened.sheet_names
        assert list(scratch.iterdir())
    assert list(scratch.iterdir()) == []


def test_a_json_file_holds_no_sheets(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a": 1}')
    with open_workbook(path) as workbook:
        assert workbook.sheet_names == []


def test_which_types_hold_sheets() -> None:
    assert [supports(media_type) for media_type in (XLSX, XLSM, ODS, XLS, CSV, ZIP)] == [True] * 6
    assert not supports(JSON)
    assert not supports("application/pdf")


def test_a_sheet_answers_for_cells_it_has_not() -> None:
    sheet = Sheet("Data", pa.table({"A": ["a", None]}))
    assert [sheet.text("A", row) for row in (0, 1, 2, 3, -1)] == [None, "a", None, None, None]
    assert sheet.text("B", 1) is None


# --- real workbooks ------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("moj-costs-of-reoffending/costs-of-reoffending-by-type-of-reoffence.xlsx", XLSX),
        ("moj-costs-of-reoffending/costs-of-reoffending-supplementary-tables.ods", ODS),
        ("ons-population/ukpopestimatesmid2020on2021geography.xls", XLS),
    ],
)
def test_real_workbooks_open(publications: Path, name: str, media_type: str) -> None:
    with open_workbook(publications / name) as workbook:
        assert workbook.media_type == media_type
        assert workbook.sheet_names
        for sheet in map(workbook.sheet, workbook.sheet_names):
            assert any(column.null_count < len(column) for column in sheet.cells.columns), sheet.name


@pytest.mark.real
def test_a_real_cell_stands_where_it_is_published(publications: Path) -> None:
    folder = publications / "ons-police-force-area-tables"
    with open_workbook(folder / "policeforceareatablesyeendingmarch2019.xlsx") as workbook:
        [p1, *_] = [name for name in workbook.sheet_names if name.strip() == "Table P1"]
        sheet = workbook.sheet(p1)
    row = next(row for row in range(1, 80) if sheet.text("A", row) == "E23000014")
    assert (sheet.text("A", 5), sheet.text("B", 5)) == ("Area Code", "Area Name")
    assert sheet.text("C", row) == "259661"
