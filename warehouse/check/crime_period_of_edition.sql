-- Where the title of an edition names the period it ends with ("Year ending March 2018", "2017/18"), that is the
-- newest in each of its tables; of quarters, one of that year. "March 2013 onwards" names a beginning.
WITH title AS (
    SELECT
        release.release_id,
        -- The last that is named: "year ending March 2021 to year ending March 2025".
        regexp_extract(lower(release.title), '.*(ending|to) ([0-9]+ )?([a-z]+) [12][0-9]{3}', 3) AS month_name,
        regexp_extract(lower(release.title), '.*(ending|to) ([0-9]+ )?[a-z]+ ([12][0-9]{3})', 3) AS ending_year,
        regexp_extract(release.title, '.*([12][0-9]{3})[/-][0-9]{2}([^0-9-]|$)', 1) AS financial_year
    FROM input.release AS release
    WHERE lower(release.title) NOT LIKE '%onwards%'
),
named AS (
    SELECT
        title.release_id,
        CASE
            WHEN month_number.number IS NOT NULL THEN
                last_day(CAST(concat(title.ending_year, '-', month_number.number, '-01') AS DATE))
            WHEN title.financial_year <> '' THEN
                CAST(concat(CAST(CAST(title.financial_year AS INTEGER) + 1 AS VARCHAR), '-03-31') AS DATE)
        END AS period_end
    FROM title
    LEFT JOIN (
        VALUES
        ('january', '01'), ('february', '02'), ('march', '03'), ('april', '04'), ('may', '05'), ('june', '06'),
        ('july', '07'), ('august', '08'), ('september', '09'), ('october', '10'), ('november', '11'),
        ('december', '12')
    ) AS month_number(month_name, number) ON month_number.month_name = title.month_name
),
period AS (
    SELECT crime.release_id, crime.sha256, crime.table_id, crime.span, crime.period_end
    FROM core.recorded_crime AS crime
    UNION ALL
    SELECT printed.release_id, printed.sha256, printed.table_id, printed.span, printed.period_end
    FROM core.recorded_crime_printed AS printed
),
newest AS (
    SELECT
        period.release_id,
        period.table_id,
        period.span,
        max(period.sha256) AS sha256,
        max(period.period_end) AS period_end
    FROM period
    GROUP BY period.release_id, period.table_id, period.span
)
SELECT
    newest.release_id,
    newest.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', newest.table_id, newest.span, CAST(newest.period_end AS VARCHAR)) AS figure,
    CAST(named.period_end AS VARCHAR) AS expected,
    CAST(newest.period_end AS VARCHAR) AS found
FROM newest
INNER JOIN named ON named.release_id = newest.release_id
WHERE newest.period_end > named.period_end
    OR (newest.span = 'year' AND newest.period_end < named.period_end)
    OR newest.period_end <= CAST(named.period_end - INTERVAL 1 YEAR AS DATE)
