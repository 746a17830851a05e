"""Feeds written from a warehouse made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from etl.feeds import write_feeds
from tests.feeds.made import BUILT_AT, VERSION, fill


@pytest.fixture(scope="session")
def made() -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse made by hand; whoever changes it makes one of their own."""
    with duckdb.connect() as connection:
        fill(connection)
        yield connection


@pytest.fixture(scope="session")
def made_feeds(made: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its feeds."""
    folder = tmp_path_factory.mktemp("version") / "feeds"
    write_feeds(made, folder, VERSION, BUILT_AT)
    return folder


@pytest.fixture(scope="session")
def demo_feeds(demo_home: Path) -> Path:
    """The feeds that the demo published."""
    return demo_home / "current" / "feeds"


@pytest.fixture(scope="session")
def demo(demo_home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse that the demo published."""
    with duckdb.connect(str(demo_home / "current" / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
