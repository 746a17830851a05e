"""The modelled samples: same bytes every time, marked, read by the readers, true to the real totals."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.archives import MODELLED_MARK, is_modelled, sniff
from etl.landing import claim_home, land
from etl.publishers.govuk import london_day
from etl.reading import TidyFile, read_landed
from etl.replica import Archive
from etl.sources import load_source
from etl.sources.places import GovUkPlace
from samples.archive import put_collection
from samples.make import Sample, make_samples
from samples.tables import FIGURES, LEAVES_OF, apportion

WEST_MIDLANDS = "E23000014"
OPEN_DATA_BY_FORCE = "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards"
OPEN_DATA_BY_PARTNERSHIP = (
    "Police recorded crime Community Safety Partnership open data, year ending March 2021 to year ending March 2025"
)
GROUPS = LEAVES_OF["total_excluding_fraud"]
REOFFENDING = ("proven_reoffending", "local_adult_reoffending")
"""Sources whose editions hold several files; they are read by tests of their own."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return make_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def tidy(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Every sample of crime, population and geography as read, by the title of its edition."""
    home = tmp_path_factory.mktemp("demo")
    claim_home(home, "demo")
    frames = {}
    for sample in samples:
        if sample.source in REOFFENDING:
            continue
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
        long_table = sample.path.suffix == ".ods" or "data_tool_" in sample.path.name  # starts at A1, as published
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


# --- proven reoffending ------------------------------------------------------------------------------------

OLD = "proven_re-offending_overview_apr13-mar14.csv"
DISPOSALS = "proven_re-offending_index_disposal_apr13-mar14.csv"
TOOL_2017 = "PRSQ_overall_data_tool_apr02_dec15.xlsx"
AREAS_2023 = "Geographical_data_tool_Apr09_Mar21.xlsx"
TOOL_2023 = "PRSQ_overall_data_tool_apr12_mar21.xlsx"
AREAS_2024 = "PRSQ_Geographic_data_April 2011 to March 2022.csv"
TOOL_2024 = "PRSQ_Overall_data_April 2011 to March 2022.csv"
AREAS_2026 = "Geographical_data_tool_Apr12_Mar24.xlsx"
TOOL_2026 = "PRSQ_overall_data_tool_apr12_mar24.xlsx"
AREAS, TOOLS = (AREAS_2023, AREAS_2024, AREAS_2026), (TOOL_2017, TOOL_2023, TOOL_2024, TOOL_2026)
COUNTS = ["offenders", "reoffenders", "reoffences"]


def open_tables(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """The long tables of a sample by file or member, read by nothing of ours."""
    if path.suffix == ".xlsx":
        yield path.name, pd.read_excel(path, sheet_name="Data", engine="openpyxl", keep_default_na=False)
        return
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield name, pd.read_csv(io.BytesIO(archive.read(name)), skiprows=1, keep_default_na=False)


@pytest.fixture(scope="module")
def published(samples: list[Sample]) -> dict[str, pd.DataFrame]:
    """The long tables of proven reoffending; the column of the age group is called so, whatever its header."""
    tables = {}
    for sample in samples:
        if sample.source == "proven_reoffending":
            for name, table in open_tables(sample.path):
                ages = [header for header in table if header.casefold().startswith("adult")]
                tables[name] = table.rename(columns={ages[0]: "age_group"})
    return tables


def count(table: pd.DataFrame, **where: str) -> tuple[int, ...]:
    """Offenders, reoffenders and, where there are any, reoffences of the rows that match, added up."""
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table)
    return tuple(table[[name for name in COUNTS if name in table]].sum().tolist())


def total(table: pd.DataFrame, cohort: str, **where: str) -> tuple[int, ...]:
    return count(table, cohort=cohort, category="Total", **where)


def test_headers_of_reoffending_are_as_published(published: dict[str, pd.DataFrame], samples: list[Sample]) -> None:
    headers = {
        name: [*table]
        for sample in samples
        if sample.source == REOFFENDING[0]
        for name, table in open_tables(sample.path)
    }
    geographic = ["Cohort", "Category", "Geography", *COUNTS]
    assert headers[AREAS_2023] == ["Adult / Juvenile", *geographic]
    assert headers[AREAS_2024] == ["Adult / Juvenile", *geographic[:-1]]
    assert headers[AREAS_2026] == ["Adult / Child", *geographic[:-1]]
    for name in TOOLS:
        assert headers[name] == ["adult_child", "cohort", "region", "category", "subcat1", "subcat2", *COUNTS]
    assert headers[OLD] == ["cohort", "category", "subcategory1", "subcategory2", "adult_juvenile", *COUNTS]
    labels = {name: set(table.age_group) - {"Adult"} for name, table in published.items()}
    assert {name for name, label in labels.items() if label == {"Child"}} == {AREAS_2026, TOOL_2026}
    assert all(label == {"Juvenile"} for name, label in labels.items() if name not in (AREAS_2026, TOOL_2026))


@pytest.mark.parametrize(
    ("cohort", "age", "counts"),
    [  # facts/published-layouts.md, golden figures; the third-party tidy table of May 2016
        ("Apr 2013 to Mar 2014", "Adult", (468_134, 117_864, 367_605)),
        ("Apr 2013 to Mar 2014", "Juvenile", (42_299, 16_083, 50_184)),
        ("Jan 2003 to Dec 2003", "Adult", (520_660, 139_936, 481_879)),
        ("Apr 2005 to Mar 2006", "Juvenile", (163_545, 54_945, 159_848)),
    ],
)
def test_every_breakdown_of_the_old_measure_repeats_the_real_total(
    published: dict[str, pd.DataFrame], cohort: str, age: str, counts: tuple[int, ...]
) -> None:
    table = published[OLD]
    for category in ("a. Ethnicity and sex", "b. Age and sex", "c. Number of previous offences"):
        assert count(table, cohort=cohort, age_group=age, category=category) == counts
    assert set(table.category) == {"a. Ethnicity and sex", "b. Age and sex", "c. Number of previous offences"}
    assert count(published[DISPOSALS], cohort=cohort, age_group=age) == counts


def test_the_old_measure_has_13_annual_cohorts(published: dict[str, pd.DataFrame]) -> None:
    cohorts = published[OLD].cohort.unique().tolist()
    assert len(cohorts) == 13
    assert cohorts[:5] == [
        *(f"Jan {year} to Dec {year}" for year in (2002, 2003, 2004, 2005)),
        "Apr 2005 to Mar 2006",
    ]


def test_the_back_cast_measure_is_as_first_published_and_later_revised(published: dict[str, pd.DataFrame]) -> None:
    first, later = published[TOOL_2017], published[TOOL_2023]
    year = "Apr 2013 to Mar 2014"
    assert total(first, year) == (598_848, 186_406, 663_266)
    assert total(first, year, age_group="Adult") == (546_541, 163_962, 586_711)
    assert total(later, year) == (599_297, 186_582, 663_973)
    assert total(later, year, age_group="Adult")[0] == 135_480 + 138_676 + 135_827 + 136_975
    assert total(first, "Jan 2014 to Mar 2014", age_group="Adult") == (136_558, 40_143, 145_224)
    assert total(later, "Jan 2014 to Mar 2014", age_group="Adult")[0] == 136_975
    for quarter in ("Apr 2013 to Jun 2013", "Jul 2013 to Sep 2013", "Oct 2013 to Dec 2013"):
        assert total(first, quarter) == total(later, quarter)
    assert first.cohort.iloc[0] == "Apr 2002 to Jun 2002"
    assert "Oct 2015 to Dec 2015" in set(first.cohort)
    assert "Jan 2016 to Mar 2016" not in set(first.cohort)


@pytest.mark.parametrize(("name", "years"), [(TOOL_2017, range(2002, 2015)), (TOOL_2023, range(2012, 2021))])
def test_four_quarters_are_a_year(published: dict[str, pd.DataFrame], name: str, years: range) -> None:
    table = published[name]
    for year in years:
        quarters = [f"{span} {year}" for span in (f"Apr {year} to Jun", f"Jul {year} to Sep", f"Oct {year} to Dec")]
        quarters.append(f"Jan {year + 1} to Mar {year + 1}")
        for age in ("Adult", "Juvenile"):
            sums = zip(*(total(table, quarter, age_group=age) for quarter in quarters), strict=True)
            assert tuple(map(sum, sums)) == total(table, f"Apr {year} to Mar {year + 1}", age_group=age)


def test_adult_offenders_of_2020_by_quarter(published: dict[str, pd.DataFrame]) -> None:
    """Sums of the extract by previous offences; together the published 288,877."""
    quarters = {
        "Apr 2020 to Jun 2020": 39_697,
        "Jul 2020 to Sep 2020": 81_752,
        "Oct 2020 to Dec 2020": 87_150,
        "Jan 2021 to Mar 2021": 80_278,
    }
    for cohort, offenders in quarters.items():
        assert total(published[TOOL_2023], cohort, age_group="Adult")[0] == offenders
    assert sum(quarters.values()) == 288_877


ALL_AGES = {
    2012: (628_761, 194_500, 668_502),
    2013: (599_297, 186_582, 663_973),
    2014: (557_726, 167_316, 614_038),
    2015: (523_366, 154_375, 584_231),
    2016: (475_135, 139_611, 559_659),
    2017: (431_391, 125_829, 508_151),
    2018: (401_404, 112_507, 447_872),
    2019: (375_226, 95_951, 357_053),
    2020: (304_835, 74_262, 266_250),
    2021: (331_110, 83_451, 307_862),
    2022: (322_330, 84_757, 340_465),
    2023: (331_356, 93_413, 441_946),
}
"""Adults and children together, as somebody extracted them from the overall data tool of January 2026."""


@pytest.mark.parametrize("year", ALL_AGES)
def test_all_ages_are_as_extracted_in_every_release_since_2023(published: dict[str, pd.DataFrame], year: int) -> None:
    cohort = f"Apr {year} to Mar {year + 1}"
    for name, last in ((TOOL_2023, 2020), (TOOL_2024, 2021), (TOOL_2026, 2023)):
        if year <= last:
            assert total(published[name], cohort) == ALL_AGES[year]
    for name, last in ((AREAS_2023, 2020), (AREAS_2024, 2021), (AREAS_2026, 2023)):
        if year <= last:
            counts = count(published[name], Cohort=cohort, Category="England and Wales total")
            assert counts == ALL_AGES[year][: len(counts)]


@pytest.mark.parametrize(
    ("year", "category", "area", "counts"),
    [  # the third-party extract of the geographic data tool: adults
        (2020, "England and Wales total", "England and Wales", (288_877, 69_281)),
        (2020, "Region total", "London", (43_156, 10_242)),
        (2020, "UTLA total", "Lambeth", (2_006, 517)),
        (2021, "England and Wales total", "England and Wales", (317_283, 79_004)),
        (2021, "Region total", "London", (45_381, 10_285)),
        (2021, "UTLA total", "Lambeth", (2_217, 511)),
    ],
)
def test_adults_of_london_and_lambeth_are_real(
    published: dict[str, pd.DataFrame], year: int, category: str, area: str, counts: tuple[int, int]
) -> None:
    cohort = f"Apr {year} to Mar {year + 1}"
    for name in AREAS if year == 2020 else AREAS[1:]:
        where = {"Cohort": cohort, "Category": category, "Geography": area}
        assert count(published[name], age_group="Adult", **where)[:2] == counts


@pytest.mark.parametrize("name", AREAS)
def test_areas_add_up_under_every_category(published: dict[str, pd.DataFrame], name: str) -> None:
    table = published[name]
    counts = [column for column in COUNTS if column in table]
    sums = table.groupby(["age_group", "Cohort", "Category"])[counts].sum().unstack("Category")
    for column in counts:
        for category in ("Region total", "PFA total", "UTLA total"):
            assert (sums[column][category] == sums[column]["England and Wales total"]).all(), (column, category)
    assert len(table) == len(table.drop_duplicates(["age_group", "Cohort", "Category", "Geography"]))


@pytest.mark.parametrize("name", AREAS)
def test_authorities_add_to_their_region(published: dict[str, pd.DataFrame], name: str) -> None:
    table = published[name]
    lines = pd.read_csv(FIGURES / "reoffending_authorities.csv", keep_default_na=False)
    regions = dict(zip(lines.name, lines.region, strict=True)) | dict(zip(lines.older_name, lines.region, strict=True))
    regions |= {"Isle of Anglesey [note 3]": "Wales", "Rhondda Cynon Taff": "Wales"}
    parts = table[table.Category == "UTLA total"]
    region = parts.Geography.map(regions).fillna("Unknown")
    assert set(parts.Geography[region == "Unknown"]) == {"Unknown", "Other"}
    counts = [column for column in COUNTS if column in table]
    sums = parts.assign(region=region.str.casefold()).groupby(["age_group", "Cohort", "region"])[counts].sum()
    printed = table[table.Category == "Region total"]
    printed = printed.assign(region=printed.Geography.str.casefold()).set_index(["age_group", "Cohort", "region"])
    assert sums.sort_index().equals(printed[counts].sort_index())


def test_the_geography_is_that_of_the_release(published: dict[str, pd.DataFrame]) -> None:
    """facts/statistics.md: 173 authorities from 2019, 174 from April 2021, 175 from April 2023."""

    def authorities(name: str, year: int) -> set[str]:
        table = published[name]
        table = table[(table.Cohort == f"Apr {year} to Mar {year + 1}") & (table.Category == "UTLA total")]
        return set(table.Geography) - {"Unknown", "Other"}

    assert {len(authorities(AREAS_2023, year)) for year in range(2009, 2021)} == {173}
    assert {len(authorities(AREAS_2024, year)) for year in range(2011, 2022)} == {173}
    assert [len(authorities(AREAS_2026, year)) for year in (2019, 2020, 2021, 2022, 2023)] == [173, 173, 174, 174, 175]
    assert "Northamptonshire" in authorities(AREAS_2024, 2021)
    new = {"North Northamptonshire", "West Northamptonshire"}
    assert new <= authorities(AREAS_2026, 2021)
    assert not new & authorities(AREAS_2026, 2020)
    assert {"Cumberland", "Westmorland and Furness"} & authorities(AREAS_2026, 2022) == set()
    assert {"Cumbria"} & authorities(AREAS_2026, 2023) == set()
    for category, areas in (("PFA total", 42), ("Region total", 10)):
        rows = published[AREAS_2026][published[AREAS_2026].Category == category]
        assert len(set(rows.Geography) - {"Unknown"}) == areas


def test_an_area_that_split_is_the_sum_of_its_parts(published: dict[str, pd.DataFrame]) -> None:
    for age in ("Adult", "Juvenile"):
        where = {"Cohort": "Apr 2021 to Mar 2022", "Category": "UTLA total"}
        whole = count(published[AREAS_2024], age_group=age, Geography="Northamptonshire", **where)
        label = {"Adult": "Adult", "Juvenile": "Child"}[age]
        parts = [
            count(published[AREAS_2026], age_group=label, Geography=f"{side} Northamptonshire", **where)
            for side in ("North", "West")
        ]
        assert tuple(map(sum, zip(*parts, strict=True))) == whole


def test_no_area_has_more_reoffenders_than_offenders(published: dict[str, pd.DataFrame]) -> None:
    for name, table in published.items():
        assert (table.offenders >= table.reoffenders).all(), name
        assert (table.reoffenders >= 0).all(), name
        if "reoffences" in table:
            assert (table.reoffences >= table.reoffenders).all(), name


@pytest.mark.parametrize("name", AREAS)
def test_rates_of_adults_differ_as_real_ones_do_and_last(published: dict[str, pd.DataFrame], name: str) -> None:
    """A spread of about 3 points; an area that is high in one year is mostly high in the next."""
    table = published[name]
    table = table[(table.Category == "UTLA total") & (table.age_group == "Adult") & (table.offenders >= 100)]
    rates = (
        (100 * table.reoffenders / table.offenders)
        .to_frame("rate")
        .assign(Cohort=table.Cohort, Geography=table.Geography)
    )
    wide = rates.pivot(index="Geography", columns="Cohort", values="rate")
    assert wide.std().between(2.5, 4).all()
    for first, second in zip(wide, wide.columns[1:], strict=False):
        assert 0.6 < wide[first].corr(wide[second]) < 0.95


def test_some_places_have_too_few_children(published: dict[str, pd.DataFrame]) -> None:
    table = published[AREAS_2026]
    table = table[(table.age_group == "Child") & (table.Category == "UTLA total")]
    few = set(table[(table.Cohort == "Apr 2023 to Mar 2024") & (table.offenders < 30)].Geography)
    assert {"Isles of Scilly", "Rutland", "City of London"} <= few
    assert len(few) < 30


def test_index_offences_follow_the_real_split(published: dict[str, pd.DataFrame]) -> None:
    """By offence group the extract has the cohort that ends in March 2024; ages are rounded each for itself."""
    table = published[TOOL_2026]
    table = table[(table.cohort == "Apr 2023 to Mar 2024") & (table.category == "Index offence total")]
    groups = table.groupby("subcat1")[["offenders", "reoffenders"]].sum()
    assert len(groups) == 13
    assert abs(groups.offenders["Theft"] - 38_725) <= 1
    assert abs(groups.offenders["Sexual"] - 5_943) <= 1
    assert tuple(groups.sum()) == ALL_AGES[2023][:2]


def test_the_readers_read_every_file_of_reoffending(
    samples: list[Sample], published: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    claim_home(tmp_path, "demo")
    lines, titles = 0, set()
    for sample in samples:
        if sample.source not in REOFFENDING:
            continue
        (landed,) = land(
            tmp_path, source=sample.source, title=sample.title, published=sample.published_on, files=[sample.path]
        )
        read = read_landed(tmp_path, landed.record)
        assert isinstance(read, TidyFile), read
        titles.add(sample.title)
        if sample.source == "proven_reoffending":
            lines += pq.read_metadata(read.path).num_rows
    assert lines == sum(map(len, published.values()))
    assert len(titles) == 8


def test_the_collection_of_proven_reoffending(samples: list[Sample], tmp_path: Path) -> None:
    path = "/government/collections/proven-reoffending-statistics"
    place = GovUkPlace(publisher="govuk", paths=[path], content_ids=["5eb8ee81-7631-11e4-a3cb-005056011aef"])
    own = [sample for sample in samples if sample.source == "proven_reoffending"]
    archive = Archive(tmp_path)
    put_collection(archive, place, own)

    def read(where: str) -> dict[str, object]:
        body = archive.reply(f"https://www.gov.uk/api/content{where}").body
        assert body is not None
        content: dict[str, object] = json.loads((tmp_path / body).read_bytes())
        return content

    collection = read(path)
    assert (collection["schema_name"], collection["content_id"]) == ("document_collection", place.content_ids[0])
    links = {link["title"]: link for link in collection["links"]["documents"]}  # type: ignore[index]
    (group,) = collection["details"]["collection_groups"]  # type: ignore[index]
    assert [link["content_id"] for link in links.values()] == group["documents"]
    assert set(links) == {sample.title for sample in own} | {"Serious Further Offences"}
    found = {}
    for sample in own:
        assert london_day(links[sample.title]["public_updated_at"]).isoformat() == sample.published_on
        item = read(links[sample.title]["base_path"])
        assert item["content_id"] == links[sample.title]["content_id"]
        for attachment in item["details"]["attachments"]:  # type: ignore[index]
            if attachment["attachment_type"] == "file":
                assert archive.reply(attachment["url"]).status == 200
                found[attachment["filename"]] = attachment["title"]
    assert found == {sample.path.name: sample.attachment for sample in own} | {
        "guide-to-proven-reoffending-statistics.pdf": "Guide to proven reoffending statistics"
    }
    # as recorded on 20 November 2024
    recorded = links["Proven reoffending statistics: January to March 2022"]
    assert recorded["content_id"] == "cc7f7a04-4cb9-4357-808e-6fbabb2acdd8"
    assert recorded["base_path"] == "/government/statistics/proven-reoffending-statistics-january-to-march-2022"
