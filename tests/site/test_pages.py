"""Every page of the site: it loads nothing from elsewhere, everybody can read it, and the same is always the same."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.site.conftest import WriteSite
from tests.site.made import (
    CLAIMS,
    FORCE,
    HOSTILE,
    LOOKUPS,
    MARCH_2,
    NEXT,
    RELEASES,
    REVISIONS,
    SUMMARIES,
    TOTAL,
    revision,
)
from tests.site.page import Page

PATHS = [
    "index.html",
    "releases/index.html",
    "releases/recorded_crime_ons/year-ending-march-2018-1.html",
    "releases/recorded_crime_ons/year-ending-march-2018-2.html",
    "releases/recorded_crime_ons/year-ending-march-2019-1.html",
    "releases/geography/lookups-1.html",
    "releases/proven_reoffending/april-to-june-2020-1.html",
    "releases/proven_reoffending/july-to-september-2020-1.html",
    "claims/index.html",
]
LOADING = {"script", "img", "iframe", "object", "embed", "video", "audio", "source", "base", "form", "svg", "style"}
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"


RELEASE_BANNER = "Modelled sample. The figures on this page are made up for a demonstration."
VERSION_BANNER = (
    "This version holds modelled samples , made up to show how things work: figures from them are published by nobody."
)


def list_banners(page: Page) -> list[dict[str, str | None]]:
    return [attributes for _, attributes in page.elements if attributes.get("class") == "banner"]


def list_files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_are_these_pages_and_their_json(made_site: Path) -> None:
    releases = [path for path in PATHS if path.count("/") == 2]
    summaries = [path.replace(".html", ".json") for path in [*releases, "releases/index.html", "claims/index.html"]]
    assert sorted(list_files(made_site)) == sorted([*PATHS, *summaries, "style.css"])


@pytest.mark.parametrize("path", PATHS)
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(path: str, made_site: Path) -> None:
    page = Page(made_site / path)
    assert not {tag for tag, _ in page.elements} & LOADING
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on")}, (tag, attributes)
        assert not {"src", "srcset", "data", "poster", "background", "action", "style"} & set(attributes)
    assert [meta["content"] for meta in page.named("meta") if "http-equiv" in meta] == [POLICY]
    [sheet] = page.named("link")
    assert sheet["rel"] == "stylesheet"


@pytest.mark.parametrize("path", PATHS)
def test_links_are_relative_and_lead_somewhere(path: str, made_site: Path) -> None:
    page = Page(made_site / path)
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    targets = [str(attributes["href"]) for _, attributes in page.elements if "href" in attributes]
    assert targets
    for target in targets:
        if target.startswith("#"):
            assert unquote(target[1:]) in ids
        else:
            assert re.match(r"(\.\./|[a-z_0-9-])[a-z_0-9/.-]*\.(html|json|css)$", target), target
            assert (page.path.parent / target).resolve().is_file(), target


@pytest.mark.parametrize("path", PATHS)
def test_everybody_can_read_a_page(path: str, made_site: Path) -> None:
    page = Page(made_site / path)
    assert page.html.startswith("<!DOCTYPE html>\n")
    assert page.named("html") == [{"lang": "en-GB"}]
    for tag in ("title", "main", "header", "footer", "nav", "h1"):
        assert len(page.named(tag)) == 1, tag
    assert page.named("a")[0] == {"class": "skip", "href": "#content"}
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert all(text for _, text in page.headings)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PATHS)
def test_tables_have_captions_and_scopes_and_can_be_scrolled_with_keys(path: str, made_site: Path) -> None:
    page = Page(made_site / path)
    captions = [caption["id"] for caption in page.named("caption")]
    assert len(page.named("table")) == len(captions)
    assert all(cell["scope"] in ("col", "row") for cell in page.named("th"))
    regions = [region for region in page.named("div") if region.get("class") == "scroll"]
    assert [region["aria-labelledby"] for region in regions] == captions
    assert all((region["tabindex"], region["role"]) == ("0", "region") for region in regions)


def test_the_stylesheet_loads_nothing(made_site: Path) -> None:
    style = (made_site / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style
    assert "@font-face" not in style
    assert {"#12436D", "#28A197", "#801650", "#F46A25"} <= set(re.findall("#[0-9A-F]{6}", style))
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


@pytest.mark.parametrize("path", PATHS)
def test_published_figures_wear_no_banner(path: str, made_site: Path) -> None:
    page = Page(made_site / path)
    assert list_banners(page) == []
    assert "modelled sample" not in page.text.lower()


def test_every_page_of_a_demo_wears_a_banner(write_pages: WriteSite, tmp_path: Path) -> None:
    modelled: dict[str, list[dict[str, Any]]] = {
        "releases": [row | {"is_modelled": True} for row in RELEASES],
        "revisions": [row | {"is_modelled": True} for row in REVISIONS],
        "summaries": [row | {"is_modelled": True} for row in SUMMARIES],
    }
    site = write_pages(tmp_path / "site", **modelled)
    for path in PATHS:
        page = Page(site / path)
        assert list_banners(page) == [{"class": "banner", "role": "note"}], path
        is_release = path.count("/") == 2
        assert (RELEASE_BANNER in page.text, VERSION_BANNER in page.text) == (is_release, not is_release), path


def test_only_the_page_of_a_modelled_release_says_that_its_figures_are_made_up(
    write_pages: WriteSite, tmp_path: Path
) -> None:
    """Overview, list and claims say that there are samples, and not that all that they show is made up."""
    rows = [row | {"is_modelled": row["release_id"] == NEXT} for row in RELEASES]
    site = write_pages(tmp_path / "site", releases=rows)
    pages = {path: Page(site / path) for path in PATHS}
    assert [path for path in PATHS if RELEASE_BANNER in pages[path].text] == [
        "releases/recorded_crime_ons/year-ending-march-2019-1.html"
    ]
    general = ["index.html", "releases/index.html", "claims/index.html"]
    assert {path for path in PATHS if VERSION_BANNER in pages[path].text} == set(general)
    assert [len(list_banners(page)) for page in pages.values()] == [1, 1, 0, 0, 1, 0, 0, 0, 1]


def test_a_claim_that_only_samples_would_decide_says_so_beside_the_banner(
    write_pages: WriteSite, tmp_path: Path
) -> None:
    rows = [row | {"is_modelled": True} for row in RELEASES]
    claims = [replace(CLAIMS[0], is_modelled=True), CLAIMS[1]]
    page = Page(write_pages(tmp_path / "site", releases=rows, claims=claims) / "claims/index.html")
    assert len(list_banners(page)) == 2
    assert page.text.count("Only made-up figures are held of what would decide.") == 1


def test_the_same_warehouse_gives_the_same_bytes(write_pages: WriteSite, made_site: Path, tmp_path: Path) -> None:
    """Also where its lines lie in another order."""
    again = write_pages(
        tmp_path / "again", releases=RELEASES[::-1], revisions=REVISIONS[::-1], summaries=SUMMARIES[::-1]
    )
    assert list_files(again) == list_files(made_site)


def test_names_and_titles_that_hold_markup_are_shown_as_text(write_pages: WriteSite, tmp_path: Path) -> None:
    hostile = {"area_name": HOSTILE, "offence_name": HOSTILE, "marker": HOSTILE, "level": HOSTILE}
    site = write_pages(
        tmp_path / "site",
        releases=[row | {"title": HOSTILE, "publisher": HOSTILE, "landing_page": "javascript:x"} for row in RELEASES],
        revisions=[revision(NEXT, MARCH_2, 2, 3, **(FORCE | TOTAL | hostile))],
        claims=[_hostile_claim()],
    )
    for path in PATHS:
        page = Page(site / path)
        assert not {tag for tag, _ in page.elements} & LOADING, path
        assert "javascript:" not in [str(attributes.get("href")) for _, attributes in page.elements]
    release = Page(site / "releases/recorded_crime_ons/year-ending-march-2019-1.html")
    assert release.headings[0] == (1, HOSTILE)
    assert release.tables["largest-count"][1][:2] == [f"{HOSTILE} {HOSTILE}", HOSTILE]
    claims = Page(site / "claims/index.html")
    assert (2, f"{HOSTILE}: differs") in claims.headings


def _hostile_claim() -> Any:
    return replace(CLAIMS[0], claim_id='x" onclick="', area_name=HOSTILE, verdict="differs", sentences=[HOSTILE])


def test_a_warehouse_without_any_figures_has_its_pages(write_pages: WriteSite, tmp_path: Path) -> None:
    lookups = [row for row in RELEASES if row["release_id"] == LOOKUPS]
    site = write_pages(tmp_path / "site", releases=lookups, revisions=[], summaries=[], claims=[])
    assert "It states no figures of crime or reoffending." in Page(site / "releases/geography/lookups-1.html").text
    assert "No claim is held." in Page(site / "claims/index.html").text
    assert Page(site / "releases/index.html").tables["all-releases"][1] == [
        "Lookups Lookups, names and codes of areas, and their changes",
        "10 January 2017",
        "Current",
        "no figures of crime or reoffending",
    ]
