"""Items of a build are told apart, cells are found in messages, and entries say word for word what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from etl import quarantine
from etl.console import print_items, print_settling
from etl.corrections import Correction
from etl.errors import JusticeError, WrongUseError
from etl.expectations import Expectation, Suite, Written
from etl.gates import Broken, Verdict
from etl.landing import land, list_releases
from etl.publish import count_quarantined, find_newly_kept_out
from etl.quarantine import Item, find_item, is_built, make_items, make_name_id, read_items, summarise, write_items
from etl.reading import KeptOut
from etl.settling import Figure, Settling, Suggestion, _accept, _correct, find_figures
from etl.violations import Accepted, Violation
from tests.support import p1_sheet, write_xlsx

ONS = "recorded_crime_ons"
MARCH = f"{ONS}/year-ending-march-2018@1"
SMALL = Expectation(
    type="expect_column_values_to_be_between",
    kwargs={"column": "value", "min_value": 0},
    severity="warning",
    meta=Written(reason="crimes are counted", set_on=date(2026, 7, 1)),
)


@pytest.fixture
def _no_entries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(quarantine, "load_accepted", lambda _: ())
    monkeypatch.setattr(quarantine, "load_corrections", lambda _: [])
    yield


def _broken(suite: str, release_id: str | None, sha256: str | None, cell: str | None) -> Broken:
    violation = Violation(SMALL.name, release_id, sha256, cell, cell or "E23000032", None, "-1")
    return Broken(Suite(suite, "file", (SMALL,)), SMALL, (violation,), 1)


@pytest.mark.usefixtures("_no_entries")
def test_each_file_that_a_suite_warns_of_is_an_item(home: Path, tmp_path: Path) -> None:
    """A rule across files is one."""
    files = [
        write_xlsx(tmp_path / name, {"Table P1": p1_sheet(("E23000032", "Kent", n))}) for n, name in enumerate("ab", 1)
    ]
    source = {"source": ONS, "title": "Year ending March 2018", "published": "2018-07-19"}
    shas = [landed.record.sha256 for landed in land(home, **source, files=files)]  # type: ignore[arg-type]
    verdict = Verdict()
    verdict.warned = [_broken("tidy.recorded_crime", MARCH, sha, f"{sha[:12]}!Table P1!C7") for sha in shas]
    verdict.warned.append(_broken("check.jump", MARCH, shas[0], None))
    verdict.stopped = [_broken("mart.crime_trend", None, None, None)]
    items = make_items(list_releases(home), [], [], verdict)
    assert len({item.item_id for item in items}) == 4
    assert [(item.state, item.suite, item.filename, item.release_id) for item in items] == [
        ("stopped", "mart.crime_trend", None, None),
        ("warned", "check.jump", None, None),
        ("warned", "tidy.recorded_crime", "a", MARCH),
        ("warned", "tidy.recorded_crime", "b", MARCH),
    ]
    assert make_items(list_releases(home), [], [], verdict) == items
    write_items(home / "quarantine", items)
    assert read_items(home) == items
    assert all("lines" not in summary for summary in summarise(items))
    [figure] = find_figures(home, items[2])
    assert (figure.filename, figure.address, figure.text) == ("a", "C7", "1")


@pytest.mark.parametrize("sheet", ["Table P1", "it's", '"P1", cell A1 (', "a!b", "(x), rule cell: ", "a\\'b"])
@pytest.mark.usefixtures("_no_entries")
def test_the_cell_of_a_file_is_found_in_its_message(sheet: str, home: Path, tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "p1.xlsx", {"P1": p1_sheet(("E23000032", "Kent", 1))})
    source = {"source": ONS, "title": "Year ending March 2018", "published": "2018-07-19"}
    [landed] = land(home, **source, files=[path])  # type: ignore[arg-type]
    sha256 = landed.record.sha256
    message = f"p1.xlsx ({ONS}/year-ending-march-2018), rule cell: sheet {sheet!r}, cell C7 ('1): x'): no → look"
    kept_out = KeptOut(sha256, ONS, "p1.xlsx", "cell", message)
    [item] = make_items([], [kept_out], [], Verdict())
    [figure] = find_figures(home, item)
    assert (figure.sheet, figure.address, figure.figure) == (sheet, "C7", "no")
    assert item.short_message == f"sheet {sheet!r}, cell C7 ('1): x'): no"
    assert figure.text is None  # there is no such sheet
    [without] = make_items([], [replace(kept_out, message=message.replace("cell C7", "row 7"))], [], Verdict())
    assert find_figures(home, without) == []


# --- entries ---------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1) | st.sampled_from(
    ["1", "null", "?", "[x]", "2018-03-31", "'"]
)


def _read(entry: str, folder: Path, **answers: str) -> dict[str, object]:
    """An entry, pasted into a file between others, with its answers."""
    assert "\n" not in entry.replace("\n  ", "")
    for name, answer in answers.items():
        entry = entry.replace(f'\n  {name}: "?"', f'\n  {name}: "{answer}"')
    path = folder / "entries.yml"
    path.write_text(f"# mine\n- {{a: 1}}\n{entry}\n- {{b: 2}}\n", encoding="utf-8")
    _, found, _ = yaml.safe_load(path.read_text(encoding="utf-8"))
    return dict(found)


@given(figure=TEXTS, expected=st.none() | TEXTS, found=st.none() | TEXTS)
def test_an_accepted_entry_says_word_for_word_what_was_found(
    figure: str, expected: str | None, found: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    entry = _accept("rule(value)", Figure(figure, expected, found, MARCH))
    folder = tmp_path_factory.getbasetemp()
    accepted = Accepted.model_validate(_read(entry, folder, reason="it's so", accepted_on="2026-07-01"))
    assert (accepted.rule, accepted.edition) == ("rule(value)", "year-ending-march-2018")
    assert (accepted.figure, accepted.expected, accepted.found) == (figure, expected, found)
    assert (accepted.reason, accepted.accepted_on) == ("it's so", date(2026, 7, 1))


@given(filename=TEXTS, sheet=TEXTS, text=st.none() | TEXTS)
def test_a_correction_is_of_this_file_and_this_text(
    filename: str, sheet: str, text: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    figure = Figure("f", None, None, MARCH, filename=filename, sheet=sheet, address="C8", text=text)
    answers = {"corrected": "the right one", "reason": "it's so", "reported_on": "2026-07-01"}
    correction = Correction.model_validate(_read(_correct(figure), tmp_path_factory.getbasetemp(), **answers))
    assert re.fullmatch(str(correction.filename), filename)
    assert not re.fullmatch(str(correction.filename), f"{filename}x")
    assert (correction.sheet, correction.cell, correction.published) == (sheet, "C8", text or "")


# --- what is printed, and asked for ----------------------------------------------------------------------

ITEM = Item("abcd0001", "kept_out", "rule", "r", None, MARCH, None, 1_200, "rule r: [red]a:b:c\n → mend", "why [x]")


def test_what_is_printed_is_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    print_items([ITEM])
    listed = capsys.readouterr().out
    assert "│ 1,200 │ [red]a:b:c " in listed
    assert len(listed.splitlines()) == 4
    entries = tuple(f"- [bold]{n}" for n in range(25))
    figures = [Figure(f"[f{n}]\\", "[x]", ":a:", MARCH) for n in range(25)]
    print_settling(Settling(ITEM, figures, [Suggestion("accepted.yml", "add", entries)]))
    captured = capsys.readouterr()
    assert "abcd0001, kept out: rule r: [red]a:b:c\n" in captured.out
    assert "Why the rule is there: why [x]\n" in captured.out
    assert " [f19]\\ " in captured.out
    assert "[f20]" not in captured.out
    assert "- [bold]19\n" in captured.out
    assert "[bold]20" not in captured.out
    assert captured.err.splitlines() == ["1,180 more are not shown", "5 more entries: --json gives them."]


def test_an_item_is_found_by_the_beginning_of_its_id(home: Path) -> None:
    assert not is_built(home)
    with pytest.raises(WrongUseError, match="there are: none"):
        find_item(home, "a")
    items = [replace(ITEM, item_id=f"abcd{n:04}") for n in range(25)]
    write_items(home / "quarantine", items)
    assert is_built(home)
    assert find_item(home, "abcd0007") == items[7]
    with pytest.raises(WrongUseError, match=r"several items begin with 'abcd002': abcd0020, abcd0021, .*abcd0024 →"):
        find_item(home, "abcd002")
    with pytest.raises(WrongUseError, match=r"no item 'x'.*: abcd0000, .*abcd0019 and 5 more"):
        find_item(home, "x")
    path = home / "quarantine" / "items.json"
    path.write_text('{"items": [{"lines": [], "colour": "red"}]}', encoding="utf-8")
    with pytest.raises(JusticeError, match="damaged"):
        read_items(home)


_SHA, _OTHER = "a" * 64, "b" * 64


def test_a_version_that_was_built_before_there_were_items_kept_out_what_it_says() -> None:
    """After an upgrade nothing that was out for long is news."""
    name = {"sha256": _SHA, "filename": "csp.csv", "rule": "unknown_area", "level": "csp", "published_name": "Nowhere"}
    old = {
        "kept_out": [{"sha256": _OTHER, "filename": "bad.xlsx", "rule": "cell", "message": "bad.xlsx cannot be read"}],
        "quarantined": [name | {"lines": 3, "first_cell": "csv!I2", "nearest_names": ""}],
    }
    items = [
        {"state": "kept_out", "kind": "file", "item_id": "1", "sha256": _OTHER, "release_id": None, "message": "bad"},
        {
            "state": "kept_out",
            "kind": "name",
            "item_id": make_name_id(_SHA, "csp", "Nowhere"),
            "sha256": _SHA,
            "message": "name",
        },
        {"state": "kept_out", "kind": "rule", "item_id": "3", "sha256": _SHA, "release_id": "a/b@1", "message": "rule"},
    ]
    assert find_newly_kept_out({"items": items}, old) == ["rule"]
    assert len(find_newly_kept_out(old, None)) == 2
    assert count_quarantined(old) == 3
    # One file in two releases is two things to know.
    again = {**items[2], "release_id": "a/c@1", "message": "again"}
    assert find_newly_kept_out({"items": [*items, again]}, {"items": items}) == ["again"]
