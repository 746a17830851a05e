"""The page of claims says what `justice-etl claim` says, and its JSON holds the same."""

from __future__ import annotations

from pathlib import Path

from etl.files import read_json
from tests.site.page import Page
from tests.site.test_releases import problems


def test_every_claim_is_told_in_its_sentences(made_site: Path) -> None:
    page = Page(made_site / "claims/index.html")
    assert page.tables["all-claims"] == [
        ["Claim", "Verdict", "Area"],
        ["lar-2013-dudley", "cannot be told apart", "Dudley"],
        ["wm-2020-crime", "not checkable", "West Midlands"],
    ]
    assert page.headings == [
        (1, "Claims"),
        (2, "Dudley: cannot be told apart"),
        (2, "West Midlands: not checkable"),
    ]
    assert "UK News Media on 8 March 2013 put Dudley first of 222" in page.text
    assert "Dudley is given rank 1 to 88." in page.text


def test_a_claim_leads_to_the_release_that_it_rests_on(made_site: Path) -> None:
    page = Page(made_site / "claims/index.html")
    links = [link["href"] for link in page.named("a") if "/proven_reoffending/" in str(link["href"])]
    assert links == ["../releases/proven_reoffending/july-to-september-2020-1.html"]


def test_json_holds_what_is_told(made_site: Path) -> None:
    content = read_json(made_site / "claims" / "index.json")
    assert problems("claims", content) == []
    dudley, crime = content["claims"]
    assert (dudley["claim_id"], dudley["published_on"], dudley["observed"]) == ("lar-2013-dudley", "2013-03-08", 1.0)
    assert (crime["verdict"], crime["publication_needed"]) == ("not checkable", "a table of 2020")


def test_a_verdict_that_there_is_not_is_not_valid(made_site: Path) -> None:
    content = read_json(made_site / "claims" / "index.json")
    content["claims"][0]["verdict"] = "false"
    assert any(
        problem.startswith("$.claims[0].verdict: 'false' is not one of") for problem in problems("claims", content)
    )
