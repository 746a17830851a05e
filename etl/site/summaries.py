"""What each release stated that is new, revised, unchanged or gone, and its largest revisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from etl.revisions import COLUMNS, IN_POINTS, KEY_ORDER, TABLE, Revision, fetch_revisions
from etl.sources import declared_sources

SHOWN = 20
"""Revisions that a list of the largest holds."""


@dataclass(frozen=True)
class TableCounts:
    """What a release stated of one table of figures, and what it left out; counts of figures.

    `new_figures`, `revised_figures` and `unchanged_figures` are told figure by figure, against the last earlier release
    of the source that stated the same figure: not the same release for every figure. `lost_number` and `gained_number`
    are among `revised_figures`: stated by a marker after a number, or the reverse.

    Only `gone_figures` is told against whole releases: for each published table, the last earlier release of the source
    that held it. `previous_release_id` is the newest of those; None where no earlier release held any of the tables.
    """

    table_name: str
    previous_release_id: str | None
    figures: int
    new_figures: int
    revised_figures: int
    unchanged_figures: int
    gone_figures: int
    lost_number: int
    gained_number: int


@dataclass(frozen=True)
class ReleaseSummary:
    """A release, its state, what it changed of each table, and its largest revisions.

    Attributes:
        published_at: UTC, in ISO 8601.
        published_on: the day in London.
        withdrawn_at: UTC, in ISO 8601; None of what stands.
        withdrawn_on: the day in London.
        superseded_by: the release of the same edition that took its place.
        largest_by_percent: counts that changed most, in percent of what they were.
        largest_by_count: counts that changed most.
        largest_by_points: percentages that changed most, in points.
    """

    release_id: str
    source: str
    edition: str
    title: str
    publisher: str
    landing_page: str
    licence: str
    published_at: str
    published_on: date
    state: str
    withdrawn_at: str | None
    withdrawn_on: date | None
    superseded_by: str | None
    is_modelled: bool
    tables: tuple[TableCounts, ...]
    largest_by_percent: tuple[Revision, ...]
    largest_by_count: tuple[Revision, ...]
    largest_by_points: tuple[Revision, ...]

    @property
    def number(self) -> int:
        """Which release of its edition it is, from 1."""
        return int(self.release_id.rpartition("@")[2])

    @property
    def stem(self) -> str:
        """The path of its files among the releases, without suffix: `<source>/<edition>-<n>`."""
        return find_stem(self.release_id)

    def total(self, count: str) -> int:
        """One of the counts of `TableCounts`, over all tables."""
        return sum(getattr(table, count) for table in self.tables)


def find_stem(release_id: str) -> str:
    """The path of a release's files among the releases, without suffix: `<source>/<edition>-<n>`."""
    return release_id.replace("@", "-")


def name_source(source: str) -> str:
    """What a source is called; one that is declared no more goes by its id."""
    declared = declared_sources()
    return declared[source].title if source in declared else source


_RELEASES = """
    SELECT release_id, source, edition, title, publisher, landing_page, licence,
        strftime(published_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ'), published_on, state,
        strftime(withdrawn_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ'),
        CAST(withdrawn_at AT TIME ZONE 'Europe/London' AS DATE), is_modelled
    FROM meta.release
    ORDER BY published_at DESC, release_id
"""
_NAMES = (
    *("release_id", "source", "edition", "title", "publisher", "landing_page", "licence", "published_at"),
    *("published_on", "state", "withdrawn_at", "withdrawn_on", "is_modelled"),
)

_TABLES = f"""
    SELECT summary.release_id, summary.table_name, summary.previous_release_id, summary.figures, summary.new_figures,
        summary.revised_figures, summary.unchanged_figures, summary.gone_figures,
        count(revision.release_id) FILTER (WHERE revision.value IS NULL AND revision.previous_value IS NOT NULL),
        count(revision.release_id) FILTER (WHERE revision.value IS NOT NULL AND revision.previous_value IS NULL)
    FROM mart.release_summary AS summary
    LEFT JOIN {TABLE} AS revision
        ON revision.release_id = summary.release_id AND revision.table_name = summary.table_name
    GROUP BY ALL
    ORDER BY summary.release_id, summary.table_name
"""


def read_summaries(connection: duckdb.DuckDBPyConnection) -> list[ReleaseSummary]:
    """Every release of a built warehouse, the newest first.

    Args:
        connection: the warehouse, open for reading.
    """
    rows = [dict(zip(_NAMES, row, strict=True)) for row in connection.execute(_RELEASES).fetchall()]
    tables: dict[str, list[TableCounts]] = {}
    for release_id, *counts in connection.execute(_TABLES).fetchall():
        tables.setdefault(release_id, []).append(TableCounts(*counts))
    by_percent = _read_largest(connection, "revised_by_percent", f"NOT {IN_POINTS}")
    by_count = _read_largest(connection, "revised_by", f"NOT {IN_POINTS}")
    by_points = _read_largest(connection, "revised_by", IN_POINTS)
    followers = _find_followers(rows)
    return [
        ReleaseSummary(
            **row,
            superseded_by=followers.get(row["release_id"]),
            tables=tuple(tables.get(row["release_id"], ())),
            largest_by_percent=tuple(by_percent.get(row["release_id"], ())),
            largest_by_count=tuple(by_count.get(row["release_id"], ())),
            largest_by_points=tuple(by_points.get(row["release_id"], ())),
        )
        for row in rows
    ]


def _read_largest(connection: duckdb.DuckDBPyConnection, size: str, condition: str) -> dict[str, list[Revision]]:
    """The largest revisions of each release, by a column."""
    largest: dict[str, list[Revision]] = {}
    place = f"row_number() OVER (PARTITION BY release_id ORDER BY abs({size}) DESC, {KEY_ORDER})"
    query = f"""
        SELECT {COLUMNS} FROM {TABLE} WHERE {condition} AND {size} IS NOT NULL
        QUALIFY {place} <= {SHOWN}
        ORDER BY release_id, {place}
    """
    for revision in fetch_revisions(connection, query):
        largest.setdefault(revision.release_id, []).append(revision)
    return largest


def _find_followers(rows: list[dict[str, Any]]) -> dict[str, str]:
    """The release that took the place of another of the same edition: `@2` of `@1`."""
    held = {row["release_id"] for row in rows}
    pairs = {}
    for release_id in held:
        edition, _, number = release_id.rpartition("@")
        if (follower := f"{edition}@{int(number) + 1}") in held:
            pairs[release_id] = follower
    return pairs
