"""The door to the network: whom it asks, how often, how much it takes, and what it keeps of an answer."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import socket
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import http
from etl.errors import RefusedAnswerError, UnreachableError, WrongUseError
from etl.http import Answer, Http, Pace, Validators
from etl.replica import Archive, Replica
from etl.settings import Settings

PAGE = "https://www.gov.uk/api/content/a"
FILE = "https://assets.publishing.service.gov.uk/media/5a37db21ed915d5a62fdc762/a.csv"
BODY = b"Area,Offences\nKent,1\n" * 50


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
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/a",
        "file:///etc/passwd",
    ],
)
def test_nobody_else_is_asked(archive: Archive, replica: Replica, door: Http, url: str) -> None:
    with pytest.raises(RefusedAnswerError, match="is not asked"):
        door.get(url)
    assert replica.asked == []
    archive.redirect(FILE, url)
    with pytest.raises(RefusedAnswerError, match="is not asked"):
        download(door)
    assert len(replica.asked) == 1


@given(st.from_regex(r"https://[a-z0-9.@:-]{1,30}/x", fullmatch=True))
def test_no_other_host_passes(url: str) -> None:
    hosts = {"www.gov.uk", "assets.publishing.service.gov.uk", "www.ons.gov.uk", "www.nomisweb.co.uk"}
    if url.split("/")[2] not in hosts | {"services1.arcgis.com"}:
        with pytest.raises((RefusedAnswerError, ValueError)):
            http._check_address(url)


@pytest.mark.parametrize("url", ["http://10.1.1.1:80", "http://example.org", "https://127.0.0.1", "http://localhost:1"])
def test_a_replica_is_on_this_machine(url: str) -> None:
    with pytest.raises(WrongUseError, match="JUSTICE_REPLICA_URL"):
        Http(Settings(replica_url=url))


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


def test_no_cookie_and_nothing_of_the_environment_is_sent(
    archive: Archive, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    archive.put(PAGE, b"{}", headers={"Set-Cookie": "seen=1; Path=/"})
    with Http(Settings(replica_url=replica.url)) as door:
        door.get(PAGE)
        door.get(PAGE)
    assert not any("Cookie" in asked.headers for asked in replica.asked)


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
        assert door.get("https://www.gov.uk/0")[0].attempts == 6
    else:
        with pytest.raises(RefusedAnswerError, match="more than 5 times"):
            door.get("https://www.gov.uk/0")


def test_a_redirect_in_a_circle_or_to_nowhere_is_refused(archive: Archive, door: Http) -> None:
    archive.redirect(PAGE, PAGE)
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


def test_whoever_asks_to_wait_for_long_is_left_alone(archive: Archive, door: Http, slept: list[float]) -> None:
    archive.answer(PAGE, 429, {"Retry-After": "301"})
    with pytest.raises(UnreachableError, match="wait for 301 seconds"):
        door.get(PAGE)
    assert slept == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_five_times(archive: Archive, door: Http, slept: list[float], status: int) -> None:
    archive.answer(PAGE, status)
    with pytest.raises(UnreachableError, match=f"answered {status} to 5 requests"):
        door.get(PAGE)
    archive.answer(PAGE, 503)
    archive.put(PAGE, BODY, in_turn=True)
    assert door.get(PAGE)[0].attempts == 2


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
    assert "\n" not in raised.value.what


def test_a_publisher_that_is_down_is_no_answer(archive: Archive, slept: list[float]) -> None:
    with Replica(archive) as replica:
        url = replica.url
    with Http(Settings(replica_url=url)) as door, pytest.raises(UnreachableError) as raised:
        door.get(PAGE)
    assert "ConnectionRefusedError" in raised.value.what
    assert PAGE in raised.value.what


def test_a_full_disk_is_no_fault_of_the_network(archive: Archive, replica: Replica, door: Http) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    archive.put(FILE, BODY)
    with pytest.raises(OSError, match="No space left"):
        door.download(FILE, Full())
    assert len(replica.asked) == 1


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


def test_a_body_that_drips_for_ever_is_given_up(
    archive: Archive, replica: Replica, door: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_LONGEST_ANSWER_SECONDS", -60)
    archive.put(FILE, BODY)
    with pytest.raises(UnreachableError, match=r"1,050 bytes in -1 minutes"):
        download(door)
    assert len(replica.asked) == 1


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
    archive.put(FILE, BODY, headers={"Fastly-Backend-Name": "origin", "Age": "soon", "Last-Modified": "yesterday"})
    answer, _ = download(door)
    assert not answer.is_from_mirror
    assert (answer.age_seconds, answer.modified_at) == (None, None)


# --- how fast --------------------------------------------------------------------------------------------


def test_requests_start_evenly(slept: list[float]) -> None:
    pace = Pace(4, clock=lambda: 100.0)
    for _ in range(4):
        pace.wait()
    assert slept == [0.25, 0.5, 0.75]


def test_time_that_passed_counts(slept: list[float]) -> None:
    now = iter([100.0, 100.0, 100.1, 200.0])
    pace = Pace(2, clock=lambda: next(now))
    for _ in range(3):
        pace.wait()
    assert slept == [pytest.approx(0.4)]


def test_each_publisher_has_its_pace_and_a_replica_none(replica: Replica, slept: list[float]) -> None:
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
    with Http(Settings(replica_url=replica.url), is_paced=True) as door:
        for _ in range(3):
            door.get(PAGE)
    assert len(slept) == 2
