"""Charts: what was drawn is kept, and drawn again only where the figures or the drawing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import pytest
from altair.typing import ChartType

from etl.site import charts
from etl.site.charts import Charts, Figure, Table, clean_svg

NOTHING = Table((), ())
colour = "#12436D"


def draw_dots(*, size: int = 30) -> ChartType:
    dots = alt.Chart(alt.NamedData("rows")).mark_point(color=colour, size=size)
    return dots.encode(x=alt.X("end:T", scale=alt.Scale(type="utc")), y="value:Q")


def ask(drawing: Charts, value: float = 1, **options: Any) -> Figure:
    rows = [{"end": "2018-03-31", "value": value}]
    return drawing.draw(draw_dots, rows, slug="dots", title="Dots", text="One dot.", table=NOTHING, **options)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The slug of each chart that is drawn, and not taken from what was kept."""
    seen: list[str] = []
    render = charts._render

    def watched(specification: dict[str, Any], slug: str) -> str:
        seen.append(slug)
        return render(specification, slug)

    monkeypatch.setattr(charts, "_render", watched)
    return seen


def test_what_was_drawn_is_not_drawn_again(tmp_path: Path, rendered: list[str]) -> None:
    cache = tmp_path / "charts" / "drawn.parquet"
    pictures = []
    for _ in range(2):
        with Charts(cache) as drawing:
            pictures.append(ask(drawing).svg)
            assert ask(drawing).svg == pictures[-1]
    assert rendered == ["dots"]
    assert pictures[0] == pictures[1]


def test_other_figures_options_or_drawing_are_drawn(
    tmp_path: Path, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "drawn.parquet"
    with Charts(cache) as drawing:
        first = [ask(drawing).svg, ask(drawing, value=2).svg, ask(drawing, size=60).svg]
    assert len(rendered) == 3
    # Somebody changes what the drawing function takes from elsewhere.
    monkeypatch.setattr(f"{__name__}.colour", "#801650")
    charts._specify.cache_clear()
    with Charts(cache) as drawing:
        again = ask(drawing).svg
    charts._specify.cache_clear()
    assert len(rendered) == 4
    assert ("#801650" in again, "#801650" in first[0]) == (True, False)


def test_only_what_was_asked_for_last_is_kept(tmp_path: Path, rendered: list[str]) -> None:
    cache = tmp_path / "drawn.parquet"
    for value in (1, 2, 1):
        with Charts(cache) as drawing:
            ask(drawing, value=value)
    assert len(rendered) == 3


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing", b"\x00" * 100])
def test_a_damaged_cache_is_drawn_anew(content: bytes, tmp_path: Path, rendered: list[str]) -> None:
    cache = tmp_path / "drawn.parquet"
    cache.write_bytes(content)
    for _ in range(2):
        with Charts(cache) as drawing:
            ask(drawing)
    assert len(rendered) == 1


def test_an_error_keeps_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "drawn.parquet"
    with pytest.raises(ZeroDivisionError), Charts(cache) as drawing:
        ask(drawing)
        raise ZeroDivisionError
    assert not cache.exists()


def test_a_picture_has_one_role_and_no_style_of_its_own() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="marks" width="20" height="10" viewBox="0 0 20 10">'
        '<defs><clipPath id="clip7"><rect width="5.123456" height="4"/></clipPath></defs>'
        '<g role="graphics-object" aria-roledescription="group" clip-path="url(#clip7)">'
        '<path d="M1.26,2.04L3,4" style="opacity:1" stroke="#12436D"/><path d="M0,0h0v0h0Z"/><g/></g></svg>'
    )
    assert clean_svg(svg, "trend") == (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10" role="img" aria-labelledby="trend-title" '
        'aria-describedby="trend-text" data-width="20">'
        '<defs><clipPath id="trend-clip-1"><rect width="5.1" height="4" /></clipPath></defs>'
        '<g clip-path="url(#trend-clip-1)"><path d="M1.3,2L3,4" stroke="#12436D" /></g></svg>'
    )
