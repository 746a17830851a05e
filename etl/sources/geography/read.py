"""Geography: which area lies in which, names and lives of areas, changes of codes.

Text tables and the answers of the ArcGIS service behind ONS Open Geography are fitted to layouts; the Code
History Database (JSON, one file an entity) has a form of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date

import pyarrow as pa

from etl.archives import JSON
from etl.cells import parse_day, parse_gss_code, split_notes, tidy_text
from etl.errors import LayoutError
from etl.layouts import Fit, find_table, find_tables
from etl.sources import Source
from etl.sources.readers import cell_error, keep_data_rows
from etl.spreadsheets import Sheet, Workbook, column_letters, decode

JSON_SHEET = "json"
"""What the only sheet of a JSON file is called."""

_LEVELS = {"E12": "region", "E92": "country", "W92": "country"}
_BOUNDARY_ORDER = re.compile(r"\b(boundary change|areas)\b", re.IGNORECASE)
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


def read(workbook: Workbook, source: Source) -> Iterator[pa.Table]:
    """Tidy `area_link`, `area_life` or `area_change`, one table a sheet.

    Raises:
        LayoutError: the file fits no layout, or a code, name or date cannot be read.
    """
    if workbook.media_type == JSON:
        yield _read_json(workbook, source)
        return
    for fit in find_tables(source, workbook):
        yield _read_sheet(fit)


def _read_sheet(fit: Fit) -> pa.Table:
    readers = {
        "lookup": _read_links,
        "names": _read_names,
        "code_history": _read_lives,
        "code_changes": _read_changes,
    }
    return pa.Table.from_pylist(readers[fit.layout.table_id](fit))


def _data_rows(fit: Fit) -> Iterator[int]:
    """The published numbers of the rows that hold data."""
    for index, keep in enumerate(keep_data_rows(fit).to_pylist()):
        if keep:
            yield fit.first_row + index


def _text(fit: Fit, row: int, name: str) -> str:
    return tidy_text(fit.sheet.text(fit.columns[name], row)) if name in fit.columns else ""


def _read_code(fit: Fit, row: int, name: str) -> str:
    letter = fit.columns[name]
    code, _ = parse_gss_code(fit.sheet.text(letter, row))
    if code is None:
        raise cell_error(fit, row, letter, "expected a GSS code such as E06000001", "compare the published file")
    return code


def _read_name(fit: Fit, row: int, name: str) -> str:
    plain = split_notes(fit.sheet.text(fit.columns[name], row)).text
    if not plain:
        raise cell_error(fit, row, fit.columns[name], "expected the name of an area", "compare the published file")
    return plain


def _read_day(fit: Fit, row: int, name: str) -> date | None:
    """A day, or None where the cell is empty."""
    text = _text(fit, row, name)
    day = parse_day(text)
    if text and day is None:
        raise cell_error(
            fit,
            row,
            fit.columns[name],
            "expected a day or nothing",
            "a new form of date belongs in etl/cells.py",
        )
    return day


def _read_truth(fit: Fit, row: int, name: str) -> bool:
    text = _text(fit, row, name).casefold()
    if text not in _TRUTHS:
        raise cell_error(fit, row, fit.columns[name], "expected True or False", "compare the published file")
    return _TRUTHS[text]


def _read_vintage(fit: Fit, column: str) -> int:
    """The year that the header of a declared column carries."""
    header = tidy_text(fit.sheet.text(fit.columns[column], fit.header_row + 1)).casefold()
    match = fit.layout.columns[column].match(header)
    assert match is not None  # the layout fitted
    return 2000 + int(match["vintage"])


def _level(declared: str, code: str) -> str:
    """The level of an area: lookups print Wales among the regions."""
    return _LEVELS.get(code[:3], declared)


def _is_left_out(code: str) -> bool:
    """Whether a code is outside England and Wales, or one of the pseudo codes that mean "has none"."""
    return code[0] not in "EW" or code.endswith("99999999")


def _read_links(fit: Fit) -> list[dict[str, object]]:
    """One line for each pair of areas, from the first row that states it."""
    levels = [name.removesuffix("_code") for name in fit.layout.columns if name.endswith("_code")]
    pairs = [(child, parent) for number, child in enumerate(levels) for parent in levels[number + 1 :]]
    vintages = {level: _read_vintage(fit, f"{level}_code") for level in levels}
    lines: dict[tuple[str, str, str], dict[str, object]] = {}
    for row in _data_rows(fit):
        codes = {level: _read_code(fit, row, f"{level}_code") for level in levels}
        names = {level: _read_name(fit, row, f"{level}_name") for level in levels}
        for child, parent in pairs:
            if _is_left_out(codes[child]) or _is_left_out(codes[parent]):
                continue
            lines.setdefault(
                (child, codes[child], codes[parent]),
                {
                    "vintage": vintages[child],
                    "child_level": child,
                    "child_code": codes[child],
                    "child_name": names[child],
                    "parent_level": _level(parent, codes[parent]),
                    "parent_code": codes[parent],
                    "parent_name": names[parent],
                    "sheet": fit.sheet.name,
                    "row": row,
                    "column": fit.columns[f"{parent}_code"],
                },
            )
    return list(lines.values())


def _life(code: str, name: str, place: Mapping[str, object], **more: object) -> dict[str, object]:
    """One line of `area_life`; what the file does not say is null."""
    nothing = {
        "starts_on": None,
        "ends_on": None,
        "parent_code": None,
        "status": None,
        "is_alternative": False,
    }
    return {"area_code": code, "area_name": name, "entity": code[:3], **nothing, **more, **place}


def _place(fit: Fit, row: int, column: str) -> dict[str, object]:
    return {"sheet": fit.sheet.name, "row": row, "column": fit.columns[column]}


def _read_names(fit: Fit) -> list[dict[str, object]]:
    lines = []
    for row in _data_rows(fit):
        code = _read_code(fit, row, "area_code")
        if _is_left_out(code):
            continue
        lines.append(_life(code, _read_name(fit, row, "area_name"), _place(fit, row, "area_name")))
        if _text(fit, row, "welsh_name"):
            welsh = _read_name(fit, row, "welsh_name")
            lines.append(_life(code, welsh, _place(fit, row, "welsh_name"), is_alternative=True))
    return lines


def _read_lives(fit: Fit) -> list[dict[str, object]]:
    lines = []
    for row in _data_rows(fit):
        code = _read_code(fit, row, "area_code")
        if not _is_left_out(code):
            lines.append(
                _life(
                    code,
                    _read_name(fit, row, "area_name"),
                    _place(fit, row, "area_code"),
                    starts_on=_read_day(fit, row, "starts_on"),
                    ends_on=_read_day(fit, row, "ends_on"),
                    status=_text(fit, row, "status") or None,
                )
            )
    return lines


def _read_changes(fit: Fit) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for row in _data_rows(fit):
        codes = {name: _read_code(fit, row, name) for name in ("from_code", "to_code")}
        changed_on = _read_day(fit, row, "changed_on")
        if changed_on is None:
            raise cell_error(fit, row, fit.columns["changed_on"], "expected a day", "compare the published file")
        order = _text(fit, row, "order")
        is_split, is_merge = (_read_truth(fit, row, name) for name in ("split", "merge"))
        lines.append(
            {
                "from_code": codes["from_code"],
                "from_name": _read_name(fit, row, "from_name"),
                "to_code": codes["to_code"],
                "to_name": _read_name(fit, row, "to_name"),
                "changed_on": changed_on,
                "kind": _kind_of_change(codes["from_code"] == codes["to_code"], is_split, is_merge, order),
                "note": order or None,
                **_place(fit, row, "from_code"),
            }
        )
    return lines


def _kind_of_change(is_same_code: bool, is_split: bool, is_merge: bool, order: str) -> str:
    """What a change is: one code for another is a recode unless the order that made it moved a boundary."""
    if is_same_code:
        return "rename"
    if is_split:
        return "split"
    if is_merge:
        return "merge"
    return "boundary" if _BOUNDARY_ORDER.search(order) else "recode"


def _read_json(workbook: Workbook, source: Source) -> pa.Table:
    try:
        content = json.loads(decode(workbook.path.read_bytes()))
    except ValueError as error:
        raise LayoutError(f"the file is no readable JSON: {error}", "fetch it again", rule="unreadable") from error
    if isinstance(content, dict) and isinstance(content.get("areas"), dict):
        return pa.Table.from_pylist(list(_read_code_history(content["areas"])))
    if isinstance(content, dict) and _is_service_answer(content.get("features")):
        sheet = _features_as_sheet(content["features"])
        return _read_sheet(find_table(source, sheet, is_named=False))
    found = ", ".join(map(repr, list(content)[:8])) if isinstance(content, dict) else type(content).__name__
    raise LayoutError(
        f"JSON of {found} fits no form of {source.source}: expected the areas of the Code History Database, or "
        "the features of an Open Geography lookup with their attributes",
        "check that the file belongs to this source; boundaries are not read",
    )


def _entry_error(row: int, value: object, what: str) -> LayoutError:
    return LayoutError(
        f"sheet {JSON_SHEET!r}, entry {row} ({value!r}): {what}", "compare the published file", rule="cell"
    )


def _read_code_history(areas: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Each code with its lives: names, alternative names, days and the area above it."""
    row = 0
    for text, lives in areas.items():
        if not isinstance(lives, list):
            raise _entry_error(row + 1, text, "expected a list of lives")
        for life in lives:
            row += 1
            code, _ = parse_gss_code(text)
            if code is None:
                raise _entry_error(row, text, "expected a GSS code such as E06000001")
            yield from _read_history_entry(row, code, life)


def _read_history_entry(row: int, code: str, life: object) -> Iterator[dict[str, object]]:
    if not isinstance(life, dict) or not _plain(life.get("nm")) or not isinstance(life.get("date"), dict):
        raise _entry_error(row, life, "expected a name (nm) and days (date)")
    parent, _ = parse_gss_code(_plain(life.get("parent")))
    if life.get("parent") and parent is None:
        raise _entry_error(row, life["parent"], "expected the parent's GSS code")
    alternatives = life.get("nm_alt") or []
    if not isinstance(alternatives, list):
        raise _entry_error(row, alternatives, "expected a list of alternative names (nm_alt)")
    name = split_notes(life["nm"]).text
    same = {
        "starts_on": _entry_day(row, life["date"].get("s")),
        "ends_on": _entry_day(row, life["date"].get("e")),
        "parent_code": parent,
        "status": _plain(life.get("status")) or None,
    }
    place = {"sheet": JSON_SHEET, "row": row, "column": "A"}
    yield _life(code, name, place, **same)
    for alternative in dict.fromkeys(split_notes(_plain(other)).text for other in alternatives):
        if alternative not in ("", name):
            yield _life(code, alternative, place, **same, is_alternative=True)


def _plain(value: object) -> str:
    """A JSON value as one line of text; empty where it is no text."""
    return tidy_text(value) if isinstance(value, str) else ""


def _entry_day(row: int, text: object) -> date | None:
    day = parse_day(str(text)) if text else None
    if text and day is None:
        raise _entry_error(row, text, "expected a day")
    return day


def _is_service_answer(features: object) -> bool:
    return isinstance(features, list) and all(
        isinstance(feature, dict) and isinstance(feature.get("attributes"), dict) for feature in features
    )


def _features_as_sheet(features: list[dict[str, dict[str, object]]]) -> Sheet:
    """The attributes of a service's answer as a sheet: names in row 1, one feature a row below."""
    headers = list(dict.fromkeys(name for feature in features for name in feature["attributes"]))
    columns = {
        column_letters(index): [
            header,
            *(None if (value := f["attributes"].get(header)) is None else str(value) for f in features),
        ]
        for index, header in enumerate(headers)
    }
    return Sheet(JSON_SHEET, pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()}))
