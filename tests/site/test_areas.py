"""Pages of areas and their JSON, and the list of areas."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.files import read_json
from etl.settings import project_root
from etl.site.area_data import Held
from etl.site.area_figures import draw_crime, draw_reoffending
from etl.site.area_list import LARGE, fold
from etl.site.area_places import Place, Turn
from etl.site.area_words import tell_funnel, tell_late, tell_rank, tell_reoffending, tell_turn
from etl.site.areas import write_areas
from etl.site.charts import Charts
from etl.site.crime_words import tell_change_in_full
from etl.site.directory import read_directory
from etl.site.frame import Site
from etl.site.summaries import read_summaries
from tests.site.made import (
    DUDLEY,
    FORCE,
    HOSTILE,
    KENT,
    MARCH_2,
    NEXT,
    REOFFENDING_2,
    ROBBERY,
    TOTAL,
    Row,
    fill,
    revision,
)
from tests.site.page import Page
from tests.site.rules import check_page
from tests.site.test_releases import problems

WHOLE = {"area_code": "K04000001", "area_name": "England and Wales", "level": "country"}
REGION = {"area_code": "E12000005", "area_name": "West Midlands", "level": "region"}
PARTNERSHIP = {"area_code": "E22000337", "area_name": "Dudley", "level": "csp"}

CRIME: Row = FORCE | TOTAL
CRIME |= {"span": "year", "release_id": NEXT, "is_modelled": False, "population": 100_000, "population_mid_year": 2016}


def crime(end: date, offences: int | None, **more: Any) -> Row:
    """A year of the force's total without a change; the rate is that of 100,000 residents, give or take 1."""
    rate = None if offences is None else offences / 100
    rates = {"rate_per_1000": rate, "rate_low_per_1000": rate and rate - 1, "rate_high_per_1000": rate and rate + 1}
    return CRIME | {"period_end": end, "offences": offences, "reason": "no_previous"} | rates | more


YEARS = [
    crime(date(2016, 3, 31), 1_000),
    crime(date(2017, 3, 31), 1_100, reason="coverage_changed"),
    crime(
        date(2018, 3, 31),
        1_210,
        change=110,
        change_percent=10.0,
        change_low_percent=1.84,
        change_high_percent=-0.06,
        reason=None,
        break_ids="recording-2017",
    ),
]

COHORT: Row = {**DUDLEY}
COHORT |= {"measure": "three_month_cohort", "span": "year", "age_group": "all", "release_id": REOFFENDING_2}
COHORT |= {"is_modelled": False, "design_effect": 1.0}


def cohort(year: int, offenders: int | None, reoffenders: int | None, **more: Any) -> Row:
    """The cohort of the financial year that ends in a year, without a change."""
    rate = 100 * reoffenders / offenders if offenders and reoffenders is not None else None
    days = {"cohort_start": date(year - 1, 4, 1), "cohort_end": date(year, 3, 31)}
    counts = {"offenders": offenders, "reoffenders": reoffenders, "rate_percent": rate, "reason": "no_previous"}
    return COHORT | days | counts | more


RANK: Row = {**DUDLEY}
RANK |= {"measure": "three_month_cohort", "span": "year", "age_group": "all", "is_modelled": False}
RANK |= {"rate_percent": 65.0, "wilson_low_percent": 55.3, "wilson_high_percent": 73.6, "tied": False}
RANK |= {"ranked_areas": 171, "rank": 34, "rank_low": 20, "rank_high": 61, "rank_bound_low": 1, "rank_bound_high": 171}
RANK |= {"indistinguishable_areas": 170, "funnel_class": "below_95", "funnel_class_overdispersed": "inside"}
RANK |= {"eligible": True, "release_id": REOFFENDING_2}


def rank(year: int, **more: Any) -> Row:
    return RANK | {"cohort_start": date(year - 1, 4, 1), "cohort_end": date(year, 3, 31)} | more


BREAK: Row = {"break_id": "recording-2017", "series": "recorded_crime", "action": "annotate"}
BREAK |= {"start_date": date(2017, 4, 1), "end_date": None, "kind": "recording_practice", "effect": "up"}
BREAK |= {"note": "Recording <b>improved</b>"}


def write(folder: Path, **rows: Iterable[Row]) -> Path:
    """The pages of areas of a warehouse made by hand."""
    with duckdb.connect() as connection, Charts(None) as charts:
        fill(connection, **rows)
        summaries = read_summaries(connection)
        site = Site(folder, "0123456789ab", False, read_directory(connection), charts)
        write_areas(connection, site, summaries)
    for path in folder.rglob("*.html"):
        check_page(Page(path))
    for path in folder.rglob("areas/*.json"):
        assert problems("area", read_json(path)) == []
    return folder


@pytest.fixture(scope="module")
def force(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a force with three years."""
    site = write(tmp_path_factory.mktemp("force"), mart__crime_trend=YEARS, ref__series_break=[BREAK])
    return Page(site / "areas/E23000014.html")


# --- Recorded crime


def test_the_newest_year_is_told_with_its_intervals(force: Page) -> None:
    assert (
        "In the year to 31 March 2018, 1,210 offences were recorded (total recorded crime, excluding fraud). "
        "That is 12.1 per 1,000 residents (95% interval 11.1 to 13.1, chance only), on the residents of mid-2016."
    ) in force.text
    assert (
        "That is 110 more than in the year before (+10.0%; 95% interval +1.8% to −0.1%, chance only)."
    ) in force.text
    assert "To be read with it: from 1 April 2017: Recording <b>improved</b>." in force.text


def test_every_year_has_a_change_or_says_why_not(force: Page) -> None:
    rows = force.tables["crime-years"][1:]
    release = "Year ending March 2019"
    assert rows == [
        ["31 March 2018", "1,210", "12.1", "11.1 to 13.1", "+10.0", "1.8 to −0.1", release],
        [
            "31 March 2017",
            "1,100",
            "11.0",
            "10.0 to 12.0",
            "none: the two years are not made of the same forces, or a force no longer records fraud",
            release,
        ],
        [
            "31 March 2016",
            "1,000",
            "10.0",
            "9.0 to 11.0",
            "none: nothing is held of the same period a year before",
            release,
        ],
    ]
    assert {"href": "../releases/recorded_crime_ons/year-ending-march-2019-1.html"} in force.named("a")


def test_the_chart_says_what_can_be_seen(force: Page) -> None:
    assert len(force.named("svg")) == 1
    assert (
        "From 1,100 in the year to 31 March 2017 to 1,210 in the year to 31 March 2018; highest 1,210 (year to "
        "31 March 2018), lowest 1,100 (year to 31 March 2017). No figure before that is compared with these. The line "
        "is cut once, where figures are missing or may not be compared. A dashed line marks what must be known of the "
        "series: 1 April 2017."
    ) in force.text


class SeenCharts(Charts):
    """Keeps what it is asked to draw."""

    def __init__(self) -> None:
        super().__init__(None)
        self.rows: list[Any] = []
        self.options: dict[str, Any] = {}

    def draw(self, draw: Any, rows: Any, **options: Any) -> Any:
        self.rows, self.options = list(rows), options
        return options["slug"]


def find_segments(rows: list[Row], breaks: dict[str, Row] | None = None) -> list[int]:
    with SeenCharts() as charts:
        draw_crime(charts, [{"break_ids": None} | row for row in rows], breaks or {}, "Kent")
        return [row["segment"] for row in charts.rows]


def test_a_line_is_interrupted_where_nothing_may_be_compared() -> None:
    """A gap, a figure that is missing, a reason, and a break across which a publisher compares like with like."""
    days = [date(year, 3, 31) for year in range(2012, 2018)]
    whole = [crime(day, 100) for day in days]
    assert find_segments(whole) == [1, 1, 1, 1, 1, 1]
    assert find_segments(whole[:2] + whole[3:]) == [1, 1, 2, 2, 2]
    missing = [*whole[:2], crime(days[2], None, offences_marker="[x]"), *whole[3:]]
    assert find_segments(missing) == [1, 1, 2, 2, 2]
    assert find_segments([*whole[:3], crime(days[3], 100, reason="boundary"), *whole[4:]]) == [1, 1, 1, 2, 2, 2]
    cut = [*whole[:5], crime(days[5], 90, break_ids="gmp; status", reason=None)]
    gmp = BREAK | {"break_id": "gmp", "action": "null", "kind": "missing", "start_date": date(2016, 7, 1)}
    breaks = {"gmp": gmp, "status": BREAK | {"break_id": "status"}}
    assert find_segments(cut, breaks) == [1, 1, 1, 1, 1, 2]
    assert find_segments(cut, {"status": breaks["status"]}) == [1, 1, 1, 1, 1, 1]


def test_rolling_years_are_one_line() -> None:
    """A year of twelve months each quarter; a leap year's 366 days are no gap."""
    days = [date(2015, 3, 31), date(2016, 3, 31), date(2016, 6, 30), date(2016, 9, 30)]
    assert find_segments([crime(day, 100) for day in days]) == [1, 1, 1, 1]


def test_a_title_of_a_chart_is_heard_of_its_caption_and_picture_alone(force: Page) -> None:
    [region] = [attributes for tag, attributes in force.elements if attributes.get("class") == "picture"]
    assert region == {"class": "picture", "tabindex": "0", "role": "group", "aria-label": "Chart, can be scrolled"}
    named = [tag for tag, attributes in force.elements if attributes.get("aria-labelledby") == "crime-trend-title"]
    assert named == ["svg"]


def test_two_figures_are_no_chart(tmp_path: Path) -> None:
    page = Page(write(tmp_path, mart__crime_trend=YEARS[:2]) / "areas/E23000014.html")
    assert page.named("svg") == []
    assert len(page.tables["crime-years"]) == 3


def test_what_is_missing_stays_apart_from_zero(tmp_path: Path) -> None:
    rows = [
        crime(date(2017, 3, 31), 0),
        crime(date(2018, 3, 31), None, offences_marker="[x]", reason="no_data", rate_reason="no_data"),
    ]
    page = Page(write(tmp_path, mart__crime_trend=rows) / "areas/E23000014.html")
    assert "For the year to 31 March 2018 no total is held: [x] (not available)." in page.text
    assert "The newest year with a total is the year to 31 March 2017: 0 offences were recorded" in page.text
    assert page.tables["crime-years"][1][:3] == ["31 March 2018", "[x]", "none: the figure itself is missing"]
    assert page.tables["crime-years"][2][:3] == ["31 March 2017", "0", "0.0"]
    assert "Marked in the publication: [x] (not available)." in page.text


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            {"change": -4, "change_percent": None, "reason": "base_under_50"},
            "That is 4 fewer than in the year before; no percentage is given: the year before has fewer than 50, so "
            "that no percentage is given.",
        ),
        (
            {"change": 0, "change_percent": 0.0, "change_low_percent": -1.0, "change_high_percent": 1.0},
            "That is as many as in the year before (0.0%; 95% interval −1.0% to +1.0%, chance only).",
        ),
        ({"change": 5, "change_percent": 5.0}, "That is 5 more than in the year before (+5.0%)."),
        ({"reason": "split"}, "No change on the year before is given: it was made by splitting an area."),
        ({"reason": None}, "No change on the year before is given: no reason is held."),
    ],
)
def test_a_change_or_why_there_is_none(more: Row, told: str) -> None:
    nothing = dict.fromkeys(["change", "change_percent", "change_low_percent", "change_high_percent", "reason"])
    assert tell_change_in_full(nothing | more) == told


def test_without_residents_there_is_no_rate(tmp_path: Path) -> None:
    police = {"area_code": "x-british-transport-police", "area_name": "British Transport Police", "level": None}
    nothing = dict.fromkeys(["population", "population_mid_year", "rate_per_1000"])
    row = crime(date(2018, 3, 31), 60, rate_reason="no_resident_population") | nothing | police
    page = Page(write(tmp_path, mart__crime_trend=[row]) / "areas/x-british-transport-police.html")
    assert "No rate is given: it has no residents to speak of, so that a rate means nothing." in page.text
    assert page.tables["crime-years"][1][2] == "none: it has no residents to speak of, so that a rate means nothing"


def test_the_police_are_not_said_to_have_recorded_what_others_did(tmp_path: Path) -> None:
    fraud = {"area_code": "x-action-fraud", "area_name": "Action Fraud", "level": None}
    rows = [crime(date(2018, 3, 31), 1) | fraud, crime(date(2018, 3, 31), 70)]
    site = write(tmp_path, mart__crime_trend=rows)
    text = Page(site / "areas/x-action-fraud.html").text
    assert "In the year to 31 March 2018, 1 offence was recorded (total recorded crime, excluding fraud)." in text
    assert "Body without residents, code x-action-fraud." in text
    assert "reported to the police" not in text
    assert "reported to the police and recorded by them, not all crime." in Page(site / "areas/E23000014.html").text


def test_a_total_including_fraud_is_shown_where_there_is_no_other(tmp_path: Path) -> None:
    fraud = {"offence_id": "total_including_fraud", "offence_name": "Total recorded crime (including fraud)"}
    rows = [crime(date(2018, 3, 31), 70, **fraud), crime(date(2018, 3, 31), None)]
    page = Page(write(tmp_path, mart__crime_trend=rows) / "areas/E23000014.html")
    assert "70 offences were recorded (total recorded crime, including fraud)" in page.text


def test_groups_of_the_newest_year_that_has_any(tmp_path: Path) -> None:
    rows = [
        crime(date(2017, 3, 31), 20, **ROBBERY),
        crime(date(2018, 3, 31), 25, **ROBBERY, change=5, reason="base_under_50"),
        crime(date(2019, 3, 31), None, offences_marker="[x]", **ROBBERY),
    ]
    page = Page(write(tmp_path, mart__crime_trend=rows) / "areas/E23000014.html")
    assert page.tables["crime-groups"][1:] == [
        [
            "Robbery",
            "25",
            "0.25",
            "−0.75 to 1.25",
            "+5 offences, no percentage: the year before has fewer than 50, so that no percentage is given",
        ]
    ]
    assert "Groups of offences, year to 31 March 2018" in page.text
    assert {"href": "../crime/robbery.html"} in page.named("a")


# --- Reoffending


def test_a_cohort_is_told_with_wilsons_interval(tmp_path: Path) -> None:
    """65 of 100: Wilson's interval is 55.2544% to 73.6358%."""
    more = {"change_points": -2.04, "change_low_points": -4.0, "change_high_points": 0.04, "reason": None}
    rows = [cohort(2019, 40, 20), cohort(2020, 100, 65, **more), cohort(2020, 30, None, age_group="child")]
    page = Page(write(tmp_path, mart__reoffending_trend=rows) / "areas/E08000027.html")
    assert (
        "Of 100 offenders (adults and children) in the cohort April 2019 to March 2020, 65.0% had a proven reoffence "
        "within a year (95% interval 55.3% to 73.6%, chance only). Against the cohort a year before that is −2.0 "
        "percentage points (95% interval −4.0 to 0.0, chance only)."
    ) in page.text
    assert (
        "Of children in the cohort April 2019 to March 2020 no rate is held: nothing is held of the same period a year "
        "before."
    ) in page.text
    assert page.tables["cohorts-1"][1][:8] == [
        "April 2019 to March 2020",
        "Adults and children",
        "100",
        "65",
        "65.0",
        "55.3 to 73.6",
        "−2.0",
        "−4.0 to 0.0",
    ]
    assert page.tables["cohorts-1"][2][:6] == ["April 2019 to March 2020", "Children", "30", "–", "–", "–"]


def test_the_design_effect_widens_an_interval(tmp_path: Path) -> None:
    """1,359 of 6,500 on a design effect of 1.3 are 1,045.4 of 5,000; 1,045 of 5,000 has 19.7955% to 22.0491%."""
    rows = [cohort(2020, 6_500, 1_359, design_effect=1.3)]
    found = read_json(write(tmp_path, mart__reoffending_trend=rows) / "areas/E08000027.json")
    [line] = found["proven_reoffending"]["cohorts"]
    assert line["rate_low_percent"] == pytest.approx(19.80, abs=0.02)
    assert line["rate_high_percent"] == pytest.approx(22.06, abs=0.02)


def test_measures_never_share_a_chart(tmp_path: Path) -> None:
    rows = [cohort(year, 100, 60) for year in (2018, 2019, 2020)]
    rows += [cohort(year, 100, 20, measure="twelve_month_cohort") for year in (2012, 2013, 2014)]
    page = Page(write(tmp_path, mart__reoffending_trend=rows) / "areas/E08000027.html")
    assert [figure["id"] for figure in page.named("figure")] == ["reoffending-trend", "twelve-month-trend"]
    assert [len(page.tables[f"cohorts-{place}"]) for place in (1, 2)] == [4, 4]
    assert (3, "Twelve-month cohorts") in page.headings


def test_twelve_month_cohorts_alone_say_how_sure_they_are(tmp_path: Path) -> None:
    rows = [cohort(year, 100, 20, measure="twelve_month_cohort") for year in (2012, 2013, 2014)]
    page = Page(write(tmp_path, mart__reoffending_trend=rows) / "areas/E08000027.html")
    assert page.text.count("How sure is that?") == 1
    assert "four quarterly cohorts" not in page.text
    assert "never put in one series with three-month cohorts, of which none is held of this area." in page.text
    assert "figures above" not in page.text


def test_a_missing_cohort_parts_the_line() -> None:
    empty = {"break_ids": None, "rate_low_percent": None, "rate_high_percent": None}
    rows = [empty | cohort(year, 100, count) for year, count in ((2017, 50), (2018, 51), (2019, None), (2020, 52))]
    with SeenCharts() as charts:
        draw_reoffending(charts, rows, {}, "Dudley", "slug")
        assert [(row["end"][:4], row["segment"]) for row in charts.rows] == [("2017", 1), ("2018", 1), ("2020", 2)]


def test_a_rate_that_nobody_can_tell_names_the_marker() -> None:
    row = cohort(2020, None, None, offenders_marker="[c]", reoffenders_marker=None)
    told = "Of adults and children in the cohort April 2019 to March 2020 no rate is held: [c] (confidential)."
    assert tell_reoffending(row) == told


# --- Ranks


def test_a_rank_is_told_with_its_interval_and_leads_to_its_ranking(tmp_path: Path) -> None:
    site = write(
        tmp_path,
        mart__reoffending_trend=[cohort(2020, 100, 65)],
        mart__reoffending_rank=[rank(2019, rank=9), rank(2020)],
    )
    page = Page(site / "areas/E08000027.html")
    assert (3, "Among upper-tier authorities: adults and children, cohort April 2019 to March 2020") in page.headings
    assert (
        "Dudley has rank 34 of 171 (65.0%, 95% interval 55.3 to 73.6), 1 being the lowest rate; given the data its "
        "rank lies between 20 and 61 (95%), and it cannot be told apart from any of the other 170"
    ) in page.text
    assert (
        "In a funnel plot around the average of all 171, its rate lies below the 95% limits, but within those of 99.8% "
        "(with limits that allow for the spread between areas it lies inside the 95% limits); about 9 of 171 would lie "
        "outside the 95% limits by chance alone."
    ) in page.text
    path = "../rankings/reoffending/upper_tier-three_month_cohort-year-all.html"
    assert {"href": path} in page.named("a")
    assert page.tables["earlier-ranks"][1:] == [
        ["April 2018 to March 2019", "Upper-tier authorities, adults and children", "9", "171", "20 to 61", "1 to 171"]
    ]


def test_an_area_that_left_the_ranking_has_earlier_ranks_only(tmp_path: Path) -> None:
    rows = [rank(2019, rank=9), rank(2020, area_code="E08000028", area_name="Sandwell")]
    page = Page(write(tmp_path, mart__reoffending_rank=rows) / "areas/E08000027.html")
    assert "Dudley has rank" not in page.text
    assert len(page.tables["earlier-ranks"]) == 2
    assert "No annual figure of it is held." not in page.text


def test_a_rank_without_what_makes_it_sure_is_not_told() -> None:
    assert tell_rank("reoffending", rank(2020, rank_bound_low=None, reason="too_few")) == (
        "Dudley has no rank: too few for a ranking."
    )
    assert tell_rank("reoffending", rank(2020, eligible=False, exclusion_reason="too_few", reason=None)) == (
        "Dudley is not ranked: it has fewer than 30 offenders."
    )


def test_few_areas_lie_outside_a_funnel_by_chance() -> None:
    assert tell_funnel(rank(2020, ranked_areas=9, funnel_class="inside")) == (
        "In a funnel plot around the average of all 9, its rate lies inside the 95% limits; fewer than one of 9 would "
        "lie outside the 95% limits by chance alone."
    )
    assert tell_funnel(rank(2020, funnel_class=None)) is None


def test_a_crime_rank_is_of_the_newest_ranking(tmp_path: Path) -> None:
    of: Row = FORCE | TOTAL | {key: RANK[key] for key in RANK if key not in DUDLEY and key not in COHORT}
    for name in ("rate_percent", "wilson_low_percent", "wilson_high_percent"):
        del of[name]
    of |= {"rate_per_1000": 89.6, "rate_low_per_1000": 89.3, "rate_high_per_1000": 90.0, "ranked_areas": 42}
    of |= {"indistinguishable_areas": 17, "is_modelled": False}
    ranks = [of | {"period_end": date(2018, 3, 31), "rank": 29}, of | {"period_end": date(2019, 3, 31), "rank": None}]
    site = write(tmp_path, mart__crime_trend=YEARS, mart__crime_rank=ranks)
    page = Page(site / "areas/E23000014.html")
    assert (3, "Among police forces, year to 31 March 2018") in page.headings
    assert "West Midlands has rank 29 of 42 (89.6 per 1,000 residents, 95% interval 89.3 to 90.0)" in page.text
    assert {"href": "../rankings/crime/police_force-total_excluding_fraud.html"} in page.named("a")
    assert [line["rank"] for line in read_json(site / "areas/E23000014.json")["recorded_crime"]["ranks"]] == [29]


def test_local_adult_reoffending_stands_apart(tmp_path: Path) -> None:
    row: Row = DUDLEY | {"period_start": date(2012, 7, 1), "period_end": date(2013, 6, 30), "actual_percent": 5.5}
    row |= {
        "predicted_percent": 7.36,
        "difference_percent": -25.27,
        "eligible": True,
        "ranked_areas": 171,
        "rank_all": 1,
    }
    row |= {"rank_low": 1, "rank_high": 88, "rank_bound_low": 1, "rank_bound_high": 150, "indistinguishable_areas": 149}
    page = Page(write(tmp_path, mart__local_adult_reoffending_rank=[row]) / "areas/E08000027.html")
    assert (2, "Local adult reoffending (ended 2014)") in page.headings
    assert (
        "July 2012 to June 2013: 5.50% reoffended within three months, where 7.36% were predicted. "
        "Dudley has rank 1 of 171"
    ) in page.text
    assert '"number one" (the furthest below its prediction) does not hold' in page.text
    assert not [level for level in page.headings if level[1] == "Proven reoffending"]


# --- Places


def test_how_an_area_began_and_ended(tmp_path: Path) -> None:
    """A merger is told in both tiers at once; a split names what came of it, with a link where there is a page."""
    new: Row = {"area_code": "E06000058", "level": "upper_tier", "area_name": "Bournemouth, Christchurch and Poole"}
    lives = [
        {"area_code": "E06000058", "level": level, "starts_on": date(2019, 4, 1), "began_as": "merge"}
        | {"replaced": "E06000028; E06000029"}
        for level in ("upper_tier", "lower_tier")
    ]
    changes = [
        {"from_code": "E08000027", "to_code": code, "changed_on": date(2021, 4, 1), "kind": "split"}
        for code in ("E06000061", "E06000058")
    ]
    areas = [{"area_code": "E06000028", "area_name": "Bournemouth"}, {"area_code": "E06000061", "area_name": "North"}]
    site = write(
        tmp_path,
        mart__crime_trend=[new, DUDLEY],
        ref__authority_life=lives,
        ref__area_change=changes,
        ref__area=[*areas, {"area_code": "E08000027", "ends_on": date(2021, 3, 31)}],
    )
    merged = Page(site / "areas/E06000058.html")
    assert (
        "It was made on 1 April 2019 by a merger of Bournemouth E06000028 , E06000029 E06000029 . Figures from "
        "before that day stand with the former areas."
    ) in merged.text
    split = Page(site / "areas/E08000027.html")
    assert (
        "It ended on 31 March 2021, split into Bournemouth, Christchurch and Poole E06000058 , North E06000061 . "
        "Figures of the area before and of those after are not compared: a split cannot be reckoned back."
    ) in split.text
    assert {"href": "E06000058.html"} in split.named("a")
    found = read_json(site / "areas/E08000027.json")
    assert (found["ended_on"], found["changes"][0]["kind"], found["changes"][0]["is_end"]) == (
        "2021-03-31",
        "split",
        True,
    )


def test_figures_for_after_the_end_of_an_area_are_explained(tmp_path: Path) -> None:
    """A release goes on stating figures of an authority that was split, with a change: no contradiction."""
    life = {"area_code": "E08000027", "level": "upper_tier", "ends_on": date(2021, 3, 31), "ended_as": "split"}
    life["replaced_by"] = "E06000061; E06000062"
    site = write(
        tmp_path,
        mart__reoffending_trend=[cohort(2021, 100, 50), cohort(2022, 100, 51, change_points=1.0, reason=None)],
        ref__authority_life=[life],
    )
    text = Page(site / "areas/E08000027.html").text
    assert "They are of the area as it was, and are compared with each other only." in text
    assert "Nothing is compared" not in text


def test_only_figures_for_after_an_end_are_late() -> None:
    end = Turn(True, date(2021, 3, 31), "split", None, ())
    assert tell_late(Held(turns=[end], reoffending=[cohort(2021, 100, 50)])) is None
    assert tell_late(Held(turns=[end], reoffending=[cohort(2022, 100, None)])) is None
    assert tell_late(Held(turns=[end], crime=[crime(date(2022, 3, 31), 5)])) is not None
    recode = Turn(True, date(2021, 3, 31), "recode", None, ())
    assert tell_late(Held(turns=[recode], crime=[crime(date(2022, 3, 31), 5)])) is None
    assert tell_late(Held(crime=[crime(date(2022, 3, 31), 5)])) is None


def test_tiers_that_began_otherwise_are_named() -> None:
    turn = Turn(False, date(2009, 4, 1), "recode", "upper_tier", (Place("E10000010", "Durham", None, None),))
    assert tell_turn(turn) == "As an upper-tier authority: its code changed on 1 April 2009; before, it was"


def test_where_an_area_lies_and_what_lies_in_it(tmp_path: Path) -> None:
    """The newest vintage, up to the country; an authority is in itself by its other tier, which is not told."""
    parents = [
        ("E08000027", "upper_tier", 2020, "E08000027"),
        ("E08000027", "csp", 2020, "E22000337"),
        ("E08000027", "region", 2019, "E12000009"),
        ("E08000027", "region", 2020, "E12000005"),
        ("E12000005", "country", 2020, "E92000001"),
        ("E92000001", "country", 2020, "K04000001"),
    ]
    site = write(
        tmp_path,
        mart__crime_trend=[DUDLEY, REGION, WHOLE, PARTNERSHIP],
        ref__area=[{"area_code": "E92000001", "area_name": "England"}],
        ref__area_level=[{"area_code": "E92000001", "level": "country"}],
        ref__area_parent=[
            dict(zip(("area_code", "parent_level", "vintage", "parent_code"), row, strict=True)) for row in parents
        ],
    )
    page = Page(site / "areas/E08000027.html")
    assert (
        "It lies in Dudley Community Safety Partnership , West Midlands region , England country , England and Wales "
        "country ."
    ) in page.text
    assert "Upper-tier authorities in it: 1 Dudley" in Page(site / "areas/E12000005.html").text
    found = read_json(site / "areas/E08000027.json")["lies_in"]
    assert [place["area_code"] for place in found] == ["E22000337", "E12000005", "E92000001", "K04000001"]


def test_larger_areas_stand_beside_for_the_same_year(tmp_path: Path) -> None:
    rows = [
        *YEARS,
        crime(date(2018, 3, 31), 1_500, **REGION),
        crime(date(2017, 3, 31), 1_400, **WHOLE),
        crime(date(2018, 3, 31), None, **WHOLE),
    ]
    parents = [
        {"area_code": "E23000014", "parent_level": level, "vintage": 2020, "parent_code": code}
        for level, code in (("region", "E12000005"), ("country", "K04000001"))
    ]
    site = write(
        tmp_path,
        mart__crime_trend=rows,
        ref__area_parent=parents,
        ref__area_level=[{"area_code": code, "level": level} for code, level in (("E12000005", "region"),)],
    )
    page = Page(site / "areas/E23000014.html")
    assert page.tables["comparators"][1:] == [
        ["West Midlands police force", "12.1", "11.1 to 13.1"],
        ["West Midlands region", "15.0", "14.0 to 16.0"],
        ["England and Wales country", "–", "–"],
    ]
    assert "A crime rate for the same period is not held of: England and Wales." in page.text
    assert "two rates can differ for that alone" in page.text


def test_an_authority_leads_to_where_its_crime_is_held(tmp_path: Path) -> None:
    site = write(
        tmp_path,
        mart__crime_trend=[crime(date(2018, 3, 31), 10, **PARTNERSHIP)],
        mart__reoffending_trend=[cohort(2020, 100, 65)],
        ref__area_parent=[
            {"area_code": "E08000027", "parent_level": "csp", "vintage": 2020, "parent_code": "E22000337"}
        ],
    )
    authority, partnership = (Page(site / f"areas/{code}.html").text for code in ("E08000027", "E22000337"))
    assert "Recorded crime is not held of it; it is held of Dudley Community Safety Partnership ." in authority
    assert "Proven reoffending is not held of it; it is held of Dudley upper-tier authority ." in partnership


# --- Revisions, banner, JSON


def test_revisions_are_counted_and_the_last_are_listed(tmp_path: Path) -> None:
    """Six figures, one of them twice: the largest is by 500."""
    rows = [revision(NEXT, MARCH_2, 1_000, 1_000 + by, **FORCE, **ROBBERY, span=f"s{by}") for by in (1, 2, 3, 4, 500)]
    rows += [revision(MARCH_2, NEXT, 1_000, 1_009, **FORCE, **ROBBERY, span="s1")]
    rows += [revision(NEXT, MARCH_2, None, 7, previous_marker="[x]", **FORCE, **TOTAL)]
    page = Page(write(tmp_path, revisions=rows) / "areas/E23000014.html")
    assert (
        "6 figures of it were revised by later releases, 7 times in all. The largest revision: Robbery, West Midlands, "
        "s500 to 31 March 2018: 1,000 became 1,500 (+500, +50%), published on 18 July 2019."
    ) in page.text
    assert [row[4] for row in page.tables["latest-revisions"][1:]] == ["+500", "+4", "+3", "+2", "+1"]
    assert "justice-etl revisions --area E23000014" in page.text
    assert "No figure of it that is held was revised" in Page(page.path.parent / "E23000009.html").text


def test_only_a_page_that_shows_a_modelled_figure_wears_a_banner(tmp_path: Path) -> None:
    rows = [*YEARS, crime(date(2018, 3, 31), 5, **KENT) | {"is_modelled": True}]
    site = write(tmp_path, mart__crime_trend=rows, revisions=[])
    assert Page(site / "areas/E23000014.html").banners == []
    assert len(Page(site / "areas/E23000032.html").banners) == 1
    assert [read_json(site / f"areas/{code}.json")["is_modelled"] for code in ("E23000014", "E23000032")] == [
        False,
        True,
    ]


def test_a_modelled_figure_of_a_larger_area_beside_wears_the_banner(tmp_path: Path) -> None:
    """The force's own figures are published; the region's, shown beside them, are not."""
    region = crime(date(2018, 3, 31), 50_000, **REGION) | {"is_modelled": True}
    parents = [{"area_code": FORCE["area_code"], "parent_level": "region", "vintage": 2020}]
    parents[0]["parent_code"] = REGION["area_code"]
    site = write(tmp_path, mart__crime_trend=[*YEARS, region], ref__area_parent=parents, revisions=[])
    page = Page(site / "areas/E23000014.html")
    assert [row[0] for row in page.tables["comparators"][1:]] == [
        "West Midlands police force",
        "West Midlands region",
    ]
    assert len(page.banners) == 1
    found = read_json(site / "areas/E23000014.json")
    assert found["is_modelled"]
    assert [line["is_modelled"] for line in found["comparators"]] == [False, True]


def test_json_holds_what_the_page_shows(tmp_path: Path) -> None:
    site = write(tmp_path, mart__crime_trend=YEARS, ref__series_break=[BREAK], revisions=[])
    found = read_json(site / "areas/E23000014.json")
    assert (found["area_name"], found["levels"], found["page"]) == ("West Midlands", ["police_force"], "E23000014.html")
    years = found["recorded_crime"]["years"]
    assert [(year["period_end"], year["offences"], year["reason"]) for year in years] == [
        ("2016-03-31", 1_000, "no_previous"),
        ("2017-03-31", 1_100, "coverage_changed"),
        ("2018-03-31", 1_210, None),
    ]
    assert years[2]["break_ids"] == ["recording-2017"]
    del found["lies_in"]
    assert problems("area", found | {"more": 1}) == [
        "$: 'lies_in' is a required property",
        "$: Additional properties are not allowed ('more' was unexpected)",
    ]


def test_the_schema_forbids_what_it_does_not_name() -> None:
    def find_open(schema: Any) -> list[Any]:
        if isinstance(schema, list):
            return [found for part in schema for found in find_open(part)]
        if not isinstance(schema, dict):
            return []
        is_open = schema.get("type") == "object" and schema.get("additionalProperties") is not False
        return [schema] * is_open + [found for part in schema.values() for found in find_open(part)]

    assert find_open(read_json(project_root() / "schemas/site/area.schema.json")) == []


def test_names_that_hold_markup_are_shown_as_text(tmp_path: Path) -> None:
    hostile = {"area_name": HOSTILE, "offence_name": HOSTILE, "offences_marker": HOSTILE, "reason": HOSTILE}
    rows = [row | hostile for row in YEARS]
    site = write(
        tmp_path,
        mart__crime_trend=rows,
        mart__reoffending_trend=[cohort(2020, None, None, area_name=HOSTILE, offenders_marker=HOSTILE)],
        ref__series_break=[BREAK | {"note": HOSTILE}],
        ref__area_name=[{"area_code": "E23000014", "published_name": f"other {HOSTILE}"}],
    )
    for path in ("areas/E23000014.html", "areas/E08000027.html", "areas/index.html"):
        page = Page(site / path)
        assert HOSTILE.split()[0] in page.text
        assert "alert(1)" not in str([attributes for _, attributes in page.elements if "data-names" not in attributes])
        assert [script.get("src") for script in page.named("script")] == (["../site.js"] if "index" in path else [])


# --- All of them


def test_a_warehouse_without_figures_has_its_list(tmp_path: Path) -> None:
    site = write(tmp_path, mart__crime_trend=[], revisions=[], summaries=[], releases=[])
    assert "No figures of any area are held." in Page(site / "areas/index.html").text
    assert [path.name for path in (site / "areas").iterdir()] == ["index.html"]


def test_an_area_of_which_nothing_is_known_has_its_page(tmp_path: Path) -> None:
    page = Page(write(tmp_path, revisions=[]) / "areas/E23000032.html")
    assert page.headings == [(1, "Kent"), (2, "Revisions"), (2, "Data")]
    assert "Police force, code E23000032." in page.text
    assert "No annual figure of it is held." in page.text


def test_areas_are_listed_by_level_and_many_by_letter(tmp_path: Path) -> None:
    names = ["Ynys Môn", "Äcker", "Abbey", "1st"] + [f"Town {number:02}" for number in range(LARGE)]
    rows = [{"area_code": f"E22{place:06}", "area_name": name, "level": "csp"} for place, name in enumerate(names)]
    site = write(
        tmp_path,
        mart__crime_trend=[*rows, FORCE],
        ref__area_name=[{"area_code": "E22000000", "published_name": name} for name in ("Anglesey", "Ynys Mon")],
    )
    page = Page(site / "areas/index.html")
    assert page.headings == [
        (1, "Areas"),
        (2, "Police forces"),
        (2, "Community Safety Partnerships"),
        (3, "Others"),
        (3, "A"),
        (3, "T"),
        (3, "Y"),
    ]
    links = [str(link["href"]) for link in page.named("a") if str(link["href"]).startswith("E22")]
    assert links[:3] == ["E22000003.html", "E22000002.html", "E22000001.html"]
    assert {"href": "#csp-A"} in page.named("a")
    assert {"data-code": "E22000000", "data-names": "Anglesey"} in page.named("li")
    assert page.named("input") == []
    assert fold("Ynys Môn") == "ynys mon"


def test_the_same_lines_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    rows = {
        "mart__crime_trend": [*YEARS, crime(date(2018, 3, 31), 9, **ROBBERY), crime(date(2018, 3, 31), 8, **KENT)],
        "mart__reoffending_trend": [
            cohort(year, 100, 60, age_group=age) for year in (2019, 2020) for age in ("all", "child")
        ],
        "mart__reoffending_rank": [rank(year, age_group=age) for year in (2019, 2020) for age in ("all", "child")],
        "ref__series_break": [BREAK, BREAK | {"break_id": "other"}],
    }
    first = write(tmp_path / "first", **rows)
    again = write(tmp_path / "again", **{name: of[::-1] for name, of in rows.items()})
    files = {path.relative_to(first) for path in first.rglob("*.*")}
    assert {path: (first / path).read_bytes() for path in files} == {
        path: (again / path).read_bytes() for path in files
    }
