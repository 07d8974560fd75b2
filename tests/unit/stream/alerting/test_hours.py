"""Quiet hours and digests by the clocks of a time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from stream.alerting.hours import Hours
from stream.calendar import to_instant_ms


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return to_instant_ms(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


NIGHT = Hours("Asia/Shanghai", ("21:00", "08:00"), ["17:30", "09:00"])


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22 20:59", None),
        ("2026-11-22 21:00", "2026-11-23 08:00"),
        ("2026-11-23 07:59", "2026-11-23 08:00"),
        ("2026-11-23 08:00", None),
        ("2026-11-23 12:00", None),
    ],
)
def test_quiet_hours_go_over_midnight_and_leave_out_their_end(now: str, until: str | None) -> None:
    assert NIGHT.quiet_until_ms(at(now)) == (None if until is None else at(until))


def test_quiet_hours_within_a_day_and_none_at_all() -> None:
    noon = Hours("UTC", ("12:00", "14:00"))
    assert noon.quiet_until_ms(at("2026-11-22 13:00", "UTC")) == at("2026-11-22 14:00", "UTC")
    assert noon.quiet_until_ms(at("2026-11-22 14:00", "UTC")) is None
    assert Hours("UTC").quiet_until_ms(0) is None


def test_a_digest_is_due_at_the_next_of_its_times() -> None:
    assert NIGHT.digest_ms(at("2026-11-22 09:00")) == at("2026-11-22 09:00")
    assert NIGHT.digest_ms(at("2026-11-22 09:00") + 1) == at("2026-11-22 17:30")
    assert NIGHT.digest_ms(at("2026-11-22 18:00")) == at("2026-11-23 09:00")
    assert Hours("UTC").digest_ms(123) == 123


def test_hours_follow_the_clocks_when_they_are_changed() -> None:
    """The night in which Berlin's clocks go back is an hour longer."""
    berlin = Hours("Europe/Berlin", ("22:00", "07:00"))
    begun = at("2026-10-24 22:00", "Europe/Berlin")
    until = berlin.quiet_until_ms(begun)
    assert until == at("2026-10-25 07:00", "Europe/Berlin")
    assert until - begun == 10 * 3_600_000
