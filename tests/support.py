"""Small published-looking files, made by hand, and short ways to land and read them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from etl.landing import Record, land
from etl.reading import KeptOut, TidyFile, read_landed

Cell = str | int | float | bool | date | datetime | None
Rows = Sequence[Sequence[Cell]]

# --- files ---------------------------------------------------------------------------------------------


def write_csv(
    path: Path,
    rows: Rows,
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    end: str = "\n",
    quote_all: bool = False,
) -> Path:
    """A text table; cells that need it are quoted, or all of them."""
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def write_xlsx(path: Path, sheets: Mapping[str, Rows], *, merged: Iterable[str] = ()) -> Path:
    """A workbook in which text cells stay text; `merged` are ranges of the first sheet."""
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for r, row in enumerate(rows, start=1):
            for c, value in enumerate(row, start=1):
                if value is not None:
                    cell = sheet.cell(r, c)
                    cell.value = value
                    if isinstance(value, str):
                        cell.data_type = "e" if value.startswith("#") else "s"
    for area in merged:
        workbook.worksheets[0].merge_cells(area)
    workbook.save(path)
    return path


def write_ods(path: Path, sheets: Mapping[str, Rows]) -> Path:
    """An OpenDocument spreadsheet; a line break is a paragraph of its own, as LibreOffice writes it."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    def make_cell(value: Cell) -> Any:
        if value is None:
            return TableCell()
        if isinstance(value, bool):
            return TableCell(valuetype="boolean", booleanvalue=str(value).lower())
        if isinstance(value, int | float):
            cell = TableCell(valuetype="float", value=repr(value))
            cell.addElement(P(text="as displayed"))  # the display text is not the value
            return cell
        if isinstance(value, date):
            return TableCell(valuetype="date", datevalue=value.strftime("%Y-%m-%d"))
        cell = TableCell(valuetype="string")
        for line in value.split("\n"):
            cell.addElement(P(text=line))
        return cell

    document = OpenDocumentSpreadsheet()
    for name, rows in sheets.items():
        table = Table(name=name)
        for row in rows:
            line = TableRow()
            for value in row or [None]:
                line.addElement(make_cell(value))
            table.addElement(line)
        document.spreadsheet.addElement(table)
    document.save(str(path))
    return path


def write_xls(path: Path, sheets: Mapping[str, Rows]) -> Path:
    """An old Excel workbook."""
    import xlwt

    days = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    workbook = xlwt.Workbook()
    for name, rows in sheets.items():
        sheet = workbook.add_sheet(name)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write(r, c, value, days)
                elif value is not None:
                    sheet.write(r, c, value)
    workbook.save(str(path))
    return path


def write_zip(path: Path, members: Mapping[str, bytes], *, stored: bool = False) -> Path:
    """An archive of members by name, in the order given."""
    path.write_bytes(zip_bytes(members, stored=stored))
    return path


def zip_bytes(members: Mapping[str, bytes], *, stored: bool = False) -> bytes:
    """An archive as bytes, the same bytes every time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, member)
    return content.getvalue()


def mark_modelled(path: Path) -> Path:
    """A copy of an xlsx workbook beside it that says in its properties that it is a modelled sample."""
    import openpyxl

    from etl.archives import MODELLED_MARK

    workbook = openpyxl.load_workbook(path)
    workbook.properties.title = MODELLED_MARK
    marked = path.with_name(f"modelled-{path.name}")
    workbook.save(marked)
    return marked


# --- published tables ----------------------------------------------------------------------------------

ROLLING_YEAR_HEADER = [
    "12 months ending",
    "PFA",
    "Region",
    "Offence",
    "Rolling year total number of offences",
]


def rolling_years(*rows: Sequence[Cell]) -> list[list[Cell]]:
    """The ONS rolling-year file with these rows; one robbery row when none is given."""
    body = [list(row) for row in rows] or [["31/03/2018", "Kent", "South East", "Robbery", "1,204"]]
    return [list(ROLLING_YEAR_HEADER), *body]


FORCE_HEADER = [
    "Financial Year",
    "Financial Quarter",
    "Force Name",
    "Offence Description",
    "Offence Group",
    "Offence Subgroup",
    "Offence Code",
    "Number of Offences",
]


def force_row(
    count: Cell,
    *,
    year: Cell = "2017/18",
    quarter: Cell = "1",
    force: Cell = "West Midlands",
    code: Cell = "34A",
) -> list[Cell]:
    """A row of Home Office open data by force (34A is robbery of business property)."""
    return [year, quarter, force, "Robbery of business property", "Robbery", "Robbery", code, count]


CSP_HEADER = [
    "Financial Year",
    "Financial Quarter",
    "Police Force",
    "CSP Name",
    "ONS Code",
    "Offence Description",
    "Offence Group",
    "Offence Subgroup",
    "Offence Code",
    "Offence Count",
]


def csp_row(
    count: Cell,
    *,
    year: Cell = "2020/21",
    quarter: Cell = "1",
    force: Cell = "West Midlands",
    csp: Cell = "Birmingham",
    ons_code: Cell = "E22000335",
) -> list[Cell]:
    """A row of Home Office open data by Community Safety Partnership."""
    offence = ["Robbery of business property", "Robbery", "Robbery", "34A"]
    return [year, quarter, force, csp, ons_code, *offence, count]


P1_HEADERS = [
    "Violence against the person",
    "Homicide",
    "Violence with injury",
    "Violence without injury",
    "Stalking and harassment5",
    "Death or serious injury - unlawful driving5",
    "Sexual offences",
    "Robbery",
    "Theft offences",
    "Burglary",
    "Residential burglary6,7",
    "Non-residential  burglary6,7",
    "Vehicle offences",
    "Theft from the person",
    "Bicycle theft",
    "Shoplifting",
    "Other theft offences",
    "Criminal damage and arson",
    "",
    "Drug offences",
    "Possession of weapons offences",
    "Public order offences",
    "Miscellaneous crimes",
]
"""The lower header of P1 in the 2018–2019 layout, from its fifth column on; one column is a spacer."""


def p1_sheet(*areas: Sequence[Cell], headers: Sequence[str] = P1_HEADERS) -> list[list[Cell]]:
    """Table P1 of March 2018: each area is (code, name, total); every other count is 7."""
    upper: list[Cell] = [None, None, "Total recorded crime (excluding fraud4)", None, "Victim-based crime"]
    lower: list[Cell] = ["Area Code", "Area Name", "", "", *headers]
    body: list[list[Cell]] = []
    for code, name, total in areas:
        body.append([code, name, total, None, *(7 if header else None for header in headers)])
    return [
        ["Table P1: Police recorded crime by police force area, number of offences, year ending March 181,2,3"],
        [],
        [],
        upper,
        lower,
        [None, None, "Numbers"],
        *body,
        ["Source: Police recorded crime, Home Office"],
        ["1. Police recorded crime data are not designated as National Statistics."],
    ]


# --- landing and reading -------------------------------------------------------------------------------


def land_one(
    home: Path,
    path: Path,
    *,
    source: str = "recorded_crime_ons",
    title: str = "Year ending March 2018",
    published: str = "2018-07-19",
) -> Record:
    """Land one file; its record."""
    return land(home, source=source, title=title, published=published, files=[path])[0].record


def read_file(
    home: Path, path: Path, source: str = "recorded_crime_ons", title: str = "Year ending March 2018"
) -> TidyFile | KeptOut:
    """Land one file and read it."""
    return read_landed(home, land_one(home, path, source=source, title=title))


def read_lines(
    home: Path, path: Path, source: str = "recorded_crime_ons", title: str = "Year ending March 2018"
) -> list[dict[str, Any]]:
    """Land and read one file that must be readable; its tidy lines."""
    result = read_file(home, path, source, title)
    assert isinstance(result, TidyFile), result
    lines: list[dict[str, Any]] = pq.read_table(result.path).to_pylist()
    return lines


def list_files(folder: Path) -> set[str]:
    """Every file below a folder, by its path in it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# --- builds ----------------------------------------------------------------------------------------------


@contextmanager
def warehouse_alone() -> Iterator[None]:
    """Builds make no feeds and no pages: for tests that ask the tables of a large home, and nothing else of it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("write_feeds", "write_site"):
            patch.setattr(f"etl.build.{name}", lambda *_: None)
        yield
