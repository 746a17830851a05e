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
    line.nearest_names,
    line.period_end,
    line.offence_id AS figure,
    line.value
FROM work.placed_crime AS line
WHERE line.area_code IS NULL
UNION ALL
SELECT
    line.release_id,
    line.sha256,
    line.sheet,
    line.row,
    line.offenders_column AS column,
    'unknown_area' AS rule,
    line.level,
    line.area_name AS published_name,
    line.nearest_names,
    line.cohort_end AS period_end,
    concat(line.age_group, ' offenders') AS figure,
    CAST(line.offenders AS DOUBLE) AS value
FROM work.placed_reoffending AS line
WHERE line.area_code IS NULL
UNION ALL
SELECT
    line.release_id,
    line.sha256,
    line.sheet,
    line.row,
    line.actual_percent_column AS column,
    'unknown_area' AS rule,
    line.level,
    line.area_name AS published_name,
    line.nearest_names,
    line.period_end,
    'actual_percent' AS figure,
    line.actual_percent AS value
FROM work.placed_local_adult AS line
WHERE line.area_code IS NULL
