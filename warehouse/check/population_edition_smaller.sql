-- Districts of the newest year of a table against those of the release before by publication date, whichever table that
-- states: all of them cover England and Wales.
WITH line AS (
    SELECT
        file.release_id, release.published_on, release.published_at, stated.sha256, stated.table_id,
        stated.area_code,
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
    SELECT line.release_id, line.table_id, max(line.mid_year) AS mid_year
    FROM line
    WHERE substr(line.area_code, 1, 3) IN ('E06', 'E07', 'E08', 'E09', 'W06')
    GROUP BY line.release_id, line.table_id
),
edition AS (
    SELECT
        line.release_id, line.table_id, line.mid_year, line.published_on, line.published_at,
        max(line.sha256) AS sha256,
        count(DISTINCT line.area_code) AS areas
    FROM line
    INNER JOIN newest
        ON newest.release_id = line.release_id
        AND newest.table_id = line.table_id
        AND newest.mid_year = line.mid_year
    WHERE substr(line.area_code, 1, 3) IN ('E06', 'E07', 'E08', 'E09', 'W06')
    GROUP BY line.release_id, line.table_id, line.mid_year, line.published_on, line.published_at
),
before AS (
    SELECT
        edition.release_id, edition.table_id, earlier.areas,
        row_number() OVER (
            PARTITION BY edition.release_id, edition.table_id
            ORDER BY
                earlier.published_on DESC, earlier.published_at DESC, earlier.release_id DESC, earlier.areas DESC
        ) AS recency
    FROM edition
    INNER JOIN edition AS earlier
        ON earlier.release_id <> edition.release_id
        AND (
            earlier.published_on < edition.published_on
            OR (earlier.published_on = edition.published_on AND earlier.published_at < edition.published_at)
        )
)
SELECT
    edition.release_id,
    edition.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', edition.table_id, 'districts', CAST(edition.mid_year AS VARCHAR)) AS figure,
    concat('at least 80% of ', CAST(before.areas AS VARCHAR)) AS expected,
    CAST(edition.areas AS VARCHAR) AS found
FROM edition
INNER JOIN before
    ON before.release_id = edition.release_id AND before.table_id = edition.table_id AND before.recency = 1
WHERE edition.areas < 0.8e0 * before.areas
