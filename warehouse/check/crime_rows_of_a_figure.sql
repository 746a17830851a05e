-- A figure stands on as many rows in every area: homicide in open data on four, all others on one. A row of homicide
-- that is lost or printed twice is seen nowhere else.
WITH counted AS (
    SELECT
        crime.release_id,
        crime.table_id,
        crime.offence_id,
        crime.span,
        crime.period_end,
        crime.published_rows,
        count(*) AS areas
    FROM core.recorded_crime AS crime
    GROUP BY
        crime.release_id, crime.table_id, crime.offence_id, crime.span, crime.period_end, crime.published_rows
),
ordered AS (
    SELECT
        counted.*,
        count(*) OVER same_figure AS kinds,
        row_number() OVER (
            PARTITION BY
                counted.release_id, counted.table_id, counted.offence_id, counted.span, counted.period_end
            ORDER BY counted.areas DESC, counted.published_rows
        ) AS choice
    FROM counted
    WINDOW same_figure AS (
        PARTITION BY counted.release_id, counted.table_id, counted.offence_id, counted.span, counted.period_end
    )
)
SELECT
    crime.release_id,
    crime.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', crime.table_id, crime.area_code, crime.offence_id, crime.span, CAST(crime.period_end AS VARCHAR)
    ) AS figure,
    concat(CAST(ordered.published_rows AS VARCHAR), ' rows') AS expected,
    concat(CAST(crime.published_rows AS VARCHAR), ' rows') AS found
FROM ordered
INNER JOIN core.recorded_crime AS crime
    ON crime.release_id = ordered.release_id
    AND crime.table_id = ordered.table_id
    AND crime.offence_id = ordered.offence_id
    AND crime.span = ordered.span
    AND crime.period_end = ordered.period_end
    AND crime.published_rows <> ordered.published_rows
WHERE ordered.choice = 1 AND ordered.kinds > 1
