"""Homes with the published files, built and published once a test run, and queries on them."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from etl.build import build
from etl.publish import publish, warehouse_path
from etl.settings import Settings
from tests.sql.published import land_force_tables, land_geography, land_other_crime, land_population
from tests.support import warehouse_alone

Query = Callable[..., list[tuple[object, ...]]]


def _publish_once(root: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """Build a home once for all workers of a test run, whichever comes first."""
    home = root / name
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "current").exists():
            fill(home)
            settings = Settings(home=home)
            publish(home, settings, build(home, settings).version)
    return home


def _connect(home: Path) -> Iterator[Query]:
    connection = duckdb.connect(str(warehouse_path(home).resolve()), read_only=True)
    yield lambda sql, *parameters: connection.execute(sql, list(parameters)).fetchall()
    connection.close()


@pytest.fixture(scope="session")
def force_tables_home(run_folder: Path, publications: Path) -> Path:
    """The five ONS editions with population and geography: nothing else states their figures."""

    def fill(home: Path) -> None:
        land_force_tables(home, publications)
        land_population(home, publications)
        land_geography(home, publications)

    # That pages can be made of real files is found out with all of them.
    with warehouse_alone():
        return _publish_once(run_folder, "force-tables", fill)


@pytest.fixture(scope="session")
def whole_home(run_folder: Path, publications: Path) -> Path:
    """Everything at hand."""

    def fill(home: Path) -> None:
        land_force_tables(home, publications)
        land_other_crime(home, publications)
        land_population(home, publications)
        land_geography(home, publications)

    return _publish_once(run_folder, "whole", fill)


@pytest.fixture(scope="session")
def force_tables(force_tables_home: Path) -> Iterator[Query]:
    """Queries on the warehouse of the five editions."""
    yield from _connect(force_tables_home)


@pytest.fixture(scope="session")
def whole(whole_home: Path) -> Iterator[Query]:
    """Queries on the warehouse of everything at hand."""
    yield from _connect(whole_home)


@pytest.fixture(scope="session")
def demo(demo_home: Path) -> Iterator[Query]:
    """Queries on the warehouse of the modelled samples."""
    yield from _connect(demo_home)
