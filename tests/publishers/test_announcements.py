"""Announcements of GOV.UK: provisional, confirmed, cancelled, and at last the statistics themselves."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from etl.landing import LONDON
from etl.release_calendar import CalendarEntry, read_calendar
from etl.sources.places import Announcements, GovUkPlace, Wanted
from tests.publishers.support import API, SEARCH, SITE, Json, Publishers, item, redirect_item

PATH = "/government/statistics/one"
LINK = "/government/statistics/announcements/proven-reoffending-october-to-december-2024"
ANNOUNCED = Announcements(organisation="ministry-of-justice", title="proven reoffending")
PLACE = GovUkPlace(publisher="govuk", paths=[PATH], files=[Wanted(table="a", title="a", optional=True)])


def announce(state: str = "provisional", day: str = "2026-10-29T09:30:00+00:00", **more: object) -> Json:
    return {
        "link": LINK,
        "title": "Proven reoffending statistics: October to December 2024",
        "release_timestamp": day,
        "statistics_announcement_state": state,
        "metadata": {"display_date": "29 October 2026 9:30am", "confirmed": state == "confirmed"},
    } | more


@pytest.fixture
def govuk(publishers: Publishers) -> Publishers:
    publishers.declare(PLACE.model_copy(update={"announcements": ANNOUNCED}))
    publishers.put(item(PATH))
    return publishers


def entry_after(publishers: Publishers, *results: Json) -> CalendarEntry:
    """The one entry of the calendar after a night on which the search gives these."""
    publishers.archive.put(SEARCH, json.dumps({"results": list(results)}).encode())
    publishers.night()
    (entry,) = read_calendar(publishers.home)
    return entry


def test_from_provisional_to_published(govuk: Publishers) -> None:
    other = announce(link="/government/statistics/announcements/other", title="Prison population")
    entry = entry_after(govuk, announce(), other)
    assert (entry.status, entry.expected_at, entry.text) == (
        "announced",
        "2026-10-29T09:30:00+00:00",
        "29 October 2026 9:30am",
    )
    assert (entry.title, entry.url) == (announce()["title"], f"{SITE}{LINK}")
    assert entry_after(govuk, announce("confirmed", "2026-10-29T09:30:00+00:00")).status == "confirmed"
    govuk.put(redirect_item(LINK, "/government/statistics/proven-reoffending-statistics-october-to-december-2024"))
    entry = entry_after(govuk)
    assert (entry.status, entry.expected_at) == ("published", "2026-10-29T09:30:00+00:00")
    assert entry.url == f"{SITE}/government/statistics/proven-reoffending-statistics-october-to-december-2024"
    night = govuk.night()
    assert f"{API}{LINK}" not in [asked.url for asked in night.asked]  # it is settled


def test_cancelled_is_legal_and_never_late(govuk: Publishers) -> None:
    entry_after(govuk, announce())
    entry = entry_after(govuk, announce("cancelled"))
    assert entry.status == "cancelled"
    assert not entry.is_late(datetime(2030, 1, 1, tzinfo=UTC))


def test_an_announcement_that_is_only_missing_stays_open(govuk: Publishers) -> None:
    entry_after(govuk, announce())
    govuk.put(item(LINK, schema_name="statistics_announcement"))
    assert entry_after(govuk).status == "announced"
    govuk.archive.answer(f"{API}{LINK}", 410, {"Fastly-Backend-Name": "mirrorS3"})
    assert entry_after(govuk).status == "announced"
    govuk.archive.answer(f"{API}{LINK}", 410)
    assert entry_after(govuk).status == "cancelled"


def test_an_announcement_without_a_state_goes_by_whether_it_is_confirmed(govuk: Publishers) -> None:
    assert entry_after(govuk, announce("confirmed", statistics_announcement_state=None)).status == "confirmed"


def test_a_postponed_release_is_one_entry(govuk: Publishers) -> None:
    entry_after(govuk, announce())
    assert entry_after(govuk, announce(day="2026-11-26T09:30:00+00:00")).expected_at == "2026-11-26T09:30:00+00:00"


def test_a_search_that_fails_is_reported_and_the_rest_goes_on(govuk: Publishers) -> None:
    govuk.archive.answer(SEARCH, 422)
    night = govuk.night()
    assert night.states == ["refused"]
    assert "answered 422" in night.whys
    assert len(night.listing.editions) == 1


def test_the_search_asks_for_what_is_documented(govuk: Publishers) -> None:
    url = next(asked.url for asked in govuk.night().asked if "search.json" in asked.url)
    today = datetime.now(LONDON).date()
    assert url.startswith(
        f"{SITE}/api/search.json?filter_format=statistics_announcement&filter_organisations=ministry-of-justice"
        "&filter_release_timestamp=from:"
    )
    start = date.fromisoformat(url.split("from:")[1][:10])
    assert 60 <= (today - start).days <= 122
    assert start.day == 1
    assert "fields=statistics_announcement_state" in url
    assert "/search/all" not in url


def test_a_place_that_announces_nothing_is_not_asked(publishers: Publishers) -> None:
    publishers.declare(PLACE)
    publishers.put(item(PATH))
    assert not any("search.json" in asked.url for asked in publishers.night().asked)


def test_an_announcement_that_was_renamed_stays_open_until_the_other_is_settled(govuk: Publishers) -> None:
    entry_after(govuk, announce())
    renamed = f"{LINK}-and-more"
    govuk.put(redirect_item(LINK, renamed))
    govuk.put(item(renamed, schema_name="statistics_announcement"))
    assert entry_after(govuk).status == "announced"
    statistics = "/government/statistics/proven-reoffending-statistics-october-to-december-2024"
    govuk.put(redirect_item(renamed, statistics))
    entry = entry_after(govuk)
    assert (entry.key, entry.status, entry.url) == (LINK, "published", f"{SITE}{statistics}")


def test_a_renamed_announcement_that_is_gone_is_cancelled(govuk: Publishers) -> None:
    entry_after(govuk, announce())
    govuk.put(redirect_item(LINK, f"{LINK}-and-more"))
    govuk.archive.answer(f"{API}{LINK}-and-more", 410)
    assert entry_after(govuk).status == "cancelled"


def test_announcements_that_lead_to_each_other_are_reported(govuk: Publishers) -> None:
    entry_after(govuk, announce())
    govuk.put(redirect_item(LINK, f"{LINK}-and-more"))
    govuk.put(redirect_item(f"{LINK}-and-more", LINK))
    assert entry_after(govuk).status == "announced"
    assert "has moved too often" in govuk.night().whys
