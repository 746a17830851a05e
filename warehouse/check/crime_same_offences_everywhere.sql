-- Tables are grids without holes: of a period every area states the same offences. Bodies that record nothing but
-- fraud state that alone. The layout of open data by partnership is known, its grid is not: left out.
WITH figure AS (
    SELECT
        crime.release_id, crime.sha256, crime.table_id, crime.area_code, crime.offence_id, crime.span,
        crime.period_end
    FROM core.recorded_crime AS crime
    WHERE crime.table_id <> 'csp' AND crime.area_code NOT IN ('x-action-fraud', 'x-cifas', 'x-uk-finance')
    UNION ALL
    SELECT
        printed.release_id, printed.sha256, printed.table_id, printed.area_code, printed.offence_id, printed.span,
        printed.period_end
    FROM core.recorded_crime_printed AS printed
),
in_area AS (
    SELECT
        figure.release_id,
        figure.table_id,
        figure.area_code,
        figure.span,
        figure.period_end,
        min(figure.sha256) AS sha256,
        count(*) AS offences
    FROM figure
    GROUP BY figure.release_id, figure.table_id, figure.area_code, figure.span, figure.period_end
),
whole_table AS (
    SELECT in_area.release_id, in_area.table_id, in_area.span, in_area.period_end
    FROM in_area
    GROUP BY in_area.release_id, in_area.table_id, in_area.span, in_area.period_end
    -- A few areas are an excerpt, not a published table.
    HAVING count(*) >= 5
),
offence AS (
    SELECT figure.release_id, figure.table_id, figure.span, figure.period_end, figure.offence_id
    FROM figure
    GROUP BY figure.release_id, figure.table_id, figure.span, figure.period_end, figure.offence_id
),
in_table AS (
    SELECT offence.release_id, offence.table_id, offence.span, offence.period_end, count(*) AS offences
    FROM offence
    INNER JOIN whole_table
        ON whole_table.release_id = offence.release_id
        AND whole_table.table_id = offence.table_id
        AND whole_table.span = offence.span
        AND whole_table.period_end = offence.period_end
    GROUP BY offence.release_id, offence.table_id, offence.span, offence.period_end
)
SELECT
    in_area.release_id,
    in_area.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', in_area.table_id, in_area.area_code, in_area.span, CAST(in_area.period_end AS VARCHAR)) AS figure,
    concat(CAST(in_table.offences AS VARCHAR), ' offences') AS expected,
    concat(CAST(in_area.offences AS VARCHAR), ' offences') AS found
FROM in_area
INNER JOIN in_table
    ON in_table.release_id = in_area.release_id
    AND in_table.table_id = in_area.table_id
    AND in_table.span = in_area.span
    AND in_table.period_end = in_area.period_end
WHERE in_area.offences <> in_table.offences
