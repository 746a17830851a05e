-- Adults and children against the figure of all ages that the same file prints. The line of all ages is named, though
-- any of the three may be wrong.
WITH counted AS (
    SELECT
        figure.release_id, figure.sha256, figure.sheet, figure.row, figure.table_id, figure.measure, figure.span,
        figure.cohort_end, figure.age_group, figure.area_code, counts.name,
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
),
of_ages AS (
    SELECT
        age.sha256, age.table_id, age.measure, age.span, age.cohort_end, age.area_code, age.name,
        CAST(sum(age.value) AS BIGINT) AS value
    FROM counted AS age
    WHERE age.age_group IN ('adult', 'child')
    GROUP BY age.sha256, age.table_id, age.measure, age.span, age.cohort_end, age.area_code, age.name
    HAVING count(age.value) = 2
)
SELECT
    whole.release_id,
    whole.sha256,
    concat(substr(whole.sha256, 1, 12), '!', whole.sheet, '!', whole.letter, CAST(whole.row AS VARCHAR)) AS cell,
    concat_ws(
        '|', whole.table_id, whole.area_code, concat('all ', whole.name), whole.span, CAST(whole.cohort_end AS VARCHAR)
    ) AS figure,
    CAST(of_ages.value AS VARCHAR) AS expected,
    CAST(whole.value AS VARCHAR) AS found
FROM counted AS whole
INNER JOIN of_ages
    ON of_ages.sha256 = whole.sha256
    AND of_ages.table_id = whole.table_id
    AND of_ages.measure = whole.measure
    AND of_ages.span = whole.span
    AND of_ages.cohort_end = whole.cohort_end
    AND of_ages.area_code = whole.area_code
    AND of_ages.name = whole.name
WHERE whole.age_group = 'all' AND whole.value <> of_ages.value
