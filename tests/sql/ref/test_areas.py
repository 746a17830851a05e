"""Areas, their levels, parents, names and changes, on lines made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import pytest

Build = Callable[..., duckdb.DuckDBPyConnection]


def link(child: str, parent: str, vintage: int = 2019, levels: str = "lower_tier csp", **names: str) -> dict[str, Any]:
    child_level, parent_level = levels.split()
    return {
        "vintage": vintage,
        "child_level": child_level,
        "child_code": child,
        "child_name": names.get("child_name", f"Name of {child}"),
        "parent_level": parent_level,
        "parent_code": parent,
        "parent_name": names.get("parent_name", f"Name of {parent}"),
    }


def life(
    code: str,
    name: str,
    starts_on: date | None = None,
    ends_on: date | None = None,
    parent: str | None = None,
    *,
    is_alternative: bool = False,
) -> dict[str, Any]:
    return {
        "area_code": code,
        "area_name": name,
        "is_alternative": is_alternative,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "parent_code": parent,
    }


def change(from_code: str, to_code: str, changed_on: date, kind: str) -> dict[str, Any]:
    names = {"from_name": f"Name of {from_code}", "to_name": f"Name of {to_code}"}
    return {"from_code": from_code, "to_code": to_code, "changed_on": changed_on, "kind": kind, **names}


def crime(code: str | None, name: str, force: str | None = None, level: str = "csp") -> dict[str, Any]:
    return {"area_code": code, "area_name": name, "parent_name": force, "level": level}


def parents(connection: duckdb.DuckDBPyConnection, code: str, level: str) -> dict[int, str]:
    """Vintage → the parents of an area at a level, with spaces between."""
    rows = connection.execute(
        "SELECT vintage, string_agg(parent_code, ' ' ORDER BY parent_code) FROM ref.area_parent "
        "WHERE area_code = ? AND parent_level = ? GROUP BY vintage ORDER BY vintage",
        [code, level],
    ).fetchall()
    return dict(rows)


def area(connection: duckdb.DuckDBPyConnection, code: str) -> dict[str, Any]:
    relation = connection.sql("SELECT * FROM ref.area WHERE area_code = $code", params={"code": code})
    (row,) = relation.fetchall()
    return dict(zip(relation.columns, row, strict=True))


def codes_named(connection: duckdb.DuckDBPyConnection, level: str, key: str) -> list[str]:
    rows = connection.execute(
        "SELECT area_code FROM ref.area_name WHERE level = ? AND area_key = ? ORDER BY area_code", [level, key]
    ).fetchall()
    return [code for (code,) in rows]


def one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


# --- without geography ---------------------------------------------------------------------------------


def test_without_geography_the_fixed_areas_stand(build: Build) -> None:
    connection = build()
    assert one(connection, "SELECT count(*) FROM ref.area WHERE kind = 'police_force_area'") == 43
    assert one(connection, "SELECT count(*) FROM ref.area_level WHERE level = 'region'") == 9
    assert one(connection, "SELECT count(*) FROM ref.area_level WHERE level = 'country'") == 3
    assert parents(connection, "E23000014", "region") == dict.fromkeys(range(2017, 2026), "E12000005")
    assert parents(connection, "E23000014", "country")[2024] == "E92000001"
    assert parents(connection, "W15000001", "country")[2024] == "W92000004"
    assert parents(connection, "W15000001", "region") == {}
    assert parents(connection, "E92000001", "country")[2017] == "K04000001"
    assert parents(connection, "x-british-transport-police", "country")[2017] == "K04000001"
    assert codes_named(connection, "police_force", "city of london") == ["E23000034"]


def test_without_geography_printed_partnerships_are_known_by_what_is_printed(build: Build) -> None:
    connection = build(
        crime=[
            crime("E22000335", "Birmingham", "West Midlands"),
            crime("x-unassigned-surrey", "unassigned Surrey", "Surrey"),
            crime("x-unassigned-devon-and-cornwall", "Unassigned Devon and Cornwall", "Devon and Cornwall"),
            crime("x-manchester-airport", "Manchester Airport", "Greater Manchester"),
            crime(None, "Nowhere", "Kent"),
        ]
    )
    assert area(connection, "E22000335")["kind"] == "community_safety_partnership"
    assert codes_named(connection, "csp", "birmingham") == ["E22000335"]
    assert parents(connection, "E22000335", "police_force")[2025] == "E23000014"
    surrey = area(connection, "x-unassigned-surrey")
    assert (surrey["area_name"], surrey["kind"], surrey["has_resident_rate"]) == ("Unassigned Surrey", "other", False)
    assert area(connection, "x-unassigned-devon-and-cornwall")["area_name"] == "Unassigned Devon & Cornwall"
    assert parents(connection, "x-unassigned-devon-and-cornwall", "police_force")[2017] == "E23000035"
    assert parents(connection, "x-manchester-airport", "police_force")[2020] == "E23000005"
    levels = "SELECT count(*) FROM ref.area_level WHERE area_code LIKE 'x-%' AND level = 'csp'"
    assert one(connection, levels) == 3


# --- areas ---------------------------------------------------------------------------------------------


def test_the_newest_name_and_the_whole_life(build: Build) -> None:
    connection = build(
        lives=[
            life("E07000112", "Shepway", date(2009, 1, 1), date(2018, 3, 31)),
            life("E07000112", "Folkestone and Hythe", date(2018, 4, 1)),
            life("E07000112", "Another", date(2018, 4, 1), is_alternative=True),
        ],
        links=[link("E07000112", "E22000145", 2017, child_name="Shepway", parent_name="Shepway")],
    )
    found = area(connection, "E07000112")
    assert found["area_name"] == "Folkestone and Hythe"
    assert (found["starts_on"], found["ends_on"]) == (None, None)
    # The reviewed present name of the partnership.
    assert area(connection, "E22000145")["area_name"] == "Folkestone and Hythe"
    assert codes_named(connection, "csp", "shepway") == ["E22000145"]


def test_an_end_that_only_a_later_file_knows_holds(build: Build) -> None:
    connection = build(
        lives=[
            life("E07000004", "Aylesbury Vale", date(2009, 1, 1)),
            life("E07000004", "Aylesbury Vale", date(2009, 1, 1), date(2020, 3, 31)),
        ]
    )
    assert area(connection, "E07000004")["ends_on"] == date(2020, 3, 31)


def test_a_change_ends_one_code_and_starts_the_other(build: Build) -> None:
    connection = build(lives=[life("E08000016", "Barnsley", date(2009, 1, 1))])
    old, new = area(connection, "E08000016"), area(connection, "E08000038")
    assert (old["ends_on"], old["successor_code"]) == (date(2025, 3, 31), "E08000038")
    assert (new["area_name"], new["starts_on"], new["ends_on"]) == ("Barnsley", date(2025, 4, 1), None)


def test_what_was_split_has_no_successor(build: Build) -> None:
    assert area(build(), "E10000021")["successor_code"] is None


def test_who_lies_in_the_city_has_no_resident_rate(build: Build) -> None:
    connection = build(
        links=[
            link("E22000180", "E23000034", levels="csp police_force"),
            link("E22000300", "E23000001", levels="csp police_force"),
        ]
    )
    assert not area(connection, "E22000180")["has_resident_rate"]
    assert area(connection, "E22000300")["has_resident_rate"]


def test_a_single_tier_authority_stands_in_both_tiers(build: Build) -> None:
    codes = ["E06000001", "E07000008", "E08000001", "E09000002", "E10000003", "E22000027", "W06000001"]
    connection = build(lives=[life(code, code) for code in codes])
    rows = connection.execute(
        "SELECT area_code, list(level ORDER BY level) FROM ref.area_level "
        "WHERE list_contains($codes, area_code) GROUP BY area_code",
        {"codes": codes},
    ).fetchall()
    both = ["lower_tier", "upper_tier"]
    assert dict(rows) == {
        "E06000001": both,
        "E07000008": ["lower_tier"],
        "E08000001": both,
        "E09000002": both,
        "E10000003": ["upper_tier"],
        "E22000027": ["csp"],
        "W06000001": both,
    }


# --- parents -------------------------------------------------------------------------------------------


def test_the_nearest_lookup_before_holds_else_the_nearest_after(build: Build) -> None:
    connection = build(
        links=[
            link("E07000008", "E22000001", 2019),
            link("E07000008", "E22000002", 2022),
            link("E07000008", "E22000003", 2022),
        ]
    )
    assert parents(connection, "E07000008", "csp") == {
        **dict.fromkeys(range(2017, 2022), "E22000001"),
        **dict.fromkeys(range(2022, 2026), "E22000002 E22000003"),
    }


def test_only_living_areas_have_parents_and_only_living_parents_count(build: Build) -> None:
    connection = build(
        lives=[
            life("E07000150", "Corby", date(2009, 1, 1), date(2021, 3, 31)),
            life("E22000900", "Closed", date(2009, 1, 1), date(2018, 6, 29)),
        ],
        links=[link("E07000150", "E22000900", 2017), link("E07000150", "E22000233", 2024)],
    )
    assert parents(connection, "E07000150", "csp") == {
        2017: "E22000900",
        **dict.fromkeys(range(2018, 2021), "E22000233"),
    }


def test_parents_are_carried_to_the_new_code_of_an_area(build: Build) -> None:
    # Of Barnsley the boundary moved: it stays where it is.
    connection = build(
        lives=[life("E08000016", "Barnsley", date(2009, 1, 1))],
        links=[
            link("E08000016", "E22000259", 2024, child_name="Barnsley"),
            link("E08000016", "E23000011", 2024, "lower_tier police_force", child_name="Barnsley"),
            link("E08000016", "E08000016", 2024, "lower_tier upper_tier", child_name="Barnsley"),
        ],
    )
    assert parents(connection, "E08000016", "csp") == dict.fromkeys(range(2017, 2025), "E22000259")
    assert parents(connection, "E08000038", "csp") == {2025: "E22000259"}
    assert parents(connection, "E08000038", "police_force") == {2025: "E23000011"}
    assert parents(connection, "E08000038", "upper_tier") == {2025: "E08000038"}
    # No lookup names the region: it follows from the force.
    assert parents(connection, "E08000038", "region") == {2025: "E12000003"}
    assert parents(connection, "E08000038", "country") == {2025: "E92000001"}


def test_the_code_history_stands_in_where_no_lookup_does(build: Build) -> None:
    connection = build(
        lives=[
            life("E07000049", "East Dorset", date(2009, 1, 1), date(2019, 3, 31), "E10000009"),
            life("E10000009", "Dorset", date(2009, 1, 1), date(2019, 3, 31), "E12000009"),
            life("E22000027", "Hartlepool", date(2009, 1, 1), None, "E23000012"),
        ],
        links=[link("E22000027", "E23000013", 2019, "csp police_force")],
    )
    assert parents(connection, "E07000049", "upper_tier") == dict.fromkeys((2017, 2018), "E10000009")
    assert parents(connection, "E10000009", "region") == dict.fromkeys((2017, 2018), "E12000009")
    assert set(parents(connection, "E22000027", "police_force").values()) == {"E23000013"}


def test_the_region_of_a_county_follows_from_its_districts(build: Build) -> None:
    connection = build(
        links=[
            link("E07000008", "E10000003", 2023, "lower_tier upper_tier"),
            link("E07000008", "E12000006", 2021, "lower_tier region"),
        ]
    )
    assert parents(connection, "E10000003", "region")[2017] == "E12000006"


def corrected(in_order: bool) -> dict[str, Any]:
    """A lookup and its correction, in the order of publication or landed the other way round."""
    lines = [
        {"sha256": "first", **link("E07000008", "E12000001", 2024, "lower_tier region")},
        {"sha256": "first", **link("E07000009", "E12000002", 2024, "lower_tier region")},
        {"sha256": "first", **link("E07000008", "E22000013", 2024)},
        {"sha256": "second", **link("E07000008", "E12000006", 2024, "lower_tier region")},
        {"sha256": "second", **link("E07000008", "E22000014", 2024)},
        {"sha256": "second", **link("E07000008", "E22000015", 2024)},
        {"sha256": "other year", **link("E07000008", "E12000009", 2023, "lower_tier region")},
    ]
    files = {
        "first": ("geography/lookup@1", date(2024, 8, 1)),
        "second": ("geography/lookup@2", date(2024, 9, 1)),
        "other year": ("geography/older-lookup@1", date(2025, 1, 1)),
    }
    if in_order:
        return {"links": lines, "files": files}
    return {"links": lines[::-1], "files": dict(list(files.items())[::-1])}


@pytest.mark.parametrize("in_order", [True, False])
def test_of_an_area_in_a_year_the_newest_release_says_where_it_lies(build: Build, in_order: bool) -> None:
    connection = build(**corrected(in_order))
    found = parents(connection, "E07000008", "region")
    assert (found[2023], found[2024], found[2025]) == ("E12000009", "E12000006", "E12000006")
    # All that the newest says of it, and of others what was said before.
    assert parents(connection, "E07000008", "csp")[2024] == "E22000014 E22000015"
    assert parents(connection, "E07000009", "region")[2024] == "E12000002"


# --- changes -------------------------------------------------------------------------------------------


def test_a_reviewed_change_wins_and_a_new_name_is_no_change(build: Build) -> None:
    connection = build(
        changes=[
            change("E08000020", "E08000037", date(2013, 4, 2), "recode"),
            change("E07000112", "E07000112", date(2018, 4, 1), "rename"),
            change("E07000004", "E06000060", date(2020, 4, 1), "merge"),
            change("E07000004", "E06000060", date(2020, 4, 1), "merge"),
        ]
    )
    rows = connection.execute(
        "SELECT from_code, to_code, changed_on, kind FROM ref.area_change "
        "WHERE from_code IN ('E08000020', 'E07000112', 'E07000004') ORDER BY from_code"
    ).fetchall()
    assert rows == [
        ("E07000004", "E06000060", date(2020, 4, 1), "merge"),
        ("E08000020", "E08000037", date(2013, 4, 1), "boundary"),
    ]


# --- names ---------------------------------------------------------------------------------------------


def test_an_own_name_beats_an_alternative_one_and_equals_are_left_out(build: Build) -> None:
    connection = build(
        lives=[
            life("E07000008", "Newtown"),
            life("E07000009", "Oldtown"),
            life("E07000009", "New-Town", is_alternative=True),
            life("E07000010", "Twin"),
            life("E07000011", "Twin"),
        ]
    )
    assert codes_named(connection, "lower_tier", "newtown") == ["E07000008"]
    assert codes_named(connection, "lower_tier", "new town") == ["E07000009"]
    assert codes_named(connection, "lower_tier", "twin") == []
    connection = build(
        lives=[life("E07000008", "Newtown"), life("E07000009", "NEWTOWN", is_alternative=True)],
    )
    assert codes_named(connection, "lower_tier", "newtown") == ["E07000008"]


def test_a_name_may_pass_from_one_area_to_the_next(build: Build) -> None:
    connection = build(
        lives=[
            life("E22000054", "North Devon", date(2009, 1, 1), date(2010, 3, 31)),
            life("E22000363", "North Devon", date(2010, 4, 1)),
        ]
    )
    assert codes_named(connection, "csp", "north devon") == ["E22000054", "E22000363"]
    assert codes_named(connection, "csp", "northern devon") == ["E22000363"]


def test_a_region_and_a_force_may_share_a_name(build: Build) -> None:
    connection = build()
    assert codes_named(connection, "region", "west midlands") == ["E12000005"]
    assert codes_named(connection, "police_force", "west midlands") == ["E23000014"]
