-- The printed difference against the two rates, in points: a sheet prints it in points or in percent of the prediction
-- (or against a baseline, of which nothing is expected), and what fits most of its lines must fit all. Rates printed
-- to one decimal leave 0.1 points between them.
WITH derived AS (
    SELECT
        line.release_id, line.sha256, line.sheet, line.row, line.table_id, line.area_code, line.area_name,
        line.period_end, line.printed_difference,
        line.actual_percent - line.predicted_percent AS points,
        0.11e0 AS slack,
        'points' AS scale
    FROM work.placed_local_adult AS line
    UNION ALL
    SELECT
        line.release_id, line.sha256, line.sheet, line.row, line.table_id, line.area_code, line.area_name,
        line.period_end, line.printed_difference,
        100e0 * (line.actual_percent - line.predicted_percent) / line.predicted_percent AS points,
        0.06e0 + 11e0 / line.predicted_percent AS slack,
        'percent' AS scale
    FROM work.placed_local_adult AS line
    WHERE line.predicted_percent > 0e0
),
compared AS (
    SELECT
        derived.*,
        abs(derived.printed_difference - derived.points) <= derived.slack AS is_same,
        avg(CASE WHEN abs(derived.printed_difference - derived.points) <= derived.slack THEN 1e0 ELSE 0e0 END) OVER (
            PARTITION BY derived.sha256, derived.sheet, derived.scale
        ) AS same_share
    FROM derived
    WHERE derived.printed_difference IS NOT NULL AND derived.points IS NOT NULL
),
fit AS (
    SELECT
        compared.sha256, compared.sheet, compared.scale,
        row_number() OVER (
            PARTITION BY compared.sha256, compared.sheet ORDER BY max(compared.same_share) DESC, compared.scale
        ) AS preference
    FROM compared
    GROUP BY compared.sha256, compared.sheet, compared.scale
    HAVING max(compared.same_share) > 0.5e0
)
SELECT
    compared.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', compared.table_id, coalesce(compared.area_code, compared.area_name), 'printed_difference',
        CAST(compared.period_end AS VARCHAR)
    ) AS figure,
    CAST(round(compared.points, 3) AS VARCHAR) AS expected,
    CAST(compared.printed_difference AS VARCHAR) AS found
FROM compared
INNER JOIN fit
    ON fit.sha256 = compared.sha256
    AND fit.sheet = compared.sheet
    AND fit.scale = compared.scale
    AND fit.preference = 1
WHERE NOT compared.is_same
