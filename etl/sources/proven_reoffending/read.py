"""Proven reoffending: one row a cohort, age group, area and category, with its counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.cells import Period, header_meaning, name_key, parse_cohort, split_notes, tidy_text
from etl.columns import constant, join_texts, map_distinct
from etl.errors import LayoutError
from etl.layouts import Fit, find_tables
from etl.sources import Category, Source
from etl.sources.readers import (
    cell_error,
    code_without_gss,
    keep_data_rows,
    map_periods,
    number_rows,
    read_counts,
    refuse_repeated_rows,
    require,
)
from etl.spreadsheets import Workbook

AGE_GROUPS = {
    "adult": "adult",
    "adults": "adult",
    "juvenile": "child",
    "juveniles": "child",
    "child": "child",
    "children": "child",
    "all": "all",
    "total": "all",
    "adult and juvenile": "all",
    "adult and child": "all",
}
"""Published labels of age groups; Juvenile became Child."""

_SPANS = {3: "quarter", 12: "year"}
_COUNTS = ("offenders", "reoffenders", "reoffences")
_COUNTRIES = ("K", "E92", "W92")
_LAST_OF_OLD_MEASURE = date(2015, 9, 30)
"""The end of the last cohort that was published by the twelve-month measure, whose cohorts are all of a year."""

_COMPARE = "compare the published row; a new form belongs in etl/cells.py or source.yml"


def read(workbook: Workbook, source: Source) -> Iterator[pa.Table]:
    """Tidy `reoffending`, one table a sheet; categories to ignore are left out.

    Raises:
        LayoutError: a sheet fits no layout; a cohort, age group, category or count cannot be read; more offenders
            reoffended than there were; a row comes twice; or an area has other figures under another category.
    """
    for fit in find_tables(source, workbook):
        table = _read_sheet(fit, source)
        _refuse_impossible(fit, table)
        # Two names can mean one area: Unknown, Not known.
        named = table.append_column("area", pc.coalesce(table["area_code"], table["area_key"]))
        key = ["level", "area", "category", "subcategory", "span", "cohort_end", "age_group"]
        refuse_repeated_rows(fit, named, key, "offenders")
        _refuse_disagreement(fit, named)
        yield table


def _read_sheet(fit: Fit, source: Source) -> pa.Table:
    keep = _keep_carried_rows(fit)

    def column(name: str) -> pa.ChunkedArray:
        return fit.column(name).filter(keep)

    rows = pa.chunked_array([number_rows(fit)]).filter(keep)
    starts, ends = map_periods(column("cohort"), parse_cohort)
    spans = map_distinct(column("cohort"), _name_span, pa.string())
    require(fit, rows, "cohort", spans, "expected a cohort of a quarter or a year like Apr 2012 to Mar 2013", _COMPARE)
    columns = {
        "cohort_start": starts,
        "cohort_end": ends,
        "span": spans,
        "age_group": _read_age_groups(fit, rows, column("age_group")),
        "row": pc.cast(rows, pa.int32()),
        **_read_categories(fit, column("category"), [column("subcategory_1"), column("subcategory_2")]),
    }
    columns |= _read_areas(fit, source, rows, column("area_name"), columns["level"])
    for name in _COUNTS:
        columns |= _read_count(fit, rows, name, column(name))
    measure = _find_measure(fit, rows, spans, ends)
    same = {"table_id": fit.layout.table_id, "measure": measure, "sheet": fit.sheet.name}
    return pa.table(columns | {name: constant(value, pa.string(), len(rows)) for name, value in same.items()})


def _keep_carried_rows(fit: Fit) -> pa.ChunkedArray:
    """Which rows hold figures of a category that is carried; what the others say does not matter.

    Raises:
        LayoutError: a category is not declared.
    """
    keep = keep_data_rows(fit)
    roles = map_distinct(fit.column("category"), lambda text: _find_role(fit, text), pa.string())
    rows = pa.chunked_array([number_rows(fit)])
    known = ", ".join(rule.match for rule in fit.layout.categories)
    mend = "say under `categories` of source.yml what it means, or why it is ignored"
    what = f"this category is not declared; known are {known}"
    require(fit, rows.filter(keep), "category", roles.filter(keep), what, mend)
    return pc.and_(keep, pc.fill_null(pc.not_equal(roles, "ignore"), False))


def _find_category(fit: Fit, text: str | None) -> Category | None:
    meaning = header_meaning(text)
    return next((rule for rule in fit.layout.categories if re.fullmatch(rule.match, meaning)), None)


def _find_role(fit: Fit, text: str | None) -> str | None:
    rule = _find_category(fit, text)
    return rule.role if rule else None


def _find_level(fit: Fit, text: str | None) -> str | None:
    rule = _find_category(fit, text)
    return (rule.level if rule else None) or fit.layout.level


def _find_measure(fit: Fit, rows: pa.ChunkedArray, spans: pa.ChunkedArray, ends: pa.ChunkedArray) -> str | None:
    """The measure of all rows: that of the layout, but the older one where a table ends before the newer began.

    The tools had the same headers when they stated the twelve-month measure; every edition reaches to the
    cohort that it is about.

    Raises:
        LayoutError: a table of the twelve-month measure goes beyond it.
    """
    is_newer = pc.or_(pc.equal(spans, "quarter"), pc.greater(ends, pa.scalar(_LAST_OF_OLD_MEASURE)))
    newer = rows.filter(is_newer)
    if not len(newer):
        return "twelve_month_cohort"
    if fit.layout.measure == "twelve_month_cohort":
        what = f"the twelve-month measure has cohorts of a year, which end by {_LAST_OF_OLD_MEASURE}"
        mend = "if the table states the three-month measure, give it a layout of its own in source.yml"
        raise cell_error(fit, newer[0].as_py(), fit.columns["cohort"], what, mend)
    return fit.layout.measure


def _name_span(text: str | None) -> str | None:
    cohort = parse_cohort(text)
    return _SPANS.get(_count_months(cohort)) if cohort else None


def _count_months(period: Period) -> int:
    return (period.end.year - period.start.year) * 12 + period.end.month - period.start.month + 1


def _read_age_groups(fit: Fit, rows: pa.ChunkedArray, texts: pa.ChunkedArray) -> pa.ChunkedArray:
    if "age_group" not in fit.columns:
        return pa.chunked_array([constant("all", pa.string(), len(rows))])
    groups = map_distinct(texts, lambda text: AGE_GROUPS.get(header_meaning(text)), pa.string())
    require(fit, rows, "age_group", groups, f"expected one of {', '.join(AGE_GROUPS)}", _COMPARE)
    return groups


def _read_categories(fit: Fit, texts: pa.ChunkedArray, parts: list[pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    """Role, level, category and subcategory of every row; a total has no subcategory."""
    roles = map_distinct(texts, lambda text: _find_role(fit, text), pa.string())
    joined = map_distinct(join_texts(*parts), _join_parts, pa.string())
    return {
        "role": roles,
        "level": map_distinct(texts, lambda text: _find_level(fit, text), pa.string()),
        "category": map_distinct(texts, lambda text: split_notes(text).text, pa.string()),
        "subcategory": pc.if_else(pc.equal(roles, "total"), None, joined),
    }


def _join_parts(key: str | None) -> str:
    return "|".join(part for part in map(tidy_text, (key or "").split("|")) if part)


def _read_areas(
    fit: Fit, source: Source, rows: pa.ChunkedArray, names: pa.ChunkedArray, levels: pa.ChunkedArray
) -> dict[str, pa.ChunkedArray]:
    """Code (where a name is declared to mean one, else null), name, name compared, and level of every area."""
    if fit.layout.area_code:
        whole = {"area_code": fit.layout.area_code, "area_name": "England and Wales", "area_key": "england and wales"}
        return {name: pa.chunked_array([constant(text, pa.string(), len(rows))]) for name, text in whole.items()}
    keys = map_distinct(names, lambda text: name_key(text) or None, pa.string())
    require(fit, rows, "area_name", keys, "expected the name of an area", _COMPARE)

    def code(key: str | None) -> str | None:
        name, _, level = (key or "").rpartition("|")
        return code_without_gss(source, name, level)

    codes = map_distinct(join_texts(keys, levels), code, pa.string())
    is_country = pc.fill_null(map_distinct(codes, lambda text: (text or "").startswith(_COUNTRIES), pa.bool_()), False)
    return {
        "area_code": codes,
        "area_name": map_distinct(names, lambda text: split_notes(text).text, pa.string()),
        "area_key": keys,
        "level": pc.if_else(is_country, "country", levels),
    }


def _read_count(fit: Fit, rows: pa.ChunkedArray, name: str, texts: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """A count, its marker and its column; all null where the edition does not have it."""
    if name not in fit.columns:
        nothing = pa.chunked_array([pa.nulls(len(rows), pa.string())])
        return {name: nothing.cast(pa.int64()), f"{name}_marker": nothing, f"{name}_column": nothing}
    values, markers = read_counts(fit, rows, texts, name)
    for row in rows.filter(pc.fill_null(pc.less(values, 0), False))[:1]:
        raise cell_error(fit, row.as_py(), fit.columns[name], "expected 0 or more", _COMPARE)
    return {
        name: pc.cast(values, pa.int64()),
        f"{name}_marker": markers,
        f"{name}_column": pa.chunked_array([constant(fit.columns[name], pa.string(), len(rows))]),
    }


def _refuse_impossible(fit: Fit, table: pa.Table) -> None:
    """Stop where more offenders reoffended than there were: no rate could be made of it."""
    is_more = pc.fill_null(pc.greater(table["reoffenders"], table["offenders"]), False)
    for line in table.filter(is_more).slice(0, 1).to_pylist():
        what = f"expected no more than the {line['offenders']:,} offenders in {line['offenders_column']}{line['row']}"
        raise cell_error(fit, line["row"], line["reoffenders_column"], what, "compare the row; ask the publisher")


def _refuse_disagreement(fit: Fit, table: pa.Table) -> None:
    """Stop where an area stands under several categories with other figures: each repeats the same population.

    A unitary authority is in both tiers, so that it can stand under both.
    """
    totals = table.filter(pc.equal(table["role"], "total"))
    totals = totals.append_column("family", map_distinct(totals["level"], _name_family, pa.string()))
    key = ["family", "area", "span", "cohort_end", "age_group"]
    for name in _COUNTS:
        groups = totals.group_by(key, use_threads=False).aggregate([(name, "min"), (name, "max")])
        differs = pc.fill_null(pc.not_equal(groups[f"{name}_min"], groups[f"{name}_max"]), False)
        for group in groups.filter(differs).slice(0, 1).to_pylist():
            same = [pc.equal(totals[column], pa.scalar(group[column], totals[column].type)) for column in key]
            lines = totals.filter(reduce(pc.and_, same)).to_pylist()
            raise _say_disagreement(fit, name, [line for line in lines if line[name] is not None])


def _name_family(level: str | None) -> str | None:
    return "tier" if level in ("upper_tier", "lower_tier") else level


def _say_disagreement(fit: Fit, name: str, lines: list[dict[str, Any]]) -> LayoutError:
    first = lines[0]
    other = next(line for line in lines if line[name] != first[name])
    stated = [f"{line[name]:,} in row {line['row']} ({line['category']})" for line in (first, other)]
    what = f"{first['area_name']} has {' and '.join(stated)}; both should be all {name} of the area"
    mend = "compare the rows; if they are different areas of one name, tell the categories apart in source.yml"
    return cell_error(fit, other["row"], fit.columns[name], what, mend)
