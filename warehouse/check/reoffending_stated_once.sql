-- Sheets and files of one release that reach equally far and state one figure otherwise: core would take the first.
-- Within a sheet the reader has compared them. Which file is right nothing shows: each that states it is at fault.
WITH counted AS (
    SELECT
        line.release_id, line.sha256, line.table_id, line.measure, line.span, line.cohort_end, line.age_group,
        line.area_code, line.newest_cohort_end, counts.name,
        CASE counts.name
            WHEN 'offenders' THEN line.offenders
            WHEN 'reoffenders' THEN line.reoffenders
            ELSE line.reoffences
        END AS value
    FROM work.placed_reoffending AS line
    CROSS JOIN (VALUES ('offenders'), ('reoffenders'), ('reoffences')) AS counts(name)
    WHERE line.role = 'total' AND line.area_code IS NOT NULL
),
compared AS (
    SELECT
        counted.*,
        min(counted.value) OVER statements AS lowest,
        max(counted.value) OVER statements AS highest
    FROM counted
    WINDOW statements AS (
        PARTITION BY
            counted.release_id, counted.table_id, counted.measure, counted.span, counted.cohort_end,
            counted.age_group, counted.area_code, counted.newest_cohort_end, counted.name
    )
)
SELECT DISTINCT
    compared.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', compared.table_id, compared.area_code, concat(compared.age_group, ' ', compared.name), compared.span,
        CAST(compared.cohort_end AS VARCHAR)
    ) AS figure,
    CAST(compared.lowest AS VARCHAR) AS expected,
    CAST(compared.highest AS VARCHAR) AS found
FROM compared
WHERE compared.lowest <> compared.highest AND compared.value IS NOT NULL
