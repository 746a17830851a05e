-- At which levels a table of reoffending prints an area: a single-tier authority is ranked in the lower tier only
-- where the lower tier is published.
SELECT DISTINCT line.release_id, line.table_id, line.area_code, line.level
FROM work.placed_reoffending AS line
WHERE line.area_code IS NOT NULL AND line.role = 'total'
