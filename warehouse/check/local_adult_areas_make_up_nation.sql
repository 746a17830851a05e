-- Authorities, and regions with Wales, against England and Wales: offenders exactly, or 95% of them where those of no
-- known home have no line; rates within what rounding and those leave. The nation may stand in another table of the
-- file. A table of few areas is not meant to be whole, and one that withholds a figure is not added up.
WITH area AS (
    SELECT
        line.release_id, line.sha256, line.table_id, line.period_end,
        CASE line.level WHEN 'country' THEN 'region' ELSE line.level END AS level,
        coalesce(line.area_code, line.area_name) AS area,
        max(line.offenders) AS offenders,
        max(line.actual_percent) AS actual_percent,
        max(line.predicted_percent) AS predicted_percent
    FROM work.placed_local_adult AS line
    WHERE line.level <> 'country' OR line.area_code = 'W92000004'
    GROUP BY
        line.release_id, line.sha256, line.table_id, line.period_end, line.level,
        coalesce(line.area_code, line.area_name)
),
level_sum AS (
    SELECT
        area.release_id, area.sha256, area.table_id, area.period_end, area.level,
        CAST(sum(area.offenders) AS DOUBLE) AS offenders,
        sum(area.offenders * area.actual_percent) / nullif(sum(area.offenders), 0) AS actual_percent,
        sum(area.offenders * area.predicted_percent) / nullif(sum(area.offenders), 0) AS predicted_percent,
        max(CASE WHEN area.area LIKE 'x-unknown%' THEN 1 ELSE 0 END) AS has_unknown
    FROM area
    GROUP BY area.release_id, area.sha256, area.table_id, area.period_end, area.level
    HAVING count(*) >= CASE area.level WHEN 'region' THEN 5 ELSE 87 END
        AND count(area.offenders) = count(*)
        AND count(area.actual_percent) = count(*)
        AND count(area.predicted_percent) = count(*)
),
nation AS (
    SELECT DISTINCT
        line.sha256, line.period_end, CAST(line.offenders AS DOUBLE) AS offenders, line.actual_percent,
        line.predicted_percent
    FROM work.placed_local_adult AS line
    WHERE line.area_code = 'K04000001'
),
compared AS (
    SELECT
        level_sum.release_id, level_sum.sha256, level_sum.table_id, level_sum.period_end, level_sum.level, names.name,
        CASE
            WHEN names.name <> 'offenders' THEN CASE level_sum.has_unknown WHEN 1 THEN 0.1e0 ELSE 0.5e0 END
            WHEN level_sum.has_unknown = 1 THEN 0e0
            ELSE 0.05e0 * nation.offenders
        END AS slack,
        CASE names.name
            WHEN 'offenders' THEN nation.offenders
            WHEN 'actual_percent' THEN nation.actual_percent
            ELSE nation.predicted_percent
        END AS expected,
        CASE names.name
            WHEN 'offenders' THEN level_sum.offenders
            WHEN 'actual_percent' THEN level_sum.actual_percent
            ELSE level_sum.predicted_percent
        END AS found
    FROM level_sum
    INNER JOIN nation ON nation.sha256 = level_sum.sha256 AND nation.period_end = level_sum.period_end
    CROSS JOIN (VALUES ('offenders'), ('actual_percent'), ('predicted_percent')) AS names(name)
)
SELECT
    compared.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', compared.table_id, 'K04000001', concat(compared.level, ' ', compared.name),
        CAST(compared.period_end AS VARCHAR)
    ) AS figure,
    CASE compared.name
        WHEN 'offenders' THEN CAST(CAST(compared.expected AS BIGINT) AS VARCHAR)
        ELSE CAST(round(compared.expected, 3) AS VARCHAR)
    END AS expected,
    CASE compared.name
        WHEN 'offenders' THEN CAST(CAST(compared.found AS BIGINT) AS VARCHAR)
        ELSE CAST(round(compared.found, 3) AS VARCHAR)
    END AS found
FROM compared
WHERE abs(compared.found - compared.expected) > compared.slack
    OR (compared.name = 'offenders' AND compared.found > compared.expected)
