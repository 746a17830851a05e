"""Print the part of a lock file that some packages need: `pick_requirements.py requirements.lock NAME...`.

The lock holds the tools for development too, which the image does without. Versions and hashes stay those of the
lock; what needs what stands in its `# via` comments. A NAME is a package, or `justice-etl (pyproject.toml)` for what
the project itself needs. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

_BLOCK = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_VIA = re.compile(r"^    #(?: via|  ) *(\S.*)$", re.MULTILINE)


def pick(lock: str, names: set[str]) -> str:
    """The blocks of these packages and of all that they need, in the order of the lock.

    Raises:
        ValueError: a name is needed by nothing and is no package.
    """
    # A package can have several blocks: another version for another Python.
    blocks = [(match[0], block) for block in _BLOCK.split(lock) if (match := _NAME.match(block))]
    wanted_by: dict[str, set[str]] = defaultdict(set)
    for name, block in blocks:
        wanted_by[name].update(_VIA.findall(block))
    if unknown := names - set(wanted_by).union(*wanted_by.values()):
        raise ValueError(f"the lock knows nothing of {', '.join(sorted(unknown))}")
    wanted = set(names)
    while more := {name for name, by in wanted_by.items() if name not in wanted and wanted & by}:
        wanted |= more
    return "".join(block for name, block in blocks if name in wanted)


if __name__ == "__main__":
    sys.stdout.write(pick(Path(sys.argv[1]).read_text(encoding="utf-8"), set(sys.argv[2:])))
