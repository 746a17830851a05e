-- Every percentage that P2 prints against the one that follows from the base it implies, and every rate that
-- P3 prints against ours, to the last digit that the table prints.
WITH derived AS (
    SELECT
        CASE printed.measure WHEN 'change_percent' THEN 'P2' ELSE 'P3' END AS table_name,
        printed.release_id,
        printed.table_id,
        printed.area_code,
        printed.offence_id,
        printed.period_end,
        printed.printed,
        CASE printed.measure
            WHEN 'change_percent' THEN
                100e0 * (
                    figure.offences
                    / nullif(round(figure.offences / nullif(1e0 + printed.printed / 100e0, 0e0)), 0e0)
                    - 1e0
                )
            ELSE 1000e0 * figure.offences / figure.population
        END AS derived
    FROM core.recorded_crime_printed AS printed
    INNER JOIN work.release_order AS release_order ON release_order.release_id = printed.release_id
    INNER JOIN work.series AS series
        ON series.area_code = printed.area_code
        AND series.offence_id = printed.offence_id
        AND series.span = printed.span
    INNER JOIN work.release_figure AS figure
        ON figure.release_order = release_order.release_order
        AND figure.series_number = series.series_number
        AND figure.period_end = printed.period_end
    WHERE printed.printed IS NOT NULL
        -- No offences after some, or after none: the base may be any, or is 0, and nothing follows from it.
        AND NOT (
            printed.measure = 'change_percent'
            AND printed.printed IN (-100e0, 0e0)
            AND figure.offences IS NOT DISTINCT FROM 0
        )
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
    coalesce(abs(derived.derived - derived.printed) <= 0.5e0 * printed_step.step + 1e-9, FALSE) AS within_tolerance
FROM derived
INNER JOIN work.printed_step AS printed_step
    ON printed_step.release_id = derived.release_id AND printed_step.table_id = derived.table_id
