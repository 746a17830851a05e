-- At which level, or in which two tiers, an area stands.
WITH printed_partnership AS (
    SELECT DISTINCT line.area_code
    FROM tidy.recorded_crime AS line
    LEFT JOIN seed.fixed_area AS fixed ON fixed.area_code = line.area_code
    WHERE line.area_code LIKE 'x-%' AND line.level = 'csp' AND fixed.area_code IS NULL
)
SELECT
    area.area_code,
    CASE
        WHEN printed_partnership.area_code IS NOT NULL THEN 'csp'
        WHEN area.kind = 'community_safety_partnership' THEN 'csp'
        WHEN area.kind IN ('country', 'region') THEN area.kind
        WHEN area.kind = 'police_force_area' THEN 'police_force'
        WHEN area.kind IN ('county', 'unitary_authority', 'metropolitan_district', 'london_borough')
            THEN 'upper_tier'
        WHEN area.kind = 'non_metropolitan_district' THEN 'lower_tier'
        ELSE 'other'
    END AS level,
    area.starts_on,
    area.ends_on
FROM ref.area AS area
LEFT JOIN printed_partnership ON printed_partnership.area_code = area.area_code
UNION ALL
SELECT area.area_code, 'lower_tier' AS level, area.starts_on, area.ends_on
FROM ref.area AS area
WHERE area.kind IN ('unitary_authority', 'metropolitan_district', 'london_borough')
