"""Workbooks read in a process of their own: the same tables and errors, and no more harm than one file."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from etl.archives import CSV, XLSX
from etl.errors import LayoutError
from etl.reading import KeptOut, TidyFile, read_landed, read_tables
from etl.reading_process import ReadingProcess
from etl.sources import load_source
from tests.support import land_one, p1_sheet, rolling_years, write_csv, write_xlsx

ONS = load_source("recorded_crime_ons")
ROBBERY = ["31/03/2004", "Kent", "South East", "Robbery", "1,234 "]


def hostile_workbook(path: Path) -> Path:
    """Two cells, as far apart as a sheet is wide and high: a reader that lays them out wants 400 GB."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet["A1"], sheet["XFD1048576"] = "Area Code", 1
    workbook.save(path)
    return path


def test_the_same_tables_come_out(tmp_path: Path) -> None:
    workbook = write_xlsx(tmp_path / "p1.xlsx", {"Table P1": p1_sheet(("E23000032", "Kent", "171,508 "))})
    text = write_csv(tmp_path / "rolling.csv", rolling_years(ROBBERY))
    with ReadingProcess() as process:
        for path, media_type in ((workbook, XLSX), (text, CSV), (workbook, XLSX)):
            found = list(process.read(path, media_type, ONS))
            assert found == list(read_tables(path, media_type, ONS))
            assert sum(table.num_rows for table in found) > 0


def test_an_error_comes_out_as_it_is(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "other.csv", [["a", "b"], ["1", "2"]])
    with pytest.raises(LayoutError) as here:
        list(read_tables(path, CSV, ONS))
    with ReadingProcess() as process, pytest.raises(LayoutError) as there:
        list(process.read(path, CSV, ONS))
    assert (there.value.what, there.value.next_step, there.value.rule) == (
        here.value.what,
        here.value.next_step,
        here.value.rule,
    )


def test_a_file_that_is_not_read_to_its_end_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    sheets = {f"Table P1{' ' * n}": p1_sheet(("E23000032", "Kent", f"{n} ")) for n in range(1, 3)}
    first = write_xlsx(tmp_path / "p1.xlsx", sheets)
    second = write_csv(tmp_path / "rolling.csv", rolling_years(ROBBERY))
    with ReadingProcess() as process:
        next(process.read(first, XLSX, ONS))
        (table,) = process.read(second, CSV, ONS)
        assert table.to_pylist()[0]["value"] == 1234


def test_a_workbook_built_to_do_harm_is_kept_out_and_the_rest_goes_on(home: Path, tmp_path: Path) -> None:
    bad = land_one(home, hostile_workbook(tmp_path / "hostile.xlsx"), source=ONS.source, title="Bad")
    good = land_one(home, write_csv(tmp_path / "rolling.csv", rolling_years(ROBBERY)), source=ONS.source, title="Good")
    with ReadingProcess() as process:
        kept_out = read_landed(home, bad, process.read)
        assert isinstance(read_landed(home, good, process.read), TidyFile)
    assert isinstance(kept_out, KeptOut)
    assert kept_out.rule == "crash"
    assert "hostile.xlsx" in kept_out.message
    assert "8 GiB" in kept_out.message
    assert not list((home / "tidy").rglob(f"{bad.sha256}*"))


def test_a_fault_of_a_reader_keeps_its_file_out(tmp_path: Path) -> None:
    with ReadingProcess() as process, pytest.raises(LayoutError) as raised:
        list(process.read(tmp_path / "none.csv", CSV, ONS))
    assert raised.value.rule == "crash"
    assert "FileNotFoundError" in raised.value.what


def test_the_process_ends_with_its_block(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rolling.csv", rolling_years(ROBBERY))
    with ReadingProcess() as process:
        list(process.read(path, CSV, ONS))
        running = process._process
        assert running is not None
    assert running.poll() == 0
