"""The nightly refresh: discover → fetch → land, source by source; reading, building and publishing follow.

One source, one edition or one file that fails keeps no other from going on. What was landed stays; an
interrupted run is taken up by the next, which asks for what it has with validators.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from etl.build import Progress, build, no_progress
from etl.editions import EditionTaking, Outcome, judge, releases_of, withdraw
from etl.errors import ExitStatus, JusticeError, NotThereError, RefusedAnswerError, RefusedFileError
from etl.files import hold_lease
from etl.http import Http
from etl.landing import LONDON, Release, list_releases, slug
from etl.observations import ObservationLog, ObservedState, new_run_id, now_text
from etl.publish import Published, publish, serving_manifest
from etl.publishers import Edition, Listing, Problem, expect_shape, govuk, nomis, ons, open_geography
from etl.release_calendar import open_keys, update_calendar
from etl.settings import Settings
from etl.sources import Source, declared_sources, load_source
from etl.sources.places import GovUkPlace, NomisPlace, OnsPlace, Place
from etl.visits import EDITION, Visit

logger = logging.getLogger(__name__)

_PROBLEM = "problem:"


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did.

    Attributes:
        run_id: what its observations are kept under.
        outcomes: one a file, and one a page that could not be taken.
        unknown: titles that no rule knows.
        published: None on a dry run, where nothing was ever landed, and where building or publishing failed.
        before: the manifest of the version that served before.
        failure: why building or publishing failed; what was fetched is landed all the same.
    """

    run_id: str
    outcomes: list[Outcome]
    unknown: list[str]
    published: Published | None
    before: dict[str, Any] | None
    failure: JusticeError | None = None

    @property
    def missed(self) -> list[Outcome]:
        """Files and pages to which there was no answer to rely on, those left out that were missed before."""
        return [outcome for outcome in self.outcomes if outcome.state == "unreachable" and outcome.is_news]

    @property
    def exit_status(self) -> ExitStatus:
        """That of a failure; 1 where something was missed, 3 where something was newly refused."""
        if self.failure:
            return self.failure.exit_status
        if self.missed:
            return ExitStatus.FAILED
        is_refused = any(outcome.state == "refused" and outcome.is_news for outcome in self.outcomes)
        return ExitStatus.KEPT_OUT if is_refused else ExitStatus.DONE


def refresh(
    settings: Settings,
    *,
    source: str | None = None,
    since: date | None = None,
    is_dry: bool = False,
    progress: Progress = no_progress,
    http: Http | None = None,
) -> Refreshed:
    """Find what is new, fetch and land it, build, and publish.

    Args:
        settings: home, contact, replica.
        source: one source; None takes all.
        since: leave editions alone that were put out before this London date and never landed.
        is_dry: only look; nothing is fetched or written.
        progress: told of each step.
        http: the door; None opens one.

    Raises:
        JusticeError: the set-up is wrong. That a source, the build or publishing failed is in the result.
    """
    home = settings.home
    sources = [load_source(source)] if source else list(declared_sources().values())
    log = ObservationLog(home, new_run_id())
    outcomes: list[Outcome] = []
    unknown: list[str] = []
    with ExitStack() as stack:
        door = http or stack.enter_context(Http(settings))
        for each in (each for each in sources if each.places):
            try:
                wait = settings.lease_wait_seconds
                with nullcontext() if is_dry else _hold_source(home, each.source, wait):
                    visit = Visit(home, each, door, log, is_dry=is_dry)
                    listing = discover(visit, since, progress)
                    unknown += [f"{each.source}: {title}" for title in listing.unknown]
                    outcomes += take(visit, listing, progress)
            except JusticeError as error:
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
    return Refreshed(log.run_id, outcomes, unknown, published, before, failure)


def _hold_source(home: Path, source: str, wait_seconds: float) -> AbstractContextManager[None]:
    return hold_lease(home / "landing" / "seen" / source, "refresh", wait_seconds, "refreshed")


def _report_source(source: Source, error: JusticeError) -> Outcome:
    """Why a source was not taken at all; unless its publisher's word was refused, the next run asks again."""
    state: ObservedState = "refused" if isinstance(error, (RefusedAnswerError, RefusedFileError)) else "unreachable"
    logger.warning(state, extra={"where": source.source, "reason": error.what})
    return Outcome(source.source, "", "", source.source, state, str(error))


def discover(visit: Visit, since: date | None = None, progress: Progress = no_progress) -> Listing:
    """What the publishers of a source list now; the calendar takes over what they announce."""
    listing = Listing()
    places = visit.source.places
    for number, place in enumerate(places):
        progress(f"asking what {visit.source.title} lists", number, len(places))
        try:
            with expect_shape(place.name):
                listing.add(_list_place(place, visit, since))
        except JusticeError as error:
            listing.problems.append(Problem(place.name, error))
        if isinstance(place, GovUkPlace):
            try:
                today = datetime.now(LONDON).date()
                with expect_shape("GOV.UK's search"):
                    known = open_keys(visit.home, visit.source.source)
                    listing.add(govuk.list_expected(place, visit, today, known))
            except JusticeError as error:
                listing.problems.append(Problem("announcements of GOV.UK", error))
    if not visit.is_dry:
        try:
            update_calendar(visit.home, visit.source.source, listing)
        except JusticeError as error:
            listing.problems.append(Problem("the release calendar", error))
    return listing


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


def take(visit: Visit, listing: Listing, progress: Progress = no_progress) -> list[Outcome]:
    """Fetch and land what a source's publishers list: editions, withdrawals; and say what could not be had."""
    places = visit.source.places
    outcomes = [_report_problem(visit, problem) for problem in listing.problems]
    releases = releases_of(visit)
    titles = _known_titles(visit, {edition.key for edition in listing.editions})
    for number, listed in enumerate(listing.editions):
        progress(f"fetching {listed.title}", number, len(listing.editions))
        edition = replace(listed, title=visit.seen.get(f"{EDITION}{listed.key}").edition_title or listed.title)
        if titles.setdefault(slug(edition.title), edition.key) != edition.key:
            what = f"two editions are called {edition.title!r}: {edition.page} is the second"
            error = RefusedFileError(what, "tell them apart by hand: land the second under another title")
            outcomes.append(_report_problem(visit, Problem(edition.page, error)))
        elif visit.is_dry:
            outcomes += _foresee(visit, edition)
        else:
            outcomes += _take_edition(visit, edition, releases.setdefault(slug(edition.title), []))
    titles_by_page = {seen.page: seen.edition_title for seen in visit.seen if seen.url.startswith(EDITION)}
    for page, why in listing.gone.items():
        if (title := titles_by_page.get(page)) and slug(title) in releases and not visit.is_dry:
            outcomes += withdraw(visit, title, page, now_text(), why)
    if not visit.is_dry and not {problem.where for problem in listing.problems} & {each.name for each in places}:
        _forget_solved(visit, outcomes)
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
