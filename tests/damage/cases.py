"""Every damage of every file where it makes sense, and what must become of it: stated by hand, with the reason.

`rules` are those that must be among the ones that it breaks. Words for rules of reading are those of `LayoutError`:
`layout` (headers, sheets, titles) and `cell` (a cell that cannot be read, a row that states a figure again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from tests.damage import damages as d
from tests.damage.damages import Change, Maker, edit_bytes, edit_rows, in_body
from tests.damage.trial import Edition, State

UNDAMAGED = "saved again, undamaged"


@dataclass(frozen=True)
class Case:
    """A damage of a file, what must become of the copy, and why, where that is not plain."""

    damage: str
    file: str
    make: Maker
    state: State
    rules: tuple[str, ...] = ()
    why: str = ""
    edition: Edition | None = None

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.damage}: {self.file}"


def _case_of(file: str, damage: str, make: Maker, outcome: str, why: str = "", edition: Edition | None = None) -> Case:
    """A case whose outcome is written as in the table: `kept out: layout`."""
    state, _, rules = outcome.partition(": ")
    names = tuple(rule.strip() for rule in rules.split(",") if rule)
    return Case(damage, file, make, cast(State, state), names, why, edition)


# --- the workbook ----------------------------------------------------------------------------------------

_KENT, _SURREY, _SUSSEX, _WEST_MIDLANDS = "E23000032", "E23000031", "E23000033", "E23000014"
_TOTAL = "Total recorded crime"
_COUNTS = ("P1",)


def _sheets(change: d.SheetChange, tables: tuple[str, ...] = _COUNTS) -> Maker:
    return d.change_tables(change, tables)


WORKBOOK = [
    (UNDAMAGED, d.save_again, "read right"),
    (
        "figures shifted one column to the right",
        _sheets(d.shift_figures("Robbery")),
        "kept out: crime_offences_make_up_total, crime_blank_cells",
        "theft offences are robberies, and robberies are gone",
    ),
    (
        "a force dropped",
        d.change_tables(d.drop_area(_WEST_MIDLANDS)),
        "kept out: crime_areas_of_the_year, crime_forces_make_up_aggregate",
    ),
    (
        "two figures swapped",
        _sheets(d.swap_cells("Robbery", _KENT, _SUSSEX)),
        "kept out: crime_offences_make_up_total, crime_printed_changes",
        "regions still add up, forces do not",
    ),
    (
        "two printed changes swapped",
        _sheets(d.swap_cells(_TOTAL, _KENT, _SUSSEX), tables=("P2",)),
        "kept out: crime_printed_changes",
        "they imply bases that are no whole numbers",
    ),
    (
        "two printed rates swapped",
        _sheets(d.swap_cells(_TOTAL, _KENT, _SUSSEX), tables=("P3",)),
        "warned: crime_corrected, crime_printed_rates",
        "we work out rates ourselves; the printed ones only check us",
    ),
    (
        "all figures of two areas swapped",
        _sheets(d.swap_areas(_KENT, _SURREY)),
        "kept out: crime_printed_changes",
        "everything adds up; but the changes printed for the two do not belong to these counts",
    ),
    ("a sheet doubled under a new name", d.edit_workbook(d.double_sheet("Table P1 Copy")), "kept out: layout"),
    (
        "a sheet doubled under the same name",
        d.edit_workbook(d.double_sheet("Table P1   ")),
        "read right",
        "names end in spaces in published files too; stated twice alike, taken once",
    ),
    (
        "a sheet doubled, with other figures",
        d.edit_workbook(d.double_and_change),
        "kept out: crime_stated_twice",
        "both sheets add up; which one counts would be chance",
    ),
    (
        "last year's file under this year's title",
        d.edit_workbook(d.keep_workbook),
        "kept out: crime_period_of_edition",
        "",
        Edition("Year ending March 2020", "2020-07-17"),
    ),
    (
        "half of the rows",
        d.change_tables(d.halve_sheet),
        "kept out: crime_areas_of_the_year, crime_edition_smaller, crime_forces_make_up_aggregate",
    ),
    (
        "a total off by one",
        _sheets(d.add_one_to(_TOTAL, _KENT)),
        "kept out: crime_offences_make_up_total, crime_forces_make_up_aggregate, crime_printed_changes",
    ),
    ("text in a figure", _sheets(d.put_in("Robbery", _KENT, "see note 3")), "kept out: cell"),
    ("an error value in a figure", _sheets(d.put_in("Robbery", _KENT, "#REF!")), "kept out: cell"),
    ("numbers as text", _sheets(d.write_as_text), "read right"),
    ("a wrong year in the title", _sheets(d.replace_title("2019", "2018")), "kept out: crime_period_of_edition"),
    ("a header renamed", _sheets(d.rename_header("Robbery", "Robberies")), "kept out: layout"),
    ("more lines of preamble", d.change_tables(d.insert_preamble), "read right", "headers are looked for, not counted"),
    ("merged headings", _sheets(d.merge_headings), "read right"),
    (
        "merged figures",
        _sheets(d.merge_figures("Robbery", _KENT)),
        "kept out: crime_blank_cells",
        "the figure below is gone",
    ),
    (
        "formulas without cached values",
        _sheets(d.write_formulas),
        "kept out: crime_offences_make_up_total, crime_blank_cells",
        "the totals are blank",
    ),
    (
        "0 where a figure is not shown",
        _sheets(d.write_zero_for_marker, tables=("P2",)),
        "kept out: crime_small_base",
        "a change of 0% implies a base that would not have been shown",
    ),
    ("an empty file", edit_bytes(d.make_nothing), "refused"),
    ("HTML under the name of the file", edit_bytes(d.make_html), "refused"),
    ("cut off half way", edit_bytes(d.cut_in_half), "refused", "an archive without its end"),
    ("protected by a password", d.make_protected_workbook, "refused"),
    ("with a macro", d.make_macro_workbook, "read right", "nothing in it is run"),
]

# --- text tables -----------------------------------------------------------------------------------------


def _saved(header: int, change: Change) -> Maker:
    return edit_rows(in_body(header, change))


def _list_alike(header: int, cut: str, why_cut: str = "") -> list[tuple[Any, ...]]:
    """What becomes of damages that do the same to every text table."""
    return [
        (UNDAMAGED, d.save_again, "read right"),
        ("more lines of preamble", edit_rows(d.add_preamble), "read right"),
        ("another encoding (UTF-16)", edit_rows(d.keep, encoding="utf-16"), "read right"),
        ("another separator (semicolons)", edit_rows(d.keep, delimiter=";"), "read right"),
        ("rows in the opposite order", _saved(header, d.reverse), "read right"),
        ("columns in the opposite order", edit_rows(d.reverse_columns(header)), "read right"),
        ("an empty file", edit_bytes(d.make_nothing), "refused"),
        ("HTML under the name of the file", edit_bytes(d.make_html), "refused"),
        ("cut off half way", edit_bytes(d.cut_in_half), cut, why_cut),
    ]


_C2 = 7
_ROBBERY, _SHOPLIFTING = 14, 22


def _partnership(name: str) -> d.Where:
    return lambda row: row[3] == name


def _force_total(name: str) -> d.Where:
    return lambda row: row[1] == name and not row[3]


PARTNERSHIPS = [
    *_list_alike(_C2, "kept out: crime_areas_of_the_year, crime_edition_smaller"),
    (
        "figures shifted one column to the right",
        _saved(_C2, d.move_right(_ROBBERY)),
        "kept out: crime_offences_make_up_total, crime_blank_cells",
    ),
    (
        "a column of figures lost under its header",
        _saved(_C2, d.move_left(_ROBBERY)),
        "kept out: crime_offences_make_up_total, crime_blank_cells",
    ),
    (
        "a force dropped",
        _saved(_C2, d.drop(lambda row: row[1] == "West Midlands")),
        "kept out: crime_areas_of_the_year",
    ),
    (
        "one row lost",
        _saved(_C2, d.drop(_partnership("Oadby and Wigston"))),
        "kept out: crime_partnerships_make_up_force",
    ),
    (
        "two figures swapped",
        _saved(_C2, d.swap(_SHOPLIFTING, _partnership("Birmingham"), _partnership("Coventry"))),
        "kept out: crime_offences_make_up_total",
        "the force still adds up, the partnerships do not",
    ),
    (
        "all figures of two areas swapped",
        _saved(_C2, d.swap_figures(6, _partnership("Birmingham"), _partnership("Coventry"))),
        "warned: crime_corrected",
        "everything adds up; only what was published before tells",
    ),
    ("all rows doubled", _saved(_C2, d.double), "kept out: cell"),
    (
        "last year's file under this year's title",
        edit_rows(d.keep),
        "kept out: crime_period_of_edition",
        "",
        Edition("Year ending June 2026", "2026-10-22"),
    ),
    ("half of the rows", _saved(_C2, d.halve), "kept out: crime_areas_of_the_year, crime_edition_smaller"),
    (
        "a total off by one",
        _saved(_C2, d.add_one(6, _force_total("West Midlands"))),
        "kept out: crime_offences_make_up_total, crime_partnerships_make_up_force",
    ),
    ("text in a figure", _saved(_C2, d.put(_ROBBERY, _partnership("Coventry"), "n/k")), "kept out: cell"),
    (
        "a wrong year in the title",
        edit_rows(d.replace_everywhere("June 2025", "June 2024", 0, 1)),
        "kept out: crime_period_of_edition",
    ),
    ("a header renamed", edit_rows(d.replace_everywhere("Robbery", "Robberies", _C2, _C2 + 1)), "kept out: layout"),
    (
        "0 where a figure is not shown",
        _saved(_C2, d.fill_blanks(6, _partnership("unassigned Surrey"), "0")),
        "warned: crime_corrected",
        "nothing adds up otherwise for it; only what was published before tells",
    ),
    (
        "cut off within the last figure",
        edit_bytes(d.cut_last_figure),
        "kept out: crime_offences_make_up_total, crime_partnerships_make_up_force",
    ),
]


def _rolling_row(area: str, offence: str, day: str = "31/03/2018") -> d.Where:
    return lambda row: (row[0], row[1], row[3]) == (day, area, offence)


ROLLING = [
    *_list_alike(0, "kept out: crime_falls_back", "the newest years are gone"),
    ("figures shifted one column to the right", _saved(0, d.move_right(0)), "kept out: cell", "no day of a year's end"),
    (
        "figures slipped down a row",
        _saved(0, d.move_down(4)),
        "kept out: crime_revision_of_many",
        "each figure lies well between its neighbours in time; only what was published before tells",
    ),
    ("a force dropped", _saved(0, d.drop(lambda row: row[1] == "West Midlands")), "kept out: crime_areas_of_the_year"),
    (
        "one row lost",
        _saved(0, d.drop(_rolling_row("Kent", "Robbery"))),
        "kept out: crime_same_offences_everywhere",
    ),
    (
        "two figures swapped",
        _saved(0, d.swap(4, _rolling_row("Kent", "Robbery"), _rolling_row("West Midlands", "Robbery"))),
        "kept out: crime_window_out_of_line",
    ),
    (
        "two figures swapped that are much alike",
        _saved(0, d.swap(4, _rolling_row("Kent", "Robbery"), _rolling_row("Essex", "Robbery"))),
        "warned: crime_corrected",
        "1,577 and 1,510 are as likely as 1,510 and 1,577; only what was published before tells",
    ),
    (
        "all figures of two areas swapped",
        _saved(0, d.swap_texts(1, "Kent", "Essex")),
        "warned: crime_corrected, crime_revision, crime_two_publications",
        "two forces under each other's names throughout",
    ),
    ("all rows doubled", _saved(0, d.double), "kept out: cell"),
    (
        "last year's file under this year's title",
        edit_rows(d.keep),
        "kept out: crime_period_of_edition",
        "",
        Edition("Rolling years to December 2019", "2020-04-23"),
    ),
    ("half of the rows", _saved(0, d.halve), "kept out: crime_falls_back", "the newest years are gone"),
    ("text in a figure", _saved(0, d.put(4, _rolling_row("Kent", "Robbery"), "n/k")), "kept out: cell"),
    (
        "a wrong year in the rows",
        _saved(0, d.replace_everywhere("31/12/2018", "31/12/2019")),
        "kept out: crime_period_published",
    ),
    ("a header renamed", edit_rows(d.replace_everywhere("PFA", "Force", 0, 1)), "kept out: layout"),
    (
        "cut off within the last figure",
        edit_bytes(d.cut_last_figure),
        "warned: crime_corrected, crime_revision",
        "the newest year has no neighbour after it; the force loses an eighth of its crime",
    ),
]


def _open_row(force: str, code: str) -> d.Where:
    return lambda row: (row[1], row[2], row[6]) == ("1", force, code)


OPEN_DATA = [
    *_list_alike(0, "kept out: crime_falls_back", "two quarters are gone"),
    ("figures shifted one column to the right", _saved(0, d.move_right(0)), "kept out: cell", "no financial year"),
    (
        "figures slipped down a row",
        _saved(0, d.move_down(7)),
        "kept out: crime_revision_of_many",
        "nothing in the file adds up to anything; only what was published before tells",
    ),
    ("a force dropped", _saved(0, d.drop(lambda row: row[2] == "West Midlands")), "kept out: crime_areas_of_the_year"),
    ("one row lost", _saved(0, d.drop(_open_row("Kent", "34B"))), "kept out: crime_same_offences_everywhere"),
    (
        "one row lost of four that are added up",
        _saved(0, d.drop(_open_row("Kent", "1/4.1/4.10/4.2"), at_most=1)),
        "kept out: crime_rows_of_a_figure",
        "homicide",
    ),
    (
        "two figures swapped",
        _saved(0, d.swap(7, _open_row("Kent", "34B"), _open_row("West Midlands", "34B"))),
        "warned: crime_corrected, crime_revision, crime_two_publications",
        "nothing in the file adds up to anything",
    ),
    (
        "all figures of two areas swapped",
        _saved(0, d.swap_texts(2, "Kent", "Essex")),
        "warned: crime_corrected, crime_revision, crime_two_publications",
    ),
    ("all rows doubled", _saved(0, d.double), "kept out: cell"),
    (
        "last year's file under this year's title",
        edit_rows(d.keep),
        "kept out: crime_period_of_edition",
        "",
        Edition("Open data 2018/19", "2019-07-18"),
    ),
    ("half of the rows", _saved(0, d.halve), "kept out: crime_falls_back", "two quarters are gone"),
    ("text in a figure", _saved(0, d.put(7, _open_row("Kent", "34B"), "n/k")), "kept out: cell"),
    (
        "a wrong year in the rows",
        _saved(0, d.replace_everywhere("2017/18", "2016/17")),
        "kept out: crime_period_of_edition",
    ),
    (
        "a header renamed",
        edit_rows(d.replace_everywhere("Number of Offences", "Recorded", 0, 1)),
        "kept out: layout",
    ),
    ("cut off within the last figure", edit_bytes(d.cut_last_figure), "read right", "`-0` of `-00` is 0 too"),
]


def _code(code: str) -> d.Where:
    return lambda row: row[0] == code


_BIRMINGHAM, _LEEDS, _OLDHAM, _ROCHDALE, _SOUTH_EAST = "E08000025", "E08000035", "E08000004", "E08000005", "E12000008"
_ALL_AGES = 3

POPULATION = [
    *_list_alike(0, "kept out: population_edition_smaller, population_parts_make_up_whole"),
    (
        "figures shifted one column to the right",
        _saved(0, d.move_right(_ALL_AGES)),
        "kept out: population_blank",
        "every total is blank",
    ),
    (
        "a column of figures lost under its header",
        _saved(0, d.move_left(_ALL_AGES)),
        "kept out: population_moves_everywhere",
        "infants for residents: they add up as well",
    ),
    ("figures slipped down a row", _saved(0, d.move_down(_ALL_AGES)), "kept out: population_parts_make_up_whole"),
    (
        "one row lost",
        _saved(0, d.drop(_code(_BIRMINGHAM))),
        "kept out: population_parts_make_up_whole",
        "the region is more than its districts",
    ),
    (
        "two figures swapped",
        _saved(0, d.swap(_ALL_AGES, _code(_BIRMINGHAM), _code(_LEEDS))),
        "kept out: population_parts_make_up_whole",
    ),
    (
        "all figures of two areas swapped",
        _saved(0, d.swap_figures(_ALL_AGES, _code(_OLDHAM), _code(_ROCHDALE))),
        "warned: population_corrected, population_revision",
        "the county still adds up; only what was published before tells",
    ),
    (
        "all rows doubled",
        _saved(0, d.double),
        "kept out: population_parts_make_up_whole",
        "districts come to twice their region",
    ),
    (
        "last year's file under this year's title",
        edit_rows(d.keep),
        "kept out: population_year_of_title",
        "its name says 2024",
        Edition("Mid-2025", "2026-07-30"),
    ),
    (
        "last year's file under this year's title and name",
        edit_rows(d.keep, name="mye25tablesew.csv"),
        "kept out: population_repeats_a_year",
        "",
        Edition("Mid-2025", "2026-07-30"),
    ),
    ("half of the rows", _saved(0, d.halve), "kept out: population_edition_smaller, population_parts_make_up_whole"),
    (
        "a total off by one",
        _saved(0, d.add_one(_ALL_AGES, _code(_SOUTH_EAST))),
        "kept out: population_parts_make_up_whole",
    ),
    ("text in a figure", _saved(0, d.put(_ALL_AGES, _code(_LEEDS), "tbc")), "kept out: cell"),
    ("a wrong year in the name", edit_rows(d.keep, name="mye23tablesew.csv"), "kept out: population_year_of_title"),
    ("a header renamed", edit_rows(d.replace_everywhere("All ages", "Persons", 0, 1)), "kept out: layout"),
    (
        "cut off within the last figure",
        edit_bytes(d.cut_last_figure),
        "read right",
        "the last figure is an age, which is not carried",
    ),
]

_FORCE_CODE = 4


def _swap_forces(rows: d.Rows) -> d.Rows:
    """Two districts lie in each other's force."""
    sevenoaks, crawley = (next(row for row in rows if row[1] == name) for name in ("Sevenoaks", "Crawley"))
    sevenoaks[4:6], crawley[4:6] = crawley[4:6], sevenoaks[4:6]
    return rows


LOOKUP = [
    *_list_alike(0, "kept out: cell", "the last row breaks off before its force"),
    ("figures shifted one column to the right", _saved(0, d.move_right(0)), "kept out: cell", "names for codes"),
    (
        "figures slipped down a row",
        _saved(0, d.move_down(_FORCE_CODE)),
        "kept out: geography_name_of_code",
        "codes slip past their names",
    ),
    (
        "a force dropped",
        _saved(0, d.drop(lambda row: row[5] == "West Midlands")),
        "kept out: geography_areas_of_the_year",
    ),
    ("one row lost", _saved(0, d.drop(_code(_BIRMINGHAM))), "kept out: geography_areas_of_the_year"),
    (
        "two figures swapped",
        _saved(0, _swap_forces),
        "warned: geography_corrected, geography_lookups_agree, geography_parent_stable",
        "two districts in each other's force; only other lookups tell",
    ),
    ("all rows doubled", _saved(0, d.double), "read right", "a pair that is stated twice is one pair"),
    ("half of the rows", _saved(0, d.halve), "kept out: geography_areas_of_the_year"),
    ("text in a figure", _saved(0, d.put(_FORCE_CODE, _code(_LEEDS), "E2300001O")), "kept out: cell", "O for 0"),
    (
        "a wrong year in the headers",
        edit_rows(d.replace_everywhere("17", "19", 0, 1)),
        "kept out: geography_areas_of_the_year",
    ),
    ("a header renamed", edit_rows(d.replace_everywhere("PFA17CD", "POLICE17", 0, 1)), "kept out: layout"),
    (
        "cut off within the last figure",
        edit_bytes(d.cut_last_figure),
        "read right",
        "the last figure is the number of the row",
    ),
]

_LISTS: dict[str, Sequence[tuple[Any, ...]]] = {
    "workbook": WORKBOOK,
    "partnerships": PARTNERSHIPS,
    "rolling": ROLLING,
    "open_data": OPEN_DATA,
    "population": POPULATION,
    "lookup": LOOKUP,
}
CASES = [_case_of(file, *parts) for file, listed in _LISTS.items() for parts in listed]
