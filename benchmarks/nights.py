"""Nights without news: how long it takes to ask publishers politely whether anything changed."""

from __future__ import annotations

import json
import time
from pathlib import Path

from etl.http import GOV_UK_FILES, Http
from etl.observations import ObservationLog, new_run_id
from etl.refresh import discover, make_plan, take
from etl.replica import Archive, Replica
from etl.settings import Settings
from etl.sources import declared_sources, load_source
from etl.sources.places import GovUkPlace, Wanted
from etl.visits import Visit

SOURCE = "recorded_crime_home_office"
API = "https://www.gov.uk/api/content"
FILES = 3
PER_SECOND = 5
DELAY_SECONDS = 0.15
"""What an answer takes over a real network, about."""


def make_collection(folder: Path, publications: int) -> tuple[Archive, GovUkPlace]:
    """An archive of a collection with so many publications of three files each."""
    archive = Archive(folder)
    members = []
    for number in range(1, publications + 1):
        path = f"/government/statistics/{number}"
        attachments = []
        for table in range(FILES):
            url = f"https://{GOV_UK_FILES}/media/{number:022x}{table:02x}/{table}.csv"
            archive.put(url, f"Area,Offences\nKent,{number},{table}\n".encode(), modified="2024-01-24T16:00:00+00:00")
            attachments.append({"attachment_type": "file", "id": url, "url": url, "title": f"Table {table}"})
        item = {
            "schema_name": "publication",
            "content_id": f"id-{number}",
            "base_path": path,
            "title": f"Edition {number}",
            "public_updated_at": "2024-01-25T09:30:00Z",
            "details": {"attachments": attachments},
        }
        archive.put(f"{API}{path}", json.dumps(item).encode())
        members.append(item)
    place = GovUkPlace(
        publisher="govuk",
        paths=["/government/collections/all"],
        files=[Wanted(table=str(table), title=f"Table {table}") for table in range(FILES)],
    )
    collection = {
        "schema_name": "document_collection",
        "base_path": place.paths[0],
        "title": "All",
        "details": {"collection_groups": [{"documents": [member["content_id"] for member in members]}]},
        "links": {"documents": [{k: m[k] for k in ("content_id", "base_path", "title")} for m in members]},
    }
    archive.put(f"{API}{place.paths[0]}", json.dumps(collection).encode())
    return archive, place


def measure_nights(folder: Path, publications: int) -> list[list[str]]:
    """The first night and one without news, at the stated pace; against the least that the pace allows."""
    archive, place = make_collection(folder / "archive", publications)
    source = load_source(SOURCE)
    declared = declared_sources()
    declared[SOURCE] = source.model_copy(update={"places": [place]})
    rows = []
    try:
        with Replica(archive, delay_seconds=DELAY_SECONDS) as replica:
            for what in ("fetched the first time", "nothing new"):
                before = len(replica.asked)
                start = time.perf_counter()
                _spend_night(folder / "home", replica)
                seconds = time.perf_counter() - start
                requests = len(replica.asked) - before
                conditional = sum(asked.is_conditional for asked in replica.asked[before:])
                least = requests / PER_SECOND
                asked = f"{requests} requests, {conditional} of them conditional"
                title = f"{publications} publications with {FILES} files each at {PER_SECOND} requests a second, {what}"
                rows.append([f"{title} ({asked})", f"{seconds:.0f} s", f"{seconds / least:.2f}", ""])
    finally:
        declared[SOURCE] = source
    least_row = [f"{requests} requests at {PER_SECOND} a second", f"{least:.0f} s", "1", ""]
    return [least_row, *rows]


def _spend_night(home: Path, replica: Replica) -> None:
    with Http(Settings(home=home, replica_url=replica.url), is_paced=True) as http:
        visit = Visit(home, load_source(SOURCE), http, ObservationLog(home, new_run_id()))
        outcomes = take(visit, make_plan(visit, discover(visit)))
    if any(outcome.state not in ("new", "unchanged") for outcome in outcomes):
        raise SystemExit(f"something was refused: {outcomes}")
