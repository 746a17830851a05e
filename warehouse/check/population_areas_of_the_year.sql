-- Districts of a sheet against the geography: those that a lookup of that time names and that lived from the newest
-- mid-year to the publication must stand in each of its years, and none that had ended or not begun. A sheet of fewer
-- than half of them, or a geography of fewer than 20, is not meant to be whole. One line an area, in how many years.
WITH line AS (
    SELECT
        file.release_id, release.published_on, stated.sha256, stated.sheet, stated.table_id, stated.area_code,
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
        line.release_id, line.sha256, line.sheet, line.table_id, line.area_code, line.published_on,
        count(DISTINCT line.mid_year) AS years
    FROM line
    WHERE substr(line.area_code, 1, 3) IN ('E06', 'E07', 'E08', 'E09', 'W06')
    GROUP BY line.release_id, line.sha256, line.sheet, line.table_id, line.area_code, line.published_on
),
printed AS (
    SELECT
        line.release_id, line.sha256, line.sheet, line.table_id, line.published_on,
        count(DISTINCT line.mid_year) AS years,
        max(line.mid_year) AS mid_year,
        CAST(concat(CAST(max(line.mid_year) AS VARCHAR), '-06-30') AS DATE) AS day
    FROM line
    WHERE substr(line.area_code, 1, 3) IN ('E06', 'E07', 'E08', 'E09', 'W06') AND line.mid_year IS NOT NULL
    GROUP BY line.release_id, line.sha256, line.sheet, line.table_id, line.published_on
),
nearest_lookup AS (
    SELECT
        printed.sha256, printed.sheet,
        coalesce(
            min(CASE WHEN link.vintage >= printed.mid_year THEN link.vintage END), max(link.vintage)
        ) AS vintage
    FROM printed
    CROSS JOIN (
        SELECT DISTINCT each.vintage FROM tidy.area_link AS each WHERE each.child_level = 'lower_tier'
    ) AS link
    GROUP BY printed.sha256, printed.sheet
),
living AS (
    SELECT DISTINCT
        printed.release_id, printed.sha256, printed.sheet, printed.table_id, printed.years, link.child_code AS area_code
    FROM printed
    INNER JOIN nearest_lookup ON nearest_lookup.sha256 = printed.sha256 AND nearest_lookup.sheet = printed.sheet
    INNER JOIN tidy.area_link AS link
        ON link.child_level = 'lower_tier' AND link.vintage = nearest_lookup.vintage
    INNER JOIN ref.area AS area
        ON area.area_code = link.child_code
        AND coalesce(area.starts_on, printed.day) <= printed.day
        AND coalesce(area.ends_on, printed.published_on) >= printed.published_on
),
whole AS (
    SELECT living.sha256, living.sheet
    FROM living
    LEFT JOIN stated
        ON stated.sha256 = living.sha256 AND stated.sheet = living.sheet AND stated.area_code = living.area_code
    GROUP BY living.sha256, living.sheet
    HAVING 2 * count(stated.area_code) >= count(*) AND count(*) >= 20
),
found AS (
    SELECT
        living.release_id, living.sha256, living.sheet, living.table_id, living.area_code, living.years AS expected,
        coalesce(stated.years, 0) AS years
    FROM living
    LEFT JOIN stated
        ON stated.sha256 = living.sha256 AND stated.sheet = living.sheet AND stated.area_code = living.area_code
    UNION ALL
    SELECT
        stated.release_id, stated.sha256, stated.sheet, stated.table_id, stated.area_code, 0 AS expected, stated.years
    FROM stated
    INNER JOIN printed ON printed.sha256 = stated.sha256 AND printed.sheet = stated.sheet
    LEFT JOIN ref.area AS area ON area.area_code = stated.area_code
    WHERE area.area_code IS NULL OR area.starts_on > stated.published_on OR area.ends_on < printed.day
)
SELECT
    found.release_id,
    found.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', found.table_id, found.area_code, 'years') AS figure,
    CAST(found.expected AS VARCHAR) AS expected,
    CAST(found.years AS VARCHAR) AS found
FROM found
INNER JOIN whole ON whole.sha256 = found.sha256 AND whole.sheet = found.sheet
WHERE found.years <> found.expected
