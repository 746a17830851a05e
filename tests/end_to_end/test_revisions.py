"""A figure that its publisher restates: `justice-etl revisions`, and the pages of what was published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.files import read_json, remove_tree
from tests.end_to_end.builders import force_tables, geography
from tests.faults.commands import DONE, WRONG_USE, Commands, assert_readable

FIRST = "recorded_crime_ons/year-ending-march-2018@1"
SECOND = "recorded_crime_ons/year-ending-march-2018@2"


@pytest.fixture(scope="module")
def restated(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Table P1 of March 2018, and the same with 212,842 offences in West Midlands in place of 212,841."""
    folder = tmp_path_factory.mktemp("restated")
    first = force_tables(folder, name="first.xlsx")
    second = force_tables(folder, name="second.xlsx", published="2018-09-01", cells={"C7": "212,842 "})
    home = folder / "home"
    commands.succeed(home, geography(folder).command, first.command, second.command, ["publish"])
    yield home
    remove_tree(folder)


def test_what_was_restated_is_told(commands: Commands, restated: Path) -> None:
    words = ["revisions", "--area", "west midlands", "--since", "2018-09-01", "--offence", "total_excluding_fraud"]
    outcome = commands.succeed(restated, words)
    assert outcome.out.splitlines()[-2] == (
        "1 figure of Total recorded crime (excluding fraud) in West Midlands was revised since 1 September 2018; it is "
        "Total recorded crime (excluding fraud), West Midlands, year to 31 March 2018: 212,841 became 212,842 (+1, "
        "under +0.01%), published on 1 September 2018."
    )


def test_json_is_the_line_of_the_warehouse(commands: Commands, restated: Path) -> None:
    found = commands.succeed(restated, ["revisions", "--release", SECOND, "--json"]).json
    [line] = found["revisions"]
    assert (line["previous_value"], line["value"], line["revised_by"]) == (212_841, 212_842, 1)
    assert (line["area_code"], line["offence_id"]) == ("E23000014", "total_excluding_fraud")
    assert (line["release_id"], line["previous_release_id"]) == (SECOND, FIRST)


def test_what_was_not_restated_is_told_as_well(commands: Commands, restated: Path) -> None:
    outcome = commands.run(restated, ["revisions", "--area", "Kent"])
    assert (outcome.status, outcome.out) == (DONE, "No figure of Kent was revised.\n")


def test_an_area_that_is_none_is_wrong_use(commands: Commands, restated: Path) -> None:
    outcome = commands.run(restated, ["revisions", "--area", "Midlands"])
    assert_readable(outcome, "'Midlands'", "West Midlands (police_force)", status=WRONG_USE)


def test_the_version_that_serves_has_its_pages(restated: Path) -> None:
    site = restated / "current" / "site"
    summary = read_json(site / "releases/recorded_crime_ons/year-ending-march-2018-2.json")
    assert (summary["state"], summary["totals"]["revised_figures"]) == ("current", 1)
    version = (restated / "current").readlink().name
    assert version in (site / "data" / "index.html").read_text(encoding="utf-8")
    first = read_json(site / "releases/recorded_crime_ons/year-ending-march-2018-1.json")
    assert (first["state"], first["superseded_by"]) == ("superseded", SECOND)
    page = (site / "index.html").read_text(encoding="utf-8")
    for target in re.findall('href="([^"#]+)"', page):
        assert (site / target).resolve().is_file(), target


def test_pages_of_the_demo_say_that_it_is_one(demo_home: Path) -> None:
    pages = sorted((demo_home / "current" / "site").rglob("*.html"))
    assert len(pages) > 3
    for page in pages:
        text = page.read_text(encoding="utf-8")
        of_itself = "<strong>Modelled sample.</strong>" in text
        of_release = page.parent.parent.name == "releases"
        assert of_itself or (not of_release and "<strong>This version holds modelled samples</strong>" in text), page
