"""What a file really is, and archives that must not be opened."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.archives import (
    CSV,
    DEFAULT_LIMITS,
    JSON,
    MODELLED_MARK,
    ODS,
    OLE_MAGIC,
    XLS,
    XLSM,
    XLSX,
    ZIP,
    ArchiveLimits,
    is_modelled,
    sniff,
)
from etl.errors import RefusedFileError
from tests.support import mark_modelled, write_csv, write_ods, write_xls, write_xlsx, write_zip, zip_bytes

SHEET = {"Data": [["Code", "Name"], ["E23000014", "West Midlands"]]}


def _file(folder: Path, content: bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _refusal(path: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> RefusedFileError:
    with pytest.raises(RefusedFileError) as caught:
        sniff(path, limits=limits)
    assert path.name in caught.value.what
    assert caught.value.next_step
    return caught.value


# --- bytes beat names ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["table.xlsx", "table.csv", "table.zip", "table.ods", "table", "table.pdf"])
def test_the_bytes_decide_not_the_name(tmp_path: Path, name: str) -> None:
    files = {
        XLSX: write_xlsx(tmp_path / "a", SHEET),
        ODS: write_ods(tmp_path / "b.ods", SHEET),
        XLS: write_xls(tmp_path / "c", SHEET),
        CSV: write_csv(tmp_path / "d", [["Code", "Name"]]),
        ZIP: write_zip(tmp_path / "e", {"a.csv": b"Code,Name\n"}),
        JSON: _file(tmp_path, b' {"a": 1}', "f"),
    }
    for media_type, original in files.items():
        assert sniff(original.rename(tmp_path / name)) == media_type


def test_the_given_name_is_the_one_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(RefusedFileError, match=r"^published\.xlsx is empty"):
        sniff(_file(tmp_path, b"", ".writing-123"), "published.xlsx")


def test_a_workbook_with_macros_says_so(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", SHEET)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"code")
    assert sniff(path) == XLSM


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><body>503 Service Unavailable</body></html>",
        b"<!doctype HTML>",
        b"\xef\xbb\xbf\r\n  <html>",
        b"<head><title>Not found</title>",
        b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        b"<!-- cached --><html></html>",
        b"<table><tr><td>Code</td></tr></table>",
        "\ufeff<html>".encode("utf-16-le"),
        "\ufeff<html>".encode("utf-16-be"),
    ],
)
@pytest.mark.parametrize("name", ["crime.xlsx", "crime.csv"])
def test_a_page_is_no_spreadsheet(tmp_path: Path, content: bytes, name: str) -> None:
    assert "HTML" in _refusal(_file(tmp_path, content, name)).what


def test_an_empty_file(tmp_path: Path) -> None:
    assert "is empty" in _refusal(_file(tmp_path, b"")).what


@pytest.mark.parametrize("content", [b" \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe \x00\n\x00"])
def test_nothing_but_white_space(tmp_path: Path, content: bytes) -> None:
    assert "nothing but white space" in _refusal(_file(tmp_path, content)).what


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
        b"\x1f\x8b\x08\x08gzip",
        b"7z\xbc\xaf\x27\x1c",
        b"SQLite format 3\x00",
        b"PAR1\x15\x04",
        b"PK\x05\x06" + b"\x00" * 18,  # an archive without a member
    ],
)
def test_an_unknown_binary_type_names_its_first_bytes(tmp_path: Path, content: bytes) -> None:
    assert content[:4].hex(" ") in _refusal(_file(tmp_path, content)).what


@pytest.mark.parametrize(
    "content",
    [
        b"Code,Name\n",
        b"\xef\xbb\xbfCode,Name\n",
        "\ufeffCode,Name\n".encode("utf-16-le"),
        "\ufeffCode,Name\n".encode("utf-16-be"),
        "Ynys M\u00f4n,1\n".encode("cp1252"),
        b"[x] indicates data are unavailable\nCode,Name\n",  # a preamble may start with a marker
        b"[note 2] excludes fraud\nCode,Name\n",
        b"{not json}\n",
        b"<30 offenders,1\n",
        b"Code,Name\r\n1,2\r\n\x1a",
        b"1",
    ],
)
def test_text_is_csv(tmp_path: Path, content: bytes) -> None:
    assert sniff(_file(tmp_path, content)) == CSV


@pytest.mark.parametrize("content", [b"{}", b'\n{"a": 1}', b'[{"a": 1}]', b"[]", b"[1, 2]", b"[null]", b"[true]"])
def test_text_is_json(tmp_path: Path, content: bytes) -> None:
    assert sniff(_file(tmp_path, content)) == JSON


_JSON = st.lists(st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())) | st.dictionaries(
    st.text(), st.integers()
)


@given(_JSON)
def test_any_json_document_is_json(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    assert sniff(path) == JSON


@given(st.binary(max_size=64))
def test_any_bytes_are_known_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    for start in (b"", b"PK\x03\x04", OLE_MAGIC, b"\xff\xfe"):
        path.write_bytes(start + content)
        try:
            assert sniff(path) in {CSV, JSON}
        except RefusedFileError as refusal:
            assert refusal.next_step


# --- passwords and OLE ---------------------------------------------------------------------------------


def test_an_encrypted_workbook_is_an_ole_file_with_a_package(tmp_path: Path) -> None:
    content = OLE_MAGIC + b"\x00" * 504 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 480
    assert "protected by a password" in _refusal(_file(tmp_path, content, "a.xlsx")).what


def test_an_ole_file_that_is_no_workbook(tmp_path: Path) -> None:
    content = write_xls(tmp_path / "a.xls", SHEET).read_bytes()
    word = content.replace("Workbook".encode("utf-16-le"), "Document".encode("utf-16-le"))
    assert "no Excel workbook" in _refusal(_file(tmp_path, word, "b.xls")).what


@pytest.mark.parametrize("kept", [16, 600, 2000, 0.5, 0.8])
def test_an_xls_cut_short_is_damaged(tmp_path: Path, kept: float) -> None:
    rows = [[f"place {i}", i] for i in range(400)]
    content = write_xls(tmp_path / "a.xls", {"Data": rows}).read_bytes()
    length = int(kept if kept > 1 else kept * len(content))
    assert "damaged" in _refusal(_file(tmp_path, content[:length], "b.xls")).what


def test_an_encrypted_zip(tmp_path: Path) -> None:
    content = bytearray(zip_bytes({"a.csv": b"Code,Name\n"}))
    content[6] |= 1  # general purpose flag of the local header, then of the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    refusal = _refusal(_file(tmp_path, bytes(content)))
    assert "protected by a password" in refusal.what
    assert "a.csv" in refusal.what


def test_an_encrypted_ods(tmp_path: Path) -> None:
    manifest = (
        b'<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data '
        b'manifest:checksum-type="SHA256"/></manifest:file-entry>'
    )
    members = {"mimetype": ODS.encode(), "content.xml": b"\x8f\x01", "META-INF/manifest.xml": manifest}
    path = write_zip(tmp_path / "a.ods", members)
    assert "protected by a password" in _refusal(path).what
    assert sniff(write_zip(tmp_path / "b.ods", members | {"META-INF/manifest.xml": b"<manifest/>"})) == ODS


# --- limits --------------------------------------------------------------------------------------------


def test_the_default_limits_are_those_that_were_agreed() -> None:
    gib = 1 << 30
    assert (DEFAULT_LIMITS.members, DEFAULT_LIMITS.ratio, DEFAULT_LIMITS.nesting) == (5_000, 200, 1)
    assert (DEFAULT_LIMITS.member_bytes, DEFAULT_LIMITS.total_bytes) == (4 * gib, 8 * gib)


def test_a_bomb_is_refused_by_the_default_limits(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {"zeros.csv": b"0" * 10_000_000})
    assert path.stat().st_size < 20_000  # ten million zeros: a ratio of a thousand
    refusal = _refusal(path)
    assert "10,000,000 bytes" in refusal.what
    assert "ratio of 200" in refusal.what


def test_a_bomb_beside_something_large_is_refused_for_itself(tmp_path: Path) -> None:
    noise = os.urandom(200_000)  # 200 times this is allowed for the whole
    path = write_zip(tmp_path / "bomb.zip", {"noise.bin": noise, "zeros.csv": b"0" * 10_000_000})
    assert "'zeros.csv' of 10,000,000 bytes" in _refusal(path).what


def test_a_bomb_within_an_archive_is_refused(tmp_path: Path) -> None:
    inner = zip_bytes({"zeros.csv": b"0" * 10_000_000})
    assert "outer.zip/inner.zip" in _refusal(write_zip(tmp_path / "outer.zip", {"inner.zip": inner})).what


def test_a_few_kilobytes_of_blanks_are_no_bomb(tmp_path: Path) -> None:
    assert sniff(write_zip(tmp_path / "a.zip", {"a.csv": b" " * 1_000_000})) == ZIP


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        (ArchiveLimits(members=2), "3 members, allowed at most 2"),
        (ArchiveLimits(member_bytes=99), "'b.csv' of 100 bytes"),
        (ArchiveLimits(total_bytes=119), "more than 119 bytes"),
        (ArchiveLimits(ratio=0, ratio_from_bytes=50), "120 bytes out of"),
    ],
)
def test_each_limit_stops_what_is_beyond_it(tmp_path: Path, limits: ArchiveLimits, found: str) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": b"1" * 10, "b.csv": b"2" * 100, "c.csv": b"3" * 10})
    assert found in _refusal(path, limits).what


@pytest.mark.parametrize(
    "limits",
    [ArchiveLimits(members=3), ArchiveLimits(member_bytes=100), ArchiveLimits(total_bytes=120)],
)
def test_what_just_keeps_a_limit_is_let_through(tmp_path: Path, limits: ArchiveLimits) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": b"1" * 10, "b.csv": b"2" * 100, "c.csv": b"3" * 10})
    assert sniff(path, limits=limits) == ZIP


def test_members_of_nested_archives_count_too(tmp_path: Path) -> None:
    inner = zip_bytes({"a.csv": b"1", "b.csv": b"2"})
    path = write_zip(tmp_path / "a.zip", {"inner.zip": inner, "c.csv": b"3"})
    assert sniff(path, limits=ArchiveLimits(members=4)) == ZIP
    assert "4 members" in _refusal(path, ArchiveLimits(members=3)).what


def test_one_archive_within_another_is_let_through(tmp_path: Path) -> None:
    workbook = write_xlsx(tmp_path / "a.xlsx", SHEET).read_bytes()
    assert sniff(write_zip(tmp_path / "a.zip", {"folder/a.xlsx": workbook})) == ZIP


def test_two_levels_within_are_beyond_the_limit(tmp_path: Path) -> None:
    deep = zip_bytes({"middle.zip": zip_bytes({"a.csv": b"1"})})
    refusal = _refusal(write_zip(tmp_path / "a.zip", {"inner.bin": deep}))
    assert "archive within an archive" in refusal.what
    assert "middle.zip" in refusal.what


# --- lying headers -------------------------------------------------------------------------------------


def _with_directory(content: bytes, *, size: int | None = None, checksum: int | None = None) -> bytes:
    """The archive with another uncompressed size (and checksum) in its directory and local header."""
    patched = bytearray(content)
    for start, offset in ((content.index(b"PK\x01\x02"), 16), (0, 14)):
        if checksum is not None:
            struct.pack_into("<I", patched, start + offset, checksum)
        if size is not None:
            struct.pack_into("<I", patched, start + offset + 8, size)
    return bytes(patched)


def test_a_header_that_declares_too_little_is_found_out(tmp_path: Path) -> None:
    content = zip_bytes({"zeros.csv": b"0" * 3_000_000})
    lying = _with_directory(content, size=100, checksum=zlib.crc32(b"0" * 100))
    with zipfile.ZipFile(io.BytesIO(lying)) as archive:
        assert len(archive.read("zeros.csv")) == 100  # zipfile itself believes it
    refusal = _refusal(_file(tmp_path, lying))
    assert "declares 100 bytes" in refusal.what


def test_a_header_that_declares_too_much_is_found_out(tmp_path: Path) -> None:
    lying = _with_directory(zip_bytes({"a.csv": b"0" * 100}), size=5_000)
    assert "declares 5,000 bytes for 'a.csv' and holds 100" in _refusal(_file(tmp_path, lying)).what


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    lying = _with_directory(zip_bytes({"a.csv": b"0" * 100}), checksum=1)
    assert "damaged archive" in _refusal(_file(tmp_path, lying)).what


@given(st.data())
def test_an_archive_cut_or_changed_anywhere_never_gives_other_content(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    members = {"a.csv": b"Code,Name\n" * 40, "b.csv": b"E23000014 West Midlands"}
    content = bytearray(zip_bytes(members))
    if data.draw(st.booleans(), "cut"):
        content = content[: data.draw(st.integers(4, len(content) - 1), "length")]
    else:
        content[data.draw(st.integers(4, len(content) - 1), "place")] ^= data.draw(st.integers(1, 255), "by")
    path = tmp_path_factory.getbasetemp() / "any.zip"
    path.write_bytes(content)
    try:
        assert sniff(path) == ZIP
    except RefusedFileError:
        return
    with zipfile.ZipFile(path) as archive:  # a flipped byte in the directory may hide a member, or rename it
        assert {archive.read(member) for member in archive.infolist()} <= set(members.values())


def test_an_archive_cut_short_is_damaged(tmp_path: Path) -> None:
    content = write_xlsx(tmp_path / "a.xlsx", SHEET).read_bytes()
    refusal = _refusal(_file(tmp_path, content[: len(content) // 2], "b.xlsx"))
    assert "damaged archive" in refusal.what
    assert "fetch it again" in refusal.next_step


# --- unsafe members ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../a.csv", "a/../../b.csv", "/etc/passwd", "..\\a.csv", "a\\..\\b.csv", "\\\\server\\a.csv", "C:\\a.csv", "c:a"],
)
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    refusal = _refusal(write_zip(tmp_path / "a.zip", {"fine.csv": b"1", name: b"2"}))
    assert "unsafe name" in refusal.what
    assert repr(name) in refusal.what


@pytest.mark.parametrize("name", ["a..csv", "April 2011 to March 2022.csv", "folder/", "folder/a b.csv", "é.csv"])
def test_odd_but_harmless_names_are_let_through(tmp_path: Path, name: str) -> None:
    assert sniff(write_zip(tmp_path / "a.zip", {name: b"" if name.endswith("/") else b"1"})) == ZIP


def test_an_unsafe_name_within_a_nested_archive_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"inner.zip": zip_bytes({"../a.csv": b"1"})})
    assert "a.zip/inner.zip holds an unsafe name" in _refusal(path).what


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "holds a link" in _refusal(tmp_path / "a.zip").what


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    """Readers differ in which of the two they take."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.csv", "2")
    assert "'a.csv' twice" in _refusal(tmp_path / "a.zip").what


def test_checking_unpacks_nothing_to_disk(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"folder/a.csv": b"1"})
    sniff(path)
    assert list(tmp_path.iterdir()) == [path]


# --- modelled samples ----------------------------------------------------------------------------------


def test_a_modelled_sample_says_so_in_every_form(tmp_path: Path) -> None:
    real = write_xlsx(tmp_path / "a.xlsx", SHEET)
    modelled = mark_modelled(real)
    text = _file(tmp_path, f"{MODELLED_MARK}\nCode,Name\n".encode())
    for path, expected in (
        (real, False),
        (modelled, True),
        (text, True),
        (write_csv(tmp_path / "b.csv", [["Code"]]), False),
        (write_zip(tmp_path / "a.zip", {"a.csv": b"Code\n", "b.csv": text.read_bytes()}), True),
        (write_zip(tmp_path / "b.zip", {"a.csv": b"Code\n"}), False),
        (write_zip(tmp_path / "c.zip", {"folder/a.xlsx": modelled.read_bytes()}), True),
        (write_zip(tmp_path / "d.zip", {"folder/a.xlsx": real.read_bytes()}), False),
    ):
        assert is_modelled(path, sniff(path)) is expected, path.name


def test_a_modelled_ods_says_so(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "a.ods", SHEET)
    assert not is_modelled(path, sniff(path))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["meta.xml"] = members["meta.xml"].replace(
        b"<office:meta>", f"<office:meta><meta:keyword>{MODELLED_MARK}</meta:keyword>".encode()
    )
    marked = write_zip(tmp_path / "b.ods", members)
    assert is_modelled(marked, sniff(marked))
