"""The charts of an area: its recorded crime, and proven reoffending with its intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from etl.site.area_words import AGE_NAMES, describe_cohort, describe_year
from etl.site.chart_kinds import draw_trend
from etl.site.charts import Charts, Figure, Table
from etl.site.frame import Row
from etl.site.series import CRIME, REOFFENDING, Breaks, make_segments, mark_breaks, tell_line, tell_marks
from etl.site.words import format_count, format_rate

FEWEST = 3
"""A chart is drawn of no fewer figures: two are told in a sentence."""


def draw_crime(charts: Charts, rows: list[Row], breaks: Breaks, area_name: str) -> Figure | None:
    """The years of the total as a line; None of fewer than `FEWEST`.

    Args:
        charts: draws.
        rows: lines of mart.crime_trend of one area and total, oldest first.
        breaks: all breaks.
        area_name: for the title.
    """
    points = make_segments(rows, breaks, CRIME)
    if len(points) < FEWEST:
        return None
    marked = mark_breaks(rows, breaks, CRIME)
    held = [row for row in rows if row["offences"] is not None]
    name = "excluding fraud" if held[0]["offence_id"] == "total_excluding_fraud" else "including fraud"
    table = Table(
        ("Year", "Offences"),
        tuple((describe_year(row["period_end"]), format_count(row["offences"])) for row in held),
        frozenset({1}),
    )
    return charts.draw(
        draw_trend,
        points,
        slug="crime-trend",
        title=f"Recorded crime, {area_name}: offences in a year, total {name}",
        text=tell_line(rows, breaks, CRIME, format_count, lambda row: describe_year(row["period_end"]))
        + tell_marks(marked),
        table=table,
        **_add_breaks(marked),
        unit="Offences in a year",
        number_format=",~f",
        has_interval=False,
    )


def draw_reoffending(charts: Charts, rows: list[Row], breaks: Breaks, area_name: str, slug: str) -> Figure | None:
    """The annual cohorts of one measure and age group as a line with intervals; None of fewer than `FEWEST`.

    Args:
        charts: draws.
        rows: lines of mart.reoffending_trend with their intervals, of one area, measure and age group, oldest first.
        breaks: all breaks.
        area_name: for the title.
        slug: names it within the page.
    """
    points = _add_intervals(make_segments(rows, breaks, REOFFENDING), rows)
    if len(points) < FEWEST:
        return None
    marked = mark_breaks(rows, breaks, REOFFENDING)
    held = [row for row in rows if row["rate_percent"] is not None]
    ages = AGE_NAMES.get(str(held[0]["age_group"]), str(held[0]["age_group"]))
    measure = "twelve-month cohorts" if held[0]["measure"] == "twelve_month_cohort" else "annual cohorts"
    table = Table(
        ("Cohort", "Rate, %", "95% interval"),
        tuple(
            (describe_cohort(row), format_rate(row["rate_percent"]), format_span(row, "rate_{}_percent"))
            for row in held
        ),
        frozenset({1, 2}),
    )
    return charts.draw(
        draw_trend,
        points,
        slug=slug,
        title=f"Proven reoffending, {area_name}: {ages[0].lower()}{ages[1:]}, percent of offenders, {measure}",
        text=tell_line(rows, breaks, REOFFENDING, lambda rate: f"{format_rate(rate)}%", _name_cohort)
        + tell_marks(marked),
        table=table,
        **_add_breaks(marked),
        unit="Reoffenders, % of offenders",
        number_format=".1~f",
    )


def _name_cohort(row: Mapping[str, Any]) -> str:
    return f"cohort of the {describe_year(row['cohort_end'])}"


def format_span(row: Row, names: str, digits: int = 1) -> str:
    """An interval, `24.1 to 25.0`, of the columns that `names` makes of `low` and `high`; a dash without one."""
    low, high = row[names.format("low")], row[names.format("high")]
    if low is None or high is None:
        return "–"
    return f"{format_rate(low, digits)} to {format_rate(high, digits)}".replace("-", "−")


def _add_intervals(points: list[dict[str, Any]], rows: list[Row]) -> list[dict[str, Any]]:
    """Points with the interval of each rate that has one."""
    intervals = {
        row["cohort_end"].isoformat(): {"low": row["rate_low_percent"], "high": row["rate_high_percent"]}
        for row in rows
        if row["rate_low_percent"] is not None
    }
    return [point | intervals.get(point["end"], {}) for point in points]


def _add_breaks(marked: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not marked:
        return {}
    days = sorted({row["start_date"].isoformat() for row in marked})
    return {"has_breaks": True, "more": {"breaks": [{"end": day} for day in days]}}
