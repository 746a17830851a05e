"""The real recorded crime files, landed and read: golden figures of the facts, cell by cell."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from etl.reading import TidyFile, read_landed
from etl.settings import project_root
from etl.spreadsheets import open_workbook
from tests.support import land_one

pytestmark = pytest.mark.real

TABLES = "ons-police-force-area-tables"
EDITIONS = {
    "March 2018": ("2018-07-19", "policeforceareatablesyearendingmarch2018v2.xlsx"),
    "June 2018": ("2018-10-18", "policeforceareadatatablesyearendingjune2018corrected.xlsx"),
    "September 2018": ("2019-01-24", "policeforceareatablesyearendingsep18corrected.xlsx"),
    "March 2019": ("2019-07-18", "policeforceareatablesyeendingmarch2019.xlsx"),
    "September 2019": ("2020-01-23", "policeforceareatablesyearendingseptember2019.xlsx"),
}
ENDS = {
    "March 2018": date(2018, 3, 31),
    "June 2018": date(2018, 6, 30),
    "September 2018": date(2018, 9, 30),
    "March 2019": date(2019, 3, 31),
    "September 2019": date(2019, 9, 30),
}
C2 = f"{TABLES}/policeforceareatablesyejune25final--table-c2.csv"
ROLLING = "ons-rolling-year-crime/rec-crime-pfa.csv"
OPEN_DATA = "home-office-open-data/prc-pfa-mar2013-onwards-tables201718.csv"

GREATER_MANCHESTER = "E23000005"
WEST_MIDLANDS = "E23000014"
WEST_MIDLANDS_REGION = "E12000005"
GROUPS = {
    "violence_against_the_person",
    "sexual_offences",
    "robbery",
    "theft_offences",
    "criminal_damage_and_arson",
    "drug_offences",
    "possession_of_weapons_offences",
    "public_order_offences",
    "miscellaneous_crimes",
}

Files = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def tidy(publications: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Every real file through `land` and `read_landed`, by edition."""
    home = tmp_path_factory.mktemp("real") / "home"

    def read(name: str, title: str, published: str, source: str) -> pd.DataFrame:
        record = land_one(home, publications / name, source=source, title=title, published=published)
        result = read_landed(home, record)
        assert isinstance(result, TidyFile), result
        return pq.read_table(result.path).to_pandas()

    ons = "recorded_crime_ons"
    files = {
        edition: read(f"{TABLES}/{name}", f"Year ending {edition}", published, ons)
        for edition, (published, name) in EDITIONS.items()
    }
    files["C2"] = read(C2, "Year ending June 2025", "2025-10-23", ons)
    files["rolling"] = read(ROLLING, "Rolling years to December 2018", "2019-04-25", ons)
    files["open data"] = read(OPEN_DATA, "2017/18", "2018-07-19", "recorded_crime_home_office")
    return files


def _one(lines: pd.DataFrame, **conditions: object) -> pd.Series:
    for name, value in conditions.items():
        lines = lines[lines[name] == value]
    assert len(lines) == 1
    return lines.iloc[0]


def _total(lines: pd.DataFrame, table_id: str, area_code: str) -> pd.Series:
    return _one(lines, table_id=table_id, area_code=area_code, offence_id="total_excluding_fraud")


def _wide(lines: pd.DataFrame, table_id: str) -> pd.DataFrame:
    """Values of one table, areas by offences."""
    return lines[lines["table_id"] == table_id].pivot(index="area_code", columns="offence_id", values="value")


# --- ONS force area tables -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edition", "offences"),
    [
        ("March 2018", 233_393),
        ("June 2018", 237_666),
        ("September 2018", 244_527),
        ("March 2019", 259_661),
        ("September 2019", 262_188),
    ],
)
def test_west_midlands_force_in_every_edition(tidy: Files, edition: str, offences: int) -> None:
    line = _total(tidy[edition], "P1", WEST_MIDLANDS)
    assert (line["value"], line["level"], line["period_end"]) == (offences, "police_force", ENDS[edition])


def test_region_and_force_of_one_name_stay_apart(tidy: Files) -> None:
    line = _total(tidy["March 2018"], "P1", WEST_MIDLANDS_REGION)
    assert (line["value"], line["level"], line["area_name"]) == (443_165, "region", "West Midlands")
    both = tidy["March 2018"]
    both = both[(both["table_id"] == "P1") & (both["area_key"] == "west midlands")]
    assert set(both["area_code"]) == {WEST_MIDLANDS, WEST_MIDLANDS_REGION}


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_area_stands_in_every_table(tidy: Files, edition: str) -> None:
    """England and Wales, England, Wales, 9 regions, 43 forces, British Transport Police (not in P3)."""
    lines = tidy[edition]
    for table_id, bodies in (("P1", 1), ("P2", 1), ("P3", 0)):
        areas = lines[lines["table_id"] == table_id].drop_duplicates("area_code")["area_code"]
        kinds = areas.str[:3].value_counts().to_dict()
        assert kinds.pop("x-b", 0) == bodies, table_id
        wales = kinds.pop("W92", 0)
        assert kinds == {"K04": 1, "E92": 1, "E12": 9, "E23": 39, "W15": 4}, table_id
        assert wales in {0, 1}
    assert not lines.duplicated(["table_id", "area_code", "offence_id"]).any()
    assert set(lines["period_end"]) == {ENDS[edition]}


@pytest.mark.parametrize("edition", EDITIONS)
def test_counts_add_up_in_every_cell(tidy: Files, edition: str) -> None:
    """Groups to totals, forces and British Transport Police to England and Wales: no exception is known."""
    counts = _wide(tidy[edition], "P1")
    assert list(counts.columns[counts.loc["K04000001"].isna()]) == []
    groups = counts[sorted(GROUPS)].sum(axis=1, min_count=9)
    assert (groups.dropna() == counts["total_excluding_fraud"].dropna()).all()
    bodies = counts[counts.index.str.match("E23|W15|x-")]
    assert len(bodies) == 44
    assert (bodies.sum() == counts.loc["K04000001"]).all()
    regions = counts[counts.index.str.startswith("E12")]
    assert (regions.sum() == counts.loc["E92000001"]).all()


@pytest.mark.parametrize("table_id", ["P1", "P2", "P3"])
def test_greater_manchester_is_not_available_in_september_2019(tidy: Files, table_id: str) -> None:
    lines = tidy["September 2019"]
    lines = lines[(lines["table_id"] == table_id) & (lines["area_code"] == GREATER_MANCHESTER)]
    assert len(lines) == 23
    assert lines["value"].isna().all()
    odd = {"bicycle_theft": "[z]"} if table_id == "P2" else {}  # `-` where `..` was meant
    assert dict(zip(lines["offence_id"], lines["marker"], strict=True)) == {
        offence: odd.get(offence, "[x]") for offence in lines["offence_id"]
    }


@pytest.mark.parametrize("edition", ["June 2018", "March 2019"])
def test_codes_with_a_digit_glued_on(tidy: Files, publications: Path, edition: str) -> None:
    changes = tidy[edition]
    changes = changes[changes["table_id"] == "P2"]
    glued = {"E230000118": "E23000011", "E230000246": "E23000024", "E230000257": "E23000025"}
    assert set(glued.values()) <= set(changes["area_code"])
    with open_workbook(publications / TABLES / EDITIONS[edition][1]) as workbook:
        for published, code in glued.items():
            row = _total(changes, "P2", code)
            sheet = workbook.sheet(row["sheet"])
            assert (sheet.text("A", row["row"]) or "").strip() == published


def test_city_of_london_markers(tidy: Files) -> None:
    """`+`: counted elsewhere. Its percentages are printed on a base under 50."""
    rate = _total(tidy["March 2018"], "P3", "E23000034")
    assert (pd.isna(rate["value"]), rate["marker"]) == (True, "[z]")
    robbery = _one(tidy["March 2018"], table_id="P2", area_code="E23000034", offence_id="robbery")
    assert not pd.isna(robbery["value"])


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_figure_leads_back_to_its_published_cell(tidy: Files, publications: Path, edition: str) -> None:
    """As another library reads the workbook; ours keeps nine decimal places."""
    workbook = openpyxl.load_workbook(publications / TABLES / EDITIONS[edition][1], data_only=True)
    published_markers = {"..": "[x]", "-": "[z]", "+": "[z]"}
    for line in tidy[edition].itertuples():
        published = workbook[line.sheet][f"{line.column}{line.row}"].value
        if isinstance(published, str):
            assert pd.isna(line.value)
            assert line.marker == published_markers[published.strip()]
        else:
            assert line.value == pytest.approx(published, rel=0, abs=5.1e-10)
            assert pd.isna(line.marker)


# --- Table C2 ------------------------------------------------------------------------------------------


def test_forces_and_partnerships_of_june_2025(tidy: Files) -> None:
    lines = tidy["C2"]
    assert set(lines["period_end"]) == {date(2025, 6, 30)}
    force = _total(lines, "C2", WEST_MIDLANDS)
    assert (force["value"], force["level"]) == (303_343, "police_force")
    birmingham = _total(lines, "C2", "E22000335")
    assert (birmingham["value"], birmingham["level"]) == (135_101, "csp")
    assert (birmingham["area_name"], birmingham["parent_name"]) == ("Birmingham", "West Midlands")


def test_c2_holds_399_areas(tidy: Files) -> None:
    areas = tidy["C2"].drop_duplicates("area_code")
    assert len(areas) == 399
    assert len(tidy["C2"]) == 399 * 23
    assert (areas["level"] == "police_force").sum() == 42  # City of London has no total row
    assert areas["area_code"].str.match("E22|W14").sum() == 314
    assert areas["area_code"].str.startswith("x-unassigned-").sum() == 42
    assert (areas["area_code"] == "x-manchester-airport").sum() == 1
    assert not areas["area_name"].str.contains(r"note|\s$").any()


def test_unassigned_surrey_is_blank_not_zero(tidy: Files) -> None:
    lines = tidy["C2"][tidy["C2"]["area_code"] == "x-unassigned-surrey"]
    assert len(lines) == 23
    assert lines["value"].isna().all()
    assert set(lines["marker"]) == {"[blank]"}
    assert (tidy["C2"]["marker"] == "[blank]").sum() == 23


def test_partnerships_sum_to_their_force(tidy: Files, publications: Path) -> None:
    """By the printed name of the force all 42 are exact; by its printed code Gwent and South Wales are one off.

    The row of Unassigned Gwent (one offence, shoplifting) carries the code of South Wales.
    """
    with open_workbook(publications / C2) as workbook:
        printed = workbook.sheet("csv").cells["A"].to_pylist()
    lines = tidy["C2"].assign(force_code=lambda x: x["row"].map(lambda row: printed[row - 1].strip()))
    forces = lines[lines["level"] == "police_force"]
    parts = lines[lines["level"] == "csp"]

    def differences(force: str, parent: str) -> dict[tuple[str, str], float]:
        totals = forces.set_index([force, "offence_id"])["value"]
        sums = parts.groupby([parent, "offence_id"])["value"].sum()
        difference = totals - sums.reindex(totals.index)
        assert len(difference.dropna()) == 42 * 23
        return difference[difference != 0].to_dict()

    assert differences("area_name", "parent_name") == {}
    assert differences("area_code", "force_code") == {
        (code, offence): sign
        for code, sign in (("W15000002", 1), ("W15000003", -1))  # Gwent, South Wales
        for offence in ("total_excluding_fraud", "theft_offences", "shoplifting")
    }


# --- the rolling-year file -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "offences"),
    [
        (date(2003, 3, 31), 350_242),
        (date(2011, 3, 31), 215_350),
        (date(2012, 3, 31), 193_530),
        (date(2014, 3, 31), 174_524),
        (date(2018, 3, 31), 233_393),
    ],
)
def test_west_midlands_over_rolling_years(tidy: Files, end: date, offences: int) -> None:
    lines = tidy["rolling"]
    lines = lines[(lines["area_key"] == "west midlands") & (lines["period_end"] == end)]
    assert lines["value"].sum() == offences


def test_the_rolling_year_file_is_read_whole(tidy: Files) -> None:
    lines = tidy["rolling"]
    assert len(lines) == 46_469
    assert (lines["value"] < 0).sum() == 25
    assert lines["value"].notna().all()
    quarters = pd.to_datetime(lines["period_end"]).drop_duplicates()
    assert quarters.dt.is_month_end.all()
    assert (quarters.min(), quarters.max()) == (pd.Timestamp("2003-03-31"), pd.Timestamp("2018-12-31"))
    # March 2003 to March 2007, then every quarter from June 2007 to December 2018; 30/12/2017 is December.
    assert len(quarters) == 5 + 47
    assert pd.Timestamp("2017-12-31") in set(quarters)


# --- Home Office open data -----------------------------------------------------------------------------


def test_quarters_of_open_data(tidy: Files) -> None:
    sums = tidy["open data"].groupby("period_end")["value"].sum()
    assert sums.to_dict() == {
        date(2017, 6, 30): 1_380_221,
        date(2017, 9, 30): 1_403_355,
        date(2017, 12, 31): 1_390_138,
        date(2018, 3, 31): 1_345_687,
    }


def test_traps_of_open_data(tidy: Files, publications: Path) -> None:
    lines = tidy["open data"]
    assert len(lines) == 23_068
    assert (lines["value"] < 0).sum() == 36
    assert (lines["offence_id"] == "homicide").sum() == 704
    assert lines["area_key"].nunique() == 48
    body = lines[lines["area_code"] == "x-uk-finance"]
    assert set(body["area_key"]) == {"financial fraud action uk", "uk finance"}
    assert body["value"].sum() == 84_328
    with (publications / OPEN_DATA).open(encoding="utf-8-sig", newline="") as file:
        published = list(csv.reader(file))
    zeros = [number for number, row in enumerate(published, start=1) if row[-1].strip() == "-00"]
    assert len(zeros) == 5_792
    by_row = lines.set_index("row")
    assert (by_row.loc[zeros, "value"] == 0).all()
    assert by_row.loc[zeros, "marker"].isna().all()


@pytest.fixture(scope="module")
def by_force(tidy: Files) -> dict[tuple[str, str], float]:
    """Open data of the year by force name and group, and the total of all groups but fraud."""
    parents = {}
    with (project_root() / "warehouse" / "ref" / "offence.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            parents[row["offence_id"]] = row["parent_id"]
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for line in tidy["open data"].itertuples():
        offence = line.offence_id
        while offence and offence not in GROUPS:
            offence = parents[offence]
        if offence:
            sums[line.area_key, offence] += line.value
            sums[line.area_key, "total_excluding_fraud"] += line.value
    return dict(sums)


def test_open_data_of_the_year_by_force(by_force: dict[tuple[str, str], float]) -> None:
    assert by_force["west midlands", "total_excluding_fraud"] == 233_393
    everywhere = sum(value for (_, offence), value in by_force.items() if offence == "total_excluding_fraud")
    assert everywhere == 4_881_043


def test_open_data_is_the_base_that_p2_of_march_2019_implies(
    tidy: Files, by_force: dict[tuple[str, str], float]
) -> None:
    lines = tidy["March 2019"]
    lines = lines[lines["offence_id"].isin({*GROUPS, "total_excluding_fraud"})]
    bodies = lines[lines["area_code"].str.match("E23|W15|x-")]
    counts = bodies[bodies["table_id"] == "P1"].set_index(["area_key", "offence_id"])["value"]
    changes = bodies[bodies["table_id"] == "P2"].set_index(["area_key", "offence_id"])["value"].dropna()
    assert len(counts) == 440
    assert len(changes) == 439
    aliases = {"london city of": "city of london"}
    implied = {
        (aliases.get(key, key), offence): round(counts[key, offence] / (1 + change / 100))
        for (key, offence), change in changes.items()
    }
    assert {key: by_force.get(key) for key in implied} == implied


def test_areas_without_a_code_get_ours(tidy: Files) -> None:
    ours = tidy["open data"][tidy["open data"]["area_code"].notna()]
    assert set(ours["area_code"]) == {
        "x-british-transport-police",
        "x-action-fraud",
        "x-cifas",
        "x-uk-finance",
    }
    assert all(re.fullmatch(r"[a-z ]+", key) for key in tidy["open data"]["area_key"])
