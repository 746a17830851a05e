-- Every authority of every ranking of local adult reoffending as it stood at any time, and why it is not ranked where it
-- is not. One release a period at a time.
WITH stating AS (
    SELECT DISTINCT figure.period_end, figure.release_id, release.published_on, release.published_at, release.is_modelled
    FROM core.local_adult_reoffending AS figure
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    WHERE figure.level = 'upper_tier'
),
known AS (
    SELECT
        stating.*,
        min(stating.published_at) OVER preferred AS known_to,
        min(stating.published_on) OVER preferred AS known_to_on
    FROM stating
    WINDOW preferred AS (
        PARTITION BY stating.period_end
        ORDER BY stating.published_on, stating.published_at, stating.release_id
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )
),
stated AS (
    SELECT
        figure.*,
        known.published_on,
        known.published_at,
        known.is_modelled,
        known.known_to,
        known.known_to_on,
        row_number() OVER (
            PARTITION BY figure.release_id, figure.period_end, figure.area_code
            ORDER BY source_table.position, figure.table_id
        ) AS preference
    FROM core.local_adult_reoffending AS figure
    INNER JOIN known ON known.release_id = figure.release_id AND known.period_end = figure.period_end
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
    stated.is_modelled,
    stated.published_at AS known_from,
    stated.known_to,
    stated.published_on AS known_from_on,
    stated.known_to_on
FROM stated
LEFT JOIN ref.area AS area ON area.area_code = stated.area_code
WHERE stated.preference = 1 AND (stated.known_to IS NULL OR stated.known_to > stated.published_at)
