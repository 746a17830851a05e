"""The published files that are damaged, and how an operator lands a correction of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A published file.

    Attributes:
        heading: what the table in docs/methods.md calls it.
        source: whose it is.
        title: the edition that it belongs to.
        path: where it lies below the published files.
        corrected_on: when a correction of it came out, after all else of its edition.
    """

    heading: str
    source: str
    title: str
    path: str
    corrected_on: str


ROLLING_YEARS = "Rolling years"
_FORCE_TABLES = "ons-police-force-area-tables"

FILES = {
    "workbook": Published(
        heading="force tables of March 2019 (xlsx)",
        source="recorded_crime_ons",
        title="Year ending March 2019",
        path=f"{_FORCE_TABLES}/policeforceareatablesyeendingmarch2019.xlsx",
        corrected_on="2019-08-15",
    ),
    "partnerships": Published(
        heading="Table C2 (csv)",
        source="recorded_crime_ons",
        title="Year ending June 2025",
        path=f"{_FORCE_TABLES}/policeforceareatablesyejune25final--table-c2.csv",
        corrected_on="2025-11-20",
    ),
    "rolling": Published(
        heading="rolling years (csv)",
        source="recorded_crime_ons",
        title=ROLLING_YEARS,
        path="ons-rolling-year-crime/rec-crime-pfa.csv",
        corrected_on="2019-05-30",
    ),
    "open_data": Published(
        heading="open data 2017/18 (csv)",
        source="recorded_crime_home_office",
        title="Open data 2017/18",
        path="home-office-open-data/prc-pfa-mar2013-onwards-tables201718.csv",
        corrected_on="2018-08-16",
    ),
    "population": Published(
        heading="population mid-2024 (csv)",
        source="population",
        title="Mid-2024",
        path="ons-population/mye24tablesew.csv",
        corrected_on="2025-09-25",
    ),
    "lookup": Published(
        heading="lookup of 2017 (csv)",
        source="geography",
        title="Lookups",
        path="ons-geography/LAD17_CSP17_PFA17_EW_LU.csv",
        corrected_on="2024-09-02",
    ),
}
