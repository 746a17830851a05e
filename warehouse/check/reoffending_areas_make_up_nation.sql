-- Areas of one level, unknown and other among them, against the England and Wales of the same table. A level that makes
-- up the nation in most lines is one that does in all; which levels do is left to the table. Where areas are withheld,
-- the others must not be more than the nation.
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
),
judged AS (
    SELECT
        compared.*,
        avg(
            CASE
                WHEN compared.known < compared.areas THEN NULL
                WHEN compared.value = compared.nation_value THEN 1e0
                ELSE 0e0
            END
        ) OVER (PARTITION BY compared.sha256, compared.sheet, compared.level, compared.name) AS equal_share
    FROM compared
    WHERE compared.nation_value IS NOT NULL
)
SELECT
    judged.release_id,
    judged.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', judged.table_id, 'K04000001', concat(judged.level, ', ', judged.age_group, ' ', judged.name), judged.span,
        CAST(judged.cohort_end AS VARCHAR)
    ) AS figure,
    concat(CASE WHEN judged.known < judged.areas THEN 'at most ' ELSE '' END, CAST(judged.nation_value AS VARCHAR))
        AS expected,
    CAST(judged.value AS VARCHAR) AS found
FROM judged
WHERE judged.equal_share > 0.5e0
    AND CASE
        WHEN judged.known < judged.areas THEN judged.value > judged.nation_value
        ELSE judged.value <> judged.nation_value
    END
