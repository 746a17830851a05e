"""Nomis: population estimates by a query, 25,000 rows a call, cut off in silence.

The answer is checked before it is landed: rows against RECORD_COUNT, and no zero, which an older type of
geography gives for districts that were abolished.
"""

from __future__ import annotations

import csv
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from etl.errors import RefusedAnswerError
from etl.http import NOMIS
from etl.publishers import Edition, ListedFile, Listing
from etl.sources.places import NomisPlace

ROWS_A_CALL = 25_000
COLUMNS = ("DATE_NAME", "GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "OBS_VALUE", "RECORD_COUNT")
_OFFSET = "recordOffset"


def list_editions(place: NomisPlace) -> Listing:
    """The one edition that a query gives; its first part, which says whether there are more."""
    query = {
        "date": ",".join(place.dates),
        "geography": place.geography,
        **place.parameters,
        "select": ",".join(COLUMNS),
    }
    url = f"https://{NOMIS}/api/v01/dataset/{place.dataset}.data.csv?{urlencode(query, safe=',')}"
    file = ListedFile(url, _filename(place.dataset, 0), place.title)
    page = f"https://{NOMIS}/datasets/{place.dataset.casefold()}"
    key = f"{place.dataset}/{place.geography}"
    return Listing([Edition(key=key, title=place.title, page=page, files=(file,), in_parts_by="nomis")])


def _filename(dataset: str, offset: int) -> str:
    return f"{dataset}-{offset}.csv"


def follow(file: ListedFile, path: Path) -> ListedFile | None:
    """Check an answer, and say which part follows it; None where it is the last.

    Raises:
        RefusedAnswerError: no table, truncated, or a zero.
    """
    with path.open(encoding="utf-8-sig", newline="") as content:
        lines = csv.DictReader(content)
        header = [name.strip() for name in lines.fieldnames or []]
        if not set(COLUMNS) <= set(header):
            raise RefusedAnswerError(
                f"{file.url} answered {','.join(header)[:80]!r} where the header {','.join(COLUMNS)} was expected",
                "Nomis gives its errors as pages too: open the address in a browser",
            )
        lines.fieldnames = header
        rows = list(lines)
    if any(None in row or None in row.values() for row in rows):
        raise RefusedAnswerError(f"{file.url} answered lines that do not fit its header", "the next run asks again")
    offset = int(dict(parse_qsl(urlsplit(file.url).query)).get(_OFFSET, "0"))
    counts = {row["RECORD_COUNT"] for row in rows}
    if len(counts) != 1 or not next(iter(counts)).isdigit():
        raise RefusedAnswerError(
            f"{file.url}: RECORD_COUNT is {sorted(counts)} in {len(rows)} rows, expected one number",
            "open the address in a browser",
        )
    for row in rows:
        people = row["OBS_VALUE"].strip()
        if not people.isdigit() or int(people) == 0:
            area = f"{row['GEOGRAPHY_NAME']} ({row['GEOGRAPHY_CODE']})"
            raise RefusedAnswerError(
                f"{file.url}: {area} has {people or 'no'} people in {row['DATE_NAME']}",
                "the type of geography is older than the figures: change `geography` in source.yml",
            )
    total, here = int(counts.pop()), offset + len(rows)
    if here > total or (here < total and len(rows) < ROWS_A_CALL):
        raise RefusedAnswerError(
            f"{file.url}: rows {offset + 1} to {here} of {total}, which is cut short", "the next run asks again"
        )
    if here == total:
        return None
    base = file.url.split(f"&{_OFFSET}=")[0]
    dataset = file.filename.rsplit("-", 1)[0]
    return ListedFile(f"{base}&{_OFFSET}={here}", _filename(dataset, here), file.title)
