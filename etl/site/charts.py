"""Charts: Altair's specifications drawn to SVG by vl-convert, each with a table and a text in its place.

A chart is a pure function of its lines and its specification: what was drawn once is kept under a hash of both, so that
a night draws only what changed. Both cores draw, so ask for all charts of a part of the site before its first page is
written. Colours are the few of `COLOURS`; the stylesheet gives each its like in the dark.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
from markupsafe import Markup

from etl.files import remove_abandoned, write_beside

if TYPE_CHECKING:
    from altair.typing import ChartType

COLOURS = {
    "ink": "#0b0c0c",
    "quiet": "#484f56",
    "grid": "#d5dade",
    "blue": "#12436D",
    "teal": "#28A197",
    "plum": "#801650",
    "orange": "#F46A25",
    "pale": "#6BACE6",
    "paper": "#ffffff",
    "seq_1": "#E6F0F9",
    "seq_2": "#BBD7F0",
    "seq_3": "#83B5E3",
    "seq_4": "#2069AD",
    "seq_5": "#0D2F4E",
}
"""What charts are drawn in: the palette of government statistics, greys, and five steps of one blue from low to high.

style.css names each of them. Text is `ink` on `seq_1` to `seq_3` and on `paper`, and `paper` on `seq_4` and `seq_5`:
in the dark, where the scale runs from dark to bright, too.
"""

_LIBRARIES = ("altair", "vl-convert-python")
_SCHEMA = pa.schema([pa.field("digest", pa.string()), pa.field("svg", pa.string())])
_SVG = "http://www.w3.org/2000/svg"
_DECIMALS = re.compile(r"-?\d+\.\d+")
_IDENTITY = re.compile(r"url\(#([^)]+)\)")
_DROPPED = ("class", "style", "role", "font-family", "pointer-events")

_WORKERS = 2

Draw = Callable[..., "ChartType"]
"""A function of a module that makes a chart of options alone (texts, numbers, truths); its data are named."""

Rows = Sequence[Mapping[str, Any]]
"""The lines of a chart: column → text, number or truth; days as ISO texts."""


@dataclass(frozen=True)
class Table:
    """The figures of a chart, for who cannot see it or wants to copy them: every cell is a text.

    Attributes:
        head: the headings of the columns.
        rows: the lines; the first cell of each names it.
        numeric: the columns (by place) that hold numbers, and are set to the right.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A chart as a page shows it.

    Attributes:
        slug: names it within its page.
        title: what it shows.
        text: what can be seen in it, in a sentence or two: the alternative to the picture.
        table: the same figures.
    """

    slug: str
    title: str
    text: str
    table: Table
    _drawn: Future[str]

    @property
    def svg(self) -> Markup:
        """The picture."""
        return Markup(self._drawn.result())


class Charts:
    """Draws, and keeps what it drew.

    Use as a context: what was asked for is kept at its end, and nothing else.
    """

    def __init__(self, cache: Path | None) -> None:
        """Take up what was kept in a Parquet file; None keeps nothing."""
        self._cache = cache
        self._known = _read(cache) if cache else {}
        self._drawn: dict[str, Future[str]] = {}
        self._pool = ThreadPoolExecutor(_WORKERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)
        if kind is None and self._cache and self._drawn.keys() != self._known.keys():
            _write(self._cache, {digest: drawn.result() for digest, drawn in self._drawn.items()})

    def draw(
        self,
        draw: Draw,
        rows: Rows,
        *,
        slug: str,
        title: str,
        text: str,
        table: Table,
        more: Mapping[str, Rows] | None = None,
        **options: Any,
    ) -> Figure:
        """Begin to draw lines as a chart, or take it from what was drawn.

        Args:
            draw: makes the chart of the options; its data are named `rows` and as in `more`.
            rows: the lines.
            slug: names the chart within its page: small letters, digits and hyphens.
            title: what it shows.
            text: what can be seen in it, for who does not see it.
            table: its figures.
            more: other lines by the name of their data set.
            options: for `draw`; few different ones, since a specification is made for each.
        """
        specification = _specify(draw, json.dumps(options, sort_keys=True))
        data = {"rows": rows} | dict(more or {})
        asked = json.dumps([slug, specification, data], sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(_hash_code() + asked.encode()).hexdigest()
        if digest not in self._drawn:
            if digest in self._known:
                self._drawn[digest] = Future()
                self._drawn[digest].set_result(self._known[digest])
            else:
                self._drawn[digest] = self._pool.submit(_render, json.loads(specification) | {"datasets": data}, slug)
        return Figure(slug, title, text, table, self._drawn[digest])


@cache
def _hash_code() -> bytes:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(" ".join(f"{name}={version(name)}" for name in _LIBRARIES).encode())
    return digest.digest()


@cache
def _specify(draw: Draw, options: str) -> str:
    # Altair takes as long for a specification as is taken to draw it.
    chart: Any = draw(**json.loads(options))
    return json.dumps(chart.configure(**_CONFIGURATION).to_dict(), sort_keys=True)


def _render(specification: dict[str, Any], slug: str) -> str:
    import vl_convert

    return clean_svg(vl_convert.vegalite_to_svg(specification), slug)


_LABELS = {"labelColor": COLOURS["quiet"], "titleColor": COLOURS["ink"], "labelFontSize": 12, "titleFontSize": 12}
_CONFIGURATION: dict[str, Any] = {
    "background": "transparent",
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": _LABELS
    | {
        "titleFontWeight": "normal",
        "titlePadding": 10,  # letters of a reader's font may be wider than ours
        "domainColor": COLOURS["quiet"],
        "tickColor": COLOURS["quiet"],
        "gridColor": COLOURS["grid"],
    },
    "header": _LABELS | {"titleFontWeight": "normal"},
    "legend": _LABELS | {"titleFontWeight": "normal"},
    "title": {"color": COLOURS["ink"], "fontSize": 13, "fontWeight": "bold", "anchor": "start"},
    "text": {"color": COLOURS["ink"], "fontSize": 12},
}


def clean_svg(svg: str, slug: str) -> str:
    """An SVG fit for a page: no ids of others, no inline style, no roles within, short numbers.

    A reader's program is told of one picture by its title and text, which the page gives under `<slug>-title` and
    `<slug>-text`; the parts of it have no roles of their own.
    """
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)
    names: dict[str, str] = {}
    for element in root.iter():
        for name in list(element.attrib):
            if name in _DROPPED or name.startswith("aria-"):
                del element.attrib[name]
            elif name == "id":
                names[element.attrib[name]] = element.attrib[name] = f"{slug}-clip-{len(names) + 1}"
            elif name in ("d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"):
                element.attrib[name] = _DECIMALS.sub(_shorten, element.attrib[name])
    for element in root.iter():
        for name, value in element.attrib.items():
            if found := _IDENTITY.fullmatch(value):
                element.attrib[name] = f"url(#{names[found[1]]})"
    _remove_empty(root)
    for name in ("width", "height"):
        del root.attrib[name]
    root.attrib |= {"role": "img", "aria-labelledby": f"{slug}-title", "aria-describedby": f"{slug}-text"}
    root.attrib["data-width"] = root.attrib["viewBox"].split()[2]
    return ElementTree.tostring(root, encoding="unicode")


def _shorten(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _remove_empty(element: ElementTree.Element) -> None:
    """Remove paths and groups that draw nothing."""
    for child in list(element):
        _remove_empty(child)
        tag = child.tag.rpartition("}")[2]
        blank = tag == "path" and (not child.get("d") or child.get("d", "").startswith("M0,0h0v0"))
        if blank or (tag == "g" and not len(child)) or child.get("fill") == "transparent":
            element.remove(child)


def _read(cache: Path) -> dict[str, str]:
    """What the cache holds; nothing where it is not there, damaged, or of another shape."""
    try:
        table = pq.read_table(cache, page_checksum_verification=True)
    except (OSError, pa.ArrowException):
        return {}
    if table.schema.remove_metadata() != _SCHEMA:
        return {}
    return dict(zip(table["digest"].to_pylist(), table["svg"].to_pylist(), strict=True))


def _write(cache: Path, drawn: dict[str, str]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(cache.parent, below=False)
    table = pa.table({"digest": sorted(drawn), "svg": [drawn[digest] for digest in sorted(drawn)]}, schema=_SCHEMA)
    with write_beside(cache) as file:
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)
