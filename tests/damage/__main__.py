"""Runs every case, and writes the table of docs/methods.md if each ends as stated: `python -m tests.damage`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from etl.settings import project_root
from tests.damage.cases import CASES
from tests.damage.table import write_section
from tests.damage.trial import publish_copies, try_case


def main() -> int:
    """Run the cases; 1 where one does not end as stated, and then nothing is written."""
    publications = project_root().parent / "shared" / "publications"
    failed = 0
    with tempfile.TemporaryDirectory(prefix="justice-etl-damage-") as folder:
        copies = Path(folder) / "copies"
        publish_copies(copies, publications)
        for number, case in enumerate(CASES):
            place = Path(folder) / str(number)
            place.mkdir()
            found = try_case(case, copies, publications, place)
            is_stated = found.state == case.state and set(case.rules) <= found.rules and not found.unnamed
            failed += not is_stated
            rules = ", ".join(sorted(found.rules))
            sys.stdout.write(f"{'' if is_stated else 'NOT AS STATED: '}{case.name}: {found.state} {rules}\n")
            sys.stdout.flush()
    if not failed:
        write_section(CASES)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
