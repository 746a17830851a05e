-- Each comparison with the breaks that touch it and, where no change may be shown, the reason.
SELECT
    comparison.*,
    break_window.break_ids,
    CASE
        WHEN comparison.offences IS NULL THEN 'no_data'
        WHEN area_break.kind IS NOT NULL THEN area_break.kind
        WHEN break_window.is_measure_break THEN 'measure_break'
        WHEN break_window.is_classification_break THEN 'classification'
        -- An aggregate of one release leaves the same forces out on both sides; otherwise it is missing too.
        WHEN break_window.is_missing
            AND NOT (
                comparison.is_aggregate
                AND comparison.previous_source IN ('same_release', 'implied_by_P2')
            ) THEN 'missing_period'
        WHEN comparison.previous_offences IS NULL AND comparison.printed_marker = '[z]' THEN 'base_under_50'
        WHEN comparison.previous_offences IS NULL THEN 'no_previous'
        WHEN NOT comparison.same_coverage_as_before THEN 'coverage_changed'
    END AS blocked,
    -- P2 prints `-` on a base under 50, whatever another edition says of it.
    comparison.previous_offences < 50
        OR (comparison.previous_source = 'other_release' AND coalesce(comparison.printed_marker, '') = '[z]')
        AS is_base_under_50
FROM work.comparison AS comparison
LEFT JOIN (
    SELECT DISTINCT break_area.area_code
    FROM work.break_window AS break_area
    WHERE break_area.area_code <> ''
) AS named_area ON named_area.area_code = comparison.area_code
LEFT JOIN work.break_window AS break_window
    ON break_window.span = comparison.span
    AND break_window.period_end = comparison.period_end
    AND break_window.offence_id = comparison.offence_id
    AND break_window.area_code = coalesce(named_area.area_code, '')
LEFT JOIN (
    SELECT
        touched.area_code, touched.offence_id, touched.span, touched.period_end, min(change.kind) AS kind
    FROM work.comparison AS touched
    INNER JOIN work.area_break AS change
        ON change.area_code = touched.area_code
        AND change.changed_on > touched.previous_start
        AND change.changed_on <= touched.period_end
    GROUP BY touched.area_code, touched.offence_id, touched.span, touched.period_end
) AS area_break
    ON area_break.area_code = comparison.area_code
    AND area_break.offence_id = comparison.offence_id
    AND area_break.span = comparison.span
    AND area_break.period_end = comparison.period_end
