-- The newest statement of each figure: by day of publication, of one day by the finer source.
WITH ordered AS (
    SELECT
        figure.*,
        row_number() OVER (
            PARTITION BY figure.area_code, figure.offence_id, figure.span, figure.period_end
            ORDER BY
                figure.published_on DESC,
                figure.fineness DESC,
                figure.published_at DESC,
                figure.release_id DESC
        ) AS recency
    FROM work.release_figure AS figure
)
SELECT ordered.*
FROM ordered
WHERE ordered.recency = 1
