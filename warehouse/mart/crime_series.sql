-- The areas that stand today, back through the changes that carry whole areas over: the figure of the own code where
-- it is published, else that of the one code before it, else the sum of the parts, the newest statement of each.
WITH today AS (
    SELECT area_level.area_code, min(area_level.level) AS level
    FROM ref.area_level AS area_level
    WHERE area_level.ends_on IS NULL
        AND area_level.level IN ('country', 'region', 'police_force', 'csp', 'other')
    GROUP BY area_level.area_code
),
part AS (
    SELECT area_part.*
    FROM work.area_part AS area_part
    INNER JOIN today ON today.area_code = area_part.area_code AND today.level = area_part.level
),
-- What is stated of any former area where nothing is stated of the area itself.
former_figure AS (
    SELECT
        former.area_code AS heir_code, former.reason AS break_reason,
        figure.area_code, figure.offence_id, figure.span, figure.period_end, figure.period_start, figure.offences,
        figure.offences_marker, figure.release_id, release.published_at, release.is_modelled
    FROM work.area_former AS former
    INNER JOIN today ON today.area_code = former.area_code AND today.level = former.level
    INNER JOIN work.newest_figure AS figure ON figure.area_code = former.former_code
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    LEFT JOIN work.newest_figure AS own
        ON own.area_code = former.area_code
        AND own.offence_id = figure.offence_id
        AND own.span = figure.span
        AND own.period_end = figure.period_end
    WHERE own.area_code IS NULL
),
nearest AS (
    SELECT
        part.area_code AS heir_code, part.first_code, part.parts, part.is_recode,
        figure.area_code, figure.offence_id, figure.span, figure.period_end, figure.offences, figure.offences_marker,
        row_number() OVER (
            PARTITION BY part.area_code, part.first_code, figure.offence_id, figure.span, figure.period_end
            ORDER BY part.steps
        ) AS nearness
    FROM part
    INNER JOIN former_figure AS figure
        ON figure.heir_code = part.area_code AND figure.area_code = part.part_code
),
whole AS (
    SELECT nearest.heir_code, nearest.offence_id, nearest.span, nearest.period_end
    FROM nearest
    WHERE nearest.nearness = 1
    GROUP BY nearest.heir_code, nearest.offence_id, nearest.span, nearest.period_end
    HAVING count(*) = max(nearest.parts)
),
-- One figure can stand for several first parts: it counts once.
added AS (
    SELECT DISTINCT
        nearest.heir_code, nearest.area_code, nearest.is_recode, nearest.offence_id, nearest.span, nearest.period_end,
        nearest.offences, nearest.offences_marker
    FROM nearest
    INNER JOIN whole
        ON whole.heir_code = nearest.heir_code
        AND whole.offence_id = nearest.offence_id
        AND whole.span = nearest.span
        AND whole.period_end = nearest.period_end
    WHERE nearest.nearness = 1
),
total AS (
    SELECT
        added.heir_code, added.offence_id, added.span, added.period_end,
        CASE WHEN count(added.offences) = count(*) THEN CAST(sum(added.offences) AS BIGINT) END AS offences,
        CASE WHEN max(CASE WHEN added.is_recode THEN 1 ELSE 0 END) = 1 THEN min(added.offences_marker) END
            AS offences_marker,
        max(CASE WHEN added.is_recode THEN 1 ELSE 0 END) = 1 AS is_recode,
        count(added.offences) = count(*) AS is_known,
        string_agg(added.area_code, '; ' ORDER BY added.area_code) AS part_codes
    FROM added
    GROUP BY added.heir_code, added.offence_id, added.span, added.period_end
),
-- What a line rests on: the parts where they are whole, else whatever former area has a figure.
newest AS (
    SELECT
        figure.*,
        row_number() OVER (
            PARTITION BY figure.heir_code, figure.offence_id, figure.span, figure.period_end
            ORDER BY
                CASE WHEN added.area_code IS NULL THEN 2 ELSE 1 END,
                figure.published_at DESC,
                figure.release_id DESC,
                figure.area_code
        ) AS recency,
        min(figure.break_reason) OVER (
            PARTITION BY figure.heir_code, figure.offence_id, figure.span, figure.period_end
        ) AS reason,
        max(CASE WHEN figure.is_modelled THEN 1 ELSE 0 END) OVER (
            PARTITION BY figure.heir_code, figure.offence_id, figure.span, figure.period_end
        ) = 1 AS is_any_modelled
    FROM former_figure AS figure
    LEFT JOIN added
        ON added.heir_code = figure.heir_code
        AND added.area_code = figure.area_code
        AND added.offence_id = figure.offence_id
        AND added.span = figure.span
        AND added.period_end = figure.period_end
),
series AS (
    SELECT
        figure.area_code, figure.offence_id, figure.span, figure.period_end, figure.period_start, figure.offences,
        figure.offences_marker, 'as_published' AS made_by, CAST(NULL AS VARCHAR) AS part_codes,
        CASE WHEN figure.offences IS NULL THEN 'no_data' END AS reason,
        figure.release_id, figure.is_whole, release.is_modelled
    FROM work.newest_figure AS figure
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    UNION ALL
    SELECT
        newest.heir_code AS area_code, newest.offence_id, newest.span, newest.period_end, newest.period_start,
        total.offences, total.offences_marker,
        CASE WHEN total.is_recode THEN 'recoded' WHEN total.is_known THEN 'merged' END AS made_by,
        CASE WHEN total.is_recode OR total.is_known THEN total.part_codes END AS part_codes,
        CASE
            WHEN total.is_known THEN NULL
            WHEN total.heir_code IS NOT NULL THEN 'no_data'
            ELSE coalesce(newest.reason, 'no_data')
        END AS reason,
        newest.release_id, TRUE AS is_whole, newest.is_any_modelled AS is_modelled
    FROM newest
    LEFT JOIN total
        ON total.heir_code = newest.heir_code
        AND total.offence_id = newest.offence_id
        AND total.span = newest.span
        AND total.period_end = newest.period_end
    WHERE newest.recency = 1
)
SELECT
    series.area_code,
    series.offence_id,
    series.span,
    series.period_end,
    series.period_start,
    area.area_name,
    today.level,
    offence.name AS offence_name,
    series.offences,
    series.offences_marker,
    series.made_by,
    series.part_codes,
    series.reason,
    series.is_whole,
    series.release_id,
    series.is_modelled
FROM series
INNER JOIN today ON today.area_code = series.area_code
INNER JOIN ref.area AS area ON area.area_code = series.area_code
INNER JOIN ref.offence AS offence ON offence.offence_id = series.offence_id
