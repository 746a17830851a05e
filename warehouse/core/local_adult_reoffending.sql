-- A figure that two sheets or files of a release state is taken once.
WITH ordered AS (
    SELECT
        line.*,
        row_number() OVER (
            PARTITION BY line.release_id, line.table_id, line.period_end, line.area_code
            ORDER BY line.sha256, line.sheet, line.row
        ) AS preference
    FROM work.placed_local_adult AS line
    WHERE line.area_code IS NOT NULL
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
    ordered.row
FROM ordered
WHERE ordered.preference = 1
