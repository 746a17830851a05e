"""What is known of the geography of England and Wales must come out of the real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.cells import name_key
from etl.sources import load_source
from etl.sources.readers import code_without_gss

pytestmark = pytest.mark.real

LIVING = """
    SELECT year, area_level.level, count(*) AS areas
    FROM ref.area_level
    INNER JOIN (SELECT unnest(range(2017, 2026)) AS year) AS years
        ON coalesce(starts_on, DATE '2017-01-01') <= make_date(year, 6, 30)
        AND coalesce(ends_on, DATE '9999-12-31') >= make_date(year, 6, 30)
    WHERE area_code NOT LIKE 'x-%'
    GROUP BY year, area_level.level
"""


def living(connection: duckdb.DuckDBPyConnection, level: str) -> dict[int, int]:
    rows = connection.execute(f"SELECT year, areas FROM ({LIVING}) WHERE level = ?", [level]).fetchall()
    return dict(rows)


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def test_upper_tiers_of_each_year(real_areas: duckdb.DuckDBPyConnection) -> None:
    assert living(real_areas, "upper_tier") == {
        2017: 174,
        2018: 174,
        2019: 173,
        2020: 173,
        2021: 174,
        2022: 174,
        2023: 175,
        2024: 175,
        2025: 175,
    }


def test_authorities_partnerships_and_forces(real_areas: duckdb.DuckDBPyConnection) -> None:
    assert living(real_areas, "lower_tier")[2024] == 318
    assert living(real_areas, "csp")[2024] == 314
    assert living(real_areas, "police_force")[2024] == 43


def test_authorities_and_partnerships_overlap_both_ways(real_areas: duckdb.DuckDBPyConnection) -> None:
    pairs = "FROM ref.area_parent WHERE vintage = 2024 AND parent_level = 'csp'"
    several_csps = rows(real_areas, f"SELECT area_code {pairs} GROUP BY area_code HAVING count(*) > 1")
    several_lads = rows(real_areas, f"SELECT parent_code {pairs} GROUP BY parent_code HAVING count(*) > 1")
    assert (len(several_csps), len(several_lads)) == (7, 12)


@pytest.mark.parametrize(
    ("level", "parent_level"),
    [
        ("lower_tier", "police_force"),
        ("lower_tier", "upper_tier"),
        ("lower_tier", "country"),
        ("upper_tier", "country"),
        ("csp", "police_force"),
        ("police_force", "country"),
    ],
)
def test_every_living_area_has_exactly_one_parent(
    real_areas: duckdb.DuckDBPyConnection, level: str, parent_level: str
) -> None:
    wrong = f"""
        SELECT level.area_code, year, count(parent.parent_code) AS parents
        FROM ref.area_level AS level
        INNER JOIN (SELECT unnest(range(2017, 2026)) AS year) AS years
            ON coalesce(level.starts_on, DATE '2017-01-01') <= make_date(year, 6, 30)
            AND coalesce(level.ends_on, DATE '9999-12-31') >= make_date(year, 6, 30)
        LEFT JOIN ref.area_parent AS parent
            ON parent.area_code = level.area_code AND parent.vintage = year
            AND parent.parent_level = '{parent_level}'
        WHERE level.level = '{level}'
        GROUP BY level.area_code, year
        HAVING count(parent.parent_code) <> 1
    """
    assert rows(real_areas, wrong) == []


def test_english_authorities_lie_in_one_region_and_all_in_a_partnership(
    real_areas: duckdb.DuckDBPyConnection,
) -> None:
    for parent_level, expected in (("region", {"E": 296}), ("csp", {"E": 296, "W": 22})):
        found = rows(
            real_areas,
            "SELECT substr(level.area_code, 1, 1), count(DISTINCT level.area_code) FROM ref.area_level AS level "
            "INNER JOIN ref.area_parent AS parent ON parent.area_code = level.area_code AND parent.vintage = 2024 "
            f"AND parent.parent_level = '{parent_level}' WHERE level.level = 'lower_tier' GROUP BY 1",
        )
        assert dict(found) == expected
    twice = (
        "SELECT area_code FROM ref.area_parent WHERE parent_level = 'region' "
        "GROUP BY area_code, vintage HAVING count(*) > 1"
    )
    assert rows(real_areas, twice) == []


def test_forces_lie_in_the_regions_that_the_lookups_say(real_areas: duckdb.DuckDBPyConnection) -> None:
    disagreeing = """
        SELECT force.child_code, force.parent_code, region.parent_code, fixed.parent_code
        FROM tidy.area_link AS force
        INNER JOIN tidy.area_link AS region
            ON region.child_code = force.child_code AND region.parent_level = 'region'
        INNER JOIN seed.fixed_area AS fixed ON fixed.area_code = force.parent_code
        WHERE force.parent_level = 'police_force' AND region.parent_code <> fixed.parent_code
    """
    assert rows(real_areas, disagreeing) == []
    known = "SELECT count(DISTINCT parent_code) FROM tidy.area_link WHERE parent_level = 'police_force'"
    assert rows(real_areas, known) == [(43,)]


def test_every_partnership_of_the_open_data_is_found(real_areas: duckdb.DuckDBPyConnection, publications: Path) -> None:
    source = load_source("recorded_crime_home_office")
    text = (publications / "home-office-open-data" / "ho_csp_names_2025_26.txt").read_text(encoding="utf-8")
    names = text.splitlines()
    found: dict[str, list[str]] = {}
    for key, code in rows(
        real_areas,
        "SELECT area_key, area_code FROM ref.area_name WHERE level = 'csp' "
        "AND coalesce(starts_on, DATE '2025-06-30') <= DATE '2025-06-30' "
        "AND coalesce(ends_on, DATE '2025-06-30') >= DATE '2025-06-30'",
    ):
        found.setdefault(key, []).append(code)
    codes = []
    for name in names:
        own = code_without_gss(source, name_key(name))
        codes += [own] if own else found.get(name_key(name), [name])
    assert len(names) == len(codes) == len(set(codes)) == 357
    assert sum(code.startswith(("E22", "W14")) for code in codes) == 314


def test_no_name_means_two_areas_at_once(real_areas: duckdb.DuckDBPyConnection) -> None:
    clash = """
        SELECT a.level, a.area_key, a.area_code, b.area_code
        FROM ref.area_name AS a
        INNER JOIN ref.area_name AS b
            ON b.level = a.level AND b.area_key = a.area_key AND b.area_code > a.area_code
            AND coalesce(a.starts_on, DATE '0001-01-01') <= coalesce(b.ends_on, DATE '9999-12-31')
            AND coalesce(b.starts_on, DATE '0001-01-01') <= coalesce(a.ends_on, DATE '9999-12-31')
    """
    assert rows(real_areas, clash) == []


def test_every_code_that_a_relation_names_is_an_area(real_areas: duckdb.DuckDBPyConnection) -> None:
    named = """
        SELECT area_code FROM ref.area_level
        UNION SELECT area_code FROM ref.area_parent
        UNION SELECT parent_code FROM ref.area_parent
        UNION SELECT area_code FROM ref.area_name
        UNION SELECT from_code FROM ref.area_change
        UNION SELECT to_code FROM ref.area_change
        UNION SELECT child_code FROM tidy.area_link
        UNION SELECT area_code FROM tidy.recorded_crime
    """
    assert rows(real_areas, f"SELECT area_code FROM ({named}) EXCEPT SELECT area_code FROM ref.area") == []


def test_unassigned_and_the_airport_lie_in_their_force(real_areas: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        real_areas,
        "SELECT area.area_code, parent.parent_code FROM ref.area AS area "
        "LEFT JOIN ref.area_parent AS parent ON parent.area_code = area.area_code "
        "AND parent.parent_level = 'police_force' AND parent.vintage = 2025 "
        "INNER JOIN ref.area_level AS level ON level.area_code = area.area_code AND level.level = 'csp' "
        "WHERE area.area_code LIKE 'x-%'",
    )
    parent = dict(found)
    assert len(parent) == 43
    assert len({code for area, code in parent.items() if area.startswith("x-unassigned-")}) == 42
    assert parent["x-manchester-airport"] == "E23000005"
    assert parent["x-unassigned-metropolitan-police"] == "E23000001"
    assert "E23000034" not in parent.values()


def test_without_a_resident_rate(real_areas: duckdb.DuckDBPyConnection) -> None:
    found = rows(real_areas, "SELECT area_code FROM ref.area WHERE NOT has_resident_rate")
    own = {code for (code,) in found if code.startswith("x-")}
    assert {code for (code,) in found} - own == {"E23000034", "E22000180", "E09000001"}
    assert len(own) == 42 + 1 + 4


def test_the_changes_that_are_known(real_areas: duckdb.DuckDBPyConnection) -> None:
    kinds = {(a, b): kind for a, b, kind in rows(real_areas, "SELECT from_code, to_code, kind FROM ref.area_change")}
    assert kinds["E10000002", "E06000060"] == "recode"
    assert kinds["E10000021", "E06000061"] == kinds["E10000021", "E06000062"] == "split"
    assert kinds["E10000009", "E06000059"] == "boundary"
    assert kinds["E08000020", "E08000037"] == kinds["E06000048", "E06000057"] == "boundary"
    assert kinds["E06000028", "E06000058"] == "merge"
    assert kinds["E08000016", "E08000038"] == kinds["E08000019", "E08000039"] == "boundary"
    assert kinds["E22000232", "E22000371"] == "recode"
    # 88 of the published list (90 less 2 new names), 21 of upper tiers and of 2025, 78 of partnerships.
    assert len(kinds) == 88 + 21 + 78
    assert not any(a == b for a, b in kinds)


def test_the_reviewed_list_holds_every_published_change(real_areas: duckdb.DuckDBPyConnection) -> None:
    published = """
        SELECT from_code, to_code, changed_on, kind, note FROM tidy.area_change WHERE from_code <> to_code
        EXCEPT SELECT from_code, to_code, CAST(changed_on AS DATE), kind, source FROM seed.fixed_area_change
    """
    assert rows(real_areas, published) == []


def test_an_authority_that_ended_has_a_change(real_areas: duckdb.DuckDBPyConnection) -> None:
    ended = """
        SELECT area_code FROM ref.area WHERE ends_on IS NOT NULL AND kind <> 'community_safety_partnership'
        EXCEPT SELECT from_code FROM ref.area_change
    """
    assert rows(real_areas, ended) == []
