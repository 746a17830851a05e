-- The areas that stand today, at each level at which they stand, back through the changes that carry whole areas over:
-- the figure of the own code where it is published, else that of the one code before it, else the sum of the parts,
-- the newest statement of each. What adds up as a lower tier may not as an upper tier.
WITH today AS (
    SELECT area_level.area_code, area_level.level
    FROM ref.area_level AS area_level
    WHERE area_level.ends_on IS NULL
),
-- What is stated of any former area where nothing is stated of the area itself.
former_figure AS (
    SELECT
        former.area_code AS heir_code, former.level, former.reason AS break_reason,
        figure.area_code, figure.measure, figure.span, figure.cohort_end, figure.age_group, figure.cohort_start,
        figure.offenders, figure.reoffenders, figure.reoffences,
        figure.release_id, release.published_at, release.is_modelled
    FROM work.area_former AS former
    INNER JOIN today ON today.area_code = former.area_code AND today.level = former.level
    INNER JOIN work.newest_reoffending AS figure ON figure.area_code = former.former_code
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    LEFT JOIN work.newest_reoffending AS own
        ON own.area_code = former.area_code
        AND own.measure = figure.measure
        AND own.span = figure.span
        AND own.cohort_end = figure.cohort_end
        AND own.age_group = figure.age_group
    WHERE own.area_code IS NULL
),
nearest AS (
    SELECT
        figure.*, part.first_code, part.parts, part.is_recode,
        row_number() OVER (
            PARTITION BY
                part.level, part.area_code, part.first_code,
                figure.measure, figure.span, figure.cohort_end, figure.age_group
            ORDER BY part.steps
        ) AS nearness
    FROM work.area_part AS part
    INNER JOIN former_figure AS figure
        ON figure.level = part.level AND figure.heir_code = part.area_code AND figure.area_code = part.part_code
),
whole AS (
    SELECT
        nearest.level, nearest.heir_code, nearest.measure, nearest.span, nearest.cohort_end, nearest.age_group
    FROM nearest
    WHERE nearest.nearness = 1
    GROUP BY nearest.level, nearest.heir_code, nearest.measure, nearest.span, nearest.cohort_end, nearest.age_group
    HAVING count(*) = max(nearest.parts)
),
-- One figure can stand for several first parts: it counts once.
added AS (
    SELECT DISTINCT
        nearest.level, nearest.heir_code, nearest.area_code, nearest.is_recode,
        nearest.measure, nearest.span, nearest.cohort_end, nearest.age_group,
        nearest.offenders, nearest.reoffenders, nearest.reoffences
    FROM nearest
    INNER JOIN whole
        ON whole.level = nearest.level
        AND whole.heir_code = nearest.heir_code
        AND whole.measure = nearest.measure
        AND whole.span = nearest.span
        AND whole.cohort_end = nearest.cohort_end
        AND whole.age_group = nearest.age_group
    WHERE nearest.nearness = 1
),
total AS (
    SELECT
        added.level, added.heir_code, added.measure, added.span, added.cohort_end, added.age_group,
        CASE WHEN count(added.offenders) = count(*) THEN CAST(sum(added.offenders) AS BIGINT) END AS offenders,
        CASE WHEN count(added.reoffenders) = count(*) THEN CAST(sum(added.reoffenders) AS BIGINT) END AS reoffenders,
        CASE WHEN count(added.reoffences) = count(*) THEN CAST(sum(added.reoffences) AS BIGINT) END AS reoffences,
        max(CASE WHEN added.is_recode THEN 1 ELSE 0 END) = 1 AS is_recode,
        count(added.offenders) = count(*) AND count(added.reoffenders) = count(*) AS is_known,
        string_agg(added.area_code, '; ' ORDER BY added.area_code) AS part_codes
    FROM added
    GROUP BY added.level, added.heir_code, added.measure, added.span, added.cohort_end, added.age_group
),
-- What a line rests on: the parts where they are whole, else whatever former area has a figure.
newest AS (
    SELECT
        figure.*,
        row_number() OVER (
            PARTITION BY
                figure.level, figure.heir_code, figure.measure, figure.span, figure.cohort_end, figure.age_group
            ORDER BY
                CASE WHEN added.area_code IS NULL THEN 2 ELSE 1 END,
                figure.published_at DESC,
                figure.release_id DESC,
                figure.area_code
        ) AS recency,
        min(figure.break_reason) OVER (
            PARTITION BY
                figure.level, figure.heir_code, figure.measure, figure.span, figure.cohort_end, figure.age_group
        ) AS reason,
        max(CASE WHEN figure.is_modelled THEN 1 ELSE 0 END) OVER (
            PARTITION BY
                figure.level, figure.heir_code, figure.measure, figure.span, figure.cohort_end, figure.age_group
        ) = 1 AS is_any_modelled
    FROM former_figure AS figure
    LEFT JOIN added
        ON added.level = figure.level
        AND added.heir_code = figure.heir_code
        AND added.area_code = figure.area_code
        AND added.measure = figure.measure
        AND added.span = figure.span
        AND added.cohort_end = figure.cohort_end
        AND added.age_group = figure.age_group
),
series AS (
    SELECT
        figure.area_code, today.level, figure.measure, figure.span, figure.cohort_end, figure.age_group,
        figure.cohort_start, figure.offenders, figure.reoffenders, figure.reoffences,
        'as_published' AS made_by, CAST(NULL AS VARCHAR) AS part_codes,
        CASE WHEN figure.offenders IS NULL OR figure.reoffenders IS NULL THEN 'no_data' END AS reason,
        figure.release_id, release.is_modelled
    FROM work.newest_reoffending AS figure
    INNER JOIN today ON today.area_code = figure.area_code
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    UNION ALL
    SELECT
        newest.heir_code AS area_code, newest.level, newest.measure, newest.span, newest.cohort_end, newest.age_group,
        newest.cohort_start,
        CASE WHEN total.is_recode OR total.is_known THEN total.offenders END AS offenders,
        CASE WHEN total.is_recode OR total.is_known THEN total.reoffenders END AS reoffenders,
        CASE WHEN total.is_recode OR total.is_known THEN total.reoffences END AS reoffences,
        CASE WHEN total.is_recode THEN 'recoded' WHEN total.is_known THEN 'merged' END AS made_by,
        CASE WHEN total.is_recode OR total.is_known THEN total.part_codes END AS part_codes,
        CASE
            WHEN total.is_known THEN NULL
            WHEN total.heir_code IS NOT NULL THEN 'no_data'
            ELSE coalesce(newest.reason, 'no_data')
        END AS reason,
        newest.release_id, newest.is_any_modelled AS is_modelled
    FROM newest
    LEFT JOIN total
        ON total.level = newest.level
        AND total.heir_code = newest.heir_code
        AND total.measure = newest.measure
        AND total.span = newest.span
        AND total.cohort_end = newest.cohort_end
        AND total.age_group = newest.age_group
    WHERE newest.recency = 1
)
SELECT
    series.area_code,
    series.level,
    series.measure,
    series.span,
    series.cohort_end,
    series.age_group,
    series.cohort_start,
    area.area_name,
    series.offenders,
    series.reoffenders,
    series.reoffences,
    series.made_by,
    series.part_codes,
    series.reason,
    series.release_id,
    series.is_modelled
FROM series
INNER JOIN ref.area AS area ON area.area_code = series.area_code
