-- The newest statement of each figure beside that of the same span a year earlier: from the same release,
-- else implied by the printed percentage, else from another release. A percentage implies a base only where just one
-- whole number gives it, to the last digit that the table prints: rounded to 0.1, that holds for small counts alone.
WITH printed_change AS (
    SELECT printed.*
    FROM core.recorded_crime_printed AS printed
    WHERE printed.table_id = 'P2'
),
current_figure AS (
    SELECT
        figure.*,
        last_day(CAST(figure.period_end - INTERVAL 1 YEAR AS DATE)) AS previous_end,
        CAST(figure.period_start - INTERVAL 1 YEAR AS DATE) AS previous_start
    FROM work.newest_figure AS figure
),
beside AS (
    SELECT
        figure.*,
        same_release.offences AS same_offences,
        same_release.reporting AS same_reporting,
        same_release.fraud AS same_fraud,
        printed.printed_marker,
        printed.printed,
        0.5e0 * printed_step.step AS half,
        figure.offences / (1e0 + printed.printed / 100e0) AS implied_base,
        other_release.offences AS other_offences,
        other_release.reporting AS other_reporting,
        other_release.fraud AS other_fraud,
        other_release.release_id AS other_release_id
    FROM current_figure AS figure
    LEFT JOIN work.release_figure AS same_release
        ON same_release.release_id = figure.release_id
        AND same_release.area_code = figure.area_code
        AND same_release.offence_id = figure.offence_id
        AND same_release.span = figure.span
        AND same_release.period_end = figure.previous_end
    LEFT JOIN printed_change AS printed
        ON printed.release_id = figure.release_id
        AND printed.area_code = figure.area_code
        AND printed.offence_id = figure.offence_id
        AND printed.span = figure.span
        AND printed.period_end = figure.period_end
    LEFT JOIN work.printed_step AS printed_step
        ON printed_step.release_id = printed.release_id AND printed_step.table_id = printed.table_id
    LEFT JOIN work.newest_figure AS other_release
        ON other_release.area_code = figure.area_code
        AND other_release.offence_id = figure.offence_id
        AND other_release.span = figure.span
        AND other_release.period_end = figure.previous_end
),
implied AS (
    SELECT
        beside.*,
        CASE
            WHEN abs(100e0 * (beside.offences / round(beside.implied_base) - 1e0) - beside.printed)
                <= beside.half + 1e-9
                AND round(beside.offences / (1e0 + (beside.printed + beside.half) / 100e0))
                    = round(beside.offences / (1e0 + (beside.printed - beside.half) / 100e0))
                THEN CAST(round(beside.implied_base) AS BIGINT)
        END AS implied_offences
    FROM beside
)
SELECT
    implied.*,
    coalesce(implied.same_offences, implied.implied_offences, implied.other_offences) AS previous_offences,
    CASE
        WHEN implied.same_offences IS NOT NULL THEN 'same_release'
        WHEN implied.implied_offences IS NOT NULL THEN 'implied_by_P2'
        WHEN implied.other_offences IS NOT NULL THEN 'other_release'
    END AS previous_source,
    CASE
        WHEN implied.same_offences IS NOT NULL OR implied.implied_offences IS NOT NULL THEN implied.release_id
        WHEN implied.other_offences IS NOT NULL THEN implied.other_release_id
    END AS previous_release_id,
    CASE
        WHEN implied.same_offences IS NOT NULL THEN
            implied.same_reporting IS NOT DISTINCT FROM implied.reporting
            AND implied.same_fraud IS NOT DISTINCT FROM implied.fraud
        WHEN implied.implied_offences IS NOT NULL THEN TRUE
        WHEN implied.other_offences IS NOT NULL THEN
            implied.other_reporting IS NOT DISTINCT FROM implied.reporting
            AND implied.other_fraud IS NOT DISTINCT FROM implied.fraud
        ELSE TRUE
    END AS same_coverage_as_before
FROM implied
