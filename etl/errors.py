"""Errors an operator reads, and the exit statuses of the command line."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a command's exit status means."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    KEPT_OUT = 3


class JusticeError(Exception):
    """Something an operator can act on: one sentence of what happened, and one of what to do next.

    Args:
        what: what happened, where (file, sheet, row, column), what was expected and what was found.
        next_step: what to do about it; shown after the message.
    """

    exit_status = ExitStatus.FAILED

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} → {self.next_step}" if self.next_step else self.what


class WrongUseError(JusticeError):
    """The command was called in a way that cannot work."""

    exit_status = ExitStatus.WRONG_USE


class RefusedFileError(JusticeError):
    """A file is not what it must be (type, archive limits, home): nothing of it was kept."""


class LayoutError(JusticeError):
    """A landed file fits no declared layout, or a cell that should hold a figure cannot be read."""

    def __init__(self, what: str, next_step: str = "", *, rule: str = "layout") -> None:
        super().__init__(what, next_step)
        self.rule = rule


class RefusedAnswerError(JusticeError):
    """A publisher's answer is not what was asked for (a foreign host, a page instead of a file, too large)."""

    exit_status = ExitStatus.KEPT_OUT


class UnreachableError(JusticeError):
    """No answer to rely on was had this time: nothing is concluded from it, the next run asks again."""


class NotThereError(UnreachableError):
    """What a publisher lists is not there (yet)."""


class LeaseHeldError(JusticeError):
    """Another run is building or publishing in this home."""


class KeptOutError(JusticeError):
    """Something was newly refused or kept out, and an operator must know; what was good went on."""

    exit_status = ExitStatus.KEPT_OUT


class AlreadyToldError(JusticeError):
    """What failed before, and told why, keeps this from being done: nobody need be told again."""


class LateReleaseError(JusticeError):
    """A release that was confirmed did not appear in its hour."""


class StoppedVersionError(JusticeError):
    """A version breaks a rule that every published one meets."""

    exit_status = ExitStatus.KEPT_OUT


class HeldVersionError(JusticeError):
    """A version that was rolled back is not published again by itself."""

    exit_status = ExitStatus.KEPT_OUT
