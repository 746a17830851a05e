"""One run's visit to the publishers of one source: every answer is asked for conditionally and written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from etl.archives import sniff
from etl.errors import JusticeError, NotThereError, RefusedAnswerError, UnreachableError
from etl.files import temporary_file, write_beside
from etl.http import Answer, Http, Validators
from etl.landing import blob_path
from etl.observations import Observation, ObservationLog, ObservedState, Seen, SeenAddresses, now_text
from etl.publishers import Json, ListedFile
from etl.settings import own_version
from etl.sources import Source

_REHASH_AFTER_DAYS = 21
_REHASH_SPREAD_DAYS = 14
_GONE = (404, 410)
EDITION = "edition:"
"""What stands before an edition's key among the seen addresses."""


@dataclass(frozen=True)
class Fetched:
    """A file that the publisher has now: where its bytes lie, and what came back when it was asked for."""

    file: ListedFile
    path: Path
    sha256: str
    media_type: str
    answer: Answer
    previous_sha256: str | None


class Visit:
    """Asks for pages and files of one source; nothing is written on a dry run.

    `last_answer` is that to the last file that was asked for, if there was one: a refused file has one too.

    Args:
        home: the data home.
        source: whose publishers are asked.
        http: the door.
        log: where observations go.
        is_dry: whether to leave no trace.
        is_full: whether to ask for all bytes, whatever validators are known: they can stay while a file is swapped.
    """

    def __init__(
        self,
        home: Path,
        source: Source,
        http: Http,
        log: ObservationLog,
        *,
        is_dry: bool = False,
        is_full: bool = False,
    ) -> None:
        self.home = home
        self.source = source
        self.seen = SeenAddresses(home, source.source)
        self.is_dry = is_dry
        self.is_full = is_full
        self.last_answer: Answer | None = None
        self._http = http
        self._log = log

    # --- pages ---------------------------------------------------------------------------------------------

    def read_json(self, url: str, project: Callable[[Json], object]) -> tuple[Answer, Json]:
        """See `etl.publishers.Pages`."""
        seen = self.seen.get(url)
        kept = self._kept_page(seen)
        answer = None
        try:
            is_conditional = kept is not None and not self.is_full
            answer, body = self._http.get(url, seen.validators if is_conditional else None)
            if answer.status == 304 and kept is not None:
                self._observe_page(url, answer, "unchanged")
                return answer, _parse(url, kept)
            if answer.status != 200:
                return answer, self._read_absent(url, answer, body)
            return answer, self._take_page(seen, answer, body, project)
        except JusticeError as error:
            self.observe(url, "page", answer or self._http.last_answer, error=error)
            raise

    def _take_page(self, seen: Seen, answer: Answer, body: bytes, project: Callable[[Json], object]) -> Json:
        content = _parse(seen.url, body)
        projection = _hash_json(project(content))
        is_same = projection == seen.projection
        if seen.projection and not is_same and answer.is_from_mirror:
            raise UnreachableError(
                f"{seen.url} was answered by a mirror ({answer.backend}), otherwise than the last time",
                "the publisher is unwell, nothing is concluded; the next run asks again",
            )
        if not self.is_dry:
            # The validators stand for this body: a 304 must bring it back, also where only noise is new in it.
            path = self._page_path(str(answer.sha256))
            if not path.exists():
                with write_beside(path) as file:
                    file.write(body)
            etag, modified = answer.validators.etag, answer.validators.last_modified
            self.seen.update(seen.url, etag=etag, last_modified=modified, sha256=answer.sha256, projection=projection)
            if is_same and seen.sha256 and seen.sha256 != answer.sha256:
                self._page_path(seen.sha256).unlink(missing_ok=True)
        state: ObservedState = "unchanged" if is_same else "revised" if seen.projection else "new"
        self._observe_page(seen.url, answer, state, previous_sha256=seen.sha256)
        return content

    def _read_absent(self, url: str, answer: Answer, body: bytes) -> Json:
        """The body of an item that is gone says why; whoever asked decides what it means."""
        was_there = answer.status in _GONE and self.seen.get(url).sha256 is not None
        state: ObservedState = "unreachable" if answer.is_from_mirror else "withdrawn" if was_there else "refused"
        self._observe_page(url, answer, state)
        try:
            return _parse(url, body)
        except RefusedAnswerError:
            return {}

    def known_pages(self, place: str) -> Mapping[str, str]:
        """See `etl.publishers.Pages`."""
        editions = [seen for seen in self.seen if seen.url.startswith(EDITION) and seen.place == place]
        return {seen.page: seen.edition_title for seen in editions if seen.page and seen.edition_title}

    def _kept_page(self, seen: Seen) -> bytes | None:
        """The body that a page had the last time; None where it is not there any more."""
        try:
            return self._page_path(seen.sha256).read_bytes() if seen.sha256 else None
        except FileNotFoundError:
            return None

    def _page_path(self, sha256: str) -> Path:
        return self.home / "landing" / "pages" / f"{sha256}.json"

    def _observe_page(self, url: str, answer: Answer, state: ObservedState, **more: Any) -> None:
        self.observe(url, "page", answer, state=state, **more)

    # --- files ---------------------------------------------------------------------------------------------

    def fetch(self, file: ListedFile, temporary: ExitStack) -> Fetched:
        """Ask for a file; what is new lies in a temporary file, which `temporary` removes.

        Raises:
            RefusedAnswerError: deleted, not public, or from where we do not ask.
            RefusedFileError: not the kind of file that can hold a table.
            UnreachableError: not there yet, or no answer to rely on.
        """
        self.last_answer = None
        seen = self.seen.get(file.url)
        blob = blob_path(self.home, seen.sha256) if seen.sha256 else None
        is_here = blob is not None and blob.exists()
        validators = seen.validators if is_here and not self._is_due(seen) else None
        target = temporary.enter_context(temporary_file(self.home / "landing" / "incoming"))
        try:
            answer = self._http.download(file.url, target, validators)
        finally:
            self.last_answer = self._http.last_answer
        target.flush()
        if answer.status == 304 and blob is not None and seen.sha256:
            return Fetched(file, blob, seen.sha256, sniff(blob, file.filename), answer, seen.sha256)
        if answer.status != 200 or answer.sha256 is None:
            raise _say_absence(file, answer)
        path = Path(target.name)
        if answer.is_from_mirror and seen.sha256 not in (None, answer.sha256):
            raise UnreachableError(
                f"{file.url} was answered by a mirror ({answer.backend}) with other bytes than the last time",
                "the publisher is unwell, nothing is concluded; the next run asks again",
            )
        return Fetched(file, path, answer.sha256, sniff(path, file.filename), answer, seen.sha256)

    def _is_due(self, seen: Seen) -> bool:
        """Whether the bytes are to be had in full again: validators can stay while a file is swapped.

        Each address has its own day, so that they do not all come at once.
        """
        if self.is_full or seen.hashed_at is None:
            return True
        spread = int(hashlib.sha256(seen.url.encode()).hexdigest(), 16) % _REHASH_SPREAD_DAYS
        age = datetime.now(UTC) - datetime.fromisoformat(seen.hashed_at)
        return age > timedelta(days=_REHASH_AFTER_DAYS + spread)

    def settle(self, fetched: Fetched) -> None:
        """Keep what an address holds, once its bytes are landed."""
        validators = fetched.answer.validators
        changes: dict[str, str | None] = {"sha256": fetched.sha256, "refused": None}
        if fetched.answer.status == 200:
            changes |= {"etag": validators.etag, "last_modified": validators.last_modified, "hashed_at": now_text()}
        self.seen.update(fetched.file.url, **changes)

    # --- provenance ----------------------------------------------------------------------------------------

    def observe(
        self,
        url: str,
        what: str,
        answer: Answer | None = None,
        *,
        state: ObservedState | None = None,
        error: JusticeError | None = None,
        **more: Any,
    ) -> None:
        """Write down one answer, or why there was none; `more` as `Observation` has it."""
        if self.is_dry:
            return
        if state is None:
            state = "unreachable" if isinstance(error, UnreachableError) else "refused"
        validators = answer.validators if answer else Validators()
        content: dict[str, Any] = {
            "run_id": self._log.run_id,
            "observed_at": now_text(),
            "source": self.source.source,
            "edition": "",
            "title": "",
            "what": what,
            "state": state,
            "reason": error.what if error else "",
            "licence": self.source.licence,
            "requested_url": url,
            "etag": validators.etag,
            "last_modified": validators.last_modified,
            "via": "publisher" if self._http.replica is None else "replica",
            "observed_by": f"justice-etl {own_version()}",
        }
        if answer:
            content |= {
                "final_url": answer.final_url,
                "redirects": answer.redirects,
                "status": answer.status,
                "age_seconds": answer.age_seconds,
                "fastly_backend_name": answer.backend,
                "content_type": answer.content_type,
                "attempts": answer.attempts,
                # A body that was refused on its way was not taken: nobody knows how long it is.
                "bytes": answer.bytes if answer.sha256 or answer.status != 200 else None,
                "sha256": answer.sha256,
            }
        self._log.add(Observation(**content | more))


def _say_absence(file: ListedFile, answer: Answer) -> JusticeError:
    """Why a file that is listed cannot be had."""
    if answer.is_from_mirror:
        return UnreachableError(
            f"{file.url} was answered by a mirror ({answer.backend}) with {answer.status}",
            "the publisher is unwell, nothing is concluded; the next run asks again",
        )
    if answer.status == 404:
        return NotThereError(
            f"{file.url} is listed and not there (404)",
            "a file that was just published may take some minutes; the next run asks again",
        )
    if answer.status == 410:
        return RefusedAnswerError(
            f"{file.url} was deleted by its publisher (410)", "what was landed of it stays; look at the page by hand"
        )
    return RefusedAnswerError(f"{file.url} answers {answer.status}", "look at the page by hand")


def _parse(url: str, body: bytes) -> Json:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):  # the second: nested without end
        content = None
    if not isinstance(content, dict):
        start = body[:60].decode("utf-8", "replace")
        raise RefusedAnswerError(
            f"{url} answered {start!r} where an object of JSON was expected", "the publisher may be under maintenance"
        )
    return content


def _hash_json(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
