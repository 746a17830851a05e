"""What publishers answered: every observation for good, and what was seen last, to ask again with.

`landing/observations/<month>/<run>.jsonl` holds one line an answer, also where nothing had changed; it is
provenance and only grows. `landing/seen/<source>/` holds one small file an address: validators and what they
stood for. It may be lost: then everything is asked for in full once.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from etl.errors import JusticeError
from etl.files import read_object, write_json

if TYPE_CHECKING:
    from etl.http import Validators

logger = logging.getLogger(__name__)

LATE = "late:"
"""What stands before the key of a release that was told to be late, among the seen addresses."""

ObservedState = Literal["new", "unchanged", "revised", "superseded", "withdrawn", "refused", "unreachable"]
"""`refused`: an answer that is not what was asked for; `unreachable`: none to rely on. Neither changes anything."""


@dataclass(frozen=True)
class Observation:
    """One answer of a publisher.

    Times are ISO 8601 in UTC. `published_at` is the publisher's, of the release that the file belongs to.
    `previous_sha256` is what the same address or file held before. `via` says who answered.
    """

    run_id: str
    observed_at: str
    source: str
    edition: str
    title: str
    what: Literal["page", "file"]
    state: ObservedState
    reason: str = ""
    published_at: str | None = None
    landing_page: str | None = None
    licence: str = ""
    filename: str | None = None
    requested_url: str = ""
    final_url: str | None = None
    redirects: tuple[str, ...] = ()
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    age_seconds: int | None = None
    fastly_backend_name: str | None = None
    content_type: str | None = None
    attempts: int | None = None
    bytes: int | None = None
    sha256: str | None = None
    media_type: str | None = None
    previous_sha256: str | None = None
    via: Literal["publisher", "replica"] = "publisher"
    observed_by: str = ""


def now_text() -> str:
    """This moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_run_id() -> str:
    """What a run's observations are kept under: the time, and what tells it from others that share the home."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H%M%S%f}-{uuid4().hex[:8]}"


class ObservationLog:
    """Writes the observations of one run down as they are made; a run that is killed loses none."""

    def __init__(self, home: Path, run_id: str) -> None:
        self.run_id = run_id
        self._path = home / "landing" / "observations" / run_id[:7] / f"{run_id}.jsonl"

    def add(self, observation: Observation) -> None:
        """Append one line."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(observation), sort_keys=True, ensure_ascii=False) + "\n")
        logger.debug("observed", extra={"url": observation.requested_url, "state": observation.state})


def read_observations(home: Path) -> Iterator[Observation]:
    """All observations, run after run; the last line of a run that was killed may be torn and is left out."""
    names = {field.name for field in fields(Observation)}
    for path in sorted((home / "landing" / "observations").glob("*/*.jsonl")):
        # Not `splitlines`: titles may hold U+2028 or U+0085, which JSON leaves as they are.
        for line in filter(None, path.read_text(encoding="utf-8").split("\n")):
            try:
                content = json.loads(line)
            except json.JSONDecodeError:
                logger.warning("an observation is torn", extra={"file": str(path)})
                continue
            known = {name: value for name, value in content.items() if name in names}
            yield Observation(**known | {"redirects": tuple(known.get("redirects", ()))})


def last_asked(home: Path) -> str | None:
    """When a run last asked a publisher, ISO 8601; None where none ever did."""
    paths = sorted((home / "landing" / "observations").glob("*/*.jsonl"))
    if not paths:
        return None
    return datetime.fromtimestamp(paths[-1].stat().st_mtime, UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Seen:
    """What an address held the last time.

    Attributes:
        url: the address; `edition:<key>` or `table:<page>#<table>` for what the publisher lists at one.
        etag: its first validator.
        last_modified: its second.
        sha256: of the file; for a page, of the body that is kept in `landing/pages/`.
        hashed_at: when the bytes were last had in full: a 304 says that the validators match, not the bytes.
        projection: the hash of what matters of a page.
        edition_title: the title that an edition was first landed under.
        page: the page of an edition, or the address of the file that a table is in.
        place: the name of the place that lists an edition.
        refused: the reason of the last refusal, so that it is new only once.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    hashed_at: str | None = None
    projection: str | None = None
    edition_title: str | None = None
    page: str | None = None
    place: str | None = None
    refused: str | None = None

    @property
    def validators(self) -> Validators:
        """What to ask again with."""
        from etl.http import Validators

        return Validators(self.etag, self.last_modified)


class SeenAddresses:
    """What the addresses of one source held the last time, in one small file each."""

    def __init__(self, home: Path, source: str) -> None:
        self._folder = home / "landing" / "seen" / source
        names = [field.name for field in fields(Seen)]
        contents = list(self._read_all())
        self._seen = {content["url"]: Seen(**{n: content[n] for n in names if n in content}) for content in contents}

    def _read_all(self) -> Iterator[dict[str, Any]]:
        """What can be read; an address whose file is damaged was never asked: it may be lost."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield read_object(path, "url")
            except JusticeError as error:
                logger.warning("a seen address is damaged", extra={"file": str(path), "reason": error.what})

    def __iter__(self) -> Iterator[Seen]:
        return iter(sorted(self._seen.values(), key=lambda seen: seen.url))

    def get(self, url: str) -> Seen:
        """What an address held; nothing where it was never asked."""
        return self._seen.get(url, Seen(url))

    def update(self, url: str, **changes: str | None) -> Seen:
        """Keep what an address holds now."""
        before = self.get(url)
        after = replace(before, **changes)  # type: ignore[arg-type]
        if after != before or url not in self._seen:
            name = hashlib.sha256(url.encode()).hexdigest()[:24]
            write_json(self._folder / f"{name}.json", asdict(after))
            self._seen[url] = after
        return after
