-- The last digit to which a release prints the percentages of a table, or its rates: the largest step that all of
-- them are multiples of.
WITH rounded AS (
    SELECT
        printed.release_id,
        printed.table_id,
        digits.step,
        max(abs(printed.printed / digits.step - round(printed.printed / digits.step))) AS furthest
    FROM core.recorded_crime_printed AS printed
    CROSS JOIN (
        VALUES (1e0), (1e-1), (1e-2), (1e-3), (1e-4), (1e-5), (1e-6), (1e-7), (1e-8)
    ) AS digits(step)
    WHERE printed.printed IS NOT NULL
    GROUP BY printed.release_id, printed.table_id, digits.step
)
SELECT
    rounded.release_id,
    rounded.table_id,
    -- Spreadsheets are read to nine decimal places.
    coalesce(max(CASE WHEN rounded.furthest < 1e-3 THEN rounded.step END), 1e-9) AS step
FROM rounded
GROUP BY rounded.release_id, rounded.table_id
