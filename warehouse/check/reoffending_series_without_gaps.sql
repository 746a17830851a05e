-- An area and age group stands in every cohort of its table between its first and its last: one line a series.
WITH line AS (
    SELECT DISTINCT
        placed.release_id, placed.sha256, placed.sheet, placed.table_id, placed.span, placed.cohort_end,
        placed.age_group, placed.level, coalesce(placed.area_code, placed.area_name) AS area
    FROM work.placed_reoffending AS placed
    WHERE placed.role = 'total'
),
cohort AS (
    SELECT DISTINCT line.sha256, line.sheet, line.span, line.level, line.cohort_end
    FROM line
),
series AS (
    SELECT
        line.release_id, line.sha256, line.sheet, line.table_id, line.span, line.age_group, line.level, line.area,
        count(*) AS stated,
        min(line.cohort_end) AS first_end,
        max(line.cohort_end) AS last_end
    FROM line
    GROUP BY line.release_id, line.sha256, line.sheet, line.table_id, line.span, line.age_group, line.level, line.area
)
SELECT
    series.release_id,
    series.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', series.table_id, series.area, concat(series.level, ', ', series.age_group), series.span,
        CAST(series.last_end AS VARCHAR)
    ) AS figure,
    concat('in ', CAST(count(*) AS VARCHAR), ' cohorts from ', CAST(series.first_end AS VARCHAR)) AS expected,
    concat('in ', CAST(series.stated AS VARCHAR)) AS found
FROM series
INNER JOIN cohort
    ON cohort.sha256 = series.sha256
    AND cohort.sheet = series.sheet
    AND cohort.span = series.span
    AND cohort.level = series.level
    AND cohort.cohort_end >= series.first_end
    AND cohort.cohort_end <= series.last_end
GROUP BY
    series.release_id, series.sha256, series.sheet, series.table_id, series.span, series.age_group, series.level,
    series.area, series.first_end, series.last_end, series.stated
HAVING count(*) > series.stated
