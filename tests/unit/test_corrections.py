"""Published errors that are repaired: what a declaration must be, what it repairs, and when it no longer fits.

No source has a `corrections.yml` here: each test writes its own beside copies of the declarations.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from etl import corrections as corrections_module
from etl import reading
from etl.console import print_trace
from etl.corrections import Correction, find_corrections, load_corrections
from etl.errors import JusticeError
from etl.landing import land
from etl.reading import KeptOut, TidyFile, read_landed, reader_hash, tidy_path
from etl.reading_process import ReadingProcess
from etl.trace import Cell, Trace, _Texts
from tests.support import (
    FORCE_HEADER,
    Rows,
    force_row,
    land_one,
    p1_sheet,
    rolling_years,
    write_csv,
    write_ods,
    write_xlsx,
    write_zip,
)

ONS = "recorded_crime_ons"
HOME_OFFICE = "recorded_crime_home_office"
EDITION = "year-ending-march-2018"
Declare = Callable[..., None]

KENT = ("E23000032", "Kent", "171,508 ")
WEST_MIDLANDS = ("E23000014", "West Midlands", "212,841 ")


def entry(cell: str, published: str, corrected: str, **more: str) -> dict[str, Any]:
    """A correction of Table P1 of March 2018, as its file says it."""
    of = {"edition": EDITION, "sheet": "Table P1", "cell": cell, "published": published, "corrected": corrected}
    return of | {"reason": "digits swapped", "reported_on": "2018-08-01", "status": "reported"} | more


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """Writes the corrections of a source where they are looked for."""
    folder = tmp_path / "declared"
    real = corrections_module.load_source

    class Elsewhere:
        def __init__(self, name: str) -> None:
            self.folder = folder / real(name).source

    monkeypatch.setattr(corrections_module, "load_source", Elsewhere)

    def write(*entries: Mapping[str, Any], source: str = ONS, text: str | None = None) -> None:
        path = folder / source / "corrections.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text is not None else yaml.safe_dump(list(entries)), encoding="utf-8")
        load_corrections.cache_clear()

    load_corrections.cache_clear()
    yield write
    load_corrections.cache_clear()


def p1_workbook(folder: Path, *, name: str = "p1.xlsx", total: str = KENT[2]) -> Path:
    """Table P1 in which Kent is row 8 and its total is C8."""
    return write_xlsx(folder / name, {"Table P1": p1_sheet(WEST_MIDLANDS, (*KENT[:2], total))})


def tidy_lines(result: TidyFile | KeptOut) -> list[dict[str, Any]]:
    assert isinstance(result, TidyFile), result
    lines: list[dict[str, Any]] = pq.read_table(result.path).to_pylist()
    return lines


def line_at(result: TidyFile | KeptOut, column: str, row: int) -> dict[str, Any]:
    [line] = [line for line in tidy_lines(result) if (line["column"], line["row"]) == (column, row)]
    return line


def message_of(result: TidyFile | KeptOut) -> str:
    assert isinstance(result, KeptOut), result
    assert result.rule == "correction"
    return result.message


# --- what is repaired ----------------------------------------------------------------------------------


def test_a_figure_of_a_workbook(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "171,508", "171,580"))
    result = read_landed(home, land_one(home, p1_workbook(tmp_path)))
    kent = line_at(result, "C", 8)
    assert (kent["area_name"], kent["value"], kent["marker"]) == ("Kent", 171_580, None)
    assert line_at(result, "C", 7)["value"] == 212_841  # the row above
    assert line_at(result, "F", 8)["value"] == 7  # the cell beside


def test_a_figure_becomes_a_marker(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "171,508", "[x]"))
    kent = line_at(read_landed(home, land_one(home, p1_workbook(tmp_path))), "C", 8)
    assert (kent["value"], kent["marker"]) == (None, "[x]")


def test_a_figure_that_stands_where_nothing_should(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "171,508", ""))
    kent = line_at(read_landed(home, land_one(home, p1_workbook(tmp_path))), "C", 8)
    assert (kent["value"], kent["marker"]) == (None, "[blank]")


def test_an_empty_cell_that_should_say_something(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "", "171,580"))
    kent = line_at(read_landed(home, land_one(home, p1_workbook(tmp_path, total=""))), "C", 8)
    assert kent["value"] == 171_580


def test_a_number_of_a_workbook_is_compared_as_its_text(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("H8", "7", "8"))
    assert line_at(read_landed(home, land_one(home, p1_workbook(tmp_path))), "H", 8)["value"] == 8


def test_a_header_without_which_the_layout_does_not_fit(home: Path, tmp_path: Path, declare: Declare) -> None:
    rows = p1_sheet(KENT)
    rows[4] = ["Area Cod", *rows[4][1:]]
    record = land_one(home, write_xlsx(tmp_path / "p1.xlsx", {"Table P1": rows}))
    before = read_landed(home, record)
    assert isinstance(before, KeptOut)
    assert before.rule == "layout"
    declare(entry("A5", "Area Cod", "Area Code"))
    assert line_at(read_landed(home, record), "C", 7)["value"] == 171_508


def test_a_name_and_a_figure_of_one_sheet(home: Path, tmp_path: Path, declare: Declare) -> None:
    rolling = rolling_years(["31/03/2018", "Knet", "South East", "Robbery", "1,204"])
    declare(
        entry("B2", "Knet", "Kent", sheet="csv"),
        entry("E2", "1,204", "1,240", sheet="csv"),
    )
    [line] = tidy_lines(read_landed(home, land_one(home, write_csv(tmp_path / "a.csv", rolling))))
    assert (line["area_name"], line["value"], line["row"]) == ("Kent", 1240, 2)


def test_a_row_of_an_opendocument_file(home: Path, tmp_path: Path, declare: Declare) -> None:
    rows: Rows = [FORCE_HEADER, force_row(5, quarter=1), force_row(6, quarter=1), force_row(7, quarter=3)]
    record = land_one(home, write_ods(tmp_path / "a.ods", {"2017-18": rows}), source=HOME_OFFICE)
    assert isinstance(read_landed(home, record), KeptOut)  # a quarter is stated twice
    declare(entry("B3", "1", "2", sheet="2017-18"), source=HOME_OFFICE)
    lines = tidy_lines(read_landed(home, record))
    assert [(line["period_start"].month, line["value"]) for line in lines] == [(4, 5), (7, 6), (10, 7)]


def test_a_member_of_an_archive(home: Path, tmp_path: Path, declare: Declare) -> None:
    text = write_csv(tmp_path / "a.csv", rolling_years()).read_bytes()
    archive = write_zip(tmp_path / "a.zip", {"rolling.csv": text})
    declare(entry("E2", "1,204", "1,240", sheet="rolling.csv"))
    [line] = tidy_lines(read_landed(home, land_one(home, archive)))
    assert (line["value"], line["sheet"]) == (1240, "rolling.csv")


def test_the_first_and_the_last_cell_of_a_long_text(home: Path, tmp_path: Path, declare: Declare) -> None:
    """A text is read 100,000 rows at a time; the last row here is of the second piece."""
    padding: Rows = [[""]] * 100_000
    record = land_one(home, write_csv(tmp_path / "a.csv", [*rolling_years(), *padding, ["", "", "", "", "a note"]]))
    declare(
        entry("A1", "12 months ending", "12 months  ending", sheet="csv"),
        entry("E100003", "a note", "another note", sheet="csv"),
    )
    [line] = tidy_lines(read_landed(home, record))
    assert (line["value"], line["row"]) == (1204, 2)


def test_spaces_around_a_text_are_all_that_is_forgiven(home: Path, tmp_path: Path, declare: Declare) -> None:
    record = land_one(home, p1_workbook(tmp_path))  # it says "171,508 "
    declare(entry("C8", "  171,508", "171,580"))
    assert line_at(read_landed(home, record), "C", 8)["value"] == 171_580
    declare(entry("C8", "171508", "171,580"))
    assert "it says '171,508 '; expected '171508'" in message_of(read_landed(home, record))


# --- which files ---------------------------------------------------------------------------------------


def test_every_release_of_the_edition_and_no_other_edition(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "171,508", "171,580"))
    first = land_one(home, p1_workbook(tmp_path))
    revised = write_xlsx(tmp_path / "p1.xlsx", {"Table P1": p1_sheet(WEST_MIDLANDS, KENT), "Notes": [["a note"]]})
    second = land(home, source=ONS, title="Year ending March 2018", published="2018-09-01", files=[revised])[0]
    assert second.release_id == f"{ONS}/{EDITION}@2"
    assert second.record.sha256 != first.sha256
    for record in (first, second.record):
        assert line_at(read_landed(home, record), "C", 8)["value"] == 171_580
    other = land_one(home, p1_workbook(tmp_path, name="c.xlsx"), title="Year ending June 2018")
    assert line_at(read_landed(home, other), "C", 8)["value"] == 171_508


def test_the_same_bytes_in_two_editions(home: Path, tmp_path: Path, declare: Declare) -> None:
    """Each is read as its edition says, in either order, and neither takes the other from the cache."""
    declare(entry("C8", "171,508", "171,580"))
    path = p1_workbook(tmp_path)
    march, june = land_one(home, path), land_one(home, path, title="Year ending June 2018")
    assert march.sha256 == june.sha256
    for _ in range(2):
        assert line_at(read_landed(home, june), "C", 8)["value"] == 171_508
        assert line_at(read_landed(home, march), "C", 8)["value"] == 171_580
    assert len(list((home / "tidy").rglob("*.parquet"))) == 2


def test_only_the_named_file_of_an_edition(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "171,508", "171,580", filename=r"p1.*\.xlsx"))
    named = land_one(home, p1_workbook(tmp_path, name="p1-tables.xlsx"))
    other = land_one(home, write_csv(tmp_path / "rolling.csv", rolling_years()))
    whole_name = land_one(home, p1_workbook(tmp_path, name="old-p1.xlsx", total="9"))
    assert line_at(read_landed(home, named), "C", 8)["value"] == 171_580
    assert tidy_lines(read_landed(home, other))[0]["value"] == 1204
    assert line_at(read_landed(home, whole_name), "C", 8)["value"] == 9


# --- when it no longer fits ----------------------------------------------------------------------------


def test_the_publisher_has_fixed_it(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "171,508", "171,580"))
    assert message_of(read_landed(home, land_one(home, p1_workbook(tmp_path, total="171,580 ")))) == (
        "p1.xlsx (recorded_crime_ons/year-ending-march-2018), rule correction: sheet 'Table P1', cell C8: the "
        "publisher has fixed it, it says '171,580 ' and no longer '171,508' → remove the entry from "
        "etl/sources/recorded_crime_ons/corrections.yml"
    )
    assert not list((home / "tidy").rglob("*.parquet"))


def test_the_cell_says_something_else(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C7", "171,508", "171,580"))
    assert message_of(read_landed(home, land_one(home, p1_workbook(tmp_path)))) == (
        "p1.xlsx (recorded_crime_ons/year-ending-march-2018), rule correction: sheet 'Table P1', cell C7: it says "
        "'212,841 '; expected '171,508', which is corrected to '171,580' → if the publisher has fixed it, remove the "
        "entry from etl/sources/recorded_crime_ons/corrections.yml; if the cell has moved, change it"
    )


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        pytest.param("C11", "there is no such cell, the sheet ends at AA10", id="below"),
        pytest.param("AC8", "there is no such cell, the sheet ends at AA10", id="to the right"),
        pytest.param("D8", "it says ''", id="empty"),
    ],
)
def test_there_is_nothing_in_that_cell(cell: str, found: str, home: Path, tmp_path: Path, declare: Declare) -> None:
    """P1 here has 27 columns (A to AA: four, and 23 with a spacer among them) and ten rows (eight, and two notes)."""
    declare(entry(cell, "171,508", "171,580"))
    assert found in message_of(read_landed(home, land_one(home, p1_workbook(tmp_path))))


def test_an_empty_sheet(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("A1", "a", "b"))
    record = land_one(home, write_xlsx(tmp_path / "p1.xlsx", {"Table P1": []}))
    assert "the sheet is empty" in message_of(read_landed(home, record))


def test_a_sheet_that_is_not_there(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "171,508", "171,580", sheet="Table P2"))
    message = message_of(read_landed(home, land_one(home, p1_workbook(tmp_path))))
    assert "sheet 'Table P2', cell C8: there is no such sheet (sheets: 'Table P1')" in message


def test_a_file_without_sheets(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("A1", "a", "b"), source="geography")
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"features": [{"attributes": {"a": "b"}}]}), encoding="utf-8")
    message = message_of(read_landed(home, land_one(home, path, source="geography")))
    assert "there is no such sheet (sheets: none)" in message


def test_a_sheet_that_the_source_leaves_out(home: Path, tmp_path: Path, declare: Declare) -> None:
    """It would repair nothing that is read."""
    declare(entry("A1", "Notes", "Note", sheet="Notes"))
    path = write_xlsx(tmp_path / "p1.xlsx", {"Table P1": p1_sheet(KENT), "Notes": [["Notes"]]})
    message = message_of(read_landed(home, land_one(home, path)))
    assert "sheet 'Notes', cell A1 is corrected, but the source leaves that sheet out" in message
    assert not list((home / "tidy").rglob("*.parquet"))


# --- in a process of its own ---------------------------------------------------------------------------


def test_a_process_of_its_own_corrects_alike(home: Path, tmp_path: Path, declare: Declare) -> None:
    declare(entry("C8", "171,508", "171,580", reason="“swapped” digits: naïve"))
    path = p1_workbook(tmp_path)
    march, june = land_one(home, path), land_one(home, path, title="Year ending June 2018")
    with ReadingProcess() as process:
        assert line_at(read_landed(home, march, process.read), "C", 8)["value"] == 171_580
        assert line_at(read_landed(home, june, process.read), "C", 8)["value"] == 171_508
        declare(entry("C8", "171,509", "171,580"), entry("A1", "a", "b", edition="year-ending-june-2018"))
        away = [read_landed(home, record, process.read) for record in (march, june)]
    assert away == [read_landed(home, record) for record in (march, june)]
    assert "it says '171,508 '" in message_of(away[0])
    assert "cell A1: it says 'Table P1: Police recorded crime" in message_of(away[1])


# --- the cache -----------------------------------------------------------------------------------------


def test_a_changed_correction_is_read_anew_and_other_files_are_not(
    home: Path, tmp_path: Path, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    corrected = land_one(home, p1_workbook(tmp_path))
    other = land_one(home, p1_workbook(tmp_path, name="b.xlsx", total="9"), title="Year ending June 2018")
    paths = [tidy_path(home, record, "recorded_crime") for record in (corrected, other)]
    read_landed(home, other)
    for text in ("171,580", "171,581"):
        declare(entry("C8", "171,508", text))
        assert line_at(read_landed(home, corrected), "C", 8)["value"] == int(text.replace(",", ""))
        paths.append(tidy_path(home, corrected, "recorded_crime"))
        assert tidy_path(home, other, "recorded_crime") == paths[1]
    assert len(set(paths)) == 4
    monkeypatch.setattr(reading, "open_workbook", None)  # whoever reads now fails
    assert isinstance(read_landed(home, other), TidyFile)
    assert isinstance(read_landed(home, corrected), TidyFile)


@pytest.mark.parametrize(
    ("name", "is_other"), [("corrections.yml", False), ("accepted.yml", False), ("areas.yml", True)]
)
def test_the_hash_of_a_reader_leaves_out_what_counts_for_one_file_or_is_not_read(
    name: str, is_other: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Declared:
        folder = tmp_path
        tidy = ("recorded_crime",)

        def model_dump_json(self, **_: object) -> str:
            return "{}"

    monkeypatch.setattr(reading, "load_source", lambda _: Declared())
    original = reader_hash.__wrapped__(ONS)
    (tmp_path / name).write_text("[]", encoding="utf-8")
    assert (reader_hash.__wrapped__(ONS) != original) == is_other


# --- the declaration -----------------------------------------------------------------------------------


def test_what_a_file_declares(declare: Declare) -> None:
    declare(
        text="""
- edition: year-ending-june-2025
  sheet: Table C2
  cell: AB12
  published: 1,204
  corrected: '[x]'
  reason: >
    The total leaves one area out.
  reported_on: 2025-10-30
  status: will_not_fix
"""
    )
    [correction] = load_corrections(ONS)
    assert correction == Correction(
        edition="year-ending-june-2025",
        sheet="Table C2",
        cell="AB12",
        published="1,204",
        corrected="[x]",
        reason="The total leaves one area out.",
        reported_on=date(2025, 10, 30),
        status="will_not_fix",
    )
    assert (correction.column, correction.row, correction.filename) == ("AB", 12, None)
    assert find_corrections(ONS, "year-ending-june-2025", "any.xlsx") == [correction]
    assert find_corrections(ONS, "year-ending-june-2024", "any.xlsx") == []


def test_a_source_without_corrections(declare: Declare) -> None:
    assert load_corrections(ONS) == []
    declare()
    assert load_corrections(ONS) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("- edition: [", "while parsing", id="no YAML"),
        pytest.param("edition: a", "valid list", id="no list"),
        pytest.param(yaml.safe_dump([entry("C8", "1", "2", colour="red")]), "colour", id="unknown field"),
        pytest.param(yaml.safe_dump([entry("8C", "1", "2")]), "cell", id="no address"),
        pytest.param(yaml.safe_dump([entry("C0", "1", "2")]), "cell", id="row 0"),
        pytest.param(yaml.safe_dump([entry("C8", "1", " 1 ")]), "says the same", id="corrects nothing"),
        pytest.param(yaml.safe_dump([entry("C8", "1", "2", reason=" ")]), "reason", id="no reason"),
        pytest.param(yaml.safe_dump([entry("C8", "1", "2", status="fixed")]), "status", id="unknown status"),
        pytest.param(yaml.safe_dump([entry("C8", "1", "2", reported_on="soon")]), "reported_on", id="no date"),
        pytest.param(yaml.safe_dump([entry("C8", "1", "2", filename="p(1")]), "filename", id="no pattern"),
        pytest.param(yaml.safe_dump([entry("C8", "1", "2", edition="March 2018@1")]), "edition", id="no slug"),
        pytest.param(yaml.safe_dump([entry("C8", "1", "2") | {"published": 1}]), "published", id="no text"),
    ],
)
def test_a_file_that_is_not_what_it_must_be(
    text: str, found: str, home: Path, tmp_path: Path, declare: Declare
) -> None:
    """It stops the run, whichever file is read: nobody knows what it was to repair."""
    declare(text=text)
    with pytest.raises(JusticeError, match=found) as raised:
        read_landed(home, land_one(home, p1_workbook(tmp_path)))
    assert f"{ONS}/corrections.yml is not a valid list of corrections" in raised.value.what
    assert raised.value.next_step == "mend the file"


@pytest.mark.parametrize("filename", [None, r"p1\.xlsx"])
def test_two_corrections_of_one_cell(filename: str | None, declare: Declare) -> None:
    second = entry("C8", "171,508", "[x]") | ({"filename": filename} if filename else {})
    declare(entry("C8", "171,508", "171,580"), entry("C7", "1", "2"), second)
    with pytest.raises(JusticeError, match="twice") as raised:
        load_corrections(ONS)
    assert raised.value.what == (
        "etl/sources/recorded_crime_ons/corrections.yml corrects sheet 'Table P1', cell C8 of year-ending-march-2018 "
        "twice"
    )


def test_two_patterns_may_name_two_files_but_not_one(declare: Declare) -> None:
    declare(
        entry("C8", "1", "2", filename=r"a.*\.xlsx"),
        entry("C8", "1", "3", filename=r".*b\.xlsx"),
        entry("C8", "1", "2", edition="year-ending-june-2018"),
    )
    assert [c.corrected for c in find_corrections(ONS, EDITION, "a.xlsx")] == ["2"]
    assert [c.corrected for c in find_corrections(ONS, EDITION, "b.xlsx")] == ["3"]
    with pytest.raises(JusticeError, match="twice"):
        find_corrections(ONS, EDITION, "ab.xlsx")


# --- the trace -----------------------------------------------------------------------------------------


def trace_cell(home: Path, path: Path, row: int, title: str = "Year ending March 2018") -> Cell:
    """The cell of column C in a row, as the trace of its figure gives it."""
    record = land_one(home, path, title=title)
    line = {
        "release_id": f"{record.source}/{record.edition}@1",
        "filename": record.filename,
        "sha256": record.sha256,
        "media_type": record.media_type,
        "sheet": "Table P1",
        "row": row,
        "column": "C",
        "published_rows": 1,
        "area_code": "E23000032",
        "figure": "total_excluding_fraud",
        "period_end": date(2018, 3, 31),
    }
    [cell] = _Texts(home).cells(line)
    return cell


def test_the_trace_tells_what_was_published_from_what_it_should_be(
    home: Path, tmp_path: Path, declare: Declare
) -> None:
    declare(entry("C8", "171,508", "171,580", reason="digits swapped"))
    path = p1_workbook(tmp_path)
    kent, west_midlands = trace_cell(home, path, 8), trace_cell(home, path, 7)
    assert (kent.text, kent.corrected, kent.correction_reason) == ("171,508 ", "171,580", "digits swapped")
    assert (kent.value, kent.marker) == (171_580, None)
    assert (west_midlands.corrected, west_midlands.correction_reason, west_midlands.value) == (None, None, 212_841)
    june = trace_cell(home, path, 8, title="Year ending June 2018")
    assert (june.corrected, june.value) == (None, 171_508)


def test_the_trace_of_a_file_that_no_longer_says_so(home: Path, tmp_path: Path, declare: Declare) -> None:
    """Such a file is not read any more; what is served was read before, as it was published."""
    declare(entry("C8", "171,509", "171,580"))
    kent = trace_cell(home, p1_workbook(tmp_path), 8)
    assert (kent.text, kent.corrected, kent.value) == ("171,508 ", None, 171_508)


def test_a_trace_shows_corrections_only_where_there_are_any(
    home: Path, tmp_path: Path, declare: Declare, capsys: pytest.CaptureFixture[str]
) -> None:
    def show(*cells: Cell) -> str:
        print_trace(
            Trace(
                area_code="E23000032",
                area_name="Kent",
                figure="total_excluding_fraud",
                span="year",
                period_end=date(2018, 3, 31),
                value=171_580,
                marker=None,
                release_id=f"{ONS}/{EDITION}@1",
                table_id="P1",
                is_derived=False,
                is_modelled=False,
                cell_count=len(cells),
                cells=list(cells),
            )
        )
        return " ".join(capsys.readouterr().out.split())

    declare(entry("C8", "171,508", "[x]", reason="see note [3]"))
    path = p1_workbook(tmp_path)
    kent, west_midlands = trace_cell(home, path, 8), trace_cell(home, path, 7)
    assert "corrected to" not in show(west_midlands)
    shown = show(west_midlands, kent)
    assert "corrected to" in shown
    assert "'171,508 '" in shown
    assert "'[x]': see note [3]" in shown
