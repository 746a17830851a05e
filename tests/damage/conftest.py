"""A home with every published file and an undamaged copy of each that is damaged here, built once a test run."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tests.damage.trial import publish_copies


@pytest.fixture(scope="session")
def copies_home(run_folder: Path, publications: Path) -> Path:
    """Everything at hand, and for each file that is damaged a correction that is its undamaged copy: published."""
    home = run_folder / "copies"
    with (run_folder / "copies.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "current").exists():
            publish_copies(home, publications)
    return home
