"""The commands of `justice-etl` that ask and change nothing; those that land, build and publish are in `etl.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.markup import escape

from etl.console import (
    err,
    out,
    print_items,
    print_json,
    print_ranking,
    print_report,
    print_settling,
    print_table,
    print_trace,
)
from etl.errors import ExitStatus, WrongUseError
from etl.settings import Settings

asking = typer.Typer()
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
Ending = TypeVar("Ending", bound=BaseException)


def add_notes(ending: Ending, found: list[str]) -> Ending:
    """Let what ends a command carry what it found, one sentence a note, for the alert; → the same."""
    for note in found:
        ending.add_note(note)
    return ending


@asking.command()
def status(as_json: AsJson = False) -> None:
    """What the home holds, which version serves, and whether it speaks of all that was landed."""
    from etl.status import get_status

    found = get_status(Settings().home)
    if as_json:
        print_json(found)
        return
    kind = found.kind or "nothing landed yet"
    out.print(f"Home       {found.home} ({kind})", highlight=False, soft_wrap=True, markup=False)
    out.print(f"Landed     {found.releases} releases, {found.files} files", highlight=False)
    out.print(f"Serving    {found.current or 'nothing yet'}" + (f", built {found.built_at}" if found.built_at else ""))
    if found.releases and not found.is_up_to_date:
        out.print("           not of all that was landed, or of other code: justice-etl publish", soft_wrap=True)
    if found.quarantined_lines:
        where = f"{found.home}/quarantine/lines.parquet"
        out.print(
            f"Quarantine {found.quarantined_lines:,} lines in {where}", highlight=False, soft_wrap=True, markup=False
        )
    if found.last_asked_at:
        out.print(f"Asked      publishers last at {found.last_asked_at}", highlight=False)
    for entry in found.expected:
        word = "[red]Late[/]       " if entry in found.late else "Expected   "
        when = entry.text or "no date given"
        out.print(f"{word}{escape(entry.title)}: {when} ({entry.status})", highlight=False, soft_wrap=True)
    for message in found.refused:
        out.print(f"Refused    {escape(message)}", highlight=False, soft_wrap=True)
    for message in found.kept_out:
        out.print(f"Kept out   {escape(message)}", highlight=False, soft_wrap=True)
    for message in found.stopped:
        out.print(f"[red]Stopped[/]    {escape(message)}", highlight=False, soft_wrap=True)
    for message in found.warned:
        out.print(f"Warning    {escape(message)}", highlight=False, soft_wrap=True)
    if found.kept_out or found.stopped or found.warned:
        out.print("Next       justice-etl quarantine lists them and shows what would settle them", soft_wrap=True)


@asking.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="One SQL statement; without it, how to open the file.")] = None,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to print; --json prints all.")] = 50,
) -> None:
    """Query the warehouse that serves, read-only."""
    from etl.publish import warehouse_path
    from etl.query import run_query

    home = Settings().home
    if query is None:
        path = warehouse_path(home)
        out.print(
            f"The warehouse is {path}\n\n"
            f"DuckDB CLI   duckdb -readonly {path}\n"
            f"Python       import duckdb; connection = duckdb.connect({str(path)!r}, read_only=True)\n"
            f'Here         justice-etl sql "SELECT * FROM meta.field"',
            highlight=False,
            soft_wrap=True,
            markup=False,
        )
        return
    answer = run_query(home, query, None if as_json else limit)
    if as_json:
        print_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
        return
    print_table(answer.columns, answer.rows)
    if answer.is_cut:
        err.print(f"The first {limit} rows; --limit gives more.", highlight=False)


@asking.command(name="trace")
def trace_figure(
    area: Annotated[str, typer.Argument(help="Code or name of the area.")],
    figure: Annotated[
        str,
        typer.Argument(
            help="An offence (offence_id or name, such as total_excluding_fraud); or offenders, reoffenders, "
            "reoffences; or, of local adult reoffending, caseload_offenders, actual_percent, predicted_percent."
        ),
    ],
    period_end: Annotated[str, typer.Argument(help="Last day of the period or cohort, such as 2018-03-31.")],
    span: Annotated[str, typer.Option(help="year or quarter.")] = "year",
    level: Annotated[str | None, typer.Option(help="Where several areas bear the name.")] = None,
    age_group: Annotated[str, typer.Option(help="Of reoffending: all, adult or child.")] = "all",
    measure: Annotated[
        str, typer.Option(help="Of reoffending: three_month_cohort or twelve_month_cohort.")
    ] = "three_month_cohort",
    as_json: AsJson = False,
) -> None:
    """From a figure of a mart to the file, sheet, cell and text that state it."""
    from etl.cells import parse_day
    from etl.trace import trace

    day = parse_day(period_end)
    if day is None:
        raise WrongUseError(f"{period_end!r} is no day", "write it as 2018-03-31")
    found = trace(Settings().home, area, figure, day, span=span, level=level, age_group=age_group, measure=measure)
    if as_json:
        print_json(found)
    else:
        print_trace(found)


@asking.command(name="rank")
def show_ranking(
    kind: Annotated[str, typer.Argument(help="reoffending, crime or local-adult.")],
    level: Annotated[
        str | None,
        typer.Option(help="upper_tier (but of crime: police_force, without), lower_tier, police_force, region or csp."),
    ] = None,
    year: Annotated[str | None, typer.Option(help="2020/21, or the last day of a year; the newest without.")] = None,
    area: Annotated[str | None, typer.Option(help="Name or code of an area to speak of.")] = None,
    age_group: Annotated[str | None, typer.Option(help="Of reoffending: all (without), adult or child.")] = None,
    measure: Annotated[
        str | None, typer.Option(help="Of reoffending: three_month_cohort (without) or twelve_month_cohort.")
    ] = None,
    span: Annotated[str | None, typer.Option(help="Of reoffending: year (without) or quarter.")] = None,
    offence: Annotated[str | None, typer.Option(help="Of crime: an offence_id; total_excluding_fraud without.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows to print; --json prints all.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Areas ranked by their rate, with how sure each rank is; of one area, in a sentence."""
    from etl.rank_words import read_ranking

    ranking = read_ranking(
        Settings().home,
        kind,
        level=level,
        year=year,
        area=area,
        age_group=age_group,
        measure=measure,
        span=span,
        offence_id=offence,
    )
    if as_json:
        print_json(ranking)
    else:
        print_ranking(ranking, limit)


@asking.command(name="inspect")
def inspect_file(file: Annotated[Path, typer.Argument(help="A file, landed or not.")], as_json: AsJson = False) -> None:
    """Sheets and headers of a file, which source and layout fit, and what is missing or extra."""
    from etl.inspection import inspect_file as look

    report = look(file)
    if as_json:
        print_json(report)
    else:
        print_report(report)
    if report.source is None:
        raise typer.Exit(ExitStatus.FAILED)


@asking.command(name="quarantine")
def show_quarantine(
    item: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An item, or how its id begins; without it, all are listed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What the last build kept out, stopped or warned of; of one item, its cells and the entry that would settle it."""
    from etl.quarantine import find_item, is_built, read_items

    home = Settings().home
    if item is not None:
        from etl.settling import settle

        found = settle(home, find_item(home, item))
        if as_json:
            print_json(found)
        else:
            print_settling(found)
        return
    items = read_items(home)
    if as_json:
        print_json(items)
    elif items:
        print_items(items)
    else:
        out.print(
            "Nothing is kept out, stopped or warned of." if is_built(home) else f"Nothing was built yet in {home}.",
            highlight=False,
            soft_wrap=True,
            markup=False,
        )


@asking.command()
def versions(as_json: AsJson = False) -> None:
    """The versions that are kept, in the order in which they were published."""
    from etl.publish import list_versions

    found = list_versions(Settings().home)
    if as_json:
        print_json(found)
        return
    states = [
        ", ".join(
            word
            for word, holds in (("serves", v.is_current), ("pinned", v.is_pinned), ("rolled back", v.is_held))
            if holds
        )
        for v in found
    ]
    rows = [(v.version, v.built_at, v.releases, state) for v, state in zip(found, states, strict=True)]
    print_table(["version", "built at", "releases", "state"], rows)


@asking.command(name="verify")
def verify_landing(as_json: AsJson = False) -> None:
    """Hash every landed file again and report what does not match."""
    from etl.landing import read_records, verify

    home = Settings().home
    problems = list(verify(home))
    if as_json:
        print_json({"files": len({r.sha256 for r in read_records(home)}), "problems": problems})
    for problem in problems:
        err.print(f"[red]✗[/] {escape(problem)}", highlight=False, soft_wrap=True)
    if problems:
        raise add_notes(typer.Exit(ExitStatus.FAILED), problems)
    if not as_json:
        out.print(f"All {len({record.sha256 for record in read_records(home)})} landed files match.")


@asking.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for set-up problems and say how to mend them."""
    from etl.status import examine

    findings = list(examine(Settings()))
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            mark = "[green]✓[/]" if finding.is_well else "[red]✗[/]"
            mend = "" if finding.is_well else f" → {finding.mend}"
            out.print(f"{mark} {finding.name}: {finding.found}{mend}", highlight=False, soft_wrap=True)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(ExitStatus.FAILED)
