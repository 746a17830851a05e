"""Versions come and go while both servers answer: no error, no answer of two versions, no download that breaks."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from etl.files import make_read_only
from tests.serve.conftest import Server
from tests.serve.made import FIRST, LATEST, MADE_AT, Client, Reply, add_version, prune_version, serve_version

SWITCHES, CLIENTS = 20, 4
MIB = 2**20


def add_feed(home: Path, version: str, number: int) -> None:
    """Each version's feed has another length, and says in every line whose it is."""
    folder = home / "versions" / version
    (folder / "feeds").mkdir(parents=True)
    for name, lines in (("small.json", 40 + number % 17), ("large.json", 30_000 + number % 17)):
        path = folder / "feeds" / name
        path.write_text(json.dumps([{"version": version, "number": number, "padding": "x" * 40}] * lines))
        os.utime(path, (MADE_AT + number, MADE_AT + number))
    make_read_only(folder)


class Looker:
    """Asks until it is told to stop, and keeps what is wrong."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        self.url, self.stop = url, stop
        self.wrong: list[str] = []
        self.seen: Counter[str] = Counter()
        self.bodies: dict[str, str] = {}

    def run(self) -> None:
        client = Client(self.url)
        known: dict[str, str] = {}
        while not self.stop.is_set():
            for name in ("small.json", "large.json"):
                for encoding in ("identity", "gzip"):
                    asked = {"Accept_Encoding": encoding}
                    if etag := known.get(name + encoding):
                        asked["If_None_Match"] = etag
                    reply = client.ask(f"/data/latest/feeds/{name}", **asked)
                    self.judge(reply, name + encoding)
                    known[name + encoding] = reply.headers.get("etag", "")
        client.close()

    def judge(self, reply: Reply, what: str) -> None:
        self.seen[f"{what} {reply.status}"] += 1
        if reply.status == 304:
            return
        if reply.status != 200:
            self.wrong.append(f"{what}: {reply.status} {reply.body[:80]!r}")
            return
        body = gzip.decompress(reply.body) if "content-encoding" in reply.headers else reply.body
        lines = {(line["version"], line["number"]) for line in json.loads(body)}
        if len(lines) != 1:
            self.wrong.append(f"{what}: of {lines}")
        if int(reply.headers.get("content-length", len(reply.body))) != len(reply.body):
            self.wrong.append(f"{what}: not as long as it says")
        # The headers belong to the body: a tag never stands for two.
        tag = f"{what} {reply.headers['etag']}"
        digest = hashlib.sha256(body).hexdigest()
        if self.bodies.setdefault(tag, digest) != digest:
            self.wrong.append(f"{what}: {tag} for two bodies")


def test_versions_change_while_requests_run(own_server: Server) -> None:
    home, stop = own_server.home, threading.Event()
    add_feed(home, f"{0:012x}", 0)
    serve_version(home, f"{0:012x}")
    lookers = [Looker(own_server.url, stop) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(looker.run) for looker in lookers]
        try:
            for number in range(1, SWITCHES + 1):
                version = f"{number:012x}"
                add_feed(home, version, number)
                serve_version(home, version)
                # What a client finds right after is the new one.
                body = own_server.client.ask("/data/latest/feeds/small.json").body
                assert json.loads(body)[0]["version"] == version
                if number > 3:
                    prune_version(home, f"{number - 3:012x}")
        finally:
            stop.set()
        for each in running:
            each.result()
    assert [line for looker in lookers for line in looker.wrong] == []
    seen = sum((looker.seen for looker in lookers), Counter[str]())
    assert min(seen[f"{name}.json{encoding} 200"] for name in ("small", "large") for encoding in ("identity", "gzip"))


def test_a_download_of_a_version_that_is_pruned_goes_on(own_server: Server) -> None:
    home = own_server.home
    folder = home / "versions" / FIRST
    folder.mkdir()
    content = os.urandom(MIB) * 24  # more than the sockets between the two hold
    (folder / "warehouse.duckdb").write_bytes(content)
    make_read_only(folder)
    add_version(home, LATEST)
    serve_version(home, LATEST)
    parts = urlsplit(own_server.url)
    address = (parts.hostname or "", parts.port or 0)
    with socket.create_connection(address, timeout=30) as connection, connection.makefile("rb") as answer:
        connection.sendall(f"GET /data/{FIRST}/warehouse.duckdb HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert answer.readline().startswith(b"HTTP/1.1 200")
        while answer.readline() != b"\r\n":
            pass
        begun = answer.read(1000)
        prune_version(home, FIRST)
        assert own_server.client.ask(f"/data/{FIRST}/warehouse.duckdb").status == 410
        assert begun + answer.read(len(content) - len(begun)) == content
