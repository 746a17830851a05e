"""The pages of a version, and the same as JSON: what each release changed, and what became of the claims.

Everything is written from the tables of one warehouse, sorted and without a clock: the same warehouse gives the same
bytes. Links are relative, so that the pages work at any address and from a disk.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import duckdb

from etl import revisions
from etl.revisions import format_day
from etl.site.summaries import SHOWN, ReleaseSummary, read_summaries
from etl.sources import declared_sources

if TYPE_CHECKING:
    from jinja2 import Environment

    from etl.claim_words import ToldClaim

_FOLDER = Path(__file__).parent
STYLE = "style.css"

TABLES = {
    "recorded_crime": "Recorded crime",
    "reoffending": "Proven reoffending",
    "local_adult_reoffending": "Local adult reoffending",
}
"""What the tables of figures are called on a page."""

LEVELS = {
    "country": "country",
    "region": "region",
    "police_force": "police force",
    "upper_tier": "upper-tier authority",
    "lower_tier": "lower-tier authority",
    "csp": "Community Safety Partnership",
    "other": "no resident population",
}
"""What one area of each level is called on a page."""

STATES = {"current": "Current", "superseded": "Replaced", "withdrawn": "Withdrawn"}
"""The states of a release, on a page."""

COUNTS = ("figures", "new_figures", "revised_figures", "unchanged_figures", "gone_figures")


def write_site(connection: duckdb.DuckDBPyConnection, folder: Path, version: str) -> None:
    """Write the pages and JSON of a version.

    Args:
        connection: its warehouse, open; it is only read.
        folder: where to write, `site/` of the version; it is made.
        version: the version's name, for the foot of each page.
    """
    from etl.claim_words import tell_claims

    summaries = read_summaries(connection)
    site = Site(folder, version, any(summary.is_modelled for summary in summaries))
    claims = tell_claims(connection)
    site.write(STYLE, (_FOLDER / STYLE).read_text(encoding="utf-8"))
    site.write_page("index.html", "home.html", releases=summaries, claims=claims)
    by_id = {summary.release_id: summary for summary in summaries}
    _write_releases(site, summaries, by_id)
    _write_claims(site, claims, by_id)


@dataclass(frozen=True)
class Site:
    """Where pages are written, and what every page says.

    Attributes:
        folder: `site/` of the version.
        version: its name.
        holds_modelled: whether any release of it is a modelled sample.
    """

    folder: Path
    version: str
    holds_modelled: bool

    def write(self, path: str, text: str) -> None:
        """Write one file; `path` is relative to the site."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def write_page(self, path: str, template: str, **content: Any) -> None:
        """Write a page from a template."""
        page = Page(path)
        html = _environment().get_template(template).render(site=self, page=page, **content)
        self.write(path, html)

    def write_json(self, path: str, content: Any) -> None:
        """Write JSON; the same content gives the same bytes."""
        self.write(path, json.dumps(content, default=_plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class Page:
    """The place of a page in the site."""

    path: str

    def link(self, target: str) -> str:
        """The relative address of another file of the site, or of one beside the site (`../…`)."""
        return quote(posixpath.relpath(target, posixpath.dirname(self.path) or "."))

    def link_release(self, summary: ReleaseSummary, suffix: str = "html") -> str:
        """The relative address of a release's page."""
        return self.link(f"releases/{summary.stem}.{suffix}")


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no JSON")


def _write_releases(site: Site, summaries: list[ReleaseSummary], by_id: dict[str, ReleaseSummary]) -> None:
    sources = _name_sources(summaries)
    site.write_page("releases/index.html", "releases.html", releases=summaries, sources=sources)
    site.write_json("releases/index.json", {"version": site.version, "releases": [_list_entry(s) for s in summaries]})
    for summary in summaries:
        site.write_page(
            f"releases/{summary.stem}.html",
            "release.html",
            release=summary,
            source=sources[summary.source],
            by_id=by_id,
            lists=_make_lists(summary),
        )
        site.write_json(f"releases/{summary.stem}.json", make_summary_json(summary, site.version))


def _name_sources(summaries: list[ReleaseSummary]) -> dict[str, str]:
    """What each source is called; one that is declared no more goes by its id."""
    declared = declared_sources()
    names = {summary.source for summary in summaries}
    return {name: declared[name].title if name in declared else name for name in names}


def make_summary_json(summary: ReleaseSummary, version: str) -> dict[str, Any]:
    """A release summary as its JSON file holds it: schemas/site/release_summary.schema.json."""
    return asdict(summary) | {
        "version": version,
        "state_explained": explain_state(summary),
        "totals": {name: summary.total(name) for name in COUNTS},
    }


def _list_entry(summary: ReleaseSummary) -> dict[str, Any]:
    names = ("release_id", "source", "edition", "title", "published_at", "published_on", "state", "withdrawn_at")
    return {name: getattr(summary, name) for name in (*names, "is_modelled")} | {
        "totals": {name: summary.total(name) for name in COUNTS},
        "page": f"{summary.stem}.html",
        "summary": f"{summary.stem}.json",
    }


def explain_state(summary: ReleaseSummary) -> str:
    """What the state of a release means, in words."""
    if summary.state == "withdrawn":
        since = f" on {format_day(summary.withdrawn_on)}" if summary.withdrawn_on else ""
        return (
            f"Its publisher withdrew it{since}. Nothing of it was removed here: its figures are kept, with the "
            "state, so that what rested on them can still be traced."
        )
    if summary.state == "superseded":
        return (
            "Its publisher replaced it by a later release of the same edition. Its figures are kept, so that what "
            "rested on them can still be traced."
        )
    return "No replacement and no withdrawal of it is known here."


@dataclass(frozen=True)
class _List:
    """A list of the largest revisions: its heading, what it is by, and its lines."""

    slug: str
    heading: str
    note: str
    revisions: tuple[revisions.Revision, ...]


_OF_PERCENT = (
    "In percent of what the count was. A small count changes by many percent at a stroke (from 2 to 3 is +50%): read "
    "the counts beside it."
)
_OF_COUNT = "By how many more or fewer were counted: areas and offences with high counts come first here."
_OF_POINTS = "Rates of reoffending, by percentage points. They are no counts and stand apart from them."


def _make_lists(summary: ReleaseSummary) -> list[_List]:
    lists = [
        _List("percent", "Largest by percentage", _OF_PERCENT, summary.largest_by_percent),
        _List("count", "Largest by count", _OF_COUNT, summary.largest_by_count),
        _List("points", "Largest by percentage points", _OF_POINTS, summary.largest_by_points),
    ]
    return [found for found in lists if found.revisions]


def _write_claims(site: Site, claims: list[ToldClaim], by_id: dict[str, ReleaseSummary]) -> None:
    site.write_page("claims/index.html", "claims.html", claims=claims, by_id=by_id)
    site.write_json("claims/index.json", {"version": site.version, "claims": [asdict(claim) for claim in claims]})


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
        "day": format_day,
        "number": lambda count: f"{count:,}",
        "figure": revisions.describe_figure,
        "period": revisions.describe_period,
        "before": revisions.format_before,
        "after": revisions.format_after,
        "change": revisions.format_change,
        "percent": revisions.format_percent,
    }
    environment.filters |= filters
    environment.globals |= {
        "STATES": STATES,
        "LEVELS": LEVELS,
        "TABLES": TABLES,
        "SHOWN": SHOWN,
        "explain_state": explain_state,
    }
    return environment
