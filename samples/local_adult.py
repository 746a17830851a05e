"""Local adult reoffending in two layouts. No published table was at hand: every figure of it is modelled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import sqrt
from pathlib import Path

from etl.archives import MODELLED_MARK
from samples.tables import apportion, read_figures
from samples.writing import Cell, write_ods, write_xlsx

MODELLED = f"{MODELLED_MARK}: every figure is made up and says nothing of any authority; not published figures"

UNKNOWN_PER_MILLE = 25
"""Offenders whose authority is not known, as thousandths of the caseload."""

_SIGNIFICANT = 1.96
_EVEN = 255 / 2
_DEVIATION = sqrt((256**2 - 1) / 12)
"""Mean and standard deviation of a byte."""


@dataclass(frozen=True)
class _Row:
    """A modelled row; rates are in hundredths of a percent, so that they print alike on every machine."""

    name: str
    region: str
    probation_trust: str
    offenders: int
    actual: int
    predicted: int

    @property
    def difference_percent(self) -> float:
        """Actual less predicted rate, in percent of the predicted one."""
        return 100 * (self.actual - self.predicted) / self.predicted

    @property
    def is_significant(self) -> bool:
        """Whether the difference is beyond chance, as if the snapshots shared nobody."""
        actual, predicted = self.actual / 10_000, self.predicted / 10_000
        return abs(actual - predicted) > _SIGNIFICANT * sqrt(predicted * (1 - predicted) / self.offenders)


def _bytes(*seed: str) -> bytes:
    return hashlib.sha256("|".join(seed).encode()).digest()


def _draw(*seed: str) -> float:
    """A number like one from a standard normal distribution; the same for the same seed, on any machine."""
    return (sum(_bytes(*seed)) - 32 * _EVEN) / (_DEVIATION * sqrt(32))


def _model(period: str, caseload: int) -> list[_Row]:
    """One row an authority, and last one of what has none.

    The caseload is apportioned by residents. A predicted rate lies between 5 and 9%; the actual one differs from it
    by chance and by a spread of 6% of it.
    """
    areas = read_figures("local_adult_authorities")
    unknown = {"name": "Unknown", "region": "Unknown", "probation_trust": "Unknown"}
    residents = [int(area["residents"]) for area in areas]
    weights = [each * (1000 - UNKNOWN_PER_MILLE) for each in residents] + [sum(residents) * UNKNOWN_PER_MILLE]
    rows = []
    for area, offenders in zip([*areas, unknown], apportion(caseload, weights), strict=True):
        predicted = 540 + int.from_bytes(_bytes("level", area["name"])[:2], "big") * 320 // 65_536
        predicted += _bytes("drift", area["name"], period)[0] * 41 // 256 - 20
        chance = sqrt((10_000 - predicted) / (predicted * offenders))
        difference = chance * _draw("chance", area["name"], period) + 0.06 * _draw("spread", area["name"])
        reoffenders = max(0, round(offenders * predicted * (1 + difference) / 10_000))
        actual = round(10_000 * reoffenders / offenders)
        rows.append(_Row(area["name"], area["region"], area["probation_trust"], offenders, actual, predicted))
    return rows


def _sum_rows(name: str, region: str, rows: Iterable[_Row]) -> _Row:
    """The row of a whole: its rates are those of its parts, weighted by their offenders."""
    parts = list(rows)
    offenders = sum(part.offenders for part in parts)
    actual = round(sum(part.offenders * part.actual for part in parts) / offenders)
    predicted = round(sum(part.offenders * part.predicted for part in parts) / offenders)
    return _Row(name, region, "", offenders, actual, predicted)


def write_by_authority(path: Path, period: str, caseload: int) -> None:
    """Write a workbook with a sheet by region and one by authority: fractions that a workbook shows as percentages.

    Args:
        path: the xlsx file.
        period: as the title prints it, such as `1 October 2011 - 30 September 2012`.
        caseload: offenders of the four snapshots.
    """
    rows = _model(period, caseload)
    names = sorted({row.region for row in rows[:-1]})
    regions = [_sum_rows(name, name, (row for row in rows if row.region == name)) for name in names]
    whole = _sum_rows("England and Wales", "", rows)
    title = f"Local adult reoffending, {period}, England and Wales"
    contents: list[list[Cell]] = [
        ["Local adult reoffending"],
        [MODELLED],
        [period],
        ["Table 1: by region"],
        ["Table 2: by local authority"],
        ["The Ministry of Justice publishes the real one."],
    ]
    sheets = {
        "Contents": contents,
        "Table 1": _fraction_sheet(f"Table 1: {title}, by region", ["Region"], [*regions, whole]),
        "Table 2": _fraction_sheet(f"Table 2: {title}, by local authority", ["Local authority", "Region"], rows),
    }
    write_xlsx(path, title, sheets)


def _fraction_sheet(title: str, areas: list[str], rows: list[_Row]) -> list[list[Cell]]:
    """Area, cohort size, rates as fractions, and whether they differ significantly; the header in row 4."""
    header: list[Cell] = [
        *areas,
        "Cohort size (combining four quarters of probation caseload data)1",
        "Actual rate of reoffending",
        "Predicted rate of reoffending",
        "Statistically significant difference2",
    ]
    body: list[list[Cell]] = [
        [
            *(row.name, row.region)[: len(areas)],
            row.offenders,
            row.actual / 10_000,
            row.predicted / 10_000,
            "Yes" if row.is_significant else "No",
        ]
        for row in rows
    ]
    notes: list[list[Cell]] = [
        ["1 A person can stand in all four snapshots of the caseload."],
        ["2 At the 95% level, as if the snapshots shared nobody."],
    ]
    return [[title], [MODELLED], [None], header, *body, *notes]


def write_by_trust(path: Path, year_ending: str, caseload: int) -> None:
    """Write a workbook whose rows stand by probation trust: rates are text with a `%`, names carry footnotes.

    Args:
        path: the ods file.
        year_ending: as the title prints it, such as `30 June 2013`.
        caseload: offenders of the four snapshots.
    """
    rows = _model(year_ending, caseload)
    title = f"Local adult reoffending by local authority and probation trust, year ending {year_ending}"
    header: list[Cell] = [
        "Probation trust",
        "Upper tier local authority",
        "Predicted reoffending rate (%)",
        "Actual reoffending rate (%)",
        "% difference between actual and predicted rate",
        "Number of offenders (caseload)",
    ]
    body: list[list[Cell]] = [
        _text_row(row) for row in sorted(rows[:-1], key=lambda row: (row.probation_trust, row.name))
    ]
    body += [_text_row(rows[-1]), _text_row(_sum_rows("England and Wales", "", rows))]
    notes: list[list[Cell]] = [
        ["Notes"],
        ["1. Offenders on the caseload at the end of each quarter."],
        ["2. Fewer than 30 offenders; the rate says little."],
    ]
    table: list[list[Cell]] = [[title], [MODELLED], [None], [None], header, *body, [None], *notes]
    cover: list[list[Cell]] = [[title], [MODELLED], ["The Ministry of Justice publishes the real one."]]
    write_ods(path, title, {"Cover": cover, "LA by trust": table})


def _text_row(row: _Row) -> list[Cell]:
    """A row as text; the name of an authority with few offenders carries a footnote, one with very few no rate."""
    name = f"{row.name} (2)" if row.offenders < 100 else row.name
    if row.offenders < 30:
        return [row.probation_trust or None, name, "*", "*", "..", f"{row.offenders}"]
    return [
        row.probation_trust or None,
        name,
        f"{row.predicted // 100}.{row.predicted % 100:02d}%",
        f"{row.actual // 100}.{row.actual % 100:02d}%",
        f"{row.difference_percent:.1f}%",
        f"{row.offenders:,}",
    ]


_DESCRIPTION = "wholly modelled: made-up caseloads and rates of the authorities of 2012"

LOCAL_ADULT_PLANS: tuple[tuple[str, str, str, str, Callable[[Path], None]], ...] = (
    (
        "local-adult-reoffending-tables-october-2011-september-2012.xlsx",
        "Local adult reoffending: 1 October 2011 - 30 September 2012",
        "2013-05-21",
        _DESCRIPTION,
        partial(write_by_authority, period="1 October 2011 - 30 September 2012", caseload=630_000),
    ),
    (
        "local-adult-reoffending-tables-july-2012-june-2013.ods",
        "Local adult reoffending - 1 July 2012 - 30 June 2013",
        "2013-11-19",
        _DESCRIPTION,
        partial(write_by_trust, year_ending="30 June 2013", caseload=610_000),
    ),
    (
        "local-adult-reoffending-tables-january-2013-december-2013.xlsx",
        "Local adult reoffending: January 2013 to December 2013",
        "2014-05-20",
        _DESCRIPTION,
        partial(write_by_authority, period="January 2013 to December 2013", caseload=600_000),
    ),
)
"""File name, title of the edition, day of publication, what is modelled, and what writes the file."""
