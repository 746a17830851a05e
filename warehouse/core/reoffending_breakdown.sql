-- A breakdown comes whole from one file: parts of two files of a release can overlap, since their names differ from
-- edition to edition. The chosen breakdown is one, whatever it is called.
WITH ordered AS (
    SELECT
        line.*,
        coalesce(line.subcategory, '') AS part,
        rank() OVER (
            PARTITION BY
                line.release_id, line.table_id, line.measure, line.span, line.cohort_end, line.age_group,
                line.area_code, CASE line.role WHEN 'part' THEN '' ELSE line.category END
            ORDER BY line.newest_cohort_end DESC, line.sha256, line.sheet, line.category
        ) AS file_preference,
        row_number() OVER (
            PARTITION BY
                line.release_id, line.table_id, line.measure, line.span, line.cohort_end, line.age_group,
                line.area_code, line.category, line.subcategory
            ORDER BY line.newest_cohort_end DESC, line.sha256, line.sheet, line.row
        ) AS preference
    FROM work.placed_reoffending AS line
    WHERE line.role IN ('part', 'repeat') AND line.area_code IS NOT NULL
)
SELECT
    ordered.release_id,
    ordered.table_id,
    ordered.measure,
    ordered.span,
    ordered.cohort_end,
    ordered.age_group,
    ordered.area_code,
    ordered.category,
    ordered.part AS subcategory,
    ordered.role,
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
WHERE ordered.file_preference = 1 AND ordered.preference = 1
