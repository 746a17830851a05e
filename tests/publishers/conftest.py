"""A replica of publishers and a home that follows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.replica import Archive, Replica
from tests.publishers.support import SEARCH, Publishers


@pytest.fixture
def publishers(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publishers]:
    archive = Archive(tmp_path / "archive")
    archive.put(SEARCH, b'{"results": []}')
    with Replica(archive) as replica:
        yield Publishers(home, archive, replica, monkeypatch)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody really waits; the seconds are kept."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds
