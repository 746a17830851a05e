"""Data Docs say what each expectation is, why, and what was found, and load nothing from anywhere."""

from __future__ import annotations

import copy
import logging
import os
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etl.data_docs import write_data_docs

# Great Expectations imports modules that Python has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")

HOSTILE = "<img src='https://example.org/x.png'><script>alert(1)</script>$column <b>bold</b>"

FRAME = pd.DataFrame(
    {
        "area": pd.array(["E06000001", None, HOSTILE], dtype="str"),
        "offences": pd.array([1, None, -9], dtype="Int64"),
        "rate": [0.5, 1.5, 2.5],
        "month": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]).as_unit("ms"),
        HOSTILE: pd.array([True, False, None], dtype="boolean"),
    }
)

EXPECTATIONS: list[dict[str, Any]] = [
    {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}},
    {"type": "expect_table_columns_to_match_ordered_list", "kwargs": {"column_list": [*FRAME]}},
    {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["area", "month"]}},
    {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "area"},
        "meta": {"reason": "A row without an area cannot be shown.", "set_on": "2026-11-02"},
    },
    {
        "type": "expect_column_values_to_match_regex",
        "kwargs": {"column": "area", "regex": "^(?<!x)[EW][0-9]{8}$"},
        "severity": "warning",
        "meta": {"reason": HOSTILE},
    },
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "area", "value_set": [HOSTILE]}},
    {"type": "expect_column_values_to_be_of_type", "kwargs": {"column": "offences", "type_": "int64"}},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "offences", "min_value": 0}},
    {"type": "expect_column_max_to_be_between", "kwargs": {"column": "month", "max_value": "2024-02-01T00:00:00"}},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "month", "max_value": "2024-02-01T00:00:00"}},
    {
        "type": "expect_column_pair_values_a_to_be_greater_than_b",
        "kwargs": {"column_A": "rate", "column_B": "offences", "ignore_row_if": "either_value_is_missing"},
    },
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": HOSTILE, "value_set": [True]}},
    {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "absent"}},
    {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {
            "column": "rate",
            "row_condition": {"type": "pass_through", "pass_through_filter": 'offences < 5 and area != "<b>"'},
        },
    },
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "rate", "min_value": 0},
        "description": "A rate is per 1,000 <people>.",
    },
]

LOADING = {"script", "link", "img", "iframe", "object", "embed", "video", "audio", "source", "base", "form", "svg"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its tables as rows of texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._open = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            if not self._open:
                self.rows[-1].append("")
            self._open += 1
        if tag == "tr" and not self._open:
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open -= 1

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] = " ".join(f"{self.rows[-1][-1]} {data}".split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def validate(expectations: list[dict[str, Any]]) -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": FRAME})
    suite = gx.ExpectationSuite(name="crime", expectations=copy.deepcopy(expectations))
    assert len(suite.expectations) == len(expectations)
    return batch.validate(suite, result_format="COMPLETE")


@pytest.fixture(scope="module")
def result() -> Any:
    return validate(EXPECTATIONS)


def check(expectation: str = "expect_column_values_to_not_be_null", **other: Any) -> dict[str, Any]:
    """A result of one expectation, in the shape of `to_json_dict`."""
    config = {"type": expectation, "kwargs": {"column": "area"}, "meta": {}, "severity": "critical"}
    ended = {"raised_exception": False, "exception_traceback": None, "exception_message": None}
    return {"success": True, "expectation_config": config, "result": {}, "exception_info": ended} | other


def warning(**other: Any) -> dict[str, Any]:
    found = check(**other)
    found["expectation_config"]["severity"] = "warning"
    return found


def read(folder: Path, name: str) -> Page:
    return Page((folder / f"{name}.html").read_text(encoding="utf-8"))


def row_of(page: Page, words: str) -> list[str]:
    """The one row whose expectation holds these words."""
    (row,) = [row for row in page.rows if len(row) > 1 and words in row[1]]
    return row


def test_a_failed_expectation_shows_why_it_is_expected_and_what_was_found(result: Any, tmp_path: Path) -> None:
    write_data_docs(tmp_path, {"crime": result})
    page = read(tmp_path, "crime")
    assert ["Status", "Expectation", "Observed Value", "Severity", "Set on", "Reason"] in page.rows
    assert row_of(page, "never be null. 1 unexpected") == [
        "failed",
        "values must never be null. 1 unexpected values found. ≈33.33% of 3 total rows. Unexpected Value Count null 1",
        "≈66.667% not null",
        "critical",
        "2026-11-02",
        "A row without an area cannot be shown.",
    ]


def test_a_passed_expectation_shows_its_severity_too(result: Any, tmp_path: Path) -> None:
    write_data_docs(tmp_path, {"crime": result})
    row = row_of(read(tmp_path, "crime"), "Must have greater than or equal to 1 rows")
    assert row[0] == "passed"
    assert row[3:] == ["critical", "", ""]


def test_values_reasons_and_names_that_hold_markup_are_shown_as_text(result: Any, tmp_path: Path) -> None:
    write_data_docs(tmp_path, {"crime": result})
    page = read(tmp_path, "crime")
    row = row_of(page, "match this regular expression")
    assert "^(?<!x)[EW][0-9]{8}$" in row[1]
    assert f"Unexpected Value Count {HOSTILE} 1" in row[1]
    assert row[3:] == ["warning", "", HOSTILE]
    headings = re.findall("<h2[^>]*>(.*?)</h2>", page.html)
    assert headings[0] == "Whole table"
    assert {unescape(heading) for heading in headings[1:]} == {"area", "offences", "month", "absent", "rate", HOSTILE}


def test_a_condition_and_our_own_words_are_shown(result: Any, tmp_path: Path) -> None:
    write_data_docs(tmp_path, {"crime": result})
    page = read(tmp_path, "crime")
    condition = row_of(page, "then values must never be null")[1]
    assert condition == 'If offences < 5 and area != "<b>" , then values must never be null.'
    assert row_of(page, "A rate is per 1,000")[1] == "A rate is per 1,000 <people>."


def test_values_of_several_columns_do_not_run_together(result: Any, tmp_path: Path) -> None:
    write_data_docs(tmp_path, {"crime": result})
    row = row_of(read(tmp_path, "crime"), "must always be greater than those in offences")
    assert row[1].endswith("Unexpected Value Count 0.5, 1 1")


def test_every_expectation_has_a_row_and_none_troubles_the_renderers(
    result: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="great_expectations"):
        write_data_docs(tmp_path, {"crime": result})
    rows = [row for row in read(tmp_path, "crime").rows if row[0] != "Status"]
    assert len(rows) == len(EXPECTATIONS)
    assert caplog.messages == []


def test_an_expectation_that_could_not_be_checked_says_so_without_a_trace(result: Any, tmp_path: Path) -> None:
    write_data_docs(tmp_path, {"crime": result})
    row = row_of(read(tmp_path, "crime"), "must be unique. expect_column_values_to_be_unique raised an exception")
    assert row[0] == "not checked"
    assert '"absent" in BatchData does not exist' in row[1]
    assert "Traceback" not in (tmp_path / "crime.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["crime", "index"])
def test_a_page_loads_nothing_and_runs_nothing(result: Any, tmp_path: Path, name: str) -> None:
    write_data_docs(tmp_path, {"crime": result})
    page = read(tmp_path, name)
    assert not {tag for tag, _ in page.elements} & LOADING
    for tag, attributes in page.elements:
        loading = {key for key in attributes if key in ("src", "srcset", "data", "poster", "background", "action")}
        handlers = {key for key in attributes if key.startswith("on")}
        assert not loading | handlers, (tag, attributes)
        assert "url(" not in (attributes.get("style") or "")
        if "href" in attributes:
            assert tag == "a"
            assert (tmp_path / str(attributes["href"])).is_file()
    (style,) = re.findall("<style>(.*?)</style>", page.html, re.DOTALL)
    assert "url(" not in style and "@import" not in style
    (policy,) = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.parametrize("name", ["crime", "index"])
def test_a_page_can_be_read_by_everyone(result: Any, tmp_path: Path, name: str) -> None:
    write_data_docs(tmp_path, {"crime": result})
    page = read(tmp_path, name)
    assert page.named("html") == [{"lang": "en-GB"}]
    assert len(page.named("h1")) == len(page.named("title")) == len(page.named("main")) == 1
    assert all(cell.get("scope") in ("col", "row") for cell in page.named("th"))
    assert all(region.get("tabindex") == "0" for region in page.named("div") if region.get("class") == "scroll")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_index_counts_failures_and_warnings_apart(tmp_path: Path) -> None:
    suites = {
        "tidy.notes": {"results": [check(), check(success=False), check(success=False), warning(success=False)]},
        "mart.trend": {"results": [check(), check(), warning(success=False)]},
        "core.area": {"results": [check()]},
        "core.new": {"results": []},
    }
    write_data_docs(tmp_path, suites)
    index = read(tmp_path, "index")
    assert index.rows == [
        ["Suite", "Result", "Expectations", "Failed", "Warnings"],
        ["core.area", "passed", "1", "0", "0"],
        ["core.new", "passed", "0", "0", "0"],
        ["mart.trend", "warned", "3", "0", "1"],
        ["tidy.notes", "failed", "4", "2", "1"],
    ]
    assert [link["href"] for link in index.named("a")] == [f"{suite}.html" for suite in sorted(suites)]
    assert "4 expectations,\nof which failed: 2 critical, 1 warning." in read(tmp_path, "tidy.notes").html
    assert len(index.named("caption")) == 1


def test_a_result_and_its_json_give_the_same_page(result: Any, tmp_path: Path) -> None:
    write_data_docs(tmp_path / "result", {"crime": result})
    write_data_docs(tmp_path / "json", {"crime": result.to_json_dict()})
    assert read(tmp_path / "result", "crime").html == read(tmp_path / "json", "crime").html


def test_validating_again_gives_the_same_pages(result: Any, tmp_path: Path) -> None:
    write_data_docs(tmp_path / "first", {"crime": result})
    write_data_docs(tmp_path / "again", {"crime": validate(EXPECTATIONS)})
    for name in ("crime", "index"):
        assert read(tmp_path / "first", name).html == read(tmp_path / "again", name).html


def test_results_are_left_as_they_were(result: Any, tmp_path: Path) -> None:
    before = result.to_json_dict()
    write_data_docs(tmp_path, {"crime": result})
    assert result.to_json_dict() == before


def test_the_number_of_failing_rows_does_not_swell_a_page(tmp_path: Path) -> None:
    found = {
        "element_count": 200_000,
        "unexpected_count": 100_000,
        "unexpected_percent": 50.0,
        "partial_unexpected_list": [None] * 20,
        "partial_unexpected_counts": [{"value": None, "count": 20}],
        "unexpected_list": [None] * 100_000,
        "unexpected_index_list": list(range(100_000)),
    }
    write_data_docs(tmp_path, {"crime": {"results": [check(success=False, result=found)]}})
    page = read(tmp_path, "crime")
    assert "100000 unexpected values found" in page.html
    assert len(page.html) < 10_000
