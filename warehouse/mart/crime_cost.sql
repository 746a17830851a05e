-- Recorded offences times the average cost of a reoffence, where a group of recorded crime bears the name of a costed one.
SELECT
    trend.area_code,
    trend.offence_id,
    trend.period_end,
    trend.period_start,
    trend.area_name,
    trend.level,
    trend.offence_name,
    trend.offences,
    cost.unit_cost_pounds,
    CASE WHEN trend.offences >= 0 THEN CAST(trend.offences AS DOUBLE) * cost.unit_cost_pounds END AS cost_pounds,
    cost.price_base,
    cost.cohort_year,
    CASE
        WHEN trend.offences IS NULL THEN 'no_data'
        WHEN trend.offences < 0 THEN 'negative_count'
    END AS reason,
    coalesce(figure.is_whole, TRUE) AS is_whole,
    trend.release_id,
    trend.is_modelled
FROM mart.crime_trend AS trend
INNER JOIN ref.unit_cost AS cost ON cost.offence_id = trend.offence_id
LEFT JOIN work.newest_figure AS figure
    ON figure.area_code = trend.area_code
    AND figure.offence_id = trend.offence_id
    AND figure.span = trend.span
    AND figure.period_end = trend.period_end
WHERE trend.span = 'year'
