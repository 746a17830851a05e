-- The newest statements of a year by two tables, of sources or vintages of their own: totals of forces within 0.5%,
-- groups within 10%, and 20 offences either way. Not fraud: who recorded it differs.
WITH statement AS (
    SELECT
        figure.*,
        row_number() OVER (
            PARTITION BY figure.table_id, figure.area_code, figure.offence_id, figure.period_end
            ORDER BY figure.published_at DESC, figure.release_id DESC
        ) AS recency
    FROM work.yearly_figure AS figure
    WHERE figure.offences IS NOT NULL AND figure.offence_id NOT IN ('fraud_offences', 'total_including_fraud')
),
pair AS (
    SELECT
        later.*,
        earlier.offences AS other_offences,
        earlier.table_id AS other_table_id,
        CASE later.offence_level WHEN 'total' THEN 0.5e-2 ELSE 10e-2 END AS tolerance
    FROM statement AS later
    INNER JOIN statement AS earlier
        ON earlier.area_code = later.area_code
        AND earlier.offence_id = later.offence_id
        AND earlier.period_end = later.period_end
        AND earlier.recency = 1
        AND earlier.release_id <> later.release_id
        AND earlier.table_id <> later.table_id
        AND (
            earlier.published_at < later.published_at
            OR (earlier.published_at = later.published_at AND earlier.release_id < later.release_id)
        )
    WHERE later.recency = 1
)
SELECT
    pair.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', pair.table_id, pair.area_code, pair.offence_id, pair.span, CAST(pair.period_end AS VARCHAR))
        AS figure,
    concat(CAST(pair.other_offences AS VARCHAR), ' in ', pair.other_table_id) AS expected,
    CAST(pair.offences AS VARCHAR) AS found
FROM pair
WHERE abs(pair.offences - pair.other_offences) > 20
    AND abs(pair.offences - pair.other_offences) > pair.tolerance * abs(pair.other_offences)
