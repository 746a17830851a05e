-- A level that does not make up England and Wales in most lines of its table, one line a level and count: the publisher
-- may leave areas out, or a file has lost some.
WITH area AS (
    -- Wales is a country that stands among the regions.
    SELECT
        line.release_id, line.sha256, line.sheet, line.table_id, line.span, line.cohort_end, line.age_group,
        CASE line.level WHEN 'country' THEN 'region' ELSE line.level END AS level,
        coalesce(line.area_code, line.area_name) AS area,
        max(line.offenders) AS offenders,
        max(line.reoffenders) AS reoffenders,
        max(line.reoffences) AS reoffences
    FROM work.placed_reoffending AS line
    WHERE line.role = 'total' AND (line.level <> 'country' OR line.area_code = 'W92000004')
    GROUP BY
        line.release_id, line.sha256, line.sheet, line.table_id, line.span, line.cohort_end, line.age_group,
        line.level, coalesce(line.area_code, line.area_name)
),
level_sum AS (
    SELECT
        area.release_id, area.sha256, area.sheet, area.table_id, area.span, area.cohort_end, area.age_group, area.level,
        counts.name,
        count(*) AS areas,
        count(CASE counts.name
            WHEN 'offenders' THEN area.offenders WHEN 'reoffenders' THEN area.reoffenders ELSE area.reoffences
        END) AS known,
        CAST(sum(CASE counts.name
            WHEN 'offenders' THEN area.offenders WHEN 'reoffenders' THEN area.reoffenders ELSE area.reoffences
        END) AS BIGINT) AS value
    FROM area
    CROSS JOIN (VALUES ('offenders'), ('reoffenders'), ('reoffences')) AS counts(name)
    GROUP BY
        area.release_id, area.sha256, area.sheet, area.table_id, area.span, area.cohort_end, area.age_group, area.level,
        counts.name
),
-- A table of a few areas is not meant to make up the nation: at least half of them must stand in it.
half AS (
    SELECT levels.level, levels.areas
    FROM (VALUES ('region', 5), ('police_force', 22), ('upper_tier', 87), ('lower_tier', 160)) AS levels(level, areas)
),
compared AS (
    SELECT DISTINCT
        level_sum.*,
        CASE level_sum.name
            WHEN 'offenders' THEN nation.offenders
            WHEN 'reoffenders' THEN nation.reoffenders
            ELSE nation.reoffences
        END AS nation_value
    FROM level_sum
    INNER JOIN half ON half.level = level_sum.level
    INNER JOIN work.placed_reoffending AS nation
        ON nation.sha256 = level_sum.sha256
        AND nation.sheet = level_sum.sheet
        AND nation.span = level_sum.span
        AND nation.cohort_end = level_sum.cohort_end
        AND nation.age_group = level_sum.age_group
    WHERE nation.area_code = 'K04000001' AND nation.role = 'total' AND level_sum.areas >= half.areas
        AND level_sum.known = level_sum.areas
)
SELECT
    compared.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', compared.table_id, 'K04000001', concat(compared.level, ' ', compared.name)) AS figure,
    CAST(CAST(sum(compared.nation_value) AS BIGINT) AS VARCHAR) AS expected,
    CAST(CAST(sum(compared.value) AS BIGINT) AS VARCHAR) AS found
FROM compared
WHERE compared.nation_value IS NOT NULL
GROUP BY compared.release_id, compared.sha256, compared.sheet, compared.table_id, compared.level, compared.name
HAVING avg(CASE WHEN compared.value = compared.nation_value THEN 1e0 ELSE 0e0 END) <= 0.5e0
