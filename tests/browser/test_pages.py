"""Pages of every kind in a browser: everybody can use them, they load nothing else, and nothing is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.choose import choose_largest, choose_pages
from tests.browser.visitor import HEIGHT, visiting

NARROW, MIDDLE, WIDE = 320, 768, 1280
PAPER = 718
"""Pixels between the margins of a sheet of A4 upright."""
SMALLEST_TEXT = 9
"""Pixels of the letters of a chart, as it is shown."""
LOOK_RULES = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
"""What depends on width and colours; axe's other rules do not."""

OVERFLOWING = """() => {
  const root = document.scrollingElement, found = [];
  if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} pixels wide`);
  for (const each of document.body.querySelectorAll('*:not(svg, svg *)')) {
    const overflow = getComputedStyle(each).overflowX;
    if (overflow === 'visible' || each.scrollWidth <= each.clientWidth + 1) continue;
    if (overflow === 'hidden' || overflow === 'clip' || each.tabIndex !== 0)
      found.push(`${overflow}: ${each.outerHTML.slice(0, 150)}`);
  }
  return found;
}"""
"""Finds what makes the page wider than the window, and what is cut off without a way to scroll it with keys."""

POOR_TEXTS = """smallest => {
  const found = [], margin = 16;
  for (const svg of document.querySelectorAll('main svg')) {
    const frame = svg.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width, seen = [];
    for (const text of svg.querySelectorAll('text')) {
      const size = parseFloat(getComputedStyle(text).fontSize) * scale, box = text.getBoundingClientRect();
      if (size < smallest) found.push(`${size.toFixed(1)} pixels: ${text.textContent}`);
      if (box.left < frame.left - margin || box.right > frame.right + margin || box.top < frame.top - 2
          || box.bottom > frame.bottom + 2) found.push(`cut off: ${text.textContent}`);
      const other = seen.find(each => Math.min(box.right, each.right) - Math.max(box.left, each.left) > 2
          && Math.min(box.bottom, each.bottom) - Math.max(box.top, each.top) > 4);
      if (other) found.push(`${text.textContent} lies on ${other.text}`);
      seen.push({left: box.left, right: box.right, top: box.top, bottom: box.bottom, text: text.textContent});
    }
  }
  return found;
}"""
"""Finds letters of charts that are too small, that reach out of the chart or that lie on others."""

FAINT_TEXTS = """() => {
  const parse = colour => (colour.match(/[0-9.]+/g) ?? []).map(Number);
  const shine = ([red, green, blue]) => [red, green, blue].map(each => each / 255)
    .map(each => each <= .04045 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4)
    .reduce((sum, each, place) => sum + each * [.2126, .7152, .0722][place], 0);
  const ground = parse(getComputedStyle(document.body).backgroundColor), found = [];
  for (const svg of document.querySelectorAll('main svg')) {
    const areas = [...svg.querySelectorAll('path, rect')].map(each => ({box: each.getBoundingClientRect(),
      fill: getComputedStyle(each).fill, each})).filter(({box, fill}) => fill.startsWith('rgb(') && box.width > 40);
    for (const text of svg.querySelectorAll('text')) {
      const box = text.getBoundingClientRect(), x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
      const below = areas.filter(({box, each}) => box.left < x && x < box.right && box.top < y && y < box.bottom
        && each.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING).at(-1);
      const shines = [parse(getComputedStyle(text).fill), below ? parse(below.fill) : ground].map(shine);
      const contrast = (Math.max(...shines) + .05) / (Math.min(...shines) + .05);
      if (contrast < 4.5) found.push(`${contrast.toFixed(1)}: ${text.textContent}`);
    }
  }
  return found;
}"""
"""Finds letters of charts that stand out too little from what lies below them, which axe does not look at."""

UNSEEN = """() => {
  const style = getComputedStyle(document.activeElement), box = document.activeElement.getBoundingClientRect();
  return style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2 || box.width === 0 || box.right <= 0;
}"""
"""Whether what has the focus does not show it."""


@pytest.fixture
def address(demo_address: str) -> str:
    """The address of the demo's site."""
    return f"{demo_address}/site"


def open_details(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


def focused_text(page: Page) -> str:
    text: str = page.evaluate("document.activeElement.textContent.trim()")
    return text


# --- everybody -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [0, 1])
def test_axe_finds_nothing(half: int, browser: Browser, address: str, demo_site: Path) -> None:
    """By all its rules in a wide window, and by those on looks in the dark and in a narrow one; half for each core."""
    found = []
    with visiting(browser, address) as visitor:
        page = visitor.page
        for path in choose_pages(demo_site)[half::2]:
            show(page, WIDE, is_dark=False)
            open_details(visitor.open(path))
            found += visitor.find_violations([])
            for width, is_dark in ((WIDE, True), (NARROW, True), (NARROW, False)):
                show(page, width, is_dark=is_dark)
                found += [f"{width}, {is_dark=}: {each}" for each in visitor.find_violations(LOOK_RULES)]
    assert found == []


def show(page: Page, width: int, *, is_dark: bool) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme="dark" if is_dark else "light")


@pytest.mark.parametrize("is_dark", [False, True])
def test_letters_of_charts_stand_out(is_dark: bool, browser: Browser, address: str, demo_site: Path) -> None:
    with visiting(browser, address, is_dark=is_dark) as visitor:
        found = {path: visitor.open(path).evaluate(FAINT_TEXTS) for path in choose_largest(demo_site)}
    assert {path: problems for path, problems in found.items() if problems} == {}


@pytest.mark.parametrize("width", [NARROW, MIDDLE])
def test_nothing_is_wider_than_the_window_but_what_keys_can_scroll(
    width: int, browser: Browser, address: str, demo_site: Path
) -> None:
    found = {}
    with visiting(browser, address, width) as visitor:
        for path in choose_pages(demo_site):
            page = visitor.open(path)
            open_details(page)
            found[path] = page.evaluate(OVERFLOWING) + page.evaluate(POOR_TEXTS, SMALLEST_TEXT)
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_pages_are_whole_without_scripts(browser: Browser, address: str, demo_site: Path) -> None:
    """They load and say what they say with scripts, and offer nothing that would need one."""
    with visiting(browser, address) as scripted, visiting(browser, address, runs_scripts=False) as plain:
        for path in choose_largest(demo_site):
            assert plain.open(path).locator("h1").is_visible()
            assert plain.page.locator("main :is(input, select, button):visible").count() == 0, path
            assert plain.page.locator("main a").count() == scripted.open(path).locator("main a").count(), path


def test_pages_work_from_a_disk(browser: Browser, demo_site: Path) -> None:
    with visiting(browser, demo_site.as_uri()) as visitor:
        page = visitor.open("index.html")
        assert page.evaluate("getComputedStyle(document.querySelector('header')).borderBottomWidth") == "4px"
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Releases").click()
        assert page.locator("h1").inner_text() == "Releases"


# --- keys ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_dark", [False, True])
def test_keys_lead_over_the_skip_link_to_the_content(is_dark: bool, browser: Browser, address: str) -> None:
    with visiting(browser, address, is_dark=is_dark) as visitor:
        page = visitor.open("releases/index.html")
        page.keyboard.press("Tab")
        assert focused_text(page) == "Skip to the content"
        assert not page.evaluate(UNSEEN)
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_what_has_the_focus_shows_it(browser: Browser, address: str, demo_site: Path) -> None:
    with visiting(browser, address, NARROW) as visitor:
        for path in choose_largest(demo_site):
            page = visitor.open(path)
            reached = []
            for _ in range(20):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement === document.body"):
                    break
                assert not page.evaluate(UNSEEN), (path, focused_text(page))
                reached.append(focused_text(page))
            assert {"Areas", "Rankings", "Crime trends", "Map", "Claims", "Releases", "Data"} < set(reached), path


# --- paper ---------------------------------------------------------------------------------------------


def test_pages_print_without_navigation_and_nothing_is_cut_off(browser: Browser, address: str, demo_site: Path) -> None:
    found = {}
    with visiting(browser, address, PAPER) as visitor:
        visitor.page.emulate_media(media="print")
        for path in choose_largest(demo_site):
            page = visitor.open(path)
            assert not page.get_by_role("navigation", name="Pages").is_visible()
            found[path] = page.evaluate(OVERFLOWING)
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_a_page_can_be_printed_from_the_dark(browser: Browser, address: str) -> None:
    with visiting(browser, address, is_dark=True) as visitor:
        page = visitor.open("releases/index.html")
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert page.pdf(format="A4").startswith(b"%PDF-")
