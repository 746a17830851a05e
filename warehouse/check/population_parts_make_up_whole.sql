-- England and Wales is both countries, a country its regions or districts, a region or county its districts. Estimates
-- are published rounded so that they add up. A sheet with fewer than half of the parts of a country is not meant to be
-- whole, and regions and counties need a geography that places all their districts.
WITH line AS (
    SELECT
        file.release_id, stated.sha256, stated.sheet, stated.row, stated.column, stated.table_id, stated.area_code,
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
    WHERE substr(line.area_code, 1, 3) IN ('E06', 'E07', 'E08', 'E09', 'W06')
),
parent AS (
    SELECT DISTINCT member.area_code, member.parent_level, member.parent_code
    FROM ref.area_parent AS member
    WHERE member.parent_level IN ('region', 'upper_tier') AND member.parent_code <> member.area_code
),
stated AS (
    SELECT DISTINCT line.sha256, line.sheet, line.area_code
    FROM line
),
placed AS (
    SELECT stated.sha256, stated.sheet, stated.area_code, parent.parent_level, parent.parent_code
    FROM stated
    INNER JOIN parent ON parent.area_code = stated.area_code
    INNER JOIN stated AS whole
        ON whole.sha256 = stated.sha256 AND whole.sheet = stated.sheet AND whole.area_code = parent.parent_code
),
-- All districts that can lie in a region, or in a county, have one.
whole_geography AS (
    SELECT stated.sha256, stated.sheet, levels.parent_level
    FROM stated
    INNER JOIN (VALUES
        ('E06', 'region'), ('E07', 'region'), ('E08', 'region'), ('E09', 'region'), ('E07', 'upper_tier')
    ) AS levels(entity, parent_level) ON levels.entity = substr(stated.area_code, 1, 3)
    LEFT JOIN placed
        ON placed.sha256 = stated.sha256
        AND placed.sheet = stated.sheet
        AND placed.area_code = stated.area_code
        AND placed.parent_level = levels.parent_level
    GROUP BY stated.sha256, stated.sheet, levels.parent_level
    HAVING count(*) = count(placed.area_code)
),
part AS (
    SELECT
        district.sha256, district.sheet, district.mid_year, placed.parent_code AS whole_code, 'districts' AS parts,
        1 AS enough, district.population
    FROM placed
    INNER JOIN whole_geography
        ON whole_geography.sha256 = placed.sha256
        AND whole_geography.sheet = placed.sheet
        AND whole_geography.parent_level = placed.parent_level
    INNER JOIN district
        ON district.sha256 = placed.sha256
        AND district.sheet = placed.sheet
        AND district.area_code = placed.area_code
    UNION ALL
    SELECT
        district.sha256, district.sheet, district.mid_year,
        CASE substr(district.area_code, 1, 1) WHEN 'W' THEN 'W92000004' ELSE 'E92000001' END AS whole_code,
        'districts' AS parts,
        CASE substr(district.area_code, 1, 1) WHEN 'W' THEN 11 ELSE 150 END AS enough,
        district.population
    FROM district
    UNION ALL
    SELECT
        district.sha256, district.sheet, district.mid_year, 'K04000001' AS whole_code, 'districts' AS parts,
        161 AS enough, district.population
    FROM district
    UNION ALL
    SELECT
        line.sha256, line.sheet, line.mid_year, 'E92000001' AS whole_code, 'regions' AS parts, 5 AS enough,
        line.population
    FROM line
    WHERE line.area_code LIKE 'E12%'
    UNION ALL
    SELECT
        line.sha256, line.sheet, line.mid_year, 'K04000001' AS whole_code, 'countries' AS parts, 2 AS enough,
        line.population
    FROM line
    WHERE line.area_code IN ('E92000001', 'W92000004')
),
summed AS (
    SELECT
        part.sha256, part.sheet, part.mid_year, part.whole_code, part.parts,
        CAST(sum(part.population) AS BIGINT) AS population
    FROM part
    GROUP BY part.sha256, part.sheet, part.mid_year, part.whole_code, part.parts
    HAVING count(*) >= max(part.enough)
)
SELECT
    whole.release_id,
    whole.sha256,
    concat(substr(whole.sha256, 1, 12), '!', whole.sheet, '!', whole.column, CAST(whole.row AS VARCHAR)) AS cell,
    concat_ws('|', whole.table_id, whole.area_code, summed.parts, CAST(whole.mid_year AS VARCHAR)) AS figure,
    CAST(summed.population AS VARCHAR) AS expected,
    CAST(whole.population AS VARCHAR) AS found
FROM line AS whole
INNER JOIN summed
    ON summed.sha256 = whole.sha256
    AND summed.sheet = whole.sheet
    AND summed.mid_year = whole.mid_year
    AND summed.whole_code = whole.area_code
WHERE whole.population <> summed.population
