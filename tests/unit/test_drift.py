"""What is put forward for a file that fits no layout makes it readable, pasted as it is; what cannot be is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from etl import drift, inspection, offences, sources
from etl.drift import Change
from etl.errors import LayoutError
from etl.inspection import FileReport, inspect_file
from etl.reading import reader_of
from etl.settings import project_root
from etl.sources import declared_sources, load_source
from etl.spreadsheets import open_workbook
from tests.support import (
    CSP_HEADER,
    FORCE_HEADER,
    P1_HEADERS,
    Cell,
    Rows,
    csp_row,
    force_row,
    land_one,
    p1_sheet,
    rolling_years,
    write_csv,
    write_xlsx,
)

ONS = "recorded_crime_ons"
HOME_OFFICE = "recorded_crime_home_office"
REOFFENDING = "proven_reoffending"
WEST_MIDLANDS = ("E23000014", "West Midlands", 233_393)
YEAR = "Apr 2025 to Mar 2026"
TOOL = ["Adult / Child", "Cohort", "Category", "Geography", "offenders", "reoffenders"]
Lines = list[dict[str, Any]]


def forget() -> None:
    declared_sources.cache_clear()
    offences.offence_aliases.cache_clear()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of all declarations and of the list of offence names, where the program looks for them."""
    folder = tmp_path / "project"
    for path in [*project_root().glob("etl/sources/*/source.yml"), project_root() / drift.ALIASES]:
        copy = folder / path.relative_to(project_root())
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    monkeypatch.setattr(sources, "FOLDER", folder / "etl" / "sources")
    monkeypatch.setattr(offences, "project_root", lambda: folder)
    monkeypatch.setattr(drift, "project_root", lambda: folder)
    forget()
    yield folder
    forget()


def paste(changes: tuple[Change, ...], root: Path) -> None:
    """Write changes as a person would: from the first one down, with a reason in the place of each question mark."""
    for change in changes:
        path = root / change.file
        lines = path.read_text(encoding="utf-8").splitlines()
        start = change.line - 1
        assert tuple(lines[start : start + len(change.replaced)]) == change.replaced
        lines[start : start + len(change.replaced)] = [line.replace("'?'", "a reason") for line in change.written]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    forget()


def read_with(source: str, path: Path) -> Lines:
    with open_workbook(path) as workbook:
        tables = list(reader_of(load_source(source))(workbook, load_source(source)))
    return [line for table in tables for line in table.to_pylist()]


def mend(root: Path, source: str, path: Path) -> tuple[FileReport, Lines]:
    """What `inspect` says of a file that does not fit, and the lines that are read once its changes are pasted."""
    with pytest.raises(LayoutError):
        read_with(source, path)
    report = inspect_file(path)
    assert (report.source, report.nearest_source, report.left) == (None, source, ())
    assert report.changes
    assert report.decide
    paste(report.changes, root)
    again = inspect_file(path)
    assert (again.source, again.problem, again.changes) == (source, None, ())
    lines = read_with(source, path)
    assert again.lines == len(lines)
    return report, lines


def p1(folder: Path, *, title: str | None = None, sheet: str = "Table P1", **renamed: str | None) -> Path:
    """Table P1 with headers renamed (`Sexual_offences="Sexual wrongs"`), or left away (None)."""
    names = {name.replace("_", " "): new for name, new in renamed.items()}
    headers = [names.get(header, header) for header in P1_HEADERS]
    assert headers != P1_HEADERS or not names
    rows = p1_sheet(WEST_MIDLANDS, headers=[header or "" for header in headers])
    rows[0] = [title or rows[0][0]]
    return write_xlsx(folder / "p1.xlsx", {sheet: rows})


def value_of(lines: Lines, offence: str) -> Any:
    [line] = [line for line in lines if line["offence_id"] == offence]
    return line["value"]


# --- what can be mended, is ------------------------------------------------------------------------------


def test_another_spelling_of_an_offence(root: Path, tmp_path: Path) -> None:
    report, lines = mend(root, ONS, p1(tmp_path, Sexual_offences="Sexual wrongs\n[note 3]", Shoplifting="Shop raids"))
    assert (len(lines), value_of(lines, "sexual_offences"), value_of(lines, "shoplifting")) == (23, 7, 7)
    assert value_of(lines, "total_excluding_fraud") == 233_393
    [found] = report.drifts
    assert [(pair.expected, pair.name, pair.found) for pair in found.pairs] == [
        ("sexual_offences", "sexual offences", "sexual wrongs"),
        ("shoplifting", "shoplifting", "shop raids"),
    ]
    assert (found.sheet, found.layout, found.header_row) == ("Table P1", "force_table_2018_counts", 5)
    [change] = report.changes
    assert change.file == "warehouse/ref/offence_alias.csv"
    assert change.replaced == ()
    assert change.written == (
        "recorded_crime_ons,sexual wrongs,sexual_offences,,",
        "recorded_crime_ons,shop raids,shoplifting,,",
    )
    assert "'sexual wrongs' count what 'sexual offences' did" in report.decide[0]


def test_another_header_of_a_column(root: Path, tmp_path: Path) -> None:
    rows = [["12 months ending", "PFA", "Region", "Type of offence", "Rolling year total number of offences"]]
    report, lines = mend(root, ONS, write_csv(tmp_path / "a.csv", [*rows, *rolling_years()[1:]]))
    assert [(line["offence_id"], line["value"]) for line in lines] == [("robbery", 1204)]
    [change] = report.changes
    assert change.replaced == ("      offence: {headers: offence}",)
    assert change.written == ("      offence: {headers: [offence, type of offence]}",)


def test_a_column_more(root: Path, tmp_path: Path) -> None:
    rows = [[*row, cell] for row, cell in zip(rolling_years(), ["Online crime (2026)", "12"], strict=True)]
    report, lines = mend(root, ONS, write_csv(tmp_path / "a.csv", rows))
    assert [line["value"] for line in lines] == [1204]
    [change] = report.changes
    assert change.written == ("    ignore_columns:", r"      - {match: 'online crime \(\d{4}\)', why: '?'}")
    assert "'online crime (2026)' a column that we do not carry?" in report.decide[0]


def test_a_column_more_in_a_table_of_offences(root: Path, tmp_path: Path) -> None:
    headers = [*P1_HEADERS, "Spiking [note 9]"]
    path = write_xlsx(tmp_path / "a.xlsx", {"Table P1": p1_sheet(WEST_MIDLANDS, headers=headers)})
    report, lines = mend(root, ONS, path)
    assert len(lines) == 23
    [change] = report.changes
    assert change.written == ("      - {match: spiking, why: '?'}",)


def test_offences_that_came_and_went(root: Path, tmp_path: Path) -> None:
    """Known ones are no other spelling of those that went, however alike."""
    new = {"Residential_burglary6,7": "Domestic burglary", "Vehicle_offences": None}
    report, lines = mend(root, ONS, p1(tmp_path, **new))
    assert len(lines) == 22
    assert value_of(lines, "domestic_burglary") == 7
    assert not [line for line in lines if line["offence_id"] in ("residential_burglary", "vehicle_offences")]
    [found] = report.drifts
    assert found.known == (("domestic burglary", "domestic_burglary"),)
    assert (found.pairs, set(found.missing)) == ((), {"residential_burglary", "vehicle_offences"})
    [change] = report.changes
    assert change.written[:4] == (
        "  - &force_table_2018_counts_2",
        "    <<: *P1",
        "    layout: force_table_2018_counts_2",
        "    figures:",
    )
    assert any("residential_burglary, vehicle_offences published no more?" in question for question in report.decide)


def test_a_sheet_under_another_name(root: Path, tmp_path: Path) -> None:
    report, lines = mend(root, ONS, p1(tmp_path, sheet="P1 (counts)"))
    assert len(lines) == 23
    [change] = report.changes
    assert change.written == (r"    sheet: Table P1|p1 \(counts\)",)
    assert report.drifts[0].name_expected == "Table P1"


def test_a_title_in_other_words(root: Path, tmp_path: Path) -> None:
    title = "Table P1 - Crimes counted by forces, year ending March 2041 [note 2]"
    report, lines = mend(root, ONS, p1(tmp_path, title=title))
    assert {str(line["period_end"]) for line in lines} == {"2041-03-31"}
    [change] = report.changes
    assert change.written == ("    title: number of offences|crimes counted by forces",)
    assert (report.drifts[0].title_expected, report.drifts[0].title_found) == ("number of offences", title)
    assert "offences" in report.decide[0]


def test_headers_name_and_title_at_once(root: Path, tmp_path: Path) -> None:
    title = "Table P1: Crimes counted by forces, year ending March 2041"
    path = p1(tmp_path, title=title, sheet="P1 of 41", Robbery="Robberies", Homicide=None)
    report, lines = mend(root, ONS, path)
    assert (len(lines), value_of(lines, "robbery")) == (22, 7)
    added, alias = report.changes
    assert added.written[:5] == (
        "  - &force_table_2041_counts",
        "    <<: *P1",
        "    layout: force_table_2041_counts",
        "    sheet: p1 of 41",
        "    title: crimes counted by forces",
    )
    assert alias.written == ("recorded_crime_ons,robberies,robbery,,",)


def test_a_sheet_that_is_no_table_of_ours(root: Path, tmp_path: Path) -> None:
    sheets: dict[str, Rows] = {"Table P1": p1_sheet(WEST_MIDLANDS), "Quality (D1)": [["Force", "Grade"], ["Kent", "B"]]}
    report, lines = mend(root, ONS, write_xlsx(tmp_path / "a.xlsx", sheets))
    assert len(lines) == 23
    [change] = report.changes
    assert change.written == (r"  - {match: quality \(d1\), why: '?'}",)


def test_a_sheet_that_looks_like_a_table_is_not_taken_for_it(root: Path, tmp_path: Path) -> None:
    """Another measure under the same headers must never become a figure of ours by pasting."""
    other = p1_sheet(("E23000014", "West Midlands", 1))
    other[0] = ["Table P1b: Solved crimes, year ending March 2018"]
    sheets = {"Table P1": p1_sheet(WEST_MIDLANDS), "Table P1b": other}
    report, lines = mend(root, ONS, write_xlsx(tmp_path / "a.xlsx", sheets))
    assert value_of(lines, "total_excluding_fraud") == 233_393
    [change] = report.changes
    assert change.written == ("  - {match: table p1b, why: '?'}",)
    assert "headed like force_table_2018_counts, which another sheet is" in report.decide[0]


def test_a_sheet_a_year_may_have_another_name_beside_others(root: Path, tmp_path: Path) -> None:
    sheets = {
        "2026_27": [FORCE_HEADER, force_row(3, year="2026/27")],
        "2027 to 2028": [FORCE_HEADER, force_row(4, year="2027/28")],
    }
    _, lines = mend(root, HOME_OFFICE, write_xlsx(tmp_path / "a.xlsx", sheets))
    assert [line["value"] for line in lines] == [3, 4]


def test_open_data_with_other_headers(root: Path, tmp_path: Path) -> None:
    header = [{"CSP Name": "Name of CSP", "Offence Count": "Count"}.get(name, name) for name in CSP_HEADER]
    report, lines = mend(root, HOME_OFFICE, write_csv(tmp_path / "a.csv", [header, csp_row(5)]))
    assert [(line["area_name"], line["value"]) for line in lines] == [("Birmingham", 5)]
    assert [pair.found for pair in report.drifts[0].pairs] == ["name of csp", "count"]


def test_a_category_that_nobody_declared(root: Path, tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        ["Adult", YEAR, "UTLA total", "Northshire", 400, 100],
        ["Adult", YEAR, "Ward total", "Northward", 40, 10],
        ["Adult", YEAR, "Ward total", "Southward", 30, 10],
    ]
    report, lines = mend(root, REOFFENDING, write_xlsx(tmp_path / "a.xlsx", {"Data": [TOOL, *rows]}))
    assert [(line["area_name"], line["offenders"]) for line in lines] == [("Northshire", 400)]
    assert report.drifts[0].categories == ("ward total",)
    assert report.problem is not None
    assert "this category is not declared" in report.problem
    [change] = report.changes
    assert change.written == ("      - {match: ward total, role: ignore, why: '?'}",)


def test_a_header_and_a_category_at_once(root: Path, tmp_path: Path) -> None:
    header = [*TOOL[:3], "Local area", *TOOL[4:]]
    row: list[Cell] = ["Adult", YEAR, "Ward total", "Northward", 40, 10]
    total: list[Cell] = ["Child", YEAR, "UTLA total", "Northshire", 400, 100]
    report, lines = mend(root, REOFFENDING, write_xlsx(tmp_path / "a.xlsx", {"Data": [header, row, total]}))
    assert [(line["age_group"], line["offenders"]) for line in lines] == [("child", 400)]
    assert len(report.changes) == 2


def test_a_table_in_another_kind_of_file(root: Path, tmp_path: Path) -> None:
    header = ["cohort", "category", "subcategory1", "subcategory2", "adult_juvenile", "offenders", "reoffenders"]
    row: list[Cell] = ["Apr 2013 to Mar 2014", "a. Ethnicity and sex", "White", "Male", "Adult", 400, 100, 300]
    path = write_xlsx(tmp_path / "a.xlsx", {"Overview": [[*header, "reoffences"], row]})
    _, lines = mend(root, REOFFENDING, path)
    assert [(line["table_id"], line["offenders"], line["role"]) for line in lines] == [("overview", 400, "part")]


def test_years_in_other_words(root: Path, tmp_path: Path) -> None:
    header = ["Code", "Name", "Geography", "Area (sq km)", "Population in mid-2026", "Population in mid-2025", "Rank"]
    rows: list[list[Cell]] = [header, ["E23000032", "Kent", "Police Force Area", 3739, 1_900_000, 1_890_000, 3]]
    _, lines = mend(root, "population", write_xlsx(tmp_path / "a.xlsx", {"MYE 5": [["Table MYE5"], [], *rows]}))
    assert {line["mid_year"]: line["value"] for line in lines} == {2026: 1_900_000, 2025: 1_890_000}


@pytest.mark.parametrize("what", ["renamed", "gone"])
@given(data=st.data())
@hypothesis_settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_offence_may_be_renamed_or_go(root: Path, tmp_path: Path, what: str, data: st.DataObject) -> None:
    real = {path: path.read_text(encoding="utf-8") for path in [*root.rglob("source.yml"), root / drift.ALIASES]}
    place = data.draw(st.sampled_from([i for i, header in enumerate(P1_HEADERS) if header]))
    headers = [*P1_HEADERS[:place], "Something else" if what == "renamed" else "", *P1_HEADERS[place + 1 :]]
    path = write_xlsx(tmp_path / "a.xlsx", {"Table P1": p1_sheet(WEST_MIDLANDS, headers=headers)})
    _, lines = mend(root, ONS, path)
    assert len(lines) == 22
    for file, text in real.items():
        file.write_text(text, encoding="utf-8")
    forget()


# --- what cannot be mended, is said ----------------------------------------------------------------------


def test_a_header_that_stands_twice(root: Path, tmp_path: Path) -> None:
    rows = [[*row, cell] for row, cell in zip(rolling_years(), ["Offence", "Robbery"], strict=True)]
    report = inspect_file(write_csv(tmp_path / "a.csv", rows))
    assert report.changes == ()
    assert report.drifts[0].twice == ("offence",)
    assert "['offence'] twice" in report.left[0]


def test_a_column_that_must_be_there(root: Path, tmp_path: Path) -> None:
    rows = [[row[i] for i in (0, 1, 3, 4)] for row in rolling_years()]
    report = inspect_file(write_csv(tmp_path / "a.csv", rows))
    assert report.changes == ()
    assert report.drifts[0].missing == ("region",)
    assert "No column is headed like 'region'" in report.decide[0]
    assert "missing 'region'" in report.left[0]


def test_a_header_that_carries_a_year_is_left_to_its_pattern(root: Path, tmp_path: Path) -> None:
    header = ["LTLA 27 code", "LTLA27NM", "CSP27CD", "CSP27NM", "PFA27CD", "PFA27NM"]
    row = ["E08000025", "Birmingham", "E22000335", "Birmingham", "E23000014", "West Midlands"]
    report = inspect_file(write_csv(tmp_path / "a.csv", [header, row]))
    assert report.nearest_source == "geography"
    assert report.changes == ()
    assert report.left


def test_a_title_without_a_year_fits_and_cannot_be_read(root: Path, tmp_path: Path) -> None:
    report = inspect_file(p1(tmp_path, title="Table P1: number of offences, March 2041"))
    assert (report.source, report.nearest_source, report.changes, report.drifts) == (None, ONS, (), ())
    assert report.problem is not None
    assert "sheet 'Table P1': the lines above row 5 name 0 years ending (none), expected 1" in report.problem
    assert "'Table P1: number of offences, March 2041" in report.problem


def test_a_file_of_no_source_is_near_none(root: Path, tmp_path: Path) -> None:
    report = inspect_file(write_csv(tmp_path / "a.csv", [["Court", "Fee"], ["Leeds", 4]]))
    assert (report.source, report.nearest_source, report.changes) == (None, None, ())
    assert "no row near the top of any sheet carries a header that any source knows" in report.why_nearest


def test_of_a_file_that_is_far_from_all_the_nearest_source_is_named(root: Path, tmp_path: Path) -> None:
    report = inspect_file(write_csv(tmp_path / "a.csv", [["Force Name", "Offence Code", "Judge"], ["Kent", "1", "X"]]))
    assert (report.nearest_source, report.changes, report.left) == (HOME_OFFICE, (), ())
    assert report.why_nearest == "it knows 2 of the 3 headers in row 1 of sheet 'csv', and misses 6"


def test_a_sheet_that_could_be_any_of_three_tables_is_none_of_them(root: Path, tmp_path: Path) -> None:
    """Counts, changes and rates have the same headers: what says which is needed, not guessed."""
    report = inspect_file(p1(tmp_path, title="Crimes of forces, year ending March 2041", sheet="Sheet 41"))
    assert report.changes == ()
    assert report.left
    (question,) = report.decide
    assert question.startswith("Which table is sheet 'Sheet 41'? Its headers fit ")
    for table in ("counts", "changes", "rates"):
        assert f"force_table_2018_{table}" in question


def test_what_fits_gets_no_suggestion(root: Path, tmp_path: Path) -> None:
    with open_workbook(p1(tmp_path)) as workbook:
        sheets = [(workbook.sheet(name), workbook.is_named(name)) for name in workbook.sheet_names]
    assert drift.suggest(load_source(ONS), sheets) == drift.Suggestion()


# --- landed files ----------------------------------------------------------------------------------------


def test_a_landed_file_is_inspected_by_its_name_or_hash(home: Path, tmp_path: Path) -> None:
    record = land_one(home, p1(tmp_path, Robbery="Robberies"))
    (tmp_path / "p1.xlsx").unlink()
    for name in ("p1.xlsx", record.sha256, record.sha256[:8]):
        assert inspect_file(Path(name)).filename == "p1.xlsx"
    assert inspect_file(Path("p1.xlsx")).drifts[0].pairs[0].found == "robberies"


def test_of_two_landed_files_of_one_name_the_hash_tells(home: Path, tmp_path: Path) -> None:
    first = land_one(home, p1(tmp_path, Robbery="Robberies"))
    land_one(home, p1(tmp_path), title="Year ending June 2018")
    (tmp_path / "p1.xlsx").unlink()
    with pytest.raises(inspection.WrongUseError, match=f"several landed files.*{first.sha256[:12]}"):
        inspect_file(Path("p1.xlsx"))
    assert inspect_file(Path(first.sha256[:12])).source is None
    with pytest.raises(inspection.WrongUseError, match="there is no file"):
        inspect_file(Path("p2.xlsx"))


# --- the message of a file that is kept out --------------------------------------------------------------


@pytest.fixture
def refusal(root: Path) -> Callable[[Path], str]:
    def read(path: Path) -> str:
        with pytest.raises(LayoutError) as caught:
            read_with(ONS, path)
        return str(caught.value)

    return read


def test_the_message_names_what_is_nearest_and_what_shows_the_rest(
    refusal: Callable[[Path], str], tmp_path: Path
) -> None:
    message = refusal(p1(tmp_path, Violence_against_the_person="Violense"))
    assert "not expected 'violense' (nearest: 'violence against the person')" in message
    assert "missing 'violence_against_the_person'" in message
    assert message.endswith(
        "→ `justice-etl inspect FILE` prints what to add to source.yml; docs/new-release.md says how"
    )
    assert "\n" not in message


def test_a_message_stays_readable_however_much_differs(refusal: Callable[[Path], str], tmp_path: Path) -> None:
    names = {header.replace(" ", "_"): f"New {i}th" for i, header in enumerate(P1_HEADERS) if header and i < 8}
    message = refusal(p1(tmp_path, title="x" * 500, sheet="Sheet 41", **names))
    assert "its sheet is called 'Table P" in message
    assert "and 4 more; not expected" in message
    assert "no line above row 5 reads '" in message
    assert len(message) < 700
