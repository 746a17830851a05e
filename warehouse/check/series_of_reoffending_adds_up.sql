-- Each figure of mart.reoffending_series that was carried over or added up is the sum of the figures of the parts that
-- it names, looked up one by one: one violation for each that is not.
WITH made AS (
    SELECT series.*
    FROM mart.reoffending_series AS series
    WHERE series.part_codes IS NOT NULL
),
part AS (
    SELECT listed.part_codes, area.area_code AS part_code
    FROM (SELECT DISTINCT each.part_codes FROM made AS each) AS listed
    INNER JOIN ref.area AS area ON concat('; ', listed.part_codes, ';') LIKE concat('%; ', area.area_code, ';%')
),
added AS (
    SELECT
        made.area_code, made.level, made.measure, made.span, made.cohort_end, made.age_group,
        count(*) AS parts,
        count(figure.offenders) AS known_parts,
        CAST(sum(figure.offenders) AS BIGINT) AS offenders,
        CAST(sum(figure.reoffenders) AS BIGINT) AS reoffenders,
        CASE WHEN count(figure.reoffences) = count(*) THEN CAST(sum(figure.reoffences) AS BIGINT) END AS reoffences
    FROM made
    INNER JOIN part ON part.part_codes = made.part_codes
    LEFT JOIN work.newest_reoffending AS figure
        ON figure.area_code = part.part_code
        AND figure.measure = made.measure
        AND figure.span = made.span
        AND figure.cohort_end = made.cohort_end
        AND figure.age_group = made.age_group
    GROUP BY made.area_code, made.level, made.measure, made.span, made.cohort_end, made.age_group
)
SELECT
    made.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', 'series', made.area_code, made.level, made.measure, made.span, CAST(made.cohort_end AS VARCHAR),
        made.age_group
    ) AS figure,
    concat(
        coalesce(CAST(added.offenders AS VARCHAR), 'nothing'), '/',
        coalesce(CAST(added.reoffenders AS VARCHAR), 'nothing'), '/',
        coalesce(CAST(added.reoffences AS VARCHAR), 'nothing'), ' from ',
        CAST(coalesce(added.known_parts, 0) AS VARCHAR), ' of ', made.part_codes
    ) AS expected,
    concat(
        coalesce(CAST(made.offenders AS VARCHAR), 'nothing'), '/',
        coalesce(CAST(made.reoffenders AS VARCHAR), 'nothing'), '/',
        coalesce(CAST(made.reoffences AS VARCHAR), 'nothing'), ' ', coalesce(made.made_by, '')
    ) AS found
FROM made
LEFT JOIN added
    ON added.area_code = made.area_code
    AND added.level = made.level
    AND added.measure = made.measure
    AND added.span = made.span
    AND added.cohort_end = made.cohort_end
    AND added.age_group = made.age_group
WHERE added.area_code IS NULL
    OR made.offenders IS DISTINCT FROM added.offenders
    OR made.reoffenders IS DISTINCT FROM added.reoffenders
    OR made.reoffences IS DISTINCT FROM added.reoffences
    -- A code that is carried over may be printed without a figure.
    OR (made.made_by = 'merged' AND added.known_parts <> added.parts)
    OR added.parts <> 1 + length(made.part_codes) - length(replace(made.part_codes, ';', ''))
