"""All pages of the demo: every link leads somewhere, and the largest of each kind keep the rules."""

from __future__ import annotations

import os.path
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.choose import choose_largest, list_pages
from tests.site.page import Page
from tests.site.rules import check_page

_LINK = re.compile(r'\s(?:href|src)="([^"]*)"')
_ID = re.compile(r'\sid="([^"]*)"')


@pytest.fixture(scope="module")
def site(demo_home: Path) -> Path:
    return (demo_home / "current").resolve() / "site"


def test_every_link_of_every_page_leads_to_a_file_and_to_an_id_in_it(site: Path) -> None:
    folder = str(site)
    ids: dict[str, set[str]] = {}
    links: set[tuple[str, str]] = set()
    for path in list_pages(site):
        html = (site / path).read_text(encoding="utf-8")
        here = f"{folder}/{path}"
        ids[here] = {unescape(found) for found in _ID.findall(html)}
        # A page leads to the same places again and again.
        for link in {unescape(found) for found in _LINK.findall(html)}:
            target = urlsplit(link)
            if not target.scheme:
                to = os.path.normpath(f"{here}/../{unquote(target.path)}") if target.path else here
                links.add((to, unquote(target.fragment)))
    assert len(ids) > 400
    files = {to for to, _ in links}
    assert {to for to in files if not Path(to).is_file()} == set()
    assert {(to, fragment) for to, fragment in links if fragment and fragment not in ids[to]} == set()


def test_the_largest_pages_keep_the_rules(site: Path) -> None:
    for path in choose_largest(site):
        check_page(Page(site / path))
