"""The list of all areas: by level, and by letter where they are many; and the names by which they are searched."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import duckdb

from etl.site.directory import AreaEntry, Directory
from etl.site.words import LEVELS_PLURAL

LARGE = 40
"""A level with more areas than this is parted by letters."""


@dataclass(frozen=True)
class LevelList:
    """The areas of a level: by letter where they are many, else under one letter that is empty."""

    level: str
    name: str
    count: int
    letters: tuple[tuple[str, tuple[AreaEntry, ...]], ...]


def list_levels(directory: Directory) -> list[LevelList]:
    """Every level that has areas, from the largest to the smallest, its areas by name."""
    levels = []
    for level, name in LEVELS_PLURAL.items():
        areas = directory.list_level(level)
        letters: dict[str, list[AreaEntry]] = {}
        for area in sorted(areas, key=lambda area: (fold(area.area_name), area.area_code)):
            letters.setdefault(_find_letter(area.area_name) if len(areas) > LARGE else "", []).append(area)
        if areas:
            parts = tuple((letter, tuple(of)) for letter, of in sorted(letters.items()))
            levels.append(LevelList(level, name, len(areas), parts))
    return levels


def read_other_names(connection: duckdb.DuckDBPyConnection, directory: Directory) -> dict[str, str]:
    """By code, the other names that an area is searched by: Welsh, former, or as another publisher prints it."""
    query = "SELECT DISTINCT area_code, published_name FROM ref.area_name ORDER BY area_code, published_name"
    found: dict[str, list[str]] = {}
    for code, name in connection.execute(query).fetchall():
        if code in directory.areas and name and fold(name) != fold(directory.areas[code].area_name):
            found.setdefault(code, []).append(name)
    return {code: "; ".join(names) for code, names in found.items()}


def fold(name: str) -> str:
    """A name as names are sorted and searched: without accents and case."""
    plain = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def _find_letter(name: str) -> str:
    first = fold(name)[:1].upper()
    return first if "A" <= first <= "Z" else "0"
