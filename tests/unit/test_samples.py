"""The modelled samples: same bytes every time, marked, read by the readers, true to the real totals."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.archives import MODELLED_MARK, is_modelled, sniff
from etl.landing import claim_home, land
from etl.reading import TidyFile, read_landed
from etl.sources import load_source
from samples.make import Sample, make_samples
from samples.tables import FIGURES, LEAVES_OF, apportion

WEST_MIDLANDS = "E23000014"
OPEN_DATA_BY_FORCE = "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards"
OPEN_DATA_BY_PARTNERSHIP = (
    "Police recorded crime Community Safety Partnership open data, year ending March 2021 to year ending March 2025"
)
GROUPS = LEAVES_OF["total_excluding_fraud"]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return make_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def tidy(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Every sample as read, by the title of its edition."""
    home = tmp_path_factory.mktemp("demo")
    claim_home(home, "demo")
    frames = {}
    for sample in samples:
        (landed,) = land(
            home, source=sample.source, title=sample.title, published=sample.published_on, files=[sample.path]
        )
        read = read_landed(home, landed.record)
        assert isinstance(read, TidyFile), read
        frames[sample.title] = pq.read_table(read.path).to_pandas()
    return frames


def offences(frame: pd.DataFrame, table: str, area: str, offence: str = "total_excluding_fraud") -> float:
    rows = frame[(frame.table_id == table) & (frame.area_code == area) & (frame.offence_id == offence)]
    assert len(rows) == 1
    return rows.iloc[0]["value"]


def marker(frame: pd.DataFrame, table: str, area: str, offence: str = "total_excluding_fraud") -> str:
    rows = frame[(frame.table_id == table) & (frame.area_code == area) & (frame.offence_id == offence)]
    assert len(rows) == 1
    assert pd.isna(rows.iloc[0]["value"])
    return rows.iloc[0]["marker"]


def test_same_bytes_on_every_run(samples: list[Sample], tmp_path: Path) -> None:
    again = make_samples(tmp_path)
    assert [sample.path.name for sample in again] == [sample.path.name for sample in samples]
    for first, second in zip(samples, again, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes(), first.path.name


def test_no_time_of_making_is_left(samples: list[Sample]) -> None:
    for sample in samples:
        if sample.path.suffix in (".csv", ".json"):
            continue
        with zipfile.ZipFile(sample.path) as archive:
            assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            for name in {"docProps/core.xml", "meta.xml"} & set(archive.namelist()):
                text = archive.read(name).decode()
                assert text.count("2026-01-01T00:00:00Z") == 2, sample.path.name


def test_every_file_says_that_it_is_modelled(samples: list[Sample]) -> None:
    for sample in samples:
        assert is_modelled(sample.path, sniff(sample.path)), sample.path.name


def test_text_files_say_so_in_one_field_of_their_first_line(samples: list[Sample]) -> None:
    for sample in samples:
        if sample.path.suffix == ".csv" and not sample.path.name.startswith("NM_"):
            first = sample.path.read_text(encoding="utf-8-sig").splitlines()[0]
            assert first.startswith(f'"{MODELLED_MARK}: ')
            assert first.count('"') == 2
            assert first.endswith('"')


def test_workbooks_say_so_in_a_cell_of_every_table_and_cover(samples: list[Sample]) -> None:
    from etl.spreadsheets import open_workbook

    for sample in samples:
        if sample.path.suffix in (".csv", ".json"):
            continue
        with open_workbook(sample.path) as workbook:
            shown = [
                any(MODELLED_MARK in text for index in range(3) for text in workbook.sheet(name).row(index))
                for name in workbook.sheet_names
            ]
        long_table = sample.path.suffix == ".ods"  # a long table starts at A1, as published
        assert all(shown[:2] if long_table else shown), sample.path.name


def test_sources_are_declared_and_dates_in_order(samples: list[Sample]) -> None:
    dates = [sample.published_on for sample in samples]
    assert dates == sorted(dates)
    for sample in samples:
        assert load_source(sample.source).source == sample.source


def test_figures_are_small_and_their_source_is_named() -> None:
    readme = (FIGURES / "README.md").read_text(encoding="utf-8")
    for path in FIGURES.glob("*.csv"):
        assert path.stat().st_size < 300_000
        assert f"`{path.name}`" in readme


@pytest.mark.parametrize(
    ("title", "total", "region"),
    [
        ("Year ending March 2018", 233_393, 443_165),
        ("Year ending March 2019", 259_661, None),
        ("Year ending September 2019", 262_188, None),
        ("Year ending June 2025", 303_343, None),
    ],
)
def test_west_midlands_in_p1(tidy: dict[str, pd.DataFrame], title: str, total: int, region: int | None) -> None:
    assert offences(tidy[title], "P1", WEST_MIDLANDS) == total
    if region:
        assert offences(tidy[title], "P1", "E12000005") == region


@pytest.mark.parametrize(
    ("ends", "total"),
    [
        ("2003-03-31", 350_242),
        ("2011-03-31", 215_350),
        ("2012-03-31", 193_530),
        ("2014-03-31", 174_524),
        ("2018-03-31", 233_393),
        ("2018-06-30", 237_666),
        ("2018-09-30", 244_527),
    ],
)
def test_west_midlands_over_rolling_years(tidy: dict[str, pd.DataFrame], ends: str, total: int) -> None:
    frame = tidy["Rolling years to December 2018"]
    rows = frame[(frame.area_key == "west midlands") & (frame.period_end.astype(str) == ends)]
    assert rows.value.sum() == total


def test_rolling_years_hold_22_periods_of_44_forces(tidy: dict[str, pd.DataFrame]) -> None:
    frame = tidy["Rolling years to December 2018"]
    bodies = {"action fraud", "cifas", "uk finance"}
    forces = frame[~frame.area_key.isin(bodies)]
    assert forces.groupby("period_end").area_key.nunique().tolist() == [44] * 22
    assert "2017-12-31" in forces.period_end.astype(str).tolist()  # printed as 30/12/2017
    march_2018 = forces[forces.period_end.astype(str) == "2018-03-31"]
    assert march_2018.value.sum() == 4_878_303


def test_home_office_quarters_and_totals(tidy: dict[str, pd.DataFrame]) -> None:
    frame = tidy[OPEN_DATA_BY_FORCE]
    quarters = frame.groupby("period_end").value.sum()
    assert quarters.tolist() == [1_380_221, 1_403_355, 1_390_138, 1_345_687]
    assert frame[frame.area_key == "west midlands"].value.sum() == 233_393
    bodies = frame.area_key.isin({"action fraud", "cifas", "uk finance", "financial fraud action uk"})
    assert frame[~bodies].value.sum() == 4_881_043
    homicide = frame[(frame.area_key == "west midlands") & (frame.offence_id == "homicide")]
    assert len(homicide) == 16


def test_home_office_agrees_with_the_base_of_p2(tidy: dict[str, pd.DataFrame]) -> None:
    """Force totals of 2017/18 are the base of the change printed for March 2019."""
    changes = tidy["Year ending March 2019"]
    frame = tidy[OPEN_DATA_BY_FORCE]
    totals = frame.groupby("area_key").value.sum()
    for area, key in ((WEST_MIDLANDS, "west midlands"), ("E23000005", "greater manchester"), ("W15000002", "gwent")):
        base = offences(changes, "P1", area) / (1 + offences(changes, "P2", area) / 100)
        assert base == pytest.approx(totals[key], abs=1e-3)


@pytest.mark.parametrize("title", ["Year ending March 2018", "Year ending March 2019", "Year ending September 2019"])
def test_force_tables_add_up(tidy: dict[str, pd.DataFrame], title: str) -> None:
    frame = tidy[title]
    counts = frame[frame.table_id == "P1"].pivot_table(index="area_code", columns="offence_id", values="value")
    forces = counts[counts.index.str.match("E23|W15|x-")]
    assert (forces.sum() == counts.loc["K04000001"]).all()
    for whole, parts in LEAVES_OF.items():
        assert (counts[list(parts)].sum(axis="columns") == counts[whole]).all(), whole


def test_missing_figures_have_markers_and_no_value(tidy: dict[str, pd.DataFrame]) -> None:
    september = tidy["Year ending September 2019"]
    for table in ("P1", "P2", "P3"):
        assert marker(september, table, "E23000005") == "[x]"
    march = tidy["Year ending March 2018"]
    assert marker(march, "P2", WEST_MIDLANDS, "residential_burglary") == "[z]"
    assert marker(march, "P2", "E23000034", "robbery") == "[z]"  # a base of 28
    assert marker(march, "P3", "E23000034") == "[z]"
    june = tidy["Year ending June 2025"]
    assert marker(june, "P1", "E23000034") == "[x]"
    assert marker(june, "P1", "x-british-transport-police") == "[x]"
    assert marker(june, "C2", "x-unassigned-surrey") == "[blank]"


def test_rates_follow_from_population(tidy: dict[str, pd.DataFrame]) -> None:
    march = tidy["Year ending March 2018"]
    people = tidy["Mid-2020 population estimates"]
    region = people[(people.area_code == "E12000005") & (people.mid_year == 2016)].value.item()
    rate = offences(march, "P3", "E12000005")
    assert rate == pytest.approx(443_165 / region * 1000, abs=1e-8)


def test_partnerships_add_to_their_force(tidy: dict[str, pd.DataFrame]) -> None:
    frame = tidy["Year ending June 2025"]
    table = frame[frame.table_id == "C2"]
    forces = table[table.parent_name.isna()].set_index(["area_name", "offence_id"]).value
    parts = table[table.parent_name.notna()].groupby(["parent_name", "offence_id"]).value.sum()
    assert len(forces) == 42 * 23
    for key, total in forces.items():
        assert parts[key] == total, key
    assert table[table.parent_name == "West Midlands"].area_code.nunique() == 8


def test_partnerships_of_the_home_office_add_to_their_force(tidy: dict[str, pd.DataFrame]) -> None:
    frame = tidy[OPEN_DATA_BY_PARTNERSHIP]
    assert frame.groupby("parent_name").value.sum().to_dict() == {
        "Gwent": 56_961,
        "Surrey": 74_528,
        "West Midlands": 303_343,
    }
    assert frame.period_end.nunique() == 4
    areas = frame.groupby("parent_name").area_key.nunique()
    assert areas.to_dict() == {"Gwent": 6, "Surrey": 12, "West Midlands": 8}


def test_populations_add_up(tidy: dict[str, pd.DataFrame]) -> None:
    for title in ("Mid-2020 population estimates", "Mid-2024 population estimates"):
        frame = tidy[title]
        newest = frame[frame.mid_year.isna() | (frame.mid_year == 2020)].set_index("area_code").value
        authorities = newest[newest.index.str.match("E0[6789]|W06")]
        assert authorities.sum() == newest["K04000001"]


def test_single_years_of_age_add_to_all_ages(samples: list[Sample]) -> None:
    path = next(sample.path for sample in samples if sample.title == "Mid-2024 population estimates")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    frame = pd.read_csv(path, skiprows=1)
    assert len(frame) == 357
    assert (frame[[column for column in frame if column[0].isdigit()]].sum(axis="columns") == frame["All ages"]).all()


def test_lookups_have_the_published_shape(samples: list[Sample]) -> None:
    answers = {
        sample.path.name: json.loads(sample.path.read_text(encoding="utf-8"))["features"]
        for sample in samples
        if sample.source == "geography"
    }
    assert {name: (len(features), len(features[0]["attributes"])) for name, features in answers.items()} == {
        "LAD19_CSP19_PFA19_EW_LU-0.json": (342, 7),
        "LTLA23_UTLA23_EW_LU-0.json": (318, 5),
        "LAD24_RGN24_EN_LU-0.json": (296, 5),
        "LAD24_CSP24_PFA24_EW_LU-0.json": (332, 7),
    }
    assert answers["LAD24_CSP24_PFA24_EW_LU-0.json"][0]["attributes"] == {
        "ObjectId": 1,
        "LAD24CD": "E07000136",
        "LAD24NM": "Boston",
        "CSP24CD": "E22000173",
        "CSP24NM": "Boston",
        "PFA24CD": "E23000020",
        "PFA24NM": "Lincolnshire",
    }


def test_nomis_states_the_same_populations_as_the_workbook(tidy: dict[str, pd.DataFrame]) -> None:
    nomis = tidy["Mid-year estimates of local authorities (Nomis NM_2002_1)"].set_index("area_code")
    assert set(nomis.mid_year) == {2024}
    assert nomis.value.sum() == 61_806_682
    workbook = tidy["Mid-2024 population estimates"].set_index("area_code").value
    assert nomis.value.to_dict() == workbook[nomis.index].to_dict()


@given(st.integers(-10_000, 1_000_000), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_apportioned_parts_add_up_and_are_fair(total: int, weights: list[int]) -> None:
    parts = apportion(total, weights)
    assert sum(parts) == total
    if any(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part * sum(weights) - total * weight) < sum(weights)
            assert weight or not part


def test_ties_go_to_the_first() -> None:
    assert apportion(2, [1, 1, 1]) == [1, 1, 0]
    assert apportion(3, [0, 0]) == [2, 1]
    assert apportion(0, [0]) == [0]
