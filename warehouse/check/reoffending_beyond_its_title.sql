-- No table of an edition goes beyond the cohort that its title names.
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
    WHERE release.source = 'proven_reoffending'
),
reach AS (
    SELECT
        line.release_id, line.table_id, line.measure,
        max(line.cohort_end) AS newest_end,
        max(line.sha256) AS sha256
    FROM work.placed_reoffending AS line
    WHERE line.cohort_end = line.newest_cohort_end
    GROUP BY line.release_id, line.table_id, line.measure
),
behind AS (
    SELECT
        reach.*, titled.title,
        titled.last_month - 12 * CAST(year(reach.newest_end) AS INTEGER) - CAST(month(reach.newest_end) AS INTEGER)
            AS months
    FROM reach
    INNER JOIN titled ON titled.release_id = reach.release_id
)
SELECT
    behind.release_id,
    behind.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', behind.table_id, 'newest cohort', CAST(behind.newest_end AS VARCHAR)) AS figure,
    concat('the last month of ', behind.title) AS expected,
    CAST(behind.newest_end AS VARCHAR) AS found
FROM behind
WHERE behind.months < 0
