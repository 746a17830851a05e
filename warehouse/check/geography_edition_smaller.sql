-- Areas of a level in a lookup against the year before that any lookup of the same levels states.
WITH size AS (
    SELECT
        link.sha256, link.sheet, link.vintage, link.child_level, link.parent_level,
        count(DISTINCT link.child_code) AS areas
    FROM tidy.area_link AS link
    GROUP BY link.sha256, link.sheet, link.vintage, link.child_level, link.parent_level
),
before AS (
    SELECT
        size.sha256, size.sheet, size.child_level, size.parent_level, earlier.areas, earlier.vintage,
        row_number() OVER (
            PARTITION BY size.sha256, size.sheet, size.vintage, size.child_level, size.parent_level
            ORDER BY earlier.vintage DESC, earlier.areas DESC
        ) AS recency
    FROM size
    INNER JOIN size AS earlier
        ON earlier.child_level = size.child_level
        AND earlier.parent_level = size.parent_level
        AND earlier.vintage < size.vintage
)
SELECT
    file.release_id,
    size.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'lookup', concat(size.child_level, ' in ', size.parent_level), CAST(size.vintage AS VARCHAR))
        AS figure,
    concat('at least 80% of ', CAST(before.areas AS VARCHAR)) AS expected,
    CAST(size.areas AS VARCHAR) AS found
FROM size
INNER JOIN input.file AS file ON file.sha256 = size.sha256 AND file.accepted
INNER JOIN before
    ON before.sha256 = size.sha256
    AND before.sheet = size.sheet
    AND before.child_level = size.child_level
    AND before.parent_level = size.parent_level
    AND before.recency = 1
WHERE size.areas < 0.8e0 * before.areas
