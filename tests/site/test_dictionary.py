"""The dictionary tells of every table and column, and where each comes from; its example queries run."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import duckdb
import pytest
from jsonschema import Draft202012Validator

from etl.contracts import Field, contracts, fields
from etl.files import read_json
from etl.models import PUBLISHED_SCHEMAS, find_models, published_contracts
from etl.settings import project_root
from etl.site.column_lineage import COMPUTED_FROM, Lineage, Origin, Source, read_lineage
from etl.site.dictionary import describe_unit, list_entries, read_examples
from etl.site.words import MARKERS
from tests.site.conftest import WriteSite
from tests.site.page import Page
from tests.site.test_releases import problems


def names(sources: tuple[Source, ...]) -> list[str]:
    return [source.name for source in sources]


def trace(name: str) -> Origin:
    table, _, column = name.rpartition(".")
    return read_lineage().trace(table, column)


# --- pages ---------------------------------------------------------------------------------------------


def test_every_published_table_has_a_page(made_site: Path) -> None:
    pages = {path.relative_to(made_site / "dictionary").as_posix() for path in made_site.glob("dictionary/*/*.html")}
    published = [contract for contract in contracts().values() if contract.schema in PUBLISHED_SCHEMAS]
    assert pages == {f"{contract.schema}/{contract.table}.html" for contract in published}
    assert {"core/recorded_crime_cell.html", "mart/crime_trend_history.html", "meta/run.html"} <= pages


def test_the_list_says_what_one_line_of_a_table_is(made_site: Path) -> None:
    page = Page(made_site / "dictionary/index.html")
    rows = {row[0]: row for schema in PUBLISHED_SCHEMAS for row in page.tables[f"tables-{schema}"][1:]}
    assert rows["ref.population"][2] == "area_code , mid_year"
    assert rows["core.recorded_crime_cell view"][2] == "as in the table that it shows"
    assert rows["mart.crime_trend_history history"][1].startswith("mart.crime_trend as it stood at any time.")
    assert [text for level, text in page.headings if level == 2][:4] == ["mart", "core", "ref", "meta"]


def test_a_page_tells_of_each_column(made_site: Path) -> None:
    page = Page(made_site / "dictionary/mart/crime_trend.html")
    rows = {row[0]: row[1:] for row in page.tables["columns"]}
    assert rows["Column"] == ["Definition", "Type", "Unit", "May be null"]
    assert rows["rate_per_1000 Rate per 1000"] == [
        "Offences in the period per 1,000 residents.",
        "DOUBLE",
        "per 1,000 residents",
        "yes",
    ]
    assert rows["area_code Area code"][1:] == ["VARCHAR", "code", "no"]
    assert "Its values are those of ref.area.area_code" in rows["area_code Area code"][0]
    assert "Reason codes in words" in rows["reason Reason"][0]
    assert len(page.tables["columns"]) == 1 + len(contracts()["mart.crime_trend"].columns)


def test_a_page_leads_to_what_its_columns_refer_to_and_to_where_else_they_stand(made_site: Path) -> None:
    page = Page(made_site / "dictionary/mart/crime_trend.html")
    links = {str(link["href"]) for link in page.named("a")}
    assert {"../ref/area.html#column-area_code", "crime_trend_history.html"} <= links
    assert {"../../../feeds/mart/crime_trend.parquet", "../../../feeds/mart/crime_trend.csv"} <= links
    elsewhere = {row[0]: row[1] for row in page.tables["elsewhere"][1:]}
    # In schemas/*/*.yml, read by eye.
    assert elsewhere["rate_low_per_1000"] == "mart.crime_rank , mart.crime_trend_history"
    assert elsewhere["population"] == "mart.crime_rank , mart.crime_trend_history , ref.population"


def test_values_are_told_with_their_meaning(made_site: Path) -> None:
    page = Page(made_site / "dictionary/mart/crime_trend.html")
    assert "[c] confidential" in page.text
    assert "negative_count the count is a correction below zero" in page.text
    assert "values-offences_marker" in page.ids


def test_a_table_that_is_no_feed_says_so(made_site: Path) -> None:
    page = Page(made_site / "dictionary/core/recorded_crime.html")
    assert "none of its own; it is in warehouse.duckdb" in page.text
    assert not [link for link in page.named("a") if "feeds" in str(link["href"])]


def test_no_figure_is_in_the_dictionary(made_site: Path, write_pages: WriteSite, tmp_path: Path) -> None:
    """It is the same for a warehouse that holds other figures, or none."""
    other = write_pages(tmp_path / "site", revisions=[], summaries=[], claims=[])
    for path in (made_site / "dictionary").rglob("*.*"):
        assert path.read_bytes() == (other / path.relative_to(made_site)).read_bytes()


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("rate_percent", "percent"),
        ("change_points", "percentage points"),
        ("rate_high_per_1000", "per 1,000 residents"),
        ("cost_pounds", "pounds"),
        ("published_on", "day"),
        ("known_from", "moment, with its offset"),
        ("offenders", "count"),
        ("rank_bound_low", "rank, 1 is the first"),
        ("population_mid_year", "calendar year"),
        ("offences_marker", "code"),
        ("area_name", "text"),
        ("is_derived", "true or false"),
        ("rankability", "share, 0 to 1"),
    ],
)
def test_the_unit_follows_from_name_and_type(name: str, unit: str) -> None:
    assert describe_unit(name, fields()[name]) == unit


def test_a_text_has_no_unit_of_a_number() -> None:
    assert describe_unit("told_percent", Field(title="Told", type="VARCHAR", description="")) == "text"


# --- JSON ----------------------------------------------------------------------------------------------


def test_json_is_valid_and_holds_every_column(made_site: Path) -> None:
    schema = read_json(project_root() / "schemas" / "site" / "dictionary.schema.json")
    Draft202012Validator.check_schema(schema)
    content = read_json(made_site / "dictionary" / "index.json")
    assert problems("dictionary", content) == []
    held = {(table["table"], column["name"]) for table in content["tables"] for column in table["columns"]}
    assert held == {(contract.name, name) for contract in published_contracts() for name in contract.columns}
    assert content["markers"] == MARKERS
    [trend] = [table for table in content["tables"] if table["table"] == "mart.crime_trend"]
    assert (trend["kind"], trend["history"]) == ("table", "mart.crime_trend_history")
    [offences] = [column for column in trend["columns"] if column["name"] == "offences"]
    assert offences["made_from"] == ["core.recorded_crime.offences", "core.recorded_crime_total.offences"]
    assert offences["first_from"] == ["tidy.recorded_crime.value"]


def test_a_source_that_is_no_table_is_not_valid(made_site: Path) -> None:
    content = read_json(made_site / "dictionary" / "index.json")
    content["tables"][0]["columns"][0]["made_from"] = ["work.series.area_code"]
    assert problems("dictionary", content)[0].startswith("$.tables[0].columns[0].made_from[0]: 'work.series.area_code'")


# --- lineage of the project's own models ---------------------------------------------------------------

CRIME = ["core.recorded_crime.offences", "core.recorded_crime_total.offences"]
COHORT = [
    f"core.{table}.{column}"
    for table in ("reoffending", "reoffending_total")
    for column in ("measure", "offenders", "reoffenders", "span")
]


@pytest.mark.parametrize(
    ("name", "nearest", "first"),
    [
        ("core.recorded_crime.offences", ["tidy.recorded_crime.value"], ["tidy.recorded_crime.value"]),
        ("core.recorded_crime.published_rows", ["tidy.recorded_crime"], ["tidy.recorded_crime"]),
        ("mart.crime_trend.offences", CRIME, ["tidy.recorded_crime.value"]),
        ("mart.crime_trend_history.offences", CRIME, ["tidy.recorded_crime.value"]),
        ("mart.crime_trend.population", ["ref.population.population"], ["tidy.population.value"]),
        (
            "mart.crime_trend.rate_per_1000",
            [*CRIME, "ref.population.population"],
            ["tidy.population.value", "tidy.recorded_crime.value"],
        ),
        (
            # The base may be the one that the printed percentage implies.
            "mart.crime_trend.previous_offences",
            [CRIME[0], "core.recorded_crime_printed.printed", CRIME[1]],
            ["tidy.recorded_crime.value"],
        ),
        ("mart.crime_trend.break_ids", ["ref.series_break.break_id"], ["seed.series_break.break_id"]),
        (
            "mart.reoffending_trend.reoffenders",
            ["core.reoffending.reoffenders", "core.reoffending_total.reoffenders"],
            ["tidy.reoffending.reoffenders"],
        ),
        (
            "mart.reoffending_trend.rate_percent",
            [name for name in COHORT if name.endswith("offenders")],
            ["tidy.reoffending.offenders", "tidy.reoffending.reoffenders"],
        ),
        (
            "mart.crime_cost.cost_pounds",
            ["mart.crime_trend.offences", "ref.unit_cost.unit_cost_pounds"],
            ["seed.unit_cost.unit_cost_pounds", "tidy.recorded_crime.value"],
        ),
        ("ref.population.population", ["tidy.population.value"], ["tidy.population.value"]),
        ("ref.offence.name", ["seed.offence.name"], ["seed.offence.name"]),
        ("meta.file.bytes", ["input.file.bytes"], ["input.file.bytes"]),
        ("core.reoffending_cell.offenders", ["core.reoffending.offenders"], ["tidy.reoffending.offenders"]),
        ("mart.crime_trend.is_modelled", ["meta.release.is_modelled"], ["input.release.is_modelled"]),
    ],
)
def test_a_column_is_followed_to_where_it_comes_from(name: str, nearest: list[str], first: list[str]) -> None:
    origin = trace(name)
    assert (names(origin.nearest), names(origin.first)) == (nearest, first)
    assert origin.programs == ()


@pytest.mark.parametrize(
    ("name", "nearest", "programs"),
    [
        # Whose design effect follows from measure and span.
        ("mart.reoffending_rank.rank", COHORT, ["warehouse/mart/reoffending_rank_history.py"]),
        (
            "mart.crime_rank.rank",
            ["mart.crime_trend.offences", "mart.crime_trend.population", "mart.crime_trend.previous_offences"],
            ["warehouse/mart/crime_rank.py"],
        ),
        (
            "mart.local_adult_reoffending_rank.rank_all",
            [f"core.local_adult_reoffending.{name}" for name in ("actual_percent", "offenders", "predicted_percent")],
            ["warehouse/mart/local_adult_reoffending_rank_history.py"],
        ),
        (
            "mart.crime_trend.rate_low_per_1000",
            [*CRIME, "ref.population.population"],
            ["warehouse/work/count_interval.py"],
        ),
        (
            "mart.claim_check.verdict",
            [
                "mart.crime_trend",
                "mart.local_adult_reoffending_rank",
                "ref.area_level",
                "ref.area_parent",
                "ref.claim",
                "ref.unit_cost",
            ],
            ["warehouse/mart/claim_check.py"],
        ),
    ],
)
def test_what_python_computes_names_its_program(name: str, nearest: list[str], programs: list[str]) -> None:
    origin = trace(name)
    assert (names(origin.nearest), list(origin.programs)) == (nearest, programs)


def test_what_python_takes_over_is_followed_as_in_sql() -> None:
    origin = trace("mart.reoffending_rank.reoffenders")
    assert names(origin.nearest) == ["core.reoffending.reoffenders", "core.reoffending_total.reoffenders"]
    assert origin.programs == ()


def test_every_source_is_a_column_that_there_is() -> None:
    known = {f"{name}.{column}" for name, contract in contracts().items() for column in contract.columns}
    # What is read knows its file when it is loaded.
    known |= {f"{name}.sha256" for name in contracts() if name.startswith("tidy.")}
    for entry in list_entries():
        for column in entry.columns:
            for source in column.origin.nearest:
                if source.column and source.table.partition(".")[0] in (*PUBLISHED_SCHEMAS, "tidy"):
                    assert source.name in known, (entry.name, column.name, source)


def test_a_column_without_a_source_is_one_that_its_model_sets() -> None:
    """A column that cannot be followed would have none: these are written out in the SQL."""
    lost = [f"{e.name}.{c.name}" for e in list_entries() for c in e.columns if not c.origin.nearest]
    assert [name for name in lost if not name.endswith((".is_derived", ".table_name"))] == [
        "mart.reoffending_trend.previous_source",
        "mart.revision.figure",
        "ref.area_parent.vintage",
    ]


def test_what_python_models_compute_with_are_columns_of_their_inputs() -> None:
    lineage = read_lineage()
    models = {model.name: model for model in find_models() if model.path.suffix == ".py"}
    assert set(models) <= {*COMPUTED_FROM, "mart.claim_check"}
    for name, columns in COMPUTED_FROM.items():
        model = models[name if name in models else name.rpartition(".")[0]]
        for table, _, column in (each.rpartition(".") for each in columns):
            assert table in model.inputs
            assert column in lineage.list_columns(table), (name, table, column)


def test_a_table_names_what_it_is_made_from_and_used_by() -> None:
    entries = {entry.name: entry for entry in list_entries()}
    assert entries["mart.crime_trend"].inputs == ("mart.crime_trend_history",)
    assert {"core.recorded_crime", "core.recorded_crime_printed", "ref.population"} <= set(
        entries["mart.crime_trend_history"].inputs
    )
    assert "mart.crime_rank" in entries["mart.crime_trend"].users
    assert entries["mart.crime_rank"].model == "warehouse/mart/crime_rank.py"


# --- lineage of models made for it ---------------------------------------------------------------------

FACTS = "core.recorded_crime"


def follow(folder: Path, sql: str, **others: str) -> dict[str, list[str]]:
    """What each column of a model is made from; `others` are work tables by name."""
    for name, text in {"made": sql, **others}.items():
        path = folder / "work" / f"{name}.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    lineage = Lineage({model.name: model for model in find_models(folder)})
    return {name: names(lineage.trace("work.made", name).nearest) for name in lineage.list_columns("work.made")}


def test_arithmetic_names_and_constants(tmp_path: Path) -> None:
    sql = f"SELECT a.offences + a.row AS sum, a.sheet, 'x' AS kind, CAST(NULL AS DATE) AS day FROM {FACTS} AS a"
    assert follow(tmp_path, sql) == {
        "sum": [f"{FACTS}.offences", f"{FACTS}.row"],
        "sheet": [f"{FACTS}.sheet"],
        "kind": [],
        "day": [],
    }


def test_a_choice_is_made_of_what_it_chooses_from_and_a_code_of_what_decides(tmp_path: Path) -> None:
    sql = f"""
        SELECT
            CASE WHEN a.span = 'year' THEN a.offences END AS chosen,
            CASE WHEN a.offences IS NULL THEN 'no_data' WHEN a.row > 1 THEN a.sheet END AS reason,
            CASE a.span WHEN 'year' THEN 1 ELSE 0 END AS flag
        FROM {FACTS} AS a
    """
    assert follow(tmp_path, sql) == {
        "chosen": [f"{FACTS}.offences"],
        "reason": [f"{FACTS}.offences", f"{FACTS}.sheet"],
        "flag": [f"{FACTS}.span"],
    }


def test_windows_filters_and_counts(tmp_path: Path) -> None:
    sql = f"""
        SELECT
            lag(a.offences) OVER (PARTITION BY a.area_code ORDER BY a.period_end) AS before,
            row_number() OVER (PARTITION BY a.area_code ORDER BY a.period_end) AS number,
            max(a.offences) FILTER (WHERE a.span = 'year') AS largest,
            string_agg(a.sheet, ';' ORDER BY a.row) AS sheets,
            count(*) AS lines
        FROM {FACTS} AS a
    """
    assert follow(tmp_path, sql) == {
        "before": [f"{FACTS}.offences"],
        "number": [f"{FACTS}.area_code", f"{FACTS}.period_end"],
        "largest": [f"{FACTS}.offences"],
        "sheets": [f"{FACTS}.sheet"],
        "lines": [FACTS],
    }


def test_unions_stars_and_queries_within_go_by_place_and_name(tmp_path: Path) -> None:
    sql = f"""
        WITH both AS (
            SELECT a.area_code AS code, a.offences AS value FROM {FACTS} AS a
            UNION ALL
            SELECT p.area_code, p.population FROM ref.population AS p
        ),
        starred AS (SELECT both.*, (SELECT max(r.title) FROM meta.release AS r) AS title FROM both)
        SELECT * FROM starred
    """
    assert follow(tmp_path, sql) == {
        "code": [f"{FACTS}.area_code", "ref.population.area_code"],
        "value": [f"{FACTS}.offences", "ref.population.population"],
        "title": ["meta.release.title"],
    }


def test_work_tables_are_seen_through(tmp_path: Path) -> None:
    sql = (
        "SELECT step.*, area.area_name FROM work.step AS step LEFT JOIN ref.area AS area ON area.area_code = step.code"
    )
    step = f"SELECT area_code AS code, offences * 2 AS twice FROM {FACTS}"
    assert follow(tmp_path, sql, step=step) == {
        "code": [f"{FACTS}.area_code"],
        "twice": [f"{FACTS}.offences"],
        "area_name": ["ref.area.area_name"],
    }


def test_a_python_model_of_which_nothing_is_said_names_the_tables_that_it_rests_on(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "step.sql").write_text(f"SELECT a.offences AS value FROM {FACTS} AS a", encoding="utf-8")
    (tmp_path / "work" / "guess.py").write_text('INPUTS = ["work.step"]\n', encoding="utf-8")
    (tmp_path / "work" / "made.sql").write_text("SELECT g.value, g.low FROM work.guess AS g", encoding="utf-8")
    lineage = Lineage({model.name: model for model in find_models(tmp_path)})
    assert names(lineage.trace("work.made", "value").nearest) == [f"{FACTS}.offences"]
    low = lineage.trace("work.made", "low")
    assert (names(low.nearest), low.programs) == ([FACTS], ("warehouse/work/guess.py",))


# --- examples ------------------------------------------------------------------------------------------


def test_every_table_has_an_example() -> None:
    assert set(read_examples()) == {contract.name for contract in published_contracts()}


def test_every_example_runs_on_the_demo(demo_home: Path) -> None:
    with duckdb.connect(str(demo_home / "current" / "warehouse.duckdb"), read_only=True) as connection:
        rows = {
            (table, example.question): connection.execute(example.sql).fetchall()
            for table, examples in read_examples().items()
            for example in examples
        }
    # Nothing is missed in the demo; all others find something.
    assert [table for (table, _), found in rows.items() if not found] == ["meta.check_result"]


def test_an_example_asks_its_table_and_stands_on_its_page(made_site: Path) -> None:
    for table, examples in read_examples().items():
        page = Page(made_site / f"dictionary/{table.replace('.', '/')}.html")
        for example in examples:
            assert table in example.sql or f"{table.removesuffix('_history')}_as_of(" in example.sql
            assert (3, example.question) in page.headings
