-- A rate is from 0 to 100; and the predictions of a table average between 2% and 25%, since this series lies at 5% to
-- 9%: else they are fractions, or another column.
WITH rate AS (
    SELECT
        line.release_id, line.sha256, line.sheet, line.row, line.table_id, line.area_code, line.area_name,
        line.period_end, names.name,
        CASE names.name WHEN 'actual_percent' THEN line.actual_percent ELSE line.predicted_percent END AS value,
        CASE names.name WHEN 'actual_percent' THEN line.actual_percent_column ELSE line.predicted_percent_column END
            AS letter
    FROM work.placed_local_adult AS line
    CROSS JOIN (VALUES ('actual_percent'), ('predicted_percent')) AS names(name)
)
SELECT
    rate.release_id,
    rate.sha256,
    concat(substr(rate.sha256, 1, 12), '!', rate.sheet, '!', rate.letter, CAST(rate.row AS VARCHAR)) AS cell,
    concat_ws(
        '|', rate.table_id, coalesce(rate.area_code, rate.area_name), rate.name, CAST(rate.period_end AS VARCHAR)
    ) AS figure,
    'from 0 to 100' AS expected,
    CAST(rate.value AS VARCHAR) AS found
FROM rate
WHERE rate.value < 0e0 OR rate.value > 100e0
UNION ALL
SELECT
    rate.release_id,
    rate.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', rate.table_id, 'average predicted_percent', CAST(rate.period_end AS VARCHAR)) AS figure,
    'from 2 to 25' AS expected,
    CAST(round(avg(rate.value), 3) AS VARCHAR) AS found
FROM rate
WHERE rate.name = 'predicted_percent'
GROUP BY rate.release_id, rate.sha256, rate.sheet, rate.table_id, rate.period_end
HAVING avg(rate.value) NOT BETWEEN 2e0 AND 25e0
