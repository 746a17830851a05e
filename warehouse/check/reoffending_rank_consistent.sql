-- What holds of every ranking of reoffending rates, whatever the figures are (docs/methods.md).
WITH line AS (
    SELECT
        ranked.*,
        ranked.eligible AS is_ranked,
        concat(ranked.level, ', ', ranked.measure, ', ', ranked.age_group, ' ') AS head,
        concat(ranked.span, '|', CAST(ranked.cohort_end AS VARCHAR)) AS tail
    FROM mart.reoffending_rank AS ranked
),
judged AS (
    SELECT
        line.*,
        rank() OVER (PARTITION BY line.head, line.tail, line.is_ranked ORDER BY line.rate_percent) AS counted_rank,
        count(*) OVER (PARTITION BY line.head, line.tail, line.is_ranked) AS counted_areas,
        count(*) OVER (PARTITION BY line.head, line.tail, line.is_ranked, line.rate_percent) AS equal_areas
    FROM line
),
ranking AS (
    SELECT
        judged.head, judged.tail,
        count(DISTINCT judged.release_id) AS releases,
        count(judged.expected_rank) AS areas,
        sum(judged.expected_rank) AS expected_ranks,
        sum(judged.lowest_10_percent) AS lowest_10,
        sum(judged.highest_10_percent) AS highest_10,
        min(CASE WHEN judged.is_ranked THEN judged.rate_percent END) AS lowest_rate,
        max(CASE WHEN judged.is_ranked THEN judged.rate_percent END) AS highest_rate,
        min(judged.shrunken_rate_percent) AS lowest_shrunken,
        max(judged.shrunken_rate_percent) AS highest_shrunken
    FROM judged
    GROUP BY judged.head, judged.tail
),
broken AS (
    SELECT
        judged.head, judged.area_code, 'rank' AS what, judged.tail,
        CAST(judged.counted_rank AS VARCHAR) AS expected,
        CAST(judged.rank AS VARCHAR) AS found
    FROM judged
    WHERE judged.is_ranked AND judged.rank IS DISTINCT FROM judged.counted_rank
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'ranked_areas' AS what, judged.tail,
        CAST(judged.counted_areas AS VARCHAR) AS expected,
        CAST(judged.ranked_areas AS VARCHAR) AS found
    FROM judged
    WHERE judged.is_ranked AND judged.ranked_areas IS DISTINCT FROM judged.counted_areas
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'tied' AS what, judged.tail,
        CAST(judged.equal_areas > 1 AS VARCHAR) AS expected,
        CAST(judged.tied AS VARCHAR) AS found
    FROM judged
    WHERE judged.is_ranked AND judged.tied IS DISTINCT FROM (judged.equal_areas > 1)
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'guaranteed rank' AS what, judged.tail,
        concat(
            'within 1 to ', CAST(judged.counted_areas AS VARCHAR), ', with ', CAST(judged.counted_rank AS VARCHAR)
        ) AS expected,
        concat(CAST(judged.rank_bound_low AS VARCHAR), ' to ', CAST(judged.rank_bound_high AS VARCHAR)) AS found
    FROM judged
    WHERE judged.is_ranked
        AND NOT coalesce(
            judged.rank_bound_low >= 1
            AND judged.counted_rank BETWEEN judged.rank_bound_low AND judged.rank_bound_high
            AND judged.rank_bound_high <= judged.counted_areas,
            FALSE
        )
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'simultaneous rank' AS what, judged.tail,
        concat(
            'within 1 to ', CAST(judged.counted_areas AS VARCHAR), ', with ', CAST(judged.rank_bound_low AS VARCHAR),
            ' to ', CAST(judged.rank_bound_high AS VARCHAR)
        ) AS expected,
        concat(
            CAST(judged.rank_bound_simultaneous_low AS VARCHAR), ' to ',
            CAST(judged.rank_bound_simultaneous_high AS VARCHAR)
        ) AS found
    FROM judged
    WHERE judged.is_ranked
        AND NOT coalesce(
            judged.rank_bound_simultaneous_low BETWEEN 1 AND judged.rank_bound_low
            AND judged.rank_bound_simultaneous_high BETWEEN judged.rank_bound_high AND judged.counted_areas,
            FALSE
        )
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'indistinguishable_areas' AS what, judged.tail,
        CAST(judged.rank_bound_high - judged.rank_bound_low AS VARCHAR) AS expected,
        CAST(judged.indistinguishable_areas AS VARCHAR) AS found
    FROM judged
    WHERE judged.is_ranked
        AND judged.indistinguishable_areas IS DISTINCT FROM judged.rank_bound_high - judged.rank_bound_low
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'rank interval' AS what, judged.tail,
        concat('within 1 to ', CAST(judged.counted_areas AS VARCHAR)) AS expected,
        concat(
            CAST(judged.rank_low AS VARCHAR), ' to ', CAST(judged.rank_high AS VARCHAR), ', ',
            CAST(judged.expected_rank AS VARCHAR)
        ) AS found
    FROM judged
    WHERE judged.is_ranked
        AND (judged.expected_rank IS NOT NULL OR judged.rank_low IS NOT NULL OR judged.rank_high IS NOT NULL)
        AND NOT coalesce(
            judged.rank_low >= 1
            AND judged.rank_low <= judged.rank_high
            AND judged.rank_high <= judged.counted_areas
            AND judged.expected_rank BETWEEN 1 AND judged.counted_areas,
            FALSE
        )
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'rankability' AS what, judged.tail,
        'from 0 to 1' AS expected,
        CAST(judged.rankability AS VARCHAR) AS found
    FROM judged
    WHERE judged.rankability < 0e0 OR judged.rankability > 1e0
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'rate_percent' AS what, judged.tail,
        CAST(100e0 * judged.reoffenders / nullif(judged.offenders, 0) AS VARCHAR) AS expected,
        CAST(judged.rate_percent AS VARCHAR) AS found
    FROM judged
    WHERE abs(judged.rate_percent - 100e0 * judged.reoffenders / nullif(judged.offenders, 0)) > 1e-9
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'interval of rate_percent' AS what, judged.tail,
        concat('with ', CAST(judged.rate_percent AS VARCHAR)) AS expected,
        concat(
            CAST(judged.wilson_low_percent AS VARCHAR), ' to ', CAST(judged.wilson_high_percent AS VARCHAR)
        ) AS found
    FROM judged
    WHERE judged.eligible
        AND NOT coalesce(
            judged.wilson_low_percent >= 0e0
            AND judged.wilson_low_percent <= judged.rate_percent + 1e-9
            AND judged.wilson_high_percent >= judged.rate_percent - 1e-9
            AND judged.wilson_high_percent <= 100e0,
            FALSE
        )
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'no rank' AS what, judged.tail,
        'null' AS expected,
        'a rank, a bound or a probability' AS found
    FROM judged
    WHERE NOT judged.is_ranked
        AND coalesce(
            judged.rank, judged.ranked_areas, judged.rank_low, judged.rank_high, judged.rank_bound_low,
            judged.rank_bound_high, judged.rank_bound_simultaneous_low, judged.rank_bound_simultaneous_high,
            judged.lowest_10_percent, judged.highest_10_percent
        ) IS NOT NULL
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'why not ranked' AS what, judged.tail,
        'a reason' AS expected,
        'null' AS found
    FROM judged
    WHERE NOT judged.is_ranked AND judged.reason IS NULL
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'eligible' AS what, judged.tail,
        CAST(judged.exclusion_reason IS NULL AS VARCHAR) AS expected,
        CAST(judged.eligible AS VARCHAR) AS found
    FROM judged
    WHERE judged.eligible IS DISTINCT FROM (judged.exclusion_reason IS NULL)
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'design_effect' AS what, judged.tail,
        CASE WHEN judged.measure = 'three_month_cohort' AND judged.span = 'year' THEN '1.3' ELSE '1.0' END AS expected,
        CAST(judged.design_effect AS VARCHAR) AS found
    FROM judged
    WHERE judged.design_effect
        <> CASE WHEN judged.measure = 'three_month_cohort' AND judged.span = 'year' THEN 1.3e0 ELSE 1e0 END
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'lowest_10_percent' AS what, judged.tail,
        'from 0 to 100' AS expected,
        CAST(judged.lowest_10_percent AS VARCHAR) AS found
    FROM judged
    WHERE judged.lowest_10_percent < 0e0 OR judged.lowest_10_percent > 100e0
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'highest_10_percent' AS what, judged.tail,
        'from 0 to 100' AS expected,
        CAST(judged.highest_10_percent AS VARCHAR) AS found
    FROM judged
    WHERE judged.highest_10_percent < 0e0 OR judged.highest_10_percent > 100e0
    UNION ALL
    SELECT
        ranking.head, CAST(NULL AS VARCHAR) AS area_code, 'releases' AS what, ranking.tail,
        '1' AS expected,
        CAST(ranking.releases AS VARCHAR) AS found
    FROM ranking
    WHERE ranking.releases <> 1
    UNION ALL
    SELECT
        ranking.head, CAST(NULL AS VARCHAR) AS area_code, 'sum of expected_rank' AS what, ranking.tail,
        CAST(ranking.areas * (ranking.areas + 1) / 2e0 AS VARCHAR) AS expected,
        CAST(ranking.expected_ranks AS VARCHAR) AS found
    FROM ranking
    WHERE abs(ranking.expected_ranks - ranking.areas * (ranking.areas + 1) / 2e0) > 1e-6
    UNION ALL
    SELECT
        ranking.head, CAST(NULL AS VARCHAR) AS area_code, 'sum of lowest_10_percent' AS what, ranking.tail,
        '1000, within half a percent an area' AS expected,
        CAST(ranking.lowest_10 AS VARCHAR) AS found
    FROM ranking
    WHERE abs(ranking.lowest_10 - 1000e0) > ranking.areas / 2e0
    UNION ALL
    SELECT
        ranking.head, CAST(NULL AS VARCHAR) AS area_code, 'sum of highest_10_percent' AS what, ranking.tail,
        '1000, within half a percent an area' AS expected,
        CAST(ranking.highest_10 AS VARCHAR) AS found
    FROM ranking
    WHERE abs(ranking.highest_10 - 1000e0) > ranking.areas / 2e0
    UNION ALL
    SELECT
        ranking.head, CAST(NULL AS VARCHAR) AS area_code, 'shrunken_rate_percent' AS what, ranking.tail,
        concat(CAST(ranking.lowest_rate AS VARCHAR), ' to ', CAST(ranking.highest_rate AS VARCHAR)) AS expected,
        concat(CAST(ranking.lowest_shrunken AS VARCHAR), ' to ', CAST(ranking.highest_shrunken AS VARCHAR)) AS found
    FROM ranking
    WHERE ranking.lowest_shrunken < ranking.lowest_rate OR ranking.highest_shrunken > ranking.highest_rate
)
SELECT
    CAST(NULL AS VARCHAR) AS release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'reoffending_rank', broken.area_code, concat(broken.head, broken.what), broken.tail) AS figure,
    broken.expected,
    broken.found
FROM broken
