"""The Content API: what a page is, where it went, what it lists, and whether it stands."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from etl.landing import list_releases, slug
from etl.publishers import ListedFile, choose_files
from etl.publishers.govuk import london_day
from etl.sources import load_source
from etl.sources.places import GovUkPlace, Rule, Wanted
from tests.publishers.support import (
    API,
    SITE,
    SOURCE,
    Publishers,
    asset,
    attachment,
    collection,
    item,
    redirect_item,
    table,
)

PATH = "/government/statistics/one"
OTHER = "/government/statistics/two"
LIST = "/government/collections/all"
TABLES = [Wanted(table="all", title="tables")]
ONE_PAGE = GovUkPlace(publisher="govuk", paths=[PATH], files=TABLES)
COLLECTION = GovUkPlace(publisher="govuk", paths=[LIST], files=TABLES)
RELEASED = "2024-01-25T09:30:00+00:00"


def put_edition(publishers: Publishers, path: str, number: int, title: str, **more: Any) -> dict[str, Any]:
    """A publication with one file, `number`, uploaded the day before."""
    url = asset(f"{number}.csv", number)
    content = item(path, title, attachment(url), **more)
    publishers.put(content)
    publishers.archive.put(url, table(number), modified="2024-01-24T16:00:00+00:00")
    return content


@pytest.fixture
def two(publishers: Publishers) -> Publishers:
    """A collection of two publications, both landed last night."""
    publishers.declare(COLLECTION)
    first = put_edition(publishers, PATH, 1, "Edition one")
    second = put_edition(publishers, OTHER, 2, "Edition two")
    publishers.put(collection(LIST, second, first))
    assert publishers.night().states == ["new", "new"]
    return publishers


def states(publishers: Publishers) -> dict[str, str]:
    return {release.edition: release.state for release in list_releases(publishers.home)}


# --- where a page went -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "landed_from"),
    [
        (redirect_item(PATH, OTHER), OTHER),
        (redirect_item(PATH, f"{SITE}{OTHER}?tab=1#data"), OTHER),
        (redirect_item("/government/statistics", "/government/figures", "prefix"), "/government/figures/one"),
    ],
)
def test_a_page_that_moved_is_followed(publishers: Publishers, rule: dict[str, Any], landed_from: str) -> None:
    publishers.declare(ONE_PAGE)
    publishers.put(rule | {"base_path": PATH})
    put_edition(publishers, landed_from, 1, "Edition one")
    assert publishers.night().states == ["new"]
    assert publishers.observed()[0].landing_page == f"{SITE}{landed_from}"


def test_a_path_that_is_not_the_base_path_leads_there(publishers: Publishers) -> None:
    publishers.declare(ONE_PAGE)
    publishers.archive.redirect(f"{API}{PATH}", f"/api/content{OTHER}", 303)
    put_edition(publishers, OTHER, 1, "Edition one")
    assert publishers.night().states == ["new"]
    assert publishers.observed("page")[0].redirects == (f"{API}{OTHER}",)


def test_redirect_items_in_a_circle_or_without_end_are_refused(publishers: Publishers) -> None:
    publishers.declare(ONE_PAGE)
    publishers.put(redirect_item(PATH, OTHER))
    publishers.put(redirect_item(OTHER, PATH))
    night = publishers.night()
    assert night.states == ["refused"]
    assert f"has moved too often: {PATH} → {OTHER} → {PATH}" in night.whys
    for hop in range(7):
        publishers.put(redirect_item(f"{PATH}{hop}" if hop else PATH, f"{PATH}{hop + 1}"))
    assert "has moved too often" in publishers.night().whys


def test_five_moves_are_followed(publishers: Publishers) -> None:
    publishers.declare(ONE_PAGE)
    for hop in range(5):
        publishers.put(redirect_item(f"{PATH}{hop}" if hop else PATH, f"{PATH}{hop + 1}"))
    put_edition(publishers, f"{PATH}5", 1, "Edition one")
    assert publishers.night().states == ["new"]


@pytest.mark.parametrize("to", ["https://evil.example/x", "https://10.0.0.1/x"])
def test_a_page_that_moved_away_is_not_followed(publishers: Publishers, to: str) -> None:
    publishers.declare(ONE_PAGE)
    publishers.put(redirect_item(PATH, to))
    night = publishers.night()
    assert night.states == ["refused"]
    assert "where we do not follow" in night.whys
    publishers.archive.redirect(f"{API}{PATH}", to)
    assert "is not among the publishers" in publishers.night().whys


def test_of_all_its_paths_the_first_that_answers_counts(publishers: Publishers) -> None:
    publishers.declare(GovUkPlace(publisher="govuk", paths=[OTHER, PATH], files=TABLES))
    put_edition(publishers, PATH, 1, "Edition one")
    assert publishers.night().states == ["new"]


def test_a_path_that_holds_another_document_now_is_not_it(publishers: Publishers) -> None:
    publishers.declare(ONE_PAGE.model_copy(update={"content_ids": ["the-one"]}))
    put_edition(publishers, PATH, 1, "Something else")
    night = publishers.night()
    assert night.states == ["refused"]
    assert f"{PATH} is now 'Something else' (id-of-{PATH})" in night.whys
    assert "content_ids" in night.whys


@pytest.mark.parametrize(
    ("status", "what"), [(404, f"{PATH} answers 404"), (403, "is not public (403)"), (410, f"{PATH} answers 410")]
)
def test_a_page_that_is_not_there(publishers: Publishers, status: int, what: str) -> None:
    publishers.declare(ONE_PAGE)
    publishers.archive.put(f"{API}{PATH}", b'{"schema_name": "gone"}', status=status)
    night = publishers.night()
    assert night.states == ["refused"]
    assert what in night.whys
    assert publishers.night().news == [False]


def test_a_page_of_html_with_200_is_no_answer_to_build_on(publishers: Publishers) -> None:
    publishers.declare(ONE_PAGE)
    publishers.archive.put(f"{API}{PATH}", b"<html>We are down for maintenance</html>")
    night = publishers.night()
    assert night.states == ["refused"]
    assert "'<html>We are down for maintenance</html>' where an object of JSON was expected" in night.whys


def test_a_shape_that_nobody_knows_ends_no_run(two: Publishers) -> None:
    two.archive.put(f"{API}{PATH}", b'{"schema_name": "publication", "details": {"attachments": [{}]}}')
    night = two.night()
    assert sorted(night.states) == ["refused", "unchanged"]
    assert f"{SITE}{PATH} answered in a shape that is not understood: KeyError" in night.whys


# --- whether it stands -----------------------------------------------------------------------------------


def test_a_page_that_is_gone_withdraws_its_edition(two: Publishers) -> None:
    gone = {"base_path": PATH, "schema_name": "gone", "details": {"explanation": "Published in error."}}
    two.put(gone, status=410)
    night = two.night()
    assert night.states == ["unchanged", "withdrawn"]
    assert "Published in error." in night.whys
    assert states(two) == {"edition-one": "withdrawn", "edition-two": "current"}
    assert len(two.releases) == 2  # nothing is lost
    assert two.night().states == ["unchanged"]  # no news
    put_edition(two, PATH, 1, "Edition one")
    two.night()
    assert states(two) == {"edition-one": "current", "edition-two": "current"}


def test_a_page_that_its_collection_lists_no_longer_is_asked_for_all_the_same(two: Publishers) -> None:
    two.put(collection(LIST, item(OTHER, "Edition two")))
    assert two.night().states == ["unchanged", "unchanged"]
    two.archive.answer(f"{API}{PATH}", 404)
    assert two.night().states == ["unchanged", "withdrawn"]


def test_a_mirror_withdraws_nothing(two: Publishers) -> None:
    gone = {"base_path": PATH, "schema_name": "gone"}
    two.put(gone, status=410, headers={"Fastly-Backend-Name": "mirrorS3"})
    night = two.night()
    assert sorted(night.states) == ["unchanged", "unreachable"]
    assert "was answered by a mirror (mirrorS3) with 410" in night.whys
    assert states(two) == {"edition-one": "current", "edition-two": "current"}


def test_an_old_listing_of_a_mirror_is_not_believed(two: Publishers) -> None:
    content = collection(LIST, item(OTHER, "Edition two"))
    two.put(content, headers={"Fastly-Backend-Name": "mirrorS3"})
    night = two.night()
    assert night.states == ["unreachable"]
    assert "otherwise than the last time" in night.whys


def test_a_withdrawn_notice_is_a_state_and_its_figures_stay(two: Publishers) -> None:
    notice = {"explanation": "<p>Superseded.</p>", "withdrawn_at": "2024-06-01T12:00:00+01:00"}
    put_edition(two, PATH, 1, "Edition one", withdrawn_notice=notice)
    night = two.night()
    assert night.states.count("withdrawn") == 1
    assert states(two)["edition-one"] == "withdrawn"
    assert [release[3] for release in two.releases] == [[table(1)], [table(2)]]
    put_edition(two, PATH, 1, "Edition one", withdrawn_notice={})
    two.night()
    assert states(two)["edition-one"] == "current"


# --- what changed ----------------------------------------------------------------------------------------


def test_a_new_etag_is_no_change(two: Publishers) -> None:
    links = {"suggested_ordered_related_items": [{"title": "Something related"}]}
    put_edition(two, PATH, 1, "Edition one", updated_at="2026-01-01T00:00:00Z", links=links)
    assert two.night().states == ["unchanged", "unchanged"]
    last = [seen for seen in two.observed("page") if seen.requested_url == f"{API}{PATH}"][-1]
    assert (last.status, last.state) == (200, "unchanged")
    assert two.night().asked[1].status == 304  # its new validator is known


def test_an_attachment_that_changed_without_a_date(two: Publishers) -> None:
    put_edition(two, PATH, 3, "Edition one")
    assert sorted(two.night().states) == ["revised", "unchanged"]
    last = [seen for seen in two.observed("page") if seen.requested_url == f"{API}{PATH}"][-1]
    assert last.state == "revised"
    assert [release[0] for release in two.releases] == ["edition-one@1", "edition-one@2", "edition-two@1"]


def test_a_title_that_the_publisher_mends_stays_the_same_edition(two: Publishers) -> None:
    put_edition(two, PATH, 1, "Edition 1 (corrected title)")
    assert two.night().states == ["unchanged", "unchanged"]
    put_edition(two, PATH, 4, "Edition 1 (corrected title)")
    two.night()
    assert [release[0] for release in two.releases] == ["edition-one@1", "edition-one@2", "edition-two@1"]


def test_two_editions_of_one_title_are_not_mixed(two: Publishers) -> None:
    third = put_edition(two, "/government/statistics/three", 3, "Edition one")
    two.put(collection(LIST, item(OTHER, "Edition two"), item(PATH, "Edition one"), third))
    night = two.night()
    assert sorted(night.states) == ["refused", "unchanged", "unchanged"]
    assert "two editions are called 'Edition one'" in night.whys


@pytest.mark.parametrize("text", ["2024-07-24T23:00:00Z", "2024-07-25T00:00:00.000+01:00", "2024-07-24T23:00:00+00:00"])
def test_dates_are_london_dates(text: str) -> None:
    assert london_day(text) == date(2024, 7, 25)


# --- what it lists ---------------------------------------------------------------------------------------


def test_only_files_can_be_tables(publishers: Publishers) -> None:
    publishers.declare(ONE_PAGE)
    page = {"attachment_type": "html", "id": "1", "url": f"{PATH}/tables-explained"}
    elsewhere = {"attachment_type": "external", "id": "2", "url": "https://elsewhere.example/tables"}
    bare = {"attachment_type": "file", "id": "3", "url": asset("my%20tables.csv"), "content_type": "application/pdf"}
    publishers.put(item(PATH, "Edition one", page, elsewhere, bare))
    publishers.archive.put(asset("my%20tables.csv"), table(1))
    assert publishers.night().states == ["new"]
    assert publishers.observed()[0].filename == "my tables.csv"


def test_very_old_publications_are_landed_by_hand(publishers: Publishers) -> None:
    publishers.declare(ONE_PAGE)
    content = item(PATH, details={"documents": ["<section>…</section>"]})
    del content["details"]["attachments"]
    publishers.put(content)
    night = publishers.night()
    assert night.states == ["refused"]
    assert "land its files by hand" in night.whys


LISTED = [
    ListedFile("https://x/1", "one.ods", "Tables by area"),
    ListedFile("https://x/2", "two.ods", "Tables by area, alternate"),
    ListedFile("https://x/3", "three.pdf", "Bulletin"),
]


def test_a_table_is_chosen_by_its_title_and_the_rest_is_reported() -> None:
    wanted = [Wanted(table="area", title="tables by AREA", deny=["alternate"])]
    choice = choose_files(LISTED, wanted, [Rule(match="bulletin", why="prose")], "the page")
    assert [(file.url, file.table) for file in choice.files] == [("https://x/1", "area")]
    assert choice.unknown == ["Tables by area, alternate"]
    assert choice.problems == []


def test_none_and_several_matches_are_errors_that_name_titles() -> None:
    wanted = [
        Wanted(table="force", title="by force"),
        Wanted(table="area", title="by area"),
        Wanted(table="text", title="bulletin"),
        Wanted(table="x", title="nothing", optional=True),
    ]
    choice = choose_files(LISTED, wanted, [], "the page")
    assert [file.url for file in choice.files] == ["https://x/3"]  # what is in no doubt is taken
    none, several = [problem.error for problem in choice.problems]
    assert "the page: no file is the table 'force'" in none.what
    assert "'Tables by area', 'Tables by area, alternate', 'Bulletin'" in none.what
    assert "source.yml" in none.next_step
    assert "several files could be the table 'area': 'Tables by area', 'Tables by area, alternate'" in several.what
    assert choice.unknown == []


# Read off the live page on 23 July 2026 by others.
WANTED = [
    "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards",
    "Police recorded crime data by Community Safety Partnership year ending March 2003 to year ending March 2007",
    "Police recorded crime open data Community Safety Partnership tables from year ending March 2008 to year ending "
    "March 2011",
    "Police recorded crime Community Safety Partnership open data tables, from year ending March 2012 to year ending "
    "March 2015",
    "Police recorded crime Community Safety Partnership open data, year ending March 2021 to year ending March 2026",
]
PASSED_OVER = [
    "Outcomes open data, year ending March 2026",
    "Supplementary crime outcomes metrics",
    "Outcomes for alternate offences open data, year ending March 2017 to year ending March 2026",
    "Police recorded crime subcodes for drugs offences, year ending March 2021 to year ending March 2026",
    "Crime outcomes for offences involving firearms in England and Wales open data, April 2024 to March 2026",
    "Crime outcomes for offences involving knives or sharp instruments England and Wales open data, April 2024 to "
    "March 2026",
    "Recorded crime data geographical reference table",
    "Police recorded crime subcodes for selected VAWG offences, from year ending March 2021 to year ending March 2026",
]
DATA_SET = "/government/statistical-data-sets/police-recorded-crime-and-outcomes-open-data-tables"


def data_set(titles: list[str], first: int = 1) -> dict[str, Any]:
    attachments = [attachment(asset(f"{n}.csv", n), title) for n, title in enumerate(titles, start=first)]
    return item(DATA_SET, "Open data tables", *attachments, schema_name="statistical_data_set")


def test_the_tables_of_the_open_data_page_and_no_other(publishers: Publishers) -> None:
    titles = PASSED_OVER[:4] + WANTED + PASSED_OVER[4:]
    publishers.put(data_set(titles))
    for number in range(1, len(titles) + 1):
        publishers.archive.put(asset(f"{number}.csv", number), table(number), modified="2024-01-24T16:00:00Z")
    night = publishers.night()
    assert sorted(outcome.edition for outcome in night.outcomes) == sorted(WANTED)
    assert night.states == ["new"] * 5
    assert night.listing.unknown == []
    assert {release[0] for release in publishers.releases} == {f"{slug(title)}@1" for title in WANTED}


def test_the_next_quarter_takes_the_place_of_the_last(publishers: Publishers) -> None:
    for number in range(1, 6):
        publishers.archive.put(asset(f"{number}.csv", number), table(number), modified="2024-01-24T16:00:00Z")
    publishers.put(data_set([WANTED[0], WANTED[4]]))
    publishers.night()
    june = WANTED[4].replace("March 2026", "June 2026")
    publishers.put(data_set([WANTED[0], june], first=4))
    night = publishers.night()
    assert {outcome.edition: outcome.state for outcome in night.outcomes} == {WANTED[0]: "revised", june: "new"}
    superseded = {seen.requested_url for seen in publishers.observed() if seen.state == "superseded"}
    assert superseded == {asset("1.csv", 1), asset("2.csv", 2)}
    # "onwards" is the same edition again, a new last year is another one
    assert [release[0][-8:] for release in publishers.releases] == ["e-2026@1", "h-2026@1", "nwards@1", "nwards@2"]


def test_two_files_of_one_period_are_both_left_alone(publishers: Publishers) -> None:
    publishers.put(data_set([*WANTED, WANTED[4] + " (xlsx)"]))
    for number in range(1, 7):
        publishers.archive.put(asset(f"{number}.csv", number), table(number), modified="2024-01-24T16:00:00Z")
    night = publishers.night()
    assert sorted(night.states) == ["new"] * 4 + ["refused"]
    assert "several files could be the table 'csp'" in night.whys
    assert len(publishers.releases) == 4


# --- the recorded collections ----------------------------------------------------------------------------


def recorded(publications: Path, name: str) -> dict[str, Any]:
    path = publications / "gov-uk-api" / f"govuk_content_api__collections__{name}.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def put_members(publishers: Publishers, content: dict[str, Any]) -> None:
    """Let every publication that a collection links answer, each with one file."""
    for number, link in enumerate(content["links"]["documents"], start=1):
        more = {name: link[name] for name in ("content_id", "public_updated_at")}
        put_edition(publishers, link["base_path"], number, link["title"], **more)
    publishers.put(content)


@pytest.mark.real
def test_the_recorded_collection_of_47_ids_and_45_expansions(publishers: Publishers, publications: Path) -> None:
    content = recorded(publications, "proven-reoffending-statistics")
    rule = Rule(match="serious-further-offences", why="no cohort")
    publishers.declare(
        GovUkPlace(
            publisher="govuk",
            paths=[content["base_path"]],
            content_ids=["5eb8ee81-7631-11e4-a3cb-005056011aef"],
            files=TABLES,
            ignore_pages=[rule],
        )
    )
    put_members(publishers, content)
    night = publishers.night()
    assert night.states == ["new"] * 44
    assert len(publishers.releases) == 44
    (unknown,) = night.listing.unknown
    assert "2 of 47 documents are listed without a page" in unknown
    assert "5fbe37f0-c681-447d-9836-1d700f470cce" in unknown
    pages = {seen.landing_page for seen in publishers.observed()}
    assert f"{SITE}/government/statistics/proven-re-offending--2" in pages
    assert f"{SITE}/government/statistics/proven-reoffending-earlier-editions" in pages
    assert f"{SITE}/government/statistics/serious-further-offences" not in pages
    again = publishers.night()
    assert again.states == ["unchanged"] * 44
    assert len(again.asked) == 1 + 44 + 44
    assert all(asked.is_conditional and asked.status == 304 for asked in again.asked)


@pytest.mark.real
def test_the_recorded_collection_of_local_adult_reoffending(publishers: Publishers, publications: Path) -> None:
    content = recorded(publications, "local-adult-reoffending")
    publishers.declare(GovUkPlace(publisher="govuk", paths=[content["base_path"]], files=TABLES))
    put_members(publishers, content)
    night = publishers.night()
    assert (night.states, night.listing.unknown) == (["new"] * 6, [])


@pytest.mark.real
def test_since_leaves_older_publications_alone(publishers: Publishers, publications: Path) -> None:
    content = recorded(publications, "proven-reoffending-statistics")
    publishers.declare(GovUkPlace(publisher="govuk", paths=[content["base_path"]], files=TABLES))
    put_members(publishers, content)
    # Published on 25 July 2024 in London, which is 24 July in UTC, and on 31 October 2024.
    assert publishers.night(since=date(2024, 7, 25)).states == ["new"] * 2
    assert publishers.night(since=date(2024, 7, 26)).states == ["unchanged"] * 2  # what is landed is asked for
    assert len(publishers.releases) == 2


def test_the_declared_places_name_their_page() -> None:
    (place,) = load_source(SOURCE).places
    assert place.name == "https://www.gov.uk/government/statistics/police-recorded-crime-open-data-tables"
