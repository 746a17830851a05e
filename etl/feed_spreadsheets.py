"""The newest rankings as spreadsheets for people: a cover, contents, notes, and one table a sheet.

They follow the Analysis Function's guidance on statistics in spreadsheets, as gptables lays it out: no empty cell (a
shorthand says why there is no figure), no colour that means something, notes on a sheet of their own. What columns mean
is said by their contracts and `etl.feed_words`, and what every reader of a ranking must know by `etl.rank_words`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import duckdb

from etl.contracts import contracts
from etl.feed_tables import LICENCE
from etl.feed_words import MISSING, NOT_APPLICABLE, describe_column, keep_plain, put_in_words
from etl.files import name_place
from etl.rank_words import KINDS, LEVELS, Row, list_notes, name_ranking
from etl.revisions import format_day

if TYPE_CHECKING:
    from gptables import Cover, GPTable
    from pandas import DataFrame

    from etl.feeds import FedRelease

T = TypeVar("T")

_LEGEND = [
    f"{MISSING} = not available: the publisher gives no figure, or none that a rate can be made of.",
    f"{NOT_APPLICABLE} = not applicable: the area is not ranked, or the ranking gives no such figure of it; under Why "
    "not ranked, that it is ranked.",
]

_UNCERTAINTY = ["rank_low", "rank_high", "rank_bound_low", "rank_bound_high", "indistinguishable_areas"]
_FUNNEL = [*_UNCERTAINTY, "funnel_class", "exclusion_reason"]

_ABOUT_FUNNELS = (
    "Of K ranked areas about K × 5% lie outside the 95% limits of the funnel by chance alone; each table says how many "
    "do.",
)
_MODELLED = "modelled sample"
_NOTES = "Notes"
_TEXT_WIDTH = 100
"""Width of a column of sentences, in characters."""

_UNITS = {"_percent": "%", "_per_1000": "per 1,000 residents"}
"""Units by the end of a column's name."""

_DIGITS = {"_per_1000": 4}
"""Decimal places by the end of a column's name, else two; homicides per 1,000 residents need four."""

_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False}
"""A published name is a text, whatever it begins with."""


@dataclass(frozen=True)
class Book:
    """A spreadsheet: the kind of ranking that it holds, the column that splits it besides level, and its columns.

    `split_order` are the parts that come first. `figures` are columns of what was published or made of it: a null
    there is missing; in `ranks` it does not apply.
    """

    filename: str
    kind: str
    split: str | None
    figures: tuple[str, ...]
    ranks: tuple[str, ...]
    split_order: tuple[str, ...] = ()


BOOKS = (
    Book(
        filename="proven-reoffending-ranking.xlsx",
        kind="reoffending",
        split="age_group",
        figures=("offenders", "reoffenders", "rate_percent", "wilson_low_percent", "wilson_high_percent"),
        ranks=("rank", *_FUNNEL),
        split_order=("all", "adult", "child"),
    ),
    Book(
        filename="local-adult-reoffending-ranking.xlsx",
        kind="local-adult",
        split=None,
        figures=("offenders", "actual_percent", "predicted_percent", "difference_percent", "significant"),
        ranks=("rank_all", "rank_significant", *_UNCERTAINTY, "exclusion_reason"),
    ),
    Book(
        filename="crime-rate-ranking.xlsx",
        kind="crime",
        split="offence_id",
        figures=("offences", "population", "rate_per_1000", "rate_low_per_1000", "rate_high_per_1000"),
        ranks=("rank", *_FUNNEL),
        split_order=("total_excluding_fraud",),
    ),
)


def write_spreadsheets(
    connection: duckdb.DuckDBPyConnection, folder: Path, releases: Iterable[FedRelease]
) -> list[Path]:
    """Write the newest rankings as spreadsheets; → those that were written: none of a ranking without lines.

    Args:
        connection: a warehouse, open; it is only read.
        folder: where to write; it is made where there is something to write.
        releases: what the warehouse rests on.
    """
    by_id = {release.release_id: release for release in releases}
    written = []
    for book in BOOKS:
        if rankings := read_rankings(connection, book):
            folder.mkdir(parents=True, exist_ok=True)
            with _ignore_warnings_of_gptables():
                _write_book(folder / book.filename, book, rankings, by_id)
            written.append(folder / book.filename)
    return written


@contextmanager
def _ignore_warnings_of_gptables() -> Iterator[None]:
    """It leaves the file of its theme open, and calls pandas as the next pandas will not be called."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"gptables\.")
        warnings.filterwarnings("ignore", message="unclosed file.*gptheme", category=ResourceWarning)
        yield


def read_rankings(connection: duckdb.DuckDBPyConnection, book: Book) -> list[list[Row]]:
    """The newest ranking of each level and part, each with its lines by rank, those that are not ranked last.

    The newest is the last period that makes a ranking (`Kind.is_ranking`), else the last one.
    """
    of = KINDS[book.kind]
    by = ["level", *([book.split] if book.split else [])]
    fixed = {name: value for name, value in of.options.items() if name not in by}
    where = " AND ".join(["TRUE", *(f"{name} = ${name}" for name in fixed)])
    if book.split == "offence_id":
        where += " AND offence_id IN (SELECT offence_id FROM ref.offence WHERE level IN ('total', 'group'))"
    result = connection.execute(
        f"""
        WITH chosen AS (SELECT * FROM {of.table} WHERE {where}),
        period AS (
            SELECT {", ".join(by)}, {of.period}, {of.is_ranking} AS is_ranking FROM chosen GROUP BY ALL
        ),
        newest AS (
            SELECT {", ".join(by)}, coalesce(max({of.period}) FILTER (is_ranking), max({of.period})) AS newest
            FROM period GROUP BY ALL
        )
        SELECT chosen.*
        FROM chosen
        INNER JOIN newest ON {" AND ".join(f"chosen.{name} = newest.{name}" for name in by)}
            AND chosen.{of.period} = newest.newest
        ORDER BY chosen.{of.rank} NULLS LAST, chosen.area_name, chosen.area_code
        """,
        fixed,
    )
    names = [column[0] for column in result.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    place = partial(_place_sheet, book)
    return [list(ranking) for _, ranking in groupby(sorted(rows, key=place), key=place)]


def _place_sheet(book: Book, row: Row) -> tuple[int, str, int, str]:
    """Where the sheet of a line stands: by level, then the part that comes first, then the others by name."""
    level, levels = str(row["level"]), list(LEVELS)
    place = levels.index(level) if level in levels else len(levels)
    part = str(row[book.split]) if book.split else ""
    order = book.split_order.index(part) if part in book.split_order else len(book.split_order)
    return place, level, order, part


def _write_book(path: Path, book: Book, rankings: list[list[Row]], releases: dict[str, FedRelease]) -> None:
    from gptables import produce_workbook

    sheets = {f"Table {number}": _make_sheet(book, rows, number, releases) for number, rows in enumerate(rankings, 1)}
    own = sorted({row["release_id"] for rows in rankings for row in rows})
    buffer = BytesIO()  # XlsxWriter would call a full disk an error of its own, and again when it is collected
    workbook = produce_workbook(
        buffer,
        sheets=sheets,
        cover=_make_cover(book, rankings, [releases[release_id] for release_id in own]),
        notes_table=_make_notes(book),
        auto_width=dict.fromkeys(("Contents", _NOTES), False),
        workbook_options={"in_memory": True} | _AS_TEXT,
    )
    workbook.get_worksheet_by_name("Contents").set_column(1, 1, _TEXT_WIDTH)
    workbook.get_worksheet_by_name(_NOTES).set_column(1, 1, _TEXT_WIDTH)
    # The moment of the newest release, not of the build: the same ranking is the same file.
    created = max(releases[release_id].published_at for release_id in own).astimezone(UTC).replace(tzinfo=None)
    workbook.set_properties({"title": _name_book(book, rankings), "author": "justice-etl", "created": created})
    workbook.close()
    with name_place(path):
        path.write_bytes(buffer.getvalue())


def _make_sheet(book: Book, rows: list[Row], number: int, releases: dict[str, FedRelease]) -> GPTable:
    from gptables import GPTable
    from pandas import DataFrame

    fields = contracts()[KINDS[book.kind].table].columns
    names = _list_columns(book)
    cells = [[_write_cell(book, name, row[name]) for name in names] for row in rows]
    units = {place: unit for place, name in enumerate(names) if (unit := _find_by_end(_UNITS, name))}
    return GPTable(
        table=DataFrame(cells, columns=[fields[name].title for name in names], dtype=object),
        table_name=f"table_{number}",
        title=f"Table {number}: {_name_sheet(book, rows)}",
        subtitles=list_notes(KINDS[book.kind], rows),
        source="Source: " + "; ".join(_cite(releases[name]) for name in sorted({row["release_id"] for row in rows})),
        legend=_LEGEND,
        units=units,
        table_notes={place: f"$${name}$$" for place, name in enumerate(names)},
        index_columns={2: 0},
    )


def _list_columns(book: Book) -> list[str]:
    return ["area_name", "area_code", *book.figures, *book.ranks]


def _name_sheet(book: Book, rows: list[Row]) -> str:
    of = KINDS[book.kind]
    chosen: dict[str, object] = {name: rows[0][name] for name in of.options}
    name = keep_plain(name_ranking(of, rows[0], chosen))
    return f"{name} ({_MODELLED})" if rows[0]["is_modelled"] else name


def _write_cell(book: Book, name: str, value: object) -> object:
    """A value as people read it; no cell is empty."""
    if value is None:
        return MISSING if name in book.figures else NOT_APPLICABLE
    if isinstance(value, float):
        digits = _find_by_end(_DIGITS, name)
        return round(value, 2 if digits is None else digits)
    return put_in_words(name, value)


def _find_by_end(values: dict[str, T], name: str) -> T | None:
    """The value whose key a column's name ends in."""
    return next((value for end, value in values.items() if name.endswith(end)), None)


def _make_notes(book: Book) -> DataFrame:
    """What each column means: one note a column."""
    from pandas import DataFrame

    fields = contracts()[KINDS[book.kind].table].columns
    notes = [(name, describe_column(name, fields[name])) for name in _list_columns(book)]
    return DataFrame(notes, columns=["Note", "Note text"])


def _make_cover(book: Book, rankings: list[list[Row]], releases: list[FedRelease]) -> Cover:
    from gptables import Cover

    of = KINDS[book.kind]
    intro = [
        f"The newest ranking of each kind of area, one table a sheet, {len(rankings)} in all.",
        *(_cite(release) + "." for release in releases),
        f"Licence: {LICENCE}.",
    ]
    about = [
        f"Rank 1 is {of.lowest}; the last rank is the other end. A rank is no judgement on an area.",
        of.caveat,
        'No rank is to be read without its interval; "number one" holds only where the guaranteed rank high is 1.',
        *(_ABOUT_FUNNELS if "funnel_class" in book.ranks else ()),
        f"Figures are rounded here; the same table unrounded is {contracts()[of.table].feed_path('csv')} of the feeds.",
        *_LEGEND,
    ]
    if _is_modelled(rankings):
        intro.insert(0, "MODELLED SAMPLE: figures are made up, and no judgement on any area follows from them.")
    return Cover(title=_name_book(book, rankings), intro=intro, about=about, width=_TEXT_WIDTH)


def _name_book(book: Book, rankings: list[list[Row]]) -> str:
    name = f"Areas of England and Wales ranked by {KINDS[book.kind].about}"
    return f"{name} ({_MODELLED})" if _is_modelled(rankings) else name


def _is_modelled(rankings: list[list[Row]]) -> bool:
    return any(row["is_modelled"] for rows in rankings for row in rows)


def _cite(release: FedRelease) -> str:
    return keep_plain(f"{release.title}, {release.publisher}, published {format_day(release.published_on)}")
