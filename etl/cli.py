"""The command line: `justice-etl`. Every command calls the functions that the scheduler calls."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.markup import escape

from etl.console import (
    err,
    out,
    print_json,
    print_ranking,
    print_refreshed,
    print_report,
    print_table,
    print_trace,
    show_progress,
)
from etl.errors import ExitStatus, JusticeError, UnreachableError, WrongUseError
from etl.logs import set_up_logging
from etl.settings import Settings, own_version

app = typer.Typer(
    name="justice-etl",
    help="Published crime and justice tables of England and Wales, from the workbook to a DuckDB warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="The files, as downloaded.")]


@app.callback(invoke_without_command=True)
def set_up(
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more, and show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Published crime and justice tables of England and Wales, from the workbook to a DuckDB warehouse."""
    settings = Settings()
    # On a terminal progress says what is going on; elsewhere plain log lines do.
    quiet = err.is_terminal and not verbose
    set_up_logging("DEBUG" if verbose else "ERROR" if quiet else settings.log_level, settings.log_format)
    if version:
        out.print(own_version())
        raise typer.Exit


@app.command()
def demo() -> None:
    """Make modelled samples, fetch them from a loopback replica of their publishers, build and publish."""
    from etl.demo import demo_settings, run_demo
    from etl.query import run_query
    from etl.rank_words import read_ranking

    settings = demo_settings(Settings())
    with show_progress() as progress:
        result = run_demo(settings, progress)
    print_refreshed(result.refreshed)
    if result.refreshed.failure:
        raise result.refreshed.failure
    answer = run_query(settings.home, WEST_MIDLANDS_TREND)
    print_table(answer.columns, answer.rows, "West Midlands Police, recorded crime excluding fraud (MODELLED SAMPLE)")
    print_ranking(read_ranking(settings.home, "reoffending", year="2020/21", age_group="adult", area="Lambeth"), 8)
    home = os.path.relpath(result.home)
    out.print(
        "Totals of forces, of England and Wales and of Lambeth are real figures carried over with their source; "
        "the rest is modelled.\n"
        "Next:\n"
        f'  JUSTICE_HOME={home} .venv/bin/justice-etl sql "SELECT * FROM mart.crime_trend LIMIT 5"\n'
        f'  JUSTICE_HOME={home} .venv/bin/justice-etl trace "West Midlands" total_excluding_fraud 2018-03-31 '
        "--level police_force\n"
        "  docs/using.md (questions and their SQL), README.md (landing real files)",
        highlight=False,
        soft_wrap=True,
    )
    raise typer.Exit(result.refreshed.exit_status)


WEST_MIDLANDS_TREND = """
    SELECT period_end AS "year ending", offences, change, round(change_percent, 1) AS "change %",
        round(rate_per_1000, 1) AS "per 1,000", previous_source AS "compared with", reason
    FROM mart.crime_trend
    WHERE area_code = 'E23000014' AND offence_id = 'total_excluding_fraud' AND span = 'year'
    ORDER BY period_end
"""


@app.command(name="land")
def land_files(
    files: Files,
    source: Annotated[str, typer.Option(help="A declared source, such as recorded_crime_ons.")],
    release: Annotated[str, typer.Option(metavar="TITLE", help="Title of the edition, as published.")],
    published_on: Annotated[
        str, typer.Option(metavar="DATE", help="When it was published (2018-07-19, or with a time).")
    ],
    url: Annotated[str | None, typer.Option(help="Where the file came from.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep files that you have in hand, byte for byte, as one release of a source."""
    from etl.landing import land

    landed = land(Settings().home, source=source, title=release, published=published_on, files=files, url=url)
    if as_json:
        print_json(landed)
        return
    for item in landed:
        word = "Landed" if item.is_new else "Already there"
        out.print(
            f"{word}: {item.record.filename} → {item.release_id} ({item.record.sha256[:12]})",
            highlight=False,
            soft_wrap=True,
            markup=False,
        )


@app.command(name="refresh")
def refresh_from_publishers(
    source: Annotated[str | None, typer.Option(help="One source; without it, all.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Leave alone what was published before and never landed.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look: fetch, land and publish nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the publishers what is new, fetch and land it, build and publish."""
    from etl.cells import parse_day
    from etl.demo import demo_publishers
    from etl.manifest import read_manifest
    from etl.publish import CURRENT
    from etl.refresh import refresh

    if since is not None and parse_day(since) is None:
        raise WrongUseError(f"{since!r} is no day", "write it as 2018-03-31")
    with show_progress() as progress, demo_publishers(Settings()) as settings:
        result = refresh(settings, source=source, since=parse_day(since), is_dry=dry_run, progress=progress)
    if as_json:
        names = ("run_id", "outcomes", "unknown", "published", "failure")
        print_json({name: getattr(result, name) for name in names})
    else:
        print_refreshed(result)
    if result.failure:
        raise result.failure
    newly = False
    if result.published:
        manifest = read_manifest(settings.home / CURRENT)
        newly = print_kept_out(manifest, result.before if result.published.is_new else manifest)
    if missed := result.missed:
        raise UnreachableError(
            f"{len(missed)} of {len(result.outcomes)} files and pages could not be had, the first {missed[0].url}",
            "what could be had is landed and serves; the next run asks again",
        )
    raise typer.Exit(result.exit_status or (ExitStatus.KEPT_OUT if newly else ExitStatus.DONE))


@app.command(name="replica")
def serve_replica(
    archive: Annotated[Path, typer.Argument(help="A folder with answers.json, such as demo-data/archive.")],
    port: Annotated[int, typer.Option(help="0 takes any that is free.")] = 0,
) -> None:
    """Serve an archive of publishers' answers over loopback, until interrupted."""
    from etl.replica import Archive, Replica

    replica = Replica(Archive.load(archive), port=port)
    out.print(f"JUSTICE_REPLICA_URL={replica.url}", highlight=False)
    replica.serve()


@app.command(name="build")
def build_warehouse(as_json: AsJson = False) -> None:
    """Read what was landed and build the warehouse beside the one that serves."""
    from etl.build import build
    from etl.files import hold_lease
    from etl.manifest import read_manifest
    from etl.publish import serving_manifest

    settings = Settings()
    with show_progress() as progress, hold_lease(settings.home, "build", settings.lease_wait_seconds):
        built = build(settings.home, settings, progress)
    manifest = read_manifest(built.folder)
    if as_json:
        print_json({"version": built.version, "is_new": built.is_new, "kept_out": manifest["kept_out"]})
    elif built.is_new:
        rows = sum(table["rows"] for table in manifest["tables"].values())
        out.print(f"Built version {built.version}: {rows:,} rows in {len(manifest['tables'])} tables.")
        out.print("Next: justice-etl publish", highlight=False)
    else:
        out.print(f"Nothing new: version {built.version} was already built.")
    if print_kept_out(manifest, serving_manifest(settings.home)):
        raise typer.Exit(ExitStatus.KEPT_OUT)


@app.command(name="publish")
def publish_version(as_json: AsJson = False) -> None:
    """Let the version that the landed files make serve, in one step; it is built first if need be."""
    from etl.build import build
    from etl.files import hold_lease
    from etl.manifest import read_manifest
    from etl.publish import CURRENT, publish, serving_manifest

    settings = Settings()
    home = settings.home
    with show_progress() as progress, hold_lease(home, "publish", settings.lease_wait_seconds):
        before = serving_manifest(home)
        # Where everything is built already, this only says which version it is.
        built = build(home, settings, progress)
        published = publish(home, settings, built.version)
    if as_json:
        print_json(published)
    elif published.is_new:
        out.print(
            f"Published version {published.version}: {home / CURRENT}", soft_wrap=True, highlight=False, markup=False
        )
    else:
        out.print(f"Nothing new: version {published.version} already serves.")
    manifest = read_manifest(home / CURRENT)
    if print_kept_out(manifest, before if published.is_new else manifest):
        raise typer.Exit(ExitStatus.KEPT_OUT)


def print_kept_out(manifest: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """Say what a version keeps out; True where the version before it, if there was one, did not."""
    from etl.publish import find_newly_kept_out

    newly = find_newly_kept_out(manifest, before)
    for message in find_newly_kept_out(manifest, None):
        word, style = ("Kept out", "red") if message in newly else ("Still kept out", "yellow")
        err.print(f"[{style}]{word}[/]: {escape(message)}", highlight=False, soft_wrap=True)
    return bool(newly)


@app.command()
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


@app.command()
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


@app.command(name="trace")
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


@app.command(name="rank")
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


@app.command(name="inspect")
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


@app.command()
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


@app.command(name="rollback")
def roll_back(version: Annotated[str | None, typer.Argument(metavar="[ID]")] = None) -> None:
    """Serve the version before the current one, or the one named."""
    from etl.files import hold_lease
    from etl.publish import rollback

    settings = Settings()
    with hold_lease(settings.home, "rollback", settings.lease_wait_seconds):
        now = rollback(settings.home, version)
    out.print(f"Version {now} serves.", highlight=False)


@app.command(name="pin")
def pin_version(
    version: Annotated[str, typer.Argument(metavar="ID")],
    remove: Annotated[bool, typer.Option("--remove", help="Let it be pruned again.")] = False,
) -> None:
    """Keep a version for good."""
    from etl.files import hold_lease
    from etl.publish import pin

    settings = Settings()
    with hold_lease(settings.home, "pin", settings.lease_wait_seconds):
        pin(settings.home, version, is_pinned=not remove)
    out.print(f"Version {version} is {'no longer ' if remove else ''}pinned.", highlight=False)


@app.command(name="verify")
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
        raise typer.Exit(ExitStatus.FAILED)
    if not as_json:
        out.print(f"All {len({record.sha256 for record in read_records(home)})} landed files match.")


@app.command()
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


def main() -> None:
    """Run the command line; a failure is one readable message, with the traceback only under --verbose."""
    try:
        app(prog_name=app.info.name)
    except JusticeError as error:
        fail(error.what, error.next_step, error.exit_status)
    except ValidationError as error:
        [first, *_] = error.errors()
        name = f"{Settings.model_config.get('env_prefix')}{'_'.join(map(str, first['loc'])).upper()}"
        fail(f"{name} is {first['input']!r}: {first['msg']}", "set it otherwise, or not at all", ExitStatus.WRONG_USE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitStatus.DONE)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        fail(
            f"{error.strerror or error}{place}",
            "check the disk and the rights: justice-etl doctor",
            ExitStatus.FAILED,
        )
    except Exception as error:
        fail(f"{type(error).__name__}: {error}", "run again with --verbose and report it", ExitStatus.FAILED)


def fail(what: str, next_step: str, status: ExitStatus) -> None:
    """Print what happened and what to do, and exit."""
    if "--verbose" in sys.argv:
        err.print_exception()
    err.print(f"[bold red]error[/]: {escape(what)}", highlight=False, soft_wrap=True)
    if next_step:
        err.print(f"  → {escape(next_step)}", highlight=False, soft_wrap=True)
    sys.exit(status)
