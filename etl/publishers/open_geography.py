"""ONS Open Geography: lookups as ArcGIS services, 1,000 rows a call, with errors given as success."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from etl.errors import RefusedAnswerError
from etl.http import OPEN_GEOGRAPHY
from etl.publishers import Edition, ListedFile, Listing
from etl.sources.places import OpenGeographyPlace

ROWS_A_CALL = 1000
_ROOT = f"https://{OPEN_GEOGRAPHY}/ESMARspQHYMw9BZ9/arcgis/rest/services"


def list_editions(place: OpenGeographyPlace) -> Listing:
    """One edition a service; its first part, which says whether there are more."""
    return Listing(
        [
            Edition(
                key=service,
                title=service,
                page=f"{_ROOT}/{service}/FeatureServer",
                files=(_part(service, 0),),
                in_parts_by="open_geography",
            )
            for service in place.services
        ]
    )


def _part(service: str, offset: int) -> ListedFile:
    query = {
        "where": "1=1",
        "outFields": "*",
        "returnGeometry": "false",
        "resultOffset": str(offset),
        "resultRecordCount": str(ROWS_A_CALL),
        "f": "json",
    }
    url = f"{_ROOT}/{service}/FeatureServer/0/query?{urlencode(query, safe='*')}"
    return ListedFile(url, f"{service}-{offset}.json", service)


def follow(file: ListedFile, path: Path) -> ListedFile | None:
    """Check an answer, and say which part follows it; None where it is the last.

    Raises:
        RefusedAnswerError: an error in the guise of a success, or no rows.
    """
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RefusedAnswerError(f"{file.url} answered no JSON: {error}", "open the address in a browser") from error
    if not isinstance(answer, dict) or "error" in answer:
        found = answer.get("error") if isinstance(answer, dict) else answer
        raise RefusedAnswerError(
            f"{file.url} answered with an error: {found}",
            "the service may have been renamed: look for it on geoportal.statistics.gov.uk and change source.yml",
        )
    features = answer.get("features") or []
    if not features or not all(isinstance(feature.get("attributes"), dict) for feature in features):
        raise RefusedAnswerError(f"{file.url} answered without rows", "open the address in a browser")
    if not answer.get("exceededTransferLimit"):
        return None
    offset = int(dict(parse_qsl(urlsplit(file.url).query))["resultOffset"])
    return _part(file.title, offset + len(features))
