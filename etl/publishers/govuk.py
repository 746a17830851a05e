"""GOV.UK by its Content API: collections, publications, statistical data sets; and what is announced.

A page is known by its content_id, not by its path. What a publication holds is in its attachments; dates move
for other reasons too, so they never say that something changed.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from datetime import date, timedelta
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from etl.errors import JusticeError, RefusedAnswerError, UnreachableError, WrongUseError
from etl.http import GOV_UK, Answer
from etl.landing import parse_published
from etl.publishers import (
    Choice,
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
    find_rule,
    london_day,
)
from etl.sources.places import GovUkPlace

SITE = f"https://{GOV_UK}"
_MOVES = 5
_GONE = (404, 410)
_ANNOUNCEMENTS = "/government/statistics/announcements/"
_RESULTS = 1500
"""How many results the search is asked for at once."""
_ANNOUNCED_DAYS = 60
"""How long ago an announced day may be, at the least, for it still to be asked for: cancellations come late."""


def project_item(item: Json) -> object:
    """What matters of a content item: what it is, what it lists, whether it stands. No date of editing."""
    details = item.get("details", {})
    links = item.get("links", {})
    return {
        "schema_name": item.get("schema_name"),
        "document_type": item.get("document_type"),
        "content_id": item.get("content_id"),
        "base_path": item.get("base_path"),
        "title": item.get("title"),
        "withdrawn_notice": item.get("withdrawn_notice") or {},
        "redirects": item.get("redirects", []),
        "attachments": [
            {name: attachment.get(name) for name in ("attachment_type", "title", "url", "filename", "file_size")}
            for attachment in details.get("attachments", [])
        ],
        "documents": details.get("documents", []),
        "groups": [group.get("documents", []) for group in details.get("collection_groups", [])],
        "links": sorted(
            ([link.get("content_id", ""), link.get("base_path", ""), bool(link.get("withdrawn"))])
            for link in links.get("documents", [])
        ),
    }


def read_item(path: str, pages: Pages) -> tuple[Answer, Json]:
    """The content item at a path, following redirect items.

    Raises:
        RefusedAnswerError: redirect items in a circle, or no JSON.
        UnreachableError: no answer to rely on.
    """
    passed = [path]
    while True:
        answer, item = pages.read_json(f"{SITE}/api/content{passed[-1]}", project_item)
        if answer.is_from_mirror and answer.status in _GONE:
            raise UnreachableError(
                f"{SITE}{path} was answered by a mirror ({answer.backend}) with {answer.status}",
                "GOV.UK is unwell, nothing is concluded; the next run asks again",
            )
        if answer.status not in (200, 304, *_GONE):
            what = "is not public (403)" if answer.status == 403 else f"answers {answer.status}"
            raise RefusedAnswerError(f"{SITE}{path} {what}", "look at the page by hand")
        if item.get("schema_name") != "redirect":
            return answer, item
        passed.append(_destination(passed[-1], item))
        if len(passed) > _MOVES + 1 or passed[-1] in passed[:-1]:
            raise RefusedAnswerError(
                f"{SITE}{path} has moved too often: {' → '.join(passed)}", "look at the page by hand"
            )


def _destination(path: str, item: Json) -> str:
    """Where a redirect item sends a path: an exact rule first, else the longest prefix."""
    rules = sorted(item.get("redirects", []), key=lambda rule: (rule["type"] != "exact", -len(rule["path"])))
    for rule in rules:
        target = urlsplit(rule["destination"])
        if target.netloc not in ("", GOV_UK):
            continue
        if rule["path"] == path:
            return str(target.path)
        if rule["type"] == "prefix" and path.startswith(f"{rule['path']}/"):
            return f"{target.path}{path.removeprefix(rule['path'])}"
    raise RefusedAnswerError(
        f"{SITE}{path} has moved to where we do not follow: {item.get('redirects')}", "look at the page by hand"
    )


def list_editions(place: GovUkPlace, pages: Pages, since: date | None = None) -> Listing:
    """What a place of GOV.UK lists now.

    Args:
        place: the declared page.
        pages: how to ask.
        since: leave publications alone whose last major edit is older, unless they were landed before.
    """
    item = _find_page(place, pages)
    if item.get("schema_name") == "document_collection":
        return _list_collection(place, item, pages, since)
    if place.editions == "files":
        return _list_files(place, item)
    return _list_item(place, item)


def _find_page(place: GovUkPlace, pages: Pages) -> Json:
    """The first of the paths of a place that holds the declared page."""
    found = []
    for path in place.paths:
        answer, item = read_item(path, pages)
        if answer.status in _GONE or item.get("schema_name") == "gone":
            found.append(f"{path} answers {answer.status}")
        elif place.content_ids and item.get("content_id") not in place.content_ids:
            found.append(f"{path} is now {item.get('title')!r} ({item.get('content_id')})")
        else:
            return item
    raise RefusedAnswerError(
        f"the page was found at none of its paths: {'; '.join(found)}",
        "find its new home and add it to `paths` (and its content_id to `content_ids`) in source.yml",
    )


def _list_collection(place: GovUkPlace, item: Json, pages: Pages, since: date | None) -> Listing:
    groups = item["details"].get("collection_groups", [])
    ids = list(dict.fromkeys(identity for group in groups for identity in group.get("documents", [])))
    links = {link["content_id"]: link for link in item.get("links", {}).get("documents", []) if link.get("base_path")}
    known = pages.known_pages(place.name)
    paths = []
    for identity in ids:
        if (link := links.get(identity)) is None:
            continue
        path, title = str(link["base_path"]), str(link["title"])
        if find_rule(place.ignore_pages, path, title):
            continue
        old = since and link.get("public_updated_at") and london_day(link["public_updated_at"]) < since
        if not old or f"{SITE}{path}" in known:
            paths.append(path)
    # What a collection lists no longer may have been withdrawn: it is asked for all the same.
    paths += [path for page in known if (path := page.removeprefix(SITE)) not in paths]
    listing = _list_publications(place, paths, pages)
    missing = [identity for identity in ids if identity not in links]
    if missing:
        listing.unknown.append(
            f"{item.get('title')}: {len(missing)} of {len(ids)} documents are listed without a page "
            f"({', '.join(missing)})"
        )
    return listing


def _list_publications(place: GovUkPlace, paths: Iterable[str], pages: Pages) -> Listing:
    listing = Listing()
    for path in paths:
        try:
            with expect_shape(f"{SITE}{path}"):
                found = _list_publication(place, path, pages)
        except JusticeError as error:
            listing.problems.append(Problem(f"{SITE}{path}", error))
            continue
        if {edition.key for edition in found.editions} & {edition.key for edition in listing.editions}:
            listing.unknown.append(f"{SITE}{path} leads to {found.editions[0].page} now, which is listed too")
        else:
            listing.add(found)
    return listing


def _list_publication(place: GovUkPlace, path: str, pages: Pages) -> Listing:
    answer, item = read_item(path, pages)
    page = f"{SITE}{path}"
    if answer.status in _GONE or item.get("schema_name") == "gone":
        explanation = item.get("details", {}).get("explanation") or f"the page answers {answer.status}"
        return Listing(gone={page: str(explanation)})
    return _list_item(place, item)


def _list_item(place: GovUkPlace, item: Json) -> Listing:
    """A publication: one edition, with the files that are its tables."""
    page = f"{SITE}{item['base_path']}"
    choice = choose_files(_attachments(item, page), place.files, place.ignore_files, page)
    notice = item.get("withdrawn_notice") or {}
    edition = Edition(
        key=str(item["content_id"]),
        title=str(item["title"]),
        page=page,
        files=choice.files,
        times=_times(item),
        withdrawn_at=(notice.get("withdrawn_at") or item["updated_at"]) if notice else None,
        explanation=str(notice.get("explanation") or ""),
    )
    return Listing([edition], problems=choice.problems, unknown=_name_unknown(item, place, choice))


def _name_unknown(item: Json, place: GovUkPlace, choice: Choice) -> list[str]:
    return [f"{item['title']}: {describe_unknown(title, place.files)}" for title in choice.unknown]


def _list_files(place: GovUkPlace, item: Json) -> Listing:
    """A page that is kept for good: each of its attachments is an edition, under the attachment's title."""
    page = f"{SITE}{item['base_path']}"
    choice = choose_files(_attachments(item, page), place.files, place.ignore_files, page)
    notice = item.get("withdrawn_notice") or {}
    editions = [
        Edition(
            key=f"{item['content_id']}/{file.table}/{file.key}/{file.title}",
            title=file.title,
            page=page,
            files=(file,),
            times=_times(item),
            withdrawn_at=(notice.get("withdrawn_at") or item["updated_at"]) if notice else None,
            explanation=str(notice.get("explanation") or ""),
        )
        for file in choice.files
    ]
    return Listing(editions, problems=choice.problems, unknown=_name_unknown(item, place, choice))


def _attachments(item: Json, page: str) -> list[ListedFile]:
    """The files among the attachments; pages of HTML and links elsewhere hold no table.

    Raises:
        RefusedAnswerError: a very old item, which has snippets of HTML instead.
    """
    details = item.get("details", {})
    if "attachments" not in details and details.get("documents"):
        raise RefusedAnswerError(
            f"{page} lists its files as HTML only, as very old publications do", "land its files by hand"
        )
    return [
        ListedFile(
            url=urljoin(f"{SITE}/", str(attachment["url"])),
            filename=str(attachment.get("filename") or unquote(urlsplit(attachment["url"]).path.rsplit("/", 1)[-1])),
            title=str(attachment.get("title") or ""),
        )
        for attachment in details.get("attachments", [])
        if attachment.get("attachment_type") == "file"
    ]


def _times(item: Json) -> tuple[str, ...]:
    """When the publisher says that something was put out: major edits, then the last edit of any kind."""
    changes = [change.get("public_timestamp") for change in item.get("details", {}).get("change_history", [])]
    times = [*changes, item.get("first_published_at"), item.get("public_updated_at"), item.get("updated_at")]
    return tuple(dict.fromkeys(str(time) for time in times if time))


# --- announcements ----------------------------------------------------------------------------------------


def list_expected(
    place: GovUkPlace, pages: Pages, today: date, known: Iterable[str] = (), due: Container[str] = ()
) -> Listing:
    """What is announced for a place, and what became of announcements that are announced no longer.

    Args:
        place: the declared page.
        pages: how to ask.
        today: the London date.
        known: keys of announcements that were open the last time.
        due: those of them that are confirmed and whose day has come: the search may not know yet that they are out.
    """
    if place.announcements is None:
        return Listing()
    listing = Listing()
    # The first of a month, so that the address stays the same for a while.
    start = (today.replace(day=1) - timedelta(days=_ANNOUNCED_DAYS)).replace(day=1)
    query = [
        ("filter_format", "statistics_announcement"),
        ("filter_organisations", place.announcements.organisation),
        ("filter_release_timestamp", f"from:{start}"),
        *(("fields", name) for name in ("title", "link", "release_timestamp", "statistics_announcement_state")),
        ("fields", "metadata"),
        ("count", "1500"),
        ("start", "0"),
    ]
    url = f"{SITE}/api/search.json?{urlencode(query, safe=':')}"
    answer, found = pages.read_json(url, lambda body: body.get("results"))
    if answer.status != 200 or "results" not in found:
        raise RefusedAnswerError(f"{url} answered {answer.status}", "GOV.UK's search may have changed its parameters")
    for result in found["results"]:
        if re.search(place.announcements.title, str(result.get("title")), re.IGNORECASE):
            listing.expected.append(_expect(result))
    listed = {expected.key for expected in listing.expected}
    for key in known:
        if (key in listed and key not in due) or not key.startswith("/"):
            continue
        try:
            # That the page of one that the search still lists is not there says nothing: only that it is out does.
            settled = _settle(key, pages)
            listing.expected += [each for each in settled if key not in listed or each.status == "published"]
        except JusticeError as error:
            listing.problems.append(Problem(f"{SITE}{key}", error))
    return listing


def list_orphans(place: GovUkPlace, pages: Pages, listed: Container[str]) -> dict[str, str]:
    """Statistics that the search finds under the title of what is announced for a place, and that no page lists.

    Args:
        place: the declared page.
        pages: how to ask.
        listed: the pages that are listed.

    Returns:
        Page → title. The search lags behind: what it does not find may be there all the same.
    """
    if place.announcements is None:
        return {}
    results: list[Json] = []
    while True:
        query = [
            ("filter_organisations", place.announcements.organisation),
            *(("filter_content_store_document_type", name) for name in ("national_statistics", "official_statistics")),
            *(("fields", name) for name in ("title", "link")),
            ("count", str(_RESULTS)),
            ("start", str(len(results))),
        ]
        url = f"{SITE}/api/search.json?{urlencode(query)}"
        answer, found = pages.read_json(url, lambda body: body.get("results"))
        if answer.status not in (200, 304) or "results" not in found:
            raise RefusedAnswerError(
                f"{url} answered {answer.status}", "GOV.UK's search may have changed its parameters"
            )
        results += found["results"]
        if not found["results"] or len(results) >= int(found.get("total") or 0):
            break
    known = pages.known_pages(place.name)
    orphans = {f"{SITE}{result['link']}": str(result["title"]) for result in results}
    return {
        page: title
        for page, title in orphans.items()
        if re.search(place.announcements.title, title, re.IGNORECASE)
        and page not in listed
        and page not in known
        and not find_rule(place.ignore_pages, page.removeprefix(SITE), title)
    }


def _expect(result: Json) -> Expected:
    metadata = result.get("metadata") or {}
    state = result.get("statistics_announcement_state") or ("confirmed" if metadata.get("confirmed") else "provisional")
    statuses = {"provisional": "announced", "confirmed": "confirmed", "cancelled": "cancelled"}
    return Expected(
        key=str(result["link"]),
        title=str(result["title"]),
        status=statuses.get(state, "announced"),  # type: ignore[arg-type]
        expected_at=_parse_time(result.get("release_timestamp")),
        text=str(metadata.get("display_date") or result.get("release_timestamp") or ""),
        url=f"{SITE}{result['link']}",
    )


def _parse_time(text: str | None) -> str | None:
    try:
        return parse_published(text) if text else None
    except WrongUseError:
        return None


def _settle(key: str, pages: Pages) -> list[Expected]:
    """What became of an announcement, if anything: when the statistics appear it redirects to them.

    One that was renamed redirects to another announcement: then it is that one which says what became of it.
    """
    path = key
    for _ in range(_MOVES + 1):
        answer, item = pages.read_json(f"{SITE}/api/content{path}", project_item)
        if answer.status in _GONE and not answer.is_from_mirror:
            return [Expected(key, "", "cancelled", None, "", f"{SITE}{path}")]
        if item.get("schema_name") != "redirect":
            return []
        with expect_shape(f"{SITE}{path}"):
            url = urljoin(SITE, item["redirects"][0]["destination"])
        if not url.startswith(f"{SITE}{_ANNOUNCEMENTS}"):
            return [Expected(key, "", "published", None, "", url)]
        path = urlsplit(url).path
    raise RefusedAnswerError(f"{SITE}{key} has moved too often, at last to {SITE}{path}", "look at the page by hand")
