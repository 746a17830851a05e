"""`justice-etl claim`: claims of the demo and of a small home in plain words, and that a line of CSV adds one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etl.claim_terms import Verdict
from tests.end_to_end.builders import force_tables
from tests.end_to_end.own_project import OwnProject
from tests.faults.commands import DONE, FAILED, WRONG_USE, Commands, Outcome, assert_readable

Tell = Callable[..., Outcome]


@pytest.fixture
def claim(commands: Commands, demo_home: Path) -> Tell:
    """Run `justice-etl claim` in the demo's home."""
    return lambda *words, **env: commands.run(demo_home, ["claim", *words], env=env)


def test_all_claims_with_their_verdicts(claim: Tell) -> None:
    outcome = claim()
    assert (outcome.status, outcome.err) == (DONE, ""), outcome.text
    claims = claim("--json").json
    assert [told["claim_id"] for told in claims] == sorted(told["claim_id"] for told in claims)
    assert {told["verdict"] for told in claims} <= set(Verdict)
    for told in claims:
        assert sum(line.split("│")[0].strip() == told["claim_id"] for line in outcome.out.splitlines()) == 1
    [line] = [line for line in outcome.out.splitlines() if line.startswith(" wmp-reduction-2016 ")]
    cells = [cell.strip() for cell in line.split("│")]
    assert cells == ["wmp-reduction-2016", "West Midlands Police", "39 percent", "37.914", "differs"]
    assert outcome.out.splitlines()[-1] == "justice-etl claim CLAIM tells one of them."


def test_one_claim_in_plain_words(claim: Tell) -> None:
    outcome = claim("wmp-reduction-2016")
    assert (outcome.status, outcome.err) == (DONE, ""), outcome.text
    sentences = outcome.out.splitlines()
    assert sentences == claim("wmp-reduction-2016", "--json").json["sentences"]
    assert sentences[:2] == [
        "Coventry Observer on 23 September 2016 stated 39 percent for West Midlands Police.",
        "Verdict: differs.",
    ]
    assert "gives 37.91 percent" in sentences[2]


def test_the_claim_of_thirty_million_pounds_beside_published_unit_costs(claim: Tell) -> None:
    """30,000,000 / 8,202 = 3,657.64; the dearest group costs 11,906.52, the cheapest 150.16 (Table_A)."""
    told = claim("wmp-cost-2016").out
    assert "Verdict: not checkable." in told
    for part in ("3,657.64 pounds each", "150 pounds (Summary motoring)", "11,907 (Robbery)", "4,031 on average"):
        assert part in told
    assert "no money that anybody would save" in told


def test_no_judgement_comes_out_of_the_samples(claim: Tell) -> None:
    """The demo is modelled: nothing that rests on its figures is judged, and all of that says so."""
    outcome = claim("lar-2013-dudley")
    assert "Verdict: not checkable (modelled data)." in outcome.out
    assert "MODELLED SAMPLE: no judgement on any area follows from these figures." in outcome.out
    for told in claim("--json").json:
        if told["is_modelled"]:
            assert told["verdict"] == Verdict.MODELLED
            assert (told["observed"], told["release_id"]) == (None, None)


@pytest.mark.parametrize("columns", ["1", "20", "60", "1000"])
def test_a_screen_of_any_width(columns: str, claim: Tell) -> None:
    for words in ((), ("wmp-half-2003-2014",)):
        outcome = claim(*words, COLUMNS=columns)
        assert (outcome.status, outcome.err) == (DONE, ""), outcome.text


@pytest.mark.parametrize(
    ("claim_id", "parts"),
    [
        ("wmp-half", ["there is no claim 'wmp-half'", "near it: wmp-half-2003-2014"]),
        ("LAR-2013-Dudley", ["near it: lar-2013-dudley"]),
        ("???", ["justice-etl claim lists them"]),
        ("", ["there is no claim ''"]),
    ],
)
def test_a_claim_that_there_is_not(claim_id: str, parts: list[str], claim: Tell) -> None:
    for more in ([], ["--json"]):
        outcome = claim(claim_id, *more)
        assert_readable(outcome, *parts, status=WRONG_USE)
        assert outcome.out == ""


def test_before_anything_is_published(commands: Commands, tmp_path: Path) -> None:
    assert_readable(commands.run(tmp_path / "home", ["claim"]), "nothing is published", "justice-etl build")


# --- A line of CSV


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> OwnProject:
    """A copy of the project, to whose claims a test can add."""
    return OwnProject(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def own(project: OwnProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    commands = Commands(tmp_path_factory.mktemp("own"), root=project.root)
    yield commands
    commands.close()


TOTAL = "our-claim,2018-07-19,A leaflet,Kent Police,E23000032,total,recorded_crime,total_excluding_fraud,2018-03-31,"


def test_adding_a_claim_is_a_line_of_csv(own: Commands, project: OwnProject, tmp_path: Path) -> None:
    """Kent's total is 171,508 in the table: 171,000 is .3% off. A power is no arithmetic: the line is named."""
    path = project.root / "warehouse" / "ref" / "claim.csv"
    claims = path.read_text(encoding="utf-8")
    home = tmp_path / "home"
    path.write_text(f"{claims}{TOTAL},171000,,offences,0.5%,\n", encoding="utf-8")
    own.succeed(home, force_tables(tmp_path).command, ["build"], ["publish"])
    told = own.succeed(home, ["claim", "our-claim", "--json"]).json
    assert (told["verdict"], told["observed"]) == (Verdict.WITHIN_REVISIONS, 171_508)
    assert told["release_id"] == "recorded_crime_ons/year-ending-march-2018@1"
    assert told["claimed"] == (
        "A leaflet on 19 July 2018 said that Kent Police recorded 171,000 offences in the year ending March 2018."
    )
    sum_ = "our-sum,2018-07-19,A leaflet,Kent Police,E23000032,arithmetic,9**9**9,,,,1,,offences,0,\n"
    path.write_text(f"{claims}{sum_}", encoding="utf-8")
    outcome = own.run(home, ["build"])
    assert_readable(outcome, "claim.csv, claim our-sum, column measure: '9**9**9'", "+ - * /", status=FAILED)
    path.write_text(claims, encoding="utf-8")
