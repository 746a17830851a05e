-- A quarter of 300 offences and more is at most three times the quarter before or the one after: two figures of open
-- data that changed places leave one that is not, and they add up to nothing that is printed. Smaller figures jump.
WITH printed AS (
    SELECT crime.release_id, crime.table_id, min(crime.period_end) AS first_end, max(crime.period_end) AS last_end
    FROM core.recorded_crime AS crime
    WHERE crime.span = 'quarter'
    GROUP BY crime.release_id, crime.table_id
),
beside AS (
    SELECT
        crime.*,
        lag(crime.offences) OVER quarters AS offences_before,
        lead(crime.offences) OVER quarters AS offences_after,
        lag(crime.period_end) OVER quarters AS end_before,
        lead(crime.period_end) OVER quarters AS end_after
    FROM core.recorded_crime AS crime
    -- What is under 100 cannot be a third of 300: it need not be sorted.
    WHERE crime.span = 'quarter' AND crime.offences >= 100
    WINDOW quarters AS (
        PARTITION BY crime.release_id, crime.table_id, crime.area_code, crime.offence_id
        ORDER BY crime.period_end
    )
),
judged AS (
    SELECT
        beside.*,
        CASE
            WHEN beside.end_before >= CAST(beside.period_end - INTERVAL 4 MONTH AS DATE) THEN beside.offences_before
        END AS known_before,
        CASE
            WHEN beside.end_after <= CAST(beside.period_end + INTERVAL 4 MONTH AS DATE) THEN beside.offences_after
        END AS known_after
    FROM beside
    INNER JOIN printed
        ON printed.release_id = beside.release_id
        AND printed.table_id = beside.table_id
        AND printed.first_end < beside.period_end
        AND printed.last_end > beside.period_end
)
SELECT
    judged.release_id,
    judged.sha256,
    concat(
        substr(judged.sha256, 1, 12), '!', judged.sheet, '!', judged.offences_column, CAST(judged.row AS VARCHAR)
    ) AS cell,
    concat_ws(
        '|', judged.table_id, judged.area_code, judged.offence_id, judged.span, CAST(judged.period_end AS VARCHAR)
    ) AS figure,
    concat(
        'near ', coalesce(CAST(judged.known_before AS VARCHAR), 'under 100'),
        ' and ', coalesce(CAST(judged.known_after AS VARCHAR), 'under 100')
    ) AS expected,
    CAST(judged.offences AS VARCHAR) AS found
FROM judged
WHERE judged.offences >= 300
    AND judged.offences > 3e0 * coalesce(judged.known_before, 99)
    AND judged.offences > 3e0 * coalesce(judged.known_after, 99)
