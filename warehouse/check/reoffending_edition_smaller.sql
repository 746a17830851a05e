-- Lines of a table and level in its newest cohort, and in all cohorts that both editions state, against the edition
-- before by publication date. Tools move their window of cohorts, so that the lines of all cohorts say nothing.
WITH line AS (
    SELECT
        placed.release_id, placed.table_id, placed.measure, placed.span, placed.level, placed.cohort_end,
        release.published_on, release.published_at,
        count(DISTINCT concat_ws(
            '|', placed.age_group, coalesce(placed.area_code, placed.area_name), placed.subcategory
        )) AS lines,
        max(placed.sha256) AS sha256
    FROM work.placed_reoffending AS placed
    INNER JOIN input.release AS release ON release.release_id = placed.release_id
    WHERE placed.role <> 'repeat'
    GROUP BY
        placed.release_id, placed.table_id, placed.measure, placed.span, placed.level, placed.cohort_end,
        release.published_on, release.published_at
),
edition AS (
    SELECT
        line.release_id, line.table_id, line.measure, line.span, line.level,
        max(line.cohort_end) AS newest_end,
        row_number() OVER (
            PARTITION BY line.table_id, line.measure, line.span, line.level
            ORDER BY line.published_on, line.published_at, line.release_id
        ) AS position
    FROM line
    GROUP BY
        line.release_id, line.table_id, line.measure, line.span, line.level, line.published_on, line.published_at
),
pair AS (
    SELECT edition.*, before.release_id AS release_before, before.newest_end AS newest_before
    FROM edition
    INNER JOIN edition AS before
        ON before.table_id = edition.table_id
        AND before.measure = edition.measure
        AND before.span = edition.span
        AND before.level = edition.level
        AND before.position = edition.position - 1
),
compared AS (
    SELECT
        pair.release_id, line.sha256, pair.table_id, pair.level, pair.span, pair.newest_end,
        'newest cohort' AS what, before.lines AS lines_before, line.lines
    FROM pair
    INNER JOIN line
        ON line.release_id = pair.release_id
        AND line.table_id = pair.table_id
        AND line.measure = pair.measure
        AND line.span = pair.span
        AND line.level = pair.level
        AND line.cohort_end = pair.newest_end
    INNER JOIN line AS before
        ON before.release_id = pair.release_before
        AND before.table_id = pair.table_id
        AND before.measure = pair.measure
        AND before.span = pair.span
        AND before.level = pair.level
        AND before.cohort_end = pair.newest_before
    UNION ALL
    SELECT
        pair.release_id, max(line.sha256) AS sha256, pair.table_id, pair.level, pair.span, pair.newest_end,
        'cohorts of both' AS what, sum(before.lines) AS lines_before, sum(line.lines) AS lines
    FROM pair
    INNER JOIN line
        ON line.release_id = pair.release_id
        AND line.table_id = pair.table_id
        AND line.measure = pair.measure
        AND line.span = pair.span
        AND line.level = pair.level
    INNER JOIN line AS before
        ON before.release_id = pair.release_before
        AND before.table_id = pair.table_id
        AND before.measure = pair.measure
        AND before.span = pair.span
        AND before.level = pair.level
        AND before.cohort_end = line.cohort_end
    GROUP BY pair.release_id, pair.table_id, pair.level, pair.span, pair.newest_end
)
SELECT
    compared.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', compared.table_id, concat(compared.level, ', lines of ', compared.what), compared.span,
        CAST(compared.newest_end AS VARCHAR)
    ) AS figure,
    concat('at least 80% of ', CAST(compared.lines_before AS VARCHAR)) AS expected,
    CAST(compared.lines AS VARCHAR) AS found
FROM compared
WHERE compared.lines < 0.8e0 * compared.lines_before
