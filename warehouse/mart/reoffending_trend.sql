SELECT
    comparison.area_code,
    comparison.measure,
    comparison.span,
    comparison.cohort_end,
    comparison.age_group,
    comparison.cohort_start,
    coalesce(area.area_name, comparison.area_code) AS area_name,
    comparison.level,
    comparison.offenders,
    comparison.offenders_marker,
    comparison.reoffenders,
    comparison.reoffenders_marker,
    comparison.reoffences,
    comparison.reoffences_marker,
    100e0 * comparison.reoffenders / nullif(comparison.offenders, 0) AS rate_percent,
    comparison.previous_area_code,
    comparison.previous_offenders,
    comparison.previous_reoffenders,
    100e0 * comparison.previous_reoffenders / nullif(comparison.previous_offenders, 0) AS previous_rate_percent,
    comparison.previous_source,
    comparison.previous_release_id,
    comparison.design_effect,
    CASE
        WHEN comparison.reason IS NULL THEN
            100e0 * comparison.reoffenders / nullif(comparison.offenders, 0)
            - 100e0 * comparison.previous_reoffenders / nullif(comparison.previous_offenders, 0)
    END AS change_points,
    CASE WHEN comparison.reason IS NULL THEN difference_interval.low END AS change_low_points,
    CASE WHEN comparison.reason IS NULL THEN difference_interval.high END AS change_high_points,
    comparison.break_ids,
    comparison.reason,
    comparison.release_id,
    comparison.table_id,
    comparison.is_derived,
    comparison.is_modelled
FROM work.reoffending_comparison AS comparison
LEFT JOIN ref.area AS area ON area.area_code = comparison.area_code
LEFT JOIN work.difference_interval AS difference_interval
    ON difference_interval.reoffenders = comparison.reoffenders
    AND difference_interval.offenders = comparison.offenders
    AND difference_interval.previous_reoffenders = comparison.previous_reoffenders
    AND difference_interval.previous_offenders = comparison.previous_offenders
    AND difference_interval.design_effect = comparison.design_effect
