"""What a file is, which declared layout it fits, and what to add where it fits none: before it is landed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from etl.archives import is_modelled, sniff
from etl.drift import Change, Drift, suggest
from etl.errors import LayoutError, WrongUseError
from etl.landing import Record, blob_path, read_records
from etl.layouts import Fit, Misfit, find_fit, fit_sheet
from etl.reading import reader_of
from etl.settings import Settings
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
    headers_found: int = 0


@dataclass(frozen=True)
class FileReport:
    """What a file is.

    Attributes:
        filename: what it is called.
        media_type: what its bytes say it is.
        is_modelled: whether it is a modelled sample.
        source: the source that takes it whole; None where a sheet fits no layout or a cell cannot be read.
        sheets: its sheets, as that source sees them, else the nearest one.
        skipped: members of an archive that cannot be read, and why.
        lines: lines of figures that the source reads from it.
        nearest_source: the source that comes nearest where none takes it; None where none is near.
        why_nearest: what of it that source knows.
        problem: why a file whose sheets all fit cannot be read.
        drifts: sheet by sheet, what was expected and what was found.
        changes: what to add to the declaration of the nearest source, of each file the last line first.
        decide: what a person must decide before it is added.
        left: what would not fit even then.
    """

    filename: str
    media_type: str
    is_modelled: bool
    source: str | None
    sheets: list[SheetReport]
    skipped: dict[str, str]
    lines: int = 0
    nearest_source: str | None = None
    why_nearest: str = ""
    problem: str | None = None
    drifts: tuple[Drift, ...] = field(default_factory=tuple)
    changes: tuple[Change, ...] = field(default_factory=tuple)
    decide: tuple[str, ...] = field(default_factory=tuple)
    left: tuple[str, ...] = field(default_factory=tuple)


def inspect_file(path: Path, home: Path | None = None) -> FileReport:
    """Look into a file: sheets, headers found, which source and layout fit, what is missing or extra, what to add.

    Args:
        path: the file; or the name of a landed one, or the first letters (six or more) of its SHA-256.
        home: where landed files lie; that of the settings where None.

    Raises:
        RefusedFileError: it would not be landed; says why.
        WrongUseError: there is no such file, or several landed ones bear the name.
    """
    filename = path.name
    if not path.is_file():
        home = home or Settings().home
        record = _find_landed(home, path)
        path, filename = blob_path(home, record.sha256), record.filename
    media_type = sniff(path, filename)
    with open_workbook(path, media_type) as workbook:
        sheets = {name: workbook.sheet(name) for name in workbook.sheet_names}
        best, looks = _choose_source(workbook, sheets)
        report = FileReport(
            filename=filename,
            media_type=media_type,
            is_modelled=is_modelled(path, media_type),
            source=None,
            sheets=[_report(best, look) for look in looks],
            skipped=workbook.skipped,
        )
        if sheets and not _fits_whole(looks):
            return _compare_with(report, declared_sources()[best], workbook, sheets)
        del looks
        sheets.clear()  # let go of them before they are read
        return _try_to_read(report, [best] if workbook.sheet_names else list(declared_sources()), workbook)


def _find_landed(home: Path, name: Path) -> Record:
    """The landed file of a name, or of a SHA-256 that begins so; of several landings the last."""
    wanted = name.name
    is_hash = re.fullmatch(r"[0-9a-f]{6,64}", wanted) is not None
    records = [
        record
        for record in read_records(home)
        if record.filename == wanted or (is_hash and record.sha256.startswith(wanted))
    ]
    if len({record.sha256 for record in records}) > 1:
        several = ", ".join(f"{record.sha256[:12]} ({record.source}/{record.edition})" for record in records)
        raise WrongUseError(f"several landed files are called {wanted}: {several}", "name one by its SHA-256")
    if not records:
        raise WrongUseError(f"there is no file {name}, and none of that name was landed in {home}", "check the path")
    return records[-1]


@dataclass(frozen=True)
class _Look:
    """A sheet as one source sees it: the layout that fits, or what comes nearest; or why it is left out."""

    sheet: Sheet
    fit: Fit | None = None
    near: Misfit | None = None
    ignored: str | None = None

    @property
    def headers_found(self) -> int:
        """How many headers of the layout are there."""
        if self.fit:
            return len(self.fit.columns) + len(self.fit.figures)
        return len(self.near.found) if self.near else 0


def _choose_source(workbook: Workbook, sheets: Mapping[str, Sheet]) -> tuple[str, list[_Look]]:
    """The source that takes a file whole, else the one that comes nearest, and how it sees the sheets."""
    wholes = {
        name: whole
        for name, source in declared_sources().items()
        if (whole := _find_whole(source, workbook, sheets)) is not None
    }
    seen = wholes or {
        name: [_look(source, workbook, sheet) for sheet in sheets.values()]
        for name, source in declared_sources().items()
    }
    best = max(seen, key=lambda name: (*_rate(seen[name]), name))
    return best, seen[best]


def _find_whole(source: Source, workbook: Workbook, sheets: Mapping[str, Sheet]) -> list[_Look] | None:
    """How a source sees a file that it takes whole; None for any other, at its first sheet that does not fit."""
    looks = []
    for name, sheet in sheets.items():
        ignored = source.why_ignored(name)
        fit = None if ignored else find_fit(source, sheet, is_named=workbook.is_named(name))
        if not ignored and fit is None:
            return None
        looks.append(_Look(sheet, fit=fit, ignored=ignored))
    return looks if _fits_whole(looks) else None


def _look(source: Source, workbook: Workbook, sheet: Sheet) -> _Look:
    if ignored := source.why_ignored(sheet.name):
        return _Look(sheet, ignored=ignored)
    tried = fit_sheet(source, sheet, is_named=workbook.is_named(sheet.name))
    return _Look(sheet, fit=tried) if isinstance(tried, Fit) else _Look(sheet, near=next(iter(tried), None))


def _rate(looks: list[_Look]) -> tuple[bool, int, int]:
    """What tells the source of a file: that it takes all, how many sheets it takes, how many headers it knows."""
    return _fits_whole(looks), sum(look.fit is not None for look in looks), sum(look.headers_found for look in looks)


def _fits_whole(looks: list[_Look]) -> bool:
    """Whether every sheet fits a layout or is left out by rule, and any fits."""
    fitting = [look.fit is not None for look in looks if not look.ignored]
    return bool(fitting) and all(fitting)


def _compare_with(report: FileReport, source: Source, workbook: Workbook, sheets: Mapping[str, Sheet]) -> FileReport:
    """What the nearest source expects of a file that no source takes, and what to add to its declaration."""
    named = [(sheet, workbook.is_named(name)) for name, sheet in sheets.items()]
    nearest = max(report.sheets, key=lambda sheet: (sheet.layout is not None, sheet.headers_found))
    if not nearest.headers_found:
        why = "no row near the top of any sheet carries a header that any source knows"
        return replace(report, why_nearest=why)
    known = nearest.headers_found
    why = (
        f"its sheet {nearest.sheet!r} fits {nearest.layout}"
        if nearest.layout
        else f"it knows {known} of the {known + len(nearest.extra)} headers in row {nearest.header_row} of sheet "
        f"{nearest.sheet!r}, and misses {len(nearest.missing)}"
    )
    report = replace(report, nearest_source=source.source, why_nearest=why)
    if not nearest.layout and known <= len(nearest.missing):
        return report
    found = suggest(source, named)
    return replace(report, drifts=found.drifts, changes=found.changes, decide=found.decide, left=found.left)


def _try_to_read(report: FileReport, names: list[str], workbook: Workbook) -> FileReport:
    """Read a file whose sheets all fit, or that has none (JSON), with the first of these sources that can."""
    problem: LayoutError | None = None
    for name in names:
        source = declared_sources()[name]
        try:
            lines = sum(table.num_rows for table in reader_of(source)(workbook, source))
        except LayoutError as error:
            problem = error
        else:
            if lines:
                return replace(report, source=name, lines=lines)
    if len(names) > 1:
        return replace(report, why_nearest="no source reads a file without sheets of this form")
    [name] = names
    source = declared_sources()[name]
    sheets = [(workbook.sheet(sheet), workbook.is_named(sheet)) for sheet in workbook.sheet_names]
    found = suggest(source, sheets)
    return replace(
        report,
        nearest_source=name,
        why_nearest="every sheet fits a layout or is left out",
        problem=str(problem) if problem else "its tables hold no figure",
        drifts=found.drifts,
        changes=found.changes,
        decide=found.decide,
        left=found.left,
    )


def _report(source: str, look: _Look) -> SheetReport:
    fit, near, sheet = look.fit, look.near, look.sheet
    header_row = fit.header_row if fit else (near.header_row if near else None)
    headers = [] if header_row is None else [" ".join(text.split()) for text in sheet.row(header_row) if text.strip()]
    return SheetReport(
        sheet=sheet.name,
        rows=sheet.cells.num_rows,
        columns=sheet.cells.num_columns,
        source=source if fit else None,
        layout=fit.layout.layout if fit else None,
        table_id=fit.layout.table_id if fit else None,
        header_row=None if header_row is None else header_row + 1,
        headers=headers,
        ignored=look.ignored,
        nearest=near.describe() if near else None,
        missing=[missing.expected for missing in near.missing] if near else [],
        extra=near.extra if near else [],
        headers_found=look.headers_found,
    )
