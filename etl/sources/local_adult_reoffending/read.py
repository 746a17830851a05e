"""Local adult reoffending: actual and predicted three-month reoffending by area, one line a published row.

No published file has been at hand. Columns are known by their headers (`source.yml`). What else decides what a figure
means, the period and whether rates are percentages, is asked of every sheet and never assumed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

import pyarrow as pa

from etl.cells import (
    MONTHS,
    UNREADABLE,
    Period,
    month_end,
    name_key,
    parse_gss_code,
    parse_number,
    split_notes,
    tidy_text,
    year_to,
)
from etl.errors import LayoutError
from etl.layouts import Fit, find_tables
from etl.sources import Source
from etl.sources.readers import cell_error, code_without_gss, refuse_repeated_rows
from etl.spreadsheets import Workbook

_RATES = ("actual_percent", "predicted_percent")
_FIGURES = ("offenders", *_RATES)
_DIFFERENCES = ("difference_in_percent", "difference", "difference_from_baseline")
"""Which difference is taken where a table prints more than one."""

_UNITS = re.compile(r"\(?(numbers?|per ?cent(age)?s?|rates?|%|n|no\.?)\)?", re.IGNORECASE)
_TOTAL = re.compile(r"((sub|grand|trust|region|regional) ?)?total|all( (local )?(areas|authorities))?")
"""Names of a row that sums up what stands beside it, as `name_key` gives them."""

_NAME_NOTES = re.compile(r"\s*(\(\d{1,2}\)|[*†‡⁰¹²³⁴-⁹])+$")
"""Footnotes on a place that `split_notes` does not know: `Rutland (2)`, `Rutland*`, `Rutland²`."""

_MONTH = "(" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\.?"
_DAY = r"(?:(\d{1,2})(?:st|nd|rd|th)?\s+)?"
_YEAR = r"'?((?:19|20)\d\d|\d\d(?!\d))"  # footnotes are glued to years: 20121 is 2012
_SPAN = re.compile(
    rf"(?<![a-z]){_DAY}{_MONTH}\s*(?:{_YEAR})?\s*(?:to|and|-|–|—|_)\s*{_DAY}{_MONTH}\s*{_YEAR}", re.IGNORECASE
)
_YEAR_ENDING = re.compile(
    rf"(?:year|(?:12|twelve) months)\s+(?:ending|ended|to)\s+{_DAY}{_MONTH}\s*{_YEAR}", re.IGNORECASE
)

_DIRECTION = "lower|higher|better|worse|below|above|less|more|decrease|increase|reduction|down|up"
_SAYS_YES = re.compile(
    rf"\*+|y|yes|true|↑|↓|▲|▼|sig\.?|({_DIRECTION})( than (predicted|expected))?"
    rf"|(statistically )?significant(ly)?( (difference|{_DIRECTION}))?( than (predicted|expected))?"
)
_SAYS_NO = re.compile(
    r"n|no|false|↔|ns|n/s|not sig\.?|unchanged|same|in line|no (significant )?(difference|change)"
    r"|(no|not|non)[ -](statistically )?significant( difference| change)?"
)

_MARKER_STEP = "a new marker belongs in MARKERS in etl/cells.py; else look at the published sheet"
_READER_FILE = "etl/sources/local_adult_reoffending/read.py"


def read(workbook: Workbook, source: Source) -> Iterator[pa.Table]:
    """Tidy `local_adult_reoffending`, one table a sheet.

    A row that states no figure (a heading, a note) is no line. Rates come in percent, however they are printed; a
    difference and its significance as the publisher prints them.

    Raises:
        LayoutError: a sheet fits no layout, does not say its period, or states an area twice or otherwise than a
            sheet before it; or a cell cannot be read.
    """
    stated: dict[tuple[str, ...], _Stated] = {}
    for fit in find_tables(source, workbook):
        if fit.layout.level is None:
            continue  # known and left out: see source.yml
        lines = _read_sheet(fit, source, fit.layout.level)
        if lines:
            table = pa.Table.from_pylist(lines)
            refuse_repeated_rows(fit, _with_area(table), ["level", "area"], "area_name")
            _refuse_contradictions(fit, lines, stated)
            yield table


def _read_sheet(fit: Fit, source: Source, level: str) -> list[dict[str, object]]:
    """The lines of one sheet."""
    period = _read_period(fit)
    areas = _find_areas(fit, source, level)
    _refuse_texts_without_header(fit, areas)
    scale = _find_scale(fit, areas)
    differences = _read_differences(fit, areas, scale)
    flags = _read_flags(fit, areas)
    same = {
        "table_id": fit.layout.table_id,
        "period_start": period.start,
        "period_end": period.end,
        "sheet": fit.sheet.name,
    }
    return [
        same
        | {"row": row, "printed_difference": differences[row], "printed_significant": flags[row]}
        | area
        | _read_offenders(fit, row)
        | {name: value for rate in _RATES for name, value in _read_rate(fit, row, rate, scale).items()}
        for row, area in areas.items()
    ]


def _text(fit: Fit, row: int, name: str) -> str:
    """The tidied text of a declared column; empty where the cell is, or the table has no such column."""
    return tidy_text(fit.sheet.text(fit.columns[name], row)) if name in fit.columns else ""


# --- periods -------------------------------------------------------------------------------------------


def _read_period(fit: Fit) -> Period:
    """The year that the lines above the header, or the sheet's name, state; where both do, they must agree."""
    name = fit.sheet.name.rsplit("/", 1)[-1]
    found = sorted({*_find_periods(fit.title), *_find_periods(name)}, key=lambda period: (period.end, period.start))
    if len(found) == 1 and year_to(found[0].end) == found[0]:
        return found[0]
    named = "; ".join(f"{period.start} to {period.end}" for period in found) or "none"
    raise LayoutError(
        f"sheet {fit.sheet.name!r}: expected one period of a year, such as '1 October 2011 - 30 September 2012' or "
        f"'year ending September 2012', in the lines above the header in row {fit.header_row + 1} "
        f"({tidy_text(fit.title)[:200]!r}) or in the name of the sheet; found {named}",
        f"look in the published file; a new form of period belongs in {_READER_FILE}",
    )


def _find_periods(text: str) -> list[Period]:
    """Every span of days or months that a text states, and every year by its end."""
    plain = tidy_text(text)
    spans = [_parse_span(match) for match in _SPAN.finditer(plain)]
    ends = [_parse_day(*match.groups(), is_end=True) for match in _YEAR_ENDING.finditer(plain)]
    return [span for span in spans if span] + [year_to(end) for end in ends if end]


def _parse_span(match: re.Match[str]) -> Period | None:
    first_day, first_month, first_year, last_day, last_month, last_year = match.groups()
    end = _parse_day(last_day, last_month, last_year, is_end=True)
    start = _parse_day(first_day, first_month, first_year or last_year, is_end=False)
    if start and end and start > end and not first_year:
        start = _parse_day(first_day, first_month, str(end.year - 1), is_end=False)  # October to September 2012
    return Period(start, end) if start and end and start < end else None


def _parse_day(day: str | None, month: str, year: str, *, is_end: bool) -> date | None:
    """The day that begins or ends a period, of its month where no day is given; None where there is no such day."""
    first = date(int(year) if len(year) == 4 else 2000 + int(year), MONTHS[month.casefold()], 1)
    last = month_end(first.year, first.month)
    if day is None:
        return last if is_end else first
    return first.replace(day=int(day)) if 1 <= int(day) <= last.day else None


# --- areas and rows ------------------------------------------------------------------------------------


def _find_areas(fit: Fit, source: Source, level: str) -> dict[int, dict[str, object]]:
    """The published rows that state figures, each with its level, code, name and key.

    Left out are rows without a figure, rows of units below a header, and totals of probation trusts.

    Raises:
        LayoutError: a row states figures and names nothing, or a trust under which no authority stands.
    """
    areas: dict[int, dict[str, object]] = {}
    totals: dict[str, int] = {}
    trusts_with_authorities = set()
    for row in range(fit.first_row, fit.first_row + fit.body.num_rows):
        figures = [text for name in _FIGURES if (text := _text(fit, row, name))]
        name, trust, region = (_text(fit, row, column) for column in ("area_name", "probation_trust", "region"))
        if not figures or (not name and all(_UNITS.fullmatch(text) for text in figures)):
            continue
        if (trust or region) and _TOTAL.fullmatch(name_key(name)):
            name = ""  # the total of what stands beside it
        if name:
            trusts_with_authorities.add(trust)
        elif trust and code_without_gss(source, name_key(trust), level) is None:
            totals[trust] = row
            continue
        areas[row] = _describe_area(fit, source, row, name or trust or region, level if name or trust else "region")
    for trust, row in totals.items():
        if not trusts_with_authorities & {trust, ""}:
            _refuse_lonely_trust(fit, row)
    return areas


def _refuse_lonely_trust(fit: Fit, row: int) -> NoReturn:
    """Stop the file at a trust that seems to be an authority as well: to leave it out would lose the authority."""
    raise cell_error(
        fit,
        row,
        fit.columns["probation_trust"],
        "expected an authority: the row names a probation trust only, and no other row names an authority in it",
        "look at the published row",
    )


def _describe_area(fit: Fit, source: Source, row: int, name: str, level: str) -> dict[str, object]:
    """Columns of an area; a code of a country or region says its level, whatever the table is about."""
    plain = split_notes(_NAME_NOTES.sub("", split_notes(name).text)).text
    key = name_key(plain)
    if not key:
        raise cell_error(
            fit,
            row,
            fit.columns["area_name"],
            "expected the name of an area, since the row states figures",
            "look at the published row",
        )
    code = parse_gss_code(_text(fit, row, "area_code"))[0] or code_without_gss(source, key, level)
    by_code = {"K04": "country", "E92": "country", "W92": "country", "E12": "region"}
    return {"level": by_code.get((code or "")[:3], level), "area_code": code, "area_name": plain, "area_key": key}


def _refuse_texts_without_header(fit: Fit, rows: Collection[int]) -> None:
    """Stop the file where something that no header explains stands beside figures: it may change what they mean."""
    header = fit.header_row + 1
    letters = [
        letter
        for letter in fit.sheet.cells.column_names
        if not (tidy_text(fit.sheet.text(letter, header)) or tidy_text(fit.sheet.text(letter, header - 1)))
    ]
    for row in rows:
        for letter in letters:
            if tidy_text(fit.sheet.text(letter, row)):
                raise cell_error(
                    fit,
                    row,
                    letter,
                    f"expected nothing, since no header stands over it in row {header}",
                    "look at the published sheet; headers of more than two rows are not read",
                )


# --- what a sheet or workbook states twice -------------------------------------------------------------


@dataclass(frozen=True)
class _Stated:
    """Where a workbook first states the figures of an area, and which."""

    sheet: str
    row: object
    figures: list[object]


def _with_area(table: pa.Table) -> pa.Table:
    """The table with a column `area` by which areas are compared: the code, else the key of the name."""
    lines = table.select(["area_code", "area_key"]).to_pylist()
    return table.append_column("area", pa.array([_compared(line) for line in lines], pa.string()))


def _compared(line: dict[str, object]) -> str:
    return str(line["area_code"] or line["area_key"])


def _refuse_contradictions(fit: Fit, lines: list[dict[str, object]], stated: dict[tuple[str, ...], _Stated]) -> None:
    """Stop the file where a sheet states other figures of an area than one before it: they speak of other offenders.

    Args:
        fit: the sheet.
        lines: what it states.
        stated: what sheets before it stated; this one's lines are added.
    """
    for line in lines:
        key = (fit.layout.table_id, str(line["level"]), _compared(line), str(line["period_end"]))
        figures = [line[name] for name in _FIGURES]
        first = stated.setdefault(key, _Stated(fit.sheet.name, line["row"], figures))
        if first.figures != figures:
            raise cell_error(
                fit,
                int(str(line["row"])),
                fit.columns["area_name"],
                f"expected the figures of sheet {first.sheet!r}, row {first.row}, {first.figures}; found {figures}",
                "if the sheets speak of other offenders, leave one out by ignore_sheets in source.yml",
            )


# --- figures -------------------------------------------------------------------------------------------


def _read_offenders(fit: Fit, row: int) -> dict[str, object]:
    """Value, marker and column of the number of offenders."""
    letter = fit.columns["offenders"]
    value, marker = parse_number(fit.sheet.text(letter, row))
    if marker == UNREADABLE or (value is not None and (value < 0 or not value.is_integer())):
        raise cell_error(fit, row, letter, "expected a whole number of offenders or a marker", _MARKER_STEP)
    whole = None if value is None else int(value)
    return {"offenders": whole, "offenders_marker": marker, "offenders_column": letter}


def _read_rate(fit: Fit, row: int, name: str, scale: int) -> dict[str, object]:
    """Value in percent, marker and column of a rate."""
    letter = fit.columns[name]
    value, marker = _parse_rate(fit, row, letter)
    percent = None if value is None else _scale(value, scale)
    return {name: percent, f"{name}_marker": marker, f"{name}_column": letter}


def _parse_rate(fit: Fit, row: int, letter: str) -> tuple[float | None, str | None]:
    """A rate as it is printed, a percentage or a fraction, and its marker."""
    value, marker = _parse_number(fit, row, letter)
    if marker == UNREADABLE or (value is not None and not 0 <= value <= 100):
        raise cell_error(fit, row, letter, "expected a rate from 0 to 100% or a marker", _MARKER_STEP)
    return value, marker


def _parse_number(fit: Fit, row: int, letter: str) -> tuple[float | None, str | None]:
    """As `parse_number`; a `%` may stand apart from its number."""
    return parse_number(tidy_text(fit.sheet.text(letter, row)).replace(" %", "%"))


def _scale(value: float, scale: int) -> float:
    """A number times 1 or 100, without what doubles add: cells have nine decimal places at the most."""
    return round(value * scale, 9)


def _find_scale(fit: Fit, rows: Collection[int]) -> int:
    """By what the rates of a sheet are multiplied to be in percent: 100 where they are fractions, else 1.

    A workbook keeps a cell that shows 7.05% as 0.0705. Rates are fractions where every number of both columns is 1 or
    less and none is printed with a `%`; 0 is 0 either way.

    Raises:
        LayoutError: some are fractions and some are percentages; names the first that differs from those before.
    """
    first: tuple[str, bool] | None = None
    for row in rows:
        for letter in (fit.columns[name] for name in _RATES):
            value, _ = _parse_rate(fit, row, letter)
            if not value:
                continue
            is_fraction = value <= 1 and "%" not in (fit.sheet.text(letter, row) or "")
            cell, expected = first = first or (f"{letter}{row}", is_fraction)
            if expected != is_fraction:
                kinds = {True: "a fraction of 1", False: "a percentage"}
                raise cell_error(
                    fit,
                    row,
                    letter,
                    f"reads as {kinds[is_fraction]}; expected {kinds[expected]}, as {cell} is",
                    "look at the published sheet, and ask the publisher",
                )
    return 100 if first and first[1] else 1


def _read_differences(fit: Fit, rows: Collection[int], scale: int) -> dict[int, float | None]:
    """By row, the printed difference in its own terms; None where none is printed.

    Where rates are fractions, so is the difference, unless one of its numbers is beyond 1 or has a `%`.
    """
    letter = next((fit.columns[name] for name in _DIFFERENCES if name in fit.columns), None)
    if letter is None:
        return dict.fromkeys(rows)
    values: dict[int, float | None] = {}
    for row in rows:
        values[row], marker = _parse_number(fit, row, letter)
        if marker == UNREADABLE:
            raise cell_error(fit, row, letter, "expected a number or a marker", _MARKER_STEP)
    is_in_percent = any(abs(values[row] or 0) > 1 or "%" in (fit.sheet.text(letter, row) or "") for row in rows)
    by = 1 if is_in_percent else scale
    return {row: None if value is None else _scale(value, by) for row, value in values.items()}


def _read_flags(fit: Fit, rows: Collection[int]) -> dict[int, bool | None]:
    """By row, whether the publisher marks the difference as statistically significant; None where it does not say.

    In a column that says yes and never no, an empty cell beside two rates says no: only what is significant is marked.
    """
    flags = {row: _read_flag(fit, row) for row in rows}
    if True in flags.values() and False not in flags.values():
        for row in rows:
            rates = [_parse_rate(fit, row, fit.columns[name])[0] for name in _RATES]
            if None not in rates and not _text(fit, row, "significance"):
                flags[row] = False
    return flags


def _read_flag(fit: Fit, row: int) -> bool | None:
    word = _text(fit, row, "significance").casefold()
    if _SAYS_YES.fullmatch(word):
        return True
    if _SAYS_NO.fullmatch(word):
        return False
    if parse_number(word)[1] in (None, UNREADABLE):
        raise cell_error(
            fit,
            row,
            fit.columns["significance"],
            "expected a word that says whether the difference is significant (yes, no, lower, no change, …)",
            f"if it says so, add it to _SAYS_YES or _SAYS_NO in {_READER_FILE}",
        )
    return None
