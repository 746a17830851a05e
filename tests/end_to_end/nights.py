"""Publishers that list two sources, and `justice-etl refresh` against them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.replica import Archive, Replica
from tests.end_to_end.builders import force_tables, open_data
from tests.faults.commands import Commands, Outcome
from tests.publishers.support import API, ONS, SEARCH, asset, attachment, edition_page, item, landing_page

FORCE_PAGE = "/peoplepopulationandcommunity/crimeandjustice/datasets/policeforceareadatatables"
MARCH = f"{FORCE_PAGE}/yearendingmarch2018"
DATA_SET = "/government/statistical-data-sets/police-recorded-crime-and-outcomes-open-data-tables"
BY_FORCE = "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards"


@dataclass
class Night:
    """Runs `justice-etl refresh` in a home, against a replica."""

    home: Path
    archive: Archive
    replica: Replica
    commands: Commands
    workbook: Path
    corrected: Path

    def run(self, *options: str, point: dict[str, Any] | None = None, **env: str) -> Outcome:
        more = {"point": point} if point else {}
        env = {"JUSTICE_REPLICA_URL": self.replica.url, **env}
        return self.commands.run(self.home, ["refresh", *options], env=env, **more)

    def put_workbook(self, path: Path) -> None:
        self.archive.put(f"{ONS}/file?uri={MARCH}/p1.xlsx", path)


def put_page(archive: Archive, content: dict[str, object]) -> None:
    url = f"{ONS}{content['uri']}/data" if "uri" in content else f"{API}{content['base_path']}"
    archive.put(url, json.dumps(content).encode())


def list_force_tables(archive: Archive, following: str = "To be announced") -> None:
    """The page that lists the force tables, and says what follows."""
    listed = landing_page(MARCH, released="2018-07-18T23:00:00.000Z", following=following)
    put_page(archive, listed | {"uri": FORCE_PAGE})


@contextmanager
def make_night(tmp_path: Path, commands: Commands) -> Iterator[Night]:
    """Two sources that are listed: one edition of the force tables, one file of open data."""
    archive = Archive(tmp_path / "archive")
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    edition = force_tables(first)
    corrected = force_tables(second, cells={"C7": "212,842 "})
    list_force_tables(archive)
    put_page(archive, edition_page(MARCH, edition.title, "2018-07-18T23:00:00.000Z", "p1.xlsx"))
    quarters = open_data(first)
    url = asset("prc-pfa.csv")
    put_page(archive, item(DATA_SET, "Open data tables", attachment(url, BY_FORCE)))
    archive.put(url, quarters.files[0], modified="2024-01-24T16:00:00+00:00")
    archive.put(SEARCH, b'{"results": []}')
    with Replica(archive) as replica:
        yield Night(tmp_path / "home", archive, replica, commands, edition.files[0], corrected.files[0])
