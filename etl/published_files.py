"""The files of published versions, for whoever serves them: nothing outside a version is ever opened.

A version never changes, so small files are read once and kept in memory, with what gzip makes of them. Large ones are
opened and stay open while they are read: a version that is pruned meanwhile breaks nothing. The tag of either follows
from its bytes alone.
"""

from __future__ import annotations

import asyncio
import errno
import gzip
import hashlib
import os
import re
import stat
from collections import OrderedDict
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from io import BufferedReader
from pathlib import Path, PurePosixPath
from weakref import WeakValueDictionary

from etl.publish import CURRENT, gone_mark

SMALL_BYTES = 2**20
"""Files up to this size are kept in memory."""

KEPT_BYTES = 64 * 2**20
"""How much of them a process keeps, gzip variants included; what was asked for longest ago goes first."""

_PACK_FROM = 1024
_SHORT = 32

MEDIA_TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8; header=present",
    ".duckdb": "application/vnd.duckdb",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "text/xml; charset=utf-8",
}
"""By the end of a file's name; docker/nginx.conf has the same, and a test compares them."""

_PACKED = {".atom", ".css", ".csv", ".html", ".js", ".json", ".svg", ".txt", ".xml"}
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO}
_NO_LINK = errno.EINVAL
FEEDS, SUMS = "feeds", "SHA256SUMS"
"""As in `etl.feeds`, which needs libraries that a server does without; a test compares them."""

_SUM = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_TAGS = 1000
"""How many tags of large files a process keeps: a few a version."""


@dataclass(frozen=True)
class Version:
    """A version that is there. `identity` tells it from one of the same name that was pruned and made again."""

    name: str
    folder: str
    identity: tuple[int, int]


@dataclass(frozen=True)
class Variant:
    """The bytes of a small file as they are sent, and the strong ETag that they have."""

    etag: str
    content: bytes

    @classmethod
    def of(cls, content: bytes) -> Variant:
        """The variant of these bytes: the tag follows from them alone, so all processes and versions agree on it."""
        return cls(make_tag(hashlib.sha256(content).hexdigest()), content)


@dataclass(frozen=True)
class SmallFile:
    """A file in memory; `packed` is its gzip variant, where there is one."""

    media_type: str
    modified: str
    plain: Variant
    packed: Variant | None

    @property
    def weight(self) -> int:
        """How many bytes it keeps."""
        return len(self.plain.content) + (len(self.packed.content) if self.packed else 0)


@dataclass(frozen=True)
class LargeFile:
    """A file that is open; whoever has it closes it. `can_be_packed` says whether gzip gains anything."""

    media_type: str
    modified: str
    etag: str
    size: int
    file: BufferedReader
    can_be_packed: bool


@dataclass(frozen=True)
class Folder:
    """What was asked for is a folder, and its name did not end with a slash."""


Found = SmallFile | LargeFile | Folder | None


class PublishedFiles:
    """What lies in the versions of a home.

    Args:
        home: the data home.
        kept_bytes: how much may be kept in memory.
    """

    def __init__(self, home: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self._home = home
        self._current = str(home / CURRENT)
        self._versions = str(home / "versions")
        self._gone = str(gone_mark(home, ""))
        self._kept: OrderedDict[tuple[Version, str], SmallFile] = OrderedDict()
        self._kept_bytes = kept_bytes
        self._weight = 0
        self._tags = LargeTags()
        self._reading: WeakValueDictionary[tuple[Version, str], asyncio.Lock] = WeakValueDictionary()

    def current(self) -> Version | None:
        """The version that serves now; None where nothing is published, or it is gone.

        Raises:
            OSError: nobody can tell, since the home may not be looked into.
        """
        try:
            target = os.readlink(self._current)  # noqa: PTH115 - for every request: no path is made of it
        except OSError as error:
            if error.errno in _NOT_THERE or error.errno == _NO_LINK:
                return None
            raise
        return self.version(target.rpartition("/")[2])

    def version(self, name: str) -> Version | None:
        """A version by its name; None where there is none.

        Raises:
            OSError: nobody can tell.
        """
        folder = f"{self._versions}/{name}"
        found = _look_at(folder)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return None
        return Version(name, folder, (found.st_ino, found.st_mtime_ns))

    def is_gone(self, name: str) -> bool:
        """Whether a version of this name was published once and then pruned.

        Raises:
            OSError: nobody can tell.
        """
        return _look_at(f"{self._gone}/{name}") is not None

    async def find(self, version: Version, path: str) -> Found:
        """A file of a version; None where there is none that may be served.

        Args:
            version: the version.
            path: below it, decoded; one that is empty or ends with a slash means the index.html of that folder.

        Raises:
            OSError: it is there and cannot be read.
        """
        name = f"{path}index.html" if path.endswith("/") or not path else path
        key = (version, name)
        if kept := self._look_up(key):
            return kept
        # Each file by one at a time: when a version is new, all ask for the same few at once. A lock is kept for as
        # long as somebody waits for it.
        async with self._reading.setdefault(key, asyncio.Lock()):
            found: Found = self._look_up(key)
            if found is None:
                found = await asyncio.to_thread(read_file, version, name, self._tags)
                if isinstance(found, SmallFile):
                    self._keep(key, found)
        return found

    def _look_up(self, key: tuple[Version, str]) -> SmallFile | None:
        if kept := self._kept.get(key):
            self._kept.move_to_end(key)
        return kept

    def _keep(self, key: tuple[Version, str], file: SmallFile) -> None:
        self._kept[key] = file
        self._weight += file.weight
        while self._weight > self._kept_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._weight -= dropped.weight


class LargeTags:
    """The tags of large files: by the sums that a version has of its feeds; others are read once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Version, str, int, int], str] = {}

    def find(self, version: Version, path: str, file: BufferedReader) -> str:
        """The tag of a file of a version that is open.

        Raises:
            OSError: it cannot be read.
        """
        if known := read_sums(version).get(path):
            return make_tag(known)
        found = os.fstat(file.fileno())
        key = (version, path, found.st_ino, found.st_mtime_ns)
        tag = self._kept.get(key)
        if tag is None:
            tag = make_tag(hashlib.file_digest(file, "sha256").hexdigest())
            file.seek(0)
            self._kept[key] = tag
            while len(self._kept) > _TAGS:
                self._kept.pop(next(iter(self._kept)), None)
        return tag


def make_tag(sha256: str) -> str:
    """The strong ETag of bytes with this hash."""
    return f'"{sha256[:_SHORT]}"'


@lru_cache(maxsize=32)
def read_sums(version: Version) -> dict[str, str]:
    """The hashes that a version has of its feeds, by their paths in it; none where it has no such file.

    Raises:
        OSError: it is there and cannot be read.
    """
    descriptor = open_below(version.folder, f"{FEEDS}/{SUMS}")
    if descriptor is None:
        return {}
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        lines = [_SUM.fullmatch(line.rstrip("\n")) for line in file]
    return {f"{FEEDS}/{line[2]}": line[1] for line in lines if line}


def read_file(version: Version, path: str, tags: LargeTags) -> Found:
    """Open a file of a version, and read it where it is small.

    Args:
        version: the version.
        path: below it.
        tags: what is known of the tags of large files.

    Raises:
        OSError: it is there and cannot be read.
    """
    descriptor = open_below(version.folder, path)
    if descriptor is None:
        return None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        return Folder() if stat.S_ISDIR(found.st_mode) else None
    file = os.fdopen(descriptor, "rb")
    media_type, modified = find_media_type(path), formatdate(found.st_mtime, usegmt=True)
    if found.st_size > SMALL_BYTES:
        try:
            etag = tags.find(version, path, file)
        except BaseException:
            file.close()
            raise
        return LargeFile(media_type, modified, etag, found.st_size, file, is_text(path))
    with file:
        content = file.read()
    return SmallFile(media_type, modified, Variant.of(content), pack(path, content))


def open_below(folder: str, path: str) -> int | None:
    """A descriptor of a file or folder below `folder`; None where there is none that may be served.

    Neither hidden names nor symbolic links are followed, at any level: each part is opened from the one before it, so
    that nothing can be put in its place between a look and the opening.

    Raises:
        OSError: it is there and cannot be opened.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.startswith(".") or "\0" in part for part in parts):
        return None
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would wait for its writer
    try:
        descriptor = os.open(folder, flags | os.O_DIRECTORY)
        for part in parts:
            above = descriptor
            try:
                descriptor = os.open(part, flags, dir_fd=above)
            finally:
                os.close(above)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise
    return descriptor


def _look_at(path: str) -> os.stat_result | None:
    """What lies at a path, not what a link leads to; None where there is nothing."""
    try:
        return os.lstat(path)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise


def find_media_type(path: str) -> str:
    """The type of a file by its name."""
    if path.endswith("-metadata.json"):
        return "application/csvm+json"
    if PurePosixPath(path).name == SUMS:
        return MEDIA_TYPES[".txt"]
    return MEDIA_TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")


def is_text(path: str) -> bool:
    """Whether gzip gains anything, by the name of a file."""
    return PurePosixPath(path).suffix in _PACKED or PurePosixPath(path).name == SUMS


def pack(path: str, content: bytes) -> Variant | None:
    """What gzip makes of a file; None where it is too short, or of a type that gains nothing."""
    if len(content) < _PACK_FROM or not is_text(path):
        return None
    return Variant.of(gzip.compress(content, compresslevel=6, mtime=0))
