-- An area against its newest period before, which shares people with it where it overlaps: offenders beyond a third and
-- five standard deviations, a rate beyond three points and four standard errors.
WITH figure AS (
    SELECT
        line.release_id, line.table_id, line.period_end, line.area_code, line.sha256, line.sheet, line.row,
        CAST(line.offenders AS DOUBLE) AS offenders, line.offenders_column, line.actual_percent,
        line.actual_percent_column, line.predicted_percent, line.predicted_percent_column,
        row_number() OVER (
            PARTITION BY line.table_id, line.period_end, line.area_code
            ORDER BY release.published_on DESC, release.published_at DESC, line.release_id DESC
        ) AS recency
    FROM core.local_adult_reoffending AS line
    INNER JOIN input.release AS release ON release.release_id = line.release_id
    WHERE line.area_code NOT LIKE 'x-%'
),
period AS (
    SELECT DISTINCT figure.table_id, figure.period_end
    FROM figure
),
before AS (
    SELECT period.table_id, period.period_end, max(earlier.period_end) AS end_before
    FROM period
    INNER JOIN period AS earlier
        ON earlier.table_id = period.table_id AND earlier.period_end < period.period_end
    GROUP BY period.table_id, period.period_end
),
compared AS (
    SELECT
        figure.release_id, figure.sha256, figure.sheet, figure.row, figure.table_id, figure.area_code,
        figure.period_end, names.name,
        CASE names.name
            WHEN 'offenders' THEN figure.offenders_column
            WHEN 'actual_percent' THEN figure.actual_percent_column
            ELSE figure.predicted_percent_column
        END AS letter,
        CASE names.name
            WHEN 'offenders' THEN figure.offenders
            WHEN 'actual_percent' THEN figure.actual_percent
            ELSE figure.predicted_percent
        END AS value,
        CASE names.name
            WHEN 'offenders' THEN earlier.offenders
            WHEN 'actual_percent' THEN earlier.actual_percent
            ELSE earlier.predicted_percent
        END AS value_before,
        CASE names.name
            WHEN 'offenders' THEN earlier.offenders / 3e0 + 5e0 * sqrt(earlier.offenders)
            -- A prediction is no draw of chance: it follows the caseload.
            WHEN 'predicted_percent' THEN 3e0
            ELSE 3e0 + 4e0 * sqrt(
                earlier.predicted_percent * (100e0 - earlier.predicted_percent) / nullif(earlier.offenders, 0)
            )
        END AS slack
    FROM figure
    INNER JOIN before ON before.table_id = figure.table_id AND before.period_end = figure.period_end
    INNER JOIN figure AS earlier
        ON earlier.table_id = figure.table_id
        AND earlier.period_end = before.end_before
        AND earlier.area_code = figure.area_code
        AND earlier.recency = 1
    CROSS JOIN (VALUES ('offenders'), ('actual_percent'), ('predicted_percent')) AS names(name)
    WHERE figure.recency = 1
)
SELECT
    compared.release_id,
    compared.sha256,
    concat(substr(compared.sha256, 1, 12), '!', compared.sheet, '!', compared.letter, CAST(compared.row AS VARCHAR))
        AS cell,
    concat_ws('|', compared.table_id, compared.area_code, compared.name, CAST(compared.period_end AS VARCHAR))
        AS figure,
    concat('about ', CAST(round(compared.value_before, 3) AS VARCHAR)) AS expected,
    CAST(round(compared.value, 3) AS VARCHAR) AS found
FROM compared
WHERE abs(compared.value - compared.value_before) > compared.slack
