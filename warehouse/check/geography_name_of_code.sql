-- A name in a lookup is not that of another code which lives at its level by then: else names, or codes, are swapped or
-- shifted. Whose name it is, most rows say, or the earlier ones. A new code of an old name follows an area that has
-- ended.
WITH named AS (
    SELECT link.sha256, link.vintage, link.child_level AS level, link.child_code AS area_code, link.child_name AS name
    FROM tidy.area_link AS link
    UNION ALL
    SELECT link.sha256, link.vintage, link.parent_level AS level, link.parent_code AS area_code,
        link.parent_name AS name
    FROM tidy.area_link AS link
),
keyed AS (
    SELECT
        named.sha256, named.vintage, named.level, named.area_code, named.name, name_key(named.name) AS area_key,
        CAST(concat(CAST(named.vintage AS VARCHAR), '-04-01') AS DATE) AS day,
        count(*) AS rows_of_it
    FROM named
    GROUP BY named.sha256, named.vintage, named.level, named.area_code, named.name
),
owner AS (
    SELECT
        keyed.level, keyed.area_key, keyed.area_code,
        sum(keyed.rows_of_it) AS rows_of_it,
        min(keyed.vintage) AS first_vintage
    FROM keyed
    GROUP BY keyed.level, keyed.area_key, keyed.area_code
)
SELECT DISTINCT
    file.release_id,
    keyed.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'lookup', keyed.area_code, 'name', CAST(keyed.vintage AS VARCHAR)) AS figure,
    concat('not the name of ', other.area_code) AS expected,
    keyed.name AS found
FROM keyed
INNER JOIN input.file AS file ON file.sha256 = keyed.sha256 AND file.accepted
INNER JOIN owner
    ON owner.level = keyed.level AND owner.area_key = keyed.area_key AND owner.area_code = keyed.area_code
INNER JOIN owner AS other
    ON other.level = keyed.level
    AND other.area_key = keyed.area_key
    AND other.area_code <> keyed.area_code
    AND (
        other.rows_of_it > owner.rows_of_it
        OR (other.rows_of_it = owner.rows_of_it AND other.first_vintage < owner.first_vintage)
    )
INNER JOIN ref.area AS area
    ON area.area_code = other.area_code
    AND coalesce(area.starts_on, keyed.day) <= keyed.day
    AND coalesce(area.ends_on, keyed.day) >= keyed.day
