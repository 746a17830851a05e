"""ons.gov.uk: a dataset page lists editions, an edition lists downloads and the versions that it replaced.

Corrections are made in place, under the same edition; what they replaced moves to `/previous/vN`. Every page
has its JSON under `<page>/data`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from etl.cells import parse_day, parse_period_end
from etl.errors import JusticeError, RefusedAnswerError, WrongUseError
from etl.http import ONS, Answer
from etl.landing import LONDON, parse_published
from etl.publishers import (
    Edition,
    Expected,
    Json,
    ListedFile,
    Listing,
    Pages,
    Problem,
    choose_files,
    describe_unknown,
    expect_shape,
    london_day,
)
from etl.sources.places import OnsPlace

SITE = f"https://{ONS}"
_GONE = (404, 410)
_NEVER = "discontinued"


def project_page(page: Json) -> object:
    """What matters of a page: editions, downloads, replaced versions, and when the next release is due."""
    description = page.get("description", {})
    return {
        "type": page.get("type"),
        "uri": page.get("uri"),
        "title": description.get("title"),
        "edition": description.get("edition"),
        "next_release": description.get("nextRelease"),
        "datasets": [dataset.get("uri") for dataset in page.get("datasets", [])],
        "downloads": [download.get("file") for download in page.get("downloads", [])],
        "versions": [[version.get("uri"), version.get("correctionNotice")] for version in page.get("versions", [])],
    }


def _read(uri: str, pages: Pages) -> tuple[Answer, Json]:
    """A page that is there, or is gone.

    Raises:
        RefusedAnswerError: it is neither.
        UnreachableError: no answer to rely on.
    """
    answer, page = pages.read_json(f"{SITE}{uri}/data", project_page)
    if answer.status not in (200, 304, *_GONE):
        raise RefusedAnswerError(f"{SITE}{uri} answers {answer.status}", "look at the page by hand")
    return answer, page


def _find_page(place: OnsPlace, pages: Pages) -> Json:
    found = []
    for uri in place.pages:
        answer, page = _read(uri, pages)
        if answer.status not in _GONE:
            return page
        found.append(f"{uri} answers {answer.status}")
    raise RefusedAnswerError(
        f"the page was found at none of its paths: {'; '.join(found)}",
        "find its new home and add it to `pages` in source.yml",
    )


def list_editions(place: OnsPlace, pages: Pages, since: date | None = None) -> Listing:
    """What a dataset page lists now: every edition and the versions that it replaced, oldest first.

    Args:
        place: the declared page.
        pages: how to ask.
        since: leave editions alone that were put out before, unless they were landed before.
    """
    landing = _find_page(place, pages)
    listing = Listing(expected=_expect(landing), announcers={f"{SITE}{landing['uri']}": _next_key(landing)})
    uris = [str(dataset["uri"]) for dataset in landing.get("datasets", [])]
    known = pages.known_pages(place.name)
    for number, uri in enumerate(reversed(uris), start=1):
        try:
            newest = landing.get("description", {}).get("releaseDate") if number == len(uris) else None
            with expect_shape(f"{SITE}{uri}"):
                listing.add(_list_edition(place, uri, pages, newest, None if f"{SITE}{uri}" in known else since))
        except JusticeError as error:
            listing.problems.append(Problem(f"{SITE}{uri}", error))
    for page in known:
        if page.removeprefix(SITE) not in uris:
            try:
                answer, _ = _read(page.removeprefix(SITE), pages)
            except JusticeError as error:
                listing.problems.append(Problem(page, error))
                continue
            if answer.status in _GONE:
                listing.gone[page] = f"the page answers {answer.status}"
    return listing


def _list_edition(place: OnsPlace, uri: str, pages: Pages, newest: str | None, since: date | None) -> Listing:
    answer, page = _read(uri, pages)
    if answer.status in _GONE:
        return Listing(gone={f"{SITE}{uri}": f"the page answers {answer.status}"})
    versions = sorted(page.get("versions", []), key=_number)
    # What replaced the last version is the one that stands.
    replaced_at = [version.get("updateDate") for version in versions]
    stands_since = next(filter(None, reversed(replaced_at)), page.get("description", {}).get("releaseDate") or newest)
    if since and stands_since and london_day(stands_since) < since:
        return Listing()
    title = _title(page, uri)
    listing = Listing()
    for number, version in enumerate(versions):
        put_out = (replaced_at[number - 1] or _just_before(version.get("updateDate"))) if number else None
        try:
            listing.add(_list_version(place, uri, title, version, put_out, pages))
        except JusticeError as error:
            listing.problems.append(Problem(f"{SITE}{version.get('uri')}", error))
    choice = choose_files(_downloads(page, uri), place.files, place.ignore_files, f"{SITE}{uri}")
    listing.editions.append(
        Edition(
            key=uri,
            title=title,
            page=f"{SITE}{uri}",
            files=choice.files,
            times=(stands_since,) if stands_since else (),
            is_dated=stands_since is not None,
            explanation=str(versions[-1].get("correctionNotice") or "") if versions else "",
        )
    )
    listing.unknown += [f"{title}: {describe_unknown(name, place.files)}" for name in choice.unknown]
    listing.problems += choice.problems
    return listing


def _list_version(place: OnsPlace, uri: str, title: str, version: Json, put_out: str | None, pages: Pages) -> Listing:
    """A version that was replaced; `put_out` is when the one before it was, None for the first."""
    own = str(version["uri"])
    answer, page = _read(own, pages)
    if answer.status in _GONE:
        return Listing(unknown=[f"{title}: the replaced version {SITE}{own} answers {answer.status}"])
    released = put_out or page.get("description", {}).get("releaseDate") or _just_before(version.get("updateDate"))
    choice = choose_files(_downloads(page, own), place.files, place.ignore_files, f"{SITE}{own}")
    return Listing(
        [
            Edition(
                key=uri,
                title=title,
                page=f"{SITE}{own}",
                files=choice.files,
                times=(released,) if released else (),
                is_dated=True,
                is_previous=True,
                explanation=str(version.get("correctionNotice") or ""),
            )
        ],
        problems=choice.problems,
    )


def _just_before(moment: str | None) -> str | None:
    """A second before a version was replaced: the latest that it can have been put out."""
    return None if moment is None else (datetime.fromisoformat(moment) - timedelta(seconds=1)).isoformat()


def _number(version: Json) -> int:
    """The number of a replaced version: 2 for `/previous/v2`."""
    return int(str(version["uri"]).rsplit("/v", 1)[-1])


def _title(page: Json, uri: str) -> str:
    """`Year ending March 2018`, or the last part of the path where the page does not say."""
    return str(page.get("description", {}).get("edition") or uri.rsplit("/", 1)[-1])


def _downloads(page: Json, uri: str) -> list[ListedFile]:
    # A download may have a title too, but the rules are for file names.
    names = [str(download["file"]) for download in page.get("downloads", [])]
    return [ListedFile(f"{SITE}/file?uri={uri}/{name}", name, title="") for name in names]


def _expect(landing: Json) -> list[Expected]:
    """The next release, as the dataset page announces it: a day, a month, or words."""
    description = landing.get("description", {})
    text = str(description.get("nextRelease") or "").strip()
    if not text or text.casefold() == _NEVER:
        return []
    uri = str(landing["uri"])
    newest = description.get("releaseDate")
    title = f"{description.get('title')}, the one after {london_day(newest) if newest else 'the newest'}"
    return [Expected(_next_key(landing), title, "announced", parse_expected(text), text, f"{SITE}{uri}")]


def _next_key(landing: Json) -> str:
    """The release that follows the newest one, whatever day is given for it."""
    return f"{SITE}{landing['uri']}#{landing.get('description', {}).get('releaseDate')}"


def parse_expected(text: str) -> str | None:
    """A time, a day (`22 October 2026`) or the last day of a month (`October 2026`), ISO 8601; None for words."""
    try:
        moment = datetime.fromisoformat(parse_published(text))
        return moment.astimezone(LONDON).isoformat(timespec="seconds")
    except (WrongUseError, OverflowError):
        day = parse_day(text) or parse_period_end(text)
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=LONDON).isoformat()
