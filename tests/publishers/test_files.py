"""What GOV.UK's file server does to a file, night after night: nothing is lost, nothing wrong gets in."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from etl import http
from etl.editions import publication_time
from etl.landing import blob_path
from etl.observations import SeenAddresses
from etl.sources.places import GovUkPlace, Wanted
from tests.publishers.support import SITE, SOURCE, Publishers, asset, attachment, item, table

PATH = "/government/statistics/one"
URL = asset("tables.csv")
NEWER = asset("tables-corrected.csv", 2)
PLACE = GovUkPlace(publisher="govuk", paths=[PATH], files=[Wanted(table="all", title="tables")])
RELEASED = "2024-01-25T09:30:00+00:00"
UPLOADED = "2024-01-24T16:00:00+00:00"


@pytest.fixture
def govuk(publishers: Publishers) -> Publishers:
    """One publication with one file, which was landed last night."""
    publishers.declare(PLACE)
    publishers.put(item(PATH, "Edition one", attachment(URL)))
    publishers.archive.put(URL, table(1), modified=UPLOADED)
    night = publishers.night()
    assert night.states == ["new"]
    assert publishers.releases == [("edition-one@1", RELEASED, "current", [table(1)])]
    return publishers


LAST_NIGHT = [("edition-one@1", RELEASED, "current", [table(1)])]


def test_everything_about_an_answer_is_kept(govuk: Publishers) -> None:
    (seen,) = govuk.observed()
    assert (seen.source, seen.edition, seen.title, seen.state) == (SOURCE, "edition-one", "Edition one", "new")
    assert (seen.requested_url, seen.final_url, seen.redirects) == (URL, URL, ())
    assert (seen.status, seen.attempts, seen.bytes, seen.media_type) == (200, 1, len(table(1)), "text/csv")
    assert seen.last_modified == "Wed, 24 Jan 2024 16:00:00 GMT"
    assert seen.etag is not None
    assert (seen.published_at, seen.landing_page) == (RELEASED, f"{SITE}{PATH}")
    assert (seen.licence, seen.via) == ("Open Government Licence v3.0", "replica")
    assert seen.observed_by.startswith("justice-etl ")
    assert seen.previous_sha256 is None


def test_nothing_new_is_asked_for_conditionally_and_observed(govuk: Publishers) -> None:
    night = govuk.night()
    assert night.states == ["unchanged"]
    assert [(asked.url.split("?")[0], asked.is_conditional, asked.status) for asked in night.asked] == [
        (f"{SITE}/api/content{PATH}", True, 304),
        (URL, True, 304),
    ]
    assert govuk.releases == LAST_NIGHT
    before, now = govuk.observed()
    assert (now.state, now.status, now.sha256) == ("unchanged", 304, before.sha256)
    assert now.previous_sha256 == before.sha256


def test_a_replaced_file_is_found_behind_its_old_address(govuk: Publishers) -> None:
    govuk.archive.redirect(URL, NEWER, 301)
    govuk.archive.put(NEWER, table(2), modified="2024-02-08T11:00:00+00:00")
    night = govuk.night()
    assert night.states == ["revised"]
    swapped = [
        ("edition-one@1", RELEASED, "superseded", [table(1)]),
        ("edition-one@2", "2024-02-08T11:00:00+00:00", "current", [table(2)]),
    ]
    assert govuk.releases == swapped
    seen = govuk.observed()[-1]
    assert (seen.requested_url, seen.final_url, seen.redirects) == (URL, NEWER, (NEWER,))
    # The page speaks of it later, and says when it was.
    corrected = {"public_updated_at": "2024-02-08T11:05:00Z"}
    govuk.put(item(PATH, "Edition one", attachment(NEWER), **corrected))
    assert govuk.night().states == ["unchanged"]
    assert govuk.releases == swapped


def test_a_page_that_lists_another_file_in_its_place(govuk: Publishers) -> None:
    govuk.put(item(PATH, "Edition one", attachment(NEWER), updated_at="2024-02-08T12:00:00+00:00"))
    govuk.archive.put(NEWER, table(2), modified="2024-02-08T11:00:00+00:00")
    assert govuk.night().states == ["revised"]
    assert [release[:3] for release in govuk.releases] == [
        ("edition-one@1", RELEASED, "superseded"),
        ("edition-one@2", "2024-02-08T12:00:00+00:00", "current"),
    ]
    states = [(seen.state, seen.requested_url) for seen in govuk.observed()]
    assert states == [("new", URL), ("superseded", URL), ("revised", NEWER)]
    first, _, newer = govuk.observed()
    assert newer.previous_sha256 == first.sha256


def test_an_unpublished_document_gives_a_page_and_nothing_is_landed(govuk: Publishers) -> None:
    govuk.archive.redirect(URL, f"{SITE}{PATH}")
    govuk.archive.put(
        f"{SITE}{PATH}", b"<!DOCTYPE html><html>Unpublished</html>", headers={"Content-Type": "text/html"}
    )
    night = govuk.night()
    assert (night.states, night.news) == (["refused"], [True])
    assert "is a page of HTML" in night.whys
    assert govuk.releases == LAST_NIGHT
    seen = govuk.observed()[-1]
    assert (seen.state, seen.status, seen.final_url) == ("refused", 200, f"{SITE}{PATH}")
    assert (seen.content_type, seen.bytes) == ("text/html", 39)
    assert govuk.night().news == [False]  # known by now
    govuk.archive.put(URL, table(1), modified=UPLOADED)
    assert govuk.night().states == ["unchanged"]
    govuk.archive.redirect(URL, f"{SITE}{PATH}")
    assert govuk.night().news == [True]  # it is back


def test_a_draft_is_not_public(govuk: Publishers) -> None:
    govuk.archive.redirect(URL, "https://draft-assets.publishing.service.gov.uk/media/1/tables.csv")
    night = govuk.night()
    assert night.states == ["refused"]
    assert "draft-assets.publishing.service.gov.uk is not among the publishers" in night.whys
    assert govuk.releases == LAST_NIGHT
    seen = govuk.observed()[-1]
    assert (seen.state, seen.status, seen.attempts, seen.bytes, seen.sha256) == ("refused", 302, 1, 0, None)
    assert (seen.final_url, seen.redirects) == (
        URL,
        ("https://draft-assets.publishing.service.gov.uk/media/1/tables.csv",),
    )


def test_a_file_that_leads_home_is_refused(govuk: Publishers) -> None:
    govuk.archive.redirect(URL, "https://192.168.0.1/tables.csv")
    assert govuk.night().states == ["refused"]
    assert govuk.releases == LAST_NIGHT


def test_404_then_200(publishers: Publishers) -> None:
    publishers.declare(PLACE)
    publishers.put(item(PATH, "Edition one", attachment(URL)))
    night = publishers.night()
    assert (night.states, night.news) == (["unreachable"], [True])
    assert "listed and not there (404)" in night.whys
    assert publishers.night().news == [False]
    publishers.archive.put(URL, table(1), modified=UPLOADED)
    assert publishers.night().states == ["new"]
    assert publishers.releases == LAST_NIGHT


def test_a_file_that_comes_late_joins_the_release_of_its_day(publishers: Publishers) -> None:
    wanted = [Wanted(table="a", title="^A$"), Wanted(table="b", title="^B$")]
    publishers.declare(PLACE.model_copy(update={"files": wanted}))
    late = asset("b.csv", 2)
    publishers.put(item(PATH, "Edition one", attachment(URL, "A"), attachment(late, "B")))
    publishers.archive.put(URL, table(1), modified=UPLOADED)
    assert publishers.night().states == ["unreachable", "new"]
    publishers.archive.put(late, table(2), modified="2024-01-25T09:10:00+00:00")
    assert publishers.night().states == ["unchanged", "new"]
    ((name, published_at, state, bodies),) = publishers.releases
    assert (name, published_at, state) == ("edition-one@1", RELEASED, "current")
    assert sorted(bodies) == [table(1), table(2)]


def test_a_deleted_file_stays_where_it_is_landed(govuk: Publishers) -> None:
    govuk.archive.answer(URL, 410)
    night = govuk.night()
    assert night.states == ["refused"]
    assert "was deleted by its publisher (410)" in night.whys
    assert govuk.releases == LAST_NIGHT


def test_a_renamed_file_is_the_same_file(govuk: Publishers) -> None:
    renamed = asset("tables-2024.csv")
    govuk.archive.redirect(URL, renamed)
    govuk.archive.put(renamed, table(1), modified=UPLOADED)
    assert govuk.night().states == ["unchanged"]
    assert govuk.releases == LAST_NIGHT
    assert govuk.observed()[-1].redirects == (renamed,)


@pytest.mark.parametrize("headers", [{"Retry-After": "3"}, {}])
def test_too_many_requests_and_then_the_file(govuk: Publishers, slept: list[float], headers: dict[str, str]) -> None:
    govuk.archive.answer(URL, 429, headers)
    govuk.archive.put(URL, table(2), modified="2024-03-01T10:00:00+00:00", in_turn=True)
    assert govuk.night().states == ["revised"]
    assert slept == ([3] if headers else [60])
    assert govuk.observed()[-1].attempts == 2


def test_a_body_cut_short_never_lands(govuk: Publishers, slept: list[float]) -> None:
    whole = table(2) * 100
    govuk.archive.put(URL, whole, modified="2024-03-01T10:00:00+00:00", cut_at=500)
    night = govuk.night()
    assert night.states == ["unreachable"]
    assert govuk.releases == LAST_NIGHT
    govuk.archive.put(URL, whole, modified="2024-03-01T10:00:00+00:00", cut_at=500)
    govuk.archive.put(URL, whole, modified="2024-03-01T10:00:00+00:00", in_turn=True)
    assert govuk.night().states == ["revised"]
    assert govuk.releases[-1][3] == [whole]


def test_a_gzip_bomb_is_refused(govuk: Publishers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_FILE_BYTES", 1 << 20)
    govuk.archive.put(URL, gzip.compress(bytes(10 << 20)), headers={"Content-Encoding": "gzip"})
    night = govuk.night()
    assert night.states == ["refused"]
    assert "holds more than 1,048,576 bytes when decoded" in night.whys
    assert govuk.releases == LAST_NIGHT
    seen = govuk.observed()[-1]
    assert (seen.state, seen.status, seen.final_url, seen.bytes, seen.sha256) == ("refused", 200, URL, None, None)


def test_a_lying_zip_is_refused(govuk: Publishers) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tables.csv", table(1) * 1_000)
    lie = bytearray(content.getvalue())
    # The size that the directory declares: 10 bytes instead of what is there.
    place = lie.index(b"PK\x01\x02") + 24
    lie[place : place + 4] = struct.pack("<I", 10)
    govuk.archive.put(URL, bytes(lie), modified="2024-03-01T10:00:00+00:00")
    night = govuk.night()
    assert night.states == ["refused"]
    assert "declares 10 bytes" in night.whys
    assert govuk.releases == LAST_NIGHT


@pytest.mark.parametrize("answer", ["other bytes", 404, 410])
def test_a_mirror_proves_nothing(govuk: Publishers, answer: str | int) -> None:
    mirror = {"Fastly-Backend-Name": "mirrorS3", "Age": "3600"}
    if isinstance(answer, int):
        govuk.archive.answer(URL, answer, mirror)
    else:
        govuk.archive.put(URL, table(0), headers=mirror)
    night = govuk.night()
    assert night.states == ["unreachable"]
    assert "answered by a mirror (mirrorS3)" in night.whys
    assert govuk.releases == LAST_NIGHT
    seen = govuk.observed()[-1]
    assert (seen.state, seen.fastly_backend_name, seen.age_seconds) == ("unreachable", "mirrorS3", 3600)


def test_a_mirror_with_the_same_bytes_is_as_good_as_the_origin(govuk: Publishers) -> None:
    govuk.archive.put(URL, table(1), headers={"Fastly-Backend-Name": "mirrorS3", "ETag": '"other"'})
    assert govuk.night().states == ["unchanged"]


def test_a_swap_in_place_shows_by_its_validators(govuk: Publishers) -> None:
    govuk.archive.put(URL, table(2), modified="2024-02-08T11:00:00+00:00")
    assert govuk.night().states == ["revised"]
    assert [release[:2] for release in govuk.releases] == [
        ("edition-one@1", RELEASED),
        ("edition-one@2", "2024-02-08T11:00:00+00:00"),
    ]


def test_a_silent_swap_shows_when_the_bytes_are_had_again(govuk: Publishers) -> None:
    validators = {"ETag": govuk.observed()[-1].etag or "", "Last-Modified": govuk.observed()[-1].last_modified or ""}
    govuk.archive.put(URL, table(2), headers=validators)
    assert govuk.night().states == ["unchanged"]  # a 304 speaks of validators
    _age(govuk.home, days=20)
    assert govuk.night().states == ["unchanged"]
    _age(govuk.home, days=36)
    night = govuk.night()
    assert night.states == ["revised"]
    assert not night.asked[-1].is_conditional
    assert [release[3] for release in govuk.releases] == [[table(1)], [table(2)]]
    assert govuk.night().asked[-1].is_conditional  # and not again for a while


def _age(home: Path, days: int) -> None:
    """Let the bytes have been had in full so many days ago."""
    moment = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
    SeenAddresses(home, SOURCE).update(URL, hashed_at=moment)


def test_a_publisher_that_goes_back_to_what_it_had(govuk: Publishers) -> None:
    govuk.archive.put(URL, table(2), modified="2024-02-08T11:00:00+00:00")
    govuk.night()
    govuk.archive.put(URL, table(1), modified="2024-02-09T11:00:00+00:00")
    assert govuk.night().states == ["revised"]
    assert [(release[1][:10], release[3]) for release in govuk.releases] == [
        ("2024-01-25", [table(1)]),
        ("2024-02-08", [table(2)]),
        ("2024-02-09", [table(1)]),
    ]


def test_bytes_that_were_lost_are_asked_for_in_full(govuk: Publishers) -> None:
    sha256 = govuk.observed()[-1].sha256
    assert sha256 is not None
    blob_path(govuk.home, sha256).unlink()
    govuk.night()
    assert govuk.releases == LAST_NIGHT


FIRST = RELEASED
SEEN = "2024-03-03T03:00:00+00:00"


@pytest.mark.parametrize(
    ("times", "uploaded", "after", "expected"),
    [
        # the day of release, uploaded the day before
        (["2024-07-25T09:30:00+01:00"], "2024-07-24T15:00:00+00:00", None, "2024-07-25T08:30:00+00:00"),
        # midnight in a London summer is 23:00 in UTC, and the file came that morning
        (["2024-07-24T23:00:00Z"], "2024-07-25T07:55:00+00:00", None, "2024-07-24T23:00:00+00:00"),
        # of several edits the first one that the upload allows
        (
            ["2024-04-25T08:30:00Z", "2024-01-25T09:30:00Z", "2024-03-01T10:00:00Z"],
            "2024-02-28T10:00:00+00:00",
            None,
            "2024-03-01T10:00:00+00:00",
        ),
        # a swap: later than what it replaces, by the last edit …
        (
            [FIRST, "2024-02-08T12:00:00Z"],
            "2024-02-08T11:00:00+00:00",
            FIRST,
            "2024-02-08T12:00:00+00:00",
        ),
        # … or by its upload …
        (
            ["2024-01-25T09:30:00Z"],
            "2024-02-08T11:00:00+00:00",
            "2024-01-25T09:30:00+00:00",
            "2024-02-08T11:00:00+00:00",
        ),
        # … or when we saw it
        (["2024-01-25T09:30:00Z"], None, "2024-01-25T09:30:00+00:00", "2024-03-03T03:00:00+00:00"),
        (
            ["2024-01-25T09:30:00Z"],
            "2024-01-01T09:30:00+00:00",
            "2024-01-25T09:30:00+00:00",
            "2024-03-03T03:00:00+00:00",
        ),
        ([], None, None, "2024-03-03T03:00:00+00:00"),
    ],
)
def test_when_a_file_was_published(times: list[str], uploaded: str | None, after: str | None, expected: str) -> None:
    assert publication_time(times, uploaded, after, SEEN) == expected


def test_who_was_busy_is_kept(govuk: Publishers, slept: list[float]) -> None:
    govuk.archive.answer(URL, 503, {"Retry-After": "301", "Fastly-Backend-Name": "origin", "Age": "7"})
    assert govuk.night().states == ["unreachable"]
    govuk.archive.answer(URL, 500, {"Fastly-Backend-Name": "origin", "Age": "7"})
    assert govuk.night().states == ["unreachable"]
    seen = govuk.observed()[-1]
    assert (seen.state, seen.status, seen.attempts) == ("unreachable", 500, 5)
    assert (seen.fastly_backend_name, seen.age_seconds) == ("origin", 7)
