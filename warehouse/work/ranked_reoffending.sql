-- Every area of every ranking of reoffending rates as it stood at any time, and why it is not ranked where it is not.
SELECT
    figure.area_code,
    area_tier.level,
    figure.measure,
    figure.span,
    figure.cohort_end,
    figure.age_group,
    figure.cohort_start,
    coalesce(area.area_name, figure.area_code) AS area_name,
    figure.offenders,
    figure.reoffenders,
    figure.design_effect,
    CASE
        WHEN figure.area_code LIKE 'x-%' THEN 'unknown_area'
        WHEN NOT coalesce(area.has_resident_rate, TRUE) THEN 'no_resident_population'
        WHEN figure.offenders IS NULL OR figure.reoffenders IS NULL THEN 'no_data'
        -- What cannot be a rate is kept in core as printed, and ranked nowhere.
        WHEN figure.reoffenders NOT BETWEEN 0 AND figure.offenders THEN 'no_data'
        WHEN figure.offenders < 30 THEN 'too_few'
    END AS exclusion_reason,
    figure.release_id,
    figure.table_id,
    figure.is_derived,
    figure.is_modelled,
    rank_release.known_from,
    rank_release.known_to,
    rank_release.known_from_on,
    rank_release.known_to_on
FROM work.reoffending_figure AS figure
INNER JOIN work.area_tier AS area_tier
    ON area_tier.release_id = figure.release_id
    AND area_tier.table_id = figure.table_id
    AND area_tier.area_code = figure.area_code
INNER JOIN work.rank_release AS rank_release
    ON rank_release.release_id = figure.release_id
    AND rank_release.level = area_tier.level
    AND rank_release.measure = figure.measure
    AND rank_release.span = figure.span
    AND rank_release.cohort_end = figure.cohort_end
    AND rank_release.age_group = figure.age_group
LEFT JOIN ref.area AS area ON area.area_code = figure.area_code
