"""Rankings: what can be told apart, their pages, charts and JSON, and the list of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from etl.files import read_json
from etl.ranking import classify_funnel
from etl.settings import project_root
from etl.site import ranking_funnel
from etl.site.charts import COLOURS, Charts
from etl.site.directory import read_directory
from etl.site.frame import Site
from etl.site.ranking_text import describe_first, describe_ranking, measure_ranking
from etl.site.rankings import write_rankings
from tests.site.made import HOSTILE, NEXT, REOFFENDING_2, Row, fill
from tests.site.page import Page

ADULTS = "rankings/reoffending/upper_tier-three_month_cohort-year-adult"
TOTAL = "rankings/crime/police_force-total_excluding_fraud"
PROBATION = "rankings/local-adult/upper_tier"
BANNER = "Modelled sample. The figures on this page are made up"


def reoffending(place: int, rank: int | None, **more: Any) -> Row:
    """An authority with 100 offenders, of which `place` reoffended."""
    return {
        "area_code": f"E0800000{place}",
        "area_name": f"Area {place}",
        "level": "upper_tier",
        "measure": "three_month_cohort",
        "span": "year",
        "age_group": "adult",
        "cohort_start": date(2020, 4, 1),
        "cohort_end": date(2021, 3, 31),
        "offenders": 100,
        "reoffenders": place,
        "rate_percent": float(place),
        "wilson_low_percent": max(place - 1.5, 0),
        "wilson_high_percent": place + 2.5,
        "design_effect": 1.3,
        "rank": rank,
        "tied": False,
        "ranked_areas": 3,
        "expected_rank": 2.0,
        "rank_low": 1,
        "rank_high": 3,
        "rank_bound_low": 1,
        "rank_bound_high": 3,
        "lowest_10_percent": None,
        "highest_10_percent": None,
        "indistinguishable_areas": 2,
        "funnel_class": "inside",
        "funnel_class_overdispersed": "inside",
        "rankability": 0.25,
        "eligible": rank is not None,
        "exclusion_reason": None,
        "reason": None,
        "release_id": REOFFENDING_2,
        "is_modelled": False,
    } | more


UNKNOWN = {"exclusion_reason": "unknown_area", "reason": "unknown_area", "rank_low": None, "rank_high": None}
UNKNOWN |= {"rank_bound_low": None, "rank_bound_high": None, "tied": None}
REOFFENDING = [
    reoffending(3, 1, funnel_class="below_95", indistinguishable_areas=1, rank_bound_high=2),
    reoffending(5, 2, tied=True),
    reoffending(6, 2, tied=True, area_name="Dudley", area_code="E08000027", funnel_class="above_99_8"),
    reoffending(8, None, area_name="Unknown", **UNKNOWN),
    reoffending(5, 1, cohort_end=date(2020, 3, 31)),
    reoffending(5, 1, cohort_end=date(2019, 3, 31)),
]


def crime(place: int, rank: int | None, **more: Any) -> Row:
    return {
        "area_code": f"E2300000{place}",
        "area_name": f"Force {place}",
        "level": "police_force",
        "offence_id": "total_excluding_fraud",
        "offence_name": "Total recorded crime (excluding fraud)",
        "period_start": date(2018, 4, 1),
        "period_end": date(2019, 3, 31),
        "offences": 10_000 * place,
        "population": 1_000_000,
        "rate_per_1000": 10.0 * place,
        "rate_low_per_1000": 10.0 * place - 0.5,
        "rate_high_per_1000": 10.0 * place + 0.5,
        "yearly_noise_percent": 4.12,
        "rank": rank,
        "tied": False,
        "ranked_areas": 2,
        "rank_low": None,
        "rank_high": None,
        "rank_bound_low": rank,
        "rank_bound_high": rank,
        "indistinguishable_areas": 0,
        "funnel_class": "inside",
        "funnel_class_overdispersed": "inside",
        "eligible": rank is not None,
        "reason": "too_few",
        "release_id": NEXT,
        "is_modelled": False,
    } | more


CRIME = [crime(1, 1), crime(2, 2), crime(3, None, exclusion_reason="no_resident_population", offences=None)]


def adult(place: int, rank: int | None, **more: Any) -> Row:
    return {
        "area_code": f"E0800000{place}",
        "area_name": f"Area {place}",
        "level": "upper_tier",
        "period_start": date(2013, 1, 1),
        "period_end": date(2013, 12, 31),
        "offenders": 1_000,
        "actual_percent": 5.46,
        "predicted_percent": 7.0,
        "difference_percent": -22.0 + 10 * place,
        "significant": place == 1,
        "rank_all": rank,
        "tied": False,
        "rank_significant": 1 if place == 1 else None,
        "ranked_areas": 2,
        "rank_low": None,
        "rank_high": None,
        "rank_bound_low": 1,
        "rank_bound_high": 2,
        "indistinguishable_areas": 1,
        "eligible": rank is not None,
        "reason": "too_few",
        "release_id": REOFFENDING_2,
        "is_modelled": False,
    } | more


LOCAL_ADULT = [adult(1, 1), adult(3, 2)]
ALL: dict[str, list[Row]] = {
    "mart__reoffending_rank": REOFFENDING,
    "mart__crime_rank": CRIME,
    "mart__local_adult_reoffending_rank": LOCAL_ADULT,
}


def write(folder: Path, **rows: Iterable[Row]) -> Path:
    """The pages of the rankings alone."""
    with duckdb.connect() as connection, Charts(None) as charts:
        fill(connection, **rows)
        write_rankings(connection, Site(folder, "0123456789ab", False, read_directory(connection), charts))
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("rankings"), **ALL)


def problems(content: Any) -> list[str]:
    schema = read_json(project_root() / "schemas" / "site" / "ranking.schema.json")
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]


# --- What can be told apart


def ten(*bounds: tuple[int, int], **more: Any) -> list[Row]:
    return [
        reoffending(place, place, rank_bound_low=low, rank_bound_high=high, **more)
        for place, (low, high) in enumerate(bounds, start=1)
    ]


SPREAD = [(1, 1), (2, 5), (2, 6), (2, 8), (2, 9), (2, 9), (3, 9), (5, 9), (6, 10), (7, 10)]


def test_halves_and_widths() -> None:
    """The middle of ten ranks is 5.5: two areas end below it, two begin above it. Places: 1 4 4 5 5 5 7 7 8 8."""
    found = measure_ranking(ten(*SPREAD))
    assert (found.lower_half, found.upper_half, found.bound_width, found.rank_width) == (2, 2, 5, 3)
    assert (found.could_be_first, found.number_one) == (1, "Area 1")
    assert describe_ranking("reoffending", "upper_tier", found) == [
        "Of 10 upper-tier authorities 2 are guaranteed (with 95% for each of them) a place in the lower half of this "
        "ranking and 2 in the upper half; of the other 6 not even that can be said.",
        "Given the data, the rank of a typical area is known to within 3 places; what is guaranteed spans 5 of 10 "
        "places.",
        "Area 1 stands apart from all others: “number one” (the lowest rate) holds.",
        "Of how the areas differ (the variance of their rates) some 25% is more than chance (rankability 0.25).",
    ]


def test_a_count_over_all_areas_rests_on_what_holds_for_all_at_once() -> None:
    """One area may be said to lie in the lower half with 95%; that two of ten do needs the wider bounds."""
    wider = [(1, 3), (1, 6), (1, 7), (1, 9), (2, 9), (2, 10), (2, 10), (4, 10), (6, 10), (5, 10)]
    rows = [
        row | {"rank_bound_simultaneous_low": low, "rank_bound_simultaneous_high": high}
        for row, (low, high) in zip(ten(*SPREAD), wider, strict=True)
    ]
    found = measure_ranking(rows)
    assert (found.is_simultaneous, found.lower_half, found.upper_half, found.could_be_first) == (True, 1, 1, 4)
    assert found.bound_width == 5, "that of an area, each for itself"
    halves, _, first, *_ = describe_ranking("reoffending", "region", found)
    assert halves.startswith(
        "Of 10 regions 1 is guaranteed (with 95% for all of them at once) a place in the lower half"
    )
    assert "Area 1 stands apart" in first
    rows[0]["rank_bound_high"] = 2
    told = describe_ranking("reoffending", "region", measure_ranking(rows))
    assert told[2].startswith("By the same measure 4 areas could be number one")


def test_a_rank_that_may_be_any_spans_every_place() -> None:
    found = measure_ranking(ten(*[(1, 10)] * 10, rank_low=None, rank_high=None))
    told = describe_ranking("reoffending", "region", found)
    assert told[1] == "The guaranteed rank of a typical area spans 10 of 10 places."


def test_number_one_holds_only_where_the_guaranteed_rank_is_one_alone() -> None:
    could = [(1, 2), *SPREAD[1:]]
    for bounds, told in (
        (
            could,
            "By the same measure 1 area could be number one (the lowest rate): nobody can be called that for sure.",
        ),
        (
            [(1, 2), (1, 5), *SPREAD[2:]],
            "By the same measure 2 areas could be number one (the lowest rate): nobody can be",
        ),
        (
            [(1, 10)] * 10,
            "By the same measure each of them could be number one (the lowest rate): nobody can be called that.",
        ),
    ):
        told_all = describe_ranking("reoffending", "upper_tier", measure_ranking(ten(*bounds)))
        assert told in told_all[2]
        assert "holds" not in " ".join(told_all)


def test_nothing_can_be_told_apart() -> None:
    found = measure_ranking(ten(*[(1, 10)] * 10, tied=True, rankability=0.0))
    first, _, _, *rest = describe_ranking("crime", "police_force", found)
    assert first == (
        "Of 10 police forces none is guaranteed (with 95% for each of them) a place in the lower or in the upper "
        "half of this ranking."
    )
    assert rest == [
        "Nothing of how the areas differ is more than chance and what moves the rate of an area from year to year "
        "(rankability 0.00).",
        "10 of the 10 areas share their rate with another one: look at the numbers behind the rates before anything is "
        "read into this order.",
    ]


def test_the_ten_lowest_and_highest_are_named_from_95_percent_on() -> None:
    rows = ten(*SPREAD, lowest_10_percent=94.0, highest_10_percent=0.0)
    rows[0]["lowest_10_percent"], rows[1]["lowest_10_percent"] = 100.0, 95.0
    told = " ".join(describe_ranking("reoffending", "upper_tier", measure_ranking(rows)))
    assert (
        "With a probability of 95% or more these are among the ten lowest: Area 1 and Area 2; and these among the ten "
        "highest: none." in told
    )
    rows = ten(*SPREAD, lowest_10_percent=94.0, highest_10_percent=0.0)
    told = " ".join(describe_ranking("reoffending", "upper_tier", measure_ranking(rows)))
    assert "No area is among the ten lowest, or the ten highest, with a probability of 95% or more." in told
    assert "ten lowest" not in " ".join(describe_ranking("reoffending", "upper_tier", measure_ranking(ten(*SPREAD))))


def test_one_area_has_nothing_to_be_compared_with() -> None:
    rows = [reoffending(1, 1, ranked_areas=1, rank_bound_high=1)]
    found = measure_ranking(rows)
    assert found.number_one is None
    assert describe_ranking("reoffending", "region", found) == [
        "Only one area is ranked: there is nothing to compare it with."
    ]
    assert describe_first("reoffending", rows, 1) == []


def test_the_first_area_is_told_of_unless_many_are_first() -> None:
    [told] = describe_first("reoffending", REOFFENDING[:3], 1)
    assert told.startswith("Area 3 has rank 1 of 3 (3.0%, 95% interval 1.5 to 5.5), 1 being the lowest rate;")
    assert "does not hold, since its rank could be as high as 2." in told
    assert describe_first("reoffending", [reoffending(place, 1, tied=True) for place in range(1, 5)], 1) == []


# --- The funnel


def test_limits_of_the_funnel_are_those_of_ohid() -> None:
    """Published with PHEIndicatormethods: p0 = 80.642448%, n = 395. A design effect divides the offenders."""
    for effect in (1.0, 1.3):
        funnel = ranking_funnel.Funnel(0.80642448, effect, 0.0)
        [inner] = funnel.limits([395 * effect], 0.95, with_spread=False)
        [outer] = funnel.limits([395 * effect], 0.998, with_spread=False)
        assert inner == pytest.approx((76.74611, 84.538786), abs=1e-5)
        assert outer == pytest.approx((74.499177, 86.785719), abs=1e-5)


def test_points_lie_where_their_class_says() -> None:
    """The limits that are drawn are the ones by which areas were classified."""
    sizes = np.array([60, 80, 100, 150, 200, 300, 400, 600, 900, 1500, 2500, 4000])
    rates = np.array([0.1, 0.5, 0.3, 0.2, 0.35, 0.25, 0.33, 0.24, 0.3, 0.21, 0.28, 0.27])
    events = np.round(sizes * rates)
    plain, widened = classify_funnel(events / 1.3, sizes / 1.3)
    assert len({*plain}) > 2
    rows = [
        reoffending(1, 1, offenders=int(n), reoffenders=int(y), rate_percent=100 * y / n)
        for n, y in zip(sizes, events, strict=True)
    ]
    funnel = ranking_funnel.make_funnel(rows)
    for classes, with_spread in ((plain, False), (widened, True)):
        inner, outer = (funnel.limits(list(sizes), confidence, with_spread) for confidence in (0.95, 0.998))
        for row, found, (low, high), (lowest, highest) in zip(rows, classes, inner, outer, strict=True):
            rate = row["rate_percent"]
            assert (rate < low, rate > high) == ("below" in found, "above" in found)
            assert (rate < lowest, rate > highest) == (found == "below_99_8", found == "above_99_8")


def test_few_areas_are_named_and_names_do_not_cover_each_other() -> None:
    rows = [
        reoffending(1, 1, area_code=f"E{number:08}", area_name=f"Area {number}", offenders=100 + 50 * number)
        | {"rate_percent": rate, "reoffenders": round(rate), "funnel_class_overdispersed": funnel_class}
        for number, (rate, funnel_class) in enumerate(
            [(10.0, "inside"), (90.0, "above_99_8"), (89.9, "above_99_8"), (1.0, "below_95"), (50.0, "inside")]
        )
    ]
    labels = ranking_funnel.choose_labels(rows, ranking_funnel.make_funnel(rows))
    assert len(labels) == 2
    assert {label["name"] for label in labels} <= {"Area 1", "Area 2", "Area 3"}
    assert {"Area 3"} <= {label["name"] for label in labels}


@pytest.mark.parametrize(
    "change",
    [{"offenders": None}, {"design_effect": None}, {"offenders": 0}, {"reoffenders": None}, {"reoffenders": 0}],
)
def test_without_figures_there_is_no_funnel(change: Row) -> None:
    assert not ranking_funnel.has_funnel([reoffending(1, 1) | change])
    assert ranking_funnel.has_funnel([reoffending(1, 1)])


# --- Pages


def test_every_ranking_has_a_page_and_json(site: Path) -> None:
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert pages == {
        "rankings/index.html",
        *(f"{stem}.{suffix}" for stem in (ADULTS, TOTAL, PROBATION) for suffix in ("html", "json")),
    }


def test_a_table_of_reoffending(site: Path) -> None:
    page = Page(site / f"{ADULTS}.html")
    assert page.headings[0] == (
        1,
        "Upper-tier authorities by proven reoffending rate, adults, April 2020 to March 2021",
    )
    head, *rows = page.tables["ranking"]
    assert head == [
        *("Area", "Rank", "Rate, %", "95% interval", "Rank given the data", "Guaranteed rank"),
        *("Cannot be told apart from", "Funnel of chance", "Funnel with spread", "Offenders", "Reoffenders"),
    ]
    assert rows == [
        ["Area 3", "1", "3.00", "1.50 to 5.50", "1 to 3", "1 to 2", "1", "below 95%", "inside", "100", "3"],
        ["Area 5", "2=", "5.00", "3.50 to 7.50", "1 to 3", "1 to 3", "2", "inside", "inside", "100", "5"],
        ["Dudley", "2=", "6.00", "4.50 to 8.50", "1 to 3", "1 to 3", "2", "above 99.8%", "inside", "100", "6"],
    ]
    assert page.tables["not-ranked"][1:] == [
        ["Unknown", "It is no area but offenders of other areas, or of none that is known", "8.00", "100", "8"]
    ]
    assert "Raw rates ignore who the offenders are" in page.text
    assert "count 1.3 offenders as one" in page.text
    assert "2 of 3 lie outside the 95% funnel; fewer than one would by chance alone." in page.text
    assert {"href": "../../areas/E08000027.html"} in page.named("a")


def test_earlier_periods_are_named_and_not_compared(site: Path) -> None:
    page = Page(site / f"{ADULTS}.html")
    assert "2 earlier rankings of this kind are held. No change of rank" in page.text
    assert "year to 31 March 2020: 1 ranked year to 31 March 2019: 1 ranked" in page.text
    assert "No earlier ranking of this kind is held." in Page(site / f"{TOTAL}.html").text


def test_command_and_query_ask_for_the_ranking(site: Path) -> None:
    page = Page(site / f"{ADULTS}.html")
    assert (
        "justice-etl rank reoffending --level upper_tier --age-group adult --measure three_month_cohort --span year "
        "--year 2021-03-31" in page.text
    )
    assert "--offence total_excluding_fraud --year 2019-03-31" in Page(site / f"{TOTAL}.html").text
    for stem, names in ((ADULTS, ["Area 3", "Area 5", "Dudley", "Unknown"]), (PROBATION, ["Area 1", "Area 3"])):
        texts = Page(site / f"{stem}.html").texts
        [query] = [text for text in texts if text.startswith("SELECT")]
        with duckdb.connect() as connection:
            fill(connection, **ALL)
            assert [row[1] for row in connection.execute(query).fetchall()] == names


def test_downloads_and_the_release_are_linked(site: Path) -> None:
    hrefs = {str(link["href"]) for link in Page(site / f"{ADULTS}.html").named("a")}
    assert hrefs >= {
        "upper_tier-three_month_cohort-year-adult.json",
        "../../../feeds/mart/reoffending_rank.csv",
        "../../../feeds/mart/reoffending_rank.parquet",
        "../../../feeds/spreadsheets/proven-reoffending-ranking.xlsx",
        "../../dictionary/mart/reoffending_rank.html",
        "../../releases/proven_reoffending/july-to-september-2020-1.html",
    }
    crime_links = {str(link["href"]) for link in Page(site / f"{TOTAL}.html").named("a")}
    assert "../../../feeds/spreadsheets/crime-rate-ranking.xlsx" in crime_links


def test_crime_says_what_it_is_and_draws_no_funnel(site: Path) -> None:
    page = Page(site / f"{TOTAL}.html")
    assert page.tables["ranking"][1:] == [
        ["Force 1", "1", "10.0", "9.5 to 10.5", "–", "1 to 1", "0", "inside", "inside", "10,000", "1,000,000"],
        ["Force 2", "2", "20.0", "19.5 to 20.5", "–", "2 to 2", "0", "inside", "inside", "20,000", "1,000,000"],
    ]
    assert page.tables["not-ranked"][1][:2] == [
        "Force 3",
        "It has no residents to speak of, so that a rate means nothing",
    ]
    assert page.tables["not-ranked"][1][3] == "–"
    assert "Police recorded crime has not been an accredited official statistic since 15 January 2014" in page.text
    assert "the rate of one area moves by some 4.1% beyond chance" in page.text
    assert "Force 1 stands apart from all others: “number one” (the lowest rate) holds." in page.text
    assert "No funnel is drawn" in page.text
    assert len(page.named("svg")) == 1


def test_the_page_says_which_lines_its_chart_has(site: Path) -> None:
    adults, forces = Page(site / f"{ADULTS}.html").text, Page(site / f"{TOTAL}.html").text
    assert "thick: the data; thin: guaranteed" in adults
    assert "the thick bar is the rank given the data" in adults.replace(" :", ":")
    assert "line: guaranteed" in forces
    assert "thick" not in forces
    for text in (adults, forces):
        assert "do not overlap are told apart" not in text


def test_local_adult_reoffending_keeps_to_itself(site: Path) -> None:
    page = Page(site / f"{PROBATION}.html")
    assert page.tables["ranking"][1] == [
        *("Area 1", "1", "−12.0", "–", "1 to 2", "1", "yes", "1", "1,000", "5.46", "7.00")
    ]
    assert page.tables["ranking"][2][2] == "+8.0"
    assert "never comparable with proven reoffending; it ended in 2014." in page.text
    assert "lie outside the 95% funnel" not in page.text
    assert not [link for link in page.named("a") if "reoffending_rank" in str(link["href"]).replace("adult_re", "")]


def test_a_chart_says_what_it_shows(site: Path) -> None:
    page = Page(site / f"{ADULTS}.html")
    svgs = page.named("svg")
    assert [svg["aria-describedby"] for svg in svgs] == ["intervals-text", "funnel-text"]
    assert (
        "3 areas by rank, from Area 3 (3.00%, 95% interval 1.50 to 5.50) to Dudley (6.00%, 95% interval 4.50 to 8.50). "
        "The rank of the area in the middle, Area 5, lies given the data between 1 and 3, guaranteed between 1 and 3."
        in page.text
    )
    # (3 + 5 + 6) of 300
    assert "3 areas of 100 to 100 offenders around the average of all, 4.7%" in page.text
    assert "By chance only, 2 of them lie outside the 95% limits and 1 outside those of 99.8%." in page.text
    colours = {str(value) for _, at in page.elements for name, value in at.items() if name in ("fill", "stroke")}
    assert colours <= {*COLOURS.values(), "none"}


def test_charts_of_many_areas_are_light(tmp_path: Path) -> None:
    """174 areas: both charts of a page in 120 kB."""
    rows = [
        reoffending(1, number + 1, area_code=f"E{number:08}", area_name=f"Bath and North East Somerset {number}")
        | {"offenders": 100 + 37 * number, "reoffenders": 20 + 9 * number, "rate_percent": 20 + number / 20}
        | {"rank_bound_high": 174, "rank_high": 100, "rank_low": 1 + number // 2}
        for number in range(174)
    ]
    html = (write(tmp_path, mart__reoffending_rank=rows) / f"{ADULTS}.html").read_text(encoding="utf-8")
    assert sum(map(len, re.findall(r"<svg.*?</svg>", html, re.DOTALL))) < 120_000


@pytest.mark.parametrize("stem", ["rankings/index", ADULTS, TOTAL, PROBATION])
def test_everybody_can_read_a_page(stem: str, site: Path) -> None:
    page = Page(site / f"{stem}.html")
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    ids = [at["id"] for _, at in page.elements if "id" in at]
    assert len(ids) == len(set(ids))
    assert all(at["aria-labelledby"] in ids for _, at in page.elements if "aria-labelledby" in at)
    regions = [at for _, at in page.elements if str(at.get("class")).startswith("scroll")]
    assert [region["aria-labelledby"] for region in regions] == [caption["id"] for caption in page.named("caption")]
    assert all((region["tabindex"], region["role"]) == ("0", "region") for region in regions)
    assert all(cell["scope"] in ("col", "row") for cell in page.named("th"))
    assert not [at for _, at in page.elements if "style" in at or any(name.startswith("on") for name in at)]


# --- Banners, words, order


def test_modelled_figures_wear_a_banner_and_others_none(tmp_path: Path) -> None:
    rows = ALL | {"mart__crime_rank": [CRIME[0], CRIME[1] | {"is_modelled": True}]}
    site = write(tmp_path, **rows)
    assert [stem for stem in (ADULTS, TOTAL, PROBATION) if BANNER in Page(site / f"{stem}.html").text] == [TOTAL]
    assert read_json(site / f"{TOTAL}.json")["is_modelled"] is True
    assert read_json(site / f"{ADULTS}.json")["is_modelled"] is False
    assert "modelled sample" in Page(site / "rankings/index.html").text


def test_nothing_is_called_best_or_worst(site: Path) -> None:
    text = " ".join(Page(path).text for path in site.rglob("*.html"))
    assert re.findall(r"[\w ]*\b(?:best|worst|better|worse|winner)\b[\w ]*", text) == [" Lowest is not best"]


def test_the_order_of_lines_changes_nothing(site: Path, tmp_path: Path) -> None:
    again = write(tmp_path, **{table: rows[::-1] for table, rows in ALL.items()})
    for path in site.rglob("*.*"):
        assert (again / path.relative_to(site)).read_bytes() == path.read_bytes()


def test_names_that_hold_markup_are_shown_as_text(tmp_path: Path) -> None:
    rows = [row | {"area_name": HOSTILE, "release_id": HOSTILE, "offence_name": HOSTILE} for row in CRIME]
    page = Page(write(tmp_path, mart__crime_rank=rows) / f"{TOTAL}.html")
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.tables["ranking"][1][0] == HOSTILE
    assert HOSTILE in page.headings[0][1]


def test_a_warehouse_without_rankings_has_the_list(tmp_path: Path) -> None:
    site = write(tmp_path)
    assert [path.name for path in site.rglob("*.*")] == ["index.html"]
    assert "Nothing is ranked: no figures are held that would do for it." in Page(site / "rankings/index.html").text


def test_a_ranking_of_which_little_is_known_has_its_page(tmp_path: Path) -> None:
    kept: tuple[str, ...] = (
        "area_code",
        "area_name",
        "level",
        "rank",
        "rank_all",
        "measure",
        "span",
        "age_group",
        "offence_id",
    )
    kept += ("cohort_end", "period_end")
    rows = {table: [{name: row[name] for name in kept if name in row} for row in lines] for table, lines in ALL.items()}
    site = write(tmp_path, **rows)
    page = Page(site / f"{ADULTS}.html")
    assert "How sure these ranks are is not known." in page.text
    assert page.tables["ranking"][1] == ["Area 3", "1", *["–"] * 9]
    assert len(page.named("svg")) == 1
    assert page.tables["not-ranked"][1] == ["Unknown", "No reason is given", "–", "–", "–"]


# --- The list and JSON


def test_the_list_says_what_each_ranking_can_tell(site: Path) -> None:
    page = Page(site / "rankings/index.html")
    assert [text for level, text in page.headings if level == 2] == [
        "What a ranking can and cannot say",
        "Proven reoffending",
        "Recorded crime",
        "Local adult reoffending",
    ]
    assert page.tables["reoffending-upper_tier"][1:] == [
        ["Adults, three-month cohorts", "31 March 2021", "3", "3", "3", "3", "0.25"]
    ]
    assert page.tables["crime-police_force"][1:] == [
        ["Total recorded crime (excluding fraud)", "31 March 2019", "2", "–", "1", "1", "–"]
    ]
    assert page.tables["local-adult-upper_tier"][1][0] == "Reoffending against its prediction"
    hrefs = {str(link["href"]) for link in page.named("a")}
    assert "crime/police_force-total_excluding_fraud.html" in hrefs
    assert "holds only where the guaranteed rank is 1 and nothing else" in page.text


BURGLARY = {"offence_id": "domestic_burglary", "offence_name": "Domestic burglary"}
BREAK = {"break_id": "burglary-2017", "series": "recorded_crime", "kind": "classification", "action": "null"}
BREAK |= {"start_date": date(2017, 4, 1), "offence_ids": "domestic_burglary; residential_burglary", "note": "Replaced"}


def burgle(year: int, month: int, rates: tuple[float, float]) -> list[Row]:
    """The ranking of two forces by domestic burglary in the year to the end of a month."""
    ends = {"period_start": date(year - 1, month + 1, 1), "period_end": date(year, month, {3: 31, 6: 30}[month])}
    return [
        crime(place, place, **BURGLARY, **ends) | {"rate_per_1000": rate, "offences": int(1000 * rate)}
        for place, rate in enumerate(rates, start=1)
    ]


@pytest.mark.parametrize("last", [(0.0, 0.0), (0.0, 0.006)])
def test_an_offence_that_others_replaced_is_ranked_as_before(last: tuple[float, float], tmp_path: Path) -> None:
    """The year to June 2017 holds two months of it, that to March 2018 none or next to none."""
    ranked = [*burgle(2016, 3, (3.0, 4.0)), *burgle(2017, 3, (3.0, 4.0)), *burgle(2017, 6, (2.0, 3.0))]
    ranked += burgle(2018, 3, last)
    names = ("area_code", "area_name", "level", "offence_id", "period_start", "period_end", "offences", "is_modelled")
    trend = [{name: row[name] for name in names} | {"span": "year", "release_id": NEXT} for row in ranked]
    stem = "rankings/crime/police_force-domestic_burglary"
    offences = [{"offence_id": "domestic_burglary", "level": "subgroup", "name": "Domestic burglary"}]
    tables = {"mart__crime_rank": ranked, "mart__crime_trend": trend, "ref__offence": offences}
    site = write(tmp_path / "broken", **tables, ref__series_break=[BREAK])
    text = Page(site / f"{stem}.html").text
    assert "Domestic burglary, April 2016 to March 2017" in text
    assert "newest ranking from before 1 April 2017, the day since which other offences have taken the place" in text
    assert [row["period_end"] for row in read_json(site / f"{stem}.json")["earlier_periods"]] == ["2016-03-31"]
    without = Page(write(tmp_path / "unbroken", **tables) / f"{stem}.html").text
    if last[1] == 0:
        assert "July 2016 to June 2017" in without, "no table of zeros is shown where no break is known either"
    assert "taken the place" not in without


def test_totals_come_before_offences_and_lead_to_their_other_levels(tmp_path: Path) -> None:
    burglary = {"offence_id": "burglary", "offence_name": "Burglary"}
    rows = [*CRIME, crime(1, 1, **burglary), crime(1, 1, level="csp", **burglary)]
    site = write(tmp_path, mart__crime_rank=rows)
    table = Page(site / "rankings/index.html").tables["crime-police_force"]
    assert [row[0] for row in table[1:]] == ["Total recorded crime (excluding fraud)", "Burglary"]
    links = {str(link["href"]) for link in Page(site / "rankings/crime/police_force-burglary.html").named("a")}
    assert "csp-burglary.html" in links
    assert "police_force-total_excluding_fraud.html" not in links


@pytest.mark.parametrize("stem", [ADULTS, TOTAL, PROBATION])
def test_json_is_valid(stem: str, site: Path) -> None:
    assert problems(read_json(site / f"{stem}.json")) == []


def test_json_holds_what_the_page_holds(site: Path) -> None:
    content = read_json(site / f"{ADULTS}.json")
    assert [(area["area_name"], area["rank"], area["why_not_ranked"]) for area in content["areas"]] == [
        ("Area 3", 1, None),
        ("Area 5", 2, None),
        ("Dudley", 2, None),
        ("Unknown", None, "It is no area but offenders of other areas, or of none that is known"),
    ]
    assert content["earlier_periods"] == [
        {"period_end": "2020-03-31", "ranked_areas": 1},
        {"period_end": "2019-03-31", "ranked_areas": 1},
    ]
    assert content["told_apart"]["could_be_first"] == 3
    assert content["release_ids"] == [REOFFENDING_2]
    text = Page(site / f"{ADULTS}.html").text
    assert all(sentence in text for sentence in content["sentences"] + content["notes"])


def test_json_with_a_rank_that_is_not_bounded_is_not_valid(site: Path) -> None:
    Draft202012Validator.check_schema(read_json(project_root() / "schemas" / "site" / "ranking.schema.json"))
    content = read_json(site / f"{ADULTS}.json")
    content["areas"][0]["rank_bound_high"] = None
    assert problems(content) == ["$.areas[0].rank_bound_high: None is not of type 'integer'"]
