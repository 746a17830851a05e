"""Reoffending of England and Wales comes out of the modelled samples as it is published."""

from __future__ import annotations

import pytest

from tests.sql.conftest import Query

NEW, OLD = "three_month_cohort", "twelve_month_cohort"


def _counts(demo: Query, measure: str, span: str, age_group: str, cohort_end: str) -> tuple[object, ...]:
    [row] = demo(
        """
        SELECT offenders, reoffenders, reoffences FROM mart.reoffending_trend
        WHERE area_code = 'K04000001' AND measure = ? AND span = ? AND age_group = ? AND cohort_end = ?
        """,
        measure,
        span,
        age_group,
        cohort_end,
    )
    return row


def test_two_measures_of_one_year(demo: Query) -> None:
    assert _counts(demo, OLD, "year", "all", "2014-03-31")[:2] == (510_433, 133_947)
    assert _counts(demo, OLD, "year", "adult", "2014-03-31") == (468_134, 117_864, 367_605)
    assert _counts(demo, OLD, "year", "child", "2014-03-31") == (42_299, 16_083, 50_184)
    # The newest release, of January 2026, has revised the 598,848 of October 2017.
    assert _counts(demo, NEW, "year", "all", "2014-03-31") == (599_297, 186_582, 663_973)


def test_each_release_keeps_what_it_said(demo: Query) -> None:
    said = demo(
        """
        SELECT release_id, offenders, reoffenders FROM core.reoffending_total
        WHERE area_code = 'K04000001' AND measure = ? AND span = 'year' AND age_group = 'all'
            AND cohort_end = '2014-03-31' AND release_id LIKE '%october-2015-to-december-2015@1'
        """,
        NEW,
    )
    assert [row[1:] for row in said] == [(598_848, 186_406)]


def test_no_trend_crosses_the_measures(demo: Query) -> None:
    """The first year of the one measure has the other's year before it, and no change."""
    crossed = demo(
        """
        SELECT trend.cohort_end FROM mart.reoffending_trend AS trend
        INNER JOIN core.reoffending_total AS previous
            ON previous.release_id = trend.previous_release_id
            AND previous.area_code = trend.previous_area_code AND previous.span = trend.span
            AND previous.age_group = trend.age_group
            AND previous.cohort_end = last_day(trend.cohort_end - INTERVAL 1 YEAR)
            AND previous.offenders = trend.previous_offenders AND previous.measure <> trend.measure
        """
    )
    assert crossed == []
    rates = demo(
        """
        SELECT measure, round(rate_percent, 1), round(previous_rate_percent, 1) FROM mart.reoffending_trend
        WHERE area_code = 'K04000001' AND span = 'year' AND age_group = 'all' AND cohort_end = '2014-03-31'
        ORDER BY measure
        """
    )
    # 599,297 and 628,761 offenders of the new measure; 510,433 and 537,611 of the old one.
    assert rates == [(NEW, 31.1, 30.9), (OLD, 26.2, 26.1)]


def test_four_quarters_are_the_published_year(demo: Query) -> None:
    quarters = demo(
        """
        SELECT offenders FROM mart.reoffending_trend
        WHERE area_code = 'K04000001' AND measure = ? AND span = 'quarter' AND age_group = 'adult'
            AND cohort_end BETWEEN '2020-06-30' AND '2021-03-31'
        """,
        NEW,
    )
    assert len(quarters) == 4
    assert sum(int(str(row[0])) for row in quarters) == 288_877
    assert _counts(demo, NEW, "year", "adult", "2021-03-31")[:2] == (288_877, 69_281)
    tests = demo(
        "SELECT derived, printed FROM meta.back_test WHERE table_name = 'annual_cohort' "
        "AND key LIKE '%|2021-03-31|adult|K04000001|offenders'"
    )
    assert set(tests) == {(288_877.0, 288_877.0)}


@pytest.mark.parametrize("table_name", ["annual_cohort", "between_tables", "between_breakdowns"])
def test_what_is_stated_twice_agrees(demo: Query, table_name: str) -> None:
    [(figures, off)] = demo(
        "SELECT count(*), count(*) FILTER (WHERE NOT within_tolerance) FROM meta.back_test WHERE table_name = ?",
        table_name,
    )
    assert int(str(figures)) > 100
    assert off == 0


def test_real_authority_figures_of_the_samples(demo: Query) -> None:
    rows = demo(
        """
        SELECT area_name, offenders, reoffenders, round(rate_percent, 1) FROM mart.reoffending_trend
        WHERE area_code IN ('E09000022', 'E12000007') AND measure = ? AND span = 'year' AND age_group = 'adult'
            AND cohort_end = '2021-03-31' ORDER BY area_code
        """,
        NEW,
    )
    assert rows == [("Lambeth", 2006, 517, 25.8), ("London", 43_156, 10_242, 23.7)]


def test_every_place_is_known(demo: Query) -> None:
    assert demo("SELECT count(*), sum(rows_quarantined) FROM meta.file WHERE NOT accepted OR rows_quarantined > 0") == [
        (0, None)
    ]


def test_authorities_are_those_of_the_year(demo: Query) -> None:
    """173 to March 2021, 174 to March 2023, 175 since."""
    rows = demo(
        """
        SELECT CAST(year(cohort_end) AS INTEGER), count(*) FILTER (WHERE area_code NOT LIKE 'x-%')
        FROM mart.reoffending_rank
        WHERE level = 'upper_tier' AND span = 'year' AND age_group = 'adult' AND cohort_end > '2019-04-01'
        GROUP BY 1 ORDER BY 1
        """
    )
    assert rows == [(2020, 173), (2021, 173), (2022, 174), (2023, 174), (2024, 175)]
