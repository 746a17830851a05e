WITH explained AS (
    SELECT
        comparison.*,
        CASE
            WHEN NOT comparison.has_resident_rate THEN 'no_resident_population'
            WHEN comparison.offences IS NULL THEN 'no_data'
            WHEN comparison.population IS NULL THEN 'population_missing'
            WHEN comparison.offences < 0 THEN 'negative_count'
        END AS rate_reason,
        CASE
            WHEN comparison.blocked IS NULL AND NOT comparison.is_base_under_50 THEN comparison.previous_offences
        END AS percentage_base
    FROM work.explained_comparison AS comparison
)
SELECT
    explained.area_code,
    explained.offence_id,
    explained.span,
    explained.period_end,
    explained.period_start,
    coalesce(area.area_name, explained.area_code) AS area_name,
    area_level.level,
    offence.name AS offence_name,
    explained.offences,
    explained.offences_marker,
    explained.population,
    explained.population_mid_year,
    1000e0 * explained.offences / explained.population AS rate_per_1000,
    1000e0 * count_interval.low / explained.population AS rate_low_per_1000,
    1000e0 * count_interval.high / explained.population AS rate_high_per_1000,
    explained.rate_reason,
    explained.previous_offences,
    explained.previous_source,
    explained.previous_release_id,
    CASE WHEN explained.blocked IS NULL THEN explained.offences - explained.previous_offences END AS change,
    100e0 * (explained.offences - explained.percentage_base) / explained.percentage_base AS change_percent,
    change_interval.low AS change_low_percent,
    change_interval.high AS change_high_percent,
    explained.break_ids,
    coalesce(
        explained.blocked,
        CASE WHEN explained.is_base_under_50 THEN 'base_under_50' END,
        explained.rate_reason
    ) AS reason,
    explained.release_id,
    explained.table_id,
    explained.is_derived,
    release.is_modelled
FROM explained
INNER JOIN ref.offence AS offence ON offence.offence_id = explained.offence_id
INNER JOIN input.release AS release ON release.release_id = explained.release_id
LEFT JOIN ref.area AS area ON area.area_code = explained.area_code
LEFT JOIN (
    SELECT area_level.area_code, min(area_level.level) AS level
    FROM ref.area_level AS area_level
    WHERE area_level.level IN ('country', 'region', 'police_force', 'csp', 'other')
    GROUP BY area_level.area_code
) AS area_level ON area_level.area_code = explained.area_code
LEFT JOIN work.count_interval AS count_interval ON count_interval.offences = explained.offences
LEFT JOIN work.change_interval AS change_interval
    ON change_interval.offences = explained.offences
    AND change_interval.previous_offences = explained.percentage_base
