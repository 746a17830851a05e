"""The door to the network: whom it asks, how often, how much it takes, and what it keeps of an answer."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from etl import http
from etl.errors import RefusedAnswerError, UnreachableError, WrongUseError
from etl.http import Answer, Http, Pace, Validators
from etl.replica import Archive, Replica
from etl.settings import Settings

PAGE = "https://www.gov.uk/api/content/a"
FILE = "https://assets.publishing.service.gov.uk/media/5a37db21ed915d5a62fdc762/a.csv"
BODY = b"Area,Offences\nKent,1\n" * 50
HOSTS = [
    "www.gov.uk",
    "assets.publishing.service.gov.uk",
    "www.ons.gov.uk",
    "www.nomisweb.co.uk",
    "services1.arcgis.com",
]


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("JUSTICE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def replica(archive: Archive) -> Iterator[Replica]:
    with Replica(archive) as running:
        yield running


@pytest.fixture
def door(replica: Replica) -> Iterator[Http]:
    with Http(Settings(replica_url=replica.url, contact="us@example.org")) as opened:
        yield opened


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


def download(door: Http, url: str = FILE, validators: Validators | None = None) -> tuple[Answer, bytes]:
    target = io.BytesIO()
    return door.download(url, target, validators), target.getvalue()


# --- whom it asks ----------------------------------------------------------------------------------------


def test_addresses_are_the_publishers_whoever_answers(archive: Archive, replica: Replica, door: Http) -> None:
    archive.put("https://www.ons.gov.uk/file?uri=/a/b.xlsx", BODY, modified="2026-07-22T08:30:00+01:00")
    answer, body = download(door, "https://www.ons.gov.uk/file?uri=/a/b.xlsx")
    assert body == BODY
    assert (answer.requested_url, answer.final_url, answer.redirects) == (
        "https://www.ons.gov.uk/file?uri=/a/b.xlsx",
        "https://www.ons.gov.uk/file?uri=/a/b.xlsx",
        (),
    )
    assert (answer.status, answer.bytes, answer.attempts) == (200, len(BODY), 1)
    assert answer.sha256 == hashlib.sha256(BODY).hexdigest()
    assert answer.modified_at == "2026-07-22T07:30:00+00:00"
    assert replica.asked[0].headers["User-Agent"].startswith("justice-etl/")
    assert "us@example.org" in replica.asked[0].headers["User-Agent"]
    assert replica.asked[0].url == "https://www.ons.gov.uk/file?uri=/a/b.xlsx"
    assert door._replicate("https://www.ons.gov.uk/x?y") == f"{replica.url}/www.ons.gov.uk/x?y"
    assert door.get("HTTPS://www.ons.gov.uk/file?uri=/a/b.xlsx")[1] == BODY


@pytest.mark.parametrize(
    "url",
    [
        "http://www.gov.uk/a",
        "https://draft-assets.publishing.service.gov.uk/media/a.csv",
        "https://evil.example/a",
        "https://www.gov.uk@evil.example/a",
        "https://www.gov.uk:444/a",
        "https://www.gov.uk.evil.example/a",
        "https://user:word@www.gov.uk/a",
        "https://10.0.0.1/a",
        "http://169.254.169.254/",
        "https://127.0.0.1/a",
        "http://127.0.0.1/a",
        "https://www.gov.uk\\\\@evil.example/a",
        "https://[::1/a",
        "file:///etc/passwd",
    ],
)
def test_nobody_else_is_asked(archive: Archive, replica: Replica, door: Http, url: str) -> None:
    with pytest.raises(RefusedAnswerError, match="is not asked"):
        door.get(url)
    assert replica.asked == []
    archive.redirect(FILE, url)
    with pytest.raises(RefusedAnswerError, match=r"is not asked|is no address"):
        download(door)
    assert len(replica.asked) == 1


junk = st.text("abguvwk.0189@:[]\\\\?#℀\t", max_size=12)


@given(st.tuples(junk, st.sampled_from(["", *HOSTS]), junk).map("".join))
def test_no_other_host_passes(host: str) -> None:
    try:
        asked = http._check_address(f"https://{host}/x")
        seen = parse_url(f"https://{host}/x")
    except (RefusedAnswerError, LocationParseError):
        return
    assert asked in HOSTS
    assert (seen.host, seen.port, seen.auth) == (asked, None, None)  # as who connects reads it


@given(st.sampled_from(HOSTS), st.text("ab/.%?=&", max_size=20))
def test_every_page_of_a_publisher_passes(host: str, path: str) -> None:
    assert http._check_address(f"https://{host}/{path}") == host


@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.1.1:80",
        "http://example.org",
        "https://127.0.0.1",
        "http://localhost:1",
        "http://0.0.0.0:1",
        "http://127.0.0.1@example.org",
        "http://127.0.0.1.example.org",
        "http://[::1",
        "127.0.0.1:1",
        "",
    ],
)
def test_a_replica_is_on_this_machine(url: str) -> None:
    with pytest.raises(WrongUseError, match="JUSTICE_REPLICA_URL"):
        Http(Settings(replica_url=url))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "http://127.0.0.2:1", "http://[::1]:1"])
def test_any_loopback_address_may_hold_a_replica(url: str) -> None:
    with Http(Settings(replica_url=url)) as door:
        assert list(door._session.adapters) == [f"{url.rstrip('/')}/"]


def test_publishers_must_be_able_to_reach_us() -> None:
    with pytest.raises(WrongUseError) as raised:
        Http(Settings())
    assert "JUSTICE_CONTACT" in raised.value.next_step


def test_without_a_replica_nothing_on_loopback_can_be_asked() -> None:
    with Http(Settings(contact="us@example.org")) as door:
        assert list(door._session.adapters) == ["https://"]
        assert door._replicate("https://www.gov.uk/a") == "https://www.gov.uk/a"


def test_a_name_that_leads_to_a_private_address_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Http(Settings(contact="us@example.org")) as door:
        port = server.getsockname()[1]
        real = socket.create_connection

        def lead_home(address: tuple[str, int], *rest: object, **more: object) -> socket.socket:
            return real(("127.0.0.1", port))

        monkeypatch.setattr("urllib3.util.connection.create_connection", lead_home)
        with pytest.raises(RefusedAnswerError, match=r"www\.gov\.uk leads to 127\.0\.0\.1"):
            door.get(PAGE)
        server.settimeout(10)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(10)
            assert connection.recv(1) == b""


class FakeSocket:
    """A connection whose other end has any address; nothing can be sent on it."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        self.is_closed = False

    def getpeername(self) -> tuple[str, int]:
        return self.peer, 443

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(
    ("peer", "is_fine"),
    [
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("151.101.0.144", True),
        ("2a04:4e42::144", True),
    ],
)
def test_only_public_addresses_are_spoken_to(monkeypatch: pytest.MonkeyPatch, peer: str, is_fine: bool) -> None:
    fake = FakeSocket(peer)
    monkeypatch.setattr("urllib3.connection.HTTPConnection._new_conn", lambda self: fake)
    connection = http._PublicConnection("www.gov.uk")
    if is_fine:
        assert connection._new_conn() is fake
    else:
        with pytest.raises(RefusedAnswerError, match="no public address"):
            connection._new_conn()
    assert fake.is_closed is not is_fine


def test_no_cookie_and_nothing_of_the_environment_is_sent(
    archive: Archive, replica: Replica, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login us password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    archive.put(PAGE, b"{}", headers={"Set-Cookie": "seen=1; Path=/"})
    with Http(Settings(replica_url=replica.url)) as door:
        door.get(PAGE)
        door.get(PAGE)
    assert len(replica.asked) == 2
    assert not any({"Cookie", "Authorization"} & set(asked.headers) for asked in replica.asked)


# --- redirects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_kept(archive: Archive, door: Http, status: int) -> None:
    archive.redirect(FILE, "/media/5a37db21ed915d5a62fdc762/b.csv#part", status)
    archive.put(FILE.replace("a.csv", "b.csv"), BODY)
    answer, body = download(door)
    assert body == BODY
    assert answer.final_url == FILE.replace("a.csv", "b.csv")
    assert answer.redirects == (answer.final_url,)
    assert answer.attempts == 2


@pytest.mark.parametrize(("hops", "is_fine"), [(5, True), (6, False)])
def test_five_redirects_and_no_more(archive: Archive, door: Http, hops: int, is_fine: bool) -> None:
    for hop in range(hops):
        archive.redirect(f"https://www.gov.uk/{hop}", f"https://www.gov.uk/{hop + 1}")
    archive.put(f"https://www.gov.uk/{hops}", BODY)
    if is_fine:
        answer, _ = door.get("https://www.gov.uk/0")
        assert answer.redirects == tuple(f"https://www.gov.uk/{hop}" for hop in (1, 2, 3, 4, 5))
        assert answer.attempts == 6
    else:
        with pytest.raises(RefusedAnswerError, match="more than 5 times"):
            door.get("https://www.gov.uk/0")


def test_a_redirect_in_a_circle_or_to_nowhere_is_refused(archive: Archive, door: Http) -> None:
    archive.redirect(PAGE, "https://www.gov.uk/b")
    archive.redirect("https://www.gov.uk/b", PAGE)
    with pytest.raises(RefusedAnswerError, match="more than 5 times"):
        door.get(PAGE)
    archive.answer(PAGE, 302)
    with pytest.raises(RefusedAnswerError, match="to nowhere"):
        door.get(PAGE)


# --- again -----------------------------------------------------------------------------------------------


def test_a_429_with_retry_after_waits_as_asked(archive: Archive, door: Http, slept: list[float]) -> None:
    archive.answer(PAGE, 429, {"Retry-After": "7"})
    archive.put(PAGE, BODY, in_turn=True)
    answer, body = door.get(PAGE)
    assert (body, slept, answer.attempts) == (BODY, [7], 2)


def test_a_429_that_says_nothing_means_a_minute(archive: Archive, door: Http, slept: list[float]) -> None:
    archive.answer(PAGE, 429)
    archive.put(PAGE, BODY, in_turn=True)
    assert door.get(PAGE)[1] == BODY
    assert slept == [60]


def test_five_minutes_are_waited(archive: Archive, door: Http, slept: list[float]) -> None:
    archive.answer(PAGE, 503, {"Retry-After": "300"})
    archive.put(PAGE, BODY, in_turn=True)
    assert door.get(PAGE)[1] == BODY
    assert slept == [300]


@pytest.mark.parametrize("status", [429, 503])
def test_whoever_asks_to_wait_for_long_is_left_alone(
    archive: Archive, replica: Replica, door: Http, slept: list[float], status: int
) -> None:
    archive.answer(PAGE, status, {"Retry-After": "301"})
    with pytest.raises(UnreachableError, match="wait for 301 seconds"):
        door.get(PAGE)
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    archive.answer(PAGE, status, {"Retry-After": in_an_hour})
    with pytest.raises(UnreachableError, match=r"wait for 3,\d{3} seconds"):
        door.get(PAGE)
    archive.answer(FILE, status, {"Retry-After": "soon"})
    with pytest.raises(UnreachableError, match="Invalid Retry-After header: soon"):
        door.get(FILE)
    assert slept == []
    assert len(replica.asked) == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_five_times(
    archive: Archive, replica: Replica, door: Http, slept: list[float], status: int
) -> None:
    archive.answer(PAGE, status)
    with pytest.raises(UnreachableError, match=f"{PAGE} answered {status} to 5 requests"):
        door.get(PAGE)
    assert len(replica.asked) == 5
    assert slept == ([60, 60, 60, 60] if status == 429 else [1, 2, 4, 8])
    archive.answer(PAGE, 503)
    archive.put(PAGE, BODY, in_turn=True)
    assert door.get(PAGE)[0].attempts == 2


def misses(door: Http, *urls: str) -> list[str]:
    """Why each of these could not be had."""
    whys = []
    for url in urls:
        with pytest.raises(UnreachableError) as raised:
            door.get(url)
        whys.append(raised.value.what)
    return whys


def test_a_host_that_does_not_answer_is_given_up(
    archive: Archive, replica: Replica, door: Http, slept: list[float]
) -> None:
    for number in range(1, 5):
        archive.answer(f"{PAGE}{number}", 429)
    archive.put(FILE, BODY)
    whys = misses(door, *(f"{PAGE}{number}" for number in range(1, 5)))
    assert len(replica.asked) == 10
    assert "answered 429 to 5 requests" in whys[1]
    given_up = "is not asked for: www.gov.uk does not answer; it is not asked again in this run"
    assert whys[2:] == [f"{PAGE}3 {given_up}", f"{PAGE}4 {given_up}"]
    # After the first one was given up, the penalty passed before the host was asked again.
    assert slept == pytest.approx([60] * 9, abs=1)
    assert download(door)[1] == BODY  # another host
    with Http(Settings(replica_url=replica.url)) as next_run:
        archive.put(f"{PAGE}1", BODY)
        assert next_run.get(f"{PAGE}1")[1] == BODY


def test_a_publisher_without_connection_is_given_up_too(archive: Archive, slept: list[float]) -> None:
    with Replica(archive) as replica:
        url = replica.url
    with Http(Settings(replica_url=url)) as door:
        whys = misses(door, PAGE, PAGE, PAGE, FILE)
    assert ["Connection refused" in why for why in whys] == [True, True, False, True]


def test_a_good_answer_makes_up_for_a_bad_one(archive: Archive, door: Http, slept: list[float]) -> None:
    archive.answer(f"{PAGE}bad", 503)
    archive.answer(PAGE, 404)
    for _ in range(3):
        assert "answered 503 to 5 requests" in misses(door, f"{PAGE}bad")[0]
        assert door.get(PAGE)[0].status == 404


def test_a_host_is_left_alone_for_as_long_as_its_last_answer_asks(
    archive: Archive, door: Http, slept: list[float]
) -> None:
    archive.answer(f"{PAGE}bad", 503, {"Retry-After": "90"})
    archive.put(PAGE, BODY)
    misses(door, f"{PAGE}bad")
    assert slept == [90] * 4
    door.get(PAGE)
    assert slept[4:] == pytest.approx([90], abs=1)
    door.get(PAGE)
    assert len(slept) == 5


def test_the_first_repetition_keeps_the_pace(archive: Archive, door: Http, slept: list[float]) -> None:
    archive.answer(PAGE, 503)
    archive.put(PAGE, BODY, in_turn=True)
    door.get(PAGE)
    assert slept == [1]


def test_a_publisher_that_falls_silent_is_waited_for_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    assert http._TIMEOUTS == (10, 60)
    monkeypatch.setattr(http, "_TIMEOUTS", (0.2, 0.2))
    with (
        socket.create_server(("127.0.0.1", 0)) as server,  # takes connections and says nothing
        Http(Settings(replica_url=f"http://127.0.0.1:{server.getsockname()[1]}")) as door,
    ):
        assert "timed out" in misses(door, PAGE)[0]


@pytest.mark.parametrize("status", [400, 403, 404, 410, 422])
def test_other_statuses_are_answers(archive: Archive, replica: Replica, door: Http, status: int) -> None:
    archive.put(PAGE, b'{"schema_name": "gone"}', status=status)
    answer, body = door.get(PAGE)
    assert (answer.status, answer.sha256, body) == (status, None, b'{"schema_name": "gone"}')
    assert len(replica.asked) == 1


def test_a_body_that_is_cut_short_is_asked_for_again(archive: Archive, door: Http, slept: list[float]) -> None:
    archive.put(FILE, BODY * 2, cut_at=len(BODY))
    archive.put(FILE, BODY, in_turn=True)
    answer, body = download(door)
    assert body == BODY  # and nothing of the first
    assert (answer.bytes, answer.sha256, answer.attempts) == (len(BODY), hashlib.sha256(BODY).hexdigest(), 2)


def test_a_body_that_is_always_cut_short_is_no_answer(archive: Archive, door: Http, slept: list[float]) -> None:
    archive.put(FILE, BODY, cut_at=10)
    with pytest.raises(UnreachableError) as raised:
        download(door)
    assert f"{FILE} could not be fetched in 4 requests" in raised.value.what
    assert "10 bytes read, 1040 more expected" in raised.value.what
    assert "\n" not in raised.value.what


def test_a_publisher_that_is_down_is_no_answer(archive: Archive, slept: list[float]) -> None:
    with Replica(archive) as replica:
        url = replica.url
    with Http(Settings(replica_url=url)) as door, pytest.raises(UnreachableError) as raised:
        door.get(PAGE)
    assert raised.value.what == f"{PAGE} could not be fetched: ConnectionRefusedError: [Errno 111] Connection refused"


def test_a_full_disk_is_no_fault_of_the_network(archive: Archive, replica: Replica, door: Http) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    archive.put(FILE, BODY)
    with pytest.raises(OSError, match="No space left"):
        door.download(FILE, Full())
    assert len(replica.asked) == 1
    target = io.BytesIO()
    assert door.download(FILE, target).sha256 == hashlib.sha256(target.getvalue()).hexdigest()


# --- how much --------------------------------------------------------------------------------------------


def test_files_are_asked_for_as_they_are_and_pages_may_be_packed(
    archive: Archive, replica: Replica, door: Http
) -> None:
    archive.put(FILE, BODY)
    archive.put(PAGE, gzip.compress(BODY), headers={"Content-Encoding": "gzip"})
    download(door)
    assert door.get(PAGE)[1] == BODY
    assert replica.asked[0].headers["Accept-Encoding"] == "identity"
    assert "gzip" in replica.asked[1].headers["Accept-Encoding"]


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(
    archive: Archive, door: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_FILE_BYTES", 10 << 20)
    bomb = gzip.compress(bytes(200 << 20))
    archive.put(FILE, bomb, headers={"Content-Encoding": "gzip"})

    class Nowhere(io.BytesIO):
        def write(self, chunk: object) -> int:
            return 0

    tracemalloc.start()
    with pytest.raises(RefusedAnswerError, match="more than 10,485,760 bytes"):
        door.download(FILE, Nowhere())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_a_page_packed_twice_is_counted_unpacked(archive: Archive, door: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_PAGE_BYTES", 1 << 20)
    bomb = gzip.compress(gzip.compress(bytes(50 << 20)))
    assert len(bomb) < 1_000
    archive.put(PAGE, bomb, status=410, headers={"Content-Encoding": "gzip, gzip"})
    tracemalloc.start()
    with pytest.raises(RefusedAnswerError, match="more than 1,048,576 bytes"):
        door.get(PAGE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20


def test_as_much_as_allowed_is_taken_and_no_byte_more(
    archive: Archive, door: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.put(FILE, BODY)
    monkeypatch.setattr(http, "_FILE_BYTES", len(BODY))
    assert download(door)[1] == BODY
    monkeypatch.setattr(http, "_FILE_BYTES", len(BODY) - 1)
    with pytest.raises(RefusedAnswerError, match="more than 1,049 bytes"):
        download(door)


def test_how_much_and_how_long_one_answer_may_be() -> None:
    assert http._FILE_BYTES == 600 * 1024 * 1024
    assert http._LONGEST_ANSWER_SECONDS == 30 * 60


@pytest.mark.parametrize(
    "start",
    [b"Content-Length: 1000\r\n\r\n0123456789", b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n0123456789"],
)
def test_a_body_that_drips_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    monkeypatch.setattr(http, "_LONGEST_ANSWER_SECONDS", -60)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + start)
                connection.recv(1)  # until the other side has had enough

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        # What came is seen at once, not when a whole chunk is there.
        with (
            Http(Settings(replica_url=f"http://127.0.0.1:{server.getsockname()[1]}")) as door,
            pytest.raises(UnreachableError, match=r"sent \d+ bytes in -1 minutes"),
        ):
            download(door)
        dripping.join(10)
        assert not dripping.is_alive()


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 1_000])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_body_in_chunks_is_whole(body: bytes, is_packed: bool) -> None:
    sent = gzip.compress(body) if is_packed else body
    chunks = [sent[at : at + 1_000] for at in range(0, len(sent), 1_000)]
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + b"Content-Encoding: gzip\r\n" * is_packed + b"\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks))
                connection.sendall(b"0\r\n\r\n")

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        with Http(Settings(replica_url=f"http://127.0.0.1:{server.getsockname()[1]}")) as door:
            answer, got = door.get(PAGE)
        serving.join(10)
    assert got == body
    assert (answer.bytes, answer.sha256) == (len(body), hashlib.sha256(body).hexdigest())


# --- conditionally ---------------------------------------------------------------------------------------


def test_validators_are_sent_and_a_304_has_no_body(archive: Archive, replica: Replica, door: Http) -> None:
    archive.put(FILE, BODY, modified="2026-07-22T08:30:00+01:00")
    first, _ = download(door)
    assert first.validators == Validators(f'"{1_784_705_400:x}-{1_050:x}"', "Wed, 22 Jul 2026 07:30:00 GMT")
    again, body = download(door, validators=first.validators)
    assert (again.status, body, again.bytes, again.sha256) == (304, b"", 0, None)
    archive.put(FILE, BODY + b"Surrey,2\n", modified="2026-07-23T08:30:00+01:00")
    assert download(door, validators=first.validators)[0].status == 200
    assert [asked.is_conditional for asked in replica.asked] == [False, True, True]


def test_who_answered_is_kept(archive: Archive, door: Http) -> None:
    archive.put(FILE, BODY, headers={"Fastly-Backend-Name": "mirrorS3", "Age": "86401", "Content-Type": "text/csv"})
    answer, _ = download(door)
    assert (answer.backend, answer.age_seconds, answer.content_type) == ("mirrorS3", 86401, "text/csv")
    assert answer.is_from_mirror
    archive.put(FILE, BODY, headers={"Fastly-Backend-Name": "origin", "Age": "²", "Last-Modified": "yesterday"})
    answer, _ = download(door)
    assert not answer.is_from_mirror
    assert (answer.age_seconds, answer.modified_at) == (None, None)


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Wed, 22 Jul 2026 07:30:00 GMT", "2026-07-22T07:30:00+00:00"),
        ("Wed, 22 Jul 2026 08:30:00 +0100", "2026-07-22T07:30:00+00:00"),
        ("Wed, 22 Jul 2026 07:30:00 -0000", None),  # whose time it is, is not said
        ("Fri, 31 Dec 9999 23:30:00 -0100", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times_are_kept_in_utc(header: str | None, moment: str | None) -> None:
    answer = Answer(PAGE, PAGE, (), 200, Validators(None, header), None, None, None, 1, 0, None)
    assert answer.modified_at == moment


@pytest.mark.parametrize(
    ("validators", "headers"),
    [
        (Validators(), {}),
        (Validators('W/"a"'), {"If-None-Match": 'W/"a"'}),
        (Validators(None, "Wed, 22 Jul 2026 07:30:00 GMT"), {"If-Modified-Since": "Wed, 22 Jul 2026 07:30:00 GMT"}),
        (
            Validators('"a"', "yesterday"),  # as it came
            {"If-None-Match": '"a"', "If-Modified-Since": "yesterday"},
        ),
    ],
)
def test_what_was_given_is_asked_with(validators: Validators, headers: dict[str, str]) -> None:
    assert validators.headers() == headers
    assert bool(validators) == bool(headers)


# --- how fast --------------------------------------------------------------------------------------------


def test_requests_start_evenly(slept: list[float]) -> None:
    pace = Pace(4, clock=lambda: 100.0)
    for _ in range(4):
        pace.wait()
    assert slept == [0.25, 0.5, 0.75]


@given(
    st.floats(0.5, 20),
    st.lists(st.floats(0, 10), min_size=1, max_size=30),
)
def test_requests_never_start_closer_than_the_pace(per_second: float, pauses: list[float]) -> None:
    now = [1_000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(per_second, clock=lambda: now[0])
    starts = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", sleep)
        for pause in pauses:
            asked_at = now[0]
            pace.wait()
            starts.append(now[0])
            assert now[0] - asked_at <= 1 / per_second + 1e-6  # no longer than needed
            now[0] += pause
    assert all(later - earlier >= 1 / per_second - 1e-6 for earlier, later in pairwise(starts))


def test_time_that_passed_counts(slept: list[float]) -> None:
    now = iter([100.0, 100.0, 100.1, 200.0])
    pace = Pace(2, clock=lambda: next(now))
    for _ in range(3):
        pace.wait()
    assert slept == [pytest.approx(0.4)]


def test_each_publisher_has_its_pace_and_a_replica_none(
    replica: Replica, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Http(Settings(contact="us@example.org")) as door:
        assert {host: pace._interval for host, pace in door._paces.items()} == {
            "www.gov.uk": 0.2,
            "assets.publishing.service.gov.uk": 0.2,
            "www.ons.gov.uk": 0.5,
            "www.nomisweb.co.uk": 1,
            "services1.arcgis.com": 1,
        }
    with Http(Settings(replica_url=replica.url)) as door:
        assert door._paces == {}
        door.get(PAGE)
        door.get(PAGE)
    assert slept == []
    monkeypatch.setattr(http, "Pace", lambda rate: Pace(rate, clock=lambda: 100.0))
    with Http(Settings(replica_url=replica.url), is_paced=True) as door:
        for url in [PAGE, FILE, PAGE, PAGE, FILE]:
            door.get(url)
    assert slept == pytest.approx([0.2, 0.4, 0.2])  # no publisher waits for another


def test_broken_pages_do_not_give_their_host_up(archive: Archive, door: Http, slept: list[float]) -> None:
    for name in ("a", "b", "c"):
        archive.answer(f"https://www.gov.uk/{name}", 500)
    archive.put(FILE, BODY, cut_at=10)
    archive.put("https://www.gov.uk/d", BODY)
    for name in ("a", "b", "c"):
        with pytest.raises(UnreachableError, match="answered 500"):
            door.get(f"https://www.gov.uk/{name}")
    for _ in range(3):
        with pytest.raises(UnreachableError, match="could not be fetched in 4 requests"):
            download(door)
    assert door.get("https://www.gov.uk/d")[1] == BODY
