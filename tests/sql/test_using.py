"""Every statement of docs/using.md runs and answers."""

from __future__ import annotations

import re

import pytest

from etl.settings import project_root
from tests.sql.conftest import Query

pytestmark = pytest.mark.real

STATEMENTS = re.findall(
    r"```sql\n(.*?)```", (project_root() / "docs" / "using.md").read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.split("\n")[0][:40])
def test_statement_of_the_guide(whole: Query, demo: Query, statement: str) -> None:
    # No published table of reoffending by authority is at hand: modelled ones answer.
    ask = demo if "mart.reoffending" in statement else whole
    assert ask(statement)


def test_the_guide_has_statements() -> None:
    assert len(STATEMENTS) >= 6
