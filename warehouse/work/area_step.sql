-- Changes at the tier at which they hold: both areas stand at it. As a lower tier Cumberland is three districts; as an
-- upper tier it was split off a county. Whatever made an area must carry whole areas over, or nothing adds up to it.
WITH at_level AS (
    SELECT former.level, change.from_code, change.to_code, change.changed_on, change.kind
    FROM ref.area_change AS change
    INNER JOIN ref.area_level AS former ON former.area_code = change.from_code
    INNER JOIN ref.area_level AS newer ON newer.area_code = change.to_code AND newer.level = former.level
),
counted AS (
    SELECT
        at_level.*,
        count(*) OVER (PARTITION BY at_level.level, at_level.from_code) AS heirs,
        count(*) OVER (PARTITION BY at_level.level, at_level.to_code) AS parts,
        max(CASE WHEN at_level.kind = 'boundary' THEN 1 ELSE 0 END)
            OVER (PARTITION BY at_level.level, at_level.to_code) AS boundaries
    FROM at_level
)
SELECT
    counted.level,
    counted.from_code,
    counted.to_code,
    counted.changed_on,
    counted.kind,
    CASE
        WHEN counted.boundaries = 1 THEN 'boundary'
        WHEN max(CASE WHEN counted.kind = 'split' OR counted.heirs > 1 THEN 1 ELSE 0 END)
            OVER (PARTITION BY counted.level, counted.to_code) = 1 THEN 'split'
    END AS reason,
    counted.kind = 'recode' AND counted.parts = 1 AS is_recode
FROM counted
