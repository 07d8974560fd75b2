"""How steadily a policy grades: changes per week, and changes back and forth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.changes import Change

FIRST = "first"
_OPPOSITE = {"up": "down", "down": "up"}
# 1970-01-01 was a Thursday: weeks begin on Monday, 00:00 UTC.
_THURSDAY = 3
_WEEK_DAYS = 7


def week_of(instant_ms: int) -> int:
    """Return the number of the week of an instant, counted from that of 1970-01-01.

    >>> week_of(0), week_of(4 * DAY_MS - 1), week_of(4 * DAY_MS)
    (0, 0, 1)
    """
    return (instant_ms // DAY_MS + _THURSDAY) // _WEEK_DAYS


def week_start_ms(week: int) -> int:
    """Return the Monday, 00:00 UTC, on which a week begins.

    >>> week_start_ms(week_of(4 * DAY_MS)) == 4 * DAY_MS
    True
    """
    return (week * _WEEK_DAYS - _THURSDAY) * DAY_MS


def turns_back(changes: Iterable[Change]) -> int:
    """Count how often one customer went back and forth in one grading.

    A change turns back if it goes down after one that went up, or up after one that went
    down; where tiers have no order, if it leads to the tier that the change before it left.
    A customer who rises and falls once turns back once.

    Args:
        changes: Of one customer in one grading, in order.
    """
    turns = 0
    heading: str | None = None
    left: str | None = None
    moved = False
    for change in changes:
        opposite = _OPPOSITE.get(change.direction)
        if opposite is None:
            turns += moved and change.direction != FIRST and change.after == left
            heading = None
        else:
            turns += heading == opposite
            heading = change.direction
        left, moved = change.before, True
    return turns
