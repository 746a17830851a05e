-- Figures that were stated before by the same table of the same source, counted: more than one in ten that moves by a
-- quarter and 50 offences is no revision but figures in the wrong places.
WITH stated AS (
    SELECT
        crime.release_id,
        crime.sha256,
        crime.table_id,
        crime.span,
        crime.offences,
        lag(crime.offences) OVER (
            PARTITION BY
                release.source, crime.table_id, crime.area_code, crime.offence_id, crime.span, crime.period_end
            ORDER BY release.published_at, crime.release_id
        ) AS offences_before
    FROM core.recorded_crime AS crime
    INNER JOIN input.release AS release ON release.release_id = crime.release_id
    WHERE crime.offences IS NOT NULL
),
counted AS (
    SELECT
        stated.release_id,
        stated.table_id,
        stated.span,
        max(stated.sha256) AS sha256,
        count(*) AS figures,
        count(
            CASE
                WHEN abs(stated.offences - stated.offences_before) >= 50
                    AND abs(stated.offences - stated.offences_before) > 0.25e0 * abs(stated.offences_before)
                    THEN 1
            END
        ) AS moved
    FROM stated
    WHERE stated.offences_before IS NOT NULL
        AND greatest(abs(stated.offences), abs(stated.offences_before)) >= 50
    GROUP BY stated.release_id, stated.table_id, stated.span
)
SELECT
    counted.release_id,
    counted.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', counted.table_id, counted.span) AS figure,
    concat('under a tenth of ', CAST(counted.figures AS VARCHAR), ' figures moved by a quarter') AS expected,
    CAST(counted.moved AS VARCHAR) AS found
FROM counted
WHERE counted.figures >= 100 AND 10 * counted.moved > counted.figures
