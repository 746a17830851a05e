"""The kinds of charts that several pages draw: functions of options; `Charts.draw` adds the lines by name."""

from __future__ import annotations

from typing import Any

import altair as alt
from altair.typing import ChartType

from etl.site.charts import COLOURS

WIDTH = 560
"""Pixels; a page narrower than that scrolls the chart."""


def day_axis(field: str = "end", *, label_format: str = "%b %Y", ticks: int = 6) -> alt.X:
    """The days of a field from left to right, the same wherever the machine stands: days have no time zone.

    Args:
        field: holds ISO days.
        label_format: of the axis, as d3 knows it.
        ticks: about how many.
    """
    axis = alt.Axis(format=label_format, labelOverlap=True, tickCount=ticks, grid=False)
    return alt.X(f"{field}:T", title=None, scale=alt.Scale(type="utc"), axis=axis)


def draw_trend(
    *, unit: str, number_format: str, has_interval: bool = True, has_breaks: bool = False, height: int = 240
) -> ChartType:
    """A line through the figures of an area, with their intervals, interrupted where nothing may be compared.

    Data: `rows` with `end` (ISO day), `value`, `segment` (a line joins the values of one segment only) and, where
    `has_interval`, `low` and `high`; where `has_breaks`, `breaks` with `end`: a dashed line across at each.

    Args:
        unit: what the value is, for the axis.
        number_format: of the axis, as d3 knows it.
        has_interval, has_breaks: which data there are.
        height: pixels of the plot.
    """
    base = alt.Chart(alt.NamedData("rows"))
    x = day_axis()
    # Above the axis and level: beside it, long numbers would run into it in a wider font.
    title = alt.Axis(
        tickCount=5, format=number_format, titleAngle=0, titleAlign="left", titleAnchor="end", titleX=0, titleY=-12
    )
    y = alt.Y("value:Q", title=unit, scale=alt.Scale(zero=True), axis=title)
    layers: list[Any] = []
    if has_breaks:
        breaks = alt.Chart(alt.NamedData("breaks"))
        layers.append(breaks.mark_rule(color=COLOURS["plum"], strokeDash=[4, 3], strokeWidth=1.5).encode(x=day_axis()))
    if has_interval:
        interval = base.mark_rule(color=COLOURS["pale"], strokeWidth=4)
        layers.append(interval.encode(x=x, y=alt.Y("low:Q", axis=title, title=unit), y2="high:Q"))
    layers.append(base.mark_line(color=COLOURS["blue"], strokeWidth=2).encode(x=x, y=y, detail="segment:N"))
    layers.append(base.mark_point(color=COLOURS["blue"], filled=True, size=30, opacity=1).encode(x=x, y=y))
    return alt.layer(*layers).properties(width=WIDTH, height=height)
