"""ons.gov.uk: editions, corrections in place, and the dates of a London summer."""

from __future__ import annotations

from datetime import date

import pytest

from etl.release_calendar import read_calendar
from etl.sources.places import OnsPlace, Wanted
from tests.publishers.support import ONS, PAGE, Publishers, edition_page, landing_page, table

MARCH = f"{PAGE}/yearendingmarch2026"
JUNE = f"{PAGE}/yearendingjune2026"
SOURCE = "recorded_crime_ons"
PLACE = OnsPlace(publisher="ons", pages=[PAGE], files=[Wanted(table="tables", title=r"\.csv$")])


def put_file(publishers: Publishers, uri: str, name: str, number: int) -> None:
    publishers.archive.put(f"{ONS}/file?uri={uri}/{name}", table(number))


@pytest.fixture
def ons(publishers: Publishers) -> Publishers:
    """Two editions, put out on 18 July and 22 October 2026 (ONS writes midnight of a London summer in UTC)."""
    publishers.declare(PLACE, source=SOURCE)
    publishers.put(landing_page(JUNE, MARCH, released="2026-10-21T23:00:00.000Z", following="28 January 2027"))
    publishers.put(edition_page(MARCH, "Year ending March 2026", "2026-07-17T23:00:00.000Z", "march.csv"))
    publishers.put(edition_page(JUNE, "Year ending June 2026", None, "june.csv"))
    put_file(publishers, MARCH, "march.csv", 1)
    put_file(publishers, JUNE, "june.csv", 2)
    return publishers


BOTH = [
    ("year-ending-june-2026@1", "2026-10-21T23:00:00+00:00", "current", [table(2)]),
    ("year-ending-march-2026@1", "2026-07-17T23:00:00+00:00", "current", [table(1)]),
]


def test_every_edition_is_landed_with_its_day(ons: Publishers) -> None:
    assert ons.night().states == ["new", "new"]
    assert ons.releases == BOTH
    night = ons.night()
    assert night.states == ["unchanged", "unchanged"]
    assert all(asked.is_conditional for asked in night.asked)


def correct(publishers: Publishers, *, number: int = 1) -> None:
    """ONS corrects March in place, as many times; what it had moves to /previous/vN."""
    versions = tuple(
        {
            "uri": f"{MARCH}/previous/v{n}",
            "updateDate": f"2026-08-{n:02}T08:30:00.000Z",
            "correctionNotice": f"Correction {n}: a force was missing.",
        }
        for n in range(1, number + 1)
    )
    for n in range(1, number + 1):
        own = f"{MARCH}/previous/v{n}"
        publishers.put(edition_page(own, "Year ending March 2026", "2026-07-17T23:00:00.000Z", "march.csv"))
        put_file(publishers, own, "march.csv", 1 if n == 1 else 10 + n - 1)
    page = edition_page(MARCH, "Year ending March 2026", "2026-07-17T23:00:00.000Z", "march.csv", versions=versions)
    publishers.put(page)
    put_file(publishers, MARCH, "march.csv", 10 + number)


CORRECTED_TWICE = [
    ("year-ending-march-2026@1", "2026-07-17T23:00:00+00:00", "superseded", [table(1)]),
    ("year-ending-march-2026@2", "2026-08-01T08:30:00+00:00", "superseded", [table(11)]),
    ("year-ending-march-2026@3", "2026-08-02T08:30:00+00:00", "current", [table(12)]),
]


def test_a_correction_seen_the_first_time_lands_what_it_replaced_too(ons: Publishers) -> None:
    correct(ons, number=2)
    night = ons.night()
    assert sorted(night.states) == ["new", "new", "superseded", "superseded"]
    assert ons.releases[1:] == CORRECTED_TWICE
    assert "Correction 2: a force was missing." in night.whys
    assert ons.night().states == ["unchanged", "unchanged"]  # what was replaced is not asked for again


def test_corrections_seen_as_they_come_make_the_same_releases(ons: Publishers) -> None:
    ons.night()
    assert ons.releases == BOTH
    correct(ons)
    assert sorted(ons.night().states) == ["revised", "superseded", "unchanged"]
    correct(ons, number=2)
    assert sorted(ons.night().states) == ["revised", "superseded", "unchanged"]
    assert ons.releases[1:] == CORRECTED_TWICE


def test_an_upload_says_no_more_than_the_page(ons: Publishers) -> None:
    """Whether ONS gives a Last-Modified is not known; one of last night must not date an edition of July."""
    for uri, name, number in ((MARCH, "march.csv", 1), (JUNE, "june.csv", 2)):
        ons.archive.put(f"{ONS}/file?uri={uri}/{name}", table(number), modified="2026-11-22T01:00:00+00:00")
    ons.night()
    assert ons.releases == BOTH
    correct(ons)
    ons.archive.put(f"{ONS}/file?uri={MARCH}/march.csv", table(11), modified="2026-11-23T01:00:00+00:00")
    ons.night()
    assert [release[1] for release in ons.releases[1:]] == ["2026-07-17T23:00:00+00:00", "2026-08-01T08:30:00+00:00"]
    # A swap of which the page says nothing goes by its upload.
    ons.archive.put(f"{ONS}/file?uri={MARCH}/march.csv", table(99), modified="2026-11-24T01:00:00+00:00")
    ons.night()
    assert ons.releases[-1][1] == "2026-11-24T01:00:00+00:00"


def test_a_version_without_a_date_was_put_out_before_it_was_replaced(ons: Publishers) -> None:
    correct(ons)
    ons.put(edition_page(f"{MARCH}/previous/v1", "Year ending March 2026", None, "march.csv"))
    ons.night()
    assert [release[1] for release in ons.releases[1:]] == ["2026-08-01T08:29:59+00:00", "2026-08-01T08:30:00+00:00"]


def test_an_edition_that_is_gone_is_withdrawn(ons: Publishers) -> None:
    ons.night()
    ons.archive.answer(f"{ONS}{MARCH}/data", 404)
    assert ons.night().states == ["unchanged", "withdrawn"]
    assert [release[2] for release in ons.releases] == ["current", "withdrawn"]


def test_a_page_that_moved(ons: Publishers) -> None:
    ons.declare(PLACE.model_copy(update={"pages": ["/new", PAGE]}), source=SOURCE)
    assert ons.night().states == ["new", "new"]
    ons.declare(PLACE.model_copy(update={"pages": ["/new"]}), source=SOURCE)
    night = ons.night()
    assert night.states == ["refused"]
    assert "/new answers 404" in night.whys


def test_html_with_200_stops_one_edition_and_no_other(ons: Publishers) -> None:
    ons.archive.put(f"{ONS}{MARCH}/data", b"<!doctype html><p>Sorry</p>")
    night = ons.night()
    assert sorted(night.states) == ["new", "refused"]
    assert "'<!doctype html><p>Sorry</p>' where an object of JSON was expected" in night.whys


def test_an_edition_without_a_name_goes_by_its_address(publishers: Publishers) -> None:
    publishers.declare(PLACE, source=SOURCE)
    publishers.put(landing_page(f"{PAGE}/current"))
    page = edition_page(f"{PAGE}/current", "", None, "all.csv")
    publishers.put(page)
    put_file(publishers, f"{PAGE}/current", "all.csv", 1)
    publishers.night()
    assert [release[:2] for release in publishers.releases] == [("current@1", "2026-07-22T23:00:00+00:00")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22 October 2026", ("announced", "2026-10-22T00:00:00+01:00")),
        ("October 2026", ("announced", "2026-10-31T00:00:00+00:00")),
        ("To be announced", ("announced", None)),
        ("Discontinued", None),
    ],
)
def test_the_next_release(ons: Publishers, text: str, expected: tuple[str, str | None] | None) -> None:
    ons.put(landing_page(JUNE, MARCH, following=text))
    ons.night()
    found = [(entry.status, entry.expected_at) for entry in read_calendar(ons.home)]
    assert found == ([expected] if expected else [])


def test_the_next_release_appears(ons: Publishers) -> None:
    ons.put(landing_page(MARCH, released="2026-07-17T23:00:00.000Z", following="October 2026"))
    ons.night()
    ons.put(landing_page(MARCH, released="2026-07-17T23:00:00.000Z", following="22 October 2026"))
    ons.night()
    (entry,) = read_calendar(ons.home)
    assert (entry.title, entry.text) == ("Police force area tables, the one after 2026-07-18", "22 October 2026")
    ons.put(landing_page(JUNE, MARCH, released="2026-10-21T23:00:00.000Z", following="28 January 2027"))
    ons.night()
    assert [(entry.status, entry.text) for entry in read_calendar(ons.home)] == [
        ("published", "22 October 2026"),
        ("announced", "28 January 2027"),
    ]


def test_a_page_that_does_not_answer_says_nothing_of_what_is_to_come(ons: Publishers, slept: list[float]) -> None:
    ons.night()
    before = read_calendar(ons.home)
    ons.archive.answer(f"{ONS}{PAGE}/data", 503)
    assert ons.night().states == ["unreachable"]
    assert read_calendar(ons.home) == before


def test_a_page_in_which_only_noise_was_new_comes_back_as_it_was_seen_last(publishers: Publishers) -> None:
    """The day of release is no change by itself, but the calendar goes by it: a 304 stands for the newest body."""
    publishers.declare(PLACE, source=SOURCE)
    publishers.put(edition_page(MARCH, "Year ending March 2026", "2026-07-17T23:00:00.000Z", "march.csv"))
    put_file(publishers, MARCH, "march.csv", 1)
    publishers.put(landing_page(MARCH, released="2026-07-17T23:00:00.000Z", following="To be announced"))
    publishers.night()
    publishers.put(landing_page(MARCH, released="2026-10-21T23:00:00.000Z", following="To be announced"))
    publishers.night()
    entries = read_calendar(publishers.home)
    assert [entry.status for entry in entries] == ["published", "announced"]
    pages = sorted((publishers.home / "landing" / "pages").iterdir())
    assert len(pages) == 2  # what was noise does not pile up
    night = publishers.night()
    assert [asked.status for asked in night.asked] == [304] * 3
    assert read_calendar(publishers.home) == entries
    assert [seen.state for seen in publishers.observed("page")] == ["new"] * 2 + ["unchanged"] * 4


def test_a_download_with_a_title_is_found_by_its_name(ons: Publishers) -> None:
    page = edition_page(JUNE, "Year ending June 2026", None)
    ons.put(page | {"downloads": [{"file": "june.csv", "title": "Police force area data tables"}]})
    assert ons.night().states == ["new", "new"]
    assert ons.releases == BOTH


def test_older_editions_are_left_alone_unless_they_are_landed(ons: Publishers) -> None:
    assert ons.night(since=date(2026, 7, 19)).states == ["new"]
    assert ons.releases == BOTH[:1]
    assert ons.night(since=date(2026, 7, 18)).states == ["new", "unchanged"]
    assert ons.releases == BOTH
    put_file(ons, MARCH, "march.csv", 9)
    assert ons.night(since=date(2026, 7, 19)).states == ["revised", "unchanged"]
