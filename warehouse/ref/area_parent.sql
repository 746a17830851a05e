-- Which area lies in which, year by year. In order of trust: the fixed relations (forces, regions, countries;
-- a single-tier authority is its own upper tier), the nearest lookup, the parent in the code history, what
-- follows from these, and the force that a figure is printed beside.
WITH vintage AS (
    SELECT years.vintage, CAST(concat(CAST(years.vintage AS VARCHAR), '-06-30') AS DATE) AS mid_year
    FROM (VALUES (2017), (2018), (2019), (2020), (2021), (2022), (2023), (2024), (2025)) AS years(vintage)
),
living AS (
    SELECT area_level.area_code, area_level.level, vintage.vintage, vintage.mid_year
    FROM ref.area_level AS area_level
    INNER JOIN vintage
        ON coalesce(area_level.starts_on, vintage.mid_year) <= vintage.mid_year
        AND coalesce(area_level.ends_on, vintage.mid_year) >= vintage.mid_year
),
living_area AS (
    SELECT DISTINCT living.area_code, living.vintage, living.mid_year
    FROM living
),
-- What is said of an area under one code holds under the other, where only the code changed or its boundary moved: it
-- stays in its force, region and partnership.
renumbered AS (
    SELECT change.from_code, change.to_code
    FROM ref.area_change AS change
    WHERE change.kind IN ('recode', 'boundary') AND substr(change.from_code, 1, 3) = substr(change.to_code, 1, 3)
),
recode AS (
    SELECT area.area_code AS stated_code, area.area_code
    FROM ref.area AS area
    UNION
    SELECT renumbered.from_code AS stated_code, renumbered.to_code AS area_code
    FROM renumbered
    UNION
    SELECT renumbered.to_code AS stated_code, renumbered.from_code AS area_code
    FROM renumbered
),
fixed_parent AS (
    SELECT
        fixed.area_code,
        CASE WHEN parent.kind = 'region' THEN 'region' ELSE 'country' END AS parent_level,
        fixed.parent_code
    FROM seed.fixed_area AS fixed
    INNER JOIN seed.fixed_area AS parent ON parent.area_code = fixed.parent_code
    UNION ALL
    SELECT fixed.area_code, 'country' AS parent_level, region.parent_code
    FROM seed.fixed_area AS fixed
    INNER JOIN seed.fixed_area AS region ON region.area_code = fixed.parent_code AND region.kind = 'region'
),
-- Of an area in a year the newest release that places it at a level: a correction takes the place of what it corrects.
stated_lookup AS (
    SELECT
        link.child_code,
        link.parent_level,
        link.parent_code,
        link.vintage,
        rank() OVER (
            PARTITION BY link.child_code, link.parent_level, link.vintage
            ORDER BY release.published_at DESC, release.release_id DESC
        ) AS recency
    FROM tidy.area_link AS link
    INNER JOIN input.file AS file ON file.sha256 = link.sha256 AND file.accepted
    INNER JOIN input.release AS release ON release.release_id = file.release_id
),
lookup AS (
    SELECT DISTINCT
        child.area_code,
        link.parent_level,
        parent.area_code AS parent_code,
        link.vintage AS stated_vintage
    FROM stated_lookup AS link
    INNER JOIN recode AS child ON child.stated_code = link.child_code
    INNER JOIN recode AS parent ON parent.stated_code = link.parent_code
    WHERE link.recency = 1
),
usable_lookup AS (
    SELECT
        living_area.area_code,
        lookup.parent_level,
        living_area.vintage,
        lookup.parent_code,
        lookup.stated_vintage
    FROM living_area
    INNER JOIN lookup ON lookup.area_code = living_area.area_code
    INNER JOIN living AS parent
        ON parent.area_code = lookup.parent_code
        AND parent.level = lookup.parent_level
        AND parent.vintage = living_area.vintage
),
nearest_lookup AS (
    SELECT
        usable.area_code,
        usable.parent_level,
        usable.vintage,
        coalesce(
            max(CASE WHEN usable.stated_vintage <= usable.vintage THEN usable.stated_vintage END),
            min(usable.stated_vintage)
        ) AS stated_vintage
    FROM usable_lookup AS usable
    GROUP BY usable.area_code, usable.parent_level, usable.vintage
),
looked_up AS (
    SELECT usable.area_code, usable.parent_level, usable.vintage, usable.parent_code
    FROM usable_lookup AS usable
    INNER JOIN nearest_lookup
        ON nearest_lookup.area_code = usable.area_code
        AND nearest_lookup.parent_level = usable.parent_level
        AND nearest_lookup.vintage = usable.vintage
        AND nearest_lookup.stated_vintage = usable.stated_vintage
),
in_history AS (
    SELECT DISTINCT
        living_area.area_code,
        parent.level AS parent_level,
        living_area.vintage,
        parent.area_code AS parent_code
    FROM tidy.area_life AS life
    INNER JOIN recode AS child ON child.stated_code = life.area_code
    INNER JOIN recode AS above ON above.stated_code = life.parent_code
    INNER JOIN living_area ON living_area.area_code = child.area_code
    INNER JOIN living AS parent ON parent.area_code = above.area_code AND parent.vintage = living_area.vintage
    WHERE coalesce(life.starts_on, living_area.mid_year) <= living_area.mid_year
        AND coalesce(life.ends_on, living_area.mid_year) >= living_area.mid_year
),
printed AS (
    SELECT DISTINCT line.area_code, line.parent_name
    FROM tidy.recorded_crime AS line
    WHERE line.level = 'csp' AND line.area_code IS NOT NULL AND line.parent_name IS NOT NULL
),
stated AS (
    SELECT
        living.area_code,
        fixed_parent.parent_level,
        living.vintage,
        fixed_parent.parent_code,
        1 AS preference
    FROM living
    INNER JOIN fixed_parent ON fixed_parent.area_code = living.area_code
    UNION ALL
    SELECT
        upper_tier.area_code,
        'upper_tier' AS parent_level,
        upper_tier.vintage,
        upper_tier.area_code AS parent_code,
        1 AS preference
    FROM living AS upper_tier
    INNER JOIN living AS lower_tier
        ON lower_tier.area_code = upper_tier.area_code
        AND lower_tier.vintage = upper_tier.vintage
        AND lower_tier.level = 'lower_tier'
    WHERE upper_tier.level = 'upper_tier'
    UNION ALL
    SELECT
        living.area_code,
        'country' AS parent_level,
        living.vintage,
        CASE substr(living.area_code, 1, 1) WHEN 'W' THEN 'W92000004' ELSE 'E92000001' END AS parent_code,
        1 AS preference
    FROM living
    WHERE living.level IN ('upper_tier', 'lower_tier')
    UNION ALL
    SELECT
        looked_up.area_code,
        looked_up.parent_level,
        looked_up.vintage,
        looked_up.parent_code,
        2 AS preference
    FROM looked_up
    UNION ALL
    SELECT
        in_history.area_code,
        in_history.parent_level,
        in_history.vintage,
        in_history.parent_code,
        3 AS preference
    FROM in_history
    UNION ALL
    SELECT
        district.parent_code AS area_code,
        'region' AS parent_level,
        district.vintage,
        region.parent_code,
        4 AS preference
    FROM looked_up AS district
    INNER JOIN looked_up AS region
        ON region.area_code = district.area_code
        AND region.vintage = district.vintage
        AND region.parent_level = 'region'
    WHERE district.parent_level = 'upper_tier'
    UNION ALL
    SELECT
        authority.area_code,
        'region' AS parent_level,
        authority.vintage,
        fixed_parent.parent_code,
        5 AS preference
    FROM looked_up AS authority
    INNER JOIN living
        ON living.area_code = authority.area_code
        AND living.vintage = authority.vintage
        AND living.level = 'lower_tier'
    INNER JOIN fixed_parent
        ON fixed_parent.area_code = authority.parent_code
        AND fixed_parent.parent_level = 'region'
    WHERE authority.parent_level = 'police_force'
    UNION ALL
    SELECT
        living_area.area_code,
        'police_force' AS parent_level,
        living_area.vintage,
        police_force.area_code AS parent_code,
        6 AS preference
    FROM printed
    INNER JOIN living_area ON living_area.area_code = printed.area_code
    INNER JOIN ref.area_name AS police_force
        ON police_force.level = 'police_force'
        AND police_force.area_key = name_key(printed.parent_name)
),
ordered AS (
    SELECT
        stated.area_code,
        stated.parent_level,
        stated.vintage,
        stated.parent_code,
        rank() OVER (
            PARTITION BY stated.area_code, stated.parent_level, stated.vintage
            ORDER BY stated.preference
        ) AS choice
    FROM stated
)
SELECT DISTINCT
    ordered.area_code,
    ordered.parent_level,
    CAST(ordered.vintage AS INTEGER) AS vintage,
    ordered.parent_code
FROM ordered
WHERE ordered.choice = 1
