"""The hours of a channel: when it is quiet, and when its digests are due. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from stream.calendar import to_instant_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAYS_AHEAD = 3


class Hours:
    """Quiet hours and times of digests, each every day by the clocks of one time zone.

    A time that the clocks leave out comes as much later as they were put forward; of one that
    they show twice the first counts.
    """

    __slots__ = ("_digests", "_quiet", "zone")

    def __init__(
        self, zone: str, quiet: tuple[str, str] | None = None, digests: Sequence[str] = ()
    ) -> None:
        """Take times as ``HH:MM``; *quiet* is from the first up to the second."""
        self.zone = ZoneInfo(zone)
        self._quiet = None if quiet is None else (_time(quiet[0]), _time(quiet[1]))
        self._digests = sorted(_time(moment) for moment in digests)

    @property
    def has_digests(self) -> bool:
        """Whether there are times of digests."""
        return bool(self._digests)

    def quiet_until_ms(self, now_ms: int) -> int | None:
        """Return when the quiet hours that *now_ms* lies in are over; None outside of them.

        >>> night = Hours("UTC", ("22:00", "08:00"))
        >>> night.quiet_until_ms(79_200_000), night.quiet_until_ms(79_199_999)
        (115200000, None)
        """
        if self._quiet is None:
            return None
        since, until = self._quiet
        end_ms = self._next([until], now_ms)
        begun_ms = self._next([since], now_ms)
        return end_ms if end_ms < begun_ms else None

    def digest_ms(self, not_before_ms: int) -> int:
        """Return the first digest at or after *not_before_ms*; that itself without any times.

        >>> Hours("UTC", digests=["09:00"]).digest_ms(32_400_001)
        118800000
        """
        if not self._digests:
            return not_before_ms
        return self._next(self._digests, not_before_ms - 1)

    def _next(self, times: Sequence[time], after_ms: int) -> int:
        """Return the first instant after *after_ms* at which the clocks show one of *times*."""
        today = _moment(after_ms).astimezone(self.zone).date()
        days = [today + timedelta(days=n) for n in range(-1, _DAYS_AHEAD)]
        found = [self._instant_ms(datetime.combine(day, one)) for day in days for one in times]
        return min(instant_ms for instant_ms in found if instant_ms > after_ms)

    def _instant_ms(self, local: datetime) -> int:
        return to_instant_ms(local.replace(tzinfo=self.zone))


def _moment(instant_ms: int) -> datetime:
    return datetime.fromtimestamp(instant_ms / 1000, UTC)


def _time(text: str) -> time:
    return time.fromisoformat(text)
