-- A release that corrects another of its edition, and each estimate that it states otherwise.
WITH line AS (
    SELECT
        file.release_id, release.source, release.edition, release.published_on, release.published_at, stated.sha256,
        stated.sheet, stated.row, stated.column, stated.table_id, stated.area_code,
        CAST(coalesce(
            stated.mid_year,
            CAST(nullif(regexp_extract(lower(release.title), 'mid[- ]?(20[0-9]{2})', 1), '') AS INTEGER),
            2000 + CAST(nullif(regexp_extract(lower(file.filename), 'mye([0-9]{2})', 1), '') AS INTEGER)
        ) AS INTEGER) AS mid_year,
        CAST(stated.value AS BIGINT) AS population
    FROM tidy.population AS stated
    INNER JOIN input.file AS file ON file.sha256 = stated.sha256 AND file.accepted
    INNER JOIN input.release AS release ON release.release_id = file.release_id
    WHERE stated.value IS NOT NULL
),
stated AS (
    SELECT
        line.*,
        lag(line.population) OVER vintages AS population_before,
        lag(line.release_id) OVER vintages AS release_before
    FROM line
    WINDOW vintages AS (
        PARTITION BY line.source, line.edition, line.table_id, line.area_code, line.mid_year
        ORDER BY line.published_at, line.release_id, line.sha256, line.sheet, line.row
    )
)
SELECT
    stated.release_id,
    stated.sha256,
    concat(substr(stated.sha256, 1, 12), '!', stated.sheet, '!', stated.column, CAST(stated.row AS VARCHAR)) AS cell,
    concat_ws('|', stated.table_id, stated.area_code, 'population', CAST(stated.mid_year AS VARCHAR)) AS figure,
    concat(CAST(stated.population_before AS VARCHAR), ' in ', stated.release_before) AS expected,
    CAST(stated.population AS VARCHAR) AS found
FROM stated
WHERE stated.release_before <> stated.release_id AND stated.population <> stated.population_before
