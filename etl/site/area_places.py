"""Where areas lie and what lies in them, and how they began and ended."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from etl.site.directory import LEVEL_ORDER, AreaEntry, Directory
from etl.site.words import ENGLAND_AND_WALES


@dataclass(frozen=True)
class Place:
    """An area as a page names it; `entry` where it has a page itself."""

    area_code: str
    area_name: str
    level: str | None
    entry: AreaEntry | None


@dataclass(frozen=True)
class Turn:
    """How an area began or ended: on a day, by a kind of change, out of or into others.

    Attributes:
        is_end: whether it ended so.
        kind: recode, merge, split or boundary.
        level: the tier at which it did; None where it is the same at all.
        others: what stood before it, or after.
    """

    is_end: bool
    changed_on: date
    kind: str
    level: str | None
    others: tuple[Place, ...]


# An area that ended keeps the places that it last lay in.
_PARENTS = """
    SELECT area_code, parent_level, parent_code FROM ref.area_parent
    WHERE area_code <> parent_code
    QUALIFY vintage = max(vintage) OVER (PARTITION BY area_code)
    ORDER BY area_code, parent_level, parent_code
"""

_CHILDREN = """
    SELECT parent_code, area_code FROM ref.area_parent
    WHERE area_code <> parent_code
    QUALIFY vintage = max(vintage) OVER (PARTITION BY parent_code)
    ORDER BY parent_code, area_code
"""

_LIVES = """
    SELECT area_code, level, starts_on, began_as, replaced, ends_on, ended_as, replaced_by
    FROM ref.authority_life
    ORDER BY area_code, level
"""

_CHANGES = "SELECT from_code, to_code, changed_on, kind FROM ref.area_change ORDER BY changed_on, from_code, to_code"

_LEVELS = "SELECT area_code, list(level ORDER BY level) FROM ref.area_level GROUP BY area_code ORDER BY area_code"


class Places:
    """Names every area, also those without a page."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, directory: Directory) -> None:
        self._entries = directory.areas
        self._names = dict(connection.execute("SELECT area_code, area_name FROM ref.area").fetchall())
        self._levels = dict(connection.execute(_LEVELS).fetchall())

    def find(self, code: str) -> Place:
        """An area by its code."""
        entry = self._entries.get(code)
        known = set(self._levels.get(code, ())) | set(entry.levels if entry else ())
        level = next((level for level in LEVEL_ORDER if level in known), None)
        name = entry.area_name if entry else self._names.get(code, code)
        return Place(code, name or code, level, entry)


@dataclass(frozen=True)
class Whereabouts:
    """Of each area by its code: where it lies (the nearest first), what lies in it, how it began and ended."""

    parents: dict[str, list[Place]]
    children: dict[str, list[Place]]
    turns: dict[str, list[Turn]]


def read_whereabouts(connection: duckdb.DuckDBPyConnection, directory: Directory) -> Whereabouts:
    """Where each area that has a page lies, and what became of it.

    Args:
        connection: the warehouse, open for reading.
        directory: the areas that have pages.
    """
    places = Places(connection, directory)
    above: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for code, level, parent in connection.execute(_PARENTS).fetchall():
        above[code].append((level, parent))
    children: dict[str, list[Place]] = defaultdict(list)
    for parent, code in connection.execute(_CHILDREN).fetchall():
        if parent in directory.areas:
            children[parent].append(places.find(code))
    return Whereabouts(
        parents={code: [places.find(parent) for parent in _climb(code, above)] for code in directory.areas},
        children={code: sorted(below, key=lambda at: (at.area_name, at.area_code)) for code, below in children.items()},
        turns=_read_turns(connection, places),
    )


_NEAREST = {"csp": 0, "upper_tier": 1, "police_force": 2, "region": 3, "country": 4}


def _climb(code: str, parents: dict[str, list[tuple[str, str]]]) -> list[str]:
    """The areas that an area lies in, at any distance, from the nearest level to the country."""
    found: dict[str, int] = {}
    waiting = [code]
    while waiting:
        for level, parent in parents.get(waiting.pop(), ()):
            if parent not in found and parent != code:
                found[parent] = _NEAREST.get(level, len(_NEAREST))
                # An authority can lie in several partnerships, and a partnership in more than the authority.
                waiting += [parent] if level in ("police_force", "region", "country") else []
    return sorted(found, key=lambda parent: (found[parent], parent == ENGLAND_AND_WALES, parent))


def _read_turns(connection: duckdb.DuckDBPyConnection, places: Places) -> dict[str, list[Turn]]:
    """How each area began and ended: by its life, else by the list of changes."""
    turns: dict[str, list[Turn]] = defaultdict(list)
    for code, level, starts_on, began_as, replaced, ends_on, ended_as, replaced_by in connection.execute(
        _LIVES
    ).fetchall():
        for is_end, day, kind, others in (
            (False, starts_on, began_as, replaced),
            (True, ends_on, ended_as, replaced_by),
        ):
            if day and kind:
                found = tuple(places.find(other.strip()) for other in (others or "").split(";") if other.strip())
                turns[code].append(Turn(is_end, day, kind, level, found))
    told = {code: {turn.is_end for turn in of} for code, of in turns.items()}
    listed: dict[tuple[str, bool, date, str], list[Place]] = defaultdict(list)
    for before, after, day, kind in connection.execute(_CHANGES).fetchall():
        for code, other, is_end in ((before, after, True), (after, before, False)):
            if is_end not in told.get(code, ()) and before != after:
                # A change names the first day of what is new; an area ends on its last.
                listed[code, is_end, day - timedelta(days=is_end), kind].append(places.find(other))
    for (code, is_end, day, kind), others in listed.items():
        turns[code].append(Turn(is_end, day, kind, None, tuple(others)))
    return {code: _merge_tiers(of) for code, of in turns.items()}


def _merge_tiers(turns: list[Turn]) -> list[Turn]:
    """What an area went through, once where it is the same in both tiers, in order of time."""
    once: dict[tuple[object, ...], list[Turn]] = defaultdict(list)
    for turn in turns:
        once[turn.is_end, turn.changed_on, turn.kind, turn.others].append(turn)
    of_end = {is_end: sum(key[0] == is_end for key in once) for is_end in (False, True)}
    merged = [
        Turn(
            first.is_end, first.changed_on, first.kind, first.level if of_end[first.is_end] > 1 else None, first.others
        )
        for first, *_ in once.values()
    ]
    return sorted(merged, key=lambda turn: (turn.is_end, turn.changed_on, turn.level or "", turn.kind))
