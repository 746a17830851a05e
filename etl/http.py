"""The only door to the network: which hosts, how fast, how often again, how much, and what came back.

Everything else asks through `Http.get` and `Http.download`. `JUSTICE_REPLICA_URL` sends every request to a
loopback replica instead (`https://www.ons.gov.uk/x` → `<replica>/www.ons.gov.uk/x`).
"""

from __future__ import annotations

import hashlib
import io
import ipaddress
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import IO
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
import tenacity
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from etl.errors import RefusedAnswerError, UnreachableError, WrongUseError
from etl.settings import Settings, own_version

logger = logging.getLogger(__name__)

GOV_UK = "www.gov.uk"
GOV_UK_FILES = "assets.publishing.service.gov.uk"
ONS = "www.ons.gov.uk"
NOMIS = "www.nomisweb.co.uk"
OPEN_GEOGRAPHY = "services1.arcgis.com"

_PER_SECOND = {GOV_UK: 5.0, GOV_UK_FILES: 5.0, ONS: 2.0, NOMIS: 1.0, OPEN_GEOGRAPHY: 1.0}
"""The hosts that may be asked, and how often a second."""
_REDIRECTS = 5
_FILE_BYTES = 600 << 20
_PAGE_BYTES = 64 << 20
_CHUNK = 1 << 16
_TIMEOUTS = (10.0, 60.0)
_PENALTY_SECONDS = 60
"""How long GOV.UK punishes a client that asked too often; its 429 does not say."""
_FIRST_BACKOFF_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 300
_LONGEST_ANSWER_SECONDS = 1800
"""How long one body may take to come: the read timeout alone lets it drip for ever."""
_MISSES = 2
"""After how many requests in a row to which a host is not there or busy, repetitions and all, it is not asked again."""
_STATUSES_TO_RETRY = frozenset({429, 500, 502, 503, 504})
_BUSY = frozenset({429, 503})
"""What a host answers to everybody for a while; a 500 can be one page's trouble."""
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Validators:
    """What a publisher gave to ask again with: `ETag` and `Last-Modified`, as they came."""

    etag: str | None = None
    last_modified: str | None = None

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)

    def headers(self) -> dict[str, str]:
        """The headers of a conditional request."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class Answer:
    """What came back, as provenance keeps it; `sha256` and `bytes` are of the decoded body of a 200.

    `attempts` counts requests that were sent, redirects and repetitions included. Addresses are the
    publisher's, also when a replica answered.
    """

    requested_url: str
    final_url: str
    redirects: tuple[str, ...]
    status: int
    validators: Validators
    age_seconds: int | None
    backend: str | None
    content_type: str | None
    attempts: int
    bytes: int
    sha256: str | None

    @property
    def is_from_mirror(self) -> bool:
        """Whether GOV.UK's origin was sick and a mirror answered: nothing that is gone there is really gone."""
        return "mirror" in (self.backend or "").casefold()

    @property
    def modified_at(self) -> str | None:
        """`Last-Modified` as ISO 8601 in UTC; None where it is absent or no date."""
        try:
            moment = parsedate_to_datetime(self.validators.last_modified or "")
            return moment.astimezone(UTC).isoformat(timespec="seconds") if moment.tzinfo else None
        except (ValueError, TypeError, OverflowError):
            return None


class Pace:
    """Lets at most so many requests start in a second, evenly."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._next = clock()

    def wait(self) -> None:
        """Return when the next request may start."""
        now = self._clock()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + self._interval


class _BusyHostError(UnreachableError):
    """A host answers nobody for now, whatever is asked of it: it is overloaded, or we asked too often."""


class _PoliteRetry(Retry):
    """Repeats what may come right, no sooner than asked; a 429 that asks for nothing means a minute."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        asked = super().get_retry_after(response)
        if asked is not None and asked > _LONGEST_WAIT_SECONDS:
            raise _BusyHostError(
                f"a publisher answered {response.status} and asks to wait for {asked:,.0f} seconds",
                "the next run asks again; if it stays, ask less often",
            )
        return _PENALTY_SECONDS if response.status == 429 and asked is None else asked

    def get_backoff_time(self) -> float:
        # urllib3 repeats the first time at once, which is faster than any pace.
        return max(_FIRST_BACKOFF_SECONDS, super().get_backoff_time())


class _PublicConnection(HTTPSConnection):
    """Speaks to public addresses alone: a name that leads to a private one is refused before a byte is sent."""

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        address = ipaddress.ip_address(connection.getpeername()[0])
        if not address.is_global:
            connection.close()
            raise RefusedAnswerError(
                f"{self.host} leads to {address}, which is no public address",
                "check the name service of this machine: publishers are on public addresses",
            )
        return connection


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicAdapter(HTTPAdapter):
    """Opens its connections as `_PublicConnection`."""

    def init_poolmanager(self, *args: object, **more: object) -> None:
        super().init_poolmanager(*args, **more)  # type: ignore[arg-type]
        self.poolmanager.pool_classes_by_scheme = {"https": _PublicPool}


class _Session(requests.Session):
    """Leaves redirects to us: requests reads where one leads even when told not to follow it."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - as requests calls it
        return None


class Http:
    """One run's door to the publishers; use it as a context.

    `last_answer` is the last answer to the last request, also where it was refused: its status, where it came from,
    and where it would lead. Its body was not taken then.

    Args:
        settings: contact and replica.
        is_paced: whether to keep the publishers' pace; None keeps it but towards a replica.

    Raises:
        WrongUseError: there is no contact, or the replica is not on loopback.
    """

    def __init__(self, settings: Settings, *, is_paced: bool | None = None) -> None:
        self.replica = _check_replica(settings.replica_url)
        if self.replica is None and not settings.contact:
            raise WrongUseError(
                "publishers must be able to reach whoever asks them every night",
                "set JUSTICE_CONTACT to a mail address or a web page; it goes into the User-Agent",
            )
        is_paced = self.replica is None if is_paced is None else is_paced
        self._paces = {host: Pace(rate) for host, rate in _PER_SECOND.items()} if is_paced else {}
        self.last_answer: Answer | None = None
        self._host = ""
        self._misses: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._session = _Session()
        # No proxies, passwords or cookies that the environment or a publisher brings along.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        contact = settings.contact or "loopback replica"
        self._session.headers["User-Agent"] = f"justice-etl/{own_version()} (+{contact})"
        self._session.adapters.clear()
        retry = _PoliteRetry(
            total=4,
            status_forcelist=_STATUSES_TO_RETRY,
            allowed_methods={"GET"},
            backoff_factor=1,
            raise_on_status=False,
        )
        if self.replica is None:
            self._session.mount("https://", _PublicAdapter(max_retries=retry))
        else:
            self._session.mount(f"{self.replica}/", HTTPAdapter(max_retries=retry))

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, url: str, validators: Validators | None = None) -> tuple[Answer, bytes]:
        """Ask for a page.

        Returns:
            What came back, and its body; a status that is not retried (304, 403, 404, 410) is an answer too.

        Raises:
            RefusedAnswerError: a host that is not allowed, too many redirects, or too large.
            UnreachableError: no answer, or a status that says so, after all repetitions.
        """
        body = io.BytesIO()
        answer = self._ask(url, body, validators, _PAGE_BYTES, {})
        return answer, body.getvalue()

    def download(self, url: str, target: IO[bytes], validators: Validators | None = None) -> Answer:
        """Ask for a file and write it to `target` as it comes; raises as `get` does."""
        return self._ask(url, target, validators, _FILE_BYTES, {"Accept-Encoding": "identity"})

    def _ask(
        self, url: str, target: IO[bytes], validators: Validators | None, limit: int, headers: dict[str, str]
    ) -> Answer:
        headers = headers | (validators or Validators()).headers()
        sent = [0]
        self.last_answer = None
        # urllib3's `Retry` repeats connections and statuses (requests' exceptions are past it), but no body that
        # is cut short: that one is urllib3's own exception.
        repeat = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(HTTPError),
            stop=tenacity.stop_after_attempt(4),
            wait=tenacity.wait_exponential(multiplier=1, max=30),
            reraise=True,
        )
        try:
            answer: Answer = repeat(self._ask_once, url, target, headers, limit, sent)
        except _BusyHostError:
            self._misses[self._host] += 1
            raise
        except (requests.RequestException, HTTPError) as error:
            # A body that is cut short is one file's trouble, not its host's.
            self._misses[self._host] += isinstance(error, requests.RequestException)
            times = f" in {sent[0]} requests" if sent[0] > 1 else ""
            raise UnreachableError(
                f"{url} could not be fetched{times}: {_name_cause(error)}", "the next run asks again"
            ) from error
        self._misses.pop(self._host, None)
        return answer

    def _ask_once(self, url: str, target: IO[bytes], headers: dict[str, str], limit: int, sent: list[int]) -> Answer:
        passed = [url]
        while True:
            response = self._send(passed[-1], headers, sent)
            with response:
                self.last_answer = _describe(passed, response, sent[0], 0, None)
                if response.status_code in _REDIRECT_STATUSES:
                    passed.append(_follow(passed, response.headers.get("Location")))
                    self.last_answer = replace(self.last_answer, redirects=tuple(passed[1:]))
                    continue
                if response.status_code in _STATUSES_TO_RETRY:
                    self._keep_penalty(response)
                    kind = _BusyHostError if response.status_code in _BUSY else UnreachableError
                    raise kind(
                        f"{passed[-1]} answered {response.status_code} to {sent[0]} requests", "the next run asks again"
                    )
                size, sha256 = _save(response, target, limit, passed[-1])
                self.last_answer = _describe(passed, response, sent[0], size, sha256)
                return self.last_answer

    def _send(self, url: str, headers: dict[str, str], sent: list[int]) -> requests.Response:
        self._host = host = _check_address(url)
        if self._misses[host] >= _MISSES:
            raise UnreachableError(
                f"{url} is not asked for: {host} does not answer; it is not asked again in this run",
                "the next run asks again",
            )
        if (wait := self._not_before.pop(host, 0.0) - time.monotonic()) > 0:
            time.sleep(wait)
        if host in self._paces:
            self._paces[host].wait()
        sent[0] += 1
        response = self._session.get(
            self._replicate(url), headers=headers, stream=True, allow_redirects=False, timeout=_TIMEOUTS
        )
        retries = response.raw.retries
        sent[0] += len(retries.history) if retries else 0
        logger.debug("asked", extra={"url": url, "status": response.status_code})
        return response

    def _keep_penalty(self, response: requests.Response) -> None:
        """Leave the host alone for as long as its last answer asks: `Retry` waits only before it repeats."""
        retries = response.raw.retries
        if retries and (seconds := retries.get_retry_after(response.raw)):
            self._not_before[self._host] = time.monotonic() + seconds

    def _replicate(self, url: str) -> str:
        return url if self.replica is None else f"{self.replica}/{url.partition('://')[2]}"


def _check_replica(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        is_fine = parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        is_fine = False
    if not is_fine:
        raise WrongUseError(
            f"JUSTICE_REPLICA_URL is {url!r}, which is no address on this machine", "write http://127.0.0.1:<port>"
        )
    return url.rstrip("/")


def _check_address(url: str) -> str:
    """The host of an address that may be asked.

    Raises:
        RefusedAnswerError: it may not.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise RefusedAnswerError(
            f"{url!r} is not asked: it is no address ({error})", "look at the page by hand"
        ) from error
    if parts.scheme != "https" or parts.netloc not in _PER_SECOND:
        raise RefusedAnswerError(
            f"{url} is not asked: {parts.scheme}://{parts.netloc} is not among the publishers",
            "a draft or a foreign host is no publication; a new home of a publisher belongs in etl/http.py",
        )
    return parts.netloc


def _follow(passed: list[str], location: str | None) -> str:
    """Where a redirect leads; its fragment is no part of the address."""
    if not location:
        raise RefusedAnswerError(f"{passed[-1]} redirects to nowhere", "look at the page by hand")
    if len(passed) > _REDIRECTS:
        raise RefusedAnswerError(
            f"{passed[0]} redirects more than {_REDIRECTS} times: {' → '.join(passed)}", "look at the page by hand"
        )
    try:
        parts = urlsplit(urljoin(passed[-1], location))
    except ValueError as error:
        raise RefusedAnswerError(
            f"{passed[-1]} redirects to {location!r}, which is no address ({error})", "look at the page by hand"
        ) from error
    return urlunsplit(parts._replace(fragment=""))


def _save(response: requests.Response, target: IO[bytes], limit: int, url: str) -> tuple[int, str | None]:
    """Write the decoded body of an answer, counted and hashed.

    The body of anything but a 200 is kept too (a Content API item that is gone says so in its body).
    """
    target.seek(0)
    target.truncate()
    digest = hashlib.sha256()
    size = 0
    deadline = time.monotonic() + _LONGEST_ANSWER_SECONDS
    # `read1` hands out what is there; `stream` waits for a whole chunk, and a drip would never meet the deadline.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > limit:
            raise RefusedAnswerError(
                f"{url} holds more than {limit:,} bytes when decoded",
                "if it is genuine, raise the limit in etl/http.py with a reason",
            )
        if time.monotonic() > deadline:
            raise UnreachableError(
                f"{url} sent {size:,} bytes in {_LONGEST_ANSWER_SECONDS // 60} minutes and was not done",
                "the next run asks again",
            )
        digest.update(chunk)
        target.write(chunk)
    return size, digest.hexdigest() if response.status_code == 200 else None


def _describe(passed: list[str], response: requests.Response, attempts: int, size: int, sha256: str | None) -> Answer:
    headers = response.headers
    age = headers.get("Age", "")
    return Answer(
        requested_url=passed[0],
        final_url=passed[-1],
        redirects=tuple(passed[1:]),
        status=response.status_code,
        validators=Validators(headers.get("ETag"), headers.get("Last-Modified")),
        age_seconds=int(age) if age.isdecimal() else None,
        backend=headers.get("Fastly-Backend-Name"),
        content_type=headers.get("Content-Type"),
        attempts=attempts,
        bytes=size,
        sha256=sha256,
    )


def _name_cause(error: BaseException) -> str:
    """The innermost reason: requests and urllib3 wrap it several times."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error}"
