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
from rich.table import Table

if TYPE_CHECKING:
    from etl.build import Progress
    from etl.inspection import FileReport
    from etl.refresh import Refreshed

out = Console()
err = Console(stderr=True)


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
        table.add_row(*(format_value(value) for value in row))
    console = out if out.is_terminal else Console(width=max(out.width, 200))
    console.print(table)


def format_value(value: Any) -> str:
    """A value as people read it: thousands separated, nulls as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return str(value).replace("[", "\\[")


def print_report(report: FileReport) -> None:
    """Print what `inspect` found, sheet by sheet."""
    modelled = ", a modelled sample" if report.is_modelled else ""
    out.print(f"{report.filename}: {report.media_type}{modelled}", highlight=False, soft_wrap=True, markup=False)
    out.print(f"Source: {report.source or 'none of the declared ones'}", highlight=False)
    for sheet in report.sheets:
        where = f"header in row {sheet.header_row}" if sheet.header_row else "no header found"
        if sheet.layout:
            verdict = f"[green]{sheet.layout}[/] (table {sheet.table_id}), {where}"
        elif sheet.ignored:
            verdict = f"left out: {sheet.ignored}"
        else:
            verdict = f"[red]fits no layout[/]; nearest is {(sheet.nearest or '').replace('[', chr(92) + '[')}"
        out.print(
            f"  {format_value(repr(sheet.sheet))} ({sheet.rows:,} × {sheet.columns}): {verdict}",
            highlight=False,
            soft_wrap=True,
        )
        if not sheet.layout and not sheet.ignored and sheet.headers:
            out.print(
                f"    found {where}: {', '.join(map(repr, sheet.headers))}",
                highlight=False,
                soft_wrap=True,
                markup=False,
            )
    for name, why in report.skipped.items():
        out.print(f"  {name!r}: {why}", highlight=False, soft_wrap=True, markup=False)


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
    for title in result.unknown:
        out.print(f"unknown: {title}", highlight=False, soft_wrap=True, markup=False)
    if result.published is None:
        out.print("Nothing was published.")
    elif result.published.is_new:
        out.print(f"Published version {result.published.version}.", highlight=False)
    else:
        out.print(f"Nothing new: version {result.published.version} already serves.", highlight=False)
