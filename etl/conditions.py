"""What a request says of what the client has and takes: conditional, range and encoding headers (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def accepts_gzip(accepted: str) -> bool:
    """Whether a client takes gzip, by its Accept-Encoding."""
    for item in accepted.lower().split(","):
        name, _, quality = item.partition(";")
        if name.strip() == "gzip":
            return re.fullmatch(r"q=0(\.0*)?", quality.replace(" ", "")) is None
    return False


def is_as_wanted(asked: Mapping[str, str], etag: str, modified: str) -> bool:
    """Whether what is here is what a client goes on with, by its If-Match and If-Unmodified-Since.

    Where it sends both, both must hold, as nginx has it. The tag of packed bytes that is weak matches by its strong
    form, which is that of the file.
    """
    tags = asked.get("if-match", "*")
    if tags.strip() != "*" and etag.removeprefix("W/") not in [tag.strip() for tag in tags.split(",")]:
        return False
    until, at = _read_date(asked.get("if-unmodified-since", "")), _read_date(modified)
    return until is None or at is None or at <= until


def _read_date(text: str) -> datetime | None:
    """A date of HTTP; None where it is none, since such a header says nothing."""
    try:
        return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


def is_unchanged(asked: Mapping[str, str], etag: str, modified: str) -> bool:
    """Whether a client has these bytes already, by its conditional headers.

    A date must be the very one that was sent: after a rollback `latest` is older than what the client has, and yet
    it is not what the client has.
    """
    if (tags := asked.get("if-none-match")) is not None:
        known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
        return tags.strip() == "*" or etag.removeprefix("W/") in known
    return asked.get("if-modified-since") == modified


def find_part(wanted: str, if_range: str | None, size: int, etag: str, modified: str) -> range | None:
    """Which bytes to send.

    Args:
        wanted: the Range header.
        if_range: the If-Range header: the part is of use only if the file is still the one with this tag or date.
        size: how many bytes there are.
        etag: the tag of the file.
        modified: its Last-Modified.

    Returns:
        None means all of them (no range, another unit, several ranges); an empty range cannot be had.
    """
    if not wanted.startswith("bytes=") or "," in wanted or (if_range is not None and if_range not in (etag, modified)):
        return None
    found = _RANGE.fullmatch(wanted)
    if not found or not (found[1] or found[2]):
        return range(0)
    if not found[1]:
        return range(max(0, size - int(found[2])), size)
    last = int(found[2]) if found[2] else size
    return range(int(found[1]), min(last + 1, size))
