-- What each aggregate is made of: its reporting members and, for totals with fraud, which of them record
-- fraud (forces handed it to Action Fraud at different times). `left_out` are the forces of it that do not
-- report; 0 for none.
WITH fraud_force AS (
    SELECT
        figure.release_id, figure.table_id, figure.area_code, figure.span, figure.period_end, counted.offence_id
    FROM work.figure AS figure
    -- The offences that count fraud: their coverage depends on who records it.
    INNER JOIN ref.offence AS counted ON counted.offence_id IN ('total_including_fraud', 'fraud_offences')
    WHERE figure.offence_id = 'fraud_offences' AND figure.offences > 0
),
own AS (
    SELECT
        figure.release_id,
        figure.table_id,
        figure.area_code,
        figure.offence_id,
        figure.span,
        figure.period_end,
        member_bit.kind,
        CASE WHEN figure.offences IS NULL THEN 0 ELSE member_bit.bit END AS reporting,
        CASE WHEN figure.offences IS NULL OR fraud_force.area_code IS NULL THEN 0 ELSE member_bit.bit END AS fraud
    FROM work.figure AS figure
    INNER JOIN work.member_bit AS member_bit ON member_bit.member_code = figure.area_code
    LEFT JOIN fraud_force
        ON fraud_force.offence_id = figure.offence_id
        AND fraud_force.release_id = figure.release_id
        AND fraud_force.table_id = figure.table_id
        AND fraud_force.area_code = figure.area_code
        AND fraud_force.span = figure.span
        AND fraud_force.period_end = figure.period_end
),
forces AS (
    SELECT area_member.aggregate_code, CAST(sum(member_bit.bit) AS BIGINT) AS bits
    FROM ref.area_member AS area_member
    INNER JOIN work.member_bit AS member_bit ON member_bit.member_code = area_member.member_code
    WHERE area_member.kind = 'police_force_area'
    GROUP BY area_member.aggregate_code
),
component AS (
    SELECT
        own.release_id,
        own.table_id,
        area_member.aggregate_code AS area_code,
        own.offence_id,
        own.span,
        own.period_end,
        CAST(sum(own.reporting) AS BIGINT) AS reporting,
        CAST(sum(own.fraud) AS BIGINT) AS fraud,
        CAST(sum(CASE WHEN own.kind = 'police_force_area' THEN own.reporting ELSE 0 END) AS BIGINT) AS reporting_forces
    FROM own
    INNER JOIN ref.area_member AS area_member ON area_member.member_code = own.area_code
    GROUP BY
        own.release_id, own.table_id, area_member.aggregate_code, own.offence_id, own.span, own.period_end
)
SELECT
    component.release_id, component.table_id, component.area_code, component.offence_id,
    component.span, component.period_end, component.reporting, component.fraud,
    -- What no force states (fraud that other bodies record) leaves no force out.
    CASE WHEN component.reporting_forces = 0 THEN 0 ELSE forces.bits - component.reporting_forces END AS left_out,
    TRUE AS is_aggregate
FROM component
INNER JOIN forces ON forces.aggregate_code = component.area_code
UNION ALL
SELECT
    own.release_id, own.table_id, own.area_code, own.offence_id,
    own.span, own.period_end, own.reporting, own.fraud, CAST(0 AS BIGINT) AS left_out, FALSE AS is_aggregate
FROM own
WHERE own.offence_id IN ('total_including_fraud', 'fraud_offences')
