-- What one release states in several tables. The mart takes the first in the declared order.
SELECT
    split_part(compared.key, '|', 1) AS release_id,
    CAST(NULL AS VARCHAR) AS sha256,
    CAST(NULL AS VARCHAR) AS cell,
    concat_ws(
        '|', split_part(compared.key, '|', 2), split_part(compared.key, '|', 7),
        concat(split_part(compared.key, '|', 6), ' ', split_part(compared.key, '|', 8)),
        split_part(compared.key, '|', 4), split_part(compared.key, '|', 5)
    ) AS figure,
    CAST(CAST(compared.derived AS BIGINT) AS VARCHAR) AS expected,
    CAST(CAST(compared.printed AS BIGINT) AS VARCHAR) AS found
FROM meta.back_test AS compared
WHERE compared.table_name = 'between_tables' AND NOT compared.within_tolerance
