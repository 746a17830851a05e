"""A loopback replica of the publishers: serves an archive of their answers, as they would give them.

An archive is a folder: `answers.json` says what each address answers (`https://www.ons.gov.uk/x`, not the
replica's), `bodies/` holds the bytes under their SHA-256. `http://127.0.0.1:<port>/www.ons.gov.uk/x` serves it.
Status, headers, validators, redirects, conditional and range requests are as the publishers' own; a reply can
also break off, or follow others in turn.
"""

from __future__ import annotations

import hashlib
import re
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from etl.errors import WrongUseError
from etl.files import read_json, write_beside, write_json
from etl.http import GOV_UK, GOV_UK_FILES

ANSWERS = "answers.json"
_NO_VALIDATORS = ("/api/search.json",)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Reply:
    """What an address answers once. `body` names a file of the archive; `cut_at` bytes of it are sent at most."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    cut_at: int | None = None


@dataclass(frozen=True)
class Asked:
    """A request that the replica got: the publisher's address, whether it was conditional, what it answered."""

    url: str
    is_conditional: bool
    status: int
    headers: Mapping[str, str]
    at: float


class Archive:
    """What publishers answer, address by address; several replies to one address are given in turn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._replies: dict[str, list[Reply]] = {}

    @classmethod
    def load(cls, folder: Path) -> Archive:
        """The archive that was saved in a folder.

        Raises:
            WrongUseError: there is none.
        """
        if not (folder / ANSWERS).exists():
            raise WrongUseError(f"{folder} holds no {ANSWERS}", "name the folder of an archive")
        archive = cls(folder)
        for url, replies in read_json(folder / ANSWERS).items():
            archive._replies[url] = [Reply(**reply) for reply in replies]
        return archive

    def save(self) -> None:
        """Write what the addresses answer; the bodies lie there already."""
        replies = {url: [asdict(reply) for reply in each] for url, each in self._replies.items()}
        write_json(self.folder / ANSWERS, replies)

    def put(
        self,
        url: str,
        body: bytes | Path,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        modified: str | None = None,
        cut_at: int | None = None,
        in_turn: bool = False,
    ) -> None:
        """Let an address answer with a body.

        Args:
            url: the publisher's address.
            body: the bytes, or the file that holds them.
            status: the status.
            headers: more headers; they win over those that the publisher's host gives by itself.
            modified: when the file changed last, ISO 8601.
            cut_at: break off after so many bytes.
            in_turn: after the replies that are there; otherwise instead of them.
        """
        content = body.read_bytes() if isinstance(body, Path) else body
        name = f"bodies/{hashlib.sha256(content).hexdigest()}"
        if not (self.folder / name).exists():
            with write_beside(self.folder / name) as file:
                file.write(content)
        given = _validators(url, content, modified) if status == 200 else {}
        self._add(url, Reply(status, given | dict(headers or {}), name, cut_at), in_turn=in_turn)

    def answer(self, url: str, status: int, headers: Mapping[str, str] | None = None, *, in_turn: bool = False) -> None:
        """Let an address answer with a status and headers alone."""
        self._add(url, Reply(status, dict(headers or {})), in_turn=in_turn)

    def redirect(self, url: str, to: str, status: int = 302) -> None:
        """Let an address lead to another."""
        self.answer(url, status, {"Location": to})

    def remove(self, url: str) -> None:
        """Let an address answer 404."""
        self._replies.pop(_normalise(url), None)

    @property
    def urls(self) -> list[str]:
        """The addresses that answer, in one spelling each."""
        return sorted(self._replies)

    def reply(self, url: str) -> Reply:
        """The next reply of an address; the last one is given again and again.

        An address that ends in `?*` answers every query of its path that has no answer of its own.
        """
        own = _normalise(url)
        replies = self._replies.get(own) or self._replies.get(f"{own.split('?')[0]}?*") or [Reply(404)]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _add(self, url: str, reply: Reply, *, in_turn: bool) -> None:
        before = self._replies.get(_normalise(url), []) if in_turn else []
        self._replies[_normalise(url)] = [*before, reply]


def _normalise(url: str) -> str:
    """One spelling of an address: its query sorted, its path without escapes."""
    parts = urlsplit(url)
    is_any = parts.query == "*"
    query = "*" if is_any else urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"https://{parts.netloc}{unquote(parts.path)}{'?' if query else ''}{query}"


def _validators(url: str, content: bytes, modified: str | None) -> dict[str, str]:
    """The headers that each host gives to ask again with, as far as is known."""
    parts = urlsplit(url)
    if parts.path in _NO_VALIDATORS:
        return {}
    moment = datetime.fromisoformat(modified) if modified else None
    headers = {"Last-Modified": format_datetime(moment.astimezone(UTC), usegmt=True)} if moment else {}
    if parts.netloc == GOV_UK_FILES:
        stamp = int(moment.timestamp()) if moment else 0
        return headers | {"ETag": f'"{stamp:x}-{len(content):x}"', "Cache-Control": "max-age=1800, public"}
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if parts.netloc == GOV_UK:
        return headers | {"ETag": f'W/"{digest}"', "Cache-Control": "max-age=300, public"}
    return headers | {"ETag": f'"{digest}"'}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up in the middle of an answer has had enough of it: no fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Replica:
    """A running replica; use it as a context.

    Args:
        archive: what it serves; changes show at once.
        port: 0 takes any.
        delay_seconds: how long each answer takes, as over a real network.
    """

    def __init__(self, archive: Archive, *, port: int = 0, delay_seconds: float = 0) -> None:
        self.archive = archive
        self.asked: list[Asked] = []
        self._delay = delay_seconds
        self._server = _Server(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """What JUSTICE_REPLICA_URL is to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Replica:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self) -> None:
        """Serve until interrupted or terminated."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._server.serve_forever()
        except KeyboardInterrupt:
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replica = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                replica.respond(self)

            def do_HEAD(self) -> None:
                replica.respond(self)

            def log_message(self, format: str, *args: object) -> None:
                """`asked` holds them."""

        return Handler

    def respond(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request as the archive says."""
        url = f"https:/{request.path}"
        reply = self.archive.reply(url)
        content = (self.archive.folder / reply.body).read_bytes() if reply.body else b""
        status, headers, body = _negotiate(reply, content, request.headers)
        is_conditional = any(name in request.headers for name in ("If-None-Match", "If-Modified-Since"))
        self.asked.append(Asked(url, is_conditional, status, dict(request.headers), time.monotonic()))
        if self._delay:
            time.sleep(self._delay)
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if status != 304:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "GET" and status != 304:
            request.wfile.write(body if reply.cut_at is None else body[: reply.cut_at])
        if reply.cut_at is not None:
            request.close_connection = True


def _negotiate(reply: Reply, content: bytes, asked: Message) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body after conditional and range requests."""
    if reply.status != 200:
        return reply.status, reply.headers, content
    etag, modified = reply.headers.get("ETag"), reply.headers.get("Last-Modified")
    if _is_unchanged(etag, modified, asked):
        return 304, {name: value for name, value in reply.headers.items() if name != "Content-Type"}, b""
    headers = {**reply.headers, "Accept-Ranges": "bytes"}
    wanted = _RANGE.fullmatch(asked.get("Range", ""))
    if wanted is None or asked.get("If-Range", etag or modified) not in (etag, modified):
        return 200, headers, content
    first, last = wanted.groups()
    start = int(first) if first else max(len(content) - int(last or 0), 0)
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start > end:
        return 416, {"Content-Range": f"bytes */{len(content)}"}, b""
    return 206, {**headers, "Content-Range": f"bytes {start}-{end}/{len(content)}"}, content[start : end + 1]


def _is_unchanged(etag: str | None, modified: str | None, asked: Message) -> bool:
    if (given := asked.get("If-None-Match")) is not None:
        tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
        return etag is not None and (etag.removeprefix("W/") in tags or "*" in tags)
    try:
        return parsedate_to_datetime(modified or "") <= parsedate_to_datetime(asked.get("If-Modified-Since", ""))
    except (ValueError, TypeError):
        return False  # what is no date says nothing
