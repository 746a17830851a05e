-- Files that are not kept out, in their releases. They go by number, since their hashes are long and lines are many.
SELECT
    file.release_id,
    file.sha256,
    CAST(row_number() OVER (ORDER BY file.release_id, file.sha256) AS INTEGER) AS file_number
FROM input.file AS file
WHERE file.accepted
