-- Every line that was read, with its release and the code of its area; the code is null where the
-- published name is not known (those lines go to quarantine).
SELECT
    file.release_id,
    line.table_id,
    line.measure,
    coalesce(line.area_code, matched_name.area_code) AS area_code,
    line.level,
    line.area_name,
    matched_name.nearest_names,
    line.offence_id,
    line.span,
    line.period_start,
    line.period_end,
    line.value,
    line.marker,
    line.sha256,
    line.sheet,
    line.row,
    line.column,
    file.file_number
FROM tidy.recorded_crime AS line
INNER JOIN work.accepted_file AS file ON file.sha256 = line.sha256
LEFT JOIN work.matched_name AS matched_name
    ON matched_name.level = line.level
    AND matched_name.area_key = line.area_key
    AND matched_name.period_end = line.period_end
