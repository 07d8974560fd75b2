"""Local calendar days of an instant. No clock is read here: instants are arguments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
_SLOT_MS = 900_000
_CACHE_LIMIT = 200_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - formats faster than an aware one
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
# Between these, three days more or less and any offset stay inside the calendar.
_FIRST_MS = (datetime(1, 1, 3, tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST_MS = (datetime(9999, 12, 28, tzinfo=UTC) - _EPOCH) // _MILLISECOND


def to_instant_ms(moment: datetime) -> int:
    """Return *moment* (aware) as milliseconds since the epoch, rounded down.

    >>> to_instant_ms(datetime(1997, 1, 1, tzinfo=UTC))
    852076800000
    """
    return (moment - _EPOCH) // _MILLISECOND


@lru_cache(1_024)
def format_instant(instant_ms: int) -> str:
    """Return an instant as RFC 3339 in UTC with milliseconds; the last ones are remembered.

    >>> format_instant(852076800123)
    '1997-01-01T00:00:00.123Z'
    """
    moment = _NAIVE_EPOCH + timedelta(milliseconds=instant_ms)
    return moment.isoformat(timespec="milliseconds") + "Z"


class LocalDays:
    """Maps an instant to the local calendar day that contains it.

    Days are 23, 24 or 25 hours long where the zone has daylight saving (elsewhere 0 to
    31 where a zone was redrawn). A day begins the first time its midnight strikes: where
    the clocks go back past midnight, what they show again belongs to the new day. The
    bounds are exact instants, so a day never overlaps its neighbours. On the very first
    and last days of the calendar, in the years 1 and 9999, days are those of UTC.

    Attributes:
        zone: IANA name of the time zone.
    """

    __slots__ = ("_by_slot", "_zone", "zone")

    def __init__(self, time_zone: str) -> None:
        """Use *time_zone*, an IANA name such as ``Asia/Shanghai``."""
        self.zone = time_zone
        self._zone = ZoneInfo(time_zone)
        self._by_slot: dict[int, tuple[int, int]] = {}

    def bounds_ms(self, instant_ms: int) -> tuple[int, int]:
        """Return ``(start, end)`` of the local day, start included, end excluded.

        >>> LocalDays("UTC").bounds_ms(86_400_001)
        (86400000, 172800000)
        """
        # A day is remembered under the quarter hour it was asked for; a quarter
        # hour that two days share (only in zones with odd offsets) is recomputed.
        slot = instant_ms // _SLOT_MS
        known = self._by_slot.get(slot)
        if known is not None and known[0] <= instant_ms < known[1]:
            return known
        bounds = self._compute(instant_ms)
        if len(self._by_slot) >= _CACHE_LIMIT:
            self._by_slot.clear()
        self._by_slot[slot] = bounds
        return bounds

    def date_of(self, instant_ms: int) -> date:
        """Return the local date at an instant inside the calendar.

        >>> LocalDays("Asia/Tokyo").date_of(15 * 3_600_000)
        datetime.date(1970, 1, 2)
        """
        return (_EPOCH + timedelta(milliseconds=instant_ms)).astimezone(self._zone).date()

    def _compute(self, instant_ms: int) -> tuple[int, int]:
        if not _FIRST_MS <= instant_ms < _LAST_MS:
            start = instant_ms - instant_ms % DAY_MS
            return start, start + DAY_MS
        local = self.date_of(instant_ms)
        start, end = self._midnight_ms(local), self._midnight_ms(local + _DAY)
        if instant_ms >= end:
            start, end = end, self._midnight_ms(local + 2 * _DAY)
        return start, end

    def _midnight_ms(self, local: date) -> int:
        midnight = datetime(local.year, local.month, local.day, tzinfo=self._zone)
        return to_instant_ms(midnight.astimezone(UTC))
