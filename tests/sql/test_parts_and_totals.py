"""Parts make up totals, in what ONS prints too: P1 has no exception (facts/publisher_exceptions.md)."""

from __future__ import annotations

import pytest

from tests.sql.conftest import Query

pytestmark = pytest.mark.real


def test_groups_make_up_the_total_in_every_edition(force_tables: Query) -> None:
    rows = force_tables(
        """
        WITH grouped AS (
            SELECT crime.release_id, crime.area_code, sum(crime.offences) AS offences
            FROM core.recorded_crime AS crime
            INNER JOIN ref.offence AS offence ON offence.offence_id = crime.offence_id AND offence.level = 'group'
            GROUP BY crime.release_id, crime.area_code
        )
        SELECT count(*), count(*) FILTER (WHERE total.offences = grouped.offences)
        FROM grouped
        INNER JOIN core.recorded_crime AS total
            ON total.release_id = grouped.release_id AND total.area_code = grouped.area_code
            AND total.offence_id = 'total_excluding_fraud'
        WHERE total.offences IS NOT NULL
        """
    )
    # 43 forces, 9 regions, 3 countries and British Transport Police in five editions, less Greater Manchester once.
    assert rows == [(5 * 56 - 1, 5 * 56 - 1)]


def test_members_make_up_regions_and_countries_in_every_edition(force_tables: Query) -> None:
    rows = force_tables(
        """
        WITH summed AS (
            SELECT crime.release_id, member.aggregate_code, crime.offence_id, sum(crime.offences) AS offences
            FROM core.recorded_crime AS crime
            INNER JOIN ref.area_member AS member ON member.member_code = crime.area_code
            GROUP BY crime.release_id, member.aggregate_code, crime.offence_id
        )
        SELECT count(*), count(*) FILTER (WHERE total.offences = summed.offences)
        FROM summed
        INNER JOIN core.recorded_crime AS total
            ON total.release_id = summed.release_id AND total.area_code = summed.aggregate_code
            AND total.offence_id = summed.offence_id
        """
    )
    assert rows == [(5 * 12 * 23, 5 * 12 * 23)]


def test_a_figure_without_value_has_a_marker_and_never_zero(whole: Query) -> None:
    rows = whole(
        """
        SELECT count(*) FILTER (WHERE offences IS NULL AND offences_marker IS NULL),
            count(*) FILTER (WHERE offences_marker = '[unreadable]')
        FROM core.recorded_crime
        """
    )
    assert rows == [(0, 0)]


def test_every_figure_leads_to_its_cell(whole: Query) -> None:
    rows = whole(
        """
        SELECT count(*) FROM core.recorded_crime_cell
        WHERE NOT regexp_full_match(cell, '[0-9a-f]{12}![^!]+![A-Z]+[1-9][0-9]*')
        """
    )
    assert rows == [(0,)]
