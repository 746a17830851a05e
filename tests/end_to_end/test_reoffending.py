"""Proven reoffending from landing to publishing: places that nobody knows, and a tool that contradicts itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from tests.end_to_end.builders import Edition
from tests.faults.commands import DONE, KEPT_OUT, Commands
from tests.support import Cell, Rows, write_csv, write_xlsx

HEADER: list[Cell] = ["Adult / Child", "Cohort", "Category", "Geography", "offenders", "reoffenders"]
FIRST, SECOND = "Apr 2021 to Mar 2022", "Apr 2022 to Mar 2023"
COUNTS = {FIRST: (400, 100), SECOND: (500, 150)}
SMALL = {"Adult": 1, "Child": 10}


def geographic_tool(
    folder: Path, *places: tuple[str, str], name: str = "tool.xlsx", more: Sequence[Cell] = ()
) -> Edition:
    """The geographic tool: 400 adults of each place, then 500, and a tenth as many children; `more` is a row below."""
    rows: list[list[Cell]] = [
        [age, cohort, category, place, offenders // SMALL[age], reoffenders // SMALL[age]]
        for category, place in places
        for cohort, (offenders, reoffenders) in COUNTS.items()
        for age in SMALL
    ]
    sheets: dict[str, Rows] = {
        "Cover": [["Proven reoffending"]],
        "Data": [HEADER, *rows, *([list(more)] if more else [])],
    }
    published = "2026-01-29" if name == "tool.xlsx" else "2026-02-12"
    file = write_xlsx(folder / name, sheets)
    return Edition("proven_reoffending", "Proven reoffending: January to March 2024", published, (file,))


def tiers(folder: Path, year: int, *upper: tuple[str, str]) -> Edition:
    """A lookup of both tiers: single-tier authorities, each its own upper tier."""
    header = [f"LTLA{year}CD", f"LTLA{year}NM", f"UTLA{year}CD", f"UTLA{year}NM"]
    file = write_csv(folder / f"tiers-{year}.csv", [header, *([code, name, code, name] for code, name in upper)])
    return Edition("geography", f"Tiers 20{year}", f"20{year}-06-30", (file,))


BIRMINGHAM, COVENTRY = ("E08000025", "Birmingham"), ("E08000026", "Coventry")
PLACES = [
    ("England and Wales total", "England and Wales"),
    ("UTLA total", "Birmingham"),
    ("UTLA total", "Coventree"),
    ("LA total", "Birmingham"),
    ("UTLA total", "Unknown"),
]
_TREND = (
    "SELECT area_code, area_name, level, offenders, change_points, reason FROM mart.reoffending_trend "
    "WHERE cohort_end = '2023-03-31' AND age_group = 'all' ORDER BY area_code"
)


def test_a_name_that_is_not_known_is_in_quarantine_with_what_comes_nearest(commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    commands.succeed(home, tiers(tmp_path, 23, BIRMINGHAM, COVENTRY).command)
    commands.succeed(home, geographic_tool(tmp_path, *PLACES).command)

    # For the first time: a failure that names the place, its first cell and what could be meant.
    outcome = commands.run(home, ["publish"])
    assert outcome.status == KEPT_OUT, outcome.text
    [message] = outcome.err.splitlines()
    assert message.startswith(
        "Kept out: tool.xlsx, rule unknown_area: no area, or more than one, is called 'Coventree' (upper_tier): "
        "4 lines, the first at "
    )
    assert "!Data!E10; nearest are Coventry → " in message
    assert message.endswith("warehouse/ref/fixed_area_name.csv, or land the geography that knows it")
    assert "Published version" in outcome.out

    # The rest is served, and each figure once.
    birmingham = {"area_code": "E08000025", "area_name": "Birmingham", "level": "upper_tier"}
    unknown = {"area_code": "x-unknown-upper-tier", "area_name": "Unknown", "level": "upper_tier"}
    whole = {"area_code": "K04000001", "area_name": "England and Wales", "level": "country"}
    same = {"offenders": 550, "change_points": 5.0, "reason": None}  # 165 of 550 after 110 of 440
    served = commands.succeed(home, ["sql", "--json", _TREND]).json
    assert [line | {"change_points": round(line["change_points"], 9)} for line in served] == [
        birmingham | same,
        whole | same,
        unknown | same,
    ]
    lines = pq.read_table(home / "quarantine" / "lines.parquet").to_pylist()
    names = ("rule", "sheet", "row", "column", "published_name", "figure", "value")
    assert [tuple(line[name] for name in names) for line in lines] == [
        ("unknown_area", "Data", 10, "E", "Coventree", "adult offenders", 400),
        ("unknown_area", "Data", 11, "E", "Coventree", "child offenders", 40),
        ("unknown_area", "Data", 12, "E", "Coventree", "adult offenders", 500),
        ("unknown_area", "Data", 13, "E", "Coventree", "child offenders", 50),
    ]

    # Known by now: a warning.
    outcome = commands.succeed(home, ["publish"])
    assert outcome.err.startswith("Still kept out: tool.xlsx, rule unknown_area: ")
    assert commands.succeed(home, ["status", "--json"]).json["quarantined_lines"] == 4

    # A lookup that knows the name settles it.
    commands.succeed(home, tiers(tmp_path, 24, BIRMINGHAM, ("E08000099", "Coventree")).command)
    outcome = commands.succeed(home, ["publish"])
    assert "ept out" not in outcome.err
    assert pq.read_table(home / "quarantine" / "lines.parquet").num_rows == 0
    codes = [line["area_code"] for line in commands.succeed(home, ["sql", "--json", _TREND]).json]
    assert codes == ["E08000025", "E08000099", "K04000001", "x-unknown-upper-tier"]


def test_a_tool_that_contradicts_itself_is_kept_out_whole_until_it_is_swapped(
    commands: Commands, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    commands.succeed(home, tiers(tmp_path, 23, BIRMINGHAM).command)
    both = [("UTLA total", "Birmingham")]
    bad = geographic_tool(tmp_path, *both, more=["Adult", FIRST, "LA total", "Birmingham", 401, 100])
    commands.succeed(home, bad.command)
    outcome = commands.run(home, ["publish"])
    assert outcome.status == KEPT_OUT, outcome.text
    [message] = outcome.err.splitlines()
    assert message.startswith(
        "Kept out: tool.xlsx (proven_reoffending/proven-reoffending-january-to-march-2024), rule cell"
    )
    assert (
        "sheet 'Data', cell E6 ('401'): Birmingham has 400 in row 2 (UTLA total) and 401 in row 6 (LA total)" in message
    )
    assert commands.succeed(home, ["sql", "--json", _TREND]).json == []

    good = geographic_tool(tmp_path, *both, ("LA total", "Birmingham"), name="swapped.xlsx")
    commands.succeed(home, good.command)
    assert commands.run(home, ["publish"]).status == DONE
    (line,) = commands.succeed(home, ["sql", "--json", _TREND]).json
    assert (line["area_code"], line["offenders"], line["level"]) == ("E08000025", 550, "upper_tier")
