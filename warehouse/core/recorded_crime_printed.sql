WITH ordered AS (
    SELECT
        line.*,
        row_number() OVER (
            PARTITION BY
                line.release_id, line.table_id, line.measure, line.area_code,
                line.offence_id, line.span, line.period_end
            ORDER BY line.sha256, line.sheet, line.row
        ) AS preference
    FROM work.placed_crime AS line
    WHERE line.measure <> 'offences' AND line.area_code IS NOT NULL
)
SELECT
    ordered.release_id,
    ordered.table_id,
    ordered.measure,
    ordered.area_code,
    ordered.offence_id,
    ordered.span,
    ordered.period_end,
    ordered.value AS printed,
    ordered.marker AS printed_marker,
    ordered.column AS printed_column,
    ordered.sha256,
    ordered.sheet,
    ordered.row
FROM ordered
WHERE ordered.preference = 1
