"""Areas through time: changes are complete, lives follow from them, and each year has the areas that it had."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from etl.settings import project_root
from tests.sql.conftest import Query

# Worked out by hand. January 2009, England: 239 districts, 46 unitary authorities, 36 metropolitan districts and 33
# boroughs are 354 lower tiers; the last three and 34 counties are 149 upper tiers. Wales: 22 of both.
# April 2009: 38 districts (Bedfordshire 3, Cheshire 6, Cornwall with Scilly 7, Durham 7, Northumberland 6, Shropshire
# 5, Wiltshire 4) and 7 counties became 10 unitary authorities: 376 - 38 + 10 = 348 and 171 - 7 + 10 = 174.
# 2019: Bournemouth, Poole and 6 districts of Dorset became 2 (-6), 4 of Suffolk 2 (-2), 2 of Somerset 1 (-1): 339;
# upper tiers Bournemouth, Poole and the county became 2: 173. 2020: 4 of Buckinghamshire became 1: 336; the county one
# for one. 2021: 7 of Northamptonshire became 2: 331; the county became 2: 174. 2023: 6 of Cumbria became 2, 7 of North
# Yorkshire and 4 of Somerset 1 each: 331 - 4 - 6 - 3 = 318; the county of Cumbria became 2, the others one for one:
# 175.
LOWER_TIERS = {**dict.fromkeys(range(2009, 2019), 348), 2019: 339, 2020: 336, 2021: 331, 2022: 331}
LOWER_TIERS |= dict.fromkeys(range(2023, 2026), 318)
UPPER_TIERS = {**dict.fromkeys(range(2009, 2019), 174), 2019: 173, 2020: 173, 2021: 174, 2022: 174}
UPPER_TIERS |= dict.fromkeys(range(2023, 2026), 175)
# Back from the 314 of the lookup of 2017: 2 became Cwm Taf in January 2017, 3 North Hampshire in April 2016, 2 Western
# Suffolk in January 2015, 7 North Yorkshire in October 2014 (York one for one), 7 in April 2012 Somerset (4) and North
# Worcestershire (3), 6 Dorset in April 2011, 17 in April 2010 five (Durham 7, South Nottinghamshire 3, Devon 7 to 3).
PARTNERSHIPS = {2009: 346, 2010: 334, 2011: 329, 2012: 324, 2013: 324, 2014: 324, 2015: 317, 2016: 315}
PARTNERSHIPS |= dict.fromkeys(range(2017, 2026), 314)
COUNTS = {"lower_tier": LOWER_TIERS, "upper_tier": UPPER_TIERS, "csp": PARTNERSHIPS}

LIVING = """
    SELECT year, count(*)
    FROM ref.authority_life
    INNER JOIN (SELECT unnest(range(2009, 2026)) AS year) AS years
        ON coalesce(starts_on, DATE '2009-01-01') <= make_date(year, 4, 1)
        AND coalesce(ends_on, DATE '9999-12-31') >= make_date(year, 4, 1)
    WHERE level = ?
    GROUP BY year
    ORDER BY year
"""

NO_SUCCESSOR = {
    # Ended before the codes of 2009 held: in the code history by their last day only.
    "E22000139": "Dartford, 31 March 2008, now in Dartford and Gravesham",
    "E22000141": "Gravesham, 31 March 2008, now in Dartford and Gravesham",
    "E22000275": "Suffolk Western - Forest Heath, 30 June 2004, later in Western Suffolk",
    "E22000276": "Suffolk Western - Mid Suffolk, 30 June 2004, later in Western Suffolk",
    "E22000277": "Suffolk Western - St. Edmundsbury, 30 June 2004, later in Western Suffolk",
}
NO_PREDECESSOR = {
    **NO_SUCCESSOR,
    "E22000352": "Dartford and Gravesham, 1 April 2008",
    "E22000370": "Western Suffolk of 1 July 2004",
}

Change = dict[str, str]


def read_changes() -> list[Change]:
    path = project_root() / "warehouse" / "ref" / "fixed_area_change.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_history(publications: Path) -> dict[str, tuple[date, date | None]]:
    """First and last day of every code in the code history, whatever it was called."""
    found = {}
    for path in sorted((publications / "ons-geography" / "code-history-database-2024-07").glob("*.json")):
        for code, lives in json.loads(path.read_text(encoding="utf-8"))["areas"].items():
            newest = max(lives, key=lambda life: life["date"]["s"])
            end = newest["date"].get("e")
            start = min(life["date"]["s"] for life in lives)
            found[code] = (date.fromisoformat(start), date.fromisoformat(end) if end else None)
    return found


# --- the reviewed list ---------------------------------------------------------------------------------


def test_the_list_says_each_change_once_with_its_source() -> None:
    changes = read_changes()
    pairs = [(line["from_code"], line["to_code"]) for line in changes]
    assert len(pairs) == len(set(pairs)) == 187
    assert all(line["source"] for line in changes)
    # What was inferred says so.
    for line in changes:
        assert ("inferred" in line["note"]) == line["to_code"].startswith(("E22", "W14")), line


@pytest.mark.parametrize("kind", ["recode", "merge", "split", "boundary"])
def test_a_change_is_of_one_kind(kind: str) -> None:
    """A split has several heirs, a merge several parts at one tier, a recode one of each."""
    changes = read_changes()
    for line in (line for line in changes if line["kind"] == kind):
        county = line["from_code"].startswith("E10")
        heirs = {other["to_code"] for other in changes if other["from_code"] == line["from_code"]}
        parts = {
            other["from_code"]
            for other in changes
            if other["to_code"] == line["to_code"] and other["from_code"].startswith("E10") == county
        }
        if kind == "split":
            assert len(heirs) > 1, line
        elif kind == "merge":
            assert len(heirs) == 1 and len(parts) > 1, line
        elif kind == "recode":
            assert len(heirs) == 1 and len(parts) == 1, line


def test_the_list_holds_without_any_geography_of_a_home(demo: Query) -> None:
    known = set(demo("SELECT from_code, to_code, kind FROM ref.area_change"))
    assert known == {(line["from_code"], line["to_code"], line["kind"]) for line in read_changes()}


# --- against the code history --------------------------------------------------------------------------


@pytest.mark.real
def test_whatever_ended_has_an_heir_and_whatever_began_has_a_predecessor(publications: Path) -> None:
    history = read_history(publications)
    changes = read_changes()
    ended = {code for code, (_, end) in history.items() if end}
    assert ended - {line["from_code"] for line in changes} == set(NO_SUCCESSOR)
    began = {code for code, (start, _) in history.items() if start != date(2009, 1, 1)}
    assert began - {line["to_code"] for line in changes} == set(NO_PREDECESSOR)
    for code in NO_SUCCESSOR:
        end = history[code][1]
        assert end and end < date(2009, 1, 1), code


@pytest.mark.real
def test_the_day_before_a_change_the_old_code_ends_and_that_day_the_new_one_begins(publications: Path) -> None:
    history = read_history(publications)
    unknown = set()
    for line in read_changes():
        changed_on = date.fromisoformat(line["changed_on"])
        if changed_on > date(2024, 7, 31):
            unknown.add(line["to_code"])  # after the code history was published
            continue
        assert history[line["from_code"]][1] == changed_on - timedelta(days=1), line
        assert history[line["to_code"]][0] == changed_on, line
    assert unknown == {"E08000038", "E08000039"}


@pytest.mark.real
def test_districts_of_a_partnership_are_those_of_the_partnerships_that_it_merged(publications: Path) -> None:
    """By name: the lookup of 2017 has a district for each part, but for the parts that were joint themselves."""
    with (publications / "ons-geography" / "LAD17_CSP17_PFA17_EW_LU.csv").open(encoding="utf-8-sig") as file:
        lookup = list(csv.DictReader(file))
    joint = {
        "Somerset East": {"Mendip", "South Somerset"},
        "Western Suffolk": {"Forest Heath", "Mid Suffolk", "St Edmundsbury"},
    }
    other_names = {"Stratford-upon-Avon": "Stratford-on-Avon", "Weymouth & Portland": "Weymouth and Portland"}
    proved = 0
    for to_code in sorted({line["to_code"] for line in read_changes() if "lookup LAD17" in line["source"]}):
        districts = {line["LAD17NM"] for line in lookup if line["CSP17CD"] == to_code}
        parts: set[str] = set()
        for line in read_changes():
            if line["to_code"] == to_code:
                name = other_names.get(line["from_name"], line["from_name"])
                parts |= joint.get(name, {name})
        assert parts == districts, to_code
        proved += 1
    assert proved == 13


# --- counts --------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("level", sorted(COUNTS))
def test_each_year_has_the_areas_that_it_had(whole: Query, level: str) -> None:
    assert whole(LIVING, level) == sorted(COUNTS[level].items())


@pytest.mark.parametrize("level", sorted(COUNTS))
def test_the_demo_has_them_too(demo: Query, level: str) -> None:
    assert demo(LIVING, level) == sorted(COUNTS[level].items())


# --- lives ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "level", "expected"),
    [
        (
            "E06000058",
            "lower_tier",
            (date(2019, 4, 1), "merge", "E06000028; E06000029; E07000048", None, None, None),
        ),
        (
            "E06000058",
            "upper_tier",
            (date(2019, 4, 1), "boundary", "E06000028; E06000029; E10000009", None, None, None),
        ),
        (
            "E10000009",
            "upper_tier",
            (None, None, None, date(2019, 3, 31), "boundary", "E06000058; E06000059"),
        ),
        (
            "E06000048",
            "upper_tier",
            (date(2009, 4, 1), "recode", "E10000022", date(2013, 3, 31), "boundary", "E06000057"),
        ),
        ("E06000053", "lower_tier", (date(2009, 4, 1), "recode", "E07000025", None, None, None)),
        ("E06000053", "upper_tier", (date(2009, 4, 1), "split", "E10000005", None, None, None)),
        (
            "E07000246",
            "lower_tier",
            (date(2019, 4, 1), "merge", "E07000190; E07000191", date(2023, 3, 31), "merge", "E06000066"),
        ),
        ("W14000023", "csp", (date(2017, 1, 16), "merge", "W14000016; W14000017", None, None, None)),
        ("E06000001", "upper_tier", (None, None, None, None, None, None)),
    ],
)
def test_lives_as_the_orders_made_them(demo: Query, code: str, level: str, expected: tuple[object, ...]) -> None:
    query = (
        "SELECT starts_on, began_as, replaced, ends_on, ended_as, replaced_by FROM ref.authority_life "
        "WHERE area_code = ? AND level = ?"
    )
    assert demo(query, code, level) == [expected]


# --- series --------------------------------------------------------------------------------------------


def test_no_series_of_a_former_area_or_out_of_the_joint_partnership_of_dorset(demo: Query) -> None:
    for table in ("mart.crime_series", "mart.reoffending_series"):
        former = f"SELECT count(*) FROM {table} INNER JOIN ref.area USING (area_code) WHERE ends_on IS NOT NULL"
        assert demo(former) == [(0,)]
    assert demo("SELECT count(*) FROM mart.crime_series WHERE area_code IN ('E06000058', 'E06000059')") == [(0,)]
    upper = "FROM mart.reoffending_series WHERE area_code IN ('E06000058', 'E06000059') AND level = 'upper_tier'"
    assert demo(f"SELECT count(*) {upper} AND made_by IN ('recoded', 'merged')") == [(0,)]


def test_every_published_figure_of_an_area_of_today_is_in_its_series(demo: Query) -> None:
    crime = """
        SELECT trend.area_code, offence_id, span, period_end, offences FROM mart.crime_trend AS trend
        INNER JOIN ref.area USING (area_code) WHERE ends_on IS NULL
        EXCEPT SELECT area_code, offence_id, span, period_end, offences FROM mart.crime_series
    """
    assert demo(crime) == []
    reoffending = """
        SELECT trend.area_code, measure, span, cohort_end, age_group, offenders, reoffenders
        FROM mart.reoffending_trend AS trend INNER JOIN ref.area USING (area_code) WHERE ends_on IS NULL
        EXCEPT SELECT area_code, measure, span, cohort_end, age_group, offenders, reoffenders
        FROM mart.reoffending_series
    """
    assert demo(reoffending) == []
