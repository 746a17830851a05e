"""What a file really is, by its bytes, and whether an archive is safe to open.

A name proves nothing: publishers serve HTML error pages as spreadsheets, and a small archive can hold more
than a disk. Everything is decided on the bytes, before a reader sees them.
"""

from __future__ import annotations

import copy
import lzma
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from etl.errors import RefusedFileError

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLSM = "application/vnd.ms-excel.sheet.macroEnabled.12"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
XLS = "application/vnd.ms-excel"
CSV = "text/csv"
JSON = "application/json"
ZIP = "application/zip"

MODELLED_MARK = "justice-etl modelled sample"
"""Stands in the properties of a modelled workbook or the first lines of a modelled text file."""

_CHUNK = 1 << 20
_IN_MEMORY = 64 << 20
_FREE_SECTOR = 0xFFFFFFFF
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]")
"""Bytes that no text holds (0x1a is the end-of-file mark of old CSV files)."""
_MARKUP = re.compile(r"<[!?a-z]", re.IGNORECASE)
_JSON = re.compile(r'\{\s*["}]|\[\s*(["{\[\]\d-]|true\b|false\b|null\b)')


@dataclass(frozen=True)
class ArchiveLimits:
    """How large an archive may be. The real 50 MB open data ODS holds 1.4 GB, a ratio of 28."""

    members: int = 5_000
    member_bytes: int = 4 << 30
    total_bytes: int = 8 << 30
    ratio: int = 200
    ratio_from_bytes: int = 1 << 20
    """The ratio is not asked of less than this: a few kilobytes of blanks are no bomb."""
    nesting: int = 1


DEFAULT_LIMITS = ArchiveLimits()


@dataclass
class _Count:
    members: int = 0
    bytes: int = 0


def sniff(path: Path, name: str | None = None, limits: ArchiveLimits = DEFAULT_LIMITS) -> str:
    """The media type of a file by its bytes, after checking that it is safe and complete.

    Args:
        path: the file.
        name: what messages call it; its own name when None.
        limits: how large an archive may be.

    Returns:
        One of XLSX, XLSM, ODS, XLS, CSV, JSON, ZIP.

    Raises:
        RefusedFileError: the file is empty, HTML, encrypted, damaged, an unknown type, or an archive
            beyond the limits; the message says which and what was found.
    """
    name = name or path.name
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        raise RefusedFileError(f"{name} is empty", "fetch it again")
    if head.startswith(ZIP_MAGIC):
        return _sniff_zip(path, name, limits)
    if head.startswith(OLE_MAGIC):
        return _sniff_ole(path, name)
    return _sniff_text(name, head)


def _sniff_zip(path: Path, name: str, limits: ArchiveLimits) -> str:
    with path.open("rb") as file:
        check_archive(file, name, path.stat().st_size, limits)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "mimetype" in names and archive.read("mimetype").decode("ascii", "replace").strip() == ODS:
            manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
            if b"encryption-data" in manifest:
                raise RefusedFileError(f"{name} is protected by a password", "get an open copy of it")
            return ODS
        if "[Content_Types].xml" in names and "xl/workbook.xml" in names:
            return XLSM if "xl/vbaProject.bin" in names else XLSX
    return ZIP


def _sniff_ole(path: Path, name: str) -> str:
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise RefusedFileError(f"{name} is protected by a password", "get an open copy of it")
    if not _is_whole_ole(content):
        raise RefusedFileError(f"{name} is a damaged OLE file: its end is missing", "fetch it again")
    if any(stream.encode("utf-16-le") in content for stream in ("Workbook", "Book")):
        return XLS
    raise RefusedFileError(f"{name} is an OLE file but no Excel workbook", "check what was downloaded")


def _is_whole_ole(content: bytes) -> bool:
    """Whether every sector that the allocation table of an OLE file uses is there."""

    def numbers(start: int, length: int) -> tuple[int, ...]:
        part = content[start : start + length]
        return struct.unpack(f"<{len(part) // 4}I", part[: len(part) // 4 * 4])

    sector = 1 << int.from_bytes(content[30:32], "little")
    if sector not in (512, 4096) or len(content) < sector:
        return False
    present = -(-(len(content) - sector) // sector)
    tables = [number for number in numbers(76, 436) if number != _FREE_SECTOR]
    following, count = numbers(68, 8)
    for _ in range(count):
        if following >= present:
            return False
        *more, following = numbers((following + 1) * sector, sector) or (_FREE_SECTOR,)
        tables += [number for number in more if number != _FREE_SECTOR]
    for position, table in enumerate(tables):
        if table >= present:
            return False
        first = position * sector // 4
        used = [index for index, to in enumerate(numbers((table + 1) * sector, sector)) if to != _FREE_SECTOR]
        if used and first + used[-1] >= present:
            return False
    return True


def _sniff_text(name: str, head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head[: len(head) & ~1].decode("utf-16", "replace")
    elif head.startswith(b"%PDF") or _CONTROL.search(head):
        raise RefusedFileError(
            f"{name} is of an unknown binary type (starts with {head[:8].hex(' ')})",
            "expected xlsx, ods, xls, csv, json or zip: check what was downloaded",
        )
    else:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    start = text.lstrip()
    if _MARKUP.match(start):
        raise RefusedFileError(
            f"{name} is a page of HTML or XML, not a table (starts with {start[:40]!r})",
            "the publisher may have answered with an error page: fetch it again or check the address",
        )
    if not start:
        raise RefusedFileError(f"{name} holds nothing but white space", "fetch it again")
    # `[x] means not available` is a line of a table, `["x"` is JSON.
    return JSON if _JSON.match(start) else CSV


_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


def check_archive(
    file: IO[bytes],
    name: str,
    size: int,
    limits: ArchiveLimits = DEFAULT_LIMITS,
    *,
    depth: int = 0,
    count: _Count | None = None,
) -> None:
    """Unpack an archive into nothing, checking every limit, so that a lying header cannot hide.

    Args:
        file: the open archive, seekable.
        name: what messages call it.
        size: its own bytes, for the compression ratio.
        limits: see `ArchiveLimits`.
        depth: how many archives it already lies within.
        count: what the outer archives have used up.

    Raises:
        RefusedFileError: the archive is damaged, encrypted, too large, or has unsafe members.
    """
    count = count if count is not None else _Count()
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            count.members += len(members)
            if count.members > limits.members:
                raise _beyond(name, f"{count.members} members", f"at most {limits.members}")
            declared = sum(member.file_size for member in members)
            if declared > max(size * limits.ratio, limits.ratio_from_bytes):
                raise _beyond(name, f"{declared:,} bytes out of {size:,}", f"a ratio of {limits.ratio}")
            seen: set[str] = set()
            for member in members:
                _check_member(name, member, limits)
                if member.filename in seen:
                    raise RefusedFileError(f"{name} holds {member.filename!r} twice", "do not use this file")
                seen.add(member.filename)
                _unpack_member(archive, name, member, limits, depth, count)
    except _DAMAGE as error:
        raise RefusedFileError(f"{name} is a damaged archive: {error}", "fetch it again") from error


def _beyond(name: str, found: str, limit: str) -> RefusedFileError:
    return RefusedFileError(
        f"{name} is beyond the archive limits: {found}, allowed {limit}",
        "if it is genuine, raise the limit in etl/archives.py with a reason",
    )


def _check_member(name: str, member: zipfile.ZipInfo, limits: ArchiveLimits) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    drive = member.filename[1:2] == ":"
    if path.is_absolute() or ".." in path.parts or drive or "\x00" in member.orig_filename:
        raise RefusedFileError(f"{name} holds an unsafe name: {member.filename!r}", "do not use this file")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise RefusedFileError(f"{name} holds a link: {member.filename!r}", "do not use this file")
    if member.flag_bits & 0x1:
        raise RefusedFileError(f"{name} is protected by a password: {member.filename!r}", "get an open copy")
    if member.file_size > limits.member_bytes:
        raise _beyond(name, f"{member.filename!r} of {member.file_size:,} bytes", f"{limits.member_bytes:,}")
    large = member.file_size > limits.ratio_from_bytes
    if large and member.file_size > member.compress_size * limits.ratio:
        raise _beyond(
            name,
            f"{member.filename!r} of {member.file_size:,} bytes out of {member.compress_size:,}",
            f"a ratio of {limits.ratio}",
        )


def _unpack_member(
    archive: zipfile.ZipFile,
    name: str,
    member: zipfile.ZipInfo,
    limits: ArchiveLimits,
    depth: int,
    count: _Count,
) -> None:
    # `zipfile` stops at the size that the directory declares; other readers go on to the end of the data.
    honest = copy.copy(member)
    honest.file_size = limits.member_bytes + _CHUNK
    found = 0
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as nested, archive.open(honest) as stream:
        while chunk := stream.read(_CHUNK):
            if not found and chunk.startswith(ZIP_MAGIC):
                if depth + 1 > limits.nesting:
                    raise _beyond(name, f"an archive within an archive within it: {member.filename!r}", "one")
                nested.write(chunk)
            elif nested.tell():
                nested.write(chunk)
            found += len(chunk)
            count.bytes += len(chunk)
            if found > member.file_size:
                break
            if count.bytes > limits.total_bytes:
                raise _beyond(name, f"more than {limits.total_bytes:,} bytes unpacked", "that much")
        if found != member.file_size:
            raise RefusedFileError(
                f"{name} declares {member.file_size:,} bytes for {member.filename!r} and holds "
                f"{'more' if found > member.file_size else f'{found:,}'}",
                "do not use this file",
            )
        if size := nested.tell():
            nested.seek(0)
            check_archive(nested, f"{name}/{member.filename}", size, limits, depth=depth + 1, count=count)


def is_modelled(path: Path, media_type: str) -> bool:
    """Whether a file says of itself that it is one of our modelled samples.

    Workbooks say so in their properties, text files in their first 4,096 bytes, archives in any member.
    """
    mark = MODELLED_MARK.encode()
    if media_type in (XLSX, XLSM, ODS):
        with zipfile.ZipFile(path) as archive:
            return _has_mark(archive)
    if media_type == ZIP:
        with zipfile.ZipFile(path) as archive:
            return any(_is_modelled_member(archive, member) for member in archive.infolist())
    if media_type == XLS:
        return mark in path.read_bytes()
    with path.open("rb") as file:
        return mark in file.read(4096)


def _has_mark(workbook: zipfile.ZipFile) -> bool:
    properties = {"docProps/core.xml", "meta.xml"} & set(workbook.namelist())
    return any(MODELLED_MARK.encode() in workbook.read(member) for member in sorted(properties))


def _is_modelled_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    with archive.open(member) as stream:
        head = stream.read(4096)
        if not head.startswith(ZIP_MAGIC):
            return MODELLED_MARK.encode() in head
        stream.seek(0)
        with zipfile.ZipFile(stream) as workbook:
            return _has_mark(workbook)
