SELECT
    release.release_id, release.source, release.edition, release.title, release.publisher,
    release.published_at, release.published_on, release.landing_page, release.licence, release.state,
    CAST(nullif(release.withdrawn_at, '') AS TIMESTAMPTZ) AS withdrawn_at, release.is_modelled
FROM input.release AS release
