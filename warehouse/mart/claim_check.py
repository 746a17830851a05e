"""What the figures say of each claim: `etl.claims` judges, this model fetches what concerns a claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from etl.claim_terms import EXCLUDING_FRAUD, INCLUDING_FRAUD, Claim, Count, Facts, RankLine, UnitCost
from etl.claims import judge
from etl.contracts import arrow_schema

Row = dict[str, Any]

INPUTS = [
    "ref.claim",
    "ref.unit_cost",
    "ref.area_level",
    "ref.area_parent",
    "mart.crime_trend",
    "mart.local_adult_reoffending_rank",
]

_CLAIMS = """
    SELECT
        claim.claim_id, claim.area_code, claim.area_name, claim.claim_check, claim.claimed_value, claim.unit,
        claim.measure, claim.offence_id, claim.period_end, claim.base_period_end, claim.claimed_of, claim.tolerance
    FROM ref.claim AS claim
    ORDER BY claim.claim_id
"""

# A Community Safety Partnership has a code of its own: it stands for its authority where neither holds another, in the
# year nearest to that of the claim (over the years an authority is there under its old and its new code).
_COUNTS = """
    WITH nearest AS (
        SELECT own.parent_code, own.vintage
        FROM ref.area_parent AS own
        WHERE own.area_code = $area_code AND own.parent_level = 'csp'
        QUALIFY rank() OVER (
            ORDER BY abs(own.vintage - coalesce(year(CAST($period_end AS DATE)), 0)), own.vintage
        ) = 1
    ),
    partnership AS (
        SELECT nearest.parent_code AS area_code
        FROM nearest
        INNER JOIN ref.area_parent AS parent
            ON parent.parent_code = nearest.parent_code
            AND parent.vintage = nearest.vintage
            AND parent.parent_level = 'csp'
        WHERE (SELECT count(*) FROM nearest) = 1
        GROUP BY nearest.parent_code
        HAVING count(DISTINCT parent.area_code) = 1
    )
    SELECT
        trend.offence_id, trend.period_end, trend.offences, trend.release_id, trend.offence_name, trend.is_modelled,
        trend.reason, trend.previous_offences, trend.previous_release_id, trend.previous_source
    FROM mart.crime_trend AS trend
    WHERE trend.span = 'year'
        AND trend.offence_id IN ($offence_id, $including, $excluding)
        AND month(trend.period_end) = month(CAST($period_end AS DATE))
        AND (
            trend.area_code = $area_code
            OR trend.area_code IN (SELECT partnership.area_code FROM partnership)
        )
    ORDER BY trend.offence_id, trend.period_end, trend.area_code = $area_code, trend.area_code
"""

_RANKS = """
    SELECT
        ranked.area_code, ranked.area_name, ranked.period_end, ranked.rank_all, ranked.rank_significant,
        ranked.ranked_areas, ranking.significant_areas, ranking.areas, ranked.rank_bound_low AS bound_low,
        ranked.rank_bound_high AS bound_high, ranked.release_id, ranked.is_modelled, ranked.reason
    FROM mart.local_adult_reoffending_rank AS ranked
    INNER JOIN (
        SELECT
            every.level, every.period_end, count(every.rank_significant) AS significant_areas,
            count(*) FILTER (every.area_code NOT LIKE 'x-%') AS areas
        FROM mart.local_adult_reoffending_rank AS every
        GROUP BY every.level, every.period_end
    ) AS ranking
        ON ranking.level = ranked.level AND ranking.period_end = ranked.period_end
    WHERE ranked.level = 'upper_tier' AND ranked.area_code IN (SELECT unnest($area_codes))
    ORDER BY ranked.period_end, ranked.area_code
"""

# The authorities of a force by the lookup nearest to the year of the claim.
_MEMBERS = """
    SELECT DISTINCT parent.area_code
    FROM ref.area_parent AS parent
    INNER JOIN ref.area_level AS upper_tier
        ON upper_tier.area_code = parent.area_code AND upper_tier.level = 'upper_tier'
    WHERE parent.parent_level = 'police_force' AND parent.parent_code = $area_code
    QUALIFY rank() OVER (
        ORDER BY abs(parent.vintage - coalesce(year(CAST($period_end AS DATE)), 0)), parent.vintage
    ) = 1
    ORDER BY parent.area_code
"""

_UNIT_COSTS = """
    SELECT
        cost.offence_group, cost.unit_cost_pounds AS pounds, cost.wider_reoffences AS reoffences, cost.cohort_year,
        cost.price_base
    FROM ref.unit_cost AS cost
    ORDER BY cost.offence_group
"""


def build(connection: duckdb.DuckDBPyConnection, _: Path | None) -> pa.Table:
    """Columns: those of `mart.claim_check`.

    Raises:
        JusticeError: a line of the claims cannot be read.
    """
    claims = [Claim(**row) for row in _fetch(connection, _CLAIMS)]
    costs = [UnitCost(**row) for row in _fetch(connection, _UNIT_COSTS)]
    crime_is_modelled = _is_modelled(connection, "mart.crime_trend")
    ranks_are_modelled = _is_modelled(connection, "mart.local_adult_reoffending_rank")
    lines = []
    for claim in claims:
        members = _fetch_members(connection, claim)
        facts = Facts(
            counts=_fetch_counts(connection, claim),
            ranks=_fetch_ranks(connection, members or {claim.area_code}),
            members=members,
            unit_costs=costs,
            crime_is_modelled=crime_is_modelled,
            ranks_are_modelled=ranks_are_modelled,
        )
        lines.append(asdict(claim) | asdict(judge(claim, facts)))
    schema = arrow_schema("mart.claim_check")
    return pa.Table.from_pylist([{name: line[name] for name in schema.names} for line in lines], schema=schema)


def _fetch(connection: duckdb.DuckDBPyConnection, query: str, parameters: Row | None = None) -> list[Row]:
    result = connection.execute(query, parameters)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _is_modelled(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a table holds modelled samples and nothing else."""
    row = connection.execute(f"SELECT bool_and(is_modelled) FROM {table}").fetchone()
    return bool(row and row[0])


def _fetch_counts(connection: duckdb.DuckDBPyConnection, claim: Claim) -> dict[tuple[str, date], Count]:
    if claim.offence_id is None:
        return {}
    parameters = {
        "area_code": claim.area_code,
        "offence_id": claim.offence_id,
        "period_end": claim.period_end,
        "including": INCLUDING_FRAUD,
        "excluding": EXCLUDING_FRAUD,
    }
    rows = _fetch(connection, _COUNTS, parameters)
    return {(row.pop("offence_id"), row.pop("period_end")): Count(**row) for row in rows}


def _fetch_members(connection: duckdb.DuckDBPyConnection, claim: Claim) -> frozenset[str]:
    if claim.claim_check != "rank_all_within":
        return frozenset()
    parameters = {"area_code": claim.area_code, "period_end": claim.period_end}
    return frozenset(str(row["area_code"]) for row in _fetch(connection, _MEMBERS, parameters))


def _fetch_ranks(connection: duckdb.DuckDBPyConnection, area_codes: Iterable[str]) -> list[RankLine]:
    return [RankLine(**row) for row in _fetch(connection, _RANKS, {"area_codes": sorted(area_codes)})]
