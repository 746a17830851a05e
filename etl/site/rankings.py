"""The page of every ranking, the same as JSON, and the list of them."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from etl.feed_spreadsheets import BOOKS
from etl.rank_words import LEVELS
from etl.site import ranking_funnel
from etl.site.charts import Figure, Table
from etl.site.directory import RankingEntry
from etl.site.frame import Site
from etl.site.ranking_charts import draw_funnel, draw_intervals
from etl.site.ranking_data import Ranking, read_rankings
from etl.site.ranking_tables import make_ranking_json, make_table, make_unranked
from etl.site.ranking_text import describe_first, describe_intervals

SPREADSHEETS = {book.kind: book.filename for book in BOOKS}
"""The spreadsheet of each kind, among the feeds."""

KIND_TITLES = {
    "reoffending": "Proven reoffending",
    "crime": "Recorded crime",
    "local-adult": "Local adult reoffending",
}
"""What each kind is called, in the order of the list."""

_UNITS = {
    "reoffending": "reoffending rate, %",
    "crime": "offences per 1,000 residents",
    "local-adult": "against prediction, %",
}
_EVERY = 5
"""Every fifth line of a chart is drawn through, to lead the eye."""


def write_rankings(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write the page of every ranking, the same as JSON, and the list of rankings.

    Args:
        connection: the warehouse.
        site: where to; its directory says which rankings have a page.
    """
    rankings = read_rankings(connection, site.directory.rankings)
    shown = [(ranking, make_table(ranking)) for ranking in rankings]
    figures = [_draw_figures(site, ranking, table) for ranking, table in shown]
    for (ranking, table), drawn in zip(shown, figures, strict=True):
        json_path = f"{ranking.entry.path.removesuffix('.html')}.json"
        site.write_page(
            ranking.entry.path,
            "ranking.html",
            ranking=ranking,
            table=table,
            figures=drawn,
            unranked=make_unranked(ranking),
            firsts=describe_first(ranking.entry.kind, ranking.ranked, ranking.digits),
            related=_list_related(ranking, rankings),
            spreadsheet=f"../feeds/spreadsheets/{SPREADSHEETS[ranking.entry.kind]}",
            subject=KIND_TITLES[ranking.entry.kind],
            json_path=json_path,
        )
        site.write_json(json_path, make_ranking_json(ranking))
    site.write_page("rankings/index.html", "rankings.html", kinds=_group_rankings(rankings))


# --- Figures


def _draw_figures(site: Site, ranking: Ranking, table: Table) -> list[Figure]:
    """The charts of a ranking; its table is theirs."""
    figures = [_draw_intervals(site, ranking, table)]
    if ranking.entry.kind == "reoffending" and ranking_funnel.has_funnel(ranking.ranked):
        figures.append(_draw_funnel(site, ranking, table))
    return figures


def _draw_intervals(site: Site, ranking: Ranking, table: Table) -> Figure:
    of, ranked, kind = ranking.of, ranking.ranked, ranking.entry.kind
    low, high = of.interval or (of.value, of.value)
    names = {"value": of.value, "low": low, "high": high, "rank": of.rank}
    names |= {"rank_low": "rank_low", "rank_high": "rank_high"}
    names |= {"bound_low": "rank_bound_low", "bound_high": "rank_bound_high"}
    rows = [
        {"place": place, "name": row["area_name"]} | {name: _shorten(row[column]) for name, column in names.items()}
        for place, row in enumerate(ranked, start=1)
    ]
    average, told = _find_average(ranking)
    return site.charts.draw(
        draw_intervals,
        rows,
        slug="intervals",
        title="Rates and ranks with their intervals",
        text=describe_intervals(kind, ranked, ranking.digits),
        table=table,
        more={
            "average": [{"value": average}] if average is not None else [],
            "guides": [{"place": place} for place in range(_EVERY, len(ranked) + 1, _EVERY)],
        },
        unit=_UNITS[kind],
        average=told,
        lowest="furthest below" if ranking.entry.kind == "local-adult" else "lowest",
        has_interval=of.interval is not None,
        has_rank_interval=ranking.found.rank_width is not None,
    )


def _shorten(value: float | None) -> float | None:
    return round(value, 4) if isinstance(value, float) else value


def _find_average(ranking: Ranking) -> tuple[float | None, str]:
    """Where the dashed line of the chart of intervals lies, and what it is: the rate of all ranked areas together."""
    if ranking.of.interval is None:
        return 0.0, "as predicted"
    events, trials = {"reoffending": ("reoffenders", "offenders"), "crime": ("offences", "population")}[
        ranking.entry.kind
    ]
    counted = [row for row in ranking.ranked if row[events] is not None and row[trials]]
    if not counted:
        return None, "average of all"
    share = sum(row[events] for row in counted) / sum(row[trials] for row in counted)
    return round(share * (100 if ranking.entry.kind == "reoffending" else 1000), 4), "average of all ranked"


def _draw_funnel(site: Site, ranking: Ranking, table: Table) -> Figure:
    ranked = ranking.ranked
    funnel = ranking_funnel.make_funnel(ranked)
    rows = [
        {"size": row["offenders"], "value": round(row["rate_percent"], 3)}
        | {"class": ranking_funnel.name_class(row["funnel_class"])}
        for row in ranked
    ]
    return site.charts.draw(
        draw_funnel,
        rows,
        slug="funnel",
        title="Rates by number of offenders, between the limits of chance",
        text=ranking_funnel.describe_funnel(ranked, funnel),
        table=table,
        more={
            "limits": ranking_funnel.list_limits(funnel, ranked),
            "labels": ranking_funnel.choose_labels(ranked, funnel),
            "average": [{"value": round(100 * funnel.average, 3)}],
        },
        sizes="offenders",
        unit=_UNITS[ranking.entry.kind],
    )


# --- The list of rankings


def _list_related(ranking: Ranking, rankings: list[Ranking]) -> list[Ranking]:
    """The rankings that differ from one in a single respect; of crime only those of the same offence."""
    entry = ranking.entry

    def differs(other: RankingEntry) -> int:
        names = ("level", "measure", "span", "age_group", "offence_id")
        return sum(getattr(other, name) != getattr(entry, name) for name in names)

    return [
        other
        for other in rankings
        if other.entry.kind == entry.kind and other.entry.offence_id == entry.offence_id and differs(other.entry) == 1
    ]


@dataclass(frozen=True)
class Group:
    """The rankings of one kind and level, as the list shows them."""

    title: str
    kind: str
    level: str
    rankings: list[Ranking]

    @property
    def slug(self) -> str:
        """Names its table within the page."""
        return f"{self.kind}-{self.level}"


def _group_rankings(rankings: list[Ranking]) -> list[tuple[str, list[Group]]]:
    """Rankings by kind and, within it, by level from the one with most areas of interest to the fewest."""
    kinds = []
    for kind, title in KIND_TITLES.items():
        groups = []
        for level, areas in LEVELS.items():
            found = [r for r in rankings if (r.entry.kind, r.entry.level) == (kind, level)]
            if found:
                groups.append(Group(f"{areas[:1].upper()}{areas[1:]}", kind, level, _sort(found)))
        if groups:
            kinds.append((title, groups))
    return kinds


def _sort(rankings: list[Ranking]) -> list[Ranking]:
    """Totals first, then by name."""
    return sorted(rankings, key=lambda r: (not (r.entry.offence_id or "").startswith("total_"), r.short_name))
