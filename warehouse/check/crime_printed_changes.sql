-- A count and the change that P2 prints for it imply a whole number a year before, within the last digit that the
-- table prints; else one of the two is not what was published.
WITH implied AS (
    SELECT
        printed.*,
        crime.offences,
        nullif(round(crime.offences / nullif(1e0 + printed.printed / 100e0, 0e0)), 0e0) AS previous_offences
    FROM core.recorded_crime_printed AS printed
    INNER JOIN core.recorded_crime AS crime
        ON crime.release_id = printed.release_id
        AND crime.table_id = 'P1'
        AND crime.area_code = printed.area_code
        AND crime.offence_id = printed.offence_id
        AND crime.span = printed.span
        AND crime.period_end = printed.period_end
    WHERE printed.table_id = 'P2' AND printed.printed IS NOT NULL
)
SELECT
    implied.release_id,
    implied.sha256,
    concat(
        substr(implied.sha256, 1, 12), '!', implied.sheet, '!',
        implied.printed_column, CAST(implied.row AS VARCHAR)
    ) AS cell,
    concat_ws(
        '|', implied.table_id, implied.area_code, implied.offence_id,
        implied.span, CAST(implied.period_end AS VARCHAR)
    ) AS figure,
    concat(
        CAST(round(100e0 * (implied.offences / implied.previous_offences - 1e0), 9) AS VARCHAR), ', ',
        CAST(implied.offences AS VARCHAR), ' after ', CAST(CAST(implied.previous_offences AS BIGINT) AS VARCHAR)
    ) AS expected,
    CAST(implied.printed AS VARCHAR) AS found
FROM implied
INNER JOIN work.printed_step AS printed_step
    ON printed_step.release_id = implied.release_id AND printed_step.table_id = implied.table_id
WHERE abs(100e0 * (implied.offences / implied.previous_offences - 1e0) - implied.printed)
    > 0.5e0 * printed_step.step + 1e-9
