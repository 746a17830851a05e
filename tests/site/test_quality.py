"""The page on quality says what was checked and found, what was not met first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from etl.site.quality import show_difference, write_quality
from tests.site.made import HOSTILE, LOOKUPS, MARCH_1, NEXT, REOFFENDING_1
from tests.site.page import Page
from tests.site.part import write_part

Row = dict[str, Any]


def check(suite: str, expectation: str, **more: Any) -> Row:
    return {
        "suite": suite,
        "expectation": expectation,
        "table_name": suite,
        "gate": "publication",
        "severity": "fail",
        "success": True,
        "unexpected_count": 0,
        "examples": None,
        "reason": f"follows from schemas/{suite.replace('.', '/')}.yml",
    } | more


NOT_NULL = "expect_column_values_to_not_be_null"
CHECKS = [
    check("mart.crime_trend", f"{NOT_NULL}(area_code)"),
    check("mart.crime_trend", f"{NOT_NULL}(span)"),
    check(
        "mart.crime_trend",
        "expect_column_values_to_be_between(population, min_value 1)",
        severity="warn",
        success=False,
        unexpected_count=1,
        examples="E23000014|robbery: 0",
        reason="An area without people has no rate.",
    ),
    check(
        "tidy.recorded_crime",
        "expect_column_values_to_be_null(value, row_condition value < -500)",
        gate="file",
        success=False,
        unexpected_count=1_200,
        reason="Corrections are small.",
    ),
    check(
        "check.crime_jump",
        "expect_table_row_count_to_equal(value 0)",
        severity="warn",
        reason="No total of a force moves by half in a year.",
    ),
]

BACK_TESTS: list[Row] = [
    {"table_name": "P2", "key": "a", "derived": 8.5, "printed": 8.5, "difference": 0.0, "within_tolerance": True},
    {"table_name": "P2", "key": "b", "derived": 8.5, "printed": 9.0, "difference": -0.5, "within_tolerance": False},
    {"table_name": "P2", "key": "c", "derived": None, "printed": 4.0, "difference": None, "within_tolerance": False},
    {"table_name": "P3", "key": "a", "derived": 1.0, "printed": 1.0, "difference": 4e-10, "within_tolerance": True},
]


def landed(release_id: str, filename: str, read: int, kept_out: int = 0, *, accepted: bool = True) -> Row:
    return {
        "release_id": release_id,
        "filename": filename,
        "sha256": filename,
        "rows_read": read,
        "rows_quarantined": kept_out,
        "accepted": accepted,
    }


FILES = [
    landed(LOOKUPS, "lookup.csv", 300),
    landed(NEXT, "tables.xlsx", 4_000),
    landed(MARCH_1, "older.xlsx", 3_000, 2),
    landed(REOFFENDING_1, "tool.xlsx", 500, accepted=False),
]


def write(folder: Path, **rows: Iterable[Row]) -> Page:
    site = write_part(folder / "site", lambda connection, site, _: write_quality(connection, site), **rows)
    return Page(site / "quality/index.html")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return write(
        tmp_path_factory.mktemp("version"),
        meta__check_result=CHECKS,
        meta__back_test=BACK_TESTS,
        meta__file=FILES,
        mart__claim_check=[{"claim_id": "a", "verdict": "differs"}, {"claim_id": "b", "verdict": "differs"}],
    )


def test_it_begins_with_how_many_checks_were_met(page: Page) -> None:
    assert (
        "5 checks were made when this version was built: 2 were not met, of which 1 by failure and 1 by warning."
        in page.text
    )
    assert page.tables["kinds"] == [
        ["If it is not met", "Severity", "Checks", "Not met"],
        ["the file at fault is kept out", "failure", "1", "1"],
        ["the version is not published", "failure", "2", "0"],
        ["it is reported, about the version", "warning", "2", "1"],
    ]


def test_what_was_not_met_is_told_with_reason_and_example_failures_first(page: Page) -> None:
    assert [text for level, text in page.headings if level == 3] == [
        "Failure: tidy.recorded_crime",
        "Warning: mart.crime_trend",
    ]
    assert "Corrections are small." in page.text
    assert "1,200 lines" in page.text
    assert "1 line " in page.text
    assert "E23000014|robbery: 0" in page.text


def test_figures_that_are_off_are_counted_and_listed(page: Page) -> None:
    changes, rates = page.tables["back-tests"][1:]
    assert changes[0].startswith("Changes on the year in percent")
    assert changes[1:] == ["3", "2 (1 not derived)", "0.5"]
    assert rates[1:] == ["1", "0", "under 0.000001"]
    assert page.tables["off"][1:] == [["c", "P2", "–", "4", "–"], ["b", "P2", "8.5", "9", "−0.5"]]


def test_figures_beyond_a_million_are_written_in_full(tmp_path: Path) -> None:
    off = {"table_name": "annual_cohort", "key": "a", "derived": 1_234_567.0, "printed": 1_234_568.0}
    page = write(tmp_path, meta__back_test=[off | {"difference": -1.0, "within_tolerance": False}])
    assert page.tables["off"][1] == ["a", "annual_cohort", "1,234,567", "1,234,568", "−1"]


def test_files_and_lines_are_counted_by_source(page: Page) -> None:
    rows = page.tables["files"]
    assert rows[0] == ["Source", "Files", "Kept out", "Lines read", "Kept out"]
    assert [row[1:] for row in rows[1:]] == [
        ["1", "0", "300", "0"],
        ["1", "1", "500", "0"],
        ["2", "0", "7,000", "2"],
    ]


def test_what_was_kept_out_leads_to_its_release(page: Page) -> None:
    text = page.text.replace(" ,", ",")
    assert "April to June 2020, tool.xlsx: kept out whole" in text
    assert "Year ending March 2018, older.xlsx: 2 of 3,000 lines kept out" in text
    links = [str(link["href"]) for link in page.named("a")]
    assert "../releases/proven_reoffending/april-to-june-2020-1.html" in links


def test_what_is_known_to_be_wrong_leads_to_releases_and_claims(page: Page) -> None:
    assert "Replaced: Year ending March 2018 , published on 19 July 2018." in page.text
    assert "Withdrawn: Year ending March 2018 , published on 1 September 2018." in page.text
    assert "2 differs" in page.text
    assert "../claims/index.html" in [link["href"] for link in page.named("a")]


def test_rules_and_tables_are_summed_up(page: Page) -> None:
    assert page.tables["rules"][1] == [
        "crime jump",
        "No total of a force moves by half in a year.",
        "it is reported",
        "yes",
    ]
    assert page.tables["tables"][1:] == [
        ["mart.crime_trend", "3", "1", "1"],
        ["tidy.recorded_crime", "1", "1", "1"],
    ]
    # What follows from a contract is counted, not listed.
    assert NOT_NULL not in page.html


def test_it_leads_to_data_docs_and_files(page: Page) -> None:
    links = {str(link["href"]) for link in page.named("a")}
    assert {
        "../../data-docs/index.html",
        "../../feeds/meta/check_result.csv",
        "../../feeds/meta/back_test.csv",
        "../dictionary/mart/crime_trend.html",
    } <= links


def test_what_is_not_checked_is_told(page: Page) -> None:
    assert (2, "What is not checked") in page.headings
    assert "Raw rates ignore who the offenders are" in page.text


def test_all_met_is_said_in_so_many_words(tmp_path: Path) -> None:
    rows = [row | {"success": True, "unexpected_count": 0} for row in CHECKS]
    page = write(tmp_path, meta__check_result=rows)
    assert "5 checks were made when this version was built: all were met." in page.text
    assert "Every check was met." in page.text


def test_many_figures_that_are_off_are_cut_to_the_furthest(tmp_path: Path) -> None:
    rows = [
        {"table_name": "P3", "key": f"{number:02}", "derived": 1.0 + number, "printed": 1.0}
        | {"difference": float(number), "within_tolerance": False}
        for number in range(1, 31)
    ]
    page = write(tmp_path, meta__back_test=rows)
    assert [row[0] for row in page.tables["off"][1:]] == [f"{number:02}" for number in range(30, 10, -1)]
    assert "the furthest of each table first; 20 of 30" in page.text


def test_findings_that_hold_markup_are_shown_as_text(tmp_path: Path) -> None:
    rows = [row | {"examples": HOSTILE, "reason": HOSTILE, "expectation": HOSTILE} for row in CHECKS]
    files = [row | {"filename": HOSTILE} for row in FILES]
    page = write(tmp_path, meta__check_result=rows[2:], meta__file=files)
    assert all(set(script) == {"src", "defer"} for script in page.named("script"))
    assert page.text.count(" ".join(HOSTILE.split())) > 5


def test_a_warehouse_of_which_nothing_was_checked_has_the_page(tmp_path: Path) -> None:
    page = write(tmp_path, releases=[], revisions=[], summaries=[])
    assert "No result of any check is held in this version." in page.text
    assert page.tables["back-tests"][1] == ["Nothing that is printed is also derived in this version."]
    assert page.tables["files"][1] == ["No file is held."]
    assert "No release that is held was replaced or withdrawn by its publisher." in page.text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "none"),
        (4.9e-10, "under 0.000001"),
        (0.5, "0.5"),
        (-1.25, "−1.25"),
        (1_234.5678, "1,234.57"),
        (1_234_567.0, "1,234,567"),
        (-1_234_567.8, "−1,234,568"),
        (0.00001234, "0.00001234"),
    ],
)
def test_a_difference_is_written_for_people(value: float | None, shown: str) -> None:
    assert show_difference(value) == shown
