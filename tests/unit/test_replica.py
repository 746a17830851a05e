"""The replica answers as the publishers' servers do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from etl.errors import WrongUseError
from etl.replica import Archive, Replica

FILE = "https://assets.publishing.service.gov.uk/media/5a37db21ed915d5a62fdc762/a.csv"
PAGE = "https://www.gov.uk/api/content/a"
BODY = b"0123456789"
MODIFIED = "2026-07-22T08:30:00+01:00"  # 1,784,705,400 seconds after the beginning of 1970
ETAG = '"6a607178-a"'


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "archive")
    made.put(FILE, BODY, modified=MODIFIED)
    return made


@pytest.fixture
def replica(archive: Archive) -> Iterator[Replica]:
    with Replica(archive) as running:
        yield running


def ask(replica: Replica, url: str = FILE, method: str = "GET", **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    address = f"{replica.url}/{url.removeprefix('https://')}"
    return requests.request(method, address, headers=named, timeout=10, allow_redirects=False)


def test_a_file_comes_with_the_validators_of_its_host(archive: Archive, replica: Replica) -> None:
    answer = ask(replica)
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["Last-Modified"] == "Wed, 22 Jul 2026 07:30:00 GMT"
    archive.put(PAGE, b"{}")
    page = ask(replica, PAGE).headers
    assert page["ETag"] == 'W/"99914b932bd37a50b983c5e7c90ae93b"'  # the MD5 of {}
    assert "Last-Modified" not in page
    archive.put("https://www.gov.uk/api/search.json?a=1", b"{}")
    assert "ETag" not in ask(replica, "https://www.gov.uk/api/search.json?a=1").headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": ETAG}, 304),
        ({"If_None_Match": f"W/{ETAG}"}, 304),
        ({"If_None_Match": f'"other", {ETAG}'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_None_Match": '"other"', "If_Modified_Since": "Wed, 22 Jul 2026 07:30:00 GMT"}, 200),
        ({"If_Modified_Since": "Wed, 22 Jul 2026 07:30:00 GMT"}, 304),
        ({"If_Modified_Since": "Wed, 22 Jul 2026 07:29:59 GMT"}, 200),
    ],
)
def test_conditional_requests(replica: Replica, headers: dict[str, str], status: int) -> None:
    answer = ask(replica, **headers)
    assert answer.status_code == status
    assert answer.content == (BODY if status == 200 else b"")
    assert replica.asked[-1].is_conditional
    assert replica.asked[-1].status == status


@pytest.mark.parametrize(
    ("headers", "status", "content", "content_range"),
    [
        ({"Range": "bytes=0-3"}, 206, b"0123", "bytes 0-3/10"),
        ({"Range": "bytes=4-"}, 206, b"456789", "bytes 4-9/10"),
        ({"Range": "bytes=-2"}, 206, b"89", "bytes 8-9/10"),
        ({"Range": "bytes=8-99"}, 206, b"89", "bytes 8-9/10"),
        ({"Range": "bytes=10-"}, 416, b"", "bytes */10"),
        ({"Range": "bytes=1-2", "If_Range": ETAG}, 206, b"12", "bytes 1-2/10"),
        ({"Range": "bytes=1-2", "If_Range": '"other"'}, 200, BODY, None),
        ({"Range": "lines=1-2"}, 200, BODY, None),
    ],
)
def test_range_requests(
    replica: Replica, headers: dict[str, str], status: int, content: bytes, content_range: str | None
) -> None:
    answer = ask(replica, **headers)
    assert (answer.status_code, answer.content) == (status, content)
    assert answer.headers.get("Content-Range") == content_range


def test_head_gives_the_headers_alone(replica: Replica) -> None:
    answer = ask(replica, method="HEAD")
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "10")


def test_redirects_statuses_and_what_is_not_there(archive: Archive, replica: Replica) -> None:
    archive.redirect(PAGE, "https://www.gov.uk/b", 301)
    answer = ask(replica, PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://www.gov.uk/b")
    archive.put(PAGE, b"{}", status=410, headers={"Age": "5"})
    answer = ask(replica, PAGE)
    assert (answer.status_code, answer.content, answer.headers["Age"]) == (410, b"{}", "5")
    archive.remove(PAGE)
    assert ask(replica, PAGE).status_code == 404


def test_replies_are_given_in_turn_and_the_last_one_stays(archive: Archive, replica: Replica) -> None:
    archive.answer(PAGE, 404)
    archive.put(PAGE, b"{}", in_turn=True)
    assert [ask(replica, PAGE).status_code for _ in range(3)] == [404, 200, 200]
    archive.put(PAGE, b"[]")
    assert ask(replica, PAGE).content == b"[]"


def test_one_address_in_any_spelling(archive: Archive, replica: Replica) -> None:
    archive.put("https://www.ons.gov.uk/file?uri=/a/b.xlsx&x=1", BODY)
    assert ask(replica, "https://www.ons.gov.uk/file?x=1&uri=%2Fa%2Fb.xlsx").content == BODY
    archive.put("https://www.gov.uk/my%20file.csv", BODY)
    assert ask(replica, "https://www.gov.uk/my file.csv").content == BODY
    assert ask(replica, "https://www.ons.gov.uk/file?uri=/a/b.xlsx").status_code == 404
    archive.put("https://www.ons.gov.uk/file?*", b"any")
    assert ask(replica, "https://www.ons.gov.uk/file?uri=/other").content == b"any"
    assert ask(replica, "https://www.ons.gov.uk/file?x=1&uri=/a/b.xlsx").content == BODY


def test_a_reply_can_break_off(archive: Archive, replica: Replica) -> None:
    archive.put(FILE, BODY, cut_at=3)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(replica)


def test_an_archive_is_kept_and_served_again(archive: Archive) -> None:
    archive.redirect(PAGE, "https://www.gov.uk/b")
    archive.answer("https://www.gov.uk/c", 503)
    archive.put("https://www.gov.uk/c", b"c", in_turn=True)
    archive.save()
    again = Archive.load(archive.folder)
    assert again.urls == archive.urls
    with Replica(again) as replica:
        assert ask(replica).content == BODY
        assert ask(replica, PAGE).headers["Location"] == "https://www.gov.uk/b"
        assert [ask(replica, "https://www.gov.uk/c").status_code for _ in range(2)] == [503, 200]


def test_a_folder_without_answers_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"answers\.json"):
        Archive.load(tmp_path)


def test_it_listens_on_loopback_alone(replica: Replica) -> None:
    assert replica.url.startswith("http://127.0.0.1:")
    assert replica._server.server_address[0] == "127.0.0.1"
