-- The newest statement of each figure, by name.
SELECT
    release_order.release_id,
    series.area_code,
    series.offence_id,
    series.span,
    figure.period_end,
    figure.period_start,
    figure.offences,
    figure.offences_marker,
    figure.is_derived,
    figure.is_whole
FROM work.figure_history AS figure
INNER JOIN work.series AS series ON series.series_number = figure.series_number
INNER JOIN work.release_order AS release_order ON release_order.release_order = figure.release_order
WHERE figure.known_to IS NULL
