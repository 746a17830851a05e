-- Offenders against what the change of England and Wales makes of the year before, and the rate against that of the
-- year before, with room for chance: five standard deviations, or the interval of the change. The nation's own bound is
-- wider than the lockdown of spring 2020, which took 57% of a quarter. The trend has no change across a break.
WITH trend AS (
    SELECT
        line.*,
        CAST(line.previous_offenders AS DOUBLE) * coalesce(
            CAST(nation.offenders AS DOUBLE) / nullif(nation.previous_offenders, 0), 1e0
        ) AS expected_offenders
    FROM mart.reoffending_trend AS line
    LEFT JOIN mart.reoffending_trend AS nation
        ON nation.area_code = 'K04000001'
        AND line.area_code <> 'K04000001'
        AND nation.measure = line.measure
        AND nation.span = line.span
        AND nation.cohort_end = line.cohort_end
        AND nation.age_group = line.age_group
        AND nation.reason IS NULL
    WHERE line.reason IS NULL AND line.area_code NOT LIKE 'x-%'
)
SELECT
    trend.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', trend.table_id, trend.area_code, concat(trend.age_group, ' offenders'), trend.span,
        CAST(trend.cohort_end AS VARCHAR)
    ) AS figure,
    concat('about ', CAST(CAST(round(trend.expected_offenders) AS BIGINT) AS VARCHAR)) AS expected,
    CAST(trend.offenders AS VARCHAR) AS found
FROM trend
WHERE abs(trend.offenders - trend.expected_offenders)
    > CASE trend.area_code WHEN 'K04000001' THEN 0.6e0 ELSE 0.3e0 END * trend.expected_offenders
    + 5e0 * sqrt(trend.expected_offenders)
UNION ALL
SELECT
    trend.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', trend.table_id, trend.area_code, concat(trend.age_group, ' rate_percent'), trend.span,
        CAST(trend.cohort_end AS VARCHAR)
    ) AS figure,
    concat('about ', CAST(round(trend.previous_rate_percent, 1) AS VARCHAR)) AS expected,
    CAST(round(trend.rate_percent, 1) AS VARCHAR) AS found
FROM trend
WHERE trend.change_low_points > 10e0 OR trend.change_high_points < -10e0
