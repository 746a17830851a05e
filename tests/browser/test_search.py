"""An area is found by its name: with keys alone, from the overview and in the list, and without scripts in the list."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visitor import visiting


@pytest.fixture
def address(demo_address: str) -> str:
    """The address of the demo's site."""
    return f"{demo_address}/site"


def find_box(page: Page) -> None:
    """Press Tab until the search box has the focus."""
    box = page.get_by_role("searchbox", name="Find an area by name or code")
    for _ in range(20):
        page.keyboard.press("Tab")
        if box.evaluate("box => box === document.activeElement"):
            return
    pytest.fail("Tab does not lead to the search box")


def press_tab_to_link(page: Page) -> str:
    """Press Tab until a link has the focus; → its address."""
    page.keyboard.press("Tab")
    address: str = page.evaluate("document.activeElement.href")
    return address


def test_dudley_is_found_from_the_overview_with_keys(browser: Browser, address: str) -> None:
    with visiting(browser, address) as visitor:
        page = visitor.open("index.html")
        find_box(page)
        page.keyboard.type("dudl")
        page.keyboard.press("Enter")
        page.wait_for_url("**/areas/index.html#find=dudl")
        shown = page.locator("li[data-code]:visible")
        assert {name.strip() for name in shown.locator("a").all_inner_texts()} == {"Dudley"}
        expect(page.get_by_role("status")).to_contain_text("found.")
        assert press_tab_to_link(page).startswith(f"{address}/areas/")


@pytest.mark.parametrize("typed", ["dudl", "DUDLEY", "e08000027"])
def test_the_list_is_cut_down_to_what_is_typed(typed: str, browser: Browser, address: str) -> None:
    with visiting(browser, address, 320) as visitor:
        page = visitor.open("areas/index.html")
        links = page.locator("li[data-code] a")
        before = links.count()
        find_box(page)
        page.keyboard.type(typed)
        visible = page.locator("li[data-code]:visible")
        assert "E08000027" in visible.evaluate_all("all => all.map(each => each.dataset.code)")
        assert visible.count() < 5 < before
        page.locator("li[data-code='E08000027']:visible a").first.press("Enter")
        page.wait_for_url("**/areas/E08000027.html")
        assert page.locator("h1").inner_text() == "Dudley"


def test_what_is_found_nowhere_is_told_and_all_comes_back(browser: Browser, address: str) -> None:
    with visiting(browser, address) as visitor:
        page = visitor.open("areas/index.html")
        visible = page.locator("li[data-code]:visible")
        before = visible.count()
        box = page.get_by_role("searchbox")
        box.fill("zzz")
        expect(page.get_by_role("status")).to_have_text("No area found.")
        assert visible.count() == 0
        box.fill("")
        assert visible.count() == before > 400


def test_the_list_is_there_without_scripts(browser: Browser, address: str) -> None:
    with visiting(browser, address, runs_scripts=False) as visitor:
        page = visitor.open("areas/index.html")
        page.locator("li[data-code='E08000027'] a").first.click()
        assert page.locator("h1").inner_text() == "Dudley"
