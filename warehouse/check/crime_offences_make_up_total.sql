-- Parts that a table prints make up the whole that it prints beside them: groups the total, subgroups their group.
-- Burglary has two breakdowns, one until March 2017 and one since; a whole is judged by each that is printed in full.
WITH part AS (
    SELECT
        offence.offence_id,
        offence.parent_id,
        CASE
            WHEN offence.offence_id IN ('domestic_burglary', 'non_domestic_burglary') THEN 'until 2017'
            ELSE 'now'
        END AS breakdown
    FROM ref.offence AS offence
    WHERE offence.parent_id IS NOT NULL AND offence.level <> 'offence'
),
breakdown AS (
    SELECT part.parent_id, part.breakdown, count(*) AS parts
    FROM part
    GROUP BY part.parent_id, part.breakdown
),
summed AS (
    SELECT
        crime.release_id,
        crime.table_id,
        crime.area_code,
        crime.span,
        crime.period_end,
        part.parent_id,
        part.breakdown,
        count(crime.offences) AS known,
        CAST(sum(crime.offences) AS BIGINT) AS offences
    FROM core.recorded_crime AS crime
    INNER JOIN part ON part.offence_id = crime.offence_id
    GROUP BY
        crime.release_id, crime.table_id, crime.area_code, crime.span, crime.period_end,
        part.parent_id, part.breakdown
),
-- A few areas are an excerpt, not a published table.
whole_table AS (
    SELECT summed.release_id, summed.table_id, summed.span, summed.period_end
    FROM summed
    GROUP BY summed.release_id, summed.table_id, summed.span, summed.period_end
    HAVING count(DISTINCT summed.area_code) >= 5
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
INNER JOIN breakdown
    ON breakdown.parent_id = summed.parent_id
    AND breakdown.breakdown = summed.breakdown
    AND breakdown.parts = summed.known
INNER JOIN whole_table
    ON whole_table.release_id = summed.release_id
    AND whole_table.table_id = summed.table_id
    AND whole_table.span = summed.span
    AND whole_table.period_end = summed.period_end
INNER JOIN core.recorded_crime AS total
    ON total.release_id = summed.release_id
    AND total.table_id = summed.table_id
    AND total.area_code = summed.area_code
    AND total.offence_id = summed.parent_id
    AND total.span = summed.span
    AND total.period_end = summed.period_end
WHERE total.offences IS NULL OR total.offences <> summed.offences
