-- Releases in the order in which they are preferred where they state one figure, the last the most: by day of
-- publication, of one day the finer source. They go by number, since their names are long and figures are many.
WITH fineness AS (
    SELECT source_table.source, max(source_table.fineness) AS fineness
    FROM input.source_table AS source_table
    GROUP BY source_table.source
)
SELECT
    release.release_id,
    release.source,
    release.published_at,
    release.published_on,
    release.is_modelled,
    CAST(
        row_number() OVER (
            ORDER BY release.published_on, fineness.fineness, release.published_at, release.release_id
        ) AS INTEGER
    ) AS release_order
FROM input.release AS release
INNER JOIN fineness ON fineness.source = release.source
