SELECT file.release_id, file.sha256, file.landed_at, file.landed_by
FROM input.file AS file
