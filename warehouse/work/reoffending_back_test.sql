-- Counts of reoffending that follow from others and are printed too; whole numbers, which must be equal.
-- The sum of four quarterly cohorts against the annual figure that the same table prints.
WITH annual AS (
    SELECT
        'annual_cohort' AS table_name,
        printed.release_id,
        concat(
            printed.table_id, '|', printed.measure, '|', CAST(printed.cohort_end AS VARCHAR), '|', printed.age_group,
            '|', printed.area_code
        ) AS figure,
        quarters.offenders AS derived_offenders,
        quarters.reoffenders AS derived_reoffenders,
        quarters.reoffences AS derived_reoffences,
        printed.offenders,
        printed.reoffenders,
        printed.reoffences
    FROM core.reoffending AS printed
    INNER JOIN work.reoffending_of_quarters AS quarters
        ON quarters.release_id = printed.release_id
        AND quarters.table_id = printed.table_id
        AND quarters.measure = printed.measure
        AND quarters.span = printed.span
        AND quarters.cohort_end = printed.cohort_end
        AND quarters.age_group = printed.age_group
        AND quarters.area_code = printed.area_code
),
-- What a release states in several tables: the first in the declared order against each other.
in_tables AS (
    SELECT
        figure.*,
        row_number() OVER (
            PARTITION BY
                figure.release_id, figure.measure, figure.span, figure.cohort_end, figure.age_group, figure.area_code
            ORDER BY source_table.position
        ) AS preference
    FROM work.reoffending_of_ages AS figure
    INNER JOIN input.release AS release ON release.release_id = figure.release_id
    INNER JOIN input.source_table AS source_table
        ON source_table.source = release.source AND source_table.table_id = figure.table_id
),
between_tables AS (
    SELECT
        'between_tables' AS table_name,
        other.release_id,
        concat(
            other.table_id, '|', other.measure, '|', other.span, '|', CAST(other.cohort_end AS VARCHAR), '|',
            other.age_group, '|', other.area_code
        ) AS figure,
        first_table.offenders AS derived_offenders,
        first_table.reoffenders AS derived_reoffenders,
        first_table.reoffences AS derived_reoffences,
        other.offenders,
        other.reoffenders,
        other.reoffences
    FROM in_tables AS other
    INNER JOIN in_tables AS first_table
        ON first_table.release_id = other.release_id
        AND first_table.measure = other.measure
        AND first_table.span = other.span
        AND first_table.cohort_end = other.cohort_end
        AND first_table.age_group = other.age_group
        AND first_table.area_code = other.area_code
        AND first_table.preference = 1
    WHERE other.preference > 1
),
-- Every breakdown of a population against the one that was chosen, or the total that is printed.
between_breakdowns AS (
    SELECT
        'between_breakdowns' AS table_name,
        part.release_id,
        concat(
            part.table_id, '|', part.category, '|', part.measure, '|', part.span, '|',
            CAST(part.cohort_end AS VARCHAR), '|', part.age_group, '|', part.area_code
        ) AS figure,
        chosen.offenders AS derived_offenders,
        chosen.reoffenders AS derived_reoffenders,
        chosen.reoffences AS derived_reoffences,
        part.offenders,
        part.reoffenders,
        part.reoffences
    FROM work.reoffending_part_sum AS part
    INNER JOIN work.reoffending_of_ages AS chosen
        ON chosen.release_id = part.release_id
        AND chosen.table_id = part.table_id
        AND chosen.measure = part.measure
        AND chosen.span = part.span
        AND chosen.cohort_end = part.cohort_end
        AND chosen.age_group = part.age_group
        AND chosen.area_code = part.area_code
    WHERE part.role = 'repeat'
),
compared AS (
    SELECT annual.* FROM annual
    UNION ALL
    SELECT between_tables.* FROM between_tables
    UNION ALL
    SELECT between_breakdowns.* FROM between_breakdowns
),
counted AS (
    SELECT
        compared.table_name, compared.release_id, concat(compared.figure, '|offenders') AS figure,
        compared.derived_offenders AS derived, compared.offenders AS printed
    FROM compared
    UNION ALL
    SELECT
        compared.table_name, compared.release_id, concat(compared.figure, '|reoffenders') AS figure,
        compared.derived_reoffenders AS derived, compared.reoffenders AS printed
    FROM compared
    UNION ALL
    SELECT
        compared.table_name, compared.release_id, concat(compared.figure, '|reoffences') AS figure,
        compared.derived_reoffences AS derived, compared.reoffences AS printed
    FROM compared
)
SELECT
    counted.table_name,
    concat(counted.release_id, '|', counted.figure) AS key,
    CAST(counted.derived AS DOUBLE) AS derived,
    CAST(counted.printed AS DOUBLE) AS printed,
    CAST(counted.derived - counted.printed AS DOUBLE) AS difference,
    counted.derived = counted.printed AS within_tolerance
FROM counted
WHERE counted.derived IS NOT NULL AND counted.printed IS NOT NULL
