"""The nightly job in steps that a scheduler runs, retries and maps over; `etl.refresh` takes the same in a row.

Steps take and give names only: sources, editions, hashes, versions. What one leaves for the next lies in
`runs/<run>/<source>/`: the plan, and what became of each edition. It may be removed once the run is over.
"""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from etl.build import Built, Progress, build, list_distinct, no_progress
from etl.demo import demo_publishers
from etl.editions import Outcome
from etl.errors import (
    AlreadyToldError,
    JusticeError,
    KeptOutError,
    LateReleaseError,
    StoppedVersionError,
    UnreachableError,
)
from etl.files import hold_lease, write_beside
from etl.gates import check_files
from etl.http import Http
from etl.landing import LONDON, Record, list_releases, verify
from etl.manifest import MANIFEST, compute_source_states, compute_version, read_manifest
from etl.observations import ObservationLog, new_run_id
from etl.publish import (
    Published,
    current_version,
    find_newly_kept_out,
    find_stopped,
    is_held,
    list_versions,
    prune,
    publish,
    serving_manifest,
)
from etl.publishers import Edition
from etl.reading import TidyFile, find_tidy, read_landed
from etl.reading_process import ReadingProcess
from etl.refresh import (
    Plan,
    discover,
    find_newly_late,
    find_orphans,
    finish,
    hold_source,
    make_plan,
    take_editions,
)
from etl.release_calendar import CalendarEntry, read_calendar
from etl.settings import Settings
from etl.sources import load_source
from etl.status import examine
from etl.visits import Visit

logger = logging.getLogger(__name__)

_PLAN = TypeAdapter(Plan)
_OUTCOMES = TypeAdapter(list[Outcome])
_POLL_AFTER = timedelta(minutes=1)
"""How long after its confirmed time a release is first looked for."""
_WITHDRAWN = "withdrawn.json"
_KEEP_RUNS = timedelta(days=30)


# --- ingest ---------------------------------------------------------------------------------------------------------


def discover_source(
    settings: Settings,
    source: str,
    run: str,
    *,
    edition: str | None = None,
    since: date | None = None,
    is_last_try: bool = True,
) -> list[str]:
    """Ask what the publishers of a source list, and plan what to take.

    Args:
        settings: home, contact, replica.
        source: the source.
        run: the name of the run, under which the plan is kept.
        edition: only the edition of this title, key or page.
        since: leave editions alone that were put out before this London date and never landed.
        is_last_try: go on with what was had; else a place that gave no answer is reason to try again.

    Returns:
        The keys of the editions to be taken, each once; `fetch_edition` takes one of them.

    Raises:
        WrongUseError: no edition is called that.
        LeaseHeldError: another run is asking the same publishers.
        UnreachableError: a place gave no answer, and this is not the last try.
    """
    with _visit(settings, source) as visit:
        listing = discover(visit, since)
        for title in listing.unknown:
            logger.warning("unknown title", extra={"where": source, "reason": title})
        plan = make_plan(visit, listing, edition)
    folder = _run_folder(settings, source, run)
    if (folder / "plan.json").exists():
        plan = replace(plan, outcomes=tuple(_keep_news(_read_plan(folder).outcomes, plan.outcomes)))
    _write(folder / "plan.json", _PLAN.dump_json(plan))
    places = {place.name for place in load_source(source).places}
    silent = [each for each in plan.outcomes if each.state == "unreachable" and each.url in places]
    if silent and not is_last_try:
        raise UnreachableError(silent[0].why)
    return list(dict.fromkeys(each.key for each in plan.editions))


def fetch_edition(settings: Settings, source: str, run: str, key: str) -> list[str]:
    """Fetch and land one planned edition with all its versions.

    What is refused does not fail the step: another try would not mend it; `report_source` tells of it.

    Returns:
        The releases that were made.

    Raises:
        UnreachableError: a file was not had, so that another try may do.
        LeaseHeldError: another run is asking the same publishers.
    """
    folder = _run_folder(settings, source, run)
    editions = [each for each in _read_plan(folder).editions if each.key == key]
    with _visit(settings, source) as visit:
        outcomes = take_editions(visit, editions)
    kept = folder / _outcome_name(key)
    outcomes = _keep_news(_read_outcomes(kept), outcomes)
    _write(kept, _OUTCOMES.dump_json(outcomes))
    if missed := [outcome for outcome in outcomes if outcome.is_trouble and outcome.state == "unreachable"]:
        raise UnreachableError(f"{len(missed)} of {len(outcomes)} files could not be had: {missed[0].why}")
    return sorted({outcome.release_id for outcome in outcomes if outcome.release_id})


def finish_source(settings: Settings, source: str, run: str) -> list[str]:
    """Note what the publishers took away, and name the landed files that are still to be read.

    It speaks of all that was landed, whichever run or command landed it.

    Returns:
        The SHA-256 of each file to be read.
    """
    folder = _run_folder(settings, source, run)
    if (folder / "plan.json").exists():
        plan = _read_plan(folder)
        outcomes, lost = _read_run(folder, plan)
        # Of what was not seen to its end nothing is known.
        with _visit(settings, source) as visit:
            withdrawn = finish(visit, replace(plan, is_whole=plan.is_whole and not lost), outcomes)
        if withdrawn:
            _write(folder / _WITHDRAWN, _OUTCOMES.dump_json(withdrawn))
    return [
        sha256 for sha256, record in _records(settings.home, source).items() if not find_tidy(settings.home, record)
    ]


def report_source(settings: Settings, source: str, run: str, now: datetime | None = None) -> None:
    """Tell what an operator must know of a run: once, and only what is new.

    Raises:
        KeptOutError: files or pages were newly refused or could not be had, a publisher took a release back, or one is
            newly late.
        AlreadyToldError: what the publishers list was not found out.
    """
    folder = _run_folder(settings, source, run)
    if not (folder / "plan.json").exists():
        raise AlreadyToldError(f"what {source} lists was not found out", "the step that asks says why")
    outcomes, lost = _read_run(folder, _read_plan(folder))
    outcomes += _read_outcomes(folder / _WITHDRAWN)
    found = [each.sentence for each in outcomes if each.is_trouble or (each.is_news and each.state == "withdrawn")]
    found += [f"not taken to its end: {each.title} ({each.page}): the log of its task says why" for each in lost]
    try:
        with _visit(settings, source) as visit:
            found += find_newly_late(visit, now)
    except JusticeError as error:  # the calendar is damaged: that must not hide what is told only now
        found.append(str(error))
    if found:
        raise KeptOutError(
            f"{source}: " + "\n".join(found), "what was landed stays; what this means: docs/operating.md, Alerts"
        )


def read_file(settings: Settings, source: str, sha256: str) -> int | str:
    """Read one landed file into tidy figures, unless that was done before.

    Returns:
        The number of its lines; or, where the whole file is kept out, the rule that it broke: the build says more.

    Raises:
        JusticeError: its bytes are gone or damaged.
    """
    record = _records(settings.home, source).get(sha256)
    if record is None:
        raise JusticeError(f"no landed file of {source} hashes to {sha256}", "run the ingest from the start")
    with ReadingProcess() as process:
        found = read_landed(settings.home, record, process.read)
    return found.rows if isinstance(found, TidyFile) else found.rule


def check_source(settings: Settings, source: str) -> dict[str, int]:
    """Judge every file of a source that was read, by the suite of its tidy table; the build takes what was found.

    Returns:
        How many files there are, how many were read, and how many the suite keeps out.
    """
    home = settings.home
    records = _records(home, source)
    files = [found for record in records.values() if (found := find_tidy(home, record))]
    releases = [release for release in list_releases(home) if release.source == source]
    verdict = check_files(home, releases, files)
    kept_out = {sha256 for _, sha256 in verdict.kept_out}
    return {"files": len(records), "read": len(files), "kept_out": len(kept_out)}


def find_news(settings: Settings, source: str) -> str | None:
    """The state of what was landed of a source, where the version that serves does not rest on it; else None.

    It looks at states, not at what this run did: what an interrupted run landed is news until it is published. Where
    all that was landed makes a version that is stopped or was rolled back, there is no news: it would be built again to
    the same end.
    """
    home = settings.home
    releases = list_releases(home)
    version = compute_version(releases)
    if is_held(home, version) or _list_stopped(home, version):
        return None
    state = compute_source_states([release for release in releases if release.source == source]).get(source)
    manifest = serving_manifest(home) or {}
    return None if state == manifest.get("sources", {}).get(source) else state


# --- release days ---------------------------------------------------------------------------------------------------


def poll_release(settings: Settings, source: str, now: datetime | None = None) -> str:
    """Whether a release that is confirmed for today is in.

    Args:
        settings: home, contact, replica.
        source: the source.
        now: this moment.

    Returns:
        `none` (nothing is confirmed for today), `early` (it is not time yet), `waiting`, `published`, or `cancelled`.

    Raises:
        LateReleaseError: the hour after its time has passed and it is not in.
    """
    now = now or datetime.now(UTC)
    due = _due_today(settings.home, source, now)
    if not due:
        return "none"
    if not any(entry.is_open for entry in due):
        return _sum_up(due)
    if all(now < datetime.fromisoformat(str(entry.expected_at)) + _POLL_AFTER for entry in due if entry.is_open):
        return "early"
    with _visit(settings, source) as visit:
        problems = discover(visit, only_announced=True).problems
        find_newly_late(visit, now)  # what is told here is not told again at night
    due = _due_today(settings.home, source, now, {entry.key for entry in due})
    if late := [entry for entry in due if entry.is_late(now)]:
        asked = f"; asking failed: {problems[0].error}" if problems else ""
        raise LateReleaseError(
            "\n".join(entry.late_sentence for entry in late) + asked,
            "look at the publisher's page; the next night takes it when it is there",
        )
    return "waiting" if any(entry.is_open for entry in due) else _sum_up(due)


def _sum_up(settled: list[CalendarEntry]) -> str:
    return "published" if any(entry.status == "published" for entry in settled) else "cancelled"


def _due_today(home: Path, source: str, now: datetime, keys: set[str] | None = None) -> list[CalendarEntry]:
    """What is confirmed for this London day or was settled by now; `keys`: these, wherever they have moved since."""
    entries = [entry for entry in read_calendar(home, source) if entry.expected_at]
    if keys is not None:
        return [entry for entry in entries if entry.key in keys]
    today = now.astimezone(LONDON).date()
    return [entry for entry in entries if entry.status != "announced" and entry.london_day == today]


# --- warehouse ------------------------------------------------------------------------------------------------------


def build_version(settings: Settings, progress: Progress = no_progress) -> Built:
    """Build what was landed, under the lease; see `etl.build.build`."""
    with hold_lease(settings.home, "build", settings.lease_wait_seconds):
        return build(settings.home, settings, progress)


def check_version(settings: Settings, version: str) -> None:
    """Refuse a built version that breaks a rule of every published one.

    Raises:
        StoppedVersionError: what stops it, each thing with its cells.
    """
    if stopped := _list_stopped(settings.home, version):
        raise StoppedVersionError(
            f"version {version} is not published: " + "\n".join(stopped),
            "justice-etl quarantine lists it, with what would settle it",
        )


def _list_stopped(home: Path, version: str) -> list[str]:
    folder = home / "staging" / version
    return find_stopped(read_manifest(folder)) if (folder / MANIFEST).exists() else []


def publish_version(settings: Settings, progress: Progress = no_progress) -> Published:
    """Publish the version that the landed files make, under the lease; it is built first if need be.

    Raises:
        JusticeError: as `etl.build.build` and `etl.publish.publish`.
    """
    with hold_lease(settings.home, "publish", settings.lease_wait_seconds):
        # Where everything is built already, this only says which version it is.
        built = build(settings.home, settings, progress)
        return publish(settings.home, settings, built.version)


def report_version(settings: Settings) -> None:
    """Tell what the version that serves keeps out that the one published before it did not.

    Raises:
        KeptOutError: something is newly kept out: file, rule, cell and figures.
    """
    home = settings.home
    current = current_version(home)
    # One that was rolled back served nobody in the end.
    order = [version.version for version in list_versions(home) if not version.is_held or version.version == current]
    before = order[order.index(current) - 1] if current in order and order.index(current) else None
    previous = read_manifest(home / "versions" / before) if before else None
    if found := find_newly_kept_out(read_manifest(home / "versions" / str(current)), previous):
        raise KeptOutError(
            f"version {current} is published and keeps out, newly: " + "\n".join(found),
            "justice-etl quarantine lists it, with what would settle it",
        )


# --- housekeeping ---------------------------------------------------------------------------------------------------


def verify_landing(settings: Settings) -> None:
    """Re-hash all that was landed.

    Raises:
        JusticeError: something does not match: each thing, with what to do.
    """
    if problems := list(verify(settings.home)):
        raise JusticeError("the landing zone does not match its records: " + "\n".join(problems), "mend one by one")


def sweep_source(settings: Settings, source: str) -> list[str]:
    """Ask for all bytes of a source again, whatever validators say: files are swapped in silence; and find orphans.

    Returns:
        The releases that were made of what was swapped; the next ingest announces them.

    Raises:
        KeptOutError: something was newly refused or could not be had, or publications were found that the source's
            pages do not list: all in one message, since another try would find it to be no news.
    """
    with _visit(settings, source, is_full=True) as visit:
        listing = discover(visit)
        plan = make_plan(visit, listing)
        outcomes = [*plan.outcomes, *take_editions(visit, plan.editions)]
        outcomes += finish(visit, plan, outcomes)
        failed = None
        try:
            outcomes += find_orphans(visit, listing)
        except JusticeError as error:
            failed = error
    found = [outcome.sentence for outcome in outcomes if outcome.is_trouble] + ([str(failed)] if failed else [])
    if found:
        raise KeptOutError(f"{source}: " + "\n".join(found), "what was landed stays; look at the pages by hand")
    return sorted({outcome.release_id for outcome in outcomes if outcome.release_id})


def prune_home(settings: Settings, now: datetime | None = None) -> list[str]:
    """Remove versions beyond those kept, and what runs left that are long over; → the versions."""
    oldest = (now or datetime.now(UTC)) - _KEEP_RUNS
    for folder in sorted((settings.home / "runs").glob("*")):
        if folder.is_dir() and datetime.fromtimestamp(folder.stat().st_mtime, UTC) < oldest:
            shutil.rmtree(folder)
    with hold_lease(settings.home, "prune", settings.lease_wait_seconds):
        return prune(settings.home, settings)


def examine_home(settings: Settings) -> None:
    """Look for what commonly goes wrong, as `justice-etl doctor` does, and for a version that is stopped.

    Raises:
        JusticeError: something is not well, with what mends it.
        StoppedVersionError: what was landed makes a version that is not published.
    """
    if releases := list_releases(settings.home):
        check_version(settings, compute_version(releases))
    if ill := [finding for finding in examine(settings) if not finding.is_well]:
        raise JusticeError(
            "\n".join(f"{finding.name}: {finding.found}" for finding in ill),
            "; ".join(finding.mend for finding in ill),
        )


# --- what runs leave ------------------------------------------------------------------------------------------------


@contextmanager
def _visit(settings: Settings, source: str, *, is_full: bool = False) -> Iterator[Visit]:
    """A visit to the publishers of a source, whose lease is held as long."""
    home = settings.home
    with (
        hold_source(home, source, settings.lease_wait_seconds),
        demo_publishers(settings) as asking,
        Http(asking) as http,
    ):
        yield Visit(home, load_source(source), http, ObservationLog(home, new_run_id()), is_full=is_full)


def _run_folder(settings: Settings, source: str, run: str) -> Path:
    """Each run has its own, whatever its name: the readable part alone may be that of another."""
    readable = re.sub(r"[^\w-]+", "-", run, flags=re.ASCII)[:100]
    return settings.home / "runs" / f"{readable}-{hashlib.sha256(run.encode()).hexdigest()[:8]}" / source


def _write(path: Path, content: bytes) -> None:
    with write_beside(path) as file:
        file.write(content)


def _read_plan(folder: Path) -> Plan:
    if not (folder / "plan.json").exists():
        raise JusticeError(
            f"{folder / 'plan.json'} is gone: what was to be taken is not known", "run it from the start"
        )
    return _PLAN.validate_json((folder / "plan.json").read_bytes())


def _outcome_name(key: str) -> str:
    """The file in which it is kept what became of an edition."""
    return f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _outcome_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if path.name not in ("plan.json", _WITHDRAWN))


def _read_run(folder: Path, plan: Plan) -> tuple[list[Outcome], list[Edition]]:
    """What became of all of it so far, and the planned editions that were not taken to their end."""
    files = _outcome_files(folder)
    outcomes = [*plan.outcomes, *(outcome for path in files for outcome in _read_outcomes(path))]
    ended = {path.name for path in files}
    return outcomes, list({each.key: each for each in plan.editions if _outcome_name(each.key) not in ended}.values())


def _keep_news(before: Iterable[Outcome], outcomes: Iterable[Outcome]) -> list[Outcome]:
    """What an earlier try found to be news is still news: nobody was told yet."""
    news = {(outcome.url, outcome.state) for outcome in before if outcome.is_news}
    return [replace(each, is_news=each.is_news or (each.url, each.state) in news) for each in outcomes]


def _read_outcomes(path: Path) -> list[Outcome]:
    return _OUTCOMES.validate_json(path.read_bytes()) if path.exists() else []


def _records(home: Path, source: str) -> dict[str, Record]:
    """The landed files of a source by hash, each once, in the order of their hashes."""
    releases = [release for release in list_releases(home) if release.source == source]
    return {record.sha256: record for record in list_distinct(releases)}
