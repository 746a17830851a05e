"""The tables of a ranking, and the ranking as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from etl.contracts import contracts
from etl.rank_words import EXCLUSIONS, Kind
from etl.site.charts import Table
from etl.site.frame import Row
from etl.site.ranking_data import Ranking
from etl.site.ranking_text import OUTSIDE
from etl.site.words import REASONS, format_count, format_rate, format_signed

NUMBERS = {
    "reoffending": ("offenders", "reoffenders"),
    "crime": ("offences", "population"),
    "local-adult": ("offenders", "actual_percent", "predicted_percent"),
}
"""The numbers behind the value of an area, by column; their titles are in schemas/fields.yml."""


def make_table(ranking: Ranking) -> Table:
    """Every ranked area: its name, its rank, how sure that is, and the numbers behind."""
    of, digits = ranking.of, ranking.digits
    has_funnel = "funnel_class" in ranking.ranked[0]
    head = ["Area", "Rank", _name_value(ranking)]
    head += ["95% interval"] if of.interval else []
    head += ["Rank given the data", "Guaranteed rank", "Cannot be told apart from"]
    head += ["Funnel of chance", "Funnel with spread"] if has_funnel else ["Significant", "Rank among the significant"]
    numbers = NUMBERS[ranking.entry.kind]
    head += [_name_column(of, name) for name in numbers]
    rows = []
    for row in ranking.ranked:
        cells = [row["area_name"], f"{row[of.rank]}{'=' if row['tied'] else ''}", _format_value(of, row, digits)]
        if of.interval:
            low, high = of.interval
            cells.append(_format_range(row[low], row[high], digits))
        cells += [_format_range(row[f"{name}_low"], row[f"{name}_high"]) for name in ("rank", "rank_bound")]
        cells.append(format_count(row["indistinguishable_areas"]))
        if has_funnel:
            cells += [OUTSIDE.get(row[name], "–") for name in ("funnel_class", "funnel_class_overdispersed")]
        else:
            cells += [{True: "yes", False: "no"}.get(row["significant"], "–"), format_count(row["rank_significant"])]
        rows.append((*cells, *(_format_number(row, name) for name in numbers)))
    words = {"Area", "Funnel of chance", "Funnel with spread", "Significant"}
    numeric = frozenset(place for place, name in enumerate(head) if name not in words)
    return Table(tuple(head), tuple(rows), numeric)


def make_unranked(ranking: Ranking) -> Table:
    """Every area that is not ranked, why, and what is held of it."""
    numbers = (ranking.of.value, *NUMBERS[ranking.entry.kind])
    head = ("Area", "Why it is not ranked", _name_value(ranking), *(_name_column(ranking.of, n) for n in numbers[1:]))
    rows = [
        (
            row["area_name"],
            explain_unranked(row),
            _format_value(ranking.of, row, ranking.digits),
            *(_format_number(row, name) for name in numbers[1:]),
        )
        for row in ranking.unranked
    ]
    return Table(head, tuple(rows), frozenset(range(2, len(head))))


def explain_unranked(row: Row) -> str:
    """Why an area is not ranked; it begins a sentence of its own."""
    code = row["exclusion_reason"] or row["reason"]
    why = EXCLUSIONS.get(code) or REASONS.get(code) or code or "no reason is given"
    return f"{why[:1].upper()}{why[1:]}"


def _name_value(ranking: Ranking) -> str:
    return {"reoffending": "Rate, %", "crime": "Rate per 1,000 residents", "local-adult": "Against prediction, %"}[
        ranking.entry.kind
    ]


def _name_column(of: Kind, name: str) -> str:
    title = contracts()[of.table].columns[name].title
    return f"{title}, %" if name.endswith("_percent") else title


def _format_value(of: Kind, row: Row, digits: int) -> str:
    return format_rate(row[of.value], digits) if of.interval else format_signed(row[of.value], digits)


def _format_number(row: Row, name: str) -> str:
    return format_rate(row[name], 2) if name.endswith("_percent") else format_count(row[name])


def _format_range(low: float | None, high: float | None, digits: int = 0) -> str:
    return "–" if low is None or high is None else f"{low:,.{digits}f} to {high:,.{digits}f}"


def make_ranking_json(ranking: Ranking) -> dict[str, Any]:
    """A ranking as its JSON file holds it: schemas/site/ranking.schema.json."""
    entry = ranking.entry
    columns = ["area_code", "area_name", ranking.of.rank, *NUMBERS[entry.kind], ranking.of.value]
    columns += [*(ranking.of.interval or ()), *_AREA_COLUMNS]
    return {
        **{name: getattr(entry, name) for name in ("kind", "level", "measure", "span", "age_group", "offence_id")},
        "title": ranking.title,
        "table": ranking.of.table,
        "period_start": ranking.rows[0].get("cohort_start") or ranking.rows[0].get("period_start"),
        "period_end": entry.period_end,
        "is_modelled": ranking.is_modelled,
        "release_ids": [release_id for release_id, _ in ranking.releases],
        "told_apart": asdict(ranking.found),
        "sentences": ranking.sentences,
        "notes": ranking.notes,
        "earlier_periods": [{name: row[name] for name in ("period_end", "ranked_areas")} for row in ranking.earlier],
        "areas": [
            {name: row[name] for name in dict.fromkeys(columns) if name in row}
            | {"why_not_ranked": explain_unranked(row) if row[ranking.of.rank] is None else None}
            for row in ranking.rows
        ],
    }


_AREA_COLUMNS = (
    "tied",
    "expected_rank",
    "rank_low",
    "rank_high",
    "rank_bound_low",
    "rank_bound_high",
    "lowest_10_percent",
    "highest_10_percent",
    "indistinguishable_areas",
    "funnel_class",
    "funnel_class_overdispersed",
    "significant",
    "rank_significant",
    "exclusion_reason",
    "reason",
)
