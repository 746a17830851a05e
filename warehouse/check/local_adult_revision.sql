-- A figure against the release before that states its period. Offenders are the same caseload, and rates those of the
-- same people: 5% and one point leave room for a better match of records.
WITH figure AS (
    SELECT
        line.release_id, line.sha256, line.sheet, line.row, line.table_id, line.period_end, line.area_code,
        release.published_on, release.published_at, names.name,
        CASE names.name
            WHEN 'offenders' THEN CAST(line.offenders AS DOUBLE)
            WHEN 'actual_percent' THEN line.actual_percent
            ELSE line.predicted_percent
        END AS value,
        CASE names.name
            WHEN 'offenders' THEN line.offenders_column
            WHEN 'actual_percent' THEN line.actual_percent_column
            ELSE line.predicted_percent_column
        END AS letter
    FROM core.local_adult_reoffending AS line
    INNER JOIN input.release AS release ON release.release_id = line.release_id
    CROSS JOIN (VALUES ('offenders'), ('actual_percent'), ('predicted_percent')) AS names(name)
),
revised AS (
    SELECT
        figure.*,
        lag(figure.value) OVER (
            PARTITION BY figure.table_id, figure.period_end, figure.area_code, figure.name
            ORDER BY figure.published_on, figure.published_at, figure.release_id
        ) AS value_before
    FROM figure
    WHERE figure.value IS NOT NULL
)
SELECT
    revised.release_id,
    revised.sha256,
    concat(substr(revised.sha256, 1, 12), '!', revised.sheet, '!', revised.letter, CAST(revised.row AS VARCHAR))
        AS cell,
    concat_ws('|', revised.table_id, revised.area_code, revised.name, CAST(revised.period_end AS VARCHAR)) AS figure,
    CAST(round(revised.value_before, 3) AS VARCHAR) AS expected,
    CAST(round(revised.value, 3) AS VARCHAR) AS found
FROM revised
WHERE abs(revised.value - revised.value_before)
    > CASE revised.name WHEN 'offenders' THEN 0.05e0 * revised.value_before + 10e0 ELSE 1e0 END
