SELECT run.run_id, run.built_at, run.built_by
FROM input.run AS run
