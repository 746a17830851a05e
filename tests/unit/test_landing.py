"""The landing zone keeps every byte as it came, says where it came from, and never half of a release."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl import files
from etl.archives import CSV, XLSX
from etl.errors import ExitStatus, JusticeError, RefusedFileError, WrongUseError
from etl.landing import (
    Incoming,
    Notice,
    Record,
    blob_path,
    claim_home,
    home_kind,
    land,
    list_releases,
    note,
    parse_published,
    published_on,
    read_notices,
    read_records,
    slug,
    verify,
)
from etl.settings import own_version, project_root
from tests.support import land_one, list_files, mark_modelled, rolling_years, write_csv, write_xlsx

TITLE = "Year ending March 2018"


def _publication(folder: Path, count: int = 1_204, name: str = "rec-crime-pfa.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return write_csv(folder / name, rolling_years(["31/03/2018", "Kent", "South East", "Robbery", count]))


def _blobs(home: Path) -> set[str]:
    return {path.name for path in (home / "landing" / "sha256").rglob("*") if path.is_file()}


def _state(home: Path) -> list[tuple[str, str, str, tuple[tuple[str, str], ...]]]:
    """All that a warehouse may see of a landing zone: times of landing left out."""
    return [
        (found.release_id, found.published_at, found.state, tuple((r.filename, r.sha256) for r in found.records))
        for found in list_releases(home)
    ]


# --- what is kept --------------------------------------------------------------------------------------


def test_bytes_are_kept_read_only_under_their_hash(home: Path, tmp_path: Path) -> None:
    path = _publication(tmp_path)
    record = land_one(home, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = home / "landing" / "sha256" / sha256[:2] / sha256
    assert kept == blob_path(home, record.sha256)
    assert kept.read_bytes() == path.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    assert path.exists()


def test_the_record_says_where_a_file_came_from(home: Path, tmp_path: Path) -> None:
    path = _publication(tmp_path)
    [landed] = land(
        home,
        source="recorded_crime_ons",
        title=TITLE,
        published="2018-07-19T09:30",
        files=[path],
        url="https://www.ons.gov.uk/file?uri=/rec-crime-pfa.csv",
    )
    assert landed.is_new
    assert landed.release_id == "recorded_crime_ons/year-ending-march-2018@1"
    [stored] = (home / "landing" / "records" / "recorded_crime_ons" / "year-ending-march-2018").iterdir()
    content = json.loads(stored.read_text(encoding="utf-8"))
    landed_at = content.pop("landed_at")
    assert landed_at.endswith("+00:00")
    assert content == {
        "source": "recorded_crime_ons",
        "edition": "year-ending-march-2018",
        "title": TITLE,
        "published_at": "2018-07-19T08:30:00+00:00",  # 09:30 in London, in summer
        "filename": "rec-crime-pfa.csv",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "media_type": CSV,
        "is_modelled": False,
        "publisher": "Office for National Statistics",
        "licence": "Open Government Licence v3.0",
        "landing_page": "https://www.ons.gov.uk/peoplepopulationandcommunity/crimeandjustice/datasets/"
        "policeforceareadatatables",
        "url": "https://www.ons.gov.uk/file?uri=/rec-crime-pfa.csv",
        "landed_by": f"justice-etl {own_version()}",
    }
    assert read_records(home) == [landed.record]


def test_the_media_type_is_that_of_the_bytes(home: Path, tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "table.xlsx", {"Data": [["a"]]}).rename(tmp_path / "table.csv")
    assert land_one(home, path).media_type == XLSX


def test_nothing_but_blobs_records_and_the_kind_of_home_is_left(home: Path, tmp_path: Path) -> None:
    record = land_one(home, _publication(tmp_path))
    names = {name.split("/")[0] if "/" not in name else name.rpartition("/")[0] for name in list_files(home)}
    assert names == {
        "home.json",
        f"landing/sha256/{record.sha256[:2]}",
        "landing/records/recorded_crime_ons/year-ending-march-2018",
    }


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-07-19", "2018-07-18T23:00:00+00:00"),  # midnight in London, in summer
        ("2018-01-25", "2018-01-25T00:00:00+00:00"),
        ("2018-07-19T09:30", "2018-07-19T08:30:00+00:00"),
        ("2018-07-19T09:30:00+01:00", "2018-07-19T08:30:00+00:00"),
        ("2018-07-19T08:30:00Z", "2018-07-19T08:30:00+00:00"),
    ],
)
def test_publication_times(text: str, moment: str) -> None:
    assert parse_published(text) == moment


@pytest.mark.parametrize("text", ["", "19/07/2018", "July 2018", "2018-02-30", "9999-12-31T23:59-05:00"])
def test_a_bad_publication_date_is_wrong_use(home: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(WrongUseError, match="publication date") as caught:
        land_one(home, _publication(tmp_path), published=text)
    assert caught.value.exit_status == ExitStatus.WRONG_USE
    assert not home.exists()


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_bare_date_is_that_day_in_london(day: date) -> None:
    assert published_on(parse_published(day.isoformat())) == day


@pytest.mark.parametrize(
    ("title", "edition"),
    [
        ("Year ending March 2018", "year-ending-march-2018"),
        ("  Mid-2020:  estimates (rounded) ", "mid-2020-estimates-rounded"),
        ("Ynys Môn & Gwynedd", "ynys-mon-gwynedd"),
        ("2017/18", "2017-18"),
        ("../../etc", "etc"),
    ],
)
def test_editions_are_slugs_of_titles(title: str, edition: str) -> None:
    assert slug(title) == edition


@given(st.text())
def test_a_slug_is_safe_as_a_folder(title: str) -> None:
    assert set(slug(title)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug(slug(title)) == slug(title)


# --- again, and in any order ---------------------------------------------------------------------------


def test_the_same_bytes_again_change_nothing(home: Path, tmp_path: Path) -> None:
    path = _publication(tmp_path)
    first = land_one(home, path)
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in home.rglob("*") if p.is_file()}
    renamed = path.rename(tmp_path / "renamed.csv")
    [again] = land(home, source="recorded_crime_ons", title=TITLE, published="2018-07-19", files=[renamed])
    assert not again.is_new
    assert again.record == first
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in home.rglob("*") if p.is_file()} == before


def test_one_file_twice_in_one_call_is_one_file(home: Path, tmp_path: Path) -> None:
    path = _publication(tmp_path)
    first, second = land(home, source="recorded_crime_ons", title=TITLE, published="2018-07-19", files=[path, path])
    assert first.record == second.record
    assert len(read_records(home)) == len(_blobs(home)) == 1


def test_one_file_in_two_editions_is_kept_once(home: Path, tmp_path: Path) -> None:
    path = _publication(tmp_path)
    land_one(home, path)
    land_one(home, path, title="Year ending June 2018", published="2018-10-18")
    assert [release.release_id for release in list_releases(home)] == [
        "recorded_crime_ons/year-ending-june-2018@1",
        "recorded_crime_ons/year-ending-march-2018@1",
    ]
    assert len(_blobs(home)) == 1


def test_a_swap_makes_a_second_release(home: Path, tmp_path: Path) -> None:
    swap = _publication(tmp_path / "swap", 1_205)
    original = _publication(tmp_path / "original", 1_204)
    land_one(home, swap, published="2018-08-02")  # the swap may well be landed first
    land_one(home, original, published="2018-07-19")
    first, second = list_releases(home)
    assert (first.release_id, first.state) == ("recorded_crime_ons/year-ending-march-2018@1", "superseded")
    assert (second.release_id, second.state) == ("recorded_crime_ons/year-ending-march-2018@2", "current")
    assert first.records[0].sha256 == hashlib.sha256(original.read_bytes()).hexdigest()
    assert second.records[0].sha256 == hashlib.sha256(swap.read_bytes()).hexdigest()


def test_a_swap_on_the_same_day_is_told_by_its_time(home: Path, tmp_path: Path) -> None:
    land_one(home, _publication(tmp_path / "a", 1), published="2018-07-19T09:30")
    land_one(home, _publication(tmp_path / "b", 2), published="2018-07-19T15:00")
    assert [release.state for release in list_releases(home)] == ["superseded", "current"]


_LANDINGS = [
    ("2018-07-19", TITLE, 1, "a.csv"),
    ("2018-07-19", TITLE, 2, "b.csv"),
    ("2018-08-02", TITLE, 3, "a.csv"),
    ("2018-10-18", "Year ending June 2018", 4, "a.csv"),
    ("2018-09-01", TITLE, 1, "a.csv"),  # the first bytes put back
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::9], ids=str)
def test_the_order_of_landing_never_matters(home: Path, tmp_path: Path, order: tuple[int, ...]) -> None:
    for minute, number in enumerate(order):
        published, title, count, name = _LANDINGS[number]
        before = set((home / "landing" / "records").rglob("*.json"))
        land_one(home, _publication(tmp_path / str(number), count, name), title=title, published=published)
        [path] = set((home / "landing" / "records").rglob("*.json")) - before
        content = json.loads(path.read_text(encoding="utf-8")) | {"landed_at": f"2026-11-22T10:{minute:02}:00+00:00"}
        path.write_text(json.dumps(content), encoding="utf-8")

    def sha256(number: int) -> str:
        return hashlib.sha256((tmp_path / str(number) / _LANDINGS[number][3]).read_bytes()).hexdigest()

    together = sorted([("a.csv", sha256(0)), ("b.csv", sha256(1))], key=lambda item: item[1])
    march = "recorded_crime_ons/year-ending-march-2018"
    assert _state(home) == [
        (
            "recorded_crime_ons/year-ending-june-2018@1",
            "2018-10-17T23:00:00+00:00",
            "current",
            (("a.csv", sha256(3)),),
        ),
        (f"{march}@1", "2018-07-18T23:00:00+00:00", "superseded", tuple(together)),
        (f"{march}@2", "2018-08-01T23:00:00+00:00", "superseded", (("a.csv", sha256(2)),)),
        (f"{march}@3", "2018-08-31T23:00:00+00:00", "current", (("a.csv", sha256(0)),)),
    ]


def test_the_release_that_land_names_is_the_one_it_belongs_to_now(home: Path, tmp_path: Path) -> None:
    path = _publication(tmp_path / "late", 2)

    def landed() -> str:
        return land(home, source="recorded_crime_ons", title=TITLE, published="2018-08-02", files=[path])[0].release_id

    assert landed().endswith("@1")
    land_one(home, _publication(tmp_path / "early", 1), published="2018-07-19")
    assert landed().endswith("@2")


# --- what is refused -----------------------------------------------------------------------------------


def test_other_bytes_under_one_name_and_date_are_refused(home: Path, tmp_path: Path) -> None:
    first = land_one(home, _publication(tmp_path / "a", 1))
    before = list_files(home)
    with pytest.raises(RefusedFileError, match="already landed") as caught:
        land_one(home, _publication(tmp_path / "b", 2))
    assert first.sha256[:12] in caught.value.what
    assert "2018-07-19" in caught.value.what
    assert "--published-on" in caught.value.next_step
    assert list_files(home) == before
    assert list(verify(home)) == []


def test_two_files_of_one_name_in_one_call_are_refused(home: Path, tmp_path: Path) -> None:
    pair = [_publication(tmp_path / "a", 1), _publication(tmp_path / "b", 2)]
    with pytest.raises(RefusedFileError):
        land(home, source="recorded_crime_ons", title=TITLE, published="2018-07-19", files=pair)
    assert list_files(home) == set()


def test_one_bad_file_keeps_out_all_of_its_call(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.xlsx"
    page.write_bytes(b"<html>Not found</html>")
    with pytest.raises(RefusedFileError, match=r"page\.xlsx"):
        land(
            home,
            source="recorded_crime_ons",
            title=TITLE,
            published="2018-07-19",
            files=[_publication(tmp_path), page],
        )
    assert list_files(home) == set()
    assert home_kind(home) is None


def test_a_missing_file_is_wrong_use_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    for missing in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(WrongUseError, match="there is no file"):
            land_one(home, missing)
        with pytest.raises(WrongUseError):
            land(
                home,
                source="recorded_crime_ons",
                title=TITLE,
                published="2018-07-19",
                files=[_publication(tmp_path), missing],
            )
    assert list_files(home) == set()


def test_an_unknown_source_names_those_there_are(home: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match="no source 'crime'") as caught:
        land_one(home, _publication(tmp_path), source="crime")
    assert "recorded_crime_ons" in caught.value.next_step


def test_a_title_without_letters_is_wrong_use(home: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match="title"):
        land_one(home, _publication(tmp_path), title="…")


# --- real and modelled homes ---------------------------------------------------------------------------


def test_the_first_landing_makes_a_home_a_real_one(home: Path, tmp_path: Path) -> None:
    assert home_kind(home) is None
    land_one(home, _publication(tmp_path))
    assert home_kind(home) == "real"


def test_a_modelled_file_is_refused_by_a_real_home(home: Path, tmp_path: Path) -> None:
    modelled = mark_modelled(write_xlsx(tmp_path / "a.xlsx", {"Data": [["a"]]}))
    with pytest.raises(RefusedFileError, match="a modelled sample"):
        land_one(home, modelled)
    assert list_files(home) == set()
    land_one(home, _publication(tmp_path))
    before = list_files(home)
    with pytest.raises(RefusedFileError, match="a modelled sample"):
        land_one(home, modelled)
    assert list_files(home) == before


def test_a_real_file_is_refused_by_a_demo_home(home: Path, tmp_path: Path) -> None:
    claim_home(home, "demo")
    with pytest.raises(RefusedFileError, match="is a real file"):
        land_one(home, _publication(tmp_path))
    assert list_files(home) == {"home.json"}
    record = land_one(home, mark_modelled(write_xlsx(tmp_path / "a.xlsx", {"Data": [["a"]]})))
    assert record.is_modelled


def test_a_home_stays_what_it_is(home: Path) -> None:
    claim_home(home, "demo")
    claim_home(home, "demo")
    with pytest.raises(JusticeError, match="is a demo home, not a real one"):
        claim_home(home, "real")


# --- damage --------------------------------------------------------------------------------------------


def _damage(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_sound_zone_has_nothing_to_report(home: Path, tmp_path: Path) -> None:
    assert list(verify(home)) == []
    land_one(home, _publication(tmp_path))
    assert list(verify(home)) == []


def test_verify_finds_a_changed_byte(home: Path, tmp_path: Path) -> None:
    record = land_one(home, _publication(tmp_path))
    blob = blob_path(home, record.sha256)
    _damage(blob, blob.read_bytes().replace(b"1204", b"1205"))
    [finding] = verify(home)
    assert record.sha256 in finding
    assert "rec-crime-pfa.csv" in finding
    assert "land the original again" in finding


def test_verify_finds_a_missing_blob(home: Path, tmp_path: Path) -> None:
    record = land_one(home, _publication(tmp_path))
    blob_path(home, record.sha256).unlink()
    [finding] = verify(home)
    assert "is gone" in finding
    assert f"{record.source}/{record.edition}" in finding


def test_verify_finds_bytes_without_a_record(home: Path, tmp_path: Path) -> None:
    content = b"a,b\n"
    orphan = blob_path(home, hashlib.sha256(content).hexdigest())
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(content)
    [finding] = verify(home)
    assert str(orphan) in finding
    assert "no record" in finding


def test_verify_finds_what_does_not_belong(home: Path, tmp_path: Path) -> None:
    record = land_one(home, _publication(tmp_path))
    stray = home / "landing" / "sha256" / "notes.txt"
    stray.write_text("mine")
    misplaced = home / "landing" / "sha256" / "00" / record.sha256
    misplaced.parent.mkdir(exist_ok=True)
    misplaced.write_bytes(blob_path(home, record.sha256).read_bytes())
    findings = list(verify(home))
    assert len(findings) == 2
    assert all("does not belong" in finding for finding in findings)
    assert {finding.split()[0] for finding in findings} == {str(stray), str(misplaced)}


@pytest.mark.parametrize("content", [None, b"", b"other bytes"])
def test_landing_again_mends_a_blob(home: Path, tmp_path: Path, content: bytes | None) -> None:
    path = _publication(tmp_path)
    record = land_one(home, path)
    blob = blob_path(home, record.sha256)
    if content is None:
        blob.unlink()
    else:
        _damage(blob, content)
    [again] = land(home, source="recorded_crime_ons", title=TITLE, published="2018-07-19", files=[path])
    assert not again.is_new
    assert list(verify(home)) == []
    assert stat.S_IMODE(blob.stat().st_mode) == 0o444


def test_a_damaged_record_is_named(home: Path, tmp_path: Path) -> None:
    land_one(home, _publication(tmp_path))
    [path] = (home / "landing" / "records").rglob("*.json")
    path.write_text("{", encoding="utf-8")
    with pytest.raises(JusticeError, match="is damaged") as caught:
        read_records(home)
    assert str(path) in caught.value.what


# --- a full disk, a kill, two at once ------------------------------------------------------------------


def _fill_disk_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Make the `call`th sync to disk fail as a full disk does."""
    calls = itertools.count(1)
    sync = os.fsync

    def full(descriptor: int) -> None:
        if next(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(files.os, "fsync", full)


@pytest.mark.parametrize("call", range(1, 7))
def test_a_full_disk_leaves_nothing_half_done(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    path = _publication(tmp_path)
    with monkeypatch.context() as patched:
        _fill_disk_at(patched, call)
        with pytest.raises(OSError, match="No space left"):
            land_one(home, path)
    for name in list_files(home):
        assert ".writing-" not in name
        if name.startswith("landing/sha256/"):
            content = (home / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == Path(name).name
        else:
            json.loads((home / name).read_text(encoding="utf-8"))
    land_one(home, path)
    assert list(verify(home)) == []
    assert len(read_records(home)) == 1


def test_a_disk_that_fills_while_copying_leaves_nothing(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"Code,Name\n" * 200_000)
    code = (
        "import resource, signal, sys; from pathlib import Path; from etl.landing import land\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))\n"
        "land(Path(sys.argv[1]), source='recorded_crime_ons', title='T', published='2018-07-19', "
        "files=[Path(sys.argv[2])])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(home), str(path)],
        cwd=project_root(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "OSError: [Errno 27]" in ran.stderr  # the file may not grow further, as on a full disk
    assert list_files(home) == set()


def test_what_a_killed_run_left_is_cleared_away(home: Path, tmp_path: Path) -> None:
    left = home / "landing" / "incoming" / f"{files.TEMPORARY_PREFIX}killed"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a file")
    land_one(home, _publication(tmp_path))
    assert not left.exists()


def test_two_processes_landing_one_file_at_once(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "rec-crime-pfa.csv"
    rows = [["31/03/2018", f"Force {i}", "South East", "Robbery", i] for i in range(20_000)]
    write_csv(path, rolling_years(*rows))
    code = (
        "import sys; from pathlib import Path; from etl.landing import land\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(land(Path(sys.argv[1]), source='recorded_crime_ons', title='Year ending March 2018', "
        "published='2018-07-19', files=[Path(sys.argv[2])])[0].release_id)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(home), str(path)],
            cwd=project_root(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    for run in runs:
        out, err = run.communicate(timeout=60)
        assert (run.returncode, out) == (0, "recorded_crime_ons/year-ending-march-2018@1\n"), err
    assert len(read_records(home)) == 1
    assert list(verify(home)) == []
    assert not any(files.TEMPORARY_PREFIX in name for name in list_files(home))


def test_a_record_is_the_same_record_by_file_edition_and_time(home: Path, tmp_path: Path) -> None:
    record = land_one(home, _publication(tmp_path))
    later = Record(**{**vars(record), "landed_at": "2030-01-01T00:00:00+00:00", "url": "https://example.org"})
    assert later.key == record.key


# --- what publishers say afterwards --------------------------------------------------------------------


def _notice(at: str, *, is_withdrawn: bool = True, edition: str = "year-ending-march-2018") -> Notice:
    return Notice("recorded_crime_ons", edition, is_withdrawn, at, "It was wrong.")


def test_a_file_can_be_landed_under_the_publishers_name_and_address(home: Path, tmp_path: Path) -> None:
    path = _publication(tmp_path, name="x.tmp")
    file = Incoming(path, "rec-crime-pfa.csv", "https://www.ons.gov.uk/file?uri=/rec-crime-pfa.csv")
    [landed] = land(home, source="recorded_crime_ons", title=TITLE, published="2018-07-19", files=[file])
    assert (landed.record.filename, landed.record.url) == (file.filename, file.url)
    assert path.exists()


def test_a_withdrawal_is_a_state_of_the_newest_release(home: Path, tmp_path: Path) -> None:
    land_one(home, _publication(tmp_path / "1", 1), published="2018-07-19")
    land_one(home, _publication(tmp_path / "2", 2), published="2018-08-01")
    land_one(home, _publication(tmp_path / "3", 3), title="Year ending June 2018")
    before = _blobs(home)
    assert note(home, _notice("2019-01-01T10:00:00+00:00"))
    assert [(release.state, release.withdrawn_at) for release in list_releases(home)] == [
        ("current", None),
        ("superseded", None),
        ("withdrawn", "2019-01-01T10:00:00+00:00"),
    ]
    assert _blobs(home) == before
    assert not note(home, _notice("2019-01-02T10:00:00+00:00"))  # known already
    assert note(home, _notice("2018-12-01T00:00:00+00:00", is_withdrawn=False))  # the last word counts, not its date
    assert [release.state for release in list_releases(home)] == ["current", "superseded", "current"]
    assert {release.withdrawn_at for release in list_releases(home)} == {None}
    assert note(home, _notice("2019-03-01T00:00:00+00:00"))
    assert read_notices(home) == [_notice("2019-03-01T00:00:00+00:00")]
    assert len(list((home / "landing" / "notices").rglob("*.json"))) == 3


def test_that_an_edition_stands_is_no_news(home: Path) -> None:
    assert not note(home, _notice("2019-01-01T10:00:00+00:00", is_withdrawn=False))
    assert read_notices(home) == []


def test_verify_names_a_page_that_was_changed(home: Path) -> None:
    folder = home / "landing" / "pages"
    folder.mkdir(parents=True)
    (folder / f"{hashlib.sha256(b'{}').hexdigest()}.json").write_bytes(b"{}")
    assert list(verify(home)) == []
    (folder / f"{hashlib.sha256(b'[]').hexdigest()}.json").write_bytes(b"{}")
    [problem] = verify(home)
    assert hashlib.sha256(b"[]").hexdigest() in problem
