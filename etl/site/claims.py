"""The page of claims, and the same as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from etl.site.frame import Site
from etl.site.summaries import ReleaseSummary

if TYPE_CHECKING:
    from etl.claim_words import ToldClaim


def write_claims(site: Site, claims: list[ToldClaim], summaries: list[ReleaseSummary]) -> None:
    """Write what became of the claims.

    Args:
        site: where to.
        claims: as told.
        summaries: the releases that they may rest on.
    """
    by_id = {summary.release_id: summary for summary in summaries}
    site.write_page("claims/index.html", "claims.html", claims=claims, by_id=by_id)
    site.write_json("claims/index.json", {"claims": [asdict(claim) for claim in claims]})
