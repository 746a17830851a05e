"""Versions: publish in one atomic step, roll back, pin, prune.

`versions/<id>/` is a whole, read-only version; `current` is a link to the one that serves. A version appears,
or another takes over, by one rename of that link. Readers that hold the old version keep it. `versions/.gone/<id>`
says that a version was pruned, so that whoever asks for it is told so.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.errors import HeldVersionError, JusticeError, StoppedVersionError, WrongUseError
from etl.files import (
    let_all_look_into,
    make_read_only,
    next_link,
    read_object,
    remove_abandoned,
    remove_tree,
    replace_link,
    sync_folder,
    sync_tree,
    write_json,
)
from etl.lineage import add_publish, record_lineage
from etl.manifest import MANIFEST, WAREHOUSE, read_manifest
from etl.settings import Settings

logger = logging.getLogger(__name__)

CURRENT = "current"
GONE = ".gone"
_PRUNED = ".pruned-"
_STATE = ("published", "pinned", "held")


@dataclass(frozen=True)
class Version:
    """A version that is kept. `is_held` marks one that was rolled back: publishing leaves it alone."""

    version: str
    built_at: str
    published: int
    is_current: bool
    is_pinned: bool
    is_held: bool
    tables: int
    releases: int


@dataclass(frozen=True)
class Published:
    """What publishing did: the version that serves now, and the versions that were pruned."""

    version: str
    is_new: bool
    pruned: list[str]


def current_version(home: Path) -> str | None:
    """The version that serves; None before the first is published."""
    link = home / CURRENT
    return link.readlink().name if link.is_symlink() else None


def gone_mark(home: Path, version: str) -> Path:
    """The empty file that says that a version was pruned; web servers look at it too."""
    return home / "versions" / GONE / version


def warehouse_path(home: Path) -> Path:
    """The warehouse that serves.

    Raises:
        JusticeError: nothing was published yet.
    """
    path = home / CURRENT / WAREHOUSE
    if not path.exists():
        if (home / CURRENT).is_symlink():
            raise JusticeError(f"{path} is gone", "run `justice-etl publish`, or `justice-etl rollback`")
        raise JusticeError(
            f"nothing is published in {home}",
            "run `justice-etl build` and `justice-etl publish`, or `make demo`",
        )
    return path


def serving_manifest(home: Path) -> dict[str, Any] | None:
    """The manifest of the version that serves; None where none does, or it is gone.

    Raises:
        JusticeError: it is damaged.
    """
    return read_manifest(home / CURRENT) if (home / CURRENT / MANIFEST).exists() else None


def _state(home: Path) -> dict[str, Any]:
    """The order of publication, pins and versions rolled back: `versions/state.json`."""
    path = home / "versions" / "state.json"
    return read_object(path, *_STATE) if path.exists() else {name: [] for name in _STATE}


def _write_state(home: Path, state: dict[str, Any]) -> None:
    write_json(home / "versions" / "state.json", state)


def list_versions(home: Path) -> list[Version]:
    """The versions that are kept, in the order in which they were published."""
    state = _state(home)
    current = current_version(home)
    folders = {path.parent.name: path.parent for path in (home / "versions").glob(f"[!.]*/{MANIFEST}")}
    order = [name for name in state["published"] if name in folders]
    order += sorted(set(folders) - set(order))
    versions = []
    for number, name in enumerate(order, start=1):
        manifest = read_manifest(folders[name])
        versions.append(
            Version(
                version=name,
                built_at=manifest["built_at"],
                published=number,
                is_current=name == current,
                is_pinned=name in state["pinned"],
                is_held=name in state["held"],
                tables=len(manifest["tables"]),
                releases=len(manifest["releases"]),
            )
        )
    return versions


def is_held(home: Path, version: str) -> bool:
    """Whether a version was rolled back, so that it is not published by itself."""
    return version in _state(home)["held"]


def publish(home: Path, settings: Settings, version: str) -> Published:
    """Make a built version the one that serves; the caller holds the lease.

    Args:
        home: the data home.
        settings: how many versions are kept.
        version: a version in `staging/`, or one in `versions/` that does not serve yet.

    Raises:
        JusticeError: it is in neither, was rolled back, breaks a rule that stops it, or its warehouse is not whole.
    """
    state = _state(home)
    folder = home / "versions" / version
    _remove_leftovers(home)
    if version == current_version(home) and (folder / MANIFEST).exists():
        _check_whole(folder)
        return Published(version, is_new=False, pruned=prune(home, settings))
    if version in state["held"]:
        raise HeldVersionError(
            f"version {version} was rolled back, so it is not published again",
            f"`justice-etl rollback {version}` serves it all the same; a changed input or code builds another",
        )
    with record_lineage("publish") as run:
        if not (folder / MANIFEST).exists():
            _refuse_stopped(home / "staging" / version)
            _take_from_staging(home, version)
        _check_whole(folder)
        # Again and again: a run may have been killed between the renaming and this.
        make_read_only(folder)
        let_all_look_into(folder.parent)  # a web server is another user; who keeps all this to himself closes the home
        state["published"] = [name for name in state["published"] if name != version] + [version]
        _write_state(home, state)
        replace_link(home / CURRENT, f"versions/{version}")
        add_publish(run, read_manifest(folder))
    logger.info("published", extra={"version": version})
    return Published(version, is_new=True, pruned=prune(home, settings))


def _take_from_staging(home: Path, version: str) -> None:
    staged = home / "staging" / version
    _check_whole(staged)
    (home / "versions").mkdir(exist_ok=True)
    sync_tree(staged)  # feeds, pages and all: once it has its name, none of it is half there
    target = home / "versions" / version
    _remove_version(target)  # of which somebody removed the manifest
    staged.rename(target)
    sync_folder(target.parent)
    gone_mark(home, version).unlink(missing_ok=True)  # it may have been pruned before


def _check_whole(folder: Path) -> None:
    """A version must have a warehouse and a manifest, and no write-ahead log, which DuckDB would replay."""
    read_manifest(folder)
    if not (folder / WAREHOUSE).exists():
        raise JusticeError(f"{folder / WAREHOUSE} is missing", f"remove {folder} and run `justice-etl publish`")
    refuse_stray_log(folder)


def refuse_stray_log(folder: Path) -> None:
    """Nobody writes to a finished warehouse: a write-ahead log beside it is not of its making.

    Raises:
        JusticeError: there is one.
    """
    if stray := sorted(folder.glob("*.wal")):
        raise JusticeError(f"{stray[0]} lies beside the warehouse and would be replayed into it", "remove it")


def _remove_version(folder: Path) -> None:
    """Remove a version: it is gone from the list in one step, so that a killed run leaves no half of one."""
    if folder.exists():
        removed = folder.with_name(f"{_PRUNED}{folder.name}")
        folder.rename(removed)
        remove_tree(removed)


def _mark_gone(home: Path, version: str) -> None:
    """Before the version is removed: once it was published, nobody is told that it never was."""
    mark = gone_mark(home, version)
    mark.parent.mkdir(exist_ok=True)
    let_all_look_into(mark.parent)
    mark.touch()
    sync_folder(mark.parent)


def _remove_leftovers(home: Path) -> None:
    """Remove what killed runs left; the caller holds the lease."""
    for mark in (home / "versions" / GONE).glob("*"):
        if (home / "versions" / mark.name).exists():
            mark.unlink()  # killed between marking and removing, or between publishing again and taking the mark away
    for folder in (home / "versions").glob(f"{_PRUNED}*"):
        remove_tree(folder)
    for folder in (home, home / "versions"):
        remove_abandoned(folder, below=False)
    next_link(home / CURRENT).unlink(missing_ok=True)


def prune(home: Path, settings: Settings) -> list[str]:
    """Remove the oldest versions beyond those kept, never the current one or a pinned one; the caller holds the lease.

    Returns:
        The versions that were removed.
    """
    kept = [version for version in list_versions(home) if not version.is_pinned]
    spare = [version.version for version in kept if not version.is_current]
    surplus = len(kept) - settings.keep_versions
    pruned = spare[:surplus] if surplus > 0 else []
    for name in pruned:
        _mark_gone(home, name)
        _remove_version(home / "versions" / name)
        logger.info("pruned", extra={"version": name})
    state = _state(home)
    there = {version.version for version in list_versions(home)}
    known = {key: [name for name in names if name in there] for key, names in state.items()}
    if known != state:
        _write_state(home, known)
    return pruned


def rollback(home: Path, version: str | None = None) -> str:
    """Serve an earlier version; the one that served is held, so that the next run does not bring it back.

    Args:
        home: the data home.
        version: which; None takes the newest published before the current one that was not rolled back.

    Returns:
        The version that serves now.

    Raises:
        WrongUseError: no such version, or none before the current one.
    """
    versions = list_versions(home)
    current = current_version(home)
    names = [item.version for item in versions]
    if version is None:
        before = names[: names.index(current)] if current in names else names
        held = {item.version for item in versions if item.is_held}
        earlier = [name for name in before if name not in held]
        if not earlier:
            raise WrongUseError("there is no version before the current one", "see `justice-etl versions`")
        version = earlier[-1]
    if version not in names:
        raise WrongUseError(f"there is no version {version!r}", f"kept are: {', '.join(names) or 'none'}")
    if version == current:
        return version
    _check_whole(home / "versions" / version)
    _remove_leftovers(home)
    state = _state(home)
    held = {name for name in state["held"] if name != version}
    if current in names and names.index(version) < names.index(current):
        held.add(current)
    state["held"] = sorted(held)
    _write_state(home, state)
    replace_link(home / CURRENT, f"versions/{version}")
    logger.warning("rolled back", extra={"version": version, "from": current})
    return version


def pin(home: Path, version: str, *, is_pinned: bool = True) -> None:
    """Keep a version for good, or let it be pruned again.

    Raises:
        WrongUseError: no such version.
    """
    names = [item.version for item in list_versions(home)]
    if version not in names:
        raise WrongUseError(f"there is no version {version!r}", f"kept are: {', '.join(names) or 'none'}")
    gone_mark(home, version).unlink(missing_ok=True)  # a run was killed that meant to prune it
    state = _state(home)
    pinned = set(state["pinned"]) - {version} | ({version} if is_pinned else set())
    _write_state(home, state | {"pinned": sorted(pinned)})


def find_newly_kept_out(manifest: dict[str, Any], previous: dict[str, Any] | None) -> list[str]:
    """What a version keeps out that the one before it did not: one sentence an item."""
    before = {_name_kept(item) for item in _items(previous, "kept_out")}
    return [item["message"] for item in _items(manifest, "kept_out") if before.isdisjoint(_list_names(item))]


def _list_names(item: dict[str, Any]) -> set[str]:
    """Under which names an item may have been kept out before: what could not be read was out of every release."""
    return {_name_kept(item), *([str(item["sha256"])] if item["kind"] == "rule" else [])}


def count_quarantined(manifest: dict[str, Any]) -> int:
    """How many lines a version keeps out because no area bears their names."""
    return sum(item["count"] for item in _items(manifest, "kept_out") if item["kind"] == "name")


def find_warnings(manifest: dict[str, Any]) -> list[str]:
    """What a version warns of: one sentence an item."""
    return [item["message"] for item in _items(manifest, "warned")]


def find_stopped(manifest: dict[str, Any]) -> list[str]:
    """What keeps a version from being published: one sentence an item."""
    return [item["message"] for item in _items(manifest, "stopped")]


def _items(manifest: dict[str, Any] | None, state: str) -> list[dict[str, Any]]:
    items = (manifest or {}).get("items")
    return [item for item in (_items_of_old(manifest or {}) if items is None else items) if item["state"] == state]


def _items_of_old(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of a version that was built before manifests had them."""
    from etl.quarantine import make_name_id

    files = [{"state": "kept_out", "kind": "file", **entry} for entry in manifest.get("kept_out", [])]
    names = [
        {
            "state": "kept_out",
            "kind": "name",
            "item_id": make_name_id(entry["sha256"], entry["level"], entry["published_name"]),
            "message": f"{entry['filename']}: no area is called {entry['published_name']!r} ({entry['level']})",
            "count": entry["lines"],
        }
        for entry in manifest.get("quarantined", [])
    ]
    return files + names


def _name_kept(item: dict[str, Any]) -> str:
    """A file is kept out of a release or not, whatever it is that keeps it out; a name is one of a file."""
    return (
        str(item["item_id"]) if item["kind"] == "name" else f"{item['sha256']} {item.get('release_id') or ''}".strip()
    )


def _refuse_stopped(folder: Path) -> None:
    """A version that breaks a rule is built, so that one can look at it, and never served."""
    stopped = find_stopped(read_manifest(folder)) if (folder / MANIFEST).exists() else []
    if stopped:
        more = f" (and {len(stopped) - 1} more)" if len(stopped) > 1 else ""
        raise StoppedVersionError(
            f"version {folder.name} is not published: {stopped[0]}{more}",
            f"the version before it serves on; look at {folder / WAREHOUSE} and at `justice-etl quarantine`",
        )
