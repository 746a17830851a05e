-- Names that are printed without a code, with the level at which they stand and the end of the period.
SELECT line.level, line.area_key, line.period_end
FROM tidy.recorded_crime AS line
WHERE line.area_code IS NULL
UNION
SELECT line.level, line.area_key, line.cohort_end AS period_end
FROM tidy.reoffending AS line
WHERE line.area_code IS NULL
UNION
SELECT line.level, line.area_key, line.period_end
FROM tidy.local_adult_reoffending AS line
WHERE line.area_code IS NULL
