-- A release that corrects another of its edition, and each area that a lookup of it places otherwise or no longer.
WITH with_links AS (
    SELECT DISTINCT file.release_id
    FROM tidy.area_link AS stated
    INNER JOIN input.file AS file ON file.sha256 = stated.sha256 AND file.accepted
),
-- One that is kept out was never compared with: the next is, with the one before it.
in_order AS (
    SELECT
        release.release_id,
        lag(release.release_id) OVER (
            PARTITION BY release.source, release.edition
            ORDER BY release.published_at, release.release_id
        ) AS before_id
    FROM input.release AS release
    INNER JOIN with_links ON with_links.release_id = release.release_id
),
link AS (
    SELECT
        file.release_id, stated.vintage, stated.child_level, stated.child_code, stated.parent_level,
        max(stated.sha256) AS sha256,
        string_agg(DISTINCT stated.parent_code, ', ' ORDER BY stated.parent_code) AS parents
    FROM tidy.area_link AS stated
    INNER JOIN input.file AS file ON file.sha256 = stated.sha256 AND file.accepted
    GROUP BY file.release_id, stated.vintage, stated.child_level, stated.child_code, stated.parent_level
),
-- A correction may hold some of the lookups only.
corrected_lookup AS (
    SELECT link.release_id, link.vintage, link.child_level, link.parent_level, min(link.sha256) AS sha256
    FROM link
    GROUP BY link.release_id, link.vintage, link.child_level, link.parent_level
)
SELECT
    in_order.release_id,
    corrected_lookup.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'lookup', link_before.child_code, link_before.parent_level, CAST(link_before.vintage AS VARCHAR))
        AS figure,
    concat(link_before.parents, ' in ', in_order.before_id) AS expected,
    coalesce(link.parents, 'none') AS found
FROM in_order
INNER JOIN link AS link_before ON link_before.release_id = in_order.before_id
INNER JOIN corrected_lookup
    ON corrected_lookup.release_id = in_order.release_id
    AND corrected_lookup.vintage = link_before.vintage
    AND corrected_lookup.child_level = link_before.child_level
    AND corrected_lookup.parent_level = link_before.parent_level
LEFT JOIN link
    ON link.release_id = in_order.release_id
    AND link.vintage = link_before.vintage
    AND link.child_level = link_before.child_level
    AND link.child_code = link_before.child_code
    AND link.parent_level = link_before.parent_level
WHERE link.parents IS DISTINCT FROM link_before.parents
