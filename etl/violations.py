"""Violations of rules, and the entries of `accepted.yml` that let a true anomaly through.

`etl/sources/<source>/accepted.yml` lists anomalies that were looked at and are what the publisher means: one entry a
violation, with all that the violation says. Once the publisher changes a figure, the entry fits no longer and
the violation counts again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache

from pydantic import BaseModel, ConfigDict, TypeAdapter

from etl.files import read_declared
from etl.sources import Reason, declared_sources

ACCEPTED = "accepted.yml"


@dataclass(frozen=True, slots=True)
class Violation:
    """What breaks a rule.

    Attributes:
        rule: the stem of the check, or `expectation(column)` of a suite on tidy lines.
        release_id: the release that is at fault; None where no release is (rules about marts).
        sha256: its file; None where no file is.
        cell: where it stands, as in `core` views; None where several cells are at fault together.
        figure: what it is, keys joined by `|`.
        expected: what the rule expects, as text.
        found: what was found, as text.
    """

    rule: str
    release_id: str | None
    sha256: str | None
    cell: str | None
    figure: str
    expected: str | None
    found: str | None

    @property
    def edition(self) -> str | None:
        """The release without its number: `source/edition`."""
        return self.release_id.rpartition("@")[0] if self.release_id else None


class Accepted(BaseModel):
    """An anomaly that is let through: what the violation says, word for word, why, and since when.

    `edition` is the slug of the edition; the entry holds for each of its releases.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    edition: str
    figure: str
    expected: str | None = None
    found: str | None = None
    reason: Reason
    accepted_on: date


_ACCEPTED = TypeAdapter(tuple[Accepted, ...])


@cache
def load_accepted(source: str) -> tuple[Accepted, ...]:
    """The accepted anomalies of a source; none where it has no `accepted.yml`.

    Raises:
        JusticeError: the file is not what it must be.
    """
    path = declared_sources()[source].folder / ACCEPTED
    return read_declared(path, _ACCEPTED, "a valid list of accepted anomalies") if path.exists() else ()


def take_out_accepted(violations: Iterable[Violation]) -> tuple[list[Violation], list[Violation]]:
    """Violations that count, and those that an entry of `accepted.yml` lets through."""
    known = {
        (entry.rule, f"{source}/{entry.edition}", entry.figure, entry.expected, entry.found)
        for source in declared_sources()
        for entry in load_accepted(source)
    }
    counted: list[Violation] = []
    let_through: list[Violation] = []
    for violation in violations:
        key = (violation.rule, violation.edition, violation.figure, violation.expected, violation.found)
        (let_through if key in known else counted).append(violation)
    return counted, let_through
