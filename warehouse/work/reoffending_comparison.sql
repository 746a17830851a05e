-- The newest statement of each figure beside that of the same span a year before: from the same release, else
-- from another one. Where only the code of an area changed, the year before stands under the other code.
WITH former AS (
    SELECT change.to_code AS area_code, min(change.from_code) AS former_code
    FROM ref.area_change AS change
    WHERE change.kind = 'recode'
    GROUP BY change.to_code
    HAVING count(DISTINCT change.from_code) = 1
),
current_figure AS (
    SELECT
        figure.*,
        former.former_code,
        last_day(CAST(figure.cohort_end - INTERVAL 1 YEAR AS DATE)) AS previous_end,
        CAST(figure.cohort_start - INTERVAL 1 YEAR AS DATE) AS previous_start,
        min(figure.cohort_end) OVER (
            PARTITION BY figure.measure, figure.span, figure.age_group, coalesce(former.former_code, figure.area_code)
        ) AS first_cohort_end
    FROM work.newest_reoffending AS figure
    LEFT JOIN former ON former.area_code = figure.area_code
),
candidate AS (
    SELECT
        figure.area_code, figure.measure, figure.span, figure.cohort_end, figure.age_group,
        'same_release' AS previous_source, previous.release_id, previous.area_code AS previous_area_code,
        previous.offenders, previous.reoffenders
    FROM current_figure AS figure
    INNER JOIN work.reoffending_figure AS previous
        ON previous.release_id = figure.release_id
        AND previous.measure = figure.measure
        AND previous.span = figure.span
        AND previous.age_group = figure.age_group
        AND previous.cohort_end = figure.previous_end
    WHERE previous.area_code IN (figure.area_code, figure.former_code)
    UNION ALL
    SELECT
        figure.area_code, figure.measure, figure.span, figure.cohort_end, figure.age_group,
        'other_release' AS previous_source, previous.release_id, previous.area_code AS previous_area_code,
        previous.offenders, previous.reoffenders
    FROM current_figure AS figure
    INNER JOIN work.newest_reoffending AS previous
        ON previous.measure = figure.measure
        AND previous.span = figure.span
        AND previous.age_group = figure.age_group
        AND previous.cohort_end = figure.previous_end
    WHERE previous.area_code IN (figure.area_code, figure.former_code) AND previous.release_id <> figure.release_id
),
ordered AS (
    SELECT
        candidate.*,
        row_number() OVER (
            PARTITION BY
                candidate.area_code, candidate.measure, candidate.span, candidate.cohort_end, candidate.age_group
            ORDER BY
                -- What the same release withholds is not taken from another one: it would be no trend.
                CASE candidate.previous_source WHEN 'same_release' THEN 1 ELSE 2 END,
                CASE WHEN candidate.reoffenders IS NULL THEN 2 ELSE 1 END,
                CASE WHEN candidate.previous_area_code = candidate.area_code THEN 1 ELSE 2 END
        ) AS preference
    FROM candidate
),
measured_otherwise AS (
    SELECT DISTINCT other.area_code, other.measure, other.span, other.cohort_end, other.age_group
    FROM work.newest_reoffending AS other
),
break AS (
    SELECT
        figure.span, figure.cohort_end, figure.area_code,
        string_agg(DISTINCT b.break_id, ';' ORDER BY b.break_id) AS break_ids,
        max(CASE WHEN b.action = 'null' THEN 1 ELSE 0 END) = 1 AS is_blocking
    FROM (
        SELECT DISTINCT each.span, each.cohort_end, each.previous_start, each.area_code
        FROM current_figure AS each
    ) AS figure
    INNER JOIN ref.series_break AS b
        ON b.start_date <= figure.cohort_end
        AND coalesce(b.end_date, b.start_date) > figure.previous_start
    WHERE b.series = 'proven_reoffending'
        AND (b.area_codes IS NULL OR concat('; ', b.area_codes, ';') LIKE concat('%; ', figure.area_code, ';%'))
    GROUP BY figure.span, figure.cohort_end, figure.area_code
),
area_break AS (
    SELECT figure.area_code, figure.span, figure.cohort_end, min(change.kind) AS kind
    FROM (
        SELECT DISTINCT each.area_code, each.span, each.cohort_end, each.previous_start
        FROM current_figure AS each
    ) AS figure
    INNER JOIN work.area_break AS change
        ON change.area_code = figure.area_code
        AND change.changed_on > figure.previous_start
        AND change.changed_on <= figure.cohort_end
    GROUP BY figure.area_code, figure.span, figure.cohort_end
)
SELECT
    figure.*,
    previous.previous_area_code,
    previous.offenders AS previous_offenders,
    previous.reoffenders AS previous_reoffenders,
    previous.previous_source,
    previous.release_id AS previous_release_id,
    break.break_ids,
    CASE
        WHEN figure.reoffenders IS NULL OR coalesce(figure.offenders, 0) = 0 THEN 'no_data'
        WHEN area_break.kind IS NOT NULL THEN area_break.kind
        WHEN coalesce(break.is_blocking, FALSE) THEN 'measure_break'
        WHEN previous.area_code IS NULL
            AND figure.cohort_end = figure.first_cohort_end
            AND measured_otherwise.area_code IS NOT NULL THEN 'measure_break'
        WHEN previous.area_code IS NULL THEN 'no_previous'
        WHEN previous.reoffenders IS NULL OR coalesce(previous.offenders, 0) = 0 THEN 'no_previous'
    END AS reason
FROM current_figure AS figure
LEFT JOIN ordered AS previous
    ON previous.area_code = figure.area_code
    AND previous.measure = figure.measure
    AND previous.span = figure.span
    AND previous.cohort_end = figure.cohort_end
    AND previous.age_group = figure.age_group
    AND previous.preference = 1
LEFT JOIN measured_otherwise
    ON measured_otherwise.area_code = figure.area_code
    AND measured_otherwise.measure <> figure.measure
    AND measured_otherwise.span = figure.span
    AND measured_otherwise.cohort_end = figure.previous_end
    AND measured_otherwise.age_group = figure.age_group
LEFT JOIN break
    ON break.span = figure.span AND break.cohort_end = figure.cohort_end AND break.area_code = figure.area_code
LEFT JOIN area_break
    ON area_break.area_code = figure.area_code
    AND area_break.span = figure.span
    AND area_break.cohort_end = figure.cohort_end
