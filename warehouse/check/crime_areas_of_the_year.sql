-- Forces, regions and countries of a table, by name: 43 forces and British Transport Police, 9 regions, 3 countries.
-- A level that a table does not print is no gap; P3 and tables of partnerships leave British Transport Police out.
WITH stated AS (
    SELECT DISTINCT
        line.release_id, line.sha256, line.table_id, line.level, line.span, line.period_end, line.area_code
    FROM work.placed_crime AS line
    WHERE line.area_code IS NOT NULL
),
printed AS (
    SELECT
        stated.release_id,
        stated.table_id,
        stated.span,
        stated.period_end,
        min(stated.sha256) AS sha256,
        count(CASE WHEN stated.level = 'csp' THEN 1 END) AS partnerships,
        count(CASE WHEN stated.level = 'police_force' THEN 1 END) AS forces,
        count(CASE WHEN stated.level = 'region' THEN 1 END) AS regions,
        count(CASE WHEN stated.level = 'country' THEN 1 END) AS countries
    FROM stated
    GROUP BY stated.release_id, stated.table_id, stated.span, stated.period_end
    -- A few areas are an excerpt, not a published table.
    HAVING count(*) >= 5
),
partnership AS (
    SELECT DISTINCT line.sha256, line.table_id, police_force.area_code AS force_code, line.area_code
    FROM tidy.recorded_crime AS line
    INNER JOIN ref.area_name AS police_force
        ON police_force.level = 'police_force'
        AND police_force.area_key = name_key(line.parent_name)
    WHERE line.level = 'csp'
),
-- A force of one partnership (City of London) is printed once, as that partnership.
one_partnership AS (
    SELECT partnership.sha256, partnership.table_id, partnership.force_code
    FROM partnership
    GROUP BY partnership.sha256, partnership.table_id, partnership.force_code
    HAVING count(*) = 1
),
body AS (
    SELECT
        area.area_code,
        CASE area.kind
            WHEN 'region' THEN 'region'
            WHEN 'country' THEN 'country'
            ELSE 'police_force'
        END AS level,
        area.kind = 'other' AS is_other
    FROM ref.area AS area
    WHERE area.kind IN ('police_force_area', 'region', 'country') OR area.area_code = 'x-british-transport-police'
),
missing AS (
    SELECT
        printed.release_id, printed.sha256, printed.table_id, printed.span, printed.period_end, body.area_code
    FROM printed
    INNER JOIN body
        ON (body.level = 'police_force' AND printed.forces > 0)
        OR (body.level = 'region' AND printed.regions > 0)
        OR (body.level = 'country' AND printed.countries > 0)
    LEFT JOIN stated
        ON stated.release_id = printed.release_id
        AND stated.table_id = printed.table_id
        AND stated.span = printed.span
        AND stated.period_end = printed.period_end
        AND stated.area_code = body.area_code
    LEFT JOIN one_partnership
        ON one_partnership.sha256 = printed.sha256
        AND one_partnership.table_id = printed.table_id
        AND one_partnership.force_code = body.area_code
    WHERE stated.area_code IS NULL
        AND one_partnership.force_code IS NULL
        AND NOT (body.is_other AND (printed.table_id = 'P3' OR printed.partnerships > 0))
),
stranger AS (
    SELECT stated.release_id, stated.sha256, stated.table_id, stated.span, stated.period_end, stated.area_code
    FROM stated
    LEFT JOIN ref.area_member AS area_member ON area_member.member_code = stated.area_code
    LEFT JOIN body ON body.area_code = stated.area_code
    WHERE stated.level IN ('police_force', 'region', 'country')
        AND area_member.member_code IS NULL
        AND body.area_code IS NULL
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
SELECT DISTINCT
    stranger.release_id,
    stranger.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', stranger.table_id, stranger.area_code, stranger.span, CAST(stranger.period_end AS VARCHAR))
        AS figure,
    'no row' AS expected,
    'a row' AS found
FROM stranger
