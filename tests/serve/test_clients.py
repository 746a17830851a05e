"""What people use reads what both servers serve."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
import requests

from tests.serve.conftest import Server
from tests.serve.made import GROUP_ROWS, GROUPS


class Remote(io.RawIOBase):
    """A file at an address, of which only what is read is asked for; `taken` counts the bytes that came."""

    def __init__(self, url: str) -> None:
        self.session = requests.Session()
        self.url, self.at, self.taken = url, 0, 0
        head = self.session.head(url, timeout=30)
        head.raise_for_status()
        self.size, self.etag = int(head.headers["content-length"]), head.headers["etag"]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def readinto(self, buffer: memoryview) -> int:
        if self.at >= self.size or not len(buffer):
            return 0
        # Should another version serve by now, the whole of it would come, and not a part of something else.
        headers = {"Range": f"bytes={self.at}-{self.at + len(buffer) - 1}", "If-Range": self.etag}
        reply = self.session.get(self.url, headers=headers, timeout=30)
        assert reply.status_code == 206
        content = reply.content
        buffer[: len(content)] = content
        self.at += len(content)
        self.taken += len(content)
        return len(content)

    def close(self) -> None:
        self.session.close()
        super().close()


def test_pyarrow_reads_one_row_group_by_ranges(server: Server) -> None:
    with Remote(f"{server.url}/data/latest/feeds/mart/crime_trend.parquet") as remote:
        file = pq.ParquetFile(remote)
        assert file.num_row_groups == GROUPS
        table = file.read_row_group(5)
        file.close(force=True)
        assert table["row"].to_pylist() == list(range(5 * GROUP_ROWS, 6 * GROUP_ROWS))
        assert 0 < remote.taken < remote.size / 4


def test_pandas_reads_a_csv_by_its_address(server: Server) -> None:
    frame = pd.read_csv(f"{server.url}/data/latest/feeds/mart/crime_trend.csv")
    assert list(frame.columns) == ["area_code", "offence_id", "period_end", "offences", "offences_marker"]
    assert frame["offences"].sum() == 7 * sum(range(400))


def test_a_download_that_broke_off_is_taken_up_again(server: Server, tmp_path: Path) -> None:
    url, target = f"{server.url}/data/latest/warehouse.duckdb", tmp_path / "warehouse.duckdb"
    with requests.get(url, stream=True, timeout=30) as first:
        etag = first.headers["etag"]
        target.write_bytes(first.raw.read(100_000))
    headers = {"Range": "bytes=100000-", "If-Range": etag}
    with requests.get(url, headers=headers, timeout=30) as rest, target.open("ab") as file:
        assert rest.status_code == 206
        file.write(rest.content)
    with duckdb.connect(str(target), read_only=True) as connection:
        assert connection.execute("SELECT count(*), sum(i) FROM t").fetchone() == (300_000, sum(range(300_000)))


@pytest.mark.parametrize("path", ["feeds/mart/crime_trend.json", "feeds/mart/crime_trend.csv"])
def test_requests_unpacks_and_asks_again(server: Server, path: str) -> None:
    with requests.Session() as session:
        first = session.get(f"{server.url}/data/latest/{path}", timeout=30)
        assert first.headers["content-encoding"] == "gzip"
        assert first.content == (server.home / "current" / path).read_bytes()
        again = session.get(first.url, headers={"If-None-Match": first.headers["etag"]}, timeout=30)
        assert (again.status_code, again.content) == (304, b"")
