"""Sites written from warehouses made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import duckdb
import pytest

from etl.claim_words import ToldClaim
from etl.site.pages import write_site
from tests.site.made import CLAIMS, Row, fill
from tests.site.whole import WHOLE

WriteSite = Callable[..., Path]


def write_made(folder: Path, claims: Sequence[ToldClaim] = CLAIMS, **rows: Iterable[Row]) -> Path:
    """Write the site of a warehouse; what is told of claims is given, and tested where it is made."""
    with duckdb.connect() as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr("etl.claim_words.tell_claims", lambda _: list(claims))
        fill(connection, **rows)
        write_site(connection, folder, "0123456789ab")
    return folder


@pytest.fixture(scope="session")
def write_pages() -> WriteSite:
    """Writes a site into a folder: `claims`, `releases`, `revisions` and `summaries` may be others."""
    return write_made


@pytest.fixture(scope="session")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the small warehouse with a page of every kind, where a version has it: beside its Data Docs."""
    version = tmp_path_factory.mktemp("version")
    (version / "data-docs").mkdir()
    (version / "data-docs" / "index.html").touch()
    return write_made(version / "site", **WHOLE)
