-- Every area that anything names. The name is the reviewed one, else the newest that a lookup or code history
-- gives, else the one that a figure is printed with.
WITH printed AS (
    SELECT DISTINCT line.area_code, line.area_name, line.parent_name
    FROM tidy.recorded_crime AS line
    WHERE line.area_code IS NOT NULL
    UNION
    SELECT line.area_code, line.area_name, CAST(NULL AS VARCHAR) AS parent_name
    FROM tidy.reoffending AS line
    WHERE line.area_code IS NOT NULL
    UNION
    SELECT line.area_code, line.area_name, CAST(NULL AS VARCHAR) AS parent_name
    FROM tidy.local_adult_reoffending AS line
    WHERE line.area_code IS NOT NULL
),
-- `Unassigned` is written in more than one way, and so is the force behind it.
printed_name AS (
    SELECT
        printed.area_code,
        CASE
            WHEN printed.area_code LIKE 'x-unassigned-%' AND police_force.area_code IS NOT NULL
                THEN concat('Unassigned ', police_force.area_name)
            ELSE concat(upper(substr(printed.area_name, 1, 1)), substr(printed.area_name, 2))
        END AS area_name
    FROM printed
    LEFT JOIN seed.fixed_area AS police_force
        ON police_force.kind = 'police_force_area'
        AND name_key(police_force.area_name) = name_key(printed.parent_name)
),
named AS (
    SELECT fixed.area_code, fixed.area_name, 1 AS preference, CAST(NULL AS DATE) AS as_of
    FROM seed.fixed_area AS fixed
    UNION ALL
    SELECT fixed.area_code, fixed.published_name AS area_name, 2 AS preference, CAST(NULL AS DATE) AS as_of
    FROM seed.fixed_area_name AS fixed
    WHERE fixed.is_current = 'yes'
    UNION ALL
    SELECT life.area_code, life.area_name, 3 AS preference, life.starts_on AS as_of
    FROM tidy.area_life AS life
    WHERE NOT life.is_alternative
    UNION ALL
    SELECT
        link.child_code AS area_code,
        link.child_name AS area_name,
        3 AS preference,
        CAST(concat(CAST(link.vintage AS VARCHAR), '-04-01') AS DATE) AS as_of
    FROM tidy.area_link AS link
    UNION ALL
    SELECT
        link.parent_code AS area_code,
        link.parent_name AS area_name,
        3 AS preference,
        CAST(concat(CAST(link.vintage AS VARCHAR), '-04-01') AS DATE) AS as_of
    FROM tidy.area_link AS link
    UNION ALL
    SELECT
        change.to_code AS area_code,
        change.to_name AS area_name,
        4 AS preference,
        change.changed_on AS as_of
    FROM tidy.area_change AS change
    UNION ALL
    SELECT
        change.from_code AS area_code,
        change.from_name AS area_name,
        4 AS preference,
        change.changed_on AS as_of
    FROM tidy.area_change AS change
    UNION ALL
    SELECT
        change.to_code AS area_code,
        change.to_name AS area_name,
        4 AS preference,
        CAST(change.changed_on AS DATE) AS as_of
    FROM seed.fixed_area_change AS change
    UNION ALL
    SELECT
        change.from_code AS area_code,
        change.from_name AS area_name,
        4 AS preference,
        CAST(change.changed_on AS DATE) AS as_of
    FROM seed.fixed_area_change AS change
    UNION ALL
    SELECT printed.area_code, printed.area_name, 5 AS preference, CAST(NULL AS DATE) AS as_of
    FROM printed_name AS printed
),
preferred_name AS (
    SELECT
        named.area_code,
        named.area_name,
        row_number() OVER (
            PARTITION BY named.area_code
            ORDER BY named.preference, named.as_of DESC NULLS LAST, named.area_name
        ) AS choice
    FROM named
),
-- One code can have several names one after the other; a later file knows an end that an earlier one did not.
life AS (
    SELECT
        line.area_code,
        line.starts_on,
        max(line.ends_on) AS ends_on,
        row_number() OVER (PARTITION BY line.area_code ORDER BY line.starts_on DESC NULLS LAST) AS recency
    FROM tidy.area_life AS line
    WHERE NOT line.is_alternative AND (line.starts_on IS NOT NULL OR line.ends_on IS NOT NULL)
    GROUP BY line.area_code, line.starts_on
),
whole_life AS (
    SELECT
        life.area_code,
        nullif(min(life.starts_on), CAST('2009-01-01' AS DATE)) AS starts_on,
        max(CASE WHEN life.recency = 1 THEN life.ends_on END) AS ends_on
    FROM life
    GROUP BY life.area_code
),
began AS (
    SELECT change.to_code AS area_code, min(change.changed_on) AS starts_on
    FROM ref.area_change AS change
    GROUP BY change.to_code
),
ended AS (
    SELECT
        change.from_code AS area_code,
        CAST(max(change.changed_on) - INTERVAL 1 DAY AS DATE) AS ends_on,
        CASE WHEN count(DISTINCT change.to_code) = 1 THEN min(change.to_code) END AS successor_code
    FROM ref.area_change AS change
    GROUP BY change.from_code
),
-- Nobody, or next to nobody, lives where the crime is counted.
without_rate AS (
    SELECT fixed.area_code
    FROM seed.fixed_area AS fixed
    WHERE fixed.has_resident_rate = 'no'
    UNION
    SELECT link.child_code AS area_code
    FROM tidy.area_link AS link
    INNER JOIN seed.fixed_area AS police_force ON police_force.area_code = link.parent_code
    WHERE police_force.has_resident_rate = 'no'
    UNION
    SELECT line.area_code
    FROM tidy.area_life AS line
    INNER JOIN seed.fixed_area AS police_force ON police_force.area_code = line.parent_code
    WHERE police_force.has_resident_rate = 'no'
    UNION
    SELECT printed.area_code
    FROM printed
    LEFT JOIN seed.fixed_area AS fixed ON fixed.area_code = printed.area_code
    WHERE printed.area_code LIKE 'x-%' AND fixed.area_code IS NULL
)
SELECT
    preferred_name.area_code,
    preferred_name.area_name,
    coalesce(
        fixed.kind,
        CASE substr(preferred_name.area_code, 1, 3)
            WHEN 'E06' THEN 'unitary_authority'
            WHEN 'W06' THEN 'unitary_authority'
            WHEN 'E07' THEN 'non_metropolitan_district'
            WHEN 'E08' THEN 'metropolitan_district'
            WHEN 'E09' THEN 'london_borough'
            WHEN 'E10' THEN 'county'
            WHEN 'E11' THEN 'metropolitan_county'
            WHEN 'E12' THEN 'region'
            WHEN 'E22' THEN 'community_safety_partnership'
            WHEN 'W14' THEN 'community_safety_partnership'
            WHEN 'E23' THEN 'police_force_area'
            WHEN 'W15' THEN 'police_force_area'
            WHEN 'E92' THEN 'country'
            WHEN 'W92' THEN 'country'
            WHEN 'K04' THEN 'country'
            ELSE 'other'
        END
    ) AS kind,
    CASE WHEN whole_life.area_code IS NULL THEN began.starts_on ELSE whole_life.starts_on END AS starts_on,
    coalesce(whole_life.ends_on, ended.ends_on) AS ends_on,
    ended.successor_code,
    without_rate.area_code IS NULL AS has_resident_rate
FROM preferred_name
LEFT JOIN seed.fixed_area AS fixed ON fixed.area_code = preferred_name.area_code
LEFT JOIN whole_life ON whole_life.area_code = preferred_name.area_code
LEFT JOIN began ON began.area_code = preferred_name.area_code
LEFT JOIN ended ON ended.area_code = preferred_name.area_code
LEFT JOIN without_rate ON without_rate.area_code = preferred_name.area_code
WHERE preferred_name.choice = 1
