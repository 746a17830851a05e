SELECT
    result.suite,
    result.expectation,
    result.table_name,
    result.gate,
    result.severity,
    result.success,
    result.unexpected_count,
    result.examples,
    result.reason
FROM input.check_result AS result
