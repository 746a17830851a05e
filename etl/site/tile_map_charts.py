"""A map of equal tiles, one a police force, laid out by `force_tiles.csv`.

The layout was made by hand for this site: seven columns from west to east, nine rows from north to south, each force
beside those that it borders on as far as a grid allows. It copies no other layout. What does not fit: the City of
London stands above the Metropolitan Police, which surrounds it. The upper left corner, which is sea, holds the legend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
from altair.typing import ChartType

from etl.site.charts import COLOURS

TILE_WIDTH, TILE_HEIGHT, GAP = 80, 52, 2
COLUMNS, ROWS = 7, 9
_LEGEND_STEP, _SWATCH_WIDTH, _SWATCH_HEIGHT = 24, 24, 16


@dataclass(frozen=True)
class Class:
    """A class of a map: its words in the legend, and the colour of COLOURS that fills its tiles.

    Attributes:
        label: what it means.
        fill: a name of COLOURS.
        is_hatched: whether its tiles are hatched too.
    """

    label: str
    fill: str
    is_hatched: bool = False


@dataclass(frozen=True)
class Tile:
    """A tile: its place in the grid (from 1), its short name, the text of its value, and its class."""

    row: int
    column: int
    name: str
    value: str
    of: Class


def draw_tiles() -> ChartType:
    """Tiles with name and value in each, and a legend.

    Data, all in pixels: `rows` with `x`, `x2`, `y`, `y2`, `centre`, `name`, `name_y`, `name_size`, `value`, `value_y`,
    `value_size`, `fill`, `ink`; `hatch` with `x`, `x2`, `y`, `y2`; `legend` with `x`, `x2`, `y`, `y2`, `fill`, `label`,
    `label_x` and `label_y`.
    """
    x, x2 = alt.X("x:Q", scale=None, axis=None), alt.X2("x2:Q")
    y, y2 = alt.Y("y:Q", scale=None, axis=None), alt.Y2("y2:Q")
    tiles, legend = alt.Chart(alt.NamedData("rows")), alt.Chart(alt.NamedData("legend"))
    layers: list[Any] = [
        data.mark_rect(stroke=COLOURS["quiet"], strokeWidth=0.75).encode(
            x=x, x2=x2, y=y, y2=y2, fill=alt.Fill("fill:N", scale=None)
        )
        for data in (tiles, legend)
    ]
    hatch = alt.Chart(alt.NamedData("hatch")).mark_rule(color=COLOURS["grid"], strokeWidth=1.5)
    layers.append(hatch.encode(x=x, x2=x2, y=y, y2=y2))
    for text in ("name", "value"):
        mark = tiles.mark_text(baseline="middle", fontWeight="bold" if text == "value" else "normal")
        layers.append(
            mark.encode(
                x=alt.X("centre:Q", scale=None, axis=None),
                y=alt.Y(f"{text}_y:Q", scale=None, axis=None),
                text=f"{text}:N",
                size=alt.Size(f"{text}_size:Q", scale=None),
                fill=alt.Fill("ink:N", scale=None),
            )
        )
    labels = legend.mark_text(fontSize=12, align="left", baseline="middle", color=COLOURS["ink"])
    layers.append(
        labels.encode(
            x=alt.X("label_x:Q", scale=None, axis=None), y=alt.Y("label_y:Q", scale=None, axis=None), text="label:N"
        )
    )
    return alt.layer(*layers).properties(width=TILE_WIDTH * COLUMNS, height=TILE_HEIGHT * ROWS)


def place_tiles(tiles: Sequence[Tile]) -> list[dict[str, Any]]:
    """The tiles in pixels."""
    return [_place_box(tile) | _place_texts(tile) for tile in tiles]


def _place_box(tile: Tile) -> dict[str, Any]:
    left, top = TILE_WIDTH * (tile.column - 1), TILE_HEIGHT * (tile.row - 1)
    box = {"x": left, "x2": left + TILE_WIDTH - GAP, "y": top, "y2": top + TILE_HEIGHT - GAP}
    return box | {"fill": COLOURS[tile.of.fill]}


def _place_texts(tile: Tile) -> dict[str, Any]:
    left, top = TILE_WIDTH * (tile.column - 1), TILE_HEIGHT * (tile.row - 1)
    dark = tile.of.fill in ("seq_4", "seq_5")
    return {
        "centre": left + (TILE_WIDTH - GAP) / 2,
        "name": tile.name,
        "name_y": top + 17,
        "name_size": 11,
        "value": tile.value,
        "value_y": top + 34,
        "value_size": 13 if len(tile.value) < 10 else 10,
        "ink": COLOURS["paper" if dark else "ink"],
    }


def place_legend(classes: Sequence[Class]) -> list[dict[str, Any]]:
    """The legend in pixels, one class below the other."""
    return [
        {
            "x": 0,
            "x2": _SWATCH_WIDTH,
            "y": _LEGEND_STEP * place,
            "y2": _LEGEND_STEP * place + _SWATCH_HEIGHT,
            "fill": COLOURS[found.fill],
            "label": found.label,
            "label_x": _SWATCH_WIDTH + 8,
            "label_y": _LEGEND_STEP * place + _SWATCH_HEIGHT / 2 + 1,
        }
        for place, found in enumerate(classes)
    ]


def place_hatching(tiles: Sequence[Tile], classes: Sequence[Class]) -> list[dict[str, float]]:
    """Slanting lines over the tiles of hatched classes, and over their places in the legend."""
    boxes = [box for tile, box in zip(tiles, place_tiles(tiles), strict=True) if tile.of.is_hatched]
    boxes += [box for found, box in zip(classes, place_legend(classes), strict=True) if found.is_hatched]
    return [line for box in boxes for line in _hatch(box)]


def _hatch(box: dict[str, Any]) -> list[dict[str, float]]:
    """Lines from lower left to upper right within a box, eight pixels apart."""
    width, height = box["x2"] - box["x"], box["y2"] - box["y"]
    lines = []
    for along in range(8, int(width + height), 8):
        start, end = max(0, along - height), min(along, width)
        lines.append(
            {
                "x": box["x"] + start,
                "y": box["y"] + min(along, height),
                "x2": box["x"] + end,
                "y2": box["y"] + along - end,
            }
        )
    return lines
