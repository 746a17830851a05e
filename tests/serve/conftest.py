"""Servers over homes made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.serve.made import Client, make_whole_home
from tests.serve.servers import KINDS, running


@dataclass(frozen=True)
class Server:
    """One that runs; `client` keeps its connection."""

    kind: str
    url: str
    home: Path
    client: Client


@pytest.fixture(scope="session")
def whole_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody changes it."""
    return make_whole_home(tmp_path_factory.mktemp("served") / "home")


@pytest.fixture(scope="session", params=KINDS)
def server(
    request: pytest.FixtureRequest, whole_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Both servers over the whole home."""
    with running(request.param, whole_home, tmp_path_factory.mktemp(request.param) / "nginx") as url:
        client = Client(url)
        yield Server(request.param, url, whole_home, client)
        client.close()


@pytest.fixture(params=KINDS)
def own_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Both servers over a home of the test's own, in which nothing is published."""
    home = tmp_path / "home"
    (home / "versions").mkdir(parents=True)
    with running(request.param, home, tmp_path / "nginx") as url:
        client = Client(url)
        yield Server(request.param, url, home, client)
        client.close()
