-- Periods of a table follow each other: quarters every three months; years at a step that may become finer (the
-- rolling-year file goes from years to quarters in 2007) but not coarser.
WITH period AS (
    SELECT crime.release_id, crime.table_id, crime.span, crime.period_end, min(crime.sha256) AS sha256
    FROM core.recorded_crime AS crime
    GROUP BY crime.release_id, crime.table_id, crime.span, crime.period_end
),
stepped AS (
    SELECT
        period.*,
        12 * year(period.period_end) + month(period.period_end)
        - lag(12 * year(period.period_end) + month(period.period_end)) OVER (
            PARTITION BY period.release_id, period.table_id, period.span
            ORDER BY period.period_end
        ) AS months
    FROM period
),
compared AS (
    SELECT
        stepped.*,
        CASE stepped.span
            WHEN 'quarter' THEN 3
            ELSE lag(stepped.months) OVER (
                PARTITION BY stepped.release_id, stepped.table_id, stepped.span
                ORDER BY stepped.period_end
            )
        END AS months_before
    FROM stepped
)
SELECT
    compared.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', compared.table_id, compared.span, CAST(compared.period_end AS VARCHAR)) AS figure,
    concat('at most ', CAST(compared.months_before AS VARCHAR), ' months after the period before') AS expected,
    concat(CAST(compared.months AS VARCHAR), ' months') AS found
FROM compared
WHERE compared.months > compared.months_before
