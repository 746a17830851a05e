"""The table of docs/methods.md: what becomes of every damage of every file."""

from __future__ import annotations

from collections.abc import Iterable

from etl.settings import project_root
from tests.damage.cases import Case
from tests.damage.files import FILES

DOCUMENT = project_root() / "docs" / "methods.md"

_START, _END = "<!-- damage:start -->", "<!-- damage:end -->"
_INTRODUCTION = """\
## What damaged files do
Copies of published files, damaged as files are on their way, landed as a correction of their edition (or as this
year's, where the damage says so), built and compared with the same copy undamaged, figure by figure. The table is
written by `python -m tests.damage`, which runs every case, and the tests run them again.

- **refused**: not landed. **kept out**: landed, not read or not let through; the rest is built without it. **warned**:
  taken, and every figure that differs is named by a rule. **read right**: taken, every figure as it should be.
- `layout` and `cell` are rules of reading: a header, sheet or title, and a cell. All others are in `warehouse/check/`;
  a damage may break more than are named here.
- A correction that moves few figures and still adds up cannot be told from damage: it is a warning, figure by figure
  (`crime_corrected`, `population_corrected`, `geography_corrected`). The first landing of a file has nothing to be
  compared with: two figures swapped that are much alike, where nothing adds up, would be published.
"""


def render(cases: Iterable[Case]) -> str:
    """The section, markers and all."""
    outcomes = {(case.damage, case.file): _say(case) for case in cases}
    damages = dict.fromkeys(damage for damage, _ in outcomes)
    lines = [
        "| damage | " + " | ".join(file.heading for file in FILES.values()) + " |",
        "|---" * (1 + len(FILES)) + "|",
        *(
            f"| {damage} | " + " | ".join(outcomes.get((damage, file), "") for file in FILES) + " |"
            for damage in damages
        ),
    ]
    return "\n".join([_START, _INTRODUCTION, *lines, _END])


def _say(case: Case) -> str:
    rules = ", ".join(f"`{rule}`" for rule in case.rules)
    return f"{case.state}: {rules}" if rules else case.state


def find_section(text: str) -> str:
    """The section as a document has it; empty where it has none."""
    if _START not in text or _END not in text:
        return ""
    return text[text.index(_START) : text.index(_END) + len(_END)]


def write_section(cases: Iterable[Case]) -> None:
    """Put the section into the document: in its place, else at the end."""
    text = DOCUMENT.read_text(encoding="utf-8")
    old, new = find_section(text), render(cases)
    DOCUMENT.write_text(text.replace(old, new) if old else f"{text.rstrip()}\n\n{new}\n", encoding="utf-8")
