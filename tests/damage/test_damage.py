"""Damaged copies of the published files: none changes a published figure without a word, and undamaged ones are taken.

The table of docs/methods.md comes from the same cases: `python -m tests.damage` runs them and writes it anew.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from etl.publish import warehouse_path
from etl.quarantine import read_items
from tests.damage.cases import CASES, UNDAMAGED, Case
from tests.damage.files import FILES
from tests.damage.table import DOCUMENT, find_section, render
from tests.damage.trial import find_first_releases, try_all_alike, try_case

pytestmark = pytest.mark.real


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_damaged_copy(case: Case, copies_home: Path, publications: Path, tmp_path: Path) -> None:
    found = try_case(case, copies_home, publications, tmp_path)
    assert not found.unnamed, "figures changed that no rule names"
    assert found.state == case.state, f"{case.why}: {sorted(found.rules)}"
    assert set(case.rules) <= found.rules, case.why


def test_every_file_is_taken_undamaged() -> None:
    taken = {case.file for case in CASES if (case.damage, case.state) == (UNDAMAGED, "read right")}
    assert taken == set(FILES)


def test_undamaged_copies_state_what_they_are_copies_of(copies_home: Path) -> None:
    """Release by release: what the copy states is what the published file states, with no rule against it."""
    with duckdb.connect(str(warehouse_path(copies_home).resolve()), read_only=True) as connection:
        for first, copy in find_first_releases(copies_home):
            for table, value in (("core.recorded_crime", "offences"), ("core.recorded_crime_printed", "printed")):
                columns = f"table_id, area_code, offence_id, span, period_end, {value}, {value}_marker"
                old, new = (f"SELECT {columns} FROM {table} WHERE release_id = '{id_}'" for id_ in (first, copy))
                query = f"SELECT count(*) FROM (({old} EXCEPT ALL {new}) UNION ALL ({new} EXCEPT ALL {old}))"
                assert connection.execute(query).fetchall() == [(0,)], f"{copy}: {table}"
    assert [item.message for item in read_items(copies_home) if item.state != "warned"] == []


def test_copies_that_are_read_right_publish_the_same(copies_home: Path, publications: Path, tmp_path: Path) -> None:
    """One copy of each file, and all of the workbook, landed one after the other and judged together, marts and all.

    Each on its own was found to read as its undamaged copy does; the others would say the same for a minute longer.
    """
    right = [case for case in CASES if case.state == "read right" and case.damage != UNDAMAGED]
    alike = [case for case in right if case.file == "workbook" or case.damage == "more lines of preamble"]
    found = try_all_alike(alike, copies_home, publications, tmp_path)
    assert (found.state, found.unnamed, sorted(found.rules)) == ("read right", (), [])


def test_the_table_says_what_was_found() -> None:
    assert find_section(DOCUMENT.read_text(encoding="utf-8")) == render(CASES), "run `python -m tests.damage`"
