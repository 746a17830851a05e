"""Makes the modelled samples that `make demo` lands: published layouts, real totals, the rest apportioned.

`python -m samples.make <folder>` writes them and lists them. The same bytes come out on every run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from samples.force_tables import write_force_tables
from samples.local_adult import LOCAL_ADULT_PLANS
from samples.open_data import write_open_data_by_force, write_rolling_years
from samples.partnership_tables import write_open_data_by_partnership, write_partnership_tables
from samples.reference import (
    write_lookup,
    write_population_by_nomis,
    write_population_of_2024,
    write_population_of_all_years,
)
from samples.reoffending import REOFFENDING_PLANS
from samples.tables import figure_columns


@dataclass(frozen=True)
class Sample:
    """A modelled file and how to land it.

    Attributes:
        path: where it was written.
        source: the declared source that it belongs to.
        title: the title of its edition, like the real one's.
        published_on: when the real edition came out (ISO date); those of lookups are only about right.
        description: what is real and what is modelled.
        attachment: the title of the file on the page of its edition, where that holds several files.
    """

    path: Path
    source: str
    title: str
    published_on: str
    description: str
    attachment: str = ""


@dataclass(frozen=True)
class _Plan:
    filename: str
    source: str
    title: str
    published_on: str
    description: str
    write: Callable[[Path], None]
    attachment: str = ""


_FORCE_TABLES = "counts, implied bases and populations of forces are real; changes, rates and regions follow from them"
_CODES = "codes and names are real"
_LOCAL_ADULT_TABLES = "Local adult reoffending tables"


def _lookup(service: str, published_on: str, figures: str) -> _Plan:
    """A lookup service of ONS Open Geography; its name lists the levels that it joins, `LAD24_CSP24_…_EW_LU`."""
    columns = {
        f"{level}{kind}": code
        for level, code in zip(service.split("_")[:-2], figure_columns(figures), strict=True)
        for kind in ("CD", "NM")
    }
    write = partial(write_lookup, figures=figures, columns=columns)
    return _Plan(f"{service}-0.json", "geography", service, published_on, _CODES, write)


_PLANS = (
    _Plan(
        "policeforceareatablesyearendingmarch2018v2.xlsx",
        "recorded_crime_ons",
        "Year ending March 2018",
        "2018-07-19",
        _FORCE_TABLES,
        partial(write_force_tables, period_end="2018-03-31", mid_year="2016"),
    ),
    _Plan(
        "policeforceareatablesyeendingmarch2019.xlsx",
        "recorded_crime_ons",
        "Year ending March 2019",
        "2019-07-18",
        _FORCE_TABLES,
        partial(write_force_tables, period_end="2019-03-31", mid_year="2017"),
    ),
    _Plan(
        "policeforceareatablesyearendingseptember2019.xlsx",
        "recorded_crime_ons",
        "Year ending September 2019",
        "2020-01-23",
        f"{_FORCE_TABLES}; Greater Manchester is missing, as published",
        partial(write_force_tables, period_end="2019-09-30", mid_year="2018"),
    ),
    _Plan(
        "policeforceareatablesyejune25final.xlsx",
        "recorded_crime_ons",
        "Year ending June 2025",
        "2025-10-23",
        "counts of forces are real, those of Community Safety Partnerships apportioned by residents",
        write_partnership_tables,
    ),
    _Plan(
        "rec-crime-pfa.csv",
        "recorded_crime_ons",
        "Rolling years to December 2018",
        "2019-04-25",
        "totals and fraud of forces and all of the West Midlands are real, other offences apportioned",
        write_rolling_years,
    ),
    _Plan(
        "prc-pfa-mar2013-onwards-tables.ods",
        "recorded_crime_home_office",
        "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards",
        "2018-07-19",
        "quarterly subgroups of forces are real, offence codes apportioned",
        write_open_data_by_force,
    ),
    _Plan(
        "prc-csp-mar21-onwards-tables.ods",
        "recorded_crime_home_office",
        "Police recorded crime Community Safety Partnership open data, "
        "year ending March 2021 to year ending March 2025",
        "2025-07-24",
        "wholly modelled: totals of three forces in the year ending June 2025 stand for 2024/25",
        write_open_data_by_partnership,
    ),
    _Plan(
        "ukpopestimatesmid2020on2021geography.xlsx",
        "population",
        "Mid-2020 population estimates",
        "2021-06-25",
        "populations are real",
        write_population_of_all_years,
    ),
    _Plan(
        "mye24tablesew.csv",
        "population",
        "Mid-2024 population estimates",
        "2025-07-30",
        "populations are real, single years of age apportioned",
        write_population_of_2024,
    ),
    _Plan(
        "NM_2002_1-0.csv",
        "population",
        "Mid-year estimates of local authorities (Nomis NM_2002_1)",
        "2025-07-30",
        "populations are real",
        write_population_by_nomis,
    ),
    _lookup("LAD19_CSP19_PFA19_EW_LU", "2020-01-31", "lookup_lad19_csp19_pfa19"),
    _lookup("LTLA23_UTLA23_EW_LU", "2023-06-30", "lookup_ltla23_utla23"),
    _lookup("LAD24_RGN24_EN_LU", "2024-06-28", "lookup_ltla24_region24"),
    _lookup("LAD24_CSP24_PFA24_EW_LU", "2025-01-31", "lookup_ltla24_csp24_pfa24"),
    *(
        _Plan(filename, "proven_reoffending", title, published_on, description, write, attachment)
        for filename, title, attachment, published_on, description, write in REOFFENDING_PLANS
    ),
    *(
        _Plan(filename, "local_adult_reoffending", title, published_on, description, write, _LOCAL_ADULT_TABLES)
        for filename, title, published_on, description, write in LOCAL_ADULT_PLANS
    ),
)


def make_samples(folder: Path) -> list[Sample]:
    """Write all samples into a folder, which is made if need be.

    Returns:
        The samples in the order of their publication.
    """
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for plan in sorted(_PLANS, key=lambda plan: (plan.published_on, plan.filename)):
        path = folder / plan.filename
        plan.write(path)
        samples.append(Sample(path, plan.source, plan.title, plan.published_on, plan.description, plan.attachment))
    return samples


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m samples.make <folder>")
    for sample in make_samples(Path(sys.argv[1])):
        print(f"{sample.path}  {sample.source}  {sample.title}  {sample.published_on}: {sample.description}")
