"""Local calendar days: daylight saving, odd clocks, and instants at the ends of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stream.calendar import LocalDays, format_instant, to_instant_ms

HOUR = 3_600_000


def at(text: str) -> int:
    """Return an RFC 3339 instant in milliseconds."""
    return to_instant_ms(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("zone", "noon", "hours"),
    [
        ("UTC", "2024-03-10T12:00:00Z", 24),
        ("Asia/Shanghai", "2024-03-10T04:00:00Z", 24),
        ("America/New_York", "2024-03-10T16:00:00Z", 23),
        ("America/New_York", "2024-11-03T17:00:00Z", 25),
        ("Europe/Berlin", "2024-03-31T10:00:00Z", 23),
        ("Europe/Berlin", "2024-10-27T11:00:00Z", 25),
        ("Australia/Lord_Howe", "2024-10-06T01:00:00Z", 23.5),
        ("Australia/Lord_Howe", "2024-04-07T01:00:00Z", 24.5),
        ("Antarctica/Troll", "2024-10-27T11:00:00Z", 26),
        # Midnight itself is skipped: the day begins at one in the morning.
        ("America/Sao_Paulo", "2018-11-04T15:00:00Z", 23),
        # The day before the one that Samoa skipped.
        ("Pacific/Apia", "2011-12-29T22:00:00Z", 24),
    ],
)
def test_a_local_day_is_as_long_as_the_clocks_say(zone: str, noon: str, hours: float) -> None:
    start, end = LocalDays(zone).bounds_ms(at(noon))
    assert (end - start) / HOUR == hours


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/New_York", "2024-11-03T06:00:00Z"),
        ("Australia/Lord_Howe", "2024-04-06T15:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        ("Asia/Kathmandu", "1985-12-31T18:30:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z"),
        # At a minute past midnight the clocks went back into the day before.
        ("America/St_Johns", "2010-11-07T02:31:00Z"),
        ("America/Goose_Bay", "2010-11-07T03:01:00Z"),
        ("Antarctica/Casey", "2010-03-04T15:00:00Z"),
    ],
)
def test_days_contain_their_instants_and_leave_no_gap(zone: str, around: str) -> None:
    """Every instant belongs to exactly one day, whatever the clocks do at midnight."""
    days = LocalDays(zone)
    instant = at(around) - 60 * HOUR
    previous = None
    while instant < at(around) + 60 * HOUR:
        start, end = days.bounds_ms(instant)
        assert start <= instant < end
        assert days.bounds_ms(start) == days.bounds_ms(end - 1) == (start, end)
        assert previous in {None, start}
        for probe in range(start, end, HOUR // 120):
            assert days.bounds_ms(probe) == (start, end)
        previous, instant = end, end


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Shanghai", "Pacific/Kiritimati"])
@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
def test_the_ends_of_the_calendar_have_a_day_too(zone: str, text: str) -> None:
    """Absurd instants must not stop a worker: they are valid on the wire."""
    instant = at(text)
    start, end = LocalDays(zone).bounds_ms(instant)
    assert start <= instant < end


def test_a_day_is_remembered_per_zone_and_asked_again() -> None:
    """The quarter hour that two days share gives each instant its own day."""
    days = LocalDays("Australia/Lord_Howe")
    start, end = days.bounds_ms(at("2024-04-07T01:00:00Z"))
    assert days.bounds_ms(start - 1)[1] == start
    assert days.bounds_ms(end)[0] == end
    assert days.bounds_ms(start) == (start, end)


def test_instants_are_written_with_milliseconds() -> None:
    assert format_instant(-1) == "1969-12-31T23:59:59.999Z"
    assert format_instant(0) == "1970-01-01T00:00:00.000Z"
    assert to_instant_ms(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
