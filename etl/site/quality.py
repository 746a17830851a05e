"""The page on quality: what was checked, what was found, and what nobody checks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from etl.site.frame import Row, Site, fetch
from etl.site.summaries import name_source
from etl.site.words import format_count

SHOWN = 20
"""Figures that are off, as many as the page lists."""

BACK_TESTS = {
    "P2": "Changes on the year in percent, as the Office for National Statistics prints them (table P2)",
    "P3": "Rates per 1,000 residents, as the Office for National Statistics prints them (table P3)",
    "annual_cohort": "Annual counts of reoffending, against the sum of their four quarterly cohorts",
    "between_tables": "Counts of reoffending that one release states in several tables",
    "between_breakdowns": "Counts of reoffending that several breakdowns of one release add up to",
}
"""What is compared in each table of `meta.back_test`."""

SEVERITIES = {"fail": "failure", "warn": "warning"}
GATES = {"file": "the file at fault is kept out", "publication": "the version is not published"}
"""What a failure keeps back; a warning keeps nothing back."""

_RULES = "check."
_OF_CONTRACT = "follows from schemas/"

_CHECKS = """
    SELECT suite, expectation, table_name, gate, severity, success, unexpected_count, examples, reason
    FROM meta.check_result
    ORDER BY table_name, suite, expectation
"""

_BACK_TESTS = """
    SELECT
        table_name, count(*) AS compared, count(*) FILTER (within_tolerance IS NOT TRUE) AS off,
        count(*) FILTER (difference IS NULL) AS not_derived, max(abs(difference)) AS largest
    FROM meta.back_test
    GROUP BY table_name
    ORDER BY table_name
"""

_OFF = f"""
    SELECT table_name, key, derived, printed, difference
    FROM meta.back_test
    WHERE within_tolerance IS NOT TRUE
    ORDER BY table_name, abs(difference) DESC NULLS FIRST, key
    LIMIT {SHOWN}
"""

_FILES = """
    SELECT
        file.release_id, file.filename, file.sha256, file.rows_read, file.rows_quarantined, file.accepted,
        release.source, release.title
    FROM meta.file AS file
    INNER JOIN meta.release AS release ON release.release_id = file.release_id
    ORDER BY release.source, file.release_id, file.filename, file.sha256
"""

_RELEASES = """
    SELECT release_id, title, published_on, state
    FROM meta.release
    WHERE state <> 'current'
    ORDER BY published_on DESC, release_id
"""

_VERDICTS = "SELECT verdict, count(*) AS claims FROM mart.claim_check GROUP BY verdict ORDER BY verdict"


@dataclass(frozen=True)
class CheckedTable:
    """The checks of one table.

    Attributes:
        name: `schema.table`.
        checks: how many there are.
        missed: how many were not met.
        own: those that a person set, with their reasons; the rest follows from the contract (types, keys, nulls,
            allowed values).
    """

    name: str
    checks: int
    missed: int
    own: tuple[Row, ...]

    @property
    def is_published(self) -> bool:
        """Whether the dictionary has a page of it."""
        return not self.name.startswith(("tidy.", _RULES))


@dataclass(frozen=True)
class SourceFiles:
    """The files of a source: how many were landed and kept out, and lines of figures read and kept out."""

    title: str
    files: int
    files_kept_out: int
    rows_read: int
    rows_kept_out: int


def write_quality(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Write the page on quality.

    Args:
        connection: the warehouse, open; it is only read.
        site: where to.
    """
    checks = fetch(connection, _CHECKS)
    files = fetch(connection, _FILES)
    site.write_page(
        "quality/index.html",
        "quality.html",
        checks=len(checks),
        missed=_order_missed(checks),
        counts=_count_kinds(checks),
        rules=[check for check in checks if check["suite"].startswith(_RULES)],
        tables=_group_tables(checks),
        back_tests=fetch(connection, _BACK_TESTS),
        off=fetch(connection, _OFF),
        sources=_group_sources(files),
        kept_out=[file for file in files if not file["accepted"] or file["rows_quarantined"]],
        releases=fetch(connection, _RELEASES),
        verdicts=fetch(connection, _VERDICTS),
        BACK_TESTS=BACK_TESTS,
        SEVERITIES=SEVERITIES,
        GATES=GATES,
        show_difference=show_difference,
        show_number=show_number,
    )


def show_number(value: float | None) -> str:
    """A figure to six places, whole numbers in full; a dash where there is none."""
    if value is None:
        return "–"
    if value == round(value) or abs(value) >= 1e6:
        return format_count(value).replace("-", "−")
    digits = 5 - math.floor(math.log10(abs(value)))
    return f"{value:,.{max(digits, 0)}f}".rstrip("0").rstrip(".").replace("-", "−")


def show_difference(value: float | None) -> str:
    """How far two figures are apart, in their unit; what is only the rounding of print is said to be so."""
    if value is None:
        return "–"
    if value == 0:
        return "none"
    return "under 0.000001" if abs(value) < 1e-6 else show_number(value)


def _order_missed(checks: Iterable[Row]) -> list[Row]:
    """What was not met, failures first."""
    return sorted((check for check in checks if not check["success"]), key=lambda check: check["severity"] != "fail")


def _count_kinds(checks: Iterable[Row]) -> list[dict[str, Any]]:
    """How many checks there are of each severity and gate, and how many were not met."""
    checks = list(checks)
    all_checks = Counter((check["severity"], check["gate"]) for check in checks)
    missed = Counter((check["severity"], check["gate"]) for check in checks if not check["success"])
    return [
        {"severity": severity, "gate": gate, "checks": all_checks[severity, gate], "missed": missed[severity, gate]}
        for severity, gate in sorted(all_checks)
    ]


def _group_tables(checks: Iterable[Row]) -> list[CheckedTable]:
    of_tables = [check for check in checks if not check["suite"].startswith(_RULES)]
    return [
        _summarise(name, list(found)) for name, found in groupby(of_tables, key=lambda check: str(check["table_name"]))
    ]


def _summarise(name: str, checks: list[Row]) -> CheckedTable:
    return CheckedTable(
        name=name,
        checks=len(checks),
        missed=sum(not check["success"] for check in checks),
        own=tuple(check for check in checks if not str(check["reason"]).startswith(_OF_CONTRACT)),
    )


def _group_sources(files: Iterable[Row]) -> list[SourceFiles]:
    grouped = [(name, list(found)) for name, found in groupby(files, key=lambda file: str(file["source"]))]
    return [
        SourceFiles(
            title=name_source(name),
            files=len(found),
            files_kept_out=sum(not file["accepted"] for file in found),
            rows_read=sum(file["rows_read"] or 0 for file in found),
            rows_kept_out=sum(file["rows_quarantined"] or 0 for file in found),
        )
        for name, found in grouped
    ]
