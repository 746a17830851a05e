"""What holds for every page of the site."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from etl.site.charts import COLOURS
from tests.site.page import Page

POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
_LOADING = {"img", "iframe", "object", "embed", "video", "audio", "source", "base", "form", "style", "noscript"}
_LOADING_ATTRIBUTES = {"srcset", "data", "poster", "background", "action", "formaction", "style", "ping"}
_DRAWN = {"svg", "g", "path", "text", "tspan", "rect", "circle", "line", "defs", "clippath"}
_INKS = {colour.lower() for colour in COLOURS.values()} | {"none", "transparent"}
_BESIDE = ("feeds/", "data-docs/")
_ROOT = {"role", "aria-labelledby", "aria-describedby"}


def check_page(page: Page) -> None:
    """Every rule that a page can be held to by itself."""
    check_loading(page)
    check_pictures(page)
    check_structure(page)
    check_tables(page)


def check_loading(page: Page) -> None:
    """It loads our stylesheet, icon and script and nothing else, and runs nothing else."""
    assert not {tag for tag, _ in page.elements} & _LOADING
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on")}, (tag, attributes)
        assert not _LOADING_ATTRIBUTES & set(attributes), (tag, attributes)
        assert tag == "script" or "src" not in attributes
    for script in page.named("script"):
        assert set(script) == {"src", "defer"}
        assert re.fullmatch(r"(\.\./)*site\.js", str(script["src"]))
    assert re.search(r"<script[^>]*>[^<]", page.html) is None
    assert [meta["content"] for meta in page.named("meta") if "http-equiv" in meta] == [POLICY]
    assert {link["rel"] for link in page.named("link")} <= {"stylesheet", "icon", "alternate"}


def check_pictures(page: Page) -> None:
    """Pictures hold shapes and texts alone, in colours that the stylesheet knows, and have a name and a text."""
    assert {tag for tag, _ in page.drawn} <= _DRAWN
    for tag, attributes in page.drawn:
        assert not {"href", "xlink:href", "class", "font-family", "tabindex"} & set(attributes), (tag, attributes)
        inks = {str(attributes[name]).lower() for name in ("fill", "stroke") if name in attributes}
        assert inks <= _INKS, inks
    ids = set(page.ids)
    for picture in page.named("svg"):
        assert picture["role"] == "img"
        assert {picture["aria-labelledby"], picture["aria-describedby"]} <= ids


def check_structure(page: Page) -> None:
    """Landmarks, headings in order, a language, ids that are there once."""
    assert page.html.startswith("<!DOCTYPE html>\n")
    assert page.named("html") == [{"lang": "en-GB"}]
    for tag in ("title", "main", "h1"):
        assert len(page.named(tag)) == 1, tag
    # Articles and sections may have headers of their own; a second navigation has a name.
    assert page.named("header")
    assert page.named("footer")
    names = [navigation.get("aria-label") or navigation.get("aria-labelledby") for navigation in page.named("nav")]
    assert None not in names
    assert len(names) == len(set(names))
    assert page.named("a")[0] == {"class": "skip", "href": "#content"}
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert all(text for _, text in page.headings)
    assert len(page.ids) == len(set(page.ids))
    known = set(page.ids)
    for tag, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby", "for", "headers"):
            assert set(str(attributes.get(name) or "").split()) <= known, (tag, attributes)


def check_tables(page: Page) -> None:
    """Captions, scopes, and a region that keys can scroll."""
    captions = [caption["id"] for caption in page.named("caption")]
    assert len(page.named("table")) == len(captions)
    assert all(cell["scope"] in ("col", "row", "colgroup", "rowgroup") for cell in page.named("th"))
    regions = [region for region in page.named("div") if "scroll" in str(region.get("class")).split()]
    assert [region["aria-labelledby"] for region in regions] == captions, page.path
    assert all((region["tabindex"], region["role"]) == ("0", "region") for region in regions)


def check_links(page: Page, site: Path, ids: dict[Path, set[str]]) -> None:
    """Links within the site are relative and lead to a file and, in it, to an id; others go to https alone.

    Args:
        page: whose links.
        site: its site; what lies beside it need not be there.
        ids: the ids of every page of the site.
    """
    links = [attributes for _, attributes in page.elements if "href" in attributes]
    assert links
    for link in links:
        target = urlsplit(str(link["href"]))
        if target.scheme or target.netloc:
            assert (target.scheme, link.get("rel")) == ("https", "noreferrer"), link
            continue
        assert not target.query, link
        path = (page.path.parent / unquote(target.path)).resolve() if target.path else page.path.resolve()
        if not path.is_relative_to(site.resolve()):
            assert path.relative_to(site.parent.resolve()).as_posix().startswith(_BESIDE), link
            continue
        assert path.is_file(), link
        assert not target.fragment or unquote(target.fragment) in ids[path], link
