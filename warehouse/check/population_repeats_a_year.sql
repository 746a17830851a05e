-- One district can have as many residents as in another year, but most of them cannot: the figures of one year stand
-- under another.
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
district AS (
    SELECT DISTINCT
        line.release_id, line.sha256, line.table_id, line.published_on, line.published_at, line.area_code,
        line.mid_year, line.population
    FROM line
    WHERE substr(line.area_code, 1, 3) IN ('E06', 'E07', 'E08', 'E09', 'W06') AND line.mid_year IS NOT NULL
),
size AS (
    SELECT district.sha256, district.table_id, district.mid_year, count(*) AS areas
    FROM district
    GROUP BY district.sha256, district.table_id, district.mid_year
    HAVING count(*) >= 10
),
repeated AS (
    SELECT
        district.release_id, district.sha256, district.table_id, district.mid_year, other.mid_year AS other_year,
        count(DISTINCT district.area_code) AS areas
    FROM district
    INNER JOIN district AS other
        ON other.area_code = district.area_code
        AND other.population = district.population
        AND other.mid_year <> district.mid_year
        -- The later statement is at fault; within a file, the later year.
        AND (
            other.published_on < district.published_on
            OR (
                other.published_on = district.published_on
                AND (other.published_at < district.published_at OR other.mid_year < district.mid_year)
            )
        )
    GROUP BY
        district.release_id, district.sha256, district.table_id, district.mid_year, other.mid_year, other.sha256
)
SELECT DISTINCT
    repeated.release_id,
    repeated.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', repeated.table_id, 'districts', CAST(repeated.mid_year AS VARCHAR)) AS figure,
    'residents of that year' AS expected,
    concat('those of ', CAST(repeated.other_year AS VARCHAR)) AS found
FROM repeated
INNER JOIN size
    ON size.sha256 = repeated.sha256 AND size.table_id = repeated.table_id AND size.mid_year = repeated.mid_year
WHERE 2 * repeated.areas > size.areas
