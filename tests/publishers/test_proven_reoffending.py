"""The collection of proven reoffending: which publications are editions, and which of their files are tables.

The collection is the recorded one; what its publications hold is made up, after the titles that are known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from etl.landing import list_releases, slug
from etl.publishers import ListedFile, choose_files
from etl.release_calendar import read_calendar
from etl.sources import load_source
from etl.sources.places import GovUkPlace
from tests.publishers.support import SEARCH, SITE, Json, Publishers, asset, attachment, collection, item, table

SOURCE = "proven_reoffending"
FOLDER = "/government/statistics/"
BUNDLE = "proven-reoffending-earlier-editions"
NEWEST = "proven-reoffending-statistics-october-to-december-2022"
TOOLS = ("Geographic data tool", "Overall data tool", "CSV format of data tools")
PROSE = ("Proven reoffending statistics bulletin", "Guide to proven reoffending statistics", "Pre-release access list")
FOR_READING = ("Proven reoffending tables (3 monthly), October to December 2022", "Annual average tables")


def place() -> GovUkPlace:
    (declared,) = load_source(SOURCE).places
    assert isinstance(declared, GovUkPlace)
    return declared


def choose(*titles: str) -> tuple[list[tuple[str, str, str]], list[str], list[str]]:
    """Titles of the files that are taken with their table and key, those that no rule knows, and what is wrong."""
    listed = [ListedFile(asset(f"{number}.zip", number), f"{number}.zip", title) for number, title in enumerate(titles)]
    choice = choose_files(listed, place().files, place().ignore_files, "the page")
    taken = [(file.title, file.table, file.key) for file in choice.files]
    return taken, choice.unknown, [str(problem.error) for problem in choice.problems]


# --- which files are tables ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Geographic data tool", "geographic"),
        ("Proven reoffending geographical data tool: April 2009 to March 2021", "geographic"),
        ("Geographical_data_tool_Apr09_Mar21.xlsx", "geographic"),  # what counts where an attachment has no title
        ("Overall data tool", "overall"),
        ("PRSQ_overall_data_tool_apr12_mar24.xlsx", "overall"),
        ("CSV format of data tools", "csv"),
        ("Proven reoffending tables in CSV format", "csv"),
        ("Geographic data tool (CSV)", "csv"),
        ("PRSQ_CSV_format_of_data_tools.zip", "csv"),
    ],
)
def test_titles_of_tables(title: str, wanted: str) -> None:
    assert choose(title) == ([(title, wanted, "")], [], [])


@pytest.mark.parametrize(
    "title",
    [
        *PROSE,
        *FOR_READING,
        "proven-reoffending_jan24_mar24_3_monthly.ods",
        "Proven reoffending statistics quarterly: January to December 2014",
        "Definitions and measurement",
        "Index disposal data tool",
        "Prison and probation data tool",
        "Youth custody data tool",
    ],
)
def test_titles_of_what_is_not_carried(title: str) -> None:
    assert choose(title, "Overall data tool") == ([("Overall data tool", "overall", "")], [], [])


@pytest.mark.parametrize("title", ["Data by court", "Ward level data tool", "Overview data tool", "Annex A"])
def test_a_title_that_nobody_knows_is_reported(title: str) -> None:
    assert choose(title, "Overall data tool") == ([("Overall data tool", "overall", "")], [title], [])


def test_an_edition_may_lack_any_table() -> None:
    assert choose(*PROSE) == ([], [], [])


def test_earlier_editions_are_told_apart_by_the_cohort_in_the_title() -> None:
    titles = [
        "Proven re-offending, January to December 2009: CSV",
        "CSV: April 2009 to March 2010",
        "Proven re-offending csvs, Jul 2009-Jun 2010",
        "October 2009 – September 2010 CSVs",
    ]
    taken, unknown, problems = choose(*titles)
    assert (unknown, problems) == ([], [])
    assert {title: key for title, _, key in taken} == {
        titles[0]: "january to december 2009",
        titles[1]: "april 2009 to march 2010",
        titles[2]: "jul 2009-jun 2010",
        titles[3]: "october 2009 – september 2010",
    }


def test_two_files_of_one_table_are_a_problem_that_names_both() -> None:
    taken, unknown, problems = choose("Overall data tool", "Overall data tool (corrected)", "CSV format of data tools")
    assert (taken, unknown) == ([("CSV format of data tools", "csv", "")], [])
    (problem,) = problems
    assert "the page: several files could be the table 'overall'" in problem
    assert "'Overall data tool', 'Overall data tool (corrected)'" in problem
    assert "source.yml" in problem
    same = ("CSVs, January to December 2009", "CSVs, January to December 2009, part 2")
    assert "several files could be the table 'csv'" in choose(*same)[2][0]


# --- the recorded collection ---------------------------------------------------------------------------


@pytest.fixture
def recorded(publications: Path) -> Json:
    path = publications / "gov-uk-api" / "govuk_content_api__collections__proven-reoffending-statistics.json"
    content: Json = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def govuk(publishers: Publishers) -> Publishers:
    """A replica of GOV.UK that is asked for this source where it is declared to be."""
    publishers.source = SOURCE
    return publishers


def put_publication(govuk: Publishers, link: Json, titles: list[str], first: int) -> int:
    """Let a linked publication answer with a page of HTML and one file for each title; → the next free number."""
    html = {"attachment_type": "html", "id": "1", "url": f"{link['base_path']}/bulletin", "title": link["title"]}
    files = []
    for number, title in enumerate(titles, start=first):
        url = asset(f"{number}.csv", number)
        files.append(attachment(url, title))
        govuk.archive.put(url, table(number), modified="2013-01-01T09:00:00+00:00")
    more = {name: link[name] for name in ("content_id", "public_updated_at")}
    govuk.put(item(link["base_path"], link["title"], html, *files, **more))
    return first + len(titles)


def put_collection(govuk: Publishers, content: Json, own: dict[str, list[str]], *rest: str) -> None:
    """Let a collection answer; `own` are titles of files by the last part of a path, `rest` those of all others."""
    number = 1
    for link in content["links"]["documents"]:
        titles = own.get(link["base_path"].removeprefix(FOLDER), [*rest])
        number = put_publication(govuk, link, titles, number)
    govuk.put(content)


def slugs(content: Json) -> set[str]:
    """The last parts of the paths that a collection links, but for the publication that is no edition."""
    paths = {str(link["base_path"]) for link in content["links"]["documents"]}
    return {path.removeprefix(FOLDER) for path in paths} - {"serious-further-offences"}


@pytest.mark.real
def test_the_declared_place_is_the_recorded_collection(recorded: Json) -> None:
    assert place().name == "https://www.gov.uk/government/collections/proven-reoffending-statistics"
    assert place().paths == [recorded["base_path"]]
    assert place().content_ids == [recorded["content_id"]]
    assert all(wanted.optional for wanted in place().files)
    assert {table.table_id for table in load_source(SOURCE).tables} >= {"geographic", "overall"}


@pytest.mark.real
def test_every_edition_is_listed_under_the_slug_that_it_has(govuk: Publishers, recorded: Json) -> None:
    put_collection(govuk, recorded, {}, *TOOLS, *PROSE, *FOR_READING)
    night = govuk.night()
    assert night.states == ["new"] * 3 * 44
    assert night.listing.problems == []
    assert {edition.page for edition in night.listing.editions} == {f"{SITE}{FOLDER}{name}" for name in slugs(recorded)}
    assert {"proven-re-offending--2", BUNDLE, NEWEST} < slugs(recorded)
    # Cohorts that were never published (October to December 2017, April to June 2018, …) are no trouble. Two ids are
    # listed without a page.
    (unknown,) = night.listing.unknown
    assert "2 of 47 documents are listed without a page" in unknown
    releases = list_releases(govuk.home)
    titles = {link["title"] for link in recorded["links"]["documents"]} - {"Serious Further Offences"}
    assert {release.edition for release in releases} == {slug(title) for title in titles}
    assert {len(release.records) for release in releases} == {3}
    assert not any("serious-further-offences" in asked.url for asked in night.asked)
    assert govuk.night().states == ["unchanged"] * 3 * 44


@pytest.mark.real
def test_editions_without_tables_are_listed_and_hold_nothing(govuk: Publishers, recorded: Json) -> None:
    put_collection(govuk, recorded, {NEWEST: [*TOOLS, *PROSE]}, *PROSE)
    night = govuk.night()
    assert (night.states, night.listing.problems, len(night.listing.editions)) == (["new"] * 3, [], 44)
    assert len(night.listing.unknown) == 1
    assert [release.edition for release in list_releases(govuk.home)] == [NEWEST]


@pytest.mark.real
def test_the_bundle_of_earlier_editions_is_one_release_with_several_files(govuk: Publishers, recorded: Json) -> None:
    bundled = [f"CSV: {cohort}" for cohort in ("January to December 2009", "April 2009 to March 2010")]
    put_collection(govuk, recorded, {BUNDLE: [*bundled, "Proven re-offending tables, 2009"]})
    night = govuk.night()
    assert (night.states, night.listing.problems) == (["new", "new"], [])
    (release,) = list_releases(govuk.home)
    assert release.edition == "proven-re-offending-statistics-january-2009-march-2011"
    assert len(release.records) == 2
    assert sorted(outcome.filename for outcome in night.outcomes) == ["1.csv", "2.csv"]
    assert sorted(govuk.releases[0][3]) == [table(1), table(2)]


@pytest.mark.real
def test_what_is_in_doubt_is_said_and_keeps_nothing_else_out(govuk: Publishers, recorded: Json) -> None:
    titles = ["Overall data tool", "Overall data tool, revised", "CSV format of data tools", "Ward level data"]
    put_collection(govuk, recorded, {NEWEST: titles}, "CSV format of data tools")
    night = govuk.night()
    assert sorted(night.states) == ["new"] * 44 + ["refused"]
    assert f"{SITE}{FOLDER}{NEWEST}: several files could be the table 'overall'" in night.whys
    assert "'Overall data tool', 'Overall data tool, revised'" in night.whys
    (unknown,) = [text for text in night.listing.unknown if "Ward level data" in text]
    assert unknown.startswith("Proven reoffending statistics: October to December 2022: 'Ward level data': ")
    assert unknown.endswith("add to `ignore_files`: - {match: '^ward level data$', why: '?'}")
    assert len(list_releases(govuk.home)) == 44
    assert [outcome.is_news for outcome in govuk.night().outcomes if outcome.state == "refused"] == [False]


@pytest.mark.real
def test_a_cancelled_edition_is_no_problem(govuk: Publishers, recorded: Json) -> None:
    put_collection(govuk, recorded, {}, *PROSE)
    announced = {
        "link": "/government/statistics/announcements/proven-reoffending-statistics-april-to-june-2018",
        "title": "Proven reoffending statistics: April to June 2018",
        "release_timestamp": "2020-04-30T08:30:00+00:00",
        "statistics_announcement_state": "cancelled",
        "metadata": {"display_date": "30 April 2020 9:30am"},
    }
    other = announced | {"link": "/government/statistics/announcements/prisons", "title": "Prison population"}
    govuk.archive.put(SEARCH, json.dumps({"results": [announced, other]}).encode())
    night = govuk.night()
    assert (night.outcomes, night.listing.problems) == ([], [])
    assert [(entry.title, entry.status) for entry in read_calendar(govuk.home)] == [(announced["title"], "cancelled")]


def test_another_document_at_the_path_is_refused(govuk: Publishers) -> None:
    edition: dict[str, Any] = item(f"{FOLDER}{NEWEST}", "Proven reoffending statistics: October to December 2022")
    govuk.put(edition)
    govuk.put(collection(place().paths[0], edition))
    night = govuk.night()
    assert night.states == ["refused"]
    assert "is now 'A collection'" in night.whys
