"""As it stood: whatever releases there are, a day shows what a warehouse of the releases up to that day would show."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from etl.build import build, open_for_building
from etl.contracts import contracts, quote
from etl.history import KNOWN, create_as_of, list_histories, name_macro
from etl.manifest import read_manifest
from etl.settings import Settings
from tests.sql.conftest import Query
from tests.sql.published import FORCE_TABLES, land_force_tables, land_geography, land_population
from tests.sql.test_cases import load_case, run_to
from tests.support import warehouse_alone

Row = Sequence[object]
FIRST_DAY = date(2019, 1, 1)
# An example takes seconds: the one that fails is shown as it was found.
SLOW = settings(suppress_health_check=[HealthCheck.too_slow], phases=[Phase.explicit, Phase.generate])
FORCES = ("E23000014", "E23000015")


def write_case(folder: Path, releases: Iterable[Row], tidy: str, header: Row, lines: Iterable[Row]) -> Path:
    """A case as `test_cases` reads them, of releases (source, edition, day, time) and lines of a tidy table."""
    for name, rows in (
        ("input.release", [("source", "edition", "published_on", "published_at"), *releases]),
        (f"tidy.{tidy}", [header, *lines]),
    ):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


@contextmanager
def build_case(case: Path, table: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of what a case holds, up to a table."""
    with tempfile.TemporaryDirectory() as folder, open_for_building(Path(folder) / "case.duckdb") as connection:
        load_case(connection, case)
        run_to(connection, case, table)
        yield connection


def read_as_of(connection: duckdb.DuckDBPyConnection, table: str, day: date) -> list[Row]:
    """What the macro of a table shows."""
    columns = ", ".join(quote(name) for name in contracts()[table].columns)
    return connection.execute(
        f"SELECT {columns} FROM {table}_history WHERE known_from_on <= $day "
        "AND (known_to_on IS NULL OR known_to_on > $day) ORDER BY ALL",
        {"day": day},
    ).fetchall()


def assert_every_day_is_that_of_its_releases(
    table: str, releases: list[Row], tidy: str, header: Row, lines: list[Row]
) -> None:
    days = sorted({day for _, _, day, _ in releases if isinstance(day, date)})
    with tempfile.TemporaryDirectory() as name:
        cases = {day: Path(name) / f"{day}" for day in days}
        for day, case in cases.items():
            case.mkdir()
            known = [row for row in releases if str(row[2]) <= str(day)]
            editions = {row[1] for row in known}
            write_case(case, known, tidy, header, [row for row in lines if row[0] in editions])
        shown = {}
        for day, case in cases.items():
            with build_case(case, table) as connection:
                shown[day] = connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
                if day == days[-1]:
                    for earlier in days:
                        assert read_as_of(connection, table, earlier) == shown[earlier]
                    assert read_as_of(connection, table, day + timedelta(days=1)) == shown[day]


# --- every day is that of its releases -------------------------------------------------------------------

CRIME_HEADER = ("edition", "table_id", "measure", "level", "area_code", "offence_id", "span", "period_end", "value")
PERIODS = (date(2017, 3, 31), date(2018, 3, 31), date(2019, 3, 31))
SOURCES = (("recorded_crime_ons", "P1"), ("recorded_crime_home_office", "force"))


@st.composite
def publications(draw: st.DrawFn, source: str, number: int) -> Row:
    """A release on one of a few days, at one of two times of it."""
    day = FIRST_DAY + timedelta(days=draw(st.integers(0, 2)))
    return source, f"edition-{number}", day, f"{day} {draw(st.sampled_from(('09:30', '12:00')))}:00+00"


@st.composite
def crime_releases(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Up to four releases of two sources, each with some figures of two forces, a region and three years; those of ONS
    with changes as printed, of which some give the base."""
    releases: list[Row] = []
    lines: list[Row] = []
    for number in range(draw(st.integers(2, 4))):
        source, table_id = draw(st.sampled_from(SOURCES))
        releases.append(draw(publications(source, number)))
        places = [("police_force", force) for force in FORCES] + [("region", "E12000005")]
        stated = draw(st.sets(st.tuples(st.sampled_from(places), st.sampled_from(PERIODS)), min_size=1))
        for (level, area), end in sorted(stated):
            place = (level, area, "robbery", "year", end)
            lines.append((f"edition-{number}", table_id, "offences", *place, draw(st.integers(0, 300))))
            if source == "recorded_crime_ons" and draw(st.booleans()):
                lines.append((f"edition-{number}", "P2", "change_percent", *place, draw(st.sampled_from((-50, 0, 20)))))
    return releases, lines


@settings(SLOW, max_examples=5)
@given(crime_releases())
def test_crime_as_it_stood_is_the_crime_of_the_releases_up_to_then(made: tuple[list[Row], list[Row]]) -> None:
    releases, lines = made
    assert_every_day_is_that_of_its_releases("mart.crime_trend", releases, "recorded_crime", CRIME_HEADER, lines)


REOFFENDING_HEADER = (
    *("edition", "table_id", "measure", "level", "age_group", "area_code", "cohort_end", "offenders", "reoffenders"),
)
AUTHORITIES = ("E08000025", "E08000026", "E08000027", "E08000028")


@st.composite
def reoffending_releases(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Up to three releases, each with some authorities of two cohorts."""
    releases: list[Row] = []
    lines: list[Row] = []
    for number in range(draw(st.integers(2, 3))):
        releases.append(draw(publications("proven_reoffending", number)))
        stated = draw(st.sets(st.tuples(st.sampled_from(AUTHORITIES), st.sampled_from(PERIODS[:2])), min_size=1))
        for authority, end in sorted(stated):
            offenders = draw(st.integers(20, 200))
            place = (f"edition-{number}", "geographic", "three_month_cohort", "upper_tier", "all", authority, end)
            lines.append((*place, offenders, draw(st.integers(0, offenders))))
    return releases, lines


@settings(SLOW, max_examples=4)
@given(reoffending_releases())
def test_ranks_as_they_stood_are_the_ranks_of_the_releases_up_to_then(made: tuple[list[Row], list[Row]]) -> None:
    releases, lines = made
    assert_every_day_is_that_of_its_releases(
        "mart.reoffending_rank", releases, "reoffending", REOFFENDING_HEADER, lines
    )


def test_a_base_that_is_revised_gives_another_comparison_from_that_day_on() -> None:
    """Worked out by hand: 120 against 100 of another release is 20 more; against 110, as revised, 10."""
    releases = [
        ("recorded_crime_ons", name, day, f"{day} 09:30:00+00")
        for name, day in (("early", date(2018, 7, 19)), ("late", date(2019, 7, 18)), ("revised", date(2019, 10, 1)))
    ]
    place = ("P1", "offences", "police_force", FORCES[0], "robbery", "year")
    lines: list[Row] = [
        ("early", *place, date(2018, 3, 31), 100),
        ("late", *place, date(2019, 3, 31), 120),
        ("revised", *place, date(2018, 3, 31), 110),
    ]
    with tempfile.TemporaryDirectory() as name:
        case = write_case(Path(name), releases, "recorded_crime", CRIME_HEADER, lines)
        with build_case(case, "mart.crime_trend_history") as connection:
            rows = connection.execute(
                "SELECT period_end, offences, previous_offences, change, known_from_on, known_to_on "
                "FROM mart.crime_trend_history WHERE area_code = ? ORDER BY period_end, known_from",
                [FORCES[0]],
            ).fetchall()
    assert rows == [
        (date(2018, 3, 31), 100, None, None, date(2018, 7, 19), date(2019, 10, 1)),
        (date(2018, 3, 31), 110, None, None, date(2019, 10, 1), None),
        (date(2019, 3, 31), 120, 100, 20, date(2019, 7, 18), date(2019, 10, 1)),
        (date(2019, 3, 31), 120, 110, 10, date(2019, 10, 1), None),
    ]


@settings(SLOW, max_examples=4)
@given(crime_releases(), st.integers(0, 300))
def test_an_older_release_that_is_landed_late_changes_nothing_that_was_stated_since(
    made: tuple[list[Row], list[Row]], offences: int
) -> None:
    """It is of the day before all others: what they state stands as it did, on every day; what they do not is new."""
    releases, lines = made
    table = "mart.crime_trend_history"
    place = ("P1", "offences", "police_force", FORCES[0], "robbery", "year", PERIODS[1], offences)
    early = FIRST_DAY - timedelta(days=1)
    late = ("recorded_crime_ons", "late", early, f"{early} 09:30:00+00")
    stated = f"""
        SELECT area_code, offence_id, span, period_end, offences, release_id, known_from, known_to FROM {table}
        WHERE release_id <> 'recorded_crime_ons/late' AND NOT is_derived
        -- The year before can now be known where it was not: that splits no line, and moves no day.
        ORDER BY ALL
    """
    with tempfile.TemporaryDirectory() as name:
        before, after = Path(name) / "before", Path(name) / "after"
        for case, more, extra in ((before, [], []), (after, [late], [("late", *place)])):
            case.mkdir()
            write_case(case, [*releases, *more], "recorded_crime", CRIME_HEADER, [*lines, *extra])
        with build_case(before, table) as connection:
            stood = connection.execute(stated).fetchall()
        with build_case(after, table) as connection:
            assert connection.execute(stated).fetchall() == stood
            assert read_as_of(connection, "mart.crime_trend", FIRST_DAY - timedelta(days=2)) == []
            (shown,) = [
                row
                for row in read_as_of(connection, "mart.crime_trend", FIRST_DAY - timedelta(days=1))
                if row[0] == FORCES[0]
            ]
            assert shown[:4] == (FORCES[0], "robbery", "year", PERIODS[1])


# --- published files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("macro", [name_macro(history) for history in list_histories()])
def test_as_of_today_is_the_plain_table(whole: Query, demo: Query, macro: str) -> None:
    """Of `core`, whose tables hold all releases, the newest statement of each figure."""
    table = macro.removesuffix("_as_of")
    newest = table
    if macro.startswith("core."):
        key = ", ".join(name for name in contracts()[table].key if name not in ("release_id", "table_id"))
        newest = f"""(
            SELECT DISTINCT ON ({key}) figure.*
            FROM {table} AS figure
            JOIN meta.release AS release USING (release_id)
            JOIN meta.source_table AS source_table USING (source, table_id)
            ORDER BY {key}, release.published_on DESC, source_table.fineness DESC, release.published_at DESC,
                release_id DESC, source_table.position
        )"""
    for query in (whole, demo):
        for one, other in ((f"{macro}(DATE '9999-01-01')", newest), (newest, f"{macro}(DATE '9999-01-01')")):
            assert query(f"SELECT count(*) FROM (SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other})") == [(0,)]


@pytest.mark.parametrize(("title", "day"), [(title, day) for title, (day, _) in FORCE_TABLES.items()])
def test_each_publication_day_gives_the_figures_of_that_edition(force_tables: Query, title: str, day: str) -> None:
    """No edition of these states a figure of another, so that each stands as its edition gives it."""
    edition = title.lower().replace(" ", "-")
    stated = "SELECT area_code, offence_id, span, period_end, offences FROM core.recorded_crime WHERE release_id = ?"
    shown = f"SELECT area_code, offence_id, span, period_end, offences FROM core.recorded_crime_as_of('{day}')"
    release_id = f"recorded_crime_ons/{edition}@1"
    assert force_tables(f"SELECT count(*) FROM ({stated})", release_id) == [(1288,)]
    assert force_tables(f"SELECT count(*) FROM ({stated} EXCEPT {shown})", release_id) == [(0,)]
    before = date.fromisoformat(day) - timedelta(days=1)
    assert force_tables(
        f"SELECT count(*) FROM core.recorded_crime_as_of('{before}') WHERE release_id = ?", release_id
    ) == [(0,)]
    assert force_tables(
        f"SELECT count(*) FROM mart.crime_trend_as_of('{day}') WHERE release_id = ? AND NOT is_derived", release_id
    ) == [(1288,)]


def test_the_editions_landed_in_another_order_are_the_same_warehouse(
    force_tables_home: Path, publications: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    land_geography(home, publications)
    land_population(home, publications)
    land_force_tables(home, publications, titles=["Year ending March 2019", *reversed(FORCE_TABLES)])
    with warehouse_alone():
        built = build(home, Settings(home=home))
    first, second = (
        {name: table["sha256"] for name, table in read_manifest(folder)["tables"].items()}
        for folder in ((force_tables_home / "current").resolve(), built.folder)
    )
    assert second == first
    assert built.version == (force_tables_home / "current").resolve().name


def test_a_macro_works_on_an_attached_warehouse_and_takes_a_text(force_tables_home: Path) -> None:
    with duckdb.connect() as connection:
        path = (force_tables_home / "current").resolve() / "warehouse.duckdb"
        connection.execute(f"ATTACH '{path}' AS warehouse (READ_ONLY); USE warehouse")
        query = "SELECT count(*), max(period_end) FROM core.recorded_crime_as_of({})"
        assert connection.execute(query.format("DATE '2018-07-19'")).fetchone() == (1288, date(2018, 3, 31))
        assert connection.execute(query.format("'2018-07-19'")).fetchone() == (1288, date(2018, 3, 31))
        assert connection.execute(query.format("'2018-07-18'")).fetchone() == (0, None)


def test_every_history_has_the_columns_of_its_table_and_says_since_when() -> None:
    found = list_histories()
    assert [history.name for history in found] == [
        "core.local_adult_reoffending_history",
        "core.recorded_crime_history",
        "core.reoffending_history",
        "mart.crime_trend_history",
        "mart.local_adult_reoffending_rank_history",
        "mart.reoffending_rank_history",
    ]
    for history in found:
        table = contracts()[history.name.removesuffix("_history")]
        assert list(history.columns) == [*table.columns, *KNOWN]


def test_a_macro_says_what_it_is() -> None:
    with duckdb.connect() as connection:
        for history in list_histories():
            columns = ", ".join(
                f"CAST(NULL AS {field.type}) AS {quote(name)}" for name, field in history.columns.items()
            )
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {history.schema}")
            connection.execute(f"CREATE TABLE {history.name} AS SELECT {columns}")
        create_as_of(connection)
        rows = connection.execute(
            "SELECT schema_name || '.' || function_name, comment FROM duckdb_functions() "
            "WHERE function_type = 'table_macro' AND function_name LIKE '%_as_of' ORDER BY 1"
        ).fetchall()
    assert [name for name, _ in rows] == [name_macro(history) for history in list_histories()]
    assert all(f"SELECT * FROM {name}(DATE" in comment for name, comment in rows)
