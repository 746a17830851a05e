-- Every authority of every ranking of local adult reoffending, and why it is not ranked where it is not. One release a
-- period: the newest.
WITH stated AS (
    SELECT
        figure.*,
        release.published_on,
        release.published_at,
        release.is_modelled,
        rank() OVER (
            PARTITION BY figure.period_end
            ORDER BY release.published_on DESC, release.published_at DESC, figure.release_id DESC
        ) AS recency,
        row_number() OVER (
            PARTITION BY figure.release_id, figure.period_end, figure.area_code
            ORDER BY source_table.position, figure.table_id
        ) AS preference
    FROM core.local_adult_reoffending AS figure
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    INNER JOIN input.source_table AS source_table
        ON source_table.source = release.source AND source_table.table_id = figure.table_id
    WHERE figure.level = 'upper_tier'
)
SELECT
    stated.area_code,
    stated.period_end,
    stated.period_start,
    coalesce(area.area_name, stated.area_code) AS area_name,
    stated.level,
    stated.offenders,
    stated.actual_percent,
    stated.predicted_percent,
    stated.printed_significant,
    CASE
        WHEN stated.area_code LIKE 'x-%' THEN 'unknown_area'
        WHEN stated.offenders IS NULL OR stated.actual_percent IS NULL OR stated.predicted_percent IS NULL THEN 'no_data'
        WHEN stated.predicted_percent = 0 THEN 'no_data'
        WHEN stated.offenders < 30 THEN 'too_few'
    END AS exclusion_reason,
    stated.release_id,
    stated.table_id,
    stated.is_modelled
FROM stated
LEFT JOIN ref.area AS area ON area.area_code = stated.area_code
WHERE stated.recency = 1 AND stated.preference = 1
