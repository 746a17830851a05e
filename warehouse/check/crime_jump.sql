-- Changes on the year beyond what forces have shown since 2003: totals between -25% and +50%, groups on a base of 200
-- and more between -50% and +250%. Not fraud, which forces handed over one by one; changes across breaks are null.
SELECT
    trend.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', trend.table_id, trend.area_code, trend.offence_id, trend.span, CAST(trend.period_end AS VARCHAR))
        AS figure,
    concat('near ', CAST(trend.previous_offences AS VARCHAR), ', the year before') AS expected,
    CAST(trend.offences AS VARCHAR) AS found
FROM mart.crime_trend AS trend
INNER JOIN ref.offence AS offence
    ON offence.offence_id = trend.offence_id AND offence.level IN ('total', 'group')
WHERE trend.span = 'year'
    AND trend.level = 'police_force'
    AND trend.offence_id NOT IN ('fraud_offences', 'total_including_fraud')
    AND trend.previous_offences >= 200
    AND CASE offence.level
        WHEN 'total' THEN trend.change_percent < -25e0 OR trend.change_percent > 50e0
        ELSE trend.change_percent < -50e0 OR trend.change_percent > 250e0
    END
