-- What each release brought: figures that are new, revised or as before, and those that it leaves out.
WITH stating AS (
    SELECT
        statement.source, statement.table_name, statement.table_id, statement.span, statement.release_id,
        statement.published_at,
        min(statement.period_end) AS first_end,
        max(statement.period_end) AS last_end
    FROM work.statement AS statement
    GROUP BY
        statement.source, statement.table_name, statement.table_id, statement.span, statement.release_id,
        statement.published_at
),
-- What is gone is told against the last release that held the same published table.
ordered AS (
    SELECT
        stating.*,
        lag(stating.release_id) OVER earlier AS previous_release_id,
        lag(stating.published_at) OVER earlier AS previous_published_at
    FROM stating
    WINDOW earlier AS (
        PARTITION BY stating.source, stating.table_name, stating.table_id, stating.span
        ORDER BY stating.published_at, stating.release_id
    )
),
before AS (
    SELECT DISTINCT
        ordered.release_id,
        ordered.table_name,
        first_value(ordered.previous_release_id) OVER (
            PARTITION BY ordered.release_id, ordered.table_name
            ORDER BY ordered.previous_published_at DESC NULLS LAST, ordered.previous_release_id DESC NULLS LAST
        ) AS previous_release_id
    FROM ordered
),
counted AS (
    SELECT
        statement.release_id,
        statement.table_name,
        count(*) AS figures,
        count(CASE WHEN statement.previous_release_id IS NULL THEN 1 END) AS new_figures,
        count(
            CASE
                WHEN statement.previous_release_id IS NOT NULL
                    AND statement.value IS DISTINCT FROM statement.previous_value THEN 1
            END
        ) AS revised_figures
    FROM work.statement AS statement
    GROUP BY statement.release_id, statement.table_name
),
gone AS (
    SELECT ordered.release_id, ordered.table_name, count(*) AS gone_figures
    FROM ordered
    INNER JOIN work.statement AS stated
        ON stated.release_id = ordered.previous_release_id
        AND stated.table_name = ordered.table_name
        AND stated.table_id = ordered.table_id
        AND stated.span = ordered.span
        AND stated.period_end BETWEEN ordered.first_end AND ordered.last_end
    LEFT JOIN work.statement AS still
        ON still.release_id = ordered.release_id
        AND still.table_name = stated.table_name
        AND still.area_code = stated.area_code
        AND still.offence_id IS NOT DISTINCT FROM stated.offence_id
        AND still.measure IS NOT DISTINCT FROM stated.measure
        AND still.age_group IS NOT DISTINCT FROM stated.age_group
        AND still.span = stated.span
        AND still.period_end = stated.period_end
        AND still.figure = stated.figure
    WHERE still.release_id IS NULL
    GROUP BY ordered.release_id, ordered.table_name
)
SELECT
    before.release_id,
    before.table_name,
    release.source,
    release.edition,
    release.title,
    release.published_at,
    release.published_on,
    release.state,
    release.withdrawn_at,
    before.previous_release_id,
    counted.figures,
    counted.new_figures,
    counted.revised_figures,
    counted.figures - counted.new_figures - counted.revised_figures AS unchanged_figures,
    coalesce(gone.gone_figures, 0) AS gone_figures,
    release.is_modelled
FROM before
INNER JOIN meta.release AS release ON release.release_id = before.release_id
INNER JOIN counted ON counted.release_id = before.release_id AND counted.table_name = before.table_name
LEFT JOIN gone ON gone.release_id = before.release_id AND gone.table_name = before.table_name
