"""Which version a set of landed files makes, and the manifest that each version carries."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from etl.errors import JusticeError
from etl.files import hash_parts, read_object
from etl.landing import Release
from etl.settings import project_root

WAREHOUSE = "warehouse.duckdb"
MANIFEST = "manifest.json"
_CODE_FOLDERS = ("etl", "schemas", "warehouse", "expectations")
_CODE_SUFFIXES = (".py", ".yml", ".yaml", ".sql", ".csv", ".json", ".html", ".css", ".js", ".svg")
_VERSION_LENGTH = 12


def compute_version(releases: list[Release]) -> str:
    """The version that a set of releases builds to: a short hash of them, our code and the lock file."""
    root = project_root()
    inputs = [
        {"release": release.release_id, "state": release.state, "published_at": release.published_at}
        | {"withdrawn_at": release.withdrawn_at}
        | {"files": [_provenance(asdict(record)) for record in release.records]}
        for release in releases
    ]
    code = [
        path
        for folder in _CODE_FOLDERS
        for path in (root / folder).rglob("*")
        if path.suffix in _CODE_SUFFIXES and "__pycache__" not in path.parts
    ]
    parts = [json.dumps(inputs, sort_keys=True).encode()]
    for path in sorted([*code, root / "requirements.lock"]):
        parts += [path.relative_to(root).as_posix().encode(), path.read_bytes()]
    return hash_parts(parts)[:_VERSION_LENGTH]


def compute_source_states(releases: list[Release]) -> dict[str, str]:
    """What a build takes up of each source: source → the version that its releases alone would build to."""
    own: dict[str, list[Release]] = {}
    for release in releases:
        own.setdefault(release.source, []).append(release)
    return {source: compute_version(own[source]) for source in sorted(own)}


def _provenance(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in ("landed_at", "landed_by")}


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a built or published version.

    Raises:
        JusticeError: it is not there or damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise JusticeError(f"{path} is missing", "run `justice-etl publish` again, or roll back to another version")
    return read_object(path, "version", "built_at", "releases", "tables")
