"""Every statement of docs/using.md answers; those over two versions are in `tests/end_to_end/test_clients.py`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from etl.settings import project_root
from tests.sql.conftest import Query

GUIDE = (project_root() / "docs" / "using.md").read_text(encoding="utf-8")
LATEST = "http://127.0.0.1:8000/data/latest/"
OLDER = "## An older version"
_BLOCK = re.compile(r"```sql\n(.*?)```", re.DOTALL)
_QUESTION = re.compile(r"^\*\*(\d+)\. (.+?\?)\*\*(.*?)```sql\n(.*?)```", re.DOTALL | re.MULTILINE)

SECTIONS = re.split(r"^(?=## )", GUIDE, flags=re.MULTILINE)
STATEMENTS = [found for section in SECTIONS if not section.startswith(OLDER) for found in _BLOCK.findall(section)]
QUESTIONS = {question: (int(number), caution, sql) for number, question, caution, sql in _QUESTION.findall(GUIDE)}


def localize(statement: str, home: Path) -> str:
    """A statement that asks an address asks the file that is served there."""
    return statement.replace(LATEST, f"{home / 'current'}/")


def _name(statement: str) -> str:
    return statement.partition("\n")[0][:40]


def test_there_are_ten_questions_each_with_a_word_of_caution() -> None:
    assert [number for number, _, _ in QUESTIONS.values()] == list(range(1, 11))
    for question, (_, caution, _) in QUESTIONS.items():
        assert len(caution.split()) > 5, question


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_demo_answers_each_question(demo: Query, question: str) -> None:
    _, _, sql = QUESTIONS[question]
    assert demo(sql)


@pytest.mark.parametrize("statement", STATEMENTS, ids=_name)
def test_the_demo_answers_each_statement(demo: Query, demo_home: Path, statement: str) -> None:
    assert demo(localize(statement, demo_home))


# No published table of reoffending by authority is at hand.
@pytest.mark.real
@pytest.mark.parametrize("statement", [sql for sql in STATEMENTS if "reoffending" not in sql], ids=_name)
def test_published_tables_answer_each_statement_on_crime(whole: Query, whole_home: Path, statement: str) -> None:
    assert whole(localize(statement, whole_home))


def test_all_statements_are_tried() -> None:
    older = next(section for section in SECTIONS if section.startswith(OLDER))
    assert GUIDE.count("```sql\n") == len(STATEMENTS) + len(_BLOCK.findall(older))
    assert {sql for _, _, sql in QUESTIONS.values()} <= set(STATEMENTS)
