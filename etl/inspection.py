"""What a file is and which declared layout it fits, before it is landed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from etl.archives import is_modelled, sniff
from etl.errors import LayoutError, WrongUseError
from etl.layouts import Fit, Misfit, fit_sheet
from etl.reading import reader_of
from etl.sources import Source, declared_sources
from etl.spreadsheets import Sheet, Workbook, open_workbook


@dataclass(frozen=True)
class SheetReport:
    """What one sheet is: its size, and the layout that it fits, why it is left out, or what comes nearest."""

    sheet: str
    rows: int
    columns: int
    source: str | None
    layout: str | None
    table_id: str | None
    header_row: int | None
    headers: list[str]
    ignored: str | None
    nearest: str | None
    missing: list[str]
    extra: list[str]


@dataclass(frozen=True)
class FileReport:
    """What a file is: its type and sheets, the source that it fits best, and members that cannot be read."""

    filename: str
    media_type: str
    is_modelled: bool
    source: str | None
    sheets: list[SheetReport]
    skipped: dict[str, str]


def inspect_file(path: Path) -> FileReport:
    """Look into a file: sheets, headers found, which source and layout fit, what is missing or extra.

    Raises:
        RefusedFileError: it would not be landed; says why.
        WrongUseError: there is no such file.
    """
    if not path.is_file():
        raise WrongUseError(f"there is no file {path}", "check the path")
    media_type = sniff(path)
    with open_workbook(path, media_type) as workbook:
        sheets = {name: workbook.sheet(name) for name in workbook.sheet_names}
        reports = {
            source.source: [_look(source, workbook, sheet) for sheet in sheets.values()]
            for source in declared_sources().values()
        }
        best = max(reports, key=lambda name: (_count_fits(reports[name]), _count_found(reports[name]), name))
        if not sheets:
            fitting = [name for name, source in declared_sources().items() if _reads(source, workbook)]
            found = fitting[0] if fitting else None
        else:
            found = best if _count_fits(reports[best]) else None
        return FileReport(
            filename=path.name,
            media_type=media_type,
            is_modelled=is_modelled(path, media_type),
            source=found,
            sheets=reports[best],
            skipped=workbook.skipped,
        )


def _count_fits(reports: list[SheetReport]) -> int:
    return sum(report.layout is not None for report in reports)


def _count_found(reports: list[SheetReport]) -> int:
    return sum(len(report.headers) - len(report.missing) - len(report.extra) for report in reports)


def _reads(source: Source, workbook: Workbook) -> bool:
    """Whether a source reads a file that has no sheets (JSON)."""
    try:
        return next(iter(reader_of(source)(workbook, source)), None) is not None
    except LayoutError:
        return False


def _look(source: Source, workbook: Workbook, sheet: Sheet) -> SheetReport:
    ignored = source.why_ignored(sheet.name) if workbook.is_named(sheet.name) else None
    tried = fit_sheet(source, sheet, is_named=workbook.is_named(sheet.name))
    fit = tried if isinstance(tried, Fit) else None
    near: Misfit | None = tried[0] if isinstance(tried, list) and tried else None
    header_row = fit.header_row if fit else (near.header_row if near else None)
    headers = [] if header_row is None else [" ".join(text.split()) for text in sheet.row(header_row) if text.strip()]
    return SheetReport(
        sheet=sheet.name,
        rows=sheet.cells.num_rows,
        columns=sheet.cells.num_columns,
        source=source.source if fit else None,
        layout=fit.layout.layout if fit else None,
        table_id=fit.layout.table_id if fit else None,
        header_row=None if header_row is None else header_row + 1,
        headers=headers,
        ignored=None if fit else ignored,
        nearest=near.describe() if near and not ignored else None,
        missing=near.missing if near else [],
        extra=near.extra if near else [],
    )
