"""One published text → its meaning: a number, a marker, a header, a name with its notes, a period.

Publishers glue footnotes to everything (`year ending March 181,2,3` is March 2018 with notes 1, 2 and 3) and
write numbers as text (`'170,002 '`, `'-00 '`). Everything here works on one text; `etl.columns` does it for
whole columns.
"""

from __future__ import annotations

import calendar
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

BLANK = "[blank]"
UNREADABLE = "[unreadable]"

MARKERS: Mapping[str, str] = {
    "..": "[x]",
    ":": "[x]",
    "n/a - data not provided": "[x]",
    "n/a": "[x]",
    "*": "[c]",
    "-": "[z]",
    "+": "[z]",
    ".": "[z]",
}
"""Older markers and what they became in the 2021 GSS shorthand; `-` and `+` mean "not shown here"."""

MODERN_MARKERS = frozenset({"[b]", "[c]", "[e]", "[low]", "[p]", "[r]", "[u]", "[w]", "[x]", "[z]"})

_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_NUMBER = re.compile(r"[+-]?(\d{1,3}([, ]\d{3})+|\d+)(\.\d+)?%?")
_TRAILING_MARKER = re.compile(r"\s*(\[[a-z]+\])$", re.IGNORECASE)
_NOTE = re.compile(r"\s*\[\s*notes?\s*([\d,\s and]+)\]", re.IGNORECASE)
_GLUED_NOTES = re.compile(r"(?<=[A-Za-z\])])(\d{1,2}(?:,\s?\d{1,2})*)(?=\s|\)|$)")
_LOOSE_NOTES = re.compile(r"(?<=\))\s+(\d{1,2}(?:,\s?\d{1,2})*)$")
_BRACKETED_NOTES = re.compile(r"(?<=[A-Za-z\])])\s*\((\d{1,2}(?:,\s?\d{1,2})*)\)$")
_GSS_CODE = re.compile(r"\s*([EWKSN][0-9]{8})\s*(|[0-9]{1,2}(?:,\s?[0-9]{1,2})*|\[\s*[Nn]otes?[\d,\s and]+\])\s*")

MONTHS = {
    name.casefold(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, name in enumerate(names)
    if name
} | {"sept": 9}
_MONTH = "(" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
_YEAR = "((?:18|19|20|21)[0-9]{2})"
_YEAR_ENDING = re.compile(rf"year\s+ending\s+{_MONTH}\s+(\d{{2,}}(?:,\d+)*)", re.IGNORECASE)
_COHORT = re.compile(rf"{_MONTH}\s*{_YEAR}?\s*(?:to|-|–)\s*{_MONTH}\s*{_YEAR}", re.IGNORECASE)
_MONTH_YEAR = re.compile(rf"(?:(\d{{1,2}})\s+)?{_MONTH}\s+{_YEAR}", re.IGNORECASE)
_FINANCIAL_YEAR = re.compile(r"((?:19|20)\d{2})\s*[/_–-]\s*(\d{2}|\d{4})")


@dataclass(frozen=True)
class Period:
    """A span of whole days, both ends included."""

    start: date
    end: date


@dataclass(frozen=True)
class Named:
    """A header or a name without its notes, and the notes that were glued to it."""

    text: str
    notes: tuple[int, ...]


def tidy_text(text: str | None) -> str:
    """One line of text: white space of any kind folded to single spaces, none at the ends."""
    return _SPACES.sub(" ", text or "").strip()


@lru_cache(maxsize=65_536)
def parse_number(text: str | None) -> tuple[float | None, str | None]:
    """A published cell as (value, marker); exactly one of them is None, but for `1,234 [r]`, which has both.

    A cell that is neither number nor marker is `(None, "[unreadable]")`; an empty one `(None, "[blank]")`.
    """
    plain = tidy_text(text).replace("\u2212", "-")
    if not plain:
        return None, BLANK
    if (old := MARKERS.get(plain.casefold())) is not None:
        return None, old
    marker = None
    if match := _TRAILING_MARKER.search(plain):
        marker = match.group(1).casefold()
        if marker not in MODERN_MARKERS:
            return None, UNREADABLE
        plain = plain[: match.start()]
        if not plain:
            return None, marker
    if not _NUMBER.fullmatch(plain):
        return None, UNREADABLE
    value = float(plain.rstrip("%").replace(",", "").replace(" ", ""))
    if math.isinf(value):
        return None, UNREADABLE
    return value + 0.0, marker  # + 0.0 turns the -0.0 of "-00" into 0


def _notes(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


@lru_cache(maxsize=65_536)
def split_notes(text: str | None) -> Named:
    """A header or name without its notes: `ENGLAND AND WALES8` → `ENGLAND AND WALES`, note 8.

    Takes away `[note 4]`, digits glued to a letter or bracket, and at the end digits after a closing bracket and
    numbers of one or two digits in brackets (`Rutland (2)`, but not `all offences (2018)`); a hyphen protects
    digits that belong to the text (`mid-2017`).
    """
    plain = tidy_text(text)
    notes: tuple[int, ...] = ()
    before = None
    while plain != before:  # a note that is gone can bare another: `(excluding fraud)1 2`
        before = plain
        for pattern in (_NOTE, _BRACKETED_NOTES, _LOOSE_NOTES, _GLUED_NOTES):
            for match in pattern.finditer(plain):
                notes += _notes(match.group(1))
            plain = tidy_text(pattern.sub("", plain))
    return Named(plain, notes)


def header_meaning(text: str | None) -> str:
    """A header as it is compared: no notes, one line, lower case, no spaces inside brackets."""
    return split_notes(text).text.casefold().replace("( ", "(").replace(" )", ")")


def name_key(name: str | None) -> str:
    """A place name as it is compared: no notes, accents, case, punctuation; `X, City of` is `city of X`."""
    plain = split_notes(name).text.casefold().replace("&", " and ")
    for words in ("city of", "county of"):
        if plain.endswith(f", {words}"):
            plain = f"{words} {plain.removesuffix(f', {words}')}"
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return tidy_text(re.sub(r"[^a-z0-9]+", " ", plain.replace("'", "")))


def parse_gss_code(text: str | None) -> tuple[str | None, tuple[int, ...]]:
    """A GSS code and the notes glued to it: `E230000118` → (`E23000011`, (8,)); no code → (None, ())."""
    match = _GSS_CODE.fullmatch(text or "")
    return (match.group(1), _notes(match.group(2))) if match else (None, ())


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def year_to(end: date) -> Period:
    """The year that ends on the last day of a month."""
    return Period(
        date(end.year - 1, end.month, 1) + timedelta(days=calendar.monthrange(end.year - 1, end.month)[1]),
        end,
    )


def quarter_to(end: date) -> Period:
    """The three months that end on the last day of a month."""
    months = end.year * 12 + end.month - 3
    return Period(date(months // 12, months % 12 + 1, 1), end)


def _year_with_notes(digits: str) -> int:
    """`181,2,3` → 2018 (notes 1, 2, 3); `20191,2` → 2019; a year of four digits is tried first."""
    first = digits.split(",", maxsplit=1)[0]
    if len(first) >= 4 and 1990 <= int(first[:4]) <= 2049:
        return int(first[:4])
    return 2000 + int(first[:2])


def parse_years_ending(text: str) -> list[date]:
    """Every `year ending <month> <year>` of a title as month ends, in the order in which they stand."""
    found = _YEAR_ENDING.findall(tidy_text(text))
    return [month_end(_year_with_notes(digits), MONTHS[month.casefold()]) for month, digits in found]


def parse_day(text: str | None) -> date | None:
    """A day in any published form (`31/03/2003`, `31-03-2003`, `2003-03-31 00:00:00`, `31 March 2003`)."""
    plain = tidy_text(text)
    if match := re.fullmatch(rf"{_YEAR}-(\d{{2}})-(\d{{2}})([ T]00:00:00)?", plain):
        parts = int(match[1]), int(match[2]), int(match[3])
    elif match := re.fullmatch(rf"(\d{{1,2}})[/.-](\d{{1,2}})[/.-]{_YEAR}", plain):
        parts = int(match[3]), int(match[2]), int(match[1])
    elif (match := _MONTH_YEAR.fullmatch(plain)) and match[1]:
        parts = int(match[3]), MONTHS[match[2].casefold()], int(match[1])
    else:
        return None
    try:
        return date(*parts)
    except ValueError:
        return None


def parse_period_end(text: str | None) -> date | None:
    """The end of a period named by a day or a month, as the last day of that month.

    The rolling-year file dates one year 30/12/2017: a period ends with its month.
    """
    if day := parse_day(text):
        return month_end(day.year, day.month)
    if match := _MONTH_YEAR.fullmatch(tidy_text(text)):
        return month_end(int(match[3]), MONTHS[match[2].casefold()])
    ends = parse_years_ending(text or "")
    return ends[-1] if ends else None


def parse_cohort(text: str | None) -> Period | None:
    """A span of months: `Apr 2012 to Mar 2013`, `Apr 2009-Mar 2010`, `Apr - Jun 2019`; none runs backwards."""
    match = _COHORT.search(tidy_text(text))
    if not match:
        return None
    first, last = MONTHS[match[1].casefold()], MONTHS[match[3].casefold()]
    end_year = int(match[4])
    start_year = int(match[2]) if match[2] else end_year - (first > last)
    period = Period(date(start_year, first, 1), month_end(end_year, last))
    return period if period.start < period.end else None


def parse_financial_year(text: str | None) -> int | None:
    """The first calendar year of a financial year: `2017/18`, `2020_21`, `2012-13` → 2017, 2020, 2012."""
    match = _FINANCIAL_YEAR.fullmatch(tidy_text(text))
    if not match or (int(match[1]) + 1) % 100 != int(match[2]) % 100:
        return None
    return int(match[1])


def parse_financial_quarter(year: str | None, quarter: str | None) -> Period | None:
    """The months of a financial quarter: (`2017/18`, `1` or `Q1`) → April to June 2017."""
    first = parse_financial_year(year)
    match = re.fullmatch(r"(?:q|quarter)?\s*([1-4])(?:\.0)?", tidy_text(quarter).casefold())
    if first is None or not match:
        return None
    end = month_end(first + (match[1] == "4"), {"1": 6, "2": 9, "3": 12, "4": 3}[match[1]])
    return quarter_to(end)
