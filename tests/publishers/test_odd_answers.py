"""Answers that are odd but happen: none of them may end a run, mix editions, or hide what else was listed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from etl import editions
from etl.errors import WrongUseError
from etl.release_calendar import read_calendar
from etl.sources.places import Announcements, GovUkPlace, OnsPlace, Wanted
from etl.visits import Visit
from tests.publishers.support import (
    API,
    ONS,
    PAGE,
    SEARCH,
    SITE,
    Publishers,
    asset,
    attachment,
    collection,
    edition_page,
    item,
    landing_page,
    redirect_item,
    table,
)
from tests.publishers.test_services import GEOGRAPHY, HEADER, NOMIS, features, first_url, people

PATH = "/government/statistics/one"
OTHER = "/government/statistics/two"
LIST = "/government/collections/all"
TABLES = [Wanted(table="all", title="tables")]
UPLOADED = "2024-01-24T16:00:00+00:00"
MARCH = f"{PAGE}/march2026"
JUNE = f"{PAGE}/june2026"
ONS_PLACE = OnsPlace(publisher="ons", pages=[PAGE], files=[Wanted(table="tables", title=r"\.csv$")])


def put_edition(publishers: Publishers, path: str, number: int, title: str, **more: Any) -> dict[str, Any]:
    """A publication with one file, uploaded the day before."""
    url = asset(f"{number}.csv", number)
    content = item(path, title, attachment(url), **more)
    publishers.put(content)
    publishers.archive.put(url, table(number), modified=UPLOADED)
    return content


@pytest.fixture
def two(publishers: Publishers) -> Publishers:
    """A collection of two publications, both landed last night."""
    publishers.declare(GovUkPlace(publisher="govuk", paths=[LIST], files=TABLES))
    first = put_edition(publishers, PATH, 1, "Edition one")
    second = put_edition(publishers, OTHER, 2, "Edition two")
    publishers.put(collection(LIST, second, first))
    assert publishers.night().states == ["new", "new"]
    return publishers


@pytest.fixture
def ons(publishers: Publishers) -> Publishers:
    """Two editions of ONS."""
    publishers.declare(ONS_PLACE, source="recorded_crime_ons")
    publishers.put(landing_page(JUNE, MARCH, released="2026-10-21T23:00:00.000Z"))
    publishers.put(edition_page(MARCH, "March 2026", "2026-07-17T23:00:00.000Z", "march.csv"))
    publishers.put(edition_page(JUNE, "June 2026", None, "june.csv"))
    publishers.archive.put(f"{ONS}/file?uri={MARCH}/march.csv", table(1))
    publishers.archive.put(f"{ONS}/file?uri={JUNE}/june.csv", table(2))
    return publishers


# --- GOV.UK ----------------------------------------------------------------------------------------------


def test_a_second_edition_of_a_title_never_takes_the_place_of_the_landed_one(two: Publishers) -> None:
    third = put_edition(two, "/government/statistics/three", 3, "Edition one")
    two.put(collection(LIST, third, item(OTHER, "Edition two"), item(PATH, "Edition one")))  # newest first
    night = two.night()
    assert sorted(night.states) == ["refused", "unchanged", "unchanged"]
    assert [release[0] for release in two.releases] == ["edition-one@1", "edition-two@1"]


def test_an_edition_whose_page_moved_is_taken_once(two: Publishers) -> None:
    moved = put_edition(two, "/government/statistics/uno", 1, "Edition one", content_id=f"id-of-{PATH}")
    two.put(redirect_item(PATH, moved["base_path"]))
    two.put(collection(LIST, item(OTHER, "Edition two"), moved))
    assert two.night().states == ["unchanged", "unchanged"]
    assert two.night().states == ["unchanged", "unchanged"]
    assert len(two.releases) == 2


def test_an_edition_that_was_merged_into_another_is_taken_once(two: Publishers) -> None:
    two.put(redirect_item(PATH, OTHER))
    two.put(collection(LIST, item(OTHER, "Edition two")))
    for _ in range(2):
        night = two.night()
        assert night.states == ["unchanged"]
        assert f"{SITE}{PATH} leads to {SITE}{OTHER} now, which is listed too" in night.listing.unknown
    assert [release[2] for release in two.releases] == ["current", "current"]  # nothing is concluded


@pytest.mark.parametrize(
    "more",
    [
        {"updated_at": "soon"},
        {"public_updated_at": "25/01/2024"},
        {"withdrawn_notice": {"explanation": "", "withdrawn_at": "soon"}},
        {"updated_at": "0001-01-01T00:00:00Z"},
        {"first_published_at": "0001-01-01T00:00:00+01:00"},
        {"public_updated_at": "9999-12-31T23:59:59-01:00"},
        {"withdrawn_notice": {"explanation": "", "withdrawn_at": "0001-01-01T00:00:00Z"}},
    ],
)
def test_a_date_that_is_none_stops_one_edition_and_no_other(two: Publishers, more: dict[str, Any]) -> None:
    put_edition(two, PATH, 3, "Edition one", **more)
    night = two.night()
    assert sorted(night.states) == ["refused", "unchanged"]
    assert f"{SITE}{PATH} answered in a shape that is not understood" in night.whys


def test_json_nested_without_end_stops_one_edition_and_no_other(two: Publishers) -> None:
    two.archive.put(f"{API}{PATH}", b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}")
    night = two.night()
    assert sorted(night.states) == ["refused", "unchanged"]
    assert "where an object of JSON was expected" in night.whys


@pytest.mark.parametrize("error", [OverflowError("date"), RecursionError("deep"), WrongUseError("no date")])
def test_an_edition_that_cannot_be_taken_is_an_outcome_of_its_own(two: Publishers, error: Exception) -> None:
    put_edition(two, PATH, 3, "Edition one")
    real = editions.publication_time

    def fail(times: Any, *args: Any) -> str:
        raise error

    with two.monkeypatch.context() as patched:
        patched.setattr(editions, "publication_time", fail)
        night = two.night()
    assert editions.publication_time is real
    assert sorted(night.states) == ["refused", "unchanged"]
    assert f"{SITE}{PATH} answered in a shape that is not understood: {type(error).__name__}" in night.whys
    assert sorted(two.night().states) == ["revised", "unchanged"]


def test_a_link_without_a_page_is_reported_with_the_others(two: Publishers) -> None:
    content = collection(LIST, item(OTHER, "Edition two"), item(PATH, "Edition one"))
    del content["links"]["documents"][1]["base_path"]
    two.put(content)
    night = two.night()
    assert night.states == ["unchanged", "unchanged"]
    assert "1 of 2 documents are listed without a page" in night.listing.unknown[0]


def test_a_listed_page_that_was_never_there_is_reported(two: Publishers) -> None:
    third = item("/government/statistics/three", "Edition three")
    two.put(collection(LIST, third, item(OTHER, "Edition two"), item(PATH, "Edition one")))
    night = two.night()
    assert sorted(night.states) == ["unchanged", "unchanged", "unreachable"]
    assert "/government/statistics/three is listed and not there: the page answers 404" in night.whys
    assert two.night().outcomes[0].is_news is False
    put_edition(two, "/government/statistics/three", 3, "Edition three")
    assert sorted(two.night().states) == ["new", "unchanged", "unchanged"]


@pytest.mark.parametrize("status", [400, 401, 406])
def test_a_status_that_is_no_page_is_named(two: Publishers, status: int) -> None:
    two.archive.put(f"{API}{PATH}", b"<html>Bad request</html>", status=status)
    night = two.night()
    assert sorted(night.states) == ["refused", "unchanged"]
    assert f"{SITE}{PATH} answers {status}" in night.whys


def test_a_notice_without_a_time_withdraws_too(two: Publishers) -> None:
    put_edition(two, PATH, 1, "Edition one", withdrawn_notice={"explanation": "Wrong."})
    two.night()
    assert [release[2] for release in two.releases] == ["withdrawn", "current"]


@pytest.mark.parametrize(("status", "state"), [(404, "unreachable"), (410, "refused")])
def test_a_file_that_cannot_be_had_stays_in_the_release_that_follows(
    publishers: Publishers, status: int, state: str
) -> None:
    wanted = [Wanted(table="a", title="^A$"), Wanted(table="b", title="^B$")]
    publishers.declare(GovUkPlace(publisher="govuk", paths=[PATH], files=wanted))
    first, second = asset("a.csv", 1), asset("b.csv", 2)
    publishers.put(item(PATH, "Edition one", attachment(first, "A"), attachment(second, "B")))
    publishers.archive.put(first, table(1), modified=UPLOADED)
    publishers.archive.put(second, table(2), modified=UPLOADED)
    assert publishers.night().states == ["new", "new"]
    publishers.archive.put(first, table(3), modified="2024-02-08T11:00:00+00:00")
    publishers.archive.answer(second, status)
    assert publishers.night().states == [state, "revised"]
    name, _, state, bodies = publishers.releases[-1]
    assert (name, state) == ("edition-one@2", "current")
    assert sorted(bodies) == [table(2), table(3)]
    publishers.archive.put(second, table(2), modified=UPLOADED)
    assert publishers.night().states == ["unchanged", "unchanged"]
    assert len(publishers.releases) == 2


def test_trouble_that_came_back_is_news_beside_trouble_that_stays(two: Publishers) -> None:
    third = item("/government/statistics/three", "Edition three")  # no tables: refused for good
    two.put(third)
    two.put(collection(LIST, third, item(OTHER, "Edition two"), item(PATH, "Edition one")))
    two.archive.answer(f"{API}{PATH}", 403)
    assert two.night().news.count(True) == 3
    put_edition(two, PATH, 1, "Edition one")
    two.night()
    two.archive.answer(f"{API}{PATH}", 403)
    night = two.night()
    assert [each.is_news for each in night.outcomes if each.url == f"{SITE}{PATH}"] == [True]


def test_pages_that_are_refused_keep_their_provenance(two: Publishers) -> None:
    two.archive.put(f"{API}{PATH}", b"<html>Maintenance</html>", headers={"Content-Type": "text/html", "Age": "7"})
    two.night()
    (seen,) = [seen for seen in two.observed("page") if seen.state == "refused"]
    assert (seen.status, seen.content_type, seen.age_seconds) == (200, "text/html", 7)


def test_pages_of_a_mirror_keep_their_provenance(two: Publishers) -> None:
    content = collection(LIST, item(OTHER, "Edition two"))
    two.put(content, headers={"Fastly-Backend-Name": "mirrorS3"})
    two.night()
    (seen,) = [seen for seen in two.observed("page") if seen.state == "unreachable"]
    assert (seen.status, seen.fastly_backend_name) == (200, "mirrorS3")


def test_a_site_relative_address_of_a_file(publishers: Publishers) -> None:
    publishers.declare(GovUkPlace(publisher="govuk", paths=[PATH], files=TABLES))
    publishers.put(item(PATH, "Edition one", attachment("/government/uploads/1/tables.csv")))
    publishers.archive.put(f"{SITE}/government/uploads/1/tables.csv", table(1))
    assert publishers.night().states == ["new"]


# --- announcements ---------------------------------------------------------------------------------------

LINK = "/government/statistics/announcements/proven-"


@pytest.fixture
def announced(publishers: Publishers) -> Publishers:
    announcements = Announcements(organisation="moj", title="proven")
    place = GovUkPlace(publisher="govuk", paths=[PATH], files=[], announcements=announcements)
    publishers.declare(place)
    publishers.put(item(PATH))
    put_search(publishers, "1", "2")
    publishers.night()
    return publishers


def put_search(publishers: Publishers, *names: str, **more: Any) -> None:
    results = [
        {
            "link": f"{LINK}{name}",
            "title": f"Proven {name}",
            "release_timestamp": "2026-10-29T09:30:00Z",
            "statistics_announcement_state": "confirmed",
        }
        | more
        for name in names
    ]
    publishers.archive.put(SEARCH, json.dumps({"results": results}).encode())


def statuses(publishers: Publishers) -> dict[str, str]:
    return {entry.key.removeprefix(LINK): entry.status for entry in read_calendar(publishers.home)}


def test_an_announcement_that_leads_elsewhere_is_published(announced: Publishers) -> None:
    announced.put(redirect_item(f"{LINK}1", "https://www.ons.gov.uk/releases/x"))
    put_search(announced, "2", "3")
    night = announced.night()
    assert night.states == []
    assert statuses(announced) == {"1": "published", "2": "confirmed", "3": "confirmed"}


def test_an_announcement_that_does_not_answer_hides_no_other(announced: Publishers, slept: list[float]) -> None:
    announced.archive.answer(f"{API}{LINK}1", 503)
    put_search(announced, "2", "3")
    night = announced.night()
    assert night.states == ["unreachable"]
    assert statuses(announced) == {"1": "confirmed", "2": "confirmed", "3": "confirmed"}


def test_an_announcement_whose_time_is_none_has_no_time(announced: Publishers) -> None:
    put_search(announced, "1", "2", "3", release_timestamp="soon")
    assert announced.night().states == []
    late = {
        entry.key.removeprefix(LINK): entry.is_late(datetime(2030, 1, 1, tzinfo=UTC))
        for entry in read_calendar(announced.home)
    }
    assert late == {"1": True, "2": True, "3": False}  # of the first two a time was known


# --- ONS -------------------------------------------------------------------------------------------------


def test_an_unlisted_page_that_does_not_answer_hides_no_other(ons: Publishers, slept: list[float]) -> None:
    ons.night()
    ons.put(landing_page(JUNE, released="2026-10-21T23:00:00.000Z"))
    ons.archive.answer(f"{ONS}{MARCH}/data", 503)
    night = ons.night()
    assert sorted(night.states) == ["unchanged", "unreachable"]
    assert [release[2] for release in ons.releases] == ["current", "current"]


@pytest.mark.parametrize("status", [400, 403])
def test_an_edition_of_ons_that_answers_otherwise(ons: Publishers, status: int) -> None:
    ons.archive.answer(f"{ONS}{MARCH}/data", status)
    night = ons.night()
    assert sorted(night.states) == ["new", "refused"]
    assert f"{ONS}{MARCH} answers {status}" in night.whys


def put_versions(ons: Publishers, *versions: dict[str, Any]) -> None:
    for number, version in enumerate(sorted(versions, key=lambda v: str(v["uri"])), start=1):
        own = version["uri"]
        ons.put(edition_page(own, "March 2026", "2026-07-17T23:00:00.000Z", "march.csv"))
        ons.archive.put(f"{ONS}/file?uri={own}/march.csv", table(10 + number))
    page = edition_page(MARCH, "March 2026", "2026-07-17T23:00:00.000Z", "march.csv", versions=versions)
    ons.put(page)


V1 = {"uri": f"{MARCH}/previous/v1", "updateDate": "2026-08-01T08:30:00.000Z", "correctionNotice": "one"}
V2 = {"uri": f"{MARCH}/previous/v2", "updateDate": "2026-09-01T08:30:00.000Z", "correctionNotice": "two"}
VERSIONS = [
    ("march-2026@1", "2026-07-17T23:00:00+00:00", "superseded", [table(11)]),
    ("march-2026@2", "2026-08-01T08:30:00+00:00", "superseded", [table(12)]),
    ("march-2026@3", "2026-09-01T08:30:00+00:00", "current", [table(1)]),
]


@pytest.mark.parametrize("versions", [(V1, V2), (V2, V1)])
def test_versions_in_either_order(ons: Publishers, versions: tuple[dict[str, Any], ...]) -> None:
    put_versions(ons, *versions)
    ons.night()
    assert ons.releases[1:] == VERSIONS


def test_many_versions_are_ordered_by_number(ons: Publishers) -> None:
    versions = [
        {"uri": f"{MARCH}/previous/v{n}", "updateDate": f"2026-08-{n:02}T08:30:00.000Z", "correctionNotice": ""}
        for n in range(1, 12)
    ]
    for n, version in enumerate(versions, start=1):
        ons.put(edition_page(version["uri"], "March 2026", "2026-07-17T23:00:00.000Z", "march.csv"))
        ons.archive.put(f"{ONS}/file?uri={version['uri']}/march.csv", table(10 + n))
    ons.put(edition_page(MARCH, "March 2026", "2026-07-17T23:00:00.000Z", "march.csv", versions=tuple(versions)))
    ons.night()
    assert [release[3][0] for release in ons.releases[1:]] == [table(10 + n) for n in range(1, 12)] + [table(1)]


def test_a_version_without_a_date_of_its_own(ons: Publishers) -> None:
    undated = {name: value for name, value in V1.items() if name != "updateDate"}
    put_versions(ons, undated, V2)
    ons.night()
    assert [release[1:] for release in ons.releases[1:]] == [
        ("2026-07-17T23:00:00+00:00", "superseded", [table(11)]),
        ("2026-09-01T08:29:59+00:00", "superseded", [table(12)]),
        ("2026-09-01T08:30:00+00:00", "current", [table(1)]),
    ]


def test_a_replaced_file_that_was_copied_later_keeps_its_place(ons: Publishers) -> None:
    put_versions(ons, V1, V2)
    for number, version in enumerate((V1, V2), start=1):
        url = f"{ONS}/file?uri={version['uri']}/march.csv"
        ons.archive.put(url, table(10 + number), modified="2026-09-01T08:31:00+00:00")
    ons.night()
    assert ons.releases[1:] == VERSIONS


@pytest.mark.parametrize("following", ["Discontinued", ""])
def test_the_last_release_appeared_and_none_follows(ons: Publishers, following: str) -> None:
    ons.put(landing_page(MARCH, released="2026-07-17T23:00:00.000Z", following="22 October 2026"))
    ons.night()
    ons.put(landing_page(JUNE, MARCH, released="2026-10-21T23:00:00.000Z", following=following))
    ons.night()
    assert [entry.status for entry in read_calendar(ons.home)] == ["published"]


def test_a_release_that_will_not_come_is_cancelled(ons: Publishers) -> None:
    ons.put(landing_page(MARCH, released="2026-07-17T23:00:00.000Z", following="22 October 2026"))
    ons.night()
    ons.put(landing_page(MARCH, released="2026-07-17T23:00:00.000Z", following="Discontinued"))
    ons.night()
    assert [entry.status for entry in read_calendar(ons.home)] == ["cancelled"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "soon"])
def test_a_date_of_ons_that_is_none_stops_one_edition_and_no_other(ons: Publishers, moment: str) -> None:
    ons.put(edition_page(MARCH, "March 2026", moment, "march.csv"))
    night = ons.night()
    assert sorted(night.states) == ["new", "refused"]
    assert f"{ONS}{MARCH} answered in a shape that is not understood" in night.whys


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00"])
def test_a_dataset_page_of_ons_with_a_date_that_is_none_is_refused(ons: Publishers, moment: str) -> None:
    ons.put(landing_page(JUNE, MARCH, released=moment))
    night = ons.night()
    assert night.states == ["refused"]
    assert "answered in a shape that is not understood" in night.whys


# --- services --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        people(1, 3, 3) + b"2024,E1\n",
        people(1, 3, 3) + b"2024,E1,a,1,3,surplus\n",
        HEADER.encode() + b"\n2024,E1,Bj\xf6rn,1,1\n",
        people(1, 3, 3).replace(b"1002", b"-"),
        people(1, 3, 3).replace(b"1002", b"0.0"),
        HEADER.encode() + b'\n2024,E1,"a,1,1\n',
    ],
)
def test_nomis_lines_that_are_none(publishers: Publishers, body: bytes) -> None:
    publishers.declare(NOMIS, source="population")
    publishers.archive.put(first_url(NOMIS), body)
    assert publishers.night().states == ["refused"]
    assert publishers.releases == []


@pytest.mark.parametrize("body", [b'{"features": [1]}', b'{"features": 3}', b'{"features": {"a": 1}}', b"\xff\xfe{}"])
def test_features_that_are_none(publishers: Publishers, body: bytes) -> None:
    publishers.declare(GEOGRAPHY, source="geography")
    publishers.archive.put(first_url(GEOGRAPHY), body)
    assert publishers.night().states == ["refused"]
    assert publishers.releases == []


def test_a_service_that_gives_the_same_part_again_and_again(publishers: Publishers) -> None:
    publishers.declare(GEOGRAPHY, source="geography")
    publishers.archive.put(f"{first_url(GEOGRAPHY).split('?')[0]}?*", features(1, 2, more=True))
    night = publishers.night()
    assert night.states == ["refused"]
    assert "answered the same rows as the part before it" in night.whys
    assert len(night.asked) == 2
    assert publishers.releases == []


def test_nomis_that_ignores_the_offset(publishers: Publishers) -> None:
    publishers.declare(NOMIS, source="population")
    body = people(1, 25_000, 50_000)
    publishers.archive.put(first_url(NOMIS), body)
    publishers.archive.put(f"{first_url(NOMIS)}&recordOffset=25000", body)
    night = publishers.night()
    assert night.states == ["refused"]
    assert publishers.releases == []


# --- broken off ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["settle", "observe"])
def test_a_run_killed_after_it_landed_a_file(publishers: Publishers, step: str) -> None:
    publishers.declare(GovUkPlace(publisher="govuk", paths=[PATH], files=TABLES))
    put_edition(publishers, PATH, 1, "Edition one")
    real = Visit.observe

    def break_off(visit: Visit, *args: Any, **more: Any) -> None:
        if step == "settle" or args[1] == "file":
            raise KeyboardInterrupt
        real(visit, *args, **more)

    with publishers.monkeypatch.context() as patched:
        patched.setattr(Visit, step, break_off)
        with pytest.raises(KeyboardInterrupt):
            publishers.night()
    landed = publishers.keys
    assert len(landed) == 1
    assert publishers.night().states == ["unchanged"]
    assert publishers.keys == landed
    assert publishers.night().asked[-1].is_conditional
