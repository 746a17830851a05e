-- When each local authority and partnership began and ended, by what kind of change, and what stood before and after
-- it at its tier. Of several kinds the one that weighs most: across a moved boundary nothing is compared.
WITH began AS (
    SELECT
        step.level,
        step.to_code AS area_code,
        string_agg(DISTINCT step.from_code, '; ' ORDER BY step.from_code) AS replaced,
        CASE min(CASE step.kind WHEN 'boundary' THEN 1 WHEN 'split' THEN 2 WHEN 'merge' THEN 3 ELSE 4 END)
            WHEN 1 THEN 'boundary'
            WHEN 2 THEN 'split'
            WHEN 3 THEN 'merge'
            ELSE 'recode'
        END AS began_as
    FROM work.area_step AS step
    GROUP BY step.level, step.to_code
),
ended AS (
    SELECT
        step.level,
        step.from_code AS area_code,
        string_agg(DISTINCT step.to_code, '; ' ORDER BY step.to_code) AS replaced_by,
        CASE min(CASE step.kind WHEN 'boundary' THEN 1 WHEN 'split' THEN 2 WHEN 'merge' THEN 3 ELSE 4 END)
            WHEN 1 THEN 'boundary'
            WHEN 2 THEN 'split'
            WHEN 3 THEN 'merge'
            ELSE 'recode'
        END AS ended_as
    FROM work.area_step AS step
    GROUP BY step.level, step.from_code
)
SELECT
    area_level.area_code,
    area_level.level,
    area.area_name,
    area_level.starts_on,
    began.began_as,
    began.replaced,
    area_level.ends_on,
    ended.ended_as,
    ended.replaced_by
FROM ref.area_level AS area_level
INNER JOIN ref.area AS area ON area.area_code = area_level.area_code
LEFT JOIN began ON began.level = area_level.level AND began.area_code = area_level.area_code
LEFT JOIN ended ON ended.level = area_level.level AND ended.area_code = area_level.area_code
WHERE area_level.level IN ('lower_tier', 'upper_tier', 'csp') AND area_level.area_code NOT LIKE 'x-%'
