-- What holds of every ranking of local adult reoffending, whatever the figures are (docs/methods.md).
WITH line AS (
    SELECT
        ranked.*,
        ranked.eligible AS is_ranked,
        concat(ranked.level, ' ') AS head,
        CAST(ranked.period_end AS VARCHAR) AS tail
    FROM mart.local_adult_reoffending_rank AS ranked
),
judged AS (
    SELECT
        line.*,
        rank() OVER (
            PARTITION BY line.head, line.tail, line.is_ranked ORDER BY line.difference_percent
        ) AS counted_rank,
        CASE
            WHEN line.is_ranked AND line.significant THEN
                rank() OVER (
                    PARTITION BY line.head, line.tail, line.is_ranked AND coalesce(line.significant, FALSE)
                    ORDER BY line.difference_percent
                )
        END AS counted_significant,
        count(*) OVER (PARTITION BY line.head, line.tail, line.is_ranked) AS counted_areas,
        count(*) OVER (PARTITION BY line.head, line.tail, line.is_ranked, line.difference_percent) AS equal_areas
    FROM line
),
ranking AS (
    SELECT
        judged.head, judged.tail,
        count(DISTINCT judged.release_id) AS releases,
        count(judged.expected_rank) AS areas,
        sum(judged.expected_rank) AS expected_ranks
    FROM judged
    GROUP BY judged.head, judged.tail
),
broken AS (
    SELECT
        judged.head, judged.area_code, 'rank_all' AS what, judged.tail,
        CAST(judged.counted_rank AS VARCHAR) AS expected,
        CAST(judged.rank_all AS VARCHAR) AS found
    FROM judged
    WHERE judged.is_ranked AND judged.rank_all IS DISTINCT FROM judged.counted_rank
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
        judged.head, judged.area_code, 'difference_percent' AS what, judged.tail,
        CAST(100e0 * (judged.actual_percent / nullif(judged.predicted_percent, 0e0) - 1e0) AS VARCHAR) AS expected,
        CAST(judged.difference_percent AS VARCHAR) AS found
    FROM judged
    WHERE abs(
            judged.difference_percent - 100e0 * (judged.actual_percent / nullif(judged.predicted_percent, 0e0) - 1e0)
        ) > 1e-9
    UNION ALL
    SELECT
        judged.head, judged.area_code, 'no rank' AS what, judged.tail,
        'null' AS expected,
        'a rank, a bound or a probability' AS found
    FROM judged
    WHERE NOT judged.is_ranked
        AND coalesce(
            judged.rank_all, judged.ranked_areas, judged.rank_low, judged.rank_high, judged.rank_bound_low,
            judged.rank_bound_high
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
        judged.head, judged.area_code, 'rank_significant' AS what, judged.tail,
        CAST(judged.counted_significant AS VARCHAR) AS expected,
        CAST(judged.rank_significant AS VARCHAR) AS found
    FROM judged
    WHERE judged.rank_significant IS DISTINCT FROM judged.counted_significant
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
)
SELECT
    CAST(NULL AS VARCHAR) AS release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', 'local_adult_reoffending_rank', broken.area_code, concat(broken.head, broken.what), broken.tail
    ) AS figure,
    broken.expected,
    broken.found
FROM broken
