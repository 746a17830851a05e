-- Which former areas make up an area of today: the first parts, beyond which nothing is carried over or added up, and
-- on the way from each to today every area that may stand for it, the nearest to today first (by `steps`).
WITH today AS (
    SELECT area_level.level, area_level.area_code
    FROM ref.area_level AS area_level
    WHERE area_level.ends_on IS NULL
),
exact AS (
    SELECT former.level, former.area_code, former.former_code, former.steps, former.is_recode
    FROM work.area_former AS former
    WHERE former.reason IS NULL
),
first_part AS (
    SELECT
        exact.level,
        exact.area_code,
        exact.former_code AS first_code,
        count(*) OVER (PARTITION BY exact.level, exact.area_code) AS parts
    FROM exact
    INNER JOIN today ON today.level = exact.level AND today.area_code = exact.area_code
    LEFT JOIN (
        SELECT DISTINCT each.level, each.area_code
        FROM exact AS each
    ) AS earlier
        ON earlier.level = exact.level AND earlier.area_code = exact.former_code
    WHERE earlier.area_code IS NULL
)
SELECT
    first_part.level,
    first_part.area_code,
    first_part.first_code,
    exact.former_code AS part_code,
    exact.steps,
    exact.is_recode,
    first_part.parts
FROM first_part
INNER JOIN exact ON exact.level = first_part.level AND exact.area_code = first_part.area_code
LEFT JOIN exact AS below
    ON below.level = first_part.level
    AND below.area_code = exact.former_code
    AND below.former_code = first_part.first_code
WHERE exact.former_code = first_part.first_code OR below.former_code IS NOT NULL
