-- The release that a ranking rests on: the newest that states its cohort at its level. One release alone, since two
-- can cut the country differently, and an authority would be ranked beside those that took its place.
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
        row_number() OVER (
            PARTITION BY stated.level, stated.measure, stated.span, stated.cohort_end, stated.age_group
            ORDER BY stated.published_on DESC, stated.published_at DESC, stated.release_id DESC
        ) AS recency
    FROM stated
)
SELECT
    ordered.level, ordered.measure, ordered.span, ordered.cohort_end, ordered.age_group, ordered.release_id
FROM ordered
WHERE ordered.recency = 1
