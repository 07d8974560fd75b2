"""When a census is taken: instants of the policy's calendar. No clock is read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.sentinels import NEVER

if TYPE_CHECKING:
    from datetime import date

    from schemas.policy.relative import Cadence
    from stream.calendar import LocalDays
    from stream.plan import Plan

_HOUR_MS = 3_600_000


def next_census_ms(cadence: Cadence, days: LocalDays, after_ms: int) -> int:
    """Return the first instant of a cadence after *after_ms*.

    Hours are counted from the midnight of the day, so a day with a change of the clocks has
    one more or one less of them.

    >>> from stream.calendar import LocalDays
    >>> next_census_ms("daily", LocalDays("UTC"), 86_400_000)
    172800000
    >>> next_census_ms("hourly", LocalDays("Asia/Kolkata"), 0)
    1800000
    """
    start_ms, end_ms = days.bounds_ms(after_ms)
    if cadence == "hourly":
        hours = (after_ms - start_ms) // _HOUR_MS + 1
        return min(start_ms + hours * _HOUR_MS, end_ms)
    while not _begins(cadence, days.date_of(end_ms)):
        end_ms = days.bounds_ms(end_ms)[1]
    return end_ms


def next_of(plan: Plan, after_ms: int) -> int:
    """Return the first census of a policy after *after_ms*; `NEVER` where nothing follows."""
    population = plan.document.population
    if not plan.rankings or population is None or population.cadence is None:
        return NEVER
    return next_census_ms(population.cadence, plan.shape.days, after_ms)


def _begins(cadence: Cadence, day: date) -> bool:
    if cadence == "weekly":
        return day.weekday() == 0
    return cadence != "monthly" or day.day == 1
