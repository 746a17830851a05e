-- An estimate against the one of the release or table before it: rebasing on a census moved few districts by more than
-- a tenth, a yearly revision hardly any by 1%.
WITH line AS (
    SELECT
        file.release_id, release.published_on, release.published_at, stated.sha256, stated.sheet, stated.row,
        stated.column, stated.table_id, stated.area_code,
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
revised AS (
    SELECT
        line.*,
        lag(line.population) OVER (
            PARTITION BY line.area_code, line.mid_year
            ORDER BY line.published_on, line.published_at, line.release_id, line.table_id, line.sheet, line.row
        ) AS population_before
    FROM line
    WHERE line.mid_year IS NOT NULL
)
SELECT
    revised.release_id,
    revised.sha256,
    concat(substr(revised.sha256, 1, 12), '!', revised.sheet, '!', revised.column, CAST(revised.row AS VARCHAR))
        AS cell,
    concat_ws('|', revised.table_id, revised.area_code, 'population', CAST(revised.mid_year AS VARCHAR)) AS figure,
    CAST(revised.population_before AS VARCHAR) AS expected,
    CAST(revised.population AS VARCHAR) AS found
FROM revised
WHERE abs(revised.population - revised.population_before) > 0.01e0 * revised.population_before
