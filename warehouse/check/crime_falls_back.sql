-- A release reaches as far as the one of its edition that it corrects: a file that was cut short where its rows are in
-- order of time holds whole periods, and lacks the newest. A release without figures of the table, kept out or not
-- corrected, is passed over.
WITH newest AS (
    SELECT
        crime.release_id, crime.table_id, crime.span, max(crime.sha256) AS sha256, max(crime.period_end) AS period_end
    FROM core.recorded_crime AS crime
    GROUP BY crime.release_id, crime.table_id, crime.span
),
in_order AS (
    SELECT
        newest.*,
        lag(newest.release_id) OVER releases AS before_id,
        lag(newest.period_end) OVER releases AS period_end_before
    FROM newest
    INNER JOIN input.release AS release ON release.release_id = newest.release_id
    WINDOW releases AS (
        PARTITION BY release.source, release.edition, newest.table_id, newest.span
        ORDER BY release.published_at, release.release_id
    )
)
SELECT
    in_order.release_id,
    in_order.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', in_order.table_id, in_order.span, CAST(in_order.period_end AS VARCHAR)) AS figure,
    concat(CAST(in_order.period_end_before AS VARCHAR), ', as in ', in_order.before_id) AS expected,
    CAST(in_order.period_end AS VARCHAR) AS found
FROM in_order
WHERE in_order.period_end < in_order.period_end_before
