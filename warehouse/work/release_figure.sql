-- Each figure once a release, from the table that its source prefers, with what it covers and the residents
-- that ONS divides it by: of the last 30 June on or before the start (to the person, though P3 prints them
-- rounded to 100), less those of forces that the count leaves out.
WITH preferred AS (
    SELECT
        figure.*,
        row_number() OVER (
            PARTITION BY figure.release_order, figure.series_number, figure.period_end
            ORDER BY figure.position
        ) AS preference,
        CAST(
            year(figure.period_start)
            - CASE WHEN month(figure.period_start) < 7 THEN 1 ELSE 0 END
            AS INTEGER
        ) AS population_mid_year
    FROM work.figure AS figure
),
left_out AS (
    SELECT DISTINCT
        coverage.left_out,
        preferred.population_mid_year
    FROM preferred
    INNER JOIN work.coverage AS coverage
        ON coverage.release_order = preferred.release_order
        AND coverage.position = preferred.position
        AND coverage.series_number = preferred.series_number
        AND coverage.period_end = preferred.period_end
    WHERE coverage.left_out <> 0
),
left_out_population AS (
    SELECT
        left_out.left_out,
        left_out.population_mid_year,
        CASE
            WHEN count(population.population) = count(*) THEN CAST(sum(population.population) AS BIGINT)
        END AS population
    FROM left_out
    INNER JOIN work.member_bit AS member ON (left_out.left_out & member.bit) <> 0
    LEFT JOIN ref.population AS population
        ON population.area_code = member.member_code
        AND population.mid_year = left_out.population_mid_year
    GROUP BY left_out.left_out, left_out.population_mid_year
),
residents AS (
    SELECT series.series_number, population.mid_year, population.population
    FROM work.series AS series
    INNER JOIN ref.population AS population ON population.area_code = series.area_code
    WHERE series.has_resident_rate
)
SELECT
    preferred.release_order,
    preferred.position,
    preferred.series_number,
    preferred.period_end,
    preferred.period_start,
    preferred.offences,
    preferred.offences_marker,
    preferred.is_derived,
    preferred.population_mid_year,
    coverage.reporting,
    coverage.fraud,
    coalesce(coverage.is_aggregate, FALSE) AS is_aggregate,
    coalesce(coverage.left_out, 0) = 0 AS is_whole,
    residents.population
    - CASE WHEN coalesce(coverage.left_out, 0) = 0 THEN 0 ELSE left_out_population.population END AS population
FROM preferred
LEFT JOIN work.coverage AS coverage
    ON coverage.release_order = preferred.release_order
    AND coverage.position = preferred.position
    AND coverage.series_number = preferred.series_number
    AND coverage.period_end = preferred.period_end
LEFT JOIN residents
    ON residents.series_number = preferred.series_number
    AND residents.mid_year = preferred.population_mid_year
LEFT JOIN left_out_population
    ON left_out_population.left_out = coverage.left_out
    AND left_out_population.population_mid_year = preferred.population_mid_year
WHERE preferred.preference = 1
