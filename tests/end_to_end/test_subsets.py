"""Any subset of the sources may be landed: what is missing is said, and the rest is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.end_to_end.builders import (
    KENT,
    Edition,
    force_tables,
    geography,
    open_data,
    partnership_table,
    partnerships,
    population,
    rolling_year,
)
from tests.faults.commands import DONE, KEPT_OUT, Commands

Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def publish(commands: Commands, tmp_path: Path) -> Callable[..., Ask]:
    """Lands editions, builds and publishes them; gives queries on what is published then."""

    def publish_editions(*editions: Edition, status: int = DONE) -> Ask:
        home = tmp_path / "home"
        outcome = commands.run(home, *(edition.command for edition in editions), ["publish"])
        assert outcome.status == status, outcome.text

        def ask(query: str) -> list[tuple[Any, ...]]:
            with duckdb.connect(str((home / "current" / "warehouse.duckdb").resolve()), read_only=True) as connection:
                return connection.execute(query).fetchall()

        return ask

    return publish_editions


TOTALS = """
    SELECT area_name, offences, rate_per_1000, rate_reason, reason
    FROM mart.crime_trend
    WHERE offence_id = 'total_excluding_fraud' AND span = 'year'
    ORDER BY area_name
"""


def test_without_population_rates_are_null(publish: Callable[..., Ask], tmp_path: Path) -> None:
    ask = publish(force_tables(tmp_path), geography(tmp_path))
    assert ask(TOTALS) == [
        ("Kent", 171_508, None, "population_missing", "no_previous"),
        ("West Midlands", 212_841, None, "population_missing", "no_previous"),
    ]
    assert ask("SELECT count(*) FROM mart.crime_trend WHERE rate_low_per_1000 IS NOT NULL OR population > 0") == [(0,)]
    assert ask("SELECT count(*) FROM ref.population") == [(0,)]


def test_without_geography_forces_still_have_names_and_rates(publish: Callable[..., Ask], tmp_path: Path) -> None:
    ask = publish(force_tables(tmp_path), population(tmp_path))
    kent, west_midlands = ask(TOTALS)
    assert kent[:2] == ("Kent", 171_508)
    assert kent[2] == pytest.approx(1000 * 171_508 / 1_832_287)
    assert kent[3] is None
    assert west_midlands[:2] == ("West Midlands", 212_841)


def test_without_geography_partnerships_go_by_their_codes(publish: Callable[..., Ask], tmp_path: Path) -> None:
    ask = publish(partnership_table(tmp_path), open_data(tmp_path))
    assert ask("""
        SELECT area_code, area_name, level, offences
        FROM mart.crime_trend
        WHERE offence_id = 'total_excluding_fraud' AND area_code LIKE 'E22%'
    """) == [("E22000140", "Ashford", "csp", 10_021)]


def test_without_geography_partnerships_without_codes_are_kept_out(publish: Callable[..., Ask], tmp_path: Path) -> None:
    ask = publish(partnerships(tmp_path), open_data(tmp_path), status=KEPT_OUT)
    assert ask("SELECT filename, rows_quarantined FROM meta.file ORDER BY filename") == [
        ("csp.csv", 2),
        ("open-data.csv", 0),
    ]
    assert ask("SELECT count(*) FROM core.recorded_crime WHERE area_code = 'E23000032'")[0][0] > 0


def test_only_a_rolling_year_file(publish: Callable[..., Ask], tmp_path: Path) -> None:
    rows = [
        ["31/03/2017", "Kent", "South East", "Robbery", "1,000 "],
        ["31/03/2018", "Kent", "South East", "Robbery", "1,204 "],
        ["31/03/2018", "City of London", "London", "Robbery", "60"],
    ]
    ask = publish(rolling_year(tmp_path, 1, *rows))
    assert ask("""
        SELECT area_code, area_name, offences, change, change_percent, previous_source, reason
        FROM mart.crime_trend
        WHERE offence_id = 'robbery' AND span = 'year' AND period_end = DATE '2018-03-31' AND level = 'police_force'
        ORDER BY area_name
    """) == [
        (*KENT, 1204, 204, pytest.approx(20.4), "same_release", "population_missing"),
        ("E23000034", "London, City of", 60, None, None, None, "no_previous"),
    ]
    # What the publisher does not print is added up, and says so.
    assert ask("""
        SELECT area_code, offences FROM mart.crime_trend
        WHERE is_derived AND offence_id = 'total_excluding_fraud' AND period_end = DATE '2017-03-31'
            AND area_code IN ('E23000032', 'E12000008')
        ORDER BY area_code
    """) == [("E12000008", 1000), ("E23000032", 1000)]


def test_only_home_office(publish: Callable[..., Ask], tmp_path: Path) -> None:
    ask = publish(open_data(tmp_path))
    assert ask("""
        SELECT span, period_end, offences, is_derived FROM mart.crime_trend
        WHERE area_code = 'E23000032' AND offence_id = 'homicide'
        ORDER BY span, period_end
    """)[-2:] == ask("""
        SELECT 'quarter', DATE '2018-03-31', 3, FALSE UNION ALL SELECT 'year', DATE '2018-03-31', 12, TRUE
    """)


def test_only_geography(publish: Callable[..., Ask], tmp_path: Path) -> None:
    ask = publish(geography(tmp_path))
    assert ask("SELECT count(*) FROM mart.crime_trend") == [(0,)]
    assert ask("""
        SELECT parent_code FROM ref.area_parent
        WHERE area_code = 'E22000335' AND parent_level = 'police_force' AND vintage = 2024
    """) == [("E23000014",)]
    assert ask("SELECT source, accepted FROM meta.file INNER JOIN meta.release USING (release_id)") == [
        ("geography", True)
    ]


def test_only_population(publish: Callable[..., Ask], tmp_path: Path) -> None:
    ask = publish(population(tmp_path))
    assert ask("SELECT count(*) FROM mart.crime_trend") == [(0,)]
    assert ask("SELECT mid_year, population FROM ref.population WHERE area_code = 'E23000032'") == [(2016, 1_832_287)]
