"""Writes xlsx, ods and csv that hold the same bytes on every run and say that they are modelled."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from openpyxl import Workbook

from etl.archives import MODELLED_MARK, ODS

Cell = str | int | float | None
Rows = Sequence[Sequence[Cell]]

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_MADE_AT = "2026-01-01T00:00:00Z"


def write_xlsx(path: Path, title: str, sheets: Mapping[str, Rows]) -> None:
    """Write a workbook; its properties carry the mark."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    properties = workbook.properties
    properties.title = title
    properties.creator = "justice-etl"
    properties.keywords = MODELLED_MARK
    properties.description = f"{MODELLED_MARK}: {title}"
    content = io.BytesIO()
    workbook.save(content)
    with zipfile.ZipFile(content) as archive:
        members = [(member.filename, archive.read(member)) for member in archive.infolist()]
    write_zip(path, [(name, _fix_times(name, data)) for name, data in members])


def _fix_times(name: str, content: bytes) -> bytes:
    """openpyxl writes the time of saving into the properties."""
    if name != "docProps/core.xml":
        return content
    time = rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*"
    return re.sub(time, rb"\g<1>" + _MADE_AT.encode(), content)


def write_zip(path: Path, members: Sequence[tuple[str, bytes]]) -> None:
    """Write an archive of members by name, without the time of writing."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)


_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_NAMESPACES = f'xmlns:office="{_ODF}:office:1.0" xmlns:table="{_ODF}:table:1.0" xmlns:text="{_ODF}:text:1.0"'
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def write_ods(path: Path, title: str, sheets: Mapping[str, Rows]) -> None:
    """Write an OpenDocument spreadsheet, by hand: odfpy takes a minute for what this does in a second."""
    parts = ("content.xml", "styles.xml", "meta.xml")
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{media_type}"/>'
        for name, media_type in (("/", ODS), *((part, "text/xml") for part in parts))
    )
    manifest = (
        f'{_XML}<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0" manifest:version="1.2">'
        f"{entries}</manifest:manifest>"
    )
    styles = f'{_XML}<office:document-styles {_NAMESPACES} office:version="1.2"/>'
    documents = ("".join(_content(sheets)), styles, _meta(title), manifest)
    members = [(name, text.encode()) for name, text in zip((*parts, "META-INF/manifest.xml"), documents, strict=True)]
    write_zip(path, [("mimetype", ODS.encode()), *members])


def _meta(title: str) -> str:
    return (
        f'{_XML}<office:document-meta {_NAMESPACES} xmlns:meta="{_ODF}:meta:1.0" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.2"><office:meta>'
        f"<dc:title>{escape(title)}</dc:title>"
        f"<dc:description>{MODELLED_MARK}: {escape(title)}</dc:description>"
        f"<meta:keyword>{MODELLED_MARK}</meta:keyword><meta:creation-date>{_MADE_AT}</meta:creation-date>"
        f"<dc:date>{_MADE_AT}</dc:date></office:meta></office:document-meta>"
    )


def _content(sheets: Mapping[str, Rows]) -> Iterator[str]:
    cells: dict[Cell, str] = {}
    yield f'{_XML}<office:document-content {_NAMESPACES} office:version="1.2">'
    yield "<office:body><office:spreadsheet>"
    for name, rows in sheets.items():
        yield f"<table:table table:name={quoteattr(name)}>"
        for row in rows:
            yield "<table:table-row>"
            for cell in row:
                if cell not in cells:
                    cells[cell] = _ods_cell(cell)
                yield cells[cell]
            yield "</table:table-row>"
        yield "</table:table>"
    yield "</office:spreadsheet></office:body></office:document-content>"


def _ods_cell(cell: Cell) -> str:
    if cell is None or cell == "":
        return "<table:table-cell/>"
    if not isinstance(cell, str):
        return (
            f'<table:table-cell office:value-type="float" office:value="{cell}">'
            f"<text:p>{cell}</text:p></table:table-cell>"
        )
    lines = "".join(f"<text:p>{_ods_text(line)}</text:p>" for line in cell.split("\n"))
    return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'


def _ods_text(line: str) -> str:
    """OpenDocument drops spaces at the ends of a paragraph unless they are elements."""
    text = line.strip(" ")
    before = len(line) - len(line.lstrip(" "))
    after = len(line) - before - len(text)
    return "<text:s/>" * before + escape(text) + "<text:s/>" * after


def write_text(path: Path, rows: Rows) -> None:
    """Write a text table of nothing but its header and rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def write_csv(path: Path, mark: str, rows: Rows, *, byte_order_mark: bool = False, newline: str = "\n") -> None:
    """Write a text table whose first line is the mark, as one field."""
    encoding = "utf-8-sig" if byte_order_mark else "utf-8"
    path.write_bytes(format_csv(mark, rows, newline).encode(encoding))


def format_csv(mark: str, rows: Rows, newline: str = "\n") -> str:
    """A text table whose first line is the mark, as one field."""
    text = io.StringIO(newline="")
    text.write(f'"{mark}"{newline}')
    csv.writer(text, lineterminator=newline).writerows(rows)
    return text.getvalue()
