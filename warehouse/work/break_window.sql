-- Which breaks touch which comparison. A break in time lies between the start of the year before and the
-- end of the period; one with an end, or data that are missing, overlaps either period. Areas that no break
-- names share the lines of area_code ''.
WITH period AS (
    SELECT DISTINCT
        series.span,
        figure.period_start,
        figure.period_end,
        CAST(figure.period_start - INTERVAL 1 YEAR AS DATE) AS previous_start,
        last_day(CAST(figure.period_end - INTERVAL 1 YEAR AS DATE)) AS previous_end
    FROM work.figure_history AS figure
    INNER JOIN work.series AS series ON series.series_number = figure.series_number
),
area AS (
    SELECT DISTINCT trim(part.area_code) AS area_code
    FROM (
        SELECT unnest(string_split(concat(coalesce(b.area_codes, ''), ';'), ';')) AS area_code
        FROM ref.series_break AS b
    ) AS part
),
in_time AS (
    SELECT
        period.span,
        period.period_end,
        b.break_id,
        b.kind,
        b.action,
        concat('; ', b.area_codes, ';') AS area_codes,
        concat('; ', b.offence_ids, ';') AS offence_ids
    FROM ref.series_break AS b
    INNER JOIN period ON
        CASE
            WHEN b.kind = 'missing' OR b.end_date IS NOT NULL THEN
                (b.start_date <= period.period_end
                    AND coalesce(b.end_date, CAST('9999-12-31' AS DATE)) >= period.period_start)
                OR (b.start_date <= period.previous_end
                    AND coalesce(b.end_date, CAST('9999-12-31' AS DATE)) >= period.previous_start)
            ELSE period.previous_start < b.start_date AND b.start_date <= period.period_end
        END
    WHERE b.series = 'recorded_crime'
)
SELECT
    in_time.span,
    in_time.period_end,
    offence.offence_id,
    area.area_code,
    string_agg(in_time.break_id, ';' ORDER BY in_time.break_id) AS break_ids,
    max(CASE WHEN in_time.action = 'null' AND in_time.kind = 'measure' THEN 1 ELSE 0 END) = 1 AS is_measure_break,
    max(CASE WHEN in_time.action = 'null' AND in_time.kind = 'classification' THEN 1 ELSE 0 END) = 1
        AS is_classification_break,
    max(CASE WHEN in_time.action = 'null' AND in_time.kind = 'missing' THEN 1 ELSE 0 END) = 1 AS is_missing
FROM in_time
CROSS JOIN area
INNER JOIN ref.offence AS offence
    ON in_time.offence_ids = '; *;' OR in_time.offence_ids LIKE concat('%; ', offence.offence_id, ';%')
WHERE in_time.area_codes = '; ;' OR in_time.area_codes LIKE concat('%; ', area.area_code, ';%')
GROUP BY in_time.span, in_time.period_end, offence.offence_id, area.area_code
