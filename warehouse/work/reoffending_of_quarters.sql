-- The sum of four quarterly cohorts in a row, also where the publisher prints the year: both are known.
-- Where only the code of an area changed, its quarters go on under the newer one.
WITH newer AS (
    SELECT change.from_code AS area_code, min(change.to_code) AS newer_code
    FROM ref.area_change AS change
    WHERE change.kind = 'recode'
    GROUP BY change.from_code
    HAVING count(DISTINCT change.to_code) = 1
),
four_quarters AS (
    SELECT
        quarter.release_id,
        quarter.table_id,
        quarter.measure,
        quarter.cohort_end,
        quarter.age_group,
        quarter.area_code,
        quarter.level,
        min(quarter.cohort_start) OVER last_four AS cohort_start,
        CAST(sum(quarter.offenders) OVER last_four AS BIGINT) AS offenders,
        count(quarter.offenders) OVER last_four AS known_offenders,
        CAST(sum(quarter.reoffenders) OVER last_four AS BIGINT) AS reoffenders,
        count(quarter.reoffenders) OVER last_four AS known_reoffenders,
        CAST(sum(quarter.reoffences) OVER last_four AS BIGINT) AS reoffences,
        count(quarter.reoffences) OVER last_four AS known_reoffences,
        count(*) OVER last_four AS quarters
    FROM work.reoffending_of_ages AS quarter
    INNER JOIN input.release AS release ON release.release_id = quarter.release_id
    INNER JOIN input.source_table AS source_table
        ON source_table.source = release.source
        AND source_table.table_id = quarter.table_id
        AND source_table.sums LIKE '%quarters%'
    LEFT JOIN newer ON newer.area_code = quarter.area_code
    WHERE quarter.span = 'quarter'
    WINDOW last_four AS (
        PARTITION BY
            quarter.release_id, quarter.table_id, quarter.measure, quarter.age_group,
            coalesce(newer.newer_code, quarter.area_code)
        ORDER BY quarter.cohort_end
        ROWS BETWEEN 3 PRECEDING AND CURRENT ROW
    )
)
SELECT
    quarter.release_id,
    quarter.table_id,
    quarter.measure,
    'year' AS span,
    quarter.cohort_end,
    quarter.age_group,
    quarter.area_code,
    quarter.level,
    quarter.cohort_start,
    CASE WHEN quarter.known_offenders = 4 THEN quarter.offenders END AS offenders,
    CASE WHEN quarter.known_reoffenders = 4 THEN quarter.reoffenders END AS reoffenders,
    CASE WHEN quarter.known_reoffences = 4 THEN quarter.reoffences END AS reoffences
FROM four_quarters AS quarter
WHERE quarter.quarters = 4
    -- Four rows are four quarters in a row only where the first starts a year before the last ends.
    AND quarter.cohort_start = CAST(date_trunc('month', quarter.cohort_end) - INTERVAL 11 MONTH AS DATE)
