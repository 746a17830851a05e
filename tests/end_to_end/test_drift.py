"""A new layout from `inspect` to published figures, as docs/new-release.md says, on a copy of the project.

The layout is made up for the trial: tables P1 to P3 of March 2027 with other sheet names, titles and headers, two
offences that went and two that came, a column and a sheet that nobody knows; and a geographic tool with a new header
and a new category.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from etl.settings import project_root
from tests.faults.commands import DONE, FAILED, KEPT_OUT, Commands, Outcome
from tests.support import Cell, write_csv, write_xlsx

WEST_MIDLANDS = ("E23000014", "West Midlands")
KENT = ("E23000032", "Kent [note 8]")
HEADER = [
    "Area Code",
    "Name of area",
    "Total police recorded crime\n(excluding fraud)\n[note 2]",
    "Violence against the person",
    "Homicide",
    "Violence with injury",
    "Violence without injury",
    "Stalking & harassment [note 4]",
    "Death or serious injury - unlawful driving",
    "Sexual crimes",
    "Robbery",
    "Theft offences",
    "Burglary",
    "Domestic burglary",
    "Non-domestic burglary",
    "Vehicle offences",
    "Theft from the person",
    "Bicycle theft",
    "Shop theft",
    "Other theft offences",
    "Criminal damage and arson",
    "Drug offences",
    "Possession of weapons offences",
    "Public order offences",
    "Miscellaneous crimes against society",
    "Spiking [note 9]",
]
SHORTHAND = ["Some shorthand is used in this table. [x] indicates data are unavailable."]
COUNTS = "Table P1: Crimes recorded by police forces in England and Wales, year ending March 2027 [note 1]"
CHANGES = "Table P2: Change in crimes, percentage, year ending March 2027 compared with year ending March 2026"
RATES = "Table P3: Crimes per 1,000 population, year ending March 2027"


class Project:
    """A copy of the project in which declarations are changed, and a data home of its own."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home

    def run(self, *words: str | Path, status: int = DONE) -> Outcome:
        """`justice-etl` of the copy; its exit status must be `status`."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUSTICE_")}
        own = {"PYTHONPATH": str(self.root), "JUSTICE_HOME": str(self.home), "JUSTICE_LOG_LEVEL": "ERROR"}
        done = subprocess.run(
            [sys.executable, "-c", "from etl.cli import main; main()", *map(str, words)],
            cwd=self.root,
            env=kept | own | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        outcome = Outcome(done.returncode, done.stdout, done.stderr)
        assert outcome.status == status, outcome.text
        return outcome

    def paste(self, printed: str) -> list[str]:
        """What a person does with the lines that `inspect` printed, from the first on; → the files changed."""
        files = []
        for block in re.split(r"\n\nIn ", printed.partition("\n\nWith these lines every sheet fits.")[0])[1:]:
            head, *lines = block.splitlines()
            match = re.fullmatch(r"(\S+), (replace line|replace lines|after line) (\d+)(?: to \d+ | add)?", head)
            assert match, head
            path = self.root / match[1]
            text = path.read_text(encoding="utf-8").splitlines()
            number = int(match[3])
            if match[2] == "after line":
                text[number:number] = lines
            else:
                old, new = lines[: lines.index("by")], lines[lines.index("by") + 1 :]
                assert text[number - 1 : number - 1 + len(old)] == old
                text[number - 1 : number - 1 + len(old)] = new
            path.write_text("\n".join(text).replace("why: '?'", "why: made up for the trial") + "\n", encoding="utf-8")
            files.append(match[1])
        return files


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    for name in ("etl", "schemas", "warehouse", "expectations"):
        shutil.copytree(project_root() / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(project_root() / "requirements.lock", root / "requirements.lock")  # the version id counts it in
    return Project(root, tmp_path / "home")


WEST_MIDLANDS_COUNTS: list[Cell] = [
    *("268,000 ", "80,100 ", 50, "20,000 ", "25,000 ", "35,000 ", 50),  # violence: 80,100 together
    *("9,000 ", "8,000 "),
    *("92,000 ", "15,000 ", "[x]", "5,000 ", "30,000 ", "4,000 ", "1,000 ", "21,004 ", "20,996 "),  # theft: 92,000
    *("20,000 ", "7,000 ", "5,000 ", "40,000 ", "6,900 ", "12 "),
]
"""80,100 + 9,000 + 8,000 + 92,000 + 20,000 + 7,000 + 5,000 + 40,000 + 6,900 = 268,000; spiking stands in none."""

KENT_COUNTS: list[Cell] = [
    *("26,800 ", "8,010 ", 5, "2,000 ", "2,500 ", "3,500 ", 5),
    *(900, 800),
    *("9,200 ", "1,500 ", "1,000 ", 500, "3,000 ", 400, 100, "2,104 ", "2,096 "),
    *("2,000 ", 700, 500, "4,000 ", 690, "[x]"),
]
"""8,010 + 900 + 800 + 9,200 + 2,000 + 700 + 500 + 4,000 + 690 = 26,800."""


def force_tables(folder: Path) -> Path:
    """P1 to P3 of March 2027; 268,000 offences among 2,991,000 people are 89.6 per 1,000."""
    nothing: list[Cell] = ["[x]"] * (len(HEADER) - 3)
    p1: list[list[Cell]] = [
        [COUNTS],
        list(SHORTHAND),
        list(HEADER),
        [*WEST_MIDLANDS, *WEST_MIDLANDS_COUNTS],
        [*KENT, *KENT_COUNTS],
    ]
    p2: list[list[Cell]] = [[CHANGES], list(HEADER), [*WEST_MIDLANDS, "-2.5", *nothing]]
    p3: list[list[Cell]] = [
        [RATES],
        [*HEADER, "Population figures (mid-2025)"],
        [*WEST_MIDLANDS, "89.6", *nothing, "2,991,000"],
    ]
    quality: list[list[Cell]] = [["Table D1: Quality of the data"], ["Force", "Grade"], ["Kent", "B"]]
    sheets = {"Cover sheet": [["Police force area tables"]], "P1": p1, "P2": p2, "P3": p3, "Table D1": quality}
    return write_xlsx(folder / "pfatablesmarch2027.xlsx", sheets)


def land(source: str, title: str, published: str, file: Path) -> list[str | Path]:
    return ["land", "--source", source, "--release", title, "--published-on", published, file]


def test_new_force_tables_from_inspect_to_published(project: Project, tmp_path: Path) -> None:
    file = force_tables(tmp_path)
    landing = land("recorded_crime_ons", "Year ending March 2027", "2027-07-22", file)
    project.run(*landing)
    kept_out = project.run("publish", status=KEPT_OUT)
    assert "sheet 'P1' fits no layout of recorded_crime_ons; nearest is force_table_2024_counts" in kept_out.err
    assert "`justice-etl inspect FILE` prints what to add" in kept_out.err

    # The landed file is found by the name in the message.
    shown = project.run("inspect", file.name, status=FAILED).out
    assert shown == project.run("inspect", file, status=FAILED).out
    assert "Source: none of the declared ones\nNearest: recorded_crime_ons: it knows " in shown
    assert re.search(r"sexual offences +│ sexual crimes +│", shown)
    assert re.search(r"shoplifting +│ shop theft +│", shown)
    assert re.search(r"no column of this layout: domestic_burglary +│ domestic burglary", shown)
    assert "Decide 1: " in shown
    assert shown.endswith("Put a reason in the place of each ?, then inspect again.\n")

    files = project.paste(shown)
    assert set(files) == {"etl/sources/recorded_crime_ons/source.yml", "warehouse/ref/offence_alias.csv"}
    again = project.run("inspect", file).out
    # 23 offences for two areas in P1, for one area in P2 and P3
    assert "Source: recorded_crime_ons\nReads: 92 lines\n" in again
    assert "'Table D1' (3 × 2): left out: made up for the trial" in again

    project.run(*landing)
    project.run("publish")
    query = """
        SELECT area_code, offence_id, offences, offences_marker, offences_column || row FROM core.recorded_crime
        WHERE table_id = 'P1' AND offence_id IN ('total_excluding_fraud', 'shoplifting', 'domestic_burglary')
        ORDER BY ALL
    """
    west, kent = WEST_MIDLANDS[0], KENT[0]
    assert [tuple(row.values()) for row in project.run("sql", "--json", query).json] == [
        (west, "domestic_burglary", None, "[x]", "N4"),
        (west, "shoplifting", 21_004, None, "S4"),
        (west, "total_excluding_fraud", 268_000, None, "C4"),
        (kent, "domestic_burglary", 1_000, None, "N5"),
        (kent, "shoplifting", 2_104, None, "S5"),
        (kent, "total_excluding_fraud", 26_800, None, "C5"),
    ]
    assert project.run("sql", "--json", "SELECT filename, accepted, rows_read FROM meta.file").json == [
        {"filename": file.name, "accepted": True, "rows_read": 92}
    ]


def test_a_new_category_of_reoffending_from_inspect_to_published(project: Project, tmp_path: Path) -> None:
    year = "Apr 2025 to Mar 2026"
    rows: list[list[Cell]] = [
        ["Adult / Child", "Cohort", "Category", "Local area", "offenders", "reoffenders"],
        ["Adult", year, "UTLA total", "Coventry", 400, 100],
        ["Child", year, "UTLA total", "Coventry", 40, 12],
        ["Adult", year, "Combined authority total", "West Midlands", 900, 200],
    ]
    file = write_xlsx(tmp_path / "Geographical_data_tool_Apr10_Mar26.xlsx", {"Cover": [["Tool"]], "Data": rows})
    shown = project.run("inspect", file, status=FAILED).out
    assert re.search(r" area +│ local area +│ 80%", shown)
    assert "What is the category 'combined authority total'?" in shown
    assert project.paste(shown) == ["etl/sources/proven_reoffending/source.yml"] * 2
    assert "Source: proven_reoffending\nReads: 2 lines\n" in project.run("inspect", file).out

    # The names of a tool without codes need a geography that knows them.
    header = ["LTLA23CD", "LTLA23NM", "UTLA23CD", "UTLA23NM"]
    lookup = write_csv(tmp_path / "lookup.csv", [header, ["E08000026", "Coventry", "E08000026", "Coventry"]])
    project.run(*land("geography", "Lookup 2023", "2023-08-01", lookup))
    project.run(*land("proven_reoffending", "Proven reoffending: January to March 2026", "2028-01-27", file))
    project.run("publish")
    query = """
        SELECT age_group, area_code, offenders, reoffenders FROM core.reoffending WHERE span = 'year' ORDER BY ALL
    """
    assert [tuple(row.values()) for row in project.run("sql", "--json", query).json] == [
        ("adult", "E08000026", 400, 100),
        ("child", "E08000026", 40, 12),
    ]


def test_the_same_is_said_as_json(commands: Commands, tmp_path: Path) -> None:
    outcome = commands.run(tmp_path / "home", ["inspect", "--json", force_tables(tmp_path)])
    assert outcome.status == FAILED
    found = outcome.json
    assert (found["source"], found["nearest_source"], found["left"]) == (None, "recorded_crime_ons", [])
    assert [drift["layout"] for drift in found["drifts"]] == [
        "force_table_2024_counts",
        "force_table_2024_changes",
        "force_table_2024_rates",
        None,
    ]
    assert found["drifts"][0]["known"] == [
        ["domestic burglary", "domestic_burglary"],
        ["non-domestic burglary", "non_domestic_burglary"],
    ]
    assert {change["file"] for change in found["changes"]} == {
        "etl/sources/recorded_crime_ons/source.yml",
        "warehouse/ref/offence_alias.csv",
    }
