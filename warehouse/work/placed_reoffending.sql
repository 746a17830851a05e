-- Every row that was read, with its release and the code of its area; the code is null where the published
-- name is not known (those rows go to quarantine).
SELECT
    file.release_id,
    line.table_id,
    line.measure,
    line.span,
    line.cohort_start,
    line.cohort_end,
    line.age_group,
    line.level,
    coalesce(line.area_code, matched_name.area_code) AS area_code,
    line.area_name,
    matched_name.nearest_names,
    line.role,
    line.category,
    line.subcategory,
    line.offenders,
    line.offenders_marker,
    line.offenders_column,
    line.reoffenders,
    line.reoffenders_marker,
    line.reoffenders_column,
    line.reoffences,
    line.reoffences_marker,
    line.reoffences_column,
    line.sha256,
    line.sheet,
    line.row,
    -- Of several tables of a release that state one figure (a bundle of earlier editions), the one that reaches
    -- furthest is the newest.
    max(line.cohort_end) OVER (
        PARTITION BY file.release_id, line.table_id, line.sha256, line.sheet
    ) AS newest_cohort_end
FROM tidy.reoffending AS line
INNER JOIN input.file AS file ON file.sha256 = line.sha256 AND file.accepted
LEFT JOIN work.matched_name AS matched_name
    ON matched_name.level = line.level
    AND matched_name.area_key = line.area_key
    AND matched_name.period_end = line.cohort_end
