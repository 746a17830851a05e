"""The overview: what is held, how fresh it is, what comes next, and the newest figures of England and Wales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from etl.cells import parse_day
from etl.revisions import format_day
from etl.site import area_words
from etl.site.area_data import MEASURES, add_intervals, choose_total
from etl.site.area_figures import draw_crime, draw_reoffending
from etl.site.areas import list_breaks, read_breaks
from etl.site.charts import Figure
from etl.site.frame import Row, Site, fetch
from etl.site.summaries import ReleaseSummary, name_source
from etl.site.words import ENGLAND_AND_WALES

if TYPE_CHECKING:
    from etl.claim_words import ToldClaim


@dataclass(frozen=True)
class KeyFigure:
    """A newest figure of England and Wales in sentences, with its chart and whether it is a modelled sample."""

    heading: str
    sentences: tuple[str, ...]
    figure: Figure | None
    is_modelled: bool


@dataclass(frozen=True)
class Freshness:
    """How fresh a source is.

    Attributes:
        title: what the source is called.
        newest: its release that was published last.
        period: the newest period of which a figure of it is held, in words; None of what has none.
        to_come: the next release that is announced, in words.
    """

    title: str
    newest: ReleaseSummary
    period: str | None
    to_come: str


def write_overview(
    connection: duckdb.DuckDBPyConnection, site: Site, summaries: list[ReleaseSummary], claims: list[ToldClaim]
) -> None:
    """Write the overview.

    Args:
        connection: the warehouse, open for reading.
        site: where to.
        summaries: every release, the newest first.
        claims: as told.
    """
    site.write_page(
        "index.html",
        "home.html",
        releases=summaries,
        claims=claims,
        key_figures=[found for found in (_find_crime(connection, site), _find_reoffending(connection, site)) if found],
        whole=site.directory.areas.get(ENGLAND_AND_WALES),
        freshness=read_freshness(connection, summaries),
    )


def _find_crime(connection: duckdb.DuckDBPyConnection, site: Site) -> KeyFigure | None:
    query = """
        SELECT * FROM mart.crime_trend
        WHERE area_code = $code AND span = 'year' AND period_end IS NOT NULL
            AND offence_id IN ('total_excluding_fraud', 'total_including_fraud')
        ORDER BY offence_id, period_end
    """
    rows = fetch(connection, query, {"code": ENGLAND_AND_WALES})
    if not rows:
        return None
    rows, breaks = choose_total(rows), read_breaks(connection)
    newest = area_words.find_newest(rows, "offences") or rows[-1]
    touched = tuple(f"To be read with it: {told}." for told in list_breaks([newest], breaks))
    return KeyFigure(
        heading="Recorded crime",
        sentences=(*area_words.tell_crime(rows), *touched),
        figure=draw_crime(site.charts, rows, breaks, rows[-1]["area_name"]),
        is_modelled=any(row["is_modelled"] for row in rows),
    )


_FORMER = "Three-month cohorts replaced this measure and are never compared with it; none of them is held here."


def _find_reoffending(connection: duckdb.DuckDBPyConnection, site: Site) -> KeyFigure | None:
    """The present measure; where nothing is held of it, the one before it, under its name."""
    query = """
        SELECT * FROM mart.reoffending_trend
        WHERE area_code = $code AND span = 'year' AND age_group = 'all' AND cohort_end IS NOT NULL
        ORDER BY cohort_end
    """
    found = add_intervals(fetch(connection, query, {"code": ENGLAND_AND_WALES}))
    measure = next((name for name in MEASURES if any(row["measure"] == name for row in found)), None)
    if measure is None:
        return None
    rows = [row for row in found if row["measure"] == measure]
    is_present = measure == MEASURES[0]
    breaks = read_breaks(connection)
    touched = tuple(f"To be read with it: {told}." for told in list_breaks(rows[-1:], breaks))
    return KeyFigure(
        heading="Proven reoffending" if is_present else "Proven reoffending, twelve-month cohorts",
        sentences=(area_words.tell_reoffending(rows[-1]), *(() if is_present else (_FORMER,)), *touched),
        figure=draw_reoffending(site.charts, rows, breaks, rows[-1]["area_name"], "reoffending-trend"),
        is_modelled=any(row["is_modelled"] for row in rows),
    )


_PERIODS = """
    SELECT split_part(release_id, '/', 1) AS source, max(period_end) AS newest, 'period to ' AS kind
    FROM mart.crime_trend WHERE offences IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT split_part(release_id, '/', 1), max(cohort_end), 'cohort to '
    FROM mart.reoffending_trend WHERE offenders IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT split_part(release_id, '/', 1), max(period_end), 'year to '
    FROM mart.local_adult_reoffending_rank WHERE actual_percent IS NOT NULL GROUP BY 1
    UNION ALL
    SELECT split_part(release_id, '/', 1), make_date(max(mid_year), 6, 30), 'residents on '
    FROM ref.population GROUP BY 1
    ORDER BY 1, 2
"""

_TO_COME = """
    SELECT source, edition, status, expected_text, announced_url, expected_at,
        CAST(expected_at AT TIME ZONE 'Europe/London' AS DATE) AS expected_on
    FROM meta.release_calendar
    WHERE status IN ('announced', 'confirmed')
    ORDER BY source, expected_at NULLS LAST, edition, announced_url
"""


def read_freshness(connection: duckdb.DuckDBPyConnection, summaries: list[ReleaseSummary]) -> list[Freshness]:
    """How fresh each source is that something was landed of, by the day on which it last published, the newest first.

    Args:
        connection: the warehouse, open for reading.
        summaries: every release, the newest first.
    """
    periods = {
        row["source"]: f"{row['kind']}{format_day(row['newest'])}"
        for row in fetch(connection, _PERIODS)
        if row["source"] and row["newest"]
    }
    announced = fetch(connection, _TO_COME)
    newest: dict[str, ReleaseSummary] = {}
    for summary in summaries:
        newest.setdefault(summary.source, summary)
    return [
        Freshness(
            title=name_source(source),
            newest=summary,
            period=periods.get(source),
            to_come=tell_next([row for row in announced if row["source"] == source], summary.published_on),
        )
        for source, summary in newest.items()
    ]


def tell_next(announced: Sequence[Row], published_on: date) -> str:
    """The next release that is announced: its status and day, with nothing in it that depends on today.

    Args:
        announced: the open lines of meta.release_calendar of one source, the earliest first, with `expected_on`.
        published_on: when its newest release was published.
    """
    open_still = [row for row in announced if row["expected_on"] is None or row["expected_on"] > published_on]
    if not open_still:
        return "none is announced, as far as is known here"
    row = open_still[0]
    if row["expected_on"] is None:
        return f"{row['status']}, its day is not known yet"
    # An announcement can name a month only: its first day is no promise.
    text = row["expected_text"] or ""
    names_day = row["status"] == "confirmed" or not text or parse_day(text) is not None
    return f"{row['status']} for {format_day(row['expected_on']) if names_day else text}"
