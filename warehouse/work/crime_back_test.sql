-- Every percentage that P2 prints against the one that follows from the base it implies, and every rate that
-- P3 prints against ours. Both are printed to nine places.
WITH derived AS (
    SELECT
        CASE printed.measure WHEN 'change_percent' THEN 'P2' ELSE 'P3' END AS table_name,
        printed.release_id,
        printed.area_code,
        printed.offence_id,
        printed.period_end,
        printed.printed,
        CASE printed.measure
            WHEN 'change_percent' THEN
                100e0 * (
                    figure.offences / nullif(round(figure.offences / (1e0 + printed.printed / 100e0)), 0) - 1e0
                )
            ELSE 1000e0 * figure.offences / figure.population
        END AS derived
    FROM core.recorded_crime_printed AS printed
    INNER JOIN work.release_figure AS figure
        ON figure.release_id = printed.release_id
        AND figure.area_code = printed.area_code
        AND figure.offence_id = printed.offence_id
        AND figure.span = printed.span
        AND figure.period_end = printed.period_end
    WHERE printed.printed IS NOT NULL
)
SELECT
    derived.table_name,
    concat(
        derived.release_id, '|', derived.area_code, '|', derived.offence_id, '|',
        CAST(derived.period_end AS VARCHAR)
    ) AS key,
    derived.derived,
    derived.printed,
    derived.derived - derived.printed AS difference,
    coalesce(abs(derived.derived - derived.printed) <= 1e-8, FALSE) AS within_tolerance
FROM derived
