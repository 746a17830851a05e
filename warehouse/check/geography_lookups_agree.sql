-- Two lookups of one year place a district alike. The one published later is named.
WITH link AS (
    SELECT
        file.release_id, release.published_on, stated.sha256, stated.vintage, stated.child_code, stated.parent_level,
        stated.parent_code
    FROM tidy.area_link AS stated
    INNER JOIN input.file AS file ON file.sha256 = stated.sha256 AND file.accepted
    INNER JOIN input.release AS release ON release.release_id = file.release_id
    WHERE stated.child_level = 'lower_tier' AND stated.parent_level <> 'csp'
)
SELECT DISTINCT
    link.release_id,
    link.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'lookup', link.child_code, link.parent_level, CAST(link.vintage AS VARCHAR)) AS figure,
    other.parent_code AS expected,
    link.parent_code AS found
FROM link
INNER JOIN link AS other
    ON other.vintage = link.vintage
    AND other.child_code = link.child_code
    AND other.parent_level = link.parent_level
    AND other.parent_code <> link.parent_code
    AND other.sha256 <> link.sha256
    AND (
        other.published_on < link.published_on
        OR (other.published_on = link.published_on AND other.sha256 < link.sha256)
    )
