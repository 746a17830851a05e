"""One published text and its meaning: every form of the facts, and what holds for any text at all."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.cells import (
    BLANK,
    MARKERS,
    MODERN_MARKERS,
    MONTHS,
    UNREADABLE,
    Named,
    Period,
    header_meaning,
    month_end,
    name_key,
    parse_cohort,
    parse_day,
    parse_financial_quarter,
    parse_financial_year,
    parse_gss_code,
    parse_number,
    parse_period_end,
    parse_years_ending,
    quarter_to,
    split_notes,
    tidy_text,
    year_to,
)

# --- numbers and markers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("170,002 ", 170_002),  # Table C2
        (" 66776 ", 66_776),  # Home Office open data
        ("-00 ", 0),
        ("0", 0),
        ("-3", -3),
        ("\u22123", -3),  # a typographic minus
        ("-1,234", -1_234),
        ("4,881,043", 4_881_043),
        ("1 234 567", 1_234_567),
        ("1\u00a0234", 1_234),  # no-break space
        ("1\u202f234", 1_234),  # narrow no-break space
        ("12.857409346", 12.857409346),
        ("-6.307490145", -6.307490145),
        ("0012", 12),
        ("31.4%", 31.4),
        ("1,234.5", 1_234.5),
        ("\t7\r\n", 7),
    ],
)
def test_numbers_in_every_published_form(text: str, value: float) -> None:
    assert parse_number(text) == (value, None)


def test_minus_zero_is_zero() -> None:
    value, _ = parse_number("-00 ")
    assert value is not None
    assert math.copysign(1, value) == 1


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("[c]", "[c]"),
        ("[x]", "[x]"),
        ("[z]", "[z]"),
        ("[low]", "[low]"),
        ("[r]", "[r]"),
        ("[p]", "[p]"),
        ("[e]", "[e]"),
        ("[b]", "[b]"),
        ("[u]", "[u]"),
        (" [X] ", "[x]"),
        ("[LOW]", "[low]"),
        ("..", "[x]"),
        (" .. ", "[x]"),
        (":", "[x]"),
        ("N/A - data not provided", "[x]"),
        ("n/a -  data\nnot provided ", "[x]"),
        ("*", "[c]"),
        ("-", "[z]"),
        ("+", "[z]"),
        (".", "[z]"),
        ("", BLANK),
        ("   ", BLANK),
        ("\u00a0", BLANK),
        (None, BLANK),
    ],
)
def test_a_marker_has_no_value(text: str | None, marker: str) -> None:
    assert parse_number(text) == (None, marker)


@pytest.mark.parametrize(
    ("text", "value", "marker"),
    [("1,234 [r]", 1_234, "[r]"), ("56[P]", 56, "[p]"), ("-00 [u]", 0, "[u]"), ("0 [low]", 0, "[low]")],
)
def test_a_qualified_number_keeps_both(text: str, value: float, marker: str) -> None:
    assert parse_number(text) == (value, marker)


@pytest.mark.parametrize(
    "text",
    [
        "12,34",
        "1,2345",
        "1 2",
        "1.234.567",
        "5.",
        "1e5",
        "nan",
        "inf",
        "--5",
        "5-",
        "(5)",
        "£5",
        "abc",
        "[q]",
        "12 [q]",
        "[]",
        "[unreadable]",
        "[blank]",
        "#N/A",
        "#DIV/0!",
        "12 offences",
        "²",
        "½",
        "9" * 400,  # no double holds it
    ],
)
def test_what_is_neither_number_nor_marker_is_unreadable(text: str) -> None:
    assert parse_number(text) == (None, UNREADABLE)


def test_every_old_marker_becomes_a_modern_one() -> None:
    assert set(MARKERS.values()) <= MODERN_MARKERS


_PADDING = st.text(st.sampled_from(" \t\n\u00a0\u2007\u2009\u202f"), max_size=3)


@given(
    number=st.integers(-(10**15), 10**15),
    separator=st.sampled_from([",", " ", "\u00a0", "\u202f", ""]),
    before=_PADDING,
    after=_PADDING,
    minus=st.sampled_from("-\u2212"),
)
def test_any_whole_number_reads_back_however_it_is_set(
    number: int, separator: str, before: str, after: str, minus: str
) -> None:
    text = f"{number:,}".replace(",", separator).replace("-", minus)
    assert parse_number(before + text + after) == (number, None)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_number_reads_back(number: float) -> None:
    value, marker = parse_number(format(number, "f"))
    assert marker is None
    assert value is not None
    assert math.isclose(value, number, abs_tol=5e-7, rel_tol=1e-15)


@given(st.integers(-(10**9), 10**9), st.sampled_from(sorted(MODERN_MARKERS)), _PADDING)
def test_any_number_keeps_its_marker(number: int, marker: str, space: str) -> None:
    assert parse_number(f"{number:,}{space}{marker}") == (number, marker)


@given(st.one_of(st.none(), st.text(), st.text("0123456789,. +-%[]rxcz()", max_size=12)))
def test_no_text_raises_and_value_and_marker_stay_apart(text: str | None) -> None:
    value, marker = parse_number(text)
    if value is None:
        assert marker in {BLANK, UNREADABLE, *MODERN_MARKERS}
    else:
        assert math.isfinite(value)
        assert marker is None or marker in MODERN_MARKERS


# --- notes glued to names and headers ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("published", "text", "notes"),
    [
        ("ENGLAND AND WALES8", "ENGLAND AND WALES", (8,)),
        ("ENGLAND AND WALES11", "ENGLAND AND WALES", (11,)),
        ("Humberside [note 4]", "Humberside", (4,)),
        ("Wiltshire ", "Wiltshire", ()),
        ("Total recorded crime (excluding fraud4)", "Total recorded crime (excluding fraud)", (4,)),
        (
            "Total recorded crime\n (excluding fraud) \n[note 2]",
            "Total recorded crime (excluding fraud)",
            (2,),
        ),
        ("Stalking and harassment5", "Stalking and harassment", (5,)),
        ("Residential burglary6,7", "Residential burglary", (6, 7)),
        ("Non-residential  burglary6, 7", "Non-residential burglary", (6, 7)),
        ("Percentage change5,6", "Percentage change", (5, 6)),
        ("Theft [notes 1, 2 and 13]", "Theft", (1, 2, 13)),
        ("Theft [note 1] [note 2]", "Theft", (1, 2)),
        ("Theft (all)1 2", "Theft (all)", (1, 2)),
        ("Rutland (2)", "Rutland", (2,)),
        ("Number of offenders(1)", "Number of offenders", (1,)),
        ("Bristol, City of (1, 12)", "Bristol, City of", (1, 12)),
        ("Proportion reoffending (%) (3)", "Proportion reoffending (%)", (3,)),
        ("Isle of Anglesey [note 3] (2)", "Isle of Anglesey", (3, 2)),
        ("Total recorded crime (2018)", "Total recorded crime (2018)", ()),
        ("Offenders (10 to 17)", "Offenders (10 to 17)", ()),
        ("Drug (12) offences", "Drug (12) offences", ()),
        ("(2)", "(2)", ()),
        ("2 (3)", "2 (3)", ()),
        ("Population figures (mid-2016)4 rounded to 100", "Population figures (mid-2016) rounded to 100", (4,)),
        ("Estimated population mid-2020", "Estimated population mid-2020", ()),
        ("2020 people per sq. km", "2020 people per sq. km", ()),
        ("12 months ending", "12 months ending", ()),
        ("8N", "8N", ()),
        ("105A", "105A", ()),
        ("37.2", "37.2", ()),
        ("90+", "90+", ()),
        ("", "", ()),
        (None, "", ()),
    ],
)
def test_notes_come_off_names_and_headers(published: str | None, text: str, notes: tuple[int, ...]) -> None:
    assert split_notes(published) == Named(text, notes)


_NAMED = st.one_of(
    st.text(max_size=30),
    st.text("ab1 2,()[]note", max_size=20),
    st.lists(
        st.sampled_from(["Kent", "(all)", "1", " 2", ",3", "[note 4]", "[notes 5 and 6]", " ", ")", "mid-2017"]),
        max_size=8,
    ).map("".join),
)


@given(_NAMED)
def test_a_name_without_notes_has_none_left(text: str) -> None:
    once = split_notes(text)
    assert split_notes(once.text) == Named(once.text, ())


@given(_NAMED)
def test_headers_and_keys_are_stable(text: str) -> None:
    assert header_meaning(header_meaning(text)) == header_meaning(text)
    assert set(name_key(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ")


@given(
    st.text("abcdefghij", min_size=1).filter(lambda name: "note" not in name),
    st.lists(st.integers(1, 99), min_size=1, max_size=4),
    st.sampled_from(["glued", "bracket", "brackets"]),
)
def test_any_note_comes_off_in_its_order(name: str, notes: list[int], how: str) -> None:
    published = {
        "glued": name + ",".join(map(str, notes)),
        "bracket": f"{name} [notes {', '.join(map(str, notes))}]",
        "brackets": name + "".join(f" [note {note}]" for note in notes),
    }[how]
    assert split_notes(published) == Named(name, tuple(notes))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Total recorded crime (excluding fraud4)", "Total recorded crime\n (excluding fraud) \n[note 2]"),
        ("Stalking\nand harassment", "Stalking and harassment5"),
        ("Police Force\nArea code", "police force area code"),
        ("Theft ( all )", "theft (all)"),
    ],
)
def test_headers_of_one_meaning(one: str, other: str) -> None:
    assert header_meaning(one) == header_meaning(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("London, City of", "City of London"),
        ("Bristol, City of", "City of Bristol"),
        ("Herefordshire, County of", "County of Herefordshire"),
        ("Kings Lynn and West Norfolk", "King's Lynn & West Norfolk"),
        ("Barrow-in-Furness", "Barrow-In-Furness"),
        ("Unassigned Avon & Somerset", "Unassigned Avon and Somerset"),
        ("Unassigned Metropolitan Police", "Unassigned Metropolitan police"),
        ("Unassigned Surrey", "unassigned Surrey"),
        ("Wiltshire ", "Wiltshire"),
        ("Humberside [note 4]", "Humberside"),
        ("Ynys Môn", "Ynys Mon"),
        ("Devon\u00a0& Cornwall", "Devon and Cornwall"),
    ],
)
def test_places_of_one_name(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) != ""


def test_places_of_different_names_stay_apart() -> None:
    names = ["West Midlands", "West Mercia", "Northern Devon", "North Devon", "Shepway", "Folkestone and Hythe"]
    assert len({name_key(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("text", "code", "notes"),
    [
        ("E23000014", "E23000014", ()),
        ("E06000061 ", "E06000061", ()),
        ("\u00a0W15000004", "W15000004", ()),
        ("K04000001", "K04000001", ()),
        ("E230000118", "E23000011", (8,)),  # June 2018 and March 2019, Table P2
        ("E230000246", "E23000024", (6,)),
        ("E230000257", "E23000025", (7,)),
        ("E2300001112", "E23000011", (12,)),
        ("E230000118,9", "E23000011", (8, 9)),
        ("E23000012 [note 4]", "E23000012", (4,)),
        ("Combined Local Authorities", None, ()),
        ("E2300001", None, ()),
        ("e23000014", None, ()),
        ("E23000014 West Midlands", None, ()),
        ("E230000141234", None, ()),
        ("", None, ()),
        (None, None, ()),
    ],
)
def test_codes_with_digits_glued_on(text: str | None, code: str | None, notes: tuple[int, ...]) -> None:
    assert parse_gss_code(text) == (code, notes)


# --- periods -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "ends"),
    [
        ("number of offences, year ending March 181,2,3", [date(2018, 3, 31)]),
        ("number of offences, year ending March 20191,2", [date(2019, 3, 31)]),
        ("year ending March 2018", [date(2018, 3, 31)]),
        ("Year ending June 2025 [note 1]", [date(2025, 6, 30)]),
        ("Year Ending  Sept\n2019", [date(2019, 9, 30)]),
        ("year ending February 2020", [date(2020, 2, 29)]),
        (
            "percentage change, year ending march 2017 compared with year ending March 20181,2,3",
            [date(2017, 3, 31), date(2018, 3, 31)],
        ),
        ("year to March 2018", []),
        ("", []),
    ],
)
def test_years_in_titles(title: str, ends: list[date]) -> None:
    assert parse_years_ending(title) == ends


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31/03/2003", date(2003, 3, 31)),
        ("31-03-2003", date(2003, 3, 31)),
        ("30/12/2017", date(2017, 12, 30)),
        ("1/4/2017", date(2017, 4, 1)),
        ("2003-03-31", date(2003, 3, 31)),
        ("2003-03-31 00:00:00", date(2003, 3, 31)),
        ("2003-03-31T00:00:00", date(2003, 3, 31)),
        ("31 March 2003", date(2003, 3, 31)),
        ("31 Mar 2003", date(2003, 3, 31)),
        (" 30 Sept 2018 ", date(2018, 9, 30)),
        ("31/02/2003", None),
        ("13/13/2003", None),
        ("03/2003", None),
        ("31/03/03", None),
        ("31/03/0003", None),
        ("March 2003", None),
        ("", None),
        (None, None),
    ],
)
def test_days(text: str | None, day: date | None) -> None:
    assert parse_day(text) == day


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("30/12/2017", date(2017, 12, 31)),  # one year of the rolling-year file
        ("31/03/2018", date(2018, 3, 31)),
        ("Mar 2018", date(2018, 3, 31)),
        ("February 2020", date(2020, 2, 29)),
        ("year ending June 2018", date(2018, 6, 30)),
        ("March 0000", None),
        ("robbery", None),
        (None, None),
    ],
)
def test_a_period_ends_with_its_month(text: str | None, end: date | None) -> None:
    assert parse_period_end(text) == end


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("Apr 2012 to Mar 2013", date(2012, 4, 1), date(2013, 3, 31)),
        ("Jan 2003 to Dec 2003", date(2003, 1, 1), date(2003, 12, 31)),
        ("Apr 2009-Mar 2010", date(2009, 4, 1), date(2010, 3, 31)),
        ("Apr 2009 – Mar 2010", date(2009, 4, 1), date(2010, 3, 31)),
        ("Apr - Jun 2019", date(2019, 4, 1), date(2019, 6, 30)),
        ("Jan - Mar 2020", date(2020, 1, 1), date(2020, 3, 31)),
        ("Oct to Feb 2020", date(2019, 10, 1), date(2020, 2, 29)),  # a start without a year lies before the end
        ("April 2011 to March 2022", date(2011, 4, 1), date(2022, 3, 31)),
        ("Jun - Jun 2019", date(2019, 6, 1), date(2019, 6, 30)),
    ],
)
def test_cohorts(text: str, start: date, end: date) -> None:
    assert parse_cohort(text) == Period(start, end)


@pytest.mark.parametrize("text", ["2012/13", "Apr 2014 to Mar 2013", "Apr 0000 to Mar 0000", "Total", "", None])
def test_what_is_no_cohort(text: str | None) -> None:
    assert parse_cohort(text) is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("2017/18", 2017),
        ("2020_21", 2020),
        ("2012-13", 2012),
        ("2024_25", 2024),
        ("1999/00", 1999),
        ("2017-2018", 2017),
        ("2017–18", 2017),
        (" 2017 / 18 ", 2017),
        ("2017/19", None),
        ("2017", None),
        ("17/18", None),
        ("2017/18 total", None),
        (None, None),
    ],
)
def test_financial_years(text: str | None, first: int | None) -> None:
    assert parse_financial_year(text) == first


@pytest.mark.parametrize(
    ("quarter", "start", "end"),
    [
        ("1", date(2017, 4, 1), date(2017, 6, 30)),
        ("Q2", date(2017, 7, 1), date(2017, 9, 30)),
        ("q3 ", date(2017, 10, 1), date(2017, 12, 31)),
        ("4.0", date(2018, 1, 1), date(2018, 3, 31)),  # a number in an ODS cell
        ("Quarter 4", date(2018, 1, 1), date(2018, 3, 31)),
    ],
)
def test_financial_quarters(quarter: str, start: date, end: date) -> None:
    assert parse_financial_quarter("2017/18", quarter) == Period(start, end)


@pytest.mark.parametrize(
    ("year", "quarter"), [("2017/18", "5"), ("2017/18", "0"), ("2017", "1"), ("2017/18", ""), (None, None)]
)
def test_what_is_no_quarter(year: str | None, quarter: str | None) -> None:
    assert parse_financial_quarter(year, quarter) is None


_MONTH_ENDS = st.builds(month_end, st.integers(1900, 2100), st.integers(1, 12))


@given(_MONTH_ENDS)
def test_month_ends(end: date) -> None:
    assert (end + timedelta(days=1)).day == 1
    assert (end + timedelta(days=1)).month == end.month % 12 + 1


@given(_MONTH_ENDS)
def test_a_year_and_a_quarter_end_where_they_must(end: date) -> None:
    year, quarter = year_to(end), quarter_to(end)
    assert year.end == quarter.end == end
    assert year.start.day == quarter.start.day == 1
    assert year.start.month == end.month % 12 + 1
    assert (end - year.start).days + 1 in {365, 366}
    assert (end - quarter.start).days + 1 in range(89, 93)
    assert quarter_to(quarter.start - timedelta(days=1)).end == quarter.start - timedelta(days=1)


@given(_MONTH_ENDS, st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%Y-%m-%d 00:00:00", "%d %B %Y", "%d %b %Y"]))
def test_any_day_reads_back(day: date, form: str) -> None:
    assert parse_day(day.strftime(form)) == day
    assert parse_period_end(day.strftime(form)) == day


@given(st.integers(1990, 2049), st.sampled_from(sorted(MONTHS)), st.lists(st.integers(1, 9), max_size=4))
def test_any_year_of_a_title_reads_back_with_its_notes(year: int, month: str, notes: list[int]) -> None:
    glued = ",".join(map(str, notes))
    assert parse_years_ending(f"year ending {month} {year}{glued}") == [month_end(year, MONTHS[month])]


@given(st.one_of(st.none(), st.text(), st.text("0123456789/-_ [],.QqMarchyendigto", max_size=24)))
def test_no_text_raises_as_a_period_or_code(text: str | None) -> None:
    parse_day(text)
    parse_period_end(text)
    parse_financial_year(text)
    parse_financial_quarter(text, text)
    parse_gss_code(text)
    parse_years_ending(text or "")
    period = parse_cohort(text)
    assert period is None or period.start < period.end


@given(st.text())
def test_tidy_text_is_one_line_without_ends(text: str) -> None:
    tidy = tidy_text(text)
    assert tidy == tidy_text(tidy)
    assert "\n" not in tidy
    assert "  " not in tidy
