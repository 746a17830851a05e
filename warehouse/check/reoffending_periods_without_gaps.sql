-- Each cohort of a table begins no later than the day after those before it have ended.
WITH cohort AS (
    SELECT DISTINCT
        line.release_id, line.sha256, line.sheet, line.table_id, line.span, line.cohort_start, line.cohort_end
    FROM work.placed_reoffending AS line
),
before AS (
    SELECT
        cohort.*,
        max(cohort.cohort_end) OVER (
            PARTITION BY cohort.sha256, cohort.sheet, cohort.span
            ORDER BY cohort.cohort_end
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS end_before
    FROM cohort
)
SELECT
    before.release_id,
    before.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', before.table_id, 'cohort_start', before.span, CAST(before.cohort_end AS VARCHAR)) AS figure,
    CAST(CAST(before.end_before + INTERVAL 1 DAY AS DATE) AS VARCHAR) AS expected,
    CAST(before.cohort_start AS VARCHAR) AS found
FROM before
WHERE before.cohort_start > CAST(before.end_before + INTERVAL 1 DAY AS DATE)
