"""Violations, and the entries of `accepted.yml` that let a true anomaly through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from etl.errors import JusticeError
from etl.sources import declared_sources
from etl.violations import ACCEPTED, Violation, load_accepted, take_out_accepted

ENTRY = """
- rule: crime_jump
  edition: year-ending-march-2018
  figure: P1|E23000014|robbery|year|2018-03-31
  expected: "7"
  found: "70"
  reason: The force says so in its note 4.
  accepted_on: 2026-11-24
"""
VIOLATION = Violation(
    rule="crime_jump",
    release_id="recorded_crime_ons/year-ending-march-2018@2",
    sha256="ab" * 32,
    cell="abababababab!P1!C7",
    figure="P1|E23000014|robbery|year|2018-03-31",
    expected="7",
    found="70",
)


@pytest.fixture
def accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The accepted anomalies of the only source."""
    monkeypatch.setattr(
        "etl.violations.declared_sources", lambda: {"recorded_crime_ons": SimpleNamespace(folder=tmp_path)}
    )
    load_accepted.cache_clear()
    yield tmp_path / ACCEPTED
    load_accepted.cache_clear()


def counts(violation: Violation) -> bool:
    """Whether a violation counts; else it was let through."""
    counted, let_through = take_out_accepted([violation])
    assert [*counted, *let_through] == [violation]
    return bool(counted)


def test_without_entries_every_violation_counts(accepted: Path) -> None:
    assert counts(VIOLATION)
    accepted.write_text("", encoding="utf-8")
    load_accepted.cache_clear()
    assert counts(VIOLATION)


def test_what_an_entry_says_word_for_word_is_let_through(accepted: Path) -> None:
    accepted.write_text(ENTRY, encoding="utf-8")
    assert not counts(VIOLATION)


def test_an_entry_holds_for_every_release_of_its_edition_and_every_file(accepted: Path) -> None:
    accepted.write_text(ENTRY, encoding="utf-8")
    assert not counts(replace(VIOLATION, release_id="recorded_crime_ons/year-ending-march-2018@11", sha256="cd" * 32))


OTHERS: dict[str, dict[str, Any]] = {
    "rule": {"rule": "crime_revision"},
    "edition": {"release_id": "recorded_crime_ons/year-ending-march-2019@2"},
    "source": {"release_id": "recorded_crime_home_office/year-ending-march-2018@2"},
    "no release": {"release_id": None},
    "figure": {"figure": "P1|E23000014|burglary|year|2018-03-31"},
    "expected": {"expected": "8"},
    "nothing expected": {"expected": None},
    "found": {"found": "71"},
    "nothing found": {"found": None},
}


@pytest.mark.parametrize("what", OTHERS)
def test_once_anything_differs_the_violation_counts_again(accepted: Path, what: str) -> None:
    accepted.write_text(ENTRY, encoding="utf-8")
    assert counts(replace(VIOLATION, **OTHERS[what]))


def test_an_entry_that_expects_nothing_fits_what_expects_nothing(accepted: Path) -> None:
    accepted.write_text(ENTRY.replace('  expected: "7"\n', ""), encoding="utf-8")
    assert not counts(replace(VIOLATION, expected=None))
    assert counts(VIOLATION)


def test_violations_keep_their_order(accepted: Path) -> None:
    accepted.write_text(ENTRY, encoding="utf-8")
    others = [replace(VIOLATION, found=str(found)) for found in (71, 70, 69)]
    assert take_out_accepted(others) == ([others[0], others[2]], [others[1]])


FAULTS = {
    "no list": "rule: crime_jump",
    "no YAML": "- rule: [",
    "a list of words": "- crime_jump",
    "no reason": ENTRY.replace("  reason: The force says so in its note 4.\n", ""),
    "no day": ENTRY.replace("2026-11-24", "soon"),
    "a number, which a violation never says": ENTRY.replace('"70"', "70"),
    "another key": ENTRY + "  until: 2027-01-01\n",
    "a key twice": ENTRY + "  rule: crime_jump\n",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_list_is_named(accepted: Path, fault: str) -> None:
    accepted.write_text(FAULTS[fault], encoding="utf-8")
    with pytest.raises(JusticeError) as refused:
        take_out_accepted([VIOLATION])
    assert str(accepted) in refused.value.what
    assert refused.value.next_step


def test_the_edition_of_a_violation_is_its_release_without_the_number() -> None:
    assert VIOLATION.edition == "recorded_crime_ons/year-ending-march-2018"
    assert replace(VIOLATION, release_id=None).edition is None


@pytest.mark.parametrize("source", declared_sources())
def test_our_own_lists_are_valid_and_say_why(source: str) -> None:
    load_accepted.cache_clear()
    entries = load_accepted(source)
    assert all(entry.reason for entry in entries)
    keys = [(e.rule, e.edition, e.figure, e.expected, e.found) for e in entries]
    assert len(set(keys)) == len(keys)
