-- Which series add up to which: those of forces and other bodies to those of their regions and countries.
SELECT
    member.series_number AS member_number,
    aggregate.series_number AS aggregate_number,
    area_member.kind
FROM work.series AS member
INNER JOIN ref.area_member AS area_member ON area_member.member_code = member.area_code
INNER JOIN work.series AS aggregate
    ON aggregate.area_code = area_member.aggregate_code
    AND aggregate.offence_id = member.offence_id
    AND aggregate.span = member.span
