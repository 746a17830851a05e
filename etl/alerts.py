"""Alerts: what failed or was kept out, what to do, and what still serves, sent to whom the settings name.

apprise knows how to reach each service. `python -m etl.alerts` runs it in a process of its own: a service that
hangs ends with that process, and no library logs an address, most of which hold tokens.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

from etl.errors import ExitStatus, JusticeError

if TYPE_CHECKING:
    from etl.settings import Settings

logger = logging.getLogger(__name__)

LIMIT_SECONDS = 20
"""How long all addresses together may take."""

TEXT_LIMIT = 1_800
"""Characters of a text, title apart: what the strictest of the common services (Discord, 2,000) takes in one piece."""

_TITLE_LIMIT = 150
_LINE_LIMIT = 500
_PART_LIMIT = 300
_MORE = "`justice-etl quarantine` and `justice-etl status` list them, the log has all"

_WITH_HOST = frozenset(
    name + end for name in ("apprise", "form", "gotify", "json", "mailto", "mmost", "xml") for end in ("", "s")
)
"""Schemes whose addresses name a host in the place where those of other services hold a token."""

Level = Literal["failure", "warning", "info"]
State = Literal["arrived", "failed", "late", "known", "unknown"]
_STATES: dict[State, str] = {
    "arrived": "it arrived",
    "failed": "the service could not be reached, or refused it",
    "late": f"the service gave no answer within {LIMIT_SECONDS} seconds",
    "known": "apprise knows the service",
    "unknown": "apprise knows no such service, or something is missing in the address",
}
_TITLES: dict[int, tuple[str, Level]] = {
    ExitStatus.FAILED: ("failed", "failure"),
    ExitStatus.KEPT_OUT: ("kept something out", "warning"),
}
_NEXT_STEPS: dict[int, str] = {
    ExitStatus.FAILED: "run it again with --verbose, or see the log",
    ExitStatus.KEPT_OUT: "`justice-etl quarantine` shows what would settle what is kept out or stopped, "
    "`justice-etl status` what was refused",
}


@dataclass(frozen=True)
class Alert:
    """What somebody must know.

    Attributes:
        title: one line.
        what: what failed or was found, one thing a line.
        next_step: what to do about it; may be empty.
        serving: which version serves, in a sentence.
        where: which command or task, and on which machine.
        link: where to read on, such as the address of the log.
        level: how services colour it.
    """

    title: str
    what: str
    next_step: str
    serving: str
    where: str
    link: str | None = None
    level: Level = "failure"

    @property
    def text(self) -> str:
        """The message as plain text, of at most `TEXT_LIMIT` characters: of `what` as many lines as have room."""
        parts = [
            f"What to do: {_shorten(self.next_step, _PART_LIMIT)}" if self.next_step else "",
            _shorten(self.serving, _PART_LIMIT),
            f"Where: {_shorten(self.where, _PART_LIMIT)}",
            # Half a link leads nowhere.
            f"Log: {self.link}" if self.link and len(self.link) <= _LINE_LIMIT else "",
        ]
        rest = "\n".join(filter(None, parts))
        return "\n\n".join(filter(None, [cut_lines(self.what, TEXT_LIMIT - len(rest) - 2), rest]))


def cut_lines(text: str, limit: int) -> str:
    """As many lines as fit into `limit` characters, and how many more there are.

    Args:
        text: one thing a line; empty lines do not count, long ones are shortened.
        limit: at least 200.
    """
    lines = [_shorten(line, _LINE_LIMIT) for line in text.splitlines() if line.strip()]
    if len(whole := "\n".join(lines)) <= limit:
        return whole
    room = limit - len(f"… and {len(lines)} more: {_MORE}") - 1
    kept: list[str] = []
    for line in [_shorten(lines[0], room), *lines[1:]]:
        if len("\n".join([*kept, line])) > room:
            break
        kept.append(line)
    more = len(lines) - len(kept)
    return "\n".join([*kept, f"… and {more} more: {_MORE}"] if more else kept)


def _shorten(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def describe_failure(home: Path, error: BaseException, where: str, link: str | None = None) -> Alert:
    """An alert that tells of what ended a command or a task; never raises.

    Args:
        home: the data home, of which it says what serves.
        error: a `JusticeError`, any other exception, or a `typer.Exit`. Its notes (`add_note`) are told as well,
            one a line: what was newly kept out, refused, missed.
        where: such as "justice-etl refresh" or "Airflow task ingest_crime.fetch, run X, try 2".
        link: where to read on.
    """
    status = _find_status(error)
    word, level = _TITLES.get(status, _TITLES[ExitStatus.FAILED])
    next_step = _NEXT_STEPS.get(status, _NEXT_STEPS[ExitStatus.FAILED])
    notes = [" ".join(str(note).split()) for note in getattr(error, "__notes__", ())]
    return Alert(
        title=_shorten(f"{where}: {word}", _TITLE_LIMIT),
        what="\n".join(filter(None, [_say_error(error), *notes])) or f"it ended with status {status:d}",
        next_step=error.next_step if isinstance(error, JusticeError) else next_step,
        serving=describe_serving(home),
        where=f"{where} on {socket.gethostname()}",
        link=link,
        level=level,
    )


def describe_test(home: Path, text: str) -> Alert:
    """An alert to try the addresses with."""
    where = f"justice-etl alert on {socket.gethostname()}"
    return Alert("justice-etl: a test", text, "", describe_serving(home), where, level="info")


def _find_status(error: BaseException) -> int:
    from typer import Exit

    if isinstance(error, JusticeError):
        return error.exit_status
    return error.exit_code if isinstance(error, Exit) else ExitStatus.FAILED


def _say_error(error: BaseException) -> str:
    """What happened; nothing of a `typer.Exit`, whose notes say it."""
    from typer import Exit

    if isinstance(error, Exit):
        return ""
    if isinstance(error, JusticeError):
        return error.what
    try:
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    except Exception:
        return type(error).__name__


def describe_serving(home: Path) -> str:
    """Which version of a home serves and when it was built, in a sentence; never raises."""
    try:
        from etl.publish import current_version, serving_manifest

        version, manifest = current_version(home), serving_manifest(home)
    except Exception:
        return f"Which version serves in {home} cannot be told, something is damaged there: justice-etl doctor."
    if manifest:
        return f"Version {version}, built at {manifest['built_at']}, serves in {home}."
    return f"Version {version} should serve in {home}, and is gone." if version else f"No version serves yet in {home}."


# --- sending -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    """What became of an alert, or of a look at an address; `address` is its number, scheme and host only."""

    address: str
    state: State

    @property
    def is_well(self) -> bool:
        """Whether it arrived, or is known."""
        return self.state in ("arrived", "known")

    @property
    def words(self) -> str:
        """What became of it, as people read it."""
        return _STATES[self.state]


def send_alert(settings: Settings, alert: Alert) -> bool:
    """Send an alert to every address; what keeps one from arriving is logged, never raised.

    Returns:
        Whether it arrived everywhere; False where nobody is to be told.
    """
    if not settings.alert_urls:
        logger.debug("nobody is told: JUSTICE_ALERT_URLS is not set")
        return False
    try:
        deliveries = deliver(settings, alert)
    except Exception as error:
        # What an alert tells of matters more than that it cannot be told.
        logger.warning("alert not sent", extra={"reason": type(error).__name__})
        return False
    for delivery in deliveries:
        if not delivery.is_well:
            logger.warning("alert not sent", extra={"address": delivery.address, "reason": delivery.words})
    return all(delivery.is_well for delivery in deliveries)


def deliver(settings: Settings, alert: Alert | None) -> list[Delivery]:
    """Send an alert to every address, within `LIMIT_SECONDS` all together.

    Args:
        settings: the addresses.
        alert: None only looks whether apprise knows the addresses.

    Returns:
        One delivery an address, in their order.

    Raises:
        OSError: no process can be started.
    """
    urls = [url.get_secret_value() for url in settings.alert_urls]
    message = alert and {"title": alert.title, "body": alert.text, "notify_type": alert.level}
    answers, missing = _ask_process({"urls": urls, "message": message})
    return [Delivery(name_address(n, url), answers.get(n, missing)) for n, url in enumerate(urls, start=1)]


def name_address(number: int, url: str) -> str:
    """An address for logs: its number and scheme, and its host where no token can stand in that place."""
    scheme, _, rest = url.partition("://")
    if not rest or not re.fullmatch(r"[a-zA-Z0-9]{1,32}", scheme):
        return f"address {number}"
    authority, *beyond = re.split(r"[/?#]", rest, maxsplit=1)
    host = authority.rpartition("@")[2]
    # A password with a slash in it puts the host beyond what looks like one.
    is_host = scheme.lower() in _WITH_HOST and re.fullmatch(r"(\w[\w.-]*|\[[0-9a-fA-F:]+\])(:\d+)?", host)
    return f"address {number} ({scheme}://{host if is_host and '@' not in ''.join(beyond) else '…'})"


def _ask_process(request: dict[str, Any]) -> tuple[dict[int, State], State]:
    """What became of each address by number, and what to say of those without an answer."""
    missing: State = "failed"
    try:
        answered = subprocess.run(
            [sys.executable, "-m", "etl.alerts", str(LIMIT_SECONDS)],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LIMIT_SECONDS,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as late:
        answered, missing = late.stdout or b"", "late"
    return dict(json.loads(line) for line in answered.splitlines()), missing


def main() -> None:
    """Answer one request on standard input: a line `[number, state]` an address; what libraries print goes nowhere."""
    # Whoever asked may be gone before its limit.
    signal.alarm(int(sys.argv[1]) + 1)
    answers = os.dup(sys.stdout.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    _answer(json.load(sys.stdin), answers)


def _answer(request: dict[str, Any], answers: int) -> None:
    from apprise import Apprise, AppriseAsset

    # Without a limit of its own, a service is called in our thread, and not in one of a pool.
    asset = AppriseAsset(app_id="justice-etl", app_desc="justice-etl", async_mode=False, service_timeout=0)
    services = [Apprise.instantiate(url, asset=asset) for url in request["urls"]]

    def take(number: int, service: Any) -> None:
        state: State = "known" if service else "unknown"
        if service and request["message"]:
            is_sent = Apprise(service, asset=asset).notify(**request["message"], body_format="text")
            state = "arrived" if is_sent else "failed"
        os.write(answers, json.dumps([number, state]).encode() + b"\n")

    threads = [Thread(target=take, args=numbered) for numbered in enumerate(services, start=1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
