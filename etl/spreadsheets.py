"""Spreadsheets and text tables as sheets of published text: xlsx, ods, xls, csv, and zip archives of these.

A sheet is an Arrow table of text. Its columns carry spreadsheet letters and its first row is the published
row 1, so that every figure can be given its cell. Nothing is interpreted here (see `etl.cells`). Numbers in
xlsx, ods and xls come as fastexcel writes them: without trailing zeros, to nine decimal places at the most.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from etl.archives import CSV, JSON, ODS, XLS, XLSM, XLSX, ZIP, sniff
from etl.errors import LayoutError, RefusedFileError

if TYPE_CHECKING:
    from fastexcel import CellError, ExcelReader
    from python_calamine import CalamineWorkbook

CSV_SHEET = "csv"
"""What the only sheet of a text file is called: a landed file has no name of its own."""

_SPREADSHEETS = (XLSX, XLSM, ODS, XLS)
_DELIMITERS = ",;\t|"
_CSV_ROWS_AT_ONCE = 100_000
_ERROR_KIND = re.compile(r"Error\((\w+)\)")
_ERROR_TEXTS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
}


@dataclass(frozen=True)
class Sheet:
    """One sheet as published text.

    `cells` has one nullable string column a spreadsheet column, named `A`, `B`, …; row 0 is published row 1.
    """

    name: str
    cells: pa.Table

    def row(self, index: int) -> list[str]:
        """The texts of one row (0-based), empty cells as empty text."""
        return [column[index].as_py() or "" for column in self.cells.itercolumns()]

    def text(self, column: str, row: int) -> str | None:
        """The published text of a cell by letters and 1-based row; None where the cell is empty or absent."""
        if column not in self.cells.column_names or not 1 <= row <= self.cells.num_rows:
            return None
        text: str | None = self.cells[column][row - 1].as_py()
        return text


@dataclass(frozen=True)
class _Part:
    """One readable file: the workbook itself, or a member of a zip archive."""

    path: Path
    media_type: str
    prefix: str


class Workbook:
    """An opened file: its sheets by name, read when asked for."""

    def __init__(self, path: Path, media_type: str, parts: list[_Part], skipped: dict[str, str]) -> None:
        self.path = path
        self.media_type = media_type
        self.skipped = skipped
        self._parts = parts
        self._opened: tuple[_Part, ExcelReader] | None = None

    @cached_property
    def _places(self) -> dict[str, tuple[_Part, str]]:
        places: dict[str, tuple[_Part, str]] = {}
        for part in self._parts:
            for name in self._list_sheets(part):
                places[_join(part.prefix, name)] = (part, name)
        return places

    def _open(self, part: _Part) -> ExcelReader:
        """A part opened by fastexcel, kept until another is asked for: to open an ods is to read all of it."""
        import fastexcel

        if self._opened is None or self._opened[0] != part:
            self._opened = None  # first let go of the other: a million rows take 0.7 GB
            self._opened = part, fastexcel.read_excel(_nameless(part.path))
        return self._opened[1]

    def _list_sheets(self, part: _Part) -> list[str]:
        if part.media_type == CSV:
            return [CSV_SHEET]
        if part.media_type not in _SPREADSHEETS:
            return []
        import fastexcel
        import python_calamine

        try:
            with _stop_panics("the workbook"):
                return list(self._open(part).sheet_names)
        except fastexcel.FastExcelError as first:
            try:
                with _stop_panics("the workbook"):
                    return list(_open_with_calamine(part.path).sheet_names)
            except python_calamine.CalamineError:
                raise LayoutError(
                    f"the workbook cannot be opened: {first}", "open it by hand", rule="unreadable"
                ) from first

    @property
    def sheet_names(self) -> list[str]:
        """The sheets in published order; those of a zip member are called `<member>` or `<member>/<sheet>`."""
        return list(self._places)

    def is_named(self, name: str) -> bool:
        """Whether a sheet has a name of its own; that of a text file has none."""
        return self._places[name][0].media_type != CSV

    def sheet(self, name: str) -> Sheet:
        """One sheet, read now.

        Raises:
            LayoutError: the sheet cannot be read.
        """
        part, inner = self._places[name]
        if part.media_type == CSV:
            return Sheet(name, _read_csv(part.path, name))
        import fastexcel

        try:
            with _stop_panics(f"sheet {inner!r}"):
                cells = _read_sheet(self._open(part), inner)
        except fastexcel.FastExcelError:
            cells = _read_with_calamine(part.path, inner)
        return Sheet(name, cells)


def _join(prefix: str, name: str) -> str:
    if not prefix:
        return name
    return prefix if name == CSV_SHEET else f"{prefix}/{name}"


@contextmanager
def open_workbook(path: Path, media_type: str | None = None) -> Iterator[Workbook]:
    """Open a file of any supported type; zip members are unpacked for as long as the block lasts.

    Args:
        path: the file.
        media_type: as `etl.archives.sniff` said when it was landed; sniffed again when None.

    Raises:
        RefusedFileError: sniffing refused it.
        LayoutError: it cannot be opened as what it is.
    """
    media_type = media_type or sniff(path)
    if media_type != ZIP:
        yield Workbook(path, media_type, [_Part(path, media_type, "")], {})
        return
    with tempfile.TemporaryDirectory(prefix="justice-etl-") as folder:
        parts, skipped = _unpack(path, Path(folder))
        yield Workbook(path, media_type, parts, skipped)


def _unpack(path: Path, folder: Path) -> tuple[list[_Part], dict[str, str]]:
    parts, skipped = [], {}
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for number, member in enumerate(sorted(members, key=lambda m: m.filename)):
            target = folder / str(number)
            with archive.open(member) as source, target.open("wb") as copy:
                while chunk := source.read(1 << 20):
                    copy.write(chunk)
            try:
                media_type = sniff(target, member.filename)
            except RefusedFileError as refusal:
                skipped[member.filename] = refusal.what
                continue
            if media_type in (*_SPREADSHEETS, CSV):
                parts.append(_Part(target, media_type, member.filename))
            else:
                skipped[member.filename] = f"{member.filename} holds no sheets ({media_type})"
    return parts, skipped


def _nameless(path: Path) -> Path | bytes:
    """What the Rust readers open by content: they believe the ending of a name, which proves nothing."""
    return path.read_bytes() if path.suffix else path


def _open_with_calamine(path: Path) -> CalamineWorkbook:
    import python_calamine

    source = _nameless(path)
    return python_calamine.load_workbook(io.BytesIO(source) if isinstance(source, bytes) else source)


@contextmanager
def _stop_panics(what: str) -> Iterator[None]:
    """Turn a panic of the Rust readers, which is no Exception, into an error that keeps out one file."""
    try:
        yield
    except BaseException as panic:
        if type(panic).__name__ != "PanicException":
            raise
        raise LayoutError(f"{what} is damaged: {panic}", "open it by hand", rule="unreadable") from None


def column_letters(index: int) -> str:
    """The spreadsheet letters of a 0-based column: 0 → `A`, 26 → `AA`."""
    letters = ""
    index += 1
    while index:
        index, remainder = divmod(index - 1, 26)
        letters = chr(ord("A") + remainder) + letters
    return letters


def _read_sheet(reader: ExcelReader, name: str) -> pa.Table:
    sheet = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    if sheet.width == 0:
        return pa.table({})
    # Leading empty columns are left out by fastexcel, so letters come from where a column really is.
    present = {c.absolute_index: c.index for c in sheet.available_columns()}
    batch, errors = sheet.to_arrow_with_errors()
    height = batch.num_rows
    published = _restore_errors(batch, errors.errors if errors else [])
    columns = {
        column_letters(index): published[present[index]] if index in present else pa.nulls(height, pa.string())
        for index in range(max(present) + 1)
    }
    return pa.table(columns)


def _restore_errors(batch: pa.RecordBatch, errors: Iterable[CellError]) -> list[pa.Array]:
    """The columns with the error values of formulas, which fastexcel leaves out: `#N/A` is not an empty cell."""
    columns: list[pa.Array] = batch.columns
    texts: dict[int, dict[int, str]] = {}
    for error in errors:
        row, column = error.position
        kind = _ERROR_KIND.search(error.detail)
        texts.setdefault(column, {})[row] = _ERROR_TEXTS.get(kind[1] if kind else "", "#ERROR!")
    for column, rows in texts.items():
        values = columns[column].to_pylist()
        for row, text in rows.items():
            values[row] = text
        columns[column] = pa.array(values, pa.string())
    return columns


def _read_with_calamine(path: Path, name: str) -> pa.Table:
    """What fastexcel cannot load, cell by cell."""
    import python_calamine

    try:
        with _stop_panics(f"sheet {name!r}"):
            sheet = _open_with_calamine(path).get_sheet_by_name(name)
            rows = sheet.to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise LayoutError(f"sheet {name!r} cannot be read: {error}", "open it by hand", rule="unreadable") from error
    return _to_table([[_as_text(value) for value in row] for row in rows])


def _as_text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    return str(value)


def decode(content: bytes) -> str:
    """Text from bytes: by byte-order mark, else UTF-8, else Windows-1252 (what Excel writes).

    Raises:
        UnicodeDecodeError: the bytes are text in none of these.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def detect_delimiter(text: str) -> str:
    """The delimiter that cuts the lines of a text into the most, and most evenly many, fields."""
    lines = [line for line in re.split(r"\r\n|\r|\n", text[:65_536])[:200] if line]

    def score(delimiter: str) -> tuple[int, int]:
        counts = [len(row) - 1 for row in csv.reader(lines, delimiter=delimiter)]
        commonest = max(set(counts), key=lambda n: (counts.count(n) if n else 0, n), default=0)
        return (counts.count(commonest) if commonest else 0), commonest

    return max(_DELIMITERS, key=lambda delimiter: (score(delimiter), -_DELIMITERS.index(delimiter)))


def _read_csv(path: Path, name: str) -> pa.Table:
    try:
        text = decode(path.read_bytes())
    except UnicodeDecodeError as error:
        raise LayoutError(
            f"{name} is text in no known encoding: {error}",
            "expected UTF-8, UTF-16 or Windows-1252",
            rule="unreadable",
        ) from error
    tables, rows = [], []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=detect_delimiter(text)):
            rows.append(row)
            if len(rows) == _CSV_ROWS_AT_ONCE:
                tables.append(_to_table(rows))
                rows = []
    except csv.Error as error:
        raise LayoutError(
            f"{name} is damaged near line {len(rows)}: {error}", "fetch it again", rule="unreadable"
        ) from error
    if rows or not tables:
        tables.append(_to_table(rows))
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def _to_table(rows: list[list[str]] | list[list[str | None]]) -> pa.Table:
    """Rows of any length as columns of one length; empty text becomes null."""
    width = max((len(row) or 1 for row in rows), default=0)
    columns = {}
    for index in range(width):
        values = pa.array([row[index] if index < len(row) else None for row in rows], pa.string())
        columns[column_letters(index)] = pc.if_else(pc.equal(values, ""), None, values)
    return pa.table(columns)


def supports(media_type: str) -> bool:
    """Whether `open_workbook` finds sheets in files of this type."""
    return media_type in (*_SPREADSHEETS, CSV, ZIP)


__all__ = [
    "CSV_SHEET",
    "JSON",
    "Sheet",
    "Workbook",
    "column_letters",
    "decode",
    "detect_delimiter",
    "open_workbook",
    "supports",
]
