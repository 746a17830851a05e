"""What is let through: suites on tidy files, rules across tables, suites on the tables of the warehouse,
and the keys by which they refer to each other.

A *fail* of gate `file` keeps the file at fault out and lets the rest go on; a *fail* of gate `publication` keeps the
version from being published. A *warn* is reported. What `accepted.yml` lists counts for nothing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from etl.contracts import Contract, contracts, quote
from etl.errors import JusticeError
from etl.expectations import Expectation, Suite, Written, describe_suite, load_suites
from etl.files import hash_parts, read_object, remove_abandoned, write_json
from etl.inputs import FileKey
from etl.landing import Release
from etl.models import CHECK_SCHEMA, Model, run_check
from etl.reading import TidyFile
from etl.settings import project_root
from etl.validation import (
    KEPT,
    ROWS_AT_ONCE,
    Finding,
    Outcome,
    SuiteOutcome,
    empty_outcome,
    frames_of,
    validate,
)
from etl.violations import Violation, take_out_accepted

logger = logging.getLogger(__name__)

CHECKS = "checks"
"""The folder of a home where findings in tidy files are kept, so that no file is looked at twice."""

REFERENCE_SOURCES = ("geography", "population")
"""Sources by which the others are judged."""


@dataclass(frozen=True)
class Broken:
    """What breaks one expectation or rule, after what was accepted was taken out; `count` counts all of it."""

    suite: Suite
    expectation: Expectation
    violations: tuple[Violation, ...]
    count: int

    @property
    def is_fail(self) -> bool:
        """Whether it keeps something back; else it is only reported."""
        return self.expectation.severity == "critical"


@dataclass
class Verdict:
    """What the gates found in a build.

    Attributes:
        kept_out: what keeps files out, by file.
        stopped: what keeps the version from being published.
        warned: what is only reported.
        accepted: what `accepted.yml` lets through.
        outcomes: the outcome of every suite by name.
    """

    kept_out: dict[FileKey, list[Broken]] = field(default_factory=lambda: defaultdict(list))
    stopped: list[Broken] = field(default_factory=list)
    warned: list[Broken] = field(default_factory=list)
    accepted: list[Violation] = field(default_factory=list)
    outcomes: dict[str, SuiteOutcome] = field(default_factory=dict)

    def add(self, outcome: SuiteOutcome) -> None:
        """Count an outcome; one of the same suite is added to it."""
        known = self.outcomes.get(outcome.suite.name)
        self.outcomes[outcome.suite.name] = known + outcome if known else outcome

    def copy(self, kept_out: dict[FileKey, list[Broken]]) -> Verdict:
        """A verdict to go on with, in which these files are kept out."""
        kept = defaultdict(list, {key: list(brokens) for key, brokens in kept_out.items()})
        return Verdict(kept, list(self.stopped), list(self.warned), list(self.accepted), dict(self.outcomes))

    def to_pages(self) -> dict[str, dict[str, Any]]:
        """The outcomes for the Data Docs: a page a table, and one for all rules."""
        pages = {name: found.to_result() for name, found in self.outcomes.items() if not found.suite.is_rule}
        rules = [self.outcomes[name].to_result() for name in sorted(self.outcomes) if name not in pages]
        return pages | {CHECK_SCHEMA: {"results": [result for rule in rules for result in rule["results"]]}}

    def list_results(self) -> list[dict[str, object]]:
        """The lines of `meta.check_result`."""
        unhashed = {contract.name for contract in contracts().values() if contract.unhashed}
        # What was seen of publishers, and when, is no part of what a version is.
        found = [self.outcomes[name] for name in sorted(self.outcomes) if name not in unhashed]
        return [line for outcome in found for line in outcome.list_results()]


# --- tidy files ------------------------------------------------------------------------------------------


def check_file(home: Path, file: TidyFile) -> SuiteOutcome:
    """What the suite of a tidy table finds in one file, or found before.

    Findings are kept under a hash of what was read, the suite and the library.
    """
    suite = load_suites()[f"tidy.{file.tidy_table}"]
    path = _checks_path(home, file)
    stored = _read_checks(path)
    if len(stored) == len(suite.expectations):
        return SuiteOutcome(suite, tuple(map(_restore, suite.expectations, stored)))
    outcome = _look_into(suite, file)
    write_json(path, {"outcomes": [_store(each) for each in outcome.outcomes]})
    return outcome


def _read_checks(path: Path) -> list[dict[str, Any]]:
    """What was found before; nothing where it is not there, or damaged."""
    try:
        return list(read_object(path, "outcomes")["outcomes"]) if path.exists() else []
    except JusticeError:
        return []


def _checks_path(home: Path, file: TidyFile) -> Path:
    return home / CHECKS / f"{file.path.stem}-{_hash_check(f'tidy.{file.tidy_table}')[:12]}.json"


@cache
def _hash_check(suite: str) -> str:
    """A hash of everything that decides what a suite finds in a file."""
    code = [(project_root() / "etl" / name).read_bytes() for name in ("gates.py", "validation.py")]
    libraries = [f"{name}={version(name)}".encode() for name in ("great-expectations", "pandas", "pyarrow")]
    return hash_parts([describe_suite(load_suites()[suite]).encode(), *code, *libraries])


def _store(outcome: Outcome) -> dict[str, object]:
    findings = [[finding.place, finding.found] for finding in outcome.findings]
    return {"rows": outcome.rows, "unexpected": outcome.unexpected, "findings": findings}


def _restore(expectation: Expectation, stored: dict[str, Any]) -> Outcome:
    findings = tuple(Finding(place, found) for place, found in stored["findings"])
    return Outcome(expectation, stored["rows"], stored["unexpected"], findings)


def remove_stale_checks(home: Path, files: Iterable[TidyFile]) -> None:
    """Remove findings in tidy files that are no more, or by suites that are no more."""
    remove_abandoned(home / CHECKS, below=False)
    needed = {_checks_path(home, file) for file in files}
    for path in sorted((home / CHECKS).glob("*.json")):
        if path not in needed:
            path.unlink()


def _look_into(suite: Suite, file: TidyFile) -> SuiteOutcome:
    parquet = pq.ParquetFile(file.path)
    frames = frames_of(parquet.iter_batches(ROWS_AT_ONCE), parquet.schema_arrow)
    return validate(suite, frames, partial(_locate_cell, file.sha256))


def _locate_cell(sha256: str, row: dict[str, Any], expectation: Expectation) -> str:
    """The published cell of a tidy line: that of the figure which is spoken of, else of its first figure."""
    spoken_of = (f"{name.removesuffix('_marker')}_column" for name in expectation.columns)
    columns = [*spoken_of, "column", *(name for name in row if name.endswith("_column"))]
    letters = next((row[name] for name in columns if isinstance(row.get(name), str)), "")
    return f"{sha256[:12]}!{row['sheet']}!{letters}{row['row']}"


def check_files(home: Path, releases: Iterable[Release], files: Iterable[TidyFile]) -> Verdict:
    """Judge every file that was read by the suite of its tidy table."""
    of: dict[str, list[str]] = defaultdict(list)
    for release in releases:
        for record in release.records:
            of[record.sha256].append(release.release_id)
    verdict = Verdict()
    for name, suite in load_suites().items():
        if name.startswith("tidy."):
            verdict.add(empty_outcome(suite))
    for file in files:
        outcome = check_file(home, file)
        verdict.add(outcome)
        _judge_file(outcome, of[file.sha256], file.sha256, verdict)
    return verdict


def _judge_file(outcome: SuiteOutcome, releases: Iterable[str], sha256: str, verdict: Verdict) -> None:
    for found in outcome.outcomes:
        if found.success:
            continue
        for release_id in releases:
            violations = [
                Violation(found.expectation.name, release_id, sha256, finding.place, finding.place, None, finding.found)
                for finding in found.findings
            ]
            counted, accepted = take_out_accepted(violations)
            verdict.accepted += accepted
            # Not all violations are kept as findings: where every one that is was accepted, others may remain.
            broken = Broken(
                outcome.suite,
                found.expectation,
                tuple(counted or violations[-1:]),
                found.unexpected - len(accepted),
            )
            if broken.count and broken.is_fail:
                verdict.kept_out[release_id, sha256].append(broken)
            else:
                _judge(broken, verdict)


def _judge(broken: Broken, verdict: Verdict) -> None:
    if not broken.count:
        return
    if not broken.is_fail:
        verdict.warned.append(broken)
    elif broken.suite.gate == "publication":
        verdict.stopped.append(broken)
    else:
        for key, violations in _group_by_file(broken).items():
            verdict.kept_out[key].append(replace(broken, violations=violations, count=len(violations)))


def _group_by_file(broken: Broken) -> dict[FileKey, tuple[Violation, ...]]:
    groups: dict[FileKey, list[Violation]] = defaultdict(list)
    for violation in broken.violations:
        if violation.release_id is None or violation.sha256 is None:
            what = f"rule {violation.rule} keeps files out, but names none for {violation.figure}"
            raise JusticeError(what, f"let warehouse/check/{violation.rule}.sql give release_id and sha256")
        groups[violation.release_id, violation.sha256].append(violation)
    return {key: tuple(violations) for key, violations in groups.items()}


def keep_out_causes(
    verdict: Verdict, kept_out: dict[FileKey, list[Broken]], releases: Iterable[Release]
) -> dict[FileKey, list[Broken]]:
    """What is kept out in the next pass: what was, and of what a pass found anew the causes.

    A file is judged by the geography and by the editions before it. What is wrong with those must not be blamed on
    it: reference data go first, then of each source what was published first.
    """
    of = {release.release_id: release for release in releases}
    anew = [key for key in verdict.kept_out if key not in kept_out]
    rank = {key: of[key[0]].source not in REFERENCE_SOURCES for key in anew}
    anew = [key for key in anew if rank[key] == min(rank.values())]
    published = {key: datetime.fromisoformat(of[key[0]].published_at) for key in anew}  # their offsets differ
    first: dict[str, datetime] = {}
    for key in sorted(anew, key=lambda key: published[key]):
        first.setdefault(of[key[0]].source, published[key])
    causes = {key for key in anew if published[key] == first[of[key[0]].source]}
    return {key: brokens for key, brokens in verdict.kept_out.items() if key in kept_out or key in causes}


# --- rules -----------------------------------------------------------------------------------------------


def split_models(models: list[Model]) -> tuple[list[Model], list[Model]]:
    """Models and rules in their order: those that decide which files are kept out, and the rest."""
    of_files = {model.name for model in models if model.is_check and load_suites()[model.name].gate == "file"}
    for model in reversed(models):
        if model.name in of_files:
            of_files |= model.inputs
    return [m for m in models if m.name in of_files], [m for m in models if m.name not in of_files]


def check_rule(connection: duckdb.DuckDBPyConnection, model: Model, verdict: Verdict) -> None:
    """Run a rule and judge what breaks it; what broke it in files that are kept out by now is counted still.

    Args:
        connection: the warehouse that is built.
        model: the check.
        verdict: where it is counted.
    """
    suite = load_suites()[model.name]
    counted, accepted = take_out_accepted(run_check(connection, model))
    verdict.accepted += accepted
    known = [broken for brokens in verdict.kept_out.values() for broken in brokens if broken.suite == suite]
    before = [violation for broken in known for violation in broken.violations]
    names = ("cell", "figure", "expected", "found")
    rows = [tuple(getattr(violation, name) for name in names) for violation in [*before, *counted]]
    outcome = validate(suite, [pd.DataFrame(rows, columns=list(names), dtype="str")], _locate_violation)
    verdict.add(outcome)
    for found in outcome.outcomes:
        if not found.success:
            _judge(Broken(suite, found.expectation, tuple(counted), len(counted)), verdict)


def _locate_violation(row: dict[str, Any], _: Expectation) -> str:
    return f"{row['cell']} ({row['figure']})" if isinstance(row["cell"], str) else str(row["figure"])


# --- tables of the warehouse -----------------------------------------------------------------------------


def check_table(connection: duckdb.DuckDBPyConnection, contract: Contract, verdict: Verdict) -> None:
    """Run the suite of a published table, part by part, and judge what it found."""
    suite = load_suites()[contract.name]
    columns = ", ".join(quote(name) for name in contract.columns)
    rows = " LIMIT 0" if contract.repeats else ""  # its rows are those of another table
    reader = connection.execute(f"SELECT {columns} FROM {contract.name}{rows}").to_arrow_reader(ROWS_AT_ONCE)
    outcome = validate(suite, frames_of(reader, reader.schema), partial(_locate_key, contract))
    verdict.add(outcome)
    for found in outcome.outcomes:
        if not found.success:
            violations = tuple(
                Violation(
                    found.expectation.name, None, None, None, f"{contract.name} {finding.place}", None, finding.found
                )
                for finding in found.findings
            )
            broken = Broken(suite, found.expectation, violations, found.unexpected)
            if contract.unhashed:  # a log must not stop figures
                verdict.warned.append(broken)
            else:
                _judge(broken, verdict)


def _locate_key(contract: Contract, row: dict[str, Any], _: Expectation) -> str:
    return "|".join(str(row[name]).removesuffix(" 00:00:00") for name in contract.key)


# --- keys of other tables --------------------------------------------------------------------------------


def check_references(connection: duckdb.DuckDBPyConnection, contract: Contract, verdict: Verdict) -> None:
    """Warn of values that are not in the table that their field refers to.

    It stops nothing: the figures are right, and only who joins the tables would lose lines.

    Args:
        connection: the warehouse, with all tables made.
        contract: which table; nothing is asked of one that repeats another.
        verdict: where it is counted.
    """
    references = {} if contract.repeats else contract.references
    for name, (table, column) in references.items():
        lost = connection.execute(
            f"SELECT line.{quote(name)} AS value, count(*) FROM {contract.name} AS line "
            f"ANTI JOIN {table} AS one ON one.{quote(column)} = line.{quote(name)} "
            f"WHERE line.{quote(name)} IS NOT NULL GROUP BY ALL ORDER BY value"
        ).fetchall()
        if lost:
            expectation = _expect_key(name, table, column)
            violations = tuple(
                Violation(expectation.name, None, None, None, f"{contract.name} {name}", None, f"{name} {value}")
                for value, _ in lost[:KEPT]
            )
            count = sum(rows for _, rows in lost)
            verdict.warned.append(Broken(load_suites()[contract.name], expectation, violations, count))


def _expect_key(name: str, table: str, column: str) -> Expectation:
    """What a reference promises, in words of the suites; none of theirs looks into two tables."""
    written = Written(reason=f"schemas/fields.yml says that it is of {table}.{column}, and joins would lose the line")
    return Expectation(type="refers_to_key", kwargs={"column": name}, severity="warning", meta=written)
