WITH unplaced AS (
    SELECT line.release_id, line.sha256, count(*) AS lines
    FROM work.unplaced_line AS line
    GROUP BY line.release_id, line.sha256
)
SELECT
    file.sha256, file.release_id, nullif(file.url, '') AS url, file.filename, file.bytes, file.media_type, file.rows_read,
    CAST(coalesce(unplaced.lines, 0) AS BIGINT) AS rows_quarantined, file.accepted,
    file.landed_at, file.landed_by
FROM input.file AS file
LEFT JOIN unplaced ON unplaced.release_id = file.release_id AND unplaced.sha256 = file.sha256
