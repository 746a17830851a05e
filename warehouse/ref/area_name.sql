-- Published names and the code that each means. Names hold for the whole life of an area, because publishers
-- print today's name over figures of any year. Of two areas of one level, alive at once, that share a name,
-- the one with the better claim keeps it: reviewed, then its own name, then an alternative one; with equal
-- claims neither does.
WITH stated AS (
    SELECT area.area_code, area.area_name AS published_name, 2 AS preference, 'name of the area' AS reason
    FROM ref.area AS area
    UNION ALL
    SELECT
        link.child_code AS area_code,
        link.child_name AS published_name,
        2 AS preference,
        'lookup' AS reason
    FROM tidy.area_link AS link
    UNION ALL
    SELECT
        link.parent_code AS area_code,
        link.parent_name AS published_name,
        2 AS preference,
        'lookup' AS reason
    FROM tidy.area_link AS link
    UNION ALL
    SELECT
        life.area_code,
        life.area_name AS published_name,
        CASE WHEN life.is_alternative THEN 3 ELSE 2 END AS preference,
        CASE WHEN life.is_alternative THEN 'alternative name' ELSE 'code history' END AS reason
    FROM tidy.area_life AS life
),
at_level AS (
    SELECT
        stated.published_name,
        area_level.level,
        stated.area_code,
        area_level.starts_on,
        area_level.ends_on,
        stated.preference,
        stated.reason
    FROM stated
    INNER JOIN ref.area_level AS area_level ON area_level.area_code = stated.area_code
    UNION ALL
    SELECT
        reviewed.published_name,
        reviewed.level,
        reviewed.area_code,
        coalesce(CAST(reviewed.starts_on AS DATE), area_level.starts_on) AS starts_on,
        coalesce(CAST(reviewed.ends_on AS DATE), area_level.ends_on) AS ends_on,
        1 AS preference,
        reviewed.reason
    FROM seed.fixed_area_name AS reviewed
    INNER JOIN ref.area_level AS area_level
        ON area_level.area_code = reviewed.area_code AND area_level.level = reviewed.level
),
ordered AS (
    SELECT
        at_level.*,
        name_key(at_level.published_name) AS area_key,
        row_number() OVER (
            PARTITION BY at_level.level, name_key(at_level.published_name), at_level.area_code
            ORDER BY at_level.preference, at_level.reason DESC, at_level.published_name
        ) AS choice
    FROM at_level
),
claim AS (
    SELECT
        ordered.*,
        coalesce(ordered.starts_on, CAST('0001-01-01' AS DATE)) AS first_day,
        coalesce(ordered.ends_on, CAST('9999-12-31' AS DATE)) AS last_day
    FROM ordered
    WHERE ordered.choice = 1 AND ordered.area_key <> ''
)
SELECT
    claim.published_name,
    claim.area_key,
    claim.level,
    claim.area_code,
    claim.starts_on,
    claim.ends_on,
    claim.reason
FROM claim
LEFT JOIN claim AS rival
    ON rival.level = claim.level
    AND rival.area_key = claim.area_key
    AND rival.area_code <> claim.area_code
    AND rival.preference <= claim.preference
    AND rival.first_day <= claim.last_day
    AND rival.last_day >= claim.first_day
WHERE rival.area_code IS NULL
