"""Somebody who looks at pages of a site, and notes what a browser complains of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
HEIGHT = 900
PATIENCE = 15_000
"""Milliseconds for what should take a moment."""
SHORTEN = """document.querySelectorAll(
  'tbody tr:nth-child(n + 7), li:nth-child(n + 13), dl > :nth-child(n + 25), svg g > path:nth-of-type(n + 5), '
  + '[data-group] > [data-group]:nth-of-type(n + 4)'
).forEach(each => each.remove())"""
"""Removes lines that are like those before them: axe takes minutes for a thousand."""


@dataclass
class Visitor:
    """A page of a browser that looks at one site.

    Attributes:
        page: the browser's.
        address: of the site, without a slash at its end.
        complaints: what it asked for elsewhere or did not get, and what it complained of.
    """

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page of the site, and wait for all that it loads."""
        self.page.goto(f"{self.address}/{path}")
        return self.page

    def note_request(self, request: Request) -> None:
        if not request.url.startswith(f"{self.address}/"):
            self.complaints.append(f"asked elsewhere: {request.url}")

    def note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # it went on to another page, or left
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def find_violations(self, rules: list[str]) -> list[str]:
        """What axe finds, by the named rules or, without any, by all of WCAG 2.2 AA and of good practice."""
        page = self.page
        page.evaluate(SHORTEN)
        if not page.evaluate("'axe' in window"):
            page.evaluate(_read_axe())
        run_only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
        options = json.dumps({"resultTypes": ["violations"], "runOnly": run_only})
        found: list[dict[str, Any]] = page.evaluate(f"axe.run(document, {options}).then(found => found.violations)")
        return [
            f"{page.url}: {violation['id']}: {node['html'][:200]}: {node['failureSummary'][:300]}"
            for violation in found
            for node in violation["nodes"][:3]
        ]


@cache
def _read_axe() -> str:
    return AXE.read_text(encoding="utf-8")


@contextmanager
def visiting(
    browser: Browser, address: str, width: int = 1280, *, is_dark: bool = False, runs_scripts: bool = True
) -> Iterator[Visitor]:
    """A visitor for the block; at its end nothing may have been complained of."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if is_dark else "light",
        java_script_enabled=runs_scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    visitor = Visitor(page, address)
    page.on("request", visitor.note_request)
    page.on("response", visitor.note_response)
    page.on("requestfailed", visitor.note_failure)
    page.on("console", visitor.note_message)
    page.on("pageerror", lambda error: visitor.complaints.append(f"{page.url}: {error}"))
    try:
        yield visitor
    finally:
        context.close()
    assert visitor.complaints == []
