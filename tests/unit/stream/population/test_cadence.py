"""Census instants in the policy's calendar."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from stream.calendar import LocalDays, to_instant_ms
from stream.population.cadence import next_census_ms

if TYPE_CHECKING:
    from schemas.policy.relative import Cadence

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str) -> int:
    """Return an instant of Berlin's clocks."""
    return to_instant_ms(datetime.fromisoformat(text).replace(tzinfo=BERLIN))


@pytest.mark.parametrize(
    ("cadence", "after", "then"),
    [
        ("hourly", "2026-03-28T22:30", "2026-03-28T23:00"),
        ("hourly", "2026-03-29T01:00", "2026-03-29T03:00"),  # there is no 02:00 that day
        ("daily", "2026-03-28T00:00", "2026-03-29T00:00"),
        ("daily", "2026-03-29T12:00", "2026-03-30T00:00"),  # a day of 23 hours
        ("weekly", "2026-03-28T12:00", "2026-03-30T00:00"),
        ("weekly", "2026-03-30T00:00", "2026-04-06T00:00"),
        ("monthly", "2026-03-01T00:00", "2026-04-01T00:00"),
    ],
)
def test_the_next_census_is_the_next_full_hour_midnight_monday_or_first(
    cadence: Cadence, after: str, then: str
) -> None:
    """Strictly after, so that one census leads to the next."""
    assert next_census_ms(cadence, LocalDays("Europe/Berlin"), ms(after)) == ms(then)
