"""The page on the data names every file that is published, and its recipes work."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from etl.contracts import contracts
from etl.feed_tables import write_parquet
from etl.feeds import fed_contracts
from etl.models import published_contracts
from etl.site.data_pages import HOST, LATEST, RECIPES, write_data
from tests.site.made import FORCE, HOSTILE, RELEASES, ROBBERY, Row, fill
from tests.site.page import Page
from tests.site.part import VERSION, write_part

RANKED = {
    "area_code": "E23000014",
    "area_name": "West Midlands",
    "level": "police_force",
    "offence_id": "robbery",
    "period_end": date(2019, 3, 31),
    "rank": None,
}


def write(folder: Path, **rows: Iterable[Row]) -> Page:
    return Page(write_part(folder / "site", write_data, **rows) / "data/index.html")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return write(tmp_path_factory.mktemp("version"))


def list_links(page: Page) -> list[str]:
    return [str(link["href"]) for link in page.named("a")]


def test_every_file_of_the_feeds_is_named(page: Page) -> None:
    found = {link.removeprefix("../../feeds/") for link in list_links(page) if link.startswith("../../feeds/")}
    files = {contract.feed_path(suffix) for contract in fed_contracts() for suffix in contract.formats}
    described = {c.feed_path("csv-metadata.json") for c in fed_contracts() if "csv" in c.formats}
    whole = {"datapackage.json", "csvw-metadata.json", "SHA256SUMS", "last_updated.json"}
    assert {name for name in found if not name.startswith("spreadsheets/")} == files | described | whole
    # By eye: a history is Parquet alone, a long table has no JSON, core is no feed.
    assert {"mart/crime_trend.csv", "mart/crime_trend_history.parquet", "ref/offence.json"} <= found
    assert not {"mart/crime_trend_history.csv", "mart/crime_trend.json", "core/recorded_crime.csv"} & found


def test_a_table_leads_to_the_dictionary(page: Page) -> None:
    links = set(list_links(page))
    # What is of use beyond this version: what was asked and when it was built is told by nobody but the warehouse.
    named = [contract for contract in published_contracts() if not contract.unhashed]
    assert {f"../dictionary/{contract.schema}/{contract.table}.html" for contract in named} <= links


def test_no_other_page_names_the_version(made_site: Path) -> None:
    naming = [
        path.relative_to(made_site).as_posix()
        for path in made_site.rglob("*.*")
        if VERSION.encode() in path.read_bytes()
    ]
    assert naming == ["data/index.html"]


def test_it_says_how_long_an_address_holds(page: Page) -> None:
    assert f"{HOST}/data/{VERSION}/feeds/mart/crime_trend.csv" in page.text
    assert "its bytes never change while it is kept" in page.text
    assert "answers 410 (Gone)" in page.text


def test_the_newest_release_of_each_source_is_named(page: Page) -> None:
    rows = page.tables["sources"]
    assert rows[0] == ["Source", "Newest release", "Published", "State"]
    assert [row[1:] for row in rows[1:]] == [
        ["Lookups", "10 January 2017", "Current"],
        ["July to September 2020", "28 July 2022", "Current"],
        ["Year ending March 2019", "18 July 2019", "Current"],
    ]


def test_it_says_how_to_cite(page: Page) -> None:
    text = page.text.replace(" ,", ",")
    assert (
        f"justice-etl, mart.crime_trend, version {VERSION}, after: Office for National Statistics, Year ending March "
        "2019, published on 18 July 2019. Contains public sector information licensed under the Open Government "
        "Licence v3.0." in text
    )
    assert "has not been an accredited official statistic since 15 January 2014" in page.text


def test_a_withdrawn_and_a_modelled_release_say_so(tmp_path: Path) -> None:
    rows = [row | {"state": "withdrawn", "is_modelled": True} for row in RELEASES]
    page = write(tmp_path, releases=rows)
    assert page.tables["sources"][1][1:] == ["Lookups (modelled sample)", "10 January 2017", "Withdrawn"]
    assert "are published by nobody and are not to be cited" in page.text
    assert len(page.banners) == 1


def test_only_spreadsheets_of_rankings_that_have_lines_are_named(tmp_path: Path) -> None:
    with_crime = write(tmp_path / "crime", mart__crime_rank=[RANKED])
    without = write(tmp_path / "none")
    books = [[link for link in list_links(page) if link.endswith(".xlsx")] for page in (with_crime, without)]
    assert books == [["../../feeds/spreadsheets/crime-rate-ranking.xlsx"], []]


def test_titles_that_hold_markup_are_shown_as_text(tmp_path: Path) -> None:
    hostile: list[Row] = [row | {"title": HOSTILE, "publisher": HOSTILE} for row in RELEASES]
    page = write(tmp_path, releases=hostile)
    assert page.tables["sources"][1][1] == HOSTILE
    assert all(set(script) == {"src", "defer"} for script in page.named("script"))


def test_a_warehouse_without_releases_has_the_page(tmp_path: Path) -> None:
    page = write(tmp_path, releases=[], revisions=[], summaries=[])
    assert page.tables["sources"][1] == ["Nothing was landed."]
    assert "after:" not in page.text


# --- recipes -------------------------------------------------------------------------------------------


def test_a_recipe_has_three_lines_and_stands_on_the_page(page: Page) -> None:
    for recipe in RECIPES:
        assert len(recipe.lines.splitlines()) == 3
        assert " ".join(recipe.lines.split()) in page.text


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Feeds that lie on the disk: two tables of a made warehouse."""
    folder = tmp_path_factory.mktemp("feeds")
    (folder / "mart").mkdir()
    common = {"span": "year", "period_end": date(2018, 3, 31), "is_derived": False, "is_modelled": False}
    trend = [FORCE | ROBBERY | common | {"period_start": date(2017, 4, 1), "release_id": "a/b@1", "table_id": "P1"}]
    trend[0] |= {"offences": 7_000, "population_mid_year": 2016, "previous_source": "same_release"}
    rank = {"cohort_end": date(2020, 3, 31), "rank": 3, "ranked_areas": 170, "rank_low": 1, "rank_high": 60}
    ranks = [FORCE | {"measure": "three_month_cohort", "age_group": "adult", "span": "year"} | rank]
    with duckdb.connect() as connection:
        fill(connection, mart__crime_trend=trend, mart__reoffending_rank=ranks)
        connection.execute("DELETE FROM mart.crime_trend WHERE offence_id IS NULL")
        for name in ("mart.crime_trend", "mart.reoffending_rank"):
            contract = contracts()[name]
            columns = ", ".join(f'"{column}"' for column in contract.columns)
            rows = connection.execute(f"SELECT {columns} FROM {name}").to_arrow_table()
            assert rows.num_rows == 1
            for column, field in contract.columns.items():
                if column not in contract.nullable:
                    default = {"VARCHAR": "''", "DATE": "DATE '2020-01-01'", "BOOLEAN": "FALSE"}.get(field.type, "0")
                    connection.execute(f'UPDATE {name} SET "{column}" = coalesce("{column}", {default})')
            write_parquet(connection, contract, folder / contract.feed_path("parquet"))
    return folder


def run_python(lines: str) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(lines, "recipe", "exec"), {})  # our own page's lines
    return output.getvalue()


def test_recipes_of_python_run(feeds: Path) -> None:
    lines = {recipe.slug: recipe.lines.replace(LATEST, str(feeds)) for recipe in RECIPES}
    told = run_python(lines["python-duckdb"])
    assert "West Midlands" in told
    assert "170" in told
    assert run_python(lines["python-pandas"]).split()[:3] == ["span", "year", "1"]


def test_the_recipe_of_duckdb_runs(feeds: Path) -> None:
    [recipe] = [recipe for recipe in RECIPES if recipe.slug == "duckdb"]
    found = duckdb.sql(recipe.lines.replace(LATEST, str(feeds))).fetchall()
    assert found == [("West Midlands", date(2018, 3, 31), 7_000, None, None)]


def test_the_recipe_of_the_whole_warehouse_runs(demo_home: Path) -> None:
    [recipe] = [recipe for recipe in RECIPES if recipe.slug == "warehouse"]
    with duckdb.connect() as connection:
        path = demo_home / "current" / "warehouse.duckdb"
        for statement in recipe.lines.replace(f"{HOST}/data/latest/warehouse.duckdb", str(path)).splitlines():
            result = connection.execute(statement)
        assert result.fetchone() is not None
