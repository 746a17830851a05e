-- Every published figure once a release, whichever its table, beside what the release of the same source before it that
-- stated it said. Of several tables the first in the order that the source declares counts.
WITH figure AS (
    SELECT
        'recorded_crime' AS table_name, crime.release_id, crime.table_id, crime.area_code, crime.offence_id,
        CAST(NULL AS VARCHAR) AS measure, CAST(NULL AS VARCHAR) AS age_group, crime.span, crime.period_end,
        'offences' AS figure, CAST(crime.offences AS DOUBLE) AS value, crime.offences_marker AS marker
    FROM core.recorded_crime AS crime
    UNION ALL
    SELECT
        'reoffending' AS table_name, cohort.release_id, cohort.table_id, cohort.area_code,
        CAST(NULL AS VARCHAR) AS offence_id, cohort.measure, cohort.age_group, cohort.span,
        cohort.cohort_end AS period_end, names.figure,
        CASE names.figure
            WHEN 'offenders' THEN CAST(cohort.offenders AS DOUBLE)
            WHEN 'reoffenders' THEN CAST(cohort.reoffenders AS DOUBLE)
            ELSE CAST(cohort.reoffences AS DOUBLE)
        END AS value,
        CASE names.figure
            WHEN 'offenders' THEN cohort.offenders_marker
            WHEN 'reoffenders' THEN cohort.reoffenders_marker
            ELSE cohort.reoffences_marker
        END AS marker
    FROM core.reoffending AS cohort
    CROSS JOIN (VALUES ('offenders'), ('reoffenders'), ('reoffences')) AS names(figure)
    UNION ALL
    SELECT
        'local_adult_reoffending' AS table_name, adult.release_id, adult.table_id, adult.area_code,
        CAST(NULL AS VARCHAR) AS offence_id, CAST(NULL AS VARCHAR) AS measure, CAST(NULL AS VARCHAR) AS age_group,
        'year' AS span, adult.period_end, names.figure,
        CASE names.figure
            WHEN 'offenders' THEN CAST(adult.offenders AS DOUBLE)
            WHEN 'actual_percent' THEN adult.actual_percent
            ELSE adult.predicted_percent
        END AS value,
        CASE names.figure
            WHEN 'offenders' THEN adult.offenders_marker
            WHEN 'actual_percent' THEN adult.actual_percent_marker
            ELSE adult.predicted_percent_marker
        END AS marker
    FROM core.local_adult_reoffending AS adult
    CROSS JOIN (VALUES ('offenders'), ('actual_percent'), ('predicted_percent')) AS names(figure)
),
ordered AS (
    SELECT
        figure.*,
        release.source,
        release.published_at,
        row_number() OVER (
            PARTITION BY
                figure.table_name, figure.release_id, figure.area_code, figure.offence_id, figure.measure,
                figure.age_group, figure.span, figure.period_end, figure.figure
            ORDER BY source_table.position, figure.table_id
        ) AS preference
    FROM figure
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    INNER JOIN input.source_table AS source_table
        ON source_table.source = release.source AND source_table.table_id = figure.table_id
    -- A column that a table does not have states nothing.
    WHERE figure.value IS NOT NULL OR figure.marker IS NOT NULL
)
SELECT
    ordered.*,
    lag(ordered.release_id) OVER earlier AS previous_release_id,
    lag(ordered.value) OVER earlier AS previous_value,
    lag(ordered.marker) OVER earlier AS previous_marker
FROM ordered
WHERE ordered.preference = 1
WINDOW earlier AS (
    PARTITION BY
        ordered.source, ordered.table_name, ordered.area_code, ordered.offence_id, ordered.measure,
        ordered.age_group, ordered.span, ordered.period_end, ordered.figure
    ORDER BY ordered.published_at, ordered.release_id
)
