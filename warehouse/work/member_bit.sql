-- A bit for each force and body, so that a set of them is a whole number: adding up bits is what an aggregate
-- of members costs anyway, while joining up their names would take most of the build.
WITH member AS (
    SELECT DISTINCT area_member.member_code, area_member.kind
    FROM ref.area_member AS area_member
)
SELECT
    member.member_code,
    member.kind,
    CAST(power(2, row_number() OVER (ORDER BY member.member_code) - 1) AS BIGINT) AS bit
FROM member
