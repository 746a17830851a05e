"""The declared sources: one folder each, with `source.yml` (what a publication looks like) and `read.py`."""

from __future__ import annotations

import re
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError, model_validator

from etl.errors import JusticeError, WrongUseError
from etl.files import read_yaml
from etl.sources.places import Place

FOLDER = Path(__file__).resolve().parent


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Measure = Literal["offences", "change_percent", "rate_per_1000", "twelve_month_cohort", "three_month_cohort"]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2)]
"""Why an entry is there; the `?` that suggestions leave in its place is none."""

Headers = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class Column(_Declared):
    """A column that a layout reads: the headers it has had, as `cells.header_meaning` gives them.

    Headers that carry a year (`LAD24CD`, `ltla24_code`) are given by `pattern`, a regular expression for the
    whole header; what it calls `vintage` is the year.
    """

    headers: Headers = []
    pattern: str | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _says_what_it_is(self) -> Column:
        if not self.headers and not self.pattern:
            raise ValueError("a column needs headers or a pattern")
        return self

    @property
    def expected(self) -> str:
        """What messages call it."""
        return self.headers[0] if self.headers else str(self.pattern)

    def match(self, meaning: str) -> re.Match[str] | None:
        """The match of a header's meaning with the pattern; None where it does not match or there is none."""
        return re.fullmatch(self.pattern, meaning) if self.pattern else None

    def is_headed(self, meaning: str) -> bool:
        """Whether a header of this meaning stands over the column."""
        return meaning in self.headers or self.match(meaning) is not None


class Ignored(_Declared):
    """Something published that is left out on purpose, and why. `match` is a regular expression."""

    match: str
    why: str


class Category(_Declared):
    """What a published category means: `match` is a regular expression for the whole text, the first match counts.

    A `total` is the whole population of an area, at `level` where the category says it. `part`s of the chosen
    breakdown add up to it where no total is printed. Any other breakdown is a `repeat` of the same population,
    never added to it. What is not read at all is to `ignore`, and `why`.
    """

    match: str
    role: Literal["total", "part", "repeat", "ignore"]
    level: str | None = None
    why: str = ""


class Layout(_Declared):
    """How one published table looks.

    `sheet` is a regular expression for the whole sheet name (spaces at the ends apart; a text file has no
    sheet name and fits any); `form` says that only a workbook, or only a text file, can hold the table; `title`
    is a regular expression found in the lines above the header, if given.
    `columns` are read by name. Where every other column holds figures of one offence, `figures` lists the
    offences that must be there and `optional_figures` those that may, by `offence_id`; where the columns are
    years, `figure_pattern` finds them. Columns that are left out are declared with the reason. `categories`
    say what the values of a column `category` mean. `area_code` is the area of every row where no column names one.
    """

    layout: str
    table_id: str
    sheet: str = ".*"
    form: Literal["workbook", "text"] | None = None
    title: str | None = None
    header_rows: Literal[1, 2] = 1
    columns: dict[str, Column]
    figures: list[str] = []
    optional_figures: list[str] = []
    figure_pattern: str | None = None
    ignore_columns: list[Ignored] = []
    categories: list[Category] = []
    area_code: str | None = None
    measure: Measure | None = None
    level: str | None = None
    span: Literal["quarter", "year"] | None = None
    kind: str | None = None


class SourceTable(_Declared):
    """A table of a source, in the order in which it is preferred where several state one figure.

    `sums` names what the pipeline adds up because the publisher does not: `offences` (to groups and totals),
    `quarters` (to years), `areas` (forces to regions and countries), `parts` (of a breakdown, to the population),
    `ages` (adults and children to all).
    """

    table_id: str
    title: str
    sums: list[Literal["offences", "quarters", "areas", "parts", "ages"]] = []


class Source(_Declared):
    """A declared source, as its `source.yml` says.

    `places` are where its publishers list its editions; without any, its files are landed by hand.
    `fineness` breaks ties of one day: higher is preferred. `codeless_areas` gives codes to names that are
    printed without one (`{0}` is what the pattern caught, as a slug; `{level}` the level at which the name stands).
    `repeated_offences` stand in several rows of one sheet that state one figure together; any
    other figure that a sheet states twice stops the file.
    """

    source: str
    title: str
    publisher: str
    licence: str
    landing_page: str
    places: list[Place] = []
    fineness: int = 0
    tidy: list[str]
    tables: list[SourceTable]
    layouts: list[Layout]
    ignore_sheets: list[Ignored] = []
    codeless_areas: dict[str, str] = {}
    repeated_offences: list[str] = []

    @property
    def folder(self) -> Path:
        """Where its declaration and reader lie."""
        return FOLDER / self.source

    @cached_property
    def ignored_sheets(self) -> list[tuple[re.Pattern[str], str]]:
        """Compiled rules for sheets that are not read."""
        return [(re.compile(rule.match, re.IGNORECASE), rule.why) for rule in self.ignore_sheets]

    def why_ignored(self, sheet: str) -> str | None:
        """Why a sheet is not read; None if no rule leaves it out."""
        name = sheet.rsplit("/", 1)[-1].strip()
        return next((why for rule, why in self.ignored_sheets if rule.fullmatch(name)), None)


@cache
def declared_sources() -> dict[str, Source]:
    """All declared sources by name.

    Raises:
        JusticeError: a `source.yml` is not what it must be.
    """
    return {path.parent.name: _load(path) for path in sorted(FOLDER.glob("*/source.yml"))}


def load_source(name: str) -> Source:
    """One declared source.

    Raises:
        WrongUseError: no such source; names those there are.
    """
    sources = declared_sources()
    if name not in sources:
        raise WrongUseError(f"there is no source {name!r}", f"name one of: {', '.join(sources)}")
    return sources[name]


def _load(path: Path) -> Source:
    try:
        source = Source.model_validate(read_yaml(path))
    except (yaml.YAMLError, ValidationError) as error:
        raise JusticeError(f"{path} is not a valid declaration: {error}", "mend the file") from error
    if source.source != path.parent.name:
        raise JusticeError(f"{path} declares {source.source!r}", f"its folder is called {path.parent.name!r}")
    return source
