"""Finding a declared table in a published sheet, and saying exactly what does not fit.

A layout fits a sheet when the sheet's name and title are as declared and one row near the top carries its
headers. Headers are compared by meaning (`cells.header_meaning`), never by position. A sheet that fits no
layout and that no rule leaves out stops its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from etl.cells import header_meaning, tidy_text
from etl.errors import LayoutError
from etl.offences import offence_aliases
from etl.sources import Layout, Source
from etl.spreadsheets import Sheet, Workbook

HEADER_SEARCH_ROWS = 60


@dataclass(frozen=True)
class Fit:
    """A layout found in a sheet.

    Attributes:
        layout: the declaration.
        sheet: the sheet.
        header_row: 0-based index of the (lower) header row; figures start below it.
        columns: name in the layout → spreadsheet letters.
        figures: spreadsheet letters → offence_id (or what `figure_pattern` caught), in published order.
        title: the lines above the header, joined.
    """

    layout: Layout
    sheet: Sheet
    header_row: int
    columns: dict[str, str]
    figures: dict[str, str]
    title: str

    @property
    def body(self) -> pa.Table:
        """The rows below the header; published row numbers start at `first_row`."""
        return self.sheet.cells.slice(self.header_row + 1)

    @property
    def first_row(self) -> int:
        """The published (1-based) number of the first row of `body`."""
        return self.header_row + 2

    def column(self, name: str) -> pa.ChunkedArray:
        """The published texts of a declared column below the header; nulls where the edition lacks it."""
        if name in self.columns:
            return self.body[self.columns[name]]
        return pa.chunked_array([pa.nulls(self.body.num_rows, pa.string())])


@dataclass(frozen=True)
class Misfit:
    """Why a layout does not fit a sheet: the header row looked at, and headers missing and extra."""

    layout: Layout
    sheet: str
    why: str
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    header_row: int | None = None

    def describe(self) -> str:
        """One line for a message."""
        parts = [f"{self.layout.layout}: {self.why}"]
        if self.missing:
            parts.append(f"missing {', '.join(map(repr, self.missing))}")
        if self.extra:
            parts.append(f"not expected {', '.join(map(repr, self.extra))}")
        return "; ".join(parts)


def fit_layout(layout: Layout, sheet: Sheet, aliases: Mapping[str, str], *, is_named: bool) -> Fit | Misfit:
    """Try one layout on one sheet.

    Args:
        layout: the declaration.
        sheet: the sheet.
        aliases: header meaning → offence_id for the source.
        is_named: whether the sheet has a name of its own (those of text files have none).
    """
    name = sheet.name.rsplit("/", 1)[-1].strip()
    if layout.form and (layout.form == "workbook") != is_named:
        return Misfit(layout, sheet.name, f"it stands in a {layout.form} file")
    if is_named and not re.fullmatch(layout.sheet, name, re.IGNORECASE):
        return Misfit(layout, sheet.name, f"its sheet is called {layout.sheet!r}")
    best: Misfit = Misfit(layout, sheet.name, "no row carries its headers")
    previous: list[str] = []
    lines: list[str] = []
    for index in range(min(HEADER_SEARCH_ROWS, sheet.cells.num_rows)):
        row = sheet.row(index)
        upper = previous if layout.header_rows == 2 else []
        tried = _fit_row(layout, sheet, aliases, index, row, upper, "\n".join(lines))
        if isinstance(tried, Fit):
            return tried
        if len(tried.found) > len(best.found):
            best = tried
        lines.append(tidy_text(" ".join(row)))
        previous = row
    return best


def _fit_row(
    layout: Layout,
    sheet: Sheet,
    aliases: Mapping[str, str],
    index: int,
    row: list[str],
    upper: list[str],
    title: str,
) -> Fit | Misfit:
    letters = sheet.cells.column_names
    texts = [text.strip() or (upper[i].strip() if i < len(upper) else "") for i, text in enumerate(row)]
    meanings = {letters[i]: _read_header(layout, text) for i, text in enumerate(texts) if text}
    columns: dict[str, str] = {}
    missing: list[str] = []
    doubled: set[str] = set()
    for name, column in layout.columns.items():
        places = [letter for letter, meaning in meanings.items() if column.is_headed(meaning)]
        if len(places) > 1:
            doubled.add(column.expected)
        if places:
            columns[name] = places[0]
        elif not column.optional:
            missing.append(column.expected)
    rest = {
        letter: meaning
        for letter, meaning in meanings.items()
        if not any(column.is_headed(meaning) for column in layout.columns.values())
    }
    figures = _name_figures(layout, rest, aliases)
    missing += [offence for offence in layout.figures if offence not in figures.values()]
    ignored = [re.compile(rule.match) for rule in layout.ignore_columns]
    extra = [
        meaning
        for letter, meaning in rest.items()
        if letter not in figures and not any(rule.fullmatch(meaning) for rule in ignored)
    ]
    doubled |= {meaning for meaning in figures.values() if list(figures.values()).count(meaning) > 1}
    found = [*columns, *figures.values()]
    if missing or extra or doubled or not found:
        why = f"row {index + 1} comes nearest" + (f", with {sorted(doubled)} twice" if doubled else "")
        return Misfit(layout, sheet.name, why, missing, extra, found, index)
    if layout.title and not re.search(layout.title, title, re.IGNORECASE):
        return Misfit(layout, sheet.name, f"no line above row {index + 1} reads {layout.title!r}", found=found)
    return Fit(layout, sheet, index, columns, figures, title)


def _read_header(layout: Layout, text: str) -> str:
    """The meaning of a header. A digit at its end is a note, unless a column is declared by it (`subcat1`)."""
    plain = tidy_text(text).casefold()
    is_declared = any(plain in column.headers for column in layout.columns.values())
    return plain if is_declared else header_meaning(text)


def _name_figures(layout: Layout, meanings: dict[str, str], aliases: Mapping[str, str]) -> dict[str, str]:
    if layout.figure_pattern:
        pattern = re.compile(layout.figure_pattern)
        matches = {letter: pattern.fullmatch(meaning) for letter, meaning in meanings.items()}
        return {letter: match.group(1) for letter, match in matches.items() if match}
    known = {*layout.figures, *layout.optional_figures}
    offences = {letter: aliases.get(meaning, "") for letter, meaning in meanings.items()}
    return {letter: offence for letter, offence in offences.items() if offence in known}


def fit_sheet(source: Source, sheet: Sheet, *, is_named: bool) -> Fit | list[Misfit]:
    """The first layout of a source that fits a sheet, else why each does not, nearest first."""
    misfits = []
    aliases = {alias.key: alias.offence_id for alias in offence_aliases(source.source)}
    for layout in source.layouts:
        tried = fit_layout(layout, sheet, aliases, is_named=is_named)
        if isinstance(tried, Fit):
            return tried
        misfits.append(tried)
    return sorted(misfits, key=lambda misfit: (-len(misfit.found), len(misfit.missing) + len(misfit.extra)))


def find_table(source: Source, sheet: Sheet, *, is_named: bool) -> Fit:
    """The declared table of a sheet.

    Raises:
        LayoutError: the sheet fits no layout; the message names what was expected and what was found.
    """
    fit = fit_sheet(source, sheet, is_named=is_named)
    if isinstance(fit, list):
        raise LayoutError(
            f"sheet {sheet.name!r} fits no layout of {source.source}; nearest is {fit[0].describe()}"
            if fit
            else f"{source.source} declares no layout",
            f"compare with `justice-etl inspect`, then add the layout to etl/sources/{source.source}/source.yml",
        )
    return fit


def find_tables(source: Source, workbook: Workbook) -> Iterator[Fit]:
    """Every declared table of a workbook, sheet by sheet.

    Raises:
        LayoutError: a sheet fits no layout and no rule leaves it out, or nothing at all was found; the
            message names the sheet, what was expected and what was found.
    """
    found = 0
    for name in workbook.sheet_names:
        if source.why_ignored(name):
            continue
        yield find_table(source, workbook.sheet(name), is_named=workbook.is_named(name))
        found += 1
    if not found:
        skipped = "; ".join(workbook.skipped.values()) or "no sheet but those left out by rule"
        raise LayoutError(f"holds no table of {source.source}: {skipped}", "check that the file belongs to this source")
