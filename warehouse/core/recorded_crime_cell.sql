SELECT
    crime.release_id,
    crime.table_id,
    crime.area_code,
    crime.offence_id,
    crime.span,
    crime.period_end,
    crime.offences,
    crime.offences_marker,
    concat(substr(crime.sha256, 1, 12), '!', crime.sheet, '!', crime.offences_column, CAST(crime.row AS VARCHAR))
        AS cell
FROM core.recorded_crime AS crime
