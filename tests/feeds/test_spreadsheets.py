"""Rankings as spreadsheets: what stands in the cells, what every reader is told, and that LibreOffice reads them."""

from __future__ import annotations

import csv
import errno
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from etl.contracts import contracts, fields
from etl.feed_spreadsheets import BOOKS, Book, read_rankings, write_spreadsheets
from etl.feed_words import describe_column, put_in_words
from etl.feeds import read_releases
from etl.rank_words import KINDS
from tests.feeds.made import ANGLESEY, FORCE, NEW, NOBODY, fill

PROVEN = "proven-reoffending-ranking.xlsx"
CRIME = "crime-rate-ranking.xlsx"
HEADER = [
    "Area name", "Area code", "Offenders", "Reoffenders", "Reoffending rate (%)", "Rate low (%)", "Rate high (%)",
    "Rank", "Rank low", "Rank high", "Guaranteed rank low", "Guaranteed rank high", "Cannot be told apart",
    "Funnel class", "Why not ranked",
]  # fmt: skip

Sheet = list[list[Any]]


def read_sheets(path: Path) -> dict[str, Sheet]:
    """The rows of each sheet without empty cells at their ends."""
    book = openpyxl.load_workbook(path)
    found = {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}
    return {name: [_cut(row) for row in rows] for name, rows in found.items()}


def _cut(row: list[Any]) -> list[Any]:
    while row and row[-1] is None:
        row.pop()
    return row


def find_table(rows: Sheet) -> tuple[list[str], Sheet]:
    """The header of a sheet's table without its notes, and what stands below it."""
    start = next(number for number, row in enumerate(rows) if len(row) > 1)
    header = [re.sub(r"\[note \d+\]", "", name).replace("\n", " ").strip() for name in rows[start]]
    return header, rows[start + 1 :]


@pytest.fixture(scope="session")
def proven(made_feeds: Path) -> dict[str, Sheet]:
    return read_sheets(made_feeds / "spreadsheets" / PROVEN)


@pytest.fixture(scope="session")
def demo_books(demo_feeds: Path) -> dict[str, dict[str, Sheet]]:
    return {book.filename: read_sheets(demo_feeds / "spreadsheets" / book.filename) for book in BOOKS}


# --- cells -------------------------------------------------------------------------------------------------


def test_a_sheet_has_the_newest_ranking_by_rank_and_the_others_last(proven: dict[str, Sheet]) -> None:
    assert list(proven) == ["Cover", "Contents", "Notes", "Table 1", "Table 2"]
    header, rows = find_table(proven["Table 1"])
    assert header == HEADER
    nothing = "it has no residents to speak of, so that a rate means nothing"
    assert rows == [
        [
            'Ynys Môn, "Anglesey"',
            ANGLESEY,
            200,
            40,
            20,
            14.5,
            26.5,
            1,
            "[z]",
            "[z]",
            1,
            2,
            1,
            "inside the 95% limits",
            "[z]",
        ],
        [
            "West Midlands",
            FORCE,
            400,
            101,
            25.25,
            20.78,
            30.22,
            2,
            "[z]",
            "[z]",
            1,
            2,
            1,
            "above the 95% limits",
            "[z]",
        ],
        ["Unassigned\nSurrey", NOBODY, *["[x]"] * 5, *["[z]"] * 7, nothing],
    ]
    header, rows = find_table(proven["Table 2"])
    assert [row[0] for row in rows] == ["West Midlands"]


def test_a_sheet_says_what_it_shows_and_whose_figures_they_are(proven: dict[str, Sheet]) -> None:
    title = "Upper-tier authorities by proven reoffending rate, adults and children, April 2019 to March 2020"
    said = [row[0] for row in proven["Table 1"] if len(row) == 1]
    assert said[0] == f"Table 1: {title}"
    assert "Raw rates ignore who the offenders are: areas with other offenders have other rates." in said
    assert "1 of 2 lie outside the 95% funnel; fewer than one would by chance alone." in said
    assert said[-1] == "Source: April to june 2020, Ministry of Justice, published 28 April 2022"
    assert any(text.startswith("[x] = not available") for text in said)
    assert any(text.startswith("[z] = not applicable") for text in said)
    assert ["Table 1", f"Table 1: {title}"] in proven["Contents"]


def test_notes_are_numbered_and_say_what_columns_mean(proven: dict[str, Sheet]) -> None:
    notes = dict(row for row in proven["Notes"] if len(row) == 2 and isinstance(row[0], int))
    assert list(notes) == list(range(1, len(HEADER) + 1))
    marked = next(row for row in proven["Table 1"] if len(row) > 1)
    assert [name.split("\n")[-1] for name in marked] == [f"[note {number}]" for number in notes]
    assert notes[8].startswith("Rank: 1 + the number of ranked areas with a strictly lower rate: 1 is the lowest rate.")


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.kind)
def test_notes_speak_of_what_stands_in_cells(book: Book) -> None:
    """Neither of codes nor of columns by their names in the warehouse, nor of nulls: no cell holds any."""
    columns = contracts()[KINDS[book.kind].table].columns
    for name in ("area_name", "area_code", *book.figures, *book.ranks):
        note = describe_column(name, columns[name])
        assert not re.search(r"[a-z0-9]_[a-z0-9]|\bnull\b|\binside,", note), note
    assert put_in_words("funnel_class", "below_99_8") == "below the 99.8% limits"


def test_every_code_has_words() -> None:
    for name in ("funnel_class", "exclusion_reason"):
        for code in fields()[name].allowed:
            assert put_in_words(name, code) != code
    assert put_in_words("funnel_class", "another") == "another"


def test_the_cover_says_how_a_ranking_is_to_be_read(proven: dict[str, Sheet]) -> None:
    said = [row[0] for row in proven["Cover"]]
    assert said[0] == "Areas of England and Wales ranked by proven reoffending rate"
    assert "Rank 1 is the lowest rate; the last rank is the other end. A rank is no judgement on an area." in said
    assert any(text.startswith("No rank is to be read without its interval") for text in said)
    assert any("about K × 5% lie outside the 95% limits of the funnel by chance alone" in text for text in said)


# --- the demo's --------------------------------------------------------------------------------------------


def _tables(demo_books: dict[str, dict[str, Sheet]]) -> Iterator[tuple[str, Sheet]]:
    for filename, sheets in demo_books.items():
        for name, rows in sheets.items():
            if name.startswith("Table"):
                yield filename, rows


def test_no_cell_is_empty(demo_books: dict[str, dict[str, Sheet]]) -> None:
    for filename, rows in _tables(demo_books):
        header, cells = find_table(rows)
        assert all(len(row) == len(header) and None not in row for row in cells), filename


def test_modelled_figures_say_so_in_every_title(demo_books: dict[str, dict[str, Sheet]]) -> None:
    for _, rows in _tables(demo_books):
        assert rows[0][0].endswith("(modelled sample)")
        assert rows[1][0].startswith("MODELLED SAMPLE: ")
    for sheets in demo_books.values():
        assert sheets["Cover"][0][0].endswith("(modelled sample)")
        assert any(row[0].startswith("MODELLED SAMPLE: ") for row in sheets["Cover"])


def test_nothing_is_called_good_or_bad(demo_books: dict[str, dict[str, Sheet]]) -> None:
    texts = (str(cell) for sheets in demo_books.values() for rows in sheets.values() for row in rows for cell in row)
    assert not [text for text in texts if re.search(r"\b(best|worst|top|bottom|league)\b", text, re.IGNORECASE)]


def test_crime_is_no_accredited_statistic_and_totals_come_first(demo_books: dict[str, dict[str, Sheet]]) -> None:
    sheets = demo_books[CRIME]
    told = "Police recorded crime has not been an accredited official statistic since 15 January 2014"
    assert any(row[0].startswith(told) for row in sheets["Cover"])
    titles = [rows[0][0] for name, rows in sheets.items() if name.startswith("Table")]
    first = {title.split(": ")[1].split(" by ")[0]: title for title in reversed(titles)}
    assert list(reversed(first)) == ["Police forces", "Regions", "Community Safety Partnerships"]
    assert all("Total recorded crime (excluding fraud)" in title for title in first.values())


def test_ranks_are_those_of_the_warehouse(
    demo: duckdb.DuckDBPyConnection, demo_books: dict[str, dict[str, Sheet]]
) -> None:
    wanted = demo.sql(
        """
        SELECT area_code, rank_all FROM mart.local_adult_reoffending_rank
        WHERE period_end = DATE '2013-12-31' AND rank_all IS NOT NULL ORDER BY rank_all, area_name
        """
    ).fetchall()
    header, rows = find_table(demo_books["local-adult-reoffending-ranking.xlsx"]["Table 1"])
    place = header.index("Rank among all")
    assert [(row[1], row[place]) for row in rows if row[place] != "[z]"] == wanted
    assert len(wanted) > 100


# --- the file ----------------------------------------------------------------------------------------------


def test_the_moment_in_the_file_is_that_of_the_newest_release(made_feeds: Path) -> None:
    book = openpyxl.load_workbook(made_feeds / "spreadsheets" / PROVEN)
    assert book.properties.created == datetime(2022, 4, 28, 8, 30)  # noqa: DTZ001 - a spreadsheet knows no zone
    with zipfile.ZipFile(made_feeds / "spreadsheets" / PROVEN) as packed:
        assert {member.date_time for member in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_name_is_a_text_whatever_it_looks_like(tmp_path: Path) -> None:
    names = {FORCE: "=1+1", ANGLESEY: "https://example.org/ynys", NOBODY: "$$rank$$ [a](b)"}
    with duckdb.connect() as connection:
        fill(connection, history_rows=2)
        for code, name in names.items():
            connection.execute("UPDATE mart.reoffending_rank SET area_name = ? WHERE area_code = ?", [name, code])
        connection.execute("UPDATE meta.release SET title = '$$x$$'")
        [path] = write_spreadsheets(connection, tmp_path, read_releases(connection))
    sheets = read_sheets(path)
    _, rows = find_table(sheets["Table 1"])
    assert [row[0] for row in rows] == ["https://example.org/ynys", "=1+1", "$ $rank$ $ [a] (b)"]
    sheet = openpyxl.load_workbook(path)["Table 1"]
    assert {cell.data_type for [cell] in sheet["A1:A30"] if cell.value} == {"s"}
    assert not [cell for [cell] in sheet["A1:A30"] if cell.hyperlink]
    assert [row[0] for row in sheets["Notes"] if len(row) == 2][1:] == list(range(1, len(HEADER) + 1))


def test_levels_without_a_name_come_last_and_stay_apart(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        fill(connection, history_rows=2)
        connection.execute("UPDATE mart.reoffending_rank SET level = 'country' WHERE area_code = ?", [ANGLESEY])
        connection.execute("UPDATE mart.reoffending_rank SET level = 'other' WHERE area_code = ?", [NOBODY])
        [path] = write_spreadsheets(connection, tmp_path, read_releases(connection))
    titles = [rows[0][0].split(" by ")[0] for name, rows in read_sheets(path).items() if name.startswith("Table")]
    assert titles == [
        "Table 1: Upper-tier authorities",
        "Table 2: Upper-tier authorities",
        "Table 3: Areas of level country",
        "Table 4: Areas of level other",
    ]


def test_a_full_disk_is_said_with_the_spreadsheet(
    made: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left") as caught:
        write_spreadsheets(made, tmp_path, read_releases(made))
    assert caught.value.filename == str(tmp_path / PROVEN)


def test_what_ranks_nothing_is_not_written(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        fill(connection)
        connection.execute("DELETE FROM mart.reoffending_rank")
        assert write_spreadsheets(connection, tmp_path / "spreadsheets", read_releases(connection)) == []
    assert not (tmp_path / "spreadsheets").exists()


def test_a_period_in_which_most_areas_have_a_rate_of_nothing_is_not_the_newest() -> None:
    [book] = [book for book in BOOKS if book.filename == PROVEN]
    with duckdb.connect() as connection:
        fill(connection)
        connection.execute(
            f"INSERT INTO mart.reoffending_rank BY NAME SELECT * REPLACE (cohort_end + 365 AS cohort_end, "
            f"0.0 AS rate_percent) FROM mart.reoffending_rank WHERE area_code IN ('{FORCE}', '{ANGLESEY}')"
        )
        rankings = read_rankings(connection, book)
    assert {row["cohort_end"] for rows in rankings for row in rows} == {NEW}


def test_libreoffice_reads_the_same(made_feeds: Path, proven: dict[str, Sheet], tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed: the Debian package is libreoffice-calc")
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    subprocess.run(
        [
            office,
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            every_sheet,
            "--outdir",
            tmp_path,
            made_feeds / "spreadsheets" / PROVEN,
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    for name in ("Table 1", "Table 2"):
        path = tmp_path / f"{PROVEN.removesuffix('.xlsx')}-{name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            read = [[cell for cell in row if cell] for row in csv.reader(file)]
        assert read == [[str(cell) for cell in row] for row in proven[name]]
