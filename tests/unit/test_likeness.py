"""Headers that mean the same look alike; headers that only share letters do not."""

from __future__ import annotations

import pytest

from etl.likeness import ALIKE, find_likeness, pair_alike


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ("sexual offences", "sexual crimes"),
        ("shoplifting", "shop theft"),
        ("robbery", "robberies"),
        ("offence", "type of offence"),
        ("violence against the person", "violense"),
        ("stalking and harassment", "stalking & harassment"),
        ("area name", "name of area"),
        ("total recorded crime (excluding fraud)", "total police recorded crime (excluding fraud)"),
        ("residential burglary", "residental burglary"),
        ("geography", "geographies"),
        ("reoffenders", "persons who reoffended"),
        ("offence count", "number of recorded offences (count)"),
    ],
)
def test_headers_that_mean_the_same_are_alike(known: str, found: str) -> None:
    assert find_likeness(known, found) >= ALIKE
    assert find_likeness(found, known) == pytest.approx(find_likeness(known, found), abs=0.2)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ("shoplifting", "spiking"),
        ("robbery", "cyber crime"),
        ("homicide", "something else"),
        ("geography", "category"),
        ("", "anything"),
    ],
)
def test_headers_that_only_share_letters_are_not(known: str, found: str) -> None:
    assert find_likeness(known, found) < ALIKE


def test_the_same_text_is_wholly_alike_and_none_is_more() -> None:
    assert find_likeness("drug offences", "drug offences") == 1.0
    assert find_likeness("crimes", "crimes") == 1.0  # nothing but a word that tells no header from another
    assert find_likeness("", "") == 1.0


def test_nothing_is_in_two_pairs_and_the_most_alike_come_first() -> None:
    expected = {"burglary": ["burglary"], "residential_burglary": ["residential burglary", "residental burglary"]}
    pairs = pair_alike(expected, ["burglary of residences", "residentiel burglary", "vagrancy"])
    assert [(pair.expected, pair.found) for pair in pairs] == [
        ("residential_burglary", "residentiel burglary"),
        ("burglary", "burglary of residences"),
    ]
    assert pairs[0].likeness >= pairs[1].likeness
    assert pair_alike({}, ["a"]) == pair_alike({"a": ["a"]}, []) == pair_alike({"a": []}, ["a"]) == []
