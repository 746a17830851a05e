-- An area of a sheet of estimates has an estimate: an empty cell is a figure that was lost.
SELECT
    file.release_id,
    stated.sha256,
    concat(substr(stated.sha256, 1, 12), '!', stated.sheet, '!', stated.column, CAST(stated.row AS VARCHAR)) AS cell,
    concat_ws('|', stated.table_id, stated.area_code, 'population', CAST(stated.mid_year AS VARCHAR)) AS figure,
    'a figure or a marker' AS expected,
    'an empty cell' AS found
FROM tidy.population AS stated
INNER JOIN input.file AS file ON file.sha256 = stated.sha256 AND file.accepted
WHERE stated.marker = '[blank]'
