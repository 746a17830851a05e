-- Every series of recorded crime, an area, an offence and a span, and what holds for all of it. They go by number in the
-- order of their names, since these are long and figures are many.
WITH named AS (
    SELECT crime.area_code, crime.offence_id, crime.span
    FROM core.recorded_crime AS crime
    UNION
    SELECT total.area_code, total.offence_id, total.span
    FROM core.recorded_crime_total AS total
),
level AS (
    SELECT area_level.area_code, min(area_level.level) AS level
    FROM ref.area_level AS area_level
    WHERE area_level.level IN ('country', 'region', 'police_force', 'csp', 'other')
    GROUP BY area_level.area_code
)
SELECT
    CAST(row_number() OVER (ORDER BY named.area_code, named.offence_id, named.span) AS INTEGER) AS series_number,
    named.area_code,
    named.offence_id,
    named.span,
    coalesce(area.area_name, named.area_code) AS area_name,
    level.level,
    offence.name AS offence_name,
    coalesce(area.has_resident_rate, FALSE) AS has_resident_rate
FROM named
INNER JOIN ref.offence AS offence ON offence.offence_id = named.offence_id
LEFT JOIN ref.area AS area ON area.area_code = named.area_code
LEFT JOIN level ON level.area_code = named.area_code
