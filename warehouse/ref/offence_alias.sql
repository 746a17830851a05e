SELECT
    alias.source,
    alias.published_name,
    alias.offence_id,
    CAST(alias.starts_on AS DATE) AS starts_on,
    CAST(alias.ends_on AS DATE) AS ends_on
FROM seed.offence_alias AS alias
INNER JOIN ref.offence AS offence ON offence.offence_id = alias.offence_id
