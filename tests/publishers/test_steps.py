"""The nightly job in steps, as a scheduler runs, retries and repeats them; nothing is built here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from etl import editions as editions_module
from etl import nightly
from etl.errors import (
    AlreadyToldError,
    JusticeError,
    KeptOutError,
    LateReleaseError,
    LeaseHeldError,
    StoppedVersionError,
    UnreachableError,
    WrongUseError,
)
from etl.files import hold_lease, remove_tree, write_json
from etl.landing import Notice, list_releases, note
from etl.manifest import compute_source_states, compute_version
from etl.nightly import _run_folder
from etl.observations import SeenAddresses
from etl.refresh import Plan
from etl.replica import Reply
from etl.settings import Settings, project_root
from etl.sources.places import Announcements, GovUkPlace, OnsPlace, Rule, Wanted
from tests.end_to_end.builders import open_data
from tests.publishers.support import (
    API,
    ONS,
    PAGE,
    SEARCH,
    SITE,
    SOURCE,
    Json,
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
from tests.support import list_files

PLAN = TypeAdapter(Plan)
RUN = "scheduled__2026-11-24T02:17:00+00:00"
NEXT = "scheduled__2026-11-25T02:17:00+00:00"
LIST = "/government/collections/all"
GOVUK = GovUkPlace(publisher="govuk", paths=[LIST], files=[Wanted(table="all", title="tables")])
ANNOUNCED = Announcements(organisation="ministry-of-justice", title="proven reoffending")
UPLOADED = "2024-01-24T16:00:00+00:00"
COUNT = 3


@dataclass
class Steps:
    """One run of the steps of the declared source."""

    publishers: Publishers
    run: str = RUN

    @property
    def settings(self) -> Settings:
        publishers = self.publishers
        return Settings(home=publishers.home, replica_url=publishers.replica.url, lease_wait_seconds=0)

    @property
    def folder(self) -> Path:
        return _run_folder(self.settings, self.publishers.source, self.run)

    @property
    def plan(self) -> Plan:
        return PLAN.validate_json((self.folder / "plan.json").read_bytes())

    def discover(self, **more: Any) -> list[str]:
        return nightly.discover_source(self.settings, self.publishers.source, self.run, **more)

    def fetch(self, key: str) -> list[str]:
        return nightly.fetch_edition(self.settings, self.publishers.source, self.run, key)

    def finish(self) -> list[str]:
        return nightly.finish_source(self.settings, self.publishers.source, self.run)

    def told(self, now: datetime | None = None) -> list[str]:
        """The lines of what an operator is told, without the name of the source; none where nothing is to be told."""
        source = self.publishers.source
        try:
            nightly.report_source(self.settings, source, self.run, now)
        except KeptOutError as error:
            assert error.next_step
            head, _, rest = error.what.partition(": ")
            assert head == source
            return rest.split("\n")
        return []

    def take(self, **more: Any) -> list[str]:
        """All steps but the report, whatever becomes of a file; → the releases that were made."""
        releases = []
        for key in self.discover(**more):
            try:
                releases += self.fetch(key)
            except UnreachableError:
                continue
        self.finish()
        return releases

    def asked(self) -> int:
        return len(self.publishers.replica.asked)


def page_of(number: int) -> str:
    return f"/government/statistics/{number}"


def key_of(number: int) -> str:
    return f"id-of-{page_of(number)}"


def file_of(number: int) -> str:
    return asset(f"{number}.csv", number)


def put_editions(publishers: Publishers, count: int = COUNT) -> None:
    """A collection of publications with a table each."""
    members = []
    for number in range(1, count + 1):
        content = item(page_of(number), f"Edition {number}", attachment(file_of(number)))
        members.append(content)
        publishers.put(content)
        publishers.archive.put(file_of(number), table(number), modified=UPLOADED)
    publishers.put(collection(LIST, *members))


@pytest.fixture
def steps(publishers: Publishers) -> Steps:
    publishers.declare(GOVUK)
    put_editions(publishers)
    return Steps(publishers)


MARCH = f"{PAGE}/yearendingmarch2026"
JUNE = f"{PAGE}/yearendingjune2026"
CORRECTED = [
    ("year-ending-june-2026@1", "2026-10-21T23:00:00+00:00", "current", [table(20)]),
    ("year-ending-march-2026@1", "2026-07-17T23:00:00+00:00", "superseded", [table(1)]),
    ("year-ending-march-2026@2", "2026-08-01T08:30:00+00:00", "superseded", [table(11)]),
    ("year-ending-march-2026@3", "2026-08-02T08:30:00+00:00", "current", [table(12)]),
]
"""What the fixture below makes: March was corrected on 1 and 2 August, so it stood three times."""


@pytest.fixture
def ons(publishers: Publishers) -> Steps:
    """Two editions of ONS, one of which was corrected twice in place."""
    place = OnsPlace(publisher="ons", pages=[PAGE], files=[Wanted(table="tables", title=r"\.csv$")])
    publishers.declare(place, source="recorded_crime_ons")
    versions = tuple(
        {"uri": f"{MARCH}/previous/v{n}", "updateDate": f"2026-08-{n:02}T08:30:00.000Z", "correctionNotice": f"No. {n}"}
        for n in (1, 2)
    )
    publishers.put(landing_page(JUNE, MARCH, released="2026-10-21T23:00:00.000Z", following="To be announced"))
    released, march = "2026-07-17T23:00:00.000Z", "Year ending March 2026"
    publishers.put(edition_page(JUNE, "Year ending June 2026", None, "june.csv"))
    publishers.put(edition_page(MARCH, march, released, "march.csv", versions=versions))
    for n in (1, 2):
        publishers.put(edition_page(f"{MARCH}/previous/v{n}", march, released, "march.csv"))
    for uri, name, number in (
        (JUNE, "june.csv", 20),
        (f"{MARCH}/previous/v1", "march.csv", 1),
        (f"{MARCH}/previous/v2", "march.csv", 11),
        (MARCH, "march.csv", 12),
    ):
        publishers.archive.put(f"{ONS}/file?uri={uri}/{name}", table(number))
    return Steps(publishers)


# --- discover ------------------------------------------------------------------------------------------------


def test_the_keys_come_once_each_in_the_order_of_the_list(steps: Steps) -> None:
    assert steps.discover() == [key_of(1), key_of(2), key_of(3)]
    assert steps.publishers.releases == []


def test_the_versions_of_an_edition_are_one_key(ons: Steps) -> None:
    assert ons.discover() == [MARCH, JUNE]
    march = [edition for edition in ons.plan.editions if edition.key == MARCH]
    assert [(edition.is_previous, edition.explanation, edition.times) for edition in march] == [
        (True, "No. 1", ("2026-07-17T23:00:00.000Z",)),
        (True, "No. 2", ("2026-08-01T08:30:00.000Z",)),
        (False, "No. 2", ("2026-08-02T08:30:00.000Z",)),
    ]


def test_a_plan_that_was_written_is_the_plan_that_was_made(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.take()
    steps.publishers.archive.put(
        f"{API}{page_of(1)}",
        json.dumps({"schema_name": "gone", "details": {"explanation": "Published in error: « twice »."}}).encode(),
        status=410,
    )
    notice = {"withdrawn_at": "2026-11-20T10:00:00Z", "explanation": "Wrong\u2028base."}
    steps.publishers.put(item(page_of(2), "Edition 2", attachment(file_of(2)), withdrawn_notice=notice))
    steps.publishers.archive.answer(f"{API}{page_of(3)}", 403)
    made: list[Plan] = []
    real = nightly.make_plan

    def keep(*args: Any) -> Plan:
        made.append(real(*args))
        return made[-1]

    monkeypatch.setattr(nightly, "make_plan", keep)
    steps.run = NEXT
    assert steps.discover() == [key_of(2)]
    assert [steps.plan] == made
    assert steps.plan.gone == {f"{SITE}{page_of(1)}": "Published in error: « twice »."}
    (second,) = steps.plan.editions
    assert (second.withdrawn_at, second.explanation) == ("2026-11-20T10:00:00Z", "Wrong\u2028base.")
    assert [(outcome.url, outcome.state) for outcome in steps.plan.outcomes] == [(f"{SITE}{page_of(3)}", "refused")]


def test_an_edition_of_all_versions_keeps_them_in_the_plan(ons: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    ons.discover(edition=MARCH)
    assert [edition.is_previous for edition in ons.plan.editions] == [True, True, False]
    assert not ons.plan.is_whole


@pytest.mark.parametrize("edition", ["Edition 2", "  edition   2 ", key_of(2), f"{SITE}{page_of(2)}"])
def test_one_edition_by_its_title_key_or_page(steps: Steps, edition: str) -> None:
    assert steps.discover(edition=edition) == [key_of(2)]
    assert not steps.plan.is_whole
    assert steps.fetch(key_of(2)) == [f"{SOURCE}/edition-2@1"]


def test_an_edition_that_is_not_listed_names_those_that_are(steps: Steps) -> None:
    with pytest.raises(WrongUseError, match=f"{SOURCE} lists no edition 'Edition 4'") as caught:
        steps.discover(edition="Edition 4")
    assert caught.value.next_step == "listed are: 'Edition 1', 'Edition 2', 'Edition 3'"
    assert not (steps.folder / "plan.json").exists()


def test_an_edition_that_is_asked_for_while_the_publisher_is_down_is_no_wrong_use(
    steps: Steps, slept: list[float]
) -> None:
    """An operator who has typed a right title must not be told that there is none; and a scheduler asks again."""
    steps.publishers.archive.answer(f"{API}{LIST}", 503)
    with pytest.raises(UnreachableError, match=f"{API}{LIST} answered 503"):
        steps.discover(edition="Edition 2")


def test_an_edition_whose_page_is_down_is_no_wrong_use(steps: Steps, slept: list[float]) -> None:
    steps.publishers.archive.answer(f"{API}{page_of(2)}", 500)
    with pytest.raises(UnreachableError, match=f"{API}{page_of(2)} answered 500"):
        steps.discover(edition=f"{SITE}{page_of(2)}")


def test_what_a_mistyped_edition_found_beside_it_is_still_told(steps: Steps) -> None:
    steps.publishers.archive.answer(f"{API}{page_of(3)}", 403)
    with pytest.raises(WrongUseError):
        steps.discover(edition="Edition 4")
    steps.run = NEXT
    steps.take()
    (line,) = steps.told()
    assert line.startswith(f"refused: {SITE}{page_of(3)} ({SOURCE}): ")


def test_older_editions_are_left_alone_unless_they_were_landed(steps: Steps) -> None:
    newer = item(page_of(2), "Edition 2", attachment(file_of(2)), public_updated_at="2026-11-23T09:30:00Z")
    older = [item(page_of(n), f"Edition {n}", attachment(file_of(n))) for n in (1, 3)]
    steps.publishers.put(newer)
    steps.publishers.put(collection(LIST, older[0], newer, older[1]))
    assert steps.discover(since=date(2026, 11, 23)) == [key_of(2)]
    steps.take(edition="Edition 3")
    assert steps.discover(since=date(2026, 11, 23)) == [key_of(2), key_of(3)]


def test_asking_again_in_the_same_run_leaves_news_news(steps: Steps) -> None:
    """The first try may have been killed after it wrote its plan: nobody was told yet."""
    steps.publishers.archive.answer(f"{API}{page_of(3)}", 403)
    steps.discover()
    steps.take()
    (line,) = steps.told()
    assert "is not public (403)" in line
    steps.run = NEXT
    steps.take()
    assert steps.told() == []


# --- fetch ---------------------------------------------------------------------------------------------------


def test_one_edition_is_landed_and_no_other(steps: Steps) -> None:
    steps.discover()
    assert steps.fetch(key_of(2)) == [f"{SOURCE}/edition-2@1"]
    assert steps.publishers.releases == [("edition-2@1", "2024-01-25T09:30:00+00:00", "current", [table(2)])]
    assert steps.fetch(key_of(2)) == []  # another try finds it unchanged


def test_the_versions_of_an_edition_are_landed_in_order(ons: Steps, tmp_path: Path) -> None:
    for key in ons.discover():
        ons.fetch(key)
    assert ons.publishers.releases == CORRECTED
    in_steps = ons.publishers.keys
    ons.publishers.home = tmp_path / "in a row"
    ons.publishers.night()
    assert ons.publishers.keys == in_steps


def test_a_file_that_is_not_there_is_tried_again_in_its_run_and_told_once(steps: Steps) -> None:
    steps.publishers.archive.remove(file_of(2))
    steps.discover()
    steps.fetch(key_of(1))
    steps.fetch(key_of(3))
    for _ in range(3):
        with pytest.raises(UnreachableError, match=r"1 of 1 files could not be had: .*not there \(404\)"):
            steps.fetch(key_of(2))
    steps.finish()
    (line,) = steps.told()
    assert line.startswith("unreachable: 2.csv (Edition 2), ")
    assert file_of(2) in line
    steps.run = NEXT
    steps.discover()
    assert steps.fetch(key_of(2)) == []
    assert [steps.fetch(key) for key in (key_of(1), key_of(3))] == [[], []]
    steps.finish()
    assert steps.told() == []


def test_a_file_that_came_with_the_second_try_is_no_news(steps: Steps) -> None:
    steps.publishers.archive.remove(file_of(2))
    steps.discover()
    with pytest.raises(UnreachableError):
        steps.fetch(key_of(2))
    steps.publishers.archive.put(file_of(2), table(2), modified=UPLOADED)
    assert steps.fetch(key_of(2)) == [f"{SOURCE}/edition-2@1"]
    steps.take()
    assert steps.told() == []


def test_a_publisher_that_does_not_answer_is_news_every_night(steps: Steps, slept: list[float]) -> None:
    steps.publishers.archive.answer(file_of(2), 503)
    for run in (RUN, NEXT):
        steps.run = run
        steps.take()
        (line,) = steps.told()
        assert line.startswith("unreachable: 2.csv (Edition 2), ")


def test_what_is_refused_does_not_fail_and_is_told_once(steps: Steps) -> None:
    steps.publishers.archive.put(file_of(2), b"<html>Sorry</html>")
    steps.discover()
    for key in (key_of(1), key_of(2), key_of(3)):
        steps.fetch(key)
    assert steps.fetch(key_of(2)) == []  # another try, in which it is as before: nobody was told yet
    steps.finish()
    (line,) = steps.told()
    assert line.startswith("refused: 2.csv (Edition 2)")
    assert "is a page of HTML" in line
    assert file_of(2) in line  # where to look
    steps.run = NEXT
    steps.take()
    assert steps.told() == []
    assert [release[0] for release in steps.publishers.releases] == ["edition-1@1", "edition-3@1"]


def test_a_refusal_of_the_first_try_is_told_beside_what_the_second_missed(steps: Steps) -> None:
    both = attachment(file_of(2), "Tables A"), attachment(file_of(3), "Tables B")
    wanted = [Wanted(table="a", title="tables a"), Wanted(table="b", title="tables b")]
    steps.publishers.declare(GOVUK.model_copy(update={"files": wanted}))
    content = item(page_of(2), "Edition 2", *both)
    steps.publishers.put(content)
    steps.publishers.put(collection(LIST, content))
    steps.publishers.archive.put(file_of(2), b"<html>Sorry</html>")
    steps.publishers.archive.remove(file_of(3))
    steps.discover()
    for _ in range(2):
        with pytest.raises(UnreachableError, match="1 of 2 files"):
            steps.fetch(key_of(2))
    assert [line.split(":")[0] for line in steps.told()] == ["refused", "unreachable"]


def _describe(home: Path) -> dict[str, Any]:
    """What lies in the landing zone, apart from the times at which it came there; observations are of every try."""
    found: dict[str, Any] = {}
    for name in list_files(home / "landing"):
        if name.startswith("observations/") or name.endswith("lease.lock"):
            continue
        content: Any = (home / "landing" / name).read_bytes()
        if name.endswith(".json"):
            content = json.loads(content)
            for time in ("landed_at", "hashed_at"):
                content.pop(time, None)
        found[name] = content
    return found


@pytest.mark.parametrize("landed", [0, 1, 2])
def test_a_fetch_that_broke_off_is_taken_up_by_its_retry(
    ons: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, landed: int
) -> None:
    real = editions_module.land
    count = 0

    def break_off(*args: Any, **more: Any) -> Any:
        nonlocal count
        if count == landed:
            raise KeyboardInterrupt
        count += 1
        return real(*args, **more)

    keys = ons.discover()
    with monkeypatch.context() as patched:
        patched.setattr(editions_module, "land", break_off)
        with pytest.raises(KeyboardInterrupt):
            ons.fetch(MARCH)
    assert [release[3] for release in ons.publishers.releases] == [[table(1)], [table(11)], [table(12)]][:landed]
    for key in keys:
        ons.fetch(key)
    ons.finish()
    assert ons.told() == []
    assert ons.publishers.releases == CORRECTED
    broken_off = _describe(ons.publishers.home)
    ons.publishers.home = tmp_path / "undisturbed"
    ons.take()
    assert _describe(ons.publishers.home) == broken_off


# --- finish --------------------------------------------------------------------------------------------------


def test_editions_that_were_taken_away_are_noted(steps: Steps) -> None:
    steps.take()
    steps.publishers.archive.answer(f"{API}{page_of(1)}", 410)
    notice = {"withdrawn_at": "2026-11-20T10:00:00Z", "explanation": "Wrong."}
    steps.publishers.put(item(page_of(2), "Edition 2", attachment(file_of(2)), withdrawn_notice=notice))
    steps.run = NEXT
    for key in steps.discover():
        steps.fetch(key)
    assert [release[2] for release in steps.publishers.releases] == ["current", "withdrawn", "current"]
    steps.finish()
    steps.finish()  # another try changes nothing
    assert [release[2] for release in steps.publishers.releases] == ["withdrawn", "withdrawn", "current"]
    assert len(list_files(steps.publishers.home / "landing" / "notices")) == 2


@pytest.mark.parametrize("is_whole", [True, False])
def test_trouble_is_over_only_where_every_edition_was_seen_to_its_end(steps: Steps, is_whole: bool) -> None:
    steps.publishers.archive.answer(f"{API}{page_of(3)}", 403)
    steps.take()
    assert len(steps.told()) == 1
    put_editions(steps.publishers)
    steps.run = NEXT
    keys = steps.discover()
    for key in keys if is_whole else keys[:2]:
        steps.fetch(key)
    steps.finish()
    steps.publishers.archive.answer(f"{API}{page_of(3)}", 403)
    steps.run = "another night"
    steps.take()
    assert len(steps.told()) == is_whole  # it is back, or was never seen to be over


def test_what_became_of_editions_that_are_planned_no_more_does_not_count(steps: Steps) -> None:
    """Where a step that asks is run again, the list may have changed meanwhile."""
    steps.publishers.archive.answer(f"{API}{page_of(3)}", 403)
    steps.take()
    steps.run = NEXT
    put_editions(steps.publishers)
    first, second = (item(page_of(n), f"Edition {n}", attachment(file_of(n))) for n in (1, 2))
    steps.publishers.put(collection(LIST, first))
    steps.discover()
    steps.fetch(key_of(1))
    shutil.rmtree(steps.publishers.home / "landing" / "seen" / SOURCE)  # edition 1 is forgotten, and listed no more
    SeenAddresses(steps.publishers.home, SOURCE).update(f"problem:{SITE}{page_of(3)}", refused="is not public")
    steps.publishers.put(collection(LIST, second))
    assert steps.discover() == [key_of(2)]
    steps.finish()
    trouble = SeenAddresses(steps.publishers.home, SOURCE).get(f"problem:{SITE}{page_of(3)}")
    assert trouble.refused == "is not public"
    assert steps.told() == [f"not taken to its end: Edition 2 ({SITE}{page_of(2)}): the log of its task says why"]


def test_the_files_to_be_read_are_named_whoever_landed_them(steps: Steps, tmp_path: Path) -> None:
    assert steps.finish() == []
    steps.publishers.night()
    hashes = sorted(record.sha256 for release in list_releases(steps.publishers.home) for record in release.records)
    assert len(hashes) == COUNT
    assert steps.finish() == hashes  # without a plan
    steps.publishers.archive.put(file_of(1), open_data(tmp_path).files[0], modified="2024-03-01T10:00:00+00:00")
    steps.take()
    (newest,) = set(steps.finish()) - set(hashes)
    nightly.read_file(steps.settings, SOURCE, newest)
    assert steps.finish() == hashes


# --- report --------------------------------------------------------------------------------------------------

ANNOUNCEMENT = "/government/statistics/announcements/proven-reoffending-october-to-december-2024"
TITLE = "Proven reoffending statistics: October to December 2024"


def announce(state: str = "provisional", day: str = "2026-10-30T09:30:00+00:00", text: str = "October 2026") -> Json:
    return {
        "link": ANNOUNCEMENT,
        "title": TITLE,
        "release_timestamp": day,
        "statistics_announcement_state": state,
        "metadata": {"display_date": text, "confirmed": state == "confirmed"},
    }


def put_announcements(publishers: Publishers, *results: Json) -> None:
    publishers.archive.put(SEARCH, json.dumps({"results": list(results)}).encode())


def test_one_message_tells_everything(steps: Steps) -> None:
    steps.publishers.declare(GOVUK.model_copy(update={"announcements": ANNOUNCED}))
    put_editions(steps.publishers, 5)
    steps.publishers.archive.put(file_of(1), b"<html>Sorry</html>")
    steps.publishers.archive.remove(file_of(2))
    steps.publishers.archive.answer(f"{API}{page_of(5)}", 403)
    put_announcements(steps.publishers, announce())
    assert steps.discover() == [key_of(number) for number in (1, 2, 3, 4)]
    steps.fetch(key_of(1))
    with pytest.raises(UnreachableError):
        steps.fetch(key_of(2))
    steps.fetch(key_of(3))
    steps.finish()
    lines = steps.told(datetime(2026, 11, 1, 2, 17, tzinfo=UTC))
    starts = (
        f"refused: {SITE}{page_of(5)} ({SOURCE}): ",
        "refused: 1.csv (Edition 1)",
        "unreachable: 2.csv (Edition 2)",
        f"not taken to its end: Edition 4 ({SITE}{page_of(4)}): ",
        f"late: {TITLE} ({SOURCE}), expected October 2026: {SITE}{ANNOUNCEMENT}",
    )
    assert sorted(lines) == sorted(line for line in lines if line.startswith(starts))
    assert len(lines) == len(starts)
    for start in starts:
        assert any(line.startswith(start) for line in lines), start


@pytest.mark.parametrize(
    ("announced", "now", "is_told"),
    [
        (announce(), "2026-10-31T02:17+00:00", False),  # October is not over
        (announce(), "2026-11-01T02:17+00:00", True),
        (announce(), "2026-11-20T02:17+00:00", True),  # no night before looked
        # A day, in summer, and from the first minute after it.
        (announce(day="2026-07-30T08:30:00+00:00", text="30 July 2026"), "2026-07-30T22:59+00:00", False),
        (announce(day="2026-07-30T08:30:00+00:00", text="30 July 2026"), "2026-07-30T23:00+00:00", True),
        (announce(day="2026-07-30T08:30:00+00:00", text="30 July 2026"), "2026-07-31T01:17+00:00", True),
        (announce(day="2026-07-30T08:30:00+00:00", text="30 July 2026"), "2026-08-01T01:17+00:00", True),
        # The clocks went back in the night of 25 October: that day had 25 hours.
        (announce(day="2026-10-24T08:30:00+00:00", text="24 October 2026"), "2026-10-25T02:17+00:00", True),
        (announce(day="2026-10-24T08:30:00+00:00", text="24 October 2026"), "2026-10-26T02:17+00:00", True),
        # An hour after the time that is confirmed.
        (announce("confirmed"), "2026-10-30T10:30+00:00", False),
        (announce("confirmed"), "2026-10-30T10:31+00:00", True),
        (announce("cancelled"), "2026-11-01T02:17+00:00", False),
    ],
)
def test_what_is_late_is_told_once(steps: Steps, announced: Json, now: str, is_told: bool) -> None:
    steps.publishers.declare(GOVUK.model_copy(update={"announcements": ANNOUNCED}))
    put_announcements(steps.publishers, announced)
    steps.take()
    lines = steps.told(datetime.fromisoformat(now))
    assert [line.split(":")[0] for line in lines] == ["late"] * is_told
    assert steps.told(datetime.fromisoformat(now)) == []


def test_nothing_new_is_no_message(steps: Steps) -> None:
    steps.take()
    assert steps.told() == []


def test_what_was_never_asked_was_told_already(steps: Steps) -> None:
    with pytest.raises(AlreadyToldError, match=f"what {SOURCE} lists was not found out"):
        nightly.report_source(steps.settings, SOURCE, RUN)


def test_a_damaged_calendar_hides_nothing_else(steps: Steps) -> None:
    calendar = steps.publishers.home / "landing" / "calendar" / f"{SOURCE}.json"
    calendar.parent.mkdir(parents=True)
    calendar.write_text("{", encoding="utf-8")
    steps.publishers.archive.put(file_of(2), b"<html>Sorry</html>")
    steps.take()
    lines = "\n".join(steps.told())
    assert str(calendar) in lines
    assert "refused: 2.csv (Edition 2)" in lines


# --- read, validate, announce --------------------------------------------------------------------------------


@pytest.fixture
def landed(steps: Steps, tmp_path: Path) -> Steps:
    """Edition 1 is open data that can be read, the two others are no tables of ours."""
    steps.publishers.archive.put(file_of(1), open_data(tmp_path).files[0], modified=UPLOADED)
    steps.take()
    return steps


def _sha256(steps: Steps, number: int) -> str:
    (release,) = [each for each in list_releases(steps.publishers.home) if each.edition == f"edition-{number}"]
    return release.records[0].sha256


def test_files_are_read_and_judged_again_and_again(landed: Steps) -> None:
    home, settings = landed.publishers.home, landed.settings
    assert nightly.check_source(settings, SOURCE) == {"files": 3, "read": 0, "kept_out": 0}
    # Four quarters of three forces, each with one row of robbery and four of homicide.
    assert [nightly.read_file(settings, SOURCE, _sha256(landed, 1)) for _ in range(2)] == [60, 60]
    assert [nightly.read_file(settings, SOURCE, _sha256(landed, 2)) for _ in range(2)] == ["layout", "layout"]
    found = [nightly.check_source(settings, SOURCE)]
    before = list_files(home)
    found.append(nightly.check_source(settings, SOURCE))
    assert found == [{"files": 3, "read": 1, "kept_out": 0}] * 2
    assert list_files(home) == before


def test_bytes_that_are_damaged_fail(landed: Steps) -> None:
    sha256 = _sha256(landed, 1)
    blob = landed.publishers.home / "landing" / "sha256" / sha256[:2] / sha256
    blob.unlink()
    with pytest.raises(JusticeError, match="is gone in the landing zone"):
        nightly.read_file(landed.settings, SOURCE, sha256)


def _write_manifest(home: Path, version: str, *items: Json, place: str = "versions") -> None:
    """A version that rests on what is landed now, without its warehouse."""
    states = compute_source_states(list_releases(home))
    rest = {"releases": [], "tables": {}, "items": list(items), "sources": states}
    content = {"version": version, "built_at": "2026-01-01T00:00:00+00:00", **rest}
    write_json(home / place / version / "manifest.json", content)


def _serve(home: Path, version: str = "a", *items: Json) -> None:
    """Let such a version serve."""
    _write_manifest(home, version, *items)
    (home / "current").unlink(missing_ok=True)
    (home / "current").symlink_to(f"versions/{version}")


def test_news_is_what_the_version_that_serves_does_not_rest_on(landed: Steps, ons: Steps) -> None:
    home, settings = landed.publishers.home, landed.settings
    ons.take()  # of another source
    news = {source: nightly.find_news(settings, source) for source in (SOURCE, "recorded_crime_ons", "population")}
    assert news["population"] is None  # nothing is landed
    assert None not in (news[SOURCE], news["recorded_crime_ons"])
    assert news[SOURCE] != news["recorded_crime_ons"]
    _serve(home)
    assert [nightly.find_news(settings, source) for source in news] == [None, None, None]
    landed.publishers.declare(GOVUK)
    landed.publishers.archive.put(file_of(2), table(99), modified="2024-03-01T10:00:00+00:00")
    Steps(landed.publishers, NEXT).take()
    after = nightly.find_news(settings, SOURCE)
    assert after not in (None, news[SOURCE])
    assert nightly.find_news(settings, SOURCE) == after  # until it is published
    assert nightly.find_news(settings, "recorded_crime_ons") is None
    _serve(home, "b")
    assert nightly.find_news(settings, SOURCE) is None
    note(home, Notice(SOURCE, "edition-3", is_withdrawn=True, at="2026-11-20T10:00:00+00:00", explanation=""))
    assert nightly.find_news(settings, SOURCE) not in (None, after)
    assert nightly.find_news(settings, "recorded_crime_ons") is None


def _make_item(name: str, state: str = "kept_out") -> Json:
    return {"state": state, "kind": "file", "item_id": name, "sha256": name * 64, "message": f"{name}.csv is odd"}


def test_what_is_newly_kept_out_is_told_of_the_version_that_serves(steps: Steps) -> None:
    home = steps.publishers.home
    _serve(home, "one", _make_item("a"))
    write_json(home / "versions" / "state.json", {"published": ["one"], "pinned": [], "held": []})
    with pytest.raises(KeptOutError, match=r"version one is published and keeps out, newly: a\.csv is odd"):
        nightly.report_version(steps.settings)
    _serve(home, "another", _make_item("a"), _make_item("b"), _make_item("c", "warned"))
    write_json(home / "versions" / "state.json", {"published": ["one", "another"], "pinned": [], "held": []})
    with pytest.raises(KeptOutError) as caught:
        nightly.report_version(steps.settings)
    assert caught.value.what == "version another is published and keeps out, newly: b.csv is odd"
    assert caught.value.next_step
    _serve(home, "third", _make_item("b"))
    write_json(home / "versions" / "state.json", {"published": ["one", "another", "third"], "pinned": [], "held": []})
    nightly.report_version(steps.settings)


def test_a_version_that_breaks_a_rule_is_refused(steps: Steps) -> None:
    stopping = [_make_item("a", "stopped"), _make_item("b", "stopped"), _make_item("c", "warned")]
    _write_manifest(steps.publishers.home, "bad", *stopping, place="staging")
    _write_manifest(steps.publishers.home, "good", _make_item("a"), place="staging")
    nightly.check_version(steps.settings, "good")
    with pytest.raises(StoppedVersionError) as caught:
        nightly.check_version(steps.settings, "bad")
    assert caught.value.what == "version bad is not published: a.csv is odd\nb.csv is odd"
    assert caught.value.next_step


def test_what_makes_a_version_that_is_stopped_or_held_is_no_news(landed: Steps) -> None:
    home = landed.publishers.home
    assert nightly.find_news(landed.settings, SOURCE)
    version = compute_version(list_releases(home))
    _write_manifest(home, version, _make_item("a", "stopped"), place="staging")
    assert nightly.find_news(landed.settings, SOURCE) is None
    with pytest.raises(StoppedVersionError, match=version):  # the weekly reminder
        nightly.examine_home(landed.settings)
    remove_tree(home / "staging")
    assert nightly.find_news(landed.settings, SOURCE)
    (home / "versions").mkdir(exist_ok=True)
    write_json(home / "versions" / "state.json", {"published": [], "pinned": [], "held": [version]})
    assert nightly.find_news(landed.settings, SOURCE) is None


def test_a_place_that_gives_no_answer_is_asked_again_and_at_last_gone_without(steps: Steps, slept: list[float]) -> None:
    steps.publishers.archive.answer(f"{API}{LIST}", 503)
    with pytest.raises(UnreachableError, match="503"):
        steps.discover(is_last_try=False)
    assert steps.discover() == []
    assert [line.split(":")[0] for line in steps.told()] == ["unreachable"]


def test_what_a_publisher_took_back_is_told_once(steps: Steps) -> None:
    steps.take()
    notice = {"withdrawn_at": "2026-11-20T10:00:00Z", "explanation": "Wrong."}
    steps.publishers.put(item(page_of(2), "Edition 2", attachment(file_of(2)), withdrawn_notice=notice))
    steps.publishers.archive.answer(f"{API}{page_of(3)}", 410)
    for run, told in ((NEXT, ["withdrawn", "withdrawn"]), ("a third", [])):
        steps.run = run
        steps.take()
        assert [line.split(":")[0] for line in steps.told()] == told


# --- release days --------------------------------------------------------------------------------------------

GMT = "2026-10-29T09:30:00+00:00"
BST = "2026-07-30T08:30:00+00:00"
STATISTICS = "/government/statistics/proven-reoffending-statistics-october-to-december-2024"


def poll(steps: Steps, now: str) -> tuple[str, int]:
    """What a poll finds, and how often it asked the publisher."""
    before = steps.asked()
    return nightly.poll_release(steps.settings, SOURCE, datetime.fromisoformat(now)), steps.asked() - before


@pytest.fixture
def confirm(steps: Steps) -> Callable[..., Steps]:
    """Lets a release be confirmed, as the last night heard."""

    def announce_and_take(day: str, text: str = "") -> Steps:
        steps.publishers.declare(GOVUK.model_copy(update={"announcements": ANNOUNCED}))
        put_announcements(steps.publishers, announce("confirmed", day, text))
        steps.publishers.put(item(ANNOUNCEMENT, TITLE, schema_name="statistics_announcement"))
        steps.take()
        return steps

    return announce_and_take


@pytest.mark.parametrize(
    ("day", "hour"), [pytest.param(GMT, "2026-10-29T09", id="GMT"), pytest.param(BST, "2026-07-30T08", id="BST")]
)
def test_a_release_is_looked_for_from_a_minute_after_its_time(
    confirm: Callable[..., Steps], day: str, hour: str
) -> None:
    steps = confirm(day)
    assert poll(steps, f"{hour}:30:59+00:00") == ("early", 0)
    state, asked = poll(steps, f"{hour}:31:00+00:00")
    assert (state, asked > 0) == ("waiting", True)
    next_hour = f"{hour[:-2]}{int(hour[-2:]) + 1:02}"
    assert poll(steps, f"{next_hour}:30:00+00:00")[0] == "waiting"  # its hour is not over yet
    with pytest.raises(LateReleaseError):
        poll(steps, f"{next_hour}:30:01+00:00")


@pytest.mark.parametrize("now", ["2026-10-28T09:31:00+00:00", "2026-10-30T09:31:00+00:00", "2026-10-30T00:00:00+00:00"])
def test_on_other_days_nobody_is_asked(confirm: Callable[..., Steps], now: str) -> None:
    assert poll(confirm(GMT), now) == ("none", 0)


def test_a_london_day_begins_at_midnight_in_london(confirm: Callable[..., Steps]) -> None:
    steps = confirm("2026-07-29T23:15:00+00:00")  # a quarter past midnight of 30 July
    assert poll(steps, "2026-07-29T22:59:00+00:00") == ("none", 0)
    assert poll(steps, "2026-07-29T23:01:00+00:00") == ("early", 0)


def test_what_is_provisional_is_not_looked_for(steps: Steps) -> None:
    steps.publishers.declare(GOVUK.model_copy(update={"announcements": ANNOUNCED}))
    put_announcements(steps.publishers, announce(day=GMT))
    steps.take()
    assert poll(steps, "2026-10-29T09:31:00+00:00") == ("none", 0)


def test_a_source_that_announces_nothing_is_not_asked(steps: Steps) -> None:
    assert poll(steps, "2026-10-29T09:31:00+00:00") == ("none", 0)


def test_a_release_that_appears_is_published(confirm: Callable[..., Steps]) -> None:
    steps = confirm(GMT)
    put_announcements(steps.publishers)
    assert poll(steps, "2026-10-29T09:31:00+00:00")[0] == "waiting"
    steps.publishers.put(redirect_item(ANNOUNCEMENT, STATISTICS))
    assert poll(steps, "2026-10-29T09:34:00+00:00")[0] == "published"
    # The poll that found it may have been killed before it could say so.
    assert poll(steps, "2026-10-29T09:37:00+00:00") == ("published", 0)
    assert poll(steps, "2026-10-30T09:31:00+00:00") == ("none", 0)


def test_a_release_that_is_in_is_published_however_late_it_is_seen(confirm: Callable[..., Steps]) -> None:
    steps = confirm(GMT)
    put_announcements(steps.publishers)
    steps.publishers.put(redirect_item(ANNOUNCEMENT, STATISTICS))
    assert poll(steps, "2026-10-29T15:00:00+00:00")[0] == "published"


@pytest.mark.parametrize("how", ["gone", "in the search"])
def test_a_release_that_is_cancelled_is_no_failure(confirm: Callable[..., Steps], how: str) -> None:
    steps = confirm(GMT)
    if how == "gone":
        put_announcements(steps.publishers)
        steps.publishers.archive.answer(f"{API}{ANNOUNCEMENT}", 410)
    else:
        put_announcements(steps.publishers, announce("cancelled", GMT))
    assert poll(steps, "2026-10-29T12:00:00+00:00")[0] == "cancelled"
    assert poll(steps, "2026-10-29T12:03:00+00:00") == ("cancelled", 0)


def test_a_late_release_is_named_with_its_time_and_address(confirm: Callable[..., Steps]) -> None:
    steps = confirm(GMT, "29 October 2026 9:30am")
    with pytest.raises(LateReleaseError) as caught:
        poll(steps, "2026-10-29T10:30:01+00:00")
    assert caught.value.what == f"late: {TITLE} ({SOURCE}), expected 29 October 2026 9:30am: {SITE}{ANNOUNCEMENT}"
    assert caught.value.next_step


def test_a_publisher_that_is_down_says_nothing_until_the_hour_is_over(
    confirm: Callable[..., Steps], slept: list[float]
) -> None:
    steps = confirm(GMT)
    for url in (f"{API}{LIST}", SEARCH):
        steps.publishers.archive.answer(url, 503)
    assert poll(steps, "2026-10-29T09:31:00+00:00")[0] == "waiting"
    with pytest.raises(LateReleaseError, match=f"^late: {TITLE}.*; asking failed: .* answered 503 to 5 requests"):
        poll(steps, "2026-10-29T10:31:00+00:00")


def test_a_release_that_moves_while_it_is_looked_for_is_neither_late_nor_looked_for_any_longer(
    confirm: Callable[..., Steps],
) -> None:
    steps = confirm(GMT)
    assert poll(steps, "2026-10-29T09:31:00+00:00")[0] == "waiting"
    put_announcements(steps.publishers, announce("confirmed", "2026-11-05T09:30:00+00:00"))
    state, _ = poll(steps, "2026-10-29T10:31:00+00:00")
    assert state in ("waiting", "none")
    assert poll(steps, "2026-10-29T10:34:00+00:00") == ("none", 0)
    assert poll(steps, "2026-11-05T09:30:00+00:00") == ("early", 0)


def test_a_release_that_moves_to_a_later_hour_of_its_day_is_looked_for_then(confirm: Callable[..., Steps]) -> None:
    steps = confirm(GMT)
    put_announcements(steps.publishers, announce("confirmed", "2026-10-29T14:00:00+00:00"))
    assert poll(steps, "2026-10-29T10:31:00+00:00")[0] == "waiting"
    assert poll(steps, "2026-10-29T10:34:00+00:00") == ("early", 0)


def test_a_release_that_is_provisional_again_is_not_late(confirm: Callable[..., Steps]) -> None:
    steps = confirm(GMT)
    put_announcements(steps.publishers, announce(day="2026-11-26T09:30:00+00:00", text="November 2026"))
    assert poll(steps, "2026-10-29T10:31:00+00:00")[0] == "waiting"
    assert poll(steps, "2026-10-29T10:34:00+00:00") == ("none", 0)


def test_a_search_that_lags_behind_hides_no_release(confirm: Callable[..., Steps]) -> None:
    steps = confirm(GMT)
    steps.publishers.put(redirect_item(ANNOUNCEMENT, STATISTICS))
    assert poll(steps, "2026-10-29T09:31:00+00:00")[0] == "published"


# --- two at once ---------------------------------------------------------------------------------------------

DATA_SET = "/government/statistical-data-sets/police-recorded-crime-and-outcomes-open-data-tables"
BY_FORCE = "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards"
FETCH = """
import sys
from pathlib import Path
from etl.nightly import fetch_edition
from etl.settings import Settings

home, replica, source, run, key = sys.argv[1:]
settings = Settings(home=Path(home), replica_url=replica, lease_wait_seconds=0)
print(*fetch_edition(settings, source, run, key))
"""


def test_two_processes_that_fetch_of_one_source_take_turns(
    publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(publishers)
    publishers.put(item(DATA_SET, "Open data", attachment(file_of(1), BY_FORCE)))
    publishers.archive.put(file_of(1), table(1), modified=UPLOADED)
    (key,) = steps.discover()
    arrived, go_on = threading.Event(), threading.Event()
    real = publishers.archive.reply

    def hold(url: str) -> Reply:
        if url == file_of(1):
            arrived.set()
            assert go_on.wait(60)
        return real(url)

    monkeypatch.setattr(publishers.archive, "reply", hold)
    words = [str(publishers.home), publishers.replica.url, SOURCE, RUN, key]
    with subprocess.Popen(
        [sys.executable, "-c", FETCH, *words], cwd=project_root(), stdout=subprocess.PIPE, text=True
    ) as first:
        try:
            assert arrived.wait(60)
            with pytest.raises(LeaseHeldError, match=f"is being refreshed by process {first.pid} on"):
                steps.fetch(key)

            def let_the_first_end(_: float) -> None:
                go_on.set()
                first.wait()

            # Whoever waits for the lease sleeps between two looks at it: meanwhile the first one ends.
            monkeypatch.setattr("time.sleep", let_the_first_end)
            patient = steps.settings.model_copy(update={"lease_wait_seconds": 60})
            assert nightly.fetch_edition(patient, SOURCE, RUN, key) == []
        finally:
            go_on.set()
        assert first.stdout is not None
        assert (
            first.stdout.read()
            == f"{SOURCE}/police-recorded-crime-open-data-police-force-area-tables-year-ending-march-2013-onwards@1\n"
        )
    assert first.returncode == 0
    files = [(asked.is_conditional, asked.status) for asked in publishers.replica.asked if asked.url == file_of(1)]
    assert files == [(False, 200), (True, 304)]


@pytest.mark.parametrize("step", ["discover", "finish", "sweep"])
def test_steps_say_who_holds_their_source(steps: Steps, step: str) -> None:
    steps.discover()
    act = {
        "discover": steps.discover,
        "finish": steps.finish,
        "sweep": lambda: nightly.sweep_source(steps.settings, SOURCE),
    }[step]
    with (
        hold_lease(steps.publishers.home / "landing" / "seen" / SOURCE, "refresh", 0),
        pytest.raises(LeaseHeldError, match="is being refreshed by"),
    ):
        act()


# --- sweep ---------------------------------------------------------------------------------------------------

ORPHANS = (
    f"{SITE}/api/search.json?filter_organisations=ministry-of-justice"
    "&filter_content_store_document_type=national_statistics&filter_content_store_document_type=official_statistics"
    "&fields=title&fields=link&count=1500&start=0"
)
ORPHAN = "/government/statistics/proven-reoffending-statistics-january-to-march-2019"
ORPHAN_TITLE = "Proven reoffending statistics: January to March 2019"


def sweep(steps: Steps) -> list[str]:
    return nightly.sweep_source(steps.settings, SOURCE)


def test_a_silent_swap_is_found_by_the_sweep_and_not_by_a_night(steps: Steps) -> None:
    steps.take()
    (seen,) = [seen for seen in steps.publishers.observed() if seen.requested_url == file_of(2)]
    validators = {"ETag": seen.etag or "", "Last-Modified": seen.last_modified or ""}
    steps.publishers.archive.put(file_of(2), table(99), headers=validators)
    steps.run = NEXT
    assert steps.take() == []
    before = steps.asked()
    assert sweep(steps) == [f"{SOURCE}/edition-2@2"]
    assert not any(asked.is_conditional for asked in steps.publishers.replica.asked[before:])
    second = [release for release in steps.publishers.releases if release[0].startswith("edition-2@")]
    assert [(release[2], release[3]) for release in second] == [("superseded", [table(2)]), ("current", [table(99)])]
    assert sweep(steps) == []


def test_a_sweep_that_finds_nothing_makes_no_release(ons: Steps) -> None:
    ons.take()
    assert nightly.sweep_source(ons.settings, "recorded_crime_ons") == []
    assert ons.publishers.releases == CORRECTED


def put_orphans(steps: Steps, *found: tuple[str, str], **more: Any) -> None:
    """Let GOV.UK's search know these statistics, beside those of the collection."""
    listed = [(page_of(number), f"Proven reoffending {number}") for number in range(1, COUNT + 1)]
    results = [{"link": link, "title": title} for link, title in [*listed, *found]]
    steps.publishers.archive.put(ORPHANS, json.dumps({"results": results}).encode(), **more)


@pytest.fixture
def searched(steps: Steps) -> Steps:
    steps.publishers.declare(GOVUK.model_copy(update={"announcements": ANNOUNCED}))
    put_orphans(steps, (ORPHAN, ORPHAN_TITLE), ("/government/statistics/prisons", "Prison population"))
    return steps


def test_a_publication_that_no_page_lists_is_told_once(searched: Steps) -> None:
    with pytest.raises(KeptOutError) as caught:
        sweep(searched)
    assert f"{ORPHAN_TITLE!r} ({SITE}{ORPHAN}) is published and listed on none of the pages" in caught.value.what
    assert "ignore_pages" in caught.value.what
    assert "Prison" not in caught.value.what
    assert caught.value.next_step
    assert sweep(searched) == []
    searched.take()  # a night neither tells nor forgets it
    assert searched.told() == []
    assert sweep(searched) == []


def _refused(steps: Steps) -> list[str]:
    seen = SeenAddresses(steps.publishers.home, SOURCE)
    return [each.url for each in seen if each.refused and each.url.startswith("orphan:")]


def test_an_orphan_is_settled_by_a_rule(searched: Steps) -> None:
    with pytest.raises(KeptOutError):
        sweep(searched)
    assert _refused(searched) == [f"orphan:{SITE}{ORPHAN}"]
    rule = Rule(match="january-to-march-2019", why="a correction that repeats another")
    place = GOVUK.model_copy(update={"announcements": ANNOUNCED, "ignore_pages": [rule]})
    searched.publishers.declare(place)
    assert sweep(searched) == []
    assert _refused(searched) == []


def test_an_orphan_is_settled_by_being_listed_and_is_news_when_it_is_back(searched: Steps) -> None:
    with pytest.raises(KeptOutError):
        sweep(searched)
    content = item(ORPHAN, ORPHAN_TITLE, attachment(file_of(9)))
    members = [item(page_of(n), f"Edition {n}", attachment(file_of(n))) for n in range(1, COUNT + 1)]
    searched.publishers.put(content)
    searched.publishers.archive.remove(file_of(9))
    searched.publishers.put(collection(LIST, *members, content))
    with pytest.raises(KeptOutError, match="404"):
        sweep(searched)
    assert _refused(searched) == []
    searched.publishers.put(collection(LIST, *members))
    with pytest.raises(KeptOutError, match="is published and listed on none"):
        sweep(searched)


def test_a_search_that_refuses_is_a_readable_error(searched: Steps) -> None:
    searched.publishers.archive.answer(ORPHANS, 422)
    with pytest.raises(KeptOutError, match="answered 422") as caught:
        sweep(searched)
    assert caught.value.next_step
    assert len(searched.publishers.releases) == COUNT  # what the pages list was taken


def test_a_search_in_another_shape_is_a_readable_error(searched: Steps) -> None:
    searched.publishers.archive.put(ORPHANS, b'{"results": [{"title": "Proven reoffending"}]}')
    with pytest.raises(KeptOutError, match=r"GOV\.UK's search answered in a shape that is not understood"):
        sweep(searched)


def test_a_search_that_fails_keeps_orphans_known(searched: Steps) -> None:
    with pytest.raises(KeptOutError):
        sweep(searched)
    searched.publishers.archive.answer(ORPHANS, 422)
    with pytest.raises(KeptOutError, match="422"):
        sweep(searched)
    put_orphans(searched, (ORPHAN, ORPHAN_TITLE))
    assert sweep(searched) == []


def test_a_search_that_fails_hides_nothing_else(searched: Steps) -> None:
    """What was refused or missed is news once: whoever is not told now never is."""
    searched.publishers.archive.put(file_of(1), b"<html>Sorry</html>")
    searched.publishers.archive.answer(ORPHANS, 422)
    with pytest.raises(KeptOutError) as caught:
        sweep(searched)
    assert file_of(1) in caught.value.what
    assert "answered 422" in caught.value.what


def test_a_sweep_tells_what_was_refused_and_what_was_missed(searched: Steps) -> None:
    put_orphans(searched)
    searched.publishers.archive.put(file_of(1), b"<html>Sorry</html>")
    searched.publishers.archive.remove(file_of(2))
    with pytest.raises(KeptOutError) as caught:
        sweep(searched)
    assert file_of(1) in caught.value.what
    assert f"{file_of(2)} is listed and not there (404)" in caught.value.what


def test_a_page_that_is_listed_and_cannot_be_read_is_no_orphan(searched: Steps) -> None:
    put_orphans(searched)
    searched.publishers.archive.answer(f"{API}{page_of(3)}", 403)
    with pytest.raises(KeptOutError) as caught:
        sweep(searched)
    assert "is not public (403)" in caught.value.what
    assert "listed on none of the pages" not in caught.value.what


def test_while_the_list_is_down_nothing_is_an_orphan(searched: Steps, slept: list[float]) -> None:
    with pytest.raises(KeptOutError):
        sweep(searched)
    shutil.rmtree(searched.publishers.home / "landing" / "seen" / SOURCE)  # no page is known as landed
    searched.publishers.archive.answer(f"{API}{LIST}", 500)
    with pytest.raises(KeptOutError, match="answered 500"):
        sweep(searched)


def test_a_sweep_keeps_the_times_of_what_was_replaced(ons: Steps) -> None:
    """A version that was replaced was put out when it was, not when the one that stands was."""
    ons.take()
    nightly.sweep_source(ons.settings, "recorded_crime_ons")
    first = f"{ONS}/file?uri={MARCH}/previous/v1/march.csv"
    times = [seen.published_at for seen in ons.publishers.observed() if seen.requested_url == first]
    assert times == ["2026-07-17T23:00:00+00:00"] * 2


# --- housekeeping --------------------------------------------------------------------------------------------


def test_what_old_runs_left_is_removed(steps: Steps) -> None:
    now = datetime(2026, 11, 24, 5, 5, tzinfo=UTC)
    folders = {}
    for name, age in (("old", timedelta(days=30, seconds=1)), ("young", timedelta(days=30) - timedelta(seconds=1))):
        steps.run = name
        steps.take()
        folders[name] = steps.folder.parent
        moment = (now - age).timestamp()
        os.utime(steps.folder.parent, (moment, moment))
    assert all(folder.is_dir() for folder in folders.values())
    assert nightly.prune_home(steps.settings, now) == []
    assert [name for name, folder in folders.items() if folder.exists()] == ["young"]


def test_a_home_that_never_ran_is_pruned_too(publishers: Publishers) -> None:
    assert nightly.prune_home(Steps(publishers).settings) == []


def test_versions_beyond_those_kept_are_removed(steps: Steps) -> None:
    home = steps.publishers.home
    for version in ("a", "b", "c", "d"):
        _serve(home, version)
    write_json(home / "versions" / "state.json", {"published": ["d", "c", "b", "a"], "pinned": ["c"], "held": []})
    few = steps.settings.model_copy(update={"keep_versions": 3})
    assert nightly.prune_home(few) == []  # c is pinned and does not count
    fewer = steps.settings.model_copy(update={"keep_versions": 1})
    assert nightly.prune_home(fewer) == ["b", "a"]
    assert sorted(path.name for path in (home / "versions").iterdir()) == [".gone", "c", "d", "state.json"]


# --- names of runs -------------------------------------------------------------------------------------------

RUN_IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=250) | st.from_regex(
    r"[A-Za-z0-9_.~:+-]{1,250}", fullmatch=True
)
"""Airflow lets in what the second says; the first is whatever somebody may let in."""


@given(RUN_IDS)
@example("..")
@example(".")
@example("../../x")
@example("/etc")
@example("manual__2026-11-24T14:22:30+00:00")
@example("ä" * 250)
def test_no_run_leaves_the_folder_of_runs(run: str) -> None:
    settings = Settings(home=Path("/home-of-nobody"))
    folder = Path(os.path.normpath(_run_folder(settings, SOURCE, run)))
    assert folder.parent.parent == settings.home / "runs"
    assert folder.name == SOURCE
    assert len(folder.parent.name.encode()) <= 255


@given(RUN_IDS, RUN_IDS)
@example("manual__2026-11-24T14:22:30+00:00", "manual__2026-11-24T14:22:30-00:00")
@example("manual__2026-11-24T14:22:30+00:00", "manual__2026-11-24T14-22-30-00-00")
@example("a/b", "a-b")
@example("a", "a/")
def test_every_run_has_a_folder_of_its_own(one: str, other: str) -> None:
    settings = Settings(home=Path("/home-of-nobody"))
    folders = {_run_folder(settings, SOURCE, run) for run in (one, other)}
    assert len(folders) == len({one, other})
