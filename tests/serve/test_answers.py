"""What both servers answer: `justice-etl serve`, and nginx with docker/nginx.conf.

Where they differ and may, a test says so: nginx makes its tags from time and length and weakens that of every packed
answer (`serve` that of a large one), refuses some addresses as malformed (400) that are nothing to `serve` (404), wants
both conditions to hold where a client sends two, and says of a range that cannot be had (416) how long the file may be
kept. A 412 of nginx is a page of its own, after which it ends the connection, and any If-Unmodified-Since that is no
date earns one. What it may not read is 404 there, with a line in its log, and 500 here.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.publish import gone_mark
from etl.serve import ALWAYS, DOCS_POLICY, SITE_POLICY
from tests.serve.conftest import Server
from tests.serve.made import (
    FIRST,
    LATEST,
    MADE_AT,
    PRUNED,
    SECRET,
    UNKNOWN,
    Client,
    Reply,
    add_version,
    format_moment,
    prune_version,
    serve_version,
)

FOREVER = "public, max-age=31536000, immutable"
CSV, JSON, PARQUET = "feeds/mart/crime_trend.csv", "feeds/mart/crime_trend.json", "feeds/mart/crime_trend.parquet"
METADATA, SUMS, LONG = f"{CSV}-metadata.json", "feeds/SHA256SUMS", "feeds/mart/long.csv"
SMALL_AND_LARGE = pytest.mark.parametrize("path", [CSV, PARQUET, LONG])


def read(server: Server, path: str, version: str = LATEST) -> bytes:
    return (server.home / "versions" / version / path).read_bytes()


def assert_error(reply: Reply, status: int, home: Path | None = None) -> None:
    assert reply.status == status
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert "etag" not in reply.headers
    assert reply.headers.items() >= {name.lower(): value for name, value in ALWAYS.items()}.items()
    if home:
        assert str(home) not in reply.text


# --- addresses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("manifest.json", "application/json"),
        ("feeds/last_updated.json", "application/json"),
        (CSV, "text/csv; charset=utf-8; header=present"),
        (JSON, "application/json"),
        (PARQUET, "application/vnd.apache.parquet"),
        (METADATA, "application/csvm+json"),
        (SUMS, "text/plain; charset=utf-8"),
        ("feeds/mart/crime_trend.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("site/index.html", "text/html; charset=utf-8"),
        ("site/style.css", "text/css; charset=utf-8"),
        ("site/map.svg", "image/svg+xml"),
        ("site/notes.txt", "text/plain; charset=utf-8"),
        ("warehouse.duckdb", "application/vnd.duckdb"),
        ("data-docs/index.html", "text/html; charset=utf-8"),
    ],
)
def test_what_lies_in_a_version_is_served_as_what_it_is(server: Server, path: str, media_type: str) -> None:
    for address, keep in ((f"/data/latest/{path}", "no-cache"), (f"/data/{LATEST}/{path}", FOREVER)):
        reply = server.client.ask(address)
        assert (reply.status, reply.headers["content-type"]) == (200, media_type)
        assert reply.body == read(server, path)
        assert reply.headers["content-length"] == str(len(reply.body))
        assert reply.headers["cache-control"] == keep
        assert reply.headers["accept-ranges"] == "bytes"
        assert "content-encoding" not in reply.headers
        assert reply.headers.items() >= {name.lower(): value for name, value in ALWAYS.items()}.items()
        policy = DOCS_POLICY if path.startswith("data-docs") else SITE_POLICY
        assert reply.headers["content-security-policy"] == policy


def test_an_earlier_version_is_served_under_its_name(server: Server) -> None:
    assert json.loads(server.client.ask(f"/data/{FIRST}/manifest.json").body)["version"] == FIRST
    assert json.loads(server.client.ask("/data/latest/manifest.json").body)["version"] == LATEST


def test_the_root_leads_to_the_site(server: Server) -> None:
    reply = server.client.ask("/")
    assert (reply.status, reply.headers["location"]) == (302, "/data/latest/site/")
    assert reply.headers["cache-control"] == "no-store"
    page = server.client.ask(reply.headers["location"])
    assert (page.status, page.body) == (200, read(server, "site/index.html"))
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_a_folder_serves_its_index(server: Server) -> None:
    for folder in ("site/releases", "data-docs"):
        reply = server.client.ask(f"/data/latest/{folder}?a=b")
        assert (reply.status, reply.headers["location"]) == (301, f"/data/latest/{folder}/?a=b")
        assert reply.headers["cache-control"] == "no-store"
        assert server.client.ask(f"/data/latest/{folder}/").body == read(server, f"{folder}/index.html")
    assert server.client.ask("/data/latest/data-docs/").headers["content-security-policy"] == DOCS_POLICY


@pytest.mark.parametrize("path", ["feeds/", "empty/", "", "feeds/mart/"])
def test_no_folder_is_listed(server: Server, path: str) -> None:
    assert_error(server.client.ask(f"/data/latest/{path}"), 404, server.home)
    assert_error(server.client.ask(f"/data/{LATEST}/{path}"), 404, server.home)


def test_health(server: Server) -> None:
    reply = server.client.ask("/health")
    assert (reply.status, reply.body) == (200, b"ok\n")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"


# --- what is not served --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/data/latest/nothing",
        "/data/latest/manifest.json/",
        "/data/latest/manifest.json/x",
        f"/data/{UNKNOWN}/manifest.json",
        f"/data/{LATEST.upper()}/manifest.json",
        "/data/latest",
        "/data/",
        "/data/current/manifest.json",
        "/data/versions/state.json",
        "/data/state.json",
        "/data/landing/secret.txt",
        "/landing/secret.txt",
        "/home.json",
        "/data/.gone/00000000dead",
        "/data/latest/.hidden",
        "/data/latest/%2ehidden",
        "/data/latest/site/.hidden/x.txt",
        "/data/latest/link.txt",
        "/data/latest/linked/secret.txt",
        f"/data/{LATEST}/linked/secret.txt",
        "/data/latest/inner.txt",
        "/data/latest//manifest.json",
        "/data/latest/site//index.html",
        "/data/latest/site/../manifest.json",
        "/data/latest/site/%2e%2e/manifest.json",
        "/data/latest/site%2f..%2fmanifest.json",
        "/data/latest/./manifest.json",
        "/data/latest/../landing/secret.txt",
        "/data/latest/%2e%2e/%2e%2e/landing/secret.txt",
        "/data/latest/..%5clanding",
        "/data/latest/" + "x" * 300,
        "/robots.txt",
    ],
)
def test_nothing_else_is_there(server: Server, address: str) -> None:
    assert_error(server.client.ask(address), 404, server.home)


@pytest.mark.parametrize("address", ["/data/latest/manifest.json%00.html", "/../../etc/passwd", "/data/latest/%zz"])
def test_what_is_no_address_is_refused(server: Server, address: str) -> None:
    reply = server.client.ask(address)
    assert reply.status in ((404,) if server.kind == "serve" else (400, 404))
    server.client.close()


WORDS = (
    ".. . %2e%2e %2E. ..%2f %2f %5c.. %00 %252e%252e ..; %c0%ae%c0%ae %ff ~ landing secret.txt linked link.txt site "
    f".hidden .gone versions current data latest {LATEST} {FIRST} {PRUNED} state.json home.json x.txt"
)
PARTS = st.sampled_from(["", *WORDS.split()])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prefix=st.sampled_from(["/data/latest/", f"/data/{FIRST}/", "/data/", "/"]), parts=st.lists(PARTS, max_size=7))
def test_no_path_leads_out_of_a_version(server: Server, prefix: str, parts: list[str]) -> None:
    reply = server.client.ask(prefix + "/".join(parts))
    assert reply.status in {200, 301, 302, 404, 410} | ({400} if server.kind == "nginx" else set())
    assert SECRET not in reply.body
    assert b'"pinned"' not in reply.body
    assert b'"kind"' not in reply.body
    if reply.status in (301, 302):
        assert reply.headers["location"].startswith("/data/")
    if reply.status == 400:
        server.client.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"])
@pytest.mark.parametrize("address", ["/data/latest/manifest.json", "/", "/health", "/nothing"])
def test_nothing_can_be_written(server: Server, method: str, address: str) -> None:
    reply = server.client.ask(address, method, Content_Length="0")
    assert_error(reply, 405, server.home)
    assert reply.headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_page_elsewhere_may_read(server: Server) -> None:
    reply = server.client.ask(
        "/data/latest/manifest.json",
        "OPTIONS",
        Origin="https://example.org",
        Access_Control_Request_Method="GET",
        Access_Control_Request_Headers="range",
    )
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "Range" in reply.headers["access-control-allow-headers"]
    assert reply.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert {"ETag", "Content-Range"} <= set(reply.headers["access-control-expose-headers"].split(", "))


@pytest.mark.parametrize("path", [CSV, PARQUET, "site/"])
def test_head_is_get_without_its_body(server: Server, path: str) -> None:
    whole, head = server.client.ask(f"/data/latest/{path}"), server.client.ask(f"/data/latest/{path}", "HEAD")
    assert (head.status, head.body) == (200, b"")
    ignored = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in ignored} == {
        k: v for k, v in whole.headers.items() if k not in ignored
    }
    assert server.client.ask("/data/latest/nothing", "HEAD").status == 404


# --- what was pruned, and what is not there yet --------------------------------------------------------


def test_a_pruned_version_is_gone_and_says_where_the_latest_is(server: Server) -> None:
    for path in ("manifest.json", CSV, METADATA, SUMS, "", "site"):
        reply = server.client.ask(f"/data/{PRUNED}/{path}")
        assert_error(reply, 410, server.home)
        assert PRUNED in reply.text
        assert "/data/latest/site/" in reply.text


def test_nothing_published_is_said_and_ends_at_once(own_server: Server) -> None:
    client, home = own_server.client, own_server.home
    reply = client.ask("/data/latest/site/")
    assert_error(reply, 503, home)
    assert "Nothing is published here yet" in reply.text
    assert reply.headers["retry-after"] == "60"
    for path in (METADATA, SUMS):
        assert client.ask(f"/data/latest/{path}").status == 503
    assert client.ask("/health").status == 200
    assert client.ask(f"/data/{FIRST}/manifest.json").status == 404
    add_version(home, FIRST)
    serve_version(home, FIRST)
    assert client.ask("/data/latest/site/").status == 200


def test_latest_follows_at_once_and_old_versions_go(own_server: Server) -> None:
    client, home = own_server.client, own_server.home
    names = ["a" * 12, "b" * 12, "c" * 12, "a" * 12]
    for number, version in enumerate(names):
        add_version(home, version, MADE_AT + number)
        gone_mark(home, version).unlink(missing_ok=True)  # as publishing it again does
        serve_version(home, version)
        reply = client.ask("/data/latest/manifest.json")
        assert json.loads(reply.body)["version"] == version
        again = client.ask(f"/data/{version}/manifest.json")
        assert (again.body, again.headers["last-modified"]) == (reply.body, format_moment(MADE_AT + number))
        if number:
            prune_version(home, names[number - 1])
            assert client.ask(f"/data/{names[number - 1]}/manifest.json").status == 410


def test_a_rollback_is_no_unchanged_answer(own_server: Server) -> None:
    client, home = own_server.client, own_server.home
    add_version(home, FIRST, MADE_AT - 60)
    add_version(home, LATEST, MADE_AT)
    serve_version(home, LATEST)
    newer = client.ask("/data/latest/manifest.json").headers
    serve_version(home, FIRST)
    for asked in ({"If_Modified_Since": newer["last-modified"]}, {"If_None_Match": newer["etag"]}):
        reply = client.ask("/data/latest/manifest.json", **asked)
        assert (reply.status, json.loads(reply.body)["version"]) == (200, FIRST)


# --- conditional requests ------------------------------------------------------------------------------


@SMALL_AND_LARGE
@pytest.mark.parametrize("place", ["latest", LATEST])
def test_what_the_client_has_is_not_sent_again(server: Server, path: str, place: str) -> None:
    address = f"/data/{place}/{path}"
    first = server.client.ask(address)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    assert etag.startswith('"')
    assert etag.endswith('"')
    asked = [{"If_None_Match": tags} for tags in (etag, f'"x", {etag}', f"W/{etag}", "*")]
    asked += [{"If_Modified_Since": modified}]
    if server.kind == "serve":
        asked += [{"If_None_Match": etag, "If_Modified_Since": format_moment(0)}]
    for headers in asked:
        for method in ("GET", "HEAD"):
            reply = server.client.ask(address, method, **headers)
            assert (reply.status, reply.body) == (304, b""), headers
            assert reply.headers["etag"] == etag
            assert reply.headers["cache-control"] == first.headers["cache-control"]
            assert "content-length" not in reply.headers
    for headers in (
        {"If_None_Match": '"x"'},
        {"If_None_Match": '"x"', "If_Modified_Since": modified},
        {"If_Modified_Since": format_moment(0)},
        {"If_Modified_Since": "nonsense"},
    ):
        assert server.client.ask(address, **headers).status == 200, headers


@SMALL_AND_LARGE
def test_who_goes_on_with_something_else_is_told(server: Server, path: str) -> None:
    address = f"/data/latest/{path}"
    headers = server.client.ask(address).headers
    etag, modified = headers["etag"], headers["last-modified"]
    same = [{"If_Match": tags} for tags in (etag, f'"x", {etag}', "*")]
    same += [{"If_Unmodified_Since": at} for at in (modified, format_moment(2**32))]
    for asked in same:
        assert server.client.ask(address, **asked).status == 200, asked
        part = server.client.ask(address, Range="bytes=4-7", **asked)
        assert (part.status, part.body) == (206, read(server, path)[4:8]), asked
    other = [{"If_Match": tags} for tags in ('"x"', f"W/{etag}")] + [{"If_Unmodified_Since": format_moment(0)}]
    other += [{"If_Match": '"x"', "If_None_Match": etag}]
    for asked in other:
        for method in ("GET", "HEAD"):
            client = Client(server.url)
            reply = client.ask(address, method, Range="bytes=4-7", **asked)
            client.close()
            assert (reply.status, reply.headers["cache-control"]) == (412, "no-store"), asked
            if server.kind == "serve":
                assert_error(reply, 412, server.home)
    assert server.client.ask("/data/latest/nothing", If_Match='"x"').status == 404


def test_tags_of_files_differ(server: Server) -> None:
    tags = [server.client.ask(f"/data/latest/{path}").headers["etag"] for path in (CSV, JSON, PARQUET)]
    assert len(set(tags)) == 3


# --- packing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CSV, JSON, LONG, SUMS, "site/index.html", "feeds/datapackage.json"])
def test_texts_are_packed_for_who_takes_it(server: Server, path: str) -> None:
    address = f"/data/latest/{path}"
    plain = server.client.ask(address)
    packed = server.client.ask(address, Accept_Encoding="br;q=1.0, gzip;q=0.8")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == read(server, path)
    assert len(packed.body) < len(plain.body)
    assert packed.headers["vary"] == "Accept-Encoding"
    assert plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["etag"] != plain.headers["etag"]
    if server.kind == "serve" and path != LONG:
        assert packed.headers["content-length"] == str(len(packed.body))
        assert not packed.headers["etag"].startswith("W/")
    else:
        assert packed.headers["etag"] == f"W/{plain.headers['etag']}"
    head = server.client.ask(address, "HEAD", Accept_Encoding="gzip")
    assert (head.status, head.body) == (200, b"")
    assert {head.headers[name] == packed.headers[name] for name in ("etag", "content-encoding", "vary")} == {True}
    again = server.client.ask(address, Accept_Encoding="gzip", If_None_Match=packed.headers["etag"])
    assert again.status == 304
    for refused in ("identity", "gzip;q=0", "br"):
        assert "content-encoding" not in server.client.ask(address, Accept_Encoding=refused).headers


@pytest.mark.parametrize("path", [PARQUET, "warehouse.duckdb", "feeds/mart/crime_trend.xlsx", "site/style.css"])
def test_what_gains_nothing_is_not_packed(server: Server, path: str) -> None:
    reply = server.client.ask(f"/data/latest/{path}", Accept_Encoding="gzip")
    assert "content-encoding" not in reply.headers
    assert reply.body == read(server, path)


# --- ranges --------------------------------------------------------------------------------------------


@SMALL_AND_LARGE
@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=100-", 100, None),
        ("bytes=-7", -7, None),
        ("bytes=5-99999999999", 5, None),
        ("bytes=-99999999999", 0, None),
    ],
)
def test_a_part_can_be_had(server: Server, path: str, wanted: str, start: int, stop: int | None) -> None:
    content = read(server, path)
    # A part is one of the file's own bytes, whatever else the client takes.
    for encoding in ("identity", "gzip"):
        reply = server.client.ask(f"/data/latest/{path}", Range=wanted, Accept_Encoding=encoding)
        assert (reply.status, reply.body) == (206, content[start:stop])
        first = content.index(reply.body) if len(reply.body) > 100 else range(len(content))[start]
        assert reply.headers["content-range"] == f"bytes {first}-{first + len(reply.body) - 1}/{len(content)}"
        assert reply.headers["content-length"] == str(len(reply.body))
        assert reply.headers["cache-control"] == "no-cache"
        assert "content-encoding" not in reply.headers


@SMALL_AND_LARGE
@pytest.mark.parametrize("wanted", ["bytes=99999999999-", "bytes=-0", "bytes=5-2", "bytes=abc", "bytes=-"])
def test_a_part_that_is_not_there(server: Server, path: str, wanted: str) -> None:
    reply = server.client.ask(f"/data/latest/{path}", Range=wanted)
    assert reply.status == 416
    assert reply.headers["content-range"] == f"bytes */{len(read(server, path))}"
    if server.kind == "serve":
        assert_error(reply, 416, server.home)


@SMALL_AND_LARGE
@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "lines=0-1"])
def test_parts_that_are_not_understood_give_the_whole(server: Server, path: str, wanted: str) -> None:
    reply = server.client.ask(f"/data/latest/{path}", Range=wanted)
    assert (reply.status, reply.body) == (200, read(server, path))


@SMALL_AND_LARGE
def test_a_part_is_of_the_file_that_the_client_has_begun(server: Server, path: str) -> None:
    address, content = f"/data/latest/{path}", read(server, path)
    whole = server.client.ask(address).headers
    for same in (whole["etag"], whole["last-modified"]):
        reply = server.client.ask(address, Range="bytes=4-7", If_Range=same)
        assert (reply.status, reply.body) == (206, content[4:8])
    for other in ('"x"', f"W/{whole['etag']}", format_moment(0)):
        reply = server.client.ask(address, Range="bytes=4-7", If_Range=other)
        assert (reply.status, reply.body) == (200, content), other
    assert server.client.ask(address, Range="bytes=4-7", If_None_Match=whole["etag"]).status == 304
