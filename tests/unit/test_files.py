"""Files appear whole or not at all, and one lease keeps two runs apart."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from etl import files
from etl.errors import JusticeError, LeaseHeldError
from etl.files import (
    TEMPORARY_PREFIX,
    describe_holder,
    hold_lease,
    let_all_look_into,
    make_read_only,
    read_json,
    remove_abandoned,
    remove_tree,
    rename_synced,
    replace_link,
    temporary_file,
    write_beside,
    write_json,
)
from etl.settings import project_root


@contextmanager
def _running(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Another Python process that has said `ready`; it is ended with the block."""
    run = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=project_root(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        yield run
    finally:
        run.kill()
        run.communicate(timeout=30)


# --- whole or not at all -------------------------------------------------------------------------------


def test_a_file_appears_with_its_whole_content(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "file.txt"
    with write_beside(target, "w") as file:
        file.write("é" * 10_000)
        assert not target.exists()
    assert target.read_text(encoding="utf-8") == "é" * 10_000
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(KeyError), write_beside(target, "w") as file:
        file.write("new")
        raise KeyError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_reader_sees_the_old_file_or_the_new(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    write_json(target, [0] * 5_000)
    done = threading.Event()
    seen: list[object] = []

    def read() -> None:
        while not done.is_set():
            content = read_json(target)
            if len(set(content)) != 1 or len(content) != 5_000:
                seen.append(content)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 30):
        write_json(target, [number] * 5_000)
    done.set()
    reader.join()
    assert seen == []


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file.json"
    write_json(target, "old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(target, "new")
    assert read_json(target) == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_content_is_on_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file.txt"
    synced: list[tuple[str, bool]] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        synced.append((kind, target.exists()))
        sync(descriptor)

    monkeypatch.setattr(files.os, "fsync", note)
    with write_beside(target, "w") as file:
        file.write("content")
    assert synced == [("file", False), ("folder", True)]


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    code = (
        "import sys; from pathlib import Path; from etl.files import write_beside\n"
        "with write_beside(Path(sys.argv[1]), 'w') as file:\n"
        "    file.write('new'); file.flush(); print('ready', flush=True); sys.stdin.readline()"
    )
    with _running(code, target) as writer:
        [left] = tmp_path.glob(f"{TEMPORARY_PREFIX}*")
        remove_abandoned(tmp_path)
        assert left.exists()  # it is being written
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=30)
        assert target.read_text() == "old"
        assert left.read_text() == "new"
        remove_abandoned(tmp_path)
        assert list(tmp_path.iterdir()) == [target]


def test_a_temporary_file_is_gone_unless_it_was_renamed(tmp_path: Path) -> None:
    with temporary_file(tmp_path) as file:
        file.write(b"1")
    assert list(tmp_path.iterdir()) == []
    with temporary_file(tmp_path) as file:
        file.write(b"2")
        rename_synced(file, tmp_path / "kept")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("kept", b"2")]


def test_abandoned_files_are_found_in_every_folder(tmp_path: Path) -> None:
    for name in ("a", "a/b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{TEMPORARY_PREFIX}left").write_bytes(b"")
        (tmp_path / name / "kept").write_bytes(b"")
    with temporary_file(tmp_path / "a") as file:
        remove_abandoned(tmp_path)
        assert Path(file.name).exists()
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"kept"}
    remove_abandoned(tmp_path / "missing")


def test_a_file_taken_for_abandoned_before_it_was_locked_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = files.fcntl.flock
    tidied = False

    def tidy_first(file: object, how: int) -> None:
        nonlocal tidied
        if not tidied:
            tidied = True
            remove_abandoned(tmp_path)
        lock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(files.fcntl, "flock", tidy_first)
    with write_beside(tmp_path / "file.txt", "w") as file:
        file.write("content")
    assert tidied
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file.txt", "content")]


def test_json_is_written_the_same_way_each_time(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": "Ynys Môn", "a": [1]})
    write_json(tmp_path / "b.json", {"a": [1], "b": "Ynys Môn"})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert "Môn" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_damaged_json_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "home.json"
    path.write_bytes(content)
    with pytest.raises(JusticeError) as caught:
        read_json(path)
    assert str(path) in caught.value.what
    assert caught.value.next_step


def test_a_link_is_replaced_in_one_step(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(name)
    replace_link(tmp_path / "current", "one")
    held = (tmp_path / "current" / "name").open()
    replace_link(tmp_path / "current", "two")
    assert (tmp_path / "current" / "name").read_text() == "two"
    with held:
        assert held.read() == "one"
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two", "current"}


def test_everybody_may_read_a_read_only_tree_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "version" / "feeds").mkdir(parents=True)
        (tmp_path / "version" / "feeds" / "a.csv").write_text("a")
        (tmp_path / "version" / "run").touch(mode=0o700)
    finally:
        os.umask(before)
    make_read_only(tmp_path / "version")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"version": 0o555, "feeds": 0o555, "a.csv": 0o444, "run": 0o544}


def test_a_folder_that_everybody_may_look_into_is_left_alone(tmp_path: Path) -> None:
    for before, after in ((0o700, 0o755), (0o755, 0o755), (0o1777, 0o1777)):
        tmp_path.chmod(before)
        let_all_look_into(tmp_path)
        assert stat.S_IMODE(tmp_path.stat().st_mode) == after


def test_a_read_only_tree_can_still_be_removed(tmp_path: Path) -> None:
    (tmp_path / "version" / "feeds").mkdir(parents=True)
    (tmp_path / "version" / "feeds" / "a.csv").write_text("a")
    (tmp_path / "outside").mkdir(mode=0o755)
    (tmp_path / "version" / "link").symlink_to(tmp_path / "outside")
    make_read_only(tmp_path / "version")
    for path in (tmp_path / "version", *(tmp_path / "version").rglob("*")):
        if not path.is_symlink():
            assert not path.stat().st_mode & 0o222, path
    assert stat.S_IMODE((tmp_path / "outside").stat().st_mode) == 0o755
    remove_tree(tmp_path / "version")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    remove_tree(tmp_path / "version")


# --- the lease -----------------------------------------------------------------------------------------

_HOLD = (
    "import sys; from pathlib import Path; from etl.files import hold_lease\n"
    "with hold_lease(Path(sys.argv[1]), 'publish', 0):\n"
    "    print('ready', flush=True); sys.stdin.readline()"
)


def test_a_held_lease_names_its_holder(home: Path) -> None:
    with _running(_HOLD, home) as holder:
        with pytest.raises(LeaseHeldError) as caught, hold_lease(home, "build", 0):
            pass
        assert f"process {holder.pid} on " in caught.value.what
        assert "publish" in caught.value.what
        assert str(home) in caught.value.what
        assert "JUSTICE_LEASE_WAIT_SECONDS" in caught.value.next_step


def test_the_second_waits_until_the_first_is_done(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _running(_HOLD, home) as holder:
        assert holder.stdin is not None
        asked = 0

        def sleep(seconds: float) -> None:
            """The first holder is done as soon as the second waits for it."""
            nonlocal asked
            asked += 1
            if asked == 1:
                assert holder.stdin is not None
                holder.stdin.write("\n")
                holder.stdin.flush()
            time.sleep(seconds)

        monkeypatch.setattr(files, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
        with hold_lease(home, "build", 60):
            assert asked
            assert f"process {os.getpid()} " in describe_holder(home / "lease.lock")
        assert holder.wait(timeout=30) == 0


def test_the_second_gives_up_when_its_time_is_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(files, "time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    with _running(_HOLD, home):
        with pytest.raises(LeaseHeldError), hold_lease(home, "build", 600):
            pass
        assert 1_600 <= now < 1_601


def test_a_killed_holder_holds_nothing(home: Path) -> None:
    with _running(_HOLD, home) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)
        with hold_lease(home, "build", 0):
            assert json.loads((home / "lease.lock").read_text())["run"] == "build"


def test_a_lease_is_free_after_an_error(home: Path) -> None:
    with pytest.raises(KeyError), hold_lease(home, "build", 0):
        raise KeyError
    with hold_lease(home, "publish", 0):
        pass


def test_two_in_one_process_keep_apart_too(home: Path) -> None:
    with hold_lease(home, "build", 0), pytest.raises(LeaseHeldError, match="build"), hold_lease(home, "x", 0):
        pass


@pytest.mark.parametrize("content", [None, "", "{}", "not json"])
def test_a_lock_file_without_a_holder_is_somebody(tmp_path: Path, content: str | None) -> None:
    lock = tmp_path / "lease.lock"
    if content is not None:
        lock.write_text(content)
    assert describe_holder(lock) == "another process"
