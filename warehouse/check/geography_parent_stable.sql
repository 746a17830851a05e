-- A district keeps its force, region and upper tier from one year's lookup to the next, under their newer codes: two
-- that are swapped lie elsewhere. Where the parent is new, another order made it.
WITH newer AS (
    SELECT change.from_code AS area_code, min(change.to_code) AS newer_code
    FROM ref.area_change AS change
    WHERE substr(change.from_code, 1, 1) = substr(change.to_code, 1, 1)
    GROUP BY change.from_code
    HAVING count(DISTINCT change.to_code) = 1
),
link AS (
    SELECT DISTINCT
        stated.vintage, stated.child_code, stated.parent_level,
        coalesce(newer.newer_code, stated.parent_code) AS parent_code,
        stated.parent_code AS stated_parent
    FROM tidy.area_link AS stated
    LEFT JOIN newer ON newer.area_code = stated.parent_code
    WHERE stated.child_level = 'lower_tier' AND stated.parent_level <> 'csp' AND stated.child_code <> stated.parent_code
),
pair AS (
    SELECT link.vintage, link.parent_level, max(earlier.vintage) AS vintage_before
    FROM (SELECT DISTINCT each.vintage, each.parent_level FROM link AS each) AS link
    INNER JOIN (SELECT DISTINCT each.vintage, each.parent_level FROM link AS each) AS earlier
        ON earlier.parent_level = link.parent_level AND earlier.vintage < link.vintage
    GROUP BY link.vintage, link.parent_level
),
moved AS (
    SELECT link.vintage, link.child_code, link.parent_level, link.stated_parent, earlier.stated_parent AS parent_before
    FROM link
    INNER JOIN pair ON pair.vintage = link.vintage AND pair.parent_level = link.parent_level
    INNER JOIN link AS earlier
        ON earlier.vintage = pair.vintage_before
        AND earlier.parent_level = link.parent_level
        AND earlier.child_code = link.child_code
    WHERE earlier.parent_code <> link.parent_code
)
SELECT
    file.release_id,
    max(stated.sha256) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'lookup', moved.child_code, moved.parent_level, CAST(moved.vintage AS VARCHAR)) AS figure,
    moved.parent_before AS expected,
    moved.stated_parent AS found
FROM moved
INNER JOIN tidy.area_link AS stated
    ON stated.vintage = moved.vintage
    AND stated.child_code = moved.child_code
    AND stated.parent_level = moved.parent_level
    AND stated.parent_code = moved.stated_parent
INNER JOIN input.file AS file ON file.sha256 = stated.sha256 AND file.accepted
GROUP BY file.release_id, moved.child_code, moved.parent_level, moved.vintage, moved.parent_before, moved.stated_parent
