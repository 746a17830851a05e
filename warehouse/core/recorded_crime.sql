-- Rows of one sheet that state one figure together (homicide in the open data) are summed; a figure that
-- two sheets or files of a release state alike is taken once.
WITH stated AS (
    SELECT
        line.release_id,
        line.table_id,
        line.area_code,
        line.offence_id,
        line.span,
        line.period_end,
        line.sha256,
        line.sheet,
        min(line.period_start) AS period_start,
        CASE WHEN count(line.value) = count(*) THEN CAST(sum(line.value) AS BIGINT) END AS offences,
        min(line.marker) AS offences_marker,
        min(line.column) AS offences_column,
        min(line.row) AS row,
        count(*) AS published_rows
    FROM work.placed_crime AS line
    WHERE line.measure = 'offences' AND line.area_code IS NOT NULL
    GROUP BY
        line.release_id,
        line.table_id,
        line.area_code,
        line.offence_id,
        line.span,
        line.period_end,
        line.sha256,
        line.sheet
),
ordered AS (
    SELECT
        stated.*,
        row_number() OVER (
            PARTITION BY
                stated.release_id, stated.table_id, stated.area_code,
                stated.offence_id, stated.span, stated.period_end
            ORDER BY stated.sha256, stated.sheet
        ) AS preference
    FROM stated
)
SELECT
    ordered.release_id,
    ordered.table_id,
    ordered.area_code,
    ordered.offence_id,
    ordered.span,
    ordered.period_end,
    ordered.period_start,
    ordered.offences,
    ordered.offences_marker,
    ordered.offences_column,
    ordered.sha256,
    ordered.sheet,
    ordered.row,
    ordered.published_rows
FROM ordered
WHERE ordered.preference = 1
