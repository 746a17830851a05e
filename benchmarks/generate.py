"""Writes a Home Office open-data workbook of full size, by Community Safety Partnership, without holding it.

Layout, offence codes and names are as published; areas and counts are made up. The same size gives the same
bytes on every run.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from etl.archives import ODS
from etl.settings import project_root

HEADERS = (
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
)
QUARTERS = (1, 2, 3, 4)
OFFENCES = 125
AREAS = 350
AREAS_A_FORCE = 8
FIRST_YEAR = 2020
YEARS = 6

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_NAMESPACES = " ".join(
    [
        *(f'xmlns:{name}="{_ODF}:{name}:1.0"' for name in ("office", "table", "text", "style", "number", "meta")),
        f'xmlns:fo="{_ODF}:xsl-fo-compatible:1.0"',
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"',
    ]
)
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SHEET_ROWS = 1_048_576
_SHEET_COLUMNS = 16_384
_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class Offence:
    """An offence code as the Home Office prints it, and what we call it."""

    code: str
    description: str
    group: str
    subgroup: str
    offence_id: str


@dataclass(frozen=True)
class Area:
    """A Community Safety Partnership and its force."""

    code: str
    name: str
    force: str


def list_offences(count: int = OFFENCES) -> list[Offence]:
    """The first `count` codes of warehouse/ref/offence.csv, each with its group and subgroup."""
    with (project_root() / "warehouse" / "ref" / "offence.csv").open(encoding="utf-8", newline="") as file:
        lines = {line["offence_id"]: line for line in csv.DictReader(file)}
    found = []
    for offence_id, line in lines.items():
        if line["level"] != "offence" or len(found) == count:
            continue
        parent = group = lines[line["parent_id"]]
        while group["level"] == "subgroup":
            group = lines[group["parent_id"]]
        found.append(Offence(line["home_office_code"], line["name"], group["name"], parent["name"], offence_id))
    return found


def list_areas(count: int = AREAS) -> list[Area]:
    """Made-up partnerships, a few to each made-up force."""
    first = ("Ash", "Birch", "Cherry", "Elm", "Hazel", "Holly", "Lime", "Maple", "Oak", "Pine", "Rowan", "Willow")
    second = ("borough", "bridge", "bury", "combe", "dale", "field", "ford", "ham", "hurst", "ley", "mouth", "stead")
    third = ("", " and District", " Vale")
    names = [f"{a}{b}{c}" for c, b, a in product(third, second, first)]
    return [
        Area(f"E22{number:06}", names[number], f"{names[number // AREAS_A_FORCE].removesuffix(' Vale')}shire")
        for number in range(count)
    ]


def count_offences(area: int, offence: int, period: int) -> int:
    """A made-up count: most are small, some large, some zero."""
    spread = (area * 7_919 + offence * 104_729 + period * 1_299_709) % 1_009
    return spread * (1 + area % 5) // (1 + (offence * offence) % 97)


def write_workbook(path: Path, areas: int = AREAS, years: int = YEARS) -> int:
    """Write the workbook.

    Args:
        path: the file to write.
        areas: partnerships; each gives 500 rows a year.
        years: financial years, one sheet each.

    Returns:
        The rows of figures.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype", _ZIP_TIME), ODS)
        _write_member(archive, "META-INF/manifest.xml", [_manifest()])
        styles = f'{_XML}<office:document-styles {_NAMESPACES} office:version="1.3"/>'
        _write_member(archive, "styles.xml", [styles])
        meta = f'{_XML}<office:document-meta {_NAMESPACES} office:version="1.3"><office:meta/></office:document-meta>'
        _write_member(archive, "meta.xml", [meta])
        _write_member(archive, "content.xml", _content(list_areas(areas), years))
    return areas * OFFENCES * len(QUARTERS) * years


def _write_member(archive: zipfile.ZipFile, name: str, parts: Iterator[str] | list[str]) -> None:
    member = zipfile.ZipInfo(name, _ZIP_TIME)
    member.compress_type = zipfile.ZIP_DEFLATED
    stream: IO[bytes]
    with archive.open(member, "w") as stream:
        for part in parts:
            stream.write(part.encode())


def _manifest() -> str:
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{media_type}"/>'
        for name, media_type in (("/", ODS), ("content.xml", "text/xml"), ("styles.xml", "text/xml"))
    )
    namespace = f'xmlns:manifest="{_ODF}:manifest:1.0" manifest:version="1.3"'
    return f"{_XML}<manifest:manifest {namespace}>{entries}</manifest:manifest>"


def _content(areas: list[Area], years: int) -> Iterator[str]:
    yield f'{_XML}<office:document-content {_NAMESPACES} office:version="1.3"><office:automatic-styles>'
    for style in ("ce1", "ce2"):
        yield f'<style:style style:name="{style}" style:family="table-cell" style:parent-style-name="Default"/>'
    yield "</office:automatic-styles><office:body><office:spreadsheet>"
    yield from _prose("Cover_sheet", ["Police recorded crime Community Safety Partnership open data", "Benchmark file"])
    yield from _prose("Notes", ["Force Notes", "Areas and counts of this file are made up."])
    for year in range(FIRST_YEAR, FIRST_YEAR + years):
        yield from _year(year, areas)
    yield "</office:spreadsheet></office:body></office:document-content>"


def _text(text: str, style: str = "") -> str:
    named = f' table:style-name="{style}"' if style else ""
    return (
        f'<table:table-cell{named} office:value-type="string" calcext:value-type="string">'
        f"<text:p>{escape(text)}</text:p></table:table-cell>"
    )


def _number(number: int) -> str:
    return (
        f'<table:table-cell table:style-name="ce2" office:value-type="float" office:value="{number}" '
        f'calcext:value-type="float"><text:p>{number}</text:p></table:table-cell>'
    )


def _row(cells: str) -> str:
    return f'<table:table-row table:style-name="ro1">{cells}</table:table-row>'


def _sheet(name: str, rows: Iterator[str], height: int) -> Iterator[str]:
    """A sheet with the empty rows and columns down to its end that spreadsheet programs write."""
    yield f'<table:table table:name="{name}" table:style-name="ta1">'
    yield f'<table:table-column table:style-name="co1" table:number-columns-repeated="{_SHEET_COLUMNS}"/>'
    yield from rows
    yield f'<table:table-row table:style-name="ro1" table:number-rows-repeated="{_SHEET_ROWS - height}">'
    yield f'<table:table-cell table:number-columns-repeated="{_SHEET_COLUMNS}"/></table:table-row></table:table>'


def _prose(name: str, lines: list[str]) -> Iterator[str]:
    return _sheet(name, (_row(_text(line)) for line in lines), len(lines))


def _year(year: int, areas: list[Area]) -> Iterator[str]:
    rows = 1 + len(QUARTERS) * len(areas) * OFFENCES
    return _sheet(f"{year}_{(year + 1) % 100:02}", _year_rows(year, areas), rows)


def _year_rows(year: int, areas: list[Area]) -> Iterator[str]:
    yield _row("".join(_text(header, "ce1") for header in HEADERS))
    offences = [
        "".join(_text(text) for text in (offence.description, offence.group, offence.subgroup, offence.code))
        for offence in list_offences()
    ]
    counts: dict[int, str] = {}
    rows: list[str] = []
    for quarter in QUARTERS:
        period = (year - FIRST_YEAR) * len(QUARTERS) + quarter
        start = _text(f"{year}/{(year + 1) % 100:02}") + _number(quarter)
        for a, area in enumerate(areas):
            place = start + "".join(_text(text) for text in (area.force, area.name, area.code))
            for o, offence in enumerate(offences):
                count = count_offences(a, o, period)
                if count not in counts:
                    counts[count] = _number(count)
                rows.append(_row(place + offence + counts[count]))
            if len(rows) >= _ROWS_AT_ONCE:
                yield "".join(rows)
                rows = []
    yield "".join(rows)
