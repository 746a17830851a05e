-- A printed region or country is the sum of the forces and bodies that its table prints with a value: a force that
-- does not report is left out of it, as Greater Manchester was in 2019; one whose row was lost is not.
WITH aggregate AS (
    SELECT crime.*
    FROM core.recorded_crime AS crime
    INNER JOIN (
        SELECT DISTINCT area_member.aggregate_code
        FROM ref.area_member AS area_member
    ) AS known ON known.aggregate_code = crime.area_code
),
-- Few tables print aggregates, and most figures stand in others.
member AS (
    SELECT crime.*
    FROM core.recorded_crime AS crime
    INNER JOIN (
        SELECT DISTINCT aggregate.release_id, aggregate.table_id
        FROM aggregate
    ) AS with_aggregates
        ON with_aggregates.release_id = crime.release_id AND with_aggregates.table_id = crime.table_id
),
summed AS (
    SELECT
        aggregate.release_id,
        aggregate.table_id,
        aggregate.area_code,
        aggregate.offence_id,
        aggregate.span,
        aggregate.period_end,
        count(*) AS printed,
        count(member.offences) AS known,
        CAST(sum(member.offences) AS BIGINT) AS offences
    FROM aggregate
    INNER JOIN ref.area_member AS area_member ON area_member.aggregate_code = aggregate.area_code
    INNER JOIN member
        ON member.release_id = aggregate.release_id
        AND member.table_id = aggregate.table_id
        AND member.area_code = area_member.member_code
        AND member.offence_id = aggregate.offence_id
        AND member.span = aggregate.span
        AND member.period_end = aggregate.period_end
    GROUP BY
        aggregate.release_id, aggregate.table_id, aggregate.area_code, aggregate.offence_id,
        aggregate.span, aggregate.period_end
)
SELECT
    aggregate.release_id,
    aggregate.sha256,
    concat(
        substr(aggregate.sha256, 1, 12), '!', aggregate.sheet, '!',
        aggregate.offences_column, CAST(aggregate.row AS VARCHAR)
    ) AS cell,
    concat_ws(
        '|', aggregate.table_id, aggregate.area_code, aggregate.offence_id,
        aggregate.span, CAST(aggregate.period_end AS VARCHAR)
    ) AS figure,
    CAST(summed.offences AS VARCHAR) AS expected,
    coalesce(CAST(aggregate.offences AS VARCHAR), aggregate.offences_marker) AS found
FROM aggregate
INNER JOIN summed
    ON summed.release_id = aggregate.release_id
    AND summed.table_id = aggregate.table_id
    AND summed.area_code = aggregate.area_code
    AND summed.offence_id = aggregate.offence_id
    AND summed.span = aggregate.span
    AND summed.period_end = aggregate.period_end
WHERE
    aggregate.offences <> summed.offences
    OR (aggregate.offences IS NOT NULL AND summed.known = 0)
    OR (aggregate.offences IS NULL AND summed.known = summed.printed)
