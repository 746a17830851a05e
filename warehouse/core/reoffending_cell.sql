SELECT
    figure.release_id,
    figure.table_id,
    figure.measure,
    figure.span,
    figure.cohort_end,
    figure.age_group,
    figure.area_code,
    figure.offenders,
    figure.offenders_marker,
    CASE
        WHEN figure.offenders_column IS NOT NULL THEN
            concat(
                substr(figure.sha256, 1, 12), '!', figure.sheet, '!', figure.offenders_column, CAST(figure.row AS VARCHAR)
            )
    END AS offenders_cell,
    figure.reoffenders,
    figure.reoffenders_marker,
    CASE
        WHEN figure.reoffenders_column IS NOT NULL THEN
            concat(
                substr(figure.sha256, 1, 12), '!', figure.sheet, '!', figure.reoffenders_column, CAST(figure.row AS VARCHAR)
            )
    END AS reoffenders_cell,
    figure.reoffences,
    figure.reoffences_marker,
    CASE
        WHEN figure.reoffences_column IS NOT NULL THEN
            concat(
                substr(figure.sha256, 1, 12), '!', figure.sheet, '!', figure.reoffences_column, CAST(figure.row AS VARCHAR)
            )
    END AS reoffences_cell
FROM core.reoffending AS figure
