"""Publishers' pages made by hand, and single nights: asking and landing without building a warehouse."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from etl.editions import Outcome
from etl.http import Http
from etl.landing import blob_path, list_releases, read_records
from etl.observations import Observation, ObservationLog, new_run_id, read_observations
from etl.publishers import Listing
from etl.refresh import discover, make_plan, take
from etl.replica import Archive, Asked, Replica
from etl.settings import Settings
from etl.sources import declared_sources, load_source
from etl.sources.places import Place
from etl.visits import Visit

Json = dict[str, Any]

SITE = "https://www.gov.uk"
API = f"{SITE}/api/content"
ONS = "https://www.ons.gov.uk"
SOURCE = "recorded_crime_home_office"
SEARCH = f"{SITE}/api/search.json?*"


def table(number: int) -> bytes:
    """A text table; another one for each number."""
    return f"Area,Offences\nKent,{number}\n".encode()


def asset(name: str, number: int = 1) -> str:
    """Where GOV.UK keeps a file."""
    return f"https://assets.publishing.service.gov.uk/media/{number:024x}/{name}"


# --- GOV.UK ----------------------------------------------------------------------------------------------


def attachment(url: str, title: str = "Tables", **more: Any) -> Json:
    return {"attachment_type": "file", "id": url, "title": title, "url": url} | more


def item(path: str, title: str = "Edition one", *attachments: Json, **more: Any) -> Json:
    """A publication; `more` are fields of the item, `details` ones of its details."""
    details = {"attachments": list(attachments), "change_history": []} | more.pop("details", {})
    return {
        "base_path": path,
        "content_id": f"id-of-{path}",
        "schema_name": "publication",
        "document_type": "official_statistics",
        "title": title,
        "first_published_at": "2024-01-25T09:30:00+00:00",
        "public_updated_at": "2024-01-25T09:30:00Z",
        "updated_at": "2024-01-25T09:30:05Z",
        "withdrawn_notice": {},
        "details": details,
        "links": {},
    } | more


def collection(path: str, *members: Json, missing: tuple[str, ...] = ()) -> Json:
    """A collection of items; of `missing` it knows nothing but their ids."""
    ids = [member["content_id"] for member in members]
    names = ("content_id", "base_path", "title", "public_updated_at")
    links = [{name: member[name] for name in names} | {"withdrawn": False} for member in members]
    return item(
        path,
        "A collection",
        schema_name="document_collection",
        details={"collection_groups": [{"title": "Documents", "documents": [*ids, *missing]}]},
        links={"documents": links},
    )


def redirect_item(path: str, to: str, kind: str = "exact") -> Json:
    return {
        "base_path": path,
        "schema_name": "redirect",
        "redirects": [{"path": path, "type": kind, "destination": to}],
    }


# --- ONS -------------------------------------------------------------------------------------------------

PAGE = "/crime/datasets/tables"


def landing_page(*uris: str, released: str = "2026-07-22T23:00:00.000Z", following: str = "22 October 2026") -> Json:
    return {
        "type": "dataset_landing_page",
        "uri": PAGE,
        "description": {"title": "Police force area tables", "releaseDate": released, "nextRelease": following},
        "datasets": [{"uri": uri} for uri in uris],
    }


def edition_page(uri: str, title: str, released: str | None, *files: str, versions: tuple[Json, ...] = ()) -> Json:
    return {
        "type": "dataset",
        "uri": uri,
        "description": {"edition": title, "releaseDate": released},
        "downloads": [{"file": name} for name in files],
        "versions": list(versions),
    }


# --- nights ----------------------------------------------------------------------------------------------


@dataclass
class Night:
    """What one night found: outcomes, the listing, and the requests that the replica got."""

    outcomes: list[Outcome]
    listing: Listing
    asked: list[Asked]

    @property
    def states(self) -> list[str]:
        return [outcome.state for outcome in self.outcomes]

    @property
    def whys(self) -> str:
        return "\n".join(outcome.why for outcome in self.outcomes)

    @property
    def news(self) -> list[bool]:
        return [outcome.is_news for outcome in self.outcomes]


@dataclass
class Publishers:
    """A replica that changes from night to night, and a home that follows it."""

    home: Path
    archive: Archive
    replica: Replica
    monkeypatch: pytest.MonkeyPatch
    source: str = SOURCE

    def declare(self, *places: Place, source: str = SOURCE) -> None:
        """Let a source be listed in these places."""
        self.source = source
        changed = load_source(source).model_copy(update={"places": list(places)})
        self.monkeypatch.setitem(declared_sources(), source, changed)

    def put(self, content: Json, **more: Any) -> None:
        """Let a content item, or a page of ONS, answer as this."""
        is_ons = "uri" in content
        url = f"{ONS}{content['uri']}/data" if is_ons else f"{API}{content['base_path']}"
        self.archive.put(url, json.dumps(content).encode(), **more)

    def night(self, *, since: date | None = None, is_dry: bool = False) -> Night:
        """Ask and land once."""
        before = len(self.replica.asked)
        settings = Settings(home=self.home, replica_url=self.replica.url)
        with Http(settings) as http:
            log = ObservationLog(self.home, new_run_id())
            visit = Visit(self.home, load_source(self.source), http, log, is_dry=is_dry)
            listing = discover(visit, since)
            outcomes = take(visit, make_plan(visit, listing))
        return Night(outcomes, listing, self.replica.asked[before:])

    @property
    def releases(self) -> list[tuple[str, str, str, list[bytes]]]:
        """What is landed: release, when it was published, its state, and the bytes of its files."""
        return [
            (
                release.release_id.removeprefix(f"{release.source}/"),
                release.published_at,
                release.state,
                [blob_path(self.home, record.sha256).read_bytes() for record in release.records],
            )
            for release in list_releases(self.home)
        ]

    @property
    def keys(self) -> list[tuple[str, str, str, str]]:
        """What makes landed records the same records."""
        return [record.key for record in read_records(self.home)]

    def observed(self, what: str = "file") -> list[Observation]:
        return [observation for observation in read_observations(self.home) if observation.what == what]
