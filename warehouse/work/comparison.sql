-- The newest statement of each figure beside that of the same span a year earlier: from the same release,
-- else implied by the printed percentage, else from another release.
WITH current_figure AS (
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
        CAST(round(figure.offences / (1e0 + printed.printed / 100e0)) AS BIGINT) AS implied_offences,
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
    LEFT JOIN core.recorded_crime_printed AS printed
        ON printed.release_id = figure.release_id
        AND printed.table_id = 'P2'
        AND printed.area_code = figure.area_code
        AND printed.offence_id = figure.offence_id
        AND printed.span = figure.span
        AND printed.period_end = figure.period_end
    LEFT JOIN work.newest_figure AS other_release
        ON other_release.area_code = figure.area_code
        AND other_release.offence_id = figure.offence_id
        AND other_release.span = figure.span
        AND other_release.period_end = figure.previous_end
)
SELECT
    beside.*,
    coalesce(beside.same_offences, beside.implied_offences, beside.other_offences) AS previous_offences,
    CASE
        WHEN beside.same_offences IS NOT NULL THEN 'same_release'
        WHEN beside.implied_offences IS NOT NULL THEN 'implied_by_P2'
        WHEN beside.other_offences IS NOT NULL THEN 'other_release'
    END AS previous_source,
    CASE
        WHEN beside.same_offences IS NOT NULL OR beside.implied_offences IS NOT NULL THEN beside.release_id
        WHEN beside.other_offences IS NOT NULL THEN beside.other_release_id
    END AS previous_release_id,
    CASE
        WHEN beside.same_offences IS NOT NULL THEN
            beside.same_reporting IS NOT DISTINCT FROM beside.reporting
            AND beside.same_fraud IS NOT DISTINCT FROM beside.fraud
        WHEN beside.implied_offences IS NOT NULL THEN TRUE
        WHEN beside.other_offences IS NOT NULL THEN
            beside.other_reporting IS NOT DISTINCT FROM beside.reporting
            AND beside.other_fraud IS NOT DISTINCT FROM beside.fraud
        ELSE TRUE
    END AS same_coverage_as_before
FROM beside
