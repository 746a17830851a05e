-- What holds of every line of the trend, whatever the figures are: rates are those of the counts, a change is the
-- difference of two rates and lies in its interval, and where there is none a reason says why.
WITH line AS (
    SELECT
        trend.*,
        100e0 * trend.reoffenders / nullif(trend.offenders, 0) AS counted_rate,
        100e0 * trend.previous_reoffenders / nullif(trend.previous_offenders, 0) AS counted_previous_rate
    FROM mart.reoffending_trend AS trend
),
broken AS (
    SELECT
        line.*, 'rate_percent' AS what, CAST(line.counted_rate AS VARCHAR) AS expected,
        CAST(line.rate_percent AS VARCHAR) AS found
    FROM line
    WHERE coalesce(abs(line.rate_percent - line.counted_rate) > 1e-9, FALSE)
        OR (line.rate_percent IS NULL) <> (line.counted_rate IS NULL)
    UNION ALL
    SELECT
        line.*, 'previous_rate_percent' AS what, CAST(line.counted_previous_rate AS VARCHAR) AS expected,
        CAST(line.previous_rate_percent AS VARCHAR) AS found
    FROM line
    WHERE coalesce(abs(line.previous_rate_percent - line.counted_previous_rate) > 1e-9, FALSE)
        OR (line.previous_rate_percent IS NULL) <> (line.counted_previous_rate IS NULL)
    UNION ALL
    SELECT
        line.*, 'change_points' AS what, CAST(line.rate_percent - line.previous_rate_percent AS VARCHAR) AS expected,
        CAST(line.change_points AS VARCHAR) AS found
    FROM line
    WHERE abs(line.change_points - (line.rate_percent - line.previous_rate_percent)) > 1e-9
    UNION ALL
    SELECT
        line.*, 'interval of change_points' AS what, concat('with ', CAST(line.change_points AS VARCHAR)) AS expected,
        concat(CAST(line.change_low_points AS VARCHAR), ' to ', CAST(line.change_high_points AS VARCHAR)) AS found
    FROM line
    WHERE line.change_points IS NOT NULL
        AND NOT coalesce(
            line.change_low_points >= -100e0
            AND line.change_low_points <= line.change_points + 1e-9
            AND line.change_high_points >= line.change_points - 1e-9
            AND line.change_high_points <= 100e0,
            FALSE
        )
    UNION ALL
    SELECT
        line.*, 'reason' AS what, CASE WHEN line.change_points IS NULL THEN 'a reason' ELSE 'none' END AS expected,
        coalesce(line.reason, 'none') AS found
    FROM line
    WHERE (line.change_points IS NULL) <> (line.reason IS NOT NULL)
)
SELECT
    CAST(NULL AS VARCHAR) AS release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', 'reoffending_trend', broken.area_code, concat(broken.measure, ', ', broken.age_group, ' ', broken.what),
        broken.span, CAST(broken.cohort_end AS VARCHAR)
    ) AS figure,
    broken.expected,
    broken.found
FROM broken
