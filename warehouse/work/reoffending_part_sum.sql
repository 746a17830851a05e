-- The population of an area, age group and cohort as the sum over each published breakdown of it; a sum with a
-- part missing is missing.
SELECT
    part.release_id,
    part.table_id,
    part.measure,
    part.span,
    part.cohort_end,
    part.age_group,
    part.area_code,
    part.category,
    part.role,
    min(part.level) AS level,
    min(part.cohort_start) AS cohort_start,
    CASE WHEN count(part.offenders) = count(*) THEN CAST(sum(part.offenders) AS BIGINT) END AS offenders,
    CASE WHEN count(part.reoffenders) = count(*) THEN CAST(sum(part.reoffenders) AS BIGINT) END AS reoffenders,
    CASE WHEN count(part.reoffences) = count(*) THEN CAST(sum(part.reoffences) AS BIGINT) END AS reoffences
FROM core.reoffending_breakdown AS part
GROUP BY
    part.release_id, part.table_id, part.measure, part.span, part.cohort_end, part.age_group, part.area_code,
    part.category, part.role
