-- An offence or area of the newest period of an edition stands in the next edition of the same table as well: a
-- column or row that is gone leaves no hole where the whole table lost it. Partnerships have their own rule.
WITH edition AS (
    SELECT
        crime.release_id,
        release.source,
        crime.table_id,
        crime.span,
        release.published_at,
        max(crime.period_end) AS period_end,
        min(crime.sha256) AS sha256
    FROM core.recorded_crime AS crime
    INNER JOIN input.release AS release ON release.release_id = crime.release_id
    WHERE release.state <> 'withdrawn'
    GROUP BY crime.release_id, release.source, crime.table_id, crime.span, release.published_at
),
in_order AS (
    SELECT
        edition.*,
        lag(edition.release_id) OVER previous AS before_id
    FROM edition
    WINDOW previous AS (
        PARTITION BY edition.source, edition.table_id, edition.span
        ORDER BY edition.published_at, edition.period_end, edition.release_id
    )
),
newest AS (
    SELECT edition.release_id, edition.table_id, edition.span, crime.area_code, crime.offence_id
    FROM edition
    INNER JOIN core.recorded_crime AS crime
        ON crime.release_id = edition.release_id
        AND crime.table_id = edition.table_id
        AND crime.span = edition.span
        AND crime.period_end = edition.period_end
),
-- A few areas are an excerpt, not a published table.
whole_table AS (
    SELECT newest.release_id, newest.table_id, newest.span
    FROM newest
    GROUP BY newest.release_id, newest.table_id, newest.span
    HAVING count(DISTINCT newest.area_code) >= 5
),
before_stated AS (
    SELECT in_order.release_id, newest.table_id, newest.span, newest.area_code, newest.offence_id
    FROM in_order
    INNER JOIN whole_table
        ON whole_table.release_id = in_order.before_id
        AND whole_table.table_id = in_order.table_id
        AND whole_table.span = in_order.span
    INNER JOIN newest
        ON newest.release_id = in_order.before_id
        AND newest.table_id = in_order.table_id
        AND newest.span = in_order.span
),
gone AS (
    SELECT before_stated.release_id, before_stated.table_id, before_stated.span, before_stated.offence_id AS what
    FROM before_stated
    EXCEPT
    SELECT newest.release_id, newest.table_id, newest.span, newest.offence_id AS what
    FROM newest
    UNION ALL
    (
        SELECT before_stated.release_id, before_stated.table_id, before_stated.span, before_stated.area_code AS what
        FROM before_stated
        INNER JOIN ref.area_member AS area_member ON area_member.member_code = before_stated.area_code
        EXCEPT
        SELECT newest.release_id, newest.table_id, newest.span, newest.area_code AS what
        FROM newest
    )
)
SELECT
    in_order.release_id,
    in_order.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', gone.table_id, gone.what, gone.span, CAST(in_order.period_end AS VARCHAR)) AS figure,
    concat('figures, as in ', in_order.before_id) AS expected,
    'none' AS found
FROM gone
INNER JOIN in_order
    ON in_order.release_id = gone.release_id
    AND in_order.table_id = gone.table_id
    AND in_order.span = gone.span
