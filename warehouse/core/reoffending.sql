-- A single-tier authority stands under the categories of both tiers: the reader has checked that they agree, and the
-- figure is taken once. Of several files of a release that state it, the one that reaches furthest counts.
WITH ordered AS (
    SELECT
        line.*,
        row_number() OVER (
            PARTITION BY
                line.release_id, line.table_id, line.measure, line.span, line.cohort_end, line.age_group, line.area_code
            ORDER BY
                line.newest_cohort_end DESC,
                line.sha256,
                line.sheet,
                CASE line.level WHEN 'lower_tier' THEN 2 ELSE 1 END,
                line.row
        ) AS preference
    FROM work.placed_reoffending AS line
    WHERE line.role = 'total' AND line.area_code IS NOT NULL
)
SELECT
    ordered.release_id,
    ordered.table_id,
    ordered.measure,
    ordered.span,
    ordered.cohort_end,
    ordered.age_group,
    ordered.area_code,
    ordered.level,
    ordered.cohort_start,
    ordered.offenders,
    ordered.offenders_marker,
    ordered.offenders_column,
    ordered.reoffenders,
    ordered.reoffenders_marker,
    ordered.reoffenders_column,
    ordered.reoffences,
    ordered.reoffences_marker,
    ordered.reoffences_column,
    ordered.sha256,
    ordered.sheet,
    ordered.row
FROM ordered
WHERE ordered.preference = 1
