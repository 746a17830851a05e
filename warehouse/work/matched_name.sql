-- Published names → codes, at the level at which they are printed: the one area that bears the name in the
-- period, else the one that ever did (publishers carry series back to before an area began).
WITH printed AS (
    SELECT DISTINCT line.level, line.area_key, line.period_end
    FROM tidy.recorded_crime AS line
    WHERE line.area_code IS NULL
),
known AS (
    SELECT
        area_name.level,
        name_key(area_name.published_name) AS area_key,
        area_name.area_code,
        coalesce(area_name.starts_on, CAST('0001-01-01' AS DATE)) AS starts_on,
        coalesce(area_name.ends_on, CAST('9999-12-31' AS DATE)) AS ends_on
    FROM ref.area_name AS area_name
),
candidate AS (
    SELECT
        printed.level,
        printed.area_key,
        printed.period_end,
        known.area_code,
        CASE WHEN known.starts_on <= printed.period_end AND known.ends_on >= printed.period_end THEN 1 ELSE 2 END
            AS distance
    FROM printed
    INNER JOIN known ON known.level = printed.level AND known.area_key = printed.area_key
),
nearest AS (
    SELECT
        candidate.*,
        rank() OVER (
            PARTITION BY candidate.level, candidate.area_key, candidate.period_end ORDER BY candidate.distance
        ) AS nearness
    FROM candidate
)
SELECT nearest.level, nearest.area_key, nearest.period_end, min(nearest.area_code) AS area_code
FROM nearest
WHERE nearest.nearness = 1
GROUP BY nearest.level, nearest.area_key, nearest.period_end
HAVING count(DISTINCT nearest.area_code) = 1
