-- Each statement of a figure beside that of the same span a year earlier: from the same release, else implied by the
-- printed percentage, else from another release. A percentage implies a base only where just one whole number gives
-- it, to the last digit that the table prints: rounded to 0.1, that holds for small counts alone.
WITH printed_change AS (
    SELECT
        release_order.release_order, series.series_number, printed.period_end, printed.printed, printed.printed_marker,
        0.5e0 * printed_step.step AS half
    FROM core.recorded_crime_printed AS printed
    INNER JOIN work.release_order AS release_order ON release_order.release_id = printed.release_id
    INNER JOIN work.series AS series
        ON series.area_code = printed.area_code
        AND series.offence_id = printed.offence_id
        AND series.span = printed.span
    LEFT JOIN work.printed_step AS printed_step
        ON printed_step.release_id = printed.release_id AND printed_step.table_id = printed.table_id
    WHERE printed.table_id = 'P2'
),
current_figure AS (
    SELECT
        figure.*,
        last_day(CAST(figure.period_end - INTERVAL 1 YEAR AS DATE)) AS previous_end,
        CAST(figure.period_start - INTERVAL 1 YEAR AS DATE) AS previous_start
    FROM work.figure_history AS figure
),
beside AS (
    SELECT
        figure.*,
        same_release.offences AS same_offences,
        same_release.reporting AS same_reporting,
        same_release.fraud AS same_fraud,
        printed.printed_marker,
        printed.printed,
        printed.half,
        figure.offences / (1e0 + printed.printed / 100e0) AS implied_base
    FROM current_figure AS figure
    LEFT JOIN work.release_figure AS same_release
        ON same_release.release_order = figure.release_order
        AND same_release.series_number = figure.series_number
        AND same_release.period_end = figure.previous_end
    LEFT JOIN printed_change AS printed
        ON printed.release_order = figure.release_order
        AND printed.series_number = figure.series_number
        AND printed.period_end = figure.period_end
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
),
-- What another release states of the year before can be revised while the figure itself stands: then the comparison
-- is another one from that day on.
beside_other AS (
    SELECT
        figure.release_order, figure.series_number, figure.period_end,
        other.offences, other.reporting, other.fraud,
        other.release_order AS other_order,
        CASE WHEN other.known_from > figure.known_from THEN other.known_from ELSE figure.known_from END AS known_from,
        CASE
            WHEN other.known_from > figure.known_from THEN other.known_from_on ELSE figure.known_from_on
        END AS known_from_on,
        CASE
            WHEN figure.known_to IS NULL OR other.known_to < figure.known_to THEN other.known_to
            ELSE figure.known_to
        END AS known_to,
        CASE
            WHEN figure.known_to IS NULL OR other.known_to < figure.known_to THEN other.known_to_on
            ELSE figure.known_to_on
        END AS known_to_on
    FROM implied AS figure
    INNER JOIN work.figure_history AS other
        ON other.series_number = figure.series_number AND other.period_end = figure.previous_end
    WHERE figure.same_offences IS NULL
        AND figure.implied_offences IS NULL
        AND (figure.known_to IS NULL OR other.known_from < figure.known_to)
        AND (other.known_to IS NULL OR other.known_to > figure.known_from)
),
first_other AS (
    SELECT
        other.release_order, other.series_number, other.period_end,
        min(other.known_from) AS known_from,
        min(other.known_from_on) AS known_from_on
    FROM beside_other AS other
    GROUP BY other.release_order, other.series_number, other.period_end
),
other_release AS (
    SELECT other.*
    FROM beside_other AS other
    UNION ALL
    -- The year before was not known yet.
    SELECT
        figure.release_order, figure.series_number, figure.period_end,
        CAST(NULL AS BIGINT) AS offences,
        CAST(NULL AS BIGINT) AS reporting,
        CAST(NULL AS BIGINT) AS fraud,
        CAST(NULL AS INTEGER) AS other_order,
        figure.known_from, figure.known_from_on,
        first_other.known_from AS known_to,
        first_other.known_from_on AS known_to_on
    FROM first_other
    INNER JOIN work.figure_history AS figure
        ON figure.release_order = first_other.release_order
        AND figure.series_number = first_other.series_number
        AND figure.period_end = first_other.period_end
    WHERE first_other.known_from > figure.known_from
)
SELECT
    figure.release_order,
    figure.position,
    figure.series_number,
    figure.period_end,
    figure.period_start,
    figure.previous_start,
    figure.offences,
    figure.offences_marker,
    figure.is_derived,
    figure.is_aggregate,
    figure.population,
    figure.population_mid_year,
    figure.printed_marker,
    coalesce(figure.same_offences, figure.implied_offences, other_release.offences) AS previous_offences,
    CASE
        WHEN figure.same_offences IS NOT NULL THEN 'same_release'
        WHEN figure.implied_offences IS NOT NULL THEN 'implied_by_P2'
        WHEN other_release.offences IS NOT NULL THEN 'other_release'
    END AS previous_source,
    CASE
        WHEN figure.same_offences IS NOT NULL OR figure.implied_offences IS NOT NULL THEN figure.release_order
        WHEN other_release.offences IS NOT NULL THEN other_release.other_order
    END AS previous_release_order,
    CASE
        WHEN figure.same_offences IS NOT NULL THEN
            figure.same_reporting IS NOT DISTINCT FROM figure.reporting
            AND figure.same_fraud IS NOT DISTINCT FROM figure.fraud
        WHEN figure.implied_offences IS NOT NULL THEN TRUE
        WHEN other_release.offences IS NOT NULL THEN
            other_release.reporting IS NOT DISTINCT FROM figure.reporting
            AND other_release.fraud IS NOT DISTINCT FROM figure.fraud
        ELSE TRUE
    END AS same_coverage_as_before,
    CASE WHEN other_release.release_order IS NULL THEN figure.known_from ELSE other_release.known_from END AS known_from,
    CASE
        WHEN other_release.release_order IS NULL THEN figure.known_from_on ELSE other_release.known_from_on
    END AS known_from_on,
    CASE WHEN other_release.release_order IS NULL THEN figure.known_to ELSE other_release.known_to END AS known_to,
    CASE
        WHEN other_release.release_order IS NULL THEN figure.known_to_on ELSE other_release.known_to_on
    END AS known_to_on
FROM implied AS figure
LEFT JOIN other_release
    ON other_release.release_order = figure.release_order
    AND other_release.series_number = figure.series_number
    AND other_release.period_end = figure.period_end
