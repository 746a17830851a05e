-- Partnerships of a table against the geography on the last day of its newest period, in forces of which it prints
-- any; older periods are printed by the names of today.
WITH newest AS (
    SELECT line.release_id, line.sha256, line.table_id, line.span, max(line.period_end) AS period_end
    FROM work.placed_crime AS line
    WHERE line.level = 'csp'
    GROUP BY line.release_id, line.sha256, line.table_id, line.span
),
stated AS (
    SELECT DISTINCT
        line.release_id, line.sha256, line.table_id, line.span, line.period_end, line.area_code
    FROM work.placed_crime AS line
    INNER JOIN newest
        ON newest.release_id = line.release_id
        AND newest.sha256 = line.sha256
        AND newest.table_id = line.table_id
        AND newest.span = line.span
        AND newest.period_end = line.period_end
    WHERE line.level = 'csp' AND line.area_code IS NOT NULL
),
-- A few areas are an excerpt, not a published table.
whole_table AS (
    SELECT stated.release_id, stated.sha256, stated.table_id, stated.span, stated.period_end
    FROM stated
    GROUP BY stated.release_id, stated.sha256, stated.table_id, stated.span, stated.period_end
    HAVING count(*) >= 5
),
newest_vintage AS (
    SELECT max(parent.vintage) AS vintage
    FROM ref.area_parent AS parent
),
placed AS (
    SELECT whole_table.*, parent.area_code, parent.parent_code
    FROM whole_table
    CROSS JOIN newest_vintage
    INNER JOIN ref.area_parent AS parent
        ON parent.parent_level = 'police_force'
        AND parent.vintage = least(year(whole_table.period_end), newest_vintage.vintage)
),
printed_force AS (
    SELECT DISTINCT placed.sha256, placed.table_id, placed.span, placed.parent_code
    FROM placed
    INNER JOIN stated
        ON stated.sha256 = placed.sha256
        AND stated.table_id = placed.table_id
        AND stated.span = placed.span
        AND stated.area_code = placed.area_code
),
missing AS (
    SELECT placed.release_id, placed.sha256, placed.table_id, placed.span, placed.period_end, placed.area_code
    FROM placed
    INNER JOIN printed_force
        ON printed_force.sha256 = placed.sha256
        AND printed_force.table_id = placed.table_id
        AND printed_force.span = placed.span
        AND printed_force.parent_code = placed.parent_code
    INNER JOIN ref.area AS area
        ON area.area_code = placed.area_code
        AND area.kind = 'community_safety_partnership'
        AND coalesce(area.starts_on, placed.period_end) <= placed.period_end
        AND coalesce(area.ends_on, placed.period_end) >= placed.period_end
    LEFT JOIN stated
        ON stated.sha256 = placed.sha256
        AND stated.table_id = placed.table_id
        AND stated.span = placed.span
        AND stated.area_code = placed.area_code
    WHERE stated.area_code IS NULL
)
SELECT
    missing.release_id,
    missing.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', missing.table_id, missing.area_code, missing.span, CAST(missing.period_end AS VARCHAR)) AS figure,
    'a row' AS expected,
    'no row' AS found
FROM missing
UNION ALL
SELECT
    stated.release_id,
    stated.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', stated.table_id, stated.area_code, stated.span, CAST(stated.period_end AS VARCHAR)) AS figure,
    'no row' AS expected,
    'a row' AS found
FROM stated
INNER JOIN ref.area AS area
    ON area.area_code = stated.area_code
    AND (area.ends_on < stated.period_end OR area.starts_on > stated.period_end)
