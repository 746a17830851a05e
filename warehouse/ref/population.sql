-- The newest estimate of each area and year. Police forces and Community Safety Partnerships are added up
-- from the local authorities of the newest release that states the year whole (its authorities add up to
-- its England and Wales); a partnership only where no authority of its lies in two.
WITH stated AS (
    SELECT
        line.area_code,
        line.mid_year,
        line.population,
        line.release_id,
        row_number() OVER (
            PARTITION BY line.area_code, line.mid_year
            ORDER BY line.published_at DESC, line.release_id DESC
        ) AS recency
    FROM work.stated_population AS line
    WHERE line.preference = 1 AND line.mid_year IS NOT NULL
),
authority AS (
    SELECT line.area_code, line.mid_year, line.population, line.release_id, line.published_at
    FROM work.stated_population AS line
    INNER JOIN ref.area_level AS area_level
        ON area_level.area_code = line.area_code AND area_level.level = 'lower_tier'
    WHERE line.preference = 1 AND line.mid_year IS NOT NULL
),
whole_release AS (
    SELECT
        authority.mid_year,
        authority.release_id,
        row_number() OVER (
            PARTITION BY authority.mid_year
            ORDER BY max(authority.published_at) DESC, authority.release_id DESC
        ) AS recency
    FROM authority
    LEFT JOIN work.stated_population AS nation
        ON nation.release_id = authority.release_id
        AND nation.mid_year = authority.mid_year
        AND nation.area_code = 'K04000001'
        AND nation.preference = 1
    GROUP BY authority.mid_year, authority.release_id
    HAVING sum(authority.population) = coalesce(max(nation.population), sum(authority.population))
),
newest_link AS (
    SELECT
        link.area_code,
        link.parent_level,
        link.parent_code,
        rank() OVER (PARTITION BY link.area_code, link.parent_level ORDER BY link.vintage DESC) AS recency
    FROM ref.area_parent AS link
    WHERE link.parent_level IN ('police_force', 'csp')
),
member AS (
    SELECT
        link.area_code,
        link.parent_code,
        count(*) OVER (PARTITION BY link.area_code, link.parent_level) AS parents
    FROM newest_link AS link
    WHERE link.recency = 1
),
summed AS (
    SELECT
        member.parent_code AS area_code,
        authority.mid_year,
        CAST(sum(authority.population) AS BIGINT) AS population,
        authority.release_id
    FROM authority
    INNER JOIN whole_release
        ON whole_release.release_id = authority.release_id
        AND whole_release.mid_year = authority.mid_year
        AND whole_release.recency = 1
    INNER JOIN member ON member.area_code = authority.area_code
    GROUP BY member.parent_code, authority.mid_year, authority.release_id
    HAVING max(member.parents) = 1
)
SELECT stated.area_code, stated.mid_year, stated.population, stated.release_id, FALSE AS is_derived
FROM stated
WHERE stated.recency = 1
UNION ALL
SELECT summed.area_code, summed.mid_year, summed.population, summed.release_id, TRUE AS is_derived
FROM summed
