"""Figure tables of our own, and how a real total is apportioned among parts that we do not carry."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from etl.archives import MODELLED_MARK

FIGURES = Path(__file__).parent / "figures"

APPORTIONED = f"{MODELLED_MARK}: real force totals, everything below apportioned; not published figures"
CARRIED = f"{MODELLED_MARK}: real figures and codes carried over into a file of our own; not the published file"
AGES = f"{MODELLED_MARK}: real totals, single years of age apportioned; not published figures"

LEAVES_OF = {
    "violence_against_the_person": (
        "homicide",
        "death_or_serious_injury_unlawful_driving",
        "violence_with_injury",
        "violence_without_injury",
        "stalking_and_harassment",
    ),
    "burglary": ("residential_burglary", "non_residential_burglary"),
    "theft_offences": (
        "burglary",
        "vehicle_offences",
        "theft_from_the_person",
        "bicycle_theft",
        "shoplifting",
        "other_theft_offences",
    ),
    "total_excluding_fraud": (
        "violence_against_the_person",
        "sexual_offences",
        "robbery",
        "theft_offences",
        "criminal_damage_and_arson",
        "drug_offences",
        "possession_of_weapons_offences",
        "public_order_offences",
        "miscellaneous_crimes",
    ),
}
"""The sums of the force area tables, parts before wholes."""


Counts = dict[str, int]
"""Offences by offence_id."""


def read_figures(name: str) -> list[dict[str, str]]:
    """The lines of one of our figure tables, as text by column."""
    with (FIGURES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def figure_columns(name: str) -> list[str]:
    """The columns of one of our figure tables."""
    with (FIGURES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `total` in proportion to `weights`, by largest remainder; they add to it exactly.

    Ties go to the first. Where all weights are 0 the parts are equal; a negative total gives negative parts.
    """
    if total < 0:
        return [-part for part in apportion(-total, weights)]
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in order[: total - sum(parts)]:
        parts[index] += 1
    return parts


def add_sums(leaves: dict[str, int]) -> dict[str, int]:
    """All 23 offences of the force area tables from the 19 that are no sums."""
    counts = dict(leaves)
    for whole, parts in LEAVES_OF.items():
        counts[whole] = sum(counts[part] for part in parts)
    return counts


def sum_areas(forces: dict[str, Counts]) -> dict[str, Counts]:
    """Counts of forces with those of regions and countries, which leave out what has no count."""
    areas = dict(forces)
    for area in reversed(read_figures("force_table_areas")):
        counts, parent = areas.get(area["area_code"]), area["parent_code"]
        if counts and parent:
            whole = areas.get(parent, {})
            areas[parent] = {offence: whole.get(offence, 0) + count for offence, count in counts.items()}
    return areas
