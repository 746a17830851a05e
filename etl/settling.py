"""What would settle an item of the quarantine: its cells as published, and the entries to write.

An entry is written out with all that the build knows; `?` stands where only a person can say what belongs there.
"""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from etl.corrections import CORRECTIONS, find_corrections
from etl.errors import JusticeError
from etl.landed_texts import LandedTexts, find_made_correction
from etl.landing import Record, list_releases
from etl.manifest import WAREHOUSE, compute_version
from etl.publish import CURRENT, refuse_stray_log
from etl.quarantine import LINES, STALE, Item, Line, list_entries, make_name_id
from etl.settings import project_root
from etl.sources import declared_sources
from etl.violations import ACCEPTED

if TYPE_CHECKING:
    from etl.inspection import FileReport

UNKNOWN = "?"
"""Stands in an entry for what only a person can say."""

FIXED_NAMES = "warehouse/ref/fixed_area_name.csv"

_SHORT = 12
"""How much of a SHA-256 a cell carries."""

_CELL = re.compile(r"""sheet ('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"), cell ([A-Z]{1,3}[1-9][0-9]*) \(""")
"""How readers name a cell that they cannot read."""

_ADDRESS = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}")

_FILL = f"with an answer in the place of each {UNKNOWN}"


@dataclass(frozen=True)
class Figure:
    """A figure at fault, with its cell as it was published; of the cell nothing is known where several are at fault.

    `text` is read again from the landed file, `corrected` is what a correction makes of it.
    """

    figure: str
    expected: str | None
    found: str | None
    release_id: str | None
    filename: str | None = None
    sha256: str | None = None
    sheet: str | None = None
    address: str | None = None
    text: str | None = None
    corrected: str | None = None

    @property
    def is_one_cell(self) -> bool:
        """Whether one cell is at fault, and known."""
        return self.address is not None


@dataclass(frozen=True)
class Suggestion:
    """What would settle an item: what to do with a file of the project, and the entries to write into it, if any."""

    file: str | None
    do: str
    entries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settling:
    """An item, its figures, and what would settle it. `inspection` is of a file that fits no layout."""

    item: Item
    figures: list[Figure]
    suggestions: list[Suggestion]
    inspection: FileReport | None = None


def settle(home: Path, item: Item) -> Settling:
    """Look at an item again: its cells as published, and what would settle it.

    Args:
        home: the data home.
        item: of its last build.

    Raises:
        JusticeError: a landed file is gone, or a declaration is not what it must be.
    """
    return Settling(item, find_figures(home, item), suggest(home, item), _inspect(home, item))


def suggest(home: Path, item: Item) -> list[Suggestion]:
    """What would settle an item, what is done most often first.

    Args:
        home: the data home.
        item: of its last build.
    """
    if item.kind == "name":
        return _suggest_names(home, item)
    if item.rule == STALE:
        return _suggest_removal(item)
    if item.kind == "file":
        return _suggest_for_file(home, item)
    return _suggest_for_rule(item, find_figures(home, item))


def _inspect(home: Path, item: Item) -> FileReport | None:
    """What `justice-etl inspect` says of a file that fits no layout; None where it cannot look into it."""
    if item.rule != "layout" or item.sha256 is None:
        return None
    from etl.inspection import inspect_file

    try:
        return inspect_file(Path(item.sha256[:_SHORT]), home)
    except JusticeError:
        return None  # what it says is the message of the item


# --- figures ---------------------------------------------------------------------------------------------


class _Landed:
    """Which file a figure stands in."""

    def __init__(self, home: Path) -> None:
        self._of = {release.release_id: release.records for release in list_releases(home)}

    def find(self, sha256: str, release_id: str | None) -> tuple[str, Record] | None:
        """The last release, or this one, that has a file whose SHA-256 begins so, and its record there."""
        releases = [release_id] if release_id in self._of else reversed(self._of)
        for name in releases:
            for record in self._of[name]:
                if record.sha256.startswith(sha256):
                    return name, record
        return None


def find_figures(home: Path, item: Item) -> list[Figure]:
    """The figures of an item, in its order, with the texts of their cells read again.

    Args:
        home: the data home.
        item: of its last build.

    Raises:
        JusticeError: a landed file is gone.
    """
    landed, texts = _Landed(home), LandedTexts(home)
    return [_find_figure(landed, texts, line) for line in _list_lines(item)]


def _list_lines(item: Item) -> tuple[Line, ...]:
    """The lines of an item; of a file with a cell that cannot be read, that cell, which only its message names."""
    said = item.message.partition(f"), rule {item.rule}: ")[2]
    cell = _CELL.match(said)
    if item.kind != "file" or item.rule != "cell" or item.sha256 is None or cell is None:
        return item.lines
    place = f"{item.sha256[:_SHORT]}!{ast.literal_eval(cell[1])}!{cell[2]}"
    return (Line(item.release_id, place, item.short_message.rpartition("): ")[2], None, None),)


def _find_figure(landed: _Landed, texts: LandedTexts, line: Line) -> Figure:
    sha256, _, place = (line.cell or "").partition("!")
    sheet, _, address = place.rpartition("!")
    found = landed.find(sha256, line.release_id) if _ADDRESS.fullmatch(address) else None
    if found is None:
        return Figure(line.figure, line.expected, line.found, line.release_id)
    release_id, record = found
    text = texts.find(record.sha256, record.media_type, sheet, address)
    correction = find_made_correction(release_id, record.filename, sheet, address, text)
    return Figure(
        line.figure,
        line.expected,
        line.found,
        release_id,
        filename=record.filename,
        sha256=record.sha256,
        sheet=sheet,
        address=address,
        text=text,
        corrected=correction.corrected if correction else None,
    )


# --- names -----------------------------------------------------------------------------------------------


def _suggest_names(home: Path, item: Item) -> list[Suggestion]:
    level, name, nearest = _find_name(home, item)
    codes = {known: _find_codes(home, level, known) for known in nearest}
    code = next((found[0] for found in codes.values() if len(found) == 1), UNKNOWN)
    row = {"published_name": name, "level": level, "area_code": code, "is_current": "no", "reason": UNKNOWN}
    with (project_root() / FIXED_NAMES).open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file))
    near = "; ".join(f"{known} ({', '.join(found)})" for known, found in codes.items())
    do = f"add the line for all lines of {name!r} ({level}), {_FILL}"
    return [
        Suggestion(FIXED_NAMES, f"{do}; nearest are {near}" if near else do, (_write_line(row, columns),)),
        Suggestion(None, "or land the geography that knows the name: justice-etl land --source geography …"),
    ]


def _find_name(home: Path, item: Item) -> tuple[str, str, list[str]]:
    """Level, published name and nearest names of an item, from the lines that were kept out."""
    import pyarrow.parquet as pq

    path = home / "quarantine" / LINES
    columns = ["level", "published_name", "nearest_names"]
    lines = pq.read_table(path, columns=columns, filters=[("sha256", "=", item.sha256)]) if path.exists() else None
    for line in lines.group_by(columns).aggregate([]).to_pylist() if lines else []:
        if make_name_id(str(item.sha256), line["level"], line["published_name"]) == item.item_id:
            nearest = (line["nearest_names"] or "").split("; ")
            return line["level"], line["published_name"], [known for known in nearest if known]
    raise JusticeError(
        f"{path} does not hold the lines of item {item.item_id}", "run `justice-etl build`, which writes them again"
    )


def _find_codes(home: Path, level: str, name: str) -> list[str]:
    """The codes that a known name stands for at a level, in the version that was built last."""
    import duckdb

    path = _find_warehouse(home)
    if path is None:
        return []
    refuse_stray_log(path.parent)
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(
            "SELECT DISTINCT area_code FROM ref.area_name WHERE level = $level AND published_name = $name ORDER BY ALL",
            {"level": level, "name": name},
        ).fetchall()
    return [str(code) for (code,) in rows]


def _find_warehouse(home: Path) -> Path | None:
    """The version of what is landed, served or not; else the one that serves."""
    version = compute_version(list_releases(home))
    folders = (home / "staging" / version, home / "versions" / version, home / CURRENT)
    return next((path.resolve() for folder in folders if (path := folder / WAREHOUSE).exists()), None)


def _write_line(row: dict[str, str], columns: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([row.get(column, "") for column in columns])
    return text.getvalue()


# --- files -----------------------------------------------------------------------------------------------


def _suggest_for_file(home: Path, item: Item) -> list[Suggestion]:
    found = _Landed(home).find(str(item.sha256), None)
    if found is None:
        return [Suggestion(None, "the file is no longer landed: build again")]
    release_id, record = found
    folder = f"etl/sources/{record.source}"
    look = f"justice-etl inspect {record.sha256[:_SHORT]}"
    if item.rule == "cell":
        corrections = _suggest_corrections(find_figures(home, item))
        return corrections or [Suggestion(None, f"compare the published file: {look}")]
    if item.rule == "correction":
        entries = tuple(
            _write(correction.model_dump(exclude_none=True, mode="json"))
            for correction in find_corrections(record.source, record.edition, record.filename)
            if correction.place in item.message
        )
        do = "remove the entry where the publisher has fixed the cell; change it where the cell has moved"
        return [Suggestion(f"{folder}/{CORRECTIONS}", do, entries)]
    if item.rule == "layout":
        do = f"let a layout fit: `{look}` compares the file with the declared ones; docs/new-release.md says how"
        return [Suggestion(f"{folder}/source.yml", do)]
    return [Suggestion(None, f"open the file by hand ({record.filename} of {release_id}); `{look}` says what it is")]


# --- rules -----------------------------------------------------------------------------------------------


def _suggest_for_rule(item: Item, figures: list[Figure]) -> list[Suggestion]:
    accepted = [figure for figure in figures if figure.release_id]
    suggestions = [
        Suggestion(
            f"{_folder_of(source)}/{ACCEPTED}",
            f"add, where the publisher means it, {_FILL}",
            tuple(_accept(item.rule, figure) for figure in accepted if _source_of(figure) == source),
        )
        for source in _list_sources(accepted)
    ]
    suggestions += _suggest_corrections(figures)
    if len(accepted) < len(figures) or not figures:
        schema, _, stem = (item.suite or f"check.{item.rule}").partition(".")
        do = (
            "no release is at fault: look at the model "
            f"warehouse/{schema}/{stem} and at what is expected in expectations/{schema}/{stem}.json"
        )
        suggestions.append(Suggestion(None, do))
    return suggestions


def _source_of(figure: Figure) -> str:
    return (figure.release_id or "").partition("/")[0]


def _folder_of(source: str) -> str:
    return f"etl/sources/{source}"


def _list_sources(figures: Iterable[Figure]) -> list[str]:
    """The declared sources of figures; a rule may be about releases of none."""
    return sorted({_source_of(figure) for figure in figures} & set(declared_sources()))


def _edition_of(figure: Figure) -> str:
    return (figure.release_id or "").partition("/")[2].rpartition("@")[0]


def _accept(rule: str, figure: Figure) -> str:
    entry = {
        "rule": rule,
        "edition": _edition_of(figure),
        "figure": figure.figure,
        "expected": figure.expected,
        "found": figure.found,
        "reason": UNKNOWN,
        "accepted_on": UNKNOWN,
    }
    return _write({name: value for name, value in entry.items() if value is not None})


def _suggest_corrections(figures: list[Figure]) -> list[Suggestion]:
    """Entries that repair cells; none for a cell that is corrected already."""
    cells = {
        (f.release_id, f.filename, f.sheet, f.address): f for f in figures if f.is_one_cell and f.corrected is None
    }
    return [
        Suggestion(
            f"{_folder_of(source)}/{CORRECTIONS}",
            f"add, where the cell is wrong, {_FILL}; report it to the publisher",
            tuple(_correct(figure) for figure in cells.values() if _source_of(figure) == source),
        )
        for source in _list_sources(cells.values())
    ]


def _correct(figure: Figure) -> str:
    return _write(
        {
            "edition": _edition_of(figure),
            "filename": _escape(figure.filename or ""),
            "sheet": figure.sheet,
            "cell": figure.address,
            "published": figure.text or "",
            "corrected": UNKNOWN,
            "reason": UNKNOWN,
            "reported_on": UNKNOWN,
            "status": "reported",
        }
    )


def _escape(text: str) -> str:
    """A regular expression for a text as it stands, readable."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)


def _suggest_removal(item: Item) -> list[Suggestion]:
    for item_id, file, entry in list_entries():
        if item_id == item.item_id:
            written = _write(entry.model_dump(exclude_none=True, mode="json"))
            return [Suggestion(file, "change or remove the entry", (written,))]
    return [Suggestion(item.filename, "the entry is no longer there: build again")]


# --- YAML ------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Writes every text on one line."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Double quotes keep a text on one line, and around `?` they let an answer hold an apostrophe.
    style = None if text.isprintable() and text != UNKNOWN else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent)


def _write(entry: dict[str, Any]) -> str:
    """An entry of a list in YAML, as it is pasted at the end of its file."""
    written: str = yaml.dump([entry], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)
    return written.rstrip("\n")
