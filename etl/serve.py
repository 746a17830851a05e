"""`justice-etl serve`: the published versions over HTTP, read-only.

`/data/latest/…` is the version that serves now, `/data/<version>/…` one that is kept: addresses, not copies. The web
server of docker/nginx.conf answers in the same way, and the same tests hold for both.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import resource
import signal
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from etl.conditions import accepts_gzip, find_part, is_as_wanted, is_unchanged
from etl.errors import JusticeError
from etl.published_files import Folder, Found, LargeFile, PublishedFiles, SmallFile

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn import Config

logger = logging.getLogger(__name__)

LATEST = "latest"
START = f"/data/{LATEST}/site/"
"""Where the site of the version that serves is."""

_ADDRESS = re.compile(r"/data/(latest|[0-9a-f]{12})/(.*)", re.DOTALL)
_METHODS = "GET, HEAD, OPTIONS"
_CHUNK = 2**18
_LEVEL, _GZIP = 5, 31
_TOO_MANY_OPEN = {errno.EMFILE, errno.ENFILE}
_GRACE_SECONDS = 10

_POLICY = (
    "default-src 'none'; style-src 'self'{inline}; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SITE_POLICY = _POLICY.format(inline="")
DOCS_POLICY = _POLICY.format(inline=" 'unsafe-inline'")
"""Data Docs carry their styles in their pages."""

ALWAYS = {
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Anybody's page may read the figures; there are no cookies and nothing to write.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "If-Match, If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since, Range",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
}
"""Headers of every answer; docker/nginx.conf has the same, and a test compares them."""

_ALWAYS = [(name.lower().encode(), value.encode()) for name, value in ALWAYS.items()]


@dataclass(frozen=True)
class Answer:
    """What is sent: a short body, or a part of a large file, which may be packed on its way."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    large: LargeFile | None = None
    part: range = range(0)
    is_packed: bool = False


def say(status: int, text: str, **headers: str) -> Answer:
    """An answer in plain words; underscores in the names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = f"{text}\n".encode()
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))} | named, body)


def _say_not_found() -> Answer:
    return say(404, f"There is nothing at this address. What is published starts at {START}")


def _say_gone(version: str) -> Answer:
    return say(410, f"Version {version} is gone: only the newest are kept. The latest starts at {START}")


def _say_empty() -> Answer:
    text = "Nothing is published here yet. Try again later; whoever runs this: justice-etl publish"
    return say(503, text, Retry_After="60")


def _say_failed(error: Exception, scope: Scope) -> Answer:
    """Log what nobody foresaw, and tell it without details."""
    told = {"method": scope["method"], "path": scope["path"]}
    if isinstance(error, OSError) and error.errno in _TOO_MANY_OPEN:
        # It passes by itself, and where in the code it happened says nothing.
        logger.error("too many files and connections are open", extra=told | {"reason": error.strerror})
        return say(503, "Too many ask at once. Try again in a moment.", Retry_After="5")
    logger.error("a request failed", exc_info=error, extra=told)
    return say(500, "Something is wrong here, and was written down. Try again later.")


class Serving:
    """The ASGI application over the versions of a home; see `make_app`."""

    def __init__(self, home: Path) -> None:
        self._files = PublishedFiles(home)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; what nobody foresaw is logged and told without details."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope)
        except Exception as error:
            answer = _say_failed(error, scope)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("answered", extra={"path": scope["path"], "status": answer.status})
        try:
            await _send(answer, scope, receive, send)
        finally:
            if answer.large:
                answer.large.file.close()

    async def _answer(self, scope: Scope) -> Answer:
        method, path = scope["method"], scope["path"]
        if method == "OPTIONS":
            return Answer(204)
        if method not in ("GET", "HEAD"):
            return say(405, f"What is here can only be read: {_METHODS}", Allow=_METHODS)
        if path == "/":
            return Answer(302, {"Location": START, "Content-Length": "0"})
        if path == "/health":
            # Whoever asks wants to know whether to send requests here. Where nothing is published yet, another
            # process of ours would not know better, and the page that says so should be seen.
            return say(200, "ok")
        if not (asked := _ADDRESS.fullmatch(path)):
            return _say_not_found()
        if asked[1] == LATEST:
            return await self._answer_latest(asked[2], scope)
        return await self._answer_version(asked[1], asked[2], scope)

    async def _answer_latest(self, path: str, scope: Scope) -> Answer:
        while version := self._files.current():
            found = await self._files.find(version, path)
            # Not there, or pruned between the two, since another was published?
            if found is not None or self._files.current() == version:
                return _answer_found(found, scope, "no-cache")
        return _say_empty()

    async def _answer_version(self, name: str, path: str, scope: Scope) -> Answer:
        version = None if self._files.is_gone(name) else self._files.version(name)
        found = await self._files.find(version, path) if version else None
        if found is None and self._files.is_gone(name):
            return _say_gone(name)
        return _answer_found(found, scope, "public, max-age=31536000, immutable")


def make_app(home: Path) -> ASGIApp:
    """The ASGI application that serves what is published in a home.

    Args:
        home: the data home; it need not exist yet.
    """
    return Serving(home)


# --- one file ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """The variant of a file that a client gets: its tag, its size, its bytes unless they are on disk, its headers.

    One that is streamed is packed while it is sent: how long it becomes is not known before.
    """

    etag: str
    size: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_streamed: bool = False


def _answer_found(found: Found, scope: Scope, keep: str) -> Answer:
    """The answer for what was found at an address; `keep` says how long it may be kept."""
    if found is None:
        return _say_not_found()
    if isinstance(found, Folder):
        query = scope["query_string"].decode("latin-1")
        to = f"{quote(scope['path'])}/{'?' if query else ''}{query}"
        return Answer(301, {"Location": to, "Content-Length": "0"})
    asked = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    wanted = asked.get("range", "") if scope["method"] == "GET" else ""
    # A range is one of the file's own bytes; in HTTP/1.0 nothing can be sent whose length is not known (nginx packs
    # nothing for it either).
    takes_gzip = not wanted and scope["http_version"] != "1.0" and accepts_gzip(asked.get("accept-encoding", ""))
    chosen = _choose_variant(found, takes_gzip)
    headers = {"ETag": chosen.etag, "Last-Modified": found.modified, "Cache-Control": keep} | chosen.headers
    answer = _answer_variant(chosen, found, asked, wanted, headers)
    return replace(answer, large=found) if isinstance(found, LargeFile) else answer


def _answer_variant(
    chosen: Chosen, found: SmallFile | LargeFile, asked: dict[str, str], wanted: str, headers: dict[str, str]
) -> Answer:
    if not is_as_wanted(asked, chosen.etag, found.modified):
        return say(412, "What is here now is not what you go on with. Begin anew.")
    if is_unchanged(asked, chosen.etag, found.modified):
        return Answer(304, headers)
    part = find_part(wanted, asked.get("if-range"), chosen.size, chosen.etag, found.modified)
    if part is not None and not part:
        text = f"There are {chosen.size} bytes, and none of them in this range."
        return say(416, text, Content_Range=f"bytes */{chosen.size}")
    headers |= {"Content-Type": found.media_type, "Accept-Ranges": "bytes"}
    sent = range(chosen.size) if part is None else part
    headers |= {} if chosen.is_streamed else {"Content-Length": str(len(sent))}
    if part is None:
        return Answer(200, headers, chosen.body, part=sent, is_packed=chosen.is_streamed)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{chosen.size}"
    return Answer(206, headers, chosen.body[part.start : part.stop], part=sent)


def _choose_variant(found: SmallFile | LargeFile, takes_gzip: bool) -> Chosen:
    can_be_packed = found.can_be_packed if isinstance(found, LargeFile) else found.packed is not None
    is_packed = can_be_packed and takes_gzip
    headers = {"Vary": "Accept-Encoding"} if can_be_packed else {}
    headers |= {"Content-Encoding": "gzip"} if is_packed else {}
    if isinstance(found, LargeFile):
        # Weak: another release of zlib may make other bytes of the same file.
        return Chosen(f"W/{found.etag}" if is_packed else found.etag, found.size, b"", headers, is_streamed=is_packed)
    variant = found.packed if found.packed and is_packed else found.plain
    return Chosen(variant.etag, len(variant.content), variant.content, headers)


# --- sending -------------------------------------------------------------------------------------------


def _choose_policy(path: str) -> str:
    asked = _ADDRESS.fullmatch(path)
    return DOCS_POLICY if asked and asked[2].startswith("data-docs/") else SITE_POLICY


async def _send(answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _choose_policy(scope["path"])} | answer.headers
    named = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": named + _ALWAYS})
    if answer.large and scope["method"] == "GET":
        packer = zlib.compressobj(_LEVEL, wbits=_GZIP) if answer.is_packed else None
        await _send_part(answer.large, answer.part, packer, receive, send)
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})


async def _send_part(
    large: LargeFile, part: range, packer: zlib._Compress | None, receive: Receive, send: Send
) -> None:
    """Send a part of a file, chunk by chunk, for as long as somebody listens."""
    left = asyncio.ensure_future(_wait_until_left(receive))
    at = part.start
    try:
        while at < part.stop and not left.done():
            end = min(at + _CHUNK, part.stop)
            at, chunk = await asyncio.to_thread(_read_chunk, large, range(at, end), packer)
            if chunk:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if packer:
            await send({"type": "http.response.body", "body": packer.flush(), "more_body": True})
    finally:
        left.cancel()


def _read_chunk(large: LargeFile, part: range, packer: zlib._Compress | None) -> tuple[int, bytes]:
    """Up to where a chunk was read, and what it is; a packer may keep all of it for later."""
    chunk = os.pread(large.file.fileno(), len(part), part.start)
    if not chunk:
        raise JusticeError(f"{large.file.name} ends at byte {part.start} of {large.size}", "look at the disk")
    return part.start + len(chunk), packer.compress(chunk) if packer else chunk


async def _wait_until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


# --- the server ----------------------------------------------------------------------------------------


def serve(home: Path, host: str, port: int, workers: int, tell: Callable[[str], None]) -> None:
    """Serve a home until told to stop (SIGTERM, SIGINT); requests that run then have ten seconds.

    Args:
        home: the data home.
        host: the address to listen at.
        port: the port; 0 takes any that is free.
        workers: how many processes.
        tell: is given the address, once requests are taken.

    Raises:
        JusticeError: it cannot listen there.
    """
    from uvicorn import Config
    from uvicorn.supervisors import Multiprocess

    config = Config(
        partial(_make_worker_app, home, logger.getEffectiveLevel()),
        factory=True,
        host=host,
        port=port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        callback_notify=partial(_stop_orphan, os.getpid()),
        timeout_notify=1,
    )
    with _saying_why(config):
        listening = config.bind_socket()
        # At once, so that nobody else can; what comes waits for the first worker.
        listening.listen(config.backlog)
    with listening:
        # One worker has a supervisor too: it turns a signal into a clean end.
        supervisor = Multiprocess(config, [listening])
        name = f"[{host}]" if ":" in host else host
        tell(f"http://{name}:{listening.getsockname()[1]}")
        supervisor.run()


@contextmanager
def _saying_why(config: Config) -> Iterator[None]:
    """Uvicorn logs why it cannot listen, and ends the process: here it is one readable error."""
    talking = logging.getLogger("uvicorn.error")
    talking.disabled = True
    try:
        yield
    except (SystemExit, OSError) as error:
        reason = error.__context__ if isinstance(error, SystemExit) else error
        why = reason.strerror if isinstance(reason, OSError) else "it cannot be had"
        raise JusticeError(
            f"cannot listen at {config.host}, port {config.port}: {why}",
            "choose another with --port (0 takes any that is free) or --host",
        ) from reason
    finally:
        talking.disabled = False


def _make_worker_app(home: Path, level: int) -> ASGIApp:
    """What each worker calls once: its log goes where that of the command goes."""
    from etl.logs import set_up_logging
    from etl.settings import Settings

    set_up_logging(logging.getLevelName(level), Settings().log_format)
    server = logging.getLogger("uvicorn")
    server.handlers[:], server.propagate = logging.getLogger("etl").handlers, False
    _raise_open_files()
    return make_app(home)


def _raise_open_files() -> None:
    """Each connection and each download is an open file: as many as this process may have, not what is usual."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS may say that there is no limit, and has one.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _stop_orphan(parent: int) -> None:
    """End a worker whose supervisor was killed: it would keep the port for good."""
    if os.getppid() != parent:
        signal.raise_signal(signal.SIGTERM)
