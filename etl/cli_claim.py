"""`justice-etl claim`: what the figures say of a claim, in plain words."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli_ask import AsJson
from etl.console import out, print_json, print_table
from etl.settings import Settings

claiming = typer.Typer()


@claiming.command(name="claim")
def show_claim(
    claim_id: Annotated[
        str | None, typer.Argument(metavar="[CLAIM_ID]", help="A claim; without it, all are listed.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What newspapers and others claimed of the figures, and what the figures say of it."""
    from etl.claim_terms import format_number
    from etl.claim_words import list_claims, read_claim

    home = Settings().home
    if claim_id is not None:
        told = read_claim(home, claim_id)
        if as_json:
            print_json(told)
            return
        for sentence in told.sentences:
            out.print(sentence, highlight=False, soft_wrap=True, markup=False)
        return
    claims = list_claims(home)
    if as_json:
        print_json(claims)
        return
    rows = [
        (
            claim.claim_id,
            claim.area_name,
            f"{format_number(claim.claimed_value)} {claim.unit}",
            None if claim.observed is None else format_number(claim.observed, 3),
            claim.verdict,
        )
        for claim in claims
    ]
    print_table(["claim", "area", "claimed", "observed", "verdict"], rows)
    out.print("justice-etl claim CLAIM tells one of them.", highlight=False, soft_wrap=True, markup=False)
