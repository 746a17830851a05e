"""The nightly refresh: discover → fetch → land, source by source; reading, building and publishing follow.

One source, one edition or one file that fails keeps no other from going on. What was landed stays; an
interrupted run is taken up by the next, which asks for what it has with validators.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from etl.build import Progress, build, no_progress
from etl.editions import EditionTaking, Outcome, judge, releases_of, withdraw
from etl.errors import ExitStatus, JusticeError, NotThereError, RefusedAnswerError, RefusedFileError, WrongUseError
from etl.files import hold_lease
from etl.http import Http
from etl.landing import LONDON, Release, list_releases, slug
from etl.lineage import add_outcomes, record_lineage
from etl.observations import LATE, ObservationLog, ObservedState, new_run_id, now_text
from etl.publish import Published, publish, serving_manifest
from etl.publishers import Edition, Listing, Problem, expect_shape, govuk, nomis, ons, open_geography
from etl.release_calendar import CalendarEntry, read_calendar, update_calendar
from etl.settings import Settings
from etl.sources import Source, declared_sources, load_source
from etl.sources.places import GovUkPlace, NomisPlace, OnsPlace, Place
from etl.visits import EDITION, Visit

logger = logging.getLogger(__name__)

_PROBLEM = "problem:"
_ORPHAN = "orphan:"


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did.

    Attributes:
        run_id: what its observations are kept under.
        outcomes: one a file, and one a page that could not be taken.
        unknown: titles that no rule knows.
        late: releases that newly should have appeared and did not: one sentence each.
        published: None on a dry run, where nothing was ever landed, and where building or publishing failed.
        before: the manifest of the version that served before.
        failure: why building or publishing failed; what was fetched is landed all the same.
    """

    run_id: str
    outcomes: list[Outcome]
    unknown: list[str]
    late: list[str]
    published: Published | None
    before: dict[str, Any] | None
    failure: JusticeError | None = None

    @property
    def missed(self) -> list[Outcome]:
        """Files and pages to which there was no answer to rely on, those left out that were missed before."""
        return [outcome for outcome in self.outcomes if outcome.is_trouble and outcome.state == "unreachable"]

    @property
    def exit_status(self) -> ExitStatus:
        """That of a failure; 1 where something was missed or is newly late, 3 where something was newly refused."""
        if self.failure:
            return self.failure.exit_status
        if self.missed or self.late:
            return ExitStatus.FAILED
        is_refused = any(outcome.is_trouble for outcome in self.outcomes)
        return ExitStatus.KEPT_OUT if is_refused else ExitStatus.DONE


def refresh(
    settings: Settings,
    *,
    source: str | None = None,
    edition: str | None = None,
    since: date | None = None,
    is_full: bool = False,
    is_dry: bool = False,
    progress: Progress = no_progress,
    http: Http | None = None,
) -> Refreshed:
    """Find what is new, fetch and land it, build, and publish.

    Args:
        settings: home, contact, replica.
        source: one source; None takes all.
        edition: one edition of that source, by its title, key or page; None takes all.
        since: leave editions alone that were put out before this London date and never landed.
        is_full: ask for all bytes again, whatever the validators say.
        is_dry: only look; nothing is fetched or written.
        progress: told of each step.
        http: the door; None opens one.

    Raises:
        JusticeError: the set-up is wrong, or the one edition was not found. That a source, the build or publishing
            failed is in the result.
    """
    if edition is not None and source is None:
        raise WrongUseError("an edition belongs to a source", "name it too: --source")
    home = settings.home
    sources = [load_source(source)] if source else list(declared_sources().values())
    log = ObservationLog(home, new_run_id())
    outcomes: list[Outcome] = []
    unknown: list[str] = []
    late: list[str] = []
    with ExitStack() as stack:
        door = http or stack.enter_context(Http(settings))
        for each in (each for each in sources if each.places):
            try:
                wait = settings.lease_wait_seconds
                with nullcontext() if is_dry else hold_source(home, each.source, wait):
                    visit = Visit(home, each, door, log, is_dry=is_dry, is_full=is_full)
                    listing = discover(visit, since, progress)
                    unknown += [f"{each.source}: {title}" for title in listing.unknown]
                    outcomes += take(visit, make_plan(visit, listing, edition), progress)
                    if not is_dry:
                        with suppress(JusticeError):  # that the calendar is damaged is among the outcomes
                            late += find_newly_late(visit)
            except JusticeError as error:
                if edition is not None:
                    raise
                outcomes.append(_report_source(each, error))
    before = serving_manifest(home)
    published = failure = None
    if not is_dry and list_releases(home):
        try:
            with hold_lease(home, "refresh", settings.lease_wait_seconds):
                before = serving_manifest(home)
                published = publish(home, settings, build(home, settings, progress).version)
        except JusticeError as error:
            failure = error
    return Refreshed(log.run_id, outcomes, unknown, late, published, before, failure)


def hold_source(home: Path, source: str, wait_seconds: float) -> AbstractContextManager[None]:
    """The lease of a source: only its holder asks the source's publishers (see `etl.files.hold_lease`)."""
    return hold_lease(home / "landing" / "seen" / source, "refresh", wait_seconds, "refreshed")


def _report_source(source: Source, error: JusticeError) -> Outcome:
    """Why a source was not taken at all; unless its publisher's word was refused, the next run asks again."""
    state: ObservedState = "refused" if isinstance(error, (RefusedAnswerError, RefusedFileError)) else "unreachable"
    logger.warning(state, extra={"where": source.source, "reason": error.what})
    return Outcome(source.source, "", "", source.source, state, str(error))


def discover(
    visit: Visit, since: date | None = None, progress: Progress = no_progress, *, only_announced: bool = False
) -> Listing:
    """What the publishers of a source list now; the calendar takes over what they announce.

    Args:
        visit: the visit.
        since: leave editions alone that were put out before this London date and never landed.
        progress: told of each step.
        only_announced: only what is to come: of GOV.UK the announcements, of others what says so beside the rest.
    """
    listing = Listing()
    places = visit.source.places
    for number, place in enumerate(places):
        progress(f"asking what {visit.source.title} lists", number, len(places))
        try:
            with expect_shape(place.name):
                if not (only_announced and isinstance(place, GovUkPlace)):
                    listing.add(_list_place(place, visit, since))
        except JusticeError as error:
            listing.problems.append(Problem(place.name, error))
        if isinstance(place, GovUkPlace):
            try:
                today = datetime.now(LONDON).date()
                with expect_shape("GOV.UK's search"):
                    known = read_calendar(visit.home, visit.source.source)
                    listing.add(govuk.list_expected(place, visit, today, *_split_open(known, today)))
            except JusticeError as error:
                listing.problems.append(Problem("announcements of GOV.UK", error))
    if not visit.is_dry:
        try:
            update_calendar(visit.home, visit.source.source, listing)
        except JusticeError as error:
            listing.problems.append(Problem("the release calendar", error))
    return listing


def _split_open(entries: Iterable[CalendarEntry], today: date) -> tuple[list[str], list[str]]:
    """The keys of what is still to come, and those of them whose confirmed day has come."""
    still_open = [entry for entry in entries if entry.is_open]
    due = [entry.key for entry in still_open if entry.status == "confirmed" and entry.london_day <= today]
    return [entry.key for entry in still_open], due


def _list_place(place: Place, visit: Visit, since: date | None) -> Listing:
    if isinstance(place, GovUkPlace):
        listing = govuk.list_editions(place, visit, since)
    elif isinstance(place, OnsPlace):
        listing = ons.list_editions(place, visit, since)
    elif isinstance(place, NomisPlace):
        listing = nomis.list_editions(place)
    else:
        listing = open_geography.list_editions(place)
    listing.editions = [replace(edition, place=place.name) for edition in listing.editions]
    pages = visit.known_pages(place.name)
    for page, why in listing.gone.items():
        if page not in pages:
            error = NotThereError(f"{page} is listed and not there: {why}", "the next run asks again")
            listing.problems.append(Problem(page, error))
    listing.gone = {page: why for page, why in listing.gone.items() if page in pages}
    return listing


@dataclass(frozen=True)
class Plan:
    """What is to be taken of what a source's publishers list.

    Attributes:
        editions: those to be taken, under the titles that they were first landed under, the oldest first within each.
        gone: pages that were taken away: page → the publisher's explanation.
        outcomes: what could not be listed, or not be told apart.
        is_whole: whether it is all that is listed: neither did a place fail nor was one edition asked for.
    """

    editions: tuple[Edition, ...]
    gone: dict[str, str]
    outcomes: tuple[Outcome, ...]
    is_whole: bool


def make_plan(visit: Visit, listing: Listing, edition: str | None = None) -> Plan:
    """Decide what to take.

    Args:
        visit: the visit that the listing is of.
        listing: what the publishers list.
        edition: only the edition of this title, key or page; None takes all.

    Raises:
        WrongUseError: no edition is called that.
        JusticeError: a place, or the page that was asked for, could not be listed: it may have been there.
    """
    problems = [*listing.problems]
    titles = _known_titles(visit, {listed.key for listed in listing.editions})
    editions = []
    for listed in listing.editions:
        named = replace(listed, title=visit.seen.get(f"{EDITION}{listed.key}").edition_title or listed.title)
        if titles.setdefault(slug(named.title), named.key) != named.key:
            what = f"two editions are called {named.title!r}: {named.page} is the second"
            error = RefusedFileError(what, "tell them apart by hand: land the second under another title")
            problems.append(Problem(named.page, error))
        else:
            editions.append(named)
    failed = {problem.where for problem in listing.problems} & {place.name for place in visit.source.places}
    if edition is not None:
        # What was not had may have been it.
        missed = [problem for problem in problems if problem.where in {*failed, edition}]
        editions = _choose(visit.source, editions, edition, missed)
    # Trouble that is reported is news no more: not before the plan stands, with which somebody hears of it.
    outcomes = [_report_problem(visit, problem) for problem in problems]
    return Plan(tuple(editions), listing.gone, tuple(outcomes), is_whole=not failed and edition is None)


def _choose(source: Source, editions: list[Edition], edition: str, missed: list[Problem]) -> list[Edition]:
    found = [each for each in editions if edition in (each.key, each.page) or slug(edition) == slug(each.title)]
    if not found and missed:
        raise missed[0].error
    if not found:
        near = ", ".join(repr(title) for title in sorted({each.title for each in editions})) or "none"
        raise WrongUseError(f"{source.source} lists no edition {edition!r}", f"listed are: {near}")
    return found


def take(visit: Visit, plan: Plan, progress: Progress = no_progress) -> list[Outcome]:
    """Fetch and land all that is planned, note what is gone; and say what could not be had."""
    outcomes = [*plan.outcomes]
    if visit.is_dry:
        for edition in plan.editions:
            outcomes += _foresee(visit, edition)
        return outcomes
    outcomes += take_editions(visit, plan.editions, progress)
    return outcomes + finish(visit, plan, outcomes)


def take_editions(visit: Visit, editions: Sequence[Edition], progress: Progress = no_progress) -> list[Outcome]:
    """Fetch and land editions, one after the other; one that fails keeps no other from being taken."""
    outcomes: list[Outcome] = []
    releases = releases_of(visit)
    with record_lineage("fetch") as run:
        for number, edition in enumerate(editions):
            progress(f"fetching {edition.title}", number, len(editions))
            outcomes += _take_edition(visit, edition, releases.setdefault(slug(edition.title), []))
        add_outcomes(run, outcomes, [release for own in releases.values() for release in own])
    return outcomes


def finish(visit: Visit, plan: Plan, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Note what publishers took away, and forget the trouble that is over; → outcomes of the first.

    Args:
        visit: the visit.
        plan: what was planned.
        outcomes: what became of all of it.
    """
    releases = releases_of(visit)
    titles_by_page = {seen.page: seen.edition_title for seen in visit.seen if seen.url.startswith(EDITION)}
    withdrawn: list[Outcome] = []
    for page, why in plan.gone.items():
        if (title := titles_by_page.get(page)) and slug(title) in releases:
            withdrawn += withdraw(visit, title, page, now_text(), why)
    if plan.is_whole:
        _forget_solved(visit, outcomes)
    return withdrawn


def find_newly_late(visit: Visit, now: datetime | None = None) -> list[str]:
    """The releases of a source that are late and were not told to be: one sentence each, once.

    Args:
        visit: the visit, which remembers what was told.
        now: this moment.
    """
    now = now or datetime.now(UTC)
    sentences = []
    for entry in read_calendar(visit.home, visit.source.source):
        told = visit.seen.get(f"{LATE}{entry.key}").refused
        sentence = entry.late_sentence if entry.is_late(now) else None
        if sentence != told:
            visit.seen.update(f"{LATE}{entry.key}", refused=sentence)
            sentences += [sentence] if sentence else []
    return sentences


def find_orphans(visit: Visit, listing: Listing) -> list[Outcome]:
    """Publications that a publisher's search knows and that none of the source's pages lists; each is news once.

    Args:
        visit: the visit.
        listing: what the pages list.
    """
    troubled = {problem.where for problem in listing.problems}
    listed = {edition.page for edition in listing.editions} | set(listing.gone) | troubled
    found: dict[str, str] = {}
    # A page that is kept for good lists files: no publication is missing from it.
    places = [place for place in visit.source.places if isinstance(place, GovUkPlace) and place.editions == "pages"]
    if troubled & {place.name for place in places}:
        return []  # what a page lists that was not had is not known
    for place in places:
        with expect_shape("GOV.UK's search"):
            found |= govuk.list_orphans(place, visit, listed)
    for seen in list(visit.seen):
        if seen.refused and seen.url.startswith(_ORPHAN) and seen.url.removeprefix(_ORPHAN) not in found:
            visit.seen.update(seen.url, refused=None)
    outcomes = []
    for page, title in sorted(found.items()):
        what = f"{title!r} ({page}) is published and listed on none of the pages of {visit.source.source}"
        mend = "land its tables by hand, or add it to `ignore_pages` in source.yml"
        state, is_news = judge(visit, f"{_ORPHAN}{page}", RefusedAnswerError(what, mend))
        outcomes.append(Outcome(visit.source.source, "", "", page, state, f"{what} → {mend}", is_news))
    return outcomes


def _take_edition(visit: Visit, edition: Edition, releases: list[Release]) -> list[Outcome]:
    """Take one edition; what it fails of is an outcome of its own, after those of the files that it had."""
    taking = EditionTaking(visit, edition, releases)
    try:
        with expect_shape(edition.page):
            return taking.run()
    except JusticeError as error:
        return [*taking.outcomes, _report_problem(visit, Problem(edition.page, error))]


def _known_titles(visit: Visit, keys: set[str]) -> dict[str, str]:
    """Which of the listed editions each landed edition is: another one of its title is not mixed into it."""
    known = [seen for seen in visit.seen if seen.url.removeprefix(EDITION) in keys]
    return {slug(seen.edition_title): seen.url.removeprefix(EDITION) for seen in known if seen.edition_title}


def _report_problem(visit: Visit, problem: Problem) -> Outcome:
    state, is_news = judge(visit, f"{_PROBLEM}{problem.where}", problem.error)
    logger.warning(state, extra={"where": problem.where, "reason": problem.error.what})
    return Outcome(visit.source.source, "", "", problem.where, state, str(problem.error), is_news)


def _forget_solved(visit: Visit, outcomes: Iterable[Outcome]) -> None:
    """Let trouble with a page be news when it comes back; what a file's was is forgotten once it is taken."""
    still = {outcome.url for outcome in outcomes if outcome.state in ("refused", "unreachable")}
    for seen in visit.seen:
        if seen.refused and seen.url.startswith(_PROBLEM) and seen.url.removeprefix(_PROBLEM) not in still:
            visit.seen.update(seen.url, refused=None)


def _foresee(visit: Visit, edition: Edition) -> Iterable[Outcome]:
    """What would be asked for; whether a known file has changed shows only when it is."""
    for file in edition.files:
        is_known = visit.seen.get(file.url).sha256 is not None
        why = "known; would be asked for with its validators" if is_known else "would be fetched"
        state: ObservedState = "unchanged" if is_known else "new"
        yield Outcome(visit.source.source, edition.title, file.filename, file.url, state, why)
