-- A table that falls short of its title and reaches no further than that of an edition before it is the older one,
-- landed again.
WITH month AS (
    SELECT months.name, months.number
    FROM (VALUES
        ('january', 1), ('february', 2), ('march', 3), ('april', 4), ('may', 5), ('june', 6), ('july', 7),
        ('august', 8), ('september', 9), ('october', 10), ('november', 11), ('december', 12)
    ) AS months(name, number)
),
titled AS (
    SELECT
        release.release_id, release.edition, release.published_on,
        12 * CAST(nullif(regexp_extract(lower(release.title), '.*[^a-z][a-z]+ ([0-9]{4})', 1), '') AS INTEGER)
            + month.number AS last_month
    FROM input.release AS release
    INNER JOIN month ON month.name = regexp_extract(lower(release.title), '.*[^a-z]([a-z]+) [0-9]{4}', 1)
    WHERE release.source = 'proven_reoffending'
),
reach AS (
    SELECT
        line.release_id, line.table_id, replace(line.table_id, '_csv', '') AS tool, line.measure,
        max(line.cohort_end) AS newest_end,
        max(line.sha256) AS sha256,
        max(CASE line.span WHEN 'quarter' THEN 1 ELSE 0 END) AS has_quarters
    FROM work.placed_reoffending AS line
    GROUP BY line.release_id, line.table_id, line.measure
),
behind AS (
    SELECT
        reach.*, titled.edition, titled.published_on,
        titled.last_month - 12 * CAST(year(reach.newest_end) AS INTEGER) - CAST(month(reach.newest_end) AS INTEGER)
            AS months
    FROM reach
    INNER JOIN titled ON titled.release_id = reach.release_id
)
SELECT DISTINCT
    behind.release_id,
    behind.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', behind.table_id, 'newest cohort', CAST(behind.newest_end AS VARCHAR)) AS figure,
    concat('after ', CAST(behind.newest_end AS VARCHAR)) AS expected,
    CAST(behind.newest_end AS VARCHAR) AS found
FROM behind
INNER JOIN behind AS before
    ON before.tool = behind.tool
    AND before.measure = behind.measure
    AND before.edition <> behind.edition
    AND before.published_on < behind.published_on
    AND before.newest_end >= behind.newest_end
-- CSVs come in bundles with those of earlier editions.
WHERE behind.table_id IN ('overall', 'geographic')
    AND behind.months >= CASE WHEN behind.has_quarters = 1 THEN 3 ELSE 12 END
