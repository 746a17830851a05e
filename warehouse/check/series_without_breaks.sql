-- No figure of an area of today is made across a split or a moved boundary, of what did not become the area, or of an
-- area and what became part of it, which would count twice. Followed forwards through ref.authority_life, one line of
-- heirs an area, and not back through the steps that the series were made by.
WITH RECURSIVE made AS (
    SELECT DISTINCT series.area_code, series.level, series.made_by, series.part_codes
    FROM mart.crime_series AS series
    WHERE series.part_codes IS NOT NULL
    UNION
    SELECT DISTINCT series.area_code, series.level, series.made_by, series.part_codes
    FROM mart.reoffending_series AS series
    WHERE series.part_codes IS NOT NULL
),
part AS (
    SELECT made.area_code, made.level, made.made_by, made.part_codes, area.area_code AS part_code
    FROM made
    INNER JOIN ref.area AS area ON concat('; ', made.part_codes, ';') LIKE concat('%; ', area.area_code, ';%')
),
-- An area whose whole passed to one other that took whole areas only.
passed AS (
    SELECT life.level, life.area_code, life.ended_as, heir.area_code AS heir_code
    FROM ref.authority_life AS life
    INNER JOIN ref.authority_life AS heir ON heir.level = life.level AND heir.area_code = life.replaced_by
    WHERE life.ended_as IN ('recode', 'merge') AND heir.began_as IN ('recode', 'merge')
),
-- Changes of 2009 to 2025 and beyond: ten in a row are more than any area has seen.
followed(level, area_code, heir_code, is_recode, steps) AS (
    SELECT passed.level, passed.area_code, passed.heir_code, passed.ended_as = 'recode' AS is_recode, 1 AS steps
    FROM passed
    UNION ALL
    SELECT
        followed.level, followed.area_code, passed.heir_code,
        followed.is_recode AND passed.ended_as = 'recode' AS is_recode,
        followed.steps + 1 AS steps
    FROM followed
    INNER JOIN passed ON passed.level = followed.level AND passed.area_code = followed.heir_code
    WHERE followed.steps < 10
),
judged AS (
    SELECT
        part.area_code, part.level, part.part_code, part.part_codes,
        CASE
            WHEN followed.area_code IS NULL THEN 'whole areas that became the area'
            WHEN part.made_by = 'recoded' AND NOT followed.is_recode THEN 'recoded only where the code alone changed'
            WHEN twice.area_code IS NOT NULL THEN 'no part that is in another part'
        END AS broken
    FROM part
    LEFT JOIN followed
        ON followed.level = part.level AND followed.area_code = part.part_code AND followed.heir_code = part.area_code
    LEFT JOIN (
        SELECT DISTINCT followed.level, followed.area_code, other.part_codes
        FROM followed
        INNER JOIN part AS other ON other.level = followed.level AND other.part_code = followed.heir_code
    ) AS twice
        ON twice.level = part.level AND twice.area_code = part.part_code AND twice.part_codes = part.part_codes
)
SELECT
    CAST(NULL AS VARCHAR) AS release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'series', judged.area_code, judged.level, judged.part_code) AS figure,
    judged.broken AS expected,
    judged.part_codes AS found
FROM judged
WHERE judged.broken IS NOT NULL
