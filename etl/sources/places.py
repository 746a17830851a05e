"""Where publishers list the editions of a source, and which files there are its tables, as `source.yml` declares."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Declared):
    """Something that is left out on purpose, and why. `match` is a regular expression."""

    match: str
    why: str


class Wanted(_Declared):
    """A table that every edition is expected to hold, by its title.

    `title` and each of `deny` are regular expressions found anywhere in the title (or, where there is none, the
    file's name), whatever the case; a denied title is not the table. What `title` calls `key` tells several
    such tables of one listing apart (the first year of a period, say): each key is wanted once.
    """

    table: str
    title: str
    deny: list[str] = []
    optional: bool = False

    def match(self, title: str) -> str | None:
        """The key of the table that a title names, empty where the rule has none; None where it names none."""
        found = re.search(self.title, title, re.IGNORECASE)
        if found is None or any(re.search(token, title, re.IGNORECASE) for token in self.deny):
            return None
        return (found.groupdict().get("key") or "").casefold()


class _Listing(_Declared):
    files: list[Wanted] = []
    ignore_files: list[Rule] = []


class Announcements(_Declared):
    """Which announcements of an organisation speak of this source: `title` is a regular expression."""

    organisation: str
    title: str


class GovUkPlace(_Listing):
    """A page of GOV.UK: a collection of publications, a publication, or a statistical data set.

    `paths` are all that it has had, the newest first; `content_ids` all that it has had, none where unknown.
    `ignore_pages` leaves out publications of a collection by path or title. `editions` says whether a page is
    an edition, or each of its files is one (a page that is kept for good and gets new files).
    """

    publisher: Literal["govuk"]
    paths: list[str] = Field(min_length=1)
    content_ids: list[str] = []
    ignore_pages: list[Rule] = []
    editions: Literal["pages", "files"] = "pages"
    announcements: Announcements | None = None

    @property
    def name(self) -> str:
        """What stays the same when the page moves: the oldest of its addresses."""
        return f"https://www.gov.uk{self.paths[-1]}"


class OnsPlace(_Listing):
    """A dataset page of ons.gov.uk; `pages` are all the paths that it has had, the newest first."""

    publisher: Literal["ons"]
    pages: list[str] = Field(min_length=1)

    @property
    def name(self) -> str:
        """What stays the same when the page moves: the oldest of its addresses."""
        return f"https://www.ons.gov.uk{self.pages[-1]}"


class NomisPlace(_Declared):
    """A query of Nomis: a dataset, a type of geography, the dates, and what else narrows it."""

    publisher: Literal["nomis"]
    title: str
    dataset: str
    geography: str
    dates: list[str]
    parameters: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The dataset and its geography."""
        return f"Nomis {self.dataset} {self.geography}"


class OpenGeographyPlace(_Declared):
    """Lookup services of ONS Open Geography."""

    publisher: Literal["open_geography"]
    services: list[str]

    @property
    def name(self) -> str:
        """There is one service of services."""
        return "ONS Open Geography"


Place = Annotated[GovUkPlace | OnsPlace | NomisPlace | OpenGeographyPlace, Field(discriminator="publisher")]
