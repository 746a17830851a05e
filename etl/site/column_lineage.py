"""Which columns each column of the warehouse is made from, read from the SQL of its models.

What counts is where values come from: the columns that are added up, divided or taken over. A column that only says
which case it is (a reason code, a flag) is made from the columns that decide it. Work tables are seen through. What a
Python model computes cannot be read from it: `COMPUTED_FROM` says it, else the tables that it rests on are named.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from etl.contracts import contracts
from etl.models import WORK_SCHEMA, Model, find_models
from etl.settings import project_root

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

COMPUTED_FROM: dict[str, tuple[str, ...]] = {
    "work.count_interval": ("work.figure_history.offences",),
    "work.change_interval": ("work.explained_comparison.offences", "work.explained_comparison.previous_offences"),
    "work.difference_interval": (
        "work.reoffending_comparison.reoffenders",
        "work.reoffending_comparison.offenders",
        "work.reoffending_comparison.previous_reoffenders",
        "work.reoffending_comparison.previous_offenders",
        "work.reoffending_comparison.design_effect",
    ),
    "work.matched_name": ("ref.area_name.published_name", "work.printed_name.area_key"),
    "mart.crime_rank": (
        "work.ranked_crime.offences",
        "work.ranked_crime.previous_offences",
        "work.ranked_crime.population",
    ),
    "mart.crime_rank.eligible": ("work.ranked_crime.exclusion_reason",),
    "mart.reoffending_rank_history": (
        "work.ranked_reoffending.offenders",
        "work.ranked_reoffending.reoffenders",
        "work.ranked_reoffending.design_effect",
    ),
    "mart.reoffending_rank_history.eligible": ("work.ranked_reoffending.exclusion_reason",),
    "mart.local_adult_reoffending_rank_history": (
        "work.ranked_local_adult.offenders",
        "work.ranked_local_adult.actual_percent",
        "work.ranked_local_adult.predicted_percent",
    ),
    "mart.local_adult_reoffending_rank_history.eligible": ("work.ranked_local_adult.exclusion_reason",),
    "mart.local_adult_reoffending_rank_history.significant": (
        "work.ranked_local_adult.offenders",
        "work.ranked_local_adult.actual_percent",
        "work.ranked_local_adult.predicted_percent",
        "work.ranked_local_adult.printed_significant",
    ),
    "mart.claim_check.area_code": ("ref.claim.area_code",),
    "mart.claim_check.area_name": ("ref.claim.area_name",),
}
"""What Python models compute with, by model, and by column where one differs: `schema.table.column` of their inputs."""


class Source(NamedTuple):
    """A column of a table, or with an empty `column` a table of which nobody can say which columns count."""

    table: str
    column: str

    @property
    def name(self) -> str:
        """`schema.table.column`, or `schema.table`."""
        return f"{self.table}.{self.column}" if self.column else self.table


Sources = frozenset[Source]
_NOTHING: Sources = frozenset()


@dataclass(frozen=True)
class Origin:
    """Where a column comes from.

    Attributes:
        nearest: the nearest columns of other published tables, histories and views left out; of what was read where
            there are none. Empty where the model itself sets the value.
        first: the columns of what was read, declared or noted (`tidy`, `seed`, `input`) at the beginning of it all.
        programs: the Python models on the way to the nearest, as `warehouse/<schema>/<stem>.py`.
    """

    nearest: tuple[Source, ...]
    first: tuple[Source, ...]
    programs: tuple[str, ...]


@dataclass
class Lineage:
    """Follows columns through models.

    Attributes:
        models: by name.
    """

    models: dict[str, Model]
    _read: dict[str, _ReadSelect] = field(default_factory=dict)
    _columns: dict[str, dict[str, Sources]] = field(default_factory=dict)
    _first: dict[Source, Sources] = field(default_factory=dict)
    _nearest: dict[Source, tuple[Sources, frozenset[str]]] = field(default_factory=dict)

    def trace(self, table: str, column: str) -> Origin:
        """Where a column of a published table comes from."""
        nearest: set[Source] = set()
        programs: set[str] = set()
        for source in self._list_direct(Source(table, column)):
            found, by = self._find_nearest(source)
            nearest |= found
            programs |= by
        if self._is_computed(table, column):
            programs.add(self.locate(table))
        first = self._find_first(Source(table, column))
        if not table.startswith("meta."):
            nearest = {_name_as_published(source) for source in nearest}
        return Origin(tuple(sorted(_drop_known(nearest))), tuple(sorted(_drop_known(first))), tuple(sorted(programs)))

    def list_inputs(self, table: str) -> list[str]:
        """The published tables, and those that were read, declared or noted, that a table rests on."""
        return sorted(self._list_inputs(table))

    def list_direct_inputs(self, table: str) -> set[str]:
        """The tables that a model names, work tables among them."""
        model = self.models[table]
        return set(model.inputs) if model.path.suffix == ".py" else self._read_select(table).tables

    def list_columns(self, table: str) -> dict[str, Sources]:
        """The columns of a table in order, each with what the model names for it; empty of an unknown table."""
        if table not in self._columns:
            self._columns[table] = {}
            self._columns[table] = self._read_columns(table)
        return self._columns[table]

    def _list_inputs(self, table: str) -> set[str]:
        if table not in self.models:
            return set()
        found: set[str] = set()
        for name in self.list_direct_inputs(table):
            found |= self._list_inputs(name) if name.startswith(f"{WORK_SCHEMA}.") else {name}
        return found

    def _find_nearest(self, source: Source) -> tuple[Sources, frozenset[str]]:
        """What a source comes to where it is published, and the programs on the way; work tables are seen through."""
        if source not in self._nearest:
            contract = contracts().get(source.table)
            if source.table not in self.models or (contract and not contract.repeats):
                self._nearest[source] = frozenset({source}), frozenset()
            else:
                found: set[Source] = set()
                programs = {self.locate(source.table)} if source.column and self._is_computed(*source) else set()
                for direct in self._list_direct(source):
                    sources, by = self._find_nearest(direct)
                    found |= sources
                    programs |= by
                self._nearest[source] = frozenset(found), frozenset(programs)
        return self._nearest[source]

    def _find_first(self, source: Source) -> Sources:
        if source not in self._first:
            found = {source} if source.table not in self.models else set()
            for direct in self._list_direct(source):
                found |= self._find_first(direct)
            self._first[source] = frozenset(found)
        return self._first[source]

    def _list_direct(self, source: Source) -> Sources:
        """What a model names for one of its columns; of a table as a whole the tables whose lines it holds."""
        if source.table not in self.models:
            return _NOTHING
        columns = self.list_columns(source.table)
        if source.column in columns:
            return columns[source.column]
        if self.models[source.table].path.suffix == ".sql":
            return self._read_select(source.table).lines
        declared = COMPUTED_FROM.get(source.name) or COMPUTED_FROM.get(source.table)
        if source.column and declared:
            return frozenset(_parse_name(name) for name in declared)
        return frozenset(Source(name, "") for name in self.list_direct_inputs(source.table))

    def _is_computed(self, table: str, column: str) -> bool:
        """Whether Python computes the column, rather than takes it over."""
        model = self.models[table]
        return model.path.suffix == ".py" and column not in self.list_columns(table)

    def locate(self, table: str) -> str:
        """The file that makes a table, as `warehouse/<schema>/<file>`."""
        path = self.models[table].path
        return f"warehouse/{path.parent.name}/{path.name}"

    def _read_columns(self, table: str) -> dict[str, Sources]:
        model = self.models.get(table)
        if model is None:
            return dict.fromkeys(_list_loaded(table), _NOTHING)
        if model.path.suffix == ".py":
            return self._list_taken_over(model)
        return self._read_select(table).columns

    def _read_select(self, table: str) -> _ReadSelect:
        if table not in self._read:
            self._read[table] = _ReadSelect(self, self.models[table].path)
        return self._read[table]

    def _list_taken_over(self, model: Model) -> dict[str, Sources]:
        """The columns of a Python model that bear the name of a column of one of its inputs alone."""
        named: dict[str, list[Source]] = {}
        for table in sorted(model.inputs):
            for name in self.list_columns(table):
                named.setdefault(name, []).append(Source(table, name))
        wanted = model.contract.columns if model.contract else named
        return {name: frozenset(named[name]) for name in wanted if len(named.get(name, ())) == 1}


class _ReadSelect:
    """Reads which columns of its tables each column of a SELECT is made from."""

    def __init__(self, lineage: Lineage, path: Path) -> None:
        import sqlglot
        from sqlglot.optimizer.scope import build_scope

        self._lineage = lineage
        self._seen: dict[int, dict[str, Sources]] = {}
        tree = sqlglot.parse_one(path.read_text(encoding="utf-8"), dialect="duckdb")
        self._scope = build_scope(tree)

    @cached_property
    def tables(self) -> set[str]:
        """The tables that it names."""
        from sqlglot import exp

        found = self._scope.expression.find_all(exp.Table) if self._scope else ()
        return {f"{table.db}.{table.name}" for table in found if table.db}

    @cached_property
    def lines(self) -> Sources:
        """The tables whose lines it gives: what it joins only adds columns to them."""
        return self._list_lines(self._scope) if self._scope else _NOTHING

    @cached_property
    def columns(self) -> dict[str, Sources]:
        """Column → what it is made from."""
        return self._list(self._scope) if self._scope else {}

    def _list(self, scope: Scope) -> dict[str, Sources]:
        from sqlglot import exp

        key = id(scope)
        if key not in self._seen:
            self._seen[key] = {}  # a query that names itself has nothing of its own to add
            if isinstance(scope.expression, exp.SetOperation):
                left, right = (self._list(part) for part in scope.set_operation_scopes)
                # By position: the names are those of the first.
                pairs = zip(left.items(), right.values(), strict=False)
                self._seen[key] = {name: found | other for (name, found), other in pairs}
            else:
                self._seen[key] = dict(self._list_selected(scope))
        return self._seen[key]

    def _list_selected(self, scope: Scope) -> Iterator[tuple[str, Sources]]:
        for projection in scope.expression.selects:
            if projection.is_star:
                yield from self._expand_star(projection, scope)
            else:
                yield projection.alias_or_name, self._trace(projection, scope) or self._trace_lines(projection, scope)

    def _expand_star(self, star: exp.Expression, scope: Scope) -> Iterator[tuple[str, Sources]]:
        from sqlglot import exp

        names = [star.table] if isinstance(star, exp.Column) else list(scope.selected_sources)
        for name in names:
            for column in self._list_source(name, scope):
                yield column, self._find(name, column, scope)

    def _list_source(self, name: str, scope: Scope) -> Iterable[str]:
        from sqlglot import exp

        source = scope.sources.get(name)
        if isinstance(source, exp.Table):
            return self._lineage.list_columns(f"{source.db}.{source.name}")
        return self._list(source) if source else ()

    def _find(self, name: str, column: str, scope: Scope) -> Sources:
        """What a column of a table or query that a scope names is made from."""
        from sqlglot import exp

        source = scope.sources.get(name)
        if source is None:
            return self._find(name, column, scope.parent) if scope.parent else _NOTHING
        if isinstance(source, exp.Table):
            return frozenset({Source(f"{source.db}.{source.name}", column)})
        return self._list(source).get(column, _NOTHING)

    def _trace(self, node: exp.Expression, scope: Scope) -> Sources:
        """The columns whose values an expression is made of; where it only chooses, those by which it chooses."""
        from sqlglot import exp

        if isinstance(node, exp.Column):
            return self._trace_column(node, scope)
        if isinstance(node, exp.Query):
            query = node.unnest()
            inner = next((part for part in scope.subquery_scopes if part.expression is query), None)
            return frozenset().union(*self._list(inner).values()) if inner else _NOTHING
        if isinstance(node, exp.Case):
            return self._trace_case(node, scope)
        if isinstance(node, exp.Window | exp.Filter):
            return self._trace(node.this, scope) or self._trace_all(node.iter_expressions(), scope)
        if isinstance(node, exp.Order):
            # What is put in order within an aggregate; by what only where a line is numbered.
            return self._trace_all([node.this] if node.this else node.expressions, scope)
        return self._trace_all(node.iter_expressions(), scope)

    def _trace_case(self, case: exp.Case, scope: Scope) -> Sources:
        """The values that it chooses from, and what a code that is written out in it is chosen by."""
        chosen = case.args.get("this")
        found = self._trace_all([case.args.get("default")], scope)
        for branch in case.args["ifs"]:
            value = branch.args["true"]
            found |= self._trace_all([branch.this, chosen] if value.is_string else [value], scope)
        return found or self._trace_all([chosen, *(branch.this for branch in case.args["ifs"])], scope)

    def _trace_all(self, nodes: Iterable[exp.Expression | None], scope: Scope) -> Sources:
        return frozenset().union(*(self._trace(node, scope) for node in nodes if node is not None))

    def _trace_column(self, column: exp.Column, scope: Scope) -> Sources:
        if column.table:
            return self._find(column.table, column.name, scope)
        names = list(scope.selected_sources)
        if len(names) > 1:
            names = [name for name in names if column.name in self._list_source(name, scope)]
        return self._find(names[0], column.name, scope) if names else _NOTHING

    def _trace_lines(self, node: exp.Expression, scope: Scope) -> Sources:
        """Of what counts or numbers lines: the tables whose lines they are."""
        from sqlglot import exp

        return self._list_lines(scope) if node.find(exp.AggFunc, exp.Window) else _NOTHING

    def _list_lines(self, scope: Scope) -> Sources:
        from sqlglot import exp

        if isinstance(scope.expression, exp.SetOperation):
            return frozenset().union(*(self._list_lines(part) for part in scope.set_operation_scopes))
        name = next(iter(scope.selected_sources), None)
        source = scope.sources.get(name) if name else None
        if isinstance(source, exp.Table):
            return frozenset({Source(f"{source.db}.{source.name}", "")})
        return self._list_lines(source) if source else _NOTHING


@cache
def read_lineage() -> Lineage:
    """The lineage of the project's models; read once a process."""
    return Lineage({model.name: model for model in find_models() if not model.is_check})


@cache
def _list_loaded(table: str) -> tuple[str, ...]:
    """The columns of a table that no model makes, where they are declared."""
    schema, _, stem = table.partition(".")
    if schema == "seed":
        with (project_root() / "warehouse" / "ref" / f"{stem}.csv").open(encoding="utf-8", newline="") as file:
            return tuple(next(csv.reader(file)))
    if schema == "tidy" and table in contracts():
        return (*contracts()[table].columns, "sha256")
    # Most of `input` is as the table of `meta` that is made of it.
    contract = contracts().get(f"meta.{stem}")
    return tuple(contract.columns) if contract and schema == "input" else ()


def _name_as_published(source: Source) -> Source:
    """What is noted of releases and files, under the name by which `meta` publishes it."""
    schema, _, stem = source.table.partition(".")
    contract = contracts().get(f"meta.{stem}")
    if schema != "input" or contract is None or (source.column and source.column not in contract.columns):
        return source
    return Source(contract.name, source.column)


def _parse_name(name: str) -> Source:
    table, _, column = name.rpartition(".")
    return Source(table, column)


def _drop_known(sources: Iterable[Source]) -> set[Source]:
    """Sources without the tables of which columns are named as well."""
    found = set(sources)
    named = {source.table for source in found if source.column}
    return {source for source in found if source.column or source.table not in named}


__all__ = ["COMPUTED_FROM", "Lineage", "Origin", "Source", "read_lineage"]
