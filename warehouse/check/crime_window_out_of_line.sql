-- Years that end a quarter apart share three quarters, so a figure lies by both its neighbours. The figures of the
-- rolling-year file add up to nothing that is printed: two of them swapped are seen nowhere else. Not fraud: what
-- forces recorded of it came and went.
WITH beside AS (
    SELECT
        crime.*,
        lag(crime.offences) OVER years AS offences_before,
        lead(crime.offences) OVER years AS offences_after,
        lag(crime.period_end) OVER years AS end_before,
        lead(crime.period_end) OVER years AS end_after
    FROM core.recorded_crime AS crime
    WHERE crime.span = 'year' AND crime.offence_id <> 'fraud_offences'
    WINDOW years AS (
        PARTITION BY crime.release_id, crime.table_id, crime.area_code, crime.offence_id
        ORDER BY crime.period_end
    )
),
nearest AS (
    SELECT
        beside.*,
        CASE
            WHEN beside.offences > greatest(beside.offences_before, beside.offences_after)
                THEN greatest(beside.offences_before, beside.offences_after)
            WHEN beside.offences < least(beside.offences_before, beside.offences_after)
                THEN least(beside.offences_before, beside.offences_after)
        END AS neighbour
    FROM beside
    WHERE beside.end_before >= CAST(beside.period_end - INTERVAL 4 MONTH AS DATE)
        AND beside.end_after <= CAST(beside.period_end + INTERVAL 4 MONTH AS DATE)
)
SELECT
    nearest.release_id,
    nearest.sha256,
    concat(
        substr(nearest.sha256, 1, 12), '!', nearest.sheet, '!',
        nearest.offences_column, CAST(nearest.row AS VARCHAR)
    ) AS cell,
    concat_ws(
        '|', nearest.table_id, nearest.area_code, nearest.offence_id,
        nearest.span, CAST(nearest.period_end AS VARCHAR)
    ) AS figure,
    concat(
        'near ', CAST(nearest.offences_before AS VARCHAR), ' and ', CAST(nearest.offences_after AS VARCHAR)
    ) AS expected,
    CAST(nearest.offences AS VARCHAR) AS found
FROM nearest
WHERE abs(nearest.offences - nearest.neighbour) >= 50
    AND abs(nearest.offences - nearest.neighbour) > 0.25e0 * abs(nearest.neighbour)
