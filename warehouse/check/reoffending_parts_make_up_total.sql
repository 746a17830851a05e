-- A breakdown that adds up to its population in most lines of a table is one that does in all. Some never do (whoever
-- has several disposals stands under each): nothing is expected of those.
WITH breakdown AS (
    SELECT
        part.release_id, part.sha256, part.table_id, part.measure, part.span, part.cohort_end, part.age_group,
        part.area_code, part.category, part.role, counts.name,
        CAST(sum(
            CASE counts.name
                WHEN 'offenders' THEN part.offenders
                WHEN 'reoffenders' THEN part.reoffenders
                ELSE part.reoffences
            END
        ) AS BIGINT) AS value
    FROM core.reoffending_breakdown AS part
    CROSS JOIN (VALUES ('offenders'), ('reoffenders'), ('reoffences')) AS counts(name)
    GROUP BY
        part.release_id, part.sha256, part.table_id, part.measure, part.span, part.cohort_end, part.age_group,
        part.area_code, part.category, part.role, counts.name
    HAVING count(
        CASE counts.name
            WHEN 'offenders' THEN part.offenders
            WHEN 'reoffenders' THEN part.reoffenders
            ELSE part.reoffences
        END
    ) = count(*)
),
population AS (
    SELECT
        total.sha256, total.table_id, total.measure, total.span, total.cohort_end, total.age_group, total.area_code,
        counts.name,
        CASE counts.name
            WHEN 'offenders' THEN total.offenders
            WHEN 'reoffenders' THEN total.reoffenders
            ELSE total.reoffences
        END AS value
    FROM core.reoffending AS total
    CROSS JOIN (VALUES ('offenders'), ('reoffenders'), ('reoffences')) AS counts(name)
    UNION ALL
    SELECT
        chosen.sha256, chosen.table_id, chosen.measure, chosen.span, chosen.cohort_end, chosen.age_group,
        chosen.area_code, chosen.name, chosen.value
    FROM breakdown AS chosen
    WHERE chosen.role = 'part'
),
compared AS (
    SELECT
        breakdown.release_id, breakdown.sha256, breakdown.table_id, breakdown.span, breakdown.cohort_end,
        breakdown.age_group, breakdown.area_code, breakdown.category, breakdown.name, breakdown.value,
        population.value AS expected,
        avg(CASE WHEN breakdown.value = population.value THEN 1e0 ELSE 0e0 END) OVER (
            PARTITION BY breakdown.sha256, breakdown.table_id, breakdown.category, breakdown.name
        ) AS equal_share
    FROM breakdown
    INNER JOIN population
        ON population.sha256 = breakdown.sha256
        AND population.table_id = breakdown.table_id
        AND population.measure = breakdown.measure
        AND population.span = breakdown.span
        AND population.cohort_end = breakdown.cohort_end
        AND population.age_group = breakdown.age_group
        AND population.area_code = breakdown.area_code
        AND population.name = breakdown.name
    WHERE breakdown.role = 'repeat' AND population.value IS NOT NULL
)
SELECT
    compared.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', compared.table_id, compared.area_code,
        concat(compared.category, ', ', compared.age_group, ' ', compared.name), compared.span,
        CAST(compared.cohort_end AS VARCHAR)
    ) AS figure,
    CAST(compared.expected AS VARCHAR) AS expected,
    CAST(compared.value AS VARCHAR) AS found
FROM compared
WHERE compared.value <> compared.expected AND compared.equal_share > 0.5e0
