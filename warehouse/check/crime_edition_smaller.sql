-- The newest period of an edition holds at least four fifths of the figures that the same table of the edition
-- before it held: a file cut short, a sheet half empty. Under 100 figures are an excerpt, not a published table.
WITH counted AS (
    SELECT
        crime.release_id,
        crime.table_id,
        crime.span,
        crime.period_end,
        min(crime.sha256) AS sha256,
        count(crime.offences) AS figures
    FROM core.recorded_crime AS crime
    GROUP BY crime.release_id, crime.table_id, crime.span, crime.period_end
    UNION ALL
    SELECT
        printed.release_id,
        printed.table_id,
        printed.span,
        printed.period_end,
        min(printed.sha256) AS sha256,
        -- What is printed as not shown depends on breaks: rows count here.
        count(*) AS figures
    FROM core.recorded_crime_printed AS printed
    GROUP BY printed.release_id, printed.table_id, printed.span, printed.period_end
),
newest AS (
    SELECT
        counted.*,
        row_number() OVER (
            PARTITION BY counted.release_id, counted.table_id, counted.span
            ORDER BY counted.period_end DESC
        ) AS recency
    FROM counted
),
in_order AS (
    SELECT
        newest.release_id,
        newest.sha256,
        newest.table_id,
        newest.span,
        newest.period_end,
        newest.figures,
        lag(newest.figures) OVER (
            PARTITION BY release.source, newest.table_id, newest.span
            ORDER BY release.published_at, newest.period_end, newest.release_id
        ) AS figures_before
    FROM newest
    INNER JOIN input.release AS release ON release.release_id = newest.release_id
    WHERE newest.recency = 1 AND release.state <> 'withdrawn'
)
SELECT
    in_order.release_id,
    in_order.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', in_order.table_id, in_order.span, CAST(in_order.period_end AS VARCHAR)) AS figure,
    concat('about ', CAST(in_order.figures_before AS VARCHAR), ' figures') AS expected,
    concat(CAST(in_order.figures AS VARCHAR), ' figures') AS found
FROM in_order
WHERE in_order.figures_before >= 100 AND in_order.figures < 0.8e0 * in_order.figures_before
