"""Place names → codes, by level and date. The names are those of `ref.area_name`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from difflib import SequenceMatcher

Known = tuple[str, str, str, str, date | None, date | None]
"""Level, name as compared (`cells.name_key`), code, published name, first and last day (None where not known)."""

_NEAREST = 3
_LIKENESS = 0.6


class Names:
    """The names that areas are known by.

    Args:
        known: lines of `ref.area_name`.
    """

    def __init__(self, known: Iterable[Known]) -> None:
        self._lives: dict[tuple[str, str], list[tuple[str, date, date]]] = {}
        self._published: dict[str, dict[str, str]] = {}
        for level, key, code, published, starts_on, ends_on in known:
            life = (code, starts_on or date.min, ends_on or date.max)
            self._lives.setdefault((level, key), []).append(life)
            self._published.setdefault(level, {}).setdefault(key, published)

    def match(self, level: str, key: str, day: date) -> str | None:
        """The code of the one area of a level that bears a name on a day, else of the one that ever did.

        Publishers carry series back to before an area began, and print a former authority long after it ended.

        Args:
            level: at which the name is printed.
            key: the name as `cells.name_key` gives it.
            day: the end of the period.

        Returns:
            None where no area bears the name, or more than one.
        """
        lives = self._lives.get((level, key), [])
        living = {code for code, first, last in lives if first <= day <= last}
        codes = living or {code for code, _, _ in lives}
        return codes.pop() if len(codes) == 1 else None

    def find_nearest(self, level: str, key: str) -> list[str]:
        """The known names of a level that look most like one that is not known, best first, three at the most.

        A name whose words are all in the other comes first (`Telford`, `Telford and Wrekin`), and the order of words
        does not count (`Bristol City`, `City of Bristol`).
        """
        published = self._published.get(level, {})
        near = sorted((-like, known) for known in published if (like := _find_likeness(key, known)) >= _LIKENESS)
        return [published[known] for _, known in near[:_NEAREST]]


def _find_likeness(key: str, known: str) -> float:
    words, others = set(key.split()), set(known.split())
    if words and (words <= others or others <= words):
        return 1.0
    return max(_compare(key, known), _compare(" ".join(sorted(words)), " ".join(sorted(others))))


def _compare(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1; 0 where that is too little to matter."""
    matcher = SequenceMatcher(None, one, other)
    # The two that are quick are never below the one that is slow.
    if matcher.real_quick_ratio() < _LIKENESS or matcher.quick_ratio() < _LIKENESS:
        return 0.0
    return matcher.ratio()
