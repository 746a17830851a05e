"""A home that holds five million tidy figures of recorded crime, with the geography and population they need.

Areas, populations and lookups are those of the samples. The counts are made up. Each release is a landed
placeholder whose tidy Parquet is written as its reader would have left it, so that only the build is measured.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.generate import Offence, list_offences
from etl.archives import MODELLED_MARK
from etl.cells import name_key, parse_financial_quarter
from etl.landing import Record, claim_home, land
from etl.reading import tidy_path, tidy_schema
from samples.make import make_samples
from samples.tables import read_figures

SOURCE = "recorded_crime_home_office"
TIDY_TABLE = "recorded_crime"
EDITIONS = {"2024": 2010, "2025": 2011}
"""The year in which an edition is published, and the first financial year that it states."""
YEARS = 14
OFFENCES = 126
QUARTERS = (1, 2, 3, 4)


def make_home(home: Path, areas: int | None = None) -> int:
    """Land the reference files of the samples and two editions of figures by partnership and by force.

    Args:
        home: the folder to make it in.
        areas: how many partnerships and forces; all when None.

    Returns:
        The rows of figures.
    """
    land_reference(home)
    places = {"csp": list_places("csp24_code"), "police_force": list_forces()}
    rows = 0
    for published, first_year in EDITIONS.items():
        for level, codes in places.items():
            record = _land_placeholder(home, published, level)
            rows += _write_figures(home, record, level, dict(list(codes.items())[:areas]), first_year)
    return rows


def land_reference(home: Path) -> None:
    """Make a demo home with the geography and population of the samples."""
    claim_home(home, "demo")
    for sample in make_samples(home / "samples"):
        if sample.source in ("geography", "population"):
            land(home, source=sample.source, title=sample.title, published=sample.published_on, files=[sample.path])


def list_places(column: str) -> dict[str, str]:
    """Codes and names of the partnerships or forces of 2024."""
    names = {line["area_code"]: line["name"] for line in read_figures("area_names")}
    codes = sorted({line[column] for line in read_figures("lookup_ltla24_csp24_pfa24")})
    return {code: names[code] for code in codes}


def list_forces() -> dict[str, str]:
    """Codes and names of those whose figures a table by force prints: without one of them it is kept out."""
    return list_places("pfa24_code") | {"x-british-transport-police": "British Transport Police"}


def _land_placeholder(home: Path, published: str, level: str) -> Record:
    path = home / f"open-data-{level}-{published}.csv"
    path.write_text(f"{MODELLED_MARK}: placeholder of a benchmark, {level}, {published}\n", encoding="utf-8")
    title = f"Benchmark by {level}, year ending March {published}"
    return land(home, source=SOURCE, title=title, published=f"{published}-07-24", files=[path])[0].record


def _write_figures(home: Path, record: Record, level: str, places: dict[str, str], first_year: int) -> int:
    """Write the tidy Parquet of one placeholder, a financial year at a time."""
    path = tidy_path(home, record, TIDY_TABLE)
    path.parent.mkdir(parents=True, exist_ok=True)
    offences = list_offences(OFFENCES)
    rows = 0
    with pq.ParquetWriter(path, tidy_schema(TIDY_TABLE), compression="zstd", compression_level=1) as writer:
        for year in range(first_year, first_year + YEARS):
            table = make_year(year, level, places, offences)
            writer.write_table(table)
            rows += table.num_rows
    return rows


def make_year(year: int, level: str, places: dict[str, str], offences: list[Offence]) -> pa.Table:
    """One year of one level: every place, every offence, every quarter."""
    shape = (len(QUARTERS), len(places), len(offences))
    quarter, place, offence = (axis.ravel() for axis in np.indices(shape))
    length = quarter.size
    label = f"{year}/{(year + 1) % 100:02}"
    periods = [period for number in QUARTERS if (period := parse_financial_quarter(label, str(number)))]
    starts, ends = [p.start for p in periods], [p.end for p in periods]
    names = list(places.values())
    spread = (place * 7_919 + offence * 104_729 + (year * 4 + quarter) * 1_299_709) % 1_009
    counts = spread * (1 + place % 5) // (1 + (offence * offence) % 97)
    codes = [o.offence_id for o in offences]
    columns = {
        "table_id": _repeat("csp" if level == "csp" else "force", length),
        "measure": _repeat("offences", length),
        "level": _repeat(level, length),
        "area_code": _pick(list(places), place),
        "area_name": _pick(names, place),
        "area_key": _pick([name_key(name) for name in names], place),
        "parent_name": pa.nulls(length, pa.string()),
        "offence_id": _pick(codes, offence),
        "span": _repeat("quarter", length),
        "period_start": _pick(starts, quarter),
        "period_end": _pick(ends, quarter),
        "value": pa.array(counts.astype(np.float64)),
        "marker": pa.nulls(length, pa.string()),
        "sheet": _repeat(label.replace("/", "_"), length),
        "row": pa.array(np.arange(2, length + 2, dtype=np.int32)),
        "column": _repeat("I", length),
    }
    return pa.table([columns[name] for name in tidy_schema(TIDY_TABLE).names], schema=tidy_schema(TIDY_TABLE))


def _repeat(text: str, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), length)


def _pick(values: list[str] | list[date], indices: np.ndarray) -> pa.Array:
    return pa.array(values).take(pa.array(indices))
