"""Names of places → codes: spellings, former areas, names that two areas bear, and what comes nearest."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from etl.areas import Known, Names
from etl.cells import name_key

UPPER, LOWER, FORCE, REGION = "upper_tier", "lower_tier", "police_force", "region"
DAY = date(2021, 3, 31)


def known(code: str, name: str, level: str = UPPER, first: date | None = None, last: date | None = None) -> Known:
    """A line of `ref.area_name`."""
    return level, name_key(name), code, name, first, last


NAMES = Names(
    [
        known("E06000023", "Bristol, City of"),
        known("E06000019", "Herefordshire, County of"),
        known("E07000146", "King's Lynn and West Norfolk", LOWER),
        known("E06000052", "Cornwall"),
        known("W06000001", "Isle of Anglesey"),
        known("W06000001", "Ynys Môn"),
        known("E23000035", "Devon & Cornwall", FORCE),
        known("E12000005", "West Midlands", REGION),
        known("E23000014", "West Midlands", FORCE),
        known("E10000021", "Northamptonshire", last=date(2021, 3, 31)),
        known("E06000061", "North Northamptonshire", first=date(2021, 4, 1)),
        known("E06000062", "West Northamptonshire", first=date(2021, 4, 1)),
        known("E10000002", "Buckinghamshire", last=date(2020, 3, 31)),
        known("E06000060", "Buckinghamshire", first=date(2020, 4, 1)),
        known("E06000901", "Twinham", first=date(2009, 4, 1)),
        known("E06000902", "Twinham", first=date(2019, 4, 1)),
        known("E07000903", "Oldham Regis", LOWER, date(1974, 4, 1), date(1998, 3, 31)),
        known("E07000904", "Oldham Regis", LOWER, date(2000, 4, 1), date(2009, 3, 31)),
    ]
)


def match(name: str, level: str = UPPER, day: date = DAY) -> str | None:
    return NAMES.match(level, name_key(name), day)


# --- spellings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "level", "code"),
    [
        ("Bristol, City of", UPPER, "E06000023"),
        ("City of Bristol", UPPER, "E06000023"),
        ("BRISTOL, CITY OF [note 2]", UPPER, "E06000023"),
        ("Bristol, City of (1)", UPPER, "E06000023"),
        ("County of Herefordshire", UPPER, "E06000019"),
        ("Kings Lynn & West Norfolk", LOWER, "E07000146"),
        ("King's Lynn and West Norfolk", LOWER, "E07000146"),
        ("Devon and Cornwall", FORCE, "E23000035"),
        ("Devon &  Cornwall", FORCE, "E23000035"),
        ("Isle of Anglesey [note 3]", UPPER, "W06000001"),
        ("Ynys Môn", UPPER, "W06000001"),
        ("Ynys Mon", UPPER, "W06000001"),
    ],
)
def test_a_place_is_known_however_it_is_spelt(printed: str, level: str, code: str) -> None:
    assert match(printed, level) == code


@pytest.mark.parametrize("printed", ["Bristol", "Herefordshire", "Cornwal", "Northants", ""])
def test_another_name_is_not_guessed(printed: str) -> None:
    """A form that is no mere spelling needs a reviewed line in warehouse/ref/fixed_area_name.csv."""
    assert match(printed) is None


def test_a_name_belongs_to_its_level() -> None:
    assert match("West Midlands", REGION) == "E12000005"
    assert match("West Midlands", FORCE) == "E23000014"
    assert match("West Midlands", UPPER) is None
    assert match("Cornwall", LOWER) is None


# --- former areas --------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [date(2009, 4, 1), date(2021, 3, 31), date(2021, 4, 1), date(2024, 3, 31)])
def test_a_former_authority_is_still_it_after_its_end(day: date) -> None:
    assert match("Northamptonshire", day=day) == "E10000021"


@pytest.mark.parametrize("day", [date(2010, 3, 31), date(2021, 3, 31), date(2021, 4, 1)])
def test_an_authority_is_known_before_it_began(day: date) -> None:
    assert match("West Northamptonshire", day=day) == "E06000062"


def test_the_living_come_before_the_former() -> None:
    assert match("Buckinghamshire", day=date(2020, 3, 31)) == "E10000002"
    assert match("Buckinghamshire", day=date(2020, 4, 1)) == "E06000060"
    assert match("Buckinghamshire", day=date(2030, 3, 31)) == "E06000060"


def test_a_name_that_two_areas_bear_is_nobody() -> None:
    assert match("Twinham", day=date(2019, 3, 31)) == "E06000901"
    assert match("Twinham", day=date(2019, 4, 1)) is None
    # Neither lives, and both did.
    assert match("Oldham Regis", LOWER, date(2008, 3, 31)) == "E07000904"
    assert match("Oldham Regis", LOWER, date(1999, 3, 31)) is None
    assert match("Oldham Regis", LOWER, date(2021, 3, 31)) is None


def test_one_area_may_be_known_by_a_name_twice() -> None:
    lives = [known("E1", "Northshire", last=date(2012, 3, 31)), known("E1", "Northshire", first=date(2012, 4, 1))]
    names = Names([*lives, known("E1", "Northshire")])
    assert names.match(UPPER, "northshire", DAY) == "E1"


# --- nearest -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "level", "nearest"),
    [
        ("Cornwal", UPPER, ["Cornwall"]),
        ("Kings Lynn and Norfolk West", LOWER, ["King's Lynn and West Norfolk"]),
        ("Wset Midlands", FORCE, ["West Midlands"]),
        ("Bristol City", UPPER, ["Bristol, City of"]),
        ("Bristol", UPPER, ["Bristol, City of"]),
        ("The City of Bristol", UPPER, ["Bristol, City of"]),
        ("Anglesey", UPPER, ["Isle of Anglesey"]),
        ("", UPPER, []),
        ("Qqqq", UPPER, []),
        ("Cornwall", REGION, []),
        ("Cornwall", "no level", []),
    ],
)
def test_the_names_that_come_nearest(printed: str, level: str, nearest: list[str]) -> None:
    assert NAMES.find_nearest(level, name_key(printed)) == nearest


def test_at_most_three_come_nearest_the_best_first() -> None:
    """All three Northamptonshires look like it, the one with the fewest letters beside it most; no fourth is named."""
    found = NAMES.find_nearest(UPPER, "northamptonshir")
    assert found == ["Northamptonshire", "West Northamptonshire", "North Northamptonshire"]
    more = [known(f"E{number}", f"Eastshire {letter}") for number, letter in enumerate("abcdef")]
    assert len(Names(more).find_nearest(UPPER, "eastshire")) == 3


def test_the_order_of_what_is_known_does_not_matter() -> None:
    lines = [known(f"E{number}", name) for number, name in enumerate(["Eastham", "Easthan", "Easthap", "Easthat"])]
    found = {tuple(Names(order).find_nearest(UPPER, "eastha")) for order in permutations(lines)}
    assert len(found) == 1
