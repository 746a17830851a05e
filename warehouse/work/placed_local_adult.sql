-- Every row of local adult reoffending that was read, with its release and the code of its area; the code is
-- null where the published name is not known (those rows go to quarantine).
SELECT
    file.release_id,
    line.table_id,
    line.level,
    coalesce(line.area_code, matched_name.area_code) AS area_code,
    line.area_name,
    matched_name.nearest_names,
    line.period_start,
    line.period_end,
    line.offenders,
    line.offenders_marker,
    line.offenders_column,
    line.actual_percent,
    line.actual_percent_marker,
    line.actual_percent_column,
    line.predicted_percent,
    line.predicted_percent_marker,
    line.predicted_percent_column,
    line.printed_difference,
    line.printed_significant,
    line.sha256,
    line.sheet,
    line.row
FROM tidy.local_adult_reoffending AS line
INNER JOIN input.file AS file ON file.sha256 = line.sha256 AND file.accepted
LEFT JOIN work.matched_name AS matched_name
    ON matched_name.level = line.level
    AND matched_name.area_key = line.area_key
    AND matched_name.period_end = line.period_end
