SELECT
    release.release_id, release.source, release.edition, release.title, release.publisher,
    release.published_at, release.landing_page, release.licence, release.state, release.is_modelled
FROM input.release AS release
