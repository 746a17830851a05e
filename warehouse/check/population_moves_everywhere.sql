-- Districts against the nearest year, or the same, that an earlier release states: where most of them moved by more
-- than a tenth for each year between, the figures are of something else than residents.
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
district AS (
    SELECT line.*
    FROM line
    WHERE substr(line.area_code, 1, 3) IN ('E06', 'E07', 'E08', 'E09', 'W06') AND line.mid_year IS NOT NULL
),
compared AS (
    SELECT
        district.release_id, district.sha256, district.table_id, district.mid_year, district.area_code,
        district.population, earlier.population AS population_before,
        greatest(1, district.mid_year - earlier.mid_year) AS years,
        row_number() OVER (
            PARTITION BY district.release_id, district.sha256, district.table_id, district.mid_year, district.area_code
            ORDER BY earlier.mid_year DESC, earlier.published_at DESC, earlier.release_id DESC, earlier.row
        ) AS nearness
    FROM district
    INNER JOIN district AS earlier
        ON earlier.area_code = district.area_code
        AND earlier.release_id <> district.release_id
        AND earlier.published_at < district.published_at
        AND earlier.mid_year <= district.mid_year
),
counted AS (
    SELECT
        compared.release_id, compared.sha256, compared.table_id, compared.mid_year,
        count(*) AS districts,
        count(
            CASE
                WHEN abs(compared.population - compared.population_before)
                    > 0.1e0 * compared.years * compared.population_before
                    THEN 1
            END
        ) AS moved
    FROM compared
    WHERE compared.nearness = 1
    GROUP BY compared.release_id, compared.sha256, compared.table_id, compared.mid_year
)
SELECT
    counted.release_id,
    counted.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', counted.table_id, 'districts', CAST(counted.mid_year AS VARCHAR)) AS figure,
    concat('under half of ', CAST(counted.districts AS VARCHAR), ' moved by a tenth a year') AS expected,
    CAST(counted.moved AS VARCHAR) AS found
FROM counted
WHERE counted.districts >= 100 AND 2 * counted.moved > counted.districts
