SELECT
    observation.run_id, observation.observation_number, observation.observed_at, observation.source, observation.edition,
    observation.title, observation.observed_kind, observation.observed_state, observation.observed_reason,
    observation.published_at, observation.landing_page, observation.licence, observation.filename,
    observation.requested_url, observation.final_url, observation.redirects, observation.http_status, observation.etag,
    observation.last_modified, observation.age_seconds, observation.fastly_backend_name, observation.content_type,
    observation.attempts, observation.bytes, observation.sha256, observation.media_type, observation.previous_sha256,
    observation.via, observation.observed_by
FROM input.observation AS observation
