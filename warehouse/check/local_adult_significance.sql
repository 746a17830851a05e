-- A difference that is printed as significant is beyond 1.5 standard errors, and one that is not lies within 3: the
-- publisher may allow for more than chance, so that there is room about 1.96.
WITH tested AS (
    SELECT
        line.release_id, line.sha256, line.table_id, line.area_code, line.area_name, line.period_end,
        line.printed_significant,
        abs(line.actual_percent - line.predicted_percent) / sqrt(
            line.predicted_percent * (100e0 - line.predicted_percent) / line.offenders
        ) AS z
    FROM work.placed_local_adult AS line
    WHERE line.printed_significant IS NOT NULL
        AND line.offenders > 0
        AND line.predicted_percent > 0e0
        AND line.predicted_percent < 100e0
)
SELECT
    tested.release_id,
    tested.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', tested.table_id, coalesce(tested.area_code, tested.area_name), 'printed_significant',
        CAST(tested.period_end AS VARCHAR)
    ) AS figure,
    CASE WHEN tested.printed_significant THEN 'z over 1.5' ELSE 'z under 3' END AS expected,
    CAST(round(tested.z, 2) AS VARCHAR) AS found
FROM tested
WHERE CASE WHEN tested.printed_significant THEN tested.z < 1.5e0 ELSE tested.z > 3e0 END
