"""Changes and rates against P2 and P3 as openpyxl reads them: an eye that shares nothing with our reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from tests.sql.conftest import Query
from tests.sql.published import FORCE_TABLES

pytestmark = pytest.mark.real

PERIOD_ENDS = dict(
    zip(FORCE_TABLES, ("2018-03-31", "2018-06-30", "2018-09-30", "2019-03-31", "2019-09-30"), strict=True)
)


def _printed_totals(path: Path, table: str, column: int) -> Iterator[tuple[str, float]]:
    """(area code, printed total) of one table: the total stands in the same column of all five editions."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    sheet = book[next(name for name in book.sheetnames if name.strip() == f"Table {table}")]
    for row in sheet.iter_rows(min_row=7, values_only=True):
        code = re.match(r"[EWK]\d{8}", str(row[0] or ""))
        if code and isinstance(row[column], (int, float)):
            yield code.group(), float(row[column])
    book.close()


@pytest.mark.parametrize("title", FORCE_TABLES)
@pytest.mark.parametrize(("table", "column", "ours"), [("P2", 2, "change_percent"), ("P3", 5, "rate_per_1000")])
def test_printed_totals(
    force_tables: Query, publications: Path, title: str, table: str, column: int, ours: str
) -> None:
    path = publications / "ons-police-force-area-tables" / FORCE_TABLES[title][1]
    printed = dict(_printed_totals(path, table, column))
    assert len(printed) >= 53
    rows = force_tables(
        f"SELECT area_code, {ours} FROM mart.crime_trend "
        "WHERE offence_id = 'total_excluding_fraud' AND period_end = $1",
        PERIOD_ENDS[title],
    )
    derived = dict(rows)
    off = {code: (derived[code], value) for code, value in printed.items() if derived[code] is None}
    assert off == {}
    assert {code: derived[code] for code in printed} == pytest.approx(printed, abs=5.1e-10)
