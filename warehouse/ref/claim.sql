SELECT
    claim.claim_id,
    CAST(claim.published_on AS DATE) AS published_on,
    claim.source,
    claim.area_name,
    claim.area_code,
    claim.claim_check,
    claim.measure,
    claim.offence_id,
    CAST(claim.period_end AS DATE) AS period_end,
    CAST(claim.base_period_end AS DATE) AS base_period_end,
    CAST(claim.claimed_value AS DOUBLE) AS claimed_value,
    CAST(claim.claimed_of AS BIGINT) AS claimed_of,
    claim.unit,
    claim.tolerance,
    claim.note
FROM seed.claim AS claim
