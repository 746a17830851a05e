SELECT
    b.break_id,
    b.series,
    b.kind,
    b.action,
    CAST(b.start_date AS DATE) AS start_date,
    CAST(b.end_date AS DATE) AS end_date,
    b.area_codes,
    b.offence_ids,
    b.effect,
    b.note,
    b.source,
    CAST(b.verified AS BOOLEAN) AS verified
FROM seed.series_break AS b
