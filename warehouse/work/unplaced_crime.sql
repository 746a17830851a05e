-- Lines kept out because no area, or more than one, bears the published name.
SELECT
    line.release_id,
    line.sha256,
    line.sheet,
    line.row,
    line.column,
    'unknown_area' AS rule,
    line.level,
    line.area_name AS published_name,
    line.period_end,
    line.offence_id,
    line.value
FROM work.placed_crime AS line
WHERE line.area_code IS NULL
