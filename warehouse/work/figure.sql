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
    figure.release_id,
    figure.table_id,
    figure.area_code,
    figure.offence_id,
    figure.span,
    figure.period_end,
    figure.period_start,
    figure.offences,
    figure.offences_marker,
    figure.is_derived,
    release.published_at,
    release.published_on,
    source_table.fineness,
    source_table.position
FROM figure
INNER JOIN input.release AS release ON release.release_id = figure.release_id
INNER JOIN input.source_table AS source_table
    ON source_table.source = release.source AND source_table.table_id = figure.table_id
