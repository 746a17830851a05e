"""The pages of releases, and the same as JSON: what each stated that is new, revised, unchanged or gone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from etl import revisions
from etl.revisions import format_day
from etl.site.frame import Site
from etl.site.summaries import ReleaseSummary, name_source

COUNTS = ("figures", "new_figures", "revised_figures", "unchanged_figures", "gone_figures")


def write_releases(site: Site, summaries: list[ReleaseSummary]) -> None:
    """Write the list of releases, and a page and JSON of each.

    Args:
        site: where to.
        summaries: every release, the newest first.
    """
    by_id = {summary.release_id: summary for summary in summaries}
    sources = {summary.source: name_source(summary.source) for summary in summaries}
    site.write_page("releases/index.html", "releases.html", releases=summaries, sources=sources)
    site.write_json("releases/index.json", {"releases": [_list_entry(s) for s in summaries]})
    for summary in summaries:
        site.write_page(
            f"releases/{summary.stem}.html",
            "release.html",
            release=summary,
            source=sources[summary.source],
            by_id=by_id,
            lists=_make_lists(summary),
            state_explained=explain_state(summary),
        )
        site.write_json(f"releases/{summary.stem}.json", make_summary_json(summary))


def make_summary_json(summary: ReleaseSummary) -> dict[str, Any]:
    """A release summary as its JSON file holds it: schemas/site/release_summary.schema.json."""
    return asdict(summary) | {
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
