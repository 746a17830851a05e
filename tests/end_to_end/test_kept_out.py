"""What cannot be read or placed is kept out, said once as a failure and afterwards as a warning."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.builders import force_tables, geography, partnerships, rolling_year
from tests.faults.commands import DONE, KEPT_OUT, Commands
from tests.faults.homes import serving


def _figures(commands: Commands, home: Path) -> list[dict[str, object]]:
    query = "SELECT DISTINCT release_id FROM core.recorded_crime ORDER BY release_id"
    found: list[dict[str, object]] = commands.succeed(home, ["sql", "--json", query]).json
    return found


def test_a_file_that_cannot_be_read_is_kept_out_whole_until_it_is_swapped(commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    commands.succeed(home, rolling_year(tmp_path, 3).command, ["publish"])
    old = serving(home)
    bad = force_tables(tmp_path, name="bad.xlsx", cells={"E8": "1,2x4"})
    commands.succeed(home, bad.command)

    # Built and published for the first time: a failure that says where to look.
    for command in (["build"], ["publish"]):
        outcome = commands.run(home, command)
        assert outcome.status == KEPT_OUT, outcome.text
        [message] = outcome.err.splitlines()
        assert message.startswith("Kept out: bad.xlsx (recorded_crime_ons/year-ending-march-2018), rule cell: ")
        assert "sheet 'Table P1', cell E8 ('1,2x4')" in message
        assert "expected a number or a marker → " in message
    assert "Published version" in outcome.out

    # The rest is published, and the whole file is left out.
    assert _figures(commands, home) == [{"release_id": "recorded_crime_ons/rolling-years-3@1"}]
    assert serving(home).version != old.version
    assert commands.succeed(home, ["sql", "--json", "SELECT filename, accepted, rows_read FROM meta.file"]).json == [
        {"filename": "rolling-3-1.csv", "accepted": True, "rows_read": 3},
        {"filename": "bad.xlsx", "accepted": False, "rows_read": 0},
    ]

    # Known by now: a warning.
    for command in (["build"], ["publish"]):
        outcome = commands.succeed(home, command)
        assert outcome.err.startswith("Still kept out: bad.xlsx ")
    assert "Kept out   bad.xlsx" in commands.succeed(home, ["status"]).out
    assert "cell E8" in commands.succeed(home, ["status", "--json"]).json["kept_out"][0]
    [item] = commands.succeed(home, ["build", "--json"]).json["items"]
    assert {name: item[name] for name in ("state", "kind", "rule", "filename", "count")} == {
        "state": "kept_out",
        "kind": "file",
        "rule": "cell",
        "filename": "bad.xlsx",
        "count": 1,
    }
    assert item["message"] == message.removeprefix("Kept out: ")
    assert "lines" not in item
    commands.succeed(home, rolling_year(tmp_path, 1).command)
    outcome = commands.succeed(home, ["publish"])
    assert "Published version" in outcome.out
    assert outcome.err.startswith("Still kept out: bad.xlsx ")

    # A second file that fails is news again, and the first is not.
    commands.succeed(home, rolling_year(tmp_path, 9, ["31/13/2018", "Kent", "South East", "Robbery", "1"]).command)
    outcome = commands.run(home, ["publish"])
    assert outcome.status == KEPT_OUT
    said = [line.partition(":")[0] for line in outcome.err.splitlines()]
    # The two rolling files, made by hand, count a year otherwise: that is warned of.
    assert sorted(set(said)) == ["Kept out", "Still kept out", "Warning"]
    assert (said.count("Kept out"), said.count("Still kept out")) == (1, 1)
    assert "Kept out: rolling-9-1.csv" in outcome.err
    assert "cell A2 ('31/13/2018')" in outcome.err

    # A swap with a good file mends it: the bad one stays known, as superseded.
    swap = force_tables(tmp_path, name="good.xlsx", published="2018-08-01")
    commands.succeed(home, swap.command)
    assert commands.run(home, ["publish"]).status == DONE
    assert {"release_id": "recorded_crime_ons/year-ending-march-2018@2"} in _figures(commands, home)
    states = commands.succeed(
        home, ["sql", "--json", "SELECT state FROM meta.release WHERE edition = 'year-ending-march-2018' ORDER BY ALL"]
    ).json
    assert states == [{"state": "current"}, {"state": "superseded"}]
    query = "SELECT count(*) AS n FROM mart.crime_trend WHERE area_code = 'E23000032' AND table_id = 'P1'"
    assert commands.succeed(home, ["sql", "--json", query]).json[0]["n"] > 20


@pytest.mark.parametrize(
    ("cells", "rule", "parts"),
    [
        pytest.param({"E5": "Violense"}, "layout", ["'violense'", "'violence_against_the_person'"], id="a header"),
        pytest.param({"B8": None, "A8": None}, "cell", ["cell A8", "has no code"], id="an area"),
        pytest.param({"C7": 3.5}, "cell", ["cell C7 ('3.5')"], id="a fraction"),
        pytest.param({"A1": "Table P1: number of offences"}, "layout", ["0 years ending"], id="a title"),
    ],
)
def test_the_rule_and_the_place_are_named(
    cells: dict[str, object], rule: str, parts: list[str], commands: Commands, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    edition = force_tables(tmp_path, cells=cells)  # type: ignore[arg-type]
    outcome = commands.run(home, edition.command, ["build", "--json"])
    assert outcome.status == KEPT_OUT, outcome.text
    assert f"), rule {rule}: " in outcome.err
    assert "p1.xlsx (recorded_crime_ons/year-ending-march-2018)" in outcome.err
    assert " → " in outcome.err
    for part in parts:
        assert part in outcome.err


def test_unknown_areas_go_to_quarantine_until_a_lookup_knows_them(commands: Commands, tmp_path: Path) -> None:
    home = tmp_path / "home"
    commands.succeed(home, rolling_year(tmp_path, 2).command, ["publish"])
    commands.succeed(home, partnerships(tmp_path, ("Birmingham", "Nowhere", "Birmingham & Nowhere")).command)
    outcome = commands.run(home, ["publish"])
    assert outcome.status == KEPT_OUT, outcome.text
    messages = outcome.err.splitlines()
    assert len(messages) == 3
    nowhere = next(message for message in messages if "'Nowhere'" in message)
    assert nowhere.startswith("Kept out: csp.csv, rule unknown_area: ")
    assert "(csp): 1 lines, the first at " in nowhere
    assert "!csv!I3 → " in nowhere

    lines = pq.read_table(home / "quarantine" / "lines.parquet").to_pylist()
    assert [(line["rule"], line["sheet"], line["row"], line["published_name"], line["value"]) for line in lines] == [
        ("unknown_area", "csv", 2, "Birmingham", 20),
        ("unknown_area", "csv", 3, "Nowhere", 21),
        ("unknown_area", "csv", 4, "Birmingham & Nowhere", 22),
    ]
    assert commands.succeed(home, ["status", "--json"]).json["quarantined_lines"] == 3
    assert "Quarantine 3 lines" in commands.succeed(home, ["status"]).out

    outcome = commands.succeed(home, ["publish"])
    assert all(message.startswith("Still kept out: csp.csv") for message in outcome.err.splitlines())

    # The lookup knows one of them: it is placed, and the others are no news.
    commands.succeed(home, geography(tmp_path).command)
    outcome = commands.succeed(home, ["publish"])
    assert len(outcome.err.splitlines()) == 2
    assert "'Birmingham' (csp)" not in outcome.err
    query = "SELECT area_code, offences FROM core.recorded_crime WHERE table_id = 'csp'"
    assert commands.succeed(home, ["sql", "--json", query]).json == [{"area_code": "E22000335", "offences": 20}]
    assert pq.read_table(home / "quarantine" / "lines.parquet").num_rows == 2
