"""What publishers list now: one module a publisher, each turning its pages into editions with their files.

`list_editions(place, pages, ask)` of a module gives a `Listing`. Nothing is landed here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Protocol

from etl.declarations import escape
from etl.errors import JusticeError, RefusedAnswerError, WrongUseError
from etl.landing import parse_published, published_on
from etl.likeness import ALIKE, find_likeness
from etl.sources.places import Rule, Wanted

if TYPE_CHECKING:
    from etl.http import Answer

CalendarStatus = Literal["announced", "confirmed", "published", "cancelled"]
Json = dict[str, Any]


@dataclass(frozen=True)
class ListedFile:
    """A file that a publisher lists; `table` and `key` say which wanted table it is, if it was chosen."""

    url: str
    filename: str
    title: str
    table: str = ""
    key: str = ""


@dataclass(frozen=True)
class Edition:
    """An edition as a publisher lists it now.

    Attributes:
        key: what stays the same when its title or path changes (a content_id, a page).
        title: as published; its slug is the edition.
        page: where people find it.
        files: its tables.
        times: when the publisher says that it put something out, ISO 8601, any order.
        is_dated: its page says when just these files were put out, so that an upload says no more.
        is_previous: replaced by a later version of the same edition.
        withdrawn_at: when the publisher withdrew it; None where it stands.
        explanation: why it was withdrawn or corrected.
        place: the name of the place that lists it.
        in_parts_by: the publisher, where its answers are parts of one table, of no use one by one.
    """

    key: str
    title: str
    page: str
    files: tuple[ListedFile, ...]
    times: tuple[str, ...] = ()
    is_dated: bool = False
    is_previous: bool = False
    withdrawn_at: str | None = None
    explanation: str = ""
    place: str = ""
    in_parts_by: str = ""

    def __post_init__(self) -> None:
        """Check the times while it is known whose they are; `expect_shape` takes what is raised."""
        for time in (*self.times, *([self.withdrawn_at] if self.withdrawn_at else [])):
            london_day(time)


@dataclass(frozen=True)
class Expected:
    """A release that a publisher announces.

    Attributes:
        key: what the announcement is known by.
        title: what is to come.
        status: how far it is.
        expected_at: when, ISO 8601; None where the publisher gives no date. Only a confirmed one is a real time.
        text: the date as published.
        url: where it is announced.
    """

    key: str
    title: str
    status: CalendarStatus
    expected_at: str | None
    text: str
    url: str


@dataclass(frozen=True)
class Problem:
    """Something that could not be listed: where, why, and whether it is only for now."""

    where: str
    error: JusticeError


@dataclass
class Listing:
    """What a place lists: editions (oldest first within each), releases to come, and what was not understood.

    `gone` are pages that the publisher has taken away: page → its explanation. `announcers` are the pages
    whose word on what is to come was heard: page → the key of its next release, announced or not.
    """

    editions: list[Edition] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)
    announcers: dict[str, str] = field(default_factory=dict)

    def add(self, other: Listing) -> None:
        """Take over what another listing holds."""
        self.editions += other.editions
        self.expected += other.expected
        self.problems += other.problems
        self.unknown += other.unknown
        self.gone |= other.gone
        self.announcers |= other.announcers


class Pages(Protocol):
    """How publishers' modules ask: conditionally, with every answer written down."""

    def read_json(self, url: str, project: Callable[[Json], object]) -> tuple[Answer, Json]:
        """A page of JSON: what came back, and its content, which on a 304 is that of the last time.

        Args:
            url: the address.
            project: the part of the content that matters, to tell a change from noise.

        Raises:
            RefusedAnswerError: it is no JSON object.
            UnreachableError: there was no answer.
        """
        ...

    def known_pages(self, place: str) -> Mapping[str, str]:
        """The pages of editions that were landed from a place before, each with the edition's title."""
        ...


_SHAPELESS = (
    *(LookupError, TypeError, ValueError, AttributeError, csv.Error),
    *(ArithmeticError, RecursionError, WrongUseError),  # a date out of bounds, JSON without end, a date that is none
)


@contextmanager
def expect_shape(where: str) -> Iterator[None]:
    """Say where an answer has a shape that is not understood; a publisher's slip must not end the run.

    Raises:
        RefusedAnswerError: something that is always there was not, or was something else.
    """
    try:
        yield
    except _SHAPELESS as error:
        raise RefusedAnswerError(
            f"{where} answered in a shape that is not understood: {type(error).__name__}: {error}",
            "look at its JSON; a new shape belongs in etl/publishers/",
        ) from error


def london_day(moment: str) -> date:
    """The London date of a timestamp, whatever its offset; one without an offset is London's."""
    return published_on(parse_published(moment))


@dataclass(frozen=True)
class Choice:
    """The files of a page that are tables we want, in the order of the rules.

    `unknown` are titles that no rule knows; `problems` say which table was not found, or could be several files.
    """

    files: tuple[ListedFile, ...]
    unknown: list[str]
    problems: list[Problem]


def choose_files(listed: list[ListedFile], wanted: list[Wanted], ignored: list[Rule], page: str) -> Choice:
    """Choose the wanted tables among the files of a page; one that is in doubt keeps no other from being taken."""
    chosen: list[ListedFile] = []
    errors: list[RefusedAnswerError] = []
    matched: set[str] = set()
    for rule in wanted:
        matches: dict[str, dict[str, ListedFile]] = {}
        for file in listed:
            key = rule.match(file.title or file.filename)
            if key is not None:
                found = ListedFile(file.url, file.filename, file.title, rule.table, key)
                matches.setdefault(key, {})[file.url] = found
                matched.add(file.url)
        for _, files in sorted(matches.items()):
            if len(files) == 1:
                chosen += files.values()
            else:
                what = f"several files could be the table {rule.table!r}: {_name_titles(files.values())}"
                errors.append(RefusedAnswerError(f"{page}: {what}", "tell them apart in source.yml, under `places`"))
        if not matches and not rule.optional:
            what = f"no file is the table {rule.table!r} (title like {rule.title!r}); found {_name_titles(listed)}"
            mend = "if the publisher renamed it, change its title in source.yml, under `places`"
            errors.append(RefusedAnswerError(f"{page}: {what}", mend + _say_nearest(rule, listed)))
    rest = [file.title or file.filename for file in listed if file.url not in matched]
    return Choice(
        files=tuple(chosen),
        unknown=[title for title in rest if find_rule(ignored, title) is None],
        problems=[Problem(f"{page}#{number}", error) for number, error in enumerate(errors, start=1)],
    )


def _say_nearest(rule: Wanted, listed: list[ListedFile]) -> str:
    """Which title comes nearest to a table that was not found, and the rule that would take it too."""
    titles = [file.title or file.filename for file in listed]
    like, title = max(((_compare(rule, title), title) for title in titles), default=(0.0, ""))
    if like < ALIKE:
        return ""
    if rule.match(title) is None and any(re.search(token, title, re.IGNORECASE) for token in rule.deny):
        return f": nearest is {title!r}, which its `deny` leaves out"
    # What tells several such tables apart (`key`), and how, no program can guess.
    wider = "" if "(?" in rule.title else f" (title: {_quote(f'{rule.title}|{escape(title.casefold())}')})"
    return f": nearest is {title!r}{wider}"


def describe_unknown(title: str, wanted: list[Wanted]) -> str:
    """A title that no rule knows, with the table that it is most like and the rule that leaves it out.

    Args:
        title: the title, or the file's name where it has none.
        wanted: the tables of the place that lists it.
    """
    like, table = max(((_compare(rule, title), rule.table) for rule in wanted), default=(0.0, ""))
    nearest = f" (nearest: the table {table!r})" if like >= ALIKE else ""
    rule = f"- {{match: {_quote(f'^{escape(title.casefold())}$')}, why: '?'}}"
    return f"{title!r}{nearest}: change `files` in source.yml if we want it, else add to `ignore_files`: {rule}"


def _compare(rule: Wanted, title: str) -> float:
    """How like a table's name, or the words of its rule, a title is; signs of the regular expression do not count."""
    words = re.sub(r"\(\?[^)]*\)|\\[a-zA-Z]|[^a-zA-Z ]+", " ", rule.title)
    names = (words.casefold().strip(), rule.table.replace("_", " "))
    return max(find_likeness(name, title.casefold()) for name in names)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name_titles(files: Iterable[ListedFile]) -> str:
    return ", ".join(repr(file.title or file.filename) for file in files) or "no file at all"


def find_rule(rules: list[Rule], *texts: str) -> Rule | None:
    """The first rule that any of the texts is left out by."""
    found = (rule for rule in rules if any(re.search(rule.match, text, re.IGNORECASE) for text in texts))
    return next(found, None)
