-- Each figure of each release with the time for which it was the newest: from its publication until the first that is
-- preferred to it. A coarser one that came later on a day when a finer one was out never was the newest, and is left out.
WITH ordered AS (
    SELECT
        figure.*,
        release_order.published_at AS known_from,
        release_order.published_on AS known_from_on,
        min(release_order.published_at) OVER preferred AS known_to,
        min(release_order.published_on) OVER preferred AS known_to_on
    FROM work.release_figure AS figure
    INNER JOIN work.release_order AS release_order ON release_order.release_order = figure.release_order
    WINDOW preferred AS (
        PARTITION BY figure.series_number, figure.period_end
        ORDER BY figure.release_order
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )
)
SELECT ordered.*
FROM ordered
WHERE ordered.known_to IS NULL OR ordered.known_to > ordered.known_from
