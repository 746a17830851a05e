-- Annual totals and groups of forces, every release and table of them, by name: what rules compare.
SELECT
    release_order.release_id, release_order.source, release_order.published_at, source_table.table_id,
    series.area_code, series.offence_id, series.span, offence.level AS offence_level,
    figure.period_end, figure.offences, figure.offences_marker
FROM work.figure AS figure
INNER JOIN work.series AS series ON series.series_number = figure.series_number AND series.span = 'year'
INNER JOIN ref.offence AS offence ON offence.offence_id = series.offence_id AND offence.level IN ('total', 'group')
INNER JOIN ref.area AS area
    ON area.area_code = series.area_code
    AND (area.kind = 'police_force_area' OR area.area_code = 'x-british-transport-police')
INNER JOIN work.release_order AS release_order ON release_order.release_order = figure.release_order
INNER JOIN input.source_table AS source_table
    ON source_table.source = release_order.source AND source_table.position = figure.position
