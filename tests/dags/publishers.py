"""Publishers that list one small edition of every source; of proven and local adult reoffending nothing is out yet."""

from __future__ import annotations

import json
from pathlib import Path

from etl.publishers import nomis, open_geography
from etl.replica import Archive
from etl.sources import declared_sources, load_source
from etl.sources.places import GovUkPlace, NomisPlace, OnsPlace, OpenGeographyPlace, Place
from samples.archive import put_collection, put_data_set, put_dataset_page
from samples.make import Sample
from tests.end_to_end.builders import KENT, WEST_MIDLANDS, Edition, force_tables, open_data, population
from tests.support import CSP_HEADER, csp_row, write_csv

BY_FORCE = "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards"
BY_PARTNERSHIP = "Police recorded crime open data Community Safety Partnership tables, year ending March 2021"
ASKED_ON = "2025-07-30T08:30:00+00:00"
"""When services say that their answers changed last."""

_AREAS: tuple[dict[str, tuple[str, str]], ...] = (
    {
        "LAD": ("E08000025", "Birmingham"),
        "LTLA": ("E08000025", "Birmingham"),
        "UTLA": ("E08000025", "Birmingham"),
        "CSP": ("E22000335", "Birmingham"),
        "PFA": WEST_MIDLANDS,
        "RGN": ("E12000005", "West Midlands"),
    },
    {
        "LAD": ("E07000105", "Ashford"),
        "LTLA": ("E07000105", "Ashford"),
        "UTLA": ("E10000016", "Kent"),
        "CSP": ("E22000140", "Ashford"),
        "PFA": KENT,
        "RGN": ("E12000008", "South East"),
    },
)


def make_publishers(folder: Path) -> Archive:
    """An archive in which every declared place of every source answers."""
    folder.mkdir()
    archive = Archive(folder / "archive")
    for source in declared_sources():
        for place in load_source(source).places:
            put_place(archive, source, place, folder)
    return archive


def put_place(archive: Archive, source: str, place: Place, folder: Path) -> None:
    """Let a declared place of a source answer; files that it lists are made in `folder`."""
    if isinstance(place, OpenGeographyPlace):
        for edition in open_geography.list_editions(place).editions:
            archive.put(edition.files[0].url, _list_areas(edition.title), modified=ASKED_ON)
    elif isinstance(place, NomisPlace):
        (edition,) = nomis.list_editions(place).editions
        answer = f"{','.join(nomis.COLUMNS)}\n2024,E08000025,Birmingham,1157603,1\n"
        archive.put(edition.files[0].url, answer.encode(), modified=ASKED_ON)
    elif isinstance(place, OnsPlace):
        made = force_tables(folder) if source == "recorded_crime_ons" else population(folder)
        name = "p1.xlsx" if source == "recorded_crime_ons" else "ukpopestimatesmid2016.xlsx"
        put_dataset_page(archive, place, [_as_sample(made, made.title, name)])
    elif isinstance(place, GovUkPlace) and source == "recorded_crime_home_office":
        put_data_set(archive, place, [_as_sample(open_data(folder), BY_FORCE), _by_partnership(folder)])
    elif isinstance(place, GovUkPlace):
        put_collection(archive, place, [])


def _as_sample(edition: Edition, title: str, name: str | None = None) -> Sample:
    path = edition.files[0]
    named = path.rename(path.with_name(name)) if name else path
    return Sample(named, edition.source, title, edition.published, "")


def _by_partnership(folder: Path) -> Sample:
    """With codes, so that it can be placed before any geography was landed."""
    file = write_csv(folder / "csp.csv", [CSP_HEADER, csp_row(" 20 ")])
    return Sample(file, "recorded_crime_home_office", BY_PARTNERSHIP, "2021-07-22", "")


def _list_areas(service: str) -> bytes:
    """What a lookup service answers: `LAD24_RGN24_EN_LU` has the columns LAD24CD, LAD24NM, RGN24CD, RGN24NM."""
    levels = [part for part in service.split("_") if part[-1].isdigit()]
    rows = [
        {
            f"{level}{column}": text
            for level in levels
            for column, text in zip(("CD", "NM"), area[level[:-2]], strict=True)
        }
        for area in _AREAS
    ]
    return json.dumps({"features": [{"attributes": row} for row in rows]}).encode()
