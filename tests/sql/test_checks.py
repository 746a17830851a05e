"""What the gates make of the published files: they pass, and whatever is strange in them was looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from etl.expectations import load_suites
from etl.quarantine import read_items
from etl.settings import project_root
from tests.sql.conftest import Query

pytestmark = pytest.mark.real


def test_nothing_is_kept_out_stopped_or_warned_of(whole_home: Path, force_tables_home: Path) -> None:
    for home in (whole_home, force_tables_home):
        assert read_items(home) == []


def test_every_suite_has_its_results(whole: Query) -> None:
    unhashed = {"meta.observation", "meta.release_calendar", "meta.run", "meta.check_result"}
    expected = {name for name in load_suites() if name not in unhashed}
    assert {suite for (suite,) in whole("SELECT DISTINCT suite FROM meta.check_result")} == expected
    assert whole("SELECT count(*) FROM meta.check_result WHERE NOT success OR unexpected_count <> 0") == [(0,)]


def test_the_table_of_agreement_is_that_of_the_published_files(whole: Query) -> None:
    text = (project_root() / "docs" / "methods.md").read_text(encoding="utf-8")
    for table, figures, off in whole(
        "SELECT table_name, count(*), count(*) FILTER (WHERE NOT within_tolerance) FROM meta.back_test GROUP BY ALL"
    ):
        assert re.search(rf"^\| {table}\b.* \| {figures:,} \| {off} \|$", text, re.MULTILINE), table
