"""Rankings of the demo: what `justice-etl rank` says, what holds of every ranking, and that none is made twice."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.build import build
from etl.files import remove_tree
from etl.manifest import read_manifest
from etl.publish import warehouse_path
from etl.rank_words import KINDS, LEVELS
from etl.settings import Settings
from tests.faults.commands import DONE, WRONG_USE, Commands, Outcome, assert_readable
from tests.faults.homes import read_tables
from tests.support import warehouse_alone

Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def query(demo_home: Path) -> Iterator[Query]:
    with duckdb.connect(str(warehouse_path(demo_home).resolve()), read_only=True) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


@pytest.fixture
def rank(commands: Commands, demo_home: Path) -> Callable[..., Outcome]:
    """Run `justice-etl rank` in the demo's home."""
    return lambda *words, **env: commands.run(demo_home, ["rank", *words], env=env)


Rank = Callable[..., Outcome]


# --- What is said

REOFFENDING = ("reoffending", "--level", "upper_tier", "--year", "2020/21", "--area", "Dudley")
CRIME = ("crime", "--level", "police_force")
ADULTS = ("local-adult", "--area", "Dudley")
KNOWN = {**dict.fromkeys(("reoffending", "crime"), "rank"), "local-adult": "rank_all"}


def _find(ranking: dict[str, Any]) -> dict[str, Any]:
    [row] = [row for row in ranking["rows"] if row["area_code"] == ranking["area_code"]]
    return dict(row)


@pytest.mark.parametrize(
    ("words", "title", "header"),
    [
        (
            REOFFENDING,
            "Upper-tier authorities by proven reoffending rate, adults and children, April 2020 to March 2021",
            "rate percent",
        ),
        (CRIME, "Police forces by recorded crime rate, Total recorded crime (excluding fraud), ", "rate per 1000"),
        (
            ADULTS,
            "Upper-tier authorities by local adult reoffending against its prediction, January 2013 to December 2013",
            "difference percent",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_table_with_how_sure_each_rank_is(words: tuple[str, ...], title: str, header: str, rank: Rank) -> None:
    outcome = rank(*words)
    assert (outcome.status, outcome.err) == (DONE, ""), outcome.text
    first, *_ = outcome.out.splitlines()
    assert first.startswith(title)
    beside = [name.replace("_", " ") for name in KINDS[words[0]].beside] or ["95% interval"]
    shown = ["rank", "area", header, *beside, "rank given the data", "guaranteed rank", "cannot be told from"]
    # A wide table breaks its headers over lines.
    header_lines = outcome.out[: outcome.out.index("━")]
    for name in (*shown, "funnel, or why not ranked"):
        assert all(word in header_lines for word in name.split()), name
    assert "MODELLED SAMPLE: no judgement on any area follows from these figures." in outcome.out
    assert KINDS[words[0]].caveat in outcome.out
    assert not re.search(r"\b(best|worst|better|worse)\b", outcome.out, re.IGNORECASE)


@pytest.mark.parametrize(
    "words",
    [REOFFENDING, (*CRIME, "--year", "2018-03-31", "--area", "Kent"), ADULTS],
    ids=lambda words: words[0],
)
def test_the_sentence_holds_rank_interval_and_what_cannot_be_told(words: tuple[str, ...], rank: Rank) -> None:
    ranking = rank(*words, "--json").json
    row = _find(ranking)
    kind = KINDS[words[0]]
    found = re.fullmatch(
        r"(?P<area>.+) has rank (?P<rank>\d+)(?: \(shared\))? of (?P<of>\d+) \((?P<value>[−+\d.]+).*\), 1 being "
        rf"{kind.lowest}; given the data its rank lies between (?P<low>\d+) and (?P<high>\d+) \(95%\), and "
        r"it cannot be told apart from (?P<apart>any|\d+) of the other (?P<others>\d+): "
        rf'"number one" \({kind.lowest}\) (?P<judgement>.+)\.',
        ranking["sentence"],
    )
    assert found, ranking["sentence"]
    areas = row["ranked_areas"]
    apart = row["indistinguishable_areas"]
    assert found["area"] == row["area_name"]
    assert int(found["rank"]) == row[KNOWN[words[0]]]
    assert (int(found["of"]), int(found["others"])) == (areas, areas - 1)
    assert (int(found["low"]), int(found["high"])) == (row["rank_low"], row["rank_high"])
    assert found["apart"] == ("any" if apart == areas - 1 else str(apart))
    assert float(found["value"].replace("−", "-")) == pytest.approx(row[kind.value], abs=0.0501)
    ruled_out = row["rank_bound_low"] > 1
    assert found["judgement"] == ("can be ruled out" if ruled_out else "can neither be said of it nor ruled out")


def test_the_sentence_and_the_notes_are_printed(rank: Rank) -> None:
    ranking = rank(*REOFFENDING, "--json").json
    assert rank(*REOFFENDING).out.splitlines()[-4:] == [ranking["sentence"], *ranking["notes"]]


def test_json_is_the_ranking_of_the_warehouse(rank: Rank, query: Query) -> None:
    ranking = rank(*REOFFENDING, "--json").json
    [(rows,)] = query(
        "SELECT to_json(list(t ORDER BY rank NULLS LAST, area_name, area_code)) FROM mart.reoffending_rank AS t "
        "WHERE level = 'upper_tier' AND cohort_end = DATE '2021-03-31' AND age_group = 'all' AND span = 'year'"
    )
    assert ranking["rows"] == json.loads(rows)
    assert len(ranking["rows"]) > 170
    assert (ranking["kind"], ranking["area_code"]) == ("reoffending", "E08000027")
    assert all(row["is_modelled"] for row in ranking["rows"])


def test_the_newest_year_with_ranks_without_one(rank: Rank, query: Query) -> None:
    of_forces = "FROM mart.crime_rank WHERE level = 'police_force' AND offence_id = 'total_excluding_fraud'"
    [(newest,)] = query(f"SELECT max(period_end) {of_forces} AND rank IS NOT NULL")
    [(held,)] = query(f"SELECT max(period_end) {of_forces}")
    assert newest < held
    rows = rank(*CRIME, "--json").json["rows"]
    assert {row["period_end"] for row in rows} == {str(newest)}
    assert {row["offence_id"] for row in rows} == {"total_excluding_fraud"}


def test_as_many_rows_as_asked_for(rank: Rank) -> None:
    lines = rank(*REOFFENDING, "--limit", "5").out.splitlines()
    [more] = [
        int(match[1]) for line in lines if (match := re.fullmatch(r"… and (\d+) more; --limit gives them\.", line))
    ]
    assert more + 5 == len(rank(*REOFFENDING, "--json").json["rows"])
    assert sum("│" in line for line in lines) == 5


def test_who_is_not_ranked_is_told_why(rank: Rank) -> None:
    sentence = rank("reoffending", "--year", "2020/21", "--area", "Isles of Scilly", "--json").json["sentence"]
    assert sentence == "Isles of Scilly is not ranked: it has fewer than 30 offenders."
    sentence = rank(*CRIME, "--area", "City of London", "--json").json["sentence"]
    assert sentence.startswith("London, City of is not ranked: it has no residents to speak of")


@pytest.mark.parametrize("columns", ["1", "20", "60", "1000"])
def test_a_screen_of_any_width(columns: str, rank: Rank) -> None:
    outcome = rank(*REOFFENDING, "--limit", "3", COLUMNS=columns)
    assert outcome.status == DONE, outcome.text
    assert outcome.err == ""
    assert "Dudley has rank" in outcome.out


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["burglary"], ["there is no ranking 'burglary'", "reoffending, crime, local-adult"]),
        (["crime", "--level", "street"], ["there is no level 'street'", ", ".join(LEVELS)]),
        (["crime", "--level", "upper_tier"], ["the level 'upper_tier'", "there is: csp, police_force, region"]),
        (["local-adult", "--level", "region"], ["the level 'region'", "there is: upper_tier"]),
        (["reoffending", "--level", "csp"], ["the level 'csp'", "there is: police_force, region, upper_tier"]),
        (["reoffending", "--age-group", "old"], ["the age group 'old'", "there is: adult, all, child"]),
        (["reoffending", "--measure", "two_year"], ["the measure 'two_year'", "three_month_cohort"]),
        ([*CRIME, "--offence", "drug_offences"], ["the offence 'drug_offences'", "robbery", "burglary"]),
        (["reoffending", "--year", "soon"], ["'soon' is no year", "2020/21"]),
        (["reoffending", "--year", "1999/00"], ["the year to 2000-03-31", "held are the years to", "2021-03-31"]),
        (["reoffending", "--area", "Dudly"], ["'Dudly' is not in this ranking", "near it: Dudley"]),
        ([*CRIME, "--area", "Dudley"], ["'Dudley' is not in this ranking"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and len(value) < 6 else "",
)
def test_wrong_use_is_one_message_that_names_what_there_is(words: list[str], parts: list[str], rank: Rank) -> None:
    for more in ([], ["--json"]):
        outcome = rank(*words, *more)
        assert_readable(outcome, *parts, status=WRONG_USE)
        assert len(outcome.err.splitlines()) == 2
        assert outcome.out == ""


def test_a_limit_of_none_and_no_kind_are_wrong_use(rank: Rank) -> None:
    for words in ((), ("crime", "--limit", "0")):
        outcome = rank(*words)
        assert outcome.status == WRONG_USE
        assert "Usage: justice-etl rank" in outcome.err


def test_before_anything_is_published(commands: Commands, tmp_path: Path) -> None:
    assert_readable(commands.run(tmp_path / "home", ["rank", "crime"]), "nothing is published", "justice-etl build")


def test_a_warehouse_without_figures_to_rank(commands: Commands, served: Path) -> None:
    assert_readable(
        commands.run(served, ["rank", "reoffending"]), "holds no mart.reoffending_rank", "justice-etl publish"
    )


# --- What holds of every ranking

TABLES = {
    "mart.reoffending_rank": ("rank", "rate_percent", "level, measure, span, cohort_end, age_group"),
    "mart.crime_rank": ("rank", "rate_per_1000", "level, offence_id, period_end"),
    "mart.local_adult_reoffending_rank": ("rank_all", "difference_percent", "level, period_end"),
}
EVERY = pytest.mark.parametrize("table", TABLES)
SURE = [
    *("expected_rank", "rank_low", "rank_high", "rank_bound_low", "rank_bound_high", "indistinguishable_areas"),
    "rankability",
]
WIDER = [
    *("tied", "rank_bound_simultaneous_low", "rank_bound_simultaneous_high", "lowest_10_percent"),
    *("highest_10_percent", "funnel_class", "funnel_class_overdispersed"),
]


def _assert_none(query: Query, table: str, where: str) -> None:
    """No line of a table is so, and some lines are there to be so."""
    assert query(f"SELECT count(*) > 0 FROM {table}") == [(True,)]
    assert query(f"SELECT * FROM {table} WHERE {where} LIMIT 3") == []


def _columns(table: str, query: Query) -> set[str]:
    return {row[0] for row in query(f"DESCRIBE {table}")}


RANKED = "(eligible AND reason IS DISTINCT FROM 'no_previous')"
"""What has a rank: none is given where nobody could say how sure it is."""


@EVERY
def test_ranks_follow_the_values_and_ties_share_them(table: str, query: Query) -> None:
    rank, value, ranking = TABLES[table]
    counted = (
        f"SELECT *, rank() OVER (PARTITION BY {ranking} ORDER BY {value}) AS counted_rank, "
        f"count(*) OVER (PARTITION BY {ranking}, {value}) AS equals, count(*) OVER (PARTITION BY {ranking}) AS areas "
        f"FROM {table} WHERE {RANKED}"
    )
    _assert_none(query, f"({counted})", f"{rank} IS DISTINCT FROM counted_rank OR ranked_areas IS DISTINCT FROM areas")
    if "tied" in _columns(table, query):
        _assert_none(query, f"({counted})", "tied IS DISTINCT FROM (equals > 1)")


@EVERY
def test_who_is_not_ranked_has_a_reason_and_no_rank(table: str, query: Query) -> None:
    rank = TABLES[table][0]
    _assert_none(query, table, "eligible IS DISTINCT FROM (exclusion_reason IS NULL)")
    _assert_none(query, table, "NOT eligible AND reason IS DISTINCT FROM exclusion_reason")
    nulls = [name for name in (rank, "ranked_areas", *SURE, *WIDER) if name in _columns(table, query)]
    _assert_none(query, table, f"NOT eligible AND ({' OR '.join(f'{name} IS NOT NULL' for name in nulls)})")
    _assert_none(query, table, f"{RANKED} AND ({rank} IS NULL OR ranked_areas IS NULL)")
    _assert_none(query, table, f"NOT {RANKED} AND ({rank} IS NOT NULL OR ranked_areas IS NOT NULL)")  # nor bounds
    _assert_none(query, table, "eligible AND area_code LIKE 'x-%'")
    _assert_none(query, table, "eligible AND reason NOT IN ('no_previous', 'no_spread', 'too_few')")


@EVERY
def test_every_line_has_a_level_and_every_ranking_one_release(table: str, query: Query) -> None:
    _assert_none(query, table, f"level IS NULL OR level NOT IN ({', '.join(map(repr, LEVELS))})")
    per_ranking = f"SELECT count(DISTINCT release_id) AS releases FROM {table} GROUP BY {TABLES[table][2]}"
    _assert_none(query, f"({per_ranking})", "releases <> 1")


@EVERY
def test_bounds_hold_the_rank(table: str, query: Query) -> None:
    rank = TABLES[table][0]
    bounds = "rank_bound_low IS NOT NULL"
    _assert_none(query, table, f"{bounds} AND NOT ({rank} BETWEEN rank_bound_low AND rank_bound_high)")
    _assert_none(query, table, f"{bounds} AND (rank_bound_low < 1 OR rank_bound_high > ranked_areas)")
    _assert_none(query, table, f"{bounds} AND indistinguishable_areas <> rank_bound_high - rank_bound_low")
    _assert_none(query, table, f"eligible AND ({bounds}) IS DISTINCT FROM (reason IS DISTINCT FROM 'no_previous')")
    if "rank_bound_simultaneous_low" in _columns(table, query):
        within = (
            "rank_bound_simultaneous_low BETWEEN 1 AND rank_bound_low "
            "AND rank_bound_simultaneous_high BETWEEN rank_bound_high AND ranked_areas"
        )
        _assert_none(query, table, f"{bounds} AND NOT ({within})")


@EVERY
def test_ranks_given_the_data(table: str, query: Query) -> None:
    _assert_none(query, table, "expected_rank NOT BETWEEN 1 AND ranked_areas")
    _assert_none(query, table, "NOT (1 <= rank_low AND rank_low <= rank_high AND rank_high <= ranked_areas)")
    _assert_none(query, table, "rankability NOT BETWEEN 0 AND 1")
    _assert_none(query, table, "eligible AND (expected_rank IS NULL) <> (rank_low IS NULL)")
    _assert_none(query, table, "rank_low IS NOT NULL AND ranked_areas < 10")
    # Whatever is drawn, the ranks of K areas add up to K(K + 1)/2.
    sums = f"SELECT sum(expected_rank) AS total, min(ranked_areas) AS k FROM {table} WHERE expected_rank IS NOT NULL"
    _assert_none(query, f"({sums} GROUP BY {TABLES[table][2]})", "abs(total - k * (k + 1) / 2) > 1e-6")


@pytest.mark.parametrize("table", list(TABLES)[:2])
def test_probabilities_are_percents_of_ten_places(table: str, query: Query) -> None:
    for name in ("lowest_10_percent", "highest_10_percent"):
        _assert_none(query, table, f"{name} NOT BETWEEN 0 AND 100 OR {name} <> round({name})")
        _assert_none(query, table, f"{name} IS NOT NULL AND ranked_areas < 30")
        sums = f"SELECT sum({name}) AS total, count(*) AS k FROM {table} WHERE {name} IS NOT NULL"
        _assert_none(query, f"({sums} GROUP BY {TABLES[table][2]})", "abs(total - 1000) > k / 2")


def test_intervals_hold_their_rate(query: Query) -> None:
    slack = 1e-9
    _assert_none(query, "mart.reoffending_rank", "eligible AND rate_percent NOT BETWEEN 0 AND 100")
    _assert_none(
        query,
        "mart.reoffending_rank",
        f"eligible AND NOT (0 <= wilson_low_percent AND wilson_low_percent <= rate_percent + {slack} "
        f"AND rate_percent <= wilson_high_percent + {slack} AND wilson_high_percent <= 100)",
    )
    _assert_none(query, "mart.reoffending_rank", "shrunken_rate_percent NOT BETWEEN 0 AND 100")
    _assert_none(
        query,
        "mart.crime_rank",
        "eligible AND NOT (0 <= rate_low_per_1000 AND rate_low_per_1000 <= rate_per_1000 "
        "AND rate_per_1000 <= rate_high_per_1000)",
    )
    _assert_none(query, "mart.crime_rank", "shrunken_rate_per_1000 <= 0 OR yearly_noise_percent < 0")


def test_rates_are_those_of_the_counts(query: Query) -> None:
    _assert_none(query, "mart.reoffending_rank", "abs(rate_percent - 100 * reoffenders / offenders) > 1e-9")
    _assert_none(query, "mart.crime_rank", "eligible AND abs(rate_per_1000 - 1000 * offences / population) > 1e-9")
    _assert_none(
        query,
        "mart.local_adult_reoffending_rank",
        "abs(difference_percent - 100 * (actual_percent / predicted_percent - 1)) > 1e-9",
    )


def test_a_design_effect_of_years_of_three_month_cohorts_alone(query: Query) -> None:
    expected = "CASE WHEN measure = 'three_month_cohort' AND span = 'year' THEN 1.3 ELSE 1 END"
    _assert_none(query, "mart.reoffending_rank", f"design_effect <> {expected}")


def test_the_shrunken_rate_lies_between_the_rate_and_the_average(query: Query) -> None:
    """The average of the fit lies between the lowest and the highest rate, so no shrunken rate lies beyond them."""
    ranges = (
        "SELECT min(rate_percent) AS low, max(rate_percent) AS high, min(shrunken_rate_percent) AS shrunken_low, "
        "max(shrunken_rate_percent) AS shrunken_high FROM mart.reoffending_rank "
        f"WHERE shrunken_rate_percent IS NOT NULL GROUP BY {TABLES['mart.reoffending_rank'][2]}"
    )
    _assert_none(query, f"({ranges})", "shrunken_low < low OR shrunken_high > high")


def test_offences_found_by_police_activity_and_fraud_are_not_ranked(query: Query) -> None:
    names = [row[0] for row in query("SELECT DISTINCT offence_id FROM mart.crime_rank")]
    assert {"total_excluding_fraud", "robbery", "homicide"} < set(names)
    assert [name for name in names if re.search("drug|weapon|(?<!excluding_)fraud", name)] == []


def test_significant_adults_are_ranked_among_themselves(query: Query) -> None:
    counted = (
        "SELECT *, rank() OVER (PARTITION BY level, period_end ORDER BY difference_percent) AS counted "
        "FROM mart.local_adult_reoffending_rank WHERE eligible AND significant"
    )
    _assert_none(query, f"({counted})", "rank_significant IS DISTINCT FROM counted")
    _assert_none(
        query, "mart.local_adult_reoffending_rank", "rank_significant IS NOT NULL AND NOT (eligible AND significant)"
    )


# --- Made once


def _refuse(*_: object) -> None:
    raise AssertionError("a ranking was made again")


def test_a_second_build_ranks_nothing_and_makes_the_same_tables(
    demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo was built without a cache; what it kept serves a build of the same files in another home."""
    home = tmp_path / "home"
    for name in ("landing", "tidy", "ranks"):
        shutil.copytree(demo_home / name, home / name, symlinks=True)
    shutil.copy(demo_home / "home.json", home)
    kept = {path.name: path.read_bytes() for path in sorted((home / "ranks").iterdir())}
    assert list(kept) == [
        "mart.crime_rank.parquet",
        "mart.local_adult_reoffending_rank_history.parquet",
        "mart.reoffending_rank_history.parquet",
    ]
    for name in ("rank_reoffending", "rank_crime", "rank_local_adult"):
        monkeypatch.setattr(f"etl.rank_tables.{name}", _refuse)
    with warehouse_alone():  # it is the tables that are compared
        built = build(home, Settings(home=home))
    assert built.is_new
    assert read_manifest(built.folder)["tables"] == read_tables(demo_home)
    assert {path.name: path.read_bytes() for path in sorted((home / "ranks").iterdir())} == kept
    remove_tree(home)
