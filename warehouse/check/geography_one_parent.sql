-- An area lies in one area of each level; only districts and partnerships overlap.
WITH placed AS (
    SELECT
        link.sha256, link.vintage, link.child_code, link.parent_level,
        count(DISTINCT link.parent_code) AS parents,
        min(link.parent_code) AS first_parent,
        max(link.parent_code) AS last_parent
    FROM tidy.area_link AS link
    WHERE link.parent_level <> 'csp'
    GROUP BY link.sha256, link.vintage, link.child_code, link.parent_level
)
SELECT
    file.release_id,
    placed.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'lookup', placed.child_code, placed.parent_level, CAST(placed.vintage AS VARCHAR)) AS figure,
    'one' AS expected,
    concat(CAST(placed.parents AS VARCHAR), ': ', placed.first_parent, ', ', placed.last_parent) AS found
FROM placed
INNER JOIN input.file AS file ON file.sha256 = placed.sha256 AND file.accepted
WHERE placed.parents > 1
