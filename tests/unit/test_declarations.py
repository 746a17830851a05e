"""Text of a declaration with something added: only what is added changes, and it says what was meant."""

from __future__ import annotations

import re
from typing import Any

import pytest

from etl.declarations import add_header, add_layout, add_rule, escape, parse, widen
from etl.sources import Source, declared_sources

TEXT = """\
source: made_up
layouts:
  # A comment that stays.
  - &first
    layout: first
    table_id: A
    sheet: Table A
    columns: &columns
      name: {headers: name}  # another
      code: &code
        headers: [code, area code]
      block:
        headers:
          - one
          - two

      year: {pattern: 'y(\\d\\d)', optional: true}
    figures: [robbery]
    ignore_columns:
      - {match: note, why: prose}

      # A comment after the list.
  - layout: second
    table_id: B
    columns: *columns
    ignore_columns: []
  - <<: *first
    layout: third
    sheet: >-
      Table
      C
    categories: [{match: a, role: total}]

ignore_sheets:
  - {match: cover, why: prose}
"""


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines taken away and lines added."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def layouts(text: str) -> dict[str, dict[str, Any]]:
    return {layout["layout"]: layout for layout in parse(text)["layouts"]}


@pytest.mark.parametrize(
    ("column", "headers", "lines"),
    [
        ("name", ["name", "place: new"], ["      name: {headers: [name, 'place: new']}  # another"]),
        ("code", ["code", "area code", "place: new"], ["        headers: [code, area code, 'place: new']"]),
        ("block", ["one", "two", "place: new"], ["          - 'place: new'"]),
        ("year", ["place: new"], ["      year: {headers: ['place: new'], pattern: 'y(\\d\\d)', optional: true}"]),
    ],
)
def test_a_header_joins_those_of_its_column(column: str, headers: list[str], lines: list[str]) -> None:
    after = add_header(TEXT, "first", column, "place: new")
    assert changed(TEXT, after)[1] == lines
    assert layouts(after)["first"]["columns"][column]["headers"] == headers
    # What is written once for several layouts is changed for all of them.
    assert add_header(TEXT, "second", column, "place: new") == after
    assert add_header(TEXT, "third", column, "place: new") == after


def test_a_pattern_is_widened_where_it_stands() -> None:
    after = widen(TEXT, "first", "sheet", "a")
    assert changed(TEXT, after) == (["    sheet: Table A"], ["    sheet: Table A|a"])
    after = widen(TEXT, "third", "sheet", "c")
    assert layouts(after)["third"]["sheet"] == "Table C|c"
    assert layouts(after)["first"]["sheet"] == "Table A"
    assert layouts(after)["third"]["categories"] == [{"match": "a", "role": "total"}]


def test_spaces_count_in_a_pattern_in_which_they_do_not() -> None:
    text = TEXT.replace("sheet: Table A", "sheet: (?x) table \\ a")
    pattern = layouts(widen(text, "first", "sheet", "new name"))["first"]["sheet"]
    assert re.fullmatch(pattern, "new name")
    assert re.fullmatch(pattern, "table a")


def test_a_rule_joins_its_list_or_begins_one() -> None:
    rule = {"match": "x", "why": "?"}
    after = add_rule(TEXT, "first", "ignore_columns", rule)
    assert changed(TEXT, after) == ([], ["      - {match: x, why: '?'}"])
    assert after.index("match: note") < after.index("match: x") < after.index("# A comment after")
    after = add_rule(TEXT, "second", "ignore_columns", rule)
    assert "    ignore_columns:\n      - {match: x, why: '?'}\n  - <<: *first" in after
    after = add_rule(TEXT, "third", "categories", rule)
    assert "    categories: [{match: a, role: total}, {match: x, why: '?'}]\n" in after
    after = add_rule(TEXT, "second", "categories", rule)
    assert "    ignore_columns: []\n    categories:\n      - {match: x, why: '?'}\n  - <<" in after
    after = add_rule(TEXT, None, "ignore_sheets", rule)
    assert after == TEXT + "  - {match: x, why: '?'}\n"


def test_a_layout_merges_the_one_that_is_most_like_it() -> None:
    after = add_layout(TEXT, "first", {"layout": "fourth", "figures": ["robbery", "homicide"]})
    added = [
        "  - &fourth",
        "    <<: *first",
        "    layout: fourth",
        "    figures:",
        "      - robbery",
        "      - homicide",
    ]
    assert "\n".join(["    categories: [{match: a, role: total}]", *added, "", "ignore_sheets:"]) in after
    assert layouts(after)["fourth"] == layouts(TEXT)["first"] | {"layout": "fourth", "figures": ["robbery", "homicide"]}
    # The next one merges it in turn.
    more = add_layout(after, "fourth", {"layout": "fifth", "table_id": "E"})
    assert "  - &fifth\n    <<: *fourth\n    layout: fifth\n    table_id: E\n" in more


def test_a_layout_that_has_less_than_any_anchored_one_is_written_out() -> None:
    after = add_layout(TEXT, "second", {"layout": "fourth"})
    assert "<<" not in after[after.index("&fourth") :]
    assert layouts(after)["fourth"] == layouts(TEXT)["second"] | {"layout": "fourth"}


@pytest.mark.parametrize("source", declared_sources().values(), ids=lambda source: source.source)
def test_every_declaration_of_ours_can_be_added_to(source: Source) -> None:
    """Each kind of addition to each layout gives a valid declaration that differs in nothing else."""
    text = (source.folder / "source.yml").read_text(encoding="utf-8")

    def load(changed: str) -> Source:
        return Source.model_validate(parse(changed))

    def of(name: str, changed: Source) -> Any:
        return next(layout for layout in changed.layouts if layout.layout == name)

    for layout in source.layouts:
        for column in layout.columns:
            found = of(layout.layout, load(add_header(text, layout.layout, column, "a new one")))
            assert found.columns[column].headers == [*layout.columns[column].headers, "a new one"]
        ignored = of(layout.layout, load(add_rule(text, layout.layout, "ignore_columns", {"match": "x", "why": "?"})))
        assert ignored.ignore_columns[:-1] == layout.ignore_columns
        new = load(add_layout(text, layout.layout, {"layout": "a_new_one", "table_id": "new"}))
        assert new.layouts[:-1] == source.layouts
        assert new.layouts[-1] == layout.model_copy(update={"layout": "a_new_one", "table_id": "new"})
        if layout.title:
            assert of(layout.layout, load(widen(text, layout.layout, "title", "x y"))).title != layout.title
    rules = load(add_rule(text, None, "ignore_sheets", {"match": "x", "why": "?"})).ignore_sheets
    assert rules[:-1] == source.ignore_sheets


@pytest.mark.parametrize(
    ("text", "pattern", "also"),
    [
        ("area (sq km)", r"area \(sq km\)", "area (sq km)"),
        ("population (mid-2026)", r"population \(mid-\d{4}\)", "population (mid-2031)"),
        ("p1", "p1", "p1"),
        ("year 20260", "year 20260", "year 20260"),
    ],
)
def test_a_text_as_a_pattern_fits_itself_and_another_year(text: str, pattern: str, also: str) -> None:
    assert escape(text) == pattern
    assert re.fullmatch(pattern, text)
    assert re.fullmatch(pattern, also)
