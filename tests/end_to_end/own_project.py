"""A copy of the project with rules and declarations of a test's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from etl.settings import project_root

ONS = "recorded_crime_ons"

_FOLDERS = ("etl", "schemas", "warehouse", "expectations", "tests")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "accepted.yml", "corrections.yml")


class OwnProject:
    """The project without its own rules, corrections and accepted anomalies, to write others into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in _FOLDERS:
            shutil.copytree(project_root() / folder, root / folder, ignore=_LEFT_OUT)
        shutil.copy(project_root() / "requirements.lock", root)
        for folder in ("warehouse", "expectations"):
            shutil.rmtree(root / folder / "check", ignore_errors=True)
            (root / folder / "check").mkdir()

    def add_rule(self, rule: str, query: str, *, gate: str, severity: str, reason: str) -> None:
        """A rule that no row of a query may break."""
        (self.root / "warehouse" / "check" / f"{rule}.sql").write_text(query, encoding="utf-8")
        expectation = {
            "type": "expect_table_row_count_to_equal",
            "kwargs": {"value": 0},
            "severity": severity,
            "meta": {"reason": reason, "set_on": "2026-07-01"},
        }
        suite = {"name": f"check.{rule}", "meta": {"gate": gate}, "expectations": [expectation]}
        (self.root / "expectations" / "check" / f"{rule}.json").write_text(json.dumps(suite), encoding="utf-8")

    def declare(self, name: str, text: str, source: str = ONS) -> Path:
        """A declaration (`accepted.yml`, `corrections.yml`) of a source; an empty text removes it."""
        path = self.root / "etl" / "sources" / source / name
        path.unlink(missing_ok=True)
        if text:
            path.write_text(text, encoding="utf-8")
        return path


def fill_in(entry: str, **answers: str) -> str:
    """A printed entry as a person completes it: each `?` by the answer to its key."""
    [written] = yaml.safe_load(entry)
    asked = {name for name, value in written.items() if value == "?"}
    assert asked == set(answers), written
    for name, answer in answers.items():
        before = f'{name}: "?"'
        assert entry.count(before) == 1
        entry = entry.replace(before, f'{name}: "{answer}"')
    filled: list[dict[str, Any]] = yaml.safe_load(entry)
    assert "?" not in filled[0].values()
    return entry + "\n"
