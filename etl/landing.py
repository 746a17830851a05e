"""The landing zone: every published file as it came, under its SHA-256, with where it came from.

`landing/sha256/ab/abcd…` holds the bytes, read-only. `landing/records/<source>/<edition>/…json` says which
release they belong to. Nothing here is ever changed or removed. What a release is called (`@1`, `@2`) follows
from the records alone, so the order of landing never matters.
"""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Literal
from zoneinfo import ZoneInfo

from etl.archives import is_modelled, sniff
from etl.errors import JusticeError, RefusedFileError, WrongUseError
from etl.files import read_object, remove_abandoned, rename_synced, temporary_file, write_json
from etl.settings import own_version
from etl.sources import load_source

logger = logging.getLogger(__name__)

LONDON = ZoneInfo("Europe/London")
HomeKind = Literal["real", "demo"]
State = Literal["current", "superseded", "withdrawn"]


@dataclass(frozen=True)
class Record:
    """The provenance of one landed file in one release, as its JSON record holds it.

    `published_at` is ISO 8601 with an offset; `landed_at` is when we took it, and decides nothing.
    """

    source: str
    edition: str
    title: str
    published_at: str
    filename: str
    sha256: str
    bytes: int
    media_type: str
    is_modelled: bool
    publisher: str
    licence: str
    landing_page: str
    url: str | None
    landed_at: str
    landed_by: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes a record the same record: file, edition and time of publication."""
        return self.source, self.edition, self.published_at, self.sha256


@dataclass(frozen=True)
class Release:
    """A release: the files that a publisher stated together. `release_id` is `<source>/<edition>@<n>`.

    `withdrawn_at` is when the publisher withdrew it (ISO 8601), None where it stands; what it stated is kept.
    """

    release_id: str
    source: str
    edition: str
    published_at: str
    state: State
    records: tuple[Record, ...]
    withdrawn_at: str | None = None


@dataclass(frozen=True)
class Incoming:
    """A file to land: where it lies now, what the publisher calls it, and where it came from, when known."""

    path: Path
    filename: str
    url: str | None = None


@dataclass(frozen=True)
class Notice:
    """A publisher's word on an edition that stands, or stands again: `at` is ISO 8601 in UTC."""

    source: str
    edition: str
    is_withdrawn: bool
    at: str
    explanation: str


@dataclass(frozen=True)
class Landed:
    """What `land` did with one file."""

    record: Record
    release_id: str
    is_new: bool


def slug(text: str) -> str:
    """Lower-case letters and digits joined by hyphens: `Year ending March 2018` → `year-ending-march-2018`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def parse_published(text: str) -> str:
    """A publication date or time as ISO 8601 with an offset; a bare date is midnight in London.

    Raises:
        WrongUseError: the text is neither a date nor a date with a time.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=LONDON)
        return moment.astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        raise WrongUseError(f"{text!r} is no publication date", "write it as 2018-07-19 or 2018-07-19T09:30") from None


def published_on(published_at: str) -> date:
    """The London date of a publication time."""
    return datetime.fromisoformat(published_at).astimezone(LONDON).date()


def blob_path(home: Path, sha256: str) -> Path:
    """Where the bytes of a landed file lie."""
    return home / "landing" / "sha256" / sha256[:2] / sha256


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def home_kind(home: Path) -> HomeKind | None:
    """Whether a data home is for real files or for the demo; None where nothing was landed yet."""
    path = home / "home.json"
    return read_object(path, "kind")["kind"] if path.exists() else None


def claim_home(home: Path, kind: HomeKind) -> None:
    """Make a new home one of `kind`.

    Raises:
        JusticeError: the home is already of the other kind.
    """
    found = home_kind(home)
    if found is None:
        write_json(home / "home.json", {"kind": kind})
    elif found != kind:
        raise JusticeError(f"{home} is a {found} home, not a {kind} one", "name another with JUSTICE_HOME")


def land(
    home: Path,
    *,
    source: str,
    title: str,
    published: str,
    files: Sequence[Path | Incoming],
    url: str | None = None,
) -> list[Landed]:
    """Keep files as one release of a source.

    All files are checked before any is recorded. The same bytes in the same release again change nothing.

    Args:
        home: the data home.
        source: a declared source.
        title: the edition's title as published; its slug is the edition.
        published: when the publisher put it out (date, or date and time; for a swap, the time of the swap).
        files: the files; a path alone is a file that someone has in hand, under its own name.
        url: where those came from, when known.

    Returns:
        For each file its record, the release that it now belongs to, and whether it is new.

    Raises:
        RefusedFileError: a file is not what it must be; nothing was recorded.
        WrongUseError: unknown source, no such file, empty title or bad date.
    """
    declaration = load_source(source)
    edition = slug(title)
    if not edition:
        raise WrongUseError(f"the release title {title!r} holds no letters", "give the title as published")
    published_at = parse_published(published)
    kind = home_kind(home) or "real"
    remove_abandoned(home, below=False)
    remove_abandoned(home / "landing")
    known = {record.key: record for record in read_records(home)}
    landed_at = datetime.now(UTC).isoformat(timespec="seconds")
    records = []
    incoming = [Incoming(file, file.name, url) if isinstance(file, Path) else file for file in files]
    with ExitStack() as staging:
        staged = [staging.enter_context(_stage(home, file)) for file in incoming]
        for file, copy in zip(incoming, staged, strict=True):
            if copy.is_modelled != (kind == "demo"):
                raise RefusedFileError(
                    f"{file.filename} is {'a modelled sample' if copy.is_modelled else 'a real file'} and {home} "
                    f"is a {kind} home",
                    "modelled samples belong in a demo home, published files in a real one (JUSTICE_HOME)",
                )
            records.append(
                Record(
                    source=source,
                    edition=edition,
                    title=title,
                    published_at=published_at,
                    filename=file.filename,
                    sha256=copy.sha256,
                    bytes=copy.bytes,
                    media_type=copy.media_type,
                    is_modelled=copy.is_modelled,
                    publisher=declaration.publisher,
                    licence=declaration.licence,
                    landing_page=declaration.landing_page,
                    url=file.url,
                    landed_at=landed_at,
                    landed_by=f"justice-etl {own_version()}",
                )
            )
        _refuse_ambiguous_swap([*known.values(), *records])
        claim_home(home, kind)
        for copy in staged:
            _keep(home, copy)
    new = {record.key for record in records} - known.keys()
    for record in records:
        if record.key in new:
            write_json(_record_path(home, record), asdict(record))
    names = {record.key: release.release_id for release in list_releases(home) for record in release.records}
    result = [Landed(known.get(r.key, r), names[r.key], r.key in new) for r in records]
    for item in result:
        logger.info(
            "landed" if item.is_new else "already landed",
            extra={"file": item.record.filename, "sha256": item.record.sha256, "release": item.release_id},
        )
    return result


@dataclass(frozen=True)
class _Staged:
    """A copy that was checked and hashed, and is not kept yet."""

    file: IO[bytes]
    sha256: str
    bytes: int
    media_type: str
    is_modelled: bool


@contextmanager
def _stage(home: Path, file: Incoming) -> Iterator[_Staged]:
    """Copy a file beside the landing zone, hashed and checked; it is gone after the block unless kept."""
    if not file.path.is_file():
        raise WrongUseError(f"there is no file {file.path}", "check the path")
    digest = hashlib.sha256()
    with file.path.open("rb") as original, temporary_file(home / "landing" / "incoming") as copy:
        while chunk := original.read(1 << 20):
            digest.update(chunk)
            copy.write(chunk)
        copy.flush()
        staged = Path(copy.name)
        media_type = sniff(staged, file.filename)
        modelled = is_modelled(staged, media_type)
        yield _Staged(copy, digest.hexdigest(), staged.stat().st_size, media_type, modelled)


def _keep(home: Path, copy: _Staged) -> None:
    """Give a staged copy its place in the landing zone, unless its bytes lie there already."""
    target = blob_path(home, copy.sha256)
    # A blob that no longer matches its name is mended by landing the same bytes again.
    if not target.exists() or hash_file(target) != copy.sha256:
        Path(copy.file.name).chmod(0o444)
        rename_synced(copy.file, target)


def _refuse_ambiguous_swap(records: list[Record]) -> None:
    """Two files of one name, edition and time cannot be told apart: which came first would be a guess."""
    seen: dict[tuple[str, str, str, str], Record] = {}
    for record in records:
        place = (record.source, record.edition, record.published_at, record.filename)
        other = seen.setdefault(place, record)
        if other.sha256 != record.sha256:
            raise RefusedFileError(
                f"{record.filename} was already landed for {record.source}/{record.edition} as published "
                f"{published_on(record.published_at)} with other bytes ({other.sha256[:12]}, now "
                f"{record.sha256[:12]})",
                "if the publisher swapped the file, give the date or time of the swap with --published-on",
            )


def _record_path(home: Path, record: Record) -> Path:
    moment = re.sub(r"[^0-9T]", "", record.published_at.removesuffix("+00:00"))
    folder = home / "landing" / "records" / record.source / record.edition
    return folder / f"{moment}-{record.sha256[:16]}.json"


def read_records(home: Path) -> list[Record]:
    """All provenance records of a home, in a total order that does not depend on when they were landed."""
    paths = (home / "landing" / "records").glob("*/*/*.json")
    names = [field.name for field in fields(Record)]
    contents = [read_object(path, *names) for path in paths]
    records = [Record(**{name: content[name] for name in names}) for content in contents]
    return sorted(records, key=lambda record: record.key)


def list_releases(home: Path) -> list[Release]:
    """The releases of a home, oldest publication first within each edition.

    `@n` counts the publication times of an edition from 1; every one but the last is `superseded`, and the
    last is `withdrawn` where its publisher says so.
    """
    editions: dict[tuple[str, str], dict[str, list[Record]]] = {}
    for record in read_records(home):
        moments = editions.setdefault((record.source, record.edition), {})
        moments.setdefault(record.published_at, []).append(record)
    withdrawn = {(notice.source, notice.edition): notice.at for notice in read_notices(home) if notice.is_withdrawn}

    def judge(key: tuple[str, str], *, is_last: bool) -> State:
        if not is_last:
            return "superseded"
        return "withdrawn" if key in withdrawn else "current"

    return [
        Release(
            release_id=f"{source}/{edition}@{number}",
            source=source,
            edition=edition,
            published_at=moment,
            state=judge((source, edition), is_last=number == len(moments)),
            records=tuple(moments[moment]),
            withdrawn_at=withdrawn.get((source, edition)) if number == len(moments) else None,
        )
        for (source, edition), moments in sorted(editions.items())
        for number, moment in enumerate(sorted(moments), start=1)
    ]


def note(home: Path, notice: Notice) -> bool:
    """Write down that a publisher withdrew an edition, or that it stands again; False where that was known."""
    last = {(known.source, known.edition): known for known in read_notices(home)}.get((notice.source, notice.edition))
    if (last.is_withdrawn if last else False) == notice.is_withdrawn:
        return False
    moment = re.sub(r"[^0-9T]", "", notice.at.removesuffix("+00:00"))
    number = len(list((_notices(home) / notice.source / notice.edition).glob("*.json")))
    write_json(_notices(home) / notice.source / notice.edition / f"{number:04}-{moment}.json", asdict(notice))
    return True


def read_notices(home: Path) -> list[Notice]:
    """The last word on each edition that a publisher ever withdrew."""
    last = {path.parent: path for path in sorted(_notices(home).glob("*/*/*.json"))}
    names = [field.name for field in fields(Notice)]
    contents = [read_object(path, *names) for path in last.values()]
    return [Notice(**{name: content[name] for name in names}) for content in contents]


def _notices(home: Path) -> Path:
    return home / "landing" / "notices"


def verify(home: Path) -> Iterator[str]:
    """Re-hash the landing zone; yields one sentence for each thing that does not match.

    Looks for bytes that changed, records without bytes, bytes without a record, stray files, and publishers'
    pages that changed.
    """
    recorded = {record.sha256: record for record in read_records(home)}
    zone = home / "landing" / "sha256"
    present = set()
    for path in sorted(p for p in zone.rglob("*") if p.is_file()):
        present.add(path.name)
        known = recorded.get(path.name)
        found = hash_file(path)
        if path != blob_path(home, path.name):
            yield f"{path} does not belong in the landing zone: remove it"
        elif found != path.name:
            name = known.filename if known else "a file without a record"
            yield f"{path} ({name}) now hashes to {found[:12]}…: land the original again or restore a backup"
        elif known is None:
            yield f"{path} has no record (an interrupted landing): land the file again, or leave it"
    for sha256, record in sorted(recorded.items()):
        if sha256 not in present:
            yield f"{record.filename} of {record.source}/{record.edition} ({sha256[:12]}) is gone: land it again"
    for path in sorted((home / "landing" / "pages").glob("*.json")):
        if hash_file(path) != path.stem:
            yield f"{path} is no longer what the publisher answered: remove it, the next refresh asks again"
