"""A model of the areas of a cohort: real adults of London and Lambeth, the rest of England and Wales shared out."""

from __future__ import annotations

import hashlib
from functools import cache
from math import sqrt

from samples.reoffending_cohorts import WHOLE, Cohort, known_areas, sum_cohorts, year_counts
from samples.tables import apportion, read_figures

UNKNOWN = "Unknown"
OTHER = "Other"
LONDON = "London"
LAMBETH = "Lambeth"

_WITHOUT_HOME = {UNKNOWN: 22, OTHER: 4}
"""Weights of offenders without an address in an authority, as thousandths of all residents."""
_SPREAD_POINTS = 2.6
_DRIFT_POINTS = 1.0
_POINTS_PER_OFFENDING = 1.5
"""Where there is more offending there is more reoffending: points for a weight that is 1,000 above the average."""
_DESIGN_EFFECT = 1.3
"""A person can stand in several quarterly cohorts of a year, so chance weighs more than the number says."""


@cache
def read_authorities() -> list[dict[str, str]]:
    """Upper-tier and unitary authorities of 2023, the finest areas: older ones are sums of them."""
    return read_figures("reoffending_authorities")


@cache
def _residents() -> dict[str, int]:
    return {line["code"]: int(line["population"]) for line in read_figures("population_2024")}


@cache
def area_counts(year: int, age: str) -> dict[str, Cohort]:
    """A cohort year by the name of the authority, with what has no home in one.

    Offenders follow residents and how much offending there is; rates lie about the national one, with a spread
    that lasts from year to year, a drift, and chance.
    """
    whole = year_counts(year)[age]
    known = {area: known_areas().get((year, area)) if age == "adult" else None for area in (LONDON, LAMBETH)}
    offenders = _share_out(whole.offenders, _weigh_offenders(year, age), "offenders", known)
    rate = whole.reoffenders / whole.offenders
    expected = {name: round(n * _draw_rate(name, year, age, rate, n) * 1e6) for name, n in offenders.items()}
    reoffenders = _share_out(whole.reoffenders, expected, "reoffenders", known)
    weights = [round(n * (1 + 0.12 * _draw("reoffences", name, age)) * 1e6) for name, n in reoffenders.items()]
    reoffences = apportion(whole.reoffences, weights)
    counts = zip(offenders.values(), reoffenders.values(), reoffences, strict=True)
    return {name: Cohort(*line) for name, line in zip(offenders, counts, strict=True)}


def _share_out(total: int, weights: dict[str, int], figure: str, known: dict[str, Cohort | None]) -> dict[str, int]:
    """Whole parts by weight, but London and Lambeth with their real figures, or with their share of real years."""

    def take(area: str, whole: int, within: str) -> int:
        if cohort := known[area]:
            return int(getattr(cohort, figure))
        part, all_of_it = (
            sum(getattr(cohort, figure) for (_, name), cohort in known_areas().items() if name == place)
            for place in (area, within)
        )
        return apportion(whole, [part, all_of_it - part])[0]

    london = take(LONDON, total, WHOLE)
    lambeth = take(LAMBETH, london, LONDON)
    boroughs = {line["name"] for line in read_authorities() if line["region"] == LONDON} - {LAMBETH}
    parts = {LAMBETH: lambeth}
    for count, names in (
        (london - lambeth, [name for name in weights if name in boroughs]),
        (total - london, [name for name in weights if name not in boroughs | {LAMBETH}]),
    ):
        parts |= dict(zip(names, apportion(count, [weights[name] for name in names]), strict=True))
    return {name: parts[name] for name in weights}


def _weigh_offenders(year: int, age: str) -> dict[str, int]:
    weights = {}
    for line in read_authorities():
        name = line["name"]
        noise = 1 + 0.1 * _draw("offending", name, age) + 0.03 * _draw("offending", name, age, year)
        weights[name] = round(_residents()[line["area_code"]] * int(line["offending_per_mille"]) * noise)
    whole = sum(weights.values())
    return weights | {name: whole * share // 1000 for name, share in _WITHOUT_HOME.items()}


def _draw_rate(name: str, year: int, age: str, average: float, offenders: int) -> float:
    """The rate of an area: what lasts, what drifts from year to year, and chance, which is larger in small ones."""
    weight = next((int(line["offending_per_mille"]) for line in read_authorities() if line["name"] == name), 1000)
    points = _POINTS_PER_OFFENDING * (weight - 1000) / 1000 + _SPREAD_POINTS * _draw("rate", name, age)
    drift = (_draw("drift", name, age, year) + _draw("drift", name, age, year - 1)) / sqrt(2)
    chance = sqrt(_DESIGN_EFFECT * average * (1 - average) / max(offenders, 1)) * _draw("chance", name, age, year)
    return min(0.8, max(0.0, average + (points + _DRIFT_POINTS * drift) / 100 + chance))


def _draw(*key: str | int) -> float:
    """A number that looks like a standard normal one and is always the same for its key.

    It is the sum of four uniform ones; no function is used whose last digit may differ between machines.
    """
    digest = hashlib.sha256("|".join(map(str, key)).encode()).digest()
    uniform = [int.from_bytes(digest[start : start + 4], "big") / 2**32 for start in range(0, 16, 4)]
    return (sum(uniform) - 2) * sqrt(3)


def sum_places(year: int, age: str, as_of: str) -> dict[str, dict[str, Cohort]]:
    """Counts by category and name of the area; what has no home in an authority is unknown to regions and forces."""
    parts: dict[str, dict[str, list[Cohort]]] = {"Region total": {}, "PFA total": {}, "UTLA total": {}}
    lines = {line["name"]: line for line in read_authorities()}
    for name, cohort in area_counts(year, age).items():
        line = lines.get(name, {"region": UNKNOWN, "police_force": UNKNOWN, "older_name_until": ""})
        authority = line["older_name"] if line["older_name_until"] > as_of else name
        for category, place in zip(parts, (line["region"], line["police_force"], authority), strict=True):
            parts[category].setdefault(place, []).append(cohort)
    sums = {category: {name: sum_cohorts(own) for name, own in places.items()} for category, places in parts.items()}
    return {"England and Wales total": {WHOLE: year_counts(year)[age]}, **sums}
