"""Homes made by hand, with what lies in a published version, and what asks for it."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from etl.files import make_read_only, replace_link, write_json
from etl.publish import gone_mark

FIRST, LATEST, PRUNED, UNKNOWN = "0123456789ab", "fedcba987654", "00000000dead", "111111111111"
SECRET = b"nobody may read this"
MADE_AT = 1_760_000_000
GROUPS, GROUP_ROWS = 8, 40_000

COLUMNS = "area_code,offence_id,period_end,offences,offences_marker\r\n"


def write_csv(rows: int = 400) -> str:
    lines = [f"E{23000000 + n},total_excluding_fraud,2018-03-31,{n * 7},\r\n" for n in range(rows)]
    return COLUMNS + "".join(lines)


def write_parquet(path: Path) -> None:
    """Some row groups of figures that do not pack: the file is larger than what is kept in memory."""
    table = pa.table({"row": pa.array(range(GROUPS * GROUP_ROWS), pa.int64())})
    noise = pa.array(((n * 2654435761) % 2**32 for n in range(GROUPS * GROUP_ROWS)), pa.int64())
    pq.write_table(table.append_column("noise", noise), path, row_group_size=GROUP_ROWS, use_dictionary=False)


def fill_version(folder: Path, version: str, made_at: int = MADE_AT) -> None:
    """A small version: what a test does not look at is as short as can be."""
    texts = {
        "manifest.json": json.dumps({"version": version, "built_at": "2026-01-01T00:00:00+00:00"}),
        "feeds/last_updated.json": json.dumps({"version": version}),
        "feeds/datapackage.json": json.dumps({"name": version, "resources": ["x" * 50] * 100}),
        "feeds/mart/crime_trend.csv": write_csv(),
        "feeds/mart/crime_trend.json": json.dumps([{"version": version, "offences": n} for n in range(100)]),
        "feeds/mart/crime_trend.csv-metadata.json": json.dumps({"@context": "http://www.w3.org/ns/csvw"}),
        "feeds/mart/crime_trend.xlsx": "PK" + "x" * 2000,
        "site/index.html": f"<!DOCTYPE html><title>{version}</title>{'<p>figures</p>' * 200}",
        "site/style.css": "body { color: #000 }",
        "site/map.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
        "site/releases/index.html": "<!DOCTYPE html><title>Releases</title>",
        "site/notes.txt": "Für alle",
        "data-docs/index.html": "<!DOCTYPE html><style>p { color: red }</style>",
        ".hidden": SECRET.decode(),
        "site/.hidden/x.txt": SECRET.decode(),
    }
    # Enough of them for sums that are worth packing.
    for name, text in (texts | {f"feeds/ref/table_{number}.csv": COLUMNS for number in range(8)}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    write_sums(folder)
    (folder / "warehouse.duckdb").write_bytes(os.urandom(4096))
    for path in folder.rglob("*"):
        os.utime(path, (made_at, made_at))


def write_sums(folder: Path) -> None:
    """As `etl.feeds` writes them."""
    sums = folder / "feeds" / "SHA256SUMS"
    feeds = [path for path in sorted(sums.parent.rglob("*")) if path.is_file() and path != sums]
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(sums.parent)}\n" for path in feeds]
    sums.write_text("".join(lines))


def add_version(home: Path, version: str, made_at: int = MADE_AT) -> Path:
    """A version that lies among the others; it does not serve yet."""
    folder = home / "versions" / version
    fill_version(folder, version, made_at)
    make_read_only(folder)
    return folder


def serve_version(home: Path, version: str) -> None:
    replace_link(home / "current", f"versions/{version}")


def make_whole_home(home: Path) -> Path:
    """Two versions and one that was pruned; the newer has real files of the large kinds, and links that lead out."""
    home.mkdir()
    write_json(home / "home.json", {"kind": "real"})
    (home / "landing").mkdir()
    (home / "landing" / "secret.txt").write_bytes(SECRET)
    add_version(home, FIRST, MADE_AT - 3600)
    folder = home / "versions" / LATEST
    fill_version(folder, LATEST)
    write_parquet(folder / "feeds" / "mart" / "crime_trend.parquet")
    (folder / "feeds" / "mart" / "long.csv").write_text(write_csv(30_000))
    write_sums(folder)
    (folder / "warehouse.duckdb").unlink()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS i, hash(range) AS h FROM range(300000)")
    (folder / "empty").mkdir()
    (folder / "link.txt").symlink_to("../../landing/secret.txt")
    (folder / "linked").symlink_to("../../landing")
    (folder / "inner.txt").symlink_to("site/notes.txt")
    make_read_only(folder)
    serve_version(home, LATEST)
    write_json(home / "versions" / "state.json", {"published": [FIRST, LATEST], "pinned": [], "held": []})
    mark = gone_mark(home, PRUNED)
    mark.parent.mkdir()
    mark.touch()
    return home


def prune_version(home: Path, version: str) -> None:
    """As `etl.publish` does it; versions that are made here are none that it lists."""
    from etl.publish import _mark_gone, _remove_version

    _mark_gone(home, version)
    _remove_version(home / "versions" / version)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Asks for addresses as they stand: nothing is made tidy, unpacked or followed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Reply:
        self.connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name.replace("_", "-"), value)
        self.connection.endheaders()
        with self.connection.getresponse() as response:
            return Reply(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )

    def close(self) -> None:
        self.connection.close()


def format_moment(at: int) -> str:
    return formatdate(at, usegmt=True)
