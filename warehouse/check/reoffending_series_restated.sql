-- England and Wales over all cohorts that a file shares with the release before that states them: a little is revised
-- each time, a tenth of the whole is another column, age group or measure. One line a count.
WITH line AS (
    SELECT DISTINCT
        placed.release_id, placed.sha256, placed.table_id, placed.measure, placed.span, placed.cohort_end,
        placed.age_group, placed.offenders, placed.reoffenders, placed.reoffences, release.published_on,
        release.published_at
    FROM work.placed_reoffending AS placed
    INNER JOIN input.release AS release ON release.release_id = placed.release_id
    WHERE placed.area_code = 'K04000001' AND placed.role = 'total'
),
earlier AS (
    SELECT
        line.release_id, line.sha256, line.table_id, line.measure, line.span, line.cohort_end, line.age_group,
        line.offenders, line.reoffenders, line.reoffences,
        before.offenders AS offenders_before,
        before.reoffenders AS reoffenders_before,
        before.reoffences AS reoffences_before,
        row_number() OVER (
            PARTITION BY
                line.release_id, line.sha256, line.table_id, line.measure, line.span, line.cohort_end, line.age_group
            ORDER BY before.published_on DESC, before.published_at DESC, before.release_id DESC, before.table_id,
                before.sha256
        ) AS recency
    FROM line
    INNER JOIN line AS before
        ON before.measure = line.measure
        AND before.span = line.span
        AND before.cohort_end = line.cohort_end
        AND before.age_group = line.age_group
        AND before.release_id <> line.release_id
        AND (
            before.published_on < line.published_on
            OR (before.published_on = line.published_on AND before.published_at < line.published_at)
        )
),
counted AS (
    SELECT
        earlier.release_id, earlier.sha256, earlier.table_id, earlier.span, earlier.cohort_end, earlier.age_group,
        counts.name,
        CASE counts.name
            WHEN 'offenders' THEN earlier.offenders
            WHEN 'reoffenders' THEN earlier.reoffenders
            ELSE earlier.reoffences
        END AS value,
        CASE counts.name
            WHEN 'offenders' THEN earlier.offenders_before
            WHEN 'reoffenders' THEN earlier.reoffenders_before
            ELSE earlier.reoffences_before
        END AS value_before
    FROM earlier
    CROSS JOIN (VALUES ('offenders'), ('reoffenders'), ('reoffences')) AS counts(name)
    WHERE earlier.recency = 1
)
SELECT
    counted.release_id,
    counted.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', counted.table_id, 'K04000001', concat(counted.age_group, ' ', counted.name), counted.span,
        CAST(max(counted.cohort_end) AS VARCHAR)
    ) AS figure,
    CAST(CAST(sum(counted.value_before) AS BIGINT) AS VARCHAR) AS expected,
    CAST(CAST(sum(counted.value) AS BIGINT) AS VARCHAR) AS found
FROM counted
WHERE counted.value IS NOT NULL AND counted.value_before IS NOT NULL
GROUP BY counted.release_id, counted.sha256, counted.table_id, counted.span, counted.age_group, counted.name
HAVING abs(sum(counted.value) - sum(counted.value_before)) > 0.1e0 * sum(counted.value_before)
