-- Every claim has its verdict, and no verdict says more than it rests on (docs/methods.md, Claims).
WITH judged AS (
    SELECT
        claim.claim_id,
        claim.claimed_value,
        claim_check.claim_id AS judged_id,
        claim_check.verdict,
        claim_check.observed,
        claim_check.difference,
        claim_check.reading,
        claim_check.bound_high,
        claim_check.publication_needed,
        claim_check.is_modelled,
        claim_check.claim_check,
        claim_check.reason,
        claim_check.verdict LIKE 'not checkable%' AS is_open
    FROM ref.claim AS claim
    LEFT JOIN mart.claim_check AS claim_check ON claim_check.claim_id = claim.claim_id
),
broken AS (
    SELECT judged.claim_id, 'verdict' AS what, 'one line' AS expected, 'none' AS found
    FROM judged
    WHERE judged.judged_id IS NULL
    UNION ALL
    SELECT claim_check.claim_id, 'claim' AS what, 'a line of ref.claim' AS expected, 'none' AS found
    FROM mart.claim_check AS claim_check
    LEFT JOIN ref.claim AS claim ON claim.claim_id = claim_check.claim_id
    WHERE claim.claim_id IS NULL
    UNION ALL
    SELECT judged.claim_id, 'modelled' AS what, 'not checkable (modelled data)' AS expected, judged.verdict AS found
    FROM judged
    WHERE judged.is_modelled IS DISTINCT FROM (judged.verdict = 'not checkable (modelled data)')
        AND judged.judged_id IS NOT NULL
    UNION ALL
    SELECT
        judged.claim_id, 'modelled figure' AS what, 'null' AS expected, CAST(judged.observed AS VARCHAR) AS found
    FROM judged
    WHERE judged.is_modelled AND judged.observed IS NOT NULL
    UNION ALL
    SELECT judged.claim_id, 'observed' AS what, 'a figure' AS expected, 'null' AS found
    FROM judged
    WHERE NOT judged.is_open AND (judged.observed IS NULL OR judged.difference IS NULL)
    UNION ALL
    SELECT
        judged.claim_id, 'difference' AS what,
        CAST(judged.observed - judged.claimed_value AS VARCHAR) AS expected,
        CAST(judged.difference AS VARCHAR) AS found
    FROM judged
    WHERE abs(judged.difference - (judged.observed - judged.claimed_value)) > 1e-9
    UNION ALL
    SELECT judged.claim_id, 'reason' AS what, 'a sentence' AS expected, 'null' AS found
    FROM judged
    WHERE judged.judged_id IS NOT NULL AND judged.reason IS NULL
    UNION ALL
    SELECT judged.claim_id, 'publication_needed' AS what, 'a publication' AS expected, 'null' AS found
    FROM judged
    WHERE judged.verdict = 'not checkable' AND judged.publication_needed IS NULL
    UNION ALL
    SELECT
        judged.claim_id, 'guaranteed rank' AS what,
        concat('at most ', CAST(judged.claimed_value AS VARCHAR)) AS expected,
        CAST(judged.bound_high AS VARCHAR) AS found
    FROM judged
    WHERE judged.claim_check IN ('rank', 'rank_all_within')
        AND judged.verdict = 'supported'
        AND NOT coalesce(judged.reading IS NOT NULL AND judged.bound_high <= judged.claimed_value, FALSE)
)
SELECT
    CAST(NULL AS VARCHAR) AS release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'claim_check', broken.claim_id, broken.what) AS figure,
    broken.expected,
    broken.found
FROM broken
