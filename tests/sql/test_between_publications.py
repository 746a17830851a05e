"""How far publications differ on one figure: facts/publisher_exceptions.md, "Between publications"."""

from __future__ import annotations

import pytest

from tests.sql.conftest import Query

pytestmark = pytest.mark.real

DIFFERENCES = """
    WITH figure AS (
        SELECT release_id, table_id, area_code, offence_id, span, period_end, offences FROM core.recorded_crime
        UNION ALL
        SELECT release_id, table_id, area_code, offence_id, span, period_end, offences FROM core.recorded_crime_total
    )
    SELECT area.area_name, one.offences - other.offences AS difference
    FROM figure AS one
    INNER JOIN figure AS other
        ON other.area_code = one.area_code AND other.offence_id = one.offence_id AND other.span = one.span
        AND other.period_end = one.period_end
    INNER JOIN ref.area AS area ON area.area_code = one.area_code
    WHERE one.table_id = $1 AND other.table_id = $2 AND one.period_end = CAST($3 AS DATE)
        AND one.offence_id = 'total_excluding_fraud' AND one.span = 'year'
        AND (one.area_code LIKE 'E23%' OR one.area_code LIKE 'W15%' OR one.area_code = 'x-british-transport-police')
"""


@pytest.mark.parametrize(
    ("one", "other", "period_end", "forces", "net"),
    [
        ("rolling_year", "P1", "2018-03-31", 15, 2_021),
        ("rolling_year", "P1", "2018-06-30", 17, -1_010),
        ("rolling_year", "P1", "2018-09-30", 8, 148),
        ("force", "rolling_year", "2018-03-31", 6, 2_740),
        ("force", "P1", "2018-03-31", 20, 4_761),
    ],
)
def test_forces_that_differ(whole: Query, one: str, other: str, period_end: str, forces: int, net: int) -> None:
    rows = whole(DIFFERENCES, one, other, period_end)
    differences = [int(str(difference)) for _, difference in rows]
    assert len(rows) == 44
    assert sum(difference != 0 for difference in differences) == forces
    assert sum(differences) == net


def test_named_differences_of_the_home_office(whole: Query) -> None:
    rows = whole(DIFFERENCES, "force", "rolling_year", "2018-03-31")
    assert {str(name): difference for name, difference in rows if difference} == {
        "British Transport Police": -194,
        "North Wales": 20,
        "Cheshire": 41,
        "Derbyshire": 200,
        "Sussex": 840,
        "Leicestershire": 1_833,
    }
