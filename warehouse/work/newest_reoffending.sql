-- The newest statement of each figure.
WITH ordered AS (
    SELECT
        figure.*,
        row_number() OVER (
            PARTITION BY figure.measure, figure.span, figure.cohort_end, figure.age_group, figure.area_code
            ORDER BY figure.published_on DESC, figure.published_at DESC, figure.release_id DESC
        ) AS recency
    FROM work.reoffending_figure AS figure
)
SELECT ordered.*
FROM ordered
WHERE ordered.recency = 1
