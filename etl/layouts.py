"""Finding a declared table in a published sheet, and saying exactly what does not fit.

A layout fits a sheet when the sheet's name and title are as declared and one row near the top carries its
headers. Headers are compared by meaning (`cells.header_meaning`), never by position. A sheet that fits no
layout and that no rule leaves out stops its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import pyarrow as pa

from etl.cells import header_meaning, tidy_text
from etl.errors import LayoutError
from etl.likeness import Pair, find_likeness, pair_alike
from etl.offences import offence_aliases
from etl.sources import Layout, Source
from etl.spreadsheets import Sheet, Workbook

HEADER_SEARCH_ROWS = 60
_LONGEST_TITLE = 80
_NAMED_AT_MOST = 4

Difference = Literal["form", "name", "headers", "title"]
"""What is not as a layout declares it: the kind of file, the sheet's name, the headers, the lines above them."""


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
class Missing:
    """A declared header that is not there: a column of the layout, or an offence, and the headers it is known by."""

    name: str
    expected: str
    headers: tuple[str, ...]
    is_figure: bool


@dataclass(frozen=True)
class Misfit:
    """Why a layout does not fit a sheet.

    Attributes:
        layout: the declaration.
        sheet: the sheet's name.
        differs: what is not as declared.
        header_row: 0-based index of the row that comes nearest; None where no row carries any of its headers.
        found: names of the columns and offences that are there.
        missing: headers that are not.
        extra: headers, by their meaning, that the layout does not know.
        known: those of them that are offences of the source, by `offence_id`.
        twice: headers of one meaning that stand over several columns.
        title: the lines above the header row.
    """

    layout: Layout
    sheet: str
    differs: frozenset[Difference]
    header_row: int | None = None
    found: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    title: str = ""

    @property
    def pairs(self) -> list[Pair]:
        """What is missing and what may stand in its place under another header."""
        expected = {missing.expected: missing.headers for missing in self.missing}
        return pair_alike(expected, [header for header in self.extra if header not in self.known])

    @property
    def count(self) -> int:
        """In how many respects the sheet differs."""
        return len(self.missing) + len(self.extra) + len(self.twice) + len(self.differs - {"headers"})

    @property
    def has_most_headers(self) -> bool:
        """Whether more of the layout's headers are there than are missing: the sheet is likely to be its table."""
        return len(self.found) > len(self.missing)

    @property
    def first_line(self) -> str:
        """The first line of the title."""
        return next((line for line in self.title.splitlines() if line), "")

    @property
    def words_alike(self) -> float:
        """How like the declared name and title those of the sheet are: all that tells tables with the same headers."""
        name = find_likeness(self.layout.sheet.casefold(), self.sheet.rsplit("/", 1)[-1].casefold())
        title = find_likeness((self.layout.title or "").casefold(), self.first_line.casefold())
        return name + title

    def describe(self) -> str:
        """One line for a message: what was expected, what was found, and what comes nearest."""
        parts = []
        if "form" in self.differs:
            parts.append(f"it stands in a {self.layout.form} file")
        if "name" in self.differs:
            parts.append(f"its sheet is called {self.layout.sheet!r}")
        if self.header_row is None:
            parts.append("no row carries its headers")
        elif "headers" in self.differs:
            twice = f", with {self.twice} twice" if self.twice else ""
            parts.append(f"row {self.header_row + 1} comes nearest{twice}")
        if self.missing:
            parts.append(f"missing {_name_some([repr(missing.expected) for missing in self.missing])}")
        if self.extra:
            nearest = {pair.found: f" (nearest: {pair.name!r})" for pair in self.pairs}
            parts.append(f"not expected {_name_some([repr(text) + nearest.get(text, '') for text in self.extra])}")
        if "title" in self.differs and self.header_row is not None:
            found = repr(self.first_line[:_LONGEST_TITLE]) if self.first_line else "nothing"
            parts.append(f"no line above row {self.header_row + 1} reads {self.layout.title!r}, found {found}")
        return f"{self.layout.layout}: {'; '.join(parts)}"


def _name_some(texts: list[str]) -> str:
    rest = len(texts) - _NAMED_AT_MOST
    return ", ".join(texts[:_NAMED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")


def fit_layout(layout: Layout, sheet: Sheet, aliases: Mapping[str, str], *, is_named: bool) -> Fit | Misfit:
    """Try one layout on one sheet.

    Args:
        layout: the declaration.
        sheet: the sheet.
        aliases: header meaning → offence_id for the source.
        is_named: whether the sheet has a name of its own (those of text files have none).
    """
    outside = _find_outside(layout, sheet, is_named)
    return Misfit(layout, sheet.name, outside) if outside else _fit_rows(layout, sheet, aliases)


def _find_outside(layout: Layout, sheet: Sheet, is_named: bool) -> frozenset[Difference]:
    """What differs before a row was looked at."""
    differs: set[Difference] = set()
    if layout.form and (layout.form == "workbook") != is_named:
        differs.add("form")
    if is_named and not re.fullmatch(layout.sheet, bare_name(sheet), re.IGNORECASE):
        differs.add("name")
    return frozenset(differs)


def bare_name(sheet: Sheet) -> str:
    """What a sheet is called, without the archive member that it stands in."""
    return sheet.name.rsplit("/", 1)[-1].strip()


def _fit_rows(layout: Layout, sheet: Sheet, aliases: Mapping[str, str]) -> Fit | Misfit:
    """Look for the header in the first rows: the layout found, else the row that carries most of its headers."""
    best = Misfit(layout, sheet.name, frozenset({"headers"}))
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
    missing: list[Missing] = []
    doubled: set[str] = set()
    for name, column in layout.columns.items():
        places = [letter for letter, meaning in meanings.items() if column.is_headed(meaning)]
        if len(places) > 1:
            doubled.add(column.expected)
        if places:
            columns[name] = places[0]
        elif not column.optional:
            missing.append(Missing(name, column.expected, tuple(column.headers), is_figure=False))
    rest = {
        letter: meaning
        for letter, meaning in meanings.items()
        if not any(column.is_headed(meaning) for column in layout.columns.values())
    }
    figures = _name_figures(layout, rest, aliases)
    missing += [_miss_figure(offence, aliases) for offence in layout.figures if offence not in figures.values()]
    ignored = [re.compile(rule.match) for rule in layout.ignore_columns]
    extra = [
        meaning
        for letter, meaning in rest.items()
        if letter not in figures and not any(rule.fullmatch(meaning) for rule in ignored)
    ]
    doubled |= {meaning for meaning in figures.values() if list(figures.values()).count(meaning) > 1}
    found = [*columns, *figures.values()]
    differs: set[Difference] = set()
    if missing or extra or doubled or not found:
        differs.add("headers")
    if layout.title and not re.search(layout.title, title, re.IGNORECASE):
        differs.add("title")
    if not differs:
        return Fit(layout, sheet, index, columns, figures, title)
    known = {meaning: aliases[meaning] for meaning in extra if layout.figures and meaning in aliases}
    return Misfit(layout, sheet.name, frozenset(differs), index, found, missing, extra, known, sorted(doubled), title)


def _miss_figure(offence: str, aliases: Mapping[str, str]) -> Missing:
    headers = tuple(header for header, meant in aliases.items() if meant == offence)
    return Missing(offence, offence, headers, is_figure=True)


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


def _name_offences(source: Source) -> dict[str, str]:
    return {alias.key: alias.offence_id for alias in offence_aliases(source.source)}


def find_fit(source: Source, sheet: Sheet, *, is_named: bool, aliases: Mapping[str, str] | None = None) -> Fit | None:
    """The first layout of a source that fits a sheet, None where none does; arguments as for `fit_sheet`."""
    if aliases is None:
        aliases = _name_offences(source)
    tried = (fit_layout(layout, sheet, aliases, is_named=is_named) for layout in source.layouts)
    return next((fit for fit in tried if isinstance(fit, Fit)), None)


def fit_sheet(
    source: Source, sheet: Sheet, *, is_named: bool, aliases: Mapping[str, str] | None = None
) -> Fit | list[Misfit]:
    """The first layout of a source that fits a sheet, else why each does not, nearest first.

    Args:
        source: the declared source.
        sheet: the sheet.
        is_named: whether the sheet has a name of its own (those of text files have none).
        aliases: header meaning → offence_id; those of the source where None.
    """
    if aliases is None:
        aliases = _name_offences(source)
    if fit := find_fit(source, sheet, is_named=is_named, aliases=aliases):
        return fit
    misfits = [_look_closely(layout, sheet, aliases, is_named) for layout in source.layouts]
    # Of two that are equally near, the one declared last: it is the newer.
    misfits.reverse()
    return sorted(misfits, key=lambda misfit: (-len(misfit.found), misfit.count, -misfit.words_alike))


def _look_closely(layout: Layout, sheet: Sheet, aliases: Mapping[str, str], is_named: bool) -> Misfit:
    """Why a layout does not fit, also of a sheet that has the wrong name: its headers tell which table it is."""
    outside = _find_outside(layout, sheet, is_named)
    tried = _fit_rows(layout, sheet, aliases)
    if isinstance(tried, Misfit):
        return replace(tried, differs=tried.differs | outside)
    found = [*tried.columns, *tried.figures.values()]
    return Misfit(layout, sheet.name, outside, tried.header_row, found, title=tried.title)


def find_table(source: Source, sheet: Sheet, *, is_named: bool) -> Fit:
    """The declared table of a sheet.

    Raises:
        LayoutError: the sheet fits no layout; the message names what was expected, what was found and what is alike.
    """
    fit = fit_sheet(source, sheet, is_named=is_named)
    if isinstance(fit, list):
        raise LayoutError(
            f"sheet {sheet.name!r} fits no layout of {source.source}; nearest is {fit[0].describe()}"
            if fit
            else f"{source.source} declares no layout",
            "`justice-etl inspect FILE` prints what to add to source.yml; docs/new-release.md says how",
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
