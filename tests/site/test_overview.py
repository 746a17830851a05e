"""The overview: newest figures of England and Wales, how fresh each source is, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from etl.site.charts import Charts
from etl.site.directory import read_directory
from etl.site.frame import Site
from etl.site.overview import tell_next, write_overview
from etl.site.summaries import read_summaries
from tests.site.made import CLAIMS, HOSTILE, NEXT, RELEASES, REOFFENDING_2, TOTAL, Row, fill
from tests.site.page import Page
from tests.site.rules import check_page

WHOLE = {"area_code": "K04000001", "area_name": "England and Wales", "level": "country", "is_modelled": False}


def crime(end: date, offences: int | None, **more: object) -> Row:
    return WHOLE | TOTAL | {"span": "year", "period_end": end, "offences": offences, "release_id": NEXT} | more


CRIME = [
    crime(date(2017, 3, 31), 5_000_000, reason="no_previous", rate_reason="population_missing"),
    crime(
        date(2018, 3, 31),
        5_500_000,
        rate_per_1000=93.2,
        rate_low_per_1000=93.1,
        rate_high_per_1000=93.3,
        change=500_000,
        change_percent=10.0,
        change_low_percent=9.9,
        change_high_percent=10.1,
        break_ids="gmp",
    ),
    crime(date(2019, 3, 31), None, offences_marker="[x]", reason="no_data"),
]

COHORT = WHOLE | {"measure": "three_month_cohort", "span": "year", "age_group": "all", "cohort_end": date(2020, 3, 31)}
COHORT |= {"cohort_start": date(2019, 4, 1), "offenders": 100, "reoffenders": 65, "rate_percent": 65.0}
COHORT |= {"change_points": 1.9, "change_low_points": 1.6, "change_high_points": 2.1, "release_id": REOFFENDING_2}

GMP = {"break_id": "gmp", "action": "null", "start_date": date(2017, 7, 1), "end_date": date(2018, 3, 31)}


def write(folder: Path, **rows: Iterable[Row]) -> Page:
    """The overview of a warehouse made by hand."""
    with duckdb.connect() as connection, Charts(None) as charts:
        fill(connection, **rows)
        summaries = read_summaries(connection)
        site = Site(folder, "0123456789ab", False, read_directory(connection), charts)
        write_overview(connection, site, summaries, CLAIMS)
    page = Page(folder / "index.html")
    check_page(page)
    return page


def test_the_newest_figures_are_told_with_their_intervals(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        mart__crime_trend=CRIME,
        mart__reoffending_trend=[COHORT],
        ref__series_break=[GMP | {"note": "Manchester left out"}],
    )
    assert "For the year to 31 March 2019 no total is held: [x] (not available)." in page.text
    assert (
        "The newest year with a total is the year to 31 March 2018: 5,500,000 offences were recorded (total "
        "recorded crime, excluding fraud). That is 93.2 per 1,000 residents (95% interval 93.1 to 93.3, chance only). "
        "That is 500,000 more than in the year before (+10.0%; 95% interval +9.9% to +10.1%, chance only). "
        "To be read with it: 1 July 2017 to 31 March 2018: Manchester left out."
    ) in page.text
    assert (
        "Of 100 offenders (adults and children) in the cohort April 2019 to March 2020, 65.0% had a proven reoffence "
        "within a year (95% interval 55.3% to 73.6%, chance only). Against the cohort a year before that is +1.9 "
        "percentage points (95% interval +1.6 to +2.1, chance only)."
    ) in page.text
    assert page.named("a").count({"href": "areas/K04000001.html"}) == 2
    assert "Modelled sample" not in page.text


def test_charts_are_drawn_of_three_figures_and_more(tmp_path: Path) -> None:
    cohorts = [COHORT | {"cohort_end": date(year, 3, 31)} for year in (2018, 2019, 2020)]
    page = write(tmp_path, mart__crime_trend=CRIME, mart__reoffending_trend=cohorts)
    assert [figure["id"] for figure in page.named("figure")] == ["reoffending-trend"]
    assert len(page.tables["reoffending-trend-table"]) == 4


def test_twelve_month_cohorts_stand_where_no_three_month_cohort_is_held(tmp_path: Path) -> None:
    former = COHORT | {"measure": "twelve_month_cohort"}
    page = write(tmp_path, mart__reoffending_trend=[former])
    assert (3, "Proven reoffending, twelve-month cohorts") in page.headings
    assert "65.0% had a proven reoffence within a year" in page.text
    assert "Three-month cohorts replaced this measure and are never compared with it; none of them is held" in page.text


def test_three_month_cohorts_come_before_twelve_month_ones(tmp_path: Path) -> None:
    former = COHORT | {"measure": "twelve_month_cohort", "rate_percent": 26.0}
    page = write(tmp_path, mart__reoffending_trend=[COHORT, former])
    assert (3, "Proven reoffending") in page.headings
    assert "26.0%" not in page.text
    assert "Three-month cohorts replaced" not in page.text


def test_a_modelled_figure_says_so_itself(tmp_path: Path) -> None:
    modelled = {"is_modelled": True}
    page = write(tmp_path, mart__crime_trend=CRIME, mart__reoffending_trend=[COHORT | modelled])
    assert page.text.count("Modelled sample.") == 1


def test_a_total_that_nobody_knows_is_no_zero(tmp_path: Path) -> None:
    page = write(tmp_path, mart__crime_trend=[CRIME[2]])
    assert "For the year to 31 March 2019 no total is held: [x] (not available)." in page.text
    assert "offences were recorded" not in page.text


def test_each_source_has_its_newest_release_and_period(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        mart__crime_trend=CRIME,
        mart__reoffending_trend=[COHORT],
        meta__release_calendar=[
            {"source": "recorded_crime_ons", "edition": edition, "status": status, "expected_text": text}
            | {"expected_at": expected_at}
            for edition, status, text, expected_at in (
                ("past", "confirmed", "", datetime(2019, 7, 17, 23, tzinfo=UTC)),
                ("later", "announced", "April 2020", datetime(2020, 4, 1, tzinfo=UTC)),
                ("next", "confirmed", "", datetime(2019, 10, 16, 23, tzinfo=UTC)),
                ("gone", "cancelled", "", datetime(2019, 8, 1, tzinfo=UTC)),
            )
        ],
    )
    rows = page.tables["freshness"][1:]
    assert [row[1:] for row in rows] == [
        [
            "July to September 2020",
            "28 July 2022",
            "cohort to 31 March 2020",
            "none is announced, as far as is known here",
        ],
        ["Year ending March 2019", "18 July 2019", "period to 31 March 2018", "confirmed for 17 October 2019"],
        ["Lookups", "10 January 2017", "not of a period", "none is announced, as far as is known here"],
    ]
    assert rows[1][0].startswith("Police force area data tables")
    assert {"datetime": "2019-07-18", "data-age": None} in page.named("time")
    assert {"href": "releases/recorded_crime_ons/year-ending-march-2019-1.html"} in page.named("a")


def announce(status: str, expected_on: date | None, text: str = "") -> Row:
    return {"status": status, "expected_on": expected_on, "expected_text": text}


@pytest.mark.parametrize(
    ("announced", "told"),
    [
        ([], "none is announced, as far as is known here"),
        ([announce("announced", date(2026, 4, 30))], "announced for 30 April 2026"),
        ([announce("announced", date(2026, 4, 30), "30 April 2026")], "announced for 30 April 2026"),
        ([announce("announced", date(2026, 4, 1), "April 2026")], "announced for April 2026"),
        ([announce("confirmed", date(2026, 4, 30), "April 2026")], "confirmed for 30 April 2026"),
        ([announce("announced", None, "To be announced")], "announced, its day is not known yet"),
        ([announce("confirmed", date(2026, 1, 29))], "none is announced, as far as is known here"),
        (
            [announce("confirmed", date(2026, 1, 29)), announce("announced", None)],
            "announced, its day is not known yet",
        ),
    ],
)
def test_what_comes_next_depends_on_no_clock(announced: list[Row], told: str) -> None:
    """What was expected up to the day of the newest release is out, or was given up."""
    assert tell_next(announced, date(2026, 1, 29)) == told


def test_there_is_a_way_to_every_part(tmp_path: Path) -> None:
    page = write(tmp_path)
    cards = [text for level, text in page.headings if level == 3]
    parts = ["Rankings", "Crime trends", "Map", "Claims", "Releases", "Data", "Dictionary", "Quality"]
    assert cards == parts
    assert "2 public claims, checked" in page.text
    assert "6 have a page" in page.text
    assert "what a league table cannot say" in page.text
    assert {"href": "areas/index.html"} in page.named("a")


def test_the_search_is_made_by_the_script_alone(tmp_path: Path) -> None:
    page = write(tmp_path)
    assert page.named("script") == [{"src": "site.js", "defer": None}]
    assert page.named("input") == page.named("button") == []
    assert {"id": "search", "data-search": "entry", "data-target": "areas/index.html"} in page.named("div")


def test_a_warehouse_without_anything_has_its_overview(tmp_path: Path) -> None:
    page = write(tmp_path, releases=[], revisions=[], summaries=[], mart__crime_trend=[], ref__offence=[])
    assert page.tables["freshness"][1:] == [["Nothing was landed."]]
    assert "0 have a page" in page.text
    assert "Newest figures of England" not in page.text


def test_names_that_hold_markup_are_shown_as_text(tmp_path: Path) -> None:
    page = write(
        tmp_path,
        releases=[row | {"title": HOSTILE, "source": HOSTILE} for row in RELEASES],
        mart__crime_trend=[
            row | {"area_name": HOSTILE, "reason": HOSTILE, "offences_marker": HOSTILE} for row in CRIME
        ],
        ref__series_break=[GMP | {"note": HOSTILE}],
        meta__release_calendar=[{"source": HOSTILE, "status": "announced", "expected_text": HOSTILE}],
    )
    assert len(page.named("script")) == 1
    assert page.tables["freshness"][1][0] == HOSTILE


def test_the_same_lines_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    rows = {"mart__crime_trend": CRIME, "mart__reoffending_trend": [COHORT, COHORT | {"cohort_end": date(2019, 3, 31)}]}
    first = write(tmp_path / "first", **rows)
    again = write(tmp_path / "again", **{name: of[::-1] for name, of in rows.items()})
    assert first.html == again.html


def test_claims_are_counted_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.site.test_overview.CLAIMS", [replace(CLAIMS[0], verdict="differs")])
    assert "1 public claim, checked" in write(tmp_path).text
