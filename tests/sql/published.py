"""The published files of ../shared/publications, as an operator would land them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from etl.landing import land

FORCE_TABLES = {
    "Year ending March 2018": ("2018-07-19", "policeforceareatablesyearendingmarch2018v2.xlsx"),
    "Year ending June 2018": ("2019-02-06", "policeforceareadatatablesyearendingjune2018corrected.xlsx"),
    "Year ending September 2018": ("2019-02-06", "policeforceareatablesyearendingsep18corrected.xlsx"),
    "Year ending March 2019": ("2019-07-18", "policeforceareatablesyeendingmarch2019.xlsx"),
    "Year ending September 2019": ("2020-01-23", "policeforceareatablesyearendingseptember2019.xlsx"),
}


def land_force_tables(home: Path, publications: Path, titles: Iterable[str] = FORCE_TABLES) -> None:
    """The five ONS editions of 2018 and 2019, in the order given."""
    folder = publications / "ons-police-force-area-tables"
    for title in titles:
        day, name = FORCE_TABLES[title]
        land(home, source="recorded_crime_ons", title=title, published=day, files=[folder / name])


def land_other_crime(home: Path, publications: Path) -> None:
    """Table C2, the rolling-year file and the Home Office open data."""
    c2 = publications / "ons-police-force-area-tables" / "policeforceareatablesyejune25final--table-c2.csv"
    land(home, source="recorded_crime_ons", title="Year ending June 2025", published="2025-10-23", files=[c2])
    rolling = publications / "ons-rolling-year-crime" / "rec-crime-pfa.csv"
    land(home, source="recorded_crime_ons", title="Rolling years", published="2019-04-25", files=[rolling])
    open_data = publications / "home-office-open-data" / "prc-pfa-mar2013-onwards-tables201718.csv"
    land(
        home, source="recorded_crime_home_office", title="Open data 2017/18", published="2018-07-19", files=[open_data]
    )


def land_population(home: Path, publications: Path) -> None:
    """Both mid-year files."""
    folder = publications / "ons-population"
    all_years = folder / "ukpopestimatesmid2020on2021geography.xls"
    land(home, source="population", title="Mid-2020", published="2021-06-25", files=[all_years])
    land(home, source="population", title="Mid-2024", published="2025-07-30", files=[folder / "mye24tablesew.csv"])


def land_geography(home: Path, publications: Path) -> None:
    """Every lookup, code history and list of changes that the source reads."""
    folder = publications / "ons-geography"
    lookups = sorted([*folder.glob("LAD*_LU.csv"), *folder.glob("lookup_ltla*.csv")])
    land(home, source="geography", title="Lookups", published="2024-08-01", files=lookups)
    changes = [folder / "lad_code_changes.csv", folder / "all_lad_codes_dates.csv", folder / "CSP19_names.csv"]
    land(home, source="geography", title="Code changes", published="2023-09-01", files=changes)
    history = sorted((folder / "code-history-database-2024-07").glob("*.json"))
    land(home, source="geography", title="Code History Database", published="2024-07-31", files=history)
