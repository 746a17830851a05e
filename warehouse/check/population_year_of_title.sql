-- The newest year of a file is the one that the title of its release or its own name states: where a sheet does not say
-- its year, figures go under that of the title.
WITH line AS (
    SELECT
        file.release_id, release.title, stated.sha256, stated.table_id,
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
newest AS (
    SELECT line.release_id, line.sha256, line.title, line.table_id, max(line.mid_year) AS mid_year
    FROM line
    GROUP BY line.release_id, line.sha256, line.title, line.table_id
),
named AS (
    SELECT
        newest.*,
        CAST(nullif(regexp_extract(lower(newest.title), 'mid[- ]?(20[0-9]{2})', 1), '') AS INTEGER) AS title_year,
        coalesce(
            CAST(nullif(regexp_extract(lower(file.filename), 'mid[- ]?(20[0-9]{2})', 1), '') AS INTEGER),
            2000 + CAST(nullif(regexp_extract(lower(file.filename), 'mye([0-9]{2})', 1), '') AS INTEGER)
        ) AS file_year
    FROM newest
    INNER JOIN input.file AS file ON file.sha256 = newest.sha256 AND file.release_id = newest.release_id
)
SELECT
    named.release_id,
    named.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', named.table_id, 'newest mid-year') AS figure,
    CAST(coalesce(named.title_year, named.file_year) AS VARCHAR) AS expected,
    CASE
        WHEN named.mid_year <> named.title_year THEN CAST(named.mid_year AS VARCHAR)
        ELSE CAST(named.file_year AS VARCHAR)
    END AS found
FROM named
WHERE named.mid_year <> named.title_year
    OR named.mid_year <> named.file_year
    OR named.title_year <> named.file_year
