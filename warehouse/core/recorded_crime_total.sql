-- Added up in three steps: offences to groups and totals, quarters to years, forces to regions and countries.
-- A total over offences or quarters with a part missing is missing; one over forces is the sum of those
-- that report (mart.crime_trend compares it only with the same ones).
WITH released_table AS (
    -- A table of a release goes by number, since their names are long and figures are many.
    SELECT
        release.release_id,
        source_table.table_id,
        source_table.sums,
        CAST(row_number() OVER (ORDER BY release.release_id, source_table.table_id) AS INTEGER) AS table_number
    FROM input.release AS release
    INNER JOIN input.source_table AS source_table ON source_table.source = release.source
),
published AS (
    SELECT
        released_table.table_number, crime.area_code, crime.offence_id,
        crime.span, crime.period_end, crime.period_start, crime.offences
    FROM core.recorded_crime AS crime
    INNER JOIN released_table
        ON released_table.release_id = crime.release_id AND released_table.table_id = crime.table_id
),
offence_total AS (
    SELECT
        crime.table_number,
        crime.area_code,
        ancestor.ancestor_id AS offence_id,
        crime.span,
        crime.period_end,
        crime.period_start,
        CASE WHEN count(crime.offences) = count(*) THEN CAST(sum(crime.offences) AS BIGINT) END AS offences
    FROM published AS crime
    INNER JOIN released_table
        ON released_table.table_number = crime.table_number AND released_table.sums LIKE '%offences%'
    INNER JOIN ref.offence_ancestor AS ancestor ON ancestor.offence_id = crime.offence_id
    GROUP BY
        crime.table_number, crime.area_code, ancestor.ancestor_id,
        crime.span, crime.period_end, crime.period_start
),
in_area AS (
    SELECT
        crime.table_number, crime.area_code, crime.offence_id,
        crime.span, crime.period_end, crime.period_start, crime.offences
    FROM published AS crime
    UNION ALL
    SELECT
        total.table_number, total.area_code, total.offence_id,
        total.span, total.period_end, total.period_start, total.offences
    FROM offence_total AS total
),
four_quarters AS (
    SELECT
        quarter.table_number,
        quarter.area_code,
        quarter.offence_id,
        quarter.period_end,
        min(quarter.period_start) OVER last_four AS period_start,
        count(*) OVER last_four AS quarters,
        count(quarter.offences) OVER last_four AS known_quarters,
        CAST(sum(quarter.offences) OVER last_four AS BIGINT) AS offences
    FROM in_area AS quarter
    INNER JOIN released_table
        ON released_table.table_number = quarter.table_number AND released_table.sums LIKE '%quarters%'
    WHERE quarter.span = 'quarter'
    WINDOW last_four AS (
        PARTITION BY quarter.table_number, quarter.area_code, quarter.offence_id
        ORDER BY quarter.period_end
        ROWS BETWEEN 3 PRECEDING AND CURRENT ROW
    )
),
year_total AS (
    SELECT
        quarter.table_number,
        quarter.area_code,
        quarter.offence_id,
        'year' AS span,
        quarter.period_end,
        quarter.period_start,
        CASE WHEN quarter.known_quarters = 4 THEN quarter.offences END AS offences
    FROM four_quarters AS quarter
    WHERE quarter.quarters = 4
        -- Four rows are four quarters in a row only where the first starts a year before the last ends.
        AND quarter.period_start = CAST(date_trunc('month', quarter.period_end) - INTERVAL 11 MONTH AS DATE)
),
of_members AS (
    SELECT
        in_area.table_number, in_area.area_code, in_area.offence_id,
        in_area.span, in_area.period_end, in_area.period_start, in_area.offences
    FROM in_area
    UNION ALL
    SELECT
        year_total.table_number, year_total.area_code, year_total.offence_id,
        year_total.span, year_total.period_end, year_total.period_start, year_total.offences
    FROM year_total
),
-- An area that a table prints for a period is not added up from its members beside it.
printed_area AS (
    SELECT DISTINCT published.table_number, published.area_code, published.period_end
    FROM published
),
area_total AS (
    SELECT
        line.table_number,
        member.aggregate_code AS area_code,
        line.offence_id,
        line.span,
        line.period_end,
        line.period_start,
        CAST(sum(line.offences) AS BIGINT) AS offences
    FROM of_members AS line
    INNER JOIN released_table
        ON released_table.table_number = line.table_number AND released_table.sums LIKE '%areas%'
    INNER JOIN ref.area_member AS member ON member.member_code = line.area_code
    LEFT JOIN printed_area
        ON printed_area.table_number = line.table_number
        AND printed_area.area_code = member.aggregate_code
        AND printed_area.period_end = line.period_end
    WHERE printed_area.table_number IS NULL
    GROUP BY
        line.table_number, member.aggregate_code, line.offence_id,
        line.span, line.period_end, line.period_start
),
total AS (
    SELECT
        offence_total.table_number, offence_total.area_code, offence_total.offence_id,
        offence_total.span, offence_total.period_end, offence_total.period_start, offence_total.offences
    FROM offence_total
    UNION ALL
    SELECT
        year_total.table_number, year_total.area_code, year_total.offence_id,
        year_total.span, year_total.period_end, year_total.period_start, year_total.offences
    FROM year_total
    UNION ALL
    SELECT
        area_total.table_number, area_total.area_code, area_total.offence_id,
        area_total.span, area_total.period_end, area_total.period_start, area_total.offences
    FROM area_total
)
SELECT
    released_table.release_id,
    released_table.table_id,
    total.area_code,
    total.offence_id,
    total.span,
    total.period_end,
    total.period_start,
    total.offences,
    CASE WHEN total.offences IS NULL THEN '[x]' END AS offences_marker,
    TRUE AS is_derived
FROM total
INNER JOIN released_table ON released_table.table_number = total.table_number
-- What the publisher prints is never added up beside it.
LEFT JOIN published
    ON published.table_number = total.table_number
    AND published.area_code = total.area_code
    AND published.offence_id = total.offence_id
    AND published.span = total.span
    AND published.period_end = total.period_end
WHERE published.table_number IS NULL
