-- Every figure and its change on the year as it stood at any time: a line for as long as both stood so.
WITH explained AS (
    SELECT
        comparison.*,
        series.area_code,
        series.offence_id,
        series.span,
        series.area_name,
        series.level,
        series.offence_name,
        CASE
            WHEN NOT series.has_resident_rate THEN 'no_resident_population'
            WHEN comparison.offences IS NULL THEN 'no_data'
            WHEN comparison.population IS NULL THEN 'population_missing'
            WHEN comparison.offences < 0 THEN 'negative_count'
        END AS rate_reason,
        CASE
            WHEN comparison.blocked IS NULL AND NOT comparison.is_base_under_50 THEN comparison.previous_offences
        END AS percentage_base
    FROM work.explained_comparison AS comparison
    INNER JOIN work.series AS series ON series.series_number = comparison.series_number
)
SELECT
    explained.area_code,
    explained.offence_id,
    explained.span,
    explained.period_end,
    explained.period_start,
    explained.area_name,
    explained.level,
    explained.offence_name,
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
    previous_release.release_id AS previous_release_id,
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
    release.release_id,
    source_table.table_id,
    explained.is_derived,
    release.is_modelled,
    explained.known_from,
    explained.known_to,
    explained.known_from_on,
    explained.known_to_on
FROM explained
INNER JOIN work.release_order AS release ON release.release_order = explained.release_order
INNER JOIN input.source_table AS source_table
    ON source_table.source = release.source AND source_table.position = explained.position
LEFT JOIN work.release_order AS previous_release ON previous_release.release_order = explained.previous_release_order
LEFT JOIN work.count_interval AS count_interval ON count_interval.offences = explained.offences
LEFT JOIN work.change_interval AS change_interval
    ON change_interval.offences = explained.offences
    AND change_interval.previous_offences = explained.percentage_base
