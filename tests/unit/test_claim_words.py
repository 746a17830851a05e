"""Claims in words: what was claimed, of every kind, the verdict, and what it does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.claim_terms import Verdict
from etl.claim_words import ToldClaim, list_claims, read_claim, tell_claim, tell_claims
from etl.claims import KINDS
from etl.contracts import contracts, quote
from etl.errors import JusticeError, WrongUseError
from etl.files import write_json


def make_row(**change: Any) -> dict[str, Any]:
    """The total of 2010/11, as it is read from a warehouse."""
    return {
        "claim_id": "wmp-total",
        "source": "a newspaper",
        "published_on": date(2013, 3, 8),
        "area_code": "E23000014",
        "area_name": "West Midlands Police",
        "claim_check": "total",
        "measure": "recorded_crime",
        "offence_id": "total_including_fraud",
        "offence_name": "Total recorded crime (including fraud)",
        "period_end": date(2011, 3, 31),
        "base_period_end": date(2003, 3, 31),
        "claimed_value": 215_354.0,
        "claimed_of": None,
        "unit": "offences",
        "tolerance": "0.5%",
        "note": None,
        "observed": 215_350.0,
        "difference": -4.0,
        "verdict": "supported within revisions",
        "reason": "It is 4 below.",
        "publication_needed": None,
        "release_id": "recorded_crime_ons/rolling-years@1",
        "release_title": "Rolling years",
        "release_publisher": "Office for National Statistics",
        "base_release_id": None,
        "base_release_title": None,
        "base_release_publisher": None,
        "is_modelled": False,
        **change,
    }


RANK = {
    "claim_check": "rank",
    "area_name": "Dudley",
    "measure": "local_adult_reoffending",
    "period_end": date(2012, 9, 30),
    "claimed_value": 1.0,
    "claimed_of": 222,
}
CHANGE = {"claim_check": "change", "claimed_value": -21_809.0}
SUM = {"claim_check": "arithmetic", "measure": "1 + 1", "claimed_value": 39.0, "unit": "percent"}
CRIME = "total recorded crime (including fraud) of West Midlands Police"


@pytest.mark.parametrize(
    ("change", "claimed"),
    [
        ({}, "said that West Midlands Police recorded 215,354 offences in the year ending March 2011."),
        (
            CHANGE,
            f"said that {CRIME} fell by 21,809 offences from the year ending March 2003 to the year ending March 2011.",
        ),
        (
            {**CHANGE, "claim_check": "change_percent", "claimed_value": 4.5, "unit": "percent"},
            f"said that {CRIME} rose by 4.5 percent from the year ending March 2003 to the year ending March 2011.",
        ),
        (
            {"claim_check": "ratio", "claimed_value": 0.5},
            f"said that {CRIME} in the year ending March 2011 was 0.5 of that in the year ending March 2003.",
        ),
        (
            {"claim_check": "lowest_since", "claimed_value": 1.0},
            f"said that {CRIME} in the year ending March 2011 was the lowest since the year ending March 2003.",
        ),
        (
            {"claim_check": "lowest_since", "claimed_value": 2.0},
            f"said that {CRIME} in the year ending March 2011 was the 2nd lowest since the year ending March 2003.",
        ),
        (RANK, "put Dudley first of 222 in the table of local adult reoffending, October 2011 to September 2012."),
        (
            {**RANK, "claimed_value": 23.0, "claimed_of": None, "period_end": None},
            "put Dudley 23rd in the table of local adult reoffending, without saying of which period.",
        ),
        (
            {**RANK, "claim_check": "rank_all_within", "claimed_value": 24.0},
            "put all authorities of Dudley among the first 24 of 222 in the table of local adult reoffending, "
            "October 2011 to September 2012.",
        ),
        (SUM, "stated 39 percent for West Midlands Police."),
        ({"claim_check": "not_published", "unit": "officers"}, "stated 215,354 officers for West Midlands Police."),
    ],
)
def test_what_was_claimed_by_whom_and_when(change: dict[str, Any], claimed: str) -> None:
    assert tell_claim(make_row(**change))[0] == f"A newspaper on 8 March 2013 {claimed}"
    assert tell_claim(make_row(**change, published_on=None))[0] == f"A newspaper (no date) {claimed}"


@pytest.mark.parametrize(
    ("number", "place"),
    [
        *[(1, "first"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th")],
        *[(21, "21st"), (112, "112th"), (122, "122nd")],
    ],
)
def test_a_place(number: int, place: str) -> None:
    assert f"put Dudley {place} of 222" in tell_claim(make_row(**RANK | {"claimed_value": float(number)}))[0]


def test_every_kind_is_told() -> None:
    for kind in KINDS:
        assert len(tell_claim(make_row(claim_check=kind))) >= 3


def test_verdict_reason_and_release_follow() -> None:
    told = tell_claim(make_row(note="as printed."))
    assert told[1:4] == [
        "Verdict: supported within revisions.",
        "It is 4 below.",
        "It rests on Office for National Statistics, Rolling years (recorded_crime_ons/rolling-years@1).",
    ]
    assert told[-1] == "Note on the claim: as printed."
    assert any("revised for years" in sentence for sentence in told)
    assert any("accredited official statistic" in sentence for sentence in told)


def test_a_second_release_is_named() -> None:
    first = "recorded_crime_ons/rolling-years@1"
    other = {"base_release_title": "Open data", "base_release_publisher": "Home Office"}
    told = tell_claim(make_row(**CHANGE, **other, base_release_id="recorded_crime_home_office/open-data@1"))
    assert told[3] == (
        f"It rests on Office for National Statistics, Rolling years ({first}) and, for the earlier year, Home Office, "
        "Open data (recorded_crime_home_office/open-data@1)."
    )
    same = make_row(**CHANGE, **other, base_release_id=first)
    assert tell_claim(same)[3] == f"It rests on Office for National Statistics, Rolling years ({first})."


def test_what_the_verdict_does_not_say() -> None:
    change = " ".join(tell_claim(make_row(**CHANGE)))
    assert "Neither chance nor a cause is told by it" in change
    assert "Neither chance" not in " ".join(tell_claim(make_row()))
    rank = " ".join(tell_claim(make_row(**RANK)))
    assert "Rank 1 is the furthest below its prediction" in rank
    assert "never comparable with proven reoffending" in rank
    assert "accredited" not in rank
    assert "Only the sum is checked" in " ".join(tell_claim(make_row(**SUM)))
    cost = " ".join(tell_claim(make_row(**SUM | {"unit": "pounds"})))
    assert "no money that anybody would save" in cost


def test_what_is_needed_is_told_and_caveats_of_figures_only_where_there_are_some() -> None:
    row = make_row(verdict="not checkable", observed=None, release_id=None, publication_needed="A table")
    told = tell_claim(row)
    assert told[-1] == "Needed to check it: A table."
    assert len(told) == 4


def test_modelled_samples_are_called_so() -> None:
    told = tell_claim(make_row(verdict=Verdict.MODELLED.value, observed=None, release_id=None, is_modelled=True))
    assert "MODELLED SAMPLE: no judgement on any area follows from these figures." in told
    assert not any("accredited" in sentence for sentence in told)


# --- From a warehouse

TABLES = ("mart.claim_check", "ref.claim", "ref.offence", "meta.release")


def make_warehouse(path: Path, rows: list[dict[str, Any]]) -> None:
    with duckdb.connect(str(path)) as connection:
        for name in TABLES:
            contract = contracts()[name]
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {contract.schema}")
            columns = ", ".join(f"{quote(column)} {field.type}" for column, field in contract.columns.items())
            connection.execute(f"CREATE TABLE {name} ({columns})")
        for row in rows:
            for name in ("mart.claim_check", "ref.claim"):
                columns_of = [column for column in contracts()[name].columns if column in row]
                marks = ", ".join("?" for _ in columns_of)
                connection.execute(
                    f"INSERT INTO {name} ({', '.join(columns_of)}) VALUES ({marks})",
                    [row[column] for column in columns_of],
                )
        connection.execute(
            "INSERT INTO ref.offence (offence_id, name) VALUES "
            "('total_including_fraud', 'Total recorded crime (including fraud)')"
        )
        connection.execute(
            "INSERT INTO meta.release (release_id, title, publisher) VALUES "
            "('recorded_crime_ons/rolling-years@1', 'Rolling years', 'Office for National Statistics')"
        )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    """A home that serves two claims."""
    home = tmp_path / "home"
    folder = home / "versions" / "made"
    folder.mkdir(parents=True)
    make_warehouse(folder / "warehouse.duckdb", [make_row(), make_row(claim_id="a-sum", offence_id=None, **SUM)])
    write_json(folder / "manifest.json", {"version": "made"})
    (home / "current").symlink_to("versions/made")
    yield home


def test_claims_of_a_warehouse_in_the_order_of_their_ids(served: Path) -> None:
    first, second = list_claims(served)
    assert (first.claim_id, second.claim_id) == ("a-sum", "wmp-total")
    assert second.sentences == tell_claim(make_row())
    assert (second.claimed, second.reason) == (second.sentences[0], second.sentences[2])
    assert read_claim(served, "wmp-total") == second
    assert set(asdict(second)) == set(ToldClaim.__dataclass_fields__)


@pytest.mark.parametrize(
    ("claim_id", "told"),
    [("wmp-totl", "near it: wmp-total"), ("WMP-Total ", "near it: wmp-total"), ("?", "lists them")],
)
def test_a_claim_that_there_is_not(served: Path, claim_id: str, told: str) -> None:
    with pytest.raises(WrongUseError) as refused:
        read_claim(served, claim_id)
    assert repr(claim_id) in refused.value.what
    assert told in refused.value.next_step


def test_a_warehouse_from_before_there_were_claims() -> None:
    with duckdb.connect() as connection, pytest.raises(JusticeError, match=r"holds no mart\.claim_check"):
        tell_claims(connection)
