-- Every figure of every release, published or added up, once a release: the first table in the declared order,
-- printed before added up.
WITH figure AS (
    SELECT
        printed.release_id, printed.table_id, printed.measure, printed.span, printed.cohort_end, printed.age_group,
        printed.area_code, printed.level, printed.cohort_start, printed.offenders, printed.offenders_marker,
        printed.reoffenders, printed.reoffenders_marker, printed.reoffences,
        printed.reoffences_marker, FALSE AS is_derived
    FROM core.reoffending AS printed
    UNION ALL
    SELECT
        total.release_id, total.table_id, total.measure, total.span, total.cohort_end, total.age_group,
        total.area_code, total.level, total.cohort_start, total.offenders, total.offenders_marker,
        total.reoffenders, total.reoffenders_marker, total.reoffences,
        total.reoffences_marker, TRUE AS is_derived
    FROM core.reoffending_total AS total
),
ordered AS (
    SELECT
        figure.*,
        release.published_at,
        release.published_on,
        release.is_modelled,
        row_number() OVER (
            PARTITION BY
                figure.release_id, figure.measure, figure.span, figure.cohort_end, figure.age_group, figure.area_code
            ORDER BY source_table.position, figure.table_id
        ) AS preference
    FROM figure
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    INNER JOIN input.source_table AS source_table
        ON source_table.source = release.source AND source_table.table_id = figure.table_id
)
SELECT
    ordered.*,
    -- A person can stand in several of the four quarterly cohorts of a year (docs/methods.md).
    CASE WHEN ordered.measure = 'three_month_cohort' AND ordered.span = 'year' THEN 1.3e0 ELSE 1e0 END AS design_effect
FROM ordered
WHERE ordered.preference = 1
