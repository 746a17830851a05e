"""Nomis and ONS Open Geography: answers in parts, and errors in the guise of success."""

from __future__ import annotations

import json
from typing import Any

import pytest

from etl.publishers import nomis, open_geography
from etl.sources.places import NomisPlace, OpenGeographyPlace
from tests.publishers.support import Publishers

HEADER = "DATE_NAME,GEOGRAPHY_CODE,GEOGRAPHY_NAME,OBS_VALUE,RECORD_COUNT"
NOMIS = NomisPlace(
    publisher="nomis", title="Estimates", dataset="NM_2002_1", geography="TYPE424", dates=["2023", "2024"]
)
SERVICE = "LAD24_CSP24_PFA24_EW_LU"
GEOGRAPHY = OpenGeographyPlace(publisher="open_geography", services=[SERVICE])


def first_url(place: NomisPlace | OpenGeographyPlace) -> str:
    module: Any = nomis if isinstance(place, NomisPlace) else open_geography
    url: str = module.list_editions(place).editions[0].files[0].url
    return url


def people(first: int, last: int, total: int) -> bytes:
    """Lines of a Nomis answer, by number."""
    rows = [f"2024,E{n:08},Area {n},{n + 1000},{total}" for n in range(first, last + 1)]
    return "\n".join([HEADER, *rows, ""]).encode()


@pytest.fixture
def nomis_asked(publishers: Publishers) -> Publishers:
    publishers.declare(NOMIS, source="population")
    return publishers


@pytest.fixture
def geography(publishers: Publishers) -> Publishers:
    publishers.declare(GEOGRAPHY, source="geography")
    return publishers


# --- Nomis -----------------------------------------------------------------------------------------------


def test_the_address_of_nomis_is_the_documented_one() -> None:
    assert first_url(NOMIS.model_copy(update={"parameters": {"gender": "0", "c_age": "200", "measures": "20100"}})) == (
        "https://www.nomisweb.co.uk/api/v01/dataset/NM_2002_1.data.csv?date=2023,2024&geography=TYPE424&gender=0"
        "&c_age=200&measures=20100&select=DATE_NAME,GEOGRAPHY_CODE,GEOGRAPHY_NAME,OBS_VALUE,RECORD_COUNT"
    )


def test_25_001_rows_come_in_two_parts(nomis_asked: Publishers) -> None:
    nomis_asked.archive.put(first_url(NOMIS), people(1, 25_000, 25_001))
    nomis_asked.archive.put(f"{first_url(NOMIS)}&recordOffset=25000", people(25_001, 25_001, 25_001))
    night = nomis_asked.night()
    assert night.states == ["new", "new"]
    ((name, _, _, bodies),) = nomis_asked.releases
    assert name == "estimates@1"
    assert sorted(len(body.splitlines()) for body in bodies) == [2, 25_001]
    assert {outcome.filename for outcome in night.outcomes} == {"NM_2002_1-0.csv", "NM_2002_1-25000.csv"}
    assert nomis_asked.night().states == ["unchanged", "unchanged"]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (people(1, 10, 11), "rows 1 to 10 of 11, which is cut short"),
        (people(1, 10, 9), "rows 1 to 10 of 9"),
        (people(1, 3, 3).replace(b"1002", b"0"), "Area 2 (E00000002) has 0 people in 2024"),
        (people(1, 3, 3).replace(b"1002", b""), "Area 2 (E00000002) has no people in 2024"),
        (b"<!doctype html><h1>Service unavailable</h1>", "is a page of HTML"),
        (b"Error: unknown geography\n", "where the header DATE_NAME"),
        (HEADER.encode() + b"\n", "RECORD_COUNT is [] in 0 rows"),
        (people(1, 2, 4) + people(3, 4, 5).split(b"\n", 1)[1], "RECORD_COUNT is ['4', '5']"),
    ],
)
def test_what_nomis_gives_for_an_answer_and_is_none(nomis_asked: Publishers, body: bytes, what: str) -> None:
    nomis_asked.archive.put(first_url(NOMIS), body)
    night = nomis_asked.night()
    assert night.states == ["refused"]
    assert what in night.whys
    assert nomis_asked.releases == []


def test_nothing_is_landed_of_a_query_of_which_a_part_fails(nomis_asked: Publishers) -> None:
    nomis_asked.archive.put(first_url(NOMIS), people(1, 25_000, 25_001))
    night = nomis_asked.night()
    assert night.states == ["unreachable"]
    assert "recordOffset=25000" in night.outcomes[0].url
    assert nomis_asked.releases == []


def test_revised_estimates_are_another_release(nomis_asked: Publishers) -> None:
    nomis_asked.archive.put(first_url(NOMIS), people(1, 3, 3), modified="2025-07-30T09:30:00+01:00")
    nomis_asked.night()
    changed = people(1, 3, 3).replace(b"1002", b"1099")
    nomis_asked.archive.put(first_url(NOMIS), changed, modified="2026-07-29T09:30:00+01:00")
    assert nomis_asked.night().states == ["revised"]
    assert [release[:3] for release in nomis_asked.releases] == [
        ("estimates@1", "2025-07-30T08:30:00+00:00", "superseded"),
        ("estimates@2", "2026-07-29T08:30:00+00:00", "current"),
    ]


# --- Open Geography --------------------------------------------------------------------------------------


def features(*numbers: int, more: bool = False) -> bytes:
    rows = [{"attributes": {"LAD24CD": f"E{n:08}", "LAD24NM": f"Area {n}"}} for n in numbers]
    return json.dumps({"features": rows} | ({"exceededTransferLimit": True} if more else {})).encode()


def test_pages_are_followed_to_the_last(geography: Publishers) -> None:
    url = first_url(GEOGRAPHY)
    assert "resultOffset=0" in url
    geography.archive.put(url, features(1, 2, more=True))
    geography.archive.put(url.replace("resultOffset=0", "resultOffset=2"), features(3))
    assert geography.night().states == ["new", "new"]
    ((name, _, _, bodies),) = geography.releases
    assert name == "lad24-csp24-pfa24-ew-lu@1"
    assert sorted(bodies, key=len) == [features(3), features(1, 2, more=True)]
    assert geography.night().states == ["unchanged", "unchanged"]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'{"error": {"code": 400, "message": "Invalid URL"}}', "Invalid URL"),
        (b'{"features": []}', "answered without rows"),
        (b'{"features": [{"geometry": {}}]}', "answered without rows"),
        (b"[1, 2]", "answered with an error"),
        (b"OBJECTID,LAD24CD\n1,E06000001\n", "answered no JSON"),
    ],
)
def test_errors_come_with_200(geography: Publishers, body: bytes, what: str) -> None:
    geography.archive.put(first_url(GEOGRAPHY), body)
    night = geography.night()
    assert night.states == ["refused"]
    assert what in night.whys
    assert geography.releases == []


def test_a_service_that_fails_keeps_no_other_from_landing(publishers: Publishers) -> None:
    place = OpenGeographyPlace(publisher="open_geography", services=["OLD", SERVICE])
    publishers.declare(place, source="geography")
    publishers.archive.put(first_url(GEOGRAPHY), features(1))
    assert publishers.night().states == ["unreachable", "new"]
