SELECT
    cost.offence_group,
    cost.offence_id,
    CAST(cost.unit_cost_pounds AS DOUBLE) AS unit_cost_pounds,
    CAST(cost.anticipation_pounds AS DOUBLE) AS anticipation_pounds,
    CAST(cost.consequence_pounds AS DOUBLE) AS consequence_pounds,
    CAST(cost.response_pounds AS DOUBLE) AS response_pounds,
    CAST(cost.wider_reoffences AS DOUBLE) AS wider_reoffences,
    CAST(cost.cohort_year AS INTEGER) AS cohort_year,
    cost.price_base,
    cost.source,
    cost.note
FROM seed.unit_cost AS cost
