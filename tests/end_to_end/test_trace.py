"""From a published figure back to the cells that state it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from etl.files import remove_tree
from tests.end_to_end.builders import force_tables, rolling_year
from tests.faults.commands import WRONG_USE, Commands, assert_readable


def _trace(commands: Commands, home: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = commands.succeed(home, ["trace", *words, "--json"]).json
    return found


def test_a_published_figure(commands: Commands, served: Path) -> None:
    found = _trace(commands, served, "Kent", "total_excluding_fraud", "2018-03-31")
    assert (found["value"], found["is_derived"], found["table_id"]) == (171_508, False, "P1")
    assert found["release_id"] == "recorded_crime_ons/year-ending-march-2018@1"
    [cell] = found["cells"]
    assert (cell["filename"], cell["sheet"], cell["address"]) == ("p1.xlsx", "Table P1", "C8")
    assert (cell["text"], cell["value"], cell["marker"]) == ("171,508 ", 171_508, None)
    shown = commands.succeed(served, ["trace", "Kent", "Total recorded crime (excluding fraud)", "31/03/2018"]).out
    assert "Kent (E23000032), total_excluding_fraud, year to 2018-03-31: 171,508\nas published in" in shown
    assert "'171,508 '" in shown
    assert cell["sha256"][:12] in shown


def test_a_derived_total(commands: Commands, served: Path) -> None:
    """A year out of four quarters, a group out of its offences, a region out of its forces: down to every cell."""
    words = ("West Midlands", "robbery", "2018-03-31", "--level", "region")
    found = _trace(commands, served, *words)
    assert (found["area_code"], found["value"], found["is_derived"]) == ("E12000005", 101 + 102 + 103 + 104, True)
    assert found["cell_count"] == len(found["cells"]) == 4
    assert [cell["text"] for cell in found["cells"]] == [" 101 ", " 102 ", " 103 ", " 104 "]
    assert {cell["area_code"] for cell in found["cells"]} == {"E23000014"}
    assert {cell["figure"] for cell in found["cells"]} == {"offence_34a"}
    assert sum(cell["value"] for cell in found["cells"]) == found["value"]
    assert "added up from 4 cells in recorded_crime_home_office" in commands.succeed(served, ["trace", *words]).out


def test_homicide_stands_in_four_rows_of_the_home_office_file(commands: Commands, served: Path) -> None:
    found = _trace(commands, served, "Kent", "homicide", "2017-06-30", "--span", "quarter")
    assert (found["value"], found["is_derived"], found["cell_count"]) == (3, False, 4)
    assert [(cell["address"], cell["text"], cell["value"]) for cell in found["cells"]] == [
        ("H2", "-00 ", 0),
        ("H3", "-00 ", 0),
        ("H4", " 1 ", 1),
        ("H5", " 2 ", 2),
    ]
    year = _trace(commands, served, "E12000005", "homicide", "2018-03-31")
    assert (year["value"], year["cell_count"], len(year["cells"])) == (12, 16, 16)
    assert sum(cell["value"] for cell in year["cells"]) == 12


def test_a_long_list_of_cells_is_cut_and_says_so(commands: Commands, served: Path) -> None:
    words = ["trace", "K04000001", "total_excluding_fraud", "2018-03-31"]
    found = commands.succeed(served, [*words, "--json"]).json
    assert found["value"] == 3 * (12 + 101 + 102 + 103 + 104)
    assert found["cell_count"] == 3 * 4 * 5
    assert 0 < len(found["cells"]) < found["cell_count"]
    outcome = commands.succeed(served, words)
    assert f"{found['cell_count'] - len(found['cells'])} more cells are not shown" in outcome.err


@pytest.mark.parametrize(("text", "marker"), [("..", "[x]"), ("[c]", "[c]")])
def test_a_cell_without_a_value(text: str, marker: str, commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    commands.succeed(home, force_tables(tmp_path, cells={"F8": text}).command, ["publish"])
    found = _trace(commands, home, "E23000032", "homicide", "2018-03-31")
    assert (found["value"], found["marker"], found["cell_count"]) == (None, marker, 1)
    [cell] = found["cells"]
    assert (cell["address"], cell["value"], cell["marker"]) == ("F8", None, marker)
    assert cell["text"] == text
    shown = commands.succeed(home, ["trace", "E23000032", "homicide", "2018-03-31"]).out
    assert f"homicide, year to 2018-03-31: no value {marker}\n" in shown


def test_an_empty_cell(commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    row = ["31/03/2018", "Kent", "South East", "Homicide", ""]
    commands.succeed(home, rolling_year(tmp_path, 1, row).command, ["publish"])
    found = _trace(commands, home, "E23000032", "homicide", "2018-03-31")
    assert (found["value"], found["marker"], found["cell_count"]) == (None, "[blank]", 1)
    [cell] = found["cells"]
    assert (cell["address"], cell["text"] or None, cell["value"], cell["marker"]) == ("E2", None, None, "[blank]")


def test_the_order_of_cells_in_an_old_cache_does_not_matter(commands: Commands, served: Path, tmp_path: Path) -> None:
    """Without the tidy cache the landed file itself still shows where the figure begins."""
    home = Path(shutil.copytree(served, tmp_path / "home", symlinks=True))
    remove_tree(home / "tidy")
    found = _trace(commands, home, "Kent", "homicide", "2017-06-30", "--span", "quarter")
    assert [cell["address"] for cell in found["cells"]][:1] == ["H2"]
    commands.succeed(home, ["publish"])


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["Kant", "homicide", "2018-03-31"], ["no area with such figures is called 'Kant'", "GSS code"]),
        (
            ["West", "homicide", "2018-03-31"],
            ["no area with such figures is called 'West'", "West Midlands (police_force)"],
        ),
        (["West Midlands", "homicide", "2018-03-31"], ["E12000005 (region)", "E23000014 (police_force)", "--level"]),
        (["Kent", "murmuring", "2018-03-31"], ["no offence 'murmuring'", "ref.offence"]),
        (["Kent", "homicide", "2001-03-31"], ["year to 2001-03-31", "2018-03-31 (year)"]),
        (["Kent", "homicide", "2018-03-31", "--span", "decade"], ["decade", "2018-03-31 (year)"]),
        (["Kent", "homicide", "next week"], ["'next week' is no day", "2018-03-31"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and len(value) > 2 else "",
)
def test_what_is_not_there_is_wrong_use_and_says_what_is(
    words: list[str], parts: list[str], commands: Commands, served: Path
) -> None:
    assert_readable(commands.run(served, ["trace", *words]), *parts, status=WRONG_USE)


def test_a_landed_file_that_is_gone_is_named(commands: Commands, served: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(served, tmp_path / "home", symlinks=True))
    remove_tree(home / "landing" / "sha256")
    assert_readable(commands.run(home, ["trace", "Kent", "homicide", "2018-03-31"]), "is gone", "justice-etl verify")
