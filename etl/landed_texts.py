"""Published texts, read again from landed files, and the corrections that were made in them."""

from __future__ import annotations

import re
from pathlib import Path

from etl.corrections import Correction, find_corrections, is_same_text
from etl.errors import JusticeError
from etl.landing import blob_path
from etl.spreadsheets import Sheet, open_workbook

_ADDRESS = re.compile(r"([A-Z]+)([0-9]+)")


class LandedTexts:
    """The texts of cells of landed files; each sheet is read once."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._sheets: dict[tuple[str, str], Sheet | None] = {}

    def find(self, sha256: str, media_type: str, sheet: str, address: str) -> str | None:
        """The published text of a cell, such as `C8`; None where it is empty or absent.

        Raises:
            JusticeError: the landed file is gone.
        """
        found = self._find_sheet(sha256, media_type, sheet)
        place = _ADDRESS.fullmatch(address)
        return found.text(place[1], int(place[2])) if found and place else None

    def _find_sheet(self, sha256: str, media_type: str, name: str) -> Sheet | None:
        if (sha256, name) not in self._sheets:
            path = blob_path(self.home, sha256)
            if not path.exists():
                raise JusticeError(f"the landed file {sha256[:12]} is gone", "run `justice-etl verify`")
            with open_workbook(path, media_type) as workbook:
                self._sheets[sha256, name] = workbook.sheet(name) if name in workbook.sheet_names else None
        return self._sheets[sha256, name]


def find_made_correction(
    release_id: str, filename: str, sheet: str, address: str, text: str | None
) -> Correction | None:
    """The correction that was made in a published cell; None where there is none, or it is of another text.

    Args:
        release_id: the release that states the cell.
        filename: the file's name.
        sheet: as `justice-etl inspect` calls it.
        address: such as `C8`.
        text: what the cell says.
    """
    source, _, release = release_id.partition("/")
    edition = release.rpartition("@")[0]
    for correction in find_corrections(source, edition, filename):
        if (correction.sheet, correction.cell) == (sheet, address) and is_same_text(text, correction.published):
            return correction
    return None
