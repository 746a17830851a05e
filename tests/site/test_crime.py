"""The pages of offences: trends with their breaks, police forces in the newest year, and the JSON beside each page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jsonschema import Draft202012Validator

from etl.files import read_json
from etl.settings import project_root
from etl.site.charts import Charts
from etl.site.crime import list_tree, write_crime
from etl.site.crime_charts import number_breaks
from etl.site.crime_words import tell_change, tell_cost, tell_count, tell_newest, tell_rate
from etl.site.directory import read_directory
from etl.site.frame import Site
from etl.site.series import make_segments
from tests.site.made import FORCE, HOSTILE, KENT, NEXT, Row, fill
from tests.site.page import Page
from tests.site.rules import check_page

NATION = {"area_code": "K04000001", "area_name": "England and Wales", "level": "country"}
REGION = {"area_code": "E12000005", "area_name": "West Midlands", "level": "region"}
CITY = {"area_code": "E23000034", "area_name": "London, City of", "level": "police_force"}
TRANSPORT = {"area_code": "x-british-transport-police", "area_name": "British Transport Police", "level": "other"}

ALL_CRIME, NO_FRAUD, THEFT, BURGLARY, HOMES, DRUGS = (
    "total_including_fraud", "total_excluding_fraud", "theft_offences", "burglary", "residential_burglary",
    "drug_offences",
)  # fmt: skip
OFFENCES: list[Row] = [
    {"offence_id": ALL_CRIME, "name": "Total (including fraud)", "level": "total", "parent_id": None},
    {"offence_id": NO_FRAUD, "name": "Total (excluding fraud)", "level": "total", "parent_id": ALL_CRIME},
    {"offence_id": THEFT, "name": "Theft offences", "level": "group", "parent_id": NO_FRAUD},
    {"offence_id": DRUGS, "name": "Drug offences", "level": "group", "parent_id": NO_FRAUD},
    {"offence_id": BURGLARY, "name": "Burglary", "level": "subgroup", "parent_id": THEFT},
    {"offence_id": HOMES, "name": "Residential burglary", "level": "subgroup", "parent_id": BURGLARY},
    {"offence_id": "offence_28", "name": "Burglary in a dwelling", "level": "offence", "parent_id": BURGLARY},
]
BREAKS: list[Row] = [
    {"break_id": "burglary-2017", "kind": "classification", "action": "null", "start_date": date(2017, 4, 1)}
    | {"offence_ids": HOMES, "effect": "split", "note": "Residential replaces domestic", "source": "ONS"}
    | {"series": "recorded_crime", "verified": True},
    {"break_id": "gmp-2019", "kind": "missing", "action": "null", "start_date": date(2019, 7, 1)}
    | {"end_date": date(2020, 3, 31), "area_codes": "E23000014; E92000009", "offence_ids": "*", "effect": "missing"}
    | {"note": "Police could supply no data", "source": "ONS", "series": "recorded_crime", "verified": True},
    {"break_id": "conduct-2023", "kind": "counting_rules", "action": "annotate", "start_date": date(2023, 5, 1)}
    | {"offence_ids": "*", "effect": "down", "note": "Counting rules changed", "source": "Home Office"}
    | {"series": "recorded_crime", "verified": False},
    {"break_id": "pr-pnc-2020", "kind": "revision", "action": "annotate", "start_date": date(2020, 1, 30)}
    | {"offence_ids": "*", "effect": "revised", "note": "Not of crime", "source": "MoJ"}
    | {"series": "proven_reoffending", "verified": True},
]
BY_ID = {row["break_id"]: row | {"end_date": row.get("end_date")} for row in BREAKS}


def year(area: Row, offence_id: str, end: date, offences: int | None, **more: Any) -> Row:
    """A line of mart.crime_trend: a whole year without rate and change, if `more` does not say otherwise."""
    rate = (
        "offences_marker",
        "population",
        "population_mid_year",
        "rate_per_1000",
        "rate_low_per_1000",
        "rate_high_per_1000",
    )
    change = ("previous_offences", "previous_source", "change", "change_percent", "change_low_percent")
    start = date(end.year - 1, end.month % 12 + 1, 1) if end.month < 12 else date(end.year, 1, 1)
    row: Row = dict.fromkeys((*rate, *change, "change_high_percent", "break_ids"))
    row |= area | {"offence_id": offence_id, "span": "year", "period_end": end, "period_start": start}
    row |= {"offences": offences, "reason": "no_previous", "rate_reason": "population_missing", "release_id": NEXT}
    return row | {"is_modelled": False} | more


def changed(percent: float, low: float, high: float, previous: int, change: int) -> Row:
    ends = {"change_percent": percent, "change_low_percent": low, "change_high_percent": high, "reason": None}
    return ends | {"previous_offences": previous, "change": change, "previous_source": "same_release"}


MARCH_18, MARCH_19, JUNE_25 = date(2018, 3, 31), date(2019, 3, 31), date(2025, 6, 30)
RATED = {"rate_per_1000": 3.3, "rate_low_per_1000": 3.285, "rate_high_per_1000": 3.315, "rate_reason": None}
FELL = changed(-10.132, -10.683, -9.579, 215_350, -21_820)
CRIME = [
    year(NATION, THEFT, MARCH_18, 215_350),
    year(NATION, THEFT, MARCH_19, 193_530, **FELL, **RATED),
    year(NATION, THEFT, JUNE_25, None, reason="no_data", rate_reason="no_data", offences_marker="[x]"),
    year(NATION, BURGLARY, MARCH_19, 0, reason="classification", break_ids="burglary-2017"),
    year(FORCE, THEFT, MARCH_19, 2_000, **changed(5.0, 1.0, 9.0, 1_905, 95)),
    year(KENT, THEFT, MARCH_19, 1_000, **changed(-5.0, -10.0, 0.3, 1_053, -53)),
    year(FORCE, THEFT, JUNE_25, 2_100, **RATED),
    year(KENT, THEFT, JUNE_25, None, offences_marker="[c]", reason="no_data", rate_reason="no_data"),
    year(CITY, THEFT, MARCH_19, 60, reason="base_under_50", rate_reason="no_resident_population", change=20),
    year(REGION, HOMES, MARCH_19, 40),
    year(FORCE, HOMES, MARCH_19, 400),
    year(TRANSPORT, DRUGS, MARCH_19, 900),
    year(TRANSPORT, DRUGS, MARCH_18, 800) | {"span": "quarter"},
    year(FORCE, "offence_28", MARCH_19, 7),
]
COSTS = [
    {"area_code": "K04000001", "offence_id": THEFT, "period_end": MARCH_19, "area_name": "England and Wales"}
    | {"offences": 82_542, "unit_cost_pounds": 11906.51779, "cost_pounds": 982_787_791.4, "price_base": "2017/18"}
    | {"cohort_year": 2016, "is_whole": False, "release_id": NEXT, "is_modelled": False}
]


def write(folder: Path, **tables: Iterable[Row]) -> Path:
    """Write this part of a site, of what is given by table; the rest is as above."""
    rows: dict[str, Iterable[Row]] = {"ref__offence": OFFENCES, "ref__series_break": BREAKS, "mart__crime_trend": CRIME}
    rows |= {"mart__crime_cost": COSTS} | tables
    with duckdb.connect() as connection, Charts(None) as charts:
        fill(connection, **rows)
        site = Site(folder, "0123456789ab", False, read_directory(connection), charts)
        write_crime(connection, site)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("crime"))


def segments(rows: list[Row]) -> list[int]:
    return [line["segment"] for line in make_segments(rows, BY_ID)]


def test_a_line_is_cut_at_a_missing_figure_and_where_years_lie_far_apart() -> None:
    counts = {date(2010, 3, 31): 5, date(2011, 3, 31): 6, date(2012, 3, 31): None, date(2013, 3, 31): 7, JUNE_25: 8}
    rows = [year(NATION, THEFT, end, count) for end, count in counts.items()]
    assert make_segments(rows, {}) == [
        {"end": "2010-03-31", "value": 5, "segment": 1},
        {"end": "2011-03-31", "value": 6, "segment": 1},
        {"end": "2013-03-31", "value": 7, "segment": 2},
        {"end": "2025-06-30", "value": 8, "segment": 3},
    ]


def test_years_that_hold_a_break_are_joined_to_nothing() -> None:
    """Before, two years that lie across 1 April 2017, and two from that day on; the break names itself in a few."""
    ends = [date(2016, 12, 31), date(2017, 3, 31), date(2017, 6, 30), date(2017, 12, 31), MARCH_18, date(2018, 6, 30)]
    rows = [year(NATION, HOMES, end, 5, break_ids="burglary-2017" if end.year == 2018 else None) for end in ends]
    assert segments(rows) == [1, 1, 2, 3, 4, 4]


def test_years_without_a_force_are_joined_to_each_other_only() -> None:
    """From July 2019 to March 2020: the year to December 2020 still holds three of those months."""
    ends = [MARCH_19, date(2019, 9, 30), date(2019, 12, 31), date(2020, 12, 31), date(2021, 3, 31), date(2021, 6, 30)]
    rows = [year(NATION, THEFT, end, 5, break_ids="gmp-2019") for end in ends]
    assert segments(rows) == [1, 2, 2, 2, 3, 3]


def test_a_break_that_is_only_named_cuts_nothing_and_changed_coverage_does() -> None:
    ends = [date(2022, 12, 31), date(2023, 6, 30), date(2023, 12, 31)]
    rows = [year(NATION, THEFT, end, 5, break_ids="conduct-2023") for end in ends]
    assert segments(rows) == [1, 1, 1]
    rows[1]["reason"] = "coverage_changed"
    assert segments(rows) == [1, 2, 2]


def test_labels_of_breaks_near_each_other_stand_in_rows() -> None:
    days = [date(2014, 1, 15), date(2014, 11, 18), date(2015, 4, 1), date(2015, 4, 1), date(2015, 4, 1)]
    breaks = {f"b{number}": BY_ID["gmp-2019"] | {"break_id": f"b{number}", "start_date": day} for number, day in
              enumerate(days)}  # fmt: skip
    found = number_breaks([year(NATION, THEFT, MARCH_18, 5, break_ids="b4;b3;b2;b1;b0;unknown")], breaks)
    # 307 days lie between the first two, 134 between the next.
    assert [(row["label"], row["lift"]) for row in found] == [("1", 0), ("2", 0), ("3", 1), ("4", 2), ("5", 2)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (FELL, "−10.1% (−10.7 to −9.6)"),
        ({"change_percent": 2.0}, "+2.0%"),
        ({"reason": "base_under_50", "change": 3},
         "+3 offences; the year before has fewer than 50, so that no percentage is given"),
        ({"reason": "measure_break"}, "how it is measured changed in between"),
        ({"reason": None}, "no reason is held"),
    ],
)  # fmt: skip
def test_a_change_or_why_there_is_none(more: Row, said: str) -> None:
    assert tell_change(year(NATION, THEFT, MARCH_19, 5, **more)) == said


def test_a_count_is_a_number_or_a_marker_with_its_meaning_and_never_an_empty_cell() -> None:
    said = [
        tell_count(year(KENT, THEFT, MARCH_19, count, offences_marker=marker))
        for count, marker in ((0, None), (-3, None), (None, "[c]"), (None, "[new]"), (None, None))
    ]
    assert said == ["0", "-3", "[c] confidential", "[new]", "none held"]


def test_a_rate_has_its_interval_or_a_reason() -> None:
    assert tell_rate(year(KENT, THEFT, MARCH_19, 5, **RATED), 2) == "3.30 (3.29 to 3.31)"
    assert tell_rate(year(CITY, THEFT, MARCH_19, 5, rate_reason="no_resident_population"), 2).startswith("it has no")


def test_sentences_on_the_newest_year() -> None:
    row = year(NATION, THEFT, MARCH_19, 193_530, **RATED, **(FELL | {"previous_source": "implied_by_P2"}))
    assert tell_newest("England and Wales", row, 1) == [
        "In the year ending March 2019, 193,530 offences were recorded in England and Wales. That is 3.3 per 1,000 "
        "residents (95% interval 3.3 to 3.3, chance only).",
        "That is 21,820 fewer than in the year before (−10.1%; 95% interval −10.7% to −9.6%, chance only).",
        "The count of the year before is worked out from the percentage that the release prints.",
    ]
    same = year(NATION, THEFT, MARCH_19, 40, reason="base_under_50", change=0, previous_source="same_release")
    assert tell_newest("Kent", same, 1)[1:] == [
        "That is as many as in the year before; no percentage is given: the year before has fewer than 50, so that no "
        "percentage is given."
    ]


def test_one_offence_is_no_offences() -> None:
    row = year(NATION, THEFT, MARCH_19, 1)
    assert tell_newest("Kent", row, 1)[0].startswith("In the year ending March 2019, 1 offence was recorded in Kent.")


def test_the_text_of_a_trend_compares_nothing_across_a_break(tmp_path: Path) -> None:
    """431,899 before the break and 1 after it, as of an offence that another replaced."""
    counts = {date(2016, 3, 31): 431_899, date(2017, 3, 31): 400_000, date(2018, 6, 30): 1}
    rows = [year(NATION, HOMES, end, count, break_ids="burglary-2017") for end, count in counts.items()]
    page = Page(write(tmp_path, mart__crime_trend=rows) / f"crime/{HOMES}.html")
    assert (
        "From 431,899 in the year ending March 2016 to 400,000 in the year ending March 2017; highest 431,899 (year "
        "ending March 2016), lowest 400,000 (year ending March 2017). 1 in the year ending June 2018, the newest, is "
        "not compared with any before it. The line is cut once"
    ) in page.text
    assert "A numbered dashed rule marks what else must be known; the list below names it." in page.text


def test_a_line_that_is_whole_is_not_said_to_be_cut(tmp_path: Path) -> None:
    rows = [year(NATION, THEFT, end, 5) for end in (MARCH_18, MARCH_19)]
    site = write(tmp_path, mart__crime_trend=rows)
    for name in (THEFT, "index"):
        text = Page(site / f"crime/{name}.html").text
        assert "line is cut" not in text
        assert "Lines are cut" not in text


def test_a_cost_has_two_figures_and_says_what_it_is_not() -> None:
    told = tell_cost("England and Wales", COSTS[0])
    assert told.startswith("An order of magnitude only: 82,542 offences of the year ending March 2019")
    assert "(£11,907, cohort of 2016, prices of 2017/18), come to about £980 million." in told
    assert told.endswith("no spending and no saving. The count leaves out a force that could supply no data.")
    small = [tell_cost("Kent", COSTS[0] | {"cost_pounds": pounds}) for pounds in (17_389_668_775.0, 34_567.0, 0.0)]
    assert [text.partition("come to about ")[2].partition(". That")[0] for text in small] == [
        "£17 billion", "£35,000", "£0.00",
    ]  # fmt: skip


def test_the_list_is_a_tree_with_the_newest_national_figure_and_its_change_or_why_none(site: Path) -> None:
    page = Page(site / "crime/index.html")
    check_page(page)
    assert page.tables["offences"][1:] == [
        ["Drug offences group; British Transport Police", "March 2019", "900",
         "nothing is held of the same period a year before"],
        ["Theft offences group", "March 2019", "193,530", "−10.1% (−10.7 to −9.6)"],
        ["Burglary subgroup", "March 2019", "0", "what counts as this offence changed in between"],
        ["Residential burglary subgroup; West Midlands", "March 2019", "40",
         "nothing is held of the same period a year before"],
    ]  # fmt: skip
    depths = [row["class"] for row in page.named("th") if str(row.get("class")).startswith("depth-")]
    assert depths == ["depth-0", "depth-0", "depth-1", "depth-2"]


def test_the_list_names_every_break_of_recorded_crime(site: Path) -> None:
    rows = Page(site / "crime/index.html").tables["breaks"][1:]
    assert rows == [
        ["Residential replaces domestic", "from 1 April 2017", "Residential burglary", "everywhere",
         "counted apart since", "no change is given across it", "ONS"],
        ["Police could supply no data", "1 July 2019 to 31 March 2020", "all offences", "E23000014, E92000009",
         "figures are missing", "no change is given across it", "ONS"],
        ["Counting rules changed", "from 1 May 2023", "all offences", "everywhere", "less is counted since",
         "changes are given, and name it", "Home Office (not verified)"],
    ]  # fmt: skip


def test_groups_stand_side_by_side_where_the_nation_has_figures(site: Path) -> None:
    assert Page(site / "crime/index.html").tables["groups-table"] == [
        ["Year ending", "Theft offences"], ["June 2025", "–"], ["March 2019", "193,530"], ["March 2018", "215,350"],
    ]  # fmt: skip


def test_the_trend_tells_of_the_newest_year_with_a_count_and_that_a_newer_has_none(site: Path) -> None:
    page = Page(site / f"crime/{THEFT}.html")
    check_page(page)
    assert "193,530 offences were recorded in England and Wales. That is 3.30 per 1,000 residents" in page.text
    assert "For the year ending June 2025 no figure of this area is held ([x] not available)." in page.text
    assert page.tables["trend-table"][1:] == [
        ["June 2025", "[x]", "the figure itself is missing", "the figure itself is missing"],
        ["March 2019", "193,530", "3.30 (3.29 to 3.31)", "−10.1% (−10.7 to −9.6)"],
        ["March 2018", "215,350", "its population is not known", "nothing is held of the same period a year before"],
    ]
    assert "Part of Total" not in page.text  # no page of a total without figures
    assert "Made of Burglary" in page.text


def test_forces_in_the_newest_year_and_the_newest_year_with_changes(site: Path) -> None:
    page = Page(site / f"crime/{THEFT}.html")
    assert page.tables["newest-police_force"][1:] == [
        ["Kent", "[c] confidential", "the figure itself is missing", "the figure itself is missing"],
        ["West Midlands", "2,100", "3.30 (3.29 to 3.31)", "nothing is held of the same period a year before"],
    ]
    assert "Not held for this year: London, City of." in page.text
    assert "For the year ending June 2025, the newest with counts, no force has a percentage" in page.text
    assert page.tables["changes-table"][1:] == [
        ["West Midlands", "+5.0% (+1.0 to +9.0)"], ["Kent", "−5.0% (−10.0 to +0.3)"],
    ]  # fmt: skip
    told = "the interval of 1 lies wholly above zero, that of 0 wholly below, and that of 1 holds zero."
    assert f"Of 2 police forces with a percentage, {told}" in page.text
    links = [link["href"] for link in page.named("a") if "areas/E" in str(link["href"])]
    assert links == ["../areas/E23000032.html", "../areas/E23000014.html"]


def test_breaks_are_named_and_told_with_the_newest_year(site: Path) -> None:
    text = Page(site / f"crime/{BURGLARY}.html").text
    assert "Mind this break: Residential replaces domestic (from 1 April 2017)." in text
    assert "from 1 April 2017: Residential replaces domestic. Effect: counted apart since; no change is given" in text


def test_what_is_not_held_of_the_nation_is_shown_of_the_largest_area(site: Path) -> None:
    page = Page(site / f"crime/{HOMES}.html")
    assert (2, "Trend: West Midlands") in page.headings
    assert "40 offences were recorded in West Midlands" in page.text
    assert "No count of England and Wales is held for this; shown is the largest area that is." in page.text
    assert "newest-region" in page.tables


def test_offences_found_by_the_police_say_so_and_rankings_are_led_to(tmp_path: Path) -> None:
    rank = KENT | {"offence_id": THEFT, "offence_name": "Theft offences", "period_end": MARCH_19, "rank": 1}
    site = write(tmp_path, mart__crime_rank=[rank | {"is_modelled": False}])
    assert "mostly found by the police" in Page(site / f"crime/{DRUGS}.html").text
    page = Page(site / f"crime/{THEFT}.html")
    assert "mostly found by the police" not in page.text
    assert f"../rankings/crime/police_force-{THEFT}.html" in [link["href"] for link in page.named("a")]
    assert "come to about £980 million" in page.text


def test_json_holds_the_figures_of_the_page(site: Path) -> None:
    schema = read_json(project_root() / "schemas" / "site" / "offence.schema.json")
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    files = sorted((site / "crime").glob("*.json"))
    assert [file.stem for file in files] == [BURGLARY, DRUGS, HOMES, THEFT]
    for file in files:
        assert [error.message for error in validator.iter_errors(read_json(file))] == []
    content = dict(read_json(site / f"crime/{THEFT}.json"))
    assert [line["offences"] for line in content["trend"]] == [215_350, 193_530, None]
    assert [line["area_name"] for line in content["newest_changes"]] == ["Kent", "West Midlands"]
    del content["trend"][0]["reason"]
    assert [error.message for error in validator.iter_errors(content)] == ["'reason' is a required property"]


def test_only_modelled_figures_wear_a_banner(site: Path, tmp_path: Path) -> None:
    rows = [row | {"is_modelled": row["offence_id"] == BURGLARY} for row in CRIME]
    modelled = write(tmp_path, mart__crime_trend=rows)
    for folder, expected in ((site, []), (modelled, [BURGLARY])):
        pages = {path.stem: Page(path) for path in sorted((folder / "crime").glob("*.html"))}
        assert [name for name, page in pages.items() if "Modelled sample." in page.text] == expected


def test_hostile_names_are_text(tmp_path: Path) -> None:
    rows = [row | {"area_name": HOSTILE, "offences_marker": HOSTILE} for row in CRIME]
    breaks = [row | {"note": HOSTILE, "source": HOSTILE} for row in BREAKS]
    offences = [row | {"name": HOSTILE} for row in OFFENCES]
    site = write(tmp_path, mart__crime_trend=rows, ref__series_break=breaks, ref__offence=offences)
    for path in sorted((site / "crime").glob("*.html")):
        page = Page(path)
        check_page(page)
        assert "<script>" not in page.html
    assert Page(site / f"crime/{THEFT}.html").headings[0] == (1, HOSTILE)


def test_the_same_lines_in_another_order_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    again = write(tmp_path, mart__crime_trend=CRIME[::-1], ref__offence=OFFENCES[::-1], ref__series_break=BREAKS[::-1])
    files = [path.relative_to(site) for path in sorted(site.rglob("*")) if path.is_file()]
    assert len(files) == 9
    assert all((site / file).read_bytes() == (again / file).read_bytes() for file in files)


def test_without_recorded_crime_there_is_a_list_that_says_so(tmp_path: Path) -> None:
    site = write(tmp_path, mart__crime_trend=[], mart__crime_cost=[], ref__series_break=[])
    assert [path.name for path in (site / "crime").iterdir()] == ["index.html"]
    page = Page(site / "crime/index.html")
    check_page(page)
    assert "No figures of recorded crime are held." in page.text


def test_an_offence_without_a_whole_year_has_a_page(tmp_path: Path) -> None:
    quarter = year(NATION, THEFT, MARCH_19, 5) | {"span": "quarter"}
    lonely = year(NATION, DRUGS, MARCH_19, None)
    site = write(tmp_path, mart__crime_trend=[quarter, lonely], mart__crime_cost=[])
    for name in (THEFT, DRUGS):
        page = Page(site / f"crime/{name}.html")
        check_page(page)
        assert "No count of a whole year is held." in page.text


def test_a_tree_starts_with_what_is_part_of_nothing_that_has_a_page() -> None:
    with duckdb.connect() as connection:
        fill(connection, ref__offence=OFFENCES, mart__crime_trend=[*CRIME, year(NATION, NO_FRAUD, MARCH_19, 9)])
        tree = list_tree(read_directory(connection))
    assert [(depth, offence.offence_id) for depth, offence in tree] == [
        (0, NO_FRAUD), (1, DRUGS), (1, THEFT), (2, BURGLARY), (3, HOMES),
    ]  # fmt: skip


@pytest.mark.parametrize("last", [0, 4])
def test_an_offence_that_others_replaced_leads_with_the_last_year_before(last: int, tmp_path: Path) -> None:
    """Homes were counted as dwellings until March 2017; the year to June 2017 holds nine months without them."""
    old = {"offence_id": "domestic_burglary", "name": "Domestic burglary", "level": "subgroup", "parent_id": BURGLARY}
    counts = {date(2016, 3, 31): 1_900, date(2017, 3, 31): 2_000, date(2017, 6, 30): 1_500, MARCH_18: last}
    more = {"reason": "classification", "break_ids": "burglary-2017"}
    rows = [
        year(area, "domestic_burglary", end, count, **(more if end > date(2017, 4, 1) else {}))
        for area in (NATION, FORCE)
        for end, count in counts.items()
    ]
    breaks = [row | {"offence_ids": f"domestic_burglary; {HOMES}"} for row in BREAKS[:1]]
    site = write(tmp_path, ref__offence=[*OFFENCES, old], mart__crime_trend=[*CRIME, *rows], ref__series_break=breaks)
    page = Page(site / "crime/domestic_burglary.html")
    check_page(page)
    assert "In the year ending March 2017, 2,000 offences were recorded in England and Wales." in page.text
    assert (
        "That is the newest year before 1 April 2017, the day since which other offences have taken the place of this "
        "one: next to nothing has been counted as it since. Residential replaces domestic." in page.text
    )
    assert page.tables["newest-police_force"][1][:2] == ["West Midlands", "2,000"]
    assert "Police forces, year ending March 2017" in [text for _, text in page.headings]
    homes = Page(site / f"crime/{HOMES}.html")
    assert "taken the place" not in homes.text
