"""Published offence names and codes → `offence_id`, by the reviewed list warehouse/ref/offence_alias.csv."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache

from etl.cells import header_meaning
from etl.settings import project_root


@dataclass(frozen=True)
class Alias:
    """One published name or code of a source and the offence that it means, between two days (ends included)."""

    key: str
    offence_id: str
    starts_on: date
    ends_on: date


@cache
def offence_aliases(source: str) -> tuple[Alias, ...]:
    """The aliases of one source; names and codes are compared as `cells.header_meaning` gives them."""
    path = project_root() / "warehouse" / "ref" / "offence_alias.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Alias(
                key=header_meaning(row["published_name"]),
                offence_id=row["offence_id"],
                starts_on=date.fromisoformat(row["starts_on"] or "0001-01-01"),
                ends_on=date.fromisoformat(row["ends_on"] or "9999-12-31"),
            )
            for row in csv.DictReader(file)
            if row["source"] == source
        )


def find_offence(source: str, published: str | None, period_end: date) -> str | None:
    """The offence that a published name or code means in a period; None if the list does not hold it."""
    key = header_meaning(published)
    for alias in offence_aliases(source):
        if alias.key == key and alias.starts_on <= period_end <= alias.ends_on:
            return alias.offence_id
    return None
