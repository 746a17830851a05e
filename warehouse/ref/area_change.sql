-- Changes of codes and areas. Where the reviewed list names a pair of codes, it wins over the published one;
-- a new name under the same code is no change of the area.
WITH stated AS (
    SELECT
        reviewed.from_code,
        reviewed.to_code,
        CAST(reviewed.changed_on AS DATE) AS changed_on,
        reviewed.kind,
        reviewed.source,
        1 AS preference
    FROM seed.fixed_area_change AS reviewed
    UNION ALL
    SELECT
        published.from_code,
        published.to_code,
        published.changed_on,
        published.kind,
        coalesce(published.note, 'published list of code changes') AS source,
        2 AS preference
    FROM tidy.area_change AS published
    WHERE published.from_code <> published.to_code
),
ordered AS (
    SELECT
        stated.*,
        rank() OVER (PARTITION BY stated.from_code, stated.to_code ORDER BY stated.preference) AS choice,
        row_number() OVER (
            PARTITION BY stated.from_code, stated.to_code, stated.changed_on
            ORDER BY stated.preference, stated.kind, stated.source
        ) AS repetition
    FROM stated
)
SELECT ordered.from_code, ordered.to_code, ordered.changed_on, ordered.kind, ordered.source
FROM ordered
WHERE ordered.choice = 1 AND ordered.repetition = 1
