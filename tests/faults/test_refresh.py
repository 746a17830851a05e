"""A refresh that is killed at any point is taken up by the next one, as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etl.landing import read_records, verify
from etl.publish import current_version
from tests.end_to_end.nights import Night, make_night
from tests.faults.commands import DONE, KILLED, Commands
from tests.faults.homes import read_tables

SOURCES = ("--source", "recorded_crime_ons")
POINTS = {
    "no page is kept": {"event": "os.rename", "match": "*/pages/*"},
    "a page is kept, its validators are not": {"event": "os.rename", "match": "*/seen/*"},
    "the second page is kept": {"event": "os.rename", "match": "*/seen/*", "nth": 2},
    "the calendar is not written": {"event": "os.rename", "match": "*/calendar/*"},
    "the file is fetched, not landed": {"call": "etl.landing.land"},
    "the file has no place": {"event": "os.rename", "match": "*/sha256/*"},
    "the file has no record": {"event": "os.rename", "match": "*/records/*"},
    "the file is landed, nothing is said of it": {"call": "etl.visits.Visit.observe", "match": "*file?uri*"},
    "the file is landed, its validators are not kept": {"call": "etl.visits.Visit.settle"},
    "all is landed": {"call": "etl.build.build"},
    "it is built": {"call": "etl.publish.publish"},
}


@pytest.fixture
def night(tmp_path: Path, commands: Commands) -> Iterator[Night]:
    with make_night(tmp_path, commands) as made:
        made.put_workbook(made.workbook)
        yield made


def finish(night: Night, home: Path) -> tuple[str | None, dict[str, Any], list[tuple[str, str, str, str]]]:
    """What a home serves and holds after one more, undisturbed night."""
    night.home = home
    outcome = night.run(*SOURCES)
    assert outcome.status == DONE, outcome.text
    assert list(verify(home)) == []
    return current_version(home), read_tables(home), [record.key for record in read_records(home)]


def test_a_killed_refresh_is_taken_up_by_the_next(night: Night, tmp_path: Path) -> None:
    undisturbed = finish(night, tmp_path / "undisturbed")
    for number, (name, point) in enumerate(POINTS.items()):
        night.home = tmp_path / str(number)
        assert night.run(*SOURCES, point=point).status == KILLED, name
        assert current_version(night.home) is None, name
        assert finish(night, night.home) == undisturbed, name


def test_a_refresh_killed_over_a_correction_leaves_the_old_version(night: Night, tmp_path: Path) -> None:
    finish(night, tmp_path / "home")
    old = current_version(night.home)
    night.put_workbook(night.corrected)
    for name in ("the file is fetched, not landed", "the file has no record", "all is landed", "it is built"):
        assert night.run(*SOURCES, point=POINTS[name]).status == KILLED, name
        assert current_version(night.home) == old, name
        night.commands.succeed(night.home, ["sql", "SELECT * FROM mart.crime_trend"], ["status"])
    outcome = night.run(*SOURCES)
    assert outcome.status == DONE, outcome.text
    assert current_version(night.home) != old
    releases = {record.published_at for record in read_records(night.home)}
    assert len(releases) == 2
