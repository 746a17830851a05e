-- Rows of one sheet that state one figure together (homicide in the open data) are summed; a figure that
-- two sheets or files of a release state alike is taken once.
WITH stated AS (
    SELECT
        line.file_number,
        line.table_id,
        line.area_code,
        line.offence_id,
        line.span,
        line.period_end,
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
        line.file_number,
        line.table_id,
        line.area_code,
        line.offence_id,
        line.span,
        line.period_end,
        line.sheet
),
release_number AS (
    SELECT file.release_id, min(file.file_number) AS first_number
    FROM work.accepted_file AS file
    GROUP BY file.release_id
),
numbered_file AS (
    SELECT file.file_number, file.release_id, file.sha256, release_number.first_number
    FROM work.accepted_file AS file
    INNER JOIN release_number ON release_number.release_id = file.release_id
),
ordered AS (
    SELECT
        stated.*,
        row_number() OVER (
            PARTITION BY
                file.first_number, stated.table_id, stated.area_code,
                stated.offence_id, stated.span, stated.period_end
            ORDER BY stated.file_number, stated.sheet
        ) AS preference
    FROM stated
    INNER JOIN numbered_file AS file ON file.file_number = stated.file_number
)
SELECT
    file.release_id,
    ordered.table_id,
    ordered.area_code,
    ordered.offence_id,
    ordered.span,
    ordered.period_end,
    ordered.period_start,
    ordered.offences,
    ordered.offences_marker,
    ordered.offences_column,
    file.sha256,
    ordered.sheet,
    ordered.row,
    ordered.published_rows
FROM ordered
INNER JOIN numbered_file AS file ON file.file_number = ordered.file_number
WHERE ordered.preference = 1
