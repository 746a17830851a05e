"""Whole nights: several publishers, interruptions, dry runs."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from etl import editions
from etl import refresh as refresh_module
from etl.errors import ExitStatus, JusticeError
from etl.files import hold_lease
from etl.landing import verify
from etl.refresh import Refreshed
from etl.settings import Settings
from etl.sources import load_source
from etl.sources.places import GovUkPlace, OnsPlace, Wanted
from etl.visits import Visit
from tests.publishers.support import (
    ONS,
    PAGE,
    SOURCE,
    Publishers,
    asset,
    attachment,
    collection,
    edition_page,
    item,
    landing_page,
    table,
)
from tests.support import list_files

LIST = "/government/collections/all"
GOVUK = GovUkPlace(publisher="govuk", paths=[LIST], files=[Wanted(table="all", title="tables")])
ONS_PLACE = OnsPlace(publisher="ons", pages=[PAGE], files=[Wanted(table="tables", title=r"\.csv$")])
COUNT = 6


@pytest.fixture
def collected(publishers: Publishers) -> Publishers:
    """A collection of six publications."""
    publishers.declare(GOVUK)
    members = []
    for number in range(1, COUNT + 1):
        url = asset(f"{number}.csv", number)
        content = item(f"/government/statistics/{number}", f"Edition {number}", attachment(url))
        members.append(content)
        publishers.put(content)
        publishers.archive.put(url, table(number), modified="2024-01-24T16:00:00+00:00")
    publishers.put(collection(LIST, *members))
    return publishers


def contents(home: Path) -> dict[str, bytes]:
    return {name: (home / name).read_bytes() for name in list_files(home) if (home / name).is_file()}


@pytest.mark.parametrize("landed", [0, 1, 3, COUNT - 1])
def test_an_interrupted_history_is_taken_up_where_it_ended(
    collected: Publishers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, landed: int
) -> None:
    real = editions.land
    count = 0

    def break_off(*args: Any, **more: Any) -> Any:
        nonlocal count
        if count == landed:
            raise KeyboardInterrupt
        count += 1
        return real(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(editions, "land", break_off)
        with pytest.raises(KeyboardInterrupt):
            collected.night()
    assert len(collected.releases) == landed
    night = collected.night()
    assert night.states == ["unchanged"] * landed + ["new"] * (COUNT - landed)
    files = {asked.url: asked.is_conditional for asked in night.asked if "/media/" in asked.url}
    assert sorted(files.values()) == [False] * (COUNT - landed) + [True] * landed
    broken_off = collected.keys
    assert list(verify(collected.home)) == []
    collected.home = tmp_path / "undisturbed"
    collected.night()
    assert collected.keys == broken_off


def test_a_dry_run_leaves_no_trace(collected: Publishers) -> None:
    night = collected.night(is_dry=True)
    assert night.states == ["new"] * COUNT
    assert "would be fetched" in night.whys
    assert not collected.home.exists()
    collected.night()
    before = contents(collected.home)
    night = collected.night(is_dry=True)
    assert night.states == ["unchanged"] * COUNT
    assert not any("/media/" in asked.url for asked in night.asked)
    assert contents(collected.home) == before


def test_one_publisher_that_is_down_keeps_no_other_from_going_on(collected: Publishers, slept: list[float]) -> None:
    collected.declare(ONS_PLACE, GOVUK)
    collected.archive.answer(f"{ONS}{PAGE}/data", 503)
    night = collected.night()
    assert night.states == ["unreachable"] + ["new"] * COUNT
    assert f"{ONS}{PAGE}/data answered 503 to 5 requests" in night.whys


def test_pages_of_one_place_are_no_business_of_another(collected: Publishers) -> None:
    other = GOVUK.model_copy(update={"paths": ["/government/collections/other"]})
    collected.declare(GOVUK, other, ONS_PLACE)
    collected.put(collection("/government/collections/other", item("/government/statistics/1", "Edition 1")))
    collected.put(landing_page(f"{PAGE}/one"))
    collected.put(edition_page(f"{PAGE}/one", "One", "2026-07-17T23:00:00.000Z", "one.csv"))
    collected.archive.put(f"{ONS}/file?uri={PAGE}/one/one.csv", table(99))
    collected.declare(GOVUK, ONS_PLACE)
    assert collected.night().states == ["new"] * (COUNT + 1)
    night = collected.night()
    assert night.states == ["unchanged"] * (COUNT + 1)
    assert len(night.asked) == 1 + COUNT + COUNT + 3  # nothing is asked for twice


def test_what_was_seen_may_be_lost(collected: Publishers) -> None:
    collected.night()
    before = collected.keys
    for path in (collected.home / "landing" / "seen").rglob("*.json"):
        path.unlink()
    for path in (collected.home / "landing" / "pages").glob("*.json"):
        path.unlink()
    night = collected.night()
    assert night.states == ["unchanged"] * COUNT
    assert not any(asked.is_conditional for asked in night.asked)
    assert collected.keys == before


def test_a_page_of_which_only_the_body_was_lost_is_asked_for_in_full(collected: Publishers) -> None:
    collected.night()
    for path in (collected.home / "landing" / "pages").glob("*.json"):
        path.unlink()
    night = collected.night()
    assert night.states == ["unchanged"] * COUNT
    assert sum(not asked.is_conditional for asked in night.asked) == 1 + COUNT
    assert all(asked.is_conditional for asked in collected.night().asked)


def test_a_full_disk_ends_the_run_and_loses_nothing(collected: Publishers, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(editions, "land", fill)
        with pytest.raises(OSError, match="No space left"):
            collected.night()
    assert collected.releases == []
    assert collected.night().states == ["new"] * COUNT


@pytest.fixture
def sources(collected: Publishers) -> Publishers:
    """The collection, and a page of ONS: two sources and no other."""
    both = {SOURCE: GOVUK, "recorded_crime_ons": ONS_PLACE}
    changed = {name: load_source(name).model_copy(update={"places": [place]}) for name, place in both.items()}
    collected.monkeypatch.setattr(refresh_module, "declared_sources", lambda: changed)
    # Landed and not built: that takes long, and is no business of these tests.
    collected.monkeypatch.setattr(refresh_module, "list_releases", lambda _: [])
    collected.put(landing_page(f"{PAGE}/one"))
    collected.put(edition_page(f"{PAGE}/one", "One", "2026-07-17T23:00:00.000Z", "one.csv"))
    collected.archive.put(f"{ONS}/file?uri={PAGE}/one/one.csv", table(99))
    return collected


def refresh_all(publishers: Publishers) -> Refreshed:
    settings = Settings(home=publishers.home, replica_url=publishers.replica.url, lease_wait_seconds=0)
    return refresh_module.refresh(settings)


def test_a_source_that_another_run_holds_keeps_no_other_from_going_on(sources: Publishers) -> None:
    with hold_lease(sources.home / "landing" / "seen" / SOURCE, "refresh", 0):
        result = refresh_all(sources)
    assert [(o.source, o.state) for o in result.outcomes] == [
        (SOURCE, "unreachable"),
        ("recorded_crime_ons", "new"),
    ]
    assert "is being refreshed by" in result.outcomes[0].why
    assert result.exit_status == ExitStatus.FAILED
    assert refresh_all(sources).exit_status == ExitStatus.DONE


def test_a_cache_that_is_damaged_is_asked_for_again(sources: Publishers) -> None:
    refresh_all(sources)
    for path in (sources.home / "landing" / "seen" / SOURCE).glob("*.json"):
        path.write_text("{", encoding="utf-8")
    result = refresh_all(sources)
    assert [outcome.state for outcome in result.outcomes] == ["unchanged"] * (COUNT + 1)
    assert result.exit_status == ExitStatus.DONE


def test_a_damaged_calendar_keeps_nothing_from_being_taken(sources: Publishers) -> None:
    refresh_all(sources)
    calendar = sources.home / "landing" / "calendar" / "recorded_crime_ons.json"
    calendar.write_text("{", encoding="utf-8")
    result = refresh_all(sources)
    assert sorted(outcome.state for outcome in result.outcomes) == ["refused"] + ["unchanged"] * (COUNT + 1)
    assert any(str(calendar) in outcome.why for outcome in result.outcomes)


def test_a_source_that_fails_is_an_outcome_of_its_own(sources: Publishers) -> None:
    real = refresh_module.take

    def fail(visit: Visit, *args: Any) -> Any:
        if visit.source.source == SOURCE:
            raise JusticeError("the landing zone is damaged", "restore it")
        return real(visit, *args)

    sources.monkeypatch.setattr(refresh_module, "take", fail)
    result = refresh_all(sources)
    assert [(o.state, o.why) for o in result.outcomes] == [
        ("unreachable", "the landing zone is damaged → restore it"),
        ("new", ""),
    ]
    assert result.exit_status == ExitStatus.FAILED


def test_a_publisher_that_asks_for_rest_gets_it(collected: Publishers, slept: list[float]) -> None:
    for number in range(1, COUNT + 1):
        collected.archive.answer(asset(f"{number}.csv", number), 429)
    night = collected.night()
    assert night.states == ["unreachable"] * COUNT
    assert sum("/media/" in asked.url for asked in night.asked) == 10
    assert sum(slept) <= 9 * 60
    assert "assets.publishing.service.gov.uk does not answer; it is not asked again in this run" in night.whys
    assert night.news == [True] * COUNT
    for number in range(1, COUNT + 1):
        collected.archive.put(asset(f"{number}.csv", number), table(number))
    assert collected.night().states == ["new"] * COUNT
