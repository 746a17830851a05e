-- Partnerships and Unassigned, by the force that is printed beside them, make up the force's own row. By name:
-- C2 of June 2025 prints Unassigned Gwent under the code of South Wales. Unassigned may be blank (Surrey): nothing is.
WITH partnership AS (
    SELECT DISTINCT line.sha256, line.table_id, line.area_code, police_force.area_code AS force_code
    FROM tidy.recorded_crime AS line
    INNER JOIN ref.area_name AS police_force
        ON police_force.level = 'police_force'
        AND police_force.area_key = name_key(line.parent_name)
    WHERE line.level = 'csp' AND line.measure = 'offences' AND line.span = 'year'
),
whole_table AS (
    SELECT partnership.sha256, partnership.table_id
    FROM partnership
    GROUP BY partnership.sha256, partnership.table_id
    HAVING count(*) >= 5
),
summed AS (
    SELECT
        crime.release_id,
        crime.sha256,
        crime.table_id,
        partnership.force_code,
        crime.offence_id,
        crime.span,
        crime.period_end,
        count(CASE WHEN crime.offences IS NULL AND crime.area_code NOT LIKE 'x-unassigned-%' THEN 1 END) AS unknown,
        CAST(sum(crime.offences) AS BIGINT) AS offences
    FROM partnership
    INNER JOIN whole_table
        ON whole_table.sha256 = partnership.sha256 AND whole_table.table_id = partnership.table_id
    INNER JOIN core.recorded_crime AS crime
        ON crime.sha256 = partnership.sha256
        AND crime.table_id = partnership.table_id
        AND crime.area_code = partnership.area_code
    GROUP BY
        crime.release_id, crime.sha256, crime.table_id, partnership.force_code,
        crime.offence_id, crime.span, crime.period_end
)
SELECT
    total.release_id,
    total.sha256,
    concat(substr(total.sha256, 1, 12), '!', total.sheet, '!', total.offences_column, CAST(total.row AS VARCHAR))
        AS cell,
    concat_ws(
        '|', total.table_id, total.area_code, total.offence_id, total.span, CAST(total.period_end AS VARCHAR)
    ) AS figure,
    CAST(summed.offences AS VARCHAR) AS expected,
    coalesce(CAST(total.offences AS VARCHAR), total.offences_marker) AS found
FROM summed
INNER JOIN core.recorded_crime AS total
    ON total.release_id = summed.release_id
    AND total.sha256 = summed.sha256
    AND total.table_id = summed.table_id
    AND total.area_code = summed.force_code
    AND total.offence_id = summed.offence_id
    AND total.span = summed.span
    AND total.period_end = summed.period_end
WHERE
    (summed.unknown = 0 AND (total.offences IS NULL OR total.offences <> summed.offences))
    -- What some partnerships do not say is not known, but it is not less than nothing.
    OR (summed.unknown > 0 AND summed.offences > total.offences)
