"""The application without a server: what is kept in memory, what is held open, and what goes wrong."""

from __future__ import annotations

import asyncio
import errno
import gzip
import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etl import feeds, published_files
from etl.conditions import accepts_gzip, find_part, is_as_wanted
from etl.errors import JusticeError
from etl.published_files import LargeFile, LargeTags, PublishedFiles, SmallFile, open_below
from etl.serve import make_app
from tests.serve.made import (
    FIRST,
    LATEST,
    MADE_AT,
    PRUNED,
    SECRET,
    add_version,
    format_moment,
    prune_version,
    serve_version,
    write_csv,
    write_sums,
)

LARGE = 3 * 2**20


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One version serves."""
    path = tmp_path / "home"
    path.mkdir()
    (path / "secret.txt").write_bytes(SECRET)
    add_version(path, FIRST)
    serve_version(path, FIRST)
    return path


def add_large(home: Path, version: str = LATEST) -> bytes:
    content = os.urandom(LARGE)
    folder = home / "versions" / version
    folder.mkdir(exist_ok=True)
    (folder / "large.parquet").write_bytes(content)
    return content


def ask(home: Path, path: str, **headers: str) -> httpx.Response:
    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(home))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(get())


def test_it_is_an_application_of_its_own(home: Path) -> None:
    assert ask(home, "/health").text == "ok\n"
    assert ask(home, "/data/latest/manifest.json").json()["version"] == FIRST
    assert ask(home / "nowhere", "/data/latest/manifest.json").status_code == 503


@pytest.mark.parametrize("target", ["versions/nothing", "nowhere", "/"])
def test_a_link_that_leads_nowhere_is_nothing_published(home: Path, target: str) -> None:
    (home / "current").unlink()
    (home / "current").symlink_to(target)
    assert ask(home, "/data/latest/secret.txt").status_code in (404, 503)


def test_a_version_that_is_a_link_is_none(home: Path) -> None:
    (home / "versions" / LATEST).symlink_to(home)
    assert ask(home, f"/data/{LATEST}/secret.txt").status_code == 404


def test_a_pipe_is_not_waited_for(home: Path) -> None:
    folder = home / "versions" / LATEST
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    assert ask(home, f"/data/{LATEST}/pipe").status_code == 404


def test_where_a_folder_is_moved_to_cannot_be_forged(home: Path) -> None:
    # A name of a version may hold what would end a header.
    (home / "versions" / LATEST / "a\r\nX-Evil: 1").mkdir(parents=True)
    reply = ask(home, f"/data/{LATEST}/a%0d%0aX-Evil:%201")
    assert reply.headers["location"] == f"/data/{LATEST}/a%0D%0AX-Evil%3A%201/"
    assert "x-evil" not in reply.headers


# --- what is kept --------------------------------------------------------------------------------------


def test_small_files_are_read_once_and_large_ones_are_not_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = add_large(home)
    opened: list[str] = []

    def count(version: published_files.Version, path: str, tags: LargeTags) -> published_files.Found:
        opened.append(path)
        return read_file(version, path, tags)

    read_file = published_files.read_file
    monkeypatch.setattr(published_files, "read_file", count)

    async def look() -> None:
        files = PublishedFiles(home)
        version, large = files.version(FIRST), files.version(LATEST)
        assert version
        assert large
        together = await asyncio.gather(*(files.find(version, "site/") for _ in range(20)))
        assert all(found is together[0] for found in together)
        for _ in range(2):
            found = await files.find(large, "large.parquet")
            assert isinstance(found, LargeFile)
            with found.file:
                assert found.file.read() == content

    asyncio.run(look())
    assert opened == ["site/index.html", "large.parquet", "large.parquet"]


def test_no_more_is_kept_than_is_allowed(home: Path) -> None:
    async def look() -> PublishedFiles:
        files = PublishedFiles(home, kept_bytes=20_000)
        version = files.version(FIRST)
        assert version
        for name in ("feeds/mart/crime_trend.json", "site/index.html", "feeds/mart/crime_trend.csv", "manifest.json"):
            assert isinstance(await files.find(version, name), SmallFile)
        return files

    files = asyncio.run(look())
    kept = [name for _, name in files._kept]
    assert "manifest.json" in kept
    assert "feeds/mart/crime_trend.json" not in kept
    assert 0 < files._weight == sum(file.weight for file in files._kept.values()) <= 20_000


def test_a_version_that_is_made_again_is_not_taken_for_the_old_one(home: Path) -> None:
    async def look() -> tuple[Any, Any]:
        files = PublishedFiles(home)
        found = []
        for text in ("before", "after"):
            folder = home / "versions" / LATEST
            folder.mkdir()
            (folder / "a.txt").write_text(text)
            version = files.version(LATEST)
            assert version
            found.append(await files.find(version, "a.txt"))
            prune_version(home, LATEST)
        return found[0], found[1]

    before, after = asyncio.run(look())
    assert (before.plain.content, after.plain.content) == (b"before", b"after")


@pytest.mark.parametrize("length", [10, LARGE])
@pytest.mark.parametrize("has_sums", [True, False])
def test_equal_bytes_have_one_tag_in_all_versions(home: Path, length: int, has_sums: bool) -> None:
    content = os.urandom(length)
    for number, version in enumerate((LATEST, PRUNED)):
        path = home / "versions" / version / "feeds" / "figures.parquet"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        os.utime(path, (MADE_AT + number, MADE_AT + number))
        if has_sums:
            write_sums(path.parent.parent)
    addresses = [f"/data/{version}/feeds/figures.parquet" for version in (LATEST, PRUNED)]
    tags = {ask(home, address).headers["etag"] for address in addresses}
    assert tags == {f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    has_it = {"If-None-Match": tags.pop()}
    assert [ask(home, address, **has_it).status_code for address in addresses] == [304, 304]


def test_a_large_file_is_read_once_for_its_tag_and_a_feed_not_at_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, folder = add_large(home), home / "versions" / LATEST
    (folder / "feeds").mkdir()
    (folder / "feeds" / "large.parquet").write_bytes(content)
    write_sums(folder)
    hashed = []

    def count(file: Any, name: str) -> Any:
        hashed.append(Path(f"/proc/self/fd/{file.fileno()}").readlink())
        return digest(file, name)

    digest = hashlib.file_digest
    monkeypatch.setattr(published_files.hashlib, "file_digest", count)

    async def look(files: PublishedFiles, path: str) -> str:
        version = files.version(LATEST)
        assert version
        found = await files.find(version, path)
        assert isinstance(found, LargeFile)
        with found.file:
            return found.etag

    async def look_often() -> set[str]:
        files = PublishedFiles(home)
        looks = [look(files, path) for path in ("large.parquet", "feeds/large.parquet") for _ in range(20)]
        tags = set(await asyncio.gather(*looks))
        # Nobody should, and if somebody does, the tag is of what is there.
        add_large(home)
        return tags | {await look(files, "large.parquet")}

    assert len(asyncio.run(look_often())) == 2
    assert hashed == [folder / "large.parquet"] * 2


def test_sums_that_are_none_say_nothing(home: Path) -> None:
    content, folder = add_large(home), home / "versions" / LATEST
    (folder / "feeds").mkdir()
    (folder / "feeds" / "large.parquet").write_bytes(content)
    (folder / "feeds" / "SHA256SUMS").write_bytes(b"\xff\nabc  large.parquet\n")
    tag = ask(home, f"/data/{LATEST}/feeds/large.parquet").headers["etag"]
    assert tag == f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    assert (published_files.FEEDS, published_files.SUMS) == (feeds.FEEDS, feeds.SUMS)


def test_no_more_tags_are_kept_than_are_of_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_files, "_TAGS", 2)
    add_large(home)
    tags, version = LargeTags(), PublishedFiles(home).version(LATEST)
    assert version
    with (home / "versions" / LATEST / "large.parquet").open("rb") as file:
        found = {tags.find(version, path, file) for path in "abc"}
    assert len(found) == 1
    assert [path for _, path, *_ in tags._kept] == ["b", "c"]


def test_a_file_that_is_slow_holds_up_no_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def wait(version: published_files.Version, path: str, tags: LargeTags) -> published_files.Found:
        assert path != "manifest.json" or go_on.wait(30)
        return read_file(version, path, tags)

    read_file = published_files.read_file
    monkeypatch.setattr(published_files, "read_file", wait)

    async def look() -> None:
        files = PublishedFiles(home)
        version = files.version(FIRST)
        assert version
        slow = asyncio.ensure_future(files.find(version, "manifest.json"))
        await asyncio.sleep(0)
        assert isinstance(await files.find(version, "site/"), SmallFile)
        assert not slow.done()
        go_on.set()
        assert isinstance(await slow, SmallFile)
        assert len(files._reading) == 0  # nobody waits

    asyncio.run(look())


def test_the_version_that_is_pruned_between_two_looks_is_not_missed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_version(home, LATEST)
    find = PublishedFiles.find

    async def switch_then_find(
        self: PublishedFiles, version: published_files.Version, path: str
    ) -> published_files.Found:
        if version.name == FIRST:
            serve_version(home, LATEST)
            prune_version(home, FIRST)
        return await find(self, version, path)

    monkeypatch.setattr(PublishedFiles, "find", switch_then_find)
    assert ask(home, "/data/latest/manifest.json").json()["version"] == LATEST
    add_version(home, FIRST)
    (home / "versions" / ".gone" / FIRST).unlink()
    assert ask(home, f"/data/{FIRST}/manifest.json").status_code == 410


# --- what goes wrong -----------------------------------------------------------------------------------


def test_what_nobody_foresaw_is_logged_and_not_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(version: published_files.Version, path: str, tags: LargeTags) -> published_files.Found:
        raise OSError(5, "Input/output error", f"{home}/versions")

    monkeypatch.setattr(published_files, "read_file", fail)
    reply = ask(home, "/data/latest/manifest.json")
    assert reply.status_code == 500
    assert reply.headers["cache-control"] == "no-store"
    assert str(home) not in reply.text
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert vars(record)["path"] == "/data/latest/manifest.json"
    assert "Input/output error" in caplog.text


@pytest.mark.parametrize("what", ["manifest.json", "versions", "current"])
@pytest.mark.parametrize("place", ["latest", FIRST])
def test_what_may_not_be_read_is_no_missing_file(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str, place: str
) -> None:
    def refuse(real: Any) -> Any:
        def look(path: Any, *rest: Any, **named: Any) -> Any:
            if what in str(path).split("/")[-2:]:
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return real(path, *rest, **named)

        return look

    # Root may read everything, so nothing is taken away here.
    for name in ("open", "lstat", "readlink"):
        monkeypatch.setattr(published_files.os, name, refuse(getattr(os, name)))
    reply = ask(home, f"/data/{place}/manifest.json")
    expected = 200 if (what, place) == ("current", FIRST) else 500
    assert reply.status_code == expected
    assert len(caplog.records) == (expected == 500)
    assert "Permission denied" not in reply.text


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_pass_and_are_said_in_a_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def fail(version: published_files.Version, path: str, tags: LargeTags) -> published_files.Found:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(published_files, "read_file", fail)
        reply = ask(home, "/data/latest/manifest.json")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")
    assert reply.headers["cache-control"] == "no-store"
    [record] = caplog.records
    assert (record.levelno, record.exc_info) == (logging.ERROR, None)
    assert vars(record)["reason"] == os.strerror(number)
    assert ask(home, "/data/latest/manifest.json").status_code == 200


def test_answers_are_logged_where_all_is(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "etl"):
        ask(home, "/nothing")
    assert caplog.records == []
    with caplog.at_level(logging.DEBUG, "etl"):
        ask(home, "/nothing")
    assert [vars(record)["status"] for record in caplog.records] == [404]


class Talk:
    """A request at the level of ASGI."""

    def __init__(self, home: Path, path: str) -> None:
        self.app = make_app(home)
        self.scope: dict[str, Any]
        self.scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "query_string": b""}
        self.scope["headers"] = [(b"accept-encoding", b"gzip")]
        self.sent: list[Any] = []
        self.leaves_after = 10**9

    async def receive(self) -> dict[str, Any]:
        while len(self.sent) < self.leaves_after:
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def run(self) -> None:
        await self.app(self.scope, self.receive, self.send)


def count_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_who_leaves_is_not_sent_the_rest(home: Path) -> None:
    add_large(home)
    before = count_open()
    talk = Talk(home, f"/data/{LATEST}/large.parquet")
    talk.leaves_after = 3
    asyncio.run(talk.run())
    assert sum(len(message.get("body", b"")) for message in talk.sent) < LARGE
    assert count_open() == before


def test_a_file_that_shrinks_breaks_the_answer_off(home: Path) -> None:
    add_large(home)

    class Shrinking(Talk):
        async def send(self, message: Any) -> None:
            self.sent.append(message)
            os.truncate(home / "versions" / LATEST / "large.parquet", LARGE // 2)

    talk = Shrinking(home, f"/data/{LATEST}/large.parquet")
    with pytest.raises(JusticeError, match=f"ends at byte {LARGE // 2} of {LARGE}"):
        asyncio.run(talk.run())
    assert talk.sent[-1]["more_body"]


@pytest.mark.parametrize("http_version", ["1.0", "1.1"])
def test_a_large_text_is_packed_for_who_can_take_it_without_its_length(home: Path, http_version: str) -> None:
    folder = home / "versions" / LATEST
    folder.mkdir()
    (folder / "long.csv").write_text(write_csv(100_000))
    talk = Talk(home, f"/data/{LATEST}/long.csv")
    talk.scope["http_version"] = http_version
    before = count_open()
    asyncio.run(talk.run())
    headers = dict(talk.sent[0]["headers"])
    body = b"".join(message.get("body", b"") for message in talk.sent)
    is_packed = http_version == "1.1"
    assert (headers.get(b"content-encoding") == b"gzip") is is_packed
    assert (b"content-length" in headers) is not is_packed
    assert (gzip.decompress(body) if is_packed else body) == write_csv(100_000).encode()
    assert max(len(message.get("body", b"")) for message in talk.sent) <= 2**18
    assert count_open() == before


def test_other_protocols_are_left_alone(home: Path) -> None:
    talk = Talk(home, "/")
    talk.scope["type"] = "lifespan"
    asyncio.run(talk.run())
    assert talk.sent == []


# --- names and headers ---------------------------------------------------------------------------------

NAMES = st.text(max_size=12) | st.sampled_from(
    ["..", ".", "", "link", "folder", "a.txt", ".hidden", "\0", "a\\..", "/"]
)


@given(names=st.lists(NAMES, max_size=6))
@example(names=["..", "secret.txt"])
@example(names=["link", "secret.txt"])
@example(names=["folder", "..", "..", "secret.txt"])
@example(names=["folder", "up", "secret.txt"])
@example(names=["", "etc", "passwd"])
def test_no_name_leads_out_of_a_folder(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp() / "inside"
    if not folder.exists():
        (folder / "folder").mkdir(parents=True)
        (folder / "a.txt").write_bytes(b"a")
        (folder / ".hidden").write_bytes(SECRET)
        (folder.parent / "secret.txt").write_bytes(SECRET)
        (folder / "link").symlink_to("..")
        (folder / "folder" / "up").symlink_to("../..")
    descriptor = open_below(str(folder), "/".join(names))
    if descriptor is not None:
        try:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
        finally:
            os.close(descriptor)
        assert path in (folder / "a.txt", folder / "folder")


@given(st.text(), st.none() | st.text(), st.integers(0, 10**6))
def test_any_range_is_a_part_of_the_file_or_none(wanted: str, if_range: str | None, size: int) -> None:
    for value in (wanted, f"bytes={wanted}"):
        part = find_part(value, if_range, size, '"a"', "then")
        assert part is None or not part or 0 <= part.start < part.stop <= size


@pytest.mark.parametrize(
    ("asked", "is_so"),
    [
        ({}, True),
        ({"if-match": '"a"'}, True),
        ({"if-match": '"b", "a"'}, True),
        ({"if-match": "*"}, True),
        ({"if-match": '"b"'}, False),
        ({"if-match": 'W/"a"'}, False),
        ({"if-match": ""}, False),
        ({"if-unmodified-since": format_moment(MADE_AT)}, True),
        ({"if-unmodified-since": format_moment(MADE_AT + 1)}, True),
        ({"if-unmodified-since": format_moment(MADE_AT - 1)}, False),
        ({"if-unmodified-since": "yesterday"}, True),
        ({"if-match": '"a"', "if-unmodified-since": format_moment(0)}, False),
    ],
)
@pytest.mark.parametrize("etag", ['"a"', 'W/"a"'])
def test_what_a_client_goes_on_with(asked: dict[str, str], is_so: bool, etag: str) -> None:
    assert is_as_wanted(asked, etag, format_moment(MADE_AT)) is is_so


@pytest.mark.parametrize(
    ("accepted", "is_taken"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip; q=1.0", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("x-gzip", False),
        ("identity", False),
        ("", False),
    ],
)
def test_who_takes_gzip(accepted: str, is_taken: bool) -> None:
    assert accepts_gzip(accepted) is is_taken
