"""Alerts: what they say, how long they are, where they arrive, and that nothing secret is said of where."""

from __future__ import annotations

import logging
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from apprise.utils.parse import parse_urls
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from typer import Exit

from etl import alerts
from etl.alerts import (
    TEXT_LIMIT,
    Alert,
    cut_lines,
    deliver,
    describe_failure,
    describe_serving,
    name_address,
    send_alert,
)
from etl.cli import print_kept_out_of_staged
from etl.errors import ExitStatus, JusticeError, StoppedVersionError, UnreachableError
from etl.files import write_json
from etl.settings import Settings
from etl.status import examine
from tests.inbox import Inbox

TOKEN = "s3cr3t-t0ken"
"""Stands in every address; no log and no output may hold it."""

BUILT_AT = "2018-07-20T03:15:00+00:00"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as running:
        yield running


@pytest.fixture
def dead() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"json://me:{TOKEN}@127.0.0.1:{port}/{TOKEN}?+Authorization={TOKEN}"


@pytest.fixture
def serving(home: Path) -> Path:
    """A home of which a version serves."""
    manifest = {"version": "4f0c", "built_at": BUILT_AT, "releases": [], "tables": {}}
    write_json(home / "versions" / "4f0c" / "manifest.json", manifest)
    (home / "current").symlink_to("versions/4f0c")
    return home


def tell(*urls: str) -> Settings:
    return Settings(alert_urls=tuple(map(SecretStr, urls)))


BROKEN = Alert("refresh: failed", "p1.xlsx has no sheet", "look at it", "Version 4f0c serves.", "justice-etl refresh")

# --- what they say ---------------------------------------------------------------------------------------


def test_a_failure_says_what_which_file_what_to_do_and_what_serves(serving: Path, inbox: Inbox) -> None:
    error = StoppedVersionError(
        "bad.xlsx (recorded_crime_ons/year-ending-march-2018), cell E8 ('1,2x4'): expected a number",
        "justice-etl quarantine",
    )
    error.add_note("refused: p1.xlsx is a page\nof HTML")
    alert = describe_failure(serving, error, "Airflow task ingest_crime.fetch, run X, try 2", "http://127.0.0.1/log")
    assert send_alert(tell(inbox.url), alert)
    [received] = inbox.received
    assert received["title"] == "Airflow task ingest_crime.fetch, run X, try 2: kept something out"
    assert received["type"] == "warning"
    assert received["message"].splitlines() == [
        "bad.xlsx (recorded_crime_ons/year-ending-march-2018), cell E8 ('1,2x4'): expected a number",
        "refused: p1.xlsx is a page of HTML",
        "",
        "What to do: justice-etl quarantine",
        f"Version 4f0c, built at {BUILT_AT}, serves in {serving}.",
        f"Where: Airflow task ingest_crime.fetch, run X, try 2 on {socket.gethostname()}",
        "Log: http://127.0.0.1/log",
    ]


def test_each_thing_that_a_message_names_keeps_its_line(home: Path) -> None:
    alert = describe_failure(home, JusticeError("verify:\na is gone\nb is gone"), "x")
    assert alert.text.startswith("verify:\na is gone\nb is gone\n\n")


def test_what_ends_a_command_without_an_error_is_told_by_its_notes(home: Path) -> None:
    ending = Exit(ExitStatus.KEPT_OUT)
    ending.add_note("Kept out: bad.xlsx, rule cell")
    alert = describe_failure(home, ending, "justice-etl build")
    assert (alert.title, alert.what) == ("justice-etl build: kept something out", "Kept out: bad.xlsx, rule cell")
    assert "justice-etl quarantine" in alert.next_step
    assert describe_failure(home, Exit(1), "x").what == "it ended with status 1"


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class ContainerError(Exception):
    """Libraries give their own errors statuses, which are none of ours."""

    exit_status = exit_code = 137


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (KeyError(), "KeyError"),
        (PermissionError(13, "Permission denied", "a.csv"), "PermissionError: [Errno 13] Permission denied: 'a.csv'"),
        (SpeechlessError(), "SpeechlessError"),
        (ContainerError("killed"), "ContainerError: killed"),
    ],
)
def test_any_other_exception_says_its_type_and_text(home: Path, error: Exception, what: str) -> None:
    alert = describe_failure(home, error, "justice-etl refresh")
    assert (alert.title, alert.level, alert.what) == ("justice-etl refresh: failed", "failure", what)
    assert "--verbose" in alert.next_step


def test_what_serves_is_told_of_any_home(serving: Path) -> None:
    manifest = serving / "versions" / "4f0c" / "manifest.json"
    manifest.write_text("{", encoding="utf-8")
    assert describe_serving(serving).startswith(f"Which version serves in {serving} cannot be told")
    alert = describe_failure(serving, UnreachableError("no answer"), "justice-etl refresh")
    assert "cannot be told" in alert.text
    manifest.unlink()
    assert describe_serving(serving) == f"Version 4f0c should serve in {serving}, and is gone."
    (serving / "current").unlink()
    assert describe_serving(serving) == f"No version serves yet in {serving}."


# --- how long they are -----------------------------------------------------------------------------------

lines = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=700), max_size=60)


@given(lines, st.integers(200, 1_000))
def test_what_is_cut_is_counted(found: list[str], limit: int) -> None:
    shown = cut_lines("\n".join(found), limit).splitlines()
    assert len("\n".join(shown)) <= limit
    more = re.fullmatch(r"… and (\d+) more: .*justice-etl quarantine.*", shown[-1]) if shown else None
    if more:
        shown.pop()
    assert len(shown) + int(more[1] if more else 0) == len(found)
    assert bool(shown) == bool(found)
    for line, text in zip(found, shown, strict=False):
        assert text == line or (text.endswith("…") and line.startswith(text[:-1]))
    # Only the first line and those of more than 500 characters are shortened, and only where they must be.
    for line, text in list(zip(found, shown, strict=False))[1:]:
        assert text == line or len(text) == 500


@given(st.lists(st.text(max_size=2_000), min_size=5, max_size=5), st.text(max_size=2_000) | st.none())
def test_no_alert_is_longer_than_services_take(texts: list[str], link: str | None) -> None:
    title, what, next_step, serving, where = texts
    assert len(Alert(title, what * 3, next_step, serving, where, link).text) <= TEXT_LIMIT


def test_what_to_do_and_what_serves_stay_whatever_was_found(home: Path) -> None:
    ending = Exit(ExitStatus.KEPT_OUT)
    for number in range(200):
        ending.add_note(f"Kept out: {number}.xlsx, rule cell: sheet 'Table P1', cell E8 ('1,2x4'), expected a number")
    text = describe_failure(home, ending, "justice-etl refresh").text
    assert text.startswith("Kept out: 0.xlsx, rule cell")
    shown = text.count(".xlsx")
    assert f"… and {200 - shown} more: `justice-etl quarantine`" in text
    assert "No version serves yet" in text
    assert "What to do: " in text


# --- where they arrive -----------------------------------------------------------------------------------


def test_nobody_is_told_without_an_address(caplog: pytest.LogCaptureFixture, home: Path) -> None:
    caplog.set_level(logging.DEBUG)
    assert not send_alert(Settings(), BROKEN)
    [record] = caplog.records
    assert (record.levelname, record.name) == ("DEBUG", "etl.alerts")
    assert "JUSTICE_ALERT_URLS" in record.message


def test_one_service_that_fails_keeps_no_other_from_hearing(
    inbox: Inbox, dead: str, home: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with Inbox(status=403) as refusing:
        settings = tell(dead, f"{refusing.url}/{TOKEN}", f"nonsense://{TOKEN}", f"slack://{TOKEN}", f"{inbox.url}/a")
        assert not send_alert(settings, BROKEN)
        assert len(refusing.received) == 1
    assert [received["message"] for received in inbox.received] == [BROKEN.text]
    warned = [vars(record) for record in caplog.records if record.levelname == "WARNING"]
    assert [(record["name"], record["address"]) for record in warned] == [
        ("etl.alerts", f"address 1 ({dead.partition(':')[0]}://127.0.0.1:{re.findall(r':([0-9]+)/', dead)[0]})"),
        ("etl.alerts", f"address 2 ({refusing.url})"),
        ("etl.alerts", "address 3 (nonsense://…)"),
        ("etl.alerts", "address 4 (slack://…)"),
    ]
    said = "".join(capfd.readouterr()) + "".join(str(vars(record)) for record in caplog.records)
    assert TOKEN not in said


def test_a_service_that_hangs_is_given_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "LIMIT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection, and never answers
        # Left to itself, apprise would wait and try again for ten minutes.
        hanging = f"json://127.0.0.1:{silent.getsockname()[1]}/?rto=120&retry=4"
        started = time.monotonic()
        states = [delivery.state for delivery in deliver(tell(hanging), BROKEN)]
    assert time.monotonic() - started < 60
    assert states == ["late"]


def test_a_slow_service_keeps_no_other_waiting(inbox: Inbox, home: Path) -> None:
    with Inbox(waits_for=inbox.has_received) as slow:  # were they told in turn, it would wait for ever
        assert [delivery.state for delivery in deliver(tell(f"{slow.url}?rto=60", inbox.url), BROKEN)] == [
            "arrived"
        ] * 2


def test_what_arrived_in_time_is_known_where_another_hangs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def end_late(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 20, output=b'[2, "arrived"]\n')

    monkeypatch.setattr("subprocess.run", end_late)
    deliveries = deliver(tell("json://127.0.0.1:1", "json://127.0.0.1:2"), BROKEN)
    assert [delivery.state for delivery in deliveries] == ["late", "arrived"]


def test_a_process_that_cannot_start_is_a_warning(
    inbox: Inbox, home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(home / "nothing"))
    assert not send_alert(tell(inbox.url), BROKEN)
    assert [record.message for record in caplog.records] == ["alert not sent"]
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert [delivery.state for delivery in deliver(tell(inbox.url), BROKEN)] == ["failed"]


def test_doctor_refuses_an_address_that_apprise_does_not_know(inbox: Inbox, dead: str, home: Path) -> None:
    found = {finding.name: finding for finding in examine(tell(inbox.url, f"slack://{TOKEN}"))}["Alerts"]
    assert not found.is_well
    assert found.found.startswith("address 2 (slack://…): apprise knows no such service")
    assert "JUSTICE_ALERT_URLS" in found.mend
    assert TOKEN not in str(found)
    assert {finding.name: finding for finding in examine(tell(inbox.url, dead))}["Alerts"].is_well
    assert "Alerts" not in {finding.name for finding in examine(Settings())}
    assert inbox.received == []  # a look sends nothing


# --- the setting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", []),
        (" \n,", []),
        ("json://a", ["json://a"]),
        ("json://a,slack://b/c", ["json://a", "slack://b/c"]),
        ("json://a  slack://b/c\n, mailto://d?to=e@f,g@h; ", ["json://a", "slack://b/c", "mailto://d?to=e@f,g@h"]),
        ("nonsense", ["nonsense"]),
    ],
)
def test_addresses_are_split_where_apprise_splits_them(
    text: str, urls: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTICE_ALERT_URLS", text)
    assert [url.get_secret_value() for url in Settings().alert_urls] == urls
    assert [url.rstrip(" ,;") for url in parse_urls(text)] == urls


def test_the_settings_do_not_show_their_secrets(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTICE_ALERT_URLS", f"slack://{TOKEN}, {TOKEN}")
    assert TOKEN not in repr(Settings()) + str(Settings()) + Settings().model_dump_json()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"jsons://me:{TOKEN}@hooks.example.org:8443/{TOKEN}?a={TOKEN}", "jsons://hooks.example.org:8443"),
        (f"json://{TOKEN}@[::1]:80/", "json://[::1]:80"),
        (f"mailto://me:{TOKEN}@example.org", "mailto://example.org"),
        (f"mailto://me:1/{TOKEN}@example.org", "mailto://…"),
        (f"slack://{TOKEN}/b/c", "slack://…"),
        (f"tgram://123456:{TOKEN}/1", "tgram://…"),
        (f"pbul://o.{TOKEN}", "pbul://…"),
    ],
)
def test_only_a_scheme_and_a_host_are_named(url: str, name: str) -> None:
    assert name_address(1, url) == f"address 1 ({name})"


def test_what_is_no_address_is_not_named() -> None:
    assert name_address(3, TOKEN) == "address 3"
    assert name_address(3, f"{TOKEN}://a") == "address 3"


secrets = st.text("ab1:/?#@.-[]% ", min_size=1, max_size=12)


@given(secrets, secrets, secrets)
def test_no_password_and_no_path_is_named(user: str, password: str, path: str) -> None:
    named = name_address(1, f"json://{user}:{password}@hooks.example/{path}")
    assert named in ("address 1 (json://hooks.example)", "address 1 (json://…)")


@given(st.sampled_from(["slack", "tgram", "discord", "ntfy", "pover", "o365"]), secrets, secrets)
def test_where_a_token_can_stand_no_host_is_named(scheme: str, first: str, second: str) -> None:
    assert name_address(1, f"{scheme}://{first}@{second}") == f"address 1 ({scheme}://…)"


# --- what the command line tells -------------------------------------------------------------------------


def test_all_that_stops_a_version_is_told(serving: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = [
        {"state": "stopped", "kind": "rule", "message": "rule one: 1 violation"},  # which the error names
        {"state": "stopped", "kind": "rule", "message": "rule two: 2 violations"},
        {"state": "kept_out", "kind": "file", "sha256": "ab", "item_id": "1", "message": "bad.xlsx, rule cell"},
    ]
    manifest = {"version": "77aa", "built_at": BUILT_AT, "releases": [], "tables": {}, "items": items}
    write_json(serving / "staging" / "77aa" / "manifest.json", manifest)
    found = print_kept_out_of_staged(serving, None)
    assert found == ["Not to be published: rule two: 2 violations", "Kept out: bad.xlsx, rule cell"]
    assert capsys.readouterr().err == "Kept out: bad.xlsx, rule cell\n"
    assert print_kept_out_of_staged(serving, manifest) == found[:1]  # it was kept out before
