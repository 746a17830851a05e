"""What a home holds and serves, and what is wrong with a set-up: data for `status` and `doctor`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from etl.errors import JusticeError
from etl.landing import home_kind, list_releases
from etl.manifest import MANIFEST, WAREHOUSE, compute_version, read_manifest
from etl.observations import LATE, SeenAddresses, last_asked
from etl.publish import (
    CURRENT,
    count_quarantined,
    current_version,
    find_newly_kept_out,
    find_stopped,
    find_warnings,
    refuse_stray_log,
)
from etl.release_calendar import CalendarEntry, read_calendar
from etl.settings import Settings, project_root
from etl.sources import declared_sources

_ENOUGH_DISK = 5 << 30


@dataclass(frozen=True)
class Status:
    """What a home holds: its kind, releases, the version that serves, and whether it speaks of all that was landed.

    `expected` are the releases that publishers announced and that are still to come, soonest first; `late` those
    of them that should have appeared. `refused` is what publishers last gave that could not be landed. `stopped` is
    what keeps a version that was built from all of it from being published.
    """

    home: str
    kind: str | None
    releases: int
    files: int
    current: str | None
    built_at: str | None
    is_up_to_date: bool
    kept_out: list[str]
    quarantined_lines: int
    warned: list[str]
    stopped: list[str]
    last_asked_at: str | None
    expected: list[CalendarEntry]
    late: list[CalendarEntry]
    refused: list[str]


def get_status(home: Path, now: datetime | None = None) -> Status:
    """Look at a home; nothing is computed anew but the version that its files would build to, and what is late."""
    now = now or datetime.now(UTC)
    expected = [entry for entry in read_calendar(home) if entry.is_open]
    releases = list_releases(home)
    current = current_version(home)
    manifest = read_manifest(home / CURRENT) if current else None
    version = compute_version(releases) if releases else ""
    staged = home / "staging" / version
    return Status(
        home=str(home),
        kind=home_kind(home),
        releases=len(releases),
        files=len({record.sha256 for release in releases for record in release.records}),
        current=current,
        built_at=manifest["built_at"] if manifest else None,
        is_up_to_date=bool(releases) and version == current,
        kept_out=find_newly_kept_out(manifest, None) if manifest else [],
        quarantined_lines=count_quarantined(manifest) if manifest else 0,
        warned=find_warnings(manifest) if manifest else [],
        stopped=find_stopped(read_manifest(staged)) if (staged / MANIFEST).exists() else [],
        last_asked_at=last_asked(home),
        expected=expected,
        late=[entry for entry in expected if entry.is_late(now)],
        refused=list(_list_refused(home)),
    )


def _list_refused(home: Path) -> Iterator[str]:
    """What publishers last gave that could not be taken, with its address."""
    for source in declared_sources():
        for seen in SeenAddresses(home, source):
            if seen.url.startswith(LATE):
                continue  # `late` speaks of it
            url = seen.url.removeprefix("problem:").removeprefix("orphan:")
            if seen.refused:
                yield seen.refused if url in seen.refused else f"{url}: {seen.refused}"


@dataclass(frozen=True)
class Finding:
    """One thing that `doctor` looked at: what it found, and the mend where it is not well."""

    name: str
    is_well: bool
    found: str
    mend: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that commonly goes wrong with a set-up."""
    yield _examine_python()
    yield _examine_project()
    yield _examine_home(settings.home)
    yield _examine_disk(settings.home)
    yield _examine_current(settings.home)
    yield _examine_landing(settings.home)
    yield _examine_publishers(settings)
    if settings.alert_urls:
        yield _examine_alerts(settings)


def _examine_python() -> Finding:
    version = sys.version.split()[0]
    is_well = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", is_well, version, "use Python 3.11, 3.12 or 3.13: make install PYTHON=python3.12")


def _examine_project() -> Finding:
    root = project_root()
    missing = [name for name in ("schemas", "warehouse", "samples", "requirements.lock") if not (root / name).exists()]
    found = f"missing in {root}: {', '.join(missing)}" if missing else str(root)
    return Finding("Project files", not missing, found, "install as an editable checkout: make install")


def _examine_home(home: Path) -> Finding:
    place = next(path for path in (home, *home.parents) if path.exists())
    is_well = os.access(place, os.W_OK)
    if not is_well:
        mend = "give the right to write, or name another home with JUSTICE_HOME"
        return Finding("Data home", False, f"{place} cannot be written", mend)
    try:
        return Finding("Data home", True, f"{home} ({home_kind(home) or 'new'})")
    except JusticeError as error:
        return Finding("Data home", False, error.what, error.next_step)


def _examine_disk(home: Path) -> Finding:
    place = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    mend = "free some space, lower JUSTICE_KEEP_VERSIONS, or name another home with JUSTICE_HOME"
    return Finding("Disk", free >= _ENOUGH_DISK, f"{free / 2**30:.1f} GiB free", mend)


def _examine_current(home: Path) -> Finding:
    name = "Published warehouse"
    if current_version(home) is None:
        return Finding(name, True, "none yet")
    path = home / CURRENT / WAREHOUSE
    if not path.exists():
        return Finding(name, False, f"{home / CURRENT} leads nowhere", "justice-etl publish, or justice-etl rollback")
    import duckdb

    try:
        read_manifest(home / CURRENT)
        refuse_stray_log(path.parent)
        connection = duckdb.connect(str(path.resolve()), read_only=True)
        connection.execute("SELECT count(*) FROM meta.release").fetchone()
        connection.close()
    except JusticeError as error:
        return Finding(name, False, error.what, error.next_step)
    except duckdb.Error as error:
        mend = f"justice-etl rollback; or remove {path.resolve().parent}, then justice-etl publish"
        return Finding(name, False, f"it does not open: {error}", mend)
    return Finding(name, True, f"version {current_version(home)} opens")


def _examine_landing(home: Path) -> Finding:
    try:
        releases = list_releases(home)
    except JusticeError as error:
        return Finding("Landing zone", False, error.what, "restore the record from a backup, or land the file again")
    return Finding("Landing zone", True, f"{len(releases)} releases; `justice-etl verify` re-hashes them")


def _examine_publishers(settings: Settings) -> Finding:
    asked = last_asked(settings.home)
    found = f"last asked at {asked}" if asked else "never asked"
    if settings.replica_url:
        return Finding("Publishers", True, f"{found}; the replica {settings.replica_url} stands for them")
    if not settings.contact:
        found += "; to ask them takes JUSTICE_CONTACT, an address at which they can reach you"
    return Finding("Publishers", True, found)


def _examine_alerts(settings: Settings) -> Finding:
    from etl.alerts import deliver

    looks = deliver(settings, None)
    if wrong := [look for look in looks if not look.is_well]:
        found = "; ".join(f"{look.address}: {look.words}" for look in wrong)
        mend = "write it in JUSTICE_ALERT_URLS as https://appriseit.com/services/ says, then: justice-etl alert"
        return Finding("Alerts", False, found, mend)
    told = ", ".join(look.address for look in looks)
    return Finding("Alerts", True, f"{told}; `justice-etl alert` sends a test")
