"""Rankings in words: years as people write them, one honest sentence about an area, and what there is to choose."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from etl import console
from etl.contracts import contracts, quote
from etl.errors import JusticeError, WrongUseError
from etl.files import write_json
from etl.rank_words import KINDS, LEVELS, Ranking, count_by_chance, describe_area, list_notes, parse_year, read_ranking

# --- Years


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2020/21", date(2021, 3, 31)),
        ("2020/2021", date(2021, 3, 31)),
        ("2012-13", date(2013, 3, 31)),
        (" 1999/00 ", date(2000, 3, 31)),
        ("2021-03-31", date(2021, 3, 31)),
        ("31/03/2021", date(2021, 3, 31)),
        ("30 June 2025", date(2025, 6, 30)),
        ("June 2025", date(2025, 6, 30)),
        ("year ending June 2025", date(2025, 6, 30)),
        ("Apr 2020 to Mar 2021", date(2021, 3, 31)),
        ("April 2015 – March 2016", date(2016, 3, 31)),
    ],
)
def test_a_year_as_people_write_it(text: str, end: date) -> None:
    assert parse_year(text) == end


@pytest.mark.parametrize(
    "text", ["", "2021", "2020/22", "soon", "2021-02-30", "Q1 2020", "Jan 2021 to Mar 2021", "Apr 2019 to Mar 2021"]
)
def test_what_is_no_year(text: str) -> None:
    with pytest.raises(WrongUseError, match=re.escape(f"{text!r} is no year")) as error:
        parse_year(text)
    assert "2020/21" in error.value.next_step


# --- One area in a sentence


def _row(**change: Any) -> dict[str, Any]:
    """Kent as the third of ten, with every column that a sentence needs."""
    return {
        "area_name": "Kent",
        "eligible": True,
        "exclusion_reason": None,
        "ranked_areas": 10,
        "rank": 3,
        "tied": False,
        "rate_percent": 24.06,
        "wilson_low_percent": 22.04,
        "wilson_high_percent": 26.96,
        "rank_low": 2,
        "rank_high": 6,
        "rank_bound_low": 2,
        "rank_bound_high": 8,
        "indistinguishable_areas": 6,
    } | change


def _describe(**change: Any) -> str:
    return describe_area("reoffending", _row(**change))


def test_a_sentence_holds_rank_size_interval_and_what_cannot_be_told() -> None:
    assert _describe() == (
        "Kent has rank 3 of 10 (24.1%, 95% interval 22.0 to 27.0), 1 being the lowest rate; given the data its rank "
        'lies between 2 and 6 (95%), and it cannot be told apart from 6 of the other 9: "number one" (the lowest rate) '
        "can be ruled out."
    )


def test_number_one_holds_only_where_the_guaranteed_rank_is_one() -> None:
    text = _describe(rank=1, rank_bound_low=1, rank_bound_high=1, indistinguishable_areas=0)
    assert text.endswith('and it stands apart from all others: "number one" (the lowest rate) holds.')


def test_first_but_not_proven() -> None:
    text = _describe(rank=1, rank_bound_low=1, rank_bound_high=5, indistinguishable_areas=4)
    assert text.endswith(
        'from 4 of the other 9: "number one" (the lowest rate) does not hold, since its rank could be as high as 5.'
    )


def test_not_first_but_could_be() -> None:
    text = _describe(rank_bound_low=1)
    assert text.endswith('"number one" (the lowest rate) can neither be said of it nor ruled out.')


def test_apart_from_nobody() -> None:
    text = _describe(rank_bound_low=1, rank_bound_high=10, indistinguishable_areas=9)
    assert "and it cannot be told apart from any of the other 9:" in text


def test_a_shared_rank_is_called_shared() -> None:
    assert _describe(tied=True).startswith("Kent has rank 3 (shared) of 10 (")
    assert "shared" not in _describe()


def test_without_empirical_bayes_the_bounds_speak() -> None:
    text = _describe(rank_low=None, rank_high=None)
    assert "given the data" not in text
    assert (
        "1 being the lowest rate; its rank is guaranteed to lie between 2 and 8 (95%), and it cannot be told apart "
        "from 6 of the other 9" in text
    )
    alone = _describe(rank_low=None, rank_high=None, rank_bound_low=3, rank_bound_high=3, indistinguishable_areas=0)
    assert "; its rank is guaranteed to be 3 (95%), and it stands apart from all others" in alone


def test_without_bounds_there_is_no_rank() -> None:
    nothing = dict.fromkeys(("rank_low", "rank_high", "rank_bound_low", "rank_bound_high", "indistinguishable_areas"))
    text = _describe(rank=None, **nothing)
    assert text == (
        "Kent has no rank (24.1%, 95% interval 22.0 to 27.0): fewer than three earlier years can be compared, so that "
        "nobody could say how sure a rank is."
    )
    assert "number one" not in text


def test_without_anything_that_says_how_sure_it_is_none_is_made_up() -> None:
    nothing = dict.fromkeys(("rank_low", "rank_high", "rank_bound_low", "rank_bound_high"))
    assert "1 being the lowest rate, and it cannot be told apart" in _describe(**nothing)


def test_the_only_area() -> None:
    text = _describe(rank=1, ranked_areas=1, rank_bound_low=1, rank_bound_high=1, indistinguishable_areas=0)
    assert text.startswith("Kent is the only area that is ranked (24.1%")
    assert "number one" not in text


REASONS = {
    "no_data": "no figures",
    "too_few": "fewer than 30 offenders",
    "unknown_area": "no area",
    "no_resident_population": "no residents",
    "population_missing": "population is not known",
    "negative_count": "a correction",
}


@pytest.mark.parametrize("reason", REASONS)
def test_who_is_not_ranked_is_told_why(reason: str) -> None:
    text = _describe(eligible=False, exclusion_reason=reason, rank=None, ranked_areas=None)
    assert text.startswith("Kent is not ranked: ")
    assert REASONS[reason] in text
    assert not re.search(r"\d+ of \d|number one|_", text)


def test_every_reason_of_the_contract_has_words() -> None:
    description = contracts()["mart.reoffending_rank"].columns["exclusion_reason"].description
    assert set(re.findall(r"[a-z]+_[a-z_]+", description)) == set(REASONS)


def test_crime_is_per_thousand_residents() -> None:
    row = _row(rate_per_1000=0.0123, rate_low_per_1000=0.0081, rate_high_per_1000=0.0184)
    assert "(0.012 per 1,000 residents, 95% interval 0.008 to 0.018)" in describe_area("crime", row, 3)


@pytest.mark.parametrize(
    ("difference", "text"),
    [(-22.04, "−22.0%"), (3.96, "+4.0%"), (0.0, "0.0%"), (-0.04, "0.0%"), (-0.06, "−0.1%")],
)
def test_adults_are_told_by_their_difference(difference: float, text: str) -> None:
    row = _row(rank_all=3, difference_percent=difference)
    del row["tied"], row["rank"]
    found = describe_area("local-adult", row)
    assert f"rank 3 of 10 ({text} against its prediction), 1 being the furthest below its prediction;" in found
    assert '"number one" (the furthest below its prediction) can be ruled out' in found


# --- A home with rankings made by hand


def _reoffending(code: str, name: str, rank: int | None, **more: Any) -> dict[str, Any]:
    ranked = {"rank": rank, "tied": False, "ranked_areas": 3, "rank_bound_low": 1, "rank_bound_high": 3}
    ranked |= {"indistinguishable_areas": 2, "funnel_class": "above_95" if rank == 3 else "inside"}
    return {
        "area_code": code,
        "area_name": name,
        "level": "upper_tier",
        "measure": "three_month_cohort",
        "span": "year",
        "cohort_end": date(2021, 3, 31),
        "cohort_start": date(2020, 4, 1),
        "age_group": "all",
        "rate_percent": 20.0 + (rank or 9),
        "wilson_low_percent": 19.0,
        "wilson_high_percent": 31.0,
        "design_effect": 1.3,
        "eligible": rank is not None,
        "exclusion_reason": None if rank else "unknown_area",
        "release_id": "proven_reoffending/a@1",
        "table_id": "geographic",
        "is_derived": True,
        "is_modelled": True,
        **(ranked if rank else {}),
        **more,
    }


def _crime(code: str, name: str, rank: int, rate: float, **more: Any) -> dict[str, Any]:
    return {
        "area_code": code,
        "area_name": name,
        "level": "police_force",
        "offence_id": "total_excluding_fraud",
        "offence_name": "Total recorded crime (excluding fraud)",
        "period_end": date(2019, 3, 31),
        "period_start": date(2018, 4, 1),
        "rate_per_1000": rate,
        "rate_low_per_1000": rate / 2,
        "rate_high_per_1000": 2 * rate,
        "rank": rank,
        "tied": False,
        "ranked_areas": 2,
        "eligible": True,
        "reason": "no_previous",
        "release_id": "recorded_crime_ons/a@1",
        "table_id": "P1",
        "is_derived": False,
        "is_modelled": False,
        **more,
    }


def _adults(code: str, name: str, rank: int, end: date) -> dict[str, Any]:
    return {
        "area_code": code,
        "area_name": name,
        "level": "upper_tier",
        "period_end": end,
        "period_start": date(end.year - 1, 4, 1),
        "difference_percent": 10.0 * rank - 25,
        "rank_all": rank,
        "ranked_areas": 2,
        "rank_bound_low": 1,
        "rank_bound_high": 2,
        "indistinguishable_areas": 1,
        "eligible": True,
        "release_id": "local_adult_reoffending/a@1",
        "table_id": "local_authority",
        "is_modelled": True,
    }


DUDLEY, SANDWELL, YORK = "E08000027", "E08000028", "E06000014"
ROWS = {
    "mart.reoffending_rank": [
        _reoffending(SANDWELL, "Sandwell", 2),
        _reoffending(DUDLEY, "Dudley", 1),
        _reoffending(YORK, "York", 3),
        _reoffending("x-unknown-upper-tier", "Unknown", None),
        _reoffending(DUDLEY, "Dudley", 1, cohort_end=date(2020, 3, 31), cohort_start=date(2019, 4, 1)),
        _reoffending(DUDLEY, "Dudley", 1, age_group="adult"),
        _reoffending(DUDLEY, "Dudley", 1, measure="twelve_month_cohort", age_group="adult"),
        _reoffending(DUDLEY, "Dudley", 1, cohort_end=date(2021, 6, 30), span="quarter"),
    ],
    "mart.crime_rank": [
        _crime("E23000032", "Kent", 2, 97.5),
        _crime("E23000034", "London, City of", 1, 90.0),
        _crime("E22000001", "Kent", 1, 4.0, level="csp", offence_id="robbery", offence_name="Robbery"),
        _crime("E22000002", "kent", 2, 5.0, level="csp", offence_id="robbery", offence_name="Robbery"),
        _crime("E23000032", "Kent", 1, 0.012, offence_id="homicide", offence_name="Homicide"),
    ],
    "mart.local_adult_reoffending_rank": [
        _adults(DUDLEY, "Dudley", 1, date(2013, 3, 31)),
        _adults(SANDWELL, "Sandwell", 2, date(2013, 3, 31)),
    ],
}


def _make_home(home: Path, rows: dict[str, list[dict[str, Any]]]) -> Path:
    folder = home / "versions" / "made"
    folder.mkdir(parents=True)
    write_json(home / "home.json", {"kind": "demo"})
    (home / "current").symlink_to("versions/made")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("CREATE SCHEMA mart")
        for table, lines in rows.items():
            connection.execute(contracts()[table].create())
            for line in lines:
                names, marks = ", ".join(map(quote, line)), ", ".join("?" * len(line))
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(line.values()))
    return home


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make_home(tmp_path_factory.mktemp("ranked") / "home", ROWS)


def test_rows_come_by_rank_and_who_is_not_ranked_comes_last(ranked: Path) -> None:
    ranking = read_ranking(ranked, "reoffending")
    assert [row["area_name"] for row in ranking.rows] == ["Dudley", "Sandwell", "York", "Unknown"]
    assert (ranking.area_code, ranking.sentence) == (None, None)


def test_the_newest_year_is_taken_unless_another_is_asked_for(ranked: Path) -> None:
    assert {row["cohort_end"] for row in read_ranking(ranked, "reoffending").rows} == {date(2021, 3, 31)}
    ranking = read_ranking(ranked, "reoffending", year="2019/20")
    assert [row["cohort_end"] for row in ranking.rows] == [date(2020, 3, 31)]


def test_a_year_in_which_nearly_no_area_has_an_offence_is_not_the_newest(tmp_path: Path) -> None:
    """Since an offence is no longer counted by its old name, 0.004 of one area and nothing of the others are ranked."""
    later = {"period_end": date(2020, 3, 31), "period_start": date(2019, 4, 1)}
    rows = [_crime(f"E2300000{place}", f"Force {place}", place, 10.0 * place) for place in (1, 2, 3)]
    rows += [row | later | {"rate_per_1000": 0.004 if row["rank"] == 3 else 0.0} for row in rows]
    home = _make_home(tmp_path / "home", {"mart.crime_rank": rows})
    assert {row["period_end"] for row in read_ranking(home, "crime").rows} == {date(2019, 3, 31)}
    assert len(read_ranking(home, "crime", year="2019/20").rows) == 3


@pytest.mark.parametrize(
    ("kind", "options", "title"),
    [
        (
            "reoffending",
            {},
            "Upper-tier authorities by proven reoffending rate, adults and children, April 2020 to March 2021",
        ),
        (
            "reoffending",
            {"age_group": "adult", "measure": "twelve_month_cohort"},
            "Upper-tier authorities by proven reoffending rate, adults, twelve-month cohort, April 2020 to March 2021",
        ),
        (
            "crime",
            {"level": "police_force"},
            "Police forces by recorded crime rate, Total recorded crime (excluding fraud), April 2018 to March 2019",
        ),
        (
            "crime",
            {"level": "csp", "offence_id": "robbery"},
            "Community Safety Partnerships by recorded crime rate, Robbery, April 2018 to March 2019",
        ),
        (
            "local-adult",
            {},
            "Upper-tier authorities by local adult reoffending against its prediction, April 2012 to March 2013",
        ),
    ],
)
def test_titles(kind: str, options: dict[str, str], title: str, ranked: Path) -> None:
    assert read_ranking(ranked, kind, **options).title == title


@pytest.mark.parametrize("area", ["Dudley", "dudley", DUDLEY])
def test_an_area_by_name_or_code(area: str, ranked: Path) -> None:
    ranking = read_ranking(ranked, "reoffending", area=area)
    assert ranking.area_code == DUDLEY
    assert ranking.sentence is not None
    assert ranking.sentence.startswith("Dudley has rank 1 of 3 (21.0%, 95% interval 19.0 to 31.0)")


def test_the_city_of_london_by_either_of_its_names(ranked: Path) -> None:
    found = {
        read_ranking(ranked, "crime", level="police_force", area=area).area_code
        for area in ("City of London", "London, City of")
    }
    assert found == {"E23000034"}


@pytest.mark.parametrize(
    ("options", "digits"),
    [({"level": "police_force"}, 1), ({"level": "csp", "offence_id": "robbery"}, 2), ({"offence_id": "homicide"}, 3)],
)
def test_rare_offences_are_printed_with_more_places(options: dict[str, str], digits: int, ranked: Path) -> None:
    assert read_ranking(ranked, "crime", **{"level": "police_force"} | options).digits == digits


def test_notes_say_modelled_caveat_and_chance(ranked: Path) -> None:
    modelled, caveat, funnel = read_ranking(ranked, "reoffending").notes
    assert modelled.startswith("MODELLED SAMPLE")
    assert caveat == KINDS["reoffending"].caveat
    assert funnel == "1 of 3 lie outside the 95% funnel; fewer than one would by chance alone."
    assert "MODELLED" not in " ".join(read_ranking(ranked, "crime", level="police_force").notes)
    assert len(read_ranking(ranked, "local-adult").notes) == 2


def test_notes_on_crime_say_how_much_a_rate_moves_from_year_to_year() -> None:
    row = {"eligible": True, "funnel_class": "inside", "reason": None, "is_modelled": False}
    notes = list_notes(KINDS["crime"], [row | {"yearly_noise_percent": 4.14}])
    assert "moves by some 4.1% beyond chance and beyond what moves all areas" in notes[2]
    assert len(list_notes(KINDS["crime"], [row | {"yearly_noise_percent": None}])) == 2


@pytest.mark.parametrize(
    ("areas", "told"),
    [(0, "fewer than one"), (19, "fewer than one"), (20, "about 1"), (42, "about 2"), (174, "about 9")],
)
def test_how_many_lie_outside_by_chance(areas: int, told: str) -> None:
    assert count_by_chance(areas) == told


def test_about_one_area_in_twenty_by_chance(tmp_path: Path) -> None:
    rows = [_reoffending(f"E{number:08}", f"Area {number}", 1) for number in range(174)]
    notes = read_ranking(_make_home(tmp_path / "home", {"mart.reoffending_rank": rows}), "reoffending").notes
    assert notes[-1] == "0 of 174 lie outside the 95% funnel; about 9 would by chance alone."


# --- Wrong use names what there is


@pytest.mark.parametrize(
    ("kind", "options", "message", "mend"),
    [
        ("burglary", {}, "there is no ranking 'burglary'", "reoffending, crime, local-adult"),
        ("crime", {"level": "street"}, "there is no level 'street'", ", ".join(LEVELS)),
        (
            "crime",
            {"level": "upper_tier"},
            "nothing is ranked for the level 'upper_tier'",
            "there is: csp, police_force",
        ),
        ("reoffending", {"level": "csp"}, "nothing is ranked for the level 'csp'", "there is: upper_tier"),
        ("reoffending", {"age_group": "child"}, "nothing is ranked for the age group 'child'", "there is: adult, all"),
        (
            "reoffending",
            {"measure": "twelve_month_cohort"},
            "nothing is ranked for the measure 'twelve_month_cohort'",
            "there is: three_month_cohort",
        ),
        (
            "crime",
            {"level": "police_force", "offence_id": "robbery"},
            "nothing is ranked for the offence 'robbery'",
            "there is: homicide, total_excluding_fraud",
        ),
        ("local-adult", {"age_group": "child"}, "rankings of local-adult have no age_group", "they have: none"),
        ("crime", {"measure": "x"}, "rankings of crime have no measure", "they have: offence_id"),
        ("reoffending", {"year": "soon"}, "'soon' is no year", "2020/21"),
        (
            "reoffending",
            {"year": "2009/10"},
            "nothing is ranked for the year to 2010-03-31",
            "held are the years to: 2020-03-31, 2021-03-31",
        ),
        ("reoffending", {"area": "Dudly"}, "'Dudly' is not in this ranking", "near it: Dudley"),
        ("reoffending", {"area": "Zzz"}, "'Zzz' is not in this ranking", "try another --level"),
        (
            "crime",
            {"level": "csp", "offence_id": "robbery", "area": "Kent"},
            "several areas are called 'Kent': E22000001, E22000002",
            "give the code",
        ),
    ],
)
def test_wrong_use_names_what_there_is(
    kind: str, options: dict[str, str], message: str, mend: str, ranked: Path
) -> None:
    with pytest.raises(WrongUseError) as error:
        read_ranking(ranked, kind, **options)
    assert error.value.what == message
    assert mend in error.value.next_step


@pytest.mark.parametrize("rows", [{}, {"mart.crime_rank": []}], ids=["no table", "no row"])
def test_a_warehouse_without_rankings(rows: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    home = _make_home(tmp_path / "home", rows)
    with pytest.raises(JusticeError, match=r"holds no mart\.crime_rank") as error:
        read_ranking(home, "crime", level="police_force")
    assert not isinstance(error.value, WrongUseError)
    assert "justice-etl publish" in error.value.next_step


# --- Printed


def _print(ranking: Ranking, monkeypatch: pytest.MonkeyPatch, width: int, limit: int = 200) -> str:
    """What a terminal of a width shows."""
    shown = io.StringIO()
    terminal = Console(file=shown, width=width, force_terminal=True, no_color=True, highlight=False)
    monkeypatch.setattr(console, "out", terminal)
    console.print_ranking(ranking, limit)
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue())


def _readings(home: Path) -> list[Ranking]:
    return [
        read_ranking(home, "reoffending", area="York"),
        read_ranking(home, "crime", level="police_force", area="Kent"),
        read_ranking(home, "local-adult", area="Sandwell"),
    ]


@pytest.mark.parametrize("width", [1, 5, 20, 40, 80, 300])
def test_a_terminal_of_any_width_shows_the_sentence(width: int, ranked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for ranking in _readings(ranked):
        shown = _print(ranking, monkeypatch, width)
        assert ranking.sentence in shown
        assert all(note in shown for note in ranking.notes)


def test_a_table_of_each_kind(ranked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reoffending, crime, adults = (
        [[cell.strip() for cell in line.split("│")] for line in _print(ranking, monkeypatch, 200).splitlines()]
        for ranking in _readings(ranked)
    )
    assert ["1", "Dudley", "21", "19.0 to 31.0", "–", "1 to 3", "2", "inside"] in reoffending
    assert ["–", "Unknown", "29", "19.0 to 31.0", "–", "–", "–", "unknown_area"] in reoffending
    assert ["2", "Kent", "97.5", "48.8 to 195.0", "–", "–", "–", "–"] in crime
    assert ["1", "Dudley", "-15", *["–"] * 5, "1 to 2", "1", "–"] in adults


def test_rows_that_are_not_shown_are_counted(ranked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ranking = read_ranking(ranked, "reoffending")
    shown = _print(ranking, monkeypatch, 200, limit=1)
    assert "… and 3 more; --limit gives them." in shown
    assert "Sandwell" not in shown
    assert "more;" not in _print(ranking, monkeypatch, 200, limit=4)


def test_nothing_is_called_best_or_worst(ranked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A low rate is no merit: it can be of other offenders, or of what is recorded."""
    shown = [_print(ranking, monkeypatch, 200) for ranking in _readings(ranked)]
    shown += [_describe(rank=rank, rank_bound_low=low) for rank in (1, 3, 10) for low in (1, 3)]
    assert not re.search(r"\b(best|worst|better|worse|good|bad|top|bottom|winner)\b", " ".join(shown), re.IGNORECASE)
