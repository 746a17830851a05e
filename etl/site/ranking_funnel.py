"""The funnel of a ranking of reoffending: limits between which rates lie by chance, around the average of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from etl.ranking import funnel_limits, variance_between
from etl.site.frame import Row
from etl.site.ranking_charts import CLASSES, LIMITS

_STEPS = 60
"""Points of the line of a limit."""

_LABELS = 6
_ROOM = 0.1
"""Share of the range of the rates that a label takes: the plot is about twice as high as they range."""


@dataclass(frozen=True)
class Funnel:
    """A funnel around the average of all ranked areas.

    Attributes:
        average: reoffenders per offender, of all together.
        design_effect: by which offenders are divided.
        tau2_arcsine: variance between areas beyond chance, on the scale of asin(sqrt(rate)).
    """

    average: float
    design_effect: float
    tau2_arcsine: float

    def limits(self, offenders: Sequence[float], confidence: float, with_spread: bool) -> list[tuple[float, float]]:
        """Lower and upper limits in percent for so many offenders, by chance only or with spread allowed for."""
        trials = np.asarray(offenders, dtype=np.float64) / self.design_effect
        ends = funnel_limits(self.average, trials, confidence, self.tau2_arcsine if with_spread else None)
        return [(100 * low, 100 * high) for low, high in zip(*(end.tolist() for end in ends), strict=True)]


def has_funnel(ranked: Sequence[Row]) -> bool:
    """Whether the figures of all ranked areas are there, and some reoffended and some did not."""
    known = all(row["design_effect"] and row["offenders"] and row["reoffenders"] is not None for row in ranked)
    return known and 0 < sum(row["reoffenders"] for row in ranked) < sum(row["offenders"] for row in ranked)


def make_funnel(ranked: Sequence[Row]) -> Funnel:
    """The funnel of the ranked areas: `offenders`, `reoffenders` and `design_effect` of each."""
    effect = ranked[0]["design_effect"]
    y = np.array([row["reoffenders"] for row in ranked], dtype=np.float64) / effect
    n = np.array([row["offenders"] for row in ranked], dtype=np.float64) / effect
    average = math.fsum(y) / math.fsum(n)
    deviation = np.arcsin(np.sqrt(y / n)) - np.arcsin(np.sqrt(average))
    return Funnel(average, effect, variance_between(deviation, 1 / (4 * n)))


def list_limits(funnel: Funnel, ranked: Sequence[Row]) -> list[Row]:
    """The lines of the limits over the sizes of the areas, evenly on the square root of the axis."""
    sizes = [row["offenders"] for row in ranked]
    roots = np.linspace(math.sqrt(min(sizes)), math.sqrt(max(sizes)), _STEPS)
    grid = [round(float(root**2), 1) for root in roots]
    lines: list[Row] = []
    for name, confidence, with_spread in zip(LIMITS, (0.95, 0.998) * 2, (False, False, True, True), strict=True):
        for size, ends in zip(grid, funnel.limits(grid, confidence, with_spread), strict=True):
            lines += [
                {"size": size, "value": round(value, 3), "limit": name, "end": f"{end} {name}"}
                for end, value in zip(("low", "high"), ends, strict=True)
            ]
    return lines


def name_class(funnel_class: str | None) -> str:
    """The class of a point in the chart: which side of the funnel it lies on can be seen."""
    if funnel_class in (None, "inside"):
        return CLASSES[0]
    return CLASSES[1] if str(funnel_class).endswith("_95") else CLASSES[2]


def choose_labels(ranked: Sequence[Row], funnel: Funnel) -> list[Row]:
    """The areas that are named in the chart: those furthest outside the limits that allow for spread, while there is
    room; areas of many offenders have their name to the left."""
    sizes = [row["offenders"] for row in ranked]
    rates = [row["rate_percent"] for row in ranked]
    bounds = funnel.limits(sizes, 0.998, with_spread=True)
    room = _ROOM * max(max(rates) - min(rates), 1e-9)
    outside = [
        (max(low - row["rate_percent"], row["rate_percent"] - high), row)
        for row, (low, high) in zip(ranked, bounds, strict=True)
        if row["funnel_class_overdispersed"] not in (None, "inside")
    ]
    labels: list[Row] = []
    middle = (math.sqrt(min(sizes)) + math.sqrt(max(sizes))) / 2
    for _, row in sorted(outside, key=lambda found: (-found[0], found[1]["area_code"])):
        side = "left" if math.sqrt(row["offenders"]) > middle else "right"
        taken = any(abs(label["value"] - row["rate_percent"]) < room for label in labels)
        if len(labels) < _LABELS and not taken:
            place = {"size": row["offenders"], "value": row["rate_percent"]}
            labels.append(place | {"name": row["area_name"], "side": side})
    return labels


def describe_funnel(ranked: Sequence[Row], funnel: Funnel) -> str:
    """What can be seen in the chart."""
    sizes = sorted(row["offenders"] for row in ranked)
    told = [
        f"{len(ranked)} areas of {sizes[0]:,} to {sizes[-1]:,} offenders around the average of all, "
        f"{100 * funnel.average:.1f}%: the fewer the offenders, the wider the limits."
    ]
    counts = [
        (_count_outside(ranked, "funnel_class", "_95"), _count_outside(ranked, "funnel_class", "_99_8")),
        (
            _count_outside(ranked, "funnel_class_overdispersed", "_95"),
            _count_outside(ranked, "funnel_class_overdispersed", "_99_8"),
        ),
    ]
    for text, (wide, far) in zip(("By chance only", "With spread allowed for"), counts, strict=True):
        told.append(f"{text}, {wide + far} of them lie outside the 95% limits and {far} outside those of 99.8%.")
    return " ".join(told)


def _count_outside(ranked: Sequence[Row], column: str, ending: str) -> int:
    return sum(str(row[column]).endswith(ending) for row in ranked)
