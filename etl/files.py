"""Writing files so that nothing half-done is ever visible, and the lease that guards build and publish."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from etl.errors import JusticeError, LeaseHeldError

logger = logging.getLogger(__name__)

Declared = TypeVar("Declared")

TEMPORARY_PREFIX = ".writing-"


def hash_parts(parts: Iterable[bytes]) -> str:
    """The SHA-256 of several byte strings, each with its length, so that they cannot run together."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a loss of power."""
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Bring everything below `folder`, and what it lists, to disk.

    Each file by itself: `os.sync` would wait for whatever else the machine writes, and tell of no error.
    """
    for path in [*folder.rglob("*"), folder]:
        with name_place(path):
            _sync(path)


@contextmanager
def temporary_file(folder: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file in `folder`; it is gone when the block ends, unless it was renamed.

    It is locked while it is open, so that `remove_abandoned` can tell a file that a killed run left from
    one that is being written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with name_place(folder), _open_locked(folder, mode) as file:
        try:
            yield file
        finally:
            Path(file.name).unlink(missing_ok=True)


@contextmanager
def name_place(place: Path) -> Iterator[None]:
    """Say where the disk is full; the operating system does not."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            error.filename = str(place)
        raise


def _open_locked(folder: Path, mode: str) -> IO[Any]:
    encoding = None if "b" in mode else "utf-8"
    while True:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - the caller closes it
            mode, dir=folder, prefix=TEMPORARY_PREFIX, delete=False, encoding=encoding
        )
        fcntl.flock(file, fcntl.LOCK_EX)
        # Other users of the machine may query what we publish.
        os.fchmod(file.fileno(), 0o644)
        # Between its opening and its locking another process may have taken it for abandoned.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def rename_synced(file: IO[Any], target: Path) -> None:
    """Bring a temporary file's content to disk and make it `target` in one step."""
    file.flush()
    os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    Path(file.name).replace(target)
    sync_folder(target.parent)


@contextmanager
def write_beside(target: Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a file that becomes `target` when the block ends well; on an error `target` is untouched."""
    with temporary_file(target.parent, mode) as file:
        yield file
        rename_synced(file, target)


def write_json(target: Path, content: object) -> None:
    """Write JSON with sorted keys, atomically."""
    with write_beside(target, "w") as file:
        json.dump(content, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of ours; a damaged one is named.

    Raises:
        JusticeError: the file is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise JusticeError(
            f"{path} is damaged: {error}", "restore it from a backup, or remove it and run again"
        ) from error


# The type checker cannot know which of the two it is.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key that stands twice, which YAML would let win silently; libyaml is ten times faster where it is."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if doubled := sorted({key for key in keys if keys.count(key) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(doubled)} stands twice", node.start_mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def read_yaml(path: Path) -> Any:
    """Read a YAML file of ours.

    Raises:
        yaml.YAMLError: the file is not YAML, or a key stands in it twice.
    """
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def read_declared(path: Path, declared: TypeAdapter[Declared], what: str) -> Declared:
    """Read a YAML file of ours that is a list of what it declares.

    Args:
        path: the file.
        declared: the type that it must have.
        what: what messages call it.

    Raises:
        JusticeError: it is not that; names the first places that are wrong.
    """
    try:
        content = read_yaml(path)
        return declared.validate_python([] if content is None else content)  # comments alone declare nothing
    except ValidationError as error:
        found = [f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors()]
    except (yaml.YAMLError, ValueError) as error:  # no YAML, or no text
        found = [" ".join(str(error).split())]
    raise JusticeError(f"{path} is not {what}: {'; '.join(found[:3])}", "mend the file")


def read_object(path: Path, *keys: str) -> dict[str, Any]:
    """Read a JSON object of ours that must have these keys.

    Raises:
        JusticeError: the file is not JSON, no object, or lacks a key.
    """
    content = read_json(path)
    missing = [key for key in keys if key not in content] if isinstance(content, dict) else ["{…}"]
    if missing:
        raise JusticeError(
            f"{path} is damaged: {', '.join(missing)} is missing",
            "restore it from a backup, or remove it and run again",
        )
    return dict(content)


def remove_abandoned(folder: Path, *, below: bool = True) -> None:
    """Remove temporary files of `write_beside` that no process is writing any more.

    Args:
        folder: where they were written.
        below: whether to look in the folders below it too.
    """
    pattern = f"{TEMPORARY_PREFIX}*"
    for path in sorted(folder.rglob(pattern) if below else folder.glob(pattern)):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue


def make_read_only(folder: Path) -> None:
    """Let everybody read `folder` and everything below it, whatever the umask is, and nobody write."""
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222 | (0o555 if path.is_dir() else 0o444))


def let_all_look_into(folder: Path) -> None:
    """Let everybody look into a folder, whatever the umask is; one that may be looked into is left alone."""
    mode = folder.stat().st_mode
    if mode & 0o555 != 0o555:
        folder.chmod(mode | 0o555)


def remove_tree(folder: Path) -> None:
    """Remove a folder, read-only ones included; one that is not there is fine."""
    if not folder.exists():
        return
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(folder)


def replace_link(link: Path, target: str) -> None:
    """Point the symbolic link `link` at `target` in one step: readers see the old or the new one.

    Only the holder of the lease does this, so that what a killed run left is always in the same place.
    """
    temporary = next_link(link)
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
    sync_folder(link.parent)


def next_link(link: Path) -> Path:
    """Where `replace_link` makes the link that is to replace `link`."""
    return link.with_name(f".{link.name}-next")


def describe_holder(lock: Path) -> str:
    """Who wrote the lock file, for a message."""
    try:
        holder = json.loads(lock.read_text(encoding="utf-8"))
        return f"process {holder['pid']} on {holder['host']} ({holder['run']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


@contextmanager
def hold_lease(home: Path, run: str, wait_seconds: float, doing: str = "built or published") -> Iterator[None]:
    """Hold the one lease of a home: only its holder builds or publishes.

    Args:
        home: the data home.
        run: what the holder is doing, for the message that others get.
        wait_seconds: how long to wait for another holder; 0 asks once.
        doing: what the lease is for, in the same message.

    Raises:
        LeaseHeldError: the lease was still held when the time was up; names the holder.
    """
    lock = home / "lease.lock"
    home.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + wait_seconds
        waiting = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LeaseHeldError(
                        f"{home} is being {doing} by {describe_holder(lock)}",
                        "wait for it to end and run again (JUSTICE_LEASE_WAIT_SECONDS sets how long to wait)",
                    ) from None
                if not waiting:
                    logger.info("waiting for the lease", extra={"holder": describe_holder(lock)})
                    waiting = True
                time.sleep(0.1)
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "run": run,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with name_place(lock):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), json.dumps(holder).encode())
        yield
