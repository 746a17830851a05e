"""What the command line prints: tables, JSON, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from etl.build import Progress
    from etl.inspection import FileReport
    from etl.quarantine import Item
    from etl.rank_words import Ranking
    from etl.refresh import Refreshed
    from etl.settling import Figure, Settling, Suggestion
    from etl.trace import Cell, Trace

# Without emoji: `a:b:c` is the name of a file.
out = Console(emoji=False)
err = Console(stderr=True, emoji=False)


@contextmanager
def show_progress() -> Iterator[Progress]:
    """A Rich progress bar on a terminal; elsewhere the log lines speak."""
    from etl.build import no_progress

    if not err.is_terminal:
        yield no_progress
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("")

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield update


def print_json(content: Any) -> None:
    """Print data as JSON: dataclasses as objects, dates as ISO text."""

    def plain(value: object) -> object:
        if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        if isinstance(value, Decimal):
            return float(value)
        return value.isoformat() if isinstance(value, (date, datetime)) else str(value)

    sys.stdout.write(json.dumps(content, default=plain, indent=1, ensure_ascii=False) + "\n")


def print_table(columns: list[str], rows: list[tuple[Any, ...]], title: str | None = None) -> None:
    """Print rows as a table; numbers to the right, nothing cut on a terminal's width where it can be helped."""
    table = Table(title=title, title_justify="left", header_style="bold", show_edge=False)
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], (int, float, type(None))) for row in rows) and bool(rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_format_plain(value)) for value in row))
    console = out if out.is_terminal else Console(width=max(out.width, 200), emoji=False)
    console.print(table)


def format_value(value: Any) -> str:
    """A value as people read it, to be put between Rich's markup."""
    return escape(_format_plain(value))


def _format_plain(value: Any) -> str:
    """A value as people read it: thousands separated, nulls as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return str(value)


def print_report(report: FileReport) -> None:
    """Print what `inspect` found, sheet by sheet; where no source takes the file, what to add."""
    modelled = ", a modelled sample" if report.is_modelled else ""
    _say(f"{report.filename}: {report.media_type}{modelled}")
    _say(f"Source: {report.source or 'none of the declared ones'}")
    if report.source:
        _say(f"Reads: {report.lines:,} lines")
    else:
        _say(f"Nearest: {report.nearest_source or 'none'}: {report.why_nearest}")
    for sheet in report.sheets:
        where = f"header in row {sheet.header_row}" if sheet.header_row else "no header found"
        if sheet.layout:
            verdict = f"[green]{sheet.layout}[/] (table {sheet.table_id}), {where}"
        elif sheet.ignored:
            verdict = f"left out: {format_value(sheet.ignored)}"
        elif sheet.header_row:
            verdict = f"[red]fits no layout[/]; nearest is {format_value(sheet.nearest)}"
        else:
            verdict = "[red]fits no layout[/]; no row near the top carries the headers of any"
        out.print(
            f"  {format_value(repr(sheet.sheet))} ({sheet.rows:,} × {sheet.columns}): {verdict}",
            highlight=False,
            soft_wrap=True,
        )
        if not sheet.layout and not sheet.ignored and sheet.headers:
            _say(f"    found {where}: {', '.join(map(repr, sheet.headers))}")
    for name, why in report.skipped.items():
        _say(f"  {name!r}: {why}")
    if report.problem:
        _say(f"Cannot be read: {report.problem}")
    _print_drift(report)


def _say(text: str) -> None:
    """A line as it stands: nothing coloured, nothing cut, brackets and all."""
    out.print(text, highlight=False, soft_wrap=True, markup=False)


def _print_drift(report: FileReport) -> None:
    """Expected against found, what a person must decide, and the lines to add."""
    for drift in report.drifts:
        rows = [
            *((pair.name, pair.found, f"{pair.likeness:.0%}") for pair in drift.pairs),
            *((name, None, None) for name in drift.missing),
            *((f"no column of this layout: {offence}", text, None) for text, offence in drift.known),
            *((None, text, None) for text in drift.extra if text not in dict(drift.known)),
            *((f"one column: {name}", "several", None) for name in drift.twice),
            *([(f"a sheet called {drift.name_expected}", drift.sheet, None)] if drift.name_expected else []),
            *([(f"a title like {drift.title_expected}", drift.title_found, None)] if drift.title_expected else []),
            *(("a declared category", text, None) for text in drift.categories),
        ]
        if rows:
            _say(f"\nSheet {drift.sheet!r} against {drift.layout}:")
            print_table(["expected", "found", "alike"], rows)
    for number, question in enumerate(report.decide, start=1):
        _say(f"{chr(10) if number == 1 else ''}Decide {number}: {question}")
    for change in report.changes:
        last = change.line + len(change.replaced) - 1
        lines = f"line {change.line}" if last == change.line else f"lines {change.line} to {last}"
        parts = (
            [f"\nIn {change.file}, replace {lines}", *change.replaced, "by"]
            if change.replaced
            else [f"\nIn {change.file}, after line {last} add"]
        )
        _say("\n".join([*parts, *change.written]))
    if report.changes and not report.left:
        _say("\nWith these lines every sheet fits. Put a reason in the place of each ?, then inspect again.")
    for text in report.left:
        _say(f"\nNo lines to add are known for {text}")


def print_ranking(ranking: Ranking, limit: int) -> None:
    """Print a ranking with how sure each rank is; what can be said of one area, and what everybody must know, below."""
    from etl.rank_words import KINDS

    of = KINDS[ranking.kind]
    beside = ["95% interval"] if of.interval else [name.replace("_", " ") for name in of.beside]
    columns = ["rank", "area", of.value.replace("_", " "), *beside, "rank given the data", "guaranteed rank"]
    rows = [
        (
            row[of.rank],
            row["area_name"],
            None if row[of.value] is None else round(row[of.value], ranking.digits),
            *(
                [_format_range(row, *of.interval, digits=ranking.digits)]
                if of.interval
                else [row[n] for n in of.beside]
            ),
            _format_range(row, "rank_low", "rank_high"),
            _format_range(row, "rank_bound_low", "rank_bound_high"),
            row["indistinguishable_areas"],
            row.get("funnel_class") or row["exclusion_reason"],
        )
        for row in ranking.rows[:limit]
    ]
    print_table([*columns, "cannot be told from", "funnel, or why not ranked"], rows, ranking.title)
    if len(ranking.rows) > limit:
        out.print(f"… and {len(ranking.rows) - limit} more; --limit gives them.", highlight=False)
    for text in filter(None, [ranking.sentence, *ranking.notes]):
        out.print(text, highlight=False, soft_wrap=True, markup=False)


def _format_range(row: dict[str, Any], low: str, high: str, digits: int = 0) -> str | None:
    return None if row[low] is None else f"{row[low]:.{digits}f} to {row[high]:.{digits}f}"


def print_trace(found: Trace) -> None:
    """Print a figure and the cells that it comes from."""
    value = "no value" if found.value is None else format_value(found.value)
    modelled = ", MODELLED SAMPLE" if found.is_modelled else ""
    out.print(
        f"{found.area_name} ({found.area_code}), {found.figure}, {found.span} to {found.period_end}: "
        f"{value}{' ' + format_value(found.marker) if found.marker else ''}{modelled}",
        highlight=False,
        soft_wrap=True,
    )
    how = f"added up from {found.cell_count:,} cells" if found.is_derived else "as published"
    if not found.cells:
        how = "not stated"
    out.print(f"{how} in {found.release_id}, table {found.table_id}", highlight=False, soft_wrap=True)
    is_corrected = any(cell.corrected is not None for cell in found.cells)
    rows = [
        (
            f"{cell.filename} ({cell.sha256[:12]})",
            cell.sheet,
            cell.address,
            repr(cell.text),
            cell.area_code,
            cell.figure,
            cell.period_end,
            *((_describe_correction(cell),) if is_corrected else ()),
        )
        for cell in found.cells
    ]
    columns = ["file", "sheet", "cell", "published text", "area", "figure", "period end"]
    print_table([*columns, "corrected to"] if is_corrected else columns, rows)
    if found.cell_count > len(found.cells):
        err.print(f"{found.cell_count - len(found.cells):,} more cells are not shown.", highlight=False)


def _describe_correction(cell: Cell) -> str | None:
    return None if cell.corrected is None else f"{cell.corrected!r}: {cell.correction_reason}"


def print_refreshed(result: Refreshed) -> None:
    """Print what a refresh found: counts for each source, then everything that was not as before."""
    order = ("new", "revised", "superseded", "unchanged", "withdrawn", "refused", "unreachable")
    states = [state for state in order if any(outcome.state == state for outcome in result.outcomes)]
    sources = sorted({outcome.source for outcome in result.outcomes})
    counts = [
        (source, *(sum(o.source == source and o.state == state for o in result.outcomes) for state in states))
        for source in sources
    ]
    print_table(["source", *states], counts)
    for outcome in result.outcomes:
        if outcome.state != "unchanged":
            file = " ".join(filter(None, (outcome.edition, outcome.filename or outcome.url)))
            place = outcome.release_id or f"{outcome.source}, {file}"
            known = "" if outcome.is_news else " (as before)"
            text = f"{outcome.state}{known}: {place}{': ' if outcome.why else ''}{outcome.why}"
            out.print(text, highlight=False, soft_wrap=True, markup=False)
    for sentence in result.late:
        out.print(sentence, highlight=False, soft_wrap=True, markup=False)
    for title in result.unknown:
        out.print(f"unknown: {title}", highlight=False, soft_wrap=True, markup=False)
    if result.published is None:
        out.print("Nothing was published.")
    elif result.published.is_new:
        out.print(f"Published version {result.published.version}.", highlight=False)
    else:
        out.print(f"Nothing new: version {result.published.version} already serves.", highlight=False)


SHOWN = 20
"""Figures and entries of an item that are printed; `--json` gives all."""

_SHORT = 160
_ONE_LINE = 1_000
_BECAME = {"kept_out": "kept out", "stopped": "stops publication", "warned": "is warned of"}


def print_items(items: list[Item]) -> None:
    """Print what was kept out, stops publication or is warned of: one line an item."""
    table = Table(header_style="bold", show_edge=False)
    for column in ("id", "what became of it", "file or release", "rule"):
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("what is wrong", overflow="fold")
    for item in items:
        texts = [item.item_id, _BECAME[item.state], item.filename or item.release_id or "–", item.rule]
        table.add_row(*map(Text, [*texts, f"{item.count:,}", _shorten(item.short_message)]))
    # Whoever pipes it has one line an item.
    console = out if out.is_terminal else Console(width=_ONE_LINE, emoji=False)
    console.print(table)
    _say("What would settle one: justice-etl quarantine ID")


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


def print_settling(found: Settling) -> None:
    """Print an item, its figures as they were published, and what would settle it."""
    item = found.item
    _say(f"{item.item_id}, {_BECAME[item.state]}: {item.message}")
    if item.reason:
        _say(f"Why the rule is there: {item.reason}")
    if found.figures:
        _print_figures(found.figures)
    if (more := item.count - len(found.figures[:SHOWN])) > 0:
        where = ": all are in quarantine/lines.parquet" if item.kind == "name" else ""
        err.print(f"{more:,} more are not shown{where}", highlight=False)
    _say("\nWhat would settle it")
    for suggestion in found.suggestions:
        _print_suggestion(suggestion)
    if found.inspection:
        _print_drift(found.inspection)


def _print_figures(figures: list[Figure]) -> None:
    rows = [
        (
            figure.release_id,
            figure.filename and f"{figure.filename} ({figure.sha256 and figure.sha256[:12]})",
            figure.sheet,
            figure.address,
            figure.figure,
            figure.expected,
            figure.found,
            repr(figure.text) if figure.address else None,
        )
        for figure in figures[:SHOWN]
    ]
    print_table(["release", "file", "sheet", "cell", "figure", "expected", "found", "published text"], rows)


def _print_suggestion(suggestion: Suggestion) -> None:
    _say(f"\n{suggestion.file + ': ' if suggestion.file else ''}{suggestion.do}")
    for entry in suggestion.entries[:SHOWN]:
        _say(entry)
    if len(suggestion.entries) > SHOWN:
        err.print(f"{len(suggestion.entries) - SHOWN:,} more entries: --json gives them.", highlight=False)
