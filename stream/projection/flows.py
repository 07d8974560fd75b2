"""How many customers went from which tier to which, by day."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stream.calendar import LocalDays

Move = tuple[str | None, str | None]
"""From and to; None: not graded."""


class Day(NamedTuple):
    """What happened to one grading on one day.

    Attributes:
        date: The local date, ``1997-01-31``.
        moves: Changes by from and to.
        causes: Changes by direction and kind of cause.
    """

    date: str
    moves: Counter[Move]
    causes: Counter[tuple[str, str]]


class Flows:
    """Changes counted by grading and local day. A change counts once for each time it is told."""

    def __init__(self, days: LocalDays) -> None:
        """Count by the days of a calendar."""
        self._calendar = days
        self._days: dict[str, dict[int, tuple[Counter[Move], Counter[tuple[str, str]]]]] = {}

    def note(self, grading: str, instant_ms: int, move: Move, way: tuple[str, str]) -> None:
        """Count one change; *way* is its direction and the kind of its cause."""
        start_ms, _ = self._calendar.bounds_ms(instant_ms)
        days = self._days.setdefault(grading, {})
        moves, causes = days.setdefault(start_ms, (Counter(), Counter()))
        moves[move] += 1
        causes[way] += 1

    def days(self, grading: str, most: int) -> list[Day]:
        """Return the last *most* days on which anything changed, oldest first."""
        days = self._days.get(grading, {})
        return [
            Day(self._calendar.date_of(start_ms).isoformat(), *days[start_ms])
            for start_ms in sorted(days)[-most:]
        ]
