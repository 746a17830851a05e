SELECT
    offence.offence_id,
    offence.level,
    offence.name,
    offence.parent_id,
    offence.home_office_code
FROM seed.offence AS offence
