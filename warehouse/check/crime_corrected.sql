-- A release that corrects another of its edition, and each figure that it states otherwise or no longer: a correction
-- is told from damage by nothing but looking at it.
WITH with_figures AS (
    SELECT DISTINCT crime.release_id
    FROM core.recorded_crime AS crime
),
-- One that is kept out was never compared with: the next is, with the one before it.
in_order AS (
    SELECT
        release.release_id,
        lag(release.release_id) OVER (
            PARTITION BY release.source, release.edition
            ORDER BY release.published_at, release.release_id
        ) AS before_id
    FROM input.release AS release
    INNER JOIN with_figures ON with_figures.release_id = release.release_id
),
correction AS (
    SELECT in_order.release_id, in_order.before_id
    FROM in_order
    WHERE in_order.before_id IS NOT NULL
),
figure AS (
    SELECT
        crime.release_id, crime.sha256, crime.table_id, crime.area_code, crime.offence_id, crime.span,
        crime.period_end, crime.sheet, crime.row, crime.offences_column AS figure_column,
        coalesce(CAST(crime.offences AS VARCHAR), crime.offences_marker) AS stated
    FROM core.recorded_crime AS crime
    UNION ALL
    SELECT
        printed.release_id, printed.sha256, printed.table_id, printed.area_code, printed.offence_id, printed.span,
        printed.period_end, printed.sheet, printed.row, printed.printed_column AS figure_column,
        coalesce(CAST(printed.printed AS VARCHAR), printed.printed_marker) AS stated
    FROM core.recorded_crime_printed AS printed
),
figure_before AS (
    SELECT correction.release_id, correction.before_id, figure.table_id, figure.area_code, figure.offence_id,
        figure.span, figure.period_end, figure.stated
    FROM correction
    INNER JOIN figure ON figure.release_id = correction.before_id
),
-- A correction may hold some of the files only.
corrected_table AS (
    SELECT figure.release_id, figure.table_id, min(figure.sha256) AS sha256
    FROM figure
    INNER JOIN correction ON correction.release_id = figure.release_id
    GROUP BY figure.release_id, figure.table_id
)
SELECT
    figure_before.release_id,
    coalesce(figure.sha256, corrected_table.sha256) AS sha256,
    CASE
        WHEN figure.row IS NOT NULL THEN concat(
            substr(figure.sha256, 1, 12), '!', figure.sheet, '!', figure.figure_column, CAST(figure.row AS VARCHAR)
        )
    END AS cell,
    concat_ws(
        '|', figure_before.table_id, figure_before.area_code, figure_before.offence_id,
        figure_before.span, CAST(figure_before.period_end AS VARCHAR)
    ) AS figure,
    concat(figure_before.stated, ' in ', figure_before.before_id) AS expected,
    coalesce(figure.stated, 'none') AS found
FROM figure_before
INNER JOIN corrected_table
    ON corrected_table.release_id = figure_before.release_id
    AND corrected_table.table_id = figure_before.table_id
LEFT JOIN figure
    ON figure.release_id = figure_before.release_id
    AND figure.table_id = figure_before.table_id
    AND figure.area_code = figure_before.area_code
    AND figure.offence_id = figure_before.offence_id
    AND figure.span = figure_before.span
    AND figure.period_end = figure_before.period_end
WHERE figure.stated IS DISTINCT FROM figure_before.stated
