-- Each figure of mart.crime_series that was carried over or added up is the sum of the figures of the parts that it
-- names, looked up one by one: one violation for each that is not.
WITH made AS (
    SELECT series.*
    FROM mart.crime_series AS series
    WHERE series.part_codes IS NOT NULL
),
part AS (
    SELECT listed.part_codes, area.area_code AS part_code
    FROM (SELECT DISTINCT each.part_codes FROM made AS each) AS listed
    INNER JOIN ref.area AS area ON concat('; ', listed.part_codes, ';') LIKE concat('%; ', area.area_code, ';%')
),
added AS (
    SELECT
        made.area_code, made.offence_id, made.span, made.period_end,
        count(*) AS parts,
        count(figure.offences) AS known_parts,
        CAST(sum(figure.offences) AS BIGINT) AS offences
    FROM made
    INNER JOIN part ON part.part_codes = made.part_codes
    LEFT JOIN work.newest_figure AS figure
        ON figure.area_code = part.part_code
        AND figure.offence_id = made.offence_id
        AND figure.span = made.span
        AND figure.period_end = made.period_end
    GROUP BY made.area_code, made.offence_id, made.span, made.period_end
)
SELECT
    made.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'series', made.area_code, made.offence_id, made.span, CAST(made.period_end AS VARCHAR)) AS figure,
    concat(
        coalesce(CAST(added.offences AS VARCHAR), 'nothing'), ' from ',
        CAST(coalesce(added.known_parts, 0) AS VARCHAR), ' of ', made.part_codes
    ) AS expected,
    concat(coalesce(CAST(made.offences AS VARCHAR), 'nothing'), ' ', coalesce(made.made_by, '')) AS found
FROM made
LEFT JOIN added
    ON added.area_code = made.area_code
    AND added.offence_id = made.offence_id
    AND added.span = made.span
    AND added.period_end = made.period_end
WHERE added.area_code IS NULL
    OR made.offences IS DISTINCT FROM added.offences
    -- A code that is carried over may be printed without a figure.
    OR (made.made_by = 'merged' AND added.known_parts <> added.parts)
    OR added.parts <> 1 + length(made.part_codes) - length(replace(made.part_codes, ';', ''))
