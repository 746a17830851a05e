-- Every published statement of a figure with the time for which it was the newest. Of what is out on one day the finer
-- source is preferred, of one release the first table in the order that its source declares.
WITH ordered AS (
    SELECT
        figure.*,
        release.published_at AS known_from,
        release.published_on AS known_from_on,
        min(release.published_at) OVER preferred AS preferred_from,
        min(release.published_on) OVER preferred AS preferred_from_on
    FROM core.local_adult_reoffending AS figure
    INNER JOIN meta.release AS release ON release.release_id = figure.release_id
    INNER JOIN meta.source_table AS source_table
        ON source_table.source = release.source AND source_table.table_id = figure.table_id
    WINDOW preferred AS (
        PARTITION BY figure.period_end, figure.area_code
        ORDER BY
            release.published_on, source_table.fineness, release.published_at, figure.release_id,
            source_table.position DESC, figure.table_id DESC
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )
)
SELECT
    ordered.release_id,
    ordered.table_id,
    ordered.period_end,
    ordered.area_code,
    ordered.level,
    ordered.period_start,
    ordered.offenders,
    ordered.offenders_marker,
    ordered.offenders_column,
    ordered.actual_percent,
    ordered.actual_percent_marker,
    ordered.actual_percent_column,
    ordered.predicted_percent,
    ordered.predicted_percent_marker,
    ordered.predicted_percent_column,
    ordered.printed_difference,
    ordered.printed_significant,
    ordered.sha256,
    ordered.sheet,
    ordered.row,
    ordered.known_from,
    CASE WHEN ordered.preferred_from < ordered.known_from THEN ordered.known_from ELSE ordered.preferred_from END
        AS known_to,
    ordered.known_from_on,
    ordered.preferred_from_on AS known_to_on
FROM ordered
