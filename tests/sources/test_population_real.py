"""The real mid-year population files, landed and read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from etl.reading import TidyFile, read_landed
from tests.support import land_one

pytestmark = pytest.mark.real

DISTRICTS = "E06|E07|E08|E09|W06"


def _read(publications: Path, home: Path, name: str, title: str) -> pd.DataFrame:
    record = land_one(home, publications / "ons-population" / name, source="population", title=title)
    result = read_landed(home, record)
    assert isinstance(result, TidyFile), result
    return pq.read_table(result.path).to_pandas()


@pytest.fixture(scope="module")
def all_years(publications: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    home = tmp_path_factory.mktemp("mid-2020") / "home"
    return _read(publications, home, "ukpopestimatesmid2020on2021geography.xls", "Mid-2020")


@pytest.fixture(scope="module")
def one_year(publications: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    home = tmp_path_factory.mktemp("mid-2024") / "home"
    return _read(publications, home, "mye24tablesew.csv", "Mid-2024")


def test_every_area_has_twenty_years(all_years: pd.DataFrame) -> None:
    assert len(all_years) == 8_400
    assert set(all_years["mid_year"]) == set(range(2001, 2021))
    assert (all_years.groupby("area_code").size() == 20).all()
    assert all_years["value"].notna().all()
    assert all_years["area_code"].str.fullmatch(r"[EWKSN]\d{8}").all()
    assert "E06000061" in set(all_years["area_code"])  # printed with a space behind it
    assert set(all_years["sheet"]) == {"MYE 5"}


@pytest.mark.parametrize(
    ("code", "year", "people"),
    [
        ("K02000001", 2020, 67_081_234),  # the printed first row
        ("K02000001", 2019, 66_796_807),
    ],
)
def test_printed_figures(all_years: pd.DataFrame, code: str, year: int, people: int) -> None:
    line = all_years[(all_years["area_code"] == code) & (all_years["mid_year"] == year)]
    assert line["value"].tolist() == [people]


@pytest.mark.parametrize("year", [2001, 2011, 2016, 2020])
def test_districts_and_regions_sum_to_their_whole(all_years: pd.DataFrame, year: int) -> None:
    people = all_years[all_years["mid_year"] == year].set_index("area_code")["value"]
    assert people[people.index.str.match(DISTRICTS)].sum() == people["K04000001"]
    assert people[people.index.str.startswith("E12")].sum() == people["E92000001"]
    assert people["E92000001"] + people["W92000004"] == people["K04000001"]


def test_the_base_of_the_rates_of_march_2018(all_years: pd.DataFrame) -> None:
    """P3 of March 2018 prints 58,381,200 for England and Wales and 2,636,600 for the North East, mid-2016."""
    people = all_years[all_years["mid_year"] == 2016].set_index("area_code")["value"]
    assert round(people["K04000001"], -2) == 58_381_200
    assert round(people["E12000001"], -2) == 2_636_600


def test_one_sheet_saved_as_text(one_year: pd.DataFrame) -> None:
    assert len(one_year) == 357
    assert one_year["mid_year"].isna().all()  # the file does not say it: the release does
    people = one_year.set_index("area_code")["value"]
    assert people["K04000001"] == 61_806_682
    assert people[people.index.str.match(DISTRICTS)].sum() == 61_806_682
    assert people.index.str.match(DISTRICTS).sum() == 318
    assert set(one_year["column"]) == {"D"}
