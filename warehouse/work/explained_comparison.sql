-- Each comparison with the breaks that touch it and, where no change may be shown, the reason.
WITH named_area AS (
    SELECT DISTINCT break_area.area_code
    FROM work.break_window AS break_area
    WHERE break_area.area_code <> ''
),
series_break AS (
    SELECT
        series.series_number, break_window.period_end, break_window.break_ids, break_window.is_measure_break,
        break_window.is_classification_break, break_window.is_missing
    FROM work.series AS series
    LEFT JOIN named_area ON named_area.area_code = series.area_code
    INNER JOIN work.break_window AS break_window
        ON break_window.span = series.span
        AND break_window.offence_id = series.offence_id
        AND break_window.area_code = coalesce(named_area.area_code, '')
),
series_area_break AS (
    SELECT touched.series_number, touched.period_end, min(change.kind) AS kind
    FROM (
        SELECT DISTINCT each.series_number, each.period_end, each.previous_start
        FROM work.comparison AS each
    ) AS touched
    INNER JOIN work.series AS series ON series.series_number = touched.series_number
    INNER JOIN work.area_break AS change
        ON change.area_code = series.area_code
        AND change.changed_on > touched.previous_start
        AND change.changed_on <= touched.period_end
    GROUP BY touched.series_number, touched.period_end
)
SELECT
    comparison.*,
    series_break.break_ids,
    CASE
        WHEN comparison.offences IS NULL THEN 'no_data'
        WHEN area_break.kind IS NOT NULL THEN area_break.kind
        WHEN series_break.is_measure_break THEN 'measure_break'
        WHEN series_break.is_classification_break THEN 'classification'
        -- An aggregate of one release leaves the same forces out on both sides; otherwise it is missing too.
        WHEN series_break.is_missing
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
LEFT JOIN series_break
    ON series_break.series_number = comparison.series_number AND series_break.period_end = comparison.period_end
LEFT JOIN series_area_break AS area_break
    ON area_break.series_number = comparison.series_number AND area_break.period_end = comparison.period_end
