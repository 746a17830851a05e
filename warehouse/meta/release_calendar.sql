SELECT
    calendar.source, calendar.edition, calendar.expected_at, calendar.status, calendar.expected_text,
    calendar.announced_url
FROM input.release_calendar AS calendar
