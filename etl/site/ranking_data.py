"""Rankings as their pages show them, read from the warehouse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from etl.contracts import literal
from etl.rank_words import KINDS, MODELLED_NOTE, Kind, count_digits, list_notes, name_ranking
from etl.revisions import AGE_GROUPS, MEASURES
from etl.site.directory import RankingEntry
from etl.site.frame import Row, fetch
from etl.site.ranking_text import Tellable, describe_ranking, measure_ranking


@dataclass(frozen=True)
class Ranking:
    """A ranking as its page shows it.

    Attributes:
        entry: which it is.
        title: what is ranked, where and when.
        ranked: the lines of its ranked areas by rank, name and code.
        unranked: those of the others, by name and code.
        earlier: the periods before it that are held, the newest first: period_end, ranked_areas.
        digits: decimal places of its values.
        found: how much of it can be told apart.
    """

    entry: RankingEntry
    title: str
    ranked: list[Row]
    unranked: list[Row]
    earlier: list[Row]
    digits: int
    found: Tellable

    @property
    def of(self) -> Kind:
        """What rankings of the kind are."""
        return KINDS[self.entry.kind]

    @property
    def rows(self) -> list[Row]:
        """All lines."""
        return [*self.ranked, *self.unranked]

    @property
    def chosen(self) -> dict[str, Any]:
        """What tells it apart from others of its kind, by column."""
        return {name: getattr(self.entry, name) for name in _key_columns(self.of)}

    @property
    def short_name(self) -> str:
        """What tells it apart from others of its kind and level, in words."""
        entry = self.entry
        measure = MEASURES.get(entry.measure or "", entry.measure)
        span = {"quarter": "one quarter", "year": None}.get(entry.span or "", entry.span)
        age_group = AGE_GROUPS.get(entry.age_group or "", entry.age_group)
        name = ", ".join(part for part in (entry.offence_name, age_group, measure, span) if part)
        return name[:1].upper() + name[1:] if name else "Reoffending against its prediction"

    @property
    def span_word(self) -> str:
        """How long its periods are."""
        return "quarter" if self.entry.span == "quarter" else "year"

    @property
    def notes(self) -> list[str]:
        """What every reader must know; that it is modelled is said by the banner."""
        notes = [note for note in list_notes(self.of, self.rows) if note != MODELLED_NOTE]
        effect = self.ranked[0].get("design_effect") or 1
        if effect != 1:
            notes.append(
                f"Intervals, ranks and funnels count {effect:g} offenders as one, since a person can stand in several "
                f"of the cohorts that make up a year. The {effect:g} is an assumption."
            )
        return notes

    @property
    def sentences(self) -> list[str]:
        """How much can be told apart."""
        return describe_ranking(self.entry.kind, self.entry.level, self.found)

    @property
    def is_modelled(self) -> bool:
        """Whether any figure of it is a modelled sample."""
        return any(row["is_modelled"] for row in self.rows)

    @property
    def releases(self) -> list[tuple[str, str | None]]:
        """The releases that it rests on, with their titles where they are known."""
        return sorted({(row["release_id"], row["release_title"]) for row in self.rows if row["release_id"]})

    @property
    def command(self) -> str:
        """How the ranking is asked for on the command line."""
        options = {"offence_id": "offence"}
        chosen = [f"--{options.get(name, name).replace('_', '-')} {value}" for name, value in self.chosen.items()]
        return f"justice-etl rank {self.entry.kind} {' '.join(chosen)} --year {self.entry.period_end}"

    @property
    def query(self) -> str:
        """How the ranking is asked for in SQL."""
        where = " AND ".join(f"{name} = {literal(value)}" for name, value in self.chosen.items())
        columns = ", ".join([self.of.rank, "area_name", self.of.value, *(self.of.interval or ())])
        return (
            f"SELECT {columns},\n    rank_low, rank_high, rank_bound_low, rank_bound_high, ranked_areas\n"
            f"FROM {self.of.table}\nWHERE {where}\n    AND {self.of.period} = DATE '{self.entry.period_end}'\n"
            f"ORDER BY {self.of.rank} NULLS LAST, area_name, area_code"
        )


def read_rankings(connection: duckdb.DuckDBPyConnection, entries: Sequence[RankingEntry]) -> list[Ranking]:
    """The rankings that have a page, in the order of their kinds; one query a kind for the lines and one for periods.

    Args:
        connection: the warehouse.
        entries: those that have a page.
    """
    found = []
    for kind in KINDS:
        of_kind = [entry for entry in entries if entry.kind == kind]
        if of_kind:
            lines, periods = _read_kind(connection, KINDS[kind], of_kind)
            found += [_make_ranking(entry, lines[_key(entry)], periods[_key(entry)]) for entry in of_kind]
    return found


def _key_columns(of: Kind) -> list[str]:
    return ["level", *of.options]


def _key(entry: RankingEntry) -> tuple[Any, ...]:
    return tuple(getattr(entry, name) for name in _key_columns(KINDS[entry.kind]))


_Lines = dict[tuple[Any, ...], list[Row]]


def _read_kind(
    connection: duckdb.DuckDBPyConnection, of: Kind, entries: Sequence[RankingEntry]
) -> tuple[_Lines, _Lines]:
    """The lines of the rankings of a kind that have a page, and their periods, by what tells rankings apart."""
    keys = ", ".join(_key_columns(of))
    periods = fetch(
        connection,
        f"SELECT {keys}, {of.period} AS period_end, count({of.rank}) AS ranked_areas FROM {of.table} "
        f"GROUP BY ALL HAVING {of.is_ranking} ORDER BY {of.period} DESC, {keys}",
    )
    shown = ", ".join(f"({', '.join(map(literal, _key(entry)))}, DATE '{entry.period_end}')" for entry in entries)
    lines = fetch(
        connection,
        f"""
        SELECT ranking.*, release.title AS release_title
        FROM {of.table} AS ranking
        INNER JOIN (VALUES {shown}) AS shown({keys}, {of.period}) USING ({keys}, {of.period})
        LEFT JOIN meta.release AS release ON release.release_id = ranking.release_id
        ORDER BY ranking.{of.rank} NULLS LAST, ranking.area_name, ranking.area_code
        """,
    )
    return _group(of, lines), _group(of, periods)


def _group(of: Kind, rows: list[Row]) -> _Lines:
    groups: _Lines = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in _key_columns(of))].append(row)
    return groups


def _make_ranking(entry: RankingEntry, lines: list[Row], periods: list[Row]) -> Ranking:
    of = KINDS[entry.kind]
    ranked = [row for row in lines if row[of.rank] is not None]
    chosen = {name: getattr(entry, name) for name in of.options}
    return Ranking(
        entry=entry,
        title=name_ranking(of, lines[0], chosen),
        ranked=ranked,
        unranked=[row for row in lines if row[of.rank] is None],
        earlier=[row for row in periods if row["period_end"] < entry.period_end],
        digits=count_digits(of, lines),
        found=measure_ranking(ranked),
    )
