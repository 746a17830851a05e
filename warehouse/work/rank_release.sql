-- The releases that a ranking rests on one after the other, each for as long as it was the newest that states the cohort
-- at the level. One release at a time, since two can cut the country differently, and an authority would be ranked
-- beside those that took its place.
WITH stated AS (
    SELECT DISTINCT
        area_tier.level, figure.measure, figure.span, figure.cohort_end, figure.age_group,
        figure.release_id, figure.published_on, figure.published_at
    FROM work.reoffending_figure AS figure
    INNER JOIN work.area_tier AS area_tier
        ON area_tier.release_id = figure.release_id
        AND area_tier.table_id = figure.table_id
        AND area_tier.area_code = figure.area_code
    WHERE area_tier.level <> 'country'
),
ordered AS (
    SELECT
        stated.*,
        min(stated.published_at) OVER preferred AS known_to,
        min(stated.published_on) OVER preferred AS known_to_on
    FROM stated
    WINDOW preferred AS (
        PARTITION BY stated.level, stated.measure, stated.span, stated.cohort_end, stated.age_group
        ORDER BY stated.published_on, stated.published_at, stated.release_id
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )
)
SELECT
    ordered.level, ordered.measure, ordered.span, ordered.cohort_end, ordered.age_group, ordered.release_id,
    ordered.published_at AS known_from,
    ordered.known_to,
    ordered.published_on AS known_from_on,
    ordered.known_to_on
FROM ordered
WHERE ordered.known_to IS NULL OR ordered.known_to > ordered.published_at
