SELECT
    figure.release_id,
    figure.table_id,
    figure.period_end,
    figure.area_code,
    figure.offenders,
    figure.offenders_marker,
    CASE
        WHEN figure.offenders_column IS NOT NULL THEN
            concat(
                substr(figure.sha256, 1, 12), '!', figure.sheet, '!', figure.offenders_column, CAST(figure.row AS VARCHAR)
            )
    END AS offenders_cell,
    figure.actual_percent,
    figure.actual_percent_marker,
    CASE
        WHEN figure.actual_percent_column IS NOT NULL THEN
            concat(
                substr(figure.sha256, 1, 12), '!', figure.sheet, '!', figure.actual_percent_column, CAST(figure.row AS VARCHAR)
            )
    END AS actual_percent_cell,
    figure.predicted_percent,
    figure.predicted_percent_marker,
    CASE
        WHEN figure.predicted_percent_column IS NOT NULL THEN
            concat(
                substr(figure.sha256, 1, 12), '!', figure.sheet, '!', figure.predicted_percent_column, CAST(figure.row AS VARCHAR)
            )
    END AS predicted_percent_cell
FROM core.local_adult_reoffending AS figure
