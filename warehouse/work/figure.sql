-- Every figure of every release, published or added up, once a table.
WITH figure AS (
    SELECT
        crime.release_id, crime.table_id, crime.area_code, crime.offence_id, crime.span, crime.period_end,
        crime.period_start, crime.offences, crime.offences_marker, FALSE AS is_derived
    FROM core.recorded_crime AS crime
    UNION ALL
    SELECT
        total.release_id, total.table_id, total.area_code, total.offence_id, total.span, total.period_end,
        total.period_start, total.offences, total.offences_marker, TRUE AS is_derived
    FROM core.recorded_crime_total AS total
)
SELECT
    release_order.release_order,
    source_table.position,
    series.series_number,
    figure.period_end,
    figure.period_start,
    figure.offences,
    figure.offences_marker,
    figure.is_derived
FROM figure
INNER JOIN work.release_order AS release_order ON release_order.release_id = figure.release_id
INNER JOIN input.source_table AS source_table
    ON source_table.source = release_order.source AND source_table.table_id = figure.table_id
INNER JOIN work.series AS series
    ON series.area_code = figure.area_code
    AND series.offence_id = figure.offence_id
    AND series.span = figure.span
