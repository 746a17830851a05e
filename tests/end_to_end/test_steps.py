"""The steps of the nightly job, through to a version that serves; and the options of `justice-etl refresh`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from etl import nightly
from etl import refresh as refresh_module
from etl.errors import KeptOutError
from etl.landing import list_releases, read_records
from etl.publish import current_version
from etl.settings import Settings
from etl.sources import load_source
from tests.end_to_end.nights import BY_FORCE, DATA_SET, FORCE_PAGE, Night, make_night, put_page
from tests.faults.commands import DONE, FAILED, WRONG_USE, Commands, assert_readable
from tests.faults.homes import read_tables
from tests.publishers.support import ONS, asset, attachment, item

SOURCES = ("recorded_crime_home_office", "recorded_crime_ons")
RUN = "manual__2026-11-24T14:22:30+00:00"
BY_PARTNERSHIP = "Police recorded crime Community Safety Partnership open data, year ending March 2016 onwards"
CRIME = ("--source", "recorded_crime_ons")


@pytest.fixture
def night(tmp_path: Path, commands: Commands) -> Iterator[Night]:
    with make_night(tmp_path, commands) as made:
        yield made


def test_the_steps_make_what_a_refresh_makes(night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    night.put_workbook(night.workbook)
    odd, force = asset("csp.csv", 2), asset("prc-pfa.csv")
    night.archive.put(odd, b"a,b\n1,2\n", modified="2024-01-24T16:00:00+00:00")
    put_page(night.archive, item(DATA_SET, "Open data", attachment(force, BY_FORCE), attachment(odd, BY_PARTNERSHIP)))
    monkeypatch.setattr(refresh_module, "declared_sources", lambda: {name: load_source(name) for name in SOURCES})
    in_a_row = Settings(home=tmp_path / "in-a-row", replica_url=night.replica.url)
    refreshed = refresh_module.refresh(in_a_row)
    assert refreshed.failure is None
    assert refreshed.published is not None

    settings = Settings(home=tmp_path / "in-steps", replica_url=night.replica.url)
    outcomes = []
    for source in SOURCES:
        for key in nightly.discover_source(settings, source, RUN):
            assert len(nightly.fetch_edition(settings, source, RUN, key)) == 1
        unread = nightly.finish_source(settings, source, RUN)
        read = [nightly.read_file(settings, source, sha256) for sha256 in unread]
        # Of the Home Office one file is no table of ours; of ONS there is one file.
        assert len(read) == {"recorded_crime_home_office": 2, "recorded_crime_ons": 1}[source]
        assert read.count("layout") == len(read) - 1
        assert nightly.check_source(settings, source) == {"files": len(read), "read": 1, "kept_out": 0}
        nightly.report_source(settings, source, RUN)
        assert nightly.find_news(settings, source) is not None
        folder = nightly._run_folder(settings, source, RUN)
        outcomes += nightly._read_run(folder, nightly._read_plan(folder))[0]
    assert sorted(outcomes, key=lambda each: each.url) == sorted(refreshed.outcomes, key=lambda each: each.url)
    assert [outcome.state for outcome in outcomes] == ["new"] * 3
    assert [record.key for record in read_records(settings.home)] == [
        record.key for record in read_records(in_a_row.home)
    ]

    version = nightly.build_version(settings).version
    nightly.check_version(settings, version)
    assert current_version(settings.home) is None
    published = nightly.publish_version(settings)
    assert (published.version, published.is_new) == (version, True)
    assert version == refreshed.published.version
    assert read_tables(settings.home) == read_tables(in_a_row.home)  # every table, row for row
    assert [nightly.find_news(settings, source) for source in SOURCES] == [None, None]
    with pytest.raises(KeptOutError, match=f"version {version} is published and keeps out, newly: csp.csv"):
        nightly.report_version(settings)
    # Another try of any step finds what the first one made.
    assert nightly.build_version(settings).version == version
    nightly.check_version(settings, version)
    assert not nightly.publish_version(settings).is_new
    nightly.verify_landing(settings)
    assert nightly.prune_home(settings) == []
    nightly.examine_home(settings)


# --- the command line ------------------------------------------------------------------------------------


def test_an_edition_belongs_to_a_source(night: Night) -> None:
    outcome = night.run("--edition", "Year ending March 2018")
    assert_readable(outcome, "an edition belongs to a source", "--source", status=WRONG_USE)
    assert night.replica.asked == []


def test_an_edition_that_is_not_listed_names_those_that_are(night: Night) -> None:
    outcome = night.run(*CRIME, "--edition", "Year ending March 2019")
    parts = "recorded_crime_ons lists no edition 'Year ending March 2019'", "listed are: 'Year ending March 2018'"
    assert_readable(outcome, *parts, status=WRONG_USE)
    assert list_releases(night.home) == []
    assert current_version(night.home) is None


def test_an_edition_of_a_publisher_that_is_down_is_no_wrong_use(night: Night) -> None:
    night.archive.answer(f"{ONS}{FORCE_PAGE}/data", 429, {"Retry-After": "3600"})
    outcome = night.run(*CRIME, "--edition", "Year ending March 2018")
    assert_readable(outcome, "answered 429", "the next run asks again", status=FAILED)


def test_one_edition_is_foreseen(night: Night) -> None:
    outcome = night.run(*CRIME, "--edition", "year ending MARCH 2018", "--dry-run", "--json")
    assert outcome.status == DONE, outcome.text
    assert [(found["edition"], found["state"]) for found in outcome.json["outcomes"]] == [
        ("Year ending March 2018", "new")
    ]


def test_a_full_refresh_asks_whatever_validators_say(night: Night) -> None:
    """The file is not there yet, so that nothing is built."""
    asked = []
    for status, options in ((FAILED, ()), (DONE, ()), (DONE, ("--full",))):
        before = len(night.replica.asked)
        assert night.run(*CRIME, *options).status == status
        asked.append([each.is_conditional for each in night.replica.asked[before:] if each.url.endswith("/data")])
    assert asked == [[False, False], [True, True], [False, False]]
