-- The year of the three-month measure is the sum of its four quarterly cohorts. The year is named, though one of the
-- quarters may be wrong.
WITH counted AS (
    SELECT
        figure.release_id, figure.sha256, figure.sheet, figure.row, figure.table_id, figure.span,
        figure.cohort_start, figure.cohort_end, figure.age_group, figure.area_code, counts.name,
        CASE counts.name
            WHEN 'offenders' THEN figure.offenders
            WHEN 'reoffenders' THEN figure.reoffenders
            ELSE figure.reoffences
        END AS value,
        CASE counts.name
            WHEN 'offenders' THEN figure.offenders_column
            WHEN 'reoffenders' THEN figure.reoffenders_column
            ELSE figure.reoffences_column
        END AS letter
    FROM core.reoffending AS figure
    CROSS JOIN (VALUES ('offenders'), ('reoffenders'), ('reoffences')) AS counts(name)
    WHERE figure.measure = 'three_month_cohort'
),
compared AS (
    SELECT
        whole.release_id, whole.sha256, whole.sheet, whole.letter, whole.row, whole.table_id, whole.area_code,
        whole.age_group, whole.name, whole.span, whole.cohort_end, whole.value,
        CAST(sum(quarter.value) AS BIGINT) AS of_quarters
    FROM counted AS whole
    INNER JOIN counted AS quarter
        ON quarter.sha256 = whole.sha256
        AND quarter.table_id = whole.table_id
        AND quarter.age_group = whole.age_group
        AND quarter.area_code = whole.area_code
        AND quarter.name = whole.name
        AND quarter.cohort_start >= whole.cohort_start
        AND quarter.cohort_end <= whole.cohort_end
    WHERE whole.span = 'year' AND quarter.span = 'quarter'
    GROUP BY
        whole.release_id, whole.sha256, whole.sheet, whole.letter, whole.row, whole.table_id, whole.area_code,
        whole.age_group, whole.name, whole.span, whole.cohort_end, whole.value
    HAVING count(quarter.value) = 4
)
SELECT
    compared.release_id,
    compared.sha256,
    concat(
        substr(compared.sha256, 1, 12), '!', compared.sheet, '!', compared.letter, CAST(compared.row AS VARCHAR)
    ) AS cell,
    concat_ws(
        '|', compared.table_id, compared.area_code, concat(compared.age_group, ' ', compared.name), compared.span,
        CAST(compared.cohort_end AS VARCHAR)
    ) AS figure,
    CAST(compared.of_quarters AS VARCHAR) AS expected,
    CAST(compared.value AS VARCHAR) AS found
FROM compared
WHERE compared.value <> compared.of_quarters
