"""ONS Tables P1 and C2 in the layout since 2024, and Home Office open data by Community Safety Partnership."""

from __future__ import annotations

from pathlib import Path

from samples.force_tables import CITY_OF_LONDON, SOCIETY, TRANSPORT_POLICE, find_text
from samples.tables import APPORTIONED, Counts, add_sums, apportion, read_figures, sum_areas
from samples.writing import Cell, write_ods, write_xlsx

UNASSIGNED_PER_MILLE = 2
AIRPORT_PER_MILLE = 5
"""Weights of what has no residents, as thousandths of the population of its force."""

OPEN_DATA_FORCES = ("Gwent", "Surrey", "West Midlands")

_COLUMNS = (
    *("total_excluding_fraud", "violence_against_the_person", "homicide"),
    *("death_or_serious_injury_unlawful_driving", "violence_with_injury", "violence_without_injury"),
    *("stalking_and_harassment", "sexual_offences", "robbery", "theft_offences", "burglary"),
    *("residential_burglary", "non_residential_burglary", "vehicle_offences", "theft_from_the_person"),
    *("bicycle_theft", "shoplifting", "other_theft_offences", "criminal_damage_and_arson", *SOCIETY),
)
_PREAMBLE = (
    APPORTIONED,
    "Police recorded crime is published as official statistics, not as accredited official statistics",
    "This worksheet contains one table. Some cells refer to notes which can be found on the notes worksheet.",
    "Some shorthand is used in this table.  [x] indicates data are unavailable.",
    "Source: Police recorded crime from the Home Office",
)
_P1_TITLE = (
    "Table P1: Number of police recorded crimes by offence group, police force area and English region, "
    "England and Wales, year ending June 2025 [note 1]"
)
_C2_TITLE = (
    "Table C2: Number of police recorded crimes for headline offences by Community Safety Partnership area, "
    "England and Wales, year ending June 2025 [note 1][note 2][note 3]"
)
_P1_HEADERS = {
    "total_excluding_fraud": "Total recorded crime\n (excluding fraud) \n[note 2]",
    "stalking_and_harassment": "Stalking and harassment",
    "miscellaneous_crimes": "Miscellaneous crimes",
}
_C2_HEADERS = {
    "total_excluding_fraud": "Total recorded crime\n (excluding fraud)",
    "stalking_and_harassment": "Stalking and harassment",
    "death_or_serious_injury_unlawful_driving": "Death or serious injury caused by illegal driving",
}
_C2_AREA_HEADERS = {
    "force_code": "Police Force\nArea code",
    "force_name": "Police Force\nArea name",
    "csp_code": "Community Safety\nPartnership code",
    "csp_name": "Community Safety\nPartnership name",
    "authority_code": "Local Authority code",
    "authority_name": "Local Authority name",
}


def write_partnership_tables(path: Path) -> None:
    """Write the ONS workbook of the year ending June 2025: Tables P1 and C2."""
    title = "Crime in England and Wales: Police Force Area data tables, year ending June 2025"
    notes: list[list[Cell]] = [
        ["Notes"],
        [APPORTIONED],
        ["Note number", "Note text"],
        ["[note 1]", "Police recorded crime is not an accredited official statistic."],
        ["[note 2]", "Fraud is left out of breakdowns below England and Wales."],
        ["[note 3]", "Partnerships are modelled: force totals apportioned by resident population."],
        [
            "[note 4]",
            "The force published many offences without a partnership; this sample does not follow it.",
        ],
    ]
    cover: list[list[Cell]] = [
        [title],
        [APPORTIONED],
        ["The Office for National Statistics publishes the real one."],
    ]
    sheets = {"Cover_sheet": cover, "Notes": notes, "Table P1": _make_p1(), "Table C2": _make_c2()}
    write_xlsx(path, title, sheets)


def _make_headers(own: dict[str, str]) -> list[Cell]:
    return [own.get(offence) or find_text("header", offence, "", "") for offence in _COLUMNS]


def _make_preamble(title: str) -> list[list[Cell]]:
    return [[line] for line in (title, *_PREAMBLE)]


def _make_p1() -> list[list[Cell]]:
    """Forces as in Table C2, and regions as their sums.

    The City of London and British Transport Police have no total in Table C2, so they and what holds them
    read `[x]`.
    """
    unknown = ("K04000001", "E92000001", "E12000007", CITY_OF_LONDON, TRANSPORT_POLICE)
    counts = sum_areas({code: add_sums(leaves) for code, leaves in read_force_leaves().items()})
    rows = _make_preamble(_P1_TITLE)
    rows.append(["Area Code", "Area Name", *_make_headers(_P1_HEADERS)])
    for area in read_figures("force_table_areas"):
        code = area["area_code"]
        name = area["name"].strip() + (" [note 4]" if code == "E23000012" else "")
        cells: list[Cell] = ["[x]" if code in unknown else counts[code][offence] for offence in _COLUMNS]
        rows.append([None if code == TRANSPORT_POLICE else code, name, *cells])
    return rows


def _make_c2() -> list[list[Cell]]:
    """Real totals of forces; the partnerships below each are modelled. Counts are text, as published."""
    rows = _make_preamble(_C2_TITLE)
    rows.append([*_C2_AREA_HEADERS.values(), *_make_headers(_C2_HEADERS)])
    lines = read_figures("csp_areas")
    for line, counts in zip(lines, _count_rows(lines), strict=True):
        cells = [f"{counts[offence]:,} " if counts else None for offence in _COLUMNS]
        rows.append([*(line[name] or None for name in _C2_AREA_HEADERS), *cells])
    return rows


def read_force_leaves() -> dict[str, Counts]:
    """Real counts of the year ending June 2025 by force, for the offences that are no sums."""
    lines = read_figures("year_ending_june_2025_force_counts")
    return {line["area_code"]: {key: int(text) for key, text in line.items() if key != "area_code"} for line in lines}


def weigh_partnerships(areas: list[dict[str, str]]) -> list[int]:
    """Weights of the partnerships of one force: residents, and a little for what has none."""
    residents = sum(int(area["population"] or 0) for area in areas)
    without = {"Manchester Airport": AIRPORT_PER_MILLE, "unassigned Surrey": 0}
    return [
        int(area["population"] or 0) * 1000 or residents * without.get(area["csp_name"], UNASSIGNED_PER_MILLE)
        for area in areas
    ]


def _force_name(area: dict[str, str]) -> str:
    return area["force_name"].split(" [")[0].strip()


def _count_rows(lines: list[dict[str, str]]) -> list[Counts]:
    """The counts of every row of Table C2, empty for the one that is blank as published.

    Forces go by name: two rows of `Unassigned` carry the code of a neighbour.
    """
    leaves = read_force_leaves()
    codes = {_force_name(line): line["force_code"] for line in lines if line["csp_code"]}
    counts: list[Counts] = [{} for _ in lines]
    for name, code in codes.items():
        own = [index for index, line in enumerate(lines) if _force_name(line) == name]
        parts = [index for index in own if lines[index]["csp_name"]]
        weights = weigh_partnerships([lines[index] for index in parts])
        shares = {leaf: apportion(total, weights) for leaf, total in leaves[code].items()}
        for place, index in enumerate(parts):
            if weights[place]:
                counts[index] = add_sums({leaf: split[place] for leaf, split in shares.items()})
        for index in set(own) - set(parts):
            counts[index] = add_sums(leaves[code])
    return counts


_OPEN_DATA_HEADER = (
    *("Financial Year", "Financial Quarter", "Police Force", "CSP Name", "ONS Code"),
    *("Offence Description", "Offence Group", "Offence Subgroup", "Offence Code", "Offence Count"),
)


def write_open_data_by_partnership(path: Path) -> None:
    """Write the Home Office table of 2024/25 for three forces.

    No total of 2024/25 is at hand: the totals of the year ending June 2025 stand for it, apportioned to
    partnerships by residents and to quarters and codes by the national counts of 2017/18.
    """
    title = "Police recorded crime and outcomes open data tables: Community Safety Partnership, 2024/25"
    cover: list[list[Cell]] = [[title], [APPORTIONED], ["The Home Office publishes the real one."]]
    notes: list[list[Cell]] = [
        ["Notes"],
        [APPORTIONED],
        ["Force totals are those of the year ending June 2025: a stand-in, not figures of 2024/25."],
        ["Force Notes"],
        ["Gwent, Surrey, West Midlands: a small share is put under Unassigned, by rule."],
    ]
    rows: list[list[Cell]] = [list(_OPEN_DATA_HEADER)]
    for name in OPEN_DATA_FORCES:
        rows += _apportion_force(name)
    rows[1:] = sorted(rows[1:], key=lambda row: tuple(str(cell) for cell in row))
    write_ods(path, title, {"Cover_sheet": cover, "Notes": notes, "2024_25": rows})


def _apportion_force(name: str) -> list[list[Cell]]:
    own = [line for line in read_figures("csp_areas") if _force_name(line) == name]
    code = next(area["force_code"] for area in own if not area["csp_name"])
    areas = [area | {"csp_name": _capitalise(area["csp_name"])} for area in own if area["csp_name"]]
    weights = weigh_partnerships(areas)
    national = {line["offence_code"]: line for line in read_figures("home_office_2017_18_offences")}
    rows: list[list[Cell]] = []
    for leaf, total in read_force_leaves()[code].items():
        lines = [line for line in read_figures("csp_offences") if line["offence_id"] == leaf]
        cells = [(area, line, quarter) for area in areas for line in lines for quarter in "1234"]
        shares = [
            weight * int(national[line["offence_code"]][f"quarter_{quarter}"])
            for weight in weights
            for line in lines
            for quarter in "1234"
        ]
        for (area, line, quarter), count in zip(cells, apportion(total, shares), strict=True):
            offence = national[line["offence_code"]]
            place: list[Cell] = ["2024/25", quarter, name, area["csp_name"], area["csp_code"] or None]
            what: list[Cell] = [
                offence["offence_description"],
                offence["offence_group"],
                line["offence_subgroup"],
            ]
            rows.append([*place, *what, line["offence_code"], count])
    return rows


def _capitalise(name: str) -> str:
    """The Home Office writes `Unassigned Surrey` where ONS has `unassigned Surrey`."""
    return name[:1].upper() + name[1:]
