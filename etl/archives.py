"""What a file really is, by its bytes, and whether an archive is safe to open.

A name proves nothing: publishers serve HTML error pages as spreadsheets, and a small archive can hold more
than a disk. Everything is decided on the bytes, before a reader sees them.
"""

from __future__ import annotations

import io
import stat
import zipfile
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
    if any(stream.encode("utf-16-le") in content for stream in ("Workbook", "Book")):
        return XLS
    raise RefusedFileError(f"{name} is an OLE file but no Excel workbook", "check what was downloaded")


def _sniff_text(name: str, head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return CSV
    if b"\x00" in head:
        raise RefusedFileError(
            f"{name} is of an unknown binary type (starts with {head[:8].hex(' ')})",
            "expected xlsx, ods, xls, csv, json or zip: check what was downloaded",
        )
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head", b"<body")):
        raise RefusedFileError(
            f"{name} is a page of HTML or XML, not a table (starts with {start[:40]!r})",
            "the publisher may have answered with an error page: fetch it again or check the address",
        )
    if start.startswith((b"{", b"[")):
        return JSON
    if not start:
        raise RefusedFileError(f"{name} holds nothing but white space", "fetch it again")
    return CSV


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
            for member in members:
                _check_member(name, member, limits)
                _unpack_member(archive, name, member, limits, depth, count)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
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
    nested: io.BytesIO | None = None
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            if stream.tell() == len(chunk) and chunk.startswith(ZIP_MAGIC):
                if depth + 1 > limits.nesting:
                    raise _beyond(name, f"an archive within an archive within it: {member.filename!r}", "one")
                nested = io.BytesIO()
            if nested is not None:
                nested.write(chunk)
            count.bytes += len(chunk)
            if count.bytes > limits.total_bytes:
                raise _beyond(name, f"more than {limits.total_bytes:,} bytes unpacked", "that much")
    if nested is not None:
        inner = f"{name}/{member.filename}"
        check_archive(nested, inner, nested.tell(), limits, depth=depth + 1, count=count)


def is_modelled(path: Path, media_type: str) -> bool:
    """Whether a file says of itself that it is one of our modelled samples.

    Workbooks say so in their properties, text files in their first 4,096 bytes, archives in any member.
    """
    mark = MODELLED_MARK.encode()
    if media_type in (XLSX, XLSM, ODS):
        with zipfile.ZipFile(path) as archive:
            properties = {"docProps/core.xml", "meta.xml"} & set(archive.namelist())
            return any(mark in archive.read(member) for member in sorted(properties))
    if media_type == ZIP:
        with zipfile.ZipFile(path) as archive:
            return any(mark in archive.open(member).read(4096) for member in archive.infolist())
    if media_type == XLS:
        return mark in path.read_bytes()
    with path.open("rb") as file:
        return mark in file.read(4096)
