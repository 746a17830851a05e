-- The columns of a line of a harmonised series follow from each other: one violation for each line that contradicts
-- itself, with the first thing that does not hold.
WITH line AS (
    SELECT
        concat_ws(
            '|', 'series', series.area_code, series.offence_id, series.span, CAST(series.period_end AS VARCHAR)
        ) AS figure,
        series.made_by, series.part_codes, series.reason, series.release_id,
        series.offences IS NOT NULL AS is_known
    FROM mart.crime_series AS series
    UNION ALL
    SELECT
        concat_ws(
            '|', 'series', series.area_code, series.level, series.measure, series.span,
            CAST(series.cohort_end AS VARCHAR), series.age_group
        ) AS figure,
        series.made_by, series.part_codes, series.reason, series.release_id,
        series.offenders IS NOT NULL AND series.reoffenders IS NOT NULL AS is_known
    FROM mart.reoffending_series AS series
),
judged AS (
    SELECT
        line.*,
        CASE
            WHEN line.is_known = (line.reason IS NOT NULL) THEN 'either a figure or the reason why not'
            WHEN line.is_known AND line.made_by IS NULL THEN 'a figure says how it was made'
            WHEN coalesce(line.made_by IN ('recoded', 'merged'), FALSE) <> (line.part_codes IS NOT NULL)
                THEN 'parts where a figure was carried over or added up, and only there'
            WHEN line.made_by = 'merged' AND NOT line.is_known THEN 'what is added up has a figure'
            WHEN line.made_by = 'recoded' AND line.part_codes LIKE '%;%' THEN 'one code that is carried over'
            WHEN line.made_by IS NOT NULL AND line.reason IN ('split', 'boundary')
                THEN 'nothing made across a break'
        END AS broken
    FROM line
)
SELECT
    judged.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    judged.figure,
    judged.broken AS expected,
    concat_ws(', ', coalesce(judged.made_by, 'not made'), judged.part_codes, judged.reason) AS found
FROM judged
WHERE judged.broken IS NOT NULL
