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
from samples.tables import read_figures

Json = dict[str, Any]

_NOT_LISTED = "rec-crime-pfa.csv"
"""The rolling-year file: no page lists it any more, so it is landed by hand."""

_COLLECTIONS = "/government/collections/"
_BESIDE = ("Serious Further Offences",)
"""Publications that a collection holds beside those of the samples, without a table."""
_GUIDES = {"/government/collections/proven-reoffending-statistics": "Guide to proven reoffending statistics"}
_PDF = b"%PDF-1.4\n%%EOF\n"


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
            if isinstance(place, GovUkPlace) and place.paths[0].startswith(_COLLECTIONS):
                put_collection(archive, place, own)
            elif isinstance(place, GovUkPlace):
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
    item = _make_item(path, "Police recorded crime and outcomes open data tables", "statistical_data_set", times)
    item["details"]["attachments"] = [_put_sample(archive, sample, sample.title) for sample in samples]
    put_json(archive, f"{govuk.SITE}/api/content{path}", item)
    _announce_nothing(archive)


_SET_UP = "2013-01-01T09:30:00Z"
"""When a collection that lists nothing yet was set up."""


def put_collection(archive: Archive, place: GovUkPlace, samples: list[Sample]) -> None:
    """A collection of GOV.UK with a publication for each title of the samples; nothing is announced.

    Paths, content_ids and times are as recorded, where they were.
    """
    path = place.paths[0]
    lines = read_figures("gov_uk_reoffending_publications")
    recorded = {line["title"]: line for line in lines if line["collection"] == path}
    by_title: dict[str, list[Sample]] = {title: [] for title in _BESIDE if title in recorded}
    for sample in samples:
        by_title.setdefault(sample.title, []).append(sample)
    items = [_put_publication(archive, title, own, recorded.get(title), path) for title, own in by_title.items()]
    items.sort(key=lambda item: str(item["public_updated_at"]), reverse=True)
    title = path.removeprefix(_COLLECTIONS).replace("-", " ").capitalize()
    times = [str(item["public_updated_at"]) for item in reversed(items)] or [_SET_UP]
    collection = _make_item(path, title, "document_collection", times, *place.content_ids[:1])
    ids = [item["content_id"] for item in items]
    collection["details"]["collection_groups"] = [{"title": "Documents", "body": "", "documents": ids}]
    linked = ("content_id", "base_path", "title", "document_type", "schema_name", "public_updated_at")
    collection["links"]["documents"] = [{name: item[name] for name in linked} | {"withdrawn": False} for item in items]
    put_json(archive, f"{govuk.SITE}/api/content{path}", collection)
    _announce_nothing(archive)


def _put_publication(
    archive: Archive, title: str, samples: list[Sample], recorded: dict[str, str] | None, collection: str
) -> Json:
    """A publication that holds the samples beside prose, which is no table."""
    if recorded is None:  # published after the recording
        path, content_id, time = f"/government/statistics/{slug(title)}", "", f"{samples[0].published_on}T09:30:00Z"
    else:
        path, content_id, time = recorded["path"], recorded["content_id"], recorded["public_updated_at"]
    item = _make_item(path, title, "publication", [time], content_id)
    item["document_type"] = recorded["document_type"] if recorded else "national_statistics"
    item["details"]["attachments"] = [
        {"attachment_type": "html", "id": slug(text), "title": text, "url": f"{path}/{slug(text)}"}
        for text in (title, "Pre-release access list")
    ]
    if samples and (guide := _GUIDES.get(collection)):
        item["details"]["attachments"].append(_put_file(archive, f"{slug(guide)}.pdf", guide, _PDF, time))
    files = [_put_sample(archive, sample, sample.attachment or sample.title) for sample in samples]
    item["details"]["attachments"] += files
    put_json(archive, f"{govuk.SITE}/api/content{path}", item)
    return item


def _make_item(path: str, title: str, schema: str, times: list[str], content_id: str = "") -> Json:
    """A content item of GOV.UK with major edits at the given times, the oldest first."""
    return {
        "base_path": path,
        "content_id": content_id or str(uuid.uuid5(uuid.NAMESPACE_URL, path)),
        "schema_name": schema,
        "document_type": schema,
        "title": title,
        "first_published_at": times[0],
        "public_updated_at": times[-1],
        "updated_at": times[-1],
        "withdrawn_notice": {},
        "links": {},
        "details": {"change_history": [{"note": "Updated.", "public_timestamp": time} for time in reversed(times)]},
    }


def _put_sample(archive: Archive, sample: Sample, title: str) -> Json:
    return _put_file(archive, sample.path.name, title, sample.path, f"{sample.published_on}T07:00:00+01:00")


def _put_file(archive: Archive, filename: str, title: str, body: bytes | Path, modified: str) -> Json:
    """Let the files of GOV.UK hold a file; returns the attachment that leads to it."""
    media = uuid.uuid5(uuid.NAMESPACE_URL, filename).hex[:24]
    url = f"https://{GOV_UK_FILES}/media/{media}/{filename}"
    archive.put(url, body, modified=modified)
    return {
        "attachment_type": "file",
        "id": f"{media}/{filename}",
        "title": title,
        "url": url,
        "filename": filename,
        "file_size": len(body) if isinstance(body, bytes) else body.stat().st_size,
    }


def _announce_nothing(archive: Archive) -> None:
    """GOV.UK's search finds no announcement."""
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
