-- Every area that an area came from, near and far, with the first break on the way back (null where whole areas
-- were carried over or added up all the way) and whether only codes changed.
WITH RECURSIVE former(level, area_code, former_code, changed_on, steps, reason, is_recode) AS (
    SELECT
        step.level,
        step.to_code AS area_code,
        step.from_code AS former_code,
        step.changed_on,
        1 AS steps,
        step.reason,
        step.is_recode
    FROM work.area_step AS step
    UNION ALL
    SELECT
        former.level,
        former.area_code,
        step.from_code AS former_code,
        step.changed_on,
        former.steps + 1 AS steps,
        coalesce(former.reason, step.reason) AS reason,
        former.is_recode AND step.is_recode AS is_recode
    FROM former
    INNER JOIN work.area_step AS step
        ON step.level = former.level
        AND step.to_code = former.former_code
        AND step.changed_on < former.changed_on
)
SELECT
    former.level,
    former.area_code,
    former.former_code,
    max(former.steps) AS steps,
    max(former.reason) AS reason,
    min(CASE WHEN former.is_recode THEN 1 ELSE 0 END) = 1 AS is_recode
FROM former
GROUP BY former.level, former.area_code, former.former_code
