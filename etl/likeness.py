"""How alike two published texts are, to say what a header that nobody knows comes nearest to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

ALIKE = 0.6
"""From here on two headers are put forward as one; a person decides."""

_SAME_WORD = 0.8
_ONE_IN_THE_OTHER = 0.8
_SHORTEST_STEM = 4
_SMALL_WORDS = frozenset(
    {"the", "of", "and", "to", "by", "a", "an", "in", "for", "with", "offence", "offences", "crime", "crimes"}
)
"""Words that tell no header from another; `crimes` and `offences` are used for each other."""


@dataclass(frozen=True)
class Pair:
    """Something expected, the header found in its place, the known name that is most like it, and how like (0 to 1)."""

    expected: str
    found: str
    name: str
    likeness: float


def find_likeness(one: str, other: str) -> float:
    """How alike two texts are, from 0 to 1: by letters, by words, and by the words of one that the other has.

    Letters alone count only where nearly all agree: `spiking` and `shoplifting` share two in three.
    """
    letters = SequenceMatcher(None, one, other).ratio()
    likes = [letters if letters >= _SAME_WORD else 0.0]
    words, others = _words(one), _words(other)
    telling = [[word for word in each if word not in _SMALL_WORDS] for each in (words, others)]
    if all(telling):
        words, others = telling
    if words and others:
        here, there = _count_shared(words, others), _count_shared(others, words)
        likes.append((here + there) / (len(words) + len(others)))
        likes.append(_ONE_IN_THE_OTHER * max(here / len(words), there / len(others)))
    return max(likes)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.casefold())


def _count_shared(words: list[str], others: list[str]) -> float:
    """How many words stand among the others; those that are nearly the same (`violense`) count as a part."""
    likes = (max(_compare_words(word, other) for other in others) for word in words)
    return sum(like for like in likes if like >= _SAME_WORD)


def _compare_words(one: str, other: str) -> float:
    """How alike two words are; those that begin alike (`shop`, `shoplifting`; `robbery`, `robberies`) just enough."""
    short, long = sorted((one, other), key=len)
    stem = short[: max(_SHORTEST_STEM, len(short) - 1)]
    begin_alike = len(stem) >= _SHORTEST_STEM and long.startswith(stem)
    return max(SequenceMatcher(None, one, other).ratio(), _SAME_WORD if begin_alike else 0.0)


def pair_alike(expected: Mapping[str, Iterable[str]], found: Iterable[str]) -> list[Pair]:
    """Pairs of what is expected and what was found, the most alike first; nothing is in two of them.

    Args:
        expected: what is missing → the names it is known by.
        found: headers that nobody knows.
    """
    pairs = [
        Pair(wanted, text, name, round(like, 2))
        for wanted, names in expected.items()
        for text in found
        for name, like in [_find_best(text, names)]
        if like >= ALIKE
    ]
    taken: list[Pair] = []
    for pair in sorted(pairs, key=lambda pair: (-pair.likeness, pair.expected, pair.found)):
        if all(pair.expected != other.expected and pair.found != other.found for other in taken):
            taken.append(pair)
    return taken


def _find_best(text: str, names: Iterable[str]) -> tuple[str, float]:
    likes = [(find_likeness(name, text), name) for name in names]
    like, name = max(likes, default=(0.0, ""))
    return name, like
