-- What a release states otherwise than the one of its source before it that stated the same figure.
SELECT
    statement.table_name,
    concat_ws(
        '|', statement.area_code, statement.offence_id, statement.measure, statement.age_group, statement.span,
        CAST(statement.period_end AS VARCHAR)
    ) AS key,
    statement.area_code,
    statement.offence_id,
    statement.measure,
    statement.age_group,
    statement.span,
    statement.period_end,
    statement.figure,
    statement.release_id,
    statement.previous_release_id,
    release.published_on,
    coalesce(area.area_name, statement.area_code) AS area_name,
    area_level.level,
    offence.name AS offence_name,
    statement.value,
    statement.marker,
    statement.previous_value,
    statement.previous_marker,
    statement.value - statement.previous_value AS revised_by,
    100e0 * (statement.value - statement.previous_value) / nullif(abs(statement.previous_value), 0e0)
        AS revised_by_percent,
    release.is_modelled
FROM work.statement AS statement
INNER JOIN input.release AS release ON release.release_id = statement.release_id
LEFT JOIN ref.area AS area ON area.area_code = statement.area_code
LEFT JOIN (
    SELECT each.area_code, min(each.level) AS level
    FROM ref.area_level AS each
    WHERE each.level <> 'lower_tier'
    GROUP BY each.area_code
) AS area_level ON area_level.area_code = statement.area_code
LEFT JOIN ref.offence AS offence ON offence.offence_id = statement.offence_id
WHERE statement.previous_release_id IS NOT NULL
    AND statement.value IS DISTINCT FROM statement.previous_value
