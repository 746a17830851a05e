-- What each aggregate is made of: its reporting members and, for totals with fraud, which of them record
-- fraud (forces handed it to Action Fraud at different times). `left_out` are forces that do not report.
WITH fraud_force AS (
    SELECT DISTINCT figure.release_id, figure.table_id, figure.area_code, figure.span, figure.period_end
    FROM work.figure AS figure
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
        figure.offences,
        CASE WHEN fraud_force.area_code IS NULL THEN 'without fraud' ELSE 'with fraud' END AS fraud
    FROM work.figure AS figure
    LEFT JOIN fraud_force
        ON figure.offence_id IN ('total_including_fraud', 'fraud_offences')
        AND fraud_force.release_id = figure.release_id
        AND fraud_force.table_id = figure.table_id
        AND fraud_force.area_code = figure.area_code
        AND fraud_force.span = figure.span
        AND fraud_force.period_end = figure.period_end
),
table_period AS (
    SELECT DISTINCT figure.release_id, figure.table_id, figure.offence_id, figure.span, figure.period_end
    FROM work.figure AS figure
    INNER JOIN ref.area_member AS member ON member.member_code = figure.area_code
),
component AS (
    SELECT
        table_period.release_id,
        table_period.table_id,
        member.aggregate_code AS area_code,
        table_period.offence_id,
        table_period.span,
        table_period.period_end,
        md5(string_agg(
            CASE WHEN own.offences IS NOT NULL THEN concat(member.member_code, ' ', own.fraud) END,
            ',' ORDER BY member.member_code
        )) AS coverage,
        string_agg(
            CASE WHEN own.offences IS NULL AND member.kind = 'police_force_area' THEN member.member_code END,
            ',' ORDER BY member.member_code
        ) AS left_out
    FROM table_period
    CROSS JOIN ref.area_member AS member
    LEFT JOIN own
        ON own.release_id = table_period.release_id
        AND own.table_id = table_period.table_id
        AND own.area_code = member.member_code
        AND own.offence_id = table_period.offence_id
        AND own.span = table_period.span
        AND own.period_end = table_period.period_end
    GROUP BY
        table_period.release_id, table_period.table_id, member.aggregate_code,
        table_period.offence_id, table_period.span, table_period.period_end
)
SELECT
    component.release_id, component.table_id, component.area_code, component.offence_id,
    component.span, component.period_end, component.coverage, component.left_out, TRUE AS is_aggregate
FROM component
UNION ALL
SELECT
    own.release_id, own.table_id, own.area_code, own.offence_id,
    own.span, own.period_end, own.fraud AS coverage, CAST(NULL AS VARCHAR) AS left_out, FALSE AS is_aggregate
FROM own
WHERE own.offence_id IN ('total_including_fraud', 'fraud_offences')
    AND own.area_code NOT IN (SELECT member.aggregate_code FROM ref.area_member AS member)
