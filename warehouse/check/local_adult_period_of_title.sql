-- The newest period of an edition is the one that its title names.
WITH month AS (
    SELECT months.name, months.number
    FROM (VALUES
        ('january', 1), ('february', 2), ('march', 3), ('april', 4), ('may', 5), ('june', 6), ('july', 7),
        ('august', 8), ('september', 9), ('october', 10), ('november', 11), ('december', 12)
    ) AS months(name, number)
),
titled AS (
    SELECT
        release.release_id, release.title,
        12 * CAST(nullif(regexp_extract(lower(release.title), '.*[^a-z][a-z]+ ([0-9]{4})', 1), '') AS INTEGER)
            + month.number AS last_month
    FROM input.release AS release
    INNER JOIN month ON month.name = regexp_extract(lower(release.title), '.*[^a-z]([a-z]+) [0-9]{4}', 1)
    WHERE release.source = 'local_adult_reoffending'
),
newest AS (
    SELECT line.release_id, line.table_id, max(line.period_end) AS period_end
    FROM work.placed_local_adult AS line
    GROUP BY line.release_id, line.table_id
)
SELECT DISTINCT
    line.release_id,
    line.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', line.table_id, 'period_end', CAST(line.period_end AS VARCHAR)) AS figure,
    concat('the last month of ', titled.title) AS expected,
    CAST(line.period_end AS VARCHAR) AS found
FROM newest
INNER JOIN titled ON titled.release_id = newest.release_id
INNER JOIN work.placed_local_adult AS line
    ON line.release_id = newest.release_id
    AND line.table_id = newest.table_id
    AND line.period_end = newest.period_end
WHERE titled.last_month <> 12 * CAST(year(newest.period_end) AS INTEGER) + CAST(month(newest.period_end) AS INTEGER)
