-- A unit cost is the sum of its parts, to the rounding of ref.unit_cost; a cost is offences times unit cost, or null with
-- a reason; and nothing that could be costed is left out.
WITH broken AS (
    SELECT
        concat_ws('|', 'unit_cost', cost.offence_group) AS figure,
        CAST(cost.anticipation_pounds + cost.consequence_pounds + cost.response_pounds AS VARCHAR) AS expected,
        CAST(cost.unit_cost_pounds AS VARCHAR) AS found
    FROM ref.unit_cost AS cost
    WHERE abs(
            cost.unit_cost_pounds - cost.anticipation_pounds - cost.consequence_pounds - cost.response_pounds
        ) > 2e-6
    UNION ALL
    SELECT
        concat_ws('|', 'unit_cost', cost.offence_group, 'offence_id') AS figure,
        'a group of ref.offence' AS expected,
        cost.offence_id AS found
    FROM ref.unit_cost AS cost
    LEFT JOIN ref.offence AS offence ON offence.offence_id = cost.offence_id AND offence.level = 'group'
    WHERE cost.offence_id IS NOT NULL AND offence.offence_id IS NULL
    UNION ALL
    SELECT
        concat_ws(
            '|', 'crime_cost', trend.area_code, trend.offence_id, CAST(trend.period_end AS VARCHAR)
        ) AS figure,
        CASE
            WHEN trend.offences >= 0 THEN CAST(CAST(trend.offences AS DOUBLE) * cost.unit_cost_pounds AS VARCHAR)
            ELSE 'null with a reason'
        END AS expected,
        coalesce(CAST(made.cost_pounds AS VARCHAR), made.reason, 'null') AS found
    FROM mart.crime_trend AS trend
    INNER JOIN ref.unit_cost AS cost ON cost.offence_id = trend.offence_id
    LEFT JOIN mart.crime_cost AS made
        ON made.area_code = trend.area_code
        AND made.offence_id = trend.offence_id
        AND made.period_end = trend.period_end
    WHERE trend.span = 'year'
        AND CASE
            WHEN trend.offences >= 0 THEN
                NOT coalesce(
                    abs(made.cost_pounds - CAST(trend.offences AS DOUBLE) * cost.unit_cost_pounds) <= 1e-3, FALSE
                )
                OR made.reason IS NOT NULL
            ELSE made.cost_pounds IS NOT NULL OR made.reason IS NULL
        END
)
SELECT
    CAST(NULL AS VARCHAR) AS release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    broken.figure,
    broken.expected,
    broken.found
FROM broken
