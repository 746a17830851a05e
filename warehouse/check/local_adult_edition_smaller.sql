-- Areas of a table and level against the edition before by publication date.
WITH edition AS (
    SELECT
        line.release_id, line.table_id, line.level,
        max(line.sha256) AS sha256,
        max(line.period_end) AS period_end,
        count(DISTINCT coalesce(line.area_code, line.area_name)) AS areas,
        row_number() OVER (
            PARTITION BY line.table_id, line.level
            ORDER BY release.published_on, release.published_at, line.release_id
        ) AS position
    FROM work.placed_local_adult AS line
    INNER JOIN input.release AS release ON release.release_id = line.release_id
    GROUP BY line.release_id, line.table_id, line.level, release.published_on, release.published_at
)
SELECT
    edition.release_id,
    edition.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', edition.table_id, concat(edition.level, ', areas'), CAST(edition.period_end AS VARCHAR)) AS figure,
    concat('at least 80% of ', CAST(before.areas AS VARCHAR)) AS expected,
    CAST(edition.areas AS VARCHAR) AS found
FROM edition
INNER JOIN edition AS before
    ON before.table_id = edition.table_id
    AND before.level = edition.level
    AND before.position = edition.position - 1
-- Whether England, or England and Wales, stands among them does not say that lines are missing.
WHERE edition.level <> 'country' AND edition.areas < 0.8e0 * before.areas
