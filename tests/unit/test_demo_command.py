"""`justice-etl demo` ends as its refresh did: a demo that made nothing must not look like one that did."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl import demo, query, rank_words
from etl.cli import app
from etl.editions import Outcome
from etl.errors import ExitStatus, JusticeError
from etl.refresh import Refreshed

MISSED = Outcome("population", "", "a.csv", "https://www.ons.gov.uk/a.csv", "unreachable", "no answer")


def let_demo_end(monkeypatch: pytest.MonkeyPatch, home: Path, **more: object) -> None:
    found = {"run_id": "r", "outcomes": [], "unknown": [], "late": [], "published": None, "before": None} | more
    monkeypatch.setattr(demo, "run_demo", lambda *_: demo.Demo(home, Refreshed(**found)))


def test_a_demo_that_could_not_be_built_says_so(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    failure = JusticeError("the disk is full", "make room")
    let_demo_end(monkeypatch, home, failure=failure)
    result = CliRunner().invoke(app, ["demo"])
    assert result.exception is failure
    assert "Nothing was published." in result.output


@pytest.mark.parametrize(("outcomes", "status"), [([], ExitStatus.DONE), ([MISSED], ExitStatus.FAILED)])
def test_a_demo_ends_with_the_status_of_its_refresh(
    monkeypatch: pytest.MonkeyPatch, home: Path, outcomes: list[Outcome], status: ExitStatus
) -> None:
    let_demo_end(monkeypatch, home, outcomes=outcomes)
    monkeypatch.setattr(query, "run_query", lambda *_: query.Answer(["a"], [], is_cut=False))
    monkeypatch.setattr(rank_words, "read_ranking", lambda *_, **__: None)
    monkeypatch.setattr("etl.cli.print_ranking", lambda *_: None)
    assert CliRunner().invoke(app, ["demo"]).exit_code == status
