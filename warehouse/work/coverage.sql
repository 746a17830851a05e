-- What each aggregate is made of: its reporting members and, for totals with fraud, which of them record
-- fraud (forces handed it to Action Fraud at different times). `left_out` are the forces of it that do not
-- report; 0 for none.
WITH with_fraud AS (
    -- The offences that count fraud: their coverage depends on who records it.
    SELECT counted.series_number, fraud.series_number AS fraud_number
    FROM work.series AS counted
    INNER JOIN work.series AS fraud
        ON fraud.area_code = counted.area_code
        AND fraud.span = counted.span
        AND fraud.offence_id = 'fraud_offences'
    WHERE counted.offence_id IN ('total_including_fraud', 'fraud_offences')
),
fraud_force AS (
    SELECT with_fraud.series_number, figure.release_order, figure.position, figure.period_end
    FROM with_fraud
    INNER JOIN work.figure AS figure ON figure.series_number = with_fraud.fraud_number
    WHERE figure.offences > 0
),
member_series AS (
    SELECT series.series_number, member_bit.bit, with_fraud.series_number IS NOT NULL AS is_with_fraud
    FROM work.series AS series
    INNER JOIN work.member_bit AS member_bit ON member_bit.member_code = series.area_code
    LEFT JOIN with_fraud ON with_fraud.series_number = series.series_number
),
own AS (
    SELECT
        figure.release_order,
        figure.position,
        figure.series_number,
        figure.period_end,
        member_series.is_with_fraud,
        CASE WHEN figure.offences IS NULL THEN 0 ELSE member_series.bit END AS reporting,
        CASE
            WHEN figure.offences IS NULL OR fraud_force.series_number IS NULL THEN 0
            ELSE member_series.bit
        END AS fraud
    FROM work.figure AS figure
    INNER JOIN member_series ON member_series.series_number = figure.series_number
    LEFT JOIN fraud_force
        ON fraud_force.series_number = figure.series_number
        AND fraud_force.release_order = figure.release_order
        AND fraud_force.position = figure.position
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
        own.release_order,
        own.position,
        series_member.aggregate_number AS series_number,
        own.period_end,
        CAST(sum(own.reporting) AS BIGINT) AS reporting,
        CAST(sum(own.fraud) AS BIGINT) AS fraud,
        CAST(
            sum(CASE WHEN series_member.kind = 'police_force_area' THEN own.reporting ELSE 0 END) AS BIGINT
        ) AS reporting_forces
    FROM own
    INNER JOIN work.series_member AS series_member ON series_member.member_number = own.series_number
    GROUP BY own.release_order, own.position, series_member.aggregate_number, own.period_end
)
SELECT
    component.release_order, component.position, component.series_number, component.period_end,
    component.reporting, component.fraud,
    -- What no force states (fraud that other bodies record) leaves no force out.
    CASE WHEN component.reporting_forces = 0 THEN 0 ELSE forces.bits - component.reporting_forces END AS left_out,
    TRUE AS is_aggregate
FROM component
INNER JOIN work.series AS series ON series.series_number = component.series_number
INNER JOIN forces ON forces.aggregate_code = series.area_code
UNION ALL
SELECT
    own.release_order, own.position, own.series_number, own.period_end,
    own.reporting, own.fraud, CAST(0 AS BIGINT) AS left_out, FALSE AS is_aggregate
FROM own
WHERE own.is_with_fraud
