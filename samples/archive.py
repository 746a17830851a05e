"""Puts the samples where their publishers would: an archive of answers for `etl.replica`.

Pages are modelled on recorded answers of the Content API and on what is known of the other services.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from etl.http import GOV_UK_FILES
from etl.landing import parse_published, slug
from etl.publishers import govuk, nomis, ons, open_geography
from etl.replica import Archive
from etl.sources import load_source
from etl.sources.places import GovUkPlace, NomisPlace, OnsPlace, OpenGeographyPlace
from samples.make import Sample

Json = dict[str, Any]

_NOT_LISTED = "rec-crime-pfa.csv"
"""The rolling-year file: no page lists it any more, so it is landed by hand."""


def unlisted(samples: Iterable[Sample]) -> list[Sample]:
    """The samples that no publisher lists."""
    return [sample for sample in samples if sample.path.name == _NOT_LISTED]


def make_archive(folder: Path, samples: list[Sample]) -> Archive:
    """Write an archive in which every declared place of the samples' sources answers."""
    archive = Archive(folder)
    listed = [sample for sample in samples if sample.path.name != _NOT_LISTED]
    for source in sorted({sample.source for sample in listed}):
        own = [sample for sample in listed if sample.source == source]
        for place in load_source(source).places:
            if isinstance(place, GovUkPlace):
                put_data_set(archive, place, own)
            elif isinstance(place, OnsPlace):
                put_dataset_page(archive, place, [s for s in own if not s.path.name.startswith("NM_")])
            elif isinstance(place, NomisPlace):
                put_answer(archive, nomis.list_editions(place).editions[0].files[0].url, own)
            elif isinstance(place, OpenGeographyPlace):
                for edition in open_geography.list_editions(place).editions:
                    put_answer(archive, edition.files[0].url, [s for s in own if s.title == edition.title])
    archive.save()
    return archive


def put_json(archive: Archive, url: str, content: Json) -> None:
    """Let an address answer with JSON."""
    body = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    archive.put(url, body, headers={"Content-Type": "application/json; charset=utf-8"})


def put_data_set(archive: Archive, place: GovUkPlace, samples: list[Sample]) -> None:
    """A statistical data set of GOV.UK that lists the samples; nothing is announced."""
    path = place.paths[0]
    times = sorted(f"{sample.published_on}T09:30:00+01:00" for sample in samples)
    attachments = []
    for sample in samples:
        media = uuid.uuid5(uuid.NAMESPACE_URL, sample.path.name).hex[:24]
        url = f"https://{GOV_UK_FILES}/media/{media}/{sample.path.name}"
        archive.put(url, sample.path, modified=f"{sample.published_on}T07:00:00+01:00")
        attachments.append(
            {
                "attachment_type": "file",
                "id": f"{media}.{sample.path.suffix}",
                "title": sample.title,
                "url": url,
                "filename": sample.path.name,
                "file_size": sample.path.stat().st_size,
            }
        )
    item = {
        "base_path": path,
        "content_id": str(uuid.uuid5(uuid.NAMESPACE_URL, path)),
        "schema_name": "statistical_data_set",
        "document_type": "statistical_data_set",
        "title": "Police recorded crime and outcomes open data tables",
        "first_published_at": times[0],
        "public_updated_at": times[-1],
        "updated_at": times[-1],
        "withdrawn_notice": {},
        "links": {},
        "details": {
            "attachments": attachments,
            "change_history": [{"note": "Updated.", "public_timestamp": time} for time in reversed(times)],
        },
    }
    put_json(archive, f"{govuk.SITE}/api/content{path}", item)
    put_json(archive, f"{govuk.SITE}/api/search.json?*", {"results": [], "total": 0})


def put_dataset_page(archive: Archive, place: OnsPlace, samples: list[Sample]) -> None:
    """A dataset page of ons.gov.uk with an edition for each sample, newest first."""
    page = place.pages[0]
    newest_first = sorted(samples, key=lambda sample: sample.published_on, reverse=True)
    uris = {sample.title: f"{page}/{slug(sample.title).replace('-', '')}" for sample in newest_first}
    for sample in newest_first:
        uri = uris[sample.title]
        edition = {
            "type": "dataset",
            "uri": uri,
            "description": {"edition": sample.title, "releaseDate": midnight(sample.published_on)},
            "downloads": [{"file": sample.path.name}],
            "versions": [],
        }
        put_json(archive, f"{ons.SITE}{uri}/data", edition)
        archive.put(f"{ons.SITE}/file?uri={uri}/{sample.path.name}", sample.path)
    landing = {
        "type": "dataset_landing_page",
        "uri": page,
        "description": {
            "title": load_title(page),
            "releaseDate": midnight(newest_first[0].published_on),
            "nextRelease": "To be announced",
        },
        "datasets": [{"uri": uris[sample.title]} for sample in newest_first],
    }
    put_json(archive, f"{ons.SITE}{page}/data", landing)


def load_title(page: str) -> str:
    """What the demo calls a dataset page."""
    return "Police force area data tables" if "policeforce" in page else "Population estimates"


def midnight(day: str) -> str:
    """A London day as ONS writes it: midnight, an hour less in summer."""
    return parse_published(day).replace("+00:00", ".000Z")


def put_answer(archive: Archive, url: str, samples: list[Sample]) -> None:
    """The answer of a service, as of the day of the sample."""
    for sample in samples:
        if sample.path.suffix == ".json" or sample.path.name.startswith("NM_"):
            archive.put(url, sample.path, modified=f"{sample.published_on}T00:00:00+00:00")
