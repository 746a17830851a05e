-- Rates that P3 prints against ours, within the last digit that the table prints; one line a release, because a
-- population that is not the publisher's moves them all.
WITH compared AS (
    SELECT
        split_part(back_test.key, '|', 1) AS release_id,
        back_test.key,
        back_test.printed,
        back_test.difference,
        back_test.within_tolerance
    FROM meta.back_test AS back_test
    WHERE back_test.table_name = 'P3' AND back_test.difference IS NOT NULL
),
judged AS (
    SELECT
        compared.*,
        NOT compared.within_tolerance AS differs,
        row_number() OVER (
            PARTITION BY compared.release_id
            ORDER BY abs(compared.difference) DESC, compared.key
        ) AS choice
    FROM compared
)
SELECT
    judged.release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    'P3' AS figure,
    concat(CAST(count(*) AS VARCHAR), ' rates as printed') AS expected,
    concat(
        CAST(count(CASE WHEN judged.differs THEN 1 END) AS VARCHAR), ' differ, most: ',
        max(CASE WHEN judged.choice = 1 THEN concat(
            substr(judged.key, length(judged.release_id) + 2), ', printed ', CAST(judged.printed AS VARCHAR),
            ', ours ', CAST(round(judged.printed + judged.difference, 9) AS VARCHAR)
        ) END)
    ) AS found
FROM judged
GROUP BY judged.release_id
HAVING count(CASE WHEN judged.differs THEN 1 END) > 0
