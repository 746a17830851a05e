-- Areas that were split or whose boundary moved, with the day: no change is shown across it.
SELECT change.to_code AS area_code, change.changed_on, min(change.kind) AS kind
FROM ref.area_change AS change
WHERE change.kind IN ('split', 'boundary')
GROUP BY change.to_code, change.changed_on
