-- A figure that two sheets or files of a release state is taken once, so both must say the same. Which of them is
-- right nothing shows: each file that states it is at fault.
WITH place AS (
    SELECT DISTINCT line.release_id, line.table_id, line.span, line.period_end, line.sha256, line.sheet
    FROM work.placed_crime AS line
),
repeated AS (
    SELECT place.release_id, place.table_id, place.span, place.period_end
    FROM place
    GROUP BY place.release_id, place.table_id, place.span, place.period_end
    HAVING count(*) > 1
),
in_place AS (
    SELECT
        line.release_id,
        line.table_id,
        line.measure,
        line.area_code,
        line.offence_id,
        line.span,
        line.period_end,
        line.sha256,
        line.sheet,
        coalesce(CAST(sum(line.value) AS VARCHAR), min(line.marker), '') AS stated
    FROM work.placed_crime AS line
    INNER JOIN repeated
        ON repeated.release_id = line.release_id
        AND repeated.table_id = line.table_id
        AND repeated.span = line.span
        AND repeated.period_end = line.period_end
    WHERE line.area_code IS NOT NULL
    GROUP BY
        line.release_id, line.table_id, line.measure, line.area_code, line.offence_id,
        line.span, line.period_end, line.sha256, line.sheet
),
compared AS (
    SELECT
        in_place.*,
        min(in_place.stated) OVER statements AS lowest,
        max(in_place.stated) OVER statements AS highest
    FROM in_place
    WINDOW statements AS (
        PARTITION BY
            in_place.release_id, in_place.table_id, in_place.measure, in_place.area_code,
            in_place.offence_id, in_place.span, in_place.period_end
    )
)
SELECT DISTINCT
    compared.release_id,
    compared.sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', compared.table_id, compared.area_code, compared.offence_id,
        compared.span, CAST(compared.period_end AS VARCHAR)
    ) AS figure,
    compared.lowest AS expected,
    compared.highest AS found
FROM compared
WHERE compared.lowest <> compared.highest
