"""The charts of crime trends: a series with its breaks, groups side by side, and the change on year in forces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import altair as alt
from altair.typing import ChartType

from etl.site.chart_kinds import WIDTH, day_axis
from etl.site.charts import COLOURS, Charts, Figure, Table
from etl.site.crime_words import name_year, tell_change, tell_rate
from etl.site.series import CRIME, list_break_ids, make_segments, tell_line
from etl.site.words import format_count, format_signed

Row = Mapping[str, Any]

_PADDING = {"left": 30, "right": 30, "top": 5, "bottom": 5}
"""Some readers' fonts are wider than those that a chart is measured with."""

_PLAIN_ZERO = "datum.value == 0 ? '0' : datum.label"
_LABEL_APART = timedelta(days=300)
_ROWS_OF_LABELS = 3


def draw_series(*, has_breaks: bool) -> ChartType:
    """A line through the counts of years, cut where nothing may be compared, with numbered rules at its breaks.

    Data: `rows` with `end` (ISO day), `value` and `segment`; where `has_breaks`, `breaks` with `start` (ISO day),
    `label`, `lift` (0 to 2: the row above the plot in which the label stands), `cuts` (whether no change is given).

    Args:
        has_breaks: whether there are breaks.
    """
    base = alt.Chart(alt.NamedData("rows"))
    x = day_axis()
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5, format=",~f"))
    layers: list[Any] = []
    if has_breaks:
        breaks = alt.Chart(alt.NamedData("breaks"))
        for cuts, width in ((True, 2), (False, 1)):
            rule = breaks.mark_rule(color=COLOURS["plum"], strokeDash=[4, 3], strokeWidth=width)
            layers.append(rule.transform_filter(alt.datum.cuts == cuts).encode(x=day_axis("start")))
        for lift in range(_ROWS_OF_LABELS):
            label = breaks.transform_filter(alt.datum.lift == lift)
            mark = label.mark_text(color=COLOURS["plum"], fontSize=12, baseline="bottom")
            layers.append(mark.encode(x=day_axis("start"), y=alt.value(-3 - 13 * lift), text="label:N"))
    layers.append(base.mark_line(color=COLOURS["blue"], strokeWidth=2).encode(x=x, y=y, detail="segment:N"))
    layers.append(base.mark_point(color=COLOURS["blue"], filled=True, size=22, opacity=1).encode(x=x, y=y))
    return alt.layer(*layers).properties(width=WIDTH, height=240)


def draw_panels() -> ChartType:
    """A small panel a group, two beside each other, each with a scale of its own.

    Data: `rows` with `group`, `end` (ISO day), `value` and `segment`.
    """
    base = alt.Chart(alt.NamedData("rows")).encode(
        x=day_axis(label_format="%Y", ticks=4),
        y=alt.Y(
            "value:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=3, format=",~f", minExtent=60)
        ),
    )
    line = base.mark_line(color=COLOURS["blue"], strokeWidth=2).encode(detail="segment:N")
    points = base.mark_point(color=COLOURS["blue"], filled=True, size=10, opacity=1)
    panels = alt.layer(line, points).properties(width=195, height=90)
    by = alt.Facet("group:N", title=None, header=alt.Header(labelAnchor="start"))
    faceted: ChartType = panels.facet(by, columns=2).resolve_scale(y="independent").properties(padding=_PADDING)
    return faceted


def draw_changes() -> ChartType:
    """The change on year in each area: a dot with its interval, in the order of the lines.

    Data: `rows` with `area`, `change`, `low` and `high` (percent).
    """
    base = alt.Chart(alt.NamedData("rows"))
    y = alt.Y("area:N", sort=None, title=None, axis=alt.Axis(labelLimit=190, grid=True, ticks=False, domain=False))
    title = "Change on the year before, percent"
    x = alt.X("low:Q", title=title, axis=alt.Axis(format="+,~f", labelExpr=_PLAIN_ZERO, grid=False, tickCount=7))
    zero = alt.Chart(alt.NamedData("rows")).mark_rule(color=COLOURS["ink"], strokeWidth=1).encode(x=alt.datum(0))
    interval = base.mark_rule(color=COLOURS["pale"], strokeWidth=5).encode(x=x, x2="high:Q", y=y)
    dots = base.mark_point(color=COLOURS["blue"], filled=True, size=36, opacity=1).encode(x="change:Q", y=y)
    return alt.layer(interval, zero, dots).properties(width=WIDTH - 170, height=alt.Step(15), padding=_PADDING)


def number_breaks(rows: Sequence[Row], breaks: Mapping[str, Row]) -> list[dict[str, Any]]:
    """The breaks of a series in order of time, each with `label`, `cuts` and `lift`, so that no labels overlap."""
    found = [breaks[name] for name in list_break_ids(rows) if name in breaks]
    found.sort(key=lambda row: (row["start_date"], row["break_id"]))
    last: list[date | None] = [None] * _ROWS_OF_LABELS
    made = []
    for number, row in enumerate(found, 1):
        start = row["start_date"]
        free = [lift for lift, day in enumerate(last) if day is None or start - day > _LABEL_APART]
        lift = free[0] if free else _ROWS_OF_LABELS - 1
        last[lift] = start
        made.append({**row, "label": str(number), "cuts": row["action"] == "null", "lift": lift})
    return made


def make_series(
    charts: Charts, name: str, area: str, rows: Sequence[Row], breaks: Mapping[str, Row], digits: int
) -> Figure:
    """The figure of one series: the trend, and the table of all years."""
    numbered = number_breaks(rows, breaks)
    known = [row for row in rows if row["offences"] is not None]
    marks = [
        {"start": row["start_date"].isoformat(), **{key: row[key] for key in ("label", "lift", "cuts")}}
        for row in numbered
    ]
    table = Table(
        ("Year ending", "Offences", "Per 1,000 residents (95% interval)", "Change on the year before (95% interval)"),
        tuple(
            (
                name_year(row),
                format_count(row["offences"]) if row["offences"] is not None else row["offences_marker"] or "none",
                tell_rate(row, digits),
                tell_change(row),
            )
            for row in reversed(rows)
        ),
        frozenset({1}),
    )
    return charts.draw(
        draw_series,
        make_segments(rows, breaks),
        slug="trend",
        title=f"{name}: recorded offences in {area}, years ending {name_year(known[0])} to {name_year(known[-1])}",
        text=tell_line(rows, breaks, CRIME, format_count, lambda row: f"year ending {name_year(row)}")
        + _tell_marks(len(numbered)),
        table=table,
        more={"breaks": marks} if marks else None,
        has_breaks=bool(marks),
    )


def _tell_marks(breaks: int) -> str:
    if not breaks:
        return ""
    rules = "A numbered dashed rule marks" if breaks == 1 else f"{breaks} numbered dashed rules mark"
    return f" {rules} what else must be known; the list below names {'it' if breaks == 1 else 'them'}."


def make_panels(
    charts: Charts, area: str, series: Sequence[tuple[str, Sequence[Row]]], breaks: Mapping[str, Row]
) -> Figure:
    """The figure of all groups side by side: name and years of each, of one area."""
    segments = {name: make_segments(rows, breaks) for name, rows in series}
    lines = [line | {"group": name} for name, found in segments.items() for line in found]
    counts = {(name, row["period_end"]): row["offences"] for name, rows in series for row in rows}
    years = {row["period_end"]: row for _, rows in series for row in rows}
    table = Table(
        ("Year ending", *(name for name, _ in series)),
        tuple(
            (name_year(years[end]), *(format_count(counts.get((name, end))) for name, _ in series))
            for end in sorted(years, reverse=True)
        ),
        frozenset(range(1, len(series) + 1)),
    )
    newest = [next(row for row in reversed(rows) if row["offences"] is not None) for _, rows in series]
    told = "; ".join(
        f"{name} {format_count(row['offences'])} (year ending {name_year(row)})"
        for (name, _), row in zip(series, newest, strict=True)
    )
    are_cut = any(found[-1]["segment"] > 1 for found in segments.values() if found)
    cut = "Lines are cut where figures are missing or may not be compared. " if are_cut else ""
    text = (
        "Each panel has a scale of its own, from zero: read its shape, and do not compare heights between panels. "
        f"{cut}The newest: {told}."
    )
    title = f"Groups of offences: recorded offences a year, {area}"
    return charts.draw(draw_panels, lines, slug="groups", title=title, text=text, table=table)


def make_changes(charts: Charts, name: str, rows: Sequence[Row]) -> Figure:
    """The figure of the change on year in police forces: those with a percentage, the largest rise first."""
    told = [row for row in rows if row["change_percent"] is not None]
    told.sort(key=lambda row: (-row["change_percent"], row["area_name"], row["area_code"]))
    lines = [
        {
            "area": row["area_name"],
            "change": round(row["change_percent"], 3),
            "low": _round(row["change_low_percent"], row["change_percent"]),
            "high": _round(row["change_high_percent"], row["change_percent"]),
        }
        for row in told
    ]
    table = Table(
        ("Police force", "Change on the year before (95% interval)"),
        tuple((row["area_name"], tell_change(row)) for row in told),
    )
    rose = sum((row["change_low_percent"] or 0) > 0 for row in told)
    fell = sum((row["change_high_percent"] or 0) < 0 for row in told)
    text = (
        f"From {format_signed(told[-1]['change_percent'])}% in {told[-1]['area_name']} to "
        f"{format_signed(told[0]['change_percent'])}% in {told[0]['area_name']}. Of {len(told)} police "
        f"force{'' if len(told) == 1 else 's'} with a percentage, the interval of {rose} lies wholly above zero, that "
        f"of {fell} wholly below, and that of {len(told) - rose - fell} holds zero. Intervals show chance only: "
        "revisions and changes in recording weigh more."
    )
    title = f"{name}: change on year in police forces, year ending {name_year(told[0])}"
    return charts.draw(draw_changes, lines, slug="changes", title=title, text=text, table=table)


def _round(end: float | None, value: float) -> float:
    return round(value if end is None else end, 3)
