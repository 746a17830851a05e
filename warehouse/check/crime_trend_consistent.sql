-- The columns of a line of mart.crime_trend follow from each other: one violation for each line that contradicts
-- itself, with the first thing that does not hold.
WITH judged AS (
    SELECT
        trend.*,
        CASE
            WHEN (trend.offences IS NULL) = (trend.offences_marker IS NULL)
                THEN 'either offences or their marker'
            WHEN trend.change <> trend.offences - trend.previous_offences
                THEN 'change = offences - previous_offences'
            WHEN trend.change IS NULL AND trend.reason IS NULL
                THEN 'a reason where there is no change'
            WHEN trend.change_percent IS NULL AND trend.reason IS NULL
                THEN 'a reason where there is no percentage'
            WHEN trend.change_percent IS NOT NULL AND trend.change IS NULL
                THEN 'no percentage without a change'
            WHEN abs(trend.change_percent - 100e0 * trend.change / trend.previous_offences)
                > 1e-9 * (1e0 + abs(trend.change_percent))
                THEN 'change_percent = 100 * change / previous_offences'
            WHEN trend.change_percent IS NOT NULL AND trend.previous_offences < 50
                THEN 'no percentage on a base under 50'
            WHEN NOT (trend.change_low_percent <= trend.change_percent + 1e-9
                AND trend.change_percent - 1e-9 <= trend.change_high_percent)
                THEN 'change_percent within its interval'
            WHEN (trend.previous_offences IS NULL) <> (trend.previous_source IS NULL)
                OR (trend.previous_offences IS NULL) <> (trend.previous_release_id IS NULL)
                THEN 'previous_offences with their source and release'
            WHEN trend.rate_per_1000 IS NULL AND trend.rate_reason IS NULL
                AND trend.offences >= 0
                THEN 'a rate, or the reason why not'
            WHEN trend.population <= 0
                THEN 'a population above 0'
            WHEN abs(trend.rate_per_1000 - 1000e0 * trend.offences / trend.population)
                > 1e-9 * (1e0 + abs(trend.rate_per_1000))
                THEN 'rate_per_1000 = 1000 * offences / population'
            WHEN NOT (trend.rate_low_per_1000 <= trend.rate_per_1000 + 1e-9
                AND trend.rate_per_1000 - 1e-9 <= trend.rate_high_per_1000)
                THEN 'rate_per_1000 within its interval'
        END AS broken
    FROM mart.crime_trend AS trend
)
SELECT
    judged.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', judged.table_id, judged.area_code, judged.offence_id, judged.span, CAST(judged.period_end AS VARCHAR)
    ) AS figure,
    judged.broken AS expected,
    concat(
        'offences ', coalesce(CAST(judged.offences AS VARCHAR), judged.offences_marker, 'null'),
        ', previous ', coalesce(CAST(judged.previous_offences AS VARCHAR), 'null'),
        ', change ', coalesce(CAST(judged.change AS VARCHAR), 'null'),
        ' (', coalesce(CAST(judged.change_percent AS VARCHAR), 'null'),
        '%), rate ', coalesce(CAST(judged.rate_per_1000 AS VARCHAR), 'null')
    ) AS found
FROM judged
WHERE judged.broken IS NOT NULL
