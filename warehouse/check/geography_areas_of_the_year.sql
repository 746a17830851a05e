-- How many areas of a level a lookup names, against how many there were: counted in ONS's lists of these years. Lookups
-- to regions name England alone. One with fewer than half of a level is not meant to be whole.
WITH counted_at AS (
    SELECT years.level, years.vintage, years.areas, years.in_england
    FROM (VALUES
        ('lower_tier', 2017, 348, 326), ('lower_tier', 2019, 339, 317), ('lower_tier', 2020, 336, 314),
        ('lower_tier', 2021, 331, 309), ('lower_tier', 2022, 331, 309), ('lower_tier', 2023, 318, 296),
        ('lower_tier', 2024, 318, 296),
        ('upper_tier', 2017, 174, 152), ('upper_tier', 2019, 173, 151), ('upper_tier', 2020, 173, 151),
        ('upper_tier', 2021, 174, 152), ('upper_tier', 2022, 174, 152), ('upper_tier', 2023, 175, 153),
        ('upper_tier', 2024, 175, 153),
        ('csp', 2017, 314, 293), ('csp', 2019, 314, 293), ('csp', 2024, 314, 293)
    ) AS years(level, vintage, areas, in_england)
    UNION ALL
    -- Forces and regions have not changed since 2009.
    SELECT fixed.level, each.vintage, fixed.areas, fixed.in_england
    FROM (SELECT DISTINCT link.vintage FROM tidy.area_link AS link) AS each
    CROSS JOIN (VALUES ('police_force', 43, 39), ('region', 9, 9)) AS fixed(level, areas, in_england)
),
named AS (
    SELECT link.sha256, link.sheet, link.vintage, link.child_level AS level, link.child_code AS area_code
    FROM tidy.area_link AS link
    UNION
    SELECT link.sha256, link.sheet, link.vintage, link.parent_level AS level, link.parent_code AS area_code
    FROM tidy.area_link AS link
),
size AS (
    SELECT
        named.sha256, named.sheet, named.vintage, named.level,
        count(*) AS areas,
        count(CASE WHEN named.area_code LIKE 'E%' THEN named.area_code END) AS in_england
    FROM named
    GROUP BY named.sha256, named.sheet, named.vintage, named.level
),
reach AS (
    SELECT
        size.sha256, size.sheet, size.vintage,
        max(CASE size.level WHEN 'region' THEN 1 ELSE 0 END) AS has_regions
    FROM size
    GROUP BY size.sha256, size.sheet, size.vintage
),
compared AS (
    SELECT
        size.*,
        counted_at.in_england AS expected_in_england,
        CASE reach.has_regions WHEN 1 THEN 0 ELSE counted_at.areas - counted_at.in_england END AS expected_in_wales
    FROM size
    INNER JOIN reach ON reach.sha256 = size.sha256 AND reach.sheet = size.sheet AND reach.vintage = size.vintage
    INNER JOIN counted_at ON counted_at.level = size.level AND counted_at.vintage = size.vintage
)
SELECT
    file.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', 'lookup', compared.level, CAST(compared.vintage AS VARCHAR)) AS figure,
    concat(
        CAST(compared.expected_in_england AS VARCHAR), ' in England, ', CAST(compared.expected_in_wales AS VARCHAR),
        ' in Wales'
    ) AS expected,
    concat(
        CAST(compared.in_england AS VARCHAR), ' in England, ', CAST(compared.areas - compared.in_england AS VARCHAR),
        ' in Wales'
    ) AS found
FROM compared
INNER JOIN input.file AS file ON file.sha256 = compared.sha256 AND file.accepted
WHERE 2 * compared.areas >= compared.expected_in_england + compared.expected_in_wales
    AND (
        compared.in_england <> compared.expected_in_england
        OR compared.areas - compared.in_england <> compared.expected_in_wales
    )
