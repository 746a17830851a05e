-- Which forces and other bodies make up each region and country: as ONS adds them up.
WITH RECURSIVE member(member_code, kind, aggregate_code) AS (
    SELECT area.area_code AS member_code, area.kind, area.parent_code AS aggregate_code
    FROM seed.fixed_area AS area
    WHERE area.kind IN ('police_force_area', 'other')
    UNION ALL
    SELECT member.member_code, member.kind, parent.parent_code AS aggregate_code
    FROM member
    INNER JOIN seed.fixed_area AS parent ON parent.area_code = member.aggregate_code
    WHERE parent.parent_code IS NOT NULL
)
SELECT member.member_code, member.kind, member.aggregate_code
FROM member
