SELECT
    source_table.source, source_table.table_id, source_table.title, source_table.position,
    source_table.fineness, nullif(source_table.sums, '') AS sums
FROM input.source_table AS source_table
