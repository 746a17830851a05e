"""The charts of a ranking: rates and ranks with their intervals, and the funnel. Their data are added by name."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
from altair.typing import ChartType

from etl.site.charts import COLOURS

_NAMES, _PANEL, _GAP, _STEP = 192, 174, 16, 14
"""Pixels: the column of names, each of the two panels, what lies between, and the height of a line."""

FUNNEL_WIDTH, FUNNEL_HEIGHT = 540, 380
"""Pixels of the plot."""

CLASSES = ("inside", "outside 95%", "outside 99.8%")
"""Where a point of the funnel lies against the limits of chance."""

LIMITS = ("95%, chance only", "99.8%, chance only", "95%, with spread", "99.8%, with spread")
"""The limits of the funnel, as its legend calls them."""


def draw_intervals(*, unit: str, average: str, lowest: str, has_interval: bool, has_rank_interval: bool) -> ChartType:
    """A line for each area, by rank: to the left its value with its interval, to the right the ranks it may have.

    Data: `rows` with `place` (1 at the top), `name`, `value` with `low` and `high`, `rank` with `rank_low` and
    `rank_high`, `bound_low` and `bound_high`, each of which can be null; `average` with
    `value`, across all lines; `guides` with `place`, quiet lines that lead the eye.

    Args:
        unit: what the value is.
        average: what the dashed line is.
        lowest: what rank 1 is.
        has_interval: whether values have intervals.
        has_rank_interval: whether any rank has one given the data.
    """
    height = alt.Step(_STEP)
    panels: ChartType = alt.hconcat(
        _draw_names().properties(width=_NAMES, height=height),
        _draw_values(unit, average, has_interval).properties(width=_PANEL, height=height),
        _draw_ranks(lowest, has_rank_interval).properties(width=_PANEL, height=height),
        spacing=_GAP,
    ).resolve_scale(y="shared")
    return panels


_PLACE = alt.Y("place:O", axis=None, sort="ascending")


def _draw_names() -> Any:
    names = alt.Chart(alt.NamedData("rows")).mark_text(align="right", fontSize=11, limit=_NAMES)
    return names.encode(y=_PLACE, x=alt.value(_NAMES), text="name:N")


def _draw_values(unit: str, average: str, has_interval: bool) -> Any:
    line = alt.Chart(alt.NamedData("average")).mark_rule(color=COLOURS["plum"], strokeDash=[4, 3])
    layers = [_draw_guides(), line.encode(x=_scale_across("value:Q", _make_axis(unit, "top")))]
    if has_interval:
        layers.append(_draw_strokes(["low", "high"], color=COLOURS["pale"], strokeWidth=3))
    layers.append(_draw_strokes(["value"], _make_axis(None, "bottom"), **_DOT))
    title = alt.TitleParams(f"- - {average}", color=COLOURS["plum"], **_SMALL)
    return alt.layer(*layers, title=title).resolve_axis(x="independent")


def _draw_ranks(lowest: str, has_interval: bool) -> Any:
    top = _make_axis(f"rank, 1 the {lowest}", "top", _NO_RANK_0)
    layers = [_draw_guides(), _draw_strokes(["bound_low", "bound_high"], top, color=COLOURS["teal"], strokeWidth=1.5)]
    if has_interval:
        layers.append(_draw_strokes(["rank_low", "rank_high"], color=COLOURS["pale"], strokeWidth=5))
    layers.append(_draw_strokes(["rank"], _make_axis(None, "bottom", _NO_RANK_0), **_DOT))
    told = "thick: the data; thin: guaranteed" if has_interval else "line: guaranteed"
    title = alt.TitleParams(told, color=COLOURS["quiet"], **_SMALL)
    return alt.layer(*layers, title=title).resolve_axis(x="independent")


_DOT: dict[str, Any] = {"color": COLOURS["blue"], "strokeWidth": 5, "strokeCap": "round"}
_SMALL: dict[str, Any] = {"fontSize": 11, "fontWeight": "normal", "offset": 6}


def _draw_strokes(fields: list[str], axis: alt.Axis | None = None, **look: Any) -> Any:
    """A stroke through the fields of each line, all in one path: hundreds of marks would be a heavy page."""
    strokes = alt.Chart(alt.NamedData("rows")).transform_fold([*fields, "gap"], as_=["end", "at"])
    return strokes.mark_line(invalid="break-paths-filter-domains", **look).encode(
        y=_PLACE, x=_scale_across("at:Q", axis), order="place:Q"
    )


def _draw_guides() -> Any:
    guides = alt.Chart(alt.NamedData("guides")).mark_rule(color=COLOURS["grid"], strokeWidth=1)
    return guides.encode(y=_PLACE)


def _scale_across(field: str, axis: alt.Axis | None) -> alt.X:
    return alt.X(field, axis=axis, scale=alt.Scale(zero=False, nice=False, padding=4))


_NO_RANK_0 = "datum.value < 1 ? '' : datum.label"


def _make_axis(title: str | None, orient: Literal["top", "bottom"], label: str = "datum.label") -> alt.Axis:
    """An axis above and one below: a long chart is not seen as a whole."""
    return alt.Axis(title=title, orient=orient, tickCount=4, grid=orient == "top", domain=False, labelExpr=label)


def draw_funnel(*, sizes: str, unit: str) -> ChartType:
    """Rates against the size of their areas, between the limits of chance and those that allow for spread.

    Data: `rows` with `size`, `value` and `class` (one of CLASSES); `labels` with `size`, `value`, `name` and `side`
    (`left` or `right` of its point); `limits` with `size`, `value`, `limit` (one of LIMITS) and `end`, whose lines they
    are; `average` with `value`.

    Args:
        sizes: what the size of an area is.
        unit: what the value is.
    """
    x = alt.X("size:Q", title=sizes, scale=alt.Scale(type="sqrt", nice=False, padding=8), axis=alt.Axis(tickCount=6))
    y = alt.Y("value:Q", title=unit, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=6))
    blue, plum = COLOURS["blue"], COLOURS["plum"]
    limits = (
        alt.Chart(alt.NamedData("limits"))
        .mark_line(interpolate="monotone")
        .encode(
            x=x,
            y=y,
            detail="end:N",
            color=alt.Color("limit:N", scale=_scale(LIMITS, [blue, blue, plum, plum]), legend=_LINES),
            strokeDash=alt.StrokeDash("limit:N", scale=_scale(LIMITS, [[1, 0], [1, 0], [6, 4], [6, 4]]), legend=_LINES),
            strokeWidth=alt.StrokeWidth("limit:N", scale=_scale(LIMITS, [1, 2, 1, 2]), legend=_LINES),
        )
    )
    average = alt.Chart(alt.NamedData("average")).mark_rule(color=COLOURS["quiet"]).encode(y=y)
    fills = [COLOURS["pale"], COLOURS["teal"], COLOURS["orange"]]
    points = (
        alt.Chart(alt.NamedData("rows"))
        .mark_point(opacity=1, size=36, strokeWidth=0, stroke=COLOURS["ink"])
        .encode(
            x=x,
            y=y,
            shape=alt.Shape("class:N", scale=_scale(CLASSES, ["circle", "triangle-up", "diamond"]), legend=_POINTS),
            fill=alt.Fill("class:N", scale=_scale(CLASSES, fills), legend=_POINTS),
        )
    )
    labels = alt.Chart(alt.NamedData("labels")).encode(x=x, y=y, text="name:N")
    right = labels.transform_filter(alt.datum.side == "right").mark_text(align="left", dx=7, fontSize=11)
    left = labels.transform_filter(alt.datum.side == "left").mark_text(align="right", dx=-7, fontSize=11)
    return alt.layer(limits, average, points, right, left).properties(width=FUNNEL_WIDTH, height=FUNNEL_HEIGHT)


_LINES = alt.Legend(title=None, orient="bottom", columns=2, columnPadding=40, symbolSize=500, labelLimit=240)
_POINTS = alt.Legend(title=None, orient="top", columns=3, columnPadding=30, symbolSize=60, symbolStrokeWidth=0)


def _scale(names: tuple[str, ...], values: list[Any]) -> alt.Scale:
    return alt.Scale(domain=list(names), range=values)
