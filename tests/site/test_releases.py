"""Release pages and their JSON: counts, states, and the largest revisions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from etl.files import read_json
from etl.settings import project_root
from etl.site.summaries import SHOWN
from tests.site.conftest import WriteSite
from tests.site.made import FORCE, KENT, MARCH_1, MARCH_2, NEXT, ROBBERY, revision
from tests.site.page import Page

FIRST = "releases/recorded_crime_ons/year-ending-march-2018-1"
SECOND = "releases/recorded_crime_ons/year-ending-march-2018-2"
THIRD = "releases/recorded_crime_ons/year-ending-march-2019-1"
ADULTS = "releases/proven_reoffending/july-to-september-2020-1"
ALL = [FIRST, SECOND, THIRD, ADULTS, "releases/geography/lookups-1", "releases/proven_reoffending/april-to-june-2020-1"]


def read(site: Path, stem: str) -> dict[str, Any]:
    return dict(read_json(site / f"{stem}.json"))


def problems(schema: str, content: Any) -> list[str]:
    validator = Draft202012Validator(
        read_json(project_root() / "schemas" / "site" / f"{schema}.schema.json"),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]


@pytest.mark.parametrize("schema", ["release_summary", "releases", "claims"])
def test_schemas_are_schemas(schema: str) -> None:
    Draft202012Validator.check_schema(read_json(project_root() / "schemas" / "site" / f"{schema}.schema.json"))


@pytest.mark.parametrize("stem", ALL)
def test_json_is_valid_and_written_in_order(stem: str, made_site: Path) -> None:
    content = read(made_site, stem)
    assert problems("release_summary", content) == []
    text = (made_site / f"{stem}.json").read_text(encoding="utf-8")
    assert text == json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"


def test_a_summary_that_lacks_a_count_is_not_valid(made_site: Path) -> None:
    content = read(made_site, THIRD)
    del content["tables"][0]["gone_figures"]
    assert problems("release_summary", content) == ["$.tables[0]: 'gone_figures' is a required property"]


def test_the_list_of_releases_is_valid_and_the_newest_comes_first(made_site: Path) -> None:
    content = read(made_site, "releases/index")
    assert problems("releases", content) == []
    assert [entry["published_on"] for entry in content["releases"]] == [
        "2022-07-28",
        "2022-04-28",
        "2019-07-18",
        "2018-09-01",
        "2018-07-19",
        "2017-01-10",
    ]
    third = content["releases"][2]
    assert third["totals"] == {
        "figures": 2_500,
        "new_figures": 1_300,
        "revised_figures": 5,
        "unchanged_figures": 1_195,
        "gone_figures": 7,
    }
    for entry in content["releases"]:
        assert (made_site / "releases" / entry["page"]).is_file()
        assert (made_site / "releases" / entry["summary"]).is_file()


def test_counts_are_told_table_by_table(made_site: Path) -> None:
    page = Page(made_site / f"{ADULTS}.html")
    assert page.tables["counts"][1:] == [
        ["Local adult reoffending", "April to June 2020", "60", "30", "1", "29", "0"],
        ["Proven reoffending", "April to June 2020", "310", "20", "1", "289", "10"],
    ]
    assert read(made_site, ADULTS)["totals"]["figures"] == 370


def test_it_is_told_what_figures_are_compared_with(made_site: Path) -> None:
    """A figure with the last release that stated it, whichever that is; only what is gone with one release."""
    release, overview = Page(made_site / f"{THIRD}.html"), Page(made_site / "releases/index.html")
    for page in (release, overview):
        assert (
            "Each figure is compared with the last earlier release of the source that stated the same figure"
            in page.text
        )
    assert "against the last earlier release that held it; where those are several, the newest is named" in release.text
    assert "what is gone is told against the last earlier release that held the same published table" in overview.text
    assert release.tables["counts"][0][:3] == ["Table", "Release before it, for what is gone", "Figures"]
    assert "against the release before" not in release.text
    assert "before it that stated figures of the same table" not in overview.text


def test_figures_may_be_compared_with_other_releases_than_the_one_before(
    write_pages: WriteSite, tmp_path: Path
) -> None:
    """The release before that is named held the table; one revised figure was last stated by an older one."""
    rows = [
        revision(NEXT, MARCH_1, 1_000, 1_100, **FORCE, **ROBBERY),
        revision(NEXT, MARCH_2, 500, 450, **KENT, **ROBBERY),
    ]
    site = write_pages(tmp_path / "site", revisions=rows)
    found = read(site, THIRD)
    assert found["tables"][0]["previous_release_id"] == MARCH_2
    assert [line["previous_release_id"] for line in found["largest_by_count"]] == [MARCH_1, MARCH_2]
    [counts] = Page(site / f"{THIRD}.html").tables["counts"][1:]
    assert counts[1] == "Year ending March 2018, release 2"


def test_the_first_release_has_none_before_it(made_site: Path) -> None:
    page = Page(made_site / f"{FIRST}.html")
    assert page.tables["counts"][1] == [
        "Recorded crime",
        "none that held the same tables",
        "1,200",
        "1,200",
        "0",
        "0",
        "0",
    ]
    assert "No figure was revised." in page.text
    assert read(made_site, FIRST)["tables"][0]["previous_release_id"] is None


def test_figures_that_lost_or_gained_a_number_are_counted(made_site: Path) -> None:
    [table] = read(made_site, THIRD)["tables"]
    assert (table["lost_number"], table["gained_number"]) == (1, 1)
    assert "Of the revised figures 1 lost its number" in Page(made_site / f"{THIRD}.html").text


def test_the_largest_by_percentage_and_by_count(made_site: Path) -> None:
    page = Page(made_site / f"{THIRD}.html")
    homicide = ["Kent police force", "Homicide", "year to 31 March 2018", "2", "3", "+1", "+50%"]
    robbery = ["West Midlands police force", "Robbery", "year to 31 March 2018", "1,000", "1,100", "+100", "+10%"]
    total = [
        "West Midlands police force",
        "Total recorded crime (excluding fraud)",
        "year to 31 March 2018",
        "212,842",
        "200,000",
        "−12,842",
        "−6.03%",
    ]
    assert page.tables["largest-percent"][1:] == [homicide, robbery, total]
    assert page.tables["largest-count"][1:] == [total, robbery, homicide]
    assert "largest-points" not in page.tables
    found = read(made_site, THIRD)
    assert [line["offence_id"] for line in found["largest_by_percent"]] == [
        "homicide",
        "robbery",
        "total_excluding_fraud",
    ]
    assert found["largest_by_count"][0]["revised_by"] == -12_842
    assert "5 figures were revised." in page.text
    assert f"justice-etl revisions --release {NEXT}" in page.text


def test_percentages_stand_apart_from_counts(made_site: Path) -> None:
    page = Page(made_site / f"{ADULTS}.html")
    assert page.tables["largest-points"][1:] == [
        [
            "Dudley upper-tier authority",
            "actual reoffending rate, local adult reoffending",
            "year to 31 March 2018",
            "9.5%",
            "9.1%",
            "−0.4 points",
        ]
    ]
    [reoffenders] = page.tables["largest-count"][1:]
    assert reoffenders[1] == "reoffenders, adults, three-month cohorts"
    assert [line["figure"] for line in read(made_site, ADULTS)["largest_by_percent"]] == ["reoffenders"]


def test_a_list_holds_the_largest_only(write_pages: WriteSite, tmp_path: Path) -> None:
    """30 revisions by 1 to 30: those by 11 and more are among the 20 largest."""
    rows = [
        revision(NEXT, MARCH_2, 1_000, 1_000 + by, **FORCE | {"area_code": f"E23{by:06}"}, **ROBBERY)
        for by in range(1, 31)
    ]
    found = read(write_pages(tmp_path / "site", revisions=rows), THIRD)
    assert [line["revised_by"] for line in found["largest_by_count"]] == list(range(30, 10, -1))
    assert len(found["largest_by_percent"]) == SHOWN == 20


def test_lines_of_one_size_have_an_order(write_pages: WriteSite, tmp_path: Path) -> None:
    rows = [revision(NEXT, MARCH_2, 10, after, **area, **ROBBERY) for area, after in ((KENT, 9), (FORCE, 11))]
    found = read(write_pages(tmp_path / "site", revisions=rows), THIRD)
    assert [line["area_name"] for line in found["largest_by_count"]] == ["West Midlands", "Kent"]


def test_only_numbers_that_were_lost(write_pages: WriteSite, tmp_path: Path) -> None:
    rows = [revision(NEXT, MARCH_2, 500, None, marker="[c]", **KENT, **ROBBERY)]
    text = Page(write_pages(tmp_path / "site", revisions=rows) / f"{THIRD}.html").text
    assert "No number became another one." in text
    assert (
        "Of the revised figures 1 lost its number (a marker such as [c] stands in its place) and 0 gained one." in text
    )


# --- States


def test_a_withdrawn_release_says_since_when_and_that_its_figures_are_kept(made_site: Path) -> None:
    """Half past midnight in London on 4 May is half past eleven of 3 May in UTC."""
    page = Page(made_site / f"{SECOND}.html")
    assert "Withdrawn. Its publisher withdrew it on 4 May 2021." in page.text
    assert "its figures are kept" in page.text
    found = read(made_site, SECOND)
    assert (found["state"], found["withdrawn_at"], found["withdrawn_on"]) == (
        "withdrawn",
        "2021-05-03T23:30:00Z",
        "2021-05-04",
    )
    assert "publisher withdrew it on 4 May 2021" in found["state_explained"]
    assert found["tables"][0]["figures"] == 1_200


def test_a_replaced_release_leads_to_the_one_in_its_place(made_site: Path) -> None:
    page = Page(made_site / f"{FIRST}.html")
    assert "Replaced. Its publisher replaced it by a later release of the same edition." in page.text
    assert {"href": "year-ending-march-2018-2.html"} in page.named("a")
    found = read(made_site, FIRST)
    assert (found["state"], found["superseded_by"]) == ("superseded", MARCH_2)
    assert read(made_site, SECOND)["superseded_by"] is None


def test_a_release_that_stands_says_so(made_site: Path) -> None:
    """What its publisher did is not known of every release: one may be landed by hand."""
    said = "No replacement and no withdrawal of it is known here."
    text = Page(made_site / f"{THIRD}.html").text
    assert f"Current. {said}" in text
    assert "neither replaced nor withdrawn" not in text
    found = read(made_site, THIRD)
    assert (found["state_explained"], found["withdrawn_at"]) == (said, None)


def test_releases_of_one_edition_are_told_apart(made_site: Path) -> None:
    rows = Page(made_site / "releases/index.html").tables["all-releases"]
    assert [row[0].partition(" Police")[0] for row in rows[4:6]] == [
        "Year ending March 2018, release 2",
        "Year ending March 2018",
    ]
    assert rows[4][2:] == ["Withdrawn", "1,200", "0", "1", "1,199", "0"]
    assert [row[2] for row in rows[1:]] == ["Current", "Current", "Current", "Withdrawn", "Replaced", "Current"]


def test_revised_and_gone_are_explained(made_site: Path) -> None:
    for path in ("releases/index.html", f"{THIRD}.html"):
        text = Page(made_site / path).text
        assert "A revision is not an error" in text
        assert "The earlier figure is kept." in text
