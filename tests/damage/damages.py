"""Makers of damaged copies: each takes a published file and a folder, and writes the damaged file into it.

What a maker writes is the same every time. Figures, names and places are those of the files in
`tests.damage.files`; a maker that finds nothing to damage fails, so that no case passes for want of damage.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from etl.archives import OLE_MAGIC
from etl.spreadsheets import decode
from tests.support import zip_bytes

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

Maker = Callable[[Path, Path], Path]
"""Writes a damaged copy of a published file into a folder; → the copy."""

Rows = list[list[str]]
Change = Callable[[Rows], Rows]
"""Damages the rows of a text table, headers and preamble included."""

Where = Callable[[list[str]], bool]
"""Tells the row that is damaged."""

_SAVED_AT = "2020-01-01T00:00:00Z"
_HEADER_ROW = 5
"""The lower header of the force tables of 2019."""

# --- text tables -----------------------------------------------------------------------------------------


def edit_rows(change: Change, *, encoding: str = "utf-8", delimiter: str = ",", name: str | None = None) -> Maker:
    """A maker that changes the rows of a text table and saves it again with `csv`."""

    def make(published: Path, folder: Path) -> Path:
        rows = list(csv.reader(io.StringIO(decode(published.read_bytes()), newline="")))
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(change([list(row) for row in rows]))
        return _write(folder / (name or published.name), text.getvalue().encode(encoding))

    return make


def edit_bytes(change: Callable[[bytes], bytes], *, suffix: str | None = None, name: str | None = None) -> Maker:
    """A maker that changes the bytes of a file."""

    def make(published: Path, folder: Path) -> Path:
        target = folder / (name or published.name)
        return _write(target.with_suffix(suffix) if suffix else target, change(published.read_bytes()))

    return make


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def keep(rows: Rows) -> Rows:
    """No damage: what comes of saving a table again."""
    return rows


def in_body(header: int, change: Change) -> Change:
    """A change of the rows below the header (0-based)."""
    return lambda rows: [*rows[: header + 1], *change(rows[header + 1 :])]


def move_right(column: int) -> Change:
    """Figures slip one column to the right from a column on; the last ones fall off the table."""
    return lambda rows: [[*row[:column], "", *row[column:-1]] for row in rows]


def move_left(column: int) -> Change:
    """The figures of a column are gone, and the others close up under their headers."""
    return lambda rows: [[*row[:column], *row[column + 1 :], ""] for row in rows]


def move_down(column: int) -> Change:
    """The figures of a column slip down one row."""

    def change(rows: Rows) -> Rows:
        values = [row[column] for row in rows]
        return [_replace(row, column, value) for row, value in zip(rows, [values[-1], *values[:-1]], strict=True)]

    return change


def drop(where: Where, at_most: int | None = None) -> Change:
    """Rows are missing: all of a kind, or the first few."""

    def change(rows: Rows) -> Rows:
        gone = [index for index, row in enumerate(rows) if where(row)][:at_most]
        assert gone, "no row to drop"
        return [row for index, row in enumerate(rows) if index not in set(gone)]

    return change


def swap(column: int, one: Where, other: Where) -> Change:
    """Two figures stand in each other's place."""

    def change(rows: Rows) -> Rows:
        [first], [second] = ([i for i, row in enumerate(rows) if where(row)] for where in (one, other))
        assert rows[first][column] != rows[second][column], "two figures that are the same cannot be swapped"
        rows[first][column], rows[second][column] = rows[second][column], rows[first][column]
        return rows

    return change


def swap_figures(first_column: int, one: Where, other: Where) -> Change:
    """All figures of two rows stand in each other's place."""

    def change(rows: Rows) -> Rows:
        [first], [second] = ([row for row in rows if where(row)] for where in (one, other))
        first[first_column:], second[first_column:] = second[first_column:], first[first_column:]
        return rows

    return change


def swap_texts(column: int, one: str, other: str) -> Change:
    """Two names stand in each other's place throughout."""
    names = {one: other, other: one}

    def change(rows: Rows) -> Rows:
        assert {one, other} <= {row[column] for row in rows}
        return [_replace(row, column, names.get(row[column], row[column])) for row in rows]

    return change


def put(column: int, where: Where, text: str) -> Change:
    """One cell says something else."""

    def change(rows: Rows) -> Rows:
        row = next(row for row in rows if where(row))
        assert row[column] != text
        row[column] = text
        return rows

    return change


def add_one(column: int, where: Where) -> Change:
    """One figure is off by one."""

    def change(rows: Rows) -> Rows:
        row = next(row for row in rows if where(row))
        row[column] = str(int(row[column].replace(",", "")) + 1)
        return rows

    return change


def replace_everywhere(old: str, new: str, rows_from: int = 0, rows_to: int | None = None) -> Change:
    """A text is another, in all cells of some rows."""

    def change(rows: Rows) -> Rows:
        assert any(old in cell for row in rows[rows_from:rows_to] for cell in row), f"{old!r} stands nowhere"
        for row in rows[rows_from:rows_to]:
            row[:] = [cell.replace(old, new) for cell in row]
        return rows

    return change


def fill_blanks(first_column: int, where: Where, text: str) -> Change:
    """Cells of a row that are blank say something."""

    def change(rows: Rows) -> Rows:
        row = next(row for row in rows if where(row))
        assert "" in row[first_column:]
        row[first_column:] = [cell.strip() or text for cell in row[first_column:]]
        return rows

    return change


def halve(rows: Rows) -> Rows:
    """The second half is missing."""
    return rows[: len(rows) // 2]


def double(rows: Rows) -> Rows:
    """All rows come again."""
    return rows + rows


def reverse(rows: Rows) -> Rows:
    """The last row comes first."""
    return rows[::-1]


def reverse_columns(header: int) -> Change:
    """Columns stand in the opposite order, headers and all; the preamble stays."""
    return lambda rows: [*rows[:header], *(row[::-1] for row in rows[header:])]


def add_preamble(rows: Rows) -> Rows:
    """Three more lines stand on top."""
    return [["Crown copyright"], ["This release was corrected on 1 November; see the notes"], [], *rows]


def cut_in_half(content: bytes) -> bytes:
    """The transfer broke off half way."""
    return content[: len(content) // 2]


def cut_last_figure(content: bytes) -> bytes:
    """The transfer broke off within the last figure: half of its digits are there."""
    last = list(re.finditer(rb"[\d,]*\d", content))[-1]
    assert len(last[0]) > 1, "the last figure has one digit"
    return content[: last.start() + len(last[0]) // 2]


def make_nothing(_: bytes) -> bytes:
    """An empty file."""
    return b""


def make_html(_: bytes) -> bytes:
    """A page that a server gives in place of a file."""
    return b"<!DOCTYPE html>\n<html><head><title>Page not found</title></head><body><p>Sorry.</p></body></html>\n"


def _replace(row: list[str], column: int, text: str) -> list[str]:
    return [*row[:column], text, *row[column + 1 :]]


# --- workbooks -------------------------------------------------------------------------------------------


def edit_workbook(change: Callable[[Workbook], None]) -> Maker:
    """A maker that changes a workbook and saves it again with openpyxl."""

    def make(published: Path, folder: Path) -> Path:
        import openpyxl

        workbook = openpyxl.load_workbook(published)
        change(workbook)
        saved = io.BytesIO()
        workbook.save(saved)
        workbook.close()
        return _write(folder / published.name, _without_times(saved))

    return make


def _without_times(saved: io.BytesIO) -> bytes:
    """A workbook that is the same whenever it is saved."""
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    core = members["docProps/core.xml"]
    modified = rb"(<dcterms:modified[^>]*>)[^<]*"
    members["docProps/core.xml"] = re.sub(modified, rb"\g<1>" + _SAVED_AT.encode(), core)
    return zip_bytes(members)


def keep_workbook(_: Workbook) -> None:
    """No damage: what comes of saving a workbook again."""


def save_again(published: Path, folder: Path) -> Path:
    """An undamaged copy, saved by the tool that damages files of its kind."""
    is_workbook = published.suffix == ".xlsx"
    return (edit_workbook(keep_workbook) if is_workbook else edit_rows(keep))(published, folder)


def find_sheet(workbook: Workbook, table: str) -> Worksheet:
    """The sheet of a table: names of sheets end in spaces."""
    return next(sheet for sheet in workbook.worksheets if sheet.title.strip() == f"Table {table}")


def find_row(sheet: Worksheet, code: str) -> int:
    """The row of an area."""
    return next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 1).value == code)


def find_column(sheet: Worksheet, header: str) -> int:
    """The column of an offence, by how its header begins."""
    rows = (_HEADER_ROW, _HEADER_ROW - 1)
    places = ((row, column) for row in rows for column in range(1, sheet.max_column + 1))
    return next(column for row, column in places if str(sheet.cell(row, column).value or "").startswith(header))


def area_rows(sheet: Worksheet) -> list[int]:
    """The rows of areas that have a code."""
    codes = ((row, str(sheet.cell(row, 1).value or "")) for row in range(1, sheet.max_row + 1))
    return [row for row, code in codes if re.match(r"[EWK]\d{8}", code)]


def _unmerge(sheet: Worksheet) -> None:
    """openpyxl moves cells but not what is merged, which would swallow what comes to stand there."""
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))


SheetChange = Callable[["Worksheet"], None]
"""Damages a sheet."""


def change_tables(change: SheetChange, tables: Iterable[str] = ("P1", "P2", "P3")) -> Maker:
    """A maker that changes some sheets of a workbook."""

    def change_all(workbook: Workbook) -> None:
        for table in tables:
            change(find_sheet(workbook, table))

    return edit_workbook(change_all)


def shift_figures(header: str) -> SheetChange:
    """Figures slip one column to the right from an offence on, past the spacers; the last ones fall off."""

    def change(sheet: Worksheet) -> None:
        first = find_column(sheet, header)
        figures = [c for c in range(first, sheet.max_column + 1) if sheet.cell(_HEADER_ROW, c).value]
        for row in area_rows(sheet):
            values = [sheet.cell(row, column).value for column in figures]
            for column, value in zip(figures, [None, *values[:-1]], strict=True):
                sheet.cell(row, column).value = value

    return change


def drop_area(code: str) -> SheetChange:
    """The row of an area is missing."""

    def change(sheet: Worksheet) -> None:
        _unmerge(sheet)
        sheet.delete_rows(find_row(sheet, code))

    return change


def swap_cells(header: str, one: str, other: str) -> SheetChange:
    """One figure of two areas stands in the place of the other's."""

    def change(sheet: Worksheet) -> None:
        column = find_column(sheet, header)
        first, second = (sheet.cell(find_row(sheet, code), column) for code in (one, other))
        assert first.value != second.value
        first.value, second.value = second.value, first.value

    return change


def swap_areas(one: str, other: str) -> SheetChange:
    """All figures of two areas stand in the place of the other's."""

    def change(sheet: Worksheet) -> None:
        first, second = find_row(sheet, one), find_row(sheet, other)
        for column in range(3, sheet.max_column + 1):
            a, b = sheet.cell(first, column), sheet.cell(second, column)
            a.value, b.value = b.value, a.value

    return change


def double_sheet(title: str) -> Callable[[Workbook], None]:
    """Table P1 comes again as a sheet of its own."""

    def change(workbook: Workbook) -> None:
        workbook.copy_worksheet(find_sheet(workbook, "P1")).title = title

    return change


def double_and_change(workbook: Workbook) -> None:
    """Table P1 comes again, in an older state: a figure of Kent and all that it adds up to is two less."""
    copy = workbook.copy_worksheet(find_sheet(workbook, "P1"))
    copy.title = "Table P1   "
    for code in ("K04000001", "E92000001", "E12000008", "E23000032"):
        for header in ("Total recorded crime", "Robbery"):
            copy.cell(find_row(copy, code), find_column(copy, header)).value -= 2


def halve_sheet(sheet: Worksheet) -> None:
    """The second half of the areas is missing."""
    _unmerge(sheet)
    rows = area_rows(sheet)
    middle = rows[len(rows) // 2]
    sheet.delete_rows(middle, rows[-1] + 2 - middle)  # British Transport Police has no code


def add_one_to(header: str, code: str) -> SheetChange:
    """One figure is off by one."""

    def change(sheet: Worksheet) -> None:
        sheet.cell(find_row(sheet, code), find_column(sheet, header)).value += 1

    return change


def put_in(header: str, code: str, text: str) -> SheetChange:
    """One cell says something else; `#REF!` is an error value."""

    def change(sheet: Worksheet) -> None:
        cell = sheet.cell(find_row(sheet, code), find_column(sheet, header))
        cell.value = text
        cell.data_type = "e" if text.startswith("#") else "s"

    return change


def write_as_text(sheet: Worksheet) -> None:
    """Counts are texts with separators, as a tool writes them that takes a workbook for a printout."""
    for row in area_rows(sheet):
        for column in range(3, sheet.max_column + 1):
            cell = sheet.cell(row, column)
            if isinstance(cell.value, int):
                cell.value = f"{cell.value:,}"


def replace_title(old: str, new: str) -> SheetChange:
    """The title says something else."""

    def change(sheet: Worksheet) -> None:
        assert old in sheet["A1"].value
        sheet["A1"].value = sheet["A1"].value.replace(old, new)

    return change


def rename_header(old: str, new: str) -> SheetChange:
    """The header of an offence is another."""

    def change(sheet: Worksheet) -> None:
        sheet.cell(_HEADER_ROW, find_column(sheet, old)).value = new

    return change


def insert_preamble(sheet: Worksheet) -> None:
    """Three more lines stand on top."""
    _unmerge(sheet)
    sheet.insert_rows(1, 3)
    sheet["A1"].value = "Crown copyright"
    sheet["A2"].value = "This release was corrected on 1 November; see the notes"


def merge_headings(sheet: Worksheet) -> None:
    """Everything above and below the figures that can be merged is: title, units, the name of the country."""
    for area in ("A2:AA2", "A3:C3", "A6:B6"):
        sheet.merge_cells(area)


def merge_figures(header: str, one: str) -> SheetChange:
    """A figure is merged with the one below it, which is lost."""

    def change(sheet: Worksheet) -> None:
        row, column = find_row(sheet, one), find_column(sheet, header)
        sheet.merge_cells(start_row=row, end_row=row + 1, start_column=column, end_column=column)

    return change


def write_formulas(sheet: Worksheet) -> None:
    """Totals are formulas that nobody has worked out: openpyxl writes no cached value."""
    total = find_column(sheet, "Total recorded crime")
    for row in area_rows(sheet):
        sheet.cell(row, total).value = f"=E{row}+K{row}+L{row}+M{row}+V{row}+SUM(X{row}:AA{row})"


def write_zero_for_marker(sheet: Worksheet) -> None:
    """What is not shown (`-`) is printed as 0."""
    cells = [c for row in area_rows(sheet) for c in sheet[row][2:] if str(c.value).strip() == "-"]
    assert cells
    for cell in cells:
        cell.value = 0


def make_macro_workbook(published: Path, folder: Path) -> Path:
    """The workbook with a macro in it, as Excel saves it: another content type and a part for Visual Basic."""
    with zipfile.ZipFile(published) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    main = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    macro = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    vba = b"application/vnd.ms-office.vbaProject"
    types, links = "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
    assert main in members[types]
    part = b'<Override PartName="/xl/vbaProject.bin" ContentType="' + vba + b'"/></Types>'
    members[types] = members[types].replace(main, macro).replace(b"</Types>", part)
    link = (
        b'<Relationship Id="rIdVba" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" '
        b'Target="vbaProject.bin"/></Relationships>'
    )
    members[links] = members[links].replace(b"</Relationships>", link)
    members["xl/vbaProject.bin"] = _compound_file({"PROJECT": b"ID={00000000}"})
    return _write((folder / published.name).with_suffix(".xlsm"), zip_bytes(members))


def make_protected_workbook(published: Path, folder: Path) -> Path:
    """A workbook under a password: an OLE file that holds the encrypted workbook and how it was encrypted."""
    package = len(published.read_bytes()).to_bytes(8, "little") + hashlib.shake_256(b"key").digest(8_192)
    streams = {"EncryptedPackage": package, "EncryptionInfo": b"\x04\x00\x04\x00\x40\x00\x00\x00<encryption/>"}
    return _write(folder / published.name, _compound_file(streams))


_SECTOR = 512
_END, _FAT, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_NO_ENTRY = 0xFFFFFFFF


def _compound_file(streams: dict[str, bytes]) -> bytes:
    """A minimal OLE file of up to three streams: header, one allocation sector, one directory sector, streams.

    Every stream is filled up to 4,096 bytes, below which it would belong in the mini stream.
    """
    chains, content, first = [_FAT, _END], b"", {}
    for name, data in streams.items():
        size = max(len(data), 4_096)
        count = -(-size // _SECTOR)
        first[name] = len(chains), size
        chains += [*range(len(chains) + 1, len(chains) + count), _END]
        content += data.ljust(count * _SECTOR, b"\0")
    entries = [_directory_entry("Root Entry", 5, _END, 0, child=1)]
    for number, (name, (start, size)) in enumerate(first.items(), start=1):
        right = number + 1 if number < len(first) else _NO_ENTRY
        entries.append(_directory_entry(name, 2, start, size, right=right))
    directory = b"".join(entries).ljust(_SECTOR, b"\0")
    table = struct.pack("<128I", *chains, *[_FREE] * (128 - len(chains)))
    head = OLE_MAGIC + b"\0" * 16 + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<9I", 0, 1, 1, 0, 4_096, _END, 0, _END, 0)
    return head + struct.pack("<109I", 0, *[_FREE] * 108) + table + directory + content


def _directory_entry(
    name: str, kind: int, start: int, size: int, child: int = _NO_ENTRY, right: int = _NO_ENTRY
) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack("<H2B3I", len(text), kind, 1, _NO_ENTRY, right, child)
    return head + b"\0" * 36 + struct.pack("<IQ", start, size)
