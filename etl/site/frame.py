"""What every page shares: where it is written, how it links to others, and the templates.

Everything is written sorted and without a clock, and no page but the one on the data names the version: a page whose
figures stay the same has the same bytes in the next version. Links are relative, so that pages work at any address and
from a disk.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import duckdb

from etl import revisions
from etl.site import words
from etl.site.charts import Charts, Figure, Table
from etl.site.directory import AreaEntry, Directory, OffenceEntry, RankingEntry
from etl.site.summaries import SHOWN, ReleaseSummary, find_stem

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
ASSETS = ("style.css", "site.js", "icon.svg")
"""What pages load: our own, from the site itself."""

Row = dict[str, Any]


def fetch(connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, object] | None = None) -> list[Row]:
    """The lines of a query, each as column → value."""
    result = connection.execute(query, parameters or {})
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@dataclass(frozen=True)
class Site:
    """Where pages are written, and what every page says.

    Attributes:
        folder: `site/` of the version.
        version: its name; only the page on the data says it.
        holds_modelled: whether any release of it is a modelled sample.
        directory: the areas, offences and rankings that have pages.
        charts: draws.
    """

    folder: Path
    version: str
    holds_modelled: bool
    directory: Directory
    charts: Charts

    def write(self, path: str, text: str) -> None:
        """Write one file; `path` is relative to the site."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def write_assets(self) -> None:
        """Write the stylesheet, the script and the icon."""
        for name in ASSETS:
            self.write(name, (_FOLDER / "assets" / name).read_text(encoding="utf-8"))

    def write_page(self, path: str, template: str, **content: Any) -> None:
        """Write a page from a template, which is given `site`, `page` and the content."""
        html = _environment().get_template(template).render(site=self, page=Page(path), **content)
        self.write(path, html)

    def write_json(self, path: str, content: Any) -> None:
        """Write JSON; the same content gives the same bytes."""
        # Compact: indenting takes Python's slow encoder, and every area has such a file.
        text = json.dumps(content, default=_plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        self.write(path, f"{text}\n")


@dataclass(frozen=True)
class Page:
    """The place of a page in the site."""

    path: str

    def link(self, target: str) -> str:
        """The relative address of another file of the site, or of one beside the site (`../…`)."""
        return _relate(target, posixpath.dirname(self.path) or ".")

    def link_release(self, release: ReleaseSummary | str, suffix: str = "html") -> str:
        """The relative address of a release's page; a release or its id."""
        stem = find_stem(release) if isinstance(release, str) else release.stem
        return self.link(f"releases/{stem}.{suffix}")

    def link_area(self, area: AreaEntry, suffix: str = "html") -> str:
        """The relative address of an area's page."""
        return self.link(f"areas/{area.area_code}.{suffix}")

    def link_offence(self, offence: OffenceEntry) -> str:
        """The relative address of the page of an offence or group."""
        return self.link(f"crime/{offence.offence_id}.html")

    def link_ranking(self, ranking: RankingEntry) -> str:
        """The relative address of a ranking's page."""
        return self.link(ranking.path)

    def link_feed(self, table: str, suffix: str) -> str:
        """The relative address of a feed of a table (`mart.crime_trend`), such as its `csv`."""
        return self.link(f"../feeds/{table.replace('.', '/')}.{suffix}")

    def link_table(self, table: str) -> str:
        """The relative address of a table's page in the dictionary."""
        return self.link(f"dictionary/{table.replace('.', '/')}.html")


@cache
def _relate(target: str, folder: str) -> str:
    return quote(posixpath.relpath(target, folder))


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no JSON")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "day": revisions.format_day,
        "number": words.format_count,
        "rate": words.format_rate,
        "signed": words.format_signed,
        "figure": revisions.describe_figure,
        "period": revisions.describe_period,
        "before": revisions.format_before,
        "after": revisions.format_after,
        "change": revisions.format_change,
        "percent": revisions.format_percent,
    }
    environment.filters |= filters
    environment.globals |= {
        "STATES": words.STATES,
        "LEVELS": words.LEVELS,
        "LEVELS_PLURAL": words.LEVELS_PLURAL,
        "TABLES": words.TABLES,
        "REASONS": words.REASONS,
        "MARKERS": words.MARKERS,
        "SHOWN": SHOWN,
        "PAGES": words.PAGES,
    }
    return environment


__all__ = ["Charts", "Figure", "Page", "Row", "Site", "Table", "fetch"]
