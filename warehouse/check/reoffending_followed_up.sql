-- Reoffences are counted for a year after the cohort: no figure of it can be published before.
SELECT DISTINCT
    line.release_id,
    line.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', line.table_id, 'cohort_end', line.span, CAST(line.cohort_end AS VARCHAR)) AS figure,
    concat('a year before ', CAST(release.published_on AS VARCHAR)) AS expected,
    CAST(line.cohort_end AS VARCHAR) AS found
FROM work.placed_reoffending AS line
INNER JOIN input.release AS release ON release.release_id = line.release_id
WHERE CAST(line.cohort_end + INTERVAL 1 YEAR AS DATE) >= release.published_on
