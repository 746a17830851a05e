-- The lines of one figure in a history follow one another: none begins before the one before it has ended, and each lasts
-- for a time. A figure of crime that was stated once never vanishes: its lines join without a gap, and the last holds.
-- Who is ranked can change: an area can leave a ranking, and come back.
WITH crime AS (
    SELECT
        trend.area_code, trend.offence_id, trend.span, trend.period_end, trend.known_from, trend.known_to,
        lead(trend.known_from) OVER (
            PARTITION BY trend.area_code, trend.offence_id, trend.span, trend.period_end ORDER BY trend.known_from
        ) AS next_from
    FROM mart.crime_trend_history AS trend
),
reoffending AS (
    SELECT
        ranking.area_code, ranking.level, ranking.measure, ranking.span, ranking.cohort_end, ranking.age_group,
        ranking.known_from, ranking.known_to,
        lead(ranking.known_from) OVER (
            PARTITION BY
                ranking.area_code, ranking.level, ranking.measure, ranking.span, ranking.cohort_end, ranking.age_group
            ORDER BY ranking.known_from
        ) AS next_from
    FROM mart.reoffending_rank_history AS ranking
),
local_adult AS (
    SELECT
        ranking.area_code, ranking.period_end, ranking.known_from, ranking.known_to,
        lead(ranking.known_from) OVER (
            PARTITION BY ranking.area_code, ranking.period_end ORDER BY ranking.known_from
        ) AS next_from
    FROM mart.local_adult_reoffending_rank_history AS ranking
),
wrong AS (
    SELECT
        concat_ws(
            '|', 'crime_trend_history', crime.area_code, crime.offence_id, crime.span,
            CAST(crime.period_end AS VARCHAR)
        ) AS figure,
        crime.known_from, crime.known_to, crime.next_from
    FROM crime
    WHERE crime.known_to IS DISTINCT FROM crime.next_from OR crime.known_to <= crime.known_from
    UNION ALL
    SELECT
        concat_ws(
            '|', 'reoffending_rank_history', reoffending.area_code, reoffending.level, reoffending.measure,
            reoffending.span, CAST(reoffending.cohort_end AS VARCHAR), reoffending.age_group
        ) AS figure,
        reoffending.known_from, reoffending.known_to, reoffending.next_from
    FROM reoffending
    WHERE (reoffending.next_from IS NOT NULL AND reoffending.known_to IS NULL)
        OR reoffending.known_to > reoffending.next_from
        OR reoffending.known_to <= reoffending.known_from
    UNION ALL
    SELECT
        concat_ws(
            '|', 'local_adult_reoffending_rank_history', local_adult.area_code,
            CAST(local_adult.period_end AS VARCHAR)
        ) AS figure,
        local_adult.known_from, local_adult.known_to, local_adult.next_from
    FROM local_adult
    WHERE (local_adult.next_from IS NOT NULL AND local_adult.known_to IS NULL)
        OR local_adult.known_to > local_adult.next_from
        OR local_adult.known_to <= local_adult.known_from
)
SELECT
    CAST(NULL AS VARCHAR) AS release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    wrong.figure,
    concat('from ', CAST(wrong.known_from AS VARCHAR), ' until the next line begins') AS expected,
    concat(
        'until ', coalesce(CAST(wrong.known_to AS VARCHAR), 'now'),
        ', the next line from ', coalesce(CAST(wrong.next_from AS VARCHAR), 'never')
    ) AS found
FROM wrong
