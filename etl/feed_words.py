"""What the cells and notes of the spreadsheets say.

The contracts describe columns as the warehouse holds them, with codes and names of other columns; a spreadsheet has
neither, and its notes speak of what stands in its cells.
"""

from __future__ import annotations

import re

from etl.contracts import Field
from etl.rank_words import EXCLUSIONS

MISSING = "[x]"
NOT_APPLICABLE = "[z]"

_FUNNEL_CLASSES = {
    "below_99_8": "below the 99.8% limits",
    "below_95": "below the 95% limits",
    "inside": "inside the 95% limits",
    "above_95": "above the 95% limits",
    "above_99_8": "above the 99.8% limits",
}

_IN_WORDS = {"funnel_class": _FUNNEL_CLASSES, "exclusion_reason": EXCLUSIONS}
"""Columns of codes, and what is said instead of each."""

_WILSON = (
    "end of the 95% interval of the rate (Wilson, allowing for people who stand in several quarterly cohorts of a "
    "year). Chance only."
)

_NOTES = {
    "wilson_low_percent": f"Lower {_WILSON}",
    "wilson_high_percent": f"Upper {_WILSON}",
    "population": "Residents at mid-year, less those of forces that the count leaves out.",
    "indistinguishable_areas": "How many other areas it cannot be told apart from: the guaranteed rank high less the "
    "guaranteed rank low.",
    "funnel_class": "Where the rate lies against the average of all ranked areas: inside the 95% limits of chance, "
    "below or above them, or even below or above the 99.8% limits. About one area in 20 lies outside the 95% limits "
    "by chance.",
    "exclusion_reason": f"Why the area has no place in the ranking; {NOT_APPLICABLE} where it has one.",
    "significant": "Whether the difference is statistically significant, yes or no: as the publisher says, else at "
    "the 5% level.",
    "rank_all": "Rank by the difference, 1 being the furthest below its prediction.",
    "rank_significant": "Rank by the difference among the areas whose difference is significant, 1 being the furthest "
    f"below its prediction; {NOT_APPLICABLE} for the others.",
}
"""Notes of columns whose contract speaks of codes, nulls or other columns by their names."""


def describe_column(name: str, field: Field) -> str:
    """The note of a column: its heading and what stands below it."""
    return f"{field.title}: {_NOTES.get(name, field.description)}"


def put_in_words(name: str, value: object) -> object:
    """What is said instead of a code or a truth; any other text as it is, any other value too.

    Args:
        name: the column.
        value: what stands in it, no null.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return keep_plain(_IN_WORDS.get(name, {}).get(value, value))
    return value


def keep_plain(text: str) -> str:
    """A published text that gptables takes as it is: `$$…$$` would be a note, `[…](…)` a link."""
    return re.sub(r"\$(?=\$)|\](?=\()", r"\g<0> ", text)
