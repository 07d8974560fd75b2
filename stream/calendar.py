"""Local calendar days of an instant. No clock is read here: instants are arguments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
_SLOT_MS = 900_000
_CACHE_LIMIT = 200_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_instant_ms(moment: datetime) -> int:
    """Return *moment* (aware) as milliseconds since the epoch, rounded down.

    >>> to_instant_ms(datetime(1997, 1, 1, tzinfo=UTC))
    852076800000
    """
    return (moment - _EPOCH) // _MILLISECOND


def format_instant(instant_ms: int) -> str:
    """Return an instant as RFC 3339 in UTC with milliseconds.

    >>> format_instant(852076800123)
    '1997-01-01T00:00:00.123Z'
    """
    moment = _EPOCH + timedelta(milliseconds=instant_ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{instant_ms % 1000:03d}Z"


class LocalDays:
    """Maps an instant to the local calendar day that contains it.

    Days are 23, 24 or 25 hours long where the zone has daylight saving; the
    bounds are exact instants, so a day never overlaps its neighbours.
    """

    __slots__ = ("_by_slot", "_zone")

    def __init__(self, time_zone: str) -> None:
        """Use *time_zone*, an IANA name such as ``Asia/Shanghai``."""
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

    def _compute(self, instant_ms: int) -> tuple[int, int]:
        local = (_EPOCH + timedelta(milliseconds=instant_ms)).astimezone(self._zone)
        midnight = datetime(local.year, local.month, local.day, tzinfo=self._zone)
        following = local.date() + timedelta(days=1)
        end = datetime(following.year, following.month, following.day, tzinfo=self._zone)
        return to_instant_ms(midnight.astimezone(UTC)), to_instant_ms(end.astimezone(UTC))
