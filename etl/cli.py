"""The command line: `justice-etl`. Every command calls the functions that the scheduler calls.

Here are the commands that land, build and publish; those that only ask are in `etl.cli_ask`.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.markup import escape

from etl.cli_ask import AsJson, add_notes, asking
from etl.cli_claim import claiming
from etl.cli_revisions import revising
from etl.cli_serve import serving
from etl.console import err, out, print_json, print_ranking, print_refreshed, print_table, show_progress
from etl.errors import ExitStatus, JusticeError, StoppedVersionError, UnreachableError, WrongUseError
from etl.logs import set_up_logging
from etl.settings import Settings, own_version

if TYPE_CHECKING:
    from etl.refresh import Refreshed

app = typer.Typer(
    name="justice-etl",
    help="Published crime and justice tables of England and Wales, from the workbook to a DuckDB warehouse.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="The files, as downloaded.")]

ALERTING = ("refresh", "build", "publish", "verify")
"""Commands that run without anybody watching: what they fail of is sent to whom JUSTICE_ALERT_URLS names."""


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
        f"  JUSTICE_HOME={home} .venv/bin/justice-etl serve    # the pages and feeds, in a browser\n"
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
    edition: Annotated[
        str | None, typer.Option(metavar="TITLE", help="One edition of that source, by its title, key or page.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Leave alone what was published before and never landed.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Ask for all bytes again: files are swapped in silence.")
    ] = False,
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
        result = refresh(
            settings,
            source=source,
            edition=edition,
            since=parse_day(since),
            is_full=full,
            is_dry=dry_run,
            progress=progress,
        )
    if as_json:
        names = ("run_id", "outcomes", "unknown", "late", "published", "failure")
        print_json({name: getattr(result, name) for name in names})
    else:
        print_refreshed(result)
    found = list_news(result)
    if isinstance(result.failure, StoppedVersionError):
        found += print_kept_out_of_staged(settings.home, result.before)
    if result.failure:
        raise add_notes(result.failure, found)
    newly: list[str] = []
    if result.published:
        manifest = read_manifest(settings.home / CURRENT)
        newly = print_kept_out(manifest, result.before if result.published.is_new else manifest)
    found += newly
    if missed := result.missed:
        error = UnreachableError(
            f"{len(missed)} of {len(result.outcomes)} files and pages could not be had, the first {missed[0].url}",
            "what could be had is landed and serves; the next run asks again",
        )
        raise add_notes(error, found)
    raise add_notes(typer.Exit(result.exit_status or (ExitStatus.KEPT_OUT if newly else ExitStatus.DONE)), found)


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
        print_json({"version": built.version, "is_new": built.is_new, "items": manifest["items"]})
    elif built.is_new:
        rows = sum(table["rows"] for table in manifest["tables"].values())
        out.print(f"Built version {built.version}: {rows:,} rows in {len(manifest['tables'])} tables.")
        out.print("Next: justice-etl publish", highlight=False)
    else:
        out.print(f"Nothing new: version {built.version} was already built.")
    newly = print_kept_out(manifest, serving_manifest(settings.home))
    stopped = print_stopped(manifest)
    if newly or stopped:
        raise add_notes(typer.Exit(ExitStatus.KEPT_OUT), newly + stopped)


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
        try:
            published = publish(home, settings, built.version)
        except StoppedVersionError as error:
            add_notes(error, print_kept_out_of_staged(home, before))
            raise
    if as_json:
        print_json(published)
    elif published.is_new:
        out.print(
            f"Published version {published.version}: {home / CURRENT}", soft_wrap=True, highlight=False, markup=False
        )
    else:
        out.print(f"Nothing new: version {published.version} already serves.")
    manifest = read_manifest(home / CURRENT)
    if newly := print_kept_out(manifest, before if published.is_new else manifest):
        raise add_notes(typer.Exit(ExitStatus.KEPT_OUT), newly)


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


@app.command(name="alert")
def send_test_alert(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="What it says.")] = "This is a test: alerts arrive.",
) -> None:
    """Send a test alert to every address of JUSTICE_ALERT_URLS, and say where it arrived."""
    from etl.alerts import deliver, describe_test

    settings = Settings()
    if not settings.alert_urls:
        raise WrongUseError("nobody is to be told: no address is set", "JUSTICE_ALERT_URLS, see docs/operating.md")
    deliveries = deliver(settings, describe_test(settings.home, text))
    for delivery in deliveries:
        mark = "[green]✓[/]" if delivery.is_well else "[red]✗[/]"
        out.print(f"{mark} {escape(delivery.address)}: {delivery.words}", highlight=False, soft_wrap=True)
    if failed := sum(not delivery.is_well for delivery in deliveries):
        raise JusticeError(
            f"the alert did not arrive at {failed} of {len(deliveries)} addresses",
            "`.venv/bin/apprise -vv -b test ADDRESS` shows what the service answers",
        )


def print_kept_out(manifest: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """Say what a version keeps out and warns of; → what the version before it, if any, did not keep out."""
    from etl.publish import find_newly_kept_out, find_warnings

    newly = find_newly_kept_out(manifest, before)
    for message in find_newly_kept_out(manifest, None):
        word, style = ("Kept out", "red") if message in newly else ("Still kept out", "yellow")
        err.print(f"[{style}]{word}[/]: {escape(message)}", highlight=False, soft_wrap=True)
    for message in find_warnings(manifest):
        err.print(f"[yellow]Warning[/]: {escape(message)}", highlight=False, soft_wrap=True)
    return [f"Kept out: {message}" for message in newly]


def print_kept_out_of_staged(home: Path, before: dict[str, Any] | None) -> list[str]:
    """Say what a version keeps out that was built and is not published; → what is new of it, and what stops it."""
    from etl.manifest import MANIFEST, read_manifest
    from etl.publish import find_stopped

    found = []
    for path in (home / "staging").glob(f"*/{MANIFEST}"):
        manifest = read_manifest(path.parent)
        # The error names the first.
        found += [f"Not to be published: {message}" for message in find_stopped(manifest)[1:]]
        found += print_kept_out(manifest, before)
    return found


def print_stopped(manifest: dict[str, Any]) -> list[str]:
    """Say what keeps a version from being published; → the same."""
    from etl.publish import find_stopped

    stopped = find_stopped(manifest)
    for message in stopped:
        err.print(f"[red]Not to be published[/]: {escape(message)}", highlight=False, soft_wrap=True)
    return [f"Not to be published: {message}" for message in stopped]


def list_news(result: Refreshed) -> list[str]:
    """What a refresh was newly refused or did not get: one sentence a file or page."""
    return [outcome.sentence for outcome in result.outcomes if outcome.is_trouble] + result.late


app.registered_commands += asking.registered_commands + claiming.registered_commands
app.registered_commands += revising.registered_commands + serving.registered_commands


def main() -> None:
    """Run the command line; where nobody watches, tell of a failure whom the settings name."""
    try:
        run()
    except SystemExit as ending:
        # Typer and `fail` leave while they handle what ended the command.
        tell(ending.code, ending.__context__)
        raise


def tell(status: object, error: BaseException | None) -> None:
    """Send an alert where one of the `ALERTING` commands failed or newly kept something out."""
    words = sys.argv[1:]
    command = next((word for word in words if not word.startswith("-")), "")
    if command not in ALERTING or "--dry-run" in words or status not in (ExitStatus.FAILED, ExitStatus.KEPT_OUT):
        return
    from etl.alerts import describe_failure, send_alert

    settings = Settings()
    send_alert(
        settings, describe_failure(settings.home, error or SystemExit(status), shlex.join(["justice-etl", *words]))
    )


def run() -> None:
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
