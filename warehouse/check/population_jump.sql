-- The newest estimate of an area against the year before that is known, at most a tenth a year up or down. Not across a
-- change of its boundary, nor where next to nobody lives: the City of London grew by half in three years.
WITH stated AS (
    SELECT estimate.area_code, estimate.mid_year, estimate.population, estimate.release_id
    FROM ref.population AS estimate
    WHERE NOT estimate.is_derived
),
nearest AS (
    SELECT stated.area_code, stated.mid_year, max(earlier.mid_year) AS year_before
    FROM stated
    INNER JOIN stated AS earlier
        ON earlier.area_code = stated.area_code AND earlier.mid_year < stated.mid_year
    GROUP BY stated.area_code, stated.mid_year
),
broken AS (
    SELECT DISTINCT nearest.area_code, nearest.mid_year
    FROM nearest
    INNER JOIN work.area_break AS area_break
        ON area_break.area_code = nearest.area_code
        AND area_break.changed_on > CAST(concat(CAST(nearest.year_before AS VARCHAR), '-06-30') AS DATE)
        AND area_break.changed_on <= CAST(concat(CAST(nearest.mid_year AS VARCHAR), '-06-30') AS DATE)
)
SELECT
    stated.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws('|', stated.area_code, 'population', CAST(stated.mid_year AS VARCHAR)) AS figure,
    concat('about ', CAST(earlier.population AS VARCHAR), ' of ', CAST(nearest.year_before AS VARCHAR)) AS expected,
    CAST(stated.population AS VARCHAR) AS found
FROM stated
INNER JOIN nearest ON nearest.area_code = stated.area_code AND nearest.mid_year = stated.mid_year
INNER JOIN stated AS earlier ON earlier.area_code = nearest.area_code AND earlier.mid_year = nearest.year_before
INNER JOIN ref.area AS area ON area.area_code = stated.area_code
LEFT JOIN broken ON broken.area_code = stated.area_code AND broken.mid_year = stated.mid_year
WHERE broken.area_code IS NULL
    AND area.has_resident_rate
    AND abs(stated.population - earlier.population)
    > 0.1e0 * (stated.mid_year - nearest.year_before) * earlier.population
