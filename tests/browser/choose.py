"""Which pages of a site are looked at: of every kind the largest and the smallest."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path


def list_pages(site: Path) -> list[str]:
    """The paths of all pages of a site."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def choose_pages(site: Path) -> list[str]:
    """The smallest and the largest page of every kind."""
    return sorted({path for kind in _list_kinds(site) for path in (kind[0], kind[-1])})


def choose_largest(site: Path) -> list[str]:
    """The largest page of every kind."""
    return sorted(kind[-1] for kind in _list_kinds(site))


def _list_kinds(site: Path) -> list[list[str]]:
    """The pages of each kind from the smallest: those of a folder are of one kind, but for its index."""
    kinds: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for path in sorted(list_pages(site), key=lambda path: ((site / path).stat().st_size, path)):
        folder, _, name = path.rpartition("/")
        top = folder.partition("/")[0]
        # The folders below these are sources and schemas, whose pages are alike.
        kinds[top if top in ("releases", "dictionary") else folder, name == "index.html"].append(path)
    return list(kinds.values())
