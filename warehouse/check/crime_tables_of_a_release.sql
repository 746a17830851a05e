-- Two tables of one release print the same figure alike (P1 and C2); marts take the first.
WITH printed AS (
    SELECT
        crime.release_id, crime.sha256, crime.table_id, crime.area_code, crime.offence_id, crime.span,
        crime.period_end, crime.offences, source_table.position
    FROM core.recorded_crime AS crime
    INNER JOIN input.release AS release ON release.release_id = crime.release_id
    INNER JOIN input.source_table AS source_table
        ON source_table.source = release.source AND source_table.table_id = crime.table_id
    INNER JOIN (
        SELECT DISTINCT several.release_id
        FROM core.recorded_crime AS several
        GROUP BY several.release_id
        HAVING min(several.table_id) <> max(several.table_id)
    ) AS of_tables ON of_tables.release_id = crime.release_id
)
SELECT
    other.release_id,
    other.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', other.table_id, other.area_code, other.offence_id, other.span, CAST(other.period_end AS VARCHAR)
    ) AS figure,
    concat(CAST(one.offences AS VARCHAR), ' in ', one.table_id) AS expected,
    CAST(other.offences AS VARCHAR) AS found
FROM printed AS one
INNER JOIN printed AS other
    ON other.release_id = one.release_id
    AND other.area_code = one.area_code
    AND other.offence_id = one.offence_id
    AND other.span = one.span
    AND other.period_end = one.period_end
    AND other.position > one.position
WHERE other.offences <> one.offences
