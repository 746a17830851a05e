"""Whole nights: several publishers, interruptions, dry runs."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from etl import editions
from etl.landing import verify
from etl.sources.places import GovUkPlace, OnsPlace, Wanted
from tests.publishers.support import (
    ONS,
    PAGE,
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
