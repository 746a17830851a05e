-- Every published estimate with its year: a sheet saved as CSV does not say it, so then the release does.
SELECT
    line.area_code,
    CAST(coalesce(
        line.mid_year,
        CAST(nullif(regexp_extract(lower(release.title), 'mid[- ]?(20[0-9]{2})', 1), '') AS INTEGER),
        2000 + CAST(nullif(regexp_extract(lower(file.filename), 'mye([0-9]{2})', 1), '') AS INTEGER)
    ) AS INTEGER) AS mid_year,
    CAST(line.value AS BIGINT) AS population,
    release.release_id,
    row_number() OVER (
        PARTITION BY line.area_code, coalesce(line.mid_year, -1), release.release_id
        ORDER BY source_table.position, line.sha256, line.sheet, line.row
    ) AS preference,
    release.published_at
FROM tidy.population AS line
INNER JOIN input.file AS file ON file.sha256 = line.sha256 AND file.accepted
INNER JOIN input.release AS release ON release.release_id = file.release_id
INNER JOIN input.source_table AS source_table
    ON source_table.source = release.source AND source_table.table_id = line.table_id
WHERE line.value IS NOT NULL
