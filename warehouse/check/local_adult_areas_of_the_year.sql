-- Authorities and regions of a period against the geography, on the day between its start and the publication that fits
-- best. They are compared by name, since a new code of an old name is no new area. Nobody need stand there where nobody
-- lives; a table of fewer than half of the areas is not meant to be whole. One line an area.
WITH named AS (
    SELECT
        area_level.level, area_level.area_code, area.area_name, area_level.starts_on, area_level.ends_on,
        area.has_resident_rate
    FROM ref.area_level AS area_level
    INNER JOIN ref.area AS area ON area.area_code = area_level.area_code
    WHERE area_level.level IN ('region', 'upper_tier')
),
stated AS (
    SELECT
        line.release_id, line.sha256, line.sheet, line.table_id, line.level, line.period_start, line.period_end,
        area.area_name, release.published_on, max(line.area_code) AS area_code
    FROM work.placed_local_adult AS line
    INNER JOIN input.release AS release ON release.release_id = line.release_id
    INNER JOIN ref.area AS area ON area.area_code = line.area_code
    WHERE line.level IN ('region', 'upper_tier') AND line.area_code NOT LIKE 'x-%'
    GROUP BY
        line.release_id, line.sha256, line.sheet, line.table_id, line.level, line.period_start, line.period_end,
        area.area_name, release.published_on
),
printed AS (
    SELECT
        stated.release_id, stated.sha256, stated.sheet, stated.table_id, stated.level, stated.period_start,
        stated.period_end, stated.published_on, count(*) AS areas
    FROM stated
    GROUP BY
        stated.release_id, stated.sha256, stated.sheet, stated.table_id, stated.level, stated.period_start,
        stated.period_end, stated.published_on
),
change_day AS (
    SELECT DISTINCT named.level, named.starts_on AS day
    FROM named
    WHERE named.starts_on IS NOT NULL
),
candidate AS (
    SELECT printed.*, printed.period_start AS day
    FROM printed
    UNION
    SELECT printed.*, change_day.day
    FROM printed
    INNER JOIN change_day
        ON change_day.level = printed.level
        AND change_day.day > printed.period_start
        AND change_day.day <= printed.published_on
),
compared AS (
    SELECT
        candidate.sha256, candidate.sheet, candidate.level, candidate.period_end, candidate.areas,
        candidate.day,
        count(*) AS living,
        count(stated.area_code) AS matched
    FROM candidate
    INNER JOIN named
        ON named.level = candidate.level
        AND coalesce(named.starts_on, candidate.day) <= candidate.day
        AND coalesce(named.ends_on, candidate.day) >= candidate.day
    LEFT JOIN stated
        ON stated.sha256 = candidate.sha256
        AND stated.sheet = candidate.sheet
        AND stated.level = candidate.level
        AND stated.period_end = candidate.period_end
        AND stated.area_name = named.area_name
    GROUP BY
        candidate.sha256, candidate.sheet, candidate.level, candidate.period_end, candidate.areas,
        candidate.day
),
ordered AS (
    SELECT
        compared.*,
        row_number() OVER (
            PARTITION BY compared.sha256, compared.sheet, compared.level, compared.period_end
            ORDER BY compared.living + compared.areas - 2 * compared.matched, compared.day
        ) AS preference
    FROM compared
),
judged AS (
    SELECT printed.*, ordered.day
    FROM printed
    INNER JOIN ordered
        ON ordered.sha256 = printed.sha256
        AND ordered.sheet = printed.sheet
        AND ordered.level = printed.level
        AND ordered.period_end = printed.period_end
        AND ordered.preference = 1
    WHERE 2 * ordered.matched >= ordered.living
),
either AS (
    SELECT
        judged.release_id, judged.sha256, judged.sheet, judged.table_id, judged.level, judged.period_end,
        named.area_name, named.area_code, 1 AS living, 0 AS stated,
        CASE WHEN named.has_resident_rate THEN 1 ELSE 0 END AS has_residents
    FROM judged
    INNER JOIN named
        ON named.level = judged.level
        AND coalesce(named.starts_on, judged.day) <= judged.day
        AND coalesce(named.ends_on, judged.day) >= judged.day
    UNION ALL
    SELECT
        judged.release_id, judged.sha256, judged.sheet, judged.table_id, judged.level, judged.period_end,
        stated.area_name, stated.area_code, 0 AS living, 1 AS stated, 1 AS has_residents
    FROM judged
    INNER JOIN stated
        ON stated.sha256 = judged.sha256
        AND stated.sheet = judged.sheet
        AND stated.level = judged.level
        AND stated.period_end = judged.period_end
),
area AS (
    SELECT
        either.release_id, either.sha256, either.sheet, either.table_id, either.level, either.period_end,
        max(either.area_code) AS area_code,
        max(either.living) AS living,
        max(either.stated) AS stated
    FROM either
    GROUP BY
        either.release_id, either.sha256, either.sheet, either.table_id, either.level, either.period_end,
        either.area_name
    HAVING min(either.has_residents) = 1 OR max(either.stated) = 1
)
SELECT
    area.release_id,
    area.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', area.table_id, area.area_code, area.level,
        CAST(min(CASE WHEN area.living <> area.stated THEN area.period_end END) AS VARCHAR)
    ) AS figure,
    concat('in ', CAST(sum(area.living) AS VARCHAR)) AS expected,
    concat('in ', CAST(sum(area.stated) AS VARCHAR)) AS found
FROM area
GROUP BY area.release_id, area.sha256, area.sheet, area.table_id, area.level, area.area_code
HAVING max(CASE WHEN area.living <> area.stated THEN 1 ELSE 0 END) = 1
