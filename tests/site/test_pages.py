"""Every page of the site: it loads nothing from elsewhere, everybody can read it, and the same is always the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.site.charts import COLOURS
from etl.site.frame import ASSETS
from etl.site.words import PAGES
from tests.site.conftest import WriteSite
from tests.site.made import CLAIMS, FORCE, HOSTILE, KENT, LOOKUPS, MARCH_2, NEXT, RELEASES, ROBBERY, TOTAL, revision
from tests.site.page import Page
from tests.site.rules import check_links, check_loading, check_page, check_pictures, check_structure, check_tables
from tests.site.whole import WHOLE, model, set_everywhere

RELEASES_PAGES = [
    "releases/geography/lookups-1.html",
    "releases/proven_reoffending/april-to-june-2020-1.html",
    "releases/proven_reoffending/july-to-september-2020-1.html",
    "releases/recorded_crime_ons/year-ending-march-2018-1.html",
    "releases/recorded_crime_ons/year-ending-march-2018-2.html",
    "releases/recorded_crime_ons/year-ending-march-2019-1.html",
]
RELEASE_BANNER = "Modelled sample. The figures on this page are made up for a demonstration."
VERSION_BANNER = (
    "This version holds modelled samples , made up to show how things work: figures from them are published by nobody."
)

Pages = dict[str, Page]


def read_pages(site: Path) -> Pages:
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}


def list_files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def pages(made_site: Path) -> Pages:
    """Every page of the made site."""
    return read_pages(made_site)


def test_there_is_a_page_of_every_kind(pages: Pages, made_site: Path) -> None:
    indexes = [target for _, target in PAGES]
    assert {"index.html", *indexes} <= set(pages)
    folders = [target.partition("/")[0] for target in indexes]
    assert {path.partition("/")[0] for path in pages} == {"index.html", *folders}
    assert [path for path in pages if path.startswith("releases/") and path.count("/") == 2] == RELEASES_PAGES
    expected = {
        "areas/E08000027.html",
        "areas/E23000014.html",
        "areas/x-british-transport-police.html",
        "crime/robbery.html",
        "crime/total_excluding_fraud.html",
        "dictionary/mart/crime_trend.html",
        "rankings/crime/police_force-total_excluding_fraud.html",
        "rankings/local-adult/upper_tier.html",
        "rankings/reoffending/upper_tier-three_month_cohort-year-adult.html",
    }
    assert expected <= set(pages)
    assert set(ASSETS) <= set(list_files(made_site))


@pytest.mark.parametrize("check", [check_loading, check_pictures, check_structure, check_tables])
def test_every_page_keeps_the_rules(check: Callable[[Page], None], pages: Pages) -> None:
    for page in pages.values():
        check(page)


def test_links_are_relative_and_lead_somewhere(pages: Pages, made_site: Path) -> None:
    ids = {page.path.resolve(): set(page.ids) for page in pages.values()}
    for page in pages.values():
        check_links(page, made_site, ids)


def test_every_page_can_be_reached_from_the_overview(pages: Pages, made_site: Path) -> None:
    reached: set[Path] = set()
    ahead = [(made_site / "index.html").resolve()]
    by_path = {page.path.resolve(): page for page in pages.values()}
    while ahead:
        path = ahead.pop()
        if path in by_path and path not in reached:
            reached.add(path)
            links = [str(link.get("href")).partition("#")[0] for link in by_path[path].named("a")]
            ahead += [(path.parent / link).resolve() for link in links if link]
    assert set(by_path) - reached == set()


def test_the_stylesheet_loads_nothing(made_site: Path) -> None:
    style = (made_site / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style
    assert "@font-face" not in style
    assert {"#12436D", "#28A197", "#801650", "#F46A25"} <= set(re.findall("#[0-9A-F]{6}", style))
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def test_the_stylesheet_knows_every_colour_of_charts(pages: Pages, made_site: Path) -> None:
    """Orange is seen on both grounds as it is."""
    style = (made_site / "style.css").read_text(encoding="utf-8")
    drawn = [attributes for page in pages.values() for _, attributes in page.drawn]
    inks = {(name, attributes[name]) for attributes in drawn for name in ("fill", "stroke") if name in attributes}
    as_they_are = {COLOURS["orange"], "none", "transparent"}
    assert {(name, ink) for name, ink in inks if ink not in as_they_are and f'[{name}="{ink}"]' not in style} == set()


def test_published_figures_wear_no_banner(pages: Pages) -> None:
    for path, page in pages.items():
        assert page.banners == [], path
        # The dictionary says what a modelled sample is.
        assert path.startswith(("dictionary/", "quality/", "data/")) or "modelled sample" not in page.text.lower(), path


def test_every_page_of_a_demo_wears_a_banner(write_pages: WriteSite, tmp_path: Path) -> None:
    for path, page in read_pages(write_pages(tmp_path / "site", **model(WHOLE))).items():
        assert page.banners, path
        assert all(banner["role"] == "note" for banner in page.banners), path
        assert "Modelled sample." in page.text or VERSION_BANNER in page.text, path
        assert RELEASE_BANNER in page.text or path not in RELEASES_PAGES, path


def test_only_the_page_of_a_modelled_release_says_that_its_figures_are_made_up(
    write_pages: WriteSite, tmp_path: Path
) -> None:
    """Overview, list and claims say that there are samples, and not that all that they show is made up."""
    rows = [row | {"is_modelled": row["release_id"] == NEXT} for row in RELEASES]
    pages = read_pages(write_pages(tmp_path / "site", **(WHOLE | {"releases": rows})))
    assert [path for path in pages if RELEASE_BANNER in pages[path].text] == [
        "releases/recorded_crime_ons/year-ending-march-2019-1.html"
    ]
    for path in ("index.html", "releases/index.html", "claims/index.html"):
        assert VERSION_BANNER in pages[path].text
    assert [len(pages[path].banners) for path in RELEASES_PAGES] == [0, 0, 0, 0, 0, 1]


def test_a_claim_that_only_samples_would_decide_says_so_beside_the_banner(
    write_pages: WriteSite, tmp_path: Path
) -> None:
    rows = [row | {"is_modelled": True} for row in RELEASES]
    claims = [replace(CLAIMS[0], is_modelled=True), CLAIMS[1]]
    page = Page(write_pages(tmp_path / "site", releases=rows, claims=claims) / "claims/index.html")
    assert len(page.banners) == 2
    assert page.text.count("Only made-up figures are held of what would decide.") == 1


# --- the same is always the same -----------------------------------------------------------------------


def test_the_same_warehouse_gives_the_same_bytes(write_pages: WriteSite, made_site: Path, tmp_path: Path) -> None:
    """Also where its lines lie in another order."""
    turned = {table: rows[::-1] for table, rows in WHOLE.items() if table != "claims"}
    again = write_pages(tmp_path / "again", **turned)
    assert list_changed(made_site, again) == set()


def list_changed(before: Path, after: Path) -> set[str]:
    """The files that are there on one side only, or hold something else."""
    files = list_files(before), list_files(after)
    return {name for name in files[0].keys() | files[1].keys() if files[0].get(name) != files[1].get(name)}


def test_only_pages_that_show_a_figure_change_with_it(write_pages: WriteSite, made_site: Path, tmp_path: Path) -> None:
    is_changed = {"area_code": KENT["area_code"], "offence_id": ROBBERY["offence_id"], "offences": 33}.items()
    trend = [row | {"offences": 36} if is_changed <= row.items() else row for row in WHOLE["mart__crime_trend"]]
    changed = list_changed(made_site, write_pages(tmp_path / "site", **(WHOLE | {"mart__crime_trend": trend})))
    assert {"areas/E23000032.html", "crime/robbery.html"} <= changed
    assert changed <= {"areas/E23000032.html", "areas/E23000032.json", "crime/robbery.html", "crime/robbery.json"}


# --- whatever is in the warehouse ----------------------------------------------------------------------


def test_names_and_titles_that_hold_markup_are_shown_as_text(write_pages: WriteSite, tmp_path: Path) -> None:
    names = ("area_name", "offence_name", "name", "title", "publisher", "filename", "examples", "expected_text")
    hostile: dict[str, Any] = dict.fromkeys(names, HOSTILE)
    hostile |= dict.fromkeys(("landing_page", "announced_url", "url"), "javascript:x")
    rows = set_everywhere(WHOLE, hostile)
    more = dict.fromkeys(("area_name", "offence_name", "marker", "level"), HOSTILE)
    rows["revisions"] = [revision(NEXT, MARCH_2, 2, 3, **(FORCE | TOTAL | more))]
    rows["claims"] = [replace(CLAIMS[0], claim_id='x" onclick="', area_name=HOSTILE, verdict="differs")]
    pages = read_pages(write_pages(tmp_path / "site", **rows))
    for path, page in pages.items():
        check_page(page)
        assert "javascript:" not in [str(attributes.get("href")) for _, attributes in page.elements], path
    release = pages["releases/recorded_crime_ons/year-ending-march-2019-1.html"]
    assert release.headings[0] == (1, HOSTILE)
    assert release.tables["largest-count"][1][:2] == [f"{HOSTILE} {HOSTILE}", HOSTILE]
    assert (2, f"{HOSTILE}: differs") in pages["claims/index.html"].headings
    assert HOSTILE in pages["areas/E08000027.html"].headings[0][1]


def test_a_warehouse_without_any_figures_has_its_pages(write_pages: WriteSite, tmp_path: Path) -> None:
    lookups = [row for row in RELEASES if row["release_id"] == LOOKUPS]
    empty: dict[str, list[Any]] = {table: [] for table in WHOLE}
    site = write_pages(tmp_path / "site", **(empty | {"releases": lookups}))
    pages = read_pages(site)
    ids = {page.path.resolve(): set(page.ids) for page in pages.values()}
    for page in pages.values():
        check_page(page)
        check_links(page, site, ids)
    assert {target for _, target in PAGES} <= set(pages)
    assert "It states no figures of crime or reoffending." in pages["releases/geography/lookups-1.html"].text
    assert "No claim is held." in pages["claims/index.html"].text
    assert pages["releases/index.html"].tables["all-releases"][1] == [
        "Lookups Lookups, names and codes of areas, and their changes",
        "10 January 2017",
        "Current",
        "no figures of crime or reoffending",
    ]
