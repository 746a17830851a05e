-- Figures as printed; where none is, summed over the parts of the chosen breakdown; and adults with children where the
-- table prints no figure of all ages.
WITH summing AS (
    SELECT release.release_id, source_table.table_id, source_table.sums
    FROM input.release AS release
    INNER JOIN input.source_table AS source_table ON source_table.source = release.source
),
stated AS (
    SELECT
        figure.release_id, figure.table_id, figure.measure, figure.span, figure.cohort_end, figure.age_group,
        figure.area_code, figure.level, figure.cohort_start, figure.offenders, figure.reoffenders, figure.reoffences,
        figure.offenders_marker, figure.reoffenders_marker, figure.reoffences_marker, FALSE AS is_derived
    FROM core.reoffending AS figure
    UNION ALL
    SELECT
        total.release_id, total.table_id, total.measure, total.span, total.cohort_end, total.age_group,
        total.area_code, total.level, total.cohort_start, total.offenders, total.reoffenders, total.reoffences,
        CASE WHEN total.offenders IS NULL THEN '[x]' END AS offenders_marker,
        CASE WHEN total.reoffenders IS NULL THEN '[x]' END AS reoffenders_marker,
        CASE WHEN total.reoffences IS NULL THEN '[x]' END AS reoffences_marker,
        TRUE AS is_derived
    FROM work.reoffending_part_sum AS total
    INNER JOIN summing
        ON summing.release_id = total.release_id
        AND summing.table_id = total.table_id
        AND summing.sums LIKE '%parts%'
    LEFT JOIN core.reoffending AS printed
        ON printed.release_id = total.release_id
        AND printed.table_id = total.table_id
        AND printed.measure = total.measure
        AND printed.span = total.span
        AND printed.cohort_end = total.cohort_end
        AND printed.age_group = total.age_group
        AND printed.area_code = total.area_code
    WHERE total.role = 'part' AND printed.area_code IS NULL
),
both_ages AS (
    SELECT
        age.release_id, age.table_id, age.measure, age.span, age.cohort_end, age.area_code,
        min(age.level) AS level,
        min(age.cohort_start) AS cohort_start,
        CASE WHEN count(age.offenders) = count(*) THEN CAST(sum(age.offenders) AS BIGINT) END AS offenders,
        CASE WHEN count(age.reoffenders) = count(*) THEN CAST(sum(age.reoffenders) AS BIGINT) END AS reoffenders,
        CASE WHEN count(age.reoffences) = count(*) THEN CAST(sum(age.reoffences) AS BIGINT) END AS reoffences
    FROM stated AS age
    INNER JOIN summing
        ON summing.release_id = age.release_id
        AND summing.table_id = age.table_id
        AND summing.sums LIKE '%ages%'
    WHERE age.age_group IN ('adult', 'child')
    GROUP BY age.release_id, age.table_id, age.measure, age.span, age.cohort_end, age.area_code
    HAVING count(*) = 2
)
SELECT stated.*
FROM stated
UNION ALL
SELECT
    both_ages.release_id, both_ages.table_id, both_ages.measure, both_ages.span, both_ages.cohort_end,
    'all' AS age_group, both_ages.area_code, both_ages.level, both_ages.cohort_start,
    both_ages.offenders, both_ages.reoffenders, both_ages.reoffences,
    CASE WHEN both_ages.offenders IS NULL THEN '[x]' END AS offenders_marker,
    CASE WHEN both_ages.reoffenders IS NULL THEN '[x]' END AS reoffenders_marker,
    CASE WHEN both_ages.reoffences IS NULL THEN '[x]' END AS reoffences_marker,
    TRUE AS is_derived
FROM both_ages
LEFT JOIN stated AS printed
    ON printed.release_id = both_ages.release_id
    AND printed.table_id = both_ages.table_id
    AND printed.measure = both_ages.measure
    AND printed.span = both_ages.span
    AND printed.cohort_end = both_ages.cohort_end
    AND printed.area_code = both_ages.area_code
    AND printed.age_group = 'all'
WHERE printed.area_code IS NULL
