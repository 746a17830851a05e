SELECT
    crime.table_name,
    crime.key,
    crime.derived,
    crime.printed,
    crime.difference,
    crime.within_tolerance
FROM work.crime_back_test AS crime
UNION ALL
SELECT
    reoffending.table_name,
    reoffending.key,
    reoffending.derived,
    reoffending.printed,
    reoffending.difference,
    reoffending.within_tolerance
FROM work.reoffending_back_test AS reoffending
