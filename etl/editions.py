"""One listed edition, taken: its files fetched, compared with what is landed, and landed where they differ."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from etl.errors import JusticeError, NotThereError, RefusedAnswerError, UnreachableError
from etl.http import Answer
from etl.landing import (
    Incoming,
    Notice,
    Record,
    Release,
    blob_path,
    land,
    list_releases,
    note,
    parse_published,
    published_on,
    slug,
)
from etl.observations import ObservedState, now_text
from etl.publishers import Edition, ListedFile, expect_shape, nomis, open_geography
from etl.visits import EDITION, Fetched, Visit

logger = logging.getLogger(__name__)

_FOLLOW: dict[str, Callable[[ListedFile, Path], ListedFile | None]] = {
    "nomis": nomis.follow,
    "open_geography": open_geography.follow,
}
"""Publishers that answer in parts: what checks a part and says which follows it."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file or page: `state` as in `etl.observations`; `is_news` is False for what was so before."""

    source: str
    edition: str
    filename: str
    url: str
    state: ObservedState
    why: str = ""
    is_news: bool = True
    release_id: str | None = None

    @property
    def is_trouble(self) -> bool:
        """Whether it was newly refused, or could not be had: what an operator is told."""
        return self.is_news and self.state in ("refused", "unreachable")

    @property
    def sentence(self) -> str:
        """What became of it, where, and why."""
        if not self.filename:
            return f"{self.state}: {self.url} ({self.edition or self.source}): {self.why}"
        return f"{self.state}: {self.filename} ({self.edition}), {self.url}: {self.why}"


def releases_of(visit: Visit) -> dict[str, list[Release]]:
    """The landed releases of a source by edition, oldest first."""
    releases: dict[str, list[Release]] = {}
    for release in list_releases(visit.home):
        if release.source == visit.source.source:
            releases.setdefault(release.edition, []).append(release)
    return releases


def judge(visit: Visit, url: str, error: JusticeError) -> tuple[ObservedState, bool]:
    """What an error makes of an address, and whether that is news; the same trouble is news once.

    That there was no answer at all is always news: the next run may have one.
    """
    is_unreachable = isinstance(error, UnreachableError)
    is_passing = is_unreachable and not isinstance(error, NotThereError)
    is_news = is_passing or visit.seen.get(url).refused != error.what
    if not is_passing and not visit.is_dry:
        visit.seen.update(url, refused=error.what)
    return "unreachable" if is_unreachable else "refused", is_news


def withdraw(visit: Visit, title: str, page: str, at: str, why: str) -> list[Outcome]:
    """Note that an edition was withdrawn; what was landed of it stays."""
    notice = Notice(visit.source.source, slug(title), is_withdrawn=True, at=parse_published(at), explanation=why)
    is_news = note(visit.home, notice)
    visit.observe(page, "page", state="withdrawn", edition=slug(title), title=title, reason=why)
    return [Outcome(visit.source.source, title, "", page, "withdrawn", why)] if is_news else []


class EditionTaking:
    """One edition being taken: its files fetched, compared with what is landed, and landed where they differ."""

    def __init__(self, visit: Visit, edition: Edition, releases: list[Release]) -> None:
        self.visit = visit
        self.edition = edition
        self.releases = releases
        self.landed = {record.sha256 for release in releases for record in release.records}
        self.outcomes: list[Outcome] = []

    def run(self) -> list[Outcome]:
        """Take it; → one outcome a file."""
        if self.edition.is_previous and self._is_complete() and not self.visit.is_full:
            return []  # a version that was replaced changes no more
        with ExitStack() as temporary:
            fetched = self._fetch_all(temporary)
            if fetched:
                self._land(fetched)
        self._note_state()
        return self.outcomes

    def _is_complete(self) -> bool:
        return all(self.visit.seen.get(file.url).sha256 in self.landed for file in self.edition.files)

    def _fetch_all(self, temporary: ExitStack) -> list[Fetched]:
        fetched: list[Fetched] = []
        waiting = deque(self.edition.files)
        while waiting:
            file = waiting.popleft()
            try:
                got = self.visit.fetch(file, temporary)
                if follow := _FOLLOW.get(self.edition.in_parts_by):
                    if got.sha256 in {part.sha256 for part in fetched}:
                        raise RefusedAnswerError(
                            f"{file.url} answered the same rows as the part before it", "open the address in a browser"
                        )
                    with expect_shape(file.url):
                        following = follow(file, got.path)
                    waiting += [following] if following else []
                fetched.append(got)
            except JusticeError as error:
                self._refuse(file, error, self.visit.last_answer)
                if self.edition.in_parts_by:
                    return []
        return fetched

    def _refuse(self, file: ListedFile, error: JusticeError, answer: Answer | None) -> None:
        """Write down why a file is not taken; what was landed of it stays."""
        state, is_news = judge(self.visit, file.url, error)
        provenance = self._provenance() | {"filename": file.filename}
        self.visit.observe(file.url, "file", answer, state=state, error=error, **provenance)
        self._add(file, state, str(error), is_news=is_news)
        logger.warning(state, extra={"url": file.url, "reason": error.what})

    def _land(self, fetched: list[Fetched]) -> None:
        newest = self.releases[-1] if self.releases else None
        kept = self._kept(newest, fetched)
        known = {record.sha256 for record in newest.records} if newest else set()
        if self.edition.is_previous:
            known = self.landed
        # Bytes that were lost are landed again, into the release that they belong to.
        changed = [
            got for got in fetched if got.sha256 not in known or not blob_path(self.visit.home, got.sha256).exists()
        ]
        release_ids: dict[str, str] = {}
        published_at = newest.published_at if newest else None
        if changed:
            held = {got.sha256 for got in fetched} | {record.sha256 for record in kept}
            published_at = self._published_at(newest, changed, is_addition=known <= held)
            try:
                landed = land(
                    self.visit.home,
                    source=self.visit.source.source,
                    title=self.edition.title,
                    published=published_at,
                    files=[
                        *(Incoming(got.path, got.file.filename, got.file.url) for got in fetched),
                        *(Incoming(blob_path(self.visit.home, r.sha256), r.filename, r.url) for r in kept),
                    ],
                )
            except JusticeError as error:
                for got in changed:
                    self._refuse(got.file, error, got.answer)
                return
            release_ids = {item.record.sha256: item.release_id for item in landed}
            self.releases[:] = releases_of(self.visit).get(slug(self.edition.title), [])
        if self.edition.is_previous:
            published_at = self._first_published(fetched[0])
        for got in fetched:
            self._settle(
                got, self._state(got, known, is_first=newest is None), published_at, release_ids.get(got.sha256)
            )
        self._remember()

    def _first_published(self, got: Fetched) -> str | None:
        """When the first release of this edition that holds a file was put out."""
        held = (release for release in self.releases if got.sha256 in {record.sha256 for record in release.records})
        return next((release.published_at for release in held), None)

    def _kept(self, newest: Release | None, fetched: list[Fetched]) -> list[Record]:
        """What was landed of files that are listed and could not be had: a release that follows holds it too."""
        if newest is None or self.edition.is_previous:
            return []
        missed = {file.url for file in self.edition.files} - {got.file.url for got in fetched}
        held = {self.visit.seen.get(url).sha256 for url in missed}
        records = [record for record in newest.records if record.sha256 in held]
        return [record for record in records if blob_path(self.visit.home, record.sha256).exists()]

    def _published_at(self, newest: Release | None, changed: list[Fetched], *, is_addition: bool) -> str:
        """When the publisher put out what is new here; files that join a release take its time."""
        uploaded = max((moment for got in changed if (moment := got.answer.modified_at)), default=None)
        times, seen_at = self.edition.times, now_text()
        first = newest is None or self.edition.is_previous
        if self.edition.is_dated:  # then only a silent swap goes by its upload
            uploaded = None if first else uploaded
        if first:
            return publication_time(times, uploaded, None, seen_at)
        assert newest is not None
        if is_addition:
            moment = publication_time(times, uploaded, None, seen_at)
            if published_on(moment) <= published_on(newest.published_at):
                return newest.published_at
        after = newest.published_at
        if self.edition.is_dated and max(map(parse_published, times), default=after) > after:
            uploaded = None
        return publication_time(times, uploaded, after, seen_at)

    def _state(self, got: Fetched, known: set[str], *, is_first: bool) -> ObservedState:
        if self.edition.is_previous:
            return "superseded"
        if got.sha256 in known:
            return "unchanged"
        return "revised" if not is_first and (got.previous_sha256 or self._replaced(got.file)) else "new"

    def _replaced(self, file: ListedFile) -> str | None:
        """The address that held this table of this page before, where it is another one."""
        before = self.visit.seen.get(self._table_key(file)).page
        return before if before != file.url else None

    def _table_key(self, file: ListedFile) -> str:
        return f"table:{self.edition.page}#{file.table}/{file.key}"

    def _settle(self, got: Fetched, state: ObservedState, published_at: str | None, release_id: str | None) -> None:
        """Write down what a file is now, and that it took the place of another one."""
        provenance = self._provenance() | {"published_at": published_at, "filename": got.file.filename}
        previous = got.previous_sha256
        if got.file.table and not self.edition.is_previous:
            if before := self._replaced(got.file):
                previous = previous or self.visit.seen.get(before).sha256
                why = f"the publisher now lists {got.file.url} in its place"
                self.visit.observe(before, "file", state="superseded", reason=why, **self._provenance())
            self.visit.seen.update(self._table_key(got.file), page=got.file.url)
        self.visit.observe(
            got.file.url,
            "file",
            got.answer,
            state=state,
            **provenance | {"sha256": got.sha256, "media_type": got.media_type, "previous_sha256": previous},
        )
        self.visit.settle(got)
        why = self.edition.explanation if state in ("revised", "superseded") else ""
        self._add(got.file, state, why, release_id=release_id)

    def _provenance(self) -> dict[str, Any]:
        return {
            "edition": slug(self.edition.title),
            "title": self.edition.title,
            "landing_page": self.edition.page,
        }

    def _remember(self) -> None:
        """Keep the title under which the edition was first landed: publishers mend titles."""
        if not self.edition.is_previous:
            key = f"{EDITION}{self.edition.key}"
            edition = self.edition
            self.visit.seen.update(key, edition_title=edition.title, page=edition.page, place=edition.place)

    def _note_state(self) -> None:
        """Note that the publisher withdrew the edition, or that it stands again."""
        edition = self.edition
        if edition.is_previous or not (self.releases or self.outcomes):
            return
        if edition.withdrawn_at:
            self.outcomes += withdraw(
                self.visit, edition.title, edition.page, edition.withdrawn_at, edition.explanation
            )
        else:
            note(
                self.visit.home,
                Notice(
                    self.visit.source.source, slug(edition.title), is_withdrawn=False, at=now_text(), explanation=""
                ),
            )

    def _add(
        self,
        file: ListedFile,
        state: ObservedState,
        why: str = "",
        *,
        is_news: bool = True,
        release_id: str | None = None,
    ) -> None:
        source = self.visit.source.source
        self.outcomes.append(
            Outcome(source, self.edition.title, file.filename, file.url, state, why, is_news, release_id)
        )


def publication_time(times: Iterable[str], uploaded: str | None, after: str | None, seen_at: str) -> str:
    """When a publisher put out a file: the first of its own times that can be.

    Args:
        times: when the publisher says that it put something out, ISO 8601.
        uploaded: when the file was uploaded, which comes before its publication; days are compared, in London.
        after: a time that it must be later than: the publication of what it replaces.
        seen_at: when we saw it, the last resort.

    Returns:
        ISO 8601 in UTC, to the second.
    """
    moments = sorted(parse_published(time) for time in times)
    floor = published_on(uploaded) if uploaded else date.min
    for moment in moments:
        if published_on(moment) >= floor and (after is None or moment > after):
            return moment
    uploaded = parse_published(uploaded) if uploaded else None
    if uploaded and (after is None or uploaded > after):
        return uploaded
    return parse_published(seen_at)
