"""A published file that fits no declared layout: what was expected, what was found, and what to add so that it fits.

The lines to add are worked out on the text of the declaration and tried on the file, so that what is put forward is
known to fit. Whether it is *right* no program can know: what a person must decide is said with it, and every `why`
is left as a question mark.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path

from etl.cells import header_meaning, parse_years_ending, split_notes, tidy_text
from etl.declarations import add_header, add_layout, add_rule, escape, parse, widen
from etl.layouts import Fit, Misfit, Missing, bare_name, fit_sheet
from etl.likeness import Pair
from etl.settings import project_root
from etl.sources import Ignored, Source
from etl.sources.readers import keep_data_rows
from etl.spreadsheets import CSV_SHEET, Sheet

ALIASES = "warehouse/ref/offence_alias.csv"
WHY = "?"
_YEAR = r"(19|20)\d\d"
_STEPS = 4
"""So many steps a sheet may need, one after the other: its headers, its name, its title, its categories."""


@dataclass(frozen=True)
class Drift:
    """What of one sheet is not as its nearest layout declares it.

    Attributes:
        sheet: its name.
        layout: the layout that comes nearest; None where no row carries any declared header.
        header_row: the published row that comes nearest.
        pairs: headers expected, and those that may stand in their place, with how alike they are.
        missing: headers expected without any that is like them (offences by `offence_id`).
        extra: headers found that are like none.
        known: those of them that are offences which the layout does not have: header → `offence_id`.
        twice: headers of one meaning that stand over several columns.
        name_expected: the pattern of the sheet's name, where it is the name that does not fit.
        title_expected: the pattern of the lines above the header, where they do not fit.
        title_found: the first of those lines.
        categories: categories of reoffending that no rule knows.
    """

    sheet: str
    layout: str | None
    header_row: int | None
    pairs: tuple[Pair, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    known: tuple[tuple[str, str], ...] = ()
    twice: tuple[str, ...] = ()
    name_expected: str | None = None
    title_expected: str | None = None
    title_found: str | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """Lines to write in a file of the project: in place of those `replaced`, which begin at `line` (1-based).

    Where none are replaced, the new lines stand before that line.
    """

    file: str
    line: int
    replaced: tuple[str, ...]
    written: tuple[str, ...]


@dataclass(frozen=True)
class Suggestion:
    """What does not fit, and what to add.

    Attributes:
        drifts: one for each sheet that does not fit.
        changes: by file, the last line first: whoever works from the top finds the line numbers as they are given.
        decide: what a person must decide before it is used.
        left: sheets that would not fit even then, and why.
    """

    drifts: tuple[Drift, ...] = ()
    changes: tuple[Change, ...] = ()
    decide: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Draft:
    """A source as it would be with other texts of its declaration and of the list of offence names.

    Attributes:
        name: the source.
        declaration: the text of its `source.yml`.
        aliases: the text of the list of offence names.
        asked: what must be decided for it.
        made: layouts that were added: the one that came nearest → the new one.
    """

    name: str
    declaration: str
    aliases: str
    asked: tuple[str, ...] = ()
    made: tuple[tuple[str, str], ...] = ()

    @cached_property
    def source(self) -> Source:
        return Source.model_validate(parse(self.declaration))

    @cached_property
    def offences(self) -> dict[str, str]:
        """Header meaning → offence_id."""
        rows = csv.DictReader(io.StringIO(self.aliases, newline=""))
        return {header_meaning(row["published_name"]): row["offence_id"] for row in rows if row["source"] == self.name}

    def fit(self, sheet: Sheet, *, is_named: bool) -> Fit | list[Misfit]:
        return fit_sheet(self.source, sheet, is_named=is_named, aliases=self.offences)

    def ask(self, *questions: str) -> _Draft:
        """The same with more to decide; no question is asked twice."""
        return replace(self, asked=tuple(dict.fromkeys([*self.asked, *questions])))

    def declare(self, text: str) -> _Draft:
        return replace(self, declaration=text)


Sheets = Sequence[tuple[Sheet, bool]]
"""Sheets of one file, and whether each has a name of its own."""


def suggest(source: Source, sheets: Sheets) -> Suggestion:
    """What of a file does not fit a source, and what to add so that it does.

    Args:
        source: the declared source that the file belongs to.
        sheets: the sheets of the file.

    Returns:
        Nothing in any part where everything fits. The changes are tried on the sheets: what they do not settle is
        in `left`.
    """
    first = draft = _Draft(
        source.source,
        (source.folder / "source.yml").read_text(encoding="utf-8"),
        (project_root() / ALIASES).read_text(encoding="utf-8"),
    )
    drifts: list[Drift] = []
    left: list[str] = []
    names = [bare_name(sheet) for sheet, is_named in sheets if is_named]
    for sheet, is_named in sheets:
        drift = _look(first, sheet, is_named)
        if drift is None:
            continue
        drifts.append(drift)
        for _ in range(_STEPS):
            # What was changed for a sheet before may look as near by now: keep to the layout that came nearest.
            target = dict(draft.made).get(drift.layout or "", drift.layout)
            draft = _settle(draft, sheet, is_named, names, target)
        if _look(draft, sheet, is_named) is not None:
            left.append(_say_left(draft, sheet, is_named))
    return Suggestion(tuple(drifts), _list_changes(source, first, draft), draft.asked, tuple(left))


# --- what does not fit ---------------------------------------------------------------------------------


def _look(draft: _Draft, sheet: Sheet, is_named: bool) -> Drift | None:
    """What of a sheet does not fit; None where it fits, or is left out."""
    if draft.source.why_ignored(sheet.name):
        return None
    tried = draft.fit(sheet, is_named=is_named)
    if isinstance(tried, Fit):
        categories = find_unknown_categories(tried)
        if not categories:
            return None
        return Drift(sheet.name, tried.layout.layout, tried.header_row + 1, categories=categories)
    if not tried or tried[0].header_row is None:
        return Drift(sheet.name, None, None)
    return _describe(tried[0])


def _describe(near: Misfit) -> Drift:
    assert near.header_row is not None
    pairs = near.pairs
    paired = {pair.expected for pair in pairs} | {pair.found for pair in pairs}
    return Drift(
        sheet=near.sheet,
        layout=near.layout.layout,
        header_row=near.header_row + 1,
        pairs=tuple(pairs),
        missing=tuple(missing.expected for missing in near.missing if missing.expected not in paired),
        extra=tuple(text for text in near.extra if text not in paired),
        known=tuple(near.known.items()),
        twice=tuple(near.twice),
        name_expected=near.layout.sheet if "name" in near.differs else None,
        title_expected=near.layout.title if "title" in near.differs else None,
        title_found=near.first_line if "title" in near.differs else None,
    )


def find_unknown_categories(fit: Fit) -> tuple[str, ...]:
    """The categories of a table that no rule of its layout knows, as they are compared, in published order."""
    if not fit.layout.categories or "category" not in fit.columns:
        return ()
    texts = fit.column("category").filter(keep_data_rows(fit)).unique().to_pylist()
    meanings = dict.fromkeys(header_meaning(text) for text in texts)
    rules = [re.compile(rule.match) for rule in fit.layout.categories]
    return tuple(text for text in meanings if text and not any(rule.fullmatch(text) for rule in rules))


def _say_left(draft: _Draft, sheet: Sheet, is_named: bool) -> str:
    tried = draft.fit(sheet, is_named=is_named)
    if isinstance(tried, list) and tried:
        return f"sheet {sheet.name!r}: {tried[0].describe()}"
    return f"sheet {sheet.name!r}"


# --- what to add ---------------------------------------------------------------------------------------


def _settle(draft: _Draft, sheet: Sheet, is_named: bool, names: Sequence[str], target: str | None) -> _Draft:
    """One step towards a draft that the sheet fits; the same draft where it fits, or nothing is known to help.

    Args:
        draft: the declaration so far.
        sheet: the sheet.
        is_named: whether it has a name of its own.
        names: those of all sheets of the file.
        target: the layout that came nearest, or the one that was made of it.
    """
    if draft.source.why_ignored(sheet.name):
        return draft
    tried = draft.fit(sheet, is_named=is_named)
    if isinstance(tried, Fit):
        return _settle_categories(draft, tried)
    near = next((misfit for misfit in tried if misfit.layout.layout == target), None)
    if near is None or not near.has_most_headers or ("name" in near.differs and _is_taken(near, names)):
        return _leave_out(draft, sheet, is_named, near)
    if rivals := _find_rivals(near, tried):
        return draft.ask(_ask_about_rivals(sheet, near, rivals))
    if near.twice:
        return draft
    if "headers" in near.differs:
        return _settle_headers(draft, sheet, near)
    if "form" in near.differs:
        return _add_layout(draft, sheet, near, {"form": "workbook" if is_named else "text"})
    if "name" in near.differs:
        text = widen(draft.declaration, near.layout.layout, "sheet", _name_pattern(sheet))
        return draft.declare(text).ask(_ask_about_name(sheet, near))
    text = widen(draft.declaration, near.layout.layout, "title", _title_pattern(near))
    return draft.declare(text).ask(_ask_about_title(near))


def _is_taken(near: Misfit, names: Iterable[str]) -> bool:
    """Whether another sheet bears the name of the layout: then this one is another table, however alike.

    A layout that stands in a sheet a year (its name has digits) is never taken.
    """
    pattern = near.layout.sheet
    return r"\d" not in pattern and any(re.fullmatch(pattern, name, re.IGNORECASE) for name in names)


def _find_rivals(near: Misfit, misfits: Iterable[Misfit]) -> list[Misfit]:
    """Layouts of other tables that are just as near: a guess between them could make counts of rates."""
    return [
        other
        for other in misfits
        if other.layout.table_id != near.layout.table_id
        and (len(other.found), other.count, other.words_alike) == (len(near.found), near.count, near.words_alike)
    ]


def _leave_out(draft: _Draft, sheet: Sheet, is_named: bool, near: Misfit | None) -> _Draft:
    """A sheet that is none of our tables is left out by its name; but not one that bears the name of a table."""
    name = bare_name(sheet)
    patterns = [layout.sheet for layout in draft.source.layouts if layout.sheet != ".*"]
    is_ours = is_named and any(re.fullmatch(pattern, name, re.IGNORECASE) for pattern in patterns)
    if is_ours or sheet.name == CSV_SHEET:
        return draft
    ask = f"Is sheet {name!r} no table that we carry? The suggestion leaves it out, and wants a reason."
    if near is not None and near.has_most_headers:
        ask = (
            f"Sheet {name!r} is headed like {near.layout.layout}, which another sheet is. The suggestion leaves it "
            f"out, and wants a reason; to carry it, give it a layout and a table_id of its own instead."
        )
    rule = {"match": escape(name.casefold()), "why": WHY}
    return draft.declare(add_rule(draft.declaration, None, "ignore_sheets", rule)).ask(ask)


def _settle_headers(draft: _Draft, sheet: Sheet, near: Misfit) -> _Draft:
    """Other spellings first; then, where offences came or went, a layout of their own; else columns to ignore."""
    missing = {missing.expected: missing for missing in near.missing}
    strange = [text for text in near.extra if text not in near.known]
    for pair in near.pairs:
        draft = _settle_pair(draft, near, missing.pop(pair.expected), pair)
        strange.remove(pair.found)
    if columns := [wanted for wanted in missing.values() if not wanted.is_figure]:
        return draft.ask(*map(_ask_about_column, columns))
    if near.layout.figure_pattern and len(near.found) == len(near.layout.columns) and strange:
        return _settle_figure_pattern(draft, sheet, near, strange)
    draft = draft.ask(*map(_ask_about_extra, strange))
    if missing or near.known:
        return _settle_figures(draft, sheet, near, [wanted.name for wanted in missing.values()], strange)
    text = draft.declaration
    for rule in _ignore(strange):
        text = add_rule(text, near.layout.layout, "ignore_columns", rule)
    return draft.declare(text)


def _settle_pair(draft: _Draft, near: Misfit, wanted: Missing, pair: Pair) -> _Draft:
    """Another spelling: of an offence, in the list of their names; of a column, in its headers."""
    if wanted.is_figure:
        line = _csv_line(draft.name, pair.found, wanted.name)
        aliases = f"{draft.aliases.rstrip()}\n{line}\n"
        ask = f"Does {pair.found!r} count what {pair.name!r} did (offence {wanted.name})? If not, leave that line out."
        return replace(draft, aliases=aliases).ask(ask)
    if "(?P<" in (near.layout.columns[wanted.name].pattern or ""):
        return draft.ask(
            f"Is the column {pair.found!r} {wanted.name}? Its `pattern` takes something out of the header, such as the "
            f"year: widen the pattern by hand, so that it finds it there too."
        )
    text = add_header(draft.declaration, near.layout.layout, wanted.name, pair.found)
    ask = f"Is the column {pair.found!r} the one that was headed {pair.name!r} ({wanted.name})?"
    return draft.declare(text).ask(ask)


def _settle_figures(draft: _Draft, sheet: Sheet, near: Misfit, gone: list[str], strange: list[str]) -> _Draft:
    """A layout with other offences than the nearest one."""
    come = list(near.known.values())
    if gone:
        ask = f"Is {', '.join(gone)} published no more? If it stands under another header, add that header instead."
        draft = draft.ask(ask)
    if come:
        draft = draft.ask(f"{', '.join(come)} came: is the header's meaning what warehouse/ref/offence.csv says?")
    figures = [offence for offence in near.layout.figures if offence not in gone]
    return _add_layout(draft, sheet, near, {"figures": figures + come}, ignored=strange)


def _settle_figure_pattern(draft: _Draft, sheet: Sheet, near: Misfit, strange: list[str]) -> _Draft:
    """Columns headed by a year in another way: the pattern that most of them follow finds the year."""
    patterns = [escape(text).replace(r"\d{4}", r"(\d{4})", 1) for text in strange]
    commonest = max(dict.fromkeys(patterns), key=patterns.count)
    if "(" not in commonest.replace(r"\(", ""):
        commonest = f"({commonest})"
    rest = [text for text in strange if not re.fullmatch(commonest, text)]
    ask = f"Do the columns like {commonest!r} hold the figures of {near.layout.layout}?"
    draft = draft.ask(ask, *map(_ask_about_extra, rest))
    return _add_layout(draft, sheet, near, {"figure_pattern": commonest}, ignored=rest)


def _add_layout(
    draft: _Draft, sheet: Sheet, near: Misfit, changes: dict[str, object], ignored: Sequence[str] = ()
) -> _Draft:
    """A layout like the nearest one but for `changes`, with the sheet's own name and title where they differ too."""
    name = _name_layout(draft, near)
    if ignored:
        changes["ignore_columns"] = [*map(Ignored.model_dump, near.layout.ignore_columns), *_ignore(ignored)]
    if "form" in near.differs or "name" in near.differs:
        changes["sheet"] = _name_pattern(sheet)
        draft = draft.ask(_ask_about_name(sheet, near))
    if "title" in near.differs:
        changes["title"] = _title_pattern(near)
        draft = draft.ask(_ask_about_title(near))
    text = add_layout(draft.declaration, near.layout.layout, {"layout": name} | changes)
    return replace(draft, declaration=text, made=(*draft.made, (near.layout.layout, name)))


def _name_layout(draft: _Draft, near: Misfit) -> str:
    """The nearest layout's name with the year of the title, and a number where there is one already."""
    ends = parse_years_ending(near.title)
    year = str(ends[0].year) if ends else "new"
    old = near.layout.layout
    stem = re.sub(_YEAR, year, old) if re.search(_YEAR, old) else f"{old}_{year}"
    taken = {layout.layout for layout in draft.source.layouts}
    names = [stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _ignore(headers: Iterable[str]) -> list[dict[str, str]]:
    return [{"match": pattern, "why": WHY} for pattern in dict.fromkeys(map(escape, headers))]


def _name_pattern(sheet: Sheet) -> str:
    return escape(bare_name(sheet).casefold())


def _title_pattern(near: Misfit) -> str:
    """The first line of a title without the number of the table, the year and the notes."""
    title = split_notes(near.first_line).text.casefold()
    title = re.sub(r"^table\s+\w+\s*[:.\u2013-]?\s*", "", title)
    title = re.split(r",?\s*(?:in the |for the )?(?:year|12 months|twelve months)\s+(?:ending|to)\b", title)[0]
    return escape(tidy_text(title).strip(" ,:;"))


def _settle_categories(draft: _Draft, fit: Fit) -> _Draft:
    text = draft.declaration
    categories = find_unknown_categories(fit)
    for category in categories:
        rule = {"match": escape(category), "role": "ignore", "why": WHY}
        text = add_rule(text, fit.layout.layout, "categories", rule)
    return draft.declare(text).ask(*map(_ask_about_category, categories))


# --- what a person must decide -------------------------------------------------------------------------


def _ask_about_column(wanted: Missing) -> str:
    return (
        f"No column is headed like {wanted.expected!r} ({wanted.name}), which must be there. If one of those found is "
        f"it, add its header to that column; a table without it cannot be read."
    )


def _ask_about_extra(header: str) -> str:
    return (
        f"Is {header!r} a column that we do not carry? The suggestion ignores it, and wants a reason. (A new offence "
        f"needs a line in warehouse/ref/offence.csv, one in offence_alias.csv, and a place in `figures`.)"
    )


def _ask_about_name(sheet: Sheet, near: Misfit) -> str:
    return f"Is sheet {bare_name(sheet)!r} the table {near.layout.table_id} (like {near.layout.layout})?"


def _ask_about_rivals(sheet: Sheet, near: Misfit, rivals: Iterable[Misfit]) -> str:
    names = " or ".join([near.layout.layout, *(rival.layout.layout for rival in rivals)])
    return (
        f"Which table is sheet {bare_name(sheet)!r}? Its headers fit {names} alike, and neither its name nor its title "
        f"{near.first_line!r} says which: add them to `sheet` and `title` of the one that it is, and inspect again."
    )


def _ask_about_title(near: Misfit) -> str:
    meant = f"its measure ({near.layout.measure})" if near.layout.measure else "what the table holds"
    return (
        f"Does the title {near.first_line!r} still say {meant}? Titles tell tables with the same headers apart: "
        f"shorten the pattern to the words that say it."
    )


def _ask_about_category(category: str) -> str:
    return (
        f"What is the category {category!r}? The suggestion ignores its rows, and wants a reason. If each row is the "
        f"whole population of an area: role: total, with its level. If it cuts that population up: role: repeat."
    )


def _csv_line(*cells: str) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([*cells, "", ""])
    return line.getvalue()


# --- as lines of a file --------------------------------------------------------------------------------


def _list_changes(source: Source, first: _Draft, last: _Draft) -> tuple[Change, ...]:
    declaration = str(Path("etl/sources") / source.source / "source.yml")
    return (
        *_compare(declaration, first.declaration, last.declaration),
        *_compare(ALIASES, first.aliases, last.aliases),
    )


def _compare(file: str, before: str, after: str) -> list[Change]:
    """The lines that differ, from the end of the file up."""
    old, new = before.splitlines(), after.splitlines()
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changes = [
        Change(file, from_ + 1, tuple(old[from_:to]), tuple(new[start:end]))
        for kind, from_, to, start, end in steps
        if kind != "equal"
    ]
    return changes[::-1]
