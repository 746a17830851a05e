-- Publishers mark what is missing: an empty cell between figures of the same row is a figure that was lost. A row
-- that is empty throughout (Unassigned Surrey in Table C2) is the publisher's.
WITH blank AS (
    SELECT crime.*
    FROM core.recorded_crime AS crime
    WHERE crime.offences_marker = '[blank]'
),
beside AS (
    SELECT crime.release_id, crime.table_id, crime.area_code, crime.span, crime.period_end
    FROM core.recorded_crime AS crime
    INNER JOIN (
        SELECT DISTINCT blank.release_id, blank.table_id
        FROM blank
    ) AS with_blanks
        ON with_blanks.release_id = crime.release_id AND with_blanks.table_id = crime.table_id
    WHERE crime.offences IS NOT NULL
    GROUP BY crime.release_id, crime.table_id, crime.area_code, crime.span, crime.period_end
)
SELECT
    blank.release_id,
    blank.sha256,
    concat(substr(blank.sha256, 1, 12), '!', blank.sheet, '!', blank.offences_column, CAST(blank.row AS VARCHAR))
        AS cell,
    concat_ws(
        '|', blank.table_id, blank.area_code, blank.offence_id, blank.span, CAST(blank.period_end AS VARCHAR)
    ) AS figure,
    'a figure or a marker' AS expected,
    'an empty cell' AS found
FROM blank
INNER JOIN beside
    ON beside.release_id = blank.release_id
    AND beside.table_id = blank.table_id
    AND beside.area_code = blank.area_code
    AND beside.span = blank.span
    AND beside.period_end = blank.period_end
