"""Claims and costs on the published files at hand, and on the modelled samples of the demo."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from python_calamine import CalamineWorkbook

from etl.claim_words import ToldClaim, tell_claims
from etl.publish import warehouse_path
from etl.settings import project_root
from tests.sql.conftest import Query

pytestmark = pytest.mark.real

NEEDS_DATA = ("rank", "rank_all_within", "total", "change", "change_percent", "ratio", "lowest_since")


def _judge(query: Query, claim_id: str) -> tuple[object, ...]:
    sql = "SELECT observed, difference, verdict FROM mart.claim_check WHERE claim_id = ?"
    [row] = query(sql, claim_id)
    return row


@pytest.fixture(scope="module")
def told(whole_home: Path) -> Iterator[dict[str, ToldClaim]]:
    with duckdb.connect(str(warehouse_path(whole_home).resolve()), read_only=True) as connection:
        yield {claim.claim_id: claim for claim in tell_claims(connection)}


# --- Claims on the published files


@pytest.mark.parametrize(
    ("claim_id", "observed", "difference", "verdict"),
    [
        # facts/statistics.md and facts/claims.csv; the rolling-years workbook prints the counts.
        ("wmp-total-2010-11", 215_350, -4, "supported within revisions"),
        ("wmp-total-2011-12", 193_530, -15, "supported within revisions"),
        ("wmp-fall-2011-12", -21_820, -11, "supported within revisions"),  # 193,530 − 215,350
        ("wmp-lowest-2012", 1, 0, "supported"),
        ("wmp-offences-prevented-2016", 8_202, 0, "supported"),
    ],
)
def test_claims_of_counts(whole: Query, claim_id: str, observed: int, difference: int, verdict: str) -> None:
    assert _judge(whole, claim_id) == (observed, difference, verdict)


def test_shares(whole: Query) -> None:
    """8,202 of 21,633 is 37.9%."""
    observed, difference, verdict = _judge(whole, "wmp-reduction-2016")
    assert observed == pytest.approx(37.9143, abs=1e-4)
    assert difference == pytest.approx(-1.0857, abs=1e-4)
    assert verdict == "differs"


def test_what_thirty_million_pounds_imply_is_told_and_not_compared(whole: Query, told: dict[str, ToldClaim]) -> None:
    assert _judge(whole, "wmp-cost-2016") == (None, None, "not checkable")
    assert "3,657.64 pounds each" in told["wmp-cost-2016"].reason


def test_fraud_of_both_years_is_told(told: dict[str, ToldClaim]) -> None:
    """2,981 in 2010/11 (215,350 − 212,369) and 2,712 in 2011/12 (193,530 − 190,818): 212,369 − 190,818 = 21,551."""
    reason = told["wmp-fall-2011-12"].reason
    assert "2,712 offences of fraud in the count of the year ending March 2012" in reason
    assert "2,981 offences of fraud in that of the year ending March 2011" in reason
    assert "Without fraud in both years 212,369 became 190,818, a change of -21,551." in reason


def test_the_margin_of_the_lowest_year_is_told(told: dict[str, ToldClaim]) -> None:
    """211,399 in 2009/10 is the lowest before 2011/12: 211,399 − 193,530 = 17,869."""
    reason = told["wmp-lowest-2012"].reason
    assert "The next lowest is the year ending March 2010 with 211,399, 17,869 more." in reason


def test_both_years_of_a_comparison_have_a_release(whole: Query) -> None:
    sql = "SELECT claim_id, release_id, base_release_id FROM mart.claim_check WHERE base_release_id IS NOT NULL"
    release = "recorded_crime_ons/rolling-years@1"
    claims = ("wmp-fall-2011-12", "wmp-half-2003-2014", "wmp-lowest-2012")
    assert sorted(whole(sql)) == [(claim_id, release, release) for claim_id in claims]


def test_half_of_the_crime_of_a_decade_ago(whole: Query, told: dict[str, ToldClaim]) -> None:
    observed, _, verdict = _judge(whole, "wmp-half-2003-2014")
    assert observed == pytest.approx(0.498, abs=5e-4)
    assert verdict == "supported"
    words = " ".join(told["wmp-half-2003-2014"].sentences)
    assert "a ratio of 0.498" in words
    assert "Without fraud in both years" in words
    assert "a ratio of 0.518" in words
    assert "the coverage changed" in words


def test_what_rests_on_a_release_names_it(told: dict[str, ToldClaim]) -> None:
    claim = told["wmp-total-2010-11"]
    assert claim.release_id == "recorded_crime_ons/rolling-years@1"
    assert any(sentence.startswith("It rests on ") for sentence in claim.sentences)


def test_what_is_not_at_hand_names_what_would_be_needed(whole: Query) -> None:
    rows = whole(
        "SELECT claim_id, verdict, publication_needed FROM mart.claim_check "
        "WHERE claim_check IN ('rank', 'rank_all_within') OR claim_id = 'dudley-burglary-2013'"
    )
    assert len(rows) == 13
    assert {verdict for _, verdict, _ in rows} == {"not checkable"}
    needed = {str(claim_id): publication for claim_id, _, publication in rows}
    assert needed["lar-2013-dudley"] == "Local adult reoffending, October 2011 to September 2012 (Ministry of Justice)"
    assert "Community Safety Partnership" in str(needed["dudley-burglary-2013"])
    assert "March 2011 and March 2013" in str(needed["dudley-burglary-2013"])


def test_every_claim_has_one_verdict_and_one_text(whole: Query, told: dict[str, ToldClaim]) -> None:
    [(claims, lines)] = whole("SELECT (SELECT count(*) FROM ref.claim), (SELECT count(*) FROM mart.claim_check)")
    assert claims == lines == len(told)
    assert whole("SELECT count(*) FROM mart.claim_check WHERE is_modelled") == [(0,)]
    assert all(len(claim.sentences) >= 3 for claim in told.values())


def test_modelled_samples_decide_nothing(demo: Query) -> None:
    rows = demo("SELECT claim_check, verdict, observed, bound_high, reading FROM mart.claim_check")
    resting = [row for row in rows if row[0] in NEEDS_DATA]
    assert len(resting) == 20  # of 28: 12 of ranks, 8 of counts
    assert {tuple(row[1:]) for row in resting} == {("not checkable (modelled data)", None, None, None)}
    assert {row[1] for row in rows if row[0] not in NEEDS_DATA} == {"supported", "differs", "not checkable"}


# --- Costs


Parts = dict[str, dict[str, float]]
MAJOR = {
    "Costs in anticipation of crime": "anticipation_pounds",
    "Costs as a consequence of crime": "consequence_pounds",
    "Costs in response to crime": "response_pounds",
}
ROUNDING = 5e-7
"""The reference table is rounded to millionths."""


def _read_sheet(publications: Path, file: str, sheet: str) -> list[list[object]]:
    workbook = CalamineWorkbook.from_path(str(publications / "moj-costs-of-reoffending" / file))
    rows: list[list[object]] = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    return rows


SUPPLEMENT = "costs-of-reoffending-supplementary-tables.ods"


@pytest.fixture(scope="module")
def unit_costs() -> dict[str, dict[str, str]]:
    with (project_root() / "warehouse" / "ref" / "unit_cost.csv").open(encoding="utf-8", newline="") as file:
        return {row["offence_group"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def published_costs(publications: Path) -> Parts:
    """Pounds by group and major category, and all of them together, each the sum of its cost baskets."""
    baskets: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for group, _, pounds, major in _read_sheet(publications, SUPPLEMENT, "Table_A")[1:]:
        assert isinstance(pounds, float)
        for column in (MAJOR[str(major)], "unit_cost_pounds"):
            baskets[str(group), column].append(pounds)
    parts: Parts = defaultdict(dict)
    for (group, column), values in baskets.items():
        parts[group][column] = math.fsum(values)
    return parts


@pytest.fixture(scope="module")
def wider_reoffences(publications: Path) -> dict[tuple[str, str], float]:
    """Wider reoffences by group and age, in the first row of each, whose cells the reference table names.

    Rows 82 and 91 (police costs of summary offences, which are 0) count one reoffence more than the rest of theirs.
    """
    rows = _read_sheet(publications, SUPPLEMENT, "Table_B")[1:]
    return {(str(row[0]), str(row[1])): float(str(row[2])) for row in reversed(rows)}


def test_unit_costs_are_those_of_the_workbook(
    unit_costs: dict[str, dict[str, str]], published_costs: Parts, wider_reoffences: dict[tuple[str, str], float]
) -> None:
    assert len(unit_costs) == 12
    assert set(unit_costs) == set(published_costs)
    for group, row in unit_costs.items():
        for column in (*MAJOR.values(), "unit_cost_pounds"):
            assert float(row[column]) == pytest.approx(published_costs[group].get(column, 0), abs=ROUNDING, rel=0)
        wider = math.fsum(number for (name, _), number in wider_reoffences.items() if name == group)
        assert float(row["wider_reoffences"]) == pytest.approx(wider, abs=ROUNDING, rel=0)


def test_cells_named_as_the_source_are_those_of_the_group(
    publications: Path, unit_costs: dict[str, dict[str, str]]
) -> None:
    rows = _read_sheet(publications, SUPPLEMENT, "Table_A")
    totals = _read_sheet(publications, SUPPLEMENT, "Table_B")
    for group, row in unit_costs.items():
        _, _, cells = row["source"].partition("Table_A ")
        first, last = (int(cell.lstrip("C")) for cell in cells.split(",")[0].split(":"))
        assert {line[0] for line in rows[first - 1 : last]} == {group}
        assert sum(line[0] == group for line in rows) == last - first + 1
        adults, children = cells.split("Table_B ")[1].split(";")[0].split(" and ")
        for cell, age in ((adults, "Adults"), (children, "Children and young people")):
            assert totals[int(cell.lstrip("C")) - 1][:2] == [group, age]


def test_the_cohort_and_the_release_are_those_of_the_cover(
    publications: Path, unit_costs: dict[str, dict[str, str]]
) -> None:
    cover = [str(cell) for row in _read_sheet(publications, SUPPLEMENT, "Cover_and_contents") for cell in row]
    assert "Based on an offender cohort from 2016" in cover
    assert "July 2019" in cover
    for row in unit_costs.values():
        assert (row["cohort_year"], row["price_base"]) == ("2016", "2017/18")
        assert "July 2019" in row["source"]


def test_costs_by_type_of_reoffence_are_numbers_times_unit_costs(
    publications: Path, unit_costs: dict[str, dict[str, str]], wider_reoffences: dict[tuple[str, str], float]
) -> None:
    """The other workbook prints a group's total to a hundred thousand pounds in C, and unrounded in D. Unit
    costs are rounded to millionths of a pound, and there are up to 2.4 million reoffences of a group."""
    rows = _read_sheet(publications, "costs-of-reoffending-by-type-of-reoffence.xlsx", "Sheet1")
    group, seen = "", 0
    for name, age, thousands, pounds in (row[:4] for row in rows[5:]):
        group = str(name) or group
        if not age or group == "Total cost of reoffending":
            continue
        expected = wider_reoffences[group, str(age)] * float(unit_costs[group]["unit_cost_pounds"])
        assert float(str(pounds)) == pytest.approx(expected, abs=2, rel=0), (group, age)
        assert float(str(thousands)) * 1_000 == pytest.approx(expected, abs=50_002, rel=0), (group, age)
        seen += 1
    assert seen == 24
    total = sum(float(row["unit_cost_pounds"]) * float(row["wider_reoffences"]) for row in unit_costs.values())
    assert total == pytest.approx(18_144_915_441.667, abs=5)  # "All" in D44


def test_costs_of_recorded_crime(whole: Query, unit_costs: dict[str, dict[str, str]]) -> None:
    matched = {row["offence_id"]: float(row["unit_cost_pounds"]) for row in unit_costs.values() if row["offence_id"]}
    assert len(matched) == 9
    found = whole("SELECT DISTINCT offence_id, unit_cost_pounds, price_base, cohort_year FROM mart.crime_cost")
    assert {str(row[0]): row[1] for row in found} == matched
    assert {row[2:] for row in found} == {("2017/18", 2016)}
    assert whole(
        "SELECT count(*) FROM mart.crime_cost WHERE offences >= 0 "
        "AND abs(cost_pounds - offences * unit_cost_pounds) > 1e-3"
    ) == [(0,)]
    assert whole("SELECT count(*) FROM mart.crime_cost WHERE (cost_pounds IS NULL) <> (reason IS NOT NULL)") == [(0,)]
    assert whole("SELECT count(*) > 10000 FROM mart.crime_cost") == [(True,)]


def test_every_column_of_costs_says_what_it_is_not(whole: Query) -> None:
    comments = {
        str(name): str(comment)
        for name, comment in whole(
            "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = 'mart' AND table_name = 'crime_cost'"
        )
    }
    assert "no spending and no saving" in comments["cost_pounds"].replace("No ", "no ")
    assert "recorded or not" in comments["unit_cost_pounds"]
    [(comment,)] = whole("SELECT comment FROM duckdb_tables() WHERE schema_name = 'mart' AND table_name = 'crime_cost'")
    for part in ("cohort of 2016", "England and Wales", "2017/18", "no saving", "not recorded"):
        assert part in str(comment)
