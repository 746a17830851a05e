"""The real published files as their publishers would list them, and how to land the same ones by hand."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from etl.landing import Incoming, land
from etl.publishers import nomis, open_geography
from etl.replica import Archive
from etl.sources import load_source
from etl.sources.places import GovUkPlace, NomisPlace, OnsPlace, OpenGeographyPlace
from samples.archive import put_collection, put_data_set, put_dataset_page
from samples.make import Sample
from tests.sql.published import FORCE_TABLES

OPEN_DATA = "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards"
SERVICES = {
    "LAD19_CSP19_PFA19_EW_LU": "LAD19_CSP19_PFA19_EW_LU.csv",
    "LAD24_CSP24_PFA24_EW_LU": "lookup_ltla24_csp24_pfa24.csv",
    "LTLA23_UTLA23_EW_LU": "lookup_ltla23_utla23.csv",
    "LAD24_RGN24_EN_LU": "lookup_ltla24_region24.csv",
}
ASKED_ON = "2025-07-30T08:30:00+00:00"
"""When Nomis and Open Geography say that their answers changed last."""


@dataclass(frozen=True)
class Published:
    """One edition as it is landed: what a refresh makes of it, and what a person gives by hand."""

    source: str
    title: str
    published: str
    file: Incoming

    def land(self, home: Path) -> None:
        land(home, source=self.source, title=self.title, published=self.published, files=[self.file])


def put_real_files(archive: Archive, publications: Path, folder: Path) -> list[Published]:
    """Let an archive hold the real files; → every edition that a refresh must land from it.

    Args:
        archive: what the publishers answer.
        publications: the real published files.
        folder: where answers of services are made from real tables.
    """
    folder.mkdir()
    force_tables = publications / "ons-police-force-area-tables"
    ons = [
        Sample(force_tables / name, "recorded_crime_ons", title, day, "") for title, (day, name) in FORCE_TABLES.items()
    ]
    c2 = force_tables / "policeforceareatablesyejune25final--table-c2.csv"
    ons.append(Sample(c2, "recorded_crime_ons", "Year ending June 2025", "2025-10-23", ""))
    people = publications / "ons-population"
    population = [
        Sample(people / "ukpopestimatesmid2020on2021geography.xls", "population", "Mid-2020", "2021-06-25", ""),
        Sample(people / "mye24tablesew.csv", "population", "Mid-2024", "2025-07-30", ""),
    ]
    open_data = publications / "home-office-open-data" / "prc-pfa-mar2013-onwards-tables201718.csv"
    home_office = [Sample(open_data, "recorded_crime_home_office", OPEN_DATA, "2018-07-19", "")]
    published = []
    for samples in (ons, population, home_office):
        source = samples[0].source
        for place in load_source(source).places:
            if isinstance(place, OnsPlace):
                put_dataset_page(archive, place, samples)
            elif isinstance(place, GovUkPlace):
                put_data_set(archive, place, samples)
        for sample in samples:
            (url,) = [unquote(url) for url in archive.urls if unquote(url).endswith(f"/{sample.path.name}")]
            day = "2018-07-19T09:30:00+01:00" if source == "recorded_crime_home_office" else sample.published_on
            published.append(Published(source, sample.title, day, Incoming(sample.path, sample.path.name, url)))
    # No real table of reoffending is at hand: its collections list nothing.
    for source in ("proven_reoffending", "local_adult_reoffending"):
        for place in load_source(source).places:
            if isinstance(place, GovUkPlace):
                put_collection(archive, place, [])
    return [*published, *put_services(archive, publications, folder)]


def put_services(archive: Archive, publications: Path, folder: Path) -> list[Published]:
    """Answers of Nomis and Open Geography, made from the real tables at hand."""
    published = []
    for source in ("population", "geography"):
        for place in load_source(source).places:
            if isinstance(place, NomisPlace):
                (edition,) = nomis.list_editions(place).editions
                answer = _as_nomis(publications / "ons-population" / "mye24tablesew.csv", folder)
                published.append(_put(archive, source, edition.title, edition.files[0].url, answer))
            elif isinstance(place, OpenGeographyPlace):
                for edition in open_geography.list_editions(place).editions:
                    lookup = publications / "ons-geography" / SERVICES[edition.title]
                    answer = _as_features(lookup, folder / f"{edition.title}-0.json")
                    published.append(_put(archive, source, edition.title, edition.files[0].url, answer))
    return published


def _put(archive: Archive, source: str, title: str, url: str, answer: Path) -> Published:
    archive.put(url, answer, modified=ASKED_ON)
    return Published(source, title, ASKED_ON, Incoming(answer, answer.name, url))


def _as_features(lookup: Path, target: Path) -> Path:
    with lookup.open(encoding="utf-8-sig", newline="") as file:
        rows = [{"attributes": row} for row in csv.DictReader(file)]
    target.write_text(json.dumps({"features": rows}), encoding="utf-8")
    return target


def _as_nomis(table: Path, folder: Path) -> Path:
    """Local authorities of mid-2024, one a line."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if row and row[0][:3] in ("E06", "E07", "E08", "E09", "W06")]
    target = folder / "NM_2002_1-0.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(nomis.COLUMNS)
        writer.writerows(["2024", row[0], row[1], row[3].replace(",", ""), len(rows)] for row in rows)
    return target
