"""Declared repairs of published errors: `etl/sources/<source>/corrections.yml`, a list of corrected cells.

A cell is corrected before anything is made of it, so a header or a name can be repaired as well as a figure. It
must still say what it said when the error was reported; once it does not, its whole file is kept out until the
entry is removed or changed. What was landed stays as it was published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from etl.errors import JusticeError, LayoutError
from etl.files import read_declared
from etl.sources import Reason, load_source
from etl.spreadsheets import Sheet, Workbook, column_letters

CORRECTIONS = "corrections.yml"


class Correction(BaseModel):
    """One cell that a publisher got wrong, and what it should say.

    `edition` is the slug of the edition, whose every release is corrected; `filename` a regular expression for
    the whole name of the file, where the edition has several. `sheet` is called as `justice-etl inspect` calls it
    (`csv` in a text file) and `cell` is its address. `published` is the text that the cell must still say, but for
    spaces around it, and `corrected` what it should say (a figure, a name, a marker; empty for an empty cell).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    filename: str | None = None
    sheet: str
    cell: str = Field(pattern=r"^[A-Z]{1,3}[1-9][0-9]{0,6}$")
    published: str
    corrected: str
    reason: Reason
    reported_on: date
    status: Literal["reported", "acknowledged", "will_not_fix"]

    @field_validator("filename")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _corrects_something(self) -> Correction:
        if is_same_text(self.corrected, self.published):
            raise ValueError("corrected says the same as published")
        return self

    @property
    def place(self) -> str:
        """What messages call the cell."""
        return f"sheet {self.sheet!r}, cell {self.cell}"

    @property
    def column(self) -> str:
        """The letters of the cell."""
        return self.cell.rstrip("0123456789")

    @property
    def row(self) -> int:
        """The published row of the cell, from 1."""
        return int(self.cell[len(self.column) :])


_CORRECTIONS = TypeAdapter(list[Correction])


def is_same_text(one: str | None, other: str | None) -> bool:
    """Whether two cells say the same but for spaces around it; an empty cell says the empty text."""
    return (one or "").strip() == (other or "").strip()


@cache
def load_corrections(source_name: str) -> list[Correction]:
    """The declared corrections of a source, as they stand in its file; none where it has no file.

    Raises:
        JusticeError: the file is not what it must be, or corrects one cell twice.
        WrongUseError: there is no such source.
    """
    path = load_source(source_name).folder / CORRECTIONS
    if not path.exists():
        return []
    corrections = read_declared(path, _CORRECTIONS, "a valid list of corrections")
    for filename in {correction.filename for correction in corrections}:
        _refuse_two_of_one_cell(source_name, [c for c in corrections if c.filename in (filename, None)])
    return corrections


def find_corrections(source_name: str, edition: str, filename: str) -> list[Correction]:
    """The corrections of one file of an edition.

    Raises:
        JusticeError: the corrections of the source are not what they must be, or two are of one cell.
    """
    found = [
        correction
        for correction in load_corrections(source_name)
        if correction.edition == edition
        and (correction.filename is None or re.fullmatch(correction.filename, filename))
    ]
    _refuse_two_of_one_cell(source_name, found)
    return found


def _refuse_two_of_one_cell(source_name: str, corrections: list[Correction]) -> None:
    seen = set()
    for correction in corrections:
        cell = correction.edition, correction.sheet, correction.cell
        if cell in seen:
            raise JusticeError(
                f"{_file(source_name)} corrects {correction.place} of {correction.edition} twice",
                "leave one entry, or give each a filename that only its own file has",
            )
        seen.add(cell)


def _file(source_name: str) -> str:
    return f"etl/sources/{source_name}/{CORRECTIONS}"


@contextmanager
def correct(workbook: Workbook, source_name: str, corrections: Sequence[Correction]) -> Iterator[Workbook]:
    """A workbook whose sheets are given with the corrected texts.

    Args:
        workbook: what was published.
        source_name: whose corrections they are, for messages.
        corrections: those of this file.

    Raises:
        LayoutError: of rule `correction`, for a cell that is not there or no longer says what was reported: at
            the start where its sheet is missing, when its sheet is read, or at the end where it never was.
    """
    if not corrections:
        yield workbook
        return
    corrected = _CorrectedWorkbook(workbook, source_name, corrections)
    yield corrected
    corrected.refuse_unread()


class _CorrectedWorkbook(Workbook):
    """A workbook seen through its corrections."""

    def __init__(self, published: Workbook, source_name: str, corrections: Sequence[Correction]) -> None:
        super().__init__(published.path, published.media_type, [], published.skipped)
        self._published = published
        self._file = _file(source_name)
        self._corrections = corrections
        self._read: set[str] = set()
        self._refuse_missing()

    @property
    def sheet_names(self) -> list[str]:
        return self._published.sheet_names

    def is_named(self, name: str) -> bool:
        return self._published.is_named(name)

    def sheet(self, name: str) -> Sheet:
        sheet = self._published.sheet(name)
        self._read.add(name)
        for correction in self._corrections:
            if correction.sheet == name:
                self._compare(sheet, correction)
                sheet = _replace(sheet, correction)
        return sheet

    def refuse_unread(self) -> None:
        """Refuse a correction of a sheet that the reader did not ask for: it would repair nothing."""
        for correction in self._corrections:
            if correction.sheet not in self._read:
                raise LayoutError(
                    f"{correction.place} is corrected, but the source leaves that sheet out",
                    f"remove the entry from {self._file}, or name the sheet that is read",
                    rule="correction",
                )

    def _refuse_missing(self) -> None:
        names = self.sheet_names
        for correction in self._corrections:
            if correction.sheet not in names:
                found = ", ".join(map(repr, names)) or "none"
                raise self._misfit(correction, f"there is no such sheet (sheets: {found})")

    def _compare(self, sheet: Sheet, correction: Correction) -> None:
        """Refuse a cell that does not say what was reported."""
        rows, columns = sheet.cells.num_rows, sheet.cells.num_columns
        if correction.row > rows or correction.column not in sheet.cells.column_names:
            end = f"ends at {column_letters(columns - 1)}{rows}" if rows and columns else "is empty"
            raise self._misfit(correction, f"there is no such cell, the sheet {end}")
        text = sheet.text(correction.column, correction.row) or ""
        if is_same_text(text, correction.published):
            return
        if is_same_text(text, correction.corrected):
            raise LayoutError(
                f"{correction.place}: the publisher has fixed it, it says {text!r} and no longer "
                f"{correction.published!r}",
                f"remove the entry from {self._file}",
                rule="correction",
            )
        raise self._misfit(correction, f"it says {text!r}")

    def _misfit(self, correction: Correction, found: str) -> LayoutError:
        return LayoutError(
            f"{correction.place}: {found}; expected {correction.published!r}, which is corrected to "
            f"{correction.corrected!r}",
            f"if the publisher has fixed it, remove the entry from {self._file}; if the cell has moved, change it",
            rule="correction",
        )


def _replace(sheet: Sheet, correction: Correction) -> Sheet:
    """The sheet with the corrected text in one cell."""
    cells, row = sheet.cells, correction.row - 1
    column = cells[correction.column]
    text = pa.array([correction.corrected or None], column.type)
    chunks = [*column.slice(0, row).chunks, text, *column.slice(row + 1).chunks]
    index = cells.column_names.index(correction.column)
    return Sheet(sheet.name, cells.set_column(index, correction.column, pa.concat_arrays(chunks)))
