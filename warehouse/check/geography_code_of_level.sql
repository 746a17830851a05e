-- The first three characters of a code say what kind of area it is.
WITH named AS (
    SELECT link.sha256, link.vintage, link.child_level AS level, link.child_code AS area_code
    FROM tidy.area_link AS link
    UNION
    SELECT link.sha256, link.vintage, link.parent_level AS level, link.parent_code AS area_code
    FROM tidy.area_link AS link
),
entity AS (
    SELECT entities.level, entities.entity
    FROM (VALUES
        ('lower_tier', 'E06'), ('lower_tier', 'E07'), ('lower_tier', 'E08'), ('lower_tier', 'E09'),
        ('lower_tier', 'W06'), ('upper_tier', 'E06'), ('upper_tier', 'E08'), ('upper_tier', 'E09'),
        ('upper_tier', 'E10'), ('upper_tier', 'W06'), ('csp', 'E22'), ('csp', 'W14'), ('police_force', 'E23'),
        ('police_force', 'W15'), ('region', 'E12')
    ) AS entities(level, entity)
)
SELECT
    file.release_id,
    named.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'lookup', named.area_code, 'code', CAST(named.vintage AS VARCHAR)) AS figure,
    concat('a code of ', named.level) AS expected,
    substr(named.area_code, 1, 3) AS found
FROM named
INNER JOIN input.file AS file ON file.sha256 = named.sha256 AND file.accepted
LEFT JOIN entity ON entity.level = named.level AND entity.entity = substr(named.area_code, 1, 3)
WHERE entity.entity IS NULL
