-- No period ends after the day on which its release was published.
WITH period AS (
    SELECT crime.release_id, crime.sha256, crime.table_id, crime.span, crime.period_end
    FROM core.recorded_crime AS crime
    UNION ALL
    SELECT printed.release_id, printed.sha256, printed.table_id, printed.span, printed.period_end
    FROM core.recorded_crime_printed AS printed
)
SELECT DISTINCT
    period.release_id,
    period.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', period.table_id, period.span, CAST(period.period_end AS VARCHAR)) AS figure,
    concat('published on ', CAST(release.published_on AS VARCHAR)) AS expected,
    CAST(period.period_end AS VARCHAR) AS found
FROM period
INNER JOIN input.release AS release ON release.release_id = period.release_id
WHERE period.period_end > release.published_on
