"""Screenshots of a page of every kind, to look at: `python -m tests.browser.screenshots VERSION FOLDER [PATH …]`.

VERSION is the folder that holds `site/`; FOLDER is written to, and is no part of the project. Paths are those of pages
within the site; without any, the largest page of every kind is taken.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import FloatRect, sync_playwright

from tests.browser.choose import choose_largest
from tests.browser.conftest import ARGUMENTS
from tests.browser.served import serving
from tests.browser.visitor import visiting

WIDTHS = (320, 768, 1280)


def main() -> None:
    """Write `<page>-<width>-<light or dark>.png`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--width", type=int, action="append", help="pixels; may be given several times")
    parser.add_argument("--height", type=int, default=6000, help="pixels at the most: the top of the page")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    paths = options.paths or choose_largest(options.version / "site")
    with serving(options.version) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for width in options.width or WIDTHS:
            for is_dark in (False, True):
                with visiting(browser, f"{address}/site", width, is_dark=is_dark) as visitor:
                    for path in paths:
                        name = (
                            f"{path.removesuffix('.html').replace('/', '-')}-{width}-{'dark' if is_dark else 'light'}"
                        )
                        page = visitor.open(path)
                        height = min(page.evaluate("document.documentElement.scrollHeight"), options.height)
                        clip = FloatRect(x=0, y=0, width=width, height=height)
                        page.screenshot(path=options.folder / f"{name}.png", full_page=True, clip=clip)
        browser.close()


if __name__ == "__main__":
    main()
