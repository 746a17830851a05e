"""`justice-etl revisions`: what later publications changed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli_ask import AsJson
from etl.console import out, print_json, print_table
from etl.errors import WrongUseError
from etl.settings import Settings

if TYPE_CHECKING:
    from etl.revisions import Revisions

revising = typer.Typer()

SHOWN = 50
"""Revisions that are printed where nothing is said; JSON holds all."""

NOTE = (
    "A revision is not an error: forces and courts go on recording after a period ends, and publishers take in what "
    "they learn of."
)


@revising.command(name="revisions")
def show_revisions(
    area: Annotated[str | None, typer.Option(metavar="NAME|CODE", help="One area; without it, all.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Published on this day or later, such as 2019-01-01.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Published on this day or before.")] = None,
    figure: Annotated[
        str | None,
        typer.Option(help="offences, offenders, reoffenders, reoffences, actual_percent or predicted_percent."),
    ] = None,
    offence: Annotated[str | None, typer.Option(help="An offence_id or the name of an offence.")] = None,
    release: Annotated[str | None, typer.Option(metavar="ID", help="The release that revised.")] = None,
    level: Annotated[str | None, typer.Option(help="Of areas; where several areas bear the name.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"Revisions to give: {SHOWN} without, but with --json all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Figures that a later release stated otherwise, the newest publication first, then the largest."""
    from etl.revisions import read_revisions

    found = read_revisions(
        Settings().home,
        area=area,
        since=_parse_day(since),
        until=_parse_day(until),
        figure=figure,
        offence=offence,
        release=release,
        level=level,
        limit=limit if as_json else limit or SHOWN,
    )
    if as_json:
        print_json(found)
    else:
        print_revisions(found)


def _parse_day(text: str | None) -> date | None:
    from etl.cells import parse_day

    if text is None:
        return None
    if (day := parse_day(text)) is None:
        raise WrongUseError(f"{text!r} is no day", "write it as 2018-03-31")
    return day


def print_revisions(found: Revisions) -> None:
    """Print revisions as a table, how many more there are, and what can be said of all of them."""
    from etl.revisions import (
        describe_figure,
        describe_period,
        format_after,
        format_before,
        format_change,
        format_percent,
    )

    rows = [
        (
            revision.area_name,
            describe_figure(revision),
            describe_period(revision),
            format_before(revision),
            format_after(revision),
            format_change(revision),
            format_percent(revision),
            revision.published_on,
            revision.release_id,
        )
        for revision in found.revisions
    ]
    if rows:
        columns = ["area", "figure", "period", "before", "after", "by", "percent", "published on", "release"]
        modelled = any(revision.is_modelled for revision in found.revisions)
        print_table(columns, rows, "MODELLED SAMPLE, not published figures" if modelled else None)
    if (more := found.revisions_in_all - len(rows)) > 0:
        out.print(f"… and {more:,} more; --limit gives them.", highlight=False)
    notes = [NOTE] if rows else []
    for text in [found.sentence, *notes]:
        out.print(text, highlight=False, soft_wrap=True, markup=False)
