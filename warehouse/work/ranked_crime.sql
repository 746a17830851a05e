-- Every area of every ranking of crime rates of a year, and why it is not ranked where it is not. Offences that are
-- found by police activity (drugs, weapons) say what the police did, and fraud is not recorded by forces.
WITH stated AS (
    SELECT
        trend.*,
        offence.level AS offence_level,
        release.published_on,
        release.published_at,
        source_table.fineness
    FROM mart.crime_trend AS trend
    INNER JOIN ref.offence AS offence ON offence.offence_id = trend.offence_id
    INNER JOIN input.release AS release ON release.release_id = trend.release_id
    INNER JOIN input.source_table AS source_table
        ON source_table.source = release.source AND source_table.table_id = trend.table_id
    WHERE trend.span = 'year'
        AND (
            (trend.level IN ('police_force', 'region') AND offence.level IN ('total', 'group', 'subgroup'))
            OR (trend.level = 'csp' AND offence.level IN ('total', 'group'))
        )
        AND trend.offence_id NOT IN (
            'total_including_fraud', 'fraud_offences', 'drug_offences', 'trafficking_of_drugs',
            'possession_of_drugs', 'possession_of_weapons_offences'
        )
),
ordered AS (
    SELECT
        stated.*,
        -- One release a ranking: two can cut the country differently.
        dense_rank() OVER (
            PARTITION BY stated.level, stated.offence_id, stated.period_end
            ORDER BY
                stated.published_on DESC, stated.fineness DESC, stated.published_at DESC, stated.release_id DESC
        ) AS recency
    FROM stated
)
SELECT
    ordered.area_code,
    ordered.level,
    ordered.offence_id,
    ordered.period_end,
    ordered.period_start,
    ordered.area_name,
    ordered.offence_name,
    ordered.offences,
    ordered.population,
    ordered.population_mid_year,
    ordered.rate_per_1000,
    ordered.rate_low_per_1000,
    ordered.rate_high_per_1000,
    CASE WHEN ordered.change IS NOT NULL THEN ordered.previous_offences END AS previous_offences,
    coalesce(
        ordered.rate_reason,
        CASE WHEN ordered.rate_per_1000 IS NULL THEN 'no_data' END
    ) AS exclusion_reason,
    ordered.release_id,
    ordered.table_id,
    ordered.is_derived,
    ordered.is_modelled
FROM ordered
WHERE ordered.recency = 1
