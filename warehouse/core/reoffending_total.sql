-- What the publisher prints, or what another sum gives, is never added up beside it.
WITH year_total AS (
    SELECT
        year_total.release_id, year_total.table_id, year_total.measure, year_total.span, year_total.cohort_end,
        year_total.age_group, year_total.area_code, year_total.level, year_total.cohort_start,
        year_total.offenders, CASE WHEN year_total.offenders IS NULL THEN '[x]' END AS offenders_marker,
        year_total.reoffenders, CASE WHEN year_total.reoffenders IS NULL THEN '[x]' END AS reoffenders_marker,
        year_total.reoffences, CASE WHEN year_total.reoffences IS NULL THEN '[x]' END AS reoffences_marker
    FROM work.reoffending_of_quarters AS year_total
    LEFT JOIN work.reoffending_of_ages AS stated
        ON stated.release_id = year_total.release_id
        AND stated.table_id = year_total.table_id
        AND stated.measure = year_total.measure
        AND stated.span = year_total.span
        AND stated.cohort_end = year_total.cohort_end
        AND stated.age_group = year_total.age_group
        AND stated.area_code = year_total.area_code
    WHERE stated.area_code IS NULL
)
SELECT
    figure.release_id, figure.table_id, figure.measure, figure.span, figure.cohort_end, figure.age_group,
    figure.area_code, figure.level, figure.cohort_start, figure.offenders, figure.offenders_marker,
    figure.reoffenders, figure.reoffenders_marker, figure.reoffences, figure.reoffences_marker, TRUE AS is_derived
FROM work.reoffending_of_ages AS figure
WHERE figure.is_derived
UNION ALL
SELECT
    figure.release_id, figure.table_id, figure.measure, figure.span, figure.cohort_end, figure.age_group,
    figure.area_code, figure.level, figure.cohort_start, figure.offenders, figure.offenders_marker,
    figure.reoffenders, figure.reoffenders_marker, figure.reoffences, figure.reoffences_marker, TRUE AS is_derived
FROM year_total AS figure
