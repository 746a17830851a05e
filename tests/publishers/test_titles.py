"""A title that no rule knows, or a table that no title names: what comes nearest, and the rule to add."""

from __future__ import annotations

import re

import pytest
import yaml

from etl.publishers import ListedFile, choose_files, describe_unknown
from etl.sources.places import Wanted

FORCE = Wanted(table="force", title="police force area tables")
TOOL = Wanted(table="geographic", title="(?<![a-z])geograph(y|ic|ical)(?![a-z]).*tool")


def listed(*titles: str) -> list[ListedFile]:
    return [ListedFile(f"https://x/{number}", f"{number}.xlsx", title) for number, title in enumerate(titles)]


@pytest.mark.parametrize(
    ("title", "nearest"),
    [
        ("Tables by area of police forces (year ending March 2041)", " (nearest: the table 'force')"),
        ("Ward level data: 'all' of them", ""),
    ],
)
def test_a_title_that_no_rule_knows_comes_with_the_rule_that_leaves_it_out(title: str, nearest: str) -> None:
    text = describe_unknown(title, [FORCE, TOOL])
    assert text.startswith(f"{title!r}{nearest}: ")
    [rule] = yaml.safe_load(text.partition("add to `ignore_files`: ")[2])
    assert rule["why"] == "?"
    assert re.search(rule["match"], title, re.IGNORECASE)
    assert re.search(rule["match"], title.replace("2041", "2042"), re.IGNORECASE)
    assert not re.search(rule["match"], f"More {title}", re.IGNORECASE)


def test_a_table_under_another_title_is_named_with_a_rule_that_takes_it() -> None:
    files = listed("Bulletin", "Tables of police force areas (2041)")
    [problem] = choose_files(files, [FORCE], [], "the page").problems
    assert "no file is the table 'force'" in problem.error.what
    step = problem.error.next_step
    assert "nearest is 'Tables of police force areas (2041)'" in step
    title = yaml.safe_load(step[step.index("(title: ") + 1 : -1])["title"]
    chosen = choose_files(files, [Wanted(table="force", title=title)], [], "the page")
    assert [file.title for file in chosen.files] == ["Tables of police force areas (2041)"]


def test_where_no_title_is_like_it_none_is_put_forward() -> None:
    [problem] = choose_files(listed("Bulletin"), [FORCE], [], "the page").problems
    assert problem.error.next_step == "if the publisher renamed it, change its title in source.yml, under `places`"
    [problem] = choose_files([], [FORCE], [], "the page").problems
    assert "nearest" not in problem.error.next_step


def test_a_rule_that_tells_tables_apart_is_left_to_a_person() -> None:
    [problem] = choose_files(listed("Geographical data"), [TOOL], [], "the page").problems
    assert problem.error.next_step.endswith(": nearest is 'Geographical data'")
    denied = Wanted(table="force", title="police force areas?", deny=["knives"])
    [problem] = choose_files(listed("Police force areas, knives"), [denied], [], "the page").problems
    assert problem.error.next_step.endswith(": nearest is 'Police force areas, knives', which its `deny` leaves out")
