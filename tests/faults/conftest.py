"""A home that serves an old version, and what an undisturbed run makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.files import remove_tree
from tests.end_to_end.builders import force_tables, rolling_year
from tests.faults.commands import Commands, shared_commands
from tests.faults.homes import KEEP_ONE, Scenario, copy_home, serving


@pytest.fixture(scope="session")
def commands(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return shared_commands(request.config, tmp_path_factory.mktemp)


@pytest.fixture(autouse=True)
def _leave_nothing(tmp_path: Path) -> Iterator[None]:
    """A home is large; those of tests do not wait for pytest to tidy up."""
    yield
    remove_tree(tmp_path)


@pytest.fixture(scope="session")
def scenario(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    folder = tmp_path_factory.mktemp("scenario")
    home = folder / "home"
    commands.succeed(home, force_tables(folder).command, ["build"], ["publish"])
    old = serving(home)
    steps = [rolling_year(folder, 2, files=2).command, ["build"], ["publish"]]
    before, changes = [], []
    for number, step in enumerate(steps):
        before.append(copy_home(home, folder / str(number)))
        trace = folder / f"{number}.trace"
        commands.succeed(home, step, env=KEEP_ONE, trace=str(trace))
        changes.append(trace.read_text(encoding="utf-8").splitlines())
    yield Scenario(old, steps, before, changes, home, serving(home))
    remove_tree(folder)
