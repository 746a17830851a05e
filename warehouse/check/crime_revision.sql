-- A release that states a year anew in the same table moves totals of forces by at most 2%, groups by 15%, or by 50
-- offences: vintages of March 2018 differ by up to 2.2% (City of London 8.9%) and 17%. Not fraud: who recorded it
-- differs.
WITH statement AS (
    SELECT figure.*
    FROM work.yearly_figure AS figure
    WHERE figure.offence_id NOT IN ('fraud_offences', 'total_including_fraud')
),
in_order AS (
    SELECT
        statement.*,
        lag(statement.offences) OVER vintages AS offences_before,
        lag(statement.release_id) OVER vintages AS release_before,
        CASE statement.offence_level WHEN 'total' THEN 2e-2 ELSE 15e-2 END AS tolerance
    FROM statement
    WINDOW vintages AS (
        PARTITION BY
            statement.source, statement.table_id, statement.area_code, statement.offence_id, statement.period_end
        ORDER BY statement.published_at, statement.release_id
    )
)
SELECT
    in_order.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', in_order.table_id, in_order.area_code, in_order.offence_id,
        in_order.span, CAST(in_order.period_end AS VARCHAR)
    ) AS figure,
    concat(CAST(in_order.offences_before AS VARCHAR), ' in ', in_order.release_before) AS expected,
    coalesce(CAST(in_order.offences AS VARCHAR), in_order.offences_marker) AS found
FROM in_order
WHERE in_order.offences_before IS NOT NULL
    AND (
        in_order.offences IS NULL
        OR (
            abs(in_order.offences - in_order.offences_before) > 50
            AND abs(in_order.offences - in_order.offences_before)
                > in_order.tolerance * abs(in_order.offences_before)
        )
    )
