"""Small inputs of every kind, and a home that serves them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.files import remove_tree
from tests.end_to_end.builders import Edition, everything
from tests.faults.commands import Commands, shared_commands


@pytest.fixture(scope="session")
def commands(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return shared_commands(request.config, tmp_path_factory.mktemp)


@pytest.fixture(autouse=True)
def _leave_nothing(tmp_path: Path) -> Iterator[None]:
    """A home is large; those of tests do not wait for pytest to tidy up."""
    yield
    remove_tree(tmp_path)


@pytest.fixture(scope="session")
def editions(tmp_path_factory: pytest.TempPathFactory) -> list[Edition]:
    """One edition of each source and layout."""
    return everything(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="session")
def served(commands: Commands, editions: list[Edition], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home that serves all of them; tests that change it take a copy."""
    home = tmp_path_factory.mktemp("served") / "home"
    commands.succeed(home, *(edition.command for edition in editions), ["build"], ["publish"])
    yield home
    remove_tree(home)
