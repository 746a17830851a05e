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
    from etl.rank_words import Ranking
    from etl.refresh import Refreshed
    from etl.trace import Trace

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
    rows = [
        (
            f"{cell.filename} ({cell.sha256[:12]})",
            cell.sheet,
            cell.address,
            repr(cell.text),
            cell.area_code,
            cell.figure,
            cell.period_end,
        )
        for cell in found.cells
    ]
    print_table(["file", "sheet", "cell", "published text", "area", "figure", "period end"], rows)
    if found.cell_count > len(found.cells):
        err.print(f"{found.cell_count - len(found.cells):,} more cells are not shown.", highlight=False)


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
