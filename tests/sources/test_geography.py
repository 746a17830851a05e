"""The source `geography`: lookups, names, code histories and code changes."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from etl.errors import LayoutError
from etl.reading import tidy_schema
from etl.sources import load_source
from etl.sources.geography.read import read
from etl.spreadsheets import open_workbook
from tests.support import read_lines, write_csv


def read_path(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """The tidy table that a file belongs to, and its lines."""
    source = load_source("geography")
    with open_workbook(path) as workbook:
        (table,) = read(workbook, source)
    (name,) = (n for n in source.tidy if set(tidy_schema(n).names) == set(table.column_names))
    return name, table.to_pylist()


def write_json(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def pairs(lines: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(x["child_level"], x["child_code"], x["parent_level"], x["parent_code"]) for x in lines]


# --- lookups -------------------------------------------------------------------------------------------

LOOKUP_2017 = [
    ["LAD17CD", "LAD17NM", "CSP17CD", "CSP17NM", "PFA17CD", "PFA17NM", "FID"],
    ["E06000001", "Hartlepool", "E22000027", "Hartlepool", "E23000013", "Cleveland", "1"],
    ["W06000016", "Rhondda Cynon Taf", "W14000023", "Cwm Taf", "W15000003", "South Wales", "2"],
    ["W06000024", "Merthyr Tydfil", "W14000023", "Cwm Taf", "W15000003", "South Wales", "3"],
]


def test_a_lookup_gives_a_line_for_each_pair_of_levels(tmp_path: Path) -> None:
    table, lines = read_path(write_csv(tmp_path / "lookup.csv", LOOKUP_2017))
    assert table == "area_link"
    assert pairs(lines) == [
        ("lower_tier", "E06000001", "csp", "E22000027"),
        ("lower_tier", "E06000001", "police_force", "E23000013"),
        ("csp", "E22000027", "police_force", "E23000013"),
        ("lower_tier", "W06000016", "csp", "W14000023"),
        ("lower_tier", "W06000016", "police_force", "W15000003"),
        ("csp", "W14000023", "police_force", "W15000003"),
        ("lower_tier", "W06000024", "csp", "W14000023"),
        ("lower_tier", "W06000024", "police_force", "W15000003"),
    ]
    assert lines[3] == {
        "vintage": 2017,
        "child_level": "lower_tier",
        "child_code": "W06000016",
        "child_name": "Rhondda Cynon Taf",
        "parent_level": "csp",
        "parent_code": "W14000023",
        "parent_name": "Cwm Taf",
        "sheet": "csv",
        "row": 3,
        "column": "C",
    }


def test_columns_may_stand_in_any_order_and_other_years_in_their_headers(tmp_path: Path) -> None:
    _, lines = read_path(
        write_csv(
            tmp_path / "lookup.csv",
            [
                ["ObjectId", "PFA25CD", "PFA25NM", "LAD25CD ", "LAD25NM", "LAD25NMW", "CSP25CD", "CSP25NM"],
                ["7", "E23000011", "South Yorkshire", "E08000038 ", "Barnsley", "", "E22000259", "Barnsley"],
            ],
        )
    )
    assert {line["vintage"] for line in lines} == {2025}
    assert pairs(lines)[0] == ("lower_tier", "E08000038", "csp", "E22000259")
    assert (lines[0]["row"], lines[0]["column"]) == (2, "G")


def test_a_lookup_of_tiers(tmp_path: Path) -> None:
    _, lines = read_path(
        write_csv(
            tmp_path / "lookup.csv",
            [
                ["ltla23_code", "ltla23_name", "utla23_code", "utla23_name"],
                ["E07000008", "Cambridge", "E10000003", "Cambridgeshire"],
                ["E06000001", "Hartlepool", "E06000001", "Hartlepool"],
            ],
        )
    )
    assert pairs(lines) == [
        ("lower_tier", "E07000008", "upper_tier", "E10000003"),
        ("lower_tier", "E06000001", "upper_tier", "E06000001"),
    ]


def test_wales_is_a_country_among_the_regions_and_pseudo_codes_say_nothing(tmp_path: Path) -> None:
    _, lines = read_path(
        write_csv(
            tmp_path / "lookup.csv",
            [
                ["LAD23CD", "LAD23NM", "RGN23CD", "RGN23NM"],
                ["E06000001", "Hartlepool", "E12000001", "North East"],
                ["W06000001", "Isle of Anglesey", "W92000004", "Wales"],
                ["W06000002", "Gwynedd", "W99999999", "(pseudo) Wales"],
                ["S12000005", "Clackmannanshire", "S92000003", "Scotland"],
            ],
        )
    )
    assert pairs(lines) == [
        ("lower_tier", "E06000001", "region", "E12000001"),
        ("lower_tier", "W06000001", "country", "W92000004"),
    ]


def test_the_answer_of_the_service_is_read_as_a_lookup(tmp_path: Path) -> None:
    attributes = dict(zip(LOOKUP_2017[0], ["E06000001", *LOOKUP_2017[1][1:6], 1], strict=True))
    content = {"fields": [], "features": [{"attributes": attributes}]}
    table, lines = read_path(write_json(tmp_path / "answer.json", content))
    assert table == "area_link"
    assert pairs(lines)[2] == ("csp", "E22000027", "police_force", "E23000013")
    assert (lines[0]["sheet"], lines[0]["row"], lines[0]["column"]) == ("json", 2, "C")


@pytest.mark.parametrize("text", ["Cambridge", "E0700000", ""])
def test_a_cell_without_a_code_is_named(tmp_path: Path, text: str) -> None:
    rows = [list(row) for row in LOOKUP_2017]
    rows[2][2] = text
    with pytest.raises(LayoutError, match=r"sheet 'csv', cell C3 .*expected a GSS code") as error:
        read_path(write_csv(tmp_path / "lookup.csv", rows))
    assert error.value.rule == "cell"


def test_a_column_that_nobody_declared_stops_the_file(tmp_path: Path) -> None:
    rows = [[*row, "x"] for row in LOOKUP_2017]
    rows[0][-1] = "Shape area"
    with pytest.raises(LayoutError, match="not expected 'shape area'"):
        read_path(write_csv(tmp_path / "lookup.csv", rows))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    rows = [row[:4] for row in LOOKUP_2017]
    with pytest.raises(LayoutError, match="missing 'pfa24cd', 'pfa24nm'"):
        read_path(write_csv(tmp_path / "lookup.csv", rows))


# --- names and lives -----------------------------------------------------------------------------------


def test_names_have_no_dates_and_the_welsh_one_is_an_alternative(tmp_path: Path) -> None:
    table, lines = read_path(
        write_csv(
            tmp_path / "names.csv",
            [
                ["FID", "CSP19CD", "CSP19NM", "CSP19NMW"],
                ["1", "E22000002", "Bristol, City of", ""],
                ["2", "W14000001", "Isle of Anglesey", "Ynys Môn"],
            ],
        )
    )
    assert table == "area_life"
    found = [(x["area_code"], x["area_name"], x["is_alternative"], x["row"], x["column"]) for x in lines]
    assert found == [
        ("E22000002", "Bristol, City of", False, 2, "C"),
        ("W14000001", "Isle of Anglesey", False, 3, "C"),
        ("W14000001", "Ynys Môn", True, 3, "D"),
    ]
    assert {(x["starts_on"], x["ends_on"], x["parent_code"], x["status"]) for x in lines} == {(None,) * 4}
    assert lines[0]["entity"] == "E22"


def test_a_code_history_has_dates(tmp_path: Path) -> None:
    _, lines = read_path(
        write_csv(
            tmp_path / "history.csv",
            [
                ["gss_code", "gss_name", "desc", "entity_type", "start_date", "end_date", "status"],
                ["E06000061 ", "North Northamptonshire", "Order", "E06", "2021-04-01", "", "live"],
                ["E07000150", "Corby", "Order", "E07", "01/01/2009", "31/03/2021", "terminated "],
            ],
        )
    )
    found = [(x["area_code"], x["starts_on"], x["ends_on"], x["status"]) for x in lines]
    assert found == [
        ("E06000061", date(2021, 4, 1), None, "live"),
        ("E07000150", date(2009, 1, 1), date(2021, 3, 31), "terminated"),
    ]


def test_a_day_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    rows = [
        ["gss_code", "gss_name", "desc", "entity_type", "start_date", "end_date", "status"],
        ["E06000061", "North Northamptonshire", "Order", "E06", "spring 2021", "", "live"],
    ]
    with pytest.raises(LayoutError, match=r"cell E2 \('spring 2021'\): expected a day"):
        read_path(write_csv(tmp_path / "history.csv", rows))


HISTORY: dict[str, Any] = {
    "areas": {
        "E07000112": [
            {
                "date": {"s": "2018-04-01"},
                "nm": "Folkestone and Hythe",
                "nm_alt": ["Shepway", "Folkestone and Hythe", "Shepway District Council"],
                "parent": "E10000016",
                "status": "live",
            },
            {"date": {"s": "2009-01-01", "e": "2018-03-31"}, "nm": "Shepway", "parent": "E10000016"},
        ],
        "E23000001": [{"date": {"s": "2009-01-01"}, "nm": "Metropolitan Police", "status": "live"}],
    },
    "description": "by hand",
}


def test_the_code_history_database(tmp_path: Path) -> None:
    table, lines = read_path(write_json(tmp_path / "history.json", HISTORY))
    assert table == "area_life"
    found = [(x["area_name"], x["is_alternative"], x["starts_on"], x["ends_on"], x["row"]) for x in lines]
    renamed, old = date(2018, 4, 1), date(2009, 1, 1)
    assert found == [
        ("Folkestone and Hythe", False, renamed, None, 1),
        ("Shepway", True, renamed, None, 1),
        ("Shepway District Council", True, renamed, None, 1),
        ("Shepway", False, old, date(2018, 3, 31), 2),
        ("Metropolitan Police", False, old, None, 3),
    ]
    assert [x["parent_code"] for x in lines] == ["E10000016"] * 4 + [None]
    assert {(x["sheet"], x["column"]) for x in lines} == {("json", "A")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"areas": {"Kent": [{"date": {}, "nm": "Kent"}]}}, r"entry 1 \('Kent'\): expected a GSS code"),
        ({"areas": {"E10000016": [{"date": {}, "nm": ""}]}}, r"entry 1 .*expected a name \(nm\)"),
        ({"areas": {"E10000016": [{"date": {"s": "once"}, "nm": "Kent"}]}}, r"entry 1 \('once'\): expected a day"),
        ({"areas": {"E10000016": {"nm": "Kent"}}}, "expected a list of lives"),
        ({"areas": {"E10000016": [{"date": {}, "nm": "Kent", "parent": "South"}]}}, "expected the parent's GSS code"),
        ({"error": {"code": 400}}, "JSON of 'error' fits no form of geography"),
        ({"type": "FeatureCollection", "features": [{"properties": {}}]}, "boundaries are not read"),
        ([1, 2], "JSON of list fits no form"),
    ],
)
def test_other_json_stops_the_file(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(LayoutError, match=message):
        read_path(write_json(tmp_path / "some.json", content))


# --- changes -------------------------------------------------------------------------------------------

CHANGES_HEADER = [
    "changed_to_code",
    "changed_to_name",
    "changed_from_code",
    "changed_from_name",
    "desc",
    "entity_type",
    "date",
    "year",
    "split",
    "merge",
]


def change(to_code: str, from_code: str, order: str, split: str = "False", merge: str = "False") -> list[str]:
    return [to_code, "New", from_code, "Old", order, to_code[:3], "2013-04-01", "2013", split, merge]


def test_the_kind_of_a_change(tmp_path: Path) -> None:
    table, lines = read_path(
        write_csv(
            tmp_path / "changes.csv",
            [
                CHANGES_HEADER,
                change("E06000060", "E07000004", "The Buckinghamshire (Structural Changes) Order 2019", merge="True"),
                change("E06000061", "E10000021", "The Northamptonshire (Structural Changes) Order", split="True"),
                change("E08000037", "E08000020", "The Gateshead and Northumberland (Boundary Change) Order 2013"),
                change("W06000023", "W06000007", "The Merthyr Tydfil and Powys (Areas) Order 2009"),
                change("E06000055", "E07000002", "The Bedfordshire (Structural Changes) Order 2008"),
                change("E07000112", "E07000112", "Name Change"),
            ],
        )
    )
    assert table == "area_change"
    assert [x["kind"] for x in lines] == ["merge", "split", "boundary", "boundary", "recode", "rename"]
    assert lines[0] == {
        "from_code": "E07000004",
        "from_name": "Old",
        "to_code": "E06000060",
        "to_name": "New",
        "changed_on": date(2013, 4, 1),
        "kind": "merge",
        "note": "The Buckinghamshire (Structural Changes) Order 2019",
        "sheet": "csv",
        "row": 2,
        "column": "C",
    }


def test_a_flag_must_be_true_or_false(tmp_path: Path) -> None:
    rows = [CHANGES_HEADER, change("E06000061", "E10000021", "Order", split="maybe")]
    with pytest.raises(LayoutError, match=r"cell I2 \('maybe'\): expected True or False"):
        read_path(write_csv(tmp_path / "changes.csv", rows))


def test_landed_files_become_tidy_parquet(home: Path, tmp_path: Path) -> None:
    lookup = read_lines(home, write_csv(tmp_path / "lookup.csv", LOOKUP_2017), "geography", "Lookup 2017")
    history = read_lines(home, write_json(tmp_path / "history.json", HISTORY), "geography", "History")
    assert (len(lookup), len(history)) == (8, 5)


# --- the real files ------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "table", "counts"),
    [
        ("LAD17_CSP17_PFA17_EW_LU.csv", "area_link", {("lower_tier", "csp"): 348, ("csp", "police_force"): 314}),
        ("LAD19_CSP19_PFA19_EW_LU.csv", "area_link", {("lower_tier", "csp"): 342, ("lower_tier", "police_force"): 339}),
        (
            "lookup_ltla24_csp24_pfa24.csv",
            "area_link",
            {("lower_tier", "csp"): 332, ("lower_tier", "police_force"): 318, ("csp", "police_force"): 314},
        ),
        ("lookup_ltla19_utla19.csv", "area_link", {("lower_tier", "upper_tier"): 339}),
        ("lookup_ltla20_utla20.csv", "area_link", {("lower_tier", "upper_tier"): 336}),
        ("lookup_ltla21_utla21.csv", "area_link", {("lower_tier", "upper_tier"): 331}),
        ("lookup_ltla23_utla23.csv", "area_link", {("lower_tier", "upper_tier"): 318}),
        ("lookup_ltla19_region19.csv", "area_link", {("lower_tier", "region"): 317}),
        ("lookup_ltla21_region21.csv", "area_link", {("lower_tier", "region"): 309}),
        ("lookup_ltla24_region24.csv", "area_link", {("lower_tier", "region"): 296}),
    ],
)
def test_real_lookups(publications: Path, name: str, table: str, counts: dict[tuple[str, str], int]) -> None:
    found, lines = read_path(publications / "ons-geography" / name)
    assert found == table
    for (child, parent), count in counts.items():
        assert sum((x["child_level"], x["parent_level"]) == (child, parent) for x in lines) == count
    (year,) = set(re.findall(r"\d\d", name))
    assert {x["vintage"] for x in lines} == {2000 + int(year)}


@pytest.mark.real
def test_real_names_lives_and_changes(publications: Path) -> None:
    folder = publications / "ons-geography"
    table, names = read_path(folder / "CSP19_names.csv")
    assert (table, sum(not x["is_alternative"] for x in names)) == ("area_life", 314)
    table, lives = read_path(folder / "all_lad_codes_dates.csv")
    assert (table, sum(x["ends_on"] is None for x in lives)) == ("area_life", 318)
    table, changes = read_path(folder / "lad_code_changes.csv")
    assert (table, len(changes)) == ("area_change", 90)
    assert sum(x["kind"] == "rename" for x in changes) == 2


@pytest.mark.real
def test_real_code_history_database(publications: Path) -> None:
    paths = sorted((publications / "ons-geography" / "code-history-database-2024-07").glob("*.json"))
    live = {}
    for path in paths:
        table, lines = read_path(path)
        assert table == "area_life"
        assert {x["entity"] for x in lines} == {path.stem}
        live[path.stem] = len({x["area_code"] for x in lines if x["ends_on"] is None})
    assert live["E22"] + live["W14"] == 314
    assert live["E23"] + live["W15"] == 43
    assert sum(live[entity] for entity in ("E06", "E07", "E08", "E09", "W06")) == 318
    assert sum(live[entity] for entity in ("E06", "E08", "E09", "E10", "W06")) == 175


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    [
        "boundaries_pfa20.geojson",
        "boundaries_utla21.geojson",
        "geogLA2022EW.json",
        "lookup_name_to_registry.csv",
        "uk_local_authorities.csv",
    ],
)
def test_real_files_that_are_not_ours_are_refused(publications: Path, name: str) -> None:
    with pytest.raises(LayoutError, match="geography"):
        read_path(publications / "ons-geography" / name)
