"""Revisions: which are given, in which order, and what is said of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.cli_revisions import print_revisions
from etl.errors import JusticeError, WrongUseError
from etl.files import write_json
from etl.revisions import (
    Revision,
    describe_figure,
    describe_period,
    format_after,
    format_before,
    format_change,
    format_percent,
    read_revisions,
)
from tests.site.made import (
    FORCE,
    MARCH_2,
    NEXT,
    REVISIONS,
    ROBBERY,
    TOTAL,
    make_home,
    revision,
)


@pytest.fixture(scope="module")
def home_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("revisions") / "home")


def make_revision(**change: Any) -> Revision:
    row = {name: value for name, value in REVISIONS[0].items() if name != "key"}
    return replace(Revision(**row), **change)


def name_lines(revisions: list[Revision]) -> list[tuple[str, str, float | None]]:
    return [(line.area_name, line.offence_id or line.figure, line.value) for line in revisions]


# --- Which, and in which order


def test_the_newest_publication_comes_first_and_then_the_largest(home_made: Path) -> None:
    found = read_revisions(home_made)
    assert name_lines(found.revisions) == [
        ("Dudley", "reoffenders", 45),  # by 5, on 28 July 2022
        ("Dudley", "actual_percent", 9.1),  # by 0.4
        ("West Midlands", "total_excluding_fraud", 200_000),  # by 12,842, on 18 July 2019
        ("West Midlands", "robbery", 1_100),  # by 100
        ("Kent", "homicide", 3),  # by 1
        ("Kent", "drug_offences", 40),  # gained a number
        ("Kent", "robbery", None),  # lost it
        ("West Midlands", "total_excluding_fraud", 212_842),  # on 1 September 2018
    ]
    assert (found.figures, found.revisions_in_all) == (7, 8)


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({"area": "Kent"}, 3),
        ({"area": "E23000032"}, 3),
        ({"area": "west midlands", "level": "police_force"}, 3),
        ({"area": "West Midlands", "level": "region"}, 0),
        ({"level": "police_force"}, 6),
        ({"level": "region"}, 0),
        ({"since": date(2019, 7, 18)}, 7),
        ({"since": date(2019, 7, 19)}, 2),
        ({"until": date(2019, 7, 18)}, 6),
        ({"until": date(2018, 8, 31)}, 0),
        ({"since": date(2018, 9, 1), "until": date(2018, 9, 1)}, 1),
        ({"figure": "reoffenders"}, 1),
        ({"figure": "predicted_percent"}, 0),
        ({"offence": "robbery"}, 2),
        ({"offence": "  ROBBERY "}, 2),
        ({"offence": "46"}, 0),
        ({"release": NEXT}, 5),
        ({"release": MARCH_2, "area": "Kent"}, 0),
        ({"area": "York"}, 0),
        ({"area": "York", "level": "lower_tier"}, 0),
    ],
)
def test_what_was_asked_for_is_given(asked: dict[str, Any], lines: int, home_made: Path) -> None:
    found = read_revisions(home_made, **asked)
    assert len(found.revisions) == found.revisions_in_all == lines


def test_a_limit_cuts_the_lines_and_not_the_sentence(home_made: Path) -> None:
    found = read_revisions(home_made, area="Kent", limit=1)
    assert name_lines(found.revisions) == [("Kent", "homicide", 3)]
    assert found.sentence.startswith("3 figures of Kent were revised; ")


@pytest.mark.parametrize(
    ("asked", "message", "next_step"),
    [
        ({"area": "Midlands"}, "no area with such figures is called 'Midlands'", "West Midlands (police_force)"),
        ({"area": "Nowhere"}, "no area with such figures is called 'Nowhere'", "GSS code"),
        ({"area": "West Midlands"}, "several areas are called 'West Midlands'", "--level"),
        ({"area": "Kent", "level": "region"}, "no area with such figures is called 'Kent'", "GSS code"),
        ({"level": "county"}, "there is no level 'county'", "lower_tier, police_force, region, upper_tier"),
        ({"figure": "crimes"}, "there is no figure 'crimes'", "offences, offenders"),
        ({"offence": "shoplifting "}, "several offences are called 'shoplifting '", "46, shoplifting"),
        ({"offence": "robery"}, "there is no offence 'robery'", "robbery"),
        ({"offence": "drug"}, "there is no offence 'drug'", "drug_offences"),
        ({"release": "year-ending-march-2018"}, "there is no release 'year-ending-march-2018'", MARCH_2),
        ({"since": date(2020, 1, 1), "until": date(2019, 1, 1)}, "no day is both since 2020-01-01", "swap"),
    ],
)
def test_wrong_use_names_what_there_is(asked: dict[str, Any], message: str, next_step: str, home_made: Path) -> None:
    with pytest.raises(WrongUseError) as error:
        read_revisions(home_made, **asked)
    assert message in error.value.what
    assert next_step in error.value.next_step


def test_a_warehouse_built_before_there_were_revisions(tmp_path: Path) -> None:
    home = tmp_path / "home"
    folder = home / "versions" / "old"
    folder.mkdir(parents=True)
    write_json(home / "home.json", {"kind": "real"})
    (home / "current").symlink_to("versions/old")
    duckdb.connect(str(folder / "warehouse.duckdb")).close()
    with pytest.raises(JusticeError, match=r"holds no mart\.revision → .*justice-etl publish"):
        read_revisions(home)


# --- The sentence


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            {"area": "Kent", "since": date(2019, 1, 1)},
            "3 figures of Kent were revised since 1 January 2019; the largest is Homicide, Kent, year to 31 March "
            "2018: 2 became 3 (+1, +50%), published on 18 July 2019.",
        ),
        (
            {"area": "E23000014"},
            "2 figures of West Midlands were revised, 3 times in all; the largest is Total recorded crime (excluding "
            "fraud), West Midlands, year to 31 March 2018: 212,842 became 200,000 (−12,842, −6.03%), published on 18 "
            "July 2019.",
        ),
        (
            {"release": MARCH_2},
            f"1 figure was revised by {MARCH_2}; it is Total recorded crime (excluding fraud), West Midlands, year to "
            "31 March 2018: 212,841 became 212,842 (+1, under +0.01%), published on 1 September 2018.",
        ),
        (
            {"figure": "actual_percent"},
            "1 figure called actual_percent was revised; it is actual reoffending rate, local adult reoffending, "
            "Dudley, year to 31 March 2018: 9.5% became 9.1% (−0.4 points, −4.21%), published on 28 July 2022.",
        ),
        (
            {"area": "Dudley"},
            "2 figures of Dudley were revised; the largest is reoffenders, adults, three-month cohorts, Dudley, year "
            "to 31 March 2018: 50 became 45 (−5, −10%), published on 28 July 2022.",
        ),
        (
            {"area": "Surrey", "since": date(2019, 1, 1), "until": date(2022, 1, 1)},
            "No figure of Surrey was revised since 1 January 2019 until 1 January 2022.",
        ),
        ({"level": "region"}, "No figure at level region was revised."),
        (
            {"area": "Kent", "offence": "drug_offences"},
            "1 figure of Drug offences in Kent was revised; it is Drug offences, Kent, year to 31 March 2018: [x] "
            "became 40 (gained its number), published on 18 July 2019.",
        ),
    ],
)
def test_one_plain_sentence(asked: dict[str, Any], sentence: str, home_made: Path) -> None:
    assert read_revisions(home_made, **asked).sentence == sentence


def test_a_percentage_is_not_larger_than_a_count(tmp_path: Path) -> None:
    """400 points are more than 100 offences only as a number."""
    rows = [
        revision(NEXT, MARCH_2, 1_000, 1_100, **FORCE, **ROBBERY),
        revision(NEXT, MARCH_2, 10, 410, **FORCE, table_name="local_adult_reoffending", figure="actual_percent"),
    ]
    home = make_home(tmp_path / "home", revisions=rows)
    assert "the largest is Robbery" in read_revisions(home).sentence


# --- Words of one revision


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Total recorded crime (excluding fraud)"),
        ({"offence_name": None}, "total_excluding_fraud"),
        (
            {
                "table_name": "reoffending",
                "figure": "offenders",
                "measure": "twelve_month_cohort",
                "age_group": "child",
            },
            "offenders, children, twelve-month cohorts",
        ),
        (
            {"table_name": "local_adult_reoffending", "figure": "predicted_percent"},
            "predicted reoffending rate, local adult reoffending",
        ),
    ],
)
def test_a_figure_says_what_it_counts(change: dict[str, Any], words: str) -> None:
    assert describe_figure(make_revision(**change)) == words


@pytest.mark.parametrize(
    ("span", "words"), [("year", "year to 31 March 2018"), ("quarter", "quarter to 31 March 2018")]
)
def test_a_period_says_its_length(span: str, words: str) -> None:
    assert describe_period(make_revision(span=span)) == words


@pytest.mark.parametrize(
    ("change", "before", "after", "by", "percent"),
    [
        ({}, "212,841", "212,842", "+1", "under +0.01%"),
        (
            {"value": 212_840, "revised_by": -1, "revised_by_percent": -0.0005},
            "212,841",
            "212,840",
            "−1",
            "under −0.01%",
        ),
        (
            {"value": 3, "previous_value": 2, "revised_by": 1, "revised_by_percent": 50, "marker": "[r]"},
            "2",
            "3 [r]",
            "+1",
            "+50%",
        ),
        (
            {"value": 7, "previous_value": 0, "revised_by": 7, "revised_by_percent": None},
            "0",
            "7",
            "+7",
            "–",
        ),
        (
            {"value": -4, "previous_value": 4, "revised_by": -8, "revised_by_percent": -200},
            "4",
            "−4",
            "−8",
            "−200%",
        ),
        (
            {"value": None, "marker": "[c]", "revised_by": None, "revised_by_percent": None},
            "212,841",
            "[c]",
            "lost its number",
            "–",
        ),
        (
            {"previous_value": None, "previous_marker": "[x]", "revised_by": None, "revised_by_percent": None},
            "[x]",
            "212,842",
            "gained its number",
            "–",
        ),
        (
            {
                "figure": "actual_percent",
                "value": 9.1,
                "previous_value": 9.5,
                "revised_by": 9.1 - 9.5,
                "revised_by_percent": -4.21,
            },
            "9.5%",
            "9.1%",
            "−0.4 points",
            "−4.21%",
        ),
    ],
)
def test_before_after_and_by_how_much(change: dict[str, Any], before: str, after: str, by: str, percent: str) -> None:
    found = make_revision(**change)
    assert (format_before(found), format_after(found), format_change(found), format_percent(found)) == (
        before,
        after,
        by,
        percent,
    )


# --- The command


def test_a_table_and_what_can_be_said_of_it(home_made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_revisions(read_revisions(home_made, area="Kent"))
    lines = capsys.readouterr().out.splitlines()
    columns = ("area", "figure", "period", "before", "after", "by", "percent", "published on", "release")
    assert [word.strip() for word in lines[0].split("┃")] == list(columns)
    assert [word.strip() for word in lines[4].split("│")][3:6] == ["500", "[c]", "lost its number"]
    assert lines[5].startswith("3 figures of Kent were revised; the largest is Homicide")
    assert not any("MODELLED" in line for line in lines)


def test_what_is_cut_is_said(home_made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_revisions(read_revisions(home_made, limit=2))
    assert "… and 6 more; --limit gives them." in capsys.readouterr().out.splitlines()


def test_modelled_samples_are_called_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [revision(NEXT, MARCH_2, 10, 11, **FORCE, **TOTAL, is_modelled=True)]
    print_revisions(read_revisions(make_home(tmp_path / "home", revisions=rows)))
    assert capsys.readouterr().out.startswith("MODELLED SAMPLE")


def test_json_holds_the_columns_of_the_table(home_made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTICE_HOME", str(home_made))
    ended = CliRunner().invoke(app, ["revisions", "--area", "Kent", "--offence", "Robbery", "--json"])
    found = json.loads(ended.stdout)
    assert (found["figures"], found["revisions_in_all"]) == (1, 1)
    [line] = found["revisions"]
    assert line["release_id"] == NEXT
    assert (line["previous_value"], line["value"], line["marker"], line["revised_by"]) == (500.0, None, "[c]", None)
    assert (line["period_end"], line["published_on"]) == ("2018-03-31", "2019-07-18")


def test_no_revision_is_no_failure(home_made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTICE_HOME", str(home_made))
    ended = CliRunner().invoke(app, ["revisions", "--area", "Surrey"])
    assert (ended.exit_code, ended.stdout) == (0, "No figure of Surrey was revised.\n")


def test_a_day_that_is_none_is_wrong_use(home_made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTICE_HOME", str(home_made))
    ended = CliRunner().invoke(app, ["revisions", "--since", "soon"])
    assert isinstance(ended.exception, WrongUseError)
    assert "'soon' is no day" in str(ended.exception)
